/* What a client receives: every packet's header, mark and place in its frame is checked; gaps are
 * asked for. */
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "tests/client/client_impl.h"

#define NACK_WAIT_US 10000 /* a packet may be that late by reordering alone */
#define NACK_AGAIN_US 40000
#define NACK_POLITE_US 200000 /* of one who keeps to what the network carries */
#define NACK_TRIES 20
#define NACK_TURN_US 10000
#define GAP_MAX 1000 /* a wider jump is a new start, not loss */
#define DEFAULT_REPORT_US 1000000
#define FIRST_KEY_US 300000 /* without a key frame for so long: ask */

static unsigned kind_of(const struct ck_tclient *client, uint8_t pt)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        uint8_t agreed = client->plain ? (kind == 0 ? CK_TSDP_PT_OPUS : CK_TSDP_PT_VP8)
                                       : client->answer.section[kind].pt;
        if (pt == agreed) {
            return kind;
        }
    }
    return 2;
}

static void forget_missing(struct ck_tclient *client, struct inflow *flow, uint16_t sequence)
{
    for (size_t i = 0; i < flow->missings; i++) {
        if (flow->missing[i].sequence == sequence) {
            client->stats.repaired += flow->missing[i].tries > 0;
            flow->missings--;
            memmove(flow->missing + i, flow->missing + i + 1,
                    (flow->missings - i) * sizeof *flow->missing);
            return;
        }
    }
}

static void note_missing(struct ck_tclient *client, struct inflow *flow, uint32_t from, uint32_t to)
{
    int64_t now = ck_crowd_now(client->config.crowd).us;
    bool agreed = client->answer.section[flow - client->in].nack;
    if (!agreed || client->config.no_nack || to - from > GAP_MAX) {
        return;
    }
    for (uint32_t s = from; s != to && flow->missings < MISSING_MAX; s++) {
        flow->missing[flow->missings++] =
            (struct missing){.sequence = (uint16_t)s, .next_us = now + NACK_WAIT_US};
    }
    if (flow->missings > 0 && client->nack_timer.place == 0) {
        ck_crowd_arm(client->config.crowd, &client->nack_timer, client_after(client, NACK_WAIT_US));
    }
}

/* Extends the sequence number, counts and keeps the gaps (RFC 3550 appendix A). */
static void note_sequence(struct ck_tclient *client, struct inflow *flow, uint16_t sequence)
{
    flow->received++;
    if (!flow->any) {
        flow->any = true;
        flow->first = flow->highest = 0x10000U | sequence;
        return;
    }
    int16_t step = (int16_t)(sequence - (uint16_t)flow->highest);
    if (step <= 0) {
        forget_missing(client, flow, sequence);
        return;
    }
    note_missing(client, flow, flow->highest + 1, flow->highest + (uint32_t)step);
    flow->highest += (uint32_t)step;
}

static void note_jitter(struct inflow *flow, uint64_t arrived_ns, uint32_t timestamp, uint32_t rate)
{
    int64_t transit = (int64_t)(arrived_ns / 1000 * rate / 1000000) - (int64_t)timestamp;
    int64_t d = transit - flow->transit;
    bool first = flow->transit == 0;
    flow->transit = transit;
    d = (int32_t)d < 0 ? -(int64_t)(int32_t)d : (int32_t)d;
    if (!first) {
        flow->jitter += (uint32_t)d - ((flow->jitter + 8) >> 4);
    }
}

/* The bytes before the VP8 frame data, 0 where the descriptor is malformed (RFC 7741 section 4.2).
 */
static size_t descriptor_size(const uint8_t *payload, size_t size, bool *start)
{
    size_t at = 1;
    if (size < 2) {
        return 0;
    }
    *start = (payload[0] & 0x17) == 0x10;
    if (payload[0] & 0x80) {
        uint8_t extended = payload[at++];
        if (extended & 0x80) {
            if (at >= size) {
                return 0;
            }
            at += payload[at] & 0x80 ? 2 : 1;
        }
        at += extended & 0x40 ? 1 : 0;
        at += extended & 0x30 ? 1 : 0;
    }
    return at < size ? at : 0;
}

