#include "protocol/base/error.h"

#include <string.h>

const char *ck_error_text(int code)
{
    static const char *const names[] = {
        [CK_OK] = "ok",
        [CK_E_SYNTAX] = "syntax",
        [CK_E_TRUNCATED] = "truncated",
        [CK_E_LIMIT] = "limit reached",
        [CK_E_AUTH] = "not authentic",
        [CK_E_NOT_FOUND] = "not found",
        [CK_E_CONFLICT] = "conflict",
        [CK_E_INVALID] = "invalid",
        [CK_E_DENIED] = "denied",
        [CK_E_BUSY] = "busy",
        [CK_E_FENCED] = "fenced",
    };
    if (code < 0) {
        return strerror(-code);
    }
    if ((size_t)code < sizeof names / sizeof names[0]) {
        return names[code];
    }
    return "unknown";
}
