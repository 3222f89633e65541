#include "tests/media/rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define CONTROL_BUFFER (1 << 20)
#define EXIT_WAIT_MS 10000
#define SETTLE_QUIET_MS 300
#define SETTLE_MAX_MS 10000
#define VIDEO_BITRATE_MAX 2000000

struct said { /* a message of the worker and the datagram that its texts point into */
    struct ck_worker_message message;
    uint8_t *bytes;
};

struct leg {
    struct ck_tclient *client;
    char fault[160];
};

struct ck_rig {
    struct ck_crowd *crowd;
    struct ck_identity *identity;
    struct ck_clip *clip[2];
    int control;
    bool ended; /* the control socket reached its end */
    pid_t pid;
    struct said *said;
    size_t said_count;
    size_t said_room;
    uint64_t legs;
    struct leg leg[CK_RIG_LEGS + 1];
    struct ck_worker_ready ready;
};

__attribute__((format(printf, 1, 2), noreturn)) static void give_up(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "rig: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    va_end(list);
    abort();
}

static uint64_t leg_of(const struct ck_worker_message *message)
{
    switch (message->kind) {
    case CK_WORKER_LEG_ANSWER:
        return message->leg_answer.leg;
    case CK_WORKER_LEG_REFUSED:
        return message->leg_refused.leg;
    case CK_WORKER_LEG_EVENT:
        return message->leg_event.leg;
    case CK_WORKER_LEG_STATS:
        return message->leg_stats.leg;
    case CK_WORKER_RECORD_STARTED:
        return message->record_started.leg;
    case CK_WORKER_RECORD_HEAD:
        return message->record_head.leg;
    case CK_WORKER_RECORD_CLOSED:
        return message->record_closed.leg;
    case CK_WORKER_RECORD_FAILED:
        return message->record_failed.leg;
    default:
        return 0;
    }
}

static void give_answer(struct ck_rig *rig, const struct ck_worker_leg_answer *answer)
{
    struct leg *leg = answer->leg <= rig->legs ? &rig->leg[answer->leg] : NULL;
    if (leg == NULL || leg->client == NULL) {
        return;
    }
    leg->fault[0] = '\0';
    int error =
        ck_tclient_answer(leg->client, answer->answer.data, answer->answer.size, leg->fault);
    if (error != 0) {
        fprintf(stderr, "rig: answer of leg %llu: %s\n%.*s\n", (unsigned long long)answer->leg,
                leg->fault, (int)answer->answer.size, answer->answer.data);
    }
}

static void keep(struct ck_rig *rig, const void *bytes, size_t size)
{
    const char *field = "";
    if (rig->said_count == rig->said_room) {
        rig->said_room = rig->said_room == 0 ? 1024 : rig->said_room * 2;
        rig->said = realloc(rig->said, rig->said_room * sizeof *rig->said);
    }
    struct said *said = rig->said == NULL ? NULL : &rig->said[rig->said_count];
    uint8_t *copy = malloc(size);
    if (said == NULL || copy == NULL) {
        give_up("no memory");
    }
    memcpy(copy, bytes, size);
    said->bytes = copy;
    int error = ck_worker_decode(copy, size, &said->message, &field);
    if (error != 0) {
        give_up("the worker sent what does not decode: %s in %s", ck_error_text(error), field);
    }
    rig->said_count++;
    if (said->message.kind == CK_WORKER_LEG_ANSWER) {
        give_answer(rig, &said->message.leg_answer);
    }
}

static void control_ready(void *arg, uint32_t events)
{
    struct ck_rig *rig = arg;
    static uint8_t data[CK_WORKER_MESSAGE_MAX];
    (void)events;
    for (;;) {
        ssize_t size = recv(rig->control, data, sizeof data, MSG_DONTWAIT);
        if (size < 0 && errno == EAGAIN) {
            return;
        }
        if (size <= 0) {
            rig->ended = true;
            ck_crowd_unwatch(rig->crowd, rig->control);
            return;
        }
        keep(rig, data, (size_t)size);
    }
}

