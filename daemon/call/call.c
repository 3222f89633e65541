#include "daemon/call/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/call/call_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

/* ---- small things ---- */

struct call *ck_call_find(struct ck_calls *calls, int64_t checkin)
{
    for (struct call *call = calls->first; call != NULL; call = call->next) {
        if (call->checkin == checkin && call->mode != CALL_OVER) {
            return call;
        }
    }
    return NULL;
}

struct call *ck_call_by_id(struct ck_calls *calls, uint64_t id)
{
    for (struct call *call = calls->first; call != NULL; call = call->next) {
        if (call->id == id) {
            return call;
        }
    }
    return NULL;
}

void ck_call_submit(struct ck_calls *calls, const char *name, const struct ck_actor *actor,
                    json_t *body)
{
    if (body == NULL) {
        ck_log(CK_LOG_ERROR, "no memory for command %s", name);
        return;
    }
    calls->ports.submit(calls->ports.context, name, actor, body, NULL, NULL);
}

struct ck_actor ck_call_worker_actor(const struct call *call)
{
    return (struct ck_actor){.kind = CK_ACTOR_WORKER, .checkin_id = call->checkin};
}

void ck_call_fact(struct call *call, const char *fact, const char *detail)
{
    struct ck_actor actor = ck_call_worker_actor(call);
    ck_call_submit(call->calls, "checkin.fact", &actor,
                   json_pack("{s:I, s:s, s:s*}", "checkin", (json_int_t)call->checkin, "fact", fact,
                             "detail", detail));
}

void ck_call_page_send(struct ck_calls *calls, ck_call_page *page, json_t *message)
{
    if (message == NULL) {
        ck_log(CK_LOG_ERROR, "no memory for a message to a page");
    } else if (page == NULL) {
        json_decref(message);
    } else {
        calls->ports.send(calls->ports.context, page, message);
    }
}

void ck_call_page_ok(struct ck_calls *calls, ck_call_page *page, int64_t id)
{
    if (id != 0) {
        ck_call_page_send(calls, page, ck_client_ok(ck_call_ref(id)));
    }
}

struct ck_client_ref ck_call_ref(int64_t id)
{
    return (struct ck_client_ref){.given = id != 0, .id = id};
}

void ck_call_page_error(struct ck_calls *calls, ck_call_page *page, int64_t id,
                        enum ck_client_error code, const char *field, const char *text)
{
    ck_call_page_send(calls, page, ck_client_error(ck_call_ref(id), code, field, 0, text, 0));
}

void ck_call_page_busy(struct ck_calls *calls, ck_call_page *page, int64_t id, const char *text)
{
    ck_call_page_send(
        calls, page,
        ck_client_error(ck_call_ref(id), CK_CLIENT_BUSY, NULL, 0, text, CK_CALL_RETRY_MS));
}

/* The answer to a command that failed, in the words of websocket.md. */
static void page_result_error(struct ck_calls *calls, ck_call_page *page, int64_t id,
                              const struct ck_result *result)
{
    const char *field = result->refusal.field[0] == '\0' ? NULL : result->refusal.field;
    if (result->code == CK_E_BUSY) {
        ck_call_page_busy(calls, page, id, result->refusal.message);
    } else {
        ck_call_page_error(calls, page, id, ck_client_error_of(result->code), field,
                           result->refusal.message);
    }
}

void ck_call_leg_send(struct call *call, int side, json_t *message)
{
    ck_call_page_send(call->calls, call->legs[side].page, message);
}

int64_t ck_call_subject(const struct call *call, int side)
{
    return side == CK_CALL_STAFF ? call->checkin : 0;
}

void ck_call_tell_recording(struct call *call, bool on, const char *reason)
{
    for (int side = 0; side < LEGS; side++) {
        ck_call_leg_send(call, side, ck_client_recording(ck_call_subject(call, side), on, reason));
    }
}

/* ---- the table ---- */

