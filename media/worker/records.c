/* Recordings: orders of checkind, the packets of a leg put in order, what the recorder reports. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "media/worker/clock.h"
#include "media/worker/worker_impl.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"

#define EVENTS_PER_POLL 16

void record_fail(struct worker *worker, uint64_t leg, uint64_t recording, int error)
{
    struct ck_worker_message message = {
        .kind = CK_WORKER_RECORD_FAILED,
        .record_failed = {.leg = leg, .recording = recording, .error = (uint32_t)error},
    };
    worker_send(worker, &message, false);
}

/* --- packets in order
 * ------------------------------------------------------------------------------- */

static void give(void *user, const struct ck_packet *packet)
{
    struct track *track = user;
    const struct record *record = &track->leg->record;
    if (record->state != RECORD_OPEN) {
        return;
    }
    struct ck_recording_packet out = {
        .source = track->kind == AUDIO ? CK_RECORDING_AUDIO : CK_RECORDING_VIDEO,
        .marker = packet->rtp.marker,
        .again = packet->again,
        .sequence = packet->rtp.sequence,
        .timestamp = packet->rtp.timestamp,
        .ssrc = packet->rtp.ssrc,
        .arrival = packet->arrival,
        .payload = packet->data + packet->rtp.header_size,
        .size = packet->rtp.payload_size,
    };
    ck_recording_packet(record->recording, &out);
}

static void flush(struct leg *leg)
{
    for (int kind = 0; kind < KINDS; kind++) {
        if (leg->tracks[kind].reorder.pool != NULL) {
            ck_reorder_flush(&leg->tracks[kind].reorder);
        }
    }
}

/* --- orders
 * ----------------------------------------------------------------------------------------- */

void record_start(struct leg *leg, const struct ck_worker_record_start *order, int fd)
{
    struct worker *worker = leg->worker;
    struct record *record = &leg->record;
    int error = 0;
    if (record->state != RECORD_NONE) {
        error = EBUSY;
    } else if (leg->state == LEG_ENDING) {
        error = ESRCH;
    } else if (worker->record_count >= worker->config.recordings_max) {
        error = EUSERS;
    }
    if (error != 0) {
        close(fd);
        record_fail(worker, leg->id, order->recording, error);
        return;
    }
    *record = (struct record){
        .state = RECORD_ARMED,
        .id = order->recording,
        .fd = fd,
        .context_size = order->context.size,
    };
    memcpy(record->key, order->key, sizeof record->key);
    if (order->context.size > 0) {
        memcpy(record->context, order->context.data, order->context.size);
    }
    worker->record_count++;
    for (int kind = 0; kind < KINDS; kind++) {
        ck_reorder_init(&leg->tracks[kind].reorder, worker->pool, give, &leg->tracks[kind]);
    }
    ck_key_frames_want(&leg->keys, true);
    leg_soon(leg, 0);
}

void record_pause(struct leg *leg, uint16_t reason)
{
    struct record *record = &leg->record;
    record->paused = true;
    record->pause_reason = reason;
    if (record->state == RECORD_OPEN) {
        flush(leg);
        ck_recording_pause(record->recording, reason, leg->worker->now);
    }
}

void record_resume(struct leg *leg)
{
    struct record *record = &leg->record;
    if (record->paused && record->state == RECORD_OPEN) {
        flush(leg); /* of the pause, and not to be written */
        ck_recording_resume(record->recording, leg->worker->now);
        ck_key_frames_want(&leg->keys, true);
        leg_soon(leg, 0);
    }
    record->paused = false;
}

bool record_stop(struct leg *leg)
{
    struct record *record = &leg->record;
    switch (record->state) {
    case RECORD_NONE:
        return false;
    case RECORD_ARMED: /* no media ever came */
        close(record->fd);
        record_fail(leg->worker, leg->id, record->id, ENODATA);
        ck_wipe(record, sizeof *record);
        leg->worker->record_count--;
        return false;
    case RECORD_OPEN:
        flush(leg);
        ck_recording_close(record->recording, leg->worker->now);
        record->recording = NULL;
        record->state = RECORD_CLOSING;
        return true;
    case RECORD_CLOSING:
        return true;
    }
    return false;
}

