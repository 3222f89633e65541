#include <assert.h>

#include "protocol/base/error.h"
#include "protocol/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_rtp rtp;
    struct ck_vp8 vp8;
    uint16_t original;
    size_t rest;
    (void)ck_datagram_kind(data, size);
    (void)ck_rtp_read_header(data, size, &rtp);
    if (ck_rtp_read(data, size, &rtp) == CK_OK) {
        assert(rtp.header_size + rtp.payload_size <= size);
        if (ck_rtp_read_rtx(data + rtp.header_size, rtp.payload_size, &original, &rest) == CK_OK) {
            assert(rest + 2 == rtp.payload_size);
        }
        if (ck_vp8_read(data + rtp.header_size, rtp.payload_size, &vp8) == CK_OK) {
            assert(vp8.descriptor_size < rtp.payload_size);
        }
    }
    if (ck_vp8_read(data, size, &vp8) == CK_OK) {
        assert(vp8.descriptor_size < size);
    }
    return 0;
}
