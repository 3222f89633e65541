/* First start, log-in and log-out, passwords, and the tap that opens a person's session. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/access/password.h"
#include "daemon/api/api_impl.h"
#include "daemon/config/log.h"
#include "daemon/store/notice.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define KNOWN_S (400 * 86400) /* browsers keep a cookie no longer */
#define LOGIN_MAX 128         /* bytes of a log-in that somebody tries */
#define SLOW_MS                                                                                    \
    2000 /* how long a log-in takes for an account with many failures: slower, never locked */

/* ---- passwords in the pool, a few at once ---- */

struct ck_password_job {
    struct ck_password_job *next;
    struct ck_api_call *call;
    uv_work_t work;
    char password[CK_PASSWORD_MAX + 1];
    char text[CK_PASSWORD_TEXT_SIZE]; /* encoded: to verify against, or the result */
    bool verify, unknown;
    uint8_t salt[CK_PASSWORD_SALT_SIZE];
    int code;
    void (*done)(struct ck_api_call *call, int code, const char *text);
};

static void start_passwords(struct ck_api *api);

static void password_work(uv_work_t *work)
{
    struct ck_password_job *job = work->data;
    struct ck_password_cost cost = job->call->api->options.password_cost;
    job->code = job->verify
                    ? ck_password_verify(cost, job->unknown ? NULL : job->text, job->password)
                    : ck_password_hash(cost, job->password, job->salt, job->text);
}

static void password_done(uv_work_t *work, int status)
{
    struct ck_password_job *job = work->data;
    struct ck_api *api = job->call->api;
    api->passwords_running--;
    job->done(job->call, status < 0 ? status : job->code, job->text);
    ck_wipe(job, sizeof *job);
    free(job);
    start_passwords(api);
}

static void start_passwords(struct ck_api *api)
{
    while (api->passwords != NULL && api->passwords_running < CK_API_PASSWORDS_MAX) {
        struct ck_password_job *job = api->passwords;
        api->passwords = job->next;
        if (api->passwords == NULL) {
            api->passwords_end = &api->passwords;
        }
        api->passwords_waiting--;
        api->passwords_running++;
        job->work.data = job;
        uv_queue_work(api->options.loop, &job->work, password_work, password_done);
    }
}

/* `against`: the encoded password to verify against; "" for an account that does not exist; NULL to
 * make a new one. */
static void password(struct ck_api_call *call, const char *plain, const char *against,
                     void (*done)(struct ck_api_call *, int, const char *))
{
    struct ck_api *api = call->api;
    struct ck_password_job *job =
        api->passwords_waiting < CK_API_PASSWORDS_WAITING_MAX ? calloc(1, sizeof *job) : NULL;
    if (job == NULL || strlen(plain) > CK_PASSWORD_MAX) {
        free(job);
        ck_api_refuse(call, CK_E_BUSY, "", "too many log-ins at once; try again in a moment");
        return;
    }
    job->call = call;
    job->done = done;
    job->verify = against != NULL;
    job->unknown = against != NULL && against[0] == '\0';
    snprintf(job->text, sizeof job->text, "%s", against == NULL ? "" : against);
    snprintf(job->password, sizeof job->password, "%s", plain);
    api->options.random(NULL, job->salt, sizeof job->salt);
    *api->passwords_end = job;
    api->passwords_end = &job->next;
    api->passwords_waiting++;
    start_passwords(api);
}

/* ---- a staff session begins ---- */

static void set_cookie(char header[static COOKIE_HEADER_MAX], const char *name, const char *token,
                       int64_t seconds)
{
    if (seconds < 0) {
        snprintf(header, COOKIE_HEADER_MAX, "%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict",
                 name, token);
    } else {
        snprintf(header, COOKIE_HEADER_MAX,
                 "%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%lld", name, token,
                 (long long)seconds);
    }
}

