/* Legs at the media workers: opening, answers, events, and what begins when both sides are there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/call/call_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/error.h"

static const char *const peer_names[] = {"person", "staff"};

/* ---- timer of a call ---- */

void ck_call_timer_start(struct call *call, uint64_t ms, uv_timer_cb callback)
{
    if (!uv_is_closing((uv_handle_t *)&call->timer)) {
        uv_timer_start(&call->timer, callback, ms, 0);
    }
}

void ck_call_timer_stop(struct call *call)
{
    if (!uv_is_closing((uv_handle_t *)&call->timer)) {
        uv_timer_stop(&call->timer);
    }
}

void ck_call_absence_stop(struct call *call)
{
    if (!uv_is_closing((uv_handle_t *)&call->absence)) {
        uv_timer_stop(&call->absence);
    }
}

/* ---- opening and closing ---- */

void ck_call_fault(struct call *call, const char *fault)
{
    struct ck_actor actor = ck_call_worker_actor(call);
    ck_call_submit(call->calls, "checkin.fault", &actor,
                   json_pack("{s:I, s:s}", "checkin", (json_int_t)call->checkin, "fault", fault));
}

static void refuse_busy(struct call *call, int side, int64_t id)
{
    if (side == CK_CALL_PERSON) {
        ck_call_fault(call, "no_worker");
    }
    ck_call_page_busy(call->calls, call->legs[side].page, id, "no media worker has room");
}

void ck_call_leg_open(struct call *call, int side, int64_t generation, const char *sdp, int64_t id)
{
    struct ck_calls *calls = call->calls;
    struct leg *leg = &call->legs[side];
    if (leg->crashes >= CK_CALL_CRASHES_MAX) {
        if (side == CK_CALL_PERSON) {
            ck_call_fault(call, "worker_lost"); /* ours, also where media has flowed in between */
        }
        ck_call_page_error(calls, leg->page, id, CK_CLIENT_UNAVAILABLE, NULL,
                           "media workers fell over with this connection");
        return;
    }
    if (side == CK_CALL_PERSON && calls->relay_down) {
        ck_call_fault(call, "relay"); /* until there is a picture */
    }
    ck_call_leg_close(call, side);
    if (!call->has_worker) {
        if (ck_pool_pick(calls->pool, &call->worker) != 0) {
            refuse_busy(call, side, id);
            return;
        }
        call->has_worker = true;
    }
    struct ck_worker_message message = {
        .kind = CK_WORKER_LEG_OPEN,
        .leg_open = {.leg = ++calls->next_leg,
                     .call = call->id,
                     .role = side == CK_CALL_PERSON ? CK_WORKER_ROLE_PERSON : CK_WORKER_ROLE_STAFF,
                     .video_bitrate_max = calls->video_bitrate_max,
                     .offer = ck_worker_text_of(sdp)},
    };
    int error = ck_pool_send(calls->pool, call->worker, &message, -1);
    if (error == CK_E_BUSY || error < 0) {
        call->has_worker = false;
        refuse_busy(call, side, id);
        return;
    }
    if (error != 0) {
        ck_call_page_error(calls, leg->page, id, CK_CLIENT_LIMIT, "sdp", "the offer is too long");
        return;
    }
    leg->id = message.leg_open.leg;
    leg->state = LEG_OPENING;
    leg->generation = generation;
    leg->offer_id = id;
    leg->restarting = false;
    leg->first_audio = leg->first_frame = leg->camera_off = false;
}

void ck_call_leg_close(struct call *call, int side)
{
    struct leg *leg = &call->legs[side];
    if (leg->state == LEG_NONE) {
        return;
    }
    ck_call_record_stop(call, side);
    struct ck_worker_message message = {.kind = CK_WORKER_LEG_CLOSE, .leg_close = {.leg = leg->id}};
    if (ck_pool_send(call->calls->pool, call->worker, &message, -1) != 0) {
        leg->state = LEG_NONE; /* the worker is gone, and says so by itself */
    }
    if (call->mode != CALL_OVER) {
        leg->state =
            LEG_NONE; /* a new one takes its place; what the old one still says is not for us */
        leg->id = 0;
    }
}

/* ---- what begins when everything is there ---- */

