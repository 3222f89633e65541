#include "tests/client/clip.h"

#include <errno.h>
#include <math.h>
#include <opus/opus.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define RATE 48000
#define SAMPLES 960 /* of 20 ms */
#define SOUND_BYTES 28
#define SQUARES 6 /* bits of the frame's number in the picture */
#define SQUARE 32

/* Frames that lean on the frame before alone and leave no probabilities behind, so that the loop
 * may be played from its start again without a key frame. */
#define LOOPABLE                                                                                   \
    (VP8_EFLAG_NO_UPD_ENTROPY | VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF | VP8_EFLAG_NO_UPD_GF | \
     VP8_EFLAG_NO_UPD_ARF)

struct piece {
    size_t size;
    uint8_t bytes[CK_CLIP_FRAME_MAX];
};

struct ck_clip {
    uint8_t toc;
    struct piece sound[CK_CLIP_SOUNDS];
    struct piece frame[CK_CLIP_FRAMES];
};

static int encode_sound(struct ck_clip *clip, OpusEncoder *encoder, unsigned tone_hz)
{
    int16_t pcm[SAMPLES];
    uint8_t packet[CK_CLIP_SOUND_MAX];
    for (size_t i = 0; i < CK_CLIP_SOUNDS; i++) {
        bool tone = i % 50 < 5;
        for (size_t s = 0; s < SAMPLES; s++) {
            double at = (double)(i * SAMPLES + s) / RATE;
            pcm[s] = tone ? (int16_t)(12000.0 * sin(2 * M_PI * tone_hz * at)) : 0;
        }
        opus_int32 size = opus_encode(encoder, pcm, SAMPLES, packet, SOUND_BYTES + 1);
        if (size < 2 || (packet[0] & 3) != 0) {
            return CK_E_INVALID; /* not one frame a packet */
        }
        clip->toc = (uint8_t)(packet[0] | 3);
        if (i > 0 && (clip->sound[0].bytes[SOUND_BYTES] | 3) != clip->toc) {
            return CK_E_INVALID; /* the mode changed on the way */
        }
        memcpy(clip->sound[i].bytes, packet + 1, (size_t)size - 1);
        clip->sound[i].bytes[SOUND_BYTES] = packet[0];
        clip->sound[i].size = (size_t)size - 1;
    }
    return 0;
}

static int make_sound(struct ck_clip *clip, unsigned tone_hz)
{
    int error = 0;
    OpusEncoder *encoder =
        opus_encoder_create(RATE, 1, OPUS_APPLICATION_RESTRICTED_LOWDELAY, &error);
    if (encoder == NULL) {
        return -ENOMEM;
    }
    opus_encoder_ctl(encoder, OPUS_SET_VBR(0));
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE((SOUND_BYTES + 1) * 8 * 50));
    opus_encoder_ctl(encoder, OPUS_SET_BANDWIDTH(OPUS_BANDWIDTH_WIDEBAND));
    error = encode_sound(clip, encoder, tone_hz);
    opus_encoder_destroy(encoder);
    return error;
}

static void paint(vpx_image_t *image, size_t number, uint8_t shade)
{
    for (unsigned y = 0; y < CK_CLIP_HEIGHT; y++) {
        memset(image->planes[0] + y * (size_t)image->stride[0], 128, CK_CLIP_WIDTH);
    }
    for (unsigned y = 0; y < CK_CLIP_HEIGHT / 2; y++) {
        memset(image->planes[1] + y * (size_t)image->stride[1], shade, CK_CLIP_WIDTH / 2);
        memset(image->planes[2] + y * (size_t)image->stride[2], 128, CK_CLIP_WIDTH / 2);
    }
    for (unsigned bit = 0; bit < SQUARES; bit++) {
        for (unsigned y = 0; y < SQUARE; y++) {
            uint8_t *row = image->planes[0] + (size_t)(SQUARE + y) * (size_t)image->stride[0];
            memset(row + SQUARE + bit * SQUARE, number >> bit & 1 ? 235 : 16, SQUARE);
        }
    }
}

