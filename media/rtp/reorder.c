#include "media/rtp/reorder.h"

void ck_reorder_init(struct ck_reorder *reorder, struct ck_packet_pool *pool, ck_reorder_out *out,
                     void *user)
{
    *reorder = (struct ck_reorder){.pool = pool, .out = out, .user = user};
}

static void give(struct ck_reorder *reorder, struct ck_packet *packet)
{
    reorder->out(reorder->user, packet);
    reorder->next++;
}

static struct ck_packet **slot_of(struct ck_reorder *reorder, uint64_t sequence)
{
    return &reorder->slots[sequence % CK_REORDER_SLOTS];
}

/* Gives what stands next in line, up to the next hole. */
static void drain(struct ck_reorder *reorder)
{
    while (reorder->waiting > 0 && *slot_of(reorder, reorder->next) != NULL) {
        struct ck_packet **slot = slot_of(reorder, reorder->next);
        struct ck_packet *packet = *slot;
        *slot = NULL;
        reorder->waiting--;
        give(reorder, packet);
        ck_packet_drop(reorder->pool, packet);
    }
}

/* Steps over the hole in front; something waits behind it. */
static void skip(struct ck_reorder *reorder)
{
    while (*slot_of(reorder, reorder->next) == NULL) {
        reorder->next++;
    }
    drain(reorder);
}

void ck_reorder_put(struct ck_reorder *reorder, uint64_t sequence, struct ck_packet *packet)
{
    if (!reorder->started) {
        reorder->started = true;
        reorder->next = sequence;
    }
    if (sequence < reorder->next) {
        return;
    }
    while (reorder->waiting > 0 && sequence - reorder->next >= CK_REORDER_SLOTS) {
        skip(reorder);
    }
    if (sequence - reorder->next >= CK_REORDER_SLOTS) {
        reorder->next = sequence; /* nothing waits, and so wide a hole is never filled */
    }
    if (sequence == reorder->next) {
        give(reorder, packet);
        drain(reorder);
        return;
    }
    struct ck_packet **slot = slot_of(reorder, sequence);
    if (*slot == NULL) {
        *slot = ck_packet_keep(packet);
        reorder->waiting++;
    }
}

void ck_reorder_tick(struct ck_reorder *reorder, struct ck_mono now)
{
    while (reorder->waiting > 0) {
        uint64_t sequence = reorder->next;
        while (*slot_of(reorder, sequence) == NULL) {
            sequence++;
        }
        if (now.us - (*slot_of(reorder, sequence))->arrival.us < CK_REORDER_WAIT_MS * 1000) {
            return;
        }
        skip(reorder);
    }
}

void ck_reorder_flush(struct ck_reorder *reorder)
{
    while (reorder->waiting > 0) {
        skip(reorder);
    }
    reorder->started = false;
}