static bool both_connected(const struct call *call)
{
    return call->legs[CK_CALL_PERSON].state == LEG_CONNECTED &&
           call->legs[CK_CALL_STAFF].state == LEG_CONNECTED;
}

static void begin_conversation(struct call *call)
{
    call->mode = CALL_LIVE;
    ck_call_timer_stop(call);
    struct ck_worker_message message = {.kind = CK_WORKER_RELAY,
                                        .relay = {.call = call->id, .on = 1}};
    call->relay = ck_pool_send(call->calls->pool, call->worker, &message, -1) == 0;
    ck_call_fact(call, "inspector_joined", NULL);
    ck_call_leg_send(call, CK_CALL_PERSON, ck_client_connected(call->with, true));
    ck_call_leg_send(call, CK_CALL_STAFF,
                     ck_client_console_peer(call->checkin, CK_CLIENT_PEER_HERE,
                                            !call->legs[CK_CALL_PERSON].camera_off));
}

void ck_call_advance(struct call *call)
{
    if (call->mode == CALL_OVER || call->calls->stopping) {
        return;
    }
    if (both_connected(call) && call->legs[CK_CALL_STAFF].joined) {
        if (!call->relay) {
            begin_conversation(call);
        }
        for (int side = 0; side < LEGS; side++) {
            ck_call_record_begin(call, side);
        }
    }
    if (call->mode == CALL_UNATTENDED) {
        ck_call_challenges_begin(call);
    }
}

/* ---- events of the worker ---- */

static struct call *call_of_leg(struct ck_calls *calls, uint64_t id, int *side)
{
    for (struct call *call = calls->first; call != NULL; call = call->next) {
        for (int i = 0; i < LEGS; i++) {
            if (call->legs[i].id == id && call->legs[i].state != LEG_NONE) {
                *side = i;
                return call;
            }
        }
    }
    return NULL;
}

static void on_answer(struct call *call, int side, const struct ck_worker_leg_answer *answer)
{
    struct leg *leg = &call->legs[side];
    if (leg->state == LEG_OPENING) {
        leg->state = LEG_ANSWERED;
    }
    leg->restarting = false;
    char sdp[CK_WORKER_SDP_MAX + 1];
    memcpy(sdp, answer->answer.data, answer->answer.size);
    sdp[answer->answer.size] = '\0';
    ck_call_leg_send(call, side,
                     ck_client_answer(ck_call_subject(call, side), sdp, (uint32_t)leg->generation));
}

static enum ck_client_error refusal_word(uint16_t code)
{
    switch (code) {
    case CK_WORKER_REFUSED_SYNTAX:
    case CK_WORKER_REFUSED_UNSUPPORTED:
        return CK_CLIENT_INVALID;
    case CK_WORKER_REFUSED_LIMIT:
        return CK_CLIENT_LIMIT;
    case CK_WORKER_REFUSED_BUSY:
    case CK_WORKER_REFUSED_DRAINING:
        return CK_CLIENT_BUSY;
    case CK_WORKER_REFUSED_CONFLICT:
        return CK_CLIENT_CONFLICT;
    case CK_WORKER_REFUSED_NOT_FOUND:
        return CK_CLIENT_NOT_FOUND;
    default:
        return CK_CLIENT_UNAVAILABLE;
    }
}

static void on_refused(struct call *call, int side, const struct ck_worker_leg_refused *refused)
{
    struct leg *leg = &call->legs[side];
    char text[CK_WORKER_TEXT_MAX + 1];
    size_t size = refused->message.size < sizeof text ? refused->message.size : sizeof text - 1;
    memcpy(text, refused->message.data, size);
    text[size] = '\0';
    if (leg->state == LEG_OPENING) {
        leg->state = LEG_NONE;
        leg->id = 0;
    }
    if (leg->state == LEG_NONE && call->legs[1 - side].state == LEG_NONE) {
        call->has_worker = false; /* another one may have room */
    }
    leg->restarting = false;
    enum ck_client_error word = refusal_word(refused->code);
    if (side == CK_CALL_PERSON && word == CK_CLIENT_BUSY) {
        ck_call_fault(call, "no_worker");
    }
    ck_call_leg_send(call, side,
                     ck_client_error(ck_call_ref(leg->offer_id), word, "sdp", refused->line, text,
                                     refused->retry_after_ms));
    ck_call_maybe_free(call);
}

