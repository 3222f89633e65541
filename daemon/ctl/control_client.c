#include "daemon/ctl/control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

static int connect_to(const char *path, int wait_s, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = wait_s};
    if (strlen(path) >= sizeof address.sun_path) {
        return -ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_cleanup(ck_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        return -errno;
    }
    *out = ck_take_fd(&fd);
    return 0;
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return -errno;
        }
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
        }
    }
    return 0;
}

/* Reads up to the first line feed. */
static int read_line(int fd, char **line, size_t *length)
{
    ck_cleanup(ck_freep) char *text = NULL;
    size_t capacity = 0, size = 0;
    for (;;) {
        if (size == capacity) {
            capacity = capacity == 0 ? 65536 : 2 * capacity;
            char *longer = capacity > CK_CONTROL_ANSWER_MAX ? NULL : realloc(text, capacity);
            if (longer == NULL) {
                return capacity > CK_CONTROL_ANSWER_MAX ? CK_E_SYNTAX : -ENOMEM;
            }
            text = longer;
        }
        ssize_t got = recv(fd, text + size, capacity - size, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -errno;
        }
        if (got == 0) {
            return CK_E_SYNTAX;
        }
        const char *feed = memchr(text + size, '\n', (size_t)got);
        size += (size_t)got;
        if (feed != NULL) {
            *length = (size_t)(feed - text);
            *line = ck_take(text);
            return 0;
        }
    }
}

int ck_control_ask(const char *path, const char *command, json_t *arguments, json_t **answer)
{
    return ck_control_ask_within(path, command, arguments, CK_CONTROL_WAIT_S, answer);
}

int ck_control_ask_within(const char *path, const char *command, json_t *arguments, int wait_s,
                          json_t **answer)
{
    json_t *request =
        json_pack("{s:i, s:s, s:o*}", "id", 1, "command", command, "arguments", arguments);
    ck_cleanup(ck_freep) char *text = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (text == NULL) {
        return -ENOMEM;
    }
    size_t size = strlen(text);
    text[size] = '\n';
    ck_cleanup(ck_closep) int fd = -1;
    ck_cleanup(ck_freep) char *line = NULL;
    int error = connect_to(path, wait_s, &fd);
    if (error == 0) {
        error = write_all(fd, text, size + 1);
    }
    if (error == 0) {
        error = read_line(fd, &line, &size);
    }
    if (error != 0) {
        return error;
    }
    json_t *read = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_boolean(json_object_get(read, "ok"))) {
        json_decref(read);
        return CK_E_SYNTAX;
    }
    *answer = read;
    return 0;
}
