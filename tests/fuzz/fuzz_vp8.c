/* The payload descriptor of VP8 and the frame header behind it (RFC 7741). */
#include <assert.h>

#include "protocol/base/error.h"
#include "protocol/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_vp8 vp8;
    if (ck_vp8_read(data, size, &vp8) == CK_OK) {
        assert(vp8.descriptor_size > 0 && vp8.descriptor_size < size);
        assert(!vp8.key_frame || vp8.start);
    }
    return 0;
}
