#include "media/record/chunker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/webm.h"

#define US_PER_MS 1000
#define PICTURE_MS 33 /* how long the last picture of a chunk is taken to last */
#define GROWTH_MIN 16384u

struct held {
    enum ck_webm_track track;
    bool key;
    uint16_t width;
    uint16_t height;
    int64_t time_ms;
    int64_t end_ms;
    size_t at; /* in the bytes held */
    size_t size;
};

struct ck_chunker {
    struct ck_seal_writer *seal;
    const struct ck_recorder_io *io;
    struct ck_chunk_room *room;
    int fd;
    int error;
    struct ck_mono start;
    struct ck_mono opened; /* arrival of the first frame or mark of the open chunk */
    bool open;
    uint8_t *bytes; /* of the frames held */
    size_t bytes_used;
    size_t bytes_room;
    struct held *frames;
    size_t count;
    size_t frames_room;
    bool dirty; /* something written is not synced, */
    struct ck_mono dirty_since;
    struct ck_seal_head durable;
    int64_t durable_ms;
};

int ck_chunker_create(struct ck_chunker **chunker, const struct ck_recording_start *start,
                      const struct ck_recorder_io *io, struct ck_chunk_room *room)
{
    struct ck_seal_start seal = {
        .recording = start->id,
        .start = start->start_wall,
        .context = start->context,
        .context_size = start->context_size,
    };
    memcpy(seal.key, start->key, sizeof seal.key);
    memcpy(seal.salt, start->salt, sizeof seal.salt);
    struct ck_chunker *made = calloc(1, sizeof *made);
    int r = made == NULL ? -ENOMEM : ck_seal_writer_create(&made->seal, &seal);
    ck_wipe(&seal, sizeof seal);
    if (r != 0) {
        free(made);
        return r;
    }
    made->io = io;
    made->room = room;
    made->fd = start->fd;
    made->start = start->start_mono;
    *chunker = made;
    return 0;
}

void ck_chunker_destroy(struct ck_chunker *chunker)
{
    if (chunker == NULL) {
        return;
    }
    ck_seal_writer_destroy(chunker->seal);
    if (chunker->bytes != NULL) {
        ck_wipe(chunker->bytes, chunker->bytes_room);
    }
    free(chunker->bytes);
    free(chunker->frames);
    free(chunker);
}

void ck_chunker_fail(struct ck_chunker *chunker, int error)
{
    if (chunker->error == 0) {
        chunker->error = error;
    }
}

int ck_chunker_error(const struct ck_chunker *chunker)
{
    return chunker->error;
}

static void mark_dirty(struct ck_chunker *chunker, struct ck_mono now)
{
    if (!chunker->dirty) {
        chunker->dirty = true;
        chunker->dirty_since = now;
    }
}

static void write_all(struct ck_chunker *chunker, const uint8_t *bytes, size_t size,
                      struct ck_mono now)
{
    while (size > 0 && chunker->error == 0) {
        ssize_t wrote = chunker->io->write(chunker->io->user, chunker->fd, bytes, size);
        if (wrote > 0) {
            bytes += wrote;
            size -= (size_t)wrote;
            mark_dirty(chunker, now);
        } else if (wrote == 0) {
            ck_chunker_fail(chunker, EIO);
        } else if (errno != EINTR) {
            ck_chunker_fail(chunker, errno);
        }
    }
}

int64_t ck_chunker_overdue_us(const struct ck_chunker *chunker, struct ck_mono now)
{
    return chunker->dirty && chunker->error == 0
               ? now.us - chunker->dirty_since.us - CK_RECORDER_SYNC_MS * US_PER_MS
               : -1;
}

bool ck_chunker_sync(struct ck_chunker *chunker, struct ck_mono now)
{
    if (!chunker->dirty || chunker->error != 0) {
        return false;
    }
    chunker->dirty_since = now;
    if (chunker->io->sync(chunker->io->user, chunker->fd) != 0) {
        ck_chunker_fail(chunker, errno);
        return false;
    }
    chunker->dirty = false;
    chunker->durable = ck_seal_writer_head(chunker->seal);
    chunker->durable_ms = ck_seal_writer_duration_ms(chunker->seal);
    return true;
}

/* A positive code of sealing is a limit of ours: the file has become too long. */
static void fail_sealing(struct ck_chunker *chunker, int result)
{
    if (result != 0) {
        ck_chunker_fail(chunker, result < 0 ? -result : EFBIG);
    }
}