/* Of one size however long the text is; the case of letters makes no other account. */
static int account_key(const char *login, uint8_t key[static CK_SHA256_SIZE])
{
    char folded[LOGIN_MAX + 1];
    size_t size = 0;
    for (; login[size] != '\0' && size < sizeof folded - 1; size++) {
        folded[size] =
            (char)(login[size] >= 'A' && login[size] <= 'Z' ? login[size] + 32 : login[size]);
    }
    return ck_sha256(&(struct ck_slice){folded, size}, 1, key);
}

/* What a browser keeps in which this account has logged in: who is known does not wait because of
 * what strangers, or colleagues behind the same address, get wrong. It lets nobody in. */
static int known_value(const struct ck_api_call *call, char text[static COOKIE_MAX])
{
    const char *login = json_string_value(json_object_get(call->body, "login"));
    uint8_t account[CK_SHA256_SIZE], tag[CK_SHA256_SIZE];
    int error = login == NULL ? CK_E_INVALID : account_key(login, account);
    error = error == 0 ? ck_hmac_sha256(call->api->known_key, CK_KEY_SIZE,
                                        &(struct ck_slice){account, sizeof account}, 1, tag)
                       : error;
    if (error == 0) {
        ck_base64url_encode(tag, sizeof tag, text);
    }
    return error;
}

static bool is_known(const struct ck_api_call *call)
{
    char given[COOKIE_MAX], ours[COOKIE_MAX];
    return ck_http_request_cookie(call->request, CK_API_KNOWN_COOKIE, given, sizeof given) == 0 &&
           known_value(call, ours) == 0 && strlen(given) == strlen(ours) &&
           ck_equal_secret(given, ours, strlen(ours));
}

/* Counts a log-in that failed: by account where the browser is known, else by address. */
static void count_failure(struct ck_api_call *call)
{
    uint8_t account[CK_SHA256_SIZE];
    const char *login = json_string_value(json_object_get(call->body, "login"));
    if (call->known && account_key(login, account) == 0) {
        (void)ck_limit_take(call->api->failed_known, account, sizeof account,
                            call->api->options.mono(), NULL);
    } else {
        ck_api_failed(call, call->api->failed_logins);
    }
}

/* true, and the call is answered, where this address or this known browser has failed too often. */
static bool must_wait(struct ck_api_call *call)
{
    uint8_t account[CK_SHA256_SIZE];
    const char *login = json_string_value(json_object_get(call->body, "login"));
    call->known = is_known(call);
    if (call->known && account_key(login, account) == 0 &&
        ck_limit_ask(call->api->failed_known, account, sizeof account, call->api->options.mono(),
                     NULL) == 0) {
        return false;
    }
    call->known = false;
    return ck_api_failing(call, call->api->failed_logins);
}

static int query_me(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    return ck_api_query_me(store, call->api->options.config, &call->session, call->now, out);
}

static void on_me(void *cookie, int code, json_t *me)
{
    struct ck_api_call *call = cookie;
    char header[COOKIE_HEADER_MAX], csrf[CK_API_CSRF_SIZE], known[COOKIE_MAX];
    if (code != 0 || ck_api_csrf(call->cookie, csrf) != 0) {
        json_decref(me);
        ck_api_answer_error(call, code != 0 ? code : -EINVAL, NULL);
        return;
    }
    json_object_set_new(me, "csrf", json_string(csrf));
    set_cookie(header, CK_API_STAFF_COOKIE, call->cookie, -1);
    if (known_value(call, known) == 0) {
        set_cookie(call->also_set, CK_API_KNOWN_COOKIE, known, KNOWN_S);
    }
    ck_api_answer_json(call, 200, me, header);
}

/* The password was right, the code of the second factor was not, or is still to be given. */
static void refuse_code(struct ck_api_call *call, const struct ck_result *result)
{
    const json_t *code = json_object_get(call->body, "code");
    if (json_is_string(code)) {
        /* Only who knows the password comes here, so that this locks nobody out but them. */
        (void)ck_limit_take(call->api->failed_codes, &call->login.staff, sizeof call->login.staff,
                            call->api->options.mono(), NULL);
        count_failure(call);
        ck_api_note_refused(call, "code");
    }
    ck_api_answer_error(call, CK_E_AUTH, &result->refusal);
}

