#include "media/record/recorder.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "media/record/recorder_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define RECORDINGS_MAX 65536u
#define CONTROLS_PER_RECORDING 8u /* control records that find room although the ring is full */
#define EVENTS_PER_RECORDING 4u
#define EVENTS_MIN 64u
#define RING_UNIT 4096u

static ssize_t system_write(void *user, int fd, const void *bytes, size_t size)
{
    (void)user;
    return write(fd, bytes, size);
}

static int system_sync(void *user, int fd)
{
    (void)user;
    /* A pipe or a socket has nothing to sync. */
    return fdatasync(fd) == 0 || errno == EINVAL ? 0 : -1;
}

static const struct ck_recorder_io system_io = {system_write, system_sync, NULL};

static void free_recorder(struct ck_recorder *recorder)
{
    while (recorder->loop.recordings != NULL) {
        struct ck_recording *recording = recorder->loop.recordings;
        recorder->loop.recordings = recording->loop.next;
        ck_recording_free(recording);
    }
    ck_ring_destroy(recorder->ring);
    if (recorder->writer.room.bytes != NULL) {
        ck_wipe(recorder->writer.room.bytes, recorder->writer.room.size);
    }
    free(recorder->writer.room.bytes);
    free(recorder->events);
    sem_destroy(&recorder->started);
    ck_closep(&recorder->wake_fd);
    ck_closep(&recorder->event_fd);
    free(recorder);
}

static void free_recorderp(struct ck_recorder **recorder)
{
    if (*recorder != NULL) {
        free_recorder(*recorder);
    }
}

/* Signals are the packet loop's business alone. */
static int start_thread(struct ck_recorder *recorder)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    int r = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (r == 0) {
        r = pthread_create(&recorder->thread, NULL, ck_recorder_run, recorder);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    while (r == 0 && sem_wait(&recorder->started) != 0) {
    }
    return -r;
}

int ck_recorder_create(struct ck_recorder **recorder, const struct ck_recorder_config *config)
{
    size_t ring_size = config->ring_size == 0 ? CK_RECORDER_RING_SIZE : config->ring_size;
    if (config->recordings_max == 0 || config->recordings_max > RECORDINGS_MAX ||
        ring_size < CK_RECORDER_RING_MIN) {
        return -EINVAL;
    }
    ck_cleanup(free_recorderp) struct ck_recorder *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    sem_init(&made->started, 0, 0);
    made->wake_fd = eventfd(0, EFD_CLOEXEC);
    made->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->wake_fd < 0 || made->event_fd < 0) {
        return -errno;
    }
    ring_size = ring_size / RING_UNIT * RING_UNIT;
    int r = ck_ring_create(&made->ring, ring_size);
    if (r != 0) {
        return r;
    }
    made->event_count = EVENTS_MIN;
    while (made->event_count < config->recordings_max * EVENTS_PER_RECORDING) {
        made->event_count *= 2;
    }
    made->events = calloc(made->event_count, sizeof *made->events);
    if (made->events == NULL) {
        return -ENOMEM;
    }
    made->loop.max = config->recordings_max;
    made->reserve =
        (size_t)config->recordings_max * CONTROLS_PER_RECORDING * 2 * sizeof(struct record);
    made->reserve = made->reserve < ring_size / 4 ? made->reserve : ring_size / 4;
    made->writer.io = config->io == NULL ? system_io : *config->io;
    r = start_thread(made);
    if (r != 0) {
        return r;
    }
    *recorder = ck_take(made);
    return 0;
}

static void wake(struct ck_recorder *recorder)
{
    uint64_t one = 1;
    /* Fails only where the count is at its top already: then the writer is awake. */
    ssize_t wrote = write(recorder->wake_fd, &one, sizeof one);
    (void)wrote;
}

void ck_recorder_destroy(struct ck_recorder *recorder)
{
    if (recorder == NULL) {
        return;
    }
    atomic_store(&recorder->stopping, true);
    wake(recorder);
    pthread_join(recorder->thread, NULL);
    free_recorder(recorder);
}

int ck_recorder_event_fd(const struct ck_recorder *recorder)
{
    return recorder->event_fd;
}

size_t ck_recorder_ring_used(const struct ck_recorder *recorder)
{
    return ck_ring_used(recorder->ring);
}

