#include "protocol/stun.h"

#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"

enum attribute {
    MAPPED_ADDRESS = 0x0001,
    USERNAME = 0x0006,
    MESSAGE_INTEGRITY = 0x0008,
    ERROR_CODE = 0x0009,
    UNKNOWN_ATTRIBUTES = 0x000a,
    LIFETIME = 0x000d,
    REALM = 0x0014,
    NONCE = 0x0015,
    REQUESTED_TRANSPORT = 0x0019,
    MESSAGE_INTEGRITY_SHA256 = 0x001c,
    XOR_MAPPED_ADDRESS = 0x0020,
    PRIORITY = 0x0024,
    USE_CANDIDATE = 0x0025,
    FINGERPRINT = 0x8028,
    ICE_CONTROLLED = 0x8029,
    ICE_CONTROLLING = 0x802a,
    NOMINATION = 0xc001,
};

#define ATTRIBUTE_HEADER_SIZE 4
#define INTEGRITY_SIZE (ATTRIBUTE_HEADER_SIZE + CK_SHA1_SIZE)
#define FINGERPRINT_SIZE (ATTRIBUTE_HEADER_SIZE + 4)
#define FINGERPRINT_XOR 0x5354554eu
#define REASON_MAX 127

/* CRC-32 of ITU-T V.42, bit by bit over a nibble table: FINGERPRINT is at most a few hundred bytes.
 */
