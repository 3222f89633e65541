#include "protocol/zip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/base/array.h"
#include "protocol/base/error.h"

#define LOCAL_SIZE 30
#define CENTRAL_SIZE 46
#define END_SIZE 22
#define LOCAL_MARK 0x04034b50u
#define CENTRAL_MARK 0x02014b50u
#define END_MARK 0x06054b50u
#define END64_SIZE 56
#define END64_MARK 0x06064b50u
#define LOCATOR_SIZE 20
#define LOCATOR_MARK 0x07064b50u
#define TAIL_MAX (END64_SIZE + LOCATOR_SIZE + END_SIZE)
#define MANY 0xffff /* files: from here on ZIP64 says how many */
#define VERSION 20
#define VERSION64 45
#define UTF8_NAMES 0x0800

/* ---- small things: the format is little-endian ---- */

static void put16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *to, uint32_t value)
{
    put16(to, value & 0xffff);
    put16(to + 2, value >> 16);
}

static void put64(uint8_t *to, uint64_t value)
{
    put32(to, (uint32_t)value);
    put32(to + 4, (uint32_t)(value >> 32));
}

static unsigned get16(const uint8_t *from)
{
    return from[0] | (unsigned)from[1] << 8;
}

static uint32_t get32(const uint8_t *from)
{
    return get16(from) | (uint32_t)get16(from + 2) << 16;
}

/* CRC-32 of ISO 3309, four bits at a time. */
static uint32_t checksum(uint32_t crc, const uint8_t *bytes, size_t size)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* A name that means the same wherever it is unpacked: no letters that some systems take for others,
 * nothing that leads out of the folder. */
static bool is_name(const uint8_t *name, size_t size)
{
    uint8_t before = '/';
    for (size_t i = 0; i < size; i++) {
        uint8_t at = name[i];
        bool ends =
            at == '/' || at == '.'; /* a part neither is empty, nor begins or ends with it */
        if (!((at >= 'a' && at <= 'z') || (at >= '0' && at <= '9') || at == '-' || at == '_' ||
              (ends && before != '/' && before != '.'))) {
            return false;
        }
        before = at;
    }
    return before != '/' && before != '.';
}

/* ---- writing ---- */

struct entry {
    char *name;
    uint32_t offset, size, crc;
};

struct ck_zip_writer {
    int fd;
    uint64_t at; /* bytes written */
    uint16_t date, time;
    bool open;
    size_t count, room;
    struct entry *entries;
};

#define EPOCH_S INT64_C(315532800) /* 1980: the format knows no earlier year */

/* Days since 1970 as year, month and day (the proleptic Gregorian calendar). */
static void set_time(struct ck_zip_writer *writer, struct ck_wall at)
{
    int64_t seconds = at.ms / 1000 < EPOCH_S ? EPOCH_S : at.ms / 1000;
    int64_t days = seconds / 86400, rest = seconds % 86400;
    int64_t era_day = days + 719468, era = era_day / 146097, of_era = era_day - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153, day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    year += era * 400 + (month <= 2);
    writer->date = (uint16_t)((year - 1980) << 9 | month << 5 | day);
    writer->time = (uint16_t)(rest / 3600 << 11 | rest / 60 % 60 << 5 | rest % 60 / 2);
}

int ck_zip_writer_create(struct ck_zip_writer **writer, int fd, struct ck_wall at)
{
    struct ck_zip_writer *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->fd = fd;
    set_time(made, at);
    *writer = made;
    return 0;
}

void ck_zip_writer_destroy(struct ck_zip_writer *writer)
{
    for (size_t i = 0; writer != NULL && i < writer->count; i++) {
        free(writer->entries[i].name);
    }
    if (writer != NULL) {
        free(writer->entries);
    }
    free(writer);
}