static void run_worker(int control, const struct ck_rig_options *options)
{
    char argument[32];
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no worker outlives its test */
    if (options->preload != NULL) {
        setenv("LD_PRELOAD", options->preload, 1);
    }
    /* A descriptor of its own, so that nothing but it is inherited. */
    int fd = fcntl(control, F_DUPFD, 3);
    snprintf(argument, sizeof argument, "--control-fd=%d", fd);
    execl(CK_MEDIA_PROGRAM, CK_MEDIA_PROGRAM, argument, (char *)NULL);
    perror(CK_MEDIA_PROGRAM);
    _exit(127);
}

static int spawn(struct ck_rig *rig, const struct ck_rig_options *options)
{
    int pair[2];
    int buffer = CONTROL_BUFFER;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return -errno;
    }
    for (int i = 0; i < 2; i++) {
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        setsockopt(pair[i], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    }
    rig->pid = fork();
    if (rig->pid == 0) {
        run_worker(pair[1], options);
    }
    close(pair[1]);
    rig->control = pair[0];
    if (rig->pid < 0) {
        return -errno;
    }
    return ck_crowd_watch(rig->crowd, rig->control, EPOLLIN, control_ready, rig);
}

static struct ck_worker_address loopback(bool v6)
{
    struct ck_worker_address address = {.family = v6 ? 6 : 4};
    if (v6) {
        address.bytes[15] = 1;
    } else {
        address.bytes[0] = 127;
        address.bytes[3] = 1;
    }
    return address;
}

static void configure(struct ck_rig *rig, const struct ck_rig_options *options)
{
    uint32_t legs = options->legs_max != 0 ? options->legs_max : 512;
    struct ck_worker_message message = {
        .kind = CK_WORKER_CONFIG,
        .config =
            {
                .version = CK_WORKER_VERSION,
                .log_level = getenv("CK_LOG") != NULL ? CK_WORKER_LOG_DEBUG : CK_WORKER_LOG_WARNING,
                .legs_max = legs,
                .handshakes_max = options->handshakes_max != 0 ? options->handshakes_max : legs,
                .recordings_max = options->recordings_max != 0 ? options->recordings_max : legs,
                .ring_bytes_max = options->ring_bytes_max != 0 ? options->ring_bytes_max : 64 << 20,
                .memory_bytes_max = options->memory_bytes_max,
                .durations = options->durations,
                .listen_v4 = loopback(false),
                .tcp = options->tcp,
            },
    };
    if (options->v6) {
        message.config.listen_v6 = loopback(true);
    }
    ck_rig_send(rig, &message, -1);
}

static int set_up(struct ck_rig *rig, const struct ck_rig_options *options)
{
    int error = ck_crowd_create(&rig->crowd);
    error = error != 0 ? error : ck_identity_create(&rig->identity);
    error = error != 0 ? error : ck_clip_create(440, 90, &rig->clip[0]);
    error = error != 0 ? error : ck_clip_create(880, 170, &rig->clip[1]);
    error = error != 0 ? error : spawn(rig, options);
    if (error != 0) {
        return error;
    }
    configure(rig, options);
    const struct ck_worker_message *ready = ck_rig_await(rig, CK_WORKER_READY, 0, 0, 1, 10000);
    if (ready == NULL) {
        return -EPROTO;
    }
    rig->ready = ready->ready;
    return 0;
}

int ck_rig_start(const struct ck_rig_options *options, struct ck_rig **rig)
{
    static const struct ck_rig_options defaults;
    struct ck_rig *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->control = -1;
    int error = set_up(made, options != NULL ? options : &defaults);
    if (error != 0) {
        int status;
        ck_rig_stop(made, &status);
        return error;
    }
    *rig = made;
    return 0;
}

static bool has_exited(pid_t pid, int *status)
{
    return waitpid(pid, status, WNOHANG) == pid;
}

int ck_rig_wait_exit(struct ck_rig *rig, int *status)
{
    if (rig->pid <= 0) {
        return -ECHILD;
    }
    for (int waited = 0; waited < EXIT_WAIT_MS; waited += 10) {
        if (has_exited(rig->pid, status)) {
            rig->pid = 0;
            return 0;
        }
        ck_crowd_until(rig->crowd, NULL, NULL, 10);
    }
    return -ETIMEDOUT;
}