/* Notes a packet of a frame; true where that made it whole. */
static bool gather(struct inflow *flow, const struct ck_mark *mark)
{
    uint32_t number = (mark->frame & ~CK_MARK_KEY) + 1;
    struct gathered *slot = &flow->gathered[number % FRAMES_GATHERED];
    if (slot->frame != number) {
        if (slot->frame > number) {
            return false;
        }
        *slot = (struct gathered){.frame = number};
    }
    slot->parts |= UINT32_C(1) << (mark->part & 31);
    return slot->parts == (mark->parts >= 32 ? UINT32_MAX : (UINT32_C(1) << mark->parts) - 1);
}

/* A receiver without a whole key frame has nothing to show: it asks, and asks again, as browsers
 * do. What was lost before the first packet it got it cannot ask for. */
static void want_first_key_frame(struct ck_tclient *client)
{
    int64_t now = ck_crowd_now(client->config.crowd).us;
    if (client->stats.key_frames > 0 || client->plain) {
        return;
    }
    if (client->key_due_us != 0 && now >= client->key_due_us) {
        ck_tclient_want_key_frame(client);
        client->key_due_us = 0;
    }
    if (client->key_due_us == 0) {
        client->key_due_us = now + FIRST_KEY_US;
    }
}

static void note_tone(struct ck_tclient *client, uint32_t frame)
{
    uint32_t second = frame / 50;
    unsigned slot = second % 64;
    if (frame % 50 >= 5) {
        return;
    }
    if (client->tone_second[slot] != second + 1) {
        client->tone_second[slot] = second + 1;
        client->tone_parts[slot] = 0;
    }
    client->stats.tones += ++client->tone_parts[slot] == 3;
}

static void take_new(struct ck_tclient *client, unsigned kind, const struct ck_mark *mark,
                     uint64_t arrived_ns)
{
    struct ck_tclient_stats *stats = &client->stats;
    if (client->config.latency != NULL && arrived_ns > mark->sent_ns) {
        ck_histogram_add(client->config.latency, (arrived_ns - mark->sent_ns) / 1000);
    }
    if (stats->first_packet_us == 0) {
        stats->first_packet_us = ck_crowd_now(client->config.crowd).us;
        client_event(client, CK_TCLIENT_FIRST_PACKET);
    }
    if (kind == 0) {
        stats->sounds_with_tone += mark->frame % 50 == 0;
        note_tone(client, mark->frame);
    } else if (gather(&client->in[1], mark)) {
        stats->frames_whole++;
        stats->key_frames += (mark->frame & CK_MARK_KEY) != 0;
    }
    if (kind == 1) {
        want_first_key_frame(client);
    }
}

static void check_mark(struct ck_tclient *client, unsigned kind,
                       const struct ck_trtp_header *header, const uint8_t *payload, size_t size,
                       uint64_t arrived_ns)
{
    struct ck_account *account = &client->stats.account[kind];
    struct ck_mark mark;
    bool start = false;
    if (client->config.unmarked) {
        account->packets++;
        account->bytes += size;
        return;
    }
    size_t skip = kind == 0 ? 0 : descriptor_size(payload, size, &start);
    if ((kind == 1 && skip == 0) || ck_mark_read(payload + skip, size - skip, &mark) != 0) {
        account->corrupt++;
        return;
    }
    if (mark.call != client->config.call || mark.leg != client->config.peer_leg ||
        mark.kind != kind) {
        account->foreign++;
        return;
    }
    if (kind == 1 &&
        (start != (mark.part == 0) || header->marker != (mark.part + 1 == mark.parts))) {
        client->stats.wrong_header++;
    }
    if (mark.origin != account->origin) {
        memset(client->in[kind].gathered, 0, sizeof client->in[kind].gathered);
    }
    if (ck_account_take(account, &mark, size, header->sequence, header->timestamp)) {
        take_new(client, kind, &mark, arrived_ns);
    }
}