/* --- media
 * ------------------------------------------------------------------------------------------ */

bool record_wants(const struct leg *leg)
{
    return (leg->record.state == RECORD_ARMED || leg->record.state == RECORD_OPEN) &&
           !leg->record.paused;
}

/* The browser's clocks, as far as it has told. */
static void report_clocks(struct leg *leg)
{
    for (int kind = 0; kind < KINDS; kind++) {
        const struct track *track = &leg->tracks[kind];
        const struct ck_source *source =
            track->source < 0 ? NULL : &leg->sources[track->source].rtp;
        if (source != NULL && source->has_report) {
            struct ck_rtcp_sender report = {.ssrc = source->ssrc,
                                            .ntp = source->report_ntp,
                                            .timestamp = source->report_timestamp};
            record_report(leg, (enum kind)kind, &report);
        }
    }
}

/* The first media after the order: time zero. */
static void open_recording(struct leg *leg, enum kind kind)
{
    struct worker *worker = leg->worker;
    struct record *record = &leg->record;
    struct ck_recording_start start = {
        .fd = record->fd,
        .id = record->id,
        .context = record->context,
        .context_size = record->context_size,
        .start_mono = worker->now,
        .start_wall = {worker->wall_us / 1000},
        .late_us = ck_transit_late_us(&leg->tracks[kind].transit),
        .user = leg,
    };
    memcpy(start.key, record->key, sizeof start.key);
    ck_random(start.salt, sizeof start.salt);
    int error = ck_recording_open(worker->recorder, &start, &record->recording);
    ck_wipe(&start, sizeof start);
    ck_wipe(record->key, sizeof record->key);
    if (error != CK_OK) {
        close(record->fd);
        record_fail(worker, leg->id, record->id,
                    error < 0            ? -error
                    : error == CK_E_BUSY ? ENOBUFS
                                         : EINVAL);
        *record = (struct record){.fd = -1};
        worker->record_count--;
        return;
    }
    record->fd = -1;
    record->state = RECORD_OPEN;
    record->head_told = worker->now;
    report_clocks(leg);
    struct ck_worker_message message = {
        .kind = CK_WORKER_RECORD_STARTED,
        .record_started = {.leg = leg->id,
                           .recording = record->id,
                           .wall_ms = (uint64_t)(worker->wall_us / 1000)},
    };
    worker_send(worker, &message, false);
}

void record_packet(struct leg *leg, enum kind kind, uint64_t sequence, struct ck_packet *packet)
{
    struct record *record = &leg->record;
    struct ck_reorder *reorder = &leg->tracks[kind].reorder;
    if (packet->again && !reorder->started) {
        return; /* said before: a file holds what is said from its begin on */
    }
    if (record->state == RECORD_ARMED && !record->paused) {
        open_recording(leg, kind);
    }
    if (record->state == RECORD_OPEN) {
        ck_reorder_put(reorder, sequence, packet);
    }
}

void record_source_changed(struct leg *leg, enum kind kind)
{
    if (leg->record.state == RECORD_OPEN) {
        ck_reorder_flush(&leg->tracks[kind].reorder);
    }
}

void record_report(struct leg *leg, enum kind kind, const struct ck_rtcp_sender *report)
{
    if (leg->record.state == RECORD_OPEN) {
        ck_recording_report(leg->record.recording,
                            kind == AUDIO ? CK_RECORDING_AUDIO : CK_RECORDING_VIDEO, report->ssrc,
                            report->timestamp, report->ntp, leg->worker->now);
    }
}