static void on_session_open(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code == CK_E_AUTH) {
        refuse_code(call, result);
        return;
    }
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    ck_api_run(call, query_me, on_me);
}

static void begin_session(struct ck_api_call *call, int64_t staff)
{
    struct ck_api *api = call->api;
    uint8_t token[CK_SHA256_SIZE];
    char hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
    api->options.random(NULL, token, sizeof token);
    ck_base64url_encode(token, sizeof token, call->cookie);
    int error = ck_api_token_hash(call->cookie, call->token_hash);
    ck_wipe(token, sizeof token);
    if (error != 0) {
        ck_api_answer_error(call, error, NULL);
        return;
    }
    ck_hex_encode(call->token_hash, sizeof call->token_hash, hex);
    call->actor.staff_id = staff;
    call->session.staff = staff;
    call->session.created = call->now;
    int64_t expires = call->now.ms + api->options.config->limits.staff_session_ms;
    const char *device = ck_http_request_field(call->request, CK_HTTP_USER_AGENT);
    ck_api_submit(call, "session.open",
                  json_pack("{s:I, s:s, s:I, s:O?, s:s*}", "staff", (json_int_t)staff, "token_hash",
                            hex, "expires", (json_int_t)expires, "code",
                            json_object_get(call->body, "code"), "device", device),
                  on_session_open);
}

/* ---- log-in ---- */

static int query_login(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    (void)out;
    int error =
        ck_login_find(store, json_string_value(json_object_get(call->body, "login")), &call->login);
    return error == CK_E_NOT_FOUND ? 0 : error;
}

struct slow {
    uv_timer_t timer;
    struct ck_api_call *call;
};

static void on_slow_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_slow(uv_timer_t *timer)
{
    struct slow *slow = timer->data;
    ck_api_refuse(slow->call, CK_E_AUTH, "", "log-in or password is wrong");
    uv_close((uv_handle_t *)timer, on_slow_closed);
}

static void refuse_login(struct ck_api_call *call)
{
    struct ck_api *api = call->api;
    const char *login = json_string_value(json_object_get(call->body, "login"));
    count_failure(call);
    ck_api_note_refused(call, "wrong");
    uint8_t account[CK_SHA256_SIZE];
    bool slow_down = account_key(login, account) == 0 &&
                     ck_limit_take(api->failed_accounts, account, sizeof account,
                                   api->options.mono(), NULL) != 0;
    struct slow *slow = slow_down ? calloc(1, sizeof *slow) : NULL;
    if (slow == NULL) {
        ck_api_refuse(call, CK_E_AUTH, "", "log-in or password is wrong");
        return;
    }
    slow->call = call;
    uv_timer_init(api->options.loop, &slow->timer);
    slow->timer.data = slow;
    uv_timer_start(&slow->timer, on_slow, SLOW_MS, 0);
}

static void on_login_verified(struct ck_api_call *call, int code, const char *text)
{
    (void)text;
    if (code < 0) {
        ck_api_answer_error(call, code, NULL);
    } else if (code != 0 || call->login.staff == 0 || call->login.disabled) {
        refuse_login(call);
    } else if (ck_limit_ask(call->api->failed_codes, &call->login.staff, sizeof call->login.staff,
                            call->api->options.mono(), NULL) != 0) {
        ck_api_note_waiting(call, "too_many");
        ck_api_refuse(call, CK_E_LIMIT, "code", "too many wrong codes; try again in some minutes");
    } else {
        begin_session(call, call->login.staff);
    }
}

static void on_login_found(void *cookie, int code, json_t *value)
{
    struct ck_api_call *call = cookie;
    (void)value;
    if (code != 0) {
        ck_api_answer_error(call, code, NULL);
        return;
    }
    const char *plain = json_string_value(json_object_get(call->body, "password"));
    /* An account that does not exist takes as long as one that does. */
    password(call, plain, call->login.staff == 0 ? "" : call->login.password, on_login_verified);
}

