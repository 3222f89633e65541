#include "media/record/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/record/opus.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/rtp.h"

#define US_PER_MS 1000
#define PICTURE_ROOM_MIN 16384u

struct sequence {
    bool known;
    uint32_t ssrc;
    uint16_t next;
};

struct ck_frames {
    struct ck_frames_sink sink;
    struct ck_timeline timeline;
    struct ck_mono start;
    struct sequence sequences[2];
    int64_t last_ms[2]; /* newest time given out; -1: none */
    int64_t end_ms[2];  /* where that frame ends */
    uint64_t stale;
    /* Video: the picture that is being put together. */
    bool open;
    bool key;
    uint16_t width;
    uint16_t height;
    uint32_t rtp;
    int64_t time_ms;
    uint8_t *picture;
    size_t size;
    size_t room;
    /* Video: waiting for a key frame. */
    bool waiting;
    bool lost; /* since a loss, not since a begin or an interruption */
    uint32_t lost_packets;
    bool asked;
    struct ck_mono asked_at;
    uint16_t last_width;
    uint16_t last_height;
};

int ck_frames_create(struct ck_frames **frames, struct ck_mono start, int64_t late_us,
                     const struct ck_frames_sink *sink)
{
    struct ck_frames *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->sink = *sink;
    made->start = start;
    made->last_ms[0] = -1;
    made->last_ms[1] = -1;
    made->waiting = true;
    ck_timeline_init(&made->timeline, start, late_us);
    *frames = made;
    return 0;
}

void ck_frames_destroy(struct ck_frames *frames)
{
    if (frames != NULL) {
        if (frames->picture != NULL) {
            ck_wipe(frames->picture, frames->room);
        }
        free(frames->picture);
        free(frames);
    }
}

uint64_t ck_frames_stale(const struct ck_frames *frames)
{
    return frames->stale;
}

/* Milliseconds are the file's unit; no two frames of a source share one. */
static int64_t place(struct ck_frames *frames, const struct ck_recording_packet *packet)
{
    enum ck_seal_source_kind source = (enum ck_seal_source_kind)packet->source;
    enum ck_timeline_break broken;
    const struct ck_timeline_packet timed = {
        .source = source,
        .ssrc = packet->ssrc,
        .rtp = packet->timestamp,
        .arrival = packet->arrival,
        .again = packet->again,
    };
    int64_t us = ck_timeline_place(&frames->timeline, &timed, &broken);
    int64_t ms = (us + US_PER_MS / 2) / US_PER_MS;
    if (ms <= frames->last_ms[source]) {
        ms = frames->last_ms[source] + 1;
    }
    if (broken != CK_TIMELINE_CONTINUES) {
        struct ck_seal_mark mark = {
            .kind = CK_SEAL_MARK_STREAM,
            .source = (uint8_t)source,
            .code = (uint16_t)broken,
            .from_ms = ms,
            .until_ms = ms,
            .report = {.ssrc = packet->ssrc},
        };
        frames->sink.mark(frames->sink.user, &mark);
    }
    return ms;
}

/* The number of packets missing in front of this one; -1 where its turn is over. */
static int advance(struct ck_frames *frames, const struct ck_recording_packet *packet)
{
    struct sequence *sequence = &frames->sequences[packet->source];
    int missing = 0;
    if (sequence->known && sequence->ssrc == packet->ssrc) {
        missing = ck_rtp_ahead(packet->sequence, sequence->next);
        if (missing < 0) {
            frames->stale++;
            return -1;
        }
    }
    sequence->known = true;
    sequence->ssrc = packet->ssrc;
    sequence->next = (uint16_t)(packet->sequence + 1);
    return missing;
}

static void give(struct ck_frames *frames, enum ck_seal_source_kind source,
                 const struct ck_frame *frame)
{
    frames->last_ms[source] = frame->webm.time_ms;
    frames->end_ms[source] = frame->end_ms;
    frames->sink.frame(frames->sink.user, frame);
}

static void mark_loss(struct ck_frames *frames, enum ck_seal_source_kind source, int64_t until_ms,
                      uint32_t packets)
{
    struct ck_seal_mark mark = {
        .kind = CK_SEAL_MARK_GAP,
        .source = (uint8_t)source,
        .code = CK_SEAL_GAP_LOSS,
        .from_ms = frames->end_ms[source] < until_ms ? frames->end_ms[source] : until_ms,
        .until_ms = until_ms,
        .gap = {.packets = packets},
    };
    frames->sink.mark(frames->sink.user, &mark);
}

static void take_audio(struct ck_frames *frames, const struct ck_recording_packet *packet,
                       uint32_t missing)
{
    int32_t duration_us = ck_opus_duration_us(packet->payload, packet->size);
    if (duration_us == 0) {
        return; /* a probe, or no Opus */
    }
    int64_t ms = place(frames, packet);
    if (missing > 0 && ms - frames->end_ms[CK_SEAL_AUDIO] >= CK_FRAMES_AUDIO_GAP_MS) {
        mark_loss(frames, CK_SEAL_AUDIO, ms, missing);
    }
    struct ck_frame frame = {
        .webm = {CK_WEBM_AUDIO, true, ms, packet->payload, packet->size},
        .end_ms = ms + (duration_us + US_PER_MS - 1) / US_PER_MS,
        .arrival = packet->arrival,
    };
    give(frames, CK_SEAL_AUDIO, &frame);
}

static void ask(struct ck_frames *frames, struct ck_mono now)
{
    if (frames->asked && now.us - frames->asked_at.us < CK_FRAMES_ASK_US) {
        return;
    }
    frames->asked = true;
    frames->asked_at = now;
    frames->sink.want_key_frame(frames->sink.user);
}

