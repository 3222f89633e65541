/* What we tell the browsers by RTCP, and checkind by LEG_STATS. */
#include "media/worker/log.h"
#include "media/worker/worker_impl.h"
#include "protocol/base/error.h"

#define PACKET_OVERHEAD (CK_RTP_HEADER_SIZE + CK_SRTP_OVERHEAD) /* at most, beside the payload */

/* A packet for RTCP; the writer leaves room for the protection. NULL where the pool is empty. */
static struct ck_packet *begin(struct leg *leg, struct ck_writer *writer)
{
    struct ck_packet *packet = ck_packet_get(leg->worker->pool);
    if (packet != NULL) {
        *writer = ck_writer_of(packet->data, CK_DTLS_LINK_MTU - CK_SRTP_OVERHEAD);
    }
    return packet;
}

/* Feedback may travel alone only where reduced size was agreed (RFC 5506). */
static void introduce(struct leg *leg, struct ck_writer *writer)
{
    if (!leg->reduced_size) {
        ck_rtcp_write_rr(writer, leg->ssrc, NULL, 0);
        ck_rtcp_write_cname(writer, leg->ssrc, leg->cname);
    }
}

static void finish(struct leg *leg, struct ck_packet *packet, const struct ck_writer *writer)
{
    struct worker *worker = leg->worker;
    size_t size = writer->size;
    if (!writer->failed && size > 0 &&
        worker->srtp->protect_control(leg->out, packet->data, &size) == CK_OK) {
        packet->size = (uint32_t)size;
        path_send(leg, packet);
    }
    ck_packet_drop(worker->pool, packet);
}

void feedback_key_frame(struct leg *leg)
{
    struct track *track = &leg->tracks[VIDEO];
    struct ck_writer writer;
    if (track->source < 0 || (!track->pli && !track->fir)) {
        return;
    }
    const struct ck_source *source = &leg->sources[track->source].rtp;
    if (!ck_key_frames_due(&leg->keys, leg->worker->now, source->heard, record_wants(leg))) {
        return;
    }
    struct ck_packet *packet = begin(leg, &writer);
    if (packet == NULL) {
        return;
    }
    introduce(leg, &writer);
    if (track->pli) {
        ck_rtcp_write_pli(&writer, leg->ssrc, source->ssrc);
    } else {
        ck_rtcp_write_fir(&writer, leg->ssrc, source->ssrc, leg->fir_number++);
    }
    finish(leg, packet, &writer);
}

/* Where an uplink that carries little has a queue, what was lost was crowded out, and sound that is
 * sent again crowds out more: there it comes bit by bit, and not at all where the sound alone is
 * too much. */
static unsigned most_to_ask(struct leg *leg, const struct track *track)
{
    const struct ck_uplink *uplink = &leg->uplink;
    bool crowded = leg->crowded || media_late_us(leg) >= CK_UPLINK_QUEUE_HIGH_US;
    if (track->kind == VIDEO || uplink->allowed >= CK_UPLINK_RADIO_FLOOR || !crowded) {
        return CK_MISSING_MAX;
    }
    if (leg->sound_fills || leg->worker->now.us < leg->sound_due.us) {
        return 0;
    }
    return 1;
}

static void ask_again(struct leg *leg, struct track *track)
{
    uint16_t asked[CK_MISSING_MAX];
    struct ck_writer writer;
    /* What is sent again waits in the uplink's queue as well. */
    uint32_t trip_us = leg->rtt_us + (uint32_t)media_late_us(leg);
    unsigned most = most_to_ask(leg, track);
    unsigned count = ck_missing_due(&track->missing, leg->worker->now, trip_us, most, asked);
    if (count > 0 && most < CK_MISSING_MAX) {
        leg->sound_due = ck_mono_add_us(leg->worker->now, SOUND_AGAIN_MS * 1000);
    }
    struct ck_packet *packet = count == 0 ? NULL : begin(leg, &writer);
    if (packet == NULL) {
        return;
    }
    track->asked += count;
    introduce(leg, &writer);
    ck_rtcp_write_nack(&writer, leg->ssrc, leg->sources[track->source].rtp.ssrc, asked, count);
    finish(leg, packet, &writer);
}

void feedback_missing(struct leg *leg)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct track *track = &leg->tracks[kind];
        if (track->source >= 0 && track->missing.count > 0) {
            ask_again(leg, track);
        }
    }
}

