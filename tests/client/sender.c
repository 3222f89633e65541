/* What a client sends: 50 sounds and 30 pictures a second out of the clip, each packet filled up to
 * its size and marked, protected once, and kept for when it is asked for again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "tests/client/client_impl.h"

#define SOUND_US 20000
#define SOUND_TICKS 960
#define FRAME_US 33333
#define FRAME_TICKS 3000
#define SOUND_PAYLOAD 80
#define VIDEO_PAYLOAD 1100
#define SOUND_BPS 50000 /* with headers and the odd report */
#define NARROW_BPS 300000
#define FRAME_BITS 26400  /* three packets */
#define KEY_EXTRA 6       /* further packets of a key frame */
#define DESCRIPTOR_SIZE 4 /* VP8 payload descriptor with a 15-bit picture number (RFC 7741) */
#define BEHIND_US 500000  /* later than that, the schedule starts anew */
#define MID_PACKETS 100   /* packets of a stream that carry the MID */
#define FILL_SIZE 65536

/* Bytes that look like media, shared by all. */
static uint8_t fill[FILL_SIZE + VIDEO_PAYLOAD];

int sender_init(struct ck_tclient *client)
{
    if (fill[0] == 0 && fill[1] == 0) {
        uint64_t random = 1;
        for (size_t i = 0; i + 8 <= sizeof fill; i += 8) {
            uint64_t word = ck_tclient_random(&random);
            memcpy(fill + i, &word, 8);
        }
    }
    for (int kind = 0; kind < 2; kind++) {
        struct outflow *flow = &client->out[kind];
        flow->ring = calloc(RING_SIZE, sizeof *flow->ring);
        if (flow->ring == NULL) {
            return -ENOMEM;
        }
        flow->ssrc = client->offer.ssrc[kind];
        flow->sequence = client->config.first_sequence != 0
                             ? client->config.first_sequence
                             : (uint16_t)(ck_tclient_random(&client->random) & 0x7fff);
        flow->timestamp = (uint32_t)ck_tclient_random(&client->random);
    }
    return 0;
}

void sender_deinit(struct ck_tclient *client)
{
    free(client->out[0].ring);
    free(client->out[1].ring);
}

void sender_start(struct ck_tclient *client)
{
    int64_t now = ck_crowd_now(client->config.crowd).us;
    client->out[0].due_us = client->out[1].due_us = now;
    client->want_key = true;
    ck_crowd_arm(client->config.crowd, &client->media_timer, (struct ck_mono){now});
    ck_crowd_arm(client->config.crowd, &client->report_timer, client_after(client, 200000));
}

/* An Opus packet of one frame whose padding holds the mark (RFC 6716 section 3.2.5). */
static size_t write_sound(const struct ck_tclient *client, uint8_t *out, uint64_t index)
{
    uint8_t toc;
    struct ck_clip_piece piece = ck_clip_sound(client->config.clip, (size_t)index, &toc);
    size_t padding = SOUND_PAYLOAD - 3 - piece.size;
    out[0] = toc;
    out[1] = 0x41; /* one frame, padded */
    out[2] = (uint8_t)padding;
    memcpy(out + 3, piece.data, piece.size);
    memset(out + 3 + piece.size, 0, padding);
    return SOUND_PAYLOAD;
}

static size_t write_picture(const struct ck_tclient *client, uint8_t *out, unsigned part)
{
    const struct outflow *flow = &client->out[1];
    size_t at = DESCRIPTOR_SIZE;
    out[0] = part == 0 ? 0x90 : 0x80;
    out[1] = 0x80;
    ck_put_u16(out + 2, (uint16_t)(0x8000 | (client->frame & 0x7fff)));
    if (part == 0) {
        struct ck_clip_piece piece = ck_clip_frame(client->config.clip, (size_t)client->since_key);
        memcpy(out + at, piece.data, piece.size);
        at += piece.size;
    }
    size_t left = VIDEO_PAYLOAD - at;
    memcpy(out + at, fill + (flow->packets * 7919U) % FILL_SIZE, left);
    return VIDEO_PAYLOAD;
}

static void set_extensions(struct ck_tclient *client, unsigned kind, struct ck_trtp_header *header)
{
    const struct ck_tsdp_section *section = &client->answer.section[kind];
    const struct outflow *flow = &client->out[kind];
    if (section->ext_mid != 0 && flow->packets < MID_PACKETS) {
        header->mid_id = section->ext_mid;
        header->mid[0] = (char)('0' + kind);
    }
    if (section->ext_twcc != 0) {
        header->twcc_id = section->ext_twcc;
        header->twcc = client->twcc++;
    }
    if (kind == CK_TSDP_AUDIO && section->ext_level != 0) {
        header->level_id = section->ext_level;
        header->level = 0x80 | 30;
    }
}

