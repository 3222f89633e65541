/* What a gateway tells later about messages it has taken (protocol/sms-gateway.md). No session: the
 * body is signed with the secret of the gateway. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/api/api_impl.h"
#include "protocol/base/error.h"
#include "protocol/receipt.h"
#include "protocol/signature.h"

/* Receipts of one request, until the last of them was taken. */
struct receipts {
    struct ck_api_call *call;
    size_t waiting;
    int failed; /* the last error that is ours */
};

static void answer(struct receipts *receipts)
{
    struct ck_api_call *call = receipts->call;
    int failed = receipts->failed;
    free(receipts);
    if (failed != 0) {
        ck_api_answer_error(call, failed, NULL);
        return;
    }
    struct ck_http_answer taken = {.status = 204};
    ck_http_answer(call->request, &taken);
    ck_api_finish(call);
}

static void on_taken(void *cookie, const struct ck_result *result)
{
    struct receipts *receipts = cookie;
    /* A message that is not known (any more), or is beyond this state, is no reason to send the
     * receipt again. */
    bool ours = result->code < 0 || result->code == CK_E_BUSY;
    if (ours) {
        receipts->failed = result->code;
    }
    if (--receipts->waiting == 0) {
        answer(receipts);
    }
}

static json_t *command_body(const char *channel, const struct ck_gateway_receipt *receipt)
{
    bool by_reference = receipt->reference[0] != '\0';
    return json_pack("{s:s, s:s, s:s, s:s}", "channel", channel,
                     by_reference ? "reference" : "provider_id",
                     by_reference ? receipt->reference : receipt->provider_id, "receipt",
                     ck_gateway_state_name(receipt->state), "detail", receipt->detail);
}

static void submit_all(struct ck_api_call *call, const char *channel,
                       const struct ck_gateway_receipt *list, size_t count)
{
    struct receipts *receipts = calloc(1, sizeof *receipts);
    if (receipts == NULL) {
        ck_api_answer_error(call, -ENOMEM, NULL);
        return;
    }
    *receipts = (struct receipts){.call = call, .waiting = 1};
    call->actor.kind = CK_ACTOR_GATEWAY;
    for (size_t i = 0; i < count; i++) {
        if (list[i].state != CK_GATEWAY_SENT) { /* on its way: nothing changes */
            receipts->waiting++;
            ck_bus_submit(call->api->options.bus, "notice.receipt", &call->actor,
                          command_body(channel, &list[i]), on_taken, receipts);
        }
    }
    if (--receipts->waiting == 0) {
        answer(receipts);
    }
}

static void take(struct ck_api_call *call, const char *channel,
                 const struct ck_config_secret *secret)
{
    const char *signature = ck_http_request_field(call->request, CK_HTTP_SIGNATURE);
    size_t size = 0, count = 0;
    const char *body = ck_http_request_body(call->request, &size);
    if (secret->bytes == NULL) {
        ck_api_refuse(call, CK_E_NOT_FOUND, "", "no receipts are expected");
        return;
    }
    int error = signature == NULL ? CK_E_AUTH
                                  : ck_signature_check(secret->bytes, secret->size, signature,
                                                       call->now, body, size);
    if (error != 0) {
        ck_api_refuse(call, error < 0 ? error : CK_E_AUTH, CK_SIGNATURE_HEADER,
                      "does not verify, or its time is too far from now");
        return;
    }
    struct ck_gateway_receipt *list = calloc(CK_RECEIPTS_MAX, sizeof *list);
    struct ck_receipt_fault fault;
    error = list == NULL ? -ENOMEM : ck_receipt_decode(body, size, list, &count, &fault);
    if (error == 0) {
        submit_all(call, channel, list, count);
    } else {
        ck_api_refuse(call, error < 0 ? error : CK_E_INVALID, error < 0 ? "" : fault.field,
                      error < 0 ? "" : fault.message);
    }
    free(list);
}

void ck_api_receipt_sms(struct ck_api_call *call)
{
    take(call, "sms", &call->api->options.config->sms.receipt_secret);
}

void ck_api_receipt_voice(struct ck_api_call *call)
{
    take(call, "voice", &call->api->options.config->voice.receipt_secret);
}
