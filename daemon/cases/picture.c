#include "daemon/cases/picture.h"

#include <stdbool.h>
#include <string.h>

#include "protocol/base/bytes.h"

/* Bytes that are read at `at`, and kept, in order, at `kept`. */
struct pass {
    uint8_t *bytes;
    size_t size, at, kept;
};

static void take(struct pass *pass, size_t count, bool keep)
{
    if (keep) {
        memmove(pass->bytes + pass->kept, pass->bytes + pass->at, count);
        pass->kept += count;
    }
    pass->at += count;
}

/* ---- JPEG: ISO/IEC 10918-1, annex B ---- */

enum {
    M_TEM = 0x01,
    M_RST0 = 0xd0,
    M_RST7 = 0xd7,
    M_EOI = 0xd9,
    M_SOS = 0xda,
    M_APP0 = 0xe0,
    M_APP14 = 0xee,
    M_APP15 = 0xef,
    M_COM = 0xfe,
};

static bool stands_alone(uint8_t marker)
{
    return marker == M_TEM || (marker >= M_RST0 && marker <= M_RST7);
}

/* JFIF, Adobe's transform and ICC profiles say how the picture is to be shown. */
static bool jpeg_keeps(uint8_t marker, const uint8_t *content, size_t size)
{
    bool app = marker >= M_APP0 && marker <= M_APP15;
    bool icc = app && size >= 4 && memcmp(content, "ICC_", 4) == 0;
    return icc || marker == M_APP0 || marker == M_APP14 || (!app && marker != M_COM);
}

/* The coded data behind a scan header: up to the next marker. */
static size_t scan_size(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    while (at + 1 < size && (bytes[at] != 0xff || bytes[at + 1] == 0 || bytes[at + 1] == 0xff ||
                             stands_alone(bytes[at + 1]))) {
        at++;
    }
    return at + 1 < size ? at : size;
}

/* False where it is not well formed. */
static bool jpeg_segment(struct pass *pass, bool *end)
{
    const uint8_t *b = pass->bytes + pass->at;
    size_t left = pass->size - pass->at;
    if (left < 2 || b[0] != 0xff) {
        return false;
    }
    if (b[1] == M_EOI || stands_alone(b[1])) {
        *end = b[1] == M_EOI;
        take(pass, 2, true);
        return true;
    }
    if (b[1] == 0xff) { /* a fill byte */
        take(pass, 1, true);
        return true;
    }
    size_t length = left < 4 ? 0 : ck_get_u16(b + 2);
    if (length < 2 || length + 2 > left) {
        return false;
    }
    bool scan = b[1] == M_SOS;
    take(pass, length + 2, jpeg_keeps(b[1], b + 4, length - 2));
    if (scan) {
        take(pass, scan_size(pass->bytes + pass->at, pass->size - pass->at), true);
    }
    return true;
}

static bool strip_jpeg(struct pass *pass)
{
    bool end = false, good = true;
    take(pass, 2, true); /* start of image */
    while (good && !end) {
        good = jpeg_segment(pass, &end);
    }
    return good;
}

/* ---- PNG, third edition, 5.3 and 11.3 ---- */

static bool strip_png(struct pass *pass)
{
    static const char dropped[][5] = {"eXIf", "tEXt", "zTXt", "iTXt", "tIME"};
    bool end = false;
    take(pass, 8, true);
    while (!end) {
        const uint8_t *b = pass->bytes + pass->at;
        size_t left = pass->size - pass->at;
        if (left < 12) {
            return false;
        }
        size_t length = ck_get_u32(b);
        if (length > left - 12) {
            return false;
        }
        bool keep = true;
        for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
            keep = keep && memcmp(b + 4, dropped[i], 4) != 0;
        }
        end = memcmp(b + 4, "IEND", 4) == 0;
        take(pass, length + 12, keep);
    }
    return true;
}

/* ---- WebP: RFC 9649 sections 2.3 to 2.7 ---- */

#define VP8X_EXIF 0x08
#define VP8X_XMP 0x04

static bool strip_webp(struct pass *pass)
{
    take(pass, 12, true);
    while (pass->at < pass->size) {
        uint8_t *b = pass->bytes + pass->at;
        size_t left = pass->size - pass->at;
        if (left < 8) {
            return left == 1; /* the padding of the whole */
        }
        size_t length = b[4] | (size_t)b[5] << 8 | (size_t)b[6] << 16 | (size_t)b[7] << 24;
        size_t padded = 8 + length + (length & 1);
        if (length > left - 8) {
            return false;
        }
        if (memcmp(b, "VP8X", 4) == 0 && length > 0) {
            b[8] &= (uint8_t) ~(VP8X_EXIF | VP8X_XMP);
        }
        take(pass, padded > left ? left : padded,
             memcmp(b, "EXIF", 4) != 0 && memcmp(b, "XMP ", 4) != 0);
    }
    size_t riff = pass->kept - 8;
    for (unsigned i = 0; i < 4; i++) {
        pass->bytes[4 + i] = (uint8_t)(riff >> (8 * i));
    }
    return true;
}

size_t ck_picture_strip(const struct ck_file_type *type, uint8_t *bytes, size_t size)
{
    static const struct {
        const char *mime;
        bool (*strip)(struct pass *pass);
    } types[] = {{"image/jpeg", strip_jpeg}, {"image/png", strip_png}, {"image/webp", strip_webp}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct pass pass = {.bytes = bytes, .size = size};
        if (strcmp(type->mime, types[i].mime) == 0) {
            return types[i].strip(&pass) ? pass.kept : 0;
        }
    }
    return size;
}
