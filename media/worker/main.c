/* checkin-media --control-fd=N: started by checkind only. See protocol/worker.md. */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "media/worker/control.h"
#include "media/worker/log.h"
#include "media/worker/worker.h"
#include "protocol/base/error.h"

#define OPTION "--control-fd="

/* The descriptor of the command line; -1 where it is not exactly one number. */
static int control_fd(int count, char **arguments)
{
    if (count != 2 || strncmp(arguments[1], OPTION, strlen(OPTION)) != 0) {
        return -1;
    }
    const char *number = arguments[1] + strlen(OPTION);
    char *end = NULL;
    errno = 0;
    long fd = strtol(number, &end, 10);
    return errno != 0 || end == number || *end != '\0' || fd < 0 || fd > INT_MAX ? -1 : (int)fd;
}

/* Waits for CONFIG, the first message. Returns an exit status; *ended where checkind went away
 * before. */
static int wait_for_config(struct ck_control *control, struct ck_worker_config *config, bool *ended)
{
    struct ck_worker_message message;
    const char *field = "";
    int fd = -1;
    int error;
    do {
        error = ck_control_wait(control);
        if (error == 0) {
            error = ck_control_receive(control, &message, &fd, &field);
        }
    } while (error == CK_E_NOT_FOUND);
    if (error == -EPIPE) {
        *ended = true;
        return CK_WORKER_EXIT_OK;
    }
    if (error != CK_OK || message.kind != CK_WORKER_CONFIG) {
        ck_media_log(CK_WORKER_LOG_ERROR, "the first message is no CONFIG that I understand, at %s",
                     field);
        bool range = error == CK_E_INVALID && strcmp(field, "version") != 0;
        return range ? CK_WORKER_EXIT_CONFIG : CK_WORKER_EXIT_PROTOCOL;
    }
    *config = message.config;
    return CK_WORKER_EXIT_OK;
}

int main(int count, char **arguments)
{
    /* The allocator reads a file when it shrinks a second arena, which the sandbox does not let it.
     */
    (void)mallopt(M_ARENA_MAX, 1);
    struct ck_control *control = NULL;
    struct ck_worker_config config;
    bool ended = false;
    int fd = control_fd(count, arguments);
    int error = fd < 0 ? -EINVAL : ck_control_create(&control, fd);
    if (error != 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "%sN wants a SOCK_SEQPACKET socket: %s", OPTION,
                     strerror(-error));
        return CK_WORKER_EXIT_USAGE;
    }
    int status = wait_for_config(control, &config, &ended);
    if (status != CK_WORKER_EXIT_OK || ended) {
        ck_control_destroy(control);
        return status;
    }
    ck_media_log_level((enum ck_worker_log_level)config.log_level);
    return ck_media_worker_run(control, &config);
}
