#include "media/record/timeline.h"

#include <string.h>

#include "protocol/rtp.h"

#define US_PER_S 1000000
#define REPORT_AGE_MAX_US 10000000 /* how far from the last packet a report may lie */

void ck_timeline_init(struct ck_timeline *timeline, struct ck_mono start)
{
    memset(timeline, 0, sizeof *timeline);
    timeline->start = start;
    timeline->streams[CK_SEAL_AUDIO].hz = CK_RTP_AUDIO_HZ;
    timeline->streams[CK_SEAL_VIDEO].hz = CK_RTP_VIDEO_HZ;
}

static int64_t ticks_to_us(const struct ck_timeline_stream *stream, int64_t ticks)
{
    return ticks / stream->hz * US_PER_S + ticks % stream->hz * US_PER_S / stream->hz;
}

static int64_t time_of(const struct ck_timeline_stream *stream, int64_t ticks)
{
    return stream->base_us + ticks_to_us(stream, ticks);
}

/* The stream goes on from here as if it began: what was known about its clock is void. */
static void begin(struct ck_timeline *timeline, struct ck_timeline_stream *stream, uint32_t ssrc,
                  uint32_t rtp, int64_t arrival_us)
{
    int64_t last_us = stream->begun ? stream->last_us : 0;
    uint32_t hz = stream->hz;
    *stream = (struct ck_timeline_stream){
        .begun = true,
        .hz = hz,
        .ssrc = ssrc,
        .rtp = rtp,
        .base_us = arrival_us,
        .last_us = last_us,
        .slewed_us = arrival_us,
        .pulled_us = arrival_us,
    };
    timeline->synced = false;
}

/* Whether the clock has jumped: it claims a time that has not come yet, or one long ago. Delay
 * alone makes packets late as well, but then later ones catch up. */
static bool has_jumped(struct ck_timeline_stream *stream, int64_t late_us, int64_t arrival_us)
{
    if (late_us < -CK_TIMELINE_JUMP_US || late_us > CK_TIMELINE_LATE_US) {
        return true;
    }
    if (late_us < CK_TIMELINE_JUMP_US) {
        stream->late = false;
        return false;
    }
    if (!stream->late) {
        stream->late = true;
        stream->late_since_us = arrival_us;
    }
    return arrival_us - stream->late_since_us > CK_TIMELINE_PATIENCE_US;
}

/* How much of `wanted_us` may be worked off at a rate, from one arrival to the next. Once some is,
 * the mark moves on. */
static int64_t ration(int64_t wanted_us, int64_t ppm, int64_t arrival_us, int64_t *since_us)
{
    int64_t most = (arrival_us - *since_us) * ppm / US_PER_S;
    if (most <= 0) {
        return 0;
    }
    *since_us = arrival_us;
    return wanted_us > most ? most : wanted_us < -most ? -most : wanted_us;
}

static void slew(struct ck_timeline_stream *stream, int64_t arrival_us)
{
    int64_t by = ration(stream->wanted_us, CK_TIMELINE_SLEW_PPM, arrival_us, &stream->slewed_us);
    stream->base_us += by;
    stream->wanted_us -= by;
}

/* A packet that is there before its time. Once lips are in sync, video follows audio only. */
static void pull_back(struct ck_timeline *timeline, enum ck_seal_source_kind source,
                      int64_t late_us, int64_t arrival_us)
{
    struct ck_timeline_stream *stream = &timeline->streams[source];
    int64_t early_us = late_us < 0 ? -late_us : 0;
    int64_t by = ration(early_us, CK_TIMELINE_PULL_PPM, arrival_us, &stream->pulled_us);
    if (source == CK_SEAL_AUDIO) {
        stream->base_us -= by;
        timeline->streams[CK_SEAL_VIDEO].base_us -= timeline->synced ? by : 0;
    } else if (!timeline->synced) {
        stream->base_us -= by;
    }
}

/* What was reported of a stream before its first packet. */
static void take_early(struct ck_timeline *timeline, enum ck_seal_source_kind source)
{
    struct ck_timeline_early early = timeline->early[source];
    timeline->early[source].any = false;
    if (early.any && early.ssrc == timeline->streams[source].ssrc) {
        ck_timeline_report(timeline, source, early.ssrc, early.rtp, early.ntp);
    }
}