/* Puts the original packet's number and type back (RFC 4588 section 4). */
static bool restore_rtx(struct ck_tclient *client, struct ck_trtp_header *header,
                        const uint8_t **payload, size_t *size)
{
    const struct ck_tsdp_section *section = &client->answer.section[1];
    if (section->rtx_pt == 0 || header->pt != section->rtx_pt) {
        return false;
    }
    if (*size < 2) {
        return false;
    }
    header->pt = section->pt;
    header->ssrc = client->in[1].ssrc != 0 ? client->in[1].ssrc : section->ssrc;
    header->sequence = ck_get_u16(*payload);
    *payload += 2;
    *size -= 2;
    client->stats.rtx_in++;
    return true;
}

static bool source_is_right(struct ck_tclient *client, unsigned kind,
                            const struct ck_trtp_header *header)
{
    struct inflow *flow = &client->in[kind];
    uint32_t announced = client->plain ? 0 : client->answer.section[kind].ssrc;
    if (flow->ssrc == 0) {
        flow->ssrc = announced != 0 ? announced : header->ssrc;
    }
    return header->ssrc == flow->ssrc && header->foreign_ids == 0;
}

void receiver_rtp(struct ck_tclient *client, uint8_t *data, size_t size, uint64_t arrived_ns)
{
    struct ck_trtp_header header = {.mid_id = client->answer.section[0].ext_mid,
                                    .twcc_id = client->answer.section[0].ext_twcc,
                                    .level_id = client->answer.section[0].ext_level};
    const uint8_t *payload;
    size_t length;
    int error = guard_unprotect(&client->guard, data, &size, false);
    if (error != 0) {
        *(error == CK_E_CONFLICT ? &client->stats.replays : &client->stats.bad_tags) += 1;
        return;
    }
    if (ck_trtp_read(data, size, &header, &payload, &length) != 0) {
        client->stats.unreadable++;
        return;
    }
    if (length == 0) {
        client->stats.empty++;
        return;
    }
    restore_rtx(client, &header, &payload, &length);
    unsigned kind = kind_of(client, header.pt);
    if (kind == 2 || !source_is_right(client, kind, &header)) {
        client->stats.wrong_header++;
        return;
    }
    note_sequence(client, &client->in[kind], header.sequence);
    note_jitter(&client->in[kind], arrived_ns, header.timestamp, kind == 0 ? 48000 : 90000);
    check_mark(client, kind, &header, payload, length, arrived_ns);
}

static void take_feedback(struct ck_tclient *client, const struct ck_trtp_feedback *feedback)
{
    struct ck_tclient_stats *stats = &client->stats;
    for (size_t i = 0; i < feedback->reports; i++) {
        for (unsigned kind = 0; kind < 2; kind++) {
            if (feedback->report[i].ssrc == client->out[kind].ssrc) {
                stats->report[kind] = feedback->report[i];
            }
        }
    }
    if (feedback->plis + feedback->firs > 0) {
        client->want_key = true;
    }
    for (size_t i = 0; i < feedback->nacks; i++) {
        sender_resend(client, feedback->nack_ssrc[i], feedback->nack[i]);
    }
    stats->reports_in += feedback->reports;
    stats->plis_in += feedback->plis + feedback->firs;
    stats->nacks_in += feedback->nacks + feedback->nacks_beyond;
    stats->twccs_in += feedback->twccs;
    stats->twcc_told += feedback->twcc_told;
    stats->twcc_came += feedback->twcc_came;
    stats->byes_in += feedback->byes;
    if (feedback->remb_bps != 0) {
        stats->remb_bps = feedback->remb_bps;
        if (stats->remb_least_bps == 0 || feedback->remb_bps < stats->remb_least_bps) {
            stats->remb_least_bps = feedback->remb_bps;
        }
    }
}

/* When the kernel got it, or when the stall was over in which it came: how late this program reads
 * is nobody's network, and must not look like one in what is reported of a round trip. */
