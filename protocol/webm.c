#include "protocol/webm.h"

#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* Element ids, RFC 9559 section 5 and RFC 8794 section 11. */
enum {
    ID_EBML = 0x1A45DFA3,
    ID_EBML_VERSION = 0x4286,
    ID_EBML_READ_VERSION = 0x42F7,
    ID_EBML_MAX_ID_LENGTH = 0x42F2,
    ID_EBML_MAX_SIZE_LENGTH = 0x42F3,
    ID_DOC_TYPE = 0x4282,
    ID_DOC_TYPE_VERSION = 0x4287,
    ID_DOC_TYPE_READ_VERSION = 0x4285,
    ID_VOID = 0xEC,
    ID_SEGMENT = 0x18538067,
    ID_SEEK_HEAD = 0x114D9B74,
    ID_SEEK = 0x4DBB,
    ID_SEEK_ID = 0x53AB,
    ID_SEEK_POSITION = 0x53AC,
    ID_INFO = 0x1549A966,
    ID_TIMESTAMP_SCALE = 0x2AD7B1,
    ID_DURATION = 0x4489,
    ID_DATE = 0x4461,
    ID_MUXING_APP = 0x4D80,
    ID_WRITING_APP = 0x5741,
    ID_TRACKS = 0x1654AE6B,
    ID_TRACK_ENTRY = 0xAE,
    ID_TRACK_NUMBER = 0xD7,
    ID_TRACK_UID = 0x73C5,
    ID_TRACK_TYPE = 0x83,
    ID_FLAG_LACING = 0x9C,
    ID_CODEC_ID = 0x86,
    ID_CODEC_PRIVATE = 0x63A2,
    ID_CODEC_DELAY = 0x56AA,
    ID_SEEK_PRE_ROLL = 0x56BB,
    ID_AUDIO = 0xE1,
    ID_SAMPLING_FREQUENCY = 0xB5,
    ID_CHANNELS = 0x9F,
    ID_VIDEO = 0xE0,
    ID_PIXEL_WIDTH = 0xB0,
    ID_PIXEL_HEIGHT = 0xBA,
    ID_CLUSTER = 0x1F43B675,
    ID_TIMESTAMP = 0xE7,
    ID_SIMPLE_BLOCK = 0xA3,
    ID_CUES = 0x1C53BB6B,
    ID_CUE_POINT = 0xBB,
    ID_CUE_TIME = 0xB3,
    ID_CUE_TRACK_POSITIONS = 0xB7,
    ID_CUE_TRACK = 0xF7,
    ID_CUE_CLUSTER_POSITION = 0xF1,
    ID_CUE_RELATIVE_POSITION = 0xF0,
};

#define TRACK_TYPE_VIDEO 1
#define TRACK_TYPE_AUDIO 2
#define OPUS_RATE 48000
#define OPUS_SEEK_PRE_ROLL_NS 80000000 /* 80 ms, as the WebM guidelines for Opus ask */
#define DEFAULT_WIDTH 640
#define DEFAULT_HEIGHT 480
#define EPOCH_2001_MS INT64_C(978307200000) /* Matroska dates count from 2001 */
#define NS_PER_MS 1000000
#define BLOCK_KEY 0x80

static void put_id(struct ck_writer *w, uint32_t id)
{
    if (id > 0xFFFFFF) {
        ck_write_u8(w, (uint8_t)(id >> 24));
    }
    if (id > 0xFFFF) {
        ck_write_u8(w, (uint8_t)(id >> 16));
    }
    if (id > 0xFF) {
        ck_write_u8(w, (uint8_t)(id >> 8));
    }
    ck_write_u8(w, (uint8_t)id);
}

/* Sizes are always four bytes long, so that they can be filled in later. */
static void put_size4(struct ck_writer *w, size_t size)
{
    if (size >= 0x0FFFFFFF) {
        w->failed = true;
        return;
    }
    ck_write_u32(w, 0x10000000 | (uint32_t)size);
}