void ck_api_login(struct ck_api_call *call)
{
    if (ck_api_text(call, "login", LOGIN_MAX) == NULL ||
        ck_api_text(call, "password", 256) == NULL || must_wait(call)) {
        return;
    }
    ck_api_run(call, query_login, on_login_found);
}

static void on_logged_out(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    char header[COOKIE_HEADER_MAX];
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    set_cookie(header, CK_API_STAFF_COOKIE, "", 0);
    ck_api_answer_json(call, 200, json_object(), header);
}

void ck_api_logout(struct ck_api_call *call)
{
    ck_api_submit(call, "session.close", json_object(), on_logged_out);
}

/* ---- first start ---- */

static int query_setup(struct ck_store *store, void *argument, json_t **out)
{
    (void)argument;
    json_t *staff = NULL;
    int error = ck_query_staff(store, 0, &staff);
    if (error == 0) {
        *out = json_pack("{s:b}", "needed", (int)(json_array_size(staff) == 0));
        json_decref(staff);
    }
    return error;
}

static void on_setup_state(void *cookie, int code, json_t *value)
{
    struct ck_api_call *call = cookie;
    if (code != 0) {
        ck_api_answer_error(call, code, NULL);
    } else {
        ck_api_answer_json(call, 200, value, NULL);
    }
}

void ck_api_setup_state(struct ck_api_call *call)
{
    ck_api_run(call, query_setup, on_setup_state);
}

static void on_first_made(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    call->api->has_setup = false;
    begin_session(call, json_integer_value(json_object_get(result->body, "staff")));
}

static void on_first_hashed(struct ck_api_call *call, int code, const char *text)
{
    if (code != 0) {
        ck_api_answer_error(call, code, NULL);
        return;
    }
    json_t *body = json_deep_copy(call->body);
    json_object_del(body, "password");
    json_object_del(body, "token");
    json_object_set_new(body, "hash", json_string(text));
    ck_api_submit(call, "setup.first", body, on_first_made);
}

static bool good_password(struct ck_api_call *call, const char *name, const char *login)
{
    const char *plain = ck_api_text(call, name, CK_PASSWORD_MAX);
    const char *fault = plain == NULL ? NULL : ck_password_fault(plain, login);
    if (fault != NULL) {
        ck_api_refuse(call, CK_E_INVALID, name, fault);
    }
    return plain != NULL && fault == NULL;
}

void ck_api_setup_first(struct ck_api_call *call)
{
    uint8_t hash[CK_SHA256_SIZE];
    if (ck_api_failing(call, call->api->failed_logins)) {
        return;
    }
    const char *token = ck_api_text(call, "token", 64);
    if (token == NULL) {
        return;
    }
    if (ck_sha256(&(struct ck_slice){token, strlen(token)}, 1, hash) != 0 ||
        !call->api->has_setup || !ck_equal_secret(hash, call->api->setup_hash, sizeof hash)) {
        ck_api_failed(call, call->api->failed_logins);
        ck_api_note_refused(call, "setup_token");
        ck_api_refuse(call, CK_E_DENIED, "token", "is not the one that checkind gave out last");
        return;
    }
    const char *login = ck_api_text(call, "login", 64);
    if (login != NULL && good_password(call, "password", login)) {
        password(call, json_string_value(json_object_get(call->body, "password")), NULL,
                 on_first_hashed);
    }
}

/* ---- passwords of staff ---- */

static void on_staff_made(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    call->object = json_integer_value(json_object_get(result->body, "id"));
    ck_api_answer_query(call);
}

