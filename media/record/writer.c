#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "media/record/recorder_impl.h"
#include "protocol/base/cleanup.h"

#define US_PER_MS 1000
#define RECORDS_PER_TURN                                                                           \
    4096 /* between two looks at ticks and events while the ring does not empty */

void ck_recording_free(struct ck_recording *recording)
{
    ck_chunker_destroy(recording->writer.chunker);
    ck_frames_destroy(recording->writer.frames);
    ck_closep(&recording->start.fd);
    ck_wipe(recording, sizeof *recording);
    free(recording);
}

/* What began before the file did, a camera that was off already, begins with it there. */
static int64_t ms_of(const struct ck_recording *recording, struct ck_mono at)
{
    int64_t us = at.us - recording->start.start_mono.us;
    return us < 0 ? 0 : us / US_PER_MS;
}

static void on_frame(void *user, const struct ck_frame *frame)
{
    struct ck_recording *recording = user;
    ck_chunker_frame(recording->writer.chunker, frame);
}

static void on_mark(void *user, const struct ck_seal_mark *mark)
{
    struct ck_recording *recording = user;
    ck_chunker_mark(recording->writer.chunker, mark);
}

static void on_want_key_frame(void *user)
{
    struct ck_recording *recording = user;
    recording->writer.tell_key = true;
}

/* The file has its last byte; what else comes for it is dropped. */
static void end(struct ck_recording *recording)
{
    recording->writer.ended = true;
    recording->writer.tell_closed = true;
    recording->writer.tell_head = false;
    recording->writer.tell_key = false;
    ck_closep(&recording->start.fd);
    recording->start.fd = -1;
}

static void open_recording(struct ck_recorder *recorder, struct ck_recording *recording)
{
    struct ck_frames_sink sink = {on_frame, on_mark, on_want_key_frame, recording};
    recording->writer.next = recorder->writer.recordings;
    recorder->writer.recordings = recording;
    int r = ck_chunker_create(&recording->writer.chunker, &recording->start, &recorder->writer.io,
                              &recorder->writer.room);
    ck_wipe(recording->start.key, sizeof recording->start.key);
    if (r == 0) {
        r = ck_frames_create(&recording->writer.frames, recording->start.start_mono,
                             recording->start.late_us, &sink);
    }
    if (r != 0) {
        end(recording);
        return;
    }
    ck_chunker_begin(recording->writer.chunker);
}

static void mark_gap(struct ck_recording *recording, const struct record *record, uint8_t kind,
                     uint8_t source, uint16_t code)
{
    struct ck_seal_mark mark = {
        .kind = kind,
        .source = source,
        .code = code,
        .from_ms = ms_of(recording, record->at),
        .until_ms = ms_of(recording, record->until),
        .gap = {.packets = record->value > UINT32_MAX ? UINT32_MAX : (uint32_t)record->value},
    };
    ck_chunker_mark(recording->writer.chunker, &mark);
}

static void take_packet(struct ck_recording *recording, const struct record *record)
{
    struct ck_recording_packet packet = {
        .source = (enum ck_recording_source)record->source,
        .marker = record->marker != 0,
        .again = record->again != 0,
        .sequence = record->sequence,
        .timestamp = record->timestamp,
        .ssrc = record->ssrc,
        .arrival = record->at,
        .payload = (const uint8_t *)(record + 1),
        .size = record->size,
    };
    int r = ck_frames_packet(recording->writer.frames, &packet);
    if (r != 0) {
        ck_chunker_fail(recording->writer.chunker, -r);
    }
}

static void take_record(struct ck_recording *recording, const struct record *record)
{
    struct ck_chunker *chunker = recording->writer.chunker;
    switch ((enum record_kind)record->kind) {
    case RECORD_PACKET:
        take_packet(recording, record);
        break;
    case RECORD_REPORT:
        ck_frames_report(recording->writer.frames, (enum ck_seal_source_kind)record->source,
                         record->ssrc, record->timestamp, record->value, record->at);
        break;
    case RECORD_GAP:
        mark_gap(recording, record, CK_SEAL_MARK_GAP, record->source, record->code);
        break;
    case RECORD_OVERFLOW:
        mark_gap(recording, record, CK_SEAL_MARK_GAP, CK_SEAL_BOTH, CK_SEAL_GAP_OVERFLOW);
        recording->writer.tell_lost += record->value;
        recording->writer.tell_key = true;
        ck_frames_interrupt(recording->writer.frames);
        break;
    case RECORD_PAUSE:
        ck_chunker_flush(chunker, record->at);
        recording->writer.tell_head = true;
        break;
    case RECORD_RESUME:
        mark_gap(recording, record, CK_SEAL_MARK_PAUSE, CK_SEAL_BOTH, record->code);
        recording->writer.tell_key = true;
        ck_frames_interrupt(recording->writer.frames);
        break;
    case RECORD_CLOSE:
        ck_chunker_finish(chunker, record->at);
        end(recording);
        break;
    case RECORD_OPEN:
    case RECORD_FREE:
        break;
    }
    if (!recording->writer.ended && ck_chunker_error(chunker) != 0) {
        end(recording);
    }
}

static void forget(struct ck_recorder *recorder, struct ck_recording *recording)
{
    struct ck_recording **at = &recorder->writer.recordings;
    while (*at != recording) {
        at = &(*at)->writer.next;
    }
    *at = recording->writer.next;
    ck_recording_free(recording);
}

/* Takes what is in the ring. True where there may be more; *now is then the time of what was taken.
 */
