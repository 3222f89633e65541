#include "daemon/ctl/control.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define BACKLOG 16
#define COMMANDS_MAX 64
#define UNREAD_MAX                                                                                 \
    (1024 * 1024) /* bytes of answers that a client leaves unread before it is let go */

struct client {
    uv_pipe_t pipe;
    struct ck_control *control; /* NULL once the socket is gone */
    struct client *next;        /* of control->clients */
    struct ck_control_call *calls;
    size_t call_count;
    uid_t uid;
    bool closing;
    bool mute; /* not listened to any more; closes once its last line is written */
    size_t used;
    char line[CK_CONTROL_LINE_MAX + 1];
};

struct ck_control_call {
    struct client *client; /* NULL once it went away */
    struct ck_control_call *next;
    json_t *id;
};

struct ck_control {
    uv_pipe_t listener;
    char path[sizeof((struct sockaddr_un){0}).sun_path];
    struct ck_control_command commands[COMMANDS_MAX];
    size_t command_count;
    struct client *clients;
    size_t client_count;
};

/* A line on its way out. */
struct line {
    uv_write_t request;
    struct client *client;
    char *text;
};

static void on_client_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void forget_client(struct client *client)
{
    if (client->control == NULL) {
        return;
    }
    struct client **at = &client->control->clients;
    while (*at != client) {
        at = &(*at)->next;
    }
    *at = client->next;
    client->control->client_count--;
    client->control = NULL;
}

static void close_client(struct client *client)
{
    if (client->closing) {
        return;
    }
    client->closing = true;
    for (struct ck_control_call *call = client->calls; call != NULL; call = call->next) {
        call->client = NULL;
    }
    client->calls = NULL;
    forget_client(client);
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_written(uv_write_t *request, int status)
{
    struct line *line = request->data;
    struct client *client = line->client;
    bool last = client->mute && client->pipe.write_queue_size == 0;
    free(line->text);
    free(line);
    if (status < 0 || last) {
        close_client(client);
    }
}

/* Sends one object as a line; takes it over. A client that cannot be written to is let go. */
static void send_line(struct client *client, json_t *object)
{
    struct line *line = calloc(1, sizeof *line);
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (line == NULL || text == NULL || client->pipe.write_queue_size > UNREAD_MAX) {
        free(line);
        free(text);
        close_client(client);
        return;
    }
    size_t size = strlen(text);
    text[size] = '\n'; /* in the place of the closing zero */
    line->text = text;
    line->client = client;
    line->request.data = line;
    uv_buf_t buffer = uv_buf_init(text, (unsigned)size + 1);
    if (uv_write(&line->request, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) < 0) {
        free(text);
        free(line);
        close_client(client);
    }
}

static const char *code_name(int code)
{
    switch (code) {
    case CK_E_SYNTAX:
    case CK_E_INVALID:
        return "invalid";
    case CK_E_LIMIT:
        return "limit";
    case CK_E_AUTH:
    case CK_E_DENIED:
        return "denied";
    case CK_E_NOT_FOUND:
        return "not_found";
    case CK_E_CONFLICT:
        return "conflict";
    case CK_E_BUSY:
        return "busy";
    default:
        return "failed";
    }
}

/* Sends an error; `id` is borrowed and may be NULL. */
static void send_error(struct client *client, json_t *id, int code, const char *message)
{
    send_line(client, json_pack("{s:O?, s:b, s:s, s:s}", "id", id, "ok", 0, "code", code_name(code),
                                "message", message));
}

/* Answers a line that is no request; nothing further is read from that client. */
static void refuse_client(struct client *client, int code, const char *message)
{
    client->mute = true;
    uv_read_stop((uv_stream_t *)&client->pipe);
    send_error(client, NULL, code, message);
}

static struct client *finish_call(struct ck_control_call *call)
{
    struct client *client = call->client;
    if (client != NULL) {
        struct ck_control_call **at = &client->calls;
        while (*at != call) {
            at = &(*at)->next;
        }
        *at = call->next;
        client->call_count--;
    }
    return client;
}

void ck_control_answer(struct ck_control_call *call, json_t *result)
{
    struct client *client = finish_call(call);
    if (client == NULL) {
        json_decref(result);
    } else {
        json_t *body = result == NULL ? json_object() : result;
        send_line(client, json_pack("{s:O?, s:b, s:o}", "id", call->id, "ok", 1, "result", body));
    }
    json_decref(call->id);
    free(call);
}

void ck_control_refuse(struct ck_control_call *call, int code, const char *format, ...)
{
    char message[500];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct client *client = finish_call(call);
    if (client != NULL) {
        send_error(client, call->id, code, message);
    }
    json_decref(call->id);
    free(call);
}

uid_t ck_control_uid(const struct ck_control_call *call)
{
    return call->client == NULL ? (uid_t)-1 : call->client->uid;
}

static const struct ck_control_command *find_command(const struct ck_control *control,
                                                     const char *name)
{
    for (size_t i = 0; i < control->command_count; i++) {
        if (strcmp(control->commands[i].name, name) == 0) {
            return &control->commands[i];
        }
    }
    return NULL;
}

static void start_call(struct client *client, const struct ck_control_command *command, json_t *id,
                       const json_t *arguments)
{
    struct ck_control_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        send_error(client, id, -ENOMEM, "out of memory");
        return;
    }
    call->client = client;
    call->id = json_incref(id);
    call->next = client->calls;
    client->calls = call;
    client->call_count++;
    command->handler(call, arguments, command->user);
}