static void on_staff_hashed(struct ck_api_call *call, int code, const char *text)
{
    if (code != 0) {
        ck_api_answer_error(call, code, NULL);
        return;
    }
    json_t *body = json_deep_copy(call->body);
    json_object_del(body, "password");
    json_object_set_new(body, "hash", json_string(text));
    json_object_set_new(body, "must_change", json_true()); /* somebody else chose it */
    ck_api_submit(call, "staff.create", body, on_staff_made);
}

void ck_api_staff_create(struct ck_api_call *call)
{
    const char *login = ck_api_text(call, "login", 64);
    if (login != NULL && good_password(call, "password", login)) {
        password(call, json_string_value(json_object_get(call->body, "password")), NULL,
                 on_staff_hashed);
    }
}

static void on_done(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
    } else {
        ck_api_answer_json(call, 200, json_object(), NULL);
    }
}

static void on_given_hashed(struct ck_api_call *call, int code, const char *text)
{
    if (code != 0) {
        ck_api_answer_error(call, code, NULL);
        return;
    }
    ck_api_submit(
        call, "staff.password",
        json_pack("{s:I, s:s, s:b}", "staff", (json_int_t)call->id, "hash", text, "must_change", 1),
        on_done);
}

void ck_api_staff_password(struct ck_api_call *call)
{
    if (good_password(call, "password", "")) {
        password(call, json_string_value(json_object_get(call->body, "password")), NULL,
                 on_given_hashed);
    }
}

static void on_own_hashed(struct ck_api_call *call, int code, const char *text)
{
    if (code != 0) {
        ck_api_answer_error(call, code, NULL);
        return;
    }
    ck_api_submit(call, "password.changed", json_pack("{s:s}", "hash", text), on_done);
}

static void on_own_verified(struct ck_api_call *call, int code, const char *text)
{
    (void)text;
    if (code < 0) {
        ck_api_answer_error(call, code, NULL);
    } else if (code != 0) {
        ck_api_failed(call, call->api->failed_logins);
        ck_api_note_refused(call, "password");
        ck_api_refuse(call, CK_E_INVALID, "old", "is not the present password");
    } else {
        password(call, json_string_value(json_object_get(call->body, "new")), NULL, on_own_hashed);
    }
}

static int query_own(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    (void)out;
    return ck_login_of_staff(store, call->actor.staff_id, &call->login);
}

static void on_own_found(void *cookie, int code, json_t *value)
{
    struct ck_api_call *call = cookie;
    (void)value;
    if (code != 0) {
        ck_api_answer_error(call, code, NULL);
        return;
    }
    password(call, json_string_value(json_object_get(call->body, "old")), call->login.password,
             on_own_verified);
}

void ck_api_me_password(struct ck_api_call *call)
{
    if (ck_api_failing(call, call->api->failed_logins) ||
        ck_api_text(call, "old", CK_PASSWORD_MAX) == NULL || !good_password(call, "new", "")) {
        return;
    }
    ck_api_run(call, query_own, on_own_found);
}

/* ---- the person's tap ---- */

static int query_self(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    return ck_api_query_person_state(store, call->api->options.config, call->actor.person_id,
                                     call->actor.checkin_id, call->now, out);
}

static void on_self(void *cookie, int code, json_t *state)
{
    struct ck_api_call *call = cookie;
    char header[COOKIE_HEADER_MAX], csrf[CK_API_CSRF_SIZE];
    if (code != 0 || ck_api_csrf(call->cookie, csrf) != 0) {
        json_decref(state);
        ck_api_answer_error(call, code != 0 ? code : -EINVAL, NULL);
        return;
    }
    json_object_set_new(state, "csrf", json_string(csrf));
    if (ck_api_challenge(call->cookie, csrf) == 0) {
        json_object_set_new(state, "challenge", json_string(csrf));
    }
    int64_t seconds = (call->session.expires.ms - call->now.ms) / 1000;
    set_cookie(header, CK_API_PERSON_COOKIE, call->cookie, seconds < 60 ? 60 : seconds);
    ck_api_answer_json(call, 200, state, header);
}

