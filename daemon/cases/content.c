#include "daemon/cases/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/wrap.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

static void free_secret(char **text)
{
    if (*text != NULL) {
        ck_wipe(*text, strlen(*text));
    }
    free(*text);
}

int ck_content_seal(const uint8_t key[static CK_KEY_SIZE],
                    const uint8_t nonce[static CK_GCM_NONCE_SIZE], int64_t thread,
                    const json_t *content, uint8_t **sealed, size_t *size)
{
    ck_cleanup(free_secret) char *text = json_dumps(content, JSON_COMPACT);
    size_t length = text == NULL ? 0 : strlen(text);
    ck_cleanup(ck_freep) uint8_t *bytes = malloc(length + CK_GCM_TAG_SIZE);
    if (text == NULL || bytes == NULL) {
        return -ENOMEM;
    }
    int r = ck_gcm_seal(key, nonce, &thread, sizeof thread, text, length, bytes);
    if (r == 0) {
        *sealed = ck_take(bytes);
        *size = length + CK_GCM_TAG_SIZE;
    }
    return r;
}

int ck_content_open(const uint8_t master[static CK_KEY_SIZE], int64_t thread, const char *wrapped,
                    const json_t *row, json_t **content)
{
    const char *nonce_hex = json_string_value(json_object_get(row, "nonce"));
    const char *sealed_hex = json_string_value(json_object_get(row, "sealed"));
    size_t size = sealed_hex == NULL ? 0 : strlen(sealed_hex) / 2;
    uint8_t nonce[CK_GCM_NONCE_SIZE], bytes[CK_WRAPPED_SIZE], key[CK_KEY_SIZE];
    ck_cleanup(ck_freep) uint8_t *sealed = malloc(size + 1);
    if (sealed == NULL) {
        return -ENOMEM;
    }
    if (wrapped == NULL || *wrapped == '\0' || (nonce_hex != NULL && *nonce_hex == '\0')) {
        return CK_E_AUTH;
    }
    if (ck_hex_decode(wrapped, bytes, sizeof bytes) != 0 || nonce_hex == NULL ||
        ck_hex_decode(nonce_hex, nonce, sizeof nonce) != 0 || sealed_hex == NULL ||
        ck_hex_decode(sealed_hex, sealed, size) != 0) {
        return -EUCLEAN;
    }
    int r = ck_key_unwrap(master, CK_PURPOSE_THREAD, thread, bytes, sizeof bytes, key);
    r = r == 0 ? ck_gcm_open(key, nonce, &thread, sizeof thread, sealed, size, sealed) : r;
    ck_wipe(key, sizeof key);
    if (r != 0) {
        return r;
    }
    *content =
        json_loadb((const char *)sealed, size - CK_GCM_TAG_SIZE, JSON_REJECT_DUPLICATES, NULL);
    ck_wipe(sealed, size);
    return *content == NULL ? -EUCLEAN : 0;
}

int ck_content_show(const json_t *content, json_t *message)
{
    const json_t *file = json_object_get(content, "file");
    json_t *text = content == NULL ? json_null() : json_incref(json_object_get(content, "text"));
    json_t *shown =
        json_is_object(file)
            ? json_pack("{s:O, s:O, s:O}", "name", json_object_get(file, "name"), "type",
                        json_object_get(file, "type"), "size", json_object_get(file, "size"))
            : json_null();
    int failed = json_object_set_new(message, "text", text);
    failed |= json_object_set_new(message, "file", shown);
    return failed != 0 ? -ENOMEM : 0;
}

int ck_content_open_page(const uint8_t master[static CK_KEY_SIZE], json_t *page)
{
    int64_t thread = json_integer_value(json_object_get(page, "thread"));
    const char *key = json_string_value(json_object_get(page, "key"));
    size_t index;
    json_t *message;
    json_array_foreach(json_object_get(page, "messages"), index, message)
    {
        json_t *content = NULL;
        int r = ck_content_open(master, thread, key, message, &content);
        if (r != 0 && r != CK_E_AUTH) {
            return r;
        }
        json_object_del(message, "nonce");
        json_object_del(message, "sealed");
        r = ck_content_show(content, message);
        json_decref(content);
        if (r != 0) {
            return r;
        }
    }
    json_object_del(page, "thread");
    json_object_del(page, "key");
    return 0;
}

int ck_content_open_file(const json_t *content, struct ck_message_file *file)
{
    uint8_t key[CK_KEY_SIZE];
    const char *hex = json_string_value(json_object_get(json_object_get(content, "file"), "key"));
    if (hex == NULL) {
        return CK_E_NOT_FOUND;
    }
    if (ck_hex_decode(hex, key, sizeof key) != 0) {
        return -EUCLEAN;
    }
    int r = ck_gcm_open(key, file->nonce, NULL, 0, file->sealed, file->size, file->sealed);
    ck_wipe(key, sizeof key);
    return r;
}
