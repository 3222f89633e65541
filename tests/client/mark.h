/* The mark that ends the payload of every packet a test client sends, and the account of what came
 * of it at the other end.
 *
 * A mark names call, leg, medium and a sequence number of its own, the RTP timestamp, the wall time
 * of sending, how late that was and a checksum over the whole payload (behind the VP8 payload
 * descriptor, which a relay may rewrite). Decoders never see it as media: in Opus it is padding, in
 * VP8 it lies behind the last partition. */
#ifndef TESTS_CLIENT_MARK_H
#define TESTS_CLIENT_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CK_MARK_SIZE 48
#define CK_ACCOUNT_WINDOW                                                                          \
    65536 /* marks of one stream that are told apart; older ones are "late"                        \
           */

struct ck_mark {
    uint32_t call;
    uint8_t leg;
    uint8_t kind;  /* 0 audio, 1 video */
    uint8_t part;  /* packet of its frame, from 0 */
    uint8_t parts; /* packets of the frame */
    uint32_t sequence;
    uint32_t frame; /* counts up; bit 31: key frame */
    uint32_t timestamp;
    uint32_t origin; /* of one client's life: another one numbers from 0 again */
    uint64_t sent_ns;
    uint16_t late_ms; /* since it was due: what a busy machine adds */
};

#define CK_MARK_KEY 0x80000000U

/* Writes the mark into the last CK_MARK_SIZE bytes of the payload and seals all of it. */
void ck_mark_write(const struct ck_mark *mark, uint8_t *payload, size_t size);

/* Reads and verifies. 0; CK_E_SYNTAX without a mark; CK_E_AUTH where the checksum is wrong. */
int ck_mark_read(const uint8_t *payload, size_t size, struct ck_mark *mark);

/* A histogram of microseconds, 16 steps an octave: 6 % exact. */
struct ck_histogram {
    uint32_t count[16 * 40];
    uint64_t total;
};

void ck_histogram_add(struct ck_histogram *histogram, uint64_t us);
/* The value that `fraction` of all are at or below, 0 where there is none. */
uint64_t ck_histogram_quantile(const struct ck_histogram *histogram, double fraction);
void ck_histogram_merge(struct ck_histogram *into, const struct ck_histogram *from);

/* What arrived of one stream (one call, leg and kind) of marks. */
struct ck_account {
    uint64_t packets;      /* with a valid mark of this stream */
    uint64_t unique;       /* each mark once */
    uint64_t duplicates;   /* a mark seen before */
    uint64_t reordered;    /* unique, but after a higher one */
    uint64_t late;         /* beyond the window: cannot be told */
    uint64_t corrupt;      /* checksum wrong, or no mark */
    uint64_t foreign;      /* a mark of another call, leg or kind */
    uint64_t time_shifts;  /* RTP timestamp no longer at a constant distance from the sender's */
    uint64_t order_shifts; /* RTP sequence number likewise */
    uint32_t first;        /* lowest mark seen */
    uint32_t highest;
    bool any;
    uint32_t origin;        /* of the marks that the last members are about */
    uint64_t unique_before; /* of earlier origins, among `unique` */
    uint32_t time_offset;
    uint16_t order_offset;
    uint64_t bytes;
    uint8_t seen[CK_ACCOUNT_WINDOW / 8];
};

/* Takes a mark that arrived under the RTP `sequence` and `timestamp`. True where it is new. */
bool ck_account_take(struct ck_account *account, const struct ck_mark *mark, size_t bytes,
                     uint16_t sequence, uint32_t timestamp);

/* Marks of the last origin between the first one seen and `end` (one beyond the last one sent) that
 * never came. */
uint64_t ck_account_lost(const struct ck_account *account, uint32_t end);

/* Of the marks from `from` to before `end`, of the last origin and within the window, those that
 * came. */
uint64_t ck_account_came(const struct ck_account *account, uint32_t from, uint32_t end);

#endif