static void free_all(struct ck_rig *rig)
{
    for (size_t i = 0; i < rig->said_count; i++) {
        free(rig->said[i].bytes);
    }
    free(rig->said);
    ck_clip_destroy(rig->clip[0]);
    ck_clip_destroy(rig->clip[1]);
    ck_identity_destroy(rig->identity);
    ck_crowd_destroy(rig->crowd);
    free(rig);
}

int ck_rig_stop(struct ck_rig *rig, int *status)
{
    int error = 0;
    *status = 0;
    for (uint64_t leg = 1; leg <= rig->legs; leg++) {
        ck_tclient_destroy(rig->leg[leg].client);
    }
    ck_rig_end_control(rig);
    if (rig->pid > 0) {
        error = ck_rig_wait_exit(rig, status);
        if (error != 0) {
            kill(rig->pid, SIGKILL);
            waitpid(rig->pid, status, 0);
        }
    }
    free_all(rig);
    return error;
}

void ck_rig_end_control(struct ck_rig *rig)
{
    if (rig->control >= 0) {
        ck_crowd_unwatch(rig->crowd, rig->control);
        close(rig->control);
        rig->control = -1;
    }
}

struct ck_crowd *ck_rig_crowd(struct ck_rig *rig)
{
    return rig->crowd;
}

pid_t ck_rig_pid(const struct ck_rig *rig)
{
    return rig->pid;
}

int ck_rig_control(const struct ck_rig *rig)
{
    return rig->control;
}

void ck_rig_signal(struct ck_rig *rig, int number)
{
    if (rig->pid > 0) {
        kill(rig->pid, number);
    }
}

struct sockaddr_storage ck_rig_media_address(const struct ck_rig *rig, bool v6)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
    if (v6) {
        in6->sin6_family = AF_INET6;
        in6->sin6_addr = in6addr_loopback;
        in6->sin6_port = htons(rig->ready.port_v6);
    } else {
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in->sin_port = htons(rig->ready.port_v4);
    }
    return address;
}

struct sockaddr_storage ck_rig_tcp_address(const struct ck_rig *rig, bool v6)
{
    struct sockaddr_storage address = ck_rig_media_address(rig, v6);
    if (v6) {
        ((struct sockaddr_in6 *)&address)->sin6_port = htons(rig->ready.tcp_port_v6);
    } else {
        ((struct sockaddr_in *)&address)->sin_port = htons(rig->ready.tcp_port_v4);
    }
    return address;
}

