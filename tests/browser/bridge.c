/* media-bridge PROGRAM [ADDRESS]: starts a checkin-media and speaks for it as checkind does: orders
 * come as lines of JSON on standard input, what the worker says goes out as lines of JSON. For
 * tests that drive a browser from a script.
 *
 *   {"do":"open","leg":1,"call":1,"role":1,"offer":"…","bitrate":800000}
 * {"do":"restart","leg":1,"offer":"…"}
 *   {"do":"relay","call":1,"on":true}   {"do":"close","leg":1}
 *   {"do":"record","leg":1,"recording":9,"file":"…","key":"64 hexadecimal digits"}
 *   {"do":"stop","leg":1}
 *
 * Ends with the worker's status when standard input does. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/worker.h"

static uint8_t buffer[CK_WORKER_MESSAGE_MAX];

static void die(const char *what)
{
    (void)fprintf(stderr, "media-bridge: %s\n", what);
    exit(1);
}

/* With a descriptor (-1: none) that the worker gets a copy of. */
static void send_with(int control, const struct ck_worker_message *message, int fd)
{
    const char *field = NULL;
    size_t size = 0;
    if (ck_worker_encode(message, buffer, sizeof buffer, &size, &field) != CK_OK) {
        die(field);
    }
    struct iovec part = {buffer, size};
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof fd)] = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        header.msg_control = room;
        header.msg_controllen = sizeof room;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    if (sendmsg(control, &header, MSG_NOSIGNAL) < 0) {
        die("the worker is gone");
    }
}

static void send_message(int control, const struct ck_worker_message *message)
{
    send_with(control, message, -1);
}

static void record(int control, uint64_t leg, json_t *line)
{
    const char *path = json_string_value(json_object_get(line, "file"));
    const char *key = json_string_value(json_object_get(line, "key"));
    struct ck_worker_message message = {
        .kind = CK_WORKER_RECORD_START,
        .record_start = {.leg = leg,
                         .recording =
                             (uint64_t)json_integer_value(json_object_get(line, "recording"))},
    };
    int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || key == NULL ||
        ck_hex_decode(key, message.record_start.key, CK_WORKER_KEY_SIZE) != 0) {
        die("nowhere to record to, or no key");
    }
    send_with(control, &message, fd);
    close(fd);
}

static void order(int control, json_t *line)
{
    const char *what = json_string_value(json_object_get(line, "do"));
    const char *offer = json_string_value(json_object_get(line, "offer"));
    uint64_t leg = (uint64_t)json_integer_value(json_object_get(line, "leg"));
    uint64_t call = (uint64_t)json_integer_value(json_object_get(line, "call"));
    struct ck_worker_message message = {0};
    if (what == NULL) {
        die("a line without \"do\"");
    }
    if (strcmp(what, "open") == 0 && offer != NULL) {
        message.kind = CK_WORKER_LEG_OPEN;
        message.leg_open = (struct ck_worker_leg_open){
            .leg = leg,
            .call = call,
            .role = (uint8_t)json_integer_value(json_object_get(line, "role")),
            .video_bitrate_max = (uint32_t)json_integer_value(json_object_get(line, "bitrate")),
            .offer = ck_worker_text_of(offer),
        };
    } else if (strcmp(what, "restart") == 0 && offer != NULL) {
        message.kind = CK_WORKER_LEG_RESTART;
        message.leg_restart = (struct ck_worker_leg_restart){leg, ck_worker_text_of(offer)};
    } else if (strcmp(what, "relay") == 0) {
        message.kind = CK_WORKER_RELAY;
        message.relay = (struct ck_worker_relay){call, json_is_true(json_object_get(line, "on"))};
    } else if (strcmp(what, "record") == 0) {
        record(control, leg, line);
        return;
    } else if (strcmp(what, "stop") == 0) {
        message.kind = CK_WORKER_RECORD_STOP;
        message.record_stop.leg = leg;
    } else if (strcmp(what, "close") == 0) {
        message.kind = CK_WORKER_LEG_CLOSE;
        message.leg_close.leg = leg;
    } else {
        die("an unknown order");
    }
    send_message(control, &message);
}

static json_t *text_of(struct ck_worker_text text)
{
    return json_stringn(text.data, text.size);
}

static json_t *flow_of(const struct ck_worker_flow *flow)
{
    return json_pack("{s:I,s:I,s:i,s:i,s:i,s:i,s:i}", "packets", (json_int_t)flow->packets, "bytes",
                     (json_int_t)flow->bytes, "lost", (int)flow->lost, "recovered",
                     (int)flow->recovered, "bitrate", (int)flow->bitrate, "jitter_us",
                     (int)flow->jitter_us, "rtt_us", (int)flow->rtt_us);
}

static json_t *stats_of(const struct ck_worker_leg_stats *s)
{
    return json_pack("{s:I,s:i,s:i,s:i,s:i,s:i,s:o,s:o,s:o,s:o}", "leg", (json_int_t)s->leg,
                     "key_frames", (int)s->key_frames, "plis_sent", (int)s->plis_sent, "width",
                     (int)s->width, "height", (int)s->height, "allowed", (int)s->bitrate_allowed,
                     "audio_in", flow_of(&s->audio_in), "video_in", flow_of(&s->video_in),
                     "audio_out", flow_of(&s->audio_out), "video_out", flow_of(&s->video_out));
}

