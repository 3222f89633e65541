/* SRTP by libsrtp. Debian builds it on NSS, which opens libraries and files at start and forgets
 * them with its last session: start() therefore keeps one session for the life of the process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "media/srtp.h"
#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/rtp.h"

struct ck_srtp {
    srtp_t session;
    unsigned source_count;
    uint32_t sources[CK_SRTP_SOURCES_MAX]; /* libsrtp itself would take any number */
};

static struct ck_srtp *keeper;

static int code_of(srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return CK_OK;
    case srtp_err_status_auth_fail:
    case srtp_err_status_cipher_fail:
        return CK_E_AUTH;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
        return CK_E_CONFLICT;
    case srtp_err_status_alloc_fail:
        return -ENOMEM;
    case srtp_err_status_key_expired:
        return CK_E_LIMIT;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
        return CK_E_SYNTAX;
    default:
        return -EIO;
    }
}

/* Whether the source is known or there is room for it. */
static bool source_fits(const struct ck_srtp *srtp, uint32_t ssrc)
{
    for (unsigned i = 0; i < srtp->source_count; i++) {
        if (srtp->sources[i] == ssrc) {
            return true;
        }
    }
    return srtp->source_count < CK_SRTP_SOURCES_MAX;
}

static void source_keep(struct ck_srtp *srtp, uint32_t ssrc)
{
    for (unsigned i = 0; i < srtp->source_count; i++) {
        if (srtp->sources[i] == ssrc) {
            return;
        }
    }
    srtp->sources[srtp->source_count++] = ssrc;
}

static int lib_protect(struct ck_srtp *srtp, uint8_t *out, size_t header_size,
                       const uint8_t *payload, size_t payload_size, size_t *size)
{
    uint32_t ssrc = ck_get_u32(out + 8);
    if (!source_fits(srtp, ssrc)) {
        return CK_E_LIMIT;
    }
    if (payload_size > 0) {
        memmove(out + header_size, payload, payload_size);
    }
    int length = (int)(header_size + payload_size);
    int error = code_of(srtp_protect(srtp->session, out, &length));
    if (error == CK_OK) {
        source_keep(srtp, ssrc);
        *size = (size_t)length;
    }
    return error;
}

static int lib_unprotect(struct ck_srtp *srtp, uint8_t *packet, size_t *size)
{
    struct ck_rtp rtp;
    if (ck_rtp_read_header(packet, *size, &rtp) != CK_OK) {
        return CK_E_SYNTAX;
    }
    if (!source_fits(srtp, rtp.ssrc)) {
        return CK_E_LIMIT;
    }
    int length = (int)*size;
    int error = code_of(srtp_unprotect(srtp->session, packet, &length));
    if (error == CK_OK) {
        source_keep(srtp, rtp.ssrc);
        *size = (size_t)length;
    }
    return error;
}

static int lib_protect_control(struct ck_srtp *srtp, uint8_t *packet, size_t *size)
{
    if (*size < 8) {
        return CK_E_SYNTAX;
    }
    uint32_t ssrc = ck_get_u32(packet + 4);
    if (!source_fits(srtp, ssrc)) {
        return CK_E_LIMIT;
    }
    int length = (int)*size;
    int error = code_of(srtp_protect_rtcp(srtp->session, packet, &length));
    if (error == CK_OK) {
        source_keep(srtp, ssrc);
        *size = (size_t)length;
    }
    return error;
}

static int lib_unprotect_control(struct ck_srtp *srtp, uint8_t *packet, size_t *size)
{
    if (*size < 8 || packet[0] >> 6 != 2) {
        return CK_E_SYNTAX;
    }
    uint32_t ssrc = ck_get_u32(packet + 4);
    if (!source_fits(srtp, ssrc)) {
        return CK_E_LIMIT;
    }
    int length = (int)*size;
    int error = code_of(srtp_unprotect_rtcp(srtp->session, packet, &length));
    if (error == CK_OK) {
        source_keep(srtp, ssrc);
        *size = (size_t)length;
    }
    return error;
}

static void lib_destroy(struct ck_srtp *srtp)
{
    if (srtp != NULL) {
        if (srtp->session != NULL) {
            srtp_dealloc(srtp->session);
        }
        free(srtp);
    }
}

static void srtp_freep(struct ck_srtp **srtp)
{
    lib_destroy(*srtp);
}

static int lib_create(struct ck_srtp **srtp, enum ck_srtp_profile profile,
                      enum ck_srtp_direction direction, const struct ck_srtp_keys *keys)
{
    srtp_policy_t policy = {0};
    if (profile == CK_SRTP_AEAD_AES_128_GCM) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else if (profile == CK_SRTP_AES128_CM_SHA1_80) {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    } else {
        return CK_E_INVALID;
    }
    uint8_t key[CK_SRTP_KEY_SIZE + CK_SRTP_SALT_MAX];
    memcpy(key, keys->key, CK_SRTP_KEY_SIZE);
    memcpy(key + CK_SRTP_KEY_SIZE, keys->salt, ck_srtp_salt_size(profile));
    policy.key = key;
    policy.ssrc.type = direction == CK_SRTP_IN ? ssrc_any_inbound : ssrc_any_outbound;
    policy.window_size = CK_SRTP_WINDOW;
    ck_cleanup(srtp_freep) struct ck_srtp *made = calloc(1, sizeof *made);
    int error = made == NULL ? -ENOMEM : code_of(srtp_create(&made->session, &policy));
    ck_wipe(key, sizeof key);
    if (error == CK_OK) {
        *srtp = ck_take(made);
    }
    return error;
}

static int lib_start(void)
{
    static const struct ck_srtp_keys none;
    if (srtp_init() != srtp_err_status_ok) {
        return -EIO;
    }
    return lib_create(&keeper, CK_SRTP_AEAD_AES_128_GCM, CK_SRTP_OUT, &none);
}

static void lib_stop(void)
{
    lib_destroy(ck_take(keeper));
    (void)srtp_shutdown();
}

const struct ck_srtp_engine ck_srtp_libsrtp = {
    .name = "libsrtp",
    .start = lib_start,
    .stop = lib_stop,
    .create = lib_create,
    .destroy = lib_destroy,
    .protect = lib_protect,
    .unprotect = lib_unprotect,
    .protect_control = lib_protect_control,
    .unprotect_control = lib_unprotect_control,
};
