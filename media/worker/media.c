/* Media and its control packets from the browsers. Nothing of a leg changes before a packet's tag
 * has verified. */
#include <string.h>

#include "media/worker/worker_impl.h"
#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

#define UPLINK_KNOWN_US 200000 /* since the last sound */

/* --- sources
 * ---------------------------------------------------------------------------------------- */

static struct source *source_find(struct leg *leg, uint32_t ssrc)
{
    for (unsigned i = 0; i < leg->source_count; i++) {
        if (leg->sources[i].rtp.ssrc == ssrc) {
            return &leg->sources[i];
        }
    }
    return NULL;
}

/* A new source takes over from the one before: the browser has changed its microphone or camera. */
static void source_present(struct leg *leg, enum kind kind, int index)
{
    struct track *track = &leg->tracks[kind];
    if (track->source >= 0) {
        const struct ck_source *past = &leg->sources[track->source].rtp;
        track->past_packets += past->received;
        track->past_bytes += past->bytes;
        track->past_lost += ck_source_lost(past);
    }
    track->source = index;
    ck_transit_init(&track->transit, leg->sources[index].rtp.hz);
    ck_missing_clear(&track->missing);
    record_source_changed(leg, kind);
    if (kind == VIDEO) {
        leg->camera_heard = leg->worker->now;
        leg->report_due = leg->worker->now; /* REMB at once: without it the browser begins low */
        ck_key_frames_want(&leg->keys, true);
        leg_soon(leg, 0);
    }
}

static struct source *source_add(struct leg *leg, const struct ck_rtp *rtp, enum kind kind)
{
    if (leg->source_count == SOURCES_PER_LEG) {
        return NULL;
    }
    struct source *source = &leg->sources[leg->source_count];
    ck_source_init(&source->rtp, rtp->ssrc, kind == AUDIO ? CK_RTP_AUDIO_HZ : CK_RTP_VIDEO_HZ);
    source->kind = kind;
    source->feed = ++leg->worker->feeds;
    source_present(leg, kind, (int)leg->source_count++);
    return source;
}

/* The source of an authentic packet; NULL where the packet is of no use: a probe on SSRC 0, a
 * payload type that was not negotiated, another medium than before. */
static struct source *source_of(struct leg *leg, const struct ck_rtp *rtp)
{
    enum kind kind;
    if (leg->tracks[AUDIO].negotiated && rtp->payload_type == leg->tracks[AUDIO].type) {
        kind = AUDIO;
    } else if (leg->tracks[VIDEO].negotiated && rtp->payload_type == leg->tracks[VIDEO].type) {
        kind = VIDEO;
    } else {
        return NULL;
    }
    if (rtp->ssrc == 0 || !leg->tracks[kind].sends) {
        return NULL;
    }
    struct source *source = source_find(leg, rtp->ssrc);
    if (source == NULL) {
        return source_add(leg, rtp, kind);
    }
    return source->kind == kind ? source : NULL;
}

/* --- RTP
 * -------------------------------------------------------------------------------------------- */

int64_t media_late_us(const struct leg *leg)
{
    const struct track *audio = &leg->tracks[AUDIO];
    bool speaks = audio->source >= 0 &&
                  leg->worker->now.us - leg->sources[audio->source].rtp.heard.us < UPLINK_KNOWN_US;
    int64_t late_us = speaks ? ck_transit_late_us(&audio->transit) : 0;
    return late_us < 0 ? 0 : late_us;
}

/* Where a packet came, and what is missing in front of it. */
static void note_place(struct leg *leg, int ahead)
{
    bool behind = media_late_us(leg) >= CK_UPLINK_QUEUE_HIGH_US;
    struct ck_uplink_place *place = behind ? &leg->places.behind : &leg->places.elsewhere;
    place->came++;
    place->missed += (unsigned)ahead - 1;
}

