/* A sender for tests of recording: real VP8 and Opus (libvpx, libopus), put into RTP by its own
 * clocks, and given to a recording in virtual time. Every second, at half past, the dark picture
 * flashes white and a tone sounds for 100 ms, so that a decoder can measure how far apart they are.
 */
#ifndef TESTS_UNIT_RECORD_SENDER_H
#define TESTS_UNIT_RECORD_SENDER_H

#include "media/record/recorder.h"

#define SENDER_PICTURE_MS 40
#define SENDER_SOUND_MS 20
#define SENDER_FLASH_AT_MS 500 /* of every second */
#define SENDER_FLASH_MS 100
#define SENDER_START_US INT64_C(5000000000) /* what the loop's clock says at time 0 */

struct sender;

/* What a network and a phone do to the packets; all zero: nothing. */
struct sender_world {
    int delay_ms[2];       /* of audio, of video */
    int64_t ntp_offset_ms; /* what the sender's wall clock is wrong by */
    bool no_video;
    bool no_reports;
    bool keep_reports_back; /* only video's are sent */
    unsigned drop_video;    /* the next so many video packets are lost */
    unsigned drop_audio;
    unsigned fat_bytes; /* != 0: video packets are padded with data to about so much a second */
};

struct sender *sender_create(unsigned width, unsigned height);
void sender_destroy(struct sender *sender);

/* The picture is of this size from now on. */
void sender_resize(struct sender *sender, unsigned width, unsigned height);
/* Another SSRC, sequence and timestamps from elsewhere. */
void sender_restart(struct sender *sender, int source);
/* The RTP clock of one source jumps. */
void sender_jump(struct sender *sender, int source, int32_t ms);
/* The next picture is a key frame. */
void sender_key_frame(struct sender *sender);

extern struct sender_world sender_world_calm;

/* Captures, sends and delivers everything from one instant of virtual time to the next, with ticks.
 * What is delivered later because of delays is delivered at once, but with its later arrival. */
void sender_run(struct sender *sender, struct ck_recorder *recorder, struct ck_recording *recording,
                struct sender_world *world, int64_t from_ms, int64_t until_ms);

/* Packets given to the recording, and frames in them. */
unsigned sender_packets(const struct sender *sender, int source);
unsigned sender_frames(const struct sender *sender, int source);

static inline struct ck_mono sender_at(int64_t ms)
{
    return (struct ck_mono){SENDER_START_US + ms * 1000};
}

#endif
