#include "protocol/signature.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define TIME_DIGITS_MAX 12

/* HMAC over "TIME.BODY", where TIME is the text that is also in the header. */
static int compute(const void *secret, size_t secret_size, const char *time, size_t time_size,
                   const void *body, size_t size, uint8_t tag[static CK_SHA256_SIZE])
{
    const struct ck_slice slices[] = {{time, time_size}, {".", 1}, {body, size}};
    return ck_hmac_sha256(secret, secret_size, slices, 3, tag);
}

int ck_signature_write(const void *secret, size_t secret_size, struct ck_wall at, const void *body,
                       size_t size, char header[static CK_SIGNATURE_SIZE])
{
    if (secret_size < CK_SIGNATURE_SECRET_MIN || at.ms < 0) {
        return CK_E_INVALID;
    }
    char time[TIME_DIGITS_MAX + 9];
    uint8_t tag[CK_SHA256_SIZE];
    char hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
    int length = snprintf(time, sizeof time, "%" PRId64, at.ms / 1000);
    int error = compute(secret, secret_size, time, (size_t)length, body, size, tag);
    if (error != 0) {
        return error;
    }
    ck_hex_encode(tag, sizeof tag, hex);
    snprintf(header, CK_SIGNATURE_SIZE, "t=%s,v1=%s", time, hex);
    return 0;
}

/* The digits after "t=" at the start of the header; 0 where it does not begin so. */
static size_t read_time(const char *header, int64_t *seconds)
{
    if (strncmp(header, "t=", 2) != 0) {
        return 0;
    }
    size_t digits = strspn(header + 2, "0123456789");
    if (digits == 0 || digits > TIME_DIGITS_MAX || header[2 + digits] != ',') {
        return 0;
    }
    int64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + (header[2 + i] - '0');
    }
    *seconds = value;
    return digits;
}

/* Whether one of the v1 fields of `fields` ("v1=…,v1=…") is the tag. Sets *any where there is one
 * at all. */
static bool matches(const char *fields, const uint8_t tag[static CK_SHA256_SIZE], bool *any)
{
    bool found = false;
    for (const char *at = fields; at != NULL;) {
        const char *comma = strchr(at, ',');
        size_t size = comma == NULL ? strlen(at) : (size_t)(comma - at);
        char hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
        uint8_t given[CK_SHA256_SIZE];
        if (size == 3 + sizeof hex - 1 && strncmp(at, "v1=", 3) == 0) {
            memcpy(hex, at + 3, sizeof hex - 1);
            hex[sizeof hex - 1] = '\0';
            bool read = ck_hex_decode(hex, given, sizeof given) == 0;
            *any |= read;
            found |= read && ck_equal_secret(given, tag, sizeof given);
        }
        at = comma == NULL ? NULL : comma + 1;
    }
    return found;
}

int ck_signature_check(const void *secret, size_t secret_size, const char *header,
                       struct ck_wall now, const void *body, size_t size)
{
    int64_t seconds = 0;
    if (secret_size < CK_SIGNATURE_SECRET_MIN ||
        strnlen(header, CK_SIGNATURE_TEXT_MAX + 1) > CK_SIGNATURE_TEXT_MAX) {
        return CK_E_SYNTAX;
    }
    size_t digits = read_time(header, &seconds);
    if (digits == 0) {
        return CK_E_SYNTAX;
    }
    uint8_t tag[CK_SHA256_SIZE];
    int error = compute(secret, secret_size, header + 2, digits, body, size, tag);
    if (error != 0) {
        return error;
    }
    bool any = false;
    if (!matches(header + 2 + digits + 1, tag, &any)) {
        return any ? CK_E_AUTH : CK_E_SYNTAX;
    }
    int64_t apart = now.ms / 1000 - seconds;
    bool near = apart <= CK_SIGNATURE_TOLERANCE_S && apart >= -CK_SIGNATURE_TOLERANCE_S;
    return near ? 0 : CK_E_INVALID;
}