static void put_uint(struct ck_writer *w, uint32_t id, uint64_t value)
{
    unsigned length = 1;
    while (length < 8 && value >> (8 * length) != 0) {
        length++;
    }
    put_id(w, id);
    ck_write_u8(w, (uint8_t)(0x80 | length));
    for (unsigned i = length; i > 0; i--) {
        ck_write_u8(w, (uint8_t)(value >> (8 * (i - 1))));
    }
}

/* With all eight bytes, for what has to keep its length whatever the value. */
static void put_uint8(struct ck_writer *w, uint32_t id, uint64_t value)
{
    put_id(w, id);
    ck_write_u8(w, 0x88);
    ck_write_u64(w, value);
}

static void put_double(struct ck_writer *w, uint32_t id, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_uint8(w, id, bits);
}

static void put_bytes(struct ck_writer *w, uint32_t id, const void *bytes, size_t size)
{
    put_id(w, id);
    put_size4(w, size);
    ck_write_bytes(w, bytes, size);
}

static void put_text(struct ck_writer *w, uint32_t id, const char *text)
{
    put_bytes(w, id, text, strlen(text));
}

/* Opens a master element; what comes until close_master() is in it. */
static size_t open_master(struct ck_writer *w, uint32_t id)
{
    put_id(w, id);
    put_size4(w, 0);
    return w->size;
}

static void close_master(struct ck_writer *w, size_t start)
{
    if (!w->failed) {
        ck_put_u32(w->data + start - 4, 0x10000000 | (uint32_t)(w->size - start));
    }
}

static void put_ebml(struct ck_writer *w)
{
    size_t ebml = open_master(w, ID_EBML);
    put_uint(w, ID_EBML_VERSION, 1);
    put_uint(w, ID_EBML_READ_VERSION, 1);
    put_uint(w, ID_EBML_MAX_ID_LENGTH, 4);
    put_uint(w, ID_EBML_MAX_SIZE_LENGTH, 8);
    put_text(w, ID_DOC_TYPE, "webm");
    put_uint(w, ID_DOC_TYPE_VERSION, 4);
    put_uint(w, ID_DOC_TYPE_READ_VERSION, 2);
    close_master(w, ebml);
}

static void put_seek_head(struct ck_writer *w, uint64_t cues_at)
{
    uint8_t cues_id[4];
    ck_put_u32(cues_id, ID_CUES);
    size_t head = open_master(w, ID_SEEK_HEAD);
    size_t seek = open_master(w, ID_SEEK);
    put_bytes(w, ID_SEEK_ID, cues_id, sizeof cues_id);
    put_uint8(w, ID_SEEK_POSITION, cues_at - CK_WEBM_SEGMENT_AT);
    close_master(w, seek);
    close_master(w, head);
}

static void put_info(struct ck_writer *w, const struct ck_webm_header *header)
{
    size_t info = open_master(w, ID_INFO);
    put_uint(w, ID_TIMESTAMP_SCALE, NS_PER_MS);
    put_uint8(w, ID_DATE, (uint64_t)((header->start.ms - EPOCH_2001_MS) * NS_PER_MS));
    if (header->final) {
        put_double(w, ID_DURATION, (double)header->duration_ms);
    }
    put_text(w, ID_MUXING_APP, "checkind");
    put_text(w, ID_WRITING_APP, "checkind");
    close_master(w, info);
}

static void put_track(struct ck_writer *w, enum ck_webm_track number, unsigned type,
                      const char *codec)
{
    put_uint(w, ID_TRACK_NUMBER, number);
    put_uint(w, ID_TRACK_UID, number);
    put_uint(w, ID_TRACK_TYPE, type);
    put_uint(w, ID_FLAG_LACING, 0);
    put_text(w, ID_CODEC_ID, codec);
}

