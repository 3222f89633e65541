/* A retransmission (RFC 4588) with the VP8 packet that it repeats inside. */
#include <assert.h>

#include "protocol/base/error.h"
#include "protocol/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_vp8 vp8;
    uint16_t original = 0;
    size_t rest = 0;
    if (ck_rtp_read_rtx(data, size, &original, &rest) == CK_OK) {
        assert(rest + 2 == size);
        assert(original == (uint16_t)(data[0] << 8 | data[1]));
        if (ck_vp8_read(data + 2, rest, &vp8) == CK_OK) {
            assert(vp8.descriptor_size < rest);
        }
    }
    return 0;
}
