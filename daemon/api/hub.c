#include "daemon/api/hub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/access/policy.h"
#include "daemon/api/api.h"
#include "daemon/config/log.h"
#include "daemon/http/limit.h"
#include "daemon/store/message.h"
#include "daemon/store/query_checkin.h"
#include "daemon/store/session.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define COOKIE_MAX 64
#define ACTORS_MAX 4096 /* remembered; beyond: the one that was silent longest goes */
#define ALL_MESSAGES ((INT64_C(1) << 53) - 1)

struct ck_hub_page {
    struct ck_hub *hub;
    struct ck_hub_page *next;
    struct ck_http_socket *socket; /* NULL once it is gone */
    enum ck_client_side side;
    struct ck_actor actor;
    char cookie[COOKIE_MAX];
    uint8_t token_hash[CK_SHA256_SIZE];
    struct ck_session session; /* what the last look-up found */
    bool found;
    bool started;     /* authorised and greeted */
    bool rechecked;   /* its session is being looked up again */
    unsigned queries; /* under way: the memory must wait for them */
    unsigned errors, messages;
    uint64_t window_ms; /* since when `messages` counts */
    uint64_t today_ms;  /* last `today` */
    bool today_waits;
};

struct ck_hub {
    struct ck_hub_options options;
    struct ck_hub_page *first;
    struct ck_limit *by_actor; /* messages, of whoever sends them over however many sockets */
    uv_timer_t timer;
    uint64_t ticks;
    struct ck_wall store_fails_since; /* 0: it can be written */
};

enum ck_client_side ck_hub_page_side(const struct ck_hub_page *page)
{
    return page->side;
}

const struct ck_actor *ck_hub_page_actor(const struct ck_hub_page *page)
{
    return &page->actor;
}

/* ---- sending ---- */

static void send_text(struct ck_hub_page *page, const char *text)
{
    if (page->socket != NULL && page->started) {
        ck_http_socket_send(page->socket, text, strlen(text));
    }
}

void ck_hub_send(struct ck_hub_page *page, json_t *message)
{
    ck_cleanup(ck_freep) char *text = message == NULL ? NULL : json_dumps(message, JSON_COMPACT);
    json_decref(message);
    if (text == NULL) {
        ck_log(CK_LOG_ERROR, "no memory for a message to a page");
        return;
    }
    send_text(page, text);
}

/* Sends to all pages that `chosen` picks. */
static unsigned send_to(struct ck_hub *hub, json_t *message,
                        bool (*chosen)(const struct ck_hub_page *, int64_t, unsigned), int64_t id,
                        unsigned roles)
{
    ck_cleanup(ck_freep) char *text = message == NULL ? NULL : json_dumps(message, JSON_COMPACT);
    json_decref(message);
    unsigned count = 0;
    for (struct ck_hub_page *page = hub->first; text != NULL && page != NULL; page = page->next) {
        if (page->socket != NULL && page->started && chosen(page, id, roles)) {
            send_text(page, text);
            count++;
        }
    }
    return count;
}

static bool of_person(const struct ck_hub_page *page, int64_t person, unsigned roles)
{
    (void)roles;
    return page->actor.person_id == person && person != 0;
}

static bool of_staff(const struct ck_hub_page *page, int64_t staff, unsigned roles)
{
    (void)roles;
    return page->actor.staff_id == staff && staff != 0;
}

/* Who is no inspector (any more) hears nothing of a case, whoever's it is. */
static bool of_caseload(const struct ck_hub_page *page, int64_t inspector, unsigned roles)
{
    if ((page->actor.roles & CK_ROLE_INSPECTOR) == 0) {
        return false;
    }
    bool mine = of_staff(page, inspector, roles);
    for (size_t i = 0; !mine && inspector != 0 && i < CK_COVERS_MAX; i++) {
        mine = page->actor.covers[i] == inspector;
    }
    return mine;
}

static bool of_unit(const struct ck_hub_page *page, int64_t unit, unsigned roles)
{
    return page->side == CK_CLIENT_CONSOLE && page->actor.unit_id == unit &&
           (page->actor.roles & roles) != 0;
}

unsigned ck_hub_to_person(struct ck_hub *hub, int64_t person, json_t *message)
{
    return send_to(hub, message, of_person, person, 0);
}

unsigned ck_hub_to_staff(struct ck_hub *hub, int64_t staff, json_t *message)
{
    return send_to(hub, message, of_staff, staff, 0);
}

