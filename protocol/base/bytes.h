/* Bytes: a slice to read from, and a bounded place to write to. Network byte order throughout. */
#ifndef PROTOCOL_BASE_BYTES_H
#define PROTOCOL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A reader over memory that somebody else owns. Once a read goes past the end, `failed` stays set,
 * every later read gives zeros, and the position no longer moves: check once, at the end. */
struct ck_reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    bool failed;
};

static inline struct ck_reader ck_reader_of(const void *data, size_t size)
{
    return (struct ck_reader){.data = data, .size = size};
}

static inline size_t ck_reader_left(const struct ck_reader *reader)
{
    return reader->failed ? 0 : reader->size - reader->at;
}

/* The next `count` bytes, or NULL (and failed) where fewer are left. The pointer is into the slice.
 */
static inline const uint8_t *ck_read_bytes(struct ck_reader *reader, size_t count)
{
    if (reader->failed || reader->size - reader->at < count) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->data + reader->at;
    reader->at += count;
    return bytes;
}

static inline uint8_t ck_read_u8(struct ck_reader *reader)
{
    const uint8_t *b = ck_read_bytes(reader, 1);
    return b == NULL ? 0 : b[0];
}

static inline uint16_t ck_get_u16(const uint8_t *b)
{
    return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t ck_get_u24(const uint8_t *b)
{
    return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

static inline uint32_t ck_get_u32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t ck_get_u64(const uint8_t *b)
{
    return (uint64_t)ck_get_u32(b) << 32 | ck_get_u32(b + 4);
}

static inline void ck_put_u16(uint8_t *b, uint16_t v)
{
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}

static inline void ck_put_u24(uint8_t *b, uint32_t v)
{
    b[0] = (uint8_t)(v >> 16);
    b[1] = (uint8_t)(v >> 8);
    b[2] = (uint8_t)v;
}

static inline void ck_put_u32(uint8_t *b, uint32_t v)
{
    b[0] = (uint8_t)(v >> 24);
    b[1] = (uint8_t)(v >> 16);
    b[2] = (uint8_t)(v >> 8);
    b[3] = (uint8_t)v;
}

static inline void ck_put_u64(uint8_t *b, uint64_t v)
{
    ck_put_u32(b, (uint32_t)(v >> 32));
    ck_put_u32(b + 4, (uint32_t)v);
}

static inline uint16_t ck_read_u16(struct ck_reader *reader)
{
    const uint8_t *b = ck_read_bytes(reader, 2);
    return b == NULL ? 0 : ck_get_u16(b);
}

static inline uint32_t ck_read_u32(struct ck_reader *reader)
{
    const uint8_t *b = ck_read_bytes(reader, 4);
    return b == NULL ? 0 : ck_get_u32(b);
}

static inline uint64_t ck_read_u64(struct ck_reader *reader)
{
    const uint8_t *b = ck_read_bytes(reader, 8);
    return b == NULL ? 0 : ck_get_u64(b);
}

/* A writer into a fixed place. Once something does not fit, `failed` stays set and nothing more is
 * written: check once, at the end. */
struct ck_writer {
    uint8_t *data;
    size_t capacity;
    size_t size;
    bool failed;
};

static inline struct ck_writer ck_writer_of(void *data, size_t capacity)
{
    return (struct ck_writer){.data = data, .capacity = capacity};
}

/* Room for `count` bytes, to be filled by the caller at once; NULL (and failed) where it does not
 * fit. */
static inline uint8_t *ck_write_room(struct ck_writer *writer, size_t count)
{
    if (writer->failed || writer->capacity - writer->size < count) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *room = writer->data + writer->size;
    writer->size += count;
    return room;
}

static inline void ck_write_bytes(struct ck_writer *writer, const void *bytes, size_t count)
{
    uint8_t *room = ck_write_room(writer, count);
    if (room != NULL && count > 0) {
        memcpy(room, bytes, count);
    }
}

static inline void ck_write_u8(struct ck_writer *writer, uint8_t v)
{
    ck_write_bytes(writer, &v, 1);
}

static inline void ck_write_u16(struct ck_writer *writer, uint16_t v)
{
    uint8_t *room = ck_write_room(writer, 2);
    if (room != NULL) {
        ck_put_u16(room, v);
    }
}

static inline void ck_write_u32(struct ck_writer *writer, uint32_t v)
{
    uint8_t *room = ck_write_room(writer, 4);
    if (room != NULL) {
        ck_put_u32(room, v);
    }
}

static inline void ck_write_u64(struct ck_writer *writer, uint64_t v)
{
    uint8_t *room = ck_write_room(writer, 8);
    if (room != NULL) {
        ck_put_u64(room, v);
    }
}

#endif