/* Protects, sends and keeps one packet. What is kept is what went out, or the plain packet where
 * RTX will carry it. */
static void send_packet(struct ck_tclient *client, unsigned kind, uint8_t *packet, size_t size,
                        size_t payload)
{
    struct outflow *flow = &client->out[kind];
    struct held *held = &flow->ring[flow->sequence % RING_SIZE];
    bool rtx = client->answer.section[kind].rtx_pt != 0;
    if (rtx) {
        memcpy(held->bytes, packet, size);
        held->size = (uint16_t)size;
    }
    if (guard_protect(&client->guard, packet, &size, false) != 0) {
        client->stats.send_fails++;
        return;
    }
    if (!rtx) {
        memcpy(held->bytes, packet, size);
        held->size = (uint16_t)size;
    }
    held->sequence = flow->sequence++;
    flow->packets++;
    flow->bytes += (uint32_t)payload;
    client_emit_selected(client, packet, size);
}

static void send_marked(struct ck_tclient *client, unsigned kind, struct ck_mark *mark, bool last)
{
    struct outflow *flow = &client->out[kind];
    uint8_t packet[DATAGRAM_MAX];
    struct ck_trtp_header header = {
        .pt = client->plain ? (kind == 0 ? CK_TSDP_PT_OPUS : CK_TSDP_PT_VP8)
                            : client->answer.section[kind].pt,
        .marker = kind == 1 ? last : flow->packets == 0,
        .sequence = flow->sequence,
        .timestamp = flow->timestamp,
        .ssrc = flow->ssrc,
    };
    set_extensions(client, kind, &header);
    size_t head = ck_trtp_write(&header, packet);
    size_t size = kind == 0 ? write_sound(client, packet + head, flow->clock)
                            : write_picture(client, packet + head, mark->part);
    size_t skip = kind == 0 ? 0 : DESCRIPTOR_SIZE;
    mark->sequence = client->stats.sent[kind]++;
    mark->timestamp = flow->timestamp;
    mark->origin = client->offer.ssrc[0];
    mark->sent_ns = ck_crowd_wall_ns();
    uint64_t due_ns = ck_crowd_wall_of(client->config.crowd, (struct ck_mono){flow->due_us});
    mark->late_ms = mark->sent_ns < due_ns ? 0 : (uint16_t)((mark->sent_ns - due_ns) / 1000000);
    ck_mark_write(mark, packet + head + skip, size - skip);
    send_packet(client, kind, packet, head + size, size);
}

static void send_sound(struct ck_tclient *client)
{
    struct outflow *flow = &client->out[0];
    struct ck_mark mark = {.call = client->config.call,
                           .leg = client->config.leg,
                           .parts = 1,
                           .frame = (uint32_t)flow->clock};
    if (client->send[0]) {
        send_marked(client, 0, &mark, true);
    }
    flow->clock++;
    flow->timestamp += SOUND_TICKS;
}

/* What REMB leaves for the picture: a frame may be begun with any budget that is left, and is owed
 * then. Saved up and owed is a quarter of a second's worth at the present rate and a frame at most:
 * nobody who paces sends more than that at once. */
static int64_t picture_bps(const struct ck_tclient *client)
{
    int64_t rate = (int64_t)client->stats.remb_bps - SOUND_BPS;
    return rate < 0 ? 0 : rate;
}

static void refill(struct ck_tclient *client)
{
    int64_t now = ck_crowd_now(client->config.crowd).us;
    int64_t rate = picture_bps(client);
    int64_t most = rate / 4;
    int64_t least = -most - FRAME_BITS;
    client->rate_bits += rate * (now - client->rate_us) / 1000000;
    client->rate_us = now;
    client->rate_bits = client->rate_bits > most ? most : client->rate_bits;
    client->rate_bits = client->rate_bits < least ? least : client->rate_bits;
}

static bool has_room(struct ck_tclient *client, unsigned parts)
{
    if (!client->config.obeys || client->stats.remb_bps == 0) {
        return true;
    }
    refill(client);
    if (client->rate_bits < 0 || picture_bps(client) == 0) {
        return false;
    }
    client->rate_bits -= (int64_t)parts * VIDEO_PAYLOAD * 8;
    return true;
}