static int take_frame(struct ck_clip *clip, vpx_codec_ctx_t *codec, size_t index)
{
    vpx_codec_iter_t next = NULL;
    const vpx_codec_cx_pkt_t *packet;
    while ((packet = vpx_codec_get_cx_data(codec, &next)) != NULL) {
        if (packet->kind != VPX_CODEC_CX_FRAME_PKT) {
            continue;
        }
        size_t size = packet->data.frame.sz;
        bool key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
        if (size > CK_CLIP_FRAME_MAX || key != (index == 0)) {
            return CK_E_INVALID;
        }
        memcpy(clip->frame[index].bytes, packet->data.frame.buf, size);
        clip->frame[index].size = size;
        return 0;
    }
    return CK_E_INVALID;
}

static int encode_picture(struct ck_clip *clip, vpx_codec_ctx_t *codec, uint8_t shade)
{
    vpx_image_t *image = vpx_img_alloc(NULL, VPX_IMG_FMT_I420, CK_CLIP_WIDTH, CK_CLIP_HEIGHT, 16);
    if (image == NULL) {
        return -ENOMEM;
    }
    int error = 0;
    for (size_t i = 0; i < CK_CLIP_FRAMES && error == 0; i++) {
        paint(image, i % (CK_CLIP_FRAMES - 1), shade);
        vpx_enc_frame_flags_t flags = i == 0 ? VPX_EFLAG_FORCE_KF : LOOPABLE;
        if (vpx_codec_encode(codec, image, (vpx_codec_pts_t)i, 1, flags, VPX_DL_REALTIME) !=
            VPX_CODEC_OK) {
            error = CK_E_INVALID;
        } else {
            error = take_frame(clip, codec, i);
        }
    }
    vpx_img_free(image);
    return error;
}

static int make_picture(struct ck_clip *clip, uint8_t shade)
{
    vpx_codec_enc_cfg_t config;
    vpx_codec_ctx_t codec;
    if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &config, 0) != VPX_CODEC_OK) {
        return CK_E_INVALID;
    }
    config.g_w = CK_CLIP_WIDTH;
    config.g_h = CK_CLIP_HEIGHT;
    config.g_timebase = (vpx_rational_t){1, 30};
    config.g_threads = 1;
    config.g_lag_in_frames = 0;
    config.rc_end_usage = VPX_CBR;
    config.rc_target_bitrate = 120;
    config.rc_min_quantizer = 20;
    config.kf_mode = VPX_KF_DISABLED;
    config.g_error_resilient = 0;
    if (vpx_codec_enc_init(&codec, vpx_codec_vp8_cx(), &config, 0) != VPX_CODEC_OK) {
        return -ENOMEM;
    }
    vpx_codec_control(&codec, VP8E_SET_CPUUSED, 8);
    int error = encode_picture(clip, &codec, shade);
    vpx_codec_destroy(&codec);
    return error;
}

int ck_clip_create(unsigned tone_hz, uint8_t shade, struct ck_clip **clip)
{
    ck_cleanup(ck_freep) struct ck_clip *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    int error = make_sound(made, tone_hz);
    if (error == 0) {
        error = make_picture(made, shade);
    }
    if (error == 0) {
        *clip = ck_take(made);
    }
    return error;
}

void ck_clip_destroy(struct ck_clip *clip)
{
    free(clip);
}

struct ck_clip_piece ck_clip_sound(const struct ck_clip *clip, size_t index, uint8_t *toc)
{
    const struct piece *piece = &clip->sound[index % CK_CLIP_SOUNDS];
    *toc = clip->toc;
    return (struct ck_clip_piece){piece->bytes, piece->size};
}

struct ck_clip_piece ck_clip_frame(const struct ck_clip *clip, size_t since)
{
    size_t index = since == 0 ? 0 : 1 + (since - 1) % (CK_CLIP_FRAMES - 1);
    const struct piece *piece = &clip->frame[index];
    return (struct ck_clip_piece){piece->bytes, piece->size};
}
