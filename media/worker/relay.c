/* From one leg of a call to the other. A packet goes on at once; it is encrypted for the other
 * browser into a packet of its own, which is kept to be sent again as it is. */
#include <string.h>

#include "media/worker/worker_impl.h"
#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* A packet of padding alone keeps the numbers without a hole: 4 bytes, all padding (RFC 3550
 * section 5.1). */
static const uint8_t padding[4] = {0, 0, 0, 4};
#define PADDING_BIT 0x20

static bool takes(const struct leg *peer, enum kind kind)
{
    return peer != NULL && peer->state == LEG_CONNECTED && !peer->suspended &&
           peer->tracks[kind].negotiated && peer->tracks[kind].receives;
}

/* Everything up to the next key frame is left out. Where that takes its time on the way there is a
 * pause first, in which the sound has the way for itself. */
static void leave_out(struct ck_sender *sender, struct ck_mono now)
{
    if (!sender->waiting && sender->pace.bitrate < CK_PACE_ROOMY_BPS) {
        sender->poor_asked = now;
    }
    sender->waiting = true;
    sender->poor = true;
}

/* A key frame that a poor downlink has no room for would be for nothing, and many of them worsen
 * what the other person sends. */
static bool may_ask(const struct ck_sender *sender, struct ck_mono now)
{
    const struct ck_pace *pace = &sender->pace;
    return !sender->poor || !pace->known ||
           (!ck_pace_is_shut(pace) && ck_pace_wait_us(pace) <= CK_PACE_FRESH_MS * 1000 / 2 &&
            now.us - sender->poor_asked.us >= CK_SENDER_POOR_KEY_MS * 1000);
}

/* Whether a packet of the picture goes to a downlink: not before its first key frame, and no frame
 * is begun that would come late, in which case everything up to the next key frame is left out. The
 * evidence from the uplink is never made worse for it. */
static bool passes(struct leg *from, struct ck_sender *sender, const struct ck_vp8 *vp8,
                   bool *resume)
{
    struct ck_mono now = from->worker->now;
    bool begins = vp8->start && vp8->partition == 0;
    bool late = begins && ck_pace_wait_us(&sender->pace) > CK_PACE_FRESH_MS * 1000;
    if (sender->waiting && !vp8->key_frame) {
        if (may_ask(sender, now)) {
            sender->poor_asked = now;
            ck_key_frames_want(&from->keys, false);
        }
        return false;
    }
    if (late || ck_pace_is_shut(&sender->pace)) {
        leave_out(sender, now);
        return false;
    }
    *resume = sender->waiting;
    sender->waiting = false;
    sender->poor = false;
    return true;
}

/* Where what is lost of it counts. */
static struct ck_uplink_place *place_of(struct leg *peer, bool full)
{
    return full ? &peer->sent_places.behind : &peer->sent_places.elsewhere;
}

static void forward(struct leg *peer, struct track *track, struct ck_packet *packet,
                    uint64_t sequence, uint32_t timestamp)
{
    struct worker *worker = peer->worker;
    struct ck_packet *out = ck_packet_get(worker->pool);
    if (out == NULL) {
        return;
    }
    if (track->nack) {
        ck_sender_ahead_oldest(&track->out);
    }
    const struct ck_rtp *rtp = &packet->rtp;
    struct ck_rtp header = {
        .marker = rtp->marker,
        .payload_type = track->type,
        .sequence = (uint16_t)sequence,
        .timestamp = timestamp,
        .ssrc = track->out.ssrc,
    };
    ck_rtp_write_header(&header, out->data);
    const uint8_t *payload = packet->data + rtp->header_size;
    size_t payload_size = rtp->payload_size;
    if (payload_size == 0) {
        payload = padding;
        payload_size = sizeof padding;
        out->data[0] |= PADDING_BIT;
    }
    size_t size = 0;
    if (worker->srtp->protect(peer->out, out->data, CK_RTP_HEADER_SIZE, payload, payload_size,
                              &size) == CK_OK) {
        out->size = (uint32_t)size;
        path_send(peer, out);
        track->out.packets++;
        track->out.bytes += rtp->payload_size;
        if (track->nack) {
            bool full = ck_pace_is_full(&peer->tracks[VIDEO].out.pace, worker->now);
            ck_sender_keep(&track->out, sequence, timestamp, track->out.uses_rtx ? packet : out,
                           worker->now, full);
            place_of(peer, full)->came++;
        }
    }
    ck_packet_drop(worker->pool, out);
}

static void send_one(struct leg *peer, struct track *track, const struct ck_paced *paced)
{
    uint64_t sequence = 0;
    uint32_t timestamp = 0;
    if (ck_sender_map(&track->out, paced->feed, paced->resume, paced->sequence,
                      paced->packet->rtp.timestamp, peer->worker->now, &sequence, &timestamp)) {
        forward(peer, track, paced->packet, sequence, timestamp);
    }
}