unsigned ck_hub_to_caseload(struct ck_hub *hub, int64_t inspector, json_t *message)
{
    return send_to(hub, message, of_caseload, inspector, 0);
}

unsigned ck_hub_to_unit(struct ck_hub *hub, int64_t unit, unsigned roles, json_t *message)
{
    return send_to(hub, message, of_unit, unit, roles);
}

static void submit_delivered(struct ck_hub_page *page, int64_t person, int64_t up_to)
{
    json_t *body = json_pack("{s:I}", "up_to", (json_int_t)up_to);
    if (body != NULL && page->side == CK_CLIENT_CONSOLE) {
        json_object_set_new(body, "person", json_integer(person));
    }
    ck_bus_submit(page->hub->options.bus, "message.delivered", &page->actor, body, NULL, NULL);
}

void ck_hub_thread(struct ck_hub *hub, int64_t person, int64_t inspector, const json_t *message)
{
    const char *from = json_string_value(json_object_get(message, "from"));
    int64_t id = json_integer_value(json_object_get(message, "id"));
    bool to_staff = from != NULL && strcmp(from, "person") == 0;
    ck_hub_to_person(hub, person, ck_client_chat(0, json_deep_copy(message)));
    ck_hub_to_caseload(hub, inspector, ck_client_chat(person, json_deep_copy(message)));
    for (struct ck_hub_page *page = hub->first; page != NULL; page = page->next) {
        bool other = to_staff ? of_caseload(page, inspector, 0) : of_person(page, person, 0);
        if (page->socket != NULL && page->started && other) {
            submit_delivered(page, person, id);
            break;
        }
    }
}

static void send_today(struct ck_hub_page *page, uint64_t now_ms)
{
    page->today_waits = false;
    page->today_ms = now_ms;
    ck_hub_send(page, ck_client_today());
}

void ck_hub_today(struct ck_hub *hub, int64_t unit)
{
    uint64_t now_ms = uv_now(hub->options.loop);
    for (struct ck_hub_page *page = hub->first; page != NULL; page = page->next) {
        if (page->side != CK_CLIENT_CONSOLE || page->actor.unit_id != unit) {
            continue;
        }
        if (now_ms - page->today_ms >= CK_HUB_TODAY_MS) {
            send_today(page, now_ms);
        } else {
            page->today_waits = true;
        }
    }
}

static bool of_console(const struct ck_hub_page *page, int64_t id, unsigned roles)
{
    (void)id, (void)roles;
    return page->side == CK_CLIENT_CONSOLE;
}

void ck_hub_store(struct ck_hub *hub, struct ck_wall from, int64_t lasted_ms)
{
    hub->store_fails_since = lasted_ms == 0 ? from : (struct ck_wall){0};
    send_to(hub, ck_client_store(from, lasted_ms), of_console, 0, 0);
}

/* ---- life of a page ---- */

static void maybe_free(struct ck_hub_page *page)
{
    if (page->socket != NULL || page->queries > 0) {
        return;
    }
    for (struct ck_hub_page **at = &page->hub->first; *at != NULL; at = &(*at)->next) {
        if (*at == page) {
            *at = page->next;
            break;
        }
    }
    ck_wipe(page->cookie, sizeof page->cookie);
    free(page);
}

static void close_page(struct ck_hub_page *page, unsigned code, const char *reason)
{
    if (page->socket != NULL) {
        ck_http_socket_close(page->socket, code, reason);
    }
}

static bool run(struct ck_hub_page *page, ck_readers_query *query, ck_readers_done *done)
{
    int error = ck_readers_run(page->hub->options.readers, query, page, done, page);
    if (error != 0) {
        close_page(page, CK_HTTP_CLOSE_OVERLOAD, "try again in a moment");
        return false;
    }
    page->queries++;
    return true;
}

/* ---- hello ---- */

static int query_hello(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_hub_page *page = argument;
    struct ck_wall now = page->hub->options.now();
    return page->side == CK_CLIENT_PERSON
               ? ck_api_query_person_state(store, page->hub->options.config, page->actor.person_id,
                                           page->actor.checkin_id, now, out)
               : ck_api_query_me(store, page->hub->options.config, &page->session, now, out);
}

/* A console that comes late, or again: who waits already rings, and what was written in the
 * meantime has arrived now. {waiting, undelivered}. */