static void note_sequence(struct leg *leg, struct track *track, int ahead, uint64_t sequence)
{
    if (ahead > 0 && ahead <= CK_MISSING_MAX) {
        note_place(leg, ahead);
    }
    if (ahead > CK_MISSING_MAX) { /* an outage: it says nothing about what the uplink carries */
        ck_missing_clear(&track->missing);
        if (track->kind == VIDEO) {
            ck_key_frames_give_up(&leg->keys);
        }
    } else if (ahead > 1) {
        track->missed += (unsigned)ahead - 1;
        if (track->nack) {
            if (ck_missing_gap(&track->missing, sequence - (unsigned)ahead + 1, sequence,
                               leg->worker->now)) {
                leg_soon(leg, TICK_MS * 1000);
            } else if (track->kind == VIDEO) {
                ck_key_frames_give_up(&leg->keys);
            }
        }
    } else if (ahead <= 0 && ck_missing_found(&track->missing, sequence)) {
        track->found++;
    }
}

static void note_camera(struct leg *leg)
{
    struct ck_mono now = leg->worker->now;
    if (leg->camera_stopped) {
        leg->camera_stopped = false;
        leg_event(leg, CK_WORKER_EVENT_CAMERA_BACK,
                  (uint32_t)((now.us - leg->camera_heard.us) / 1000));
        record_gap(leg, VIDEO, CK_WORKER_EVENT_CAMERA_STOPPED, leg->camera_heard);
        ck_key_frames_want(&leg->keys, true);
        leg_soon(leg, 0);
    }
    leg->camera_heard = now;
}

/* The descriptor of a video packet; false where it lies. */
static bool note_video(struct leg *leg, const struct ck_packet *packet, uint64_t sequence,
                       struct ck_vp8 *vp8)
{
    const struct ck_rtp *rtp = &packet->rtp;
    if (ck_vp8_read(packet->data + rtp->header_size, rtp->payload_size, vp8) != CK_OK) {
        return false;
    }
    note_camera(leg);
    if (ck_key_frames_packet(&leg->keys, sequence, rtp, vp8, leg->worker->now) &&
        !leg->key_frame_told) {
        leg->key_frame_told = true;
        leg_event(leg, CK_WORKER_EVENT_FIRST_KEY_FRAME,
                  (uint32_t)leg->keys.width << 16 | leg->keys.height);
    }
    return true;
}

/* A new packet of the present source of its medium, to whom it concerns. */
static void pass_on(struct leg *leg, struct source *source, uint64_t sequence,
                    struct ck_packet *packet)
{
    enum kind kind = source->kind == AUDIO ? AUDIO : VIDEO;
    struct track *track = &leg->tracks[kind];
    struct ck_vp8 vp8 = {0};
    if (packet->rtp.payload_size > 0) { /* else: a probe that only keeps the numbers */
        if (kind == VIDEO && !note_video(leg, packet, sequence, &vp8)) {
            leg->worker->counts.dropped++;
            return;
        }
        if (kind == AUDIO && !track->heard) {
            leg_event(leg, CK_WORKER_EVENT_FIRST_AUDIO, 0);
        }
        track->heard = true;
    }
    relay_packet(leg, kind, source, sequence, packet, kind == VIDEO ? &vp8 : NULL);
    record_packet(leg, kind, sequence, packet);
}

static void take_rtp(struct leg *leg, struct ck_packet *packet)
{
    struct source *source = source_of(leg, &packet->rtp);
    if (source == NULL) {
        leg->worker->counts.dropped++;
        return;
    }
    struct track *track = &leg->tracks[source->kind];
    uint64_t sequence = 0;
    int ahead = ck_source_packet(&source->rtp, &packet->rtp, packet->arrival, &sequence);
    if (source != &leg->sources[track->source]) {
        return; /* a source of before, still on its way */
    }
    packet->again = ahead <= 0;
    if (ahead > 0) {
        ck_transit_packet(&track->transit, packet->rtp.timestamp, packet->arrival);
    }
    note_sequence(leg, track, ahead, sequence);
    if (ck_source_is_new(&source->rtp, sequence)) {
        pass_on(leg, source, sequence, packet);
    }
}

/* A retransmission (RFC 4588) becomes the packet that it repeats, in place. What nobody waits for,
 * a probe among them, ends here. */