/* One complete request object. */
static void run_request(struct client *client, json_t *request)
{
    json_t *id = json_object_get(request, "id");
    const json_t *name = json_object_get(request, "command");
    json_t *arguments = json_object_get(request, "arguments");
    if (!json_is_integer(id) || !json_is_string(name) ||
        (arguments != NULL && !json_is_object(arguments))) {
        refuse_client(client, CK_E_SYNTAX,
                      "a request is {\"id\": number, \"command\": text, \"arguments\": object}");
        return;
    }
    const struct ck_control_command *command =
        find_command(client->control, json_string_value(name));
    if (command == NULL) {
        send_error(client, id, CK_E_NOT_FOUND, "this daemon does not know the command");
        return;
    }
    if (client->call_count == CK_CONTROL_CALLS_MAX) {
        send_error(client, id, CK_E_BUSY, "too many requests wait for their answer");
        return;
    }
    json_t *none = arguments == NULL ? json_object() : NULL;
    start_call(client, command, id, arguments == NULL ? none : arguments);
    json_decref(none);
}

static void read_line(struct client *client, const char *text, size_t size)
{
    json_t *request = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(request)) {
        run_request(client, request);
    } else {
        refuse_client(client, CK_E_SYNTAX, "each line is one JSON object");
    }
    json_decref(request);
}

/* Takes the complete lines out of the buffer. */
static void read_lines(struct client *client)
{
    size_t at = 0;
    while (!client->closing && !client->mute) {
        const char *feed = memchr(client->line + at, '\n', client->used - at);
        if (feed == NULL) {
            break;
        }
        size_t size = (size_t)(feed - (client->line + at));
        read_line(client, client->line + at, size);
        at += size + 1;
    }
    memmove(client->line, client->line + at, client->used - at);
    client->used -= at;
    if (client->used == sizeof client->line && !client->closing && !client->mute) {
        refuse_client(client, CK_E_LIMIT, "the line is too long");
    }
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
    (void)wanted;
    struct client *client = handle->data;
    *room =
        uv_buf_init(client->line + client->used, (unsigned)(sizeof client->line - client->used));
}

static void on_bytes(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    (void)room;
    struct client *client = stream->data;
    if (size < 0) {
        close_client(client);
        return;
    }
    client->used += (size_t)size;
    read_lines(client);
}

static bool may_ask(const struct client *client)
{
    return client->uid == 0 || client->uid == geteuid();
}

static int learn_peer(struct client *client)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int fd = -1;
    int error = uv_fileno((uv_handle_t *)&client->pipe, &fd);
    if (error != 0) {
        return error;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        return -errno;
    }
    client->uid = peer.uid;
    return 0;
}

static void welcome(struct client *client)
{
    if (learn_peer(client) != 0) {
        close_client(client);
    } else if (!may_ask(client)) {
        refuse_client(client, CK_E_DENIED, "only root and the daemon's own user are heard");
    } else if (client->control->client_count > CK_CONTROL_CLIENTS_MAX) {
        refuse_client(client, CK_E_BUSY, "too many connections; try again");
    } else if (uv_read_start((uv_stream_t *)&client->pipe, on_room, on_bytes) < 0) {
        close_client(client);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct ck_control *control = listener->data;
    struct client *client = status < 0 ? NULL : calloc(1, sizeof *client);
    if (client == NULL) {
        return;
    }
    uv_pipe_init(listener->loop, &client->pipe, 0);
    client->pipe.data = client;
    client->control = control;
    client->next = control->clients;
    control->clients = client;
    control->client_count++;
    if (uv_accept(listener, (uv_stream_t *)&client->pipe) < 0) {
        close_client(client);
    } else {
        welcome(client);
    }
}

static int address_of(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        return -ENAMETOOLONG;
    }
    memcpy(address->sun_path, path, strlen(path) + 1);
    return 0;
}

/* Removes a socket that nobody listens to. 0, CK_E_CONFLICT where somebody does, or a negative
 * errno. */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat about;
    if (lstat(address->sun_path, &about) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(about.st_mode)) {
        return -EEXIST;
    }
    ck_cleanup(ck_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0) {
        return CK_E_CONFLICT;
    }
    return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int open_socket(const char *path, int *out)
{
    struct sockaddr_un address;
    int error = address_of(path, &address);
    if (error == 0) {
        error = remove_stale(&address);
    }
    if (error != 0) {
        return error;
    }
    ck_cleanup(ck_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The mode of the socket is that of the file that bind() makes, so that it is never open to
     * others. */
    if (fd < 0 || fchmod(fd, S_IRUSR | S_IWUSR) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        return -errno;
    }
    *out = ck_take_fd(&fd);
    return 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int ck_control_create(struct ck_control **control, uv_loop_t *loop, const char *path,
                      const struct ck_control_command *commands, size_t count)
{
    assert(count <= COMMANDS_MAX);
    ck_cleanup(ck_closep) int fd = -1;
    int error = open_socket(path, &fd);
    if (error != 0) {
        return error;
    }
    struct ck_control *made = calloc(1, sizeof *made);
    if (made == NULL) {
        unlink(path);
        return -ENOMEM;
    }
    snprintf(made->path, sizeof made->path, "%s", path);
    for (size_t i = 0; i < count; i++) {
        made->commands[i] = commands[i];
    }
    made->command_count = count;
    uv_pipe_init(loop, &made->listener, 0);
    made->listener.data = made;
    error = uv_pipe_open(&made->listener, fd);
    if (error == 0) {
        (void)ck_take_fd(&fd);
        error = uv_listen((uv_stream_t *)&made->listener, BACKLOG, on_connection);
    }
    if (error != 0) {
        ck_control_destroy(made);
        return error;
    }
    *control = made;
    return 0;
}

void ck_control_destroy(struct ck_control *control)
{
    if (control == NULL) {
        return;
    }
    unlink(control->path);
    while (control->clients != NULL) {
        close_client(control->clients);
    }
    uv_close((uv_handle_t *)&control->listener, on_listener_closed);
}
