#include "protocol/web_push.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "protocol/base/bytes.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/base/gcm128.h"
#include "protocol/base/text.h"

#define RECORD_SIZE 4096 /* announced; there is one record */
#define HEADER_SIZE (CK_PUSH_SALT_SIZE + 4 + 1 + CK_P256_PUBLIC_SIZE)
#define LAST_RECORD 2 /* RFC 8188 section 2: the mark after the text of the last record */

/* ---- subscriptions ---- */

/* Exactly `size` bytes from base64url, with or without padding. */
static bool read_bytes(const json_t *value, void *bytes, size_t size)
{
    char text[128];
    size_t count = 0;
    if (!json_is_string(value) || json_string_length(value) >= sizeof text) {
        return false;
    }
    memcpy(text, json_string_value(value), json_string_length(value) + 1);
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '=') {
        text[--length] = '\0';
    }
    uint8_t read[96];
    if (ck_base64url_decode(text, read, sizeof read, &count) != 0 || count != size) {
        return false;
    }
    memcpy(bytes, read, size);
    return true;
}

/* https, a host, and nothing but printable ASCII. */
static bool endpoint_ok(const char *text)
{
    static const char scheme[] = "https://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    const char *host = text + sizeof scheme - 1;
    size_t size = strcspn(host, "/?#");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c >= 0x7f || *c == '"' || *c == '\\') {
            return false;
        }
    }
    return size > 0 && memchr(host, '@', size) == NULL;
}

static bool on_curve(const uint8_t key[static CK_P256_PUBLIC_SIZE])
{
    static const uint8_t one[CK_P256_PRIVATE_SIZE] = {[CK_P256_PRIVATE_SIZE - 1] = 1};
    uint8_t secret[CK_P256_SECRET_SIZE];
    return ck_p256_shared(one, key, secret) == 0;
}

int ck_push_subscription_read(const char *json, size_t size,
                              struct ck_push_subscription *subscription)
{
    struct ck_push_subscription read = {.endpoint = ""};
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *keys = json_object_get(root, "keys");
    const json_t *endpoint = json_object_get(root, "endpoint");
    bool formed = json_is_string(endpoint) && json_string_length(endpoint) < sizeof read.endpoint &&
                  read_bytes(json_object_get(keys, "p256dh"), read.key, sizeof read.key) &&
                  read_bytes(json_object_get(keys, "auth"), read.auth, sizeof read.auth);
    if (formed) {
        memcpy(read.endpoint, json_string_value(endpoint), json_string_length(endpoint) + 1);
    }
    json_decref(root);
    if (!formed) {
        return CK_E_SYNTAX;
    }
    if (!endpoint_ok(read.endpoint) || !on_curve(read.key)) {
        return CK_E_INVALID;
    }
    *subscription = read;
    return 0;
}

/* ---- encryption ---- */

/* HKDF whose info holds zero bytes: one block of RFC 5869, which is all that is needed. */
static int derive(const uint8_t *salt, size_t salt_size, const uint8_t *secret,
                  const struct ck_slice *info, size_t count, uint8_t out[static CK_SHA256_SIZE])
{
    uint8_t extracted[CK_SHA256_SIZE];
    static const uint8_t first = 1;
    struct ck_slice slices[4];
    int error =
        ck_hmac_sha256(salt, salt_size, &(struct ck_slice){secret, CK_SHA256_SIZE}, 1, extracted);
    for (size_t i = 0; i < count; i++) {
        slices[i] = info[i];
    }
    slices[count] = (struct ck_slice){&first, 1};
    if (error == 0) {
        error = ck_hmac_sha256(extracted, sizeof extracted, slices, count + 1, out);
    }
    ck_wipe(extracted, sizeof extracted);
    return error;
}

struct keys {
    uint8_t key[CK_SHA256_SIZE];   /* the first 16 bytes count */
    uint8_t nonce[CK_SHA256_SIZE]; /* the first 12 bytes count */
};

/* RFC 8291 section 3.4. */
static int derive_keys(const struct ck_push_subscription *subscription, const uint8_t *private_key,
                       const uint8_t *public_key, const uint8_t *salt, struct keys *keys)
{
    static const char key_info[] = "Content-Encoding: aes128gcm";
    static const char nonce_info[] = "Content-Encoding: nonce";
    static const char push_info[] = "WebPush: info";
    uint8_t shared[CK_P256_SECRET_SIZE];
    uint8_t input[CK_SHA256_SIZE];
    const struct ck_slice info[] = {
        {push_info, sizeof push_info},
        {subscription->key, CK_P256_PUBLIC_SIZE},
        {public_key, CK_P256_PUBLIC_SIZE},
    };
    int error = ck_p256_shared(private_key, subscription->key, shared);
    if (error == 0) {
        error = derive(subscription->auth, CK_PUSH_AUTH_SIZE, shared, info, 3, input);
    }
    if (error == 0) {
        error = derive(salt, CK_PUSH_SALT_SIZE, input,
                       &(struct ck_slice){key_info, sizeof key_info}, 1, keys->key);
    }
    if (error == 0) {
        error = derive(salt, CK_PUSH_SALT_SIZE, input,
                       &(struct ck_slice){nonce_info, sizeof nonce_info}, 1, keys->nonce);
    }
    ck_wipe(shared, sizeof shared);
    ck_wipe(input, sizeof input);
    return error;
}