/* The picture at hand cannot become whole, and later ones would refer to it. */
static void lose_picture(struct ck_frames *frames, uint32_t packets, struct ck_mono now)
{
    frames->open = false;
    frames->lost_packets += packets;
    if (!frames->waiting) {
        frames->waiting = true;
        frames->lost = true;
        frames->asked = false;
    }
    ask(frames, now);
}

static int append(struct ck_frames *frames, const uint8_t *data, size_t size)
{
    if (frames->size + size > CK_SEAL_KEY_FRAME_MAX) {
        return CK_E_LIMIT;
    }
    if (frames->size + size > frames->room) {
        size_t room = frames->room == 0 ? PICTURE_ROOM_MIN : frames->room * 2;
        while (room < frames->size + size) {
            room *= 2;
        }
        uint8_t *grown = realloc(frames->picture, room);
        if (grown == NULL) {
            return -ENOMEM;
        }
        frames->picture = grown;
        frames->room = room;
    }
    memcpy(frames->picture + frames->size, data, size);
    frames->size += size;
    return 0;
}

static void mark_size(struct ck_frames *frames)
{
    if (frames->width == frames->last_width && frames->height == frames->last_height) {
        return;
    }
    struct ck_seal_mark mark = {
        .kind = CK_SEAL_MARK_SIZE,
        .source = CK_SEAL_VIDEO,
        .from_ms = frames->time_ms,
        .until_ms = frames->time_ms,
        .size = {frames->width, frames->height},
    };
    frames->last_width = frames->width;
    frames->last_height = frames->height;
    frames->sink.mark(frames->sink.user, &mark);
}

static void finish_picture(struct ck_frames *frames, struct ck_mono arrival)
{
    frames->open = false;
    if (frames->key) {
        if (frames->lost) {
            mark_loss(frames, CK_SEAL_VIDEO, frames->time_ms, frames->lost_packets);
        }
        frames->waiting = false;
        frames->lost = false;
        frames->lost_packets = 0;
        mark_size(frames);
    }
    struct ck_frame frame = {
        .webm = {CK_WEBM_VIDEO, frames->key, frames->time_ms, frames->picture, frames->size},
        .end_ms = frames->time_ms,
        .width = frames->key ? frames->width : 0,
        .height = frames->key ? frames->height : 0,
        .arrival = arrival,
    };
    give(frames, CK_SEAL_VIDEO, &frame);
}

static void begin_picture(struct ck_frames *frames, const struct ck_recording_packet *packet,
                          const struct ck_vp8 *vp8)
{
    frames->open = true;
    frames->key = vp8->key_frame;
    frames->width = vp8->width;
    frames->height = vp8->height;
    frames->rtp = packet->timestamp;
    frames->size = 0;
    frames->time_ms = place(frames, packet);
}

static int take_video(struct ck_frames *frames, const struct ck_recording_packet *packet,
                      uint32_t missing, bool new_stream)
{
    struct ck_vp8 vp8;
    if (missing > 0 || new_stream) {
        lose_picture(frames, missing, packet->arrival);
    }
    if (packet->size == 0) {
        return 0; /* a probe that keeps the sequence */
    }
    bool readable = ck_vp8_read(packet->payload, packet->size, &vp8) == 0;
    bool start = readable && vp8.start && vp8.partition == 0;
    bool fits = start || (frames->open && frames->rtp == packet->timestamp);
    if (!readable || (frames->open && start) || (!fits && !frames->waiting)) {
        lose_picture(frames, 0, packet->arrival);
    }
    if (!readable || !fits) {
        return 0;
    }
    if (start && frames->waiting && !vp8.key_frame) {
        frames->open = false;
        ask(frames, packet->arrival);
        return 0;
    }
    if (start) {
        begin_picture(frames, packet, &vp8);
    }
    int r =
        append(frames, packet->payload + vp8.descriptor_size, packet->size - vp8.descriptor_size);
    if (r != 0) {
        lose_picture(frames, 0, packet->arrival);
        return r < 0 ? r : 0;
    }
    if (packet->marker) {
        finish_picture(frames, packet->arrival);
    }
    return 0;
}

int ck_frames_packet(struct ck_frames *frames, const struct ck_recording_packet *packet)
{
    const struct sequence *sequence = &frames->sequences[packet->source];
    bool new_stream = sequence->known && sequence->ssrc != packet->ssrc;
    int missing = advance(frames, packet);
    if (missing < 0) {
        return 0;
    }
    if (packet->source == CK_RECORDING_VIDEO) {
        return take_video(frames, packet, (uint32_t)missing, new_stream);
    }
    take_audio(frames, packet, (uint32_t)missing);
    return 0;
}

void ck_frames_report(struct ck_frames *frames, enum ck_seal_source_kind source, uint32_t ssrc,
                      uint32_t rtp, uint64_t ntp, struct ck_mono arrival)
{
    int64_t ms = (arrival.us - frames->start.us) / US_PER_MS;
    struct ck_seal_mark mark = {
        .kind = CK_SEAL_MARK_REPORT,
        .source = (uint8_t)source,
        .from_ms = ms,
        .until_ms = ms,
        .report = {ssrc, rtp, ntp},
    };
    frames->sink.mark(frames->sink.user, &mark);
    ck_timeline_report(&frames->timeline, source, ssrc, rtp, ntp);
}

void ck_frames_interrupt(struct ck_frames *frames)
{
    frames->sequences[0].known = false;
    frames->sequences[1].known = false;
    frames->open = false;
    frames->waiting = true;
    frames->lost = false;
    frames->lost_packets = 0;
    frames->asked = false;
}
