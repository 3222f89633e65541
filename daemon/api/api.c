#include "daemon/api/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "daemon/audit/destroyed.h"
#include "daemon/config/log.h"
#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "scheduler/checkin.h"

#define FAILURE_WINDOW_MS 900000 /* what [limits] counts failures in */
#define ID_MAX (INT64_C(1) << 53)
#define RETRY_AFTER_S "2"
#define CSRF_LABEL "checkind csrf v1"
#define KNOWN_LABEL "checkind known browser 1"
#define CHALLENGE_LABEL "checkind challenge v1"

/* ---- tokens ---- */

static int cookie_token(const char *cookie, uint8_t token[static 32])
{
    size_t size = 0;
    int error = ck_base64url_decode(cookie, token, 32, &size);
    return error != 0 || size != 32 ? CK_E_SYNTAX : 0;
}

int ck_api_token_hash(const char *cookie, uint8_t hash[static CK_SHA256_SIZE])
{
    uint8_t token[32];
    int error = cookie_token(cookie, token);
    error = error == 0 ? ck_sha256(&(struct ck_slice){token, sizeof token}, 1, hash) : error;
    ck_wipe(token, sizeof token);
    return error;
}

/* A value of the session that only who has its cookie can know, and that does not give it away. */
static int derive(const char *label, size_t label_size, const char *cookie,
                  char text[static CK_API_CSRF_SIZE])
{
    uint8_t token[32], digest[CK_SHA256_SIZE];
    int error = cookie_token(cookie, token);
    struct ck_slice parts[] = {{label, label_size}, {token, sizeof token}};
    error = error == 0 ? ck_sha256(parts, 2, digest) : error;
    if (error == 0) {
        ck_base64url_encode(digest, sizeof digest, text);
    }
    ck_wipe(token, sizeof token);
    return error;
}

int ck_api_csrf(const char *cookie, char csrf[static CK_API_CSRF_SIZE])
{
    return derive(CSRF_LABEL, sizeof CSRF_LABEL, cookie, csrf);
}

int ck_api_challenge(const char *cookie, char challenge[static CK_API_CSRF_SIZE])
{
    return derive(CHALLENGE_LABEL, sizeof CHALLENGE_LABEL, cookie, challenge);
}

/* ---- answers ---- */

void ck_api_finish(struct ck_api_call *call)
{
    json_decref(call->body);
    json_decref(call->sought);
    json_decref(call->value);
    free(call->blob);
    free(call->help_phone);
    ck_wipe(&call->login, sizeof call->login);
    free(call);
}

void ck_api_answer_json(struct ck_api_call *call, unsigned status, json_t *value,
                        const char *set_cookie)
{
    ck_cleanup(ck_freep) char *text =
        value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(value);
    if (text == NULL) {
        status = 503;
        set_cookie = NULL;
    }
    bool retry = status == 429 || status == 503;
    struct ck_http_header headers[] = {
        {retry ? "retry-after" : "set-cookie", retry ? RETRY_AFTER_S : set_cookie},
        {"set-cookie", call->also_set}};
    struct ck_http_answer answer = {
        .status = status,
        .type = "application/json",
        .body = text == NULL ? "{}" : text,
        .size = text == NULL ? 2 : strlen(text),
        .headers = headers,
        .header_count = headers[0].value == NULL             ? 0
                        : retry || call->also_set[0] == '\0' ? 1
                                                             : 2,
    };
    ck_http_answer(call->request, &answer);
    ck_api_finish(call);
}

struct word {
    int code;
    unsigned status;
    const char *word;
};

static struct word error_word(int code)
{
    static const struct word words[] = {
        {CK_E_INVALID, 400, "invalid"},      {CK_E_SYNTAX, 400, "invalid"},
        {CK_E_AUTH, 401, "unauthenticated"}, {CK_E_DENIED, 403, "denied"},
        {CK_E_NOT_FOUND, 404, "not_found"},  {CK_E_CONFLICT, 409, "conflict"},
        {CK_E_LIMIT, 429, "busy"},           {CK_E_BUSY, 503, "unavailable"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].code == code) {
            return words[i];
        }
    }
    return (struct word){code, 503, "unavailable"};
}

