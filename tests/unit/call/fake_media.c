/* A media worker for tests: speaks worker.md and carries no media. What it does is said by the
 * offer's first word: "refuse" is refused with a line, "crash" aborts the process, "deaf" is
 * answered and never connects, "silent" connects and sends nothing that could be recorded (the
 * second "first audio" says that the recording was ordered); anything else connects at once. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "protocol/worker.h"

static int control;
static int record_fd = -1;
static uint64_t silent_leg;

static void say(const struct ck_worker_message *message)
{
    uint8_t bytes[CK_WORKER_MESSAGE_MAX];
    size_t size;
    const char *field;
    if (ck_worker_encode(message, bytes, sizeof bytes, &size, &field) != 0 ||
        send(control, bytes, size, MSG_NOSIGNAL) < 0) {
        exit(70);
    }
}

static void say_event(uint64_t leg, uint16_t event, uint32_t detail)
{
    say(&(struct ck_worker_message){.kind = CK_WORKER_LEG_EVENT,
                                    .leg_event = {.leg = leg, .event = event, .detail = detail}});
}

static void open_leg(const struct ck_worker_leg_open *open)
{
    if (open->offer.size >= 5 && memcmp(open->offer.data, "crash", 5) == 0) {
        abort();
    }
    if (open->offer.size >= 6 && memcmp(open->offer.data, "refuse", 6) == 0) {
        say(&(struct ck_worker_message){
            .kind = CK_WORKER_LEG_REFUSED,
            .leg_refused = {.leg = open->leg,
                            .code = CK_WORKER_REFUSED_SYNTAX,
                            .line = 3,
                            .message = ck_worker_text_of("no such thing")}});
        return;
    }
    say(&(struct ck_worker_message){
        .kind = CK_WORKER_LEG_ANSWER,
        .leg_answer = {.leg = open->leg, .answer = ck_worker_text_of("v=0 answer")}});
    if (open->offer.size >= 4 && memcmp(open->offer.data, "deaf", 4) == 0) {
        return;
    }
    if (open->offer.size >= 6 && memcmp(open->offer.data, "silent", 6) == 0) {
        silent_leg = open->leg;
    }
    say_event(open->leg, CK_WORKER_EVENT_ICE_CONNECTED, 0);
    say_event(open->leg, CK_WORKER_EVENT_DTLS_CONNECTED, 7);
    say_event(open->leg, CK_WORKER_EVENT_FIRST_AUDIO, 0);
    say_event(open->leg, CK_WORKER_EVENT_FIRST_KEY_FRAME, 640 << 16 | 480);
}

static struct {
    uint64_t leg, recording;
} records[16];

static void record_close(uint64_t leg)
{
    for (size_t i = 0; i < 16; i++) {
        if (records[i].leg == leg && leg == silent_leg && leg != 0) {
            say(&(struct ck_worker_message){.kind = CK_WORKER_RECORD_FAILED,
                                            .record_failed = {.leg = leg,
                                                              .recording = records[i].recording,
                                                              .error = ENODATA}});
            records[i].leg = 0;
            return;
        }
        if (records[i].leg == leg && leg != 0) {
            say(&(struct ck_worker_message){.kind = CK_WORKER_RECORD_CLOSED,
                                            .record_closed = {.leg = leg,
                                                              .recording = records[i].recording,
                                                              .chunks = 2,
                                                              .bytes = 10,
                                                              .duration_ms = 0}});
            records[i].leg = 0;
            return;
        }
    }
}

static void record_start(const struct ck_worker_record_start *start)
{
    for (size_t i = 0; i < 16; i++) {
        if (records[i].leg == 0) {
            records[i].leg = start->leg;
            records[i].recording = start->recording;
            break;
        }
    }
    if (write(record_fd, "sealed", 6) != 6) {
        exit(70);
    }
    close(record_fd);
    record_fd = -1;
    if (start->leg == silent_leg) {
        say_event(start->leg, CK_WORKER_EVENT_FIRST_AUDIO, 0);
        return;
    }
    say(&(struct ck_worker_message){
        .kind = CK_WORKER_RECORD_STARTED,
        .record_started = {.leg = start->leg, .recording = start->recording, .wall_ms = 1000}});
}

static void beat(void)
{
    say(&(struct ck_worker_message){.kind = CK_WORKER_HEARTBEAT, .heartbeat = {.legs_free = 100}});
}

static void take(const struct ck_worker_message *message)
{
    switch (message->kind) {
    case CK_WORKER_CONFIG:
        say(&(struct ck_worker_message){.kind = CK_WORKER_READY,
                                        .ready = {.version = CK_WORKER_VERSION,
                                                  .legs_max = 100,
                                                  .handshakes_max = 100,
                                                  .library = ck_worker_text_of("fake")}});
        break;
    case CK_WORKER_LEG_OPEN:
        open_leg(&message->leg_open);
        break;
    case CK_WORKER_LEG_RESTART:
        if (message->leg_restart.offer.size == 4 &&
            memcmp(message->leg_restart.offer.data, "gone", 4) == 0) {
            say_event(message->leg_restart.leg, CK_WORKER_EVENT_CLOSED_BY_PEER, 0);
            record_close(message->leg_restart.leg);
            say_event(message->leg_restart.leg, CK_WORKER_EVENT_CLOSED, 0);
            break;
        }
        say(&(struct ck_worker_message){
            .kind = CK_WORKER_LEG_ANSWER,
            .leg_answer = {.leg = message->leg_restart.leg,
                           .answer = ck_worker_text_of("v=0 restarted")}});
        break;
    case CK_WORKER_LEG_CLOSE:
        record_close(message->leg_close.leg);
        say_event(message->leg_close.leg, CK_WORKER_EVENT_CLOSED, 0);
        break;
    case CK_WORKER_RECORD_START:
        record_start(&message->record_start);
        break;
    case CK_WORKER_RECORD_STOP:
        record_close(message->record_stop.leg);
        break;
    default:
        break;
    }
}

/* One message; false at the end of the socket. */
static int receive(void)
{
    static uint8_t bytes[CK_WORKER_MESSAGE_MAX];
    char room[CMSG_SPACE(sizeof(int) * 4)];
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t size = recvmsg(control, &header, MSG_CMSG_CLOEXEC);
    if (size <= 0) {
        return 0;
    }
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&header); head != NULL;
         head = CMSG_NXTHDR(&header, head)) {
        memcpy(&record_fd, CMSG_DATA(head), sizeof record_fd);
    }
    struct ck_worker_message message;
    const char *field;
    if (ck_worker_decode(bytes, (size_t)size, &message, &field) != 0) {
        fprintf(stderr, "fake_media: %s\n", field);
        exit(65);
    }
    take(&message);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 2 || sscanf(argv[1], "--control-fd=%d", &control) != 1) {
        return 64;
    }
    for (;;) {
        struct pollfd wait = {.fd = control, .events = POLLIN};
        int ready = poll(&wait, 1, 1000);
        if (ready < 0 && errno != EINTR) {
            return 70;
        }
        if (ready == 0) {
            beat();
        } else if (ready > 0 && !receive()) {
            for (size_t i = 0; i < 16; i++) {
                record_close(records[i].leg);
            }
            return 0;
        }
    }
}
