#include "media/rtp/keyframes.h"

static void begin(struct ck_key_frames *frames, uint64_t sequence, const struct ck_rtp *rtp,
                  const struct ck_vp8 *vp8)
{
    frames->collecting = true;
    frames->has_last = false;
    frames->timestamp = rtp->timestamp;
    frames->first = sequence;
    frames->packets = 0;
    frames->next_width = vp8->width;
    frames->next_height = vp8->height;
}

bool ck_key_frames_packet(struct ck_key_frames *frames, uint64_t sequence, const struct ck_rtp *rtp,
                          const struct ck_vp8 *vp8, struct ck_mono now)
{
    if (vp8->key_frame) {
        begin(frames, sequence, rtp, vp8);
    }
    if (!frames->collecting || rtp->timestamp != frames->timestamp || sequence < frames->first) {
        return false;
    }
    frames->packets++;
    if (rtp->marker) {
        frames->has_last = true;
        frames->last = sequence;
    }
    if (!frames->has_last || frames->packets != frames->last - frames->first + 1) {
        return false;
    }
    frames->collecting = false;
    frames->wanted = false;
    frames->urgent = false;
    frames->asked_once = false;
    frames->has_whole = true;
    frames->whole = now;
    frames->whole_count++;
    frames->width = frames->next_width;
    frames->height = frames->next_height;
    return true;
}

void ck_key_frames_want(struct ck_key_frames *frames, bool urgent)
{
    frames->wanted = true;
    if (urgent) { /* for somebody who has missed the beginning of the one that may be coming in */
        frames->collecting = false;
    }
    if (urgent && !frames->urgent) {
        frames->urgent = true;
        frames->asked_once = false;
    }
}

bool ck_key_frames_due(struct ck_key_frames *frames, struct ck_mono now, struct ck_mono heard,
                       bool recorded)
{
    if (now.us - heard.us > CK_KEY_FRAME_SILENCE_MS * 1000) {
        return false;
    }
    int64_t since_whole_us = frames->has_whole ? now.us - frames->whole.us : INT64_MAX;
    if (recorded && since_whole_us >= CK_KEY_FRAME_RECORD_MS * 1000) {
        frames->wanted = true;
    }
    if (!frames->wanted) {
        return false;
    }
    if (frames->asked_once) {
        if (now.us - frames->asked.us < CK_KEY_FRAME_REPEAT_MS * 1000) {
            return false;
        }
    } else if (!frames->urgent && since_whole_us < CK_KEY_FRAME_SPACING_MS * 1000) {
        return false;
    }
    frames->asked_once = true;
    frames->asked = now;
    frames->asked_count++;
    return true;
}
