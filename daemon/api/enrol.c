/* The link for a person's own phone, as text and as a QR code to hold a phone against. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "protocol/base/cleanup.h"

static void on_link(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    const char *token = json_string_value(json_object_get(result->body, "token"));
    char url[512];
    int size =
        snprintf(url, sizeof url, "%s/c/%s", call->api->options.config->daemon.public_url, token);
    ck_cleanup(ck_freep) char *svg =
        size < 0 || (size_t)size >= sizeof url ? NULL : ck_api_qr_svg(url);
    if (svg == NULL) {
        ck_api_answer_error(call, -ENOMEM, NULL);
        return;
    }
    ck_api_answer_json(call, 200,
                       json_pack("{s:s, s:s, s:O}", "url", url, "qr_svg", svg, "expires",
                                 json_object_get(result->body, "expires")),
                       NULL);
}

void ck_api_enrol(struct ck_api_call *call)
{
    ck_api_submit(call, "person.enrol", json_pack("{s:I}", "person", (json_int_t)call->id),
                  on_link);
}