static struct call *call_create(struct ck_calls *calls, int64_t checkin)
{
    if (calls->count >= CK_CALLS_MAX || calls->stopping) {
        return NULL;
    }
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return NULL;
    }
    call->calls = calls;
    call->checkin = checkin;
    call->id = ++calls->next_call;
    uv_timer_init(calls->loop, &call->timer);
    uv_timer_init(calls->loop, &call->absence);
    call->timer.data = call;
    call->absence.data = call;
    call->timers_open = 2;
    call->next = calls->first;
    calls->first = call;
    calls->count++;
    return call;
}

static void on_call_closed(uv_handle_t *handle)
{
    struct call *call = handle->data;
    struct ck_calls *calls = call->calls;
    if (--call->timers_open > 0) {
        return;
    }
    for (struct call **at = &calls->first; *at != NULL; at = &(*at)->next) {
        if (*at == call) {
            *at = call->next;
            calls->count--;
            break;
        }
    }
    for (int side = 0; side < LEGS; side++) {
        free(call->legs[side].held_offer);
        ck_call_recording_clear(&call->legs[side].recording);
    }
    free(call);
    ck_calls_maybe_stopped(calls);
}

void ck_call_maybe_free(struct call *call)
{
    for (int side = 0; side < LEGS; side++) {
        const struct leg *leg = &call->legs[side];
        if (leg->state != LEG_NONE || leg->joining || leg->recording.state != RECORDING_NONE) {
            return;
        }
        if (call->mode != CALL_OVER && (leg->page != NULL || leg->held_offer != NULL)) {
            return;
        }
    }
    bool waits = call->mode != CALL_OVER && (uv_is_active((uv_handle_t *)&call->timer) ||
                                             uv_is_active((uv_handle_t *)&call->absence));
    if (!waits && !uv_is_closing((uv_handle_t *)&call->timer)) {
        call->mode = CALL_OVER;
        uv_close((uv_handle_t *)&call->timer, on_call_closed);
        uv_close((uv_handle_t *)&call->absence, on_call_closed);
    }
}

void ck_call_finish(struct call *call, const char *reason)
{
    if (call->mode == CALL_OVER) {
        return;
    }
    call->mode = CALL_OVER;
    call->left = true;
    ck_call_timer_stop(call);
    ck_call_absence_stop(call);
    ck_call_leg_send(call, CK_CALL_STAFF, ck_client_console_ended(call->checkin, reason));
    for (int side = 0; side < LEGS; side++) {
        free(call->legs[side].held_offer);
        call->legs[side].held_offer = NULL;
        ck_call_record_stop(call, side);
        ck_call_leg_close(call, side);
    }
    ck_call_maybe_free(call);
}

/* ---- join and take ---- */

/* A command whose answer concerns one side of one call. */
struct pending {
    struct ck_calls *calls;
    uint64_t call;
    int side;
    ck_call_page *page;
    int64_t id;
    int64_t generation;
};

static struct pending *pending_create(struct call *call, int side, ck_call_page *page, int64_t id,
                                      int64_t generation)
{
    struct pending *pending = malloc(sizeof *pending);
    if (pending != NULL) {
        *pending = (struct pending){.calls = call->calls,
                                    .call = call->id,
                                    .side = side,
                                    .page = page,
                                    .id = id,
                                    .generation = generation};
    }
    return pending;
}

static void replace_page(struct call *call, int side, ck_call_page *page)
{
    struct leg *leg = &call->legs[side];
    if (leg->page != NULL && leg->page != page && side == CK_CALL_PERSON) {
        ck_call_page_send(call->calls, leg->page, ck_client_replaced());
    }
    leg->page = page;
}

/* Says where things stand to a page that came, or came back. */
static void tell_state(struct call *call, const struct pending *pending, const json_t *result)
{
    struct leg *leg = &call->legs[pending->side];
    const char *since = json_string_value(json_object_get(result, "waiting_since"));
    struct ck_wall at;
    const char *with = json_string_value(json_object_get(result, "with"));
    if (with != NULL) {
        snprintf(call->with, sizeof call->with, "%s", with);
    }
    if (pending->side == CK_CALL_STAFF) {
        ck_call_leg_send(call, CK_CALL_STAFF, ck_client_taken(call->checkin, NULL));
    } else if (call->mode == CALL_WAITING && since != NULL && ck_wall_parse(since, &at) == 0) {
        ck_call_leg_send(call, CK_CALL_PERSON, ck_client_waiting(at));
    }
    if (leg->held_offer != NULL) {
        ck_cleanup(ck_freep) char *sdp = ck_take(leg->held_offer);
        ck_call_leg_open(call, pending->side, leg->held_generation, sdp, leg->held_id);
    } else if (pending->generation > 0 &&
               (leg->state == LEG_NONE || leg->generation != pending->generation)) {
        ck_call_leg_send(call, pending->side,
                         ck_client_reconnect(ck_call_subject(call, pending->side), "unknown"));
    }
}