static void tell_other(struct call *call, int side, enum ck_client_peer state)
{
    if (side == CK_CALL_PERSON) {
        ck_call_leg_send(
            call, CK_CALL_STAFF,
            ck_client_console_peer(call->checkin, state, !call->legs[side].camera_off));
    } else {
        ck_call_leg_send(call, CK_CALL_PERSON, ck_client_person_peer(state == CK_CLIENT_PEER_HERE));
    }
}

static void on_staff_away(uv_timer_t *timer)
{
    struct call *call = timer->data;
    struct ck_actor actor = ck_call_worker_actor(call);
    ck_call_submit(
        call->calls, "checkin.call_ended", &actor,
        json_pack("{s:I, s:s}", "checkin", (json_int_t)call->checkin, "reason", "staff_lost"));
    ck_call_finish(call, "staff_lost");
}

static void on_person_away(uv_timer_t *timer)
{
    struct call *call = timer->data;
    struct ck_actor actor = ck_call_worker_actor(call);
    ck_call_submit(
        call->calls, "checkin.call_lost", &actor,
        json_pack("{s:I, s:s}", "checkin", (json_int_t)call->checkin, "reason", "media_gone"));
    tell_other(call, CK_CALL_PERSON, CK_CLIENT_PEER_LEFT);
    ck_call_maybe_free(call);
}

/* A page that is reloaded says good-bye and comes back a moment later: the call is lost only when
 * nobody does. */
static void await_person(struct call *call)
{
    tell_other(call, CK_CALL_PERSON, CK_CLIENT_PEER_AWAY);
    if (!uv_is_closing((uv_handle_t *)&call->absence) && !call->calls->stopping) {
        uv_timer_start(&call->absence, on_person_away, CK_CALL_PERSON_AWAY_MS, 0);
    }
}

void ck_call_await_staff(struct call *call)
{
    tell_other(call, CK_CALL_STAFF, CK_CLIENT_PEER_AWAY);
    ck_call_timer_start(call, CK_CALL_STAFF_AWAY_MS, on_staff_away);
}

void ck_call_leg_cut(struct call *call, int side)
{
    bool here = call->legs[side].joined;
    ck_call_leg_close(call, side);
    call->relay = false;
    if (!here || call->left) {
        return;
    }
    if (side == CK_CALL_PERSON) {
        call->challenges_running = false;
        await_person(call);
    } else if (call->mode == CALL_LIVE || call->mode == CALL_WAITING) {
        ck_call_await_staff(call);
    }
}

/* The leg is no more at the worker, whoever ended it. */
static void on_closed(struct call *call, int side)
{
    struct leg *leg = &call->legs[side];
    leg->state = LEG_NONE;
    leg->id = 0;
    call->relay = false;
    if (!call->left && side == CK_CALL_PERSON && leg->joined) {
        call->challenges_running = false;
        if (call->calls->relay_down) {
            ck_call_fault(call, "relay");
        }
        ck_call_leg_send(call, side, ck_client_reconnect(0, "gone"));
        await_person(call);
    } else if (!call->left && side == CK_CALL_STAFF && call->mode == CALL_LIVE) {
        ck_call_leg_send(call, side, ck_client_reconnect(call->checkin, "gone"));
        ck_call_await_staff(call);
    }
    ck_call_maybe_free(call);
}

static void on_connected(struct call *call, int side)
{
    call->legs[side].state = LEG_CONNECTED;
    if (side == CK_CALL_PERSON) {
        ck_call_absence_stop(call);
        ck_call_fact(call, "dtls", NULL);
    }
    ck_call_advance(call);
}

static void on_camera(struct call *call, int side, bool off, uint32_t detail)
{
    call->legs[side].camera_off = off;
    if (side == CK_CALL_PERSON) {
        char text[32];
        snprintf(text, sizeof text, "%u ms", detail);
        ck_call_fact(call, off ? "camera_stopped" : "camera_back", off ? NULL : text);
    }
    tell_other(call, side, CK_CLIENT_PEER_HERE);
}

