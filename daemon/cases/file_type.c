#include "daemon/cases/file_type.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PDF_TAIL 1024 /* where readers look for the end of a PDF (ISO 32000-1, annex H.3.18) */

static bool begins(const unsigned char *bytes, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(bytes, magic, length) == 0;
}

/* ISO 10918-1: start of image, a marker; the end of image is the last thing but for padding. */
static bool is_jpeg(const unsigned char *bytes, size_t size)
{
    if (!begins(bytes, size, "\xff\xd8\xff", 3)) {
        return false;
    }
    while (size > 4 && bytes[size - 1] == 0) {
        size--;
    }
    return bytes[size - 2] == 0xff && bytes[size - 1] == 0xd9;
}

/* PNG, third edition, 5.2 and 11.2.5: signature and header first, the chunk IEND last. */
static bool is_png(const unsigned char *bytes, size_t size)
{
    static const char end[] = "\0\0\0\0IEND\xae\x42\x60\x82";
    return begins(bytes, size, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16) && size >= 16 + 12 &&
           memcmp(bytes + size - 12, end, 12) == 0;
}

/* RFC 9649 section 2.4: the length in the header is that of the file. */
static bool is_webp(const unsigned char *bytes, size_t size)
{
    if (!begins(bytes, size, "RIFF", 4) || size < 20 || memcmp(bytes + 8, "WEBPVP8", 7) != 0) {
        return false;
    }
    size_t length =
        bytes[4] | (size_t)bytes[5] << 8 | (size_t)bytes[6] << 16 | (size_t)bytes[7] << 24;
    return length + 8 == size || length + 9 == size;
}

static bool is_pdf(const unsigned char *bytes, size_t size)
{
    size_t tail = size < PDF_TAIL ? size : PDF_TAIL;
    return begins(bytes, size, "%PDF-", 5) && memmem(bytes + size - tail, tail, "%%EOF", 5) != NULL;
}

static const struct {
    struct ck_file_type type;
    bool (*is)(const unsigned char *bytes, size_t size);
} types[] = {
    {{"image/jpeg", {".jpg", ".jpeg"}}, is_jpeg},
    {{"image/png", {".png"}}, is_png},
    {{"image/webp", {".webp"}}, is_webp},
    {{"application/pdf", {".pdf"}}, is_pdf},
};
#define TYPES (sizeof types / sizeof types[0])

const struct ck_file_type *ck_file_type_of(const void *bytes, size_t size)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (types[i].is(bytes, size)) {
            return &types[i].type;
        }
    }
    return NULL;
}

const struct ck_file_type *ck_file_type_find(const char *mime)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(types[i].type.mime, mime) == 0) {
            return &types[i].type;
        }
    }
    return NULL;
}

void ck_file_save_name(const struct ck_file_type *type, const char *name, char *to, size_t size)
{
    size_t length = strlen(name);
    const char *ending = type->endings[0];
    assert(ending != NULL);
    for (size_t i = 0; type->endings[i] != NULL; i++) {
        size_t tail = strlen(type->endings[i]);
        if (length > tail && strcasecmp(name + length - tail, type->endings[i]) == 0) {
            ending = name + length - tail;
            length -= tail;
            break;
        }
    }
    size_t room = size - 1 - strlen(ending);
    if (length > room) {
        length = room;
        while (length > 0 && (name[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    snprintf(to, size, "%.*s%s", (int)length, name, ending);
}
