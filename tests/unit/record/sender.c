#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <opus/opus.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "tests/unit/record/sender.h"

#define PAYLOAD_MAX 1000
#define KEY_EVERY 75 /* pictures: three seconds */
#define SAMPLES (48 * SENDER_SOUND_MS)
#define TONE_HZ 1000.0
#define NTP_1970 UINT64_C(2208988800)
#define SENDER_WALL_MS UINT64_C(1790000000000)

struct sender {
    vpx_codec_ctx_t vpx;
    vpx_image_t *image;
    OpusEncoder *opus;
    unsigned pictures;
    bool key_wanted;
    uint16_t sequence[2];
    uint32_t ssrc[2];
    uint32_t rtp_offset[2];
    unsigned packets[2];
    unsigned frames[2];
};

struct sender_world sender_world_calm;

static const uint32_t per_ms[2] = {48, 90};

static void open_video(struct sender *sender, unsigned width, unsigned height)
{
    vpx_codec_enc_cfg_t config;
    assert_int_equal(vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &config, 0), 0);
    config.g_w = width;
    config.g_h = height;
    config.g_timebase.num = 1;
    config.g_timebase.den = 1000;
    config.rc_target_bitrate = 200;
    config.kf_mode = VPX_KF_DISABLED;
    config.g_threads = 1;
    assert_int_equal(vpx_codec_enc_init(&sender->vpx, vpx_codec_vp8_cx(), &config, 0), 0);
    vpx_codec_control(&sender->vpx, VP8E_SET_CPUUSED, 16);
    sender->image = vpx_img_alloc(NULL, VPX_IMG_FMT_I420, width, height, 16);
    assert_non_null(sender->image);
}

struct sender *sender_create(unsigned width, unsigned height)
{
    struct sender *sender = calloc(1, sizeof *sender);
    int error;
    assert_non_null(sender);
    open_video(sender, width, height);
    sender->opus = opus_encoder_create(48000, 2, OPUS_APPLICATION_VOIP, &error);
    assert_non_null(sender->opus);
    for (int i = 0; i < 2; i++) {
        sender->sequence[i] = (uint16_t)(65000 + i * 300); /* wraps soon */
        sender->ssrc[i] = 0x1000u + (unsigned)i;
        sender->rtp_offset[i] = 0xFFFF0000u; /* too */
    }
    return sender;
}

void sender_destroy(struct sender *sender)
{
    vpx_img_free(sender->image);
    vpx_codec_destroy(&sender->vpx);
    opus_encoder_destroy(sender->opus);
    free(sender);
}

void sender_resize(struct sender *sender, unsigned width, unsigned height)
{
    vpx_img_free(sender->image);
    vpx_codec_destroy(&sender->vpx);
    open_video(sender, width, height);
    sender->pictures = 0;
}

void sender_restart(struct sender *sender, int source)
{
    sender->ssrc[source] += 0x100;
    sender->sequence[source] = (uint16_t)(sender->sequence[source] * 7 + 999);
    sender->rtp_offset[source] += 123456789;
    sender->key_wanted |= source == CK_RECORDING_VIDEO;
}

void sender_jump(struct sender *sender, int source, int32_t ms)
{
    sender->rtp_offset[source] += (uint32_t)ms * per_ms[source];
}

void sender_key_frame(struct sender *sender)
{
    sender->key_wanted = true;
}

unsigned sender_packets(const struct sender *sender, int source)
{
    return sender->packets[source];
}

unsigned sender_frames(const struct sender *sender, int source)
{
    return sender->frames[source];
}

static bool flashes(int64_t ms)
{
    int64_t in_second = ms % 1000;
    return in_second >= SENDER_FLASH_AT_MS && in_second < SENDER_FLASH_AT_MS + SENDER_FLASH_MS;
}

static void deliver(struct sender *sender, struct ck_recording *recording,
                    struct sender_world *world, int source, int64_t ms, bool marker,
                    const uint8_t *payload, size_t size)
{
    unsigned *drop = source == CK_RECORDING_VIDEO ? &world->drop_video : &world->drop_audio;
    struct ck_recording_packet packet = {
        .source = (enum ck_recording_source)source,
        .marker = marker,
        .sequence = sender->sequence[source]++,
        .timestamp = sender->rtp_offset[source] + (uint32_t)ms * per_ms[source],
        .ssrc = sender->ssrc[source],
        .arrival = sender_at(ms + world->delay_ms[source]),
        .payload = payload,
        .size = size,
    };
    if (*drop > 0) {
        (*drop)--;
        return;
    }
    ck_recording_packet(recording, &packet);
    sender->packets[source]++;
}