static int query_missed(struct ck_store *store, void *argument, json_t **out)
{
    const struct ck_hub_page *page = argument;
    struct ck_scope scope = {.inspector = page->actor.staff_id};
    json_t *waiting = NULL, *undelivered = NULL;
    int r = ck_query_waiting(store, &scope, &waiting);
    r = r == 0 ? ck_query_undelivered(store, page->actor.staff_id, &undelivered) : r;
    if (r == 0) {
        *out = json_pack("{s:O, s:O}", "waiting", waiting, "undelivered", undelivered);
        r = *out == NULL ? -ENOMEM : 0;
    }
    json_decref(waiting);
    json_decref(undelivered);
    return r;
}

static void on_missed(void *cookie, int code, json_t *missed)
{
    struct ck_hub_page *page = cookie;
    size_t index;
    json_t *row;
    page->queries--;
    if (code != 0) {
        ck_log(CK_LOG_ERROR, "a console does not hear what it missed: %s", ck_error_text(code));
    } else if (page->socket != NULL) {
        json_array_foreach(json_object_get(missed, "waiting"), index, row)
        {
            ck_hub_send(page, ck_client_ring(json_incref(row)));
        }
        json_array_foreach(json_object_get(missed, "undelivered"), index, row)
        {
            submit_delivered(page, json_integer_value(json_object_get(row, "person")),
                             json_integer_value(json_object_get(row, "up_to")));
        }
    }
    json_decref(missed);
    maybe_free(page);
}

static void on_hello(void *cookie, int code, json_t *value)
{
    struct ck_hub_page *page = cookie;
    const struct ck_hub_calls *calls = &page->hub->options.calls;
    char csrf[CK_API_CSRF_SIZE];
    page->queries--;
    if (code == 0 && page->socket != NULL && ck_api_csrf(page->cookie, csrf) == 0) {
        json_object_set_new(value, "csrf", json_string(csrf));
        if (page->side == CK_CLIENT_PERSON && ck_api_challenge(page->cookie, csrf) == 0) {
            json_object_set_new(value, "challenge", json_string(csrf));
        }
        bool first = !page->started;
        page->started = true;
        json_t *ice = calls->ice_servers(calls->user, &page->actor);
        ck_hub_send(page, page->side == CK_CLIENT_PERSON
                              ? ck_client_person_hello(value, ice, calls->relay_only)
                              : ck_client_console_hello(value, ice, calls->relay_only));
        if (first) {
            ck_http_socket_start(page->socket);
        }
        if (page->side == CK_CLIENT_CONSOLE && page->hub->store_fails_since.ms != 0) {
            ck_hub_send(page, ck_client_store(page->hub->store_fails_since, 0));
        }
        if (first && (page->actor.roles & CK_ROLE_INSPECTOR) != 0) {
            run(page, query_missed, on_missed);
        }
    } else {
        json_decref(value);
        if (page->socket != NULL) {
            ck_log(CK_LOG_ERROR, "no hello for a page: %s", ck_error_text(code));
            close_page(page, CK_HTTP_CLOSE_OVERLOAD, "try again in a moment");
        }
    }
    maybe_free(page);
}

void ck_hub_refresh_person(struct ck_hub *hub, int64_t person)
{
    for (struct ck_hub_page *page = hub->first; page != NULL; page = page->next) {
        if (page->socket != NULL && page->started && of_person(page, person, 0)) {
            run(page, query_hello, on_hello);
        }
    }
}

/* ---- session ---- */

static int query_session(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_hub_page *page = argument;
    (void)out;
    int error = ck_session_find(store, page->token_hash, page->hub->options.now(), &page->session);
    page->found = error == 0;
    return error == CK_E_NOT_FOUND ? 0 : error;
}

static unsigned pages_of_session(const struct ck_hub *hub, int64_t session)
{
    unsigned count = 0;
    for (const struct ck_hub_page *page = hub->first; page != NULL; page = page->next) {
        count += page->socket != NULL && page->actor.session_id == session;
    }
    return count;
}

static bool right_side(const struct ck_hub_page *page)
{
    if (ck_api_first(page->hub->options.config, &page->session) != NULL) {
        return false;
    }
    const char *action = page->side == CK_CLIENT_PERSON ? "self.connect" : "console.connect";
    return ck_policy_check(ck_policy_find(action), &page->actor) == 0;
}

int ck_hub_page_challenge(const struct ck_hub_page *page, char challenge[static 44])
{
    return ck_api_challenge(page->cookie, challenge);
}

