/* Messages of the pages: what decodes keeps its promises, and decodes again from its own dump. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void text_holds(const char *text, size_t bytes_max)
{
    must(text == NULL || (strlen(text) <= bytes_max && ck_utf8_valid(text, strlen(text))));
}

static void check(enum ck_client_side side, const char *text, size_t size, bool again)
{
    struct ck_client_message message;
    struct ck_client_fault fault;
    int r = ck_client_decode(side, text, size, &message, &fault);
    if (r != 0) {
        must(r == CK_E_SYNTAX || r == CK_E_INVALID);
        must(!again && memchr(fault.field, 0, sizeof fault.field) != NULL &&
             memchr(fault.text, 0, sizeof fault.text) != NULL);
        return;
    }
    must(message.kind < CK_CLIENT_KINDS && message.fact < CK_CLIENT_FACTS);
    must(message.kind != CK_CLIENT_OFFER || (message.sdp != NULL && message.generation > 0));
    must(message.kind != CK_CLIENT_MESSAGE || (message.text != NULL && message.client_id != NULL));
    must(message.kind != CK_CLIENT_JOIN || message.device != NULL);
    must(message.kind != CK_CLIENT_DECLINE || message.reason != NULL);
    must(message.kind != CK_CLIENT_READ || message.up_to > 0);
    text_holds(message.sdp, CK_CLIENT_SDP_MAX);
    text_holds(message.text, CK_CLIENT_TEXT_MAX * 4);
    text_holds(message.reason, CK_CLIENT_REASON_MAX * 4);
    text_holds(message.device, CK_CLIENT_DEVICE_MAX * 4);
    text_holds(message.detail, CK_CLIENT_DETAIL_MAX * 4);
    text_holds(message.client_id, CK_CLIENT_CLIENT_ID_MAX);
    if (!again) {
        char *dumped = json_dumps(message.root, JSON_COMPACT);
        must(dumped != NULL);
        if (strlen(dumped) <= CK_CLIENT_MESSAGE_MAX) {
            check(side, dumped, strlen(dumped), true);
        }
        free(dumped);
    }
    ck_client_message_deinit(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(CK_CLIENT_PERSON, (const char *)data, size, false);
    check(CK_CLIENT_CONSOLE, (const char *)data, size, false);
    return 0;
}