static int64_t arrival_us(struct ck_tclient *client, uint64_t arrived_ns)
{
    int64_t now_us = ck_crowd_now(client->config.crowd).us;
    int64_t late_us = ((int64_t)ck_crowd_wall_ns() - (int64_t)arrived_ns) / 1000;
    int64_t at_us = late_us < 0 ? now_us : now_us - late_us;
    at_us = at_us < client->stalled_until.us ? client->stalled_until.us : at_us;
    if (now_us - at_us > client->stats.late_us) {
        client->stats.late_us = now_us - at_us;
    }
    return at_us;
}

void receiver_rtcp(struct ck_tclient *client, uint8_t *data, size_t size, uint64_t arrived_ns)
{
    struct ck_trtp_feedback feedback;
    int error = guard_unprotect(&client->guard, data, &size, true);
    if (error != 0) {
        *(error == CK_E_CONFLICT ? &client->stats.replays : &client->stats.bad_tags) += 1;
        return;
    }
    if (ck_trtp_read_rtcp(data, size, &feedback) != 0) {
        client->stats.bad_rtcp++;
        return;
    }
    client->stats.rtcp_in++;
    if (feedback.has_sender) {
        client->stats.senders_in++;
        for (unsigned kind = 0; kind < 2; kind++) {
            if (client->in[kind].ssrc == feedback.sender.ssrc) {
                client->in[kind].sender_ntp = feedback.sender.ntp;
                client->in[kind].sender_us = arrival_us(client, arrived_ns);
            }
        }
    }
    take_feedback(client, &feedback);
}

static void emit_rtcp(struct ck_tclient *client, uint8_t *packet, size_t size)
{
    if (size > 0 && guard_protect(&client->guard, packet, &size, true) == 0) {
        client_emit_selected(client, packet, size);
    }
}

static size_t fill_reports(struct ck_tclient *client, struct ck_trtp_report reports[2])
{
    size_t count = 0;
    int64_t now = ck_crowd_now(client->config.crowd).us;
    for (unsigned kind = 0; kind < 2; kind++) {
        struct inflow *flow = &client->in[kind];
        if (!flow->any) {
            continue;
        }
        uint32_t expected = flow->highest - flow->first + 1;
        uint32_t expected_now = expected - flow->prior_expected;
        int64_t lost_now = (int64_t)expected_now - (int64_t)(flow->received - flow->prior_received);
        flow->prior_expected = expected;
        flow->prior_received = flow->received;
        reports[count++] = (struct ck_trtp_report){
            .ssrc = flow->ssrc,
            .fraction_lost =
                (uint8_t)(expected_now > 0 && lost_now > 0 ? lost_now * 256 / (expected_now + 1)
                                                           : 0),
            .lost = (int32_t)((int64_t)expected - (int64_t)flow->received),
            .highest = flow->highest - 0x10000U,
            .jitter = flow->jitter >> 4,
            .lsr = (uint32_t)(flow->sender_ntp >> 16),
            .dlsr =
                flow->sender_us == 0 ? 0 : (uint32_t)((now - flow->sender_us) * 65536 / 1000000),
        };
    }
    return count;
}

/* NTP time (RFC 5905): seconds since 1900 and their fraction. */
static uint64_t ntp_of(uint64_t ns)
{
    return (ns / 1000000000U + 2208988800U) << 32 | (ns % 1000000000U << 32) / 1000000000U;
}

static struct ck_trtp_sender sender_of(const struct ck_tclient *client, unsigned kind)
{
    const struct outflow *flow = &client->out[kind];
    struct ck_mono now = ck_crowd_now(client->config.crowd);
    /* `timestamp` is that of the next frame or sound, which is due at `due_us`. */
    int64_t early_us = flow->due_us - now.us;
    int64_t early = early_us * (kind == 0 ? 48 : 90) / 1000;
    return (struct ck_trtp_sender){
        .ssrc = flow->ssrc,
        .ntp = ntp_of(ck_crowd_wall_of(client->config.crowd, now)),
        .timestamp = flow->timestamp - (uint32_t)early,
        .packets = flow->packets,
        .bytes = flow->bytes,
    };
}