int ck_push_encrypt(const struct ck_push_subscription *subscription,
                    const uint8_t private_key[static CK_P256_PRIVATE_SIZE],
                    const uint8_t salt[static CK_PUSH_SALT_SIZE], const void *text, size_t size,
                    uint8_t *body)
{
    static const uint8_t last = LAST_RECORD;
    uint8_t public_key[CK_P256_PUBLIC_SIZE];
    struct keys keys;
    if (size > CK_PUSH_TEXT_MAX) {
        return CK_E_LIMIT;
    }
    int error = ck_p256_public(private_key, public_key);
    if (error == 0) {
        error = derive_keys(subscription, private_key, public_key, salt, &keys);
    }
    if (error != 0) {
        return error;
    }
    memcpy(body, salt, CK_PUSH_SALT_SIZE);
    ck_put_u32(body + CK_PUSH_SALT_SIZE, RECORD_SIZE);
    body[CK_PUSH_SALT_SIZE + 4] = CK_P256_PUBLIC_SIZE;
    memcpy(body + CK_PUSH_SALT_SIZE + 5, public_key, CK_P256_PUBLIC_SIZE);
    const struct ck_slice slices[] = {{text, size}, {&last, 1}};
    error = ck_gcm128_seal(keys.key, keys.nonce, slices, 2, body + HEADER_SIZE);
    ck_wipe(&keys, sizeof keys);
    return error;
}

/* ---- identification ---- */

/* "https://host[:port]" of a URL; 0 where it does not fit or is none. */
static size_t origin_of(const char *endpoint, char *origin, size_t room)
{
    if (!endpoint_ok(endpoint)) {
        return 0;
    }
    size_t size = strlen("https://") + strcspn(endpoint + strlen("https://"), "/?#");
    if (size >= room) {
        return 0;
    }
    memcpy(origin, endpoint, size);
    origin[size] = '\0';
    return size;
}

/* A mailto: or https: URI that needs no escape in JSON. */
static bool subject_ok(const char *subject)
{
    for (const char *c = subject; *c != '\0'; c++) {
        if (*c <= ' ' || *c >= 0x7f || *c == '"' || *c == '\\') {
            return false;
        }
    }
    return strncmp(subject, "mailto:", 7) == 0 || strncmp(subject, "https://", 8) == 0;
}

int ck_push_vapid(const uint8_t private_key[static CK_P256_PRIVATE_SIZE], const char *endpoint,
                  const char *subject, struct ck_wall now, char value[static CK_PUSH_VAPID_SIZE])
{
    static const char header[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
    char origin[128], claims[320], token[480];
    uint8_t signature[CK_P256_SIGNATURE_SIZE], public_key[CK_P256_PUBLIC_SIZE];
    char key_text[CK_BASE64URL_SIZE(CK_P256_PUBLIC_SIZE)];
    if (origin_of(endpoint, origin, sizeof origin) == 0 || !subject_ok(subject)) {
        return CK_E_INVALID;
    }
    int size = snprintf(claims, sizeof claims, "{\"aud\":\"%s\",\"exp\":%lld,\"sub\":\"%s\"}",
                        origin, (long long)(now.ms / 1000 + CK_PUSH_VAPID_LIFE_S), subject);
    size_t whole = CK_BASE64URL_SIZE(sizeof header - 1) + CK_BASE64URL_SIZE((size_t)size) +
                   CK_BASE64URL_SIZE(sizeof signature);
    if (size >= (int)sizeof claims ||
        whole + sizeof key_text + strlen("vapid t=, k=") >= CK_PUSH_VAPID_SIZE) {
        return CK_E_LIMIT;
    }
    ck_base64url_encode(header, sizeof header - 1, token);
    memcpy(token + strlen(token), ".", 2);
    ck_base64url_encode(claims, (size_t)size, token + strlen(token));
    int error = ck_p256_sign(private_key, token, strlen(token), signature);
    if (error == 0) {
        error = ck_p256_public(private_key, public_key);
    }
    if (error != 0) {
        return error;
    }
    memcpy(token + strlen(token), ".", 2);
    ck_base64url_encode(signature, sizeof signature, token + strlen(token));
    ck_base64url_encode(public_key, sizeof public_key, key_text);
    snprintf(value, CK_PUSH_VAPID_SIZE, "vapid t=%s, k=%s", token, key_text);
    return 0;
}