int64_t ck_timeline_place(struct ck_timeline *timeline, enum ck_seal_source_kind source,
                          uint32_t ssrc, uint32_t rtp, struct ck_mono arrival,
                          enum ck_timeline_break *broken)
{
    struct ck_timeline_stream *stream = &timeline->streams[source];
    int64_t arrival_us = arrival.us - timeline->start.us;
    *broken = CK_TIMELINE_CONTINUES;
    if (!stream->begun || stream->ssrc != ssrc) {
        *broken = stream->begun ? CK_TIMELINE_NEW_STREAM : CK_TIMELINE_CONTINUES;
        begin(timeline, stream, ssrc, rtp, arrival_us);
        take_early(timeline, source);
    } else {
        stream->ticks += (int32_t)(rtp - stream->rtp);
        stream->rtp = rtp;
        int64_t late_us = arrival_us - time_of(stream, stream->ticks);
        if (has_jumped(stream, late_us, arrival_us)) {
            *broken = CK_TIMELINE_JUMP;
            begin(timeline, stream, ssrc, rtp, arrival_us);
        } else {
            pull_back(timeline, source, late_us, arrival_us);
            slew(stream, arrival_us);
        }
    }
    int64_t us = time_of(stream, stream->ticks);
    if (us < stream->last_us) {
        us = stream->last_us;
    }
    stream->last_us = us;
    return us;
}

static int64_t ntp_to_us(uint64_t ntp)
{
    return (int64_t)(ntp >> 32) * US_PER_S + (int64_t)(((ntp & 0xFFFFFFFF) * US_PER_S) >> 32);
}

/* How far video's time is ahead of audio's for what happened at one instant at the sender. */
static int64_t video_ahead_us(const struct ck_timeline *timeline)
{
    int64_t offset[2];
    for (int i = 0; i < 2; i++) {
        const struct ck_timeline_stream *stream = &timeline->streams[i];
        offset[i] = time_of(stream, stream->report_ticks) - stream->report_ntp_us;
    }
    return offset[CK_SEAL_VIDEO] - offset[CK_SEAL_AUDIO];
}

static void synchronise(struct ck_timeline *timeline)
{
    struct ck_timeline_stream *audio = &timeline->streams[CK_SEAL_AUDIO];
    struct ck_timeline_stream *video = &timeline->streams[CK_SEAL_VIDEO];
    if (!audio->reported || !video->reported) {
        return;
    }
    int64_t ahead_us = video_ahead_us(timeline);
    if (ahead_us > CK_TIMELINE_SYNC_MAX_US || ahead_us < -CK_TIMELINE_SYNC_MAX_US) {
        audio->reported = false;
        video->reported = false;
        return;
    }
    video->wanted_us = -ahead_us;
    if (!timeline->synced && (ahead_us > CK_TIMELINE_STEP_US || ahead_us < -CK_TIMELINE_STEP_US)) {
        video->base_us -= ahead_us;
        video->wanted_us = 0;
    }
    timeline->synced = true;
}

void ck_timeline_report(struct ck_timeline *timeline, enum ck_seal_source_kind source,
                        uint32_t ssrc, uint32_t rtp, uint64_t ntp)
{
    struct ck_timeline_stream *stream = &timeline->streams[source];
    if (!stream->begun || stream->ssrc != ssrc) {
        timeline->early[source] = (struct ck_timeline_early){true, ssrc, rtp, ntp};
        return;
    }
    int32_t ahead = (int32_t)(rtp - stream->rtp);
    int64_t ahead_us = ticks_to_us(stream, ahead);
    if (ahead_us > REPORT_AGE_MAX_US || ahead_us < -REPORT_AGE_MAX_US) {
        return;
    }
    int64_t ticks = stream->ticks + ahead;
    int64_t ntp_us = ntp_to_us(ntp);
    if (stream->reported) {
        int64_t off_us =
            (ntp_us - stream->report_ntp_us) - ticks_to_us(stream, ticks - stream->report_ticks);
        if (off_us > CK_TIMELINE_JUMP_US || off_us < -CK_TIMELINE_JUMP_US) {
            /* The sender's wall clock was set, or its RTP clock: no old pair goes with a new one.
             */
            timeline->streams[CK_SEAL_AUDIO].reported = false;
            timeline->streams[CK_SEAL_VIDEO].reported = false;
        }
    }
    stream->reported = true;
    stream->report_ticks = ticks;
    stream->report_ntp_us = ntp_us;
    synchronise(timeline);
}