static bool push(struct ck_recorder *recorder, const struct record *record, const uint8_t *payload,
                 size_t reserve)
{
    struct record *room = ck_ring_room(recorder->ring, sizeof *record + record->size, reserve);
    if (room == NULL) {
        return false;
    }
    assert(record->size == 0 || payload != NULL);
    *room = *record;
    if (record->size > 0) {
        memcpy(room + 1, payload, record->size);
    }
    ck_ring_push(recorder->ring);
    return true;
}

/* A control record must arrive: where there is no room now, it waits for a tick, and what was given
 * before goes first. */
static void control(struct ck_recording *recording, enum record_kind kind, struct record record)
{
    record.kind = (uint8_t)kind;
    record.recording = recording;
    if (recording->loop.deferred != 0 || !push(recording->recorder, &record, NULL, 0)) {
        recording->loop.deferred |= 1u << kind;
        recording->loop.controls[kind] = record;
        return;
    }
    wake(recording->recorder);
}

static void retry_controls(struct ck_recording *recording)
{
    for (unsigned kind = RECORD_OPEN; kind <= RECORD_FREE; kind++) {
        if ((recording->loop.deferred & 1u << kind) == 0) {
            continue;
        }
        if (!push(recording->recorder, &recording->loop.controls[kind], NULL, 0)) {
            return;
        }
        recording->loop.deferred &= ~(1u << kind);
    }
}

/* Takes the recordings out of the list whose last record is on its way: the writer frees them. True
 * where there was one. */
static bool forget_freed(struct ck_recorder *recorder)
{
    bool any = false;
    struct ck_recording **at = &recorder->loop.recordings;
    while (*at != NULL) {
        struct ck_recording *recording = *at;
        if (recording->loop.closed && recording->loop.deferred == 0) {
            struct record record = {.kind = RECORD_FREE, .recording = recording};
            struct ck_recording *next = recording->loop.next;
            if (push(recorder, &record, NULL, 0)) {
                *at = next;
                any = true;
                continue;
            }
        }
        at = &recording->loop.next;
    }
    return any;
}

void ck_recorder_tick(struct ck_recorder *recorder, struct ck_mono now)
{
    atomic_store_explicit(&recorder->now_us, now.us, memory_order_release);
    for (struct ck_recording *r = recorder->loop.recordings; r != NULL; r = r->loop.next) {
        if (r->loop.deferred != 0) {
            retry_controls(r);
        }
    }
    if (forget_freed(recorder) || recorder->loop.recordings != NULL) {
        wake(recorder); /* with nothing to record, the writer sleeps */
    }
}

size_t ck_recorder_poll(struct ck_recorder *recorder, struct ck_recording_event *events,
                        size_t capacity)
{
    uint64_t count;
    ssize_t got = read(recorder->event_fd, &count, sizeof count);
    (void)got; /* nothing to read is as good */
    uint32_t read_at = atomic_load_explicit(&recorder->events_read, memory_order_relaxed);
    uint32_t written = atomic_load_explicit(&recorder->events_written, memory_order_acquire);
    size_t taken = 0;
    while (taken < capacity && read_at != written) {
        struct ck_recording_event *event =
            &recorder->events[read_at++ & (recorder->event_count - 1)];
        events[taken++] = *event;
        if (event->kind == CK_RECORDING_CLOSED) {
            struct ck_recording *recording = event->recording;
            recording->loop.closed = true;
            recorder->loop.count--;
        }
    }
    atomic_store_explicit(&recorder->events_read, read_at, memory_order_release);
    if (forget_freed(recorder)) {
        wake(recorder);
    }
    if (read_at != written) {
        uint64_t one = 1;
        got = write(recorder->event_fd, &one, sizeof one);
        (void)got;
    }
    return taken;
}

int ck_recording_open(struct ck_recorder *recorder, const struct ck_recording_start *start,
                      struct ck_recording **recording)
{
    if (start->id == 0 || start->fd < 0 || start->context_size > CK_SEAL_CONTEXT_MAX) {
        return CK_E_INVALID;
    }
    if (recorder->loop.count >= recorder->loop.max) {
        return CK_E_LIMIT;
    }
    struct ck_recording *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->recorder = recorder;
    made->start = *start;
    if (start->context_size > 0) {
        memcpy(made->context, start->context, start->context_size);
    }
    made->start.context = made->context;
    struct record record = {.kind = RECORD_OPEN, .recording = made, .at = start->start_mono};
    if (!push(recorder, &record, NULL, 0)) {
        ck_wipe(made, sizeof *made);
        free(made);
        return CK_E_BUSY;
    }
    made->loop.next = recorder->loop.recordings;
    recorder->loop.recordings = made;
    recorder->loop.count++;
    wake(recorder);
    *recording = made;
    return 0;
}