/* What was written to the person while they were away has arrived now. */
static void mark_delivered(struct ck_hub_page *page)
{
    if (page->side == CK_CLIENT_PERSON) {
        submit_delivered(page, page->actor.person_id, ALL_MESSAGES);
    }
}

static void on_session(void *cookie, int code, json_t *value)
{
    struct ck_hub_page *page = cookie;
    (void)value;
    page->queries--;
    const struct ck_session *session = &page->session;
    if (code != 0) {
        close_page(page, CK_HTTP_CLOSE_OVERLOAD, "try again in a moment");
    } else if (page->socket != NULL) {
        page->actor.kind = session->staff != 0 ? CK_ACTOR_STAFF : CK_ACTOR_PERSON;
        page->actor.roles = (unsigned)session->roles;
        page->actor.staff_id = session->staff;
        page->actor.person_id = session->person;
        page->actor.unit_id = session->unit;
        page->actor.checkin_id = session->checkin;
        memcpy(page->actor.covers, session->covers, sizeof page->actor.covers);
        if (!page->found || !right_side(page)) {
            close_page(page, CK_HTTP_CLOSE_UNAUTHENTICATED, "no session");
        } else if (pages_of_session(page->hub, session->id) >= CK_HUB_SOCKETS_PER_SESSION) {
            close_page(page, CK_HTTP_CLOSE_POLICY, "too many pages");
        } else {
            page->actor.session_id = session->id;
            mark_delivered(page);
            run(page, query_hello, on_hello);
        }
    }
    maybe_free(page);
}

/* Credentials of relays end; a page may be open for longer. */
static void send_ice(struct ck_hub_page *page)
{
    const struct ck_hub_calls *calls = &page->hub->options.calls;
    json_t *ice = calls->ice_servers(calls->user, &page->actor);
    if (json_array_size(ice) > 0) {
        ck_hub_send(page, ck_client_ice(ice, calls->relay_only));
    } else {
        json_decref(ice);
    }
}

static bool in_call(const struct ck_hub_page *page)
{
    const struct ck_hub_calls *calls = &page->hub->options.calls;
    return page->side == CK_CLIENT_CONSOLE && calls->in_call != NULL &&
           calls->in_call(calls->user, page->actor.session_id);
}

static void keep(struct ck_hub_page *page, bool call)
{
    const struct ck_hub_options *options = &page->hub->options;
    ck_api_keep(options->bus, options->config, &page->session, &page->actor, options->now(), call);
}

static void on_recheck(void *cookie, int code, json_t *value)
{
    struct ck_hub_page *page = cookie;
    (void)value;
    page->queries--;
    page->rechecked = false;
    if (code == 0 && !page->found) {
        close_page(page, CK_HTTP_CLOSE_UNAUTHENTICATED, "the session has ended");
    } else if (code == 0) { /* an account may have been given other roles, or another unit */
        page->actor.roles = (unsigned)page->session.roles;
        page->actor.unit_id = page->session.unit;
        memcpy(page->actor.covers, page->session.covers, sizeof page->actor.covers);
        if (page->socket != NULL) {
            send_ice(page);
        }
        if (in_call(page)) {
            keep(page, true);
        }
    }
    maybe_free(page);
}

void ck_hub_end_session(struct ck_hub *hub, int64_t session)
{
    for (struct ck_hub_page *page = hub->first; page != NULL; page = page->next) {
        if (page->actor.session_id == session && session != 0) {
            close_page(page, CK_HTTP_CLOSE_UNAUTHENTICATED, "the session has ended");
        }
    }
}

void ck_hub_open(struct ck_hub *hub, enum ck_client_side side, struct ck_http_socket *socket)
{
    struct ck_hub_page *page = calloc(1, sizeof *page);
    if (page == NULL) {
        ck_http_socket_close(socket, CK_HTTP_CLOSE_OVERLOAD, "out of memory");
        return;
    }
    const char *name = side == CK_CLIENT_PERSON ? CK_API_PERSON_COOKIE : CK_API_STAFF_COOKIE;
    page->hub = hub;
    page->side = side;
    page->socket = socket;
    page->next = hub->first;
    hub->first = page;
    snprintf(page->actor.peer, sizeof page->actor.peer, "%s", ck_http_socket_address(socket));
    ck_http_socket_set_context(socket, page);
    if (ck_http_socket_cookie(socket, name, page->cookie, sizeof page->cookie) != 0 ||
        ck_api_token_hash(page->cookie, page->token_hash) != 0) {
        close_page(page, CK_HTTP_CLOSE_UNAUTHENTICATED, "no session");
        return;
    }
    run(page, query_session, on_session);
}

