/* Hostile packets into an SRTP session; then a true one must still pass. */
#include <assert.h>
#include <string.h>

#include "media/srtp.h"
#include "protocol/base/error.h"
#include "protocol/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void true_packet(struct ck_srtp *out, struct ck_srtp *in)
{
    uint8_t packet[CK_RTP_HEADER_SIZE + 8 + CK_SRTP_OVERHEAD];
    struct ck_rtp rtp = {.payload_type = 96, .sequence = 7, .ssrc = 0x01020304};
    size_t size = 0;
    ck_rtp_write_header(&rtp, packet);
    assert(ck_srtp_evp.protect(out, packet, CK_RTP_HEADER_SIZE, (const uint8_t *)"payload!", 8,
                               &size) == CK_OK);
    assert(ck_srtp_evp.unprotect(in, packet, &size) == CK_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ck_srtp_keys keys = {.key = {1}, .salt = {2}};
    static const enum ck_srtp_profile profiles[] = {CK_SRTP_AEAD_AES_128_GCM,
                                                    CK_SRTP_AES128_CM_SHA1_80};
    static bool started;
    uint8_t packet[2048];
    if (size > sizeof packet) {
        return 0;
    }
    if (!started) {
        assert(ck_srtp_evp.start() == CK_OK);
        started = true;
    }
    for (int i = 0; i < 2; i++) {
        struct ck_srtp *in = NULL;
        struct ck_srtp *out = NULL;
        assert(ck_srtp_evp.create(&in, profiles[i], CK_SRTP_IN, &keys) == CK_OK);
        assert(ck_srtp_evp.create(&out, profiles[i], CK_SRTP_OUT, &keys) == CK_OK);
        memcpy(packet, data, size);
        size_t clear = size;
        assert(ck_srtp_evp.unprotect(in, packet, &clear) != CK_OK);
        memcpy(packet, data, size);
        clear = size;
        assert(ck_srtp_evp.unprotect_control(in, packet, &clear) != CK_OK);
        true_packet(out, in);
        ck_srtp_evp.destroy(in);
        ck_srtp_evp.destroy(out);
    }
    return 0;
}