static bool take_records(struct ck_recorder *recorder, struct ck_mono *now)
{
    for (unsigned i = 0; i < RECORDS_PER_TURN; i++) {
        size_t size;
        const struct record *record = ck_ring_peek(recorder->ring, &size);
        if (record == NULL) {
            return false;
        }
        if (record->kind == RECORD_PACKET) {
            *now = record->at;
        }
        if (record->kind == RECORD_OPEN) {
            open_recording(recorder, record->recording);
        } else if (record->kind == RECORD_FREE) {
            forget(recorder, record->recording);
        } else if (!record->recording->writer.ended) {
            take_record(record->recording, record);
        }
        ck_ring_drop(recorder->ring);
    }
    return true;
}

static bool tell(struct ck_recorder *recorder, const struct ck_recording_event *event)
{
    uint32_t written = atomic_load_explicit(&recorder->events_written, memory_order_relaxed);
    uint32_t read_at = atomic_load_explicit(&recorder->events_read, memory_order_acquire);
    if (written - read_at == recorder->event_count) {
        return false;
    }
    recorder->events[written & (recorder->event_count - 1)] = *event;
    atomic_store_explicit(&recorder->events_written, written + 1, memory_order_release);
    return true;
}

static struct ck_recording_event event_of(struct ck_recording *recording,
                                          enum ck_recording_event_kind kind)
{
    struct ck_recording_event event = {
        .kind = kind,
        .recording = recording,
        .id = recording->start.id,
        .user = recording->start.user,
    };
    const struct ck_chunker *chunker = recording->writer.chunker;
    if (chunker != NULL) {
        event.head = ck_chunker_head(chunker);
        event.sealed_until = ck_chunker_sealed_until(chunker);
        event.duration_ms = ck_chunker_duration_ms(chunker);
        event.error = ck_chunker_error(chunker);
        ck_chunker_gaps(chunker, &event.gaps, &event.gap_ms);
    }
    if (kind == CK_RECORDING_CLOSED && event.error == 0 && recording->writer.frames == NULL) {
        event.error = ENOMEM;
    }
    return event;
}

/* Gives the loop what it is to know of one recording; what finds no room is tried again next turn.
 */
static bool tell_all(struct ck_recorder *recorder, struct ck_recording *recording)
{
    bool told = false;
    struct ck_recording_event event;
    if (recording->writer.tell_lost > 0) {
        event = event_of(recording, CK_RECORDING_OVERFLOW);
        event.lost = recording->writer.tell_lost;
        if (tell(recorder, &event)) {
            recording->writer.tell_lost = 0;
            told = true;
        }
    }
    if (recording->writer.tell_key) {
        event = event_of(recording, CK_RECORDING_WANT_KEY_FRAME);
        recording->writer.tell_key = !tell(recorder, &event);
        told |= !recording->writer.tell_key;
    }
    if (recording->writer.tell_head) {
        event = event_of(recording, CK_RECORDING_HEAD);
        recording->writer.tell_head = !tell(recorder, &event);
        told |= !recording->writer.tell_head;
    }
    if (recording->writer.tell_closed && recording->writer.tell_lost == 0) {
        event = event_of(recording, CK_RECORDING_CLOSED);
        recording->writer.tell_closed = !tell(recorder, &event);
        told |= !recording->writer.tell_closed;
    }
    return told;
}

static void tick_all(struct ck_recorder *recorder, struct ck_mono now)
{
    bool told = false;
    for (struct ck_recording *r = recorder->writer.recordings; r != NULL; r = r->writer.next) {
        if (!r->writer.ended) {
            ck_chunker_tick(r->writer.chunker, now);
            if (ck_chunker_error(r->writer.chunker) != 0) {
                end(r);
            }
        }
        told |= tell_all(recorder, r);
    }
    if (told) {
        uint64_t one = 1;
        ssize_t wrote = write(recorder->event_fd, &one, sizeof one);
        (void)wrote; /* full is readable as well */
    }
}

/* Syncs the file that waits the longest, one a turn: between two syncs the ring is emptied, so that
 * on a slow disk the interval grows and not the ring. True where there may be another. */
static bool sync_one(struct ck_recorder *recorder, struct ck_mono now)
{
    struct ck_recording *worst = NULL;
    int64_t worst_us = -1;
    for (struct ck_recording *r = recorder->writer.recordings; r != NULL; r = r->writer.next) {
        int64_t us = r->writer.ended ? -1 : ck_chunker_overdue_us(r->writer.chunker, now);
        if (us > worst_us) {
            worst = r;
            worst_us = us;
        }
    }
    if (worst != NULL) {
        worst->writer.tell_head |= ck_chunker_sync(worst->writer.chunker, now);
    }
    return worst != NULL;
}

static void finish_all(struct ck_recorder *recorder, struct ck_mono now)
{
    for (struct ck_recording *r = recorder->writer.recordings; r != NULL; r = r->writer.next) {
        if (!r->writer.ended) {
            ck_chunker_finish(r->writer.chunker, now);
            end(r);
        }
    }
}

static void wait_for_wake(struct ck_recorder *recorder)
{
    uint64_t count;
    while (read(recorder->wake_fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

/* Packets go first where both want the processor: what is written can wait in the ring. Beside a
 * thread of the usual weight this one still has a tenth of it, where 400 persons take a sixth.
 * Where a filter of the machine refuses it the two share as before. */
static void give_way(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), CK_RECORDER_NICE);
}

void *ck_recorder_run(void *user)
{
    struct ck_recorder *recorder = user;
    give_way();
    sem_post(&recorder->started);
    for (;;) {
        bool stopping = atomic_load(&recorder->stopping);
        struct ck_mono now = {atomic_load_explicit(&recorder->now_us, memory_order_acquire)};
        bool more = take_records(recorder, &now);
        more |= sync_one(recorder, now);
        tick_all(recorder, now);
        if (more) {
            continue;
        }
        if (stopping) {
            finish_all(recorder, now);
            return NULL;
        }
        wait_for_wake(recorder);
    }
}