static void put_audio(struct ck_writer *w)
{
    /* OpusHead, RFC 7845 section 5.1, with little-endian fields: version 1, two channels, no
     * pre-skip (a stream joined while it runs has none), input rate, gain 0, mapping family 0. */
    static const uint8_t opus_head[] = {'O', 'p', 'u',  's',  'H', 'e', 'a', 'd', 1, 2,
                                        0,   0,   0x80, 0xBB, 0,   0,   0,   0,   0};
    size_t entry = open_master(w, ID_TRACK_ENTRY);
    put_track(w, CK_WEBM_AUDIO, TRACK_TYPE_AUDIO, "A_OPUS");
    put_bytes(w, ID_CODEC_PRIVATE, opus_head, sizeof opus_head);
    put_uint(w, ID_CODEC_DELAY, 0);
    put_uint(w, ID_SEEK_PRE_ROLL, OPUS_SEEK_PRE_ROLL_NS);
    size_t audio = open_master(w, ID_AUDIO);
    put_double(w, ID_SAMPLING_FREQUENCY, OPUS_RATE);
    put_uint(w, ID_CHANNELS, 2);
    close_master(w, audio);
    close_master(w, entry);
}

static void put_video(struct ck_writer *w, uint16_t width, uint16_t height)
{
    size_t entry = open_master(w, ID_TRACK_ENTRY);
    put_track(w, CK_WEBM_VIDEO, TRACK_TYPE_VIDEO, "V_VP8");
    size_t video = open_master(w, ID_VIDEO);
    put_uint(w, ID_PIXEL_WIDTH, width == 0 ? DEFAULT_WIDTH : width);
    put_uint(w, ID_PIXEL_HEIGHT, height == 0 ? DEFAULT_HEIGHT : height);
    close_master(w, video);
    close_master(w, entry);
}

static void put_tracks(struct ck_writer *w, const struct ck_webm_header *header)
{
    size_t tracks = open_master(w, ID_TRACKS);
    if (header->has_audio) {
        put_audio(w);
    }
    if (header->has_video) {
        put_video(w, header->width, header->height);
    }
    close_master(w, tracks);
}

/* A Void element that ends exactly at `size`. */
static void put_void_up_to(struct ck_writer *w, size_t size)
{
    size_t left = w->failed || w->size > size ? 0 : size - w->size;
    if (left < 5) {
        w->failed = true;
        return;
    }
    put_id(w, ID_VOID);
    put_size4(w, left - 5);
    uint8_t *room = ck_write_room(w, left - 5);
    if (room != NULL) {
        memset(room, 0, left - 5);
    }
}

int ck_webm_header(const struct ck_webm_header *header, uint8_t *out, size_t size)
{
    struct ck_writer w = ck_writer_of(out, size);
    put_ebml(&w);
    put_id(&w, ID_SEGMENT);
    if (header->final) {
        ck_write_u64(&w, UINT64_C(1) << 56 | (header->file_size - CK_WEBM_SEGMENT_AT));
    } else {
        ck_write_u64(&w, UINT64_C(0x01FFFFFFFFFFFFFF)); /* of unknown size */
    }
    if (!w.failed && w.size != CK_WEBM_SEGMENT_AT) {
        return CK_E_INVALID;
    }
    if (header->final && header->cues_at != 0) {
        put_seek_head(&w, header->cues_at);
    }
    put_info(&w, header);
    put_tracks(&w, header);
    put_void_up_to(&w, size);
    return w.failed ? CK_E_LIMIT : 0;
}

size_t ck_webm_cluster_size(const struct ck_webm_frame *frames, size_t count)
{
    size_t size = CK_WEBM_CLUSTER_OVERHEAD;
    for (size_t i = 0; i < count; i++) {
        size += CK_WEBM_BLOCK_OVERHEAD + frames[i].size;
    }
    return size;
}

static void put_block(struct ck_writer *w, const struct ck_webm_frame *frame, int64_t start_ms)
{
    put_id(w, ID_SIMPLE_BLOCK);
    put_size4(w, frame->size + 4);
    ck_write_u8(w, (uint8_t)(0x80 | frame->track));
    ck_write_u16(w, (uint16_t)(frame->time_ms - start_ms));
    ck_write_u8(w, frame->key ? BLOCK_KEY : 0);
    ck_write_bytes(w, frame->data, frame->size);
}