/* For a person who cannot come in: whom to call. Who it is may not be known; then it is a number of
 * the house, which tells nothing about anybody. */
static const char *help_of(const struct ck_api_call *call)
{
    static const char *const persons[] = {"self.", "link.", "device."};
    const char *phone =
        call->help_phone == NULL ? call->api->options.config->daemon.help_phone : call->help_phone;
    for (size_t i = 0; call->route != NULL && i < sizeof persons / sizeof persons[0]; i++) {
        if (strncmp(call->route->action, persons[i], strlen(persons[i])) == 0) {
            return *phone == '\0' ? NULL : phone;
        }
    }
    return NULL;
}

void ck_api_answer_error(struct ck_api_call *call, int code, const struct ck_refusal *refusal)
{
    struct word word = error_word(code);
    const char *field = refusal == NULL || refusal->field[0] == '\0' ? NULL : refusal->field;
    const char *text =
        refusal == NULL || refusal->message[0] == '\0' ? ck_error_text(code) : refusal->message;
    if (code < 0) {
        ck_log(CK_LOG_ERROR, "%s failed: %s", call->route == NULL ? "?" : call->route->action,
               ck_error_text(code));
        text = "something of ours failed; nothing was decided";
    }
    ck_api_answer_json(call, word.status,
                       json_pack("{s:{s:s, s:s?, s:s, s:s*}}", "error", "code", word.word, "field",
                                 field, "message", text, "help_phone", help_of(call)),
                       NULL);
}

void ck_api_refuse(struct ck_api_call *call, int code, const char *field, const char *text)
{
    struct ck_refusal refusal;
    ck_refuse(&refusal, code, field, "%s", text);
    ck_api_answer_error(call, code, &refusal);
}

/* ---- commands and queries ---- */

void ck_api_submit(struct ck_api_call *call, const char *command, json_t *body, ck_bus_done *done)
{
    ck_bus_submit(call->api->options.bus, command, &call->actor, body, done, call);
}

void ck_api_run(struct ck_api_call *call, ck_readers_query *query, ck_readers_done *done)
{
    int error = ck_readers_run(call->api->options.readers, query, call, done, call);
    if (error != 0) {
        ck_api_answer_error(call, error, NULL);
    }
}

static void submit_denial(struct ck_api_call *call)
{
    ck_bus_submit(call->api->options.bus, "access.denied", &call->actor,
                  json_pack("{s:s}", "action", call->policy->action), NULL, NULL);
}

int ck_api_refuse_put_back(struct ck_api_call *call, const char *what)
{
    call->put_back = what;
    return ck_refuse(
        &call->refusal, CK_E_CONFLICT, what,
        "its key was destroyed when its time was over; what is there now was put back");
}

int ck_api_check_put_back(struct ck_store *store, struct ck_api_call *call, enum ck_keep keep,
                          int64_t person)
{
    bool put_back = false;
    int r = person == 0 ? 0 : ck_audit_put_back(store, keep, person, &put_back);
    return r == 0 && put_back ? ck_api_refuse_put_back(call, ck_keep_name(keep)) : r;
}

/* The store has a key that the log says was destroyed: an old store, or somebody at it. */
static void note_put_back(struct ck_api_call *call)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "%s.put_back", call->put_back);
    ck_log(CK_LOG_ERROR,
           "%s of %lld: its key was destroyed, as the audit log says, and is there again",
           call->put_back, (long long)call->id);
    ck_bus_submit(call->api->options.bus, "access.denied", &call->actor,
                  json_pack("{s:s}", "action", wanted), NULL, NULL);
}

static int run_query(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    return call->route->query(store, call, out);
}