static void on_joined(void *cookie, const struct ck_result *result)
{
    ck_cleanup(ck_freep) struct pending *pending = cookie;
    struct call *call = ck_call_by_id(pending->calls, pending->call);
    if (call == NULL) {
        return;
    }
    struct leg *leg = &call->legs[pending->side];
    leg->joining = false;
    /* The page may have gone, or been replaced, while the engine decided. */
    bool present = leg->page == pending->page && leg->page != NULL;
    if (result->code != 0) {
        if (present) {
            page_result_error(pending->calls, pending->page, pending->id, result);
            /* Staff whom the engine refuses have no part in the call, whoever they were before. */
            if (!leg->joined || pending->side == CK_CALL_STAFF) {
                leg->page = NULL;
            }
        }
        free(ck_take(leg->held_offer));
        ck_call_maybe_free(call);
        return;
    }
    leg->joined = true;
    if (pending->side == CK_CALL_PERSON && pending->generation == 0 && call->pause != 0) {
        call->pause = 0; /* a page that begins anew knows of no pause, and could not end it */
        ck_call_record_pause(call);
    }
    if (present && pending->side == CK_CALL_STAFF && call->mode == CALL_WAITING) {
        ck_call_timer_stop(call); /* they are back before they were given up */
    }
    if (present) {
        ck_call_page_ok(pending->calls, pending->page, pending->id);
        tell_state(call, pending, result->body);
    }
    ck_call_advance(call);
    ck_call_maybe_free(call);
}

/* Whether the staff side is somebody else's: of whoever has a page there, and of whoever the engine
 * let in, also while their page is gone for a moment. */
static bool of_another(const struct leg *leg, const ck_call_page *page,
                       const struct ck_actor *actor)
{
    bool held = leg->joined || (leg->page != NULL && leg->page != page);
    return held && leg->actor.staff_id != actor->staff_id;
}

static void enter(struct ck_calls *calls, ck_call_page *page, const struct ck_actor *actor,
                  int side, int64_t checkin, const char *command, json_t *body, int64_t generation,
                  int64_t id)
{
    struct call *call = ck_call_find(calls, checkin);
    if (call == NULL) {
        call = call_create(calls, checkin);
    }
    struct pending *pending =
        call == NULL ? NULL : pending_create(call, side, page, id, generation);
    if (pending == NULL || body == NULL) {
        free(pending);
        json_decref(body);
        if (call != NULL) {
            ck_call_maybe_free(call);
        }
        ck_call_page_busy(calls, page, id, "no room for one call more");
        return;
    }
    struct leg *leg = &call->legs[side];
    if (side == CK_CALL_STAFF && of_another(leg, page, actor)) {
        free(pending);
        json_decref(body);
        ck_call_page_error(calls, page, id, CK_CLIENT_CONFLICT, "checkin",
                           "another inspector has taken it");
        return;
    }
    replace_page(call, side, page);
    leg->actor = *actor;
    leg->joining = true;
    calls->ports.submit(calls->ports.context, command, actor, body, on_joined, pending);
}

void ck_calls_join(struct ck_calls *calls, ck_call_page *page, const struct ck_actor *actor,
                   const char *device, const struct ck_call_proof *proof, int64_t generation,
                   int64_t id)
{
    json_t *body =
        json_pack("{s:I, s:s}", "checkin", (json_int_t)actor->checkin_id, "device", device);
    if (proof->key != 0 && body != NULL) {
        json_object_set_new(body, "key", json_integer(proof->key));
        json_object_set_new(body, "challenge", json_string(proof->challenge));
        json_object_set_new(body, "signature", json_string(proof->signature));
    }
    enter(calls, page, actor, CK_CALL_PERSON, actor->checkin_id, "checkin.joined", body, generation,
          id);
}