void relay_packet(struct leg *from, enum kind kind, const struct source *source, uint64_t sequence,
                  struct ck_packet *packet, const struct ck_vp8 *vp8)
{
    struct leg *peer = leg_peer(from);
    if (!from->call->relay || !takes(peer, kind)) {
        return;
    }
    struct track *track = &peer->tracks[kind];
    struct ck_sender *sender = &track->out;
    struct ck_paced paced = {.packet = packet, .feed = source->feed, .sequence = sequence};
    if (source->feed != sender->feed) {
        sender->waiting = true;
    }
    if (vp8 == NULL) { /* sound always goes on, at once */
        paced.resume = sender->waiting;
        sender->waiting = false;
        send_one(peer, track, &paced);
    } else if (passes(from, sender, vp8, &paced.resume)) {
        if (ck_pace_is_open(&sender->pace)) {
            send_one(peer, track, &paced);
        } else if (ck_pace_put(&sender->pace, &paced)) {
            relay_paced(peer);
        } else {
            leave_out(sender, from->worker->now);
        }
    }
}

void relay_paced(struct leg *leg)
{
    struct track *track = &leg->tracks[VIDEO];
    struct ck_pace *pace = &track->out.pace;
    struct ck_paced paced;
    if (pace->count > 0 && (!takes(leg, VIDEO) || !leg->call->relay || ck_pace_is_shut(pace))) {
        ck_pace_clear(pace);
        leave_out(&track->out, leg->worker->now);
    }
    while (ck_pace_take(pace, leg->worker->now, &paced)) {
        send_one(leg, track, &paced);
        ck_packet_drop(leg->worker->pool, paced.packet);
    }
    if (pace->count > 0) {
        leg_soon(leg, TICK_MS * 1000);
    }
}

/* The lost packet's number in front of its payload, in the retransmission stream. Payloads that
 * would not fit any more are of packets longer than we ever send. */
static void send_rtx(struct leg *leg, struct ck_sender *sender, const struct ck_sent *sent)
{
    struct worker *worker = leg->worker;
    const struct ck_rtp *rtp = &sent->packet->rtp;
    uint8_t payload[CK_RTP_RTX_SIZE + CK_PACKET_ROOM];
    struct ck_packet *out = ck_packet_get(worker->pool);
    if (out == NULL) {
        return;
    }
    struct ck_rtp header = {
        .marker = rtp->marker,
        .payload_type = sender->rtx_type,
        .sequence = sender->rtx_sequence++,
        .timestamp = sent->timestamp,
        .ssrc = sender->rtx_ssrc,
    };
    ck_rtp_write_header(&header, out->data);
    ck_put_u16(payload, (uint16_t)sent->sequence);
    memcpy(payload + CK_RTP_RTX_SIZE, sent->packet->data + rtp->header_size, rtp->payload_size);
    size_t size = 0;
    if (worker->srtp->protect(leg->out, out->data, CK_RTP_HEADER_SIZE, payload,
                              CK_RTP_RTX_SIZE + rtp->payload_size, &size) == CK_OK) {
        out->size = (uint32_t)size;
        path_send(leg, out);
    }
    ck_packet_drop(worker->pool, out);
}

void relay_again(struct leg *leg, enum kind kind, uint16_t sequence)
{
    struct ck_sender *sender = &leg->tracks[kind].out;
    const struct ck_sent *sent = ck_sender_again(sender, sequence, leg->worker->now);
    if (sent != NULL && sent->repeats == 1) {
        place_of(leg, sent->full)->missed++;
    }
    /* What is sent again takes its share of a poor downlink like anything else; where there is no
     * room but for the sound, the sound itself is not sent twice. */
    struct ck_pace *pace = &leg->tracks[VIDEO].out.pace;
    if (sent == NULL || (kind == AUDIO && ck_pace_is_shut(pace)) ||
        (kind == VIDEO && !ck_pace_again(pace, sent->packet->size * 8, leg->worker->now))) {
        return;
    }
    if (sender->uses_rtx) {
        send_rtx(leg, sender, sent);
    } else {
        path_send(leg, sent->packet);
    }
}

void relay_begin(struct call *call)
{
    for (unsigned i = 0; i < LEGS_PER_CALL; i++) {
        struct leg *leg = call->legs[i];
        if (leg == NULL || leg->state != LEG_CONNECTED) {
            continue;
        }
        for (int kind = 0; kind < KINDS; kind++) {
            leg->tracks[kind].out.waiting = true;
        }
        ck_key_frames_want(&leg->keys, true);
        leg_soon(leg, 0);
    }
}