void ck_hub_closed(struct ck_hub *hub, struct ck_http_socket *socket)
{
    struct ck_hub_page *page = ck_http_socket_context(socket);
    if (page == NULL) {
        return;
    }
    const struct ck_hub_calls *calls = &hub->options.calls;
    page->socket = NULL;
    if (page->started) {
        calls->closed(calls->user, page);
    }
    maybe_free(page);
}

/* ---- messages in ---- */

static void count_error(struct ck_hub_page *page)
{
    if (++page->errors >= CK_HUB_ERRORS_MAX) {
        close_page(page, CK_HTTP_CLOSE_POLICY, "too many errors");
    }
}

/* The engine decides for all: whoever opens ever more sessions and sockets gets no more of it. */
static bool actor_has_room(struct ck_hub_page *page, uint64_t now_ms)
{
    const int64_t who[] = {page->actor.staff_id, page->actor.person_id};
    return ck_limit_take(page->hub->by_actor, who, sizeof who,
                         (struct ck_mono){(int64_t)now_ms * 1000}, NULL) == 0;
}

static bool too_many(struct ck_hub_page *page)
{
    uint64_t now_ms = uv_now(page->hub->options.loop);
    if (!actor_has_room(page, now_ms)) {
        return true;
    }
    if (now_ms - page->window_ms >= CK_HUB_MESSAGES_MS) {
        page->window_ms = now_ms;
        page->messages = 0;
    }
    return ++page->messages > CK_HUB_MESSAGES_MAX;
}

/* A command on behalf of a page whose socket may go before it is answered. */
struct pending {
    struct ck_hub_page *page;
    struct ck_client_ref ref;
};

static void on_thread_command(void *cookie, const struct ck_result *result)
{
    ck_cleanup(ck_freep) struct pending *pending = cookie;
    struct ck_hub_page *page = pending->page;
    page->queries--;
    if (result->code != 0) {
        const char *field = result->refusal.field[0] == '\0' ? NULL : result->refusal.field;
        const char *text = result->refusal.message[0] == '\0' ? ck_error_text(result->code)
                                                              : result->refusal.message;
        ck_hub_send(page, ck_client_error(pending->ref, ck_client_error_of(result->code), field, 0,
                                          text, 0));
        count_error(page);
    } else if (pending->ref.given) {
        ck_hub_send(page, ck_client_ok(pending->ref));
    }
    maybe_free(page);
}

static void thread_command(struct ck_hub_page *page, const struct ck_actor *actor,
                           const char *command, struct ck_client_ref ref, json_t *body)
{
    struct pending *pending = malloc(sizeof *pending);
    if (pending == NULL) {
        json_decref(body);
        ck_hub_send(page, ck_client_error(ref, CK_CLIENT_UNAVAILABLE, NULL, 0, "out of memory", 0));
        return;
    }
    *pending = (struct pending){.page = page, .ref = ref};
    page->queries++;
    ck_bus_submit(page->hub->options.bus, command, actor, body, on_thread_command, pending);
}

/* The entry of the table of rights that a message needs. */
static const struct ck_policy *policy_of(const struct ck_hub_page *page, enum ck_client_kind kind)
{
    bool person = page->side == CK_CLIENT_PERSON;
    switch (kind) {
    case CK_CLIENT_MESSAGE:
        return ck_policy_find(person ? "self.message_send" : "message.send");
    case CK_CLIENT_READ:
        return ck_policy_find(person ? "self.message_read" : "message.read");
    case CK_CLIENT_ACTIVE:
        return ck_policy_find("console.connect");
    default:
        return ck_policy_find(person ? "self.connect" : "call.conduct");
    }
}

static void deny(struct ck_hub_page *page, const struct ck_policy *policy, struct ck_client_ref ref)
{
    ck_bus_submit(page->hub->options.bus, "access.denied", &page->actor,
                  json_pack("{s:s}", "action", policy->action), NULL, NULL);
    ck_hub_send(page, ck_client_error(ref, CK_CLIENT_DENIED, NULL, 0,
                                      "your role does not include this", 0));
    count_error(page);
}

