/* Any order of packets of one stream: what goes out is in order, once, and no packet is kept for
 * ever. Each 4 bytes of the input are one packet: sequence number, kind, time that passes. */
#include <assert.h>

#include "media/rtp/keyframes.h"
#include "media/rtp/missing.h"
#include "media/rtp/reorder.h"
#include "media/rtp/sender.h"
#include "media/rtp/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct order {
    bool any;
    uint64_t last;
};

static void in_order(void *user, const struct ck_packet *packet)
{
    struct order *order = user;
    uint64_t sequence = packet->rtp.header_size; /* the extended number travels here */
    assert(!order->any || sequence > order->last);
    order->any = true;
    order->last = sequence;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_packet_pool *pool = NULL;
    struct ck_source source;
    struct ck_missing missing = {0};
    struct ck_key_frames frames = {0};
    struct ck_reorder reorder;
    struct ck_sender sender;
    struct order order = {0};
    struct ck_mono now = {1000000};
    uint16_t asked[CK_MISSING_MAX];
    assert(ck_packet_pool_create(&pool, 2048) == 0);
    assert(ck_sender_init(&sender, pool, true, 96, 1, 1, 1) == 0);
    ck_source_init(&source, 1, 90000);
    ck_reorder_init(&reorder, pool, in_order, &order);
    for (size_t at = 0; at + 4 <= size; at += 4) {
        uint64_t sequence = 0;
        uint64_t out = 0;
        uint32_t timestamp = 0;
        struct ck_rtp rtp = {.sequence = (uint16_t)(data[at] << 8 | data[at + 1]),
                             .timestamp = data[at + 2],
                             .marker = data[at + 2] & 1};
        struct ck_vp8 vp8 = {.key_frame = data[at + 2] & 2};
        now.us += data[at + 3] * INT64_C(1000);
        int ahead = ck_source_packet(&source, &rtp, now, &sequence);
        if (ahead > 1) {
            (void)ck_missing_gap(&missing, sequence - (unsigned)ahead + 1, sequence, now);
        } else if (ahead <= 0) {
            (void)ck_missing_found(&missing, sequence);
        }
        assert(missing.count <= CK_MISSING_MAX);
        assert(ck_missing_due(&missing, now, 0, CK_MISSING_MAX, asked) <= CK_MISSING_MAX);
        (void)ck_key_frames_packet(&frames, sequence, &rtp, &vp8, now);
        (void)ck_key_frames_due(&frames, now, now, true);
        struct ck_packet *packet = ck_packet_get(pool);
        assert(packet != NULL);
        packet->arrival = now;
        packet->rtp = rtp;
        packet->rtp.header_size = sequence;
        ck_reorder_put(&reorder, sequence, packet);
        if (ck_sender_map(&sender, data[at + 2] >> 6, data[at + 2] & 4, sequence, rtp.timestamp,
                          now, &out, &timestamp)) {
            ck_sender_keep(&sender, out, rtp.timestamp, packet, now, false);
        }
        (void)ck_sender_again(&sender, rtp.sequence, now);
        ck_packet_drop(pool, packet);
        ck_reorder_tick(&reorder, now);
        (void)ck_source_report_out(&source, now);
    }
    ck_reorder_flush(&reorder);
    ck_sender_deinit(&sender);
    assert(ck_packet_pool_used(pool) == 0);
    ck_packet_pool_destroy(pool);
    return 0;
}
