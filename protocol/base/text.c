#include "protocol/base/text.h"

#include <string.h>

#include "protocol/base/error.h"

static const char hex_digits[] = "0123456789abcdef";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char std_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ck_hex_encode(const void *bytes, size_t count, char *text)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = hex_digits[b[i] >> 4];
        text[2 * i + 1] = hex_digits[b[i] & 15];
    }
    text[2 * count] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

static bool hex_well_formed(const char *text, size_t digits)
{
    for (size_t i = 0; i < digits; i++) {
        if (hex_value(text[i]) < 0) {
            return false;
        }
    }
    return text[digits] == '\0';
}

int ck_hex_decode(const char *text, void *bytes, size_t count)
{
    if (!hex_well_formed(text, 2 * count)) {
        return CK_E_SYNTAX;
    }
    uint8_t *b = bytes;
    for (size_t i = 0; i < count; i++) {
        b[i] =
            (uint8_t)((unsigned)hex_value(text[2 * i]) << 4 | (unsigned)hex_value(text[2 * i + 1]));
    }
    return 0;
}

/* Encodes without padding; returns the number of characters written before the zero. */
static size_t encode64(const uint8_t *b, size_t count, char *text, const char *alphabet)
{
    size_t out = 0;
    for (size_t i = 0; i < count; i += 3) {
        uint32_t v = (uint32_t)b[i] << 16;
        size_t have = count - i < 3 ? count - i : 3;
        if (have > 1) {
            v |= (uint32_t)b[i + 1] << 8;
        }
        if (have > 2) {
            v |= b[i + 2];
        }
        for (size_t k = 0; k <= have; k++) {
            text[out++] = alphabet[v >> (18 - 6 * k) & 63];
        }
    }
    text[out] = '\0';
    return out;
}

void ck_base64url_encode(const void *bytes, size_t count, char *text)
{
    encode64(bytes, count, text, url_alphabet);
}

void ck_base64_encode(const void *bytes, size_t count, char *text)
{
    size_t out = encode64(bytes, count, text, std_alphabet);
    while (out % 4 != 0) {
        text[out++] = '=';
    }
    text[out] = '\0';
}

static int url_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

static int std_value(char c)
{
    return c == '+' ? 62 : c == '/' ? 63 : c == '-' || c == '_' ? -1 : url_value(c);
}

/* Reads `length` characters, without padding. */
static int decode64(const char *text, size_t length, int (*value)(char c), void *bytes,
                    size_t capacity, size_t *count)
{
    for (size_t i = 0; i < length; i++) {
        if (value(text[i]) < 0) {
            return CK_E_SYNTAX;
        }
    }
    unsigned spare_bits = length % 4 == 2 ? 4 : length % 4 == 3 ? 2 : 0;
    if (length % 4 == 1 ||
        (spare_bits > 0 && (value(text[length - 1]) & ((1 << spare_bits) - 1)) != 0)) {
        return CK_E_SYNTAX;
    }
    if (length * 6 / 8 > capacity) {
        return CK_E_LIMIT;
    }
    uint8_t *b = bytes;
    uint32_t v = 0;
    unsigned bits = 0;
    size_t out = 0;
    for (size_t i = 0; i < length; i++) {
        v = v << 6 | (uint32_t)value(text[i]);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            b[out++] = (uint8_t)(v >> bits);
        }
    }
    *count = out;
    return 0;
}

int ck_base64url_decode(const char *text, void *bytes, size_t capacity, size_t *count)
{
    return decode64(text, strlen(text), url_value, bytes, capacity, count);
}

int ck_base64_decode(const char *text, void *bytes, size_t capacity, size_t *count)
{
    size_t length = strlen(text), padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=') {
        padding++;
    }
    if (length % 4 != 0) {
        return CK_E_SYNTAX;
    }
    return decode64(text, length - padding, std_value, bytes, capacity, count);
}

/* Number of bytes the sequence at s has by its lead byte, and the smallest code point it may carry.
 */
static size_t utf8_lead(uint8_t lead, uint32_t *least)
{
    if (lead < 0x80) {
        *least = 1;
        return 1;
    }
    if ((lead & 0xe0) == 0xc0) {
        *least = 0x80;
        return 2;
    }
    if ((lead & 0xf0) == 0xe0) {
        *least = 0x800;
        return 3;
    }
    if ((lead & 0xf8) == 0xf0) {
        *least = 0x10000;
        return 4;
    }
    return 0;
}

bool ck_text_is_help_phone(const char *text)
{
    const char *digits = text[0] == '+' ? text + 1 : text;
    size_t count = strlen(digits);
    return count >= 3 && count <= 15 && strspn(digits, "0123456789") == count;
}

bool ck_utf8_valid(const char *text, size_t size)
{
    const uint8_t *s = (const uint8_t *)text;
    for (size_t i = 0; i < size;) {
        uint32_t least = 0;
        size_t n = utf8_lead(s[i], &least);
        if (n == 0 || n > size - i) {
            return false;
        }
        uint32_t point = n == 1 ? s[i] : s[i] & (0xffu >> (n + 1));
        for (size_t k = 1; k < n; k++) {
            if ((s[i + k] & 0xc0) != 0x80) {
                return false;
            }
            point = point << 6 | (s[i + k] & 0x3f);
        }
        if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
            return false;
        }
        i += n;
    }
    return true;
}
