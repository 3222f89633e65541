#include "tests/client/stun.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

#define COOKIE 0x2112a442U
#define HEADER 20
#define HMAC_SIZE 20
#define FINGERPRINT_XOR 0x5354554eU

enum attribute {
    USERNAME = 0x0006,
    MESSAGE_INTEGRITY = 0x0008,
    ERROR_CODE = 0x0009,
    XOR_MAPPED_ADDRESS = 0x0020,
    PRIORITY = 0x0024,
    USE_CANDIDATE = 0x0025,
    FINGERPRINT = 0x8028,
    ICE_CONTROLLED = 0x8029,
    ICE_CONTROLLING = 0x802a,
};

/* CRC-32 of ISO 3309, bit by bit: a check is 100 bytes and there are a few a second. */
static uint32_t crc32_of(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
        }
    }
    return ~crc;
}

static void hmac_sha1(const char *key, const uint8_t *data, size_t size, uint8_t out[HMAC_SIZE])
{
    unsigned int length = HMAC_SIZE;
    HMAC(EVP_sha1(), key, (int)strlen(key), data, size, out, &length);
}

static void put_attribute(uint8_t *message, size_t *at, uint16_t type, const void *value,
                          size_t size)
{
    ck_put_u16(message + *at, type);
    ck_put_u16(message + *at + 2, (uint16_t)size);
    if (size > 0) {
        memcpy(message + *at + 4, value, size);
    }
    size_t padded = (size + 3) / 4 * 4;
    memset(message + *at + 4 + size, 0, padded - size);
    *at += 4 + padded;
    ck_put_u16(message + 2, (uint16_t)(*at - HEADER));
}

/* X-Port and X-Address: RFC 8489 section 14.2. */
static size_t xor_address(const struct sockaddr *address, const uint8_t *message, uint8_t *out)
{
    out[0] = 0;
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
        out[1] = 2;
        ck_put_u16(out + 2, (uint16_t)(ntohs(in6->sin6_port) ^ COOKIE >> 16));
        for (size_t i = 0; i < 16; i++) {
            out[4 + i] = in6->sin6_addr.s6_addr[i] ^ message[4 + i];
        }
        return 20;
    }
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    out[1] = 1;
    ck_put_u16(out + 2, (uint16_t)(ntohs(in->sin_port) ^ COOKIE >> 16));
    ck_put_u32(out + 4, ntohl(in->sin_addr.s_addr) ^ COOKIE);
    return 8;
}

static void put_integrity(uint8_t *message, size_t *at, const char *password)
{
    uint8_t tag[HMAC_SIZE];
    /* The header's length already counts the attribute while the tag is taken (section 14.5). */
    ck_put_u16(message + 2, (uint16_t)(*at - HEADER + 4 + HMAC_SIZE));
    hmac_sha1(password, message, *at, tag);
    put_attribute(message, at, MESSAGE_INTEGRITY, tag, sizeof tag);
}

static void put_fingerprint(uint8_t *message, size_t *at, bool wrong)
{
    uint8_t value[4];
    ck_put_u16(message + 2, (uint16_t)(*at - HEADER + 8));
    ck_put_u32(value, crc32_of(message, *at) ^ FINGERPRINT_XOR ^ (wrong ? 1 : 0));
    put_attribute(message, at, FINGERPRINT, value, sizeof value);
}

size_t ck_tstun_write(const struct ck_tstun_check *check, uint8_t out[static CK_TSTUN_MAX])
{
    size_t at = HEADER;
    uint8_t value[20];
    ck_put_u16(out, check->type);
    ck_put_u16(out + 2, 0);
    ck_put_u32(out + 4, COOKIE);
    memcpy(out + 8, check->id, CK_TSTUN_ID_SIZE);
    if (check->username != NULL) {
        size_t size = strlen(check->username);
        put_attribute(out, &at, USERNAME, check->username, size < 256 ? size : 256);
    }
    if (check->mapped != NULL) {
        size_t size = xor_address(check->mapped, out, value);
        put_attribute(out, &at, XOR_MAPPED_ADDRESS, value, size);
    }
    if (check->priority != 0) {
        ck_put_u32(value, check->priority);
        put_attribute(out, &at, PRIORITY, value, 4);
        ck_put_u64(value, check->tie_breaker);
        put_attribute(out, &at, check->controlled ? ICE_CONTROLLED : ICE_CONTROLLING, value, 8);
    }
    if (check->use_candidate) {
        put_attribute(out, &at, USE_CANDIDATE, value, 0);
    }
    if (check->password != NULL) {
        put_integrity(out, &at, check->password);
    }
    if (!check->no_fingerprint) {
        put_fingerprint(out, &at, check->wrong_fingerprint);
    }
    return at;
}