void receiver_report_due(void *arg)
{
    struct ck_tclient *client = arg;
    uint8_t packet[DATAGRAM_MAX];
    struct ck_trtp_report reports[2];
    if (client->phase != PHASE_RUNNING || client_stalls(client, &client->report_timer)) {
        return;
    }
    int64_t interval = client->config.report_interval_us;
    interval = interval != 0 ? interval : DEFAULT_REPORT_US;
    interval = interval * (75 + (int64_t)(ck_tclient_random(&client->random) % 51)) / 100;
    ck_crowd_arm(client->config.crowd, &client->report_timer, client_after(client, interval));
    if (client->silent || client->plain) {
        return;
    }
    size_t count = fill_reports(client, reports);
    struct ck_trtp_sender audio = sender_of(client, 0);
    struct ck_trtp_sender video = sender_of(client, 1);
    size_t size = ck_trtp_write_report(&audio, reports, count, packet, CK_TRTP_RTCP_MAX);
    size += ck_trtp_write_sdes(audio.ssrc, client->cname, packet + size, CK_TRTP_RTCP_MAX - size);
    if (video.packets > 0) {
        size += ck_trtp_write_report(&video, NULL, 0, packet + size, CK_TRTP_RTCP_MAX - size);
        size +=
            ck_trtp_write_sdes(video.ssrc, client->cname, packet + size, CK_TRTP_RTCP_MAX - size);
    }
    if (client->tells_bps != 0) {
        size += ck_trtp_write_remb(audio.ssrc, client->in[1].ssrc, client->tells_bps, packet + size,
                                   CK_TRTP_RTCP_MAX - size);
    }
    emit_rtcp(client, packet, size);
}

void ck_tclient_tell(struct ck_tclient *client, uint64_t bps)
{
    client->tells_bps = bps;
}

/* The numbers of one stream that are to be asked for now; given up ones are dropped. */
static size_t due_nacks(struct ck_tclient *client, unsigned kind, uint16_t numbers[CK_TRTP_NACKS])
{
    struct inflow *flow = &client->in[kind];
    int64_t now = ck_crowd_now(client->config.crowd).us;
    size_t count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < flow->missings; i++) {
        struct missing entry = flow->missing[i];
        if (entry.next_us <= now && count < CK_TRTP_NACKS) {
            if (entry.tries == NACK_TRIES) {
                if (kind == 1) {
                    ck_tclient_want_key_frame(client);
                }
                continue;
            }
            numbers[count++] = entry.sequence;
            entry.tries++;
            entry.next_us = now + (client->config.obeys ? NACK_POLITE_US : NACK_AGAIN_US);
        }
        flow->missing[kept++] = entry;
    }
    flow->missings = kept;
    return count;
}

void receiver_nack_due(void *arg)
{
    struct ck_tclient *client = arg;
    uint8_t packet[DATAGRAM_MAX];
    uint16_t numbers[CK_TRTP_NACKS];
    if (client->phase != PHASE_RUNNING || client->silent ||
        client_stalls(client, &client->nack_timer)) {
        return;
    }
    for (unsigned kind = 0; kind < 2; kind++) {
        struct inflow *flow = &client->in[kind];
        size_t count = due_nacks(client, kind, numbers);
        size_t size = ck_trtp_write_nack(client->out[kind].ssrc, flow->ssrc, numbers, count, packet,
                                         CK_TRTP_RTCP_MAX);
        if (size > 0) {
            client->stats.nacks_sent += count;
            emit_rtcp(client, packet, size);
        }
    }
    if (client->in[0].missings + client->in[1].missings > 0) {
        ck_crowd_arm(client->config.crowd, &client->nack_timer, client_after(client, NACK_TURN_US));
    }
}

void ck_tclient_want_key_frame(struct ck_tclient *client)
{
    uint8_t packet[DATAGRAM_MAX];
    if (!client->guarded || client->in[1].ssrc == 0) {
        return;
    }
    size_t size =
        ck_trtp_write_pli(client->out[1].ssrc, client->in[1].ssrc, packet, CK_TRTP_RTCP_MAX);
    client->stats.plis_sent++;
    emit_rtcp(client, packet, size);
}
