#include "media/srtp_evp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/rtp.h"

#define GCM_TAG_SIZE 16
#define GCM_IV_SIZE 12
#define CM_TAG_SIZE 10
#define CM_IV_SIZE 16
#define RTCP_CLEAR_SIZE 8 /* header and SSRC stay in the clear */
#define RTCP_INDEX_SIZE 4
#define RTCP_ENCRYPTED 0x80000000u
#define RTCP_INDEX_MAX 0x7fffffffu

/* Fetched once: looking an algorithm up costs more than deriving a key with it. Read-only between
 * evp_start() and evp_stop(). */
static EVP_CIPHER *counter_cipher;
static EVP_CIPHER *gcm_cipher;

/* Which indices of a source have been seen: a circle of bits that ends at the highest. */
struct window {
    uint64_t bits[CK_SRTP_WINDOW / 64];
    uint64_t highest;
    bool used;
};

struct source {
    uint32_t ssrc;
    struct window rtp;
    struct window rtcp;
    uint32_t rtcp_sent; /* index of the last RTCP packet that was protected */
};

/* One key: cipher and, for AES128_CM_SHA1_80, authentication. */
struct transform {
    EVP_CIPHER_CTX *cipher;
    uint8_t auth[CK_SRTP_AUTH_KEY_SIZE];
    uint8_t salt[CK_SRTP_SALT_MAX];
};

struct ck_srtp {
    enum ck_srtp_profile profile;
    enum ck_srtp_direction direction;
    unsigned source_count;
    struct transform rtp;
    struct transform rtcp;
    struct source sources[CK_SRTP_SOURCES_MAX];
};

/* --- replay ------------------------------------------------------------------------------------
 */

static bool window_allows(const struct window *window, uint64_t index)
{
    if (!window->used || index > window->highest) {
        return true;
    }
    if (window->highest - index >= CK_SRTP_WINDOW) {
        return false;
    }
    size_t bit = index % CK_SRTP_WINDOW;
    return (window->bits[bit / 64] >> (bit % 64) & 1) == 0;
}

