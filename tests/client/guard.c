/* SRTP over libsrtp2. */
#include <errno.h>
#include <string.h>

#include "protocol/base/error.h"
#include "tests/client/client_impl.h"

#define REPLAY_WINDOW 4096 /* packets; as far back as a retransmission may come */

int ck_tclient_library_init(void)
{
    return srtp_init() == srtp_err_status_ok ? 0 : CK_E_INVALID;
}

void ck_tclient_library_deinit(void)
{
    srtp_shutdown();
}

static int make_session(srtp_t *session, unsigned profile, srtp_ssrc_type_t type,
                        const uint8_t *key, const uint8_t *salt)
{
    uint8_t material[SRTP_MAX_KEY_LEN];
    srtp_policy_t policy;
    size_t salt_size = profile == CK_TCLIENT_GCM_128 ? 12 : 14;
    memset(&policy, 0, sizeof policy);
    memcpy(material, key, 16);
    memcpy(material + 16, salt, salt_size);
    if (profile == CK_TCLIENT_GCM_128) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    }
    policy.ssrc.type = type;
    policy.key = material;
    policy.window_size = REPLAY_WINDOW;
    return srtp_create(session, &policy) == srtp_err_status_ok ? 0 : -ENOMEM;
}

int guard_init(struct guard *guard, unsigned profile, const uint8_t *keys)
{
    size_t salt = profile == CK_TCLIENT_GCM_128 ? 12 : 14;
    guard->profile = profile;
    int error = make_session(&guard->out, profile, ssrc_any_outbound, keys, keys + 32);
    if (error == 0) {
        error = make_session(&guard->in, profile, ssrc_any_inbound, keys + 16, keys + 32 + salt);
    }
    return error;
}

void guard_deinit(struct guard *guard)
{
    if (guard->in != NULL) {
        srtp_dealloc(guard->in);
    }
    if (guard->out != NULL) {
        srtp_dealloc(guard->out);
    }
    *guard = (struct guard){.profile = 0};
}

static int verdict(srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return 0;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return CK_E_CONFLICT;
    default:
        return CK_E_AUTH;
    }
}

int guard_protect(struct guard *guard, uint8_t *packet, size_t *size, bool rtcp)
{
    int length = (int)*size;
    srtp_err_status_t status = rtcp ? srtp_protect_rtcp(guard->out, packet, &length)
                                    : srtp_protect(guard->out, packet, &length);
    *size = (size_t)length;
    return verdict(status);
}

int guard_unprotect(struct guard *guard, uint8_t *packet, size_t *size, bool rtcp)
{
    int length = (int)*size;
    srtp_err_status_t status = rtcp ? srtp_unprotect_rtcp(guard->in, packet, &length)
                                    : srtp_unprotect(guard->in, packet, &length);
    *size = (size_t)length;
    return verdict(status);
}