static void on_query(void *cookie, int code, json_t *value)
{
    struct ck_api_call *call = cookie;
    if (code != 0) {
        if (code == CK_E_DENIED) {
            submit_denial(call);
        }
        if (call->put_back != NULL) {
            note_put_back(call);
        }
        ck_api_answer_error(call, code, call->refusal.message[0] == '\0' ? NULL : &call->refusal);
        return;
    }
    if (call->blob != NULL) {
        struct ck_http_header header = {"content-disposition", call->disposition};
        struct ck_http_answer answer = {.status = 200,
                                        .type = call->blob_type == NULL ? "image/jpeg"
                                                                        : call->blob_type,
                                        .body = call->blob,
                                        .size = call->blob_size,
                                        .cache = "private, no-store",
                                        .headers = &header,
                                        .header_count = call->disposition[0] != '\0'};
        ck_http_answer(call->request, &answer);
        json_decref(value);
        ck_api_finish(call);
        return;
    }
    ck_api_answer_json(call, 200, value == NULL ? json_object() : value, NULL);
}

void ck_api_answer_query(struct ck_api_call *call)
{
    ck_api_run(call, run_query, on_query);
}

static void on_command(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    if (call->route->query == NULL) {
        ck_api_answer_json(
            call, 200, result->body == NULL ? json_object() : json_deep_copy(result->body), NULL);
        return;
    }
    const char *name = call->route->made == NULL ? "id" : call->route->made;
    json_int_t made = json_integer_value(json_object_get(result->body, name));
    call->object = made != 0 ? made : call->id;
    ck_api_answer_query(call);
}

static void run_command(struct ck_api_call *call)
{
    json_t *body = json_deep_copy(call->body);
    if (body != NULL && call->route->inside != NULL) {
        body = json_pack("{s:o}", call->route->inside, body);
    }
    if (body != NULL && call->route->member != NULL) {
        json_object_set_new(body, call->route->member, json_integer(call->id));
    }
    if (body != NULL && call->policy->who == CK_WHO_PERSON && call->actor.checkin_id != 0) {
        json_object_set_new(body, "checkin", json_integer(call->actor.checkin_id));
    }
    ck_api_submit(call, call->route->command, body, on_command);
}

/* ---- reads are written down first ---- */

/* Of a list that was narrowed, what it was narrowed to stands for the object: 63 bits of its
 * digest. */
static int64_t sought_number(const json_t *sought)
{
    ck_cleanup(ck_freep) char *text = json_dumps(sought, JSON_COMPACT | JSON_SORT_KEYS);
    uint8_t digest[CK_SHA256_SIZE] = {0};
    if (text != NULL) {
        (void)ck_sha256(&(struct ck_slice){text, strlen(text)}, 1, digest);
    }
    return (int64_t)(ck_get_u64(digest) >> 1);
}

/* Per object of a kind: a photo of another person is another read, and so is another search. */
static struct ck_noted_read read_of(const struct ck_api_call *call)
{
    return (struct ck_noted_read){.session = call->session.id,
                                  .id =
                                      call->sought == NULL ? call->id : sought_number(call->sought),
                                  .object = call->route->pattern};
}

static bool noted_already(const struct ck_api_call *call)
{
    struct ck_noted_read read = read_of(call);
    /* With a case open that is not theirs, each look is a record. */
    return call->route->noted && call->actor.opened[0] == 0 &&
           ck_noted_has(&call->api->noted, &read, call->now);
}

static void on_read(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    struct ck_noted_read read = read_of(call);
    ck_noted_add(&call->api->noted, &read, ck_wall_add_ms(call->now, CK_API_READ_NOTED_MS));
    ck_api_answer_query(call);
}