static void window_note(struct window *window, uint64_t index)
{
    if (!window->used || (index > window->highest && index - window->highest >= CK_SRTP_WINDOW)) {
        memset(window->bits, 0, sizeof window->bits);
        window->highest = index;
        window->used = true;
    }
    while (window->highest < index) {
        window->highest++;
        size_t bit = window->highest % CK_SRTP_WINDOW;
        window->bits[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
    }
    size_t bit = index % CK_SRTP_WINDOW;
    window->bits[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* RFC 3711 section 3.3.1: the 48-bit index that a 16-bit sequence number most likely means. False
 * where it would be before the first. */
static bool guess_index(const struct window *window, uint16_t sequence, uint64_t *index)
{
    if (!window->used) {
        *index = sequence;
        return true;
    }
    int64_t guess =
        (int64_t)window->highest + ck_rtp_ahead(sequence, (uint16_t)(window->highest & 0xffff));
    if (guess < 0) {
        return false;
    }
    *index = (uint64_t)guess;
    return true;
}

/* A known source, or the free place that it would get (its window is then unused), or NULL. */
static struct source *source_for(struct ck_srtp *srtp, uint32_t ssrc)
{
    for (unsigned i = 0; i < srtp->source_count; i++) {
        if (srtp->sources[i].ssrc == ssrc) {
            return &srtp->sources[i];
        }
    }
    return srtp->source_count < CK_SRTP_SOURCES_MAX ? &srtp->sources[srtp->source_count] : NULL;
}

static void source_keep(struct ck_srtp *srtp, struct source *source, uint32_t ssrc)
{
    if (source == &srtp->sources[srtp->source_count]) {
        source->ssrc = ssrc;
        srtp->source_count++;
    }
}

/* --- transforms --------------------------------------------------------------------------------
 */

static void gcm_iv(uint8_t iv[static GCM_IV_SIZE], const uint8_t *salt, uint32_t ssrc,
                   uint64_t index)
{
    memset(iv, 0, 2);
    ck_put_u32(iv + 2, ssrc);
    ck_put_u16(iv + 6, (uint16_t)(index >> 32));
    ck_put_u32(iv + 8, (uint32_t)index);
    for (size_t i = 0; i < GCM_IV_SIZE; i++) {
        iv[i] ^= salt[i];
    }
}

/* Encrypts `size` bytes from `in` to `out`, with up to two pieces of associated data, and puts the
 * tag behind them. */
static int gcm_seal(struct transform *transform, const uint8_t *iv, const struct ck_slice aad[2],
                    const uint8_t *in, size_t size, uint8_t *out)
{
    EVP_CIPHER_CTX *cipher = transform->cipher;
    int done = 0;
    bool good = EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, iv) == 1;
    for (int i = 0; good && i < 2 && aad[i].size > 0; i++) {
        good = EVP_EncryptUpdate(cipher, NULL, &done, aad[i].data, (int)aad[i].size) == 1;
    }
    good = good && (size == 0 || EVP_EncryptUpdate(cipher, out, &done, in, (int)size) == 1) &&
           EVP_EncryptFinal_ex(cipher, out + size, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_SIZE, out + size) == 1;
    return good ? CK_OK : -EIO;
}

static int gcm_open(struct transform *transform, const uint8_t *iv, const struct ck_slice aad[2],
                    uint8_t *data, size_t size, uint8_t *tag)
{
    EVP_CIPHER_CTX *cipher = transform->cipher;
    int done = 0;
    bool good = EVP_DecryptInit_ex(cipher, NULL, NULL, NULL, iv) == 1 &&
                EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_SIZE, tag) == 1;
    for (int i = 0; good && i < 2 && aad[i].size > 0; i++) {
        good = EVP_DecryptUpdate(cipher, NULL, &done, aad[i].data, (int)aad[i].size) == 1;
    }
    good = good && (size == 0 || EVP_DecryptUpdate(cipher, data, &done, data, (int)size) == 1);
    if (!good) {
        return -EIO;
    }
    return EVP_DecryptFinal_ex(cipher, data + size, &done) == 1 ? CK_OK : CK_E_AUTH;
}

/* AES in counter mode is its own reverse (RFC 3711 section 4.1.1). */
static int cm_crypt(struct transform *transform, uint32_t ssrc, uint64_t index, const uint8_t *in,
                    size_t size, uint8_t *out)
{
    uint8_t iv[CM_IV_SIZE] = {0};
    memcpy(iv, transform->salt, 14);
    uint8_t mix[10];
    ck_put_u32(mix, ssrc);
    ck_put_u16(mix + 4, (uint16_t)(index >> 32));
    ck_put_u32(mix + 6, (uint32_t)index);
    for (size_t i = 0; i < sizeof mix; i++) {
        iv[4 + i] ^= mix[i];
    }
    int done = 0;
    if (EVP_EncryptInit_ex(transform->cipher, NULL, NULL, NULL, iv) != 1 ||
        (size > 0 && EVP_EncryptUpdate(transform->cipher, out, &done, in, (int)size) != 1)) {
        return -EIO;
    }
    return CK_OK;
}

/* Not by EVP_MAC, which allocates for each packet. */
static int cm_tag(const struct transform *transform, const uint8_t *packet, size_t size,
                  uint32_t suffix, uint8_t tag[static CK_SHA1_SIZE])
{
    uint8_t tail[4];
    ck_put_u32(tail, suffix);
    const struct ck_slice slices[] = {{packet, size}, {tail, sizeof tail}};
    return ck_hmac_sha1(transform->auth, sizeof transform->auth, slices, 2, tag);
}

/* --- RTP ---------------------------------------------------------------------------------------
 */

static int seal_rtp(struct ck_srtp *srtp, uint32_t ssrc, uint64_t index, uint8_t *out,
                    size_t header_size, const uint8_t *payload, size_t payload_size, size_t *size)
{
    uint8_t *body = out + header_size;
    if (srtp->profile == CK_SRTP_AEAD_AES_128_GCM) {
        uint8_t iv[GCM_IV_SIZE];
        gcm_iv(iv, srtp->rtp.salt, ssrc, index);
        struct ck_slice aad[2] = {{out, header_size}, {NULL, 0}};
        *size = header_size + payload_size + GCM_TAG_SIZE;
        return gcm_seal(&srtp->rtp, iv, aad, payload, payload_size, body);
    }
    uint8_t tag[CK_SHA1_SIZE];
    int error = cm_crypt(&srtp->rtp, ssrc, index, payload, payload_size, body);
    if (error == CK_OK) {
        error = cm_tag(&srtp->rtp, out, header_size + payload_size, (uint32_t)(index >> 16), tag);
    }
    if (error == CK_OK) {
        memcpy(body + payload_size, tag, CM_TAG_SIZE);
        *size = header_size + payload_size + CM_TAG_SIZE;
    }
    return error;
}

static int evp_protect(struct ck_srtp *srtp, uint8_t *out, size_t header_size,
                       const uint8_t *payload, size_t payload_size, size_t *size)
{
    uint32_t ssrc = ck_get_u32(out + 8);
    struct source *source = source_for(srtp, ssrc);
    uint64_t index = 0;
    if (source == NULL) {
        return CK_E_LIMIT;
    }
    if (!guess_index(&source->rtp, ck_get_u16(out + 2), &index) ||
        !window_allows(&source->rtp, index)) {
        return CK_E_CONFLICT;
    }
    source_keep(srtp, source, ssrc);
    window_note(&source->rtp, index); /* before it is used: never twice, not even after a failure */
    size_t sealed = 0;
    int error = seal_rtp(srtp, ssrc, index, out, header_size, payload, payload_size, &sealed);
    if (error == CK_OK) {
        *size = sealed;
    }
    return error;
}

static int open_rtp(struct ck_srtp *srtp, uint32_t ssrc, uint64_t index, size_t header_size,
                    uint8_t *packet, size_t clear_size)
{
    if (srtp->profile == CK_SRTP_AEAD_AES_128_GCM) {
        uint8_t iv[GCM_IV_SIZE];
        gcm_iv(iv, srtp->rtp.salt, ssrc, index);
        struct ck_slice aad[2] = {{packet, header_size}, {NULL, 0}};
        return gcm_open(&srtp->rtp, iv, aad, packet + header_size, clear_size - header_size,
                        packet + clear_size);
    }
    uint8_t tag[CK_SHA1_SIZE];
    int error = cm_tag(&srtp->rtp, packet, clear_size, (uint32_t)(index >> 16), tag);
    if (error == CK_OK && !ck_equal_secret(tag, packet + clear_size, CM_TAG_SIZE)) {
        error = CK_E_AUTH;
    }
    return error != CK_OK ? error
                          : cm_crypt(&srtp->rtp, ssrc, index, packet + header_size,
                                     clear_size - header_size, packet + header_size);
}

static size_t tag_size(const struct ck_srtp *srtp)
{
    return srtp->profile == CK_SRTP_AEAD_AES_128_GCM ? GCM_TAG_SIZE : CM_TAG_SIZE;
}

static int evp_unprotect(struct ck_srtp *srtp, uint8_t *packet, size_t *size)
{
    struct ck_rtp rtp;
    if (ck_rtp_read_header(packet, *size, &rtp) != CK_OK || rtp.payload_size < tag_size(srtp)) {
        return CK_E_SYNTAX;
    }
    size_t clear_size = *size - tag_size(srtp);
    struct source *source = source_for(srtp, rtp.ssrc);
    uint64_t index = 0;
    if (source == NULL) { /* a source too many, if it is one: only its tag can say so */
        int error = open_rtp(srtp, rtp.ssrc, rtp.sequence, rtp.header_size, packet, clear_size);
        return error == CK_OK ? CK_E_LIMIT : error;
    }
    if (!guess_index(&source->rtp, rtp.sequence, &index) || !window_allows(&source->rtp, index)) {
        return CK_E_CONFLICT;
    }
    int error = open_rtp(srtp, rtp.ssrc, index, rtp.header_size, packet, clear_size);
    if (error == CK_OK) {
        source_keep(srtp, source, rtp.ssrc);
        window_note(&source->rtp, index);
        *size = clear_size;
    }
    return error;
}

/* --- RTCP --------------------------------------------------------------------------------------
 */

/* GCM puts the tag before the index, counter mode the index before the tag. */
static int seal_rtcp(struct ck_srtp *srtp, uint32_t ssrc, uint32_t index, uint8_t *packet,
                     size_t *size)
{
    uint8_t *body = packet + RTCP_CLEAR_SIZE;
    size_t body_size = *size - RTCP_CLEAR_SIZE;
    uint8_t word[RTCP_INDEX_SIZE];
    ck_put_u32(word, RTCP_ENCRYPTED | index);
    if (srtp->profile == CK_SRTP_AEAD_AES_128_GCM) {
        uint8_t iv[GCM_IV_SIZE];
        gcm_iv(iv, srtp->rtcp.salt, ssrc, index);
        struct ck_slice aad[2] = {{packet, RTCP_CLEAR_SIZE}, {word, sizeof word}};
        int error = gcm_seal(&srtp->rtcp, iv, aad, body, body_size, body);
        if (error == CK_OK) {
            memcpy(packet + *size + GCM_TAG_SIZE, word, sizeof word);
            *size += GCM_TAG_SIZE + RTCP_INDEX_SIZE;
        }
        return error;
    }
    uint8_t tag[CK_SHA1_SIZE];
    int error = cm_crypt(&srtp->rtcp, ssrc, index, body, body_size, body);
    if (error == CK_OK) {
        error = cm_tag(&srtp->rtcp, packet, *size, RTCP_ENCRYPTED | index, tag);
    }
    if (error == CK_OK) {
        memcpy(packet + *size, word, sizeof word);
        memcpy(packet + *size + RTCP_INDEX_SIZE, tag, CM_TAG_SIZE);
        *size += RTCP_INDEX_SIZE + CM_TAG_SIZE;
    }
    return error;
}

static int evp_protect_control(struct ck_srtp *srtp, uint8_t *packet, size_t *size)
{
    if (*size < RTCP_CLEAR_SIZE) {
        return CK_E_SYNTAX;
    }
    uint32_t ssrc = ck_get_u32(packet + 4);
    struct source *source = source_for(srtp, ssrc);
    if (source == NULL || source->rtcp_sent == RTCP_INDEX_MAX) {
        return CK_E_LIMIT;
    }
    source_keep(srtp, source, ssrc);
    return seal_rtcp(srtp, ssrc, ++source->rtcp_sent, packet, size);
}

static int open_rtcp(struct ck_srtp *srtp, uint32_t ssrc, uint32_t word, uint8_t *packet,
                     size_t clear_size)
{
    uint8_t *body = packet + RTCP_CLEAR_SIZE;
    size_t body_size = clear_size - RTCP_CLEAR_SIZE;
    bool encrypted = (word & RTCP_ENCRYPTED) != 0;
    if (srtp->profile == CK_SRTP_AEAD_AES_128_GCM) {
        uint8_t iv[GCM_IV_SIZE];
        uint8_t last[RTCP_INDEX_SIZE];
        ck_put_u32(last, word);
        gcm_iv(iv, srtp->rtcp.salt, ssrc, word & RTCP_INDEX_MAX);
        struct ck_slice aad[2] = {{packet, RTCP_CLEAR_SIZE}, {last, sizeof last}};
        if (!encrypted) {
            return CK_E_AUTH; /* WebRTC always encrypts (RFC 8827 section 6.5) */
        }
        return gcm_open(&srtp->rtcp, iv, aad, body, body_size, packet + clear_size);
    }
    uint8_t tag[CK_SHA1_SIZE];
    int error = cm_tag(&srtp->rtcp, packet, clear_size, word, tag);
    if (error == CK_OK &&
        (!encrypted || !ck_equal_secret(tag, packet + clear_size + RTCP_INDEX_SIZE, CM_TAG_SIZE))) {
        error = CK_E_AUTH;
    }
    return error != CK_OK
               ? error
               : cm_crypt(&srtp->rtcp, ssrc, word & RTCP_INDEX_MAX, body, body_size, body);
}

static int evp_unprotect_control(struct ck_srtp *srtp, uint8_t *packet, size_t *size)
{
    size_t overhead = tag_size(srtp) + RTCP_INDEX_SIZE;
    if (*size < RTCP_CLEAR_SIZE + overhead || packet[0] >> 6 != 2) {
        return CK_E_SYNTAX;
    }
    size_t clear_size = *size - overhead;
    size_t word_at =
        srtp->profile == CK_SRTP_AEAD_AES_128_GCM ? *size - RTCP_INDEX_SIZE : clear_size;
    uint32_t word = ck_get_u32(packet + word_at);
    uint32_t ssrc = ck_get_u32(packet + 4);
    struct source *source = source_for(srtp, ssrc);
    if (source == NULL) {
        return CK_E_LIMIT;
    }
    if (!window_allows(&source->rtcp, word & RTCP_INDEX_MAX)) {
        return CK_E_CONFLICT;
    }
    int error = open_rtcp(srtp, ssrc, word, packet, clear_size);
    if (error == CK_OK) {
        source_keep(srtp, source, ssrc);
        window_note(&source->rtcp, word & RTCP_INDEX_MAX);
        *size = clear_size;
    }
    return error;
}

/* --- keys --------------------------------------------------------------------------------------
 */

static void cipher_freep(EVP_CIPHER_CTX **cipher)
{
    EVP_CIPHER_CTX_free(*cipher);
}

static int derive_one(EVP_CIPHER_CTX *cipher, const struct ck_srtp_keys *keys, size_t salt_size,
                      uint8_t label, uint8_t *out, size_t size)
{
    static const uint8_t zeros[32];
    uint8_t iv[CM_IV_SIZE] = {0};
    int done = 0;
    memcpy(iv, keys->salt, salt_size);
    iv[7] ^= label;
    if (EVP_EncryptInit_ex2(cipher, counter_cipher, keys->key, iv, NULL) != 1 ||
        EVP_EncryptUpdate(cipher, out, &done, zeros, (int)size) != 1) {
        return -ENOMEM;
    }
    return CK_OK;
}

int ck_srtp_derive(enum ck_srtp_profile profile, const struct ck_srtp_keys *keys,
                   struct ck_srtp_session_keys *rtp, struct ck_srtp_session_keys *rtcp)
{
    ck_cleanup(cipher_freep) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    if (cipher == NULL) {
        return -ENOMEM;
    }
    size_t salt_size = ck_srtp_salt_size(profile);
    const struct {
        uint8_t *out;
        size_t size;
    } wanted[] = {
        /* by label: RFC 3711 section 4.3.2 */
        {rtp->key, sizeof rtp->key},   {rtp->auth, sizeof rtp->auth},   {rtp->salt, salt_size},
        {rtcp->key, sizeof rtcp->key}, {rtcp->auth, sizeof rtcp->auth}, {rtcp->salt, salt_size},
    };
    for (size_t label = 0; label < sizeof wanted / sizeof wanted[0]; label++) {
        int error = derive_one(cipher, keys, salt_size, (uint8_t)label, wanted[label].out,
                               wanted[label].size);
        if (error != CK_OK) {
            return error;
        }
    }
    return CK_OK;
}

static void transform_deinit(struct transform *transform)
{
    EVP_CIPHER_CTX_free(transform->cipher);
    ck_wipe(transform->auth, sizeof transform->auth);
    ck_wipe(transform->salt, sizeof transform->salt);
}

static int transform_init(struct transform *transform, enum ck_srtp_profile profile, bool sealing,
                          const struct ck_srtp_session_keys *keys)
{
    bool gcm = profile == CK_SRTP_AEAD_AES_128_GCM;
    memcpy(transform->auth, keys->auth, sizeof transform->auth);
    memcpy(transform->salt, keys->salt, ck_srtp_salt_size(profile));
    transform->cipher = EVP_CIPHER_CTX_new();
    if (transform->cipher == NULL ||
        EVP_CipherInit_ex2(transform->cipher, gcm ? gcm_cipher : counter_cipher, keys->key, NULL,
                           sealing || !gcm, NULL) != 1) {
        return -ENOMEM;
    }
    return CK_OK;
}

static void evp_destroy(struct ck_srtp *srtp)
{
    if (srtp != NULL) {
        transform_deinit(&srtp->rtp);
        transform_deinit(&srtp->rtcp);
        free(srtp);
    }
}

static void srtp_freep(struct ck_srtp **srtp)
{
    evp_destroy(*srtp);
}

int ck_srtp_evp_create(struct ck_srtp **srtp, enum ck_srtp_profile profile,
                       enum ck_srtp_direction direction, const struct ck_srtp_session_keys *rtp,
                       const struct ck_srtp_session_keys *rtcp)
{
    if (profile != CK_SRTP_AES128_CM_SHA1_80 && profile != CK_SRTP_AEAD_AES_128_GCM) {
        return CK_E_INVALID;
    }
    ck_cleanup(srtp_freep) struct ck_srtp *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->profile = profile;
    made->direction = direction;
    int error = transform_init(&made->rtp, profile, direction == CK_SRTP_OUT, rtp);
    if (error == CK_OK) {
        error = transform_init(&made->rtcp, profile, direction == CK_SRTP_OUT, rtcp);
    }
    if (error == CK_OK) {
        *srtp = ck_take(made);
    }
    return error;
}

static int evp_create(struct ck_srtp **srtp, enum ck_srtp_profile profile,
                      enum ck_srtp_direction direction, const struct ck_srtp_keys *keys)
{
    struct ck_srtp_session_keys rtp;
    struct ck_srtp_session_keys rtcp;
    int error = ck_srtp_derive(profile, keys, &rtp, &rtcp);
    if (error == CK_OK) {
        error = ck_srtp_evp_create(srtp, profile, direction, &rtp, &rtcp);
    }
    ck_wipe(&rtp, sizeof rtp);
    ck_wipe(&rtcp, sizeof rtcp);
    return error;
}

static void evp_stop(void)
{
    EVP_CIPHER_free(counter_cipher);
    EVP_CIPHER_free(gcm_cipher);
    counter_cipher = gcm_cipher = NULL;
}

static int evp_start(void)
{
    counter_cipher = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
    gcm_cipher = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    if (counter_cipher == NULL || gcm_cipher == NULL) {
        evp_stop();
        return -EIO;
    }
    return CK_OK;
}

const struct ck_srtp_engine ck_srtp_evp = {
    .name = "OpenSSL EVP",
    .start = evp_start,
    .stop = evp_stop,
    .create = evp_create,
    .destroy = evp_destroy,
    .protect = evp_protect,
    .unprotect = evp_unprotect,
    .protect_control = evp_protect_control,
    .unprotect_control = evp_unprotect_control,
};
