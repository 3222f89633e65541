#include "media/record/timeline.h"

#include <string.h>

#include "protocol/rtp.h"

#define US_PER_S 1000000
#define REPORT_AGE_MAX_US 10000000 /* how far from the last packet a report may lie */

void ck_timeline_init(struct ck_timeline *timeline, struct ck_mono start, int64_t late_us)
{
    memset(timeline, 0, sizeof *timeline);
    timeline->start = start;
    timeline->start_late_us = late_us < 0 || late_us > CK_TIMELINE_LATE_US ? 0 : late_us;
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

static struct ck_timeline_stream *other_of(struct ck_timeline *timeline,
                                           enum ck_seal_source_kind source)
{
    return &timeline->streams[source == CK_SEAL_AUDIO ? CK_SEAL_VIDEO : CK_SEAL_AUDIO];
}

/* Whether it has been heard so lately that it tells how late packets come now. */
static bool speaks(const struct ck_timeline_stream *stream, int64_t arrival_us)
{
    return stream->begun && arrival_us - stream->arrival_us < CK_TIMELINE_SETTLE_US;
}

static bool is_alike(int64_t a_us, int64_t b_us)
{
    return a_us - b_us < CK_TIMELINE_ALIKE_US && b_us - a_us < CK_TIMELINE_ALIKE_US;
}

/* --- begin
 * -------------------------------------------------------------------------------------- */

/* How late a packet is that nothing is known of but when it came. */
static int64_t late_now(const struct ck_timeline *timeline, const struct ck_timeline_stream *stream,
                        const struct ck_timeline_stream *other, int64_t arrival_us)
{
    if (speaks(other, arrival_us)) {
        int64_t late_us = other->step.open ? other->step.before_us : other->late_us;
        return late_us < 0 ? 0 : late_us;
    }
    return stream->begun || other->begun ? 0 : timeline->start_late_us;
}

/* The stream begins here, or anew: what was known about its clock is void. */
static void begin(struct ck_timeline *timeline, const struct ck_timeline_packet *packet)
{
    struct ck_timeline_stream *stream = &timeline->streams[packet->source];
    int64_t arrival_us = packet->arrival.us - timeline->start.us;
    int64_t late_us = late_now(timeline, stream, other_of(timeline, packet->source), arrival_us);
    *stream = (struct ck_timeline_stream){
        .begun = true,
        .hz = stream->hz,
        .ssrc = packet->ssrc,
        .rtp = packet->rtp,
        .arrival_us = arrival_us,
        .late_us = late_us,
        .base_us = arrival_us - late_us,
        .last_us = stream->last_us,
        .slewed_us = arrival_us,
        .stretch_us = arrival_us,
        .least_us = late_us,
        .settled_us = arrival_us,
    };
    timeline->synced = false;
}

/* --- clocks that step
 * ------------------------------------------------------------------------------ */

static void shift(struct ck_timeline_stream *stream, int64_t by_us)
{
    stream->base_us += by_us;
    stream->late_us -= by_us;
    stream->least_us -= by_us;
    stream->behind_us = 0;
    stream->step.open = false;
}

/* The stream's clock has stepped. The other one's by as much, where that looks so as well. */
static void move(struct ck_timeline *timeline, enum ck_seal_source_kind source, int64_t by_us,
                 int64_t arrival_us)
{
    struct ck_timeline_stream *stream = &timeline->streams[source];
    struct ck_timeline_stream *other = other_of(timeline, source);
    bool follows =
        other->move.any && other->move.by_us == by_us && other->move.at_us >= stream->arrival_us;
    bool synced = follows ? other->move.synced : timeline->synced;
    shift(stream, by_us);
    stream->move = (struct ck_timeline_move){true, synced, arrival_us, by_us};
    stream->reported = false;
    timeline->synced = follows && synced;
    if (other->step.open && is_alike(other->step.least_us - other->step.before_us, by_us)) {
        shift(other, by_us);
        other->move = stream->move;
        other->reported = false;
        other->moved_along = true;
        timeline->synced = synced;
    }
}

/* Bit by bit a stream has come so far from its arrival: a clock that runs wrong, or a queue that
 * was there from the begin. Lips stay as they are. */
static void move_all(struct ck_timeline *timeline, enum ck_seal_source_kind source, int64_t by_us)
{
    struct ck_timeline_stream *other = other_of(timeline, source);
    shift(&timeline->streams[source], by_us);
    if (timeline->synced) {
        shift(other, by_us);
        other->moved_along = true;
    }
}

static void note_step(struct ck_timeline_stream *stream, int64_t late_us, int64_t arrival_us)
{
    struct ck_timeline_step *step = &stream->step;
    if (step->open) {
        step->least_us = late_us < step->least_us ? late_us : step->least_us;
        step->open = late_us >= step->before_us + CK_TIMELINE_JUMP_US;
    } else if (late_us - stream->late_us > CK_TIMELINE_JUMP_US) {
        *step = (struct ck_timeline_step){
            .open = true,
            .at_us = arrival_us,
            .before_us = stream->late_us,
            .first_us = late_us,
            .least_us = late_us,
        };
    }
}

/* Whether no queue has made the step that is open. */
static bool is_clock(struct ck_timeline *timeline, enum ck_seal_source_kind source, int64_t late_us,
                     int64_t arrival_us)
{
    const struct ck_timeline_step *step = &timeline->streams[source].step;
    const struct ck_timeline_stream *other = other_of(timeline, source);
    int64_t stayed_us = arrival_us - step->at_us;
    bool settled = stayed_us >= CK_TIMELINE_SETTLE_US &&
                   step->first_us - step->least_us < CK_TIMELINE_DRAIN_US;
    bool alike = other->step.open && is_alike(other->step.least_us - other->step.before_us,
                                              step->least_us - step->before_us);
    if (!speaks(other, arrival_us) || alike) {
        return settled;
    }
    if (other->late_us > late_us - CK_TIMELINE_JUMP_US) {
        return false; /* as late: one queue for both */
    }
    /* Sound is never held back for a picture that comes through, the other way round it is. */
    return source == CK_SEAL_AUDIO ? settled
                                   : !step->reported && stayed_us >= CK_TIMELINE_PATIENCE_US;
}

/* By how much the stream is to be moved in front of this packet; 0: its clock goes on. */
static int64_t jump_of(struct ck_timeline *timeline, enum ck_seal_source_kind source,
                       int64_t late_us, int64_t arrival_us)
{
    struct ck_timeline_stream *stream = &timeline->streams[source];
    const struct ck_timeline_stream *other = other_of(timeline, source);
    int64_t grew_us = late_us - stream->late_us;
    bool later = grew_us > CK_TIMELINE_JUMP_US;
    bool earlier = grew_us < -CK_TIMELINE_JUMP_US && late_us < -CK_TIMELINE_JUMP_US;
    note_step(stream, late_us, arrival_us);
    if ((later || earlier) && other->move.any && other->move.at_us >= stream->arrival_us &&
        is_alike(other->move.by_us, grew_us)) {
        return other->move.by_us;
    }
    if (later && (late_us > CK_TIMELINE_LATE_US || stream->ticks < stream->timed)) {
        return grew_us; /* so long a queue there is not; in order, and yet before the last one */
    }
    if (earlier) { /* than it can have been sent, unless all packets seem so: then it drains */
        return speaks(other, arrival_us) && is_alike(other->late_us, late_us) ? 0 : grew_us;
    }
    return stream->step.open && is_clock(timeline, source, late_us, arrival_us)
               ? stream->step.least_us - stream->step.before_us
               : 0;
}

/* --- slow corrections
 * ------------------------------------------------------------------------------ */

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

/* How late every packet of a stretch was is not the network's variation. */
static void note_stretch(struct ck_timeline_stream *stream, int64_t late_us, int64_t arrival_us)
{
    stream->least_us = late_us < stream->least_us ? late_us : stream->least_us;
    if (arrival_us - stream->stretch_us >= CK_TIMELINE_STRETCH_US) {
        stream->behind_us = stream->least_us > 0 ? stream->least_us : 0;
        stream->stretch_us = arrival_us;
        stream->least_us = late_us;
    }
}

/* Follows the network. Once lips are in sync, picture is moved with sound only. */
static void settle(struct ck_timeline *timeline, enum ck_seal_source_kind source, int64_t late_us,
                   int64_t arrival_us)
{
    struct ck_timeline_stream *stream = &timeline->streams[source];
    int64_t by_us;
    note_stretch(stream, late_us, arrival_us);
    if (late_us < 0) {
        stream->behind_us = 0;
        by_us = ration(late_us, CK_TIMELINE_PULL_PPM, arrival_us, &stream->settled_us);
    } else {
        by_us = ration(stream->behind_us, CK_TIMELINE_SLEW_PPM, arrival_us, &stream->settled_us);
        stream->behind_us -= by_us;
    }
    if (!timeline->synced) {
        stream->base_us += by_us;
    } else if (source == CK_SEAL_AUDIO) {
        stream->base_us += by_us;
        timeline->streams[CK_SEAL_VIDEO].base_us += by_us;
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

/* One more packet of the stream. */
static enum ck_timeline_break go_on(struct ck_timeline *timeline,
                                    const struct ck_timeline_packet *packet)
{
    enum ck_seal_source_kind source = packet->source;
    struct ck_timeline_stream *stream = &timeline->streams[source];
    enum ck_timeline_break broken = stream->moved_along ? CK_TIMELINE_JUMP : CK_TIMELINE_CONTINUES;
    int64_t arrival_us = packet->arrival.us - timeline->start.us;
    stream->moved_along = false;
    stream->ticks += (int32_t)(packet->rtp - stream->rtp);
    stream->rtp = packet->rtp;
    int64_t late_us = arrival_us - time_of(stream, stream->ticks);
    if (packet->again && late_us > -CK_TIMELINE_JUMP_US && late_us < CK_TIMELINE_LATE_US) {
        return broken;
    }
    int64_t by_us = jump_of(timeline, source, late_us, arrival_us);
    if (by_us != 0) {
        move(timeline, source, by_us, arrival_us);
        broken = CK_TIMELINE_JUMP;
    } else if (late_us > CK_TIMELINE_LATE_US || late_us < -CK_TIMELINE_AHEAD_US) {
        move_all(timeline, source, late_us);
        broken = CK_TIMELINE_JUMP;
    } else {
        settle(timeline, source, late_us, arrival_us);
        slew(stream, arrival_us);
    }
    stream->timed = stream->ticks;
    stream->late_us = arrival_us - time_of(stream, stream->ticks);
    stream->arrival_us = arrival_us;
    return broken;
}

int64_t ck_timeline_place(struct ck_timeline *timeline, const struct ck_timeline_packet *packet,
                          enum ck_timeline_break *broken)
{
    struct ck_timeline_stream *stream = &timeline->streams[packet->source];
    if (stream->begun && stream->ssrc == packet->ssrc) {
        *broken = go_on(timeline, packet);
    } else {
        *broken = stream->begun ? CK_TIMELINE_NEW_STREAM : CK_TIMELINE_CONTINUES;
        begin(timeline, packet);
        take_early(timeline, packet->source);
    }
    int64_t us = time_of(stream, stream->ticks);
    if (us < stream->last_us) {
        us = stream->last_us;
    }
    stream->last_us = us;
    return us;
}

/* --- sender reports
 * -------------------------------------------------------------------------------- */

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

/* A stream's report is off by so much from the one before: its clock has stepped, or the wall clock
 * of the sender was set. */
static void compare(struct ck_timeline *timeline, enum ck_seal_source_kind source, int64_t off_us)
{
    struct ck_timeline_stream *stream = &timeline->streams[source];
    struct ck_timeline_step *step = &stream->step;
    if (off_us <= CK_TIMELINE_JUMP_US && off_us >= -CK_TIMELINE_JUMP_US) {
        step->reported = step->open;
    } else if (step->open && is_alike(off_us, step->least_us - step->before_us)) {
        move(timeline, source, off_us, stream->arrival_us);
        stream->moved_along = true;
    } else { /* no old pair goes with a new one */
        timeline->streams[CK_SEAL_AUDIO].reported = false;
        timeline->streams[CK_SEAL_VIDEO].reported = false;
        timeline->synced = false;
    }
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
        compare(timeline, source,
                (ntp_us - stream->report_ntp_us) -
                    ticks_to_us(stream, ticks - stream->report_ticks));
    }
    stream->reported = true;
    stream->report_ticks = ticks;
    stream->report_ntp_us = ntp_us;
    synchronise(timeline);
}