static void take_rtx(struct leg *leg, struct ck_packet *packet)
{
    struct track *track = &leg->tracks[VIDEO];
    struct ck_rtp *rtp = &packet->rtp;
    uint8_t *payload = packet->data + rtp->header_size;
    uint64_t sequence = 0;
    size_t size = 0;
    uint16_t original = 0;
    if (track->source < 0 ||
        ck_rtp_read_rtx(payload, rtp->payload_size, &original, &size) != CK_OK || size == 0) {
        return;
    }
    struct source *source = &leg->sources[track->source];
    packet->again = true;
    rtp->sequence = original;
    rtp->payload_type = track->type;
    rtp->ssrc = source->rtp.ssrc;
    rtp->payload_size = size;
    if (!ck_source_repaired(&source->rtp, rtp, &sequence) ||
        !ck_missing_found(&track->missing, sequence) || !ck_source_is_new(&source->rtp, sequence)) {
        return;
    }
    track->found++;
    memmove(payload, payload + CK_RTP_RTX_SIZE, size);
    packet->size = (uint32_t)(rtp->header_size + size);
    pass_on(leg, source, sequence, packet);
}

static bool is_rtx(const struct leg *leg, const struct ck_rtp *rtp)
{
    const struct track *video = &leg->tracks[VIDEO];
    return video->negotiated && video->sends && video->rtx_type == rtp->payload_type;
}

/* The browser counts all its packets, whatever they are, to hear when each arrived. */
static void note_arrival(struct leg *leg, const struct ck_packet *packet)
{
    size_t size = 0;
    const uint8_t *number = leg->transport_id == 0 ? NULL
                                                   : ck_rtp_extension(packet->data, &packet->rtp,
                                                                      leg->transport_id, &size);
    if (number != NULL && size == 2) {
        ck_arrivals_packet(&leg->arrivals, ck_get_u16(number), packet->arrival);
    }
}

void media_rtp(struct worker *worker, struct ck_packet *packet, const struct ck_path *path)
{
    uint32_t tuple;
    struct leg *leg = path_leg(worker, packet, path, &tuple);
    size_t size = packet->size;
    int error = leg == NULL || leg->in == NULL
                    ? CK_E_NOT_FOUND
                    : worker->srtp->unprotect(leg->in, packet->data, &size);
    if (error == CK_E_LIMIT && !leg->source_refused) {
        leg->source_refused = true;
        leg_event(leg, CK_WORKER_EVENT_SSRC_REFUSED, 0);
    }
    if (error != CK_OK || ck_rtp_read(packet->data, size, &packet->rtp) != CK_OK) {
        worker->counts.dropped++;
        return;
    }
    packet->size = (uint32_t)size;
    path_heard(leg, tuple);
    note_arrival(leg, packet);
    if (is_rtx(leg, &packet->rtp)) {
        take_rtx(leg, packet);
    } else {
        take_rtp(leg, packet);
    }
}

/* --- RTCP
 * ------------------------------------------------------------------------------------------- */

static void take_sender_report(struct leg *leg, const struct ck_rtcp *part, struct ck_mono arrival)
{
    struct ck_rtcp_sender report;
    if (ck_rtcp_read_sender(part, &report) != CK_OK) {
        return;
    }
    struct source *source = source_find(leg, report.ssrc);
    if (source == NULL) {
        return;
    }
    ck_source_report_in(&source->rtp, &report, arrival);
    if (!leg->has_clock) {
        leg->has_clock = true;
        leg->clock_offset_us = leg->worker->wall_us - ck_us_of_ntp(report.ntp);
    }
    if (leg->tracks[source->kind].source == source - leg->sources) {
        record_report(leg, source->kind, &report);
    }
}

static struct ck_sender *sender_find(struct leg *leg, uint32_t ssrc, enum kind *kind)
{
    for (int i = 0; i < KINDS; i++) {
        if (leg->tracks[i].negotiated && leg->tracks[i].out.ssrc == ssrc) {
            *kind = (enum kind)i;
            return &leg->tracks[i].out;
        }
    }
    return NULL;
}

