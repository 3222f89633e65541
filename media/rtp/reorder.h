/* Puts the packets of one stream in order for the recorder, which needs them so, while the relay
 * does not wait. A hole is waited for as long as a retransmission may still fill it. */
#ifndef MEDIA_RTP_REORDER_H
#define MEDIA_RTP_REORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "media/transport/packet.h"
#include "protocol/base/time.h"

#define CK_REORDER_SLOTS 512
#define CK_REORDER_WAIT_MS 2100 /* as long as a packet is asked for, and its way */

/* Gets each packet once, in ascending order; does not keep it. */
typedef void ck_reorder_out(void *user, const struct ck_packet *packet);

struct ck_reorder {
    struct ck_packet_pool *pool;
    ck_reorder_out *out;
    void *user;
    bool started;
    uint64_t next; /* extended sequence number that is to go out */
    unsigned waiting;
    struct ck_packet *slots[CK_REORDER_SLOTS];
};

void ck_reorder_init(struct ck_reorder *reorder, struct ck_packet_pool *pool, ck_reorder_out *out,
                     void *user);
/* Takes a packet (and keeps it only if it must wait). One that is older than what has gone out is
 * dropped. */
void ck_reorder_put(struct ck_reorder *reorder, uint64_t sequence, struct ck_packet *packet);
/* Gives up holes that have been waited for long enough. */
void ck_reorder_tick(struct ck_reorder *reorder, struct ck_mono now);
/* Everything that waits goes out; the next packet begins anew. */
void ck_reorder_flush(struct ck_reorder *reorder);

#endif