/* --- reports
 * ---------------------------------------------------------------------------------------- */

static unsigned collect(struct leg *leg, struct ck_rtcp_report *reports)
{
    unsigned count = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        if (leg->tracks[kind].source >= 0) {
            reports[count++] =
                ck_source_report_out(&leg->sources[leg->tracks[kind].source].rtp, leg->worker->now);
        }
    }
    return count;
}

/* The sender report of what the peer feeds this leg with. */
static bool sender_report(struct leg *leg, enum kind kind, struct ck_rtcp_sender *report)
{
    const struct leg *peer = leg_peer(leg);
    const struct track *track = &leg->tracks[kind];
    if (peer == NULL || !leg->call->relay || !track->negotiated || !peer->has_clock ||
        peer->tracks[kind].source < 0) {
        return false;
    }
    const struct source *source = &peer->sources[peer->tracks[kind].source];
    return source->feed == track->out.feed &&
           ck_sender_report(&track->out, &source->rtp, peer->clock_offset_us,
                            ck_ntp_of_us(leg->worker->wall_us), report);
}

static void write_reports(struct leg *leg, struct ck_writer *writer)
{
    struct ck_rtcp_report reports[KINDS];
    unsigned count = collect(leg, reports);
    bool sends = false;
    for (int kind = 0; kind < KINDS; kind++) {
        struct ck_rtcp_sender report;
        if (sender_report(leg, (enum kind)kind, &report)) {
            ck_rtcp_write_sr(writer, &report, reports, sends ? 0 : count);
            sends = true;
        }
    }
    if (!sends) {
        ck_rtcp_write_rr(writer, leg->ssrc, reports, count);
    }
    ck_rtcp_write_cname(writer, leg->ssrc, leg->cname);
}

static uint32_t rate_of(uint64_t bytes, int64_t us)
{
    return us <= 0 ? 0 : (uint32_t)(bytes * 8 * 1000000 / (uint64_t)us);
}

static uint64_t packets_in(const struct leg *leg, const struct track *track)
{
    return track->past_packets + (track->source < 0 ? 0 : leg->sources[track->source].rtp.received);
}

static uint64_t bytes_in(const struct leg *leg, const struct track *track)
{
    return track->past_bytes + (track->source < 0 ? 0 : leg->sources[track->source].rtp.bytes);
}

/* The standing queue of the uplink: what both media say, as what one of them says may be the
 * browser's own pacing. -1 where neither was heard. */
static int64_t queue_of(struct leg *leg)
{
    int64_t sound = ck_transit_queue_us(&leg->tracks[AUDIO].transit);
    int64_t picture = ck_transit_queue_us(&leg->tracks[VIDEO].transit);
    return sound < 0 || picture < 0 ? (sound > picture ? sound : picture)
           : sound < picture        ? sound
                                    : picture;
}

/* What the last interval says about the uplink. */
static void judge_uplink(struct leg *leg)
{
    struct worker *worker = leg->worker;
    uint64_t came = 0;
    uint64_t missed = 0;
    uint64_t bytes = 0;
    uint64_t pictures = 0; /* packets, sent */
    uint32_t allowed = leg->uplink.allowed;
    int64_t us = worker->now.us - leg->interval_began.us;
    for (int kind = 0; kind < KINDS; kind++) {
        struct track *track = &leg->tracks[kind];
        uint64_t packets = packets_in(leg, track);
        uint64_t size = bytes_in(leg, track);
        came += packets - track->interval_in_packets;
        bytes += size - track->interval_in_bytes;
        missed += track->missed - track->interval_missed;
        if (kind == VIDEO) {
            pictures =
                packets - track->interval_in_packets + track->missed - track->interval_missed;
        }
        track->interval_in_packets = packets;
        track->interval_in_bytes = size;
        track->interval_missed = track->missed;
    }
    struct ck_uplink_interval interval = {.came = came,
                                          .missed = missed,
                                          .bitrate = rate_of(bytes, us),
                                          .queue_us = queue_of(leg),
                                          .bursts = ck_uplink_did_not_fit(&leg->places)};
    bool stands = interval.queue_us >= CK_UPLINK_QUEUE_HIGH_US;
    leg->sound_fills = pictures == 0 && stands;
    leg->crowded = stands || interval.bursts;
    leg->unheeded = leg->tracks[VIDEO].remb && pictures > 0 && interval.bitrate > allowed;
    leg->uplink_lost[1] = leg->uplink_lost[0];
    leg->uplink_lost[0] = came + missed == 0 ? 0 : missed * 256 / (came + missed);
    leg->uplink_loses = missed * 100 > (came + missed) * CK_UPLINK_LOSS_HIGH &&
                        interval.queue_us < CK_UPLINK_QUEUE_HIGH_US;
    if (ck_uplink_interval(&leg->uplink, &interval)) {
        ck_transit_rebase(&leg->tracks[AUDIO].transit);
        ck_transit_rebase(&leg->tracks[VIDEO].transit);
    }
    ck_media_log(CK_WORKER_LOG_DEBUG,
                 "leg %llu: uplink %u of %u bit/s, queue %lld us, %llu of %llu packets missed",
                 (unsigned long long)leg->id, interval.bitrate, leg->uplink.allowed,
                 (long long)interval.queue_us, (unsigned long long)missed,
                 (unsigned long long)(came + missed));
}