static int write_out(struct ck_zip_writer *writer, const void *bytes, size_t size)
{
    if (writer->at + size > CK_ZIP_SIZE_MAX) {
        return CK_E_LIMIT;
    }
    for (const uint8_t *at = bytes; size > 0;) {
        ssize_t written = write(writer->fd, at, size);
        if (written < 0 && errno != EINTR) {
            return -errno;
        }
        at += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
        writer->at += written > 0 ? (uint64_t)written : 0;
    }
    return 0;
}

/* What both headers of a file say, from the version on. */
static void fill(const struct ck_zip_writer *writer, const struct entry *entry, uint8_t *to)
{
    put16(to, VERSION);
    put16(to + 2, UTF8_NAMES);
    put16(to + 4, 0); /* as it is */
    put16(to + 6, writer->time);
    put16(to + 8, writer->date);
    put32(to + 10, entry->crc);
    put32(to + 14, entry->size);
    put32(to + 18, entry->size);
    put16(to + 22, (unsigned)strlen(entry->name));
    put16(to + 24, 0);
}

/* The file that was begun: its header, now that size and checksum are known. */
static int close_file(struct ck_zip_writer *writer)
{
    uint8_t header[LOCAL_SIZE];
    if (!writer->open) {
        return 0;
    }
    const struct entry *entry = &writer->entries[writer->count - 1];
    writer->open = false;
    put32(header, LOCAL_MARK);
    fill(writer, entry, header + 4);
    return pwrite(writer->fd, header, sizeof header, entry->offset) == sizeof header ? 0 : -EIO;
}

static int make_room(struct ck_zip_writer *writer)
{
    struct entry *entries =
        ck_array_grow(writer->entries, &writer->room, writer->count, sizeof *entries);
    if (entries == NULL) {
        return -ENOMEM;
    }
    writer->entries = entries;
    return 0;
}

int ck_zip_begin(struct ck_zip_writer *writer, const char *name)
{
    static const uint8_t later[LOCAL_SIZE];
    int r = close_file(writer);
    if (r != 0) {
        return r;
    }
    if (writer->count == CK_ZIP_FILES_MAX || strlen(name) > CK_ZIP_NAME_MAX) {
        return CK_E_LIMIT;
    }
    if (!is_name((const uint8_t *)name, strlen(name))) {
        return CK_E_INVALID;
    }
    r = make_room(writer);
    if (r != 0) {
        return r;
    }
    struct entry entry = {.name = strdup(name), .offset = (uint32_t)writer->at};
    r = entry.name == NULL ? -ENOMEM : write_out(writer, later, sizeof later);
    r = r == 0 ? write_out(writer, name, strlen(name)) : r;
    if (r != 0) {
        free(entry.name);
        return r;
    }
    writer->entries[writer->count++] = entry;
    writer->open = true;
    return 0;
}

int ck_zip_put(struct ck_zip_writer *writer, const void *bytes, size_t size)
{
    struct entry *entry = &writer->entries[writer->count - 1];
    int r = write_out(writer, bytes, size);
    if (r == 0) {
        entry->crc = checksum(entry->crc, bytes, size);
        entry->size += (uint32_t)size;
    }
    return r;
}

int ck_zip_add(struct ck_zip_writer *writer, const char *name, const void *bytes, size_t size)
{
    int r = ck_zip_begin(writer, name);
    return r == 0 ? ck_zip_put(writer, bytes, size) : r;
}

unsigned ck_zip_files(const struct ck_zip_writer *writer)
{
    return (unsigned)writer->count;
}

struct ck_zip_place ck_zip_place(const struct ck_zip_writer *writer, unsigned number)
{
    const struct entry *entry = &writer->entries[number];
    return (struct ck_zip_place){
        .name = entry->name,
        .at = (uint64_t)entry->offset + LOCAL_SIZE + strlen(entry->name),
        .size = entry->size,
    };
}