static void take(struct ck_hub_page *page, const struct ck_client_message *message)
{
    const struct ck_hub_calls *calls = &page->hub->options.calls;
    const struct ck_policy *policy = policy_of(page, message->kind);
    struct ck_actor actor = page->actor;
    actor.roles = ck_policy_roles(policy, &actor);
    if (ck_policy_check(policy, &actor) != 0) {
        deny(page, policy, message->ref);
    } else if (message->kind == CK_CLIENT_ACTIVE) {
        keep(page, false);
        if (message->ref.given) {
            ck_hub_send(page, ck_client_ok(message->ref));
        }
    } else if (message->kind == CK_CLIENT_MESSAGE) {
        thread_command(page, &actor, "message.send", message->ref,
                       json_pack("{s:I, s:s, s:s}", "person", (json_int_t)message->person,
                                 "client_id", message->client_id, "text", message->text));
    } else if (message->kind == CK_CLIENT_READ) {
        thread_command(page, &actor, "message.read", message->ref,
                       json_pack("{s:I, s:I}", "person", (json_int_t)message->person, "up_to",
                                 (json_int_t)message->up_to));
    } else {
        calls->message(calls->user, page, message);
    }
}

void ck_hub_message(struct ck_hub *hub, struct ck_http_socket *socket, const char *text,
                    size_t size)
{
    (void)hub;
    struct ck_hub_page *page = ck_http_socket_context(socket);
    struct ck_client_message message;
    struct ck_client_fault fault;
    if (page == NULL || page->socket == NULL) {
        return;
    }
    int error = ck_client_decode(page->side, text, size, &message, &fault);
    if (error < 0) {
        close_page(page, CK_HTTP_CLOSE_OVERLOAD, "out of memory");
    } else if (error != 0 && fault.no_object) {
        close_page(page, CK_HTTP_CLOSE_UNSUPPORTED, fault.text);
    } else if (error != 0) {
        ck_hub_send(page,
                    ck_client_error(fault.ref, CK_CLIENT_INVALID, fault.field, 0, fault.text, 0));
        count_error(page);
    } else {
        if (too_many(page)) {
            ck_hub_send(page, ck_client_error(message.ref, CK_CLIENT_BUSY, NULL, 0,
                                              "too many messages", CK_HUB_MESSAGES_MS));
            count_error(page);
        } else {
            take(page, &message);
        }
        ck_client_message_deinit(&message);
    }
}

/* ---- time ---- */

static void on_tick(uv_timer_t *timer)
{
    struct ck_hub *hub = timer->data;
    uint64_t now_ms = uv_now(hub->options.loop);
    unsigned recheck_ms =
        hub->options.recheck_ms == 0 ? CK_HUB_RECHECK_MS : hub->options.recheck_ms;
    bool recheck = ++hub->ticks % (recheck_ms / CK_HUB_TODAY_MS) == 0;
    for (struct ck_hub_page *page = hub->first; page != NULL; page = page->next) {
        if (page->socket == NULL || !page->started) {
            continue;
        }
        if (page->today_waits) {
            send_today(page, now_ms);
        }
        if (recheck && !page->rechecked) { /* where the disk stands still the last one waits yet */
            page->rechecked = run(page, query_session, on_recheck);
        }
    }
}

int ck_hub_create(const struct ck_hub_options *options, struct ck_hub **out)
{
    struct ck_hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL) {
        return -ENOMEM;
    }
    hub->options = *options;
    if (ck_limit_create(ACTORS_MAX, CK_HUB_ACTOR_MAX, CK_HUB_ACTOR_REFILL_MS,
                        (uint64_t)(uintptr_t)hub, &hub->by_actor) != 0) {
        free(hub);
        return -ENOMEM;
    }
    uv_timer_init(options->loop, &hub->timer);
    hub->timer.data = hub;
    uv_timer_start(&hub->timer, on_tick, CK_HUB_TODAY_MS, CK_HUB_TODAY_MS);
    uv_unref((uv_handle_t *)&hub->timer); /* no reason by itself for the loop to go on */
    *out = hub;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct ck_hub *hub = handle->data;
    while (hub->first != NULL) { /* pages whose last query came back with the end of the readers */
        struct ck_hub_page *page = hub->first;
        hub->first = page->next;
        free(page);
    }
    ck_limit_destroy(hub->by_actor);
    free(hub);
}

void ck_hub_destroy(struct ck_hub *hub)
{
    if (hub != NULL) {
        uv_close((uv_handle_t *)&hub->timer, on_timer_closed);
    }
}