static int read_mapped(const uint8_t *value, size_t size, const uint8_t *message,
                       struct ck_tstun_seen *seen)
{
    if (size == 8 && value[1] == 1) {
        struct sockaddr_in *in = (struct sockaddr_in *)&seen->mapped;
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)(ck_get_u16(value + 2) ^ COOKIE >> 16));
        in->sin_addr.s_addr = htonl(ck_get_u32(value + 4) ^ COOKIE);
    } else if (size == 20 && value[1] == 2) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&seen->mapped;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)(ck_get_u16(value + 2) ^ COOKIE >> 16));
        for (size_t i = 0; i < 16; i++) {
            in6->sin6_addr.s6_addr[i] = value[4 + i] ^ message[4 + i];
        }
    } else {
        return CK_E_SYNTAX;
    }
    seen->has_mapped = true;
    return 0;
}

/* Verifies a tag over the message as it was when the attribute at `at` was last. */
static int check_integrity(const uint8_t *data, size_t at, const uint8_t *value,
                           const char *password)
{
    uint8_t copy[2048];
    uint8_t tag[HMAC_SIZE];
    if (at > sizeof copy) {
        return CK_E_SYNTAX;
    }
    memcpy(copy, data, at);
    ck_put_u16(copy + 2, (uint16_t)(at - HEADER + 4 + HMAC_SIZE));
    hmac_sha1(password, copy, at, tag);
    return memcmp(tag, value, sizeof tag) == 0 ? 0 : CK_E_AUTH;
}

static int read_attribute(const uint8_t *data, size_t at, uint16_t type, size_t size,
                          const char *password, struct ck_tstun_seen *seen)
{
    const uint8_t *value = data + at + 4;
    switch (type) {
    case XOR_MAPPED_ADDRESS:
        return read_mapped(value, size, data, seen);
    case USE_CANDIDATE:
        seen->use_candidate = true;
        return 0;
    case ERROR_CODE:
        if (size < 4) {
            return CK_E_SYNTAX;
        }
        seen->error_code = (uint16_t)((value[2] & 7) * 100 + value[3]);
        return 0;
    case MESSAGE_INTEGRITY:
        if (size != HMAC_SIZE) {
            return CK_E_SYNTAX;
        }
        seen->has_integrity = true;
        return password == NULL ? 0 : check_integrity(data, at, value, password);
    case FINGERPRINT:
        if (size != 4) {
            return CK_E_SYNTAX;
        }
        seen->has_fingerprint = true;
        return ck_get_u32(value) == (crc32_of(data, at) ^ FINGERPRINT_XOR) ? 0 : CK_E_AUTH;
    default:
        return 0;
    }
}

int ck_tstun_read(const uint8_t *data, size_t size, const char *password,
                  struct ck_tstun_seen *seen)
{
    if (size < HEADER || data[0] > 3 || ck_get_u32(data + 4) != COOKIE ||
        ck_get_u16(data + 2) != size - HEADER || size % 4 != 0) {
        return CK_E_SYNTAX;
    }
    struct ck_tstun_seen found = {.type = ck_get_u16(data)};
    memcpy(found.id, data + 8, CK_TSTUN_ID_SIZE);
    size_t at = HEADER;
    while (at < size) {
        size_t length = ck_get_u16(data + at + 2);
        size_t padded = (length + 3) / 4 * 4;
        if (size - at < 4 + padded || found.has_fingerprint) {
            return CK_E_SYNTAX; /* past the end, or something behind FINGERPRINT */
        }
        int error = read_attribute(data, at, ck_get_u16(data + at), length, password, &found);
        if (error != 0) {
            return error;
        }
        at += 4 + padded;
    }
    *seen = found;
    return 0;
}