/* Whose link it is, is known although it opens nothing any more: then so is whom to call. */
static int query_phone(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    const char *text = json_string_value(json_object_get(call->body, "token"));
    uint8_t token[CK_SHA256_SIZE], digest[CK_SHA256_SIZE];
    size_t size = 0;
    (void)out;
    int r = text == NULL ? CK_E_NOT_FOUND : ck_base64url_decode(text, token, sizeof token, &size);
    r = r == 0 ? ck_sha256(&(struct ck_slice){token, size}, 1, digest) : r;
    r = r == 0 ? ck_link_phone(store, digest, &call->help_phone) : r;
    return r > 0 ? 0 : r;
}

static void on_phone(void *cookie, int code, json_t *value)
{
    struct ck_api_call *call = cookie;
    (void)value;
    if (code != 0) {
        ck_log_warning("no number for a link that does not open: %s", ck_error_text(code));
    }
    ck_api_answer_error(call, CK_E_CONFLICT, &call->refusal);
}

void ck_api_person_session(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        if (result->code == CK_E_NOT_FOUND || result->code == CK_E_AUTH) {
            /* A right link or key always opens, whatever others try from the same address: a mobile
             * network has one for thousands. */
            if (ck_api_failing(call, call->api->failed_links)) {
                return;
            }
            ck_api_failed(call, call->api->failed_links);
        }
        if (result->code == CK_E_CONFLICT) {
            call->refusal = result->refusal;
            ck_api_run(call, query_phone, on_phone);
            return;
        }
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    const char *token = json_string_value(json_object_get(result->body, "token"));
    const char *expires = json_string_value(json_object_get(result->body, "expires"));
    snprintf(call->cookie, sizeof call->cookie, "%s", token == NULL ? "" : token);
    if (expires == NULL || ck_wall_parse(expires, &call->session.expires) != 0) {
        ck_api_answer_error(call, -EINVAL, NULL);
        return;
    }
    call->actor.person_id = json_integer_value(json_object_get(result->body, "person"));
    call->actor.checkin_id = json_integer_value(json_object_get(result->body, "checkin"));
    ck_api_run(call, query_self, on_self);
}

void ck_api_link(struct ck_api_call *call)
{
    const char *token = ck_api_text(call, "token", 64);
    if (token == NULL) {
        return;
    }
    const char *device = ck_http_request_field(call->request, CK_HTTP_USER_AGENT);
    call->actor.kind =
        CK_ACTOR_GATEWAY; /* who holds the link is not known before it was exchanged */
    ck_api_submit(call, "link.exchange",
                  json_pack("{s:s, s:s*, s:O*}", "token", token, "device", device, "key",
                            json_object_get(call->body, "key")),
                  ck_api_person_session);
}

/* The person calls in: from here on the page's session is bound to that call. */
void ck_api_call_in(struct ck_api_call *call)
{
    ck_api_submit(
        call, "checkin.call_in",
        json_pack("{s:s*}", "device", ck_http_request_field(call->request, CK_HTTP_USER_AGENT)),
        ck_api_person_session);
}

/* ---- facts of the page, where it has no WebSocket ---- */

#define FACTS_MAX 32

void ck_api_facts(struct ck_api_call *call)
{
    const json_t *facts = json_object_get(call->body, "facts");
    if (!json_is_array(facts) || json_array_size(facts) > FACTS_MAX) {
        ck_api_refuse(call, CK_E_INVALID, "facts", "must be a list of at most 32");
        return;
    }
    for (size_t i = 0; i < json_array_size(facts) && call->actor.checkin_id != 0; i++) {
        const json_t *fact = json_array_get(facts, i);
        ck_bus_submit(call->api->options.bus, "checkin.fact", &call->actor,
                      json_pack("{s:I, s:O*, s:O*}", "checkin", (json_int_t)call->actor.checkin_id,
                                "fact", json_object_get(fact, "fact"), "detail",
                                json_object_get(fact, "detail")),
                      NULL, NULL);
    }
    ck_api_answer_json(call, 200, json_object(), NULL);
}