/* Tells the writer what did not fit, once there are `reserve` bytes left behind that. */
static bool settle_lost(struct ck_recording *recording, size_t reserve)
{
    struct record record = {
        .kind = RECORD_OVERFLOW,
        .recording = recording,
        .at = recording->loop.lost_from,
        .until = recording->loop.lost_until,
        .value = recording->loop.lost,
    };
    if (recording->loop.lost > 0) {
        if (!push(recording->recorder, &record, NULL, reserve)) {
            return false;
        }
        recording->loop.lost = 0;
    }
    return true;
}

static void lose(struct ck_recording *recording, struct ck_mono at)
{
    if (recording->loop.lost++ == 0) {
        recording->loop.lost_from = at;
    }
    recording->loop.lost_until = at;
}

void ck_recording_packet(struct ck_recording *recording, const struct ck_recording_packet *packet)
{
    if (recording->loop.paused || recording->loop.closing) {
        return;
    }
    struct record record = {
        .kind = RECORD_PACKET,
        .source = (uint8_t)packet->source,
        .marker = packet->marker,
        .again = packet->again,
        .sequence = packet->sequence,
        .timestamp = packet->timestamp,
        .ssrc = packet->ssrc,
        .size = (uint32_t)packet->size,
        .recording = recording,
        .at = packet->arrival,
    };
    /* A gap ends only with room for more behind it: else every second packet would be one of its
     * own. */
    size_t reserve = recording->recorder->reserve;
    if (packet->size > CK_RECORDER_PACKET_MAX ||
        !settle_lost(recording, reserve + CK_RING_RECORD_MAX) ||
        !push(recording->recorder, &record, packet->payload, reserve)) {
        lose(recording, packet->arrival);
    }
}

void ck_recording_report(struct ck_recording *recording, enum ck_recording_source source,
                         uint32_t ssrc, uint32_t rtp, uint64_t ntp, struct ck_mono arrival)
{
    struct record record = {
        .kind = RECORD_REPORT,
        .source = (uint8_t)source,
        .timestamp = rtp,
        .ssrc = ssrc,
        .recording = recording,
        .at = arrival,
        .value = ntp,
    };
    if (!recording->loop.paused && !recording->loop.closing) {
        /* One that finds no room is no loss: the next says the same. */
        push(recording->recorder, &record, NULL, recording->recorder->reserve);
    }
}

void ck_recording_gap(struct ck_recording *recording, enum ck_recording_source source,
                      uint16_t reason, struct ck_mono from, struct ck_mono until)
{
    struct record record = {
        .kind = RECORD_GAP,
        .source = (uint8_t)source,
        .code = reason,
        .recording = recording,
        .at = from,
        .until = until,
    };
    /* Where the ring is full, the overflow's own mark tells of a gap. */
    if (!recording->loop.paused && !recording->loop.closing) {
        push(recording->recorder, &record, NULL, recording->recorder->reserve);
    }
}

void ck_recording_pause(struct ck_recording *recording, uint16_t reason, struct ck_mono at)
{
    if (recording->loop.paused || recording->loop.closing) {
        return;
    }
    settle_lost(recording, 0);
    recording->loop.paused = true;
    recording->loop.pause_reason = reason;
    recording->loop.paused_at = at;
    control(recording, RECORD_PAUSE, (struct record){.at = at});
}

static void end_pause(struct ck_recording *recording, struct ck_mono at)
{
    if (!recording->loop.paused) {
        return;
    }
    recording->loop.paused = false;
    control(recording, RECORD_RESUME,
            (struct record){.code = recording->loop.pause_reason,
                            .at = recording->loop.paused_at,
                            .until = at});
}

void ck_recording_resume(struct ck_recording *recording, struct ck_mono at)
{
    if (!recording->loop.closing) {
        end_pause(recording, at);
    }
}

void ck_recording_close(struct ck_recording *recording, struct ck_mono at)
{
    if (recording->loop.closing) {
        return;
    }
    settle_lost(recording, 0);
    end_pause(recording, at);
    recording->loop.closing = true;
    control(recording, RECORD_CLOSE, (struct record){.at = at});
}