/* What stands behind the directory; its size. */
static size_t fill_tail(uint8_t tail[static TAIL_MAX], uint64_t count, uint64_t from,
                        uint64_t length)
{
    uint8_t *end = tail;
    memset(tail, 0, TAIL_MAX);
    if (count >= MANY) {
        put32(tail, END64_MARK);
        put64(tail + 4, END64_SIZE - 12); /* of what follows */
        put16(tail + 12, VERSION64);
        put16(tail + 14, VERSION64);
        put64(tail + 24, count);
        put64(tail + 32, count);
        put64(tail + 40, length);
        put64(tail + 48, from);
        put32(tail + END64_SIZE, LOCATOR_MARK);
        put64(tail + END64_SIZE + 8, from + length);
        put32(tail + END64_SIZE + 16, 1);
        end += END64_SIZE + LOCATOR_SIZE;
    }
    put32(end, END_MARK);
    put16(end + 8, count >= MANY ? MANY : (unsigned)count);
    put16(end + 10, count >= MANY ? MANY : (unsigned)count);
    put32(end + 12, (uint32_t)length);
    put32(end + 16, (uint32_t)from);
    return (size_t)(end - tail) + END_SIZE;
}

int ck_zip_end(struct ck_zip_writer *writer, uint64_t *size)
{
    uint8_t tail[TAIL_MAX];
    int r = close_file(writer);
    uint64_t from = writer->at;
    for (size_t i = 0; r == 0 && i < writer->count; i++) {
        const struct entry *entry = &writer->entries[i];
        uint8_t header[CENTRAL_SIZE] = {0};
        put32(header, CENTRAL_MARK);
        put16(header + 4, VERSION);
        fill(writer, entry, header + 6);
        put32(header + 42, entry->offset);
        r = write_out(writer, header, sizeof header);
        r = r == 0 ? write_out(writer, entry->name, strlen(entry->name)) : r;
    }
    r = r == 0 ? write_out(writer, tail, fill_tail(tail, writer->count, from, writer->at - from))
               : r;
    if (r == 0) {
        *size = writer->at;
    }
    return r;
}

/* ---- reading ---- */

#define SAID_TWICE 26 /* bytes that both headers of a file have, from the version on */

static size_t name_size(const uint8_t *header)
{
    return get16(header + 28);
}

static void tell(struct ck_zip_file *bad, const uint8_t *header)
{
    if (bad != NULL) {
        size_t size = name_size(header) < CK_ZIP_NAME_MAX ? name_size(header) : CK_ZIP_NAME_MAX;
        memset(bad, 0, sizeof *bad);
        memcpy(bad->name, header + CENTRAL_SIZE, size);
    }
}

/* One file of the directory, which must begin at `at`, where the one before it ended. */
static int read_file(const uint8_t *bytes, size_t end, size_t at, const uint8_t *header,
                     struct ck_zip_file *file)
{
    size_t length = get32(header + 24), head = LOCAL_SIZE + name_size(header);
    if (get32(header + 42) != at || get16(header + 8) != UTF8_NAMES || get16(header + 10) != 0 ||
        get32(header + 20) != length || get16(header + 30) != 0 || get16(header + 32) != 0 ||
        end - at < head || end - at - head < length || get32(bytes + at) != LOCAL_MARK ||
        memcmp(bytes + at + 4, header + 6, SAID_TWICE) != 0 ||
        memcmp(bytes + at + LOCAL_SIZE, header + CENTRAL_SIZE, name_size(header)) != 0) {
        return CK_E_INVALID;
    }
    memset(file, 0, sizeof *file);
    memcpy(file->name, header + CENTRAL_SIZE, name_size(header));
    file->bytes = bytes + at + head;
    file->size = length;
    return checksum(0, file->bytes, length) == get32(header + 16) ? 0 : CK_E_AUTH;
}

static int by_name(const void *a, const void *b)
{
    const uint8_t *const *first = a, *const *second = b;
    size_t size = name_size(*first) < name_size(*second) ? name_size(*first) : name_size(*second);
    int order = memcmp(*first + CENTRAL_SIZE, *second + CENTRAL_SIZE, size);
    return order != 0 ? order : (int)name_size(*first) - (int)name_size(*second);
}

