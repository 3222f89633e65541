/* The unattended part: challenges on the person's page, one after the other, while the daemon
 * records. */
#include <stdio.h>
#include <string.h>

#include "daemon/call/call_impl.h"
#include "daemon/config/log.h"

static void show_next(struct call *call);

static void finish(struct call *call)
{
    struct ck_actor actor = ck_call_worker_actor(call);
    call->challenges_running = false;
    call->challenges_done = true;
    ck_call_timer_stop(call);
    call->left = true; /* the page may go now */
    ck_call_submit(call->calls, "checkin.challenge_finished", &actor,
                   json_pack("{s:I}", "checkin", (json_int_t)call->checkin));
    ck_call_record_stop(call, CK_CALL_PERSON);
}

static void on_timer(uv_timer_t *timer)
{
    show_next(timer->data);
}

static void tell_engine(struct call *call, const struct challenge *challenge)
{
    const struct recording *recording = &call->legs[CK_CALL_PERSON].recording;
    struct ck_calls *calls = call->calls;
    struct ck_wall now = calls->ports.now(calls->ports.context);
    char at[CK_WALL_TEXT_SIZE];
    ck_wall_text(now, at);
    struct ck_actor actor = ck_call_worker_actor(call);
    ck_call_submit(
        calls, "checkin.challenge", &actor,
        json_pack("{s:I, s:I, s:s, s:s, s:s, s:I, s:I}", "checkin", (json_int_t)call->checkin,
                  "number", (json_int_t)challenge->number, "kind", challenge->kind, "text",
                  challenge->digits, "at", at, "recording", (json_int_t)recording->id, "at_ms",
                  (json_int_t)(recording->wall_ms == 0 ? 0 : now.ms - recording->wall_ms)));
}

static void show_next(struct call *call)
{
    if (call->challenge_next >= call->challenge_count) {
        finish(call);
        return;
    }
    const struct challenge *challenge = &call->challenges[call->challenge_next++];
    ck_call_leg_send(call, CK_CALL_PERSON,
                     ck_client_challenge((unsigned)challenge->number, call->challenge_count,
                                         challenge->kind,
                                         challenge->digits[0] == '\0' ? NULL : challenge->digits,
                                         (unsigned)challenge->seconds));
    tell_engine(call, challenge);
    ck_call_timer_start(call, (uint64_t)challenge->seconds * 1000 + CK_CALL_CHALLENGE_SLACK_MS,
                        on_timer);
}

static void on_no_picture(uv_timer_t *timer)
{
    struct call *call = timer->data;
    call->legs[CK_CALL_PERSON].first_frame = true; /* sound alone is worth a human's review too */
    ck_call_challenges_begin(call);
}

/* Challenges begin with the recording, and the recording with the picture: what is asked must be on
 * the file. After an interruption they go on with the one that was not finished. */
void ck_call_challenges_begin(struct call *call)
{
    struct leg *leg = &call->legs[CK_CALL_PERSON];
    if (call->challenges_running || call->challenges_done || call->challenge_count == 0 ||
        leg->state != LEG_CONNECTED || !leg->joined || call->pause != 0) {
        return;
    }
    if (!leg->first_frame) {
        ck_call_timer_start(call, CK_CALL_FIRST_FRAME_MS, on_no_picture);
        return;
    }
    if (leg->recording.state != RECORDING_RUNNING) {
        ck_call_record_begin(call, CK_CALL_PERSON);
        return;
    }
    call->challenges_running = true;
    if (call->challenge_next > 0) {
        call->challenge_next--; /* the last one as well */
    }
    show_next(call);
}

/* A privacy pause: what is not on the file proves nothing, so the task waits and is asked again
 * from its beginning. The engine's limit for the whole (challenge_ms) goes on. */
void ck_call_challenges_hold(struct call *call)
{
    if (call->challenges_running) {
        call->challenges_running = false;
        ck_call_timer_stop(call);
    }
}

void ck_calls_challenge_done(struct ck_calls *calls, ck_call_page *page, int64_t checkin,
                             int64_t number, int64_t id)
{
    struct call *call = ck_call_find(calls, checkin);
    if (call == NULL || call->legs[CK_CALL_PERSON].page != page || !call->challenges_running ||
        call->challenge_next == 0 || call->challenges[call->challenge_next - 1].number != number) {
        ck_call_page_error(calls, page, id, CK_CLIENT_CONFLICT, "number",
                           "this challenge is not shown now");
        return;
    }
    ck_call_page_ok(calls, page, id);
    show_next(call);
}

static bool read_challenge(const json_t *value, struct challenge *challenge)
{
    const char *kind = json_string_value(json_object_get(value, "kind"));
    const char *digits = json_string_value(json_object_get(value, "digits"));
    challenge->number = json_integer_value(json_object_get(value, "number"));
    challenge->seconds = json_integer_value(json_object_get(value, "seconds"));
    if (kind == NULL || challenge->number <= 0 || challenge->seconds <= 0) {
        return false;
    }
    snprintf(challenge->kind, sizeof challenge->kind, "%s", kind);
    snprintf(challenge->digits, sizeof challenge->digits, "%s", digits == NULL ? "" : digits);
    return true;
}

void ck_calls_start_unattended(struct ck_calls *calls, int64_t checkin, const json_t *body)
{
    struct call *call = ck_call_find(calls, checkin);
    if (call == NULL || call->mode == CALL_LIVE) {
        return; /* the person's page joins again and the engine orders it again */
    }
    call->mode = CALL_UNATTENDED;
    size_t index;
    json_t *value;
    if (call->challenge_count == 0) {
        json_array_foreach(json_object_get(body, "challenges"), index, value)
        {
            if (call->challenge_count < CK_CALL_CHALLENGES_MAX &&
                read_challenge(value, &call->challenges[call->challenge_count])) {
                call->challenge_count++;
            }
        }
    }
    if (call->challenge_count == 0) {
        ck_log(CK_LOG_ERROR, "check-in %lld has no challenges", (long long)checkin);
        return;
    }
    ck_call_advance(call);
}