static uint32_t crc32_of(const uint8_t *bytes, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

bool ck_stun_looks_like(const void *bytes, size_t size)
{
    const uint8_t *b = bytes;
    return size >= CK_STUN_HEADER_SIZE && (b[0] & 0xc0) == 0 &&
           ck_get_u32(b + 4) == CK_STUN_MAGIC && ck_get_u16(b + 2) % 4 == 0 &&
           (size_t)ck_get_u16(b + 2) + CK_STUN_HEADER_SIZE == size;
}

/* XOR-MAPPED-ADDRESS, RFC 8489 section 14.2: port and address are mixed with cookie and
 * transaction. */
static int read_address(const uint8_t *value, size_t size, const uint8_t *header,
                        struct ck_stun_address *address)
{
    uint8_t mask[16];
    memcpy(mask, header + 4, sizeof mask); /* cookie, then transaction */
    struct ck_stun_address read = {0};
    size_t length = 0;
    if (size >= 1 + 1 + 2 && value[1] == 1) {
        read.family = 4;
        length = 4;
    } else if (size >= 1 + 1 + 2 && value[1] == 2) {
        read.family = 6;
        length = 16;
    }
    if (length == 0 || size != 4 + length) {
        return CK_E_SYNTAX;
    }
    read.port = ck_get_u16(value + 2) ^ (CK_STUN_MAGIC >> 16);
    for (size_t i = 0; i < length; i++) {
        read.bytes[i] = value[4 + i] ^ mask[i];
    }
    *address = read;
    return CK_OK;
}

static int read_username(struct ck_stun *message, const uint8_t *value, size_t size)
{
    if (size > CK_STUN_USERNAME_MAX) {
        return CK_E_LIMIT;
    }
    if (message->username == NULL) {
        message->username = (const char *)value;
        message->username_size = size;
    }
    return CK_OK;
}

static int read_text(struct ck_slice *into, const uint8_t *value, size_t size)
{
    if (size > CK_STUN_TEXT_MAX) {
        return CK_E_LIMIT;
    }
    if (into->data == NULL) {
        *into = (struct ck_slice){value, size};
    }
    return CK_OK;
}

static int read_tie_breaker(struct ck_stun *message, bool *role, const uint8_t *value, size_t size)
{
    if (size != 8) {
        return CK_E_SYNTAX;
    }
    if (!message->controlled && !message->controlling) {
        message->tie_breaker = ck_get_u64(value);
    }
    *role = true;
    return CK_OK;
}

static int read_u32(bool *has, uint32_t *into, const uint8_t *value, size_t size)
{
    if (size != 4) {
        return CK_E_SYNTAX;
    }
    if (!*has) {
        *has = true;
        *into = ck_get_u32(value);
    }
    return CK_OK;
}

static int read_error_code(struct ck_stun *message, const uint8_t *value, size_t size)
{
    if (size < 4 || (value[2] & 7) < 3 || (value[2] & 7) > 6 || value[3] > 99) {
        return CK_E_SYNTAX;
    }
    message->error_code = (uint16_t)((value[2] & 7) * 100 + value[3]);
    return CK_OK;
}

static void note_unknown(struct ck_stun *message, uint16_t type)
{
    if (type < 0x8000 && message->unknown_count < CK_STUN_UNKNOWN_MAX) {
        message->unknown[message->unknown_count++] = type;
    }
}

static int read_attribute(struct ck_stun *message, const uint8_t *header, uint16_t type,
                          const uint8_t *value, size_t size)
{
    switch (type) {
    case USERNAME:
        return read_username(message, value, size);
    case PRIORITY:
        return read_u32(&message->has_priority, &message->priority, value, size);
    case USE_CANDIDATE:
        message->use_candidate = true;
        return size == 0 ? CK_OK : CK_E_SYNTAX;
    case ICE_CONTROLLING:
        return read_tie_breaker(message, &message->controlling, value, size);
    case ICE_CONTROLLED:
        return read_tie_breaker(message, &message->controlled, value, size);
    case NOMINATION:
        return read_u32(&message->has_nomination, &message->nomination, value, size);
    case ERROR_CODE:
        return read_error_code(message, value, size);
    case XOR_MAPPED_ADDRESS:
        return message->mapped.family != 0 ? CK_OK
                                           : read_address(value, size, header, &message->mapped);
    case REALM:
        return read_text(&message->realm, value, size);
    case NONCE:
        return read_text(&message->nonce, value, size);
    case MAPPED_ADDRESS:
    case UNKNOWN_ATTRIBUTES:
    case MESSAGE_INTEGRITY_SHA256:
        return CK_OK;
    default:
        note_unknown(message, type);
        return CK_OK;
    }
}

/* FINGERPRINT, RFC 8489 section 14.7: the last attribute, over everything before it. */
static int read_fingerprint(const uint8_t *bytes, size_t size, size_t at, size_t value_size)
{
    if (value_size != 4 || at + FINGERPRINT_SIZE != size ||
        ck_get_u32(bytes + at + ATTRIBUTE_HEADER_SIZE) != (crc32_of(bytes, at) ^ FINGERPRINT_XOR)) {
        return CK_E_SYNTAX;
    }
    return CK_OK;
}

static int read_attributes(const uint8_t *bytes, size_t size, struct ck_stun *message)
{
    struct ck_reader reader = ck_reader_of(bytes, size);
    (void)ck_read_bytes(&reader, CK_STUN_HEADER_SIZE);
    for (unsigned count = 0; ck_reader_left(&reader) > 0; count++) {
        if (count == CK_STUN_ATTRIBUTES_MAX) {
            return CK_E_LIMIT;
        }
        size_t at = reader.at;
        uint16_t type = ck_read_u16(&reader);
        size_t value_size = ck_read_u16(&reader);
        const uint8_t *value = ck_read_bytes(&reader, value_size);
        (void)ck_read_bytes(&reader, (4 - value_size % 4) % 4);
        if (reader.failed) {
            return CK_E_TRUNCATED;
        }
        int error = CK_OK;
        if (type == FINGERPRINT) {
            error = read_fingerprint(bytes, size, at, value_size);
            message->has_fingerprint = true;
        } else if (message->integrity_at != 0) {
            continue;
        } else if (type == MESSAGE_INTEGRITY) {
            error = value_size == CK_SHA1_SIZE ? CK_OK : CK_E_SYNTAX;
            message->integrity_at = at;
        } else {
            error = read_attribute(message, bytes, type, value, value_size);
        }
        if (error != CK_OK) {
            return error;
        }
    }
    return CK_OK;
}

int ck_stun_read(const void *bytes, size_t size, struct ck_stun *message)
{
    if (!ck_stun_looks_like(bytes, size)) {
        return CK_E_SYNTAX;
    }
    const uint8_t *b = bytes;
    uint16_t type = ck_get_u16(b);
    struct ck_stun read = {
        .method = (uint16_t)((type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2),
        .klass = (uint8_t)((type & 0x0010) >> 4 | (type & 0x0100) >> 7),
    };
    memcpy(read.transaction, b + 8, sizeof read.transaction);
    int error = read_attributes(b, size, &read);
    if (error != CK_OK) {
        return error;
    }
    *message = read;
    return CK_OK;
}

/* The tag is taken over the message up to the attribute, with a length that ends behind it (RFC
 * 8489 section 14.5). */
static int integrity_of(const uint8_t *bytes, size_t at, const void *password, size_t password_size,
                        uint8_t tag[static CK_SHA1_SIZE])
{
    uint8_t head[4];
    memcpy(head, bytes, 2);
    ck_put_u16(head + 2, (uint16_t)(at + INTEGRITY_SIZE - CK_STUN_HEADER_SIZE));
    struct ck_slice slices[] = {{head, sizeof head}, {bytes + 4, at - 4}};
    return ck_hmac_sha1(password, password_size, slices, 2, tag);
}

int ck_stun_verify(const void *bytes, size_t size, const struct ck_stun *message,
                   const void *password, size_t password_size)
{
    const uint8_t *b = bytes;
    size_t at = message->integrity_at;
    if (at < CK_STUN_HEADER_SIZE || at + INTEGRITY_SIZE > size) {
        return CK_E_AUTH;
    }
    uint8_t tag[CK_SHA1_SIZE];
    int error = integrity_of(b, at, password, password_size, tag);
    if (error != 0) {
        return error;
    }
    return ck_equal_secret(tag, b + at + ATTRIBUTE_HEADER_SIZE, sizeof tag) ? CK_OK : CK_E_AUTH;
}

static void write_attribute(struct ck_writer *writer, uint16_t type, const void *value, size_t size)
{
    static const uint8_t padding[4];
    ck_write_u16(writer, type);
    ck_write_u16(writer, (uint16_t)size);
    ck_write_bytes(writer, value, size);
    ck_write_bytes(writer, padding, (4 - size % 4) % 4);
}

static void write_address(struct ck_writer *writer, const struct ck_stun_address *address,
                          const uint8_t *transaction)
{
    uint8_t mask[16];
    ck_put_u32(mask, CK_STUN_MAGIC);
    memcpy(mask + 4, transaction, CK_STUN_TRANSACTION_SIZE);
    uint8_t value[20] = {0, address->family == 4 ? 1 : 2};
    size_t length = address->family == 4 ? 4 : 16;
    ck_put_u16(value + 2, address->port ^ (CK_STUN_MAGIC >> 16));
    for (size_t i = 0; i < length; i++) {
        value[4 + i] = address->bytes[i] ^ mask[i];
    }
    write_attribute(writer, XOR_MAPPED_ADDRESS, value, 4 + length);
}

static void write_error(struct ck_writer *writer, uint16_t code, const char *reason)
{
    uint8_t value[4 + REASON_MAX] = {0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
    size_t size = reason == NULL ? 0 : strnlen(reason, REASON_MAX);
    if (size > 0) {
        memcpy(value + 4, reason, size);
    }
    write_attribute(writer, ERROR_CODE, value, 4 + size);
}

static void write_unknown(struct ck_writer *writer, const uint16_t *types, unsigned count)
{
    uint8_t value[2 * CK_STUN_UNKNOWN_MAX];
    if (count > CK_STUN_UNKNOWN_MAX) {
        count = CK_STUN_UNKNOWN_MAX;
    }
    for (unsigned i = 0; i < count; i++) {
        ck_put_u16(value + (size_t)2 * i, types[i]);
    }
    write_attribute(writer, UNKNOWN_ATTRIBUTES, value, (size_t)2 * count);
}

static void write_ice(struct ck_writer *writer, const struct ck_stun_write *what)
{
    uint8_t value[8];
    if (what->has_priority) {
        ck_put_u32(value, what->priority);
        write_attribute(writer, PRIORITY, value, 4);
    }
    if (what->use_candidate) {
        write_attribute(writer, USE_CANDIDATE, NULL, 0);
    }
    ck_put_u64(value, what->tie_breaker);
    if (what->controlling) {
        write_attribute(writer, ICE_CONTROLLING, value, 8);
    }
    if (what->controlled) {
        write_attribute(writer, ICE_CONTROLLED, value, 8);
    }
}

static void write_turn(struct ck_writer *writer, const struct ck_stun_write *what)
{
    static const uint8_t udp[4] = {17};
    uint8_t lifetime[4];
    if (what->relayed_udp) {
        write_attribute(writer, REQUESTED_TRANSPORT, udp, sizeof udp);
    }
    if (what->has_lifetime) {
        ck_put_u32(lifetime, what->lifetime_s);
        write_attribute(writer, LIFETIME, lifetime, sizeof lifetime);
    }
    if (what->realm.data != NULL) {
        write_attribute(writer, REALM, what->realm.data, what->realm.size);
    }
    if (what->nonce.data != NULL) {
        write_attribute(writer, NONCE, what->nonce.data, what->nonce.size);
    }
}

static void set_length(struct ck_writer *writer)
{
    if (!writer->failed) {
        ck_put_u16(writer->data + 2, (uint16_t)(writer->size - CK_STUN_HEADER_SIZE));
    }
}

static int write_integrity(struct ck_writer *writer, const void *password, size_t password_size)
{
    uint8_t tag[CK_SHA1_SIZE] = {0};
    if (!writer->failed) {
        int error = integrity_of(writer->data, writer->size, password, password_size, tag);
        if (error != 0) {
            return error;
        }
    }
    write_attribute(writer, MESSAGE_INTEGRITY, tag, sizeof tag);
    return CK_OK;
}

static void write_fingerprint(struct ck_writer *writer)
{
    size_t at = writer->size;
    uint8_t value[4] = {0};
    write_attribute(writer, FINGERPRINT, value, sizeof value);
    set_length(writer);
    if (!writer->failed) {
        ck_put_u32(writer->data + at + ATTRIBUTE_HEADER_SIZE,
                   crc32_of(writer->data, at) ^ FINGERPRINT_XOR);
    }
}

int ck_stun_long_term_key(const char *username, struct ck_slice realm, const char *password,
                          uint8_t key[static CK_STUN_LONG_TERM_KEY_SIZE])
{
    const struct ck_slice slices[] = {
        {username, strlen(username)}, {":", 1}, realm, {":", 1}, {password, strlen(password)}};
    return ck_md5(slices, sizeof slices / sizeof slices[0], key);
}

int ck_stun_write(const struct ck_stun_write *what, void *bytes, size_t capacity, size_t *size)
{
    struct ck_writer writer = ck_writer_of(bytes, capacity);
    ck_write_u16(&writer, (uint16_t)((what->method == 0 ? CK_STUN_BINDING : what->method) |
                                     (what->klass & 1) << 4 | (what->klass & 2) << 7));
    ck_write_u16(&writer, 0);
    ck_write_u32(&writer, CK_STUN_MAGIC);
    ck_write_bytes(&writer, what->transaction, CK_STUN_TRANSACTION_SIZE);
    if (what->username != NULL) {
        write_attribute(&writer, USERNAME, what->username, what->username_size);
    }
    write_turn(&writer, what);
    write_ice(&writer, what);
    if (what->error_code != 0) {
        write_error(&writer, what->error_code, what->reason);
    }
    if (what->unknown_count > 0) {
        write_unknown(&writer, what->unknown, what->unknown_count);
    }
    if (what->mapped.family != 0) {
        write_address(&writer, &what->mapped, what->transaction);
    }
    set_length(&writer);
    if (what->password != NULL) {
        int error = write_integrity(&writer, what->password, what->password_size);
        if (error != 0) {
            return error;
        }
        set_length(&writer);
    }
    if (what->fingerprint) {
        write_fingerprint(&writer);
    }
    if (writer.failed) {
        return CK_E_LIMIT;
    }
    *size = writer.size;
    return CK_OK;
}