/* What a read of a list was narrowed to, as it was asked; where a page begins is no part of it. */
static int take_sought(struct ck_api_call *call)
{
    const struct {
        const char *name, *text;
    } words[] = {{call->text_name, call->text},
                 {call->word_name, call->word},
                 {"from", call->from},
                 {"until", call->until}};
    const struct {
        const char *name;
        int64_t number;
    } numbers[] = {
        {"person", call->person}, {"staff", call->staff}, {"inspector", call->inspector}};
    call->sought = json_object();
    int r = call->sought == NULL ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < sizeof words / sizeof words[0]; i++) {
        if (words[i].text[0] != '\0') {
            r = json_object_set_new(call->sought, words[i].name, json_string(words[i].text));
        }
    }
    for (size_t i = 0; r == 0 && i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].number != 0) {
            r = json_object_set_new(call->sought, numbers[i].name, json_integer(numbers[i].number));
        }
    }
    if (r == 0 && json_object_size(call->sought) == 0) {
        json_decref(call->sought);
        call->sought = NULL;
    }
    return r == 0 ? 0 : -ENOMEM;
}

static void run_read(struct ck_api_call *call)
{
    call->object = call->id;
    int error = call->route->read != NULL && call->id == 0 ? take_sought(call) : 0;
    if (error != 0) {
        ck_api_answer_error(call, error, NULL);
        return;
    }
    if (call->route->query == ck_api_system) { /* the loop's own part of the answer */
        call->value = call->api->options.system(call->api->options.user);
    }
    if (call->route->read == NULL || noted_already(call)) {
        ck_api_answer_query(call);
        return;
    }
    json_t *body = json_pack("{s:s}", "object", call->route->read);
    if (body != NULL && call->id != 0) {
        json_object_set_new(body, "id", json_integer(call->id));
    }
    if (body != NULL && call->sought != NULL) {
        json_object_set(body, "sought", call->sought);
    }
    ck_api_submit(call, "read", body, on_read);
}

/* ---- a request on its way ---- */

static int read_body(struct ck_api_call *call, struct ck_refusal *refusal)
{
    const char *type = ck_http_request_field(call->request, CK_HTTP_CONTENT_TYPE);
    if (type == NULL || strncmp(type, "application/json", 16) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, "", "Content-Type must be application/json");
    }
    size_t size = 0;
    const char *text = ck_http_request_body(call->request, &size);
    json_error_t where;
    call->body = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(call->body)) {
        return ck_refuse(refusal, CK_E_INVALID, "", "line %d, column %d: %s", where.line,
                         where.column, call->body == NULL ? where.text : "must be a JSON object");
    }
    return 0;
}

static void go(struct ck_api_call *call)
{
    bool json_body = ck_http_request_method(call->request) == CK_HTTP_POST &&
                     call->route->custom != ck_api_photo_store &&
                     call->route->custom != ck_api_receipt_sms &&
                     call->route->custom != ck_api_receipt_voice;
    struct ck_refusal refusal;
    int error = json_body ? read_body(call, &refusal) : 0;
    if (error != 0) {
        ck_api_answer_error(call, error, &refusal);
    } else if (call->route->custom != NULL) {
        call->route->custom(call);
    } else if (call->route->command != NULL) {
        run_command(call);
    } else {
        run_read(call);
    }
}

static bool csrf_right(struct ck_api_call *call)
{
    const char *given = ck_http_request_field(call->request, CK_HTTP_CSRF);
    char csrf[CK_API_CSRF_SIZE];
    return given != NULL && ck_api_csrf(call->cookie, csrf) == 0 && strlen(given) == strlen(csrf) &&
           ck_equal_secret(given, csrf, strlen(csrf));
}

