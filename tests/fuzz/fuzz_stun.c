#include <assert.h>

#include "protocol/base/error.h"
#include "protocol/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_stun message;
    if (ck_stun_read(data, size, &message) != CK_OK) {
        return 0;
    }
    assert(message.username == NULL || message.username_size <= CK_STUN_USERNAME_MAX);
    assert(message.unknown_count <= CK_STUN_UNKNOWN_MAX);
    (void)ck_stun_verify(data, size, &message, "password", 8);
    /* What was understood can be written, and is understood the same. */
    struct ck_stun_write what = {
        .klass = message.klass,
        .transaction = message.transaction,
        .username = message.username,
        .username_size = message.username_size,
        .has_priority = message.has_priority,
        .priority = message.priority,
        .use_candidate = message.use_candidate,
        .mapped = message.mapped,
        .password = "password",
        .password_size = 8,
        .fingerprint = true,
    };
    uint8_t bytes[CK_STUN_MESSAGE_MAX];
    struct ck_stun again;
    size_t written = 0;
    assert(ck_stun_write(&what, bytes, sizeof bytes, &written) == CK_OK);
    assert(ck_stun_read(bytes, written, &again) == CK_OK);
    assert(ck_stun_verify(bytes, written, &again, "password", 8) == CK_OK);
    assert(again.klass == message.klass && again.username_size == message.username_size &&
           again.priority == message.priority && again.mapped.port == message.mapped.port);
    return 0;
}