static void send_frame(struct ck_tclient *client)
{
    struct outflow *flow = &client->out[1];
    unsigned every = client->config.key_every;
    bool key = client->want_key || (every != 0 && client->since_key + 1 >= every);
    unsigned parts = (client->frame % 11 < 3 ? 3 : 2) + client->config.video_extra;
    bool narrow = client->config.obeys && client->stats.remb_bps < NARROW_BPS;
    parts += key && !narrow ? KEY_EXTRA : 0; /* whose encoder has little makes small key frames */
    if (client->send[1] && has_room(client, parts)) {
        client->since_key = key ? 0 : client->since_key + 1;
        client->want_key = false;
        struct ck_mark mark = {.call = client->config.call,
                               .leg = client->config.leg,
                               .kind = 1,
                               .parts = (uint8_t)parts,
                               .frame = client->frame | (key ? CK_MARK_KEY : 0)};
        for (unsigned part = 0; part < parts; part++) {
            mark.part = (uint8_t)part;
            send_marked(client, 1, &mark, part + 1 == parts);
        }
        client->frame++;
        client->stats.frames_sent++;
        client->stats.key_frames_sent += key;
    }
    flow->clock++;
    flow->timestamp += FRAME_TICKS;
}

static void catch_up(struct outflow *flow, int64_t now, int64_t step, uint32_t ticks)
{
    if (now - flow->due_us > BEHIND_US) {
        int64_t steps = (now - flow->due_us) / step;
        flow->due_us += steps * step;
        flow->timestamp += (uint32_t)steps * ticks;
        flow->clock += (uint64_t)steps;
    }
}

void sender_due(void *arg)
{
    struct ck_tclient *client = arg;
    int64_t now = ck_crowd_now(client->config.crowd).us;
    if (client->phase != PHASE_RUNNING || client_stalls(client, &client->media_timer)) {
        return;
    }
    catch_up(&client->out[0], now, SOUND_US, SOUND_TICKS);
    catch_up(&client->out[1], now, FRAME_US, FRAME_TICKS);
    for (; client->out[0].due_us <= now; client->out[0].due_us += SOUND_US) {
        if (!client->silent) {
            send_sound(client);
        }
    }
    for (; client->out[1].due_us <= now; client->out[1].due_us += FRAME_US) {
        if (!client->silent) {
            send_frame(client);
        }
    }
    int64_t next = client->out[0].due_us < client->out[1].due_us ? client->out[0].due_us
                                                                 : client->out[1].due_us;
    ck_crowd_arm(client->config.crowd, &client->media_timer, (struct ck_mono){next});
}

/* RFC 4588: the lost packet's number before its payload, under a sequence of its own. */
static void resend_rtx(struct ck_tclient *client, const struct held *held)
{
    struct ck_trtp_header header = {.mid_id = 0};
    uint8_t packet[DATAGRAM_MAX];
    const uint8_t *payload;
    size_t size;
    if (ck_trtp_read(held->bytes, held->size, &header, &payload, &size) != 0) {
        return;
    }
    header.pt = client->answer.section[1].rtx_pt;
    header.ssrc = client->offer.rtx_ssrc;
    header.sequence = client->rtx_sequence++;
    set_extensions(client, 1, &header);
    size_t head = ck_trtp_write(&header, packet);
    ck_put_u16(packet + head, held->sequence);
    memcpy(packet + head + 2, payload, size);
    size += head + 2;
    if (guard_protect(&client->guard, packet, &size, false) == 0) {
        client_emit_selected(client, packet, size);
        client->stats.resent++;
    }
}

/* What is sent again of the picture goes before new frames, and takes their place. */
static bool may_resend(struct ck_tclient *client, unsigned kind, size_t size)
{
    if (kind == 0 || !client->config.obeys) {
        return true;
    }
    refill(client);
    if (client->rate_bits < -picture_bps(client) / 4 || picture_bps(client) == 0) {
        return false;
    }
    client->rate_bits -= (int64_t)size * 8;
    return true;
}

void sender_resend(struct ck_tclient *client, uint32_t ssrc, uint16_t sequence)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        struct outflow *flow = &client->out[kind];
        struct held *held = &flow->ring[sequence % RING_SIZE];
        if (flow->ssrc != ssrc || client->config.deaf_nack) {
            continue;
        }
        if (held->size == 0 || held->sequence != sequence) {
            client->stats.not_held++;
        } else if (!may_resend(client, kind, held->size)) {
            continue;
        } else if (client->answer.section[kind].rtx_pt != 0) {
            resend_rtx(client, held);
        } else {
            client_emit_selected(client, held->bytes, held->size);
            client->stats.resent++;
        }
    }
}
