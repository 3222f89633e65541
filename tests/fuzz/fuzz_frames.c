/* RTP payloads of a stranger on their way into a recording: frames, chunks, file; then the file is
 * opened and every frame in it is read back.
 *
 * Each packet of the input: flags (source, marker, jump, report), steps of sequence and time, a
 * length, the payload. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "media/record/chunker.h"
#include "media/record/frames.h"
#include "protocol/base/bytes.h"

struct memory {
    uint8_t *bytes;
    size_t size;
};

static ssize_t write_memory(void *user, int fd, const void *bytes, size_t size)
{
    struct memory *memory = user;
    (void)fd;
    memory->bytes = realloc(memory->bytes, memory->size + size);
    if (memory->bytes == NULL) {
        abort();
    }
    memcpy(memory->bytes + memory->size, bytes, size);
    memory->size += size;
    return (ssize_t)size;
}

static int sync_memory(void *user, int fd)
{
    (void)user;
    (void)fd;
    return 0;
}

static int read_memory(void *user, uint64_t offset, void *to, size_t size)
{
    const struct memory *memory = user;
    memcpy(to, memory->bytes + offset, size);
    return 0;
}

static void on_frame(void *user, const struct ck_frame *frame)
{
    ck_chunker_frame(user, frame);
}

static void on_mark(void *user, const struct ck_seal_mark *mark)
{
    ck_chunker_mark(user, mark);
}

static void on_want_key_frame(void *user)
{
    (void)user;
}

static void drive(struct ck_frames *frames, struct ck_chunker *chunker, const uint8_t *data,
                  size_t size)
{
    struct ck_reader r = ck_reader_of(data, size);
    struct ck_recording_packet packet = {.ssrc = 1};
    while (ck_reader_left(&r) >= 8) {
        uint8_t flags = ck_read_u8(&r);
        packet.source = (enum ck_recording_source)(flags & 1);
        packet.marker = (flags & 2) != 0;
        packet.ssrc += flags >> 7;
        packet.sequence = (uint16_t)(packet.sequence + (int8_t)ck_read_u8(&r));
        packet.again = packet.sequence % 16 == 15;
        packet.timestamp += (uint32_t)(int32_t)(int16_t)ck_read_u16(&r) << (flags >> 2 & 15);
        packet.arrival.us += (int64_t)ck_read_u16(&r) * 100;
        packet.size = ck_read_u16(&r) % (CK_RECORDER_PACKET_MAX + 1);
        packet.size = packet.size < ck_reader_left(&r) ? packet.size : ck_reader_left(&r);
        packet.payload = ck_read_bytes(&r, packet.size);
        if ((flags & 0x40) != 0) {
            ck_frames_report(frames, (enum ck_seal_source_kind)packet.source, packet.ssrc,
                             packet.timestamp, (uint64_t)packet.arrival.us << 12, packet.arrival);
        }
        if (ck_frames_packet(frames, &packet) != 0) {
            abort();
        }
        ck_chunker_tick(chunker, packet.arrival);
        if (ck_chunker_overdue_us(chunker, packet.arrival) >= 0) {
            ck_chunker_sync(chunker, packet.arrival);
        }
    }
    ck_chunker_finish(chunker, packet.arrival);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory memory = {0};
    struct ck_chunk_room room = {0};
    struct ck_recorder_io io = {write_memory, sync_memory, &memory};
    struct ck_recording_start start = {.fd = -1, .id = 1};
    struct ck_chunker *chunker;
    struct ck_frames *frames;
    if (ck_chunker_create(&chunker, &start, &io, &room) != 0) {
        abort();
    }
    struct ck_frames_sink sink = {on_frame, on_mark, on_want_key_frame, chunker};
    if (ck_frames_create(&frames, (struct ck_mono){0}, 0, &sink) != 0) {
        abort();
    }
    ck_chunker_begin(chunker);
    drive(frames, chunker, data, size);
    if (ck_chunker_error(chunker) != 0) {
        abort(); /* nothing that comes from the network ends a file */
    }
    struct ck_seal_source source = {read_memory, &memory, memory.size};
    struct ck_seal_report report;
    struct ck_seal *seal;
    if (ck_seal_verify(&source, 1, start.key, NULL, 0, &report) != 0 ||
        report.fault != CK_SEAL_SOUND || ck_seal_open(&seal, &source, start.key, 1) != 0) {
        abort();
    }
    ck_seal_close(seal);
    ck_frames_destroy(frames);
    ck_chunker_destroy(chunker);
    free(room.bytes);
    free(memory.bytes);
    return 0;
}
