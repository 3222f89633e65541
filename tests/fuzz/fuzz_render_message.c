/* Messages between checkind and checkin-render: what decodes encodes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ck_render_message message;
    static uint8_t bytes[CK_RENDER_MESSAGE_MAX];
    size_t encoded;
    if (size > sizeof bytes || ck_render_decode(data, size, &message) != 0) {
        return 0;
    }
    if (ck_render_encode(&message, bytes, sizeof bytes, &encoded) != 0 || encoded != size ||
        memcmp(bytes, data, size) != 0) {
        abort();
    }
    return 0;
}