/* Of two files of one name some programs show the first and some the last. */
static int find_twins(const uint8_t **headers, size_t count, struct ck_zip_file *bad)
{
    qsort(headers, count, sizeof *headers, by_name);
    for (size_t i = 1; i < count; i++) {
        if (by_name(&headers[i - 1], &headers[i]) == 0) {
            tell(bad, headers[i]);
            return CK_E_CONFLICT;
        }
    }
    return 0;
}

/* The headers of the directory, which fills all from `at` to `end`. */
static int read_directory(const uint8_t *bytes, size_t at, size_t end, const uint8_t **headers,
                          size_t count, struct ck_zip_file *bad)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *header = bytes + at;
        if (end - at < CENTRAL_SIZE || get32(header) != CENTRAL_MARK ||
            end - at - CENTRAL_SIZE < name_size(header)) {
            return CK_E_INVALID;
        }
        if (name_size(header) > CK_ZIP_NAME_MAX ||
            !is_name(header + CENTRAL_SIZE, name_size(header))) {
            tell(bad, header);
            return CK_E_INVALID;
        }
        headers[i] = header;
        at += CENTRAL_SIZE + name_size(header);
    }
    return at == end ? 0 : CK_E_INVALID;
}

static int visit_all(const uint8_t *bytes, size_t end, const uint8_t *const *headers, size_t count,
                     ck_zip_visit *visit, void *user, struct ck_zip_file *bad)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        struct ck_zip_file file;
        int r = read_file(bytes, end, at, headers[i], &file);
        if (r != 0) {
            tell(bad, headers[i]);
        }
        r = r == 0 ? visit(user, &file) : r;
        if (r != 0) {
            return r;
        }
        at = (size_t)(file.bytes - bytes) + file.size;
    }
    return at == end ? 0 : CK_E_INVALID; /* something between the files and the directory */
}

/* Where the directory is and how many files it lists; CK_E_INVALID unless all that stands behind it
 * is what a writer of this form writes. */
static int read_tail(const uint8_t *bytes, size_t size, uint64_t *count, size_t *at, size_t *length)
{
    const uint8_t *end = bytes + size - END_SIZE;
    uint8_t tail[TAIL_MAX];
    size_t tail_size = get16(end + 10) == MANY ? TAIL_MAX : END_SIZE;
    *count = get16(end + 10);
    if (tail_size > size) {
        return CK_E_INVALID;
    }
    const uint8_t *from = bytes + size - tail_size;
    if (*count == MANY) {
        *count = get32(from + 32) | (uint64_t)get32(from + 36) << 32;
    }
    *at = get32(end + 16);
    *length = get32(end + 12);
    return *at <= size - tail_size && size - tail_size - *at == *length &&
                   fill_tail(tail, *count, *at, *length) == tail_size &&
                   memcmp(tail, from, tail_size) == 0
               ? 0
               : CK_E_INVALID;
}

int ck_zip_walk(const void *archive, size_t size, ck_zip_visit *visit, void *user,
                struct ck_zip_file *bad)
{
    const uint8_t *bytes = archive;
    uint64_t count = 0;
    size_t at = 0, length = 0;
    if (bad != NULL) {
        *bad->name = '\0';
    }
    if (size < END_SIZE || get32(bytes + size - END_SIZE) != END_MARK) {
        return CK_E_SYNTAX;
    }
    int r = read_tail(bytes, size, &count, &at, &length);
    if (r != 0 || count > CK_ZIP_FILES_MAX) {
        return r != 0 ? r : CK_E_LIMIT;
    }
    const uint8_t **headers = calloc(2 * count + 1, sizeof *headers);
    if (headers == NULL) {
        return -ENOMEM;
    }
    r = read_directory(bytes, at, at + length, headers, count, bad);
    memcpy(headers + count, headers, count * sizeof *headers);
    r = r == 0 ? find_twins(headers + count, count, bad) : r;
    r = r == 0 ? visit_all(bytes, at, headers, count, visit, user, bad) : r;
    free(headers);
    return r;
}