static void set_pace(struct leg *leg)
{
    uint64_t judged = leg->downlink.allowed;
    ck_pace_set(&leg->tracks[VIDEO].out.pace, judged >= CK_WORKER_BITRATE_MAX ? 0 : judged);
}

/* What a browser tells follows what it gets: one that gets little tells little, whatever more its
 * downlink would carry, and a key frame that takes its time looks like a queue to it. So it is
 * believed only where its reports speak of a queue or of loss as well and there is a picture that
 * could be less: then it is heard before the interval is over. */
void feedback_told(struct leg *leg, uint64_t bitrate)
{
    uint64_t before = leg->told_bitrate;
    leg->told_bitrate = bitrate;
    bool amiss = leg->downlink_loses || leg->round_trip.before.us >= CK_UPLINK_QUEUE_LOW_US;
    bool pictures = leg->sent_bitrate > CK_PACE_SOUND_BPS;
    if (amiss && pictures && bitrate < before && bitrate < leg->sent_bitrate) {
        ck_uplink_told(&leg->downlink, (uint32_t)bitrate, leg->sent_bitrate);
        set_pace(leg);
    }
}

/* What was sent in the last interval, and what the browser's reports say became of it, in parts of
 * 256. A report without loss after one with it counts as well, so fractions of both media are taken
 * together. */
struct outcome {
    uint32_t sent;
    uint64_t told;
    uint64_t lost;
};

static struct outcome take_outcome(struct leg *leg)
{
    struct outcome outcome = {0};
    uint64_t bytes = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        struct ck_sender *sender = &leg->tracks[kind].out;
        outcome.lost += sender->interval_lost;
        outcome.told += (uint64_t)sender->interval_reports * 256;
        bytes += sender->bytes - sender->interval_bytes +
                 (sender->packets - sender->interval_packets) * PACKET_OVERHEAD;
        sender->interval_lost = sender->interval_reports = 0;
        sender->interval_bytes = sender->bytes;
        sender->interval_packets = sender->packets;
    }
    outcome.sent = rate_of(bytes, leg->worker->now.us - leg->interval_began.us);
    /* What the peer's uplink has lost is missing here as well, and no loss of this way. */
    const struct leg *peer = leg_peer(leg);
    if (peer != NULL) {
        uint64_t share = peer->uplink_lost[0] > peer->uplink_lost[1] ? peer->uplink_lost[0]
                                                                     : peer->uplink_lost[1];
        uint64_t not_ours = outcome.told * share / 256;
        outcome.lost -= not_ours < outcome.lost ? not_ours : outcome.lost;
    }
    return outcome;
}

/* A radio that loses some, without a queue that is known of (reports get lost as well), is not
 * helped by leaving out pictures. The first loss may as well be the first of a queue that is full,
 * and so may any while nothing is known of the queue: then the rate is held. */
static uint64_t loss_that_counts(struct leg *leg, const struct outcome *outcome,
                                 const struct ck_uplink_interval *interval)
{
    int64_t queue_us = interval->queue_us;
    bool again = leg->downlink_loses;
    leg->downlink_loses = outcome->told > 0
                              ? outcome->lost * 100 > outcome->told * CK_UPLINK_LOSS_LOW
                              : leg->downlink_loses;
    if (!leg->downlink_loses || interval->bursts || queue_us >= CK_UPLINK_QUEUE_LOW_US ||
        outcome->lost * 100 > outcome->told * RADIO_PERCENT) {
        return outcome->lost;
    }
    return again && queue_us >= 0
               ? 0
               : outcome->told * (CK_UPLINK_LOSS_LOW + CK_UPLINK_LOSS_HIGH) / 200;
}