void ck_rig_send(struct ck_rig *rig, const struct ck_worker_message *message, int fd)
{
    static uint8_t bytes[CK_WORKER_MESSAGE_MAX];
    union {
        struct cmsghdr header;
        uint8_t room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    const char *field = "";
    size_t size = 0;
    int error = ck_worker_encode(message, bytes, sizeof bytes, &size, &field);
    if (error != 0) {
        give_up("order %s does not encode: %s in %s", ck_worker_kind_name(message->kind),
                ck_error_text(error), field);
    }
    struct iovec part = {bytes, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    if (sendmsg(rig->control, &header, MSG_NOSIGNAL) != (ssize_t)size) {
        fprintf(stderr, "rig: %s was not sent: %s\n", ck_worker_kind_name(message->kind),
                strerror(errno));
    }
}

const struct ck_worker_message *ck_rig_find(const struct ck_rig *rig, uint16_t kind, uint64_t leg,
                                            uint16_t event, size_t nth)
{
    for (size_t i = 0; i < rig->said_count; i++) {
        const struct ck_worker_message *message = &rig->said[i].message;
        if (message->kind != kind || (leg != CK_RIG_ANY && leg_of(message) != leg) ||
            (event != 0 && message->leg_event.event != event)) {
            continue;
        }
        if (--nth == 0) {
            return message;
        }
    }
    return NULL;
}

size_t ck_rig_count(const struct ck_rig *rig, uint16_t kind, uint64_t leg, uint16_t event)
{
    size_t count = 0;
    while (ck_rig_find(rig, kind, leg, event, count + 1) != NULL) {
        count++;
    }
    return count;
}

struct want {
    const struct ck_rig *rig;
    uint16_t kind;
    uint16_t event;
    uint64_t leg;
    size_t nth;
};

static bool is_there(void *arg)
{
    const struct want *want = arg;
    return want->rig->ended ||
           ck_rig_find(want->rig, want->kind, want->leg, want->event, want->nth) != NULL;
}

const struct ck_worker_message *ck_rig_await(struct ck_rig *rig, uint16_t kind, uint64_t leg,
                                             uint16_t event, size_t nth, int timeout_ms)
{
    struct want want = {.rig = rig, .kind = kind, .leg = leg, .event = event, .nth = nth};
    ck_crowd_until(rig->crowd, is_there, &want, timeout_ms);
    return ck_rig_find(rig, kind, leg, event, nth);
}

struct ck_identity *ck_rig_identity(struct ck_rig *rig)
{
    return rig->identity;
}

const struct ck_clip *ck_rig_clip(struct ck_rig *rig, unsigned leg)
{
    return rig->clip[leg % 2];
}

static uint64_t next_leg(struct ck_rig *rig)
{
    if (rig->legs == CK_RIG_LEGS) {
        give_up("more than %d legs", CK_RIG_LEGS);
    }
    return ++rig->legs;
}

static void send_open(struct ck_rig *rig, uint64_t leg, uint64_t call, enum ck_worker_role role,
                      const char *offer)
{
    struct ck_worker_message message = {
        .kind = CK_WORKER_LEG_OPEN,
        .leg_open = {.leg = leg,
                     .call = call,
                     .role = (uint8_t)role,
                     .video_bitrate_max = VIDEO_BITRATE_MAX,
                     .offer = ck_worker_text_of(offer)},
    };
    ck_rig_send(rig, &message, -1);
}

uint64_t ck_rig_open(struct ck_rig *rig, uint64_t call, enum ck_worker_role role,
                     const struct ck_tclient_config *config)
{
    struct ck_tclient_config mine = *config;
    unsigned side = role == CK_WORKER_ROLE_STAFF ? 1 : 0;
    uint64_t number = next_leg(rig);
    mine.crowd = rig->crowd;
    mine.identity = mine.identity != NULL ? mine.identity : rig->identity;
    mine.clip = mine.clip != NULL ? mine.clip : rig->clip[side];
    mine.call = (uint32_t)call;
    mine.leg = (uint8_t)side;
    mine.seed += number;
    int error = ck_tclient_create(&mine, &rig->leg[number].client);
    if (error != 0) {
        give_up("no client: %s", ck_error_text(error));
    }
    send_open(rig, number, call, role, ck_tclient_offer(rig->leg[number].client));
    return number;
}

uint64_t ck_rig_open_foreign(struct ck_rig *rig, uint64_t call, enum ck_worker_role role,
                             const char *offer)
{
    uint64_t number = next_leg(rig);
    send_open(rig, number, call, role, offer);
    return number;
}

struct ck_tclient *ck_rig_client(struct ck_rig *rig, uint64_t leg)
{
    return rig->leg[leg].client;
}

const struct ck_tclient_stats *ck_rig_stats(struct ck_rig *rig, uint64_t leg)
{
    return ck_tclient_stats(rig->leg[leg].client);
}

const char *ck_rig_answer_fault(const struct ck_rig *rig, uint64_t leg)
{
    return rig->leg[leg].fault;
}

void ck_rig_restart(struct ck_rig *rig, uint64_t leg, bool new_port)
{
    int error = ck_tclient_restart(rig->leg[leg].client, new_port);
    if (error != 0) {
        give_up("no ICE restart: %s", ck_error_text(error));
    }
    struct ck_worker_message message = {
        .kind = CK_WORKER_LEG_RESTART,
        .leg_restart = {.leg = leg,
                        .offer = ck_worker_text_of(ck_tclient_offer(rig->leg[leg].client))},
    };
    ck_rig_send(rig, &message, -1);
}

void ck_rig_close(struct ck_rig *rig, uint64_t leg)
{
    struct ck_worker_message message = {.kind = CK_WORKER_LEG_CLOSE, .leg_close = {.leg = leg}};
    ck_rig_send(rig, &message, -1);
}

void ck_rig_relay(struct ck_rig *rig, uint64_t call, bool on)
{
    struct ck_worker_message message = {.kind = CK_WORKER_RELAY, .relay = {.call = call, .on = on}};
    ck_rig_send(rig, &message, -1);
}

void ck_rig_drop_client(struct ck_rig *rig, uint64_t leg)
{
    ck_tclient_destroy(rig->leg[leg].client);
    rig->leg[leg].client = NULL;
}

void ck_rig_call(struct ck_rig *rig, uint64_t call, const struct ck_tclient_config *config,
                 uint64_t legs[2])
{
    static const struct ck_tclient_config defaults;
    config = config != NULL ? config : &defaults;
    legs[0] = ck_rig_open(rig, call, CK_WORKER_ROLE_PERSON, config);
    legs[1] = ck_rig_open(rig, call, CK_WORKER_ROLE_STAFF, config);
    ck_rig_relay(rig, call, true);
}

static bool all_have_media(void *arg)
{
    const struct ck_rig *rig = arg;
    for (uint64_t leg = 1; leg <= rig->legs; leg++) {
        const struct ck_tclient *client = rig->leg[leg].client;
        if (client != NULL &&
            (ck_tclient_stats(client)->dtls_us == 0 || !ck_tclient_stats(client)->account[0].any ||
             !ck_tclient_stats(client)->account[1].any)) {
            return false;
        }
    }
    return true;
}

void ck_rig_describe(const struct ck_rig *rig)
{
    for (uint64_t leg = 1; leg <= rig->legs; leg++) {
        if (rig->leg[leg].client == NULL) {
            continue;
        }
        char faults[512];
        const struct ck_tclient_stats *stats = ck_tclient_stats(rig->leg[leg].client);
        fprintf(stderr,
                "rig: leg %llu: answered %lld, ICE %lld, DTLS %lld us; sent %u and %u, got %llu "
                "and %llu; checks %llu of %llu; %s\n",
                (unsigned long long)leg, (long long)stats->answered_us, (long long)stats->ice_us,
                (long long)stats->dtls_us, stats->sent[0], stats->sent[1],
                (unsigned long long)stats->account[0].packets,
                (unsigned long long)stats->account[1].packets,
                (unsigned long long)stats->checks_answered, (unsigned long long)stats->checks_sent,
                ck_tclient_faults(rig->leg[leg].client, faults));
    }
    for (size_t i = 0; i < rig->said_count; i++) {
        const struct ck_worker_message *message = &rig->said[i].message;
        if (message->kind == CK_WORKER_LEG_EVENT) {
            fprintf(stderr, "rig: leg %llu: %s after %u ms\n",
                    (unsigned long long)message->leg_event.leg,
                    ck_worker_event_name(message->leg_event.event), message->leg_event.elapsed_ms);
        }
    }
}

int ck_rig_await_media(struct ck_rig *rig, int timeout_ms)
{
    int error = ck_crowd_until(rig->crowd, all_have_media, rig, timeout_ms);
    if (error != 0) {
        ck_rig_describe(rig);
    }
    return error;
}

void ck_rig_run(struct ck_rig *rig, int ms)
{
    ck_crowd_until(rig->crowd, NULL, NULL, ms);
}

static uint64_t datagrams(const struct ck_rig *rig)
{
    uint64_t sum = 0;
    for (uint64_t leg = 1; leg <= rig->legs; leg++) {
        const struct ck_tclient *client = rig->leg[leg].client;
        if (client != NULL) {
            const struct ck_tclient_stats *stats = ck_tclient_stats(client);
            sum += stats->account[0].packets + stats->account[1].packets;
        }
    }
    return sum;
}

void ck_rig_settle(struct ck_rig *rig)
{
    for (uint64_t leg = 1; leg <= rig->legs; leg++) {
        if (rig->leg[leg].client != NULL) {
            ck_tclient_send(rig->leg[leg].client, false, false);
        }
    }
    for (int waited = 0; waited < SETTLE_MAX_MS; waited += SETTLE_QUIET_MS) {
        uint64_t before = datagrams(rig);
        ck_rig_run(rig, SETTLE_QUIET_MS);
        if (datagrams(rig) == before) {
            return;
        }
    }
}

uint64_t ck_rig_lost(struct ck_rig *rig, const uint64_t legs[2])
{
    uint64_t lost = 0;
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned kind = 0; kind < 2; kind++) {
            lost += ck_tclient_lost(rig->leg[legs[side]].client, rig->leg[legs[1 - side]].client,
                                    kind, NULL);
        }
    }
    return lost;
}