static void on_presence(struct call *call, int side, bool here)
{
    struct leg *leg = &call->legs[side];
    if (leg->state == LEG_CONNECTED || leg->state == LEG_AWAY) {
        leg->state = here ? LEG_CONNECTED : LEG_AWAY;
    }
    if (side == CK_CALL_PERSON) {
        ck_call_fact(call, here ? "resumed" : "suspended", NULL);
    }
    tell_other(call, side, here ? CK_CLIENT_PEER_HERE : CK_CLIENT_PEER_AWAY);
    ck_call_advance(call);
}

static void on_event(struct call *call, int side, const struct ck_worker_leg_event *event)
{
    struct leg *leg = &call->legs[side];
    bool person = side == CK_CALL_PERSON;
    switch (event->event) {
    case CK_WORKER_EVENT_ICE_CONNECTED:
        if (person) {
            ck_call_fact(call, "ice", NULL);
        }
        break;
    case CK_WORKER_EVENT_DTLS_CONNECTED:
        on_connected(call, side);
        break;
    case CK_WORKER_EVENT_FIRST_AUDIO:
        leg->first_audio = true;
        if (person) {
            ck_call_fact(call, "first_audio", NULL);
        }
        break;
    case CK_WORKER_EVENT_FIRST_KEY_FRAME:
        leg->first_frame = true;
        if (leg->camera_off) { /* answered without a picture, and has one now */
            leg->camera_off = false;
            tell_other(call, side, CK_CLIENT_PEER_HERE);
        }
        if (person) {
            ck_call_fact(call, "first_frame", NULL);
        }
        ck_call_advance(call);
        break;
    case CK_WORKER_EVENT_CAMERA_STOPPED:
    case CK_WORKER_EVENT_CAMERA_BACK:
        on_camera(call, side, event->event == CK_WORKER_EVENT_CAMERA_STOPPED, event->detail);
        break;
    case CK_WORKER_EVENT_SUSPENDED:
    case CK_WORKER_EVENT_RESUMED:
        on_presence(call, side, event->event == CK_WORKER_EVENT_RESUMED);
        break;
    case CK_WORKER_EVENT_GONE:
    case CK_WORKER_EVENT_DTLS_FAILED:
    case CK_WORKER_EVENT_FINGERPRINT_MISMATCH:
    case CK_WORKER_EVENT_CLOSED_BY_PEER:
        leg->state = LEG_ENDING;
        if (person) {
            ck_call_fact(call, event->event == CK_WORKER_EVENT_DTLS_FAILED ? "dtls_failed" : "gone",
                         ck_worker_event_name(event->event));
        }
        break;
    case CK_WORKER_EVENT_CLOSED:
        on_closed(call, side);
        break;
    default:
        ck_log(CK_LOG_DEBUG, "check-in %lld, %s: %s", (long long)call->checkin, peer_names[side],
               ck_worker_event_name(event->event));
        break;
    }
}

/* The person's link in the words of the console: what a human ear and eye would say of it. */
static enum ck_client_quality quality(double loss, uint32_t rtt_us, uint32_t bitrate)
{
    if (bitrate == 0) {
        return CK_CLIENT_LOST;
    }
    if (loss > 0.10 || rtt_us > 800000) {
        return CK_CLIENT_POOR;
    }
    return loss > 0.03 || rtt_us > 300000 ? CK_CLIENT_FAIR : CK_CLIENT_GOOD;
}

static void on_stats(struct call *call, int side, const struct ck_worker_leg_stats *stats)
{
    if (side != CK_CALL_PERSON) {
        return;
    }
    struct leg *leg = &call->legs[side];
    if (call->mode == CALL_LIVE && leg->state == LEG_CONNECTED && stats->video_in.packets == 0 &&
        !leg->first_frame &&
        !leg->camera_off) { /* who answers without a picture, for the console */
        leg->camera_off = true;
        tell_other(call, side, CK_CLIENT_PEER_HERE);
    }
    uint64_t arrived = stats->audio_in.packets + stats->video_in.packets;
    uint64_t lost = (uint64_t)stats->audio_in.lost + stats->video_in.lost;
    double loss = arrived + lost == 0 ? 0.0 : (double)lost / (double)(arrived + lost);
    uint32_t rtt_us =
        stats->video_out.rtt_us != 0 ? stats->video_out.rtt_us : stats->audio_out.rtt_us;
    uint32_t bitrate = stats->audio_in.bitrate + stats->video_in.bitrate;
    ck_call_leg_send(call, CK_CALL_STAFF,
                     ck_client_link(call->checkin, quality(loss, rtt_us, bitrate), rtt_us / 1000,
                                    loss, bitrate / 1000));
}