/* Neither this way nor the one of whoever feeds it is the cause: nothing came at all for a while.
 */
static bool is_told_of_an_outage(const struct leg *leg)
{
    const struct leg *peer = leg_peer(leg);
    return leg->dark > 0 || (peer != NULL && peer->dark > 0);
}

static void judge_downlink(struct leg *leg)
{
    int64_t us = leg->worker->now.us - leg->interval_began.us;
    struct outcome outcome = take_outcome(leg);
    bool alive =
        leg->selected != CK_TUPLE_NONE &&
        leg->worker->now.us - ck_tuples_at(&leg->worker->tuples, leg->selected)->heard.us < us;
    leg->dark = alive ? leg->dark - (leg->dark > 0 ? 1 : 0) : DARK_TOLD + 1;
    if (is_told_of_an_outage(leg)) {
        outcome.lost = 0;
    }
    bool loses = outcome.lost * 100 > outcome.told * CK_UPLINK_LOSS_LOW;
    struct ck_uplink_interval interval = {
        .queue_us = ck_transit_seen_us(&leg->round_trip, loses, CK_UPLINK_QUEUE_HIGH_US),
        .bursts = ck_uplink_did_not_fit(&leg->sent_places) && leg->tracks[AUDIO].out.asked > 0,
        .full = ck_pace_was_full(&leg->tracks[VIDEO].out.pace)};
    interval.missed = loss_that_counts(leg, &outcome, &interval);
    if (interval.missed * 100 > outcome.told * RADIO_PERCENT &&
        interval.queue_us < CK_UPLINK_QUEUE_HIGH_US) {
        interval.queue_us = -1; /* looked at once a second, and not when that was lost */
    }
    interval.came = outcome.told - interval.missed;
    /* Reports tell of the second before as well. */
    uint64_t sent = outcome.sent > leg->sent_bitrate ? outcome.sent : leg->sent_bitrate;
    interval.bitrate =
        outcome.told == 0 ? outcome.sent : (uint32_t)(sent * interval.came / outcome.told);
    leg->sent_bitrate = outcome.sent;
    /* Of an outage, in which nothing comes at all, nothing follows for afterwards; nor of the time
     * in which the end of the handshake gets lost: a browser that has no keys yet cannot report. */
    bool tells = alive && leg->spoke;
    leg->unheard =
        tells && outcome.told == 0 && outcome.sent > CK_PACE_SOUND_BPS ? leg->unheard + 1 : 0;
    if (leg->unheard >= (leg->uplink_loses ? UNHEARD_LOSSY_MAX : UNHEARD_MAX)) {
        ck_uplink_unheard(&leg->downlink, outcome.sent);
    } else if (ck_uplink_interval(&leg->downlink, &interval)) {
        ck_transit_rebase(&leg->round_trip);
    }
    set_pace(leg);
    ck_media_log(CK_WORKER_LOG_DEBUG,
                 "leg %llu: downlink %u of %u bit/s (told %llu), queue %lld us, %llu of %llu",
                 (unsigned long long)leg->id, outcome.sent, leg->downlink.allowed,
                 (unsigned long long)leg->told_bitrate, (long long)interval.queue_us,
                 (unsigned long long)outcome.lost, (unsigned long long)outcome.told);
}

/* Both ways, once an interval is over. */
static void judge(struct leg *leg)
{
    if (leg->worker->now.us - leg->interval_began.us < REPORT_MS * 500) {
        return;
    }
    judge_downlink(leg);
    judge_uplink(leg);
    leg->interval_began = leg->worker->now;
}

void feedback_arrivals(struct leg *leg)
{
    int64_t at_us[CK_RTCP_ARRIVALS_MAX];
    uint16_t base;
    uint8_t number;
    struct ck_writer writer;
    struct worker *worker = leg->worker;
    if (leg->transport_id == 0 || worker->now.us < leg->arrivals_due.us) {
        return;
    }
    leg->arrivals_due = ck_mono_add_us(worker->now, ARRIVALS_MS * 1000);
    unsigned count = ck_arrivals_report(&leg->arrivals, &base, at_us, &number);
    struct ck_packet *packet = count == 0 ? NULL : begin(leg, &writer);
    if (packet == NULL) {
        return;
    }
    /* Browsers take it only where it names a stream that they send. */
    const struct track *named = &leg->tracks[leg->tracks[VIDEO].source >= 0 ? VIDEO : AUDIO];
    uint32_t media = named->source < 0 ? 0 : leg->sources[named->source].rtp.ssrc;
    introduce(leg, &writer);
    ck_rtcp_write_transport(&writer, leg->ssrc, media, base, at_us, count, number);
    finish(leg, packet, &writer);
}