static int64_t later(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

static int64_t sooner(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

void ck_api_keep(struct ck_bus *bus, const struct ck_config *config, struct ck_session *session,
                 const struct ck_actor *actor, struct ck_wall now, bool in_call)
{
    int64_t idle_ms = config->limits.staff_session_ms;
    int64_t longest = session->created.ms + config->limits.staff_session_max_ms;
    int64_t until = sooner(now.ms + idle_ms, longest);
    bool ends_soon = in_call && session->expires.ms - now.ms < CK_API_CALL_GRACE_MS;
    if (in_call) { /* CK_CALL_MAX_MS is a second bound, should a call not end */
        until = later(until, sooner(now.ms + CK_API_CALL_GRACE_MS,
                                    longest + CK_CALL_MAX_MS + CK_API_CALL_GRACE_MS));
    }
    if (session->staff == 0 || until <= session->expires.ms ||
        (now.ms - session->seen.ms < sooner(CK_API_TOUCH_MS, idle_ms / 4) && !ends_soon)) {
        return;
    }
    session->seen = now;
    session->expires.ms = until;
    ck_bus_submit(bus, "session.touch", actor, json_pack("{s:I}", "expires", (json_int_t)until),
                  NULL, NULL);
}

const char *ck_api_first(const struct ck_config *config, const struct ck_session *session)
{
    if (session->staff == 0) {
        return NULL;
    }
    return session->must_change ? "password"
           : !session->second_factor && config->access.second_factor == CK_SECOND_FACTOR_REQUIRED
               ? "second_factor"
               : NULL;
}

/* What has to be done before this request, or NULL. */
static const char *something_first(const struct ck_api_call *call)
{
    return strncmp(call->policy->action, "me.", 3) == 0 ||
                   strncmp(call->policy->action, "session.", 8) == 0
               ? NULL
               : ck_api_first(call->api->options.config, &call->session);
}

static void deny(struct ck_api_call *call, const char *field, const char *text)
{
    submit_denial(call);
    ck_api_refuse(call, CK_E_DENIED, field, text);
}

static void authorise(struct ck_api_call *call)
{
    int error = ck_policy_check(call->policy, call->has_session ? &call->actor : NULL);
    const char *first = something_first(call);
    if (error == CK_E_DENIED) {
        deny(call, "", "your role does not include this");
    } else if (error != 0) {
        ck_api_refuse(call, error, "", "a session is needed");
    } else if (call->policy->who == CK_WHO_ANYBODY) {
        go(call);
    } else if (first != NULL) {
        deny(call, first, "must be set first");
    } else if (ck_http_request_method(call->request) == CK_HTTP_POST && !csrf_right(call)) {
        deny(call, "X-CSRF-Token", "is missing or not that of this session");
    } else {
        call->actor.roles = ck_policy_roles(call->policy, &call->actor);
        if (ck_http_request_method(call->request) == CK_HTTP_POST) {
            ck_api_keep(call->api->options.bus, call->api->options.config, &call->session,
                        &call->actor, call->now, false);
        }
        go(call);
    }
}

static int query_session(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    (void)out;
    int error = ck_session_find(store, call->token_hash, call->now, &call->session);
    call->has_session = error == 0;
    return error == CK_E_NOT_FOUND ? 0 : error;
}

static void on_session(void *cookie, int code, json_t *value)
{
    struct ck_api_call *call = cookie;
    (void)value;
    if (code != 0) {
        ck_api_answer_error(call, code, NULL);
        return;
    }
    const struct ck_session *session = &call->session;
    if (call->has_session) {
        call->actor.kind = session->staff != 0 ? CK_ACTOR_STAFF : CK_ACTOR_PERSON;
        call->actor.roles = (unsigned)session->roles;
        call->actor.staff_id = session->staff;
        call->actor.person_id = session->person;
        call->actor.unit_id = session->unit;
        call->actor.session_id = session->id;
        call->actor.checkin_id = session->checkin;
        memcpy(call->actor.covers, session->covers, sizeof call->actor.covers);
        memcpy(call->actor.opened, session->opened, sizeof call->actor.opened);
    }
    authorise(call);
}

/* ---- routing ---- */

/* Whether the path has the pattern's form; *id is what stands for {id}. */
static bool path_matches(const char *pattern, const char *path, int64_t *id)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '{') {
            if (*pattern != *path++) {
                return false;
            }
            continue;
        }
        pattern = strchr(pattern, '}');
        int64_t number = 0;
        size_t digits = 0;
        for (; *path >= '0' && *path <= '9' && digits < 16; path++, digits++) {
            number = number * 10 + (*path - '0');
        }
        if (digits == 0 || number > ID_MAX) {
            return false;
        }
        *id = number;
    }
    return *path == '\0';
}