static json_t *json_of(const struct ck_worker_message *m)
{
    switch (m->kind) {
    case CK_WORKER_READY:
        return json_pack("{s:i,s:i,s:i,s:o}", "port_v4", m->ready.port_v4, "tcp_port_v4",
                         m->ready.tcp_port_v4, "port_v6", m->ready.port_v6, "library",
                         text_of(m->ready.library));
    case CK_WORKER_HEARTBEAT:
        return json_pack("{s:i,s:I,s:I,s:I,s:I,s:I}", "legs", (int)m->heartbeat.legs, "cpu_us",
                         (json_int_t)m->heartbeat.cpu_us, "lag_us", (json_int_t)m->heartbeat.lag_us,
                         "packets_in", (json_int_t)m->heartbeat.packets_in, "packets_out",
                         (json_int_t)m->heartbeat.packets_out, "dropped",
                         (json_int_t)m->heartbeat.dropped);
    case CK_WORKER_LEG_ANSWER:
        return json_pack("{s:I,s:o}", "leg", (json_int_t)m->leg_answer.leg, "answer",
                         text_of(m->leg_answer.answer));
    case CK_WORKER_LEG_REFUSED:
        return json_pack("{s:I,s:i,s:i,s:o}", "leg", (json_int_t)m->leg_refused.leg, "code",
                         m->leg_refused.code, "line", (int)m->leg_refused.line, "message",
                         text_of(m->leg_refused.message));
    case CK_WORKER_LEG_EVENT:
        return json_pack("{s:I,s:i,s:s,s:I,s:i}", "leg", (json_int_t)m->leg_event.leg, "event",
                         m->leg_event.event, "text", ck_worker_event_name(m->leg_event.event),
                         "detail", (json_int_t)m->leg_event.detail, "elapsed_ms",
                         (int)m->leg_event.elapsed_ms);
    case CK_WORKER_LEG_STATS:
        return stats_of(&m->leg_stats);
    case CK_WORKER_RECORD_CLOSED:
        return json_pack("{s:I,s:I,s:I,s:i}", "leg", (json_int_t)m->record_closed.leg, "recording",
                         (json_int_t)m->record_closed.recording, "duration_ms",
                         (json_int_t)m->record_closed.duration_ms, "error",
                         (int)m->record_closed.error);
    default:
        return json_object();
    }
}

/* One message of the worker; false at its end. */
static bool report(int control)
{
    struct ck_worker_message message;
    const char *field = NULL;
    ssize_t size = recv(control, buffer, sizeof buffer, 0);
    if (size <= 0) {
        return false;
    }
    if (ck_worker_decode(buffer, (size_t)size, &message, &field) != CK_OK) {
        die(field);
    }
    json_t *line = json_of(&message);
    if (line == NULL) {
        die("a text is no UTF-8");
    }
    (void)json_object_set_new(line, "kind", json_string(ck_worker_kind_name(message.kind)));
    char *text = json_dumps(line, JSON_COMPACT);
    (void)puts(text);
    (void)fflush(stdout);
    free(text);
    json_decref(line);
    return true;
}

static pid_t start(const char *program, int *control)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) {
        die("socketpair");
    }
    pid_t child = fork();
    if (child == 0) {
        close(pair[0]);
        char option[32];
        (void)snprintf(option, sizeof option, "--control-fd=%d", pair[1]);
        (void)execl(program, program, option, (char *)NULL);
        _exit(127);
    }
    close(pair[1]);
    *control = pair[0];
    return child;
}

static void configure(int control, const char *address)
{
    struct ck_worker_message message = {
        .kind = CK_WORKER_CONFIG,
        .config = {.version = CK_WORKER_VERSION,
                   .log_level = getenv("CK_LOG") != NULL ? CK_WORKER_LOG_DEBUG : CK_WORKER_LOG_INFO,
                   .legs_max = 64,
                   .handshakes_max = 64,
                   .recordings_max = 64,
                   .ring_bytes_max = 64 << 20,
                   .durations = {.stats_ms = 1000},
                   .listen_v4 = {.family = 4},
                   .tcp = 1},
    };
    if (inet_pton(AF_INET, address, message.config.listen_v4.bytes) != 1) {
        die("the address is no IPv4 address");
    }
    send_message(control, &message);
}

int main(int count, char **arguments)
{
    int control = -1;
    if (count < 2) {
        die("media-bridge PROGRAM [ADDRESS]");
    }
    pid_t child = start(arguments[1], &control);
    configure(control, count > 2 ? arguments[2] : "127.0.0.1");
    char *line = NULL;
    size_t room = 0;
    for (bool alive = true; alive;) {
        struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = control, .events = POLLIN}};
        (void)poll(fds, 2, -1);
        if (fds[1].revents != 0) {
            alive = report(control);
        } else if (fds[0].revents != 0) {
            json_t *parsed = getline(&line, &room, stdin) < 0 ? NULL : json_loads(line, 0, NULL);
            if (parsed == NULL) {
                break;
            }
            order(control, parsed);
            json_decref(parsed);
        }
    }
    free(line);
    close(control);
    int status = 0;
    (void)waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        (void)fprintf(stderr, "media-bridge: the worker died of signal %d\n", WTERMSIG(status));
        return 1;
    }
    return WEXITSTATUS(status);
}
