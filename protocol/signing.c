#include "protocol/signing.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/error.h"

static void put_hash(struct ck_writer *writer, const struct ck_hash *hash)
{
    ck_write_bytes(writer, hash->bytes, sizeof hash->bytes);
}

int ck_signing_write(struct ck_writer *writer, const struct ck_signing_message *message)
{
    ck_write_u8(writer, (uint8_t)message->kind);
    switch (message->kind) {
    case CK_SIGNING_HELLO:
        ck_write_u8(writer, message->version);
        break;
    case CK_SIGNING_LEAVES:
        ck_write_u64(writer, message->from);
        break;
    case CK_SIGNING_SIGN:
        ck_write_u64(writer, message->size);
        put_hash(writer, &message->root);
        break;
    case CK_SIGNING_STATE:
        ck_write_u64(writer, message->size);
        ck_write_u64(writer, message->signed_size);
        put_hash(writer, &message->signed_root);
        ck_write_bytes(writer, message->key, sizeof message->key);
        ck_write_bytes(writer, message->text, message->text_size);
        break;
    case CK_SIGNING_SIGNED:
        ck_write_bytes(writer, message->text, message->text_size);
        break;
    case CK_SIGNING_REFUSED:
        ck_write_u8(writer, (uint8_t)message->refusal);
        ck_write_u64(writer, message->signed_size);
        put_hash(writer, &message->signed_root);
        break;
    }
    return writer->failed ? CK_E_LIMIT : 0;
}

bool ck_signing_add(struct ck_writer *writer, const void *leaf, size_t size)
{
    uint8_t head[2];
    if (writer->failed || size > CK_SIGNING_LEAF_MAX ||
        writer->capacity - writer->size < sizeof head + size) {
        return false;
    }
    ck_put_u16(head, (uint16_t)size);
    ck_write_bytes(writer, head, sizeof head);
    ck_write_bytes(writer, leaf, size);
    return true;
}

int ck_signing_leaf(struct ck_reader *leaves, const uint8_t **leaf, size_t *size)
{
    if (ck_reader_left(leaves) == 0) {
        return leaves->failed ? -EINVAL : 0;
    }
    *size = ck_read_u16(leaves);
    *leaf = *size > CK_SIGNING_LEAF_MAX ? NULL : ck_read_bytes(leaves, *size);
    return *leaf == NULL ? -EINVAL : 1;
}

static void get_hash(struct ck_reader *reader, struct ck_hash *hash)
{
    const uint8_t *bytes = ck_read_bytes(reader, sizeof hash->bytes);
    if (bytes != NULL) {
        memcpy(hash->bytes, bytes, sizeof hash->bytes);
    }
}

static void get_rest(struct ck_reader *reader, const char **text, size_t *size)
{
    *size = ck_reader_left(reader);
    *text = (const char *)ck_read_bytes(reader, *size);
}

int ck_signing_read(const void *bytes, size_t size, struct ck_signing_message *message)
{
    struct ck_reader reader = ck_reader_of(bytes, size);
    struct ck_signing_message read = {.kind = (enum ck_signing_kind)ck_read_u8(&reader)};
    const uint8_t *key;
    switch (read.kind) {
    case CK_SIGNING_HELLO:
        read.version = ck_read_u8(&reader);
        break;
    case CK_SIGNING_LEAVES:
        read.from = ck_read_u64(&reader);
        read.leaves_size = ck_reader_left(&reader);
        read.leaves = ck_read_bytes(&reader, read.leaves_size);
        break;
    case CK_SIGNING_SIGN:
        read.size = ck_read_u64(&reader);
        get_hash(&reader, &read.root);
        break;
    case CK_SIGNING_STATE:
        read.size = ck_read_u64(&reader);
        read.signed_size = ck_read_u64(&reader);
        get_hash(&reader, &read.signed_root);
        key = ck_read_bytes(&reader, sizeof read.key);
        if (key != NULL) {
            memcpy(read.key, key, sizeof read.key);
        }
        get_rest(&reader, &read.text, &read.text_size);
        break;
    case CK_SIGNING_SIGNED:
        get_rest(&reader, &read.text, &read.text_size);
        break;
    case CK_SIGNING_REFUSED:
        read.refusal = (enum ck_signing_refusal)ck_read_u8(&reader);
        read.signed_size = ck_read_u64(&reader);
        get_hash(&reader, &read.signed_root);
        break;
    default:
        return CK_E_SYNTAX;
    }
    if (reader.failed || ck_reader_left(&reader) > 0) {
        return CK_E_SYNTAX;
    }
    *message = read;
    return 0;
}