static const struct ck_api_route *find_route(enum ck_http_method method, const char *path,
                                             int64_t *id, bool *other_method)
{
    for (size_t i = 0; i < ck_api_route_count; i++) {
        int64_t found = 0;
        if (path_matches(ck_api_routes[i].pattern, path, &found)) {
            if (ck_api_routes[i].method == method) {
                *id = found;
                return &ck_api_routes[i];
            }
            *other_method = true;
        }
    }
    return NULL;
}

static int read_number(struct ck_api_call *call, const char *name, int64_t *number)
{
    char text[24];
    int error = ck_http_request_query(call->request, name, text, sizeof text);
    if (error == CK_E_NOT_FOUND || (error == 0 && text[0] == '\0')) {
        return 0;
    }
    char *end = NULL;
    errno = 0;
    long long value = error == 0 ? strtoll(text, &end, 10) : -1;
    if (error != 0 || errno != 0 || *end != '\0' || value < 0 || value > ID_MAX) {
        return ck_refuse(&call->refusal, CK_E_INVALID, name, "must be a number");
    }
    *number = value;
    return 0;
}

static int read_word(struct ck_api_call *call, const char *name, char *text, size_t size)
{
    int error = ck_http_request_query(call->request, name, text, size);
    if (error == CK_E_NOT_FOUND) {
        text[0] = '\0';
        return 0;
    }
    return error == 0 ? 0 : ck_refuse(&call->refusal, CK_E_INVALID, name, "is too long or no text");
}

static int read_query_members(struct ck_api_call *call)
{
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {{"before", &call->before},       {"after", &call->after},
                   {"person", &call->person},       {"staff", &call->staff},
                   {"inspector", &call->inspector}, {"weeks", &call->weeks}};
    call->after = -1;
    int error = 0;
    for (size_t i = 0; error == 0 && i < sizeof numbers / sizeof numbers[0]; i++) {
        error = read_number(call, numbers[i].name, numbers[i].number);
    }
    const char *text =
        call->route->custom == ck_api_play_recording || call->route->custom == ck_api_bundle_fetch
            ? "view"
        : strcmp(call->route->action, "retention.read") == 0 ? "class"
                                                             : "q";
    call->text_name = text;
    error = error == 0 ? read_word(call, text, call->text, sizeof call->text) : error;
    const char *word = strcmp(call->route->action, "log.list") == 0 ? "action" : "state";
    call->word_name = word;
    error = error == 0 ? read_word(call, word, call->word, sizeof call->word) : error;
    error = error == 0 ? read_word(call, "from", call->from, sizeof call->from) : error;
    return error == 0 ? read_word(call, "until", call->until, sizeof call->until) : error;
}

static void answer_plain_error(struct ck_http_request *request, unsigned status, const char *code,
                               const char *text)
{
    char body[256];
    int size =
        snprintf(body, sizeof body,
                 "{\"error\":{\"code\":\"%s\",\"field\":null,\"message\":\"%s\"}}", code, text);
    struct ck_http_answer answer = {
        .status = status, .type = "application/json", .body = body, .size = (size_t)size};
    ck_http_answer(request, &answer);
}

static void start_call(struct ck_api *api, struct ck_http_request *request,
                       const struct ck_api_route *route, int64_t id)
{
    struct ck_api_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        answer_plain_error(request, 503, "unavailable", "out of memory");
        return;
    }
    call->api = api;
    call->request = request;
    call->route = route;
    call->policy = ck_policy_find(route->action);
    call->id = id;
    call->now = api->options.now();
    call->actor.kind = CK_ACTOR_SYSTEM;
    snprintf(call->actor.peer, sizeof call->actor.peer, "%s", ck_http_request_address(request));
    int error = read_query_members(call);
    if (error != 0) {
        ck_api_answer_error(call, error, &call->refusal);
        return;
    }
    const char *cookie =
        call->policy->who == CK_WHO_PERSON ? CK_API_PERSON_COOKIE : CK_API_STAFF_COOKIE;
    bool has_cookie = call->policy->who != CK_WHO_ANYBODY &&
                      ck_http_request_cookie(request, cookie, call->cookie, COOKIE_MAX) == 0 &&
                      ck_api_token_hash(call->cookie, call->token_hash) == 0;
    if (has_cookie) {
        ck_api_run(call, query_session, on_session);
    } else {
        authorise(call);
    }
}