static uint64_t leg_of_message(const struct ck_worker_message *message)
{
    switch (message->kind) {
    case CK_WORKER_LEG_ANSWER:
        return message->leg_answer.leg;
    case CK_WORKER_LEG_REFUSED:
        return message->leg_refused.leg;
    case CK_WORKER_LEG_EVENT:
        return message->leg_event.leg;
    case CK_WORKER_LEG_STATS:
        return message->leg_stats.leg;
    default:
        return 0;
    }
}

static uint64_t recording_of_message(const struct ck_worker_message *message)
{
    switch (message->kind) {
    case CK_WORKER_RECORD_STARTED:
        return message->record_started.recording;
    case CK_WORKER_RECORD_HEAD:
        return message->record_head.recording;
    case CK_WORKER_RECORD_CLOSED:
        return message->record_closed.recording;
    case CK_WORKER_RECORD_FAILED:
        return message->record_failed.recording;
    default:
        return 0;
    }
}

/* Recordings outlive their leg here, so their messages are found by the recording. */
static void to_recording(struct ck_calls *calls, uint64_t id,
                         const struct ck_worker_message *message)
{
    for (struct call *call = calls->first; call != NULL; call = call->next) {
        for (int side = 0; side < LEGS; side++) {
            const struct recording *recording = &call->legs[side].recording;
            if (recording->state != RECORDING_NONE && (uint64_t)recording->id == id) {
                ck_call_record_message(call, side, message);
                return;
            }
        }
    }
}

void ck_call_worker_message(void *context, unsigned worker, const struct ck_worker_message *message)
{
    struct ck_calls *calls = context;
    uint64_t recording = recording_of_message(message);
    if (recording != 0) {
        to_recording(calls, recording, message);
        return;
    }
    int side = 0;
    struct call *call = call_of_leg(calls, leg_of_message(message), &side);
    if (call == NULL || call->worker != worker) {
        return; /* of a leg that was replaced: nobody waits for it any more */
    }
    switch (message->kind) {
    case CK_WORKER_LEG_ANSWER:
        on_answer(call, side, &message->leg_answer);
        break;
    case CK_WORKER_LEG_REFUSED:
        on_refused(call, side, &message->leg_refused);
        break;
    case CK_WORKER_LEG_EVENT:
        on_event(call, side, &message->leg_event);
        break;
    case CK_WORKER_LEG_STATS:
        on_stats(call, side, &message->leg_stats);
        break;
    default:
        break;
    }
}

/* ---- a worker dies and comes back ---- */

void ck_call_worker_ready(void *context, unsigned worker)
{
    (void)context;
    (void)worker; /* the pages ask again by themselves */
}

static void leg_lost(struct call *call, int side)
{
    struct leg *leg = &call->legs[side];
    if (leg->state == LEG_NONE) {
        return;
    }
    leg->state = LEG_NONE;
    leg->id = 0;
    leg->crashes++;
    ck_call_record_lost(call, side);
    if (call->mode == CALL_OVER) {
        return;
    }
    ck_call_leg_send(call, side, ck_client_reconnect(ck_call_subject(call, side), "worker"));
}

void ck_call_worker_down(void *context, unsigned worker)
{
    struct ck_calls *calls = context;
    for (struct call *call = calls->first, *next; call != NULL; call = next) {
        next = call->next;
        if (!call->has_worker || call->worker != worker) {
            continue;
        }
        call->has_worker = false;
        call->relay = false;
        if (call->mode != CALL_OVER && call->legs[CK_CALL_PERSON].state != LEG_NONE) {
            ck_call_fault(call, "worker_lost");
        }
        for (int side = 0; side < LEGS; side++) {
            leg_lost(call, side);
        }
        call->challenges_running = false;
        ck_call_timer_stop(call);
        if (call->mode != CALL_OVER && call->legs[CK_CALL_PERSON].joined) {
            await_person(call);
        }
        ck_call_maybe_free(call);
    }
}