int ck_webm_cluster(const struct ck_webm_frame *frames, size_t count, size_t key, uint8_t *out,
                    size_t capacity, size_t *size, uint32_t *key_at)
{
    if (count == 0 || frames[0].time_ms < 0) {
        return CK_E_INVALID;
    }
    struct ck_writer w = ck_writer_of(out, capacity);
    size_t start = open_master(&w, ID_CLUSTER);
    put_uint8(&w, ID_TIMESTAMP, (uint64_t)frames[0].time_ms);
    int64_t last_ms = frames[0].time_ms;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (frames[i].time_ms < last_ms ||
            frames[i].time_ms - frames[0].time_ms > CK_WEBM_SPAN_MAX_MS) {
            return CK_E_INVALID;
        }
        last_ms = frames[i].time_ms;
        if (i == key) {
            found = w.size;
        }
        put_block(&w, &frames[i], frames[0].time_ms);
    }
    close_master(&w, start);
    if (w.failed) {
        return CK_E_LIMIT;
    }
    *size = w.size;
    *key_at = (uint32_t)found;
    return 0;
}

int ck_webm_block(const uint8_t *cluster, size_t size, size_t at, struct ck_webm_frame *frame)
{
    struct ck_reader r = ck_reader_of(cluster, size);
    uint32_t id = ck_read_u32(&r);
    ck_read_u32(&r);
    uint8_t time_id = ck_read_u8(&r);
    uint8_t time_size = ck_read_u8(&r);
    uint64_t start = ck_read_u64(&r);
    if (r.failed || id != ID_CLUSTER || time_id != ID_TIMESTAMP || time_size != 0x88 || at < r.at ||
        at > size || start > INT64_MAX - CK_WEBM_SPAN_MAX_MS) {
        return CK_E_SYNTAX;
    }
    r.at = at;
    uint8_t block_id = ck_read_u8(&r);
    uint32_t block_size = ck_read_u32(&r);
    uint8_t track = ck_read_u8(&r);
    uint16_t offset = ck_read_u16(&r);
    uint8_t flags = ck_read_u8(&r);
    if (r.failed || block_id != ID_SIMPLE_BLOCK || block_size >> 28 != 1 ||
        (block_size & 0x0FFFFFFF) < 4 ||
        (track != (0x80 | CK_WEBM_AUDIO) && track != (0x80 | CK_WEBM_VIDEO))) {
        return CK_E_SYNTAX;
    }
    size_t frame_size = (block_size & 0x0FFFFFFF) - 4;
    const uint8_t *data = ck_read_bytes(&r, frame_size);
    if (data == NULL) {
        return CK_E_SYNTAX;
    }
    *frame = (struct ck_webm_frame){
        .track = (enum ck_webm_track)(track & 0x7F),
        .key = (flags & BLOCK_KEY) != 0,
        .time_ms = (int64_t)start + offset,
        .data = data,
        .size = frame_size,
    };
    return 0;
}

static void put_cue(struct ck_writer *w, const struct ck_webm_cue *cue)
{
    size_t point = open_master(w, ID_CUE_POINT);
    put_uint(w, ID_CUE_TIME, (uint64_t)cue->time_ms);
    size_t positions = open_master(w, ID_CUE_TRACK_POSITIONS);
    put_uint(w, ID_CUE_TRACK, cue->track);
    put_uint(w, ID_CUE_CLUSTER_POSITION, cue->cluster_at - CK_WEBM_SEGMENT_AT);
    /* Relative to the cluster's data, which begins behind its id and size (eight bytes). */
    put_uint(w, ID_CUE_RELATIVE_POSITION, cue->block_at - 8);
    close_master(w, positions);
    close_master(w, point);
}

int ck_webm_cues(const struct ck_webm_cue *cues, size_t count, uint8_t *out, size_t capacity,
                 size_t *size)
{
    struct ck_writer w = ck_writer_of(out, capacity);
    size_t start = open_master(&w, ID_CUES);
    for (size_t i = 0; i < count; i++) {
        put_cue(&w, &cues[i]);
    }
    close_master(&w, start);
    if (w.failed) {
        return CK_E_LIMIT;
    }
    *size = w.size;
    return 0;
}