void ck_api_request(void *context, struct ck_http_request *request)
{
    struct ck_api *api = context;
    const char *path = ck_http_request_path(request);
    enum ck_http_method method = ck_http_request_method(request);
    if (method == CK_HTTP_GET && strcmp(path, "/healthz") == 0) {
        struct ck_http_answer answer = {
            .status = 200, .type = "text/plain", .body = "ok\n", .size = 3};
        ck_http_answer(request, &answer);
        return;
    }
    int64_t id = 0;
    bool other_method = false;
    const struct ck_api_route *route = find_route(method, path, &id, &other_method);
    if (route != NULL) {
        start_call(api, request, route, id);
    } else if (method == CK_HTTP_GET && ck_pages_serve(api->options.pages, request)) {
        return;
    } else if (other_method) {
        answer_plain_error(request, 405, "invalid", "this method is not for this path");
    } else {
        answer_plain_error(request, 404, "not_found", "there is nothing here");
    }
}

size_t ck_api_body_limit(void *context, const char *path)
{
    (void)context;
    int64_t id = 0;
    bool other = false;
    const struct ck_api_route *route = find_route(CK_HTTP_POST, path, &id, &other);
    /* What is no route is read all the same, so that it hears that it is none. */
    return route == NULL                         ? CK_API_BODY_MAX
           : route->custom == ck_api_photo_store ? CK_API_PHOTO_MAX
           : route->file                         ? CK_API_FILE_BODY_MAX
                                                 : CK_API_BODY_MAX;
}

/* ---- small services for the handlers ---- */

const char *ck_api_text(struct ck_api_call *call, const char *name, size_t max)
{
    const json_t *value = json_object_get(call->body, name);
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0' || strlen(text) != json_string_length(value) ||
        strlen(text) > max) {
        ck_api_refuse(call, CK_E_INVALID, name, "must be a text and not too long");
        return NULL;
    }
    return text;
}

/* Whom failures are counted for: an IPv4 address, or the /64 of an IPv6 one. */
static size_t failure_key(const struct ck_api_call *call, struct in6_addr *key)
{
    memset(key, 0, sizeof *key);
    if (uv_inet_pton(AF_INET, call->actor.peer, key) == 0) {
        return 4;
    }
    (void)uv_inet_pton(AF_INET6, call->actor.peer, key); /* what is neither shares one place */
    return 8;
}

void ck_api_note_refused(struct ck_api_call *call, const char *why)
{
    const char *login = json_string_value(json_object_get(call->body, "login"));
    ck_bus_submit(call->api->options.bus, "session.refused", &call->actor,
                  json_pack("{s:s, s:s}", "login",
                            login == NULL || strlen(login) > 128 ? "" : login, "why", why),
                  NULL, NULL);
}

void ck_api_note_waiting(struct ck_api_call *call, const char *why)
{
    struct in6_addr key;
    size_t size = failure_key(call, &key);
    if (ck_limit_take(call->api->told, &key, size, call->api->options.mono(), NULL) == 0) {
        ck_api_note_refused(call, why);
    }
}