void ck_calls_take(struct ck_calls *calls, ck_call_page *page, const struct ck_actor *actor,
                   int64_t checkin, int64_t generation, int64_t id)
{
    enter(calls, page, actor, CK_CALL_STAFF, checkin, "checkin.inspector_took",
          json_pack("{s:I}", "checkin", (json_int_t)checkin), generation, id);
}

/* ---- the rest of what pages send ---- */

/* The call in which this page is this side; else an error to the page and NULL. */
static struct call *call_of_page(struct ck_calls *calls, ck_call_page *page, int side,
                                 int64_t checkin, int64_t id)
{
    struct call *call = ck_call_find(calls, checkin);
    if (call == NULL || call->legs[side].page != page) {
        ck_call_page_error(calls, page, id, CK_CLIENT_CONFLICT, "t",
                           side == CK_CALL_PERSON ? "join first" : "take first");
        return NULL;
    }
    return call;
}

static void hold_offer(struct ck_calls *calls, struct leg *leg, int64_t generation, const char *sdp,
                       int64_t id)
{
    free(leg->held_offer);
    leg->held_offer = strdup(sdp);
    leg->held_generation = generation;
    leg->held_id = id;
    if (leg->held_offer == NULL) {
        ck_call_page_error(calls, leg->page, id, CK_CLIENT_UNAVAILABLE, NULL, "out of memory");
    }
}

static void restart_leg(struct call *call, int side, int64_t generation, const char *sdp,
                        int64_t id)
{
    struct leg *leg = &call->legs[side];
    struct ck_worker_message message = {
        .kind = CK_WORKER_LEG_RESTART,
        .leg_restart = {.leg = leg->id, .offer = ck_worker_text_of(sdp)},
    };
    if (leg->state == LEG_NONE || leg->state == LEG_OPENING || leg->state == LEG_ENDING ||
        leg->generation != generation ||
        ck_pool_send(call->calls->pool, call->worker, &message, -1) != 0) {
        ck_call_leg_send(call, side, ck_client_reconnect(ck_call_subject(call, side), "unknown"));
        return;
    }
    leg->restarting = true;
    leg->offer_id = id;
}

void ck_calls_offer(struct ck_calls *calls, ck_call_page *page, enum ck_call_role role,
                    int64_t checkin, int64_t generation, bool restart, const char *sdp, int64_t id)
{
    struct call *call = call_of_page(calls, page, role, checkin, id);
    if (call == NULL) {
        return;
    }
    struct leg *leg = &call->legs[role];
    if (leg->joining) {
        hold_offer(calls, leg, generation, sdp, id);
    } else if (restart) {
        restart_leg(call, role, generation, sdp, id);
    } else {
        ck_call_leg_open(call, role, generation, sdp, id);
    }
}

void ck_calls_fact(struct ck_calls *calls, ck_call_page *page, const struct ck_actor *actor,
                   const char *fact, const char *detail, int64_t id)
{
    ck_call_submit(calls, "checkin.fact", actor,
                   json_pack("{s:I, s:s, s:s*}", "checkin", (json_int_t)actor->checkin_id, "fact",
                             fact, "detail", detail));
    ck_call_page_ok(calls, page, id);
}

void ck_calls_pause(struct ck_calls *calls, ck_call_page *page, int64_t checkin, bool on,
                    const char *reason, int64_t id)
{
    uint16_t pause = 0;
    for (uint16_t i = 0; on && ck_call_pause_reasons[i] != NULL; i++) {
        pause = strcmp(reason, ck_call_pause_reasons[i]) == 0 ? i + 1 : pause;
    }
    struct call *call = call_of_page(calls, page, CK_CALL_PERSON, checkin, id);
    if (call == NULL) {
        return;
    }
    if (on && pause == 0) {
        ck_call_page_error(calls, page, id, CK_CLIENT_INVALID, "reason", "undress, child or other");
        return;
    }
    ck_call_page_ok(calls, page, id);
    if (call->pause == pause) {
        return; /* a page that came back says again what it wants */
    }
    call->pause = pause;
    ck_call_record_pause(call);
    if (on) {
        ck_call_challenges_hold(call);
    } else {
        ck_call_advance(call);
    }
}

