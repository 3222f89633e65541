/* One's own second factor and sessions, and those of others for an administrator. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "daemon/store/query_people.h"
#include "daemon/store/session.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define ISSUER "checkind"
#define URI_SIZE 256

/* true, and the call is answered: the code was wrong, which counts, or something failed. */
static bool refused(struct ck_api_call *call, const struct ck_result *result)
{
    if (result->code == CK_E_INVALID && json_is_string(json_object_get(call->body, "code"))) {
        (void)ck_limit_take(call->api->failed_codes, &call->actor.staff_id,
                            sizeof call->actor.staff_id, call->api->options.mono(), NULL);
    }
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
    }
    return result->code != 0;
}

static void on_begun(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (refused(call, result)) {
        return;
    }
    const char *key = json_string_value(json_object_get(result->body, "key"));
    const char *login = json_string_value(json_object_get(call->value, "login"));
    char uri[URI_SIZE];
    /* The form that authenticator applications read; a log-in needs no escapes. */
    int size = snprintf(uri, sizeof uri,
                        "otpauth://totp/" ISSUER ":%s?secret=%s&issuer=" ISSUER
                        "&algorithm=SHA1&digits=6&period=30",
                        login, key);
    ck_cleanup(ck_freep) char *svg =
        size < 0 || (size_t)size >= sizeof uri ? NULL : ck_api_qr_svg(uri);
    json_t *answer =
        svg == NULL ? NULL : json_pack("{s:s, s:s, s:s}", "key", key, "uri", uri, "qr_svg", svg);
    ck_wipe(uri, sizeof uri);
    if (answer == NULL) {
        ck_api_answer_error(call, -ENOMEM, NULL);
        return;
    }
    ck_api_answer_json(call, 200, answer, NULL);
}

static int query_login(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    return ck_query_me(store, call->actor.staff_id, out);
}

static void on_login(void *cookie, int code, json_t *me)
{
    struct ck_api_call *call = cookie;
    call->value = me;
    if (code != 0) {
        ck_api_answer_error(call, code, NULL);
        return;
    }
    ck_api_submit(call, "second_factor.begin",
                  json_pack("{s:O?}", "code", json_object_get(call->body, "code")), on_begun);
}

/* Wrong codes count against the account, as at log-in: an open page is no place to guess. */
static bool codes_used_up(struct ck_api_call *call)
{
    if (ck_limit_ask(call->api->failed_codes, &call->actor.staff_id, sizeof call->actor.staff_id,
                     call->api->options.mono(), NULL) == 0) {
        return false;
    }
    ck_api_note_waiting(call, "too_many");
    ck_api_refuse(call, CK_E_LIMIT, "code", "too many wrong codes; try again in some minutes");
    return true;
}

void ck_api_second_factor(struct ck_api_call *call)
{
    if (!codes_used_up(call)) {
        ck_api_run(call, query_login, on_login);
    }
}

static void on_confirmed(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (!refused(call, result)) {
        ck_api_answer_query(call);
    }
}

void ck_api_second_factor_confirm(struct ck_api_call *call)
{
    if (!codes_used_up(call)) {
        ck_api_submit(call, "second_factor.confirm", json_deep_copy(call->body), on_confirmed);
    }
}

static int list_sessions(struct ck_store *store, struct ck_api_call *call, int64_t staff,
                         json_t **out)
{
    json_t *list = NULL;
    int r = ck_session_list(store, staff, call->actor.session_id, call->now, &list);
    if (r == 0) {
        *out = json_pack("{s:o}", "sessions", list);
        r = *out == NULL ? -ENOMEM : 0;
    }
    return r;
}

int ck_api_sessions_own(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return list_sessions(store, call, call->actor.staff_id, out);
}

int ck_api_sessions_of_staff(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return list_sessions(store, call, call->id, out);
}