bool ck_api_failing(struct ck_api_call *call, const struct ck_limit *failed)
{
    int64_t wait_ms = 0;
    struct in6_addr key;
    size_t size = failure_key(call, &key);
    if (ck_limit_ask(failed, &key, size, call->api->options.mono(), &wait_ms) == 0) {
        return false;
    }
    ck_api_note_waiting(call, failed == call->api->failed_links ? "too_many_links" : "too_many");
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%lld", (long long)(wait_ms / 1000 + 1));
    struct ck_http_header header = {"retry-after", seconds};
    static const char body[] =
        "{\"error\":{\"code\":\"busy\",\"field\":null,\"message\":\"too many failures from this "
        "address\"}}";
    struct ck_http_answer answer = {.status = 429,
                                    .type = "application/json",
                                    .body = body,
                                    .size = sizeof body - 1,
                                    .headers = &header,
                                    .header_count = 1};
    ck_http_answer(call->request, &answer);
    ck_api_finish(call);
    return true;
}

void ck_api_failed(struct ck_api_call *call, struct ck_limit *failed)
{
    struct in6_addr key;
    size_t size = failure_key(call, &key);
    /* That the bucket is empty is asked before the next try. */
    (void)ck_limit_take(failed, &key, size, call->api->options.mono(), NULL);
}

/* ---- life ---- */

static int make_limit(struct ck_api *api, int64_t most, struct ck_limit **limit)
{
    uint64_t seed = 0;
    unsigned burst = most < 1 ? 1 : (unsigned)most;
    api->options.random(NULL, &seed, sizeof seed);
    return ck_limit_create(FAILURES_KEYS_MAX, burst, FAILURE_WINDOW_MS / burst, seed, limit);
}

int ck_api_create(const struct ck_api_options *options, struct ck_api **out)
{
    for (size_t i = 0; i < ck_api_route_count; i++) {
        if (ck_policy_find(ck_api_routes[i].action) == NULL) {
            ck_log(CK_LOG_ERROR, "route %s has no policy", ck_api_routes[i].pattern);
            abort();
        }
    }
    struct ck_api *api = calloc(1, sizeof *api);
    if (api == NULL) {
        return -ENOMEM;
    }
    api->options = *options;
    api->passwords_end = &api->passwords;
    options->random(NULL, api->challenge_key, sizeof api->challenge_key);
    api->recording_dir = strdup(options->recording_dir);
    const struct ck_config *config = options->config;
    if (api->recording_dir == NULL ||
        make_limit(api, config->limits.logins_per_address, &api->failed_logins) != 0 ||
        make_limit(api, config->limits.links_per_address, &api->failed_links) != 0 ||
        make_limit(api, config->limits.logins_per_account, &api->failed_accounts) != 0 ||
        make_limit(api, config->limits.logins_per_account, &api->failed_codes) != 0 ||
        make_limit(api, config->limits.logins_per_account, &api->failed_known) != 0 ||
        make_limit(api, 1, &api->told) != 0 ||
        ck_hkdf(options->master_key, CK_KEY_SIZE, KNOWN_LABEL, sizeof KNOWN_LABEL - 1, KNOWN_LABEL,
                api->known_key, sizeof api->known_key) != 0) {
        ck_api_destroy(api);
        return -ENOMEM;
    }
    *out = api;
    return 0;
}

void ck_api_destroy(struct ck_api *api)
{
    if (api == NULL) {
        return;
    }
    ck_limit_destroy(api->failed_logins);
    ck_limit_destroy(api->failed_links);
    ck_limit_destroy(api->failed_accounts);
    ck_api_bundles_close(api);
    ck_limit_destroy(api->failed_codes);
    ck_limit_destroy(api->failed_known);
    ck_limit_destroy(api->told);
    ck_wipe(api->known_key, sizeof api->known_key);
    free(api->recording_dir);
    free(api);
}

void ck_api_setup_token(struct ck_api *api, char token[static CK_API_SETUP_TOKEN_SIZE])
{
    uint8_t bytes[16];
    api->options.random(NULL, bytes, sizeof bytes);
    ck_hex_encode(bytes, sizeof bytes, token);
    api->has_setup =
        ck_sha256(&(struct ck_slice){token, CK_API_SETUP_TOKEN_SIZE - 1}, 1, api->setup_hash) == 0;
}