void ck_chunker_begin(struct ck_chunker *chunker)
{
    uint8_t bytes[CK_SEAL_BEGIN_MAX];
    size_t size = 0;
    fail_sealing(chunker, ck_seal_writer_begin(chunker->seal, bytes, sizeof bytes, &size));
    if (chunker->error == 0) {
        write_all(chunker, bytes, size, chunker->start);
    }
}

/* Frames come nearly in order: sound and picture differ by their delays. */
static void sort(struct held *frames, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct held frame = frames[i];
        size_t at = i;
        while (at > 0 && frames[at - 1].time_ms > frame.time_ms) {
            frames[at] = frames[at - 1];
            at--;
        }
        frames[at] = frame;
    }
}

/* Fills the frames for WebM and what the chunk spans. Returns the index of the first video key
 * frame, or count. */
static size_t describe(const struct ck_chunker *chunker, struct ck_webm_frame *webm,
                       struct ck_seal_span *span)
{
    size_t key = chunker->count;
    *span = (struct ck_seal_span){.key_ms = -1};
    for (size_t i = 0; i < chunker->count; i++) {
        const struct held *held = &chunker->frames[i];
        bool video = held->track == CK_WEBM_VIDEO;
        int64_t end_ms = held->end_ms + (video ? PICTURE_MS : 0);
        webm[i] = (struct ck_webm_frame){held->track, held->key, held->time_ms,
                                         chunker->bytes + held->at, held->size};
        span->has_video |= video;
        span->has_audio |= !video;
        span->end_ms = end_ms > span->end_ms ? end_ms : span->end_ms;
        if (video && held->key && key == chunker->count) {
            key = i;
            span->key_ms = held->time_ms;
        }
        if ((uint32_t)held->width * held->height > (uint32_t)span->width * span->height) {
            span->width = held->width;
            span->height = held->height;
        }
    }
    span->start_ms = chunker->count > 0 ? chunker->frames[0].time_ms : 0;
    return key;
}

static int reserve_room(struct ck_chunk_room *room, size_t size)
{
    if (room->size >= size) {
        return 0;
    }
    uint8_t *grown = realloc(room->bytes, size);
    if (grown == NULL) {
        return -ENOMEM;
    }
    room->bytes = grown;
    room->size = size;
    return 0;
}

static int seal_open_chunk(struct ck_chunker *chunker, size_t *size)
{
    struct ck_webm_frame webm[CK_CHUNKER_FRAMES_MAX];
    struct ck_seal_span span;
    sort(chunker->frames, chunker->count);
    size_t key = describe(chunker, webm, &span);
    size_t media = chunker->count == 0 ? 0 : ck_webm_cluster_size(webm, chunker->count);
    int r = reserve_room(chunker->room, CK_SEAL_CHUNK_HEAD + media + CK_SEAL_CHUNK_TAIL);
    if (r == 0 && media > 0) {
        r = ck_webm_cluster(webm, chunker->count, key, chunker->room->bytes + CK_SEAL_CHUNK_HEAD,
                            media, &media, &span.key_at);
    }
    return r == 0 ? ck_seal_writer_chunk(chunker->seal, &span, chunker->room->bytes, media, size)
                  : r;
}

static void end_chunk(struct ck_chunker *chunker, struct ck_mono now)
{
    size_t size = 0;
    if (chunker->error == 0 && (chunker->count > 0 || ck_seal_writer_has_marks(chunker->seal))) {
        fail_sealing(chunker, seal_open_chunk(chunker, &size));
        if (chunker->error == 0) {
            write_all(chunker, chunker->room->bytes, size, now);
        }
    }
    chunker->open = false;
    chunker->count = 0;
    chunker->bytes_used = 0;
}

/* Whether this frame begins the next chunk. */
static bool is_full_for(const struct ck_chunker *chunker, const struct ck_frame *frame)
{
    if (!chunker->open || chunker->count == 0) {
        return false;
    }
    int64_t open_us = frame->arrival.us - chunker->opened.us;
    int64_t first_ms = chunker->frames[0].time_ms;
    bool key = frame->webm.track == CK_WEBM_VIDEO && frame->webm.key;
    return (key && open_us >= CK_RECORDER_CHUNK_MS * US_PER_MS) ||
           open_us >= CK_RECORDER_CHUNK_MAX_MS * US_PER_MS ||
           chunker->bytes_used + frame->webm.size > CK_CHUNKER_BYTES_SOFT ||
           chunker->count == CK_CHUNKER_FRAMES_MAX ||
           frame->webm.time_ms - first_ms > CK_WEBM_SPAN_MAX_MS / 2 ||
           first_ms - frame->webm.time_ms > CK_WEBM_SPAN_MAX_MS / 2;
}

