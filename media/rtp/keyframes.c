#include "media/rtp/keyframes.h"

/* The picture with this timestamp, newest first; a new one takes the place of the oldest. */
static struct ck_key_picture *picture_of(struct ck_key_frames *frames, uint32_t timestamp)
{
    for (unsigned i = 0; i < CK_KEY_FRAME_PICTURES; i++) {
        struct ck_key_picture *picture =
            &frames->pictures[(frames->newest - i) % CK_KEY_FRAME_PICTURES];
        if (picture->packets == 0) {
            break;
        }
        if (picture->timestamp == timestamp) {
            return picture;
        }
    }
    struct ck_key_picture *made = &frames->pictures[++frames->newest % CK_KEY_FRAME_PICTURES];
    *made = (struct ck_key_picture){.timestamp = timestamp};
    return made;
}

static void note_whole(struct ck_key_frames *frames, const struct ck_key_picture *picture,
                       struct ck_mono now)
{
    frames->collecting = false;
    frames->wanted = false;
    frames->urgent = false;
    frames->asked_once = false;
    frames->has_whole = true;
    frames->whole = now;
    frames->whole_count++;
    frames->width = picture->width;
    frames->height = picture->height;
}

bool ck_key_frames_packet(struct ck_key_frames *frames, uint64_t sequence, const struct ck_rtp *rtp,
                          const struct ck_vp8 *vp8, struct ck_mono now)
{
    struct ck_key_picture *picture = picture_of(frames, rtp->timestamp);
    picture->packets++;
    if (vp8->key_frame) {
        picture->key = true;
        picture->first = sequence;
        picture->width = vp8->width;
        picture->height = vp8->height;
        frames->collecting = true;
        frames->begun = now;
    }
    if (rtp->marker) {
        picture->has_last = true;
        picture->last = sequence;
    }
    if (!picture->key || !picture->has_last ||
        picture->packets != picture->last - picture->first + 1) {
        return false;
    }
    note_whole(frames, picture, now);
    return true;
}

static void forget_pictures(struct ck_key_frames *frames)
{
    for (unsigned i = 0; i < CK_KEY_FRAME_PICTURES; i++) {
        frames->pictures[i].packets = 0;
    }
    frames->collecting = false;
}

void ck_key_frames_want(struct ck_key_frames *frames, bool urgent)
{
    frames->wanted = true;
    if (urgent) { /* for somebody who has missed the beginning of the one that may be coming in */
        forget_pictures(frames);
    }
    if (urgent && !frames->urgent) {
        frames->urgent = true;
        frames->asked_once = false;
    }
}

void ck_key_frames_give_up(struct ck_key_frames *frames)
{
    frames->collecting = false;
    frames->wanted = true;
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
    if (frames->collecting && now.us - frames->begun.us < CK_KEY_FRAME_REPAIR_MS * 1000) {
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