static void send_picture(struct sender *sender, struct ck_recording *recording,
                         struct sender_world *world, const uint8_t *data, size_t size, int64_t ms)
{
    uint8_t payload[PAYLOAD_MAX + 1];
    for (size_t at = 0; at < size;) {
        size_t part = size - at < PAYLOAD_MAX ? size - at : PAYLOAD_MAX;
        payload[0] = at == 0 ? 0x10 : 0x00; /* start of the first partition */
        memcpy(payload + 1, data + at, part);
        at += part;
        deliver(sender, recording, world, CK_RECORDING_VIDEO, ms, at == size, payload, part + 1);
    }
    sender->frames[CK_RECORDING_VIDEO]++;
}

static void capture_picture(struct sender *sender, struct ck_recording *recording,
                            struct sender_world *world, int64_t ms)
{
    static uint8_t fat[200000];
    vpx_image_t *image = sender->image;
    memset(image->planes[0], flashes(ms) ? 235 : 16, (size_t)image->stride[0] * image->d_h);
    memset(image->planes[1], 128, (size_t)image->stride[1] * ((image->d_h + 1) / 2));
    memset(image->planes[2], 128, (size_t)image->stride[2] * ((image->d_h + 1) / 2));
    bool key = sender->pictures++ % KEY_EVERY == 0 || sender->key_wanted;
    sender->key_wanted = false;
    assert_int_equal(vpx_codec_encode(&sender->vpx, image, ms, SENDER_PICTURE_MS,
                                      key ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME),
                     0);
    vpx_codec_iter_t iter = NULL;
    const vpx_codec_cx_pkt_t *packet;
    while ((packet = vpx_codec_get_cx_data(&sender->vpx, &iter)) != NULL) {
        size_t size = packet->data.frame.sz;
        const uint8_t *data = packet->data.frame.buf;
        if (world->fat_bytes > 0) { /* decoders ignore what is behind the partitions */
            size_t wanted = world->fat_bytes * SENDER_PICTURE_MS / 1000;
            memcpy(fat, data, size);
            size = size < wanted && wanted < sizeof fat ? wanted : size;
            data = fat;
        }
        send_picture(sender, recording, world, data, size, ms);
    }
}

static void capture_sound(struct sender *sender, struct ck_recording *recording,
                          struct sender_world *world, int64_t ms)
{
    int16_t samples[SAMPLES * 2];
    uint8_t packet[1000];
    for (int i = 0; i < SAMPLES; i++) {
        double level =
            flashes(ms + i / 48) ? 20000.0 * sin(2 * 3.14159265 * TONE_HZ * i / 48000.0) : 0;
        samples[2 * i] = (int16_t)level;
        samples[2 * i + 1] = (int16_t)level;
    }
    opus_int32 size = opus_encode(sender->opus, samples, SAMPLES, packet, sizeof packet);
    assert_true(size > 0);
    deliver(sender, recording, world, CK_RECORDING_AUDIO, ms, false, packet, (size_t)size);
    sender->frames[CK_RECORDING_AUDIO]++;
}

static void report(struct sender *sender, struct ck_recording *recording,
                   struct sender_world *world, int source, int64_t ms)
{
    uint64_t wall_ms = SENDER_WALL_MS + (uint64_t)(ms + world->ntp_offset_ms);
    uint64_t ntp = (wall_ms / 1000 + NTP_1970) << 32 | (wall_ms % 1000 << 32) / 1000;
    ck_recording_report(recording, (enum ck_recording_source)source, sender->ssrc[source],
                        sender->rtp_offset[source] + (uint32_t)ms * per_ms[source], ntp,
                        sender_at(ms + world->delay_ms[source]));
}

void sender_run(struct sender *sender, struct ck_recorder *recorder, struct ck_recording *recording,
                struct sender_world *world, int64_t from_ms, int64_t until_ms)
{
    for (int64_t ms = from_ms; ms < until_ms; ms++) {
        if (ms % SENDER_SOUND_MS == 0) {
            capture_sound(sender, recording, world, ms);
        }
        if (ms % SENDER_PICTURE_MS == 0 && !world->no_video) {
            capture_picture(sender, recording, world, ms);
        }
        if (ms % 1000 == 700 && !world->no_reports) {
            report(sender, recording, world, CK_RECORDING_VIDEO, ms);
        }
        if (ms % 2000 == 1900 && !world->no_reports && !world->keep_reports_back) {
            report(sender, recording, world, CK_RECORDING_AUDIO, ms);
        }
        if (ms % CK_RECORDER_TICK_MS == 0) {
            ck_recorder_tick(recorder, sender_at(ms));
        }
    }
}