static int hold_bytes(struct ck_chunker *chunker, const uint8_t *data, size_t size)
{
    size_t room = chunker->bytes_room < GROWTH_MIN ? GROWTH_MIN : chunker->bytes_room;
    while (room < chunker->bytes_used + size) {
        room *= 2;
    }
    if (room > chunker->bytes_room) {
        uint8_t *grown = realloc(chunker->bytes, room);
        if (grown == NULL) {
            return -ENOMEM;
        }
        chunker->bytes = grown;
        chunker->bytes_room = room;
    }
    memcpy(chunker->bytes + chunker->bytes_used, data, size);
    chunker->bytes_used += size;
    return 0;
}

static int hold(struct ck_chunker *chunker, const struct ck_frame *frame)
{
    if (chunker->count == chunker->frames_room) {
        size_t room = chunker->frames_room == 0 ? 128 : chunker->frames_room * 2;
        struct held *grown = realloc(chunker->frames, room * sizeof *grown);
        if (grown == NULL) {
            return -ENOMEM;
        }
        chunker->frames = grown;
        chunker->frames_room = room;
    }
    struct held held = {
        .track = frame->webm.track,
        .key = frame->webm.key,
        .width = frame->width,
        .height = frame->height,
        .time_ms = frame->webm.time_ms,
        .end_ms = frame->end_ms,
        .at = chunker->bytes_used,
        .size = frame->webm.size,
    };
    int r = hold_bytes(chunker, frame->webm.data, frame->webm.size);
    if (r == 0) {
        chunker->frames[chunker->count++] = held;
    }
    return r;
}

static void open_chunk(struct ck_chunker *chunker, struct ck_mono at)
{
    if (!chunker->open) {
        chunker->open = true;
        chunker->opened = at;
    }
}

void ck_chunker_frame(struct ck_chunker *chunker, const struct ck_frame *frame)
{
    if (chunker->error != 0) {
        return;
    }
    if (is_full_for(chunker, frame)) {
        end_chunk(chunker, frame->arrival);
    }
    open_chunk(chunker, frame->arrival);
    int r = hold(chunker, frame);
    if (r != 0) {
        ck_chunker_fail(chunker, -r);
    }
}

void ck_chunker_mark(struct ck_chunker *chunker, const struct ck_seal_mark *mark)
{
    if (chunker->error == 0) {
        ck_seal_writer_mark(chunker->seal, mark);
    }
}

void ck_chunker_tick(struct ck_chunker *chunker, struct ck_mono now)
{
    if (chunker->open && now.us - chunker->opened.us >= CK_RECORDER_CHUNK_MAX_MS * US_PER_MS) {
        end_chunk(chunker, now);
    }
}

void ck_chunker_flush(struct ck_chunker *chunker, struct ck_mono now)
{
    end_chunk(chunker, now);
    ck_chunker_sync(chunker, now);
}

void ck_chunker_finish(struct ck_chunker *chunker, struct ck_mono now)
{
    ck_cleanup(ck_freep) uint8_t *bytes = NULL;
    size_t size = 0;
    end_chunk(chunker, now);
    if (chunker->error == 0) {
        fail_sealing(chunker, ck_seal_writer_trailer(chunker->seal, &bytes, &size));
    }
    if (chunker->error == 0) {
        write_all(chunker, bytes, size, now);
    }
    ck_chunker_sync(chunker, now);
}

struct ck_seal_head ck_chunker_head(const struct ck_chunker *chunker)
{
    return chunker->durable;
}

struct ck_mono ck_chunker_sealed_until(const struct ck_chunker *chunker)
{
    return ck_mono_add_us(chunker->start, chunker->durable_ms * US_PER_MS);
}

int64_t ck_chunker_duration_ms(const struct ck_chunker *chunker)
{
    return ck_seal_writer_duration_ms(chunker->seal);
}

void ck_chunker_gaps(const struct ck_chunker *chunker, uint32_t *count, int64_t *sum_ms)
{
    ck_seal_writer_gaps(chunker->seal, count, sum_ms);
}
