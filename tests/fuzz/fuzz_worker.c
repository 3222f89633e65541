#include <assert.h>
#include <string.h>

#include "protocol/base/error.h"
#include "protocol/worker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[CK_WORKER_MESSAGE_MAX];
    struct ck_worker_message message;
    const char *field = NULL;
    size_t written = 0;
    if (ck_worker_decode(data, size, &message, &field) != CK_OK) {
        assert(field != NULL);
        return 0;
    }
    assert(ck_worker_encode(&message, bytes, sizeof bytes, &written, &field) == CK_OK);
    assert(written == size && memcmp(bytes, data, size) == 0);
    return 0;
}