void ck_calls_decline(struct ck_calls *calls, ck_call_page *page, const struct ck_actor *actor,
                      const char *reason, int64_t id)
{
    ck_call_submit(
        calls, "checkin.declined", actor,
        json_pack("{s:I, s:s}", "checkin", (json_int_t)actor->checkin_id, "reason", reason));
    ck_call_page_ok(calls, page, id);
}

void ck_calls_leave(struct ck_calls *calls, ck_call_page *page, int64_t checkin, int64_t id)
{
    struct call *call = call_of_page(calls, page, CK_CALL_PERSON, checkin, id);
    if (call == NULL) {
        return;
    }
    call->left = true;
    bool in_call = call->mode == CALL_LIVE;
    ck_call_submit(
        calls, in_call ? "checkin.call_ended" : "checkin.left", &call->legs[CK_CALL_PERSON].actor,
        json_pack("{s:I, s:s}", "checkin", (json_int_t)checkin, "reason", "person_left"));
    ck_call_page_ok(calls, page, id);
    ck_call_finish(call, "left");
}

void ck_calls_end(struct ck_calls *calls, ck_call_page *page, int64_t checkin, int64_t id)
{
    struct call *call = call_of_page(calls, page, CK_CALL_STAFF, checkin, id);
    if (call == NULL) {
        return;
    }
    ck_call_submit(
        calls, "checkin.call_ended", &call->legs[CK_CALL_STAFF].actor,
        json_pack("{s:I, s:s}", "checkin", (json_int_t)checkin, "reason", "staff_ended"));
    ck_call_page_ok(calls, page, id);
    ck_call_finish(call, "ended");
}

void ck_calls_trouble(struct ck_calls *calls, bool signalling, bool relay)
{
    calls->signalling_down = signalling;
    calls->relay_down = relay;
}

void ck_calls_page_closed(struct ck_calls *calls, ck_call_page *page)
{
    for (struct call *call = calls->first, *next; call != NULL; call = next) {
        next = call->next;
        for (int side = 0; side < LEGS; side++) {
            if (call->legs[side].page == page) {
                call->legs[side].page = NULL;
                if (side == CK_CALL_PERSON && calls->signalling_down && !call->left &&
                    call->mode != CALL_OVER) {
                    ck_call_fault(call, "signalling");
                }
                if (side == CK_CALL_STAFF && call->mode == CALL_WAITING &&
                    call->legs[side].joined) {
                    ck_call_await_staff(call); /* took it, and went before there was a picture */
                }
                ck_call_maybe_free(call);
            }
        }
    }
}

void ck_calls_end_session(struct ck_calls *calls, int64_t session)
{
    for (struct call *call = calls->first, *next; call != NULL; call = next) {
        next = call->next;
        for (int side = 0; side < LEGS; side++) {
            struct leg *leg = &call->legs[side];
            if (session != 0 && leg->actor.session_id == session && call->mode != CALL_OVER) {
                leg->page = NULL;
                ck_call_leg_cut(call, side);
                ck_call_maybe_free(call);
            }
        }
    }
}

bool ck_calls_has_session(const struct ck_calls *calls, int64_t session)
{
    for (const struct call *call = calls->first; call != NULL; call = call->next) {
        const struct leg *leg = &call->legs[CK_CALL_STAFF];
        if (session != 0 && leg->actor.session_id == session && leg->joined &&
            call->mode != CALL_OVER) {
            return true;
        }
    }
    return false;
}

/* ---- from the engine ---- */

void ck_calls_end_call(struct ck_calls *calls, int64_t checkin, const char *reason)
{
    struct call *call = ck_call_find(calls, checkin);
    if (call != NULL) {
        ck_call_finish(call, reason);
    }
}

