/* The picture's way onto a downlink that carries little. Once it is known what the downlink
 * carries, packets of the picture wait in a queue and leave as fast as that allows: a key frame,
 * many times the size of what follows it, takes the time that it needs and is not cut off. Sound
 * never waits here. The queue is bounded in time and in packets; what finds no room is left out by
 * the caller, up to the next key frame. While nothing is known nothing waits.
 *
 * Values, and packets that are kept; time is an argument. */
#ifndef MEDIA_RTP_PACE_H
#define MEDIA_RTP_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/transport/packet.h"
#include "protocol/base/time.h"

#define CK_PACE_PACKETS_MAX 256  /* that wait at a time, a power of two */
#define CK_PACE_WAIT_MAX_MS 4000 /* what would leave later than this is not taken */
#define CK_PACE_FRESH_MS 500     /* a picture is not begun behind more than this */
#define CK_PACE_BURST_MS 40      /* of what the downlink carries, at once after a rest */
#define CK_PACE_AGAIN_MS                                                                           \
    200                           /* of it, ahead, for what is sent again: a key frame with a hole \
                                   * is none */
#define CK_PACE_SOUND_BPS 50000   /* of a downlink, kept free for sound */
#define CK_PACE_ROOMY_BPS 300000  /* a key frame is through within a second or so */
#define CK_PACE_PICTURE_BPS 25000 /* with less than this left there is no picture at all */
#define CK_PACE_FULL_MS 100       /* of packets that wait: the downlink got all that it may, */
#define CK_PACE_BEHIND_MS 500     /* and for so long it may still have it in a queue */

struct ck_paced {
    struct ck_packet *packet; /* one of its owners is the queue */
    uint64_t feed;
    uint64_t sequence;
    bool resume; /* something was left out in front of it, see ck_sender_map() */
};

struct ck_pace {
    bool known;       /* what the downlink carries */
    uint64_t bitrate; /* bits per second, without the sound; 0: no picture */
    int64_t budget_bits;
    struct ck_mono filled;
    bool held;       /* the first one waits for its time */
    int64_t held_us; /* for so long one did, since ck_pace_was_full() */
    struct ck_mono last_held;
    uint64_t waiting_bits;
    unsigned first;
    unsigned count;
    struct ck_paced *places; /* CK_PACE_PACKETS_MAX */
    struct ck_packet_pool *pool;
};

/* 0 or -ENOMEM. */
int ck_pace_init(struct ck_pace *pace, struct ck_packet_pool *pool);
void ck_pace_deinit(struct ck_pace *pace); /* one that is all zeros is taken */

/* The downlink carries `bitrate` in all; 0: nothing is known. */
void ck_pace_set(struct ck_pace *pace, uint64_t bitrate);
/* Nothing waits and nothing has to. */
bool ck_pace_is_open(const struct ck_pace *pace);
/* Since the last such call packets waited for CK_PACE_FULL_MS in all: while they did as much was
 * sent as the downlink is said to carry, however little it was before and after. */
bool ck_pace_was_full(struct ck_pace *pace);
/* Packets wait, or did within CK_PACE_BEHIND_MS: what is sent goes out behind as much as the
 * downlink is said to carry. */
bool ck_pace_is_full(const struct ck_pace *pace, struct ck_mono now);
/* There is room for sound alone. */
bool ck_pace_is_shut(const struct ck_pace *pace);
/* When the last one that waits will have left, from now, about. */
int64_t ck_pace_wait_us(const struct ck_pace *pace);

/* Puts one at the end and keeps its packet. False where it would have to wait for too long, or the
 * queue is full. */
bool ck_pace_put(struct ck_pace *pace, const struct ck_paced *paced);
/* The next one whose time has come; its packet is the caller's to drop. */
bool ck_pace_take(struct ck_pace *pace, struct ck_mono now, struct ck_paced *paced);
/* Drops all that wait. */
void ck_pace_clear(struct ck_pace *pace);

/* Whether `bits` of what was sent before may go out again now, ahead of what waits. */
bool ck_pace_again(struct ck_pace *pace, uint32_t bits, struct ck_mono now);

#endif