static void take_report(struct leg *leg, struct ck_sender *sender,
                        const struct ck_rtcp_report *report)
{
    bool news = false;
    if (!ck_sender_reported(sender, report, ck_ntp_of_us(leg->worker->wall_us), &news)) {
        return;
    }
    leg->rtt_us = sender->rtt_us;
    int64_t late_us = media_late_us(leg); /* that much of the trip is the uplink's */
    if (news) {
        ck_transit_sample(&leg->round_trip, late_us < leg->rtt_us ? leg->rtt_us - late_us : 0,
                          leg->worker->now);
    }
}

static void take_reports(struct leg *leg, const struct ck_rtcp *part)
{
    struct ck_rtcp_report report;
    for (unsigned i = 0; ck_rtcp_read_report(part, i, &report) == CK_OK; i++) {
        enum kind kind;
        struct ck_sender *sender = sender_find(leg, report.ssrc, &kind);
        if (sender != NULL) {
            take_report(leg, sender, &report);
        }
    }
}

static void take_nack(struct leg *leg, const struct ck_rtcp *part)
{
    enum kind kind;
    uint32_t ssrc;
    uint16_t first;
    uint16_t more;
    if (ck_rtcp_read_media(part, &ssrc) != CK_OK || sender_find(leg, ssrc, &kind) == NULL) {
        return;
    }
    for (unsigned i = 0; ck_rtcp_read_nack(part, i, &first, &more) == CK_OK; i++) {
        relay_again(leg, kind, first);
        for (unsigned bit = 0; bit < 16; bit++) {
            if ((more >> bit & 1) != 0) {
                relay_again(leg, kind, (uint16_t)(first + bit + 1));
            }
        }
    }
}

/* The browser wants a key frame of what we send it: of what its peer sends us. */
static void want_key_frame(struct leg *leg)
{
    struct leg *peer = leg_peer(leg);
    if (peer != NULL && leg->call->relay && peer->state == LEG_CONNECTED) {
        ck_key_frames_want(&peer->keys, false);
        leg_soon(peer, 0);
    }
}

static void take_payload_feedback(struct leg *leg, const struct ck_rtcp *part)
{
    uint32_t ssrc;
    uint8_t number;
    uint64_t bitrate;
    const struct ck_sender *video = &leg->tracks[VIDEO].out;
    if (!leg->tracks[VIDEO].negotiated) {
        return;
    }
    if (part->count == CK_RTCP_PLI && ck_rtcp_read_media(part, &ssrc) == CK_OK &&
        ssrc == video->ssrc) {
        want_key_frame(leg);
    } else if (part->count == CK_RTCP_FIR && ck_rtcp_read_fir(part, 0, &ssrc, &number) == CK_OK &&
               ssrc == video->ssrc) {
        want_key_frame(leg);
    } else if (part->count == CK_RTCP_AFB && ck_rtcp_read_remb(part, &bitrate) == CK_OK) {
        feedback_told(leg, bitrate);
    }
}

static void take_part(struct leg *leg, const struct ck_rtcp *part, struct ck_mono arrival)
{
    switch (part->type) {
    case CK_RTCP_SR:
        take_sender_report(leg, part, arrival);
        take_reports(leg, part);
        break;
    case CK_RTCP_RR:
        take_reports(leg, part);
        break;
    case CK_RTCP_RTPFB:
        if (part->count == CK_RTCP_NACK) {
            take_nack(leg, part);
        }
        break;
    case CK_RTCP_PSFB:
        take_payload_feedback(leg, part);
        break;
    default:
        break; /* SDES, BYE, XR: nothing that we need */
    }
}

void media_rtcp(struct worker *worker, struct ck_packet *packet, const struct ck_path *path)
{
    uint32_t tuple;
    struct leg *leg = path_leg(worker, packet, path, &tuple);
    size_t size = packet->size;
    if (leg == NULL || leg->in == NULL ||
        worker->srtp->unprotect_control(leg->in, packet->data, &size) != CK_OK) {
        worker->counts.dropped++;
        return;
    }
    path_heard(leg, tuple);
    struct ck_reader reader = ck_reader_of(packet->data, size);
    struct ck_rtcp part;
    for (unsigned i = 0; i < CK_RTCP_PACKETS_MAX && ck_rtcp_next(&reader, &part) == CK_OK; i++) {
        take_part(leg, &part, packet->arrival);
    }
}