static void write_allowed(struct leg *leg, struct ck_writer *writer)
{
    const struct track *video = &leg->tracks[VIDEO];
    if (video->remb && video->source >= 0) {
        ck_rtcp_write_remb(writer, leg->ssrc, leg->uplink.allowed,
                           &leg->sources[video->source].rtp.ssrc, 1);
        ck_allowed_said(&leg->allowed, leg->uplink.allowed, leg->worker->now);
    }
}

void feedback_allowed(struct leg *leg)
{
    struct ck_writer writer;
    if (!leg->unheeded || !ck_allowed_due(&leg->allowed, leg->uplink.allowed, leg->worker->now)) {
        return;
    }
    struct ck_packet *packet = begin(leg, &writer);
    if (packet != NULL) {
        introduce(leg, &writer);
        write_allowed(leg, &writer);
        finish(leg, packet, &writer);
    }
}

void feedback_report(struct leg *leg)
{
    struct ck_writer writer;
    struct ck_packet *packet = begin(leg, &writer);
    if (packet == NULL) {
        return;
    }
    judge(leg);
    write_reports(leg, &writer);
    write_allowed(leg, &writer);
    finish(leg, packet, &writer);
}

/* --- statistics
 * ------------------------------------------------------------------------------------- */

static struct ck_worker_flow flow_in(struct leg *leg, struct track *track, int64_t us)
{
    uint64_t bytes = bytes_in(leg, track);
    struct ck_worker_flow flow = {
        .packets = packets_in(leg, track),
        .bytes = bytes,
        .lost = (uint32_t)track->past_lost,
        .nacked = (uint32_t)track->asked,
        .recovered = (uint32_t)track->found,
        .bitrate = rate_of(bytes - track->stats_in_bytes, us),
        .rtt_us = leg->rtt_us,
    };
    if (track->source >= 0) {
        const struct ck_source *source = &leg->sources[track->source].rtp;
        flow.lost += (uint32_t)ck_source_lost(source);
        flow.jitter_us = ck_source_jitter_us(source);
    }
    track->stats_in_bytes = bytes;
    return flow;
}

static struct ck_worker_flow flow_out(struct track *track, int64_t us)
{
    const struct ck_sender *sender = &track->out;
    if (!track->negotiated) {
        return (struct ck_worker_flow){0};
    }
    struct ck_worker_flow flow = {
        .packets = sender->packets,
        .bytes = sender->bytes,
        .lost = sender->reported_lost,
        .nacked = sender->asked,
        .recovered = sender->again,
        .bitrate = rate_of(sender->bytes - track->stats_out_bytes, us),
        .jitter_us = (uint32_t)((uint64_t)sender->reported_jitter * 1000000 / sender->hz),
        .rtt_us = sender->rtt_us,
    };
    track->stats_out_bytes = sender->bytes;
    return flow;
}

void feedback_stats(struct leg *leg)
{
    struct worker *worker = leg->worker;
    int64_t us = worker->now.us - leg->stats_began.us;
    struct ck_worker_message message = {
        .kind = CK_WORKER_LEG_STATS,
        .leg_stats = {.leg = leg->id,
                      .key_frames = leg->keys.whole_count,
                      .plis_sent = leg->keys.asked_count,
                      .width = leg->keys.width,
                      .height = leg->keys.height,
                      .bitrate_allowed = leg->allowed.told,
                      .audio_in = flow_in(leg, &leg->tracks[AUDIO], us),
                      .video_in = flow_in(leg, &leg->tracks[VIDEO], us),
                      .audio_out = flow_out(&leg->tracks[AUDIO], us),
                      .video_out = flow_out(&leg->tracks[VIDEO], us)},
    };
    worker_send(worker, &message, true);
    leg->stats_began = worker->now;
    leg->stats_due = ck_mono_add_us(
        worker->now, duration_us(worker->config.durations.stats_ms, CK_WORKER_STATS_MS));
}
