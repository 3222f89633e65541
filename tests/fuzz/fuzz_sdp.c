#include <assert.h>

#include "media/sdp/sdp.h"
#include "protocol/base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ck_sdp_offer offer;
    static char text[CK_SDP_ANSWER_MAX];
    static const struct ck_sdp_candidate candidate = {.address = "192.0.2.1", .port = 7000};
    struct ck_sdp_fault fault = {0};
    size_t written = 0;
    int error = ck_sdp_read_offer((const char *)data, size, &offer, &fault);
    if (error != CK_SDP_OK) {
        assert(fault.message[0] != '\0');
        return 0;
    }
    assert(offer.audio >= 0 || offer.video >= 0);
    assert(offer.ufrag.size >= 4 && offer.ufrag.size <= CK_SDP_UFRAG_MAX);
    assert(offer.fingerprint.hash != 0);
    struct ck_sdp_answer answer = {
        .ufrag = "ufrag",
        .password = "password",
        .fingerprint = "AB",
        .candidate_count = 1,
        .candidates = &candidate,
        .cname = "cname",
        .ssrc = {1, 2},
        .rtx_ssrc = 3,
    };
    error = ck_sdp_write_answer(&offer, &answer, text, sizeof text, &written);
    assert(error == CK_E_LIMIT || (error == CK_OK && written < sizeof text));
    return 0;
}
