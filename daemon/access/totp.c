#include "daemon/access/totp.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/error.h"

int ck_totp_code(const uint8_t key[static CK_KEY_SIZE], int64_t step,
                 char code[static CK_TOTP_CODE_SIZE])
{
    uint8_t counter[8], tag[CK_SHA1_SIZE];
    for (int i = 0; i < 8; i++) {
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    }
    int r = ck_hmac_sha1(key, CK_KEY_SIZE, &(struct ck_slice){counter, sizeof counter}, 1, tag);
    if (r != 0) {
        return r;
    }
    /* RFC 4226 section 5.3: dynamic truncation. */
    const uint8_t *at = tag + (tag[CK_SHA1_SIZE - 1] & 0x0f);
    uint32_t number = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 |
                      (uint32_t)at[2] << 8 | (uint32_t)at[3];
    snprintf(code, CK_TOTP_CODE_SIZE, "%06u", (unsigned)(number % 1000000));
    return 0;
}

static bool read_digits(const char *typed, char digits[static CK_TOTP_CODE_SIZE])
{
    size_t count = 0;
    for (; *typed != '\0'; typed++) {
        if (*typed == ' ') {
            continue;
        }
        if (*typed < '0' || *typed > '9' || count == CK_TOTP_DIGITS) {
            return false;
        }
        digits[count++] = *typed;
    }
    digits[count] = '\0';
    return count == CK_TOTP_DIGITS;
}

int ck_totp_check(const uint8_t key[static CK_KEY_SIZE], const char *typed, struct ck_wall now,
                  int64_t after, int64_t *step)
{
    char digits[CK_TOTP_CODE_SIZE], code[CK_TOTP_CODE_SIZE];
    if (!read_digits(typed, digits)) {
        return CK_E_SYNTAX;
    }
    int64_t present = now.ms / CK_TOTP_STEP_MS;
    int found = CK_E_AUTH;
    for (int64_t s = present - CK_TOTP_DRIFT; s <= present + CK_TOTP_DRIFT; s++) {
        int r = ck_totp_code(key, s, code);
        if (r != 0) {
            return r;
        }
        if (ck_equal_secret(code, digits, CK_TOTP_DIGITS) && s > after) {
            *step = s;
            found = 0;
        }
    }
    return found;
}

void ck_totp_key_text(const uint8_t key[static CK_KEY_SIZE], char text[static CK_TOTP_TEXT_SIZE])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    size_t out = 0;
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < CK_KEY_SIZE; i++) {
        held = held << 8 | key[i];
        for (bits += 8; bits >= 5; bits -= 5) {
            text[out++] = alphabet[held >> (bits - 5) & 31];
        }
    }
    if (bits > 0) {
        text[out++] = alphabet[held << (5 - bits) & 31];
    }
    text[out] = '\0';
}