void record_gap(struct leg *leg, enum kind kind, uint16_t event, struct ck_mono from)
{
    if (leg->record.state == RECORD_OPEN && leg->tracks[kind].source >= 0) {
        ck_reorder_flush(&leg->tracks[kind].reorder);
        ck_recording_gap(leg->record.recording,
                         kind == AUDIO ? CK_RECORDING_AUDIO : CK_RECORDING_VIDEO, event, from,
                         leg->worker->now);
    }
}

void record_head(struct leg *leg, uint8_t reason)
{
    struct record *record = &leg->record;
    if (!record->has_head) {
        return;
    }
    record->head_told = leg->worker->now;
    struct ck_worker_message message = {
        .kind = CK_WORKER_RECORD_HEAD,
        .record_head = {.leg = leg->id,
                        .recording = record->id,
                        .reason = reason,
                        .chunks = record->head.chunks,
                        .bytes = record->head.bytes},
    };
    memcpy(message.record_head.head, record->head.hash, CK_WORKER_DIGEST_SIZE);
    worker_send(leg->worker, &message, false);
}

void record_service(struct leg *leg)
{
    struct worker *worker = leg->worker;
    struct record *record = &leg->record;
    if (record->state != RECORD_OPEN) {
        return;
    }
    for (int kind = 0; kind < KINDS; kind++) {
        ck_reorder_tick(&leg->tracks[kind].reorder, worker->now);
    }
    if (worker->now.us - record->head_told.us >=
        duration_us(worker->config.durations.head_ms, CK_WORKER_HEAD_MS)) {
        record_head(leg, CK_WORKER_HEAD_PERIODIC);
    }
}

/* --- what the recorder says
 * ------------------------------------------------------------------------- */

static void closed(struct leg *leg, const struct ck_recording_event *event)
{
    struct worker *worker = leg->worker;
    struct record *record = &leg->record;
    if (event->error != 0) {
        record_fail(worker, leg->id, event->id, event->error);
    }
    record->has_head = true;
    record->head = event->head;
    record_head(leg, CK_WORKER_HEAD_CLOSED);
    struct ck_worker_message message = {
        .kind = CK_WORKER_RECORD_CLOSED,
        .record_closed = {.leg = leg->id,
                          .recording = event->id,
                          .chunks = event->head.chunks,
                          .bytes = event->head.bytes,
                          .duration_ms = (uint64_t)event->duration_ms,
                          .gaps = event->gaps,
                          .gap_ms = (uint64_t)event->gap_ms,
                          .error = (uint32_t)event->error},
    };
    memcpy(message.record_closed.head, event->head.hash, CK_WORKER_DIGEST_SIZE);
    worker_send(worker, &message, false);
    *record = (struct record){.fd = -1};
    flush(leg); /* what still waited for an earlier packet has nowhere to go */
    worker->record_count--;
    if (leg->state == LEG_ENDING) {
        leg_gone(leg);
    }
}

static void take_event(const struct ck_recording_event *event)
{
    struct leg *leg = event->user;
    switch (event->kind) {
    case CK_RECORDING_HEAD:
        leg->record.has_head = true;
        leg->record.head = event->head;
        break;
    case CK_RECORDING_WANT_KEY_FRAME:
        ck_key_frames_want(&leg->keys, false);
        if (leg->state != LEG_ENDING) {
            leg_soon(leg, 0);
        }
        break;
    case CK_RECORDING_OVERFLOW:
        break; /* a marked gap in the file, counted there */
    case CK_RECORDING_CLOSED:
        closed(leg, event);
        break;
    }
}

void record_events(struct worker *worker)
{
    struct ck_recording_event events[EVENTS_PER_POLL];
    size_t count;
    do {
        count = ck_recorder_poll(worker->recorder, events, EVENTS_PER_POLL);
        for (size_t i = 0; i < count; i++) {
            take_event(&events[i]);
        }
    } while (count == EVENTS_PER_POLL);
}