void ck_calls_ended(struct ck_calls *calls, int64_t checkin, const json_t *body)
{
    for (struct call *call = calls->first; call != NULL; call = call->next) {
        if (call->checkin == checkin && call->legs[CK_CALL_PERSON].page != NULL) {
            json_t *message = json_object();
            if (message != NULL) {
                json_object_update(message, (json_t *)(uintptr_t)body);
                json_object_set_new(message, "t", json_string("ended"));
            }
            ck_call_leg_send(call, CK_CALL_PERSON, message);
        }
    }
}

/* ---- life ---- */

int ck_calls_create(const struct ck_calls_options *options, const struct ck_call_ports *ports,
                    struct ck_calls **out)
{
    static const struct ck_pool_events events = {
        .message = ck_call_worker_message,
        .ready = ck_call_worker_ready,
        .down = ck_call_worker_down,
    };
    struct ck_calls *calls = calloc(1, sizeof *calls);
    if (calls == NULL) {
        return -ENOMEM;
    }
    calls->loop = options->loop;
    calls->ports = *ports;
    calls->video_bitrate_max = options->video_bitrate_max;
    memcpy(calls->master_key, options->master_key, CK_KEY_SIZE);
    calls->recording_dir = strdup(options->recording_dir);
    int error = calls->recording_dir == NULL
                    ? -ENOMEM
                    : ck_pool_create(options->loop, &options->pool, &events, calls, &calls->pool);
    if (error == 0) {
        error = ck_renderer_create(options->loop, options->render_program, &calls->render);
        if (error != 0) {
            ck_pool_stop(calls->pool, NULL, NULL);
        }
    }
    if (error != 0) {
        free(calls->recording_dir);
        free(calls);
        return error;
    }
    *out = calls;
    return 0;
}

void ck_calls_maybe_stopped(struct ck_calls *calls)
{
    if (!calls->stopping || !calls->pool_stopped || !calls->render_stopped || calls->count > 0 ||
        calls->jobs > 0) {
        return;
    }
    void (*stopped)(void *) = calls->stopped;
    void *context = calls->stopped_context;
    ck_wipe(calls->master_key, sizeof calls->master_key);
    free(calls->recording_dir);
    free(calls);
    stopped(context);
}

static void on_pool_stopped(void *context)
{
    struct ck_calls *calls = context;
    calls->pool_stopped = true;
    for (struct call *call = calls->first, *next; call != NULL; call = next) {
        next = call->next;
        for (int side = 0; side < LEGS; side++) {
            call->legs[side].state = LEG_NONE;
            ck_call_record_lost(call, side);
        }
        ck_call_finish(call, "stopping");
        ck_call_maybe_free(call);
    }
    ck_calls_maybe_stopped(calls);
}

static void on_render_stopped(void *context)
{
    struct ck_calls *calls = context;
    calls->render_stopped = true;
    ck_calls_maybe_stopped(calls);
}

void ck_calls_stop(struct ck_calls *calls, void (*stopped)(void *context), void *context)
{
    calls->stopping = true;
    calls->stopped = stopped;
    calls->stopped_context = context;
    ck_pool_stop(calls->pool, on_pool_stopped, calls);
    ck_renderer_stop(calls->render, on_render_stopped, calls);
}

struct ck_calls_status ck_calls_status(const struct ck_calls *calls)
{
    struct ck_calls_status status = {.calls = calls->count};
    for (const struct call *call = calls->first; call != NULL; call = call->next) {
        for (int side = 0; side < LEGS; side++) {
            status.connected_legs += call->legs[side].state == LEG_CONNECTED;
        }
    }
    unsigned worker;
    status.room = !calls->stopping && ck_pool_pick(calls->pool, &worker) == 0;
    return status;
}

int ck_calls_drain(struct ck_calls *calls, int64_t worker)
{
    if (worker < 0 || worker >= (int64_t)ck_pool_size(calls->pool)) {
        return CK_E_NOT_FOUND;
    }
    return ck_pool_drain(calls->pool, (unsigned)worker);
}

const struct ck_pool *ck_calls_pool(const struct ck_calls *calls)
{
    return calls->pool;
}
