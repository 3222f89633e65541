/* Recordings of a call's legs: the row and key come from the engine, the file is opened in the
 * thread pool (a disk may stall), the descriptor goes to the worker, and what the worker says of it
 * goes to the engine. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/call/call_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

static const char *const leg_names[] = {"person", "staff"};

void ck_call_recording_clear(struct recording *recording)
{
    free(recording->path);
    ck_wipe(recording->key, sizeof recording->key);
    *recording = (struct recording){0};
}

static void submit_failed(struct call *call, int64_t recording, int error)
{
    struct ck_actor actor = ck_call_worker_actor(call);
    ck_log(CK_LOG_ERROR, "recording %lld: %s", (long long)recording, strerror(error));
    ck_call_submit(call->calls, "recording.failed", &actor,
                   json_pack("{s:I, s:i, s:s}", "recording", (json_int_t)recording, "error", error,
                             "text", strerror(error)));
}

/* A recording that never got as far as the worker. */
static void abandon(struct call *call, int side, int error)
{
    struct recording *recording = &call->legs[side].recording;
    if (recording->id != 0) {
        submit_failed(call, recording->id, error);
    }
    call->legs[side].unrecordable = error != ECONNRESET && error != EPIPE;
    ck_call_recording_clear(recording);
    ck_call_maybe_free(call);
}

/* ---- begin: engine, then file, then worker ---- */

struct begin {
    struct ck_calls *calls;
    uint64_t call;
    int side;
    uv_fs_t open;
    char context[CK_WORKER_CONTEXT_MAX];
    size_t context_size;
};

static void ask_worker(struct call *call, int side, const struct begin *begin, int fd)
{
    struct leg *leg = &call->legs[side];
    struct recording *recording = &leg->recording;
    struct ck_worker_message message = {
        .kind = CK_WORKER_RECORD_START,
        .record_start = {.leg = leg->id,
                         .recording = (uint64_t)recording->id,
                         .context = {(const uint8_t *)begin->context, begin->context_size}},
    };
    memcpy(message.record_start.key, recording->key, CK_KEY_SIZE);
    int error = ck_pool_send(call->calls->pool, call->worker, &message, fd);
    ck_wipe(message.record_start.key, CK_KEY_SIZE);
    if (error != 0) {
        abandon(call, side, EPIPE);
        return;
    }
    recording->state = RECORDING_ASKED;
    if (recording->stop) {
        ck_call_record_stop(call, side);
    }
}

static void on_opened(uv_fs_t *request)
{
    ck_cleanup(ck_freep) struct begin *begin = request->data;
    struct ck_calls *calls = begin->calls;
    ck_cleanup(ck_closep) int fd = request->result < 0 ? -1 : (int)request->result;
    int error = request->result < 0 ? (int)-request->result : 0;
    uv_fs_req_cleanup(request);
    calls->jobs--;
    struct call *call = ck_call_by_id(calls, begin->call);
    if (call == NULL) {
        ck_calls_maybe_stopped(calls);
        return;
    }
    const struct leg *leg = &call->legs[begin->side];
    if (error != 0) {
        abandon(call, begin->side, error);
    } else if (leg->state != LEG_CONNECTED && leg->state != LEG_AWAY) {
        abandon(call, begin->side, ECONNRESET);
    } else {
        ask_worker(call, begin->side, begin, fd);
    }
    ck_calls_maybe_stopped(calls);
}

/* Takes what the engine gave: {recording, key, file, context}. */
static int take_row(struct call *call, int side, struct begin *begin, const json_t *body)
{
    struct recording *recording = &call->legs[side].recording;
    const char *key = json_string_value(json_object_get(body, "key"));
    const char *file = json_string_value(json_object_get(body, "file"));
    const char *context = json_string_value(json_object_get(body, "context"));
    recording->id = json_integer_value(json_object_get(body, "recording"));
    if (recording->id == 0 || key == NULL || file == NULL || strchr(file, '/') != NULL ||
        ck_hex_decode(key, recording->key, CK_KEY_SIZE) != 0) {
        return EINVAL;
    }
    recording->has_key = true;
    if (context != NULL && strlen(context) <= sizeof begin->context) {
        begin->context_size = strlen(context);
        memcpy(begin->context, context, begin->context_size);
    }
    return asprintf(&recording->path, "%s/%s", call->calls->recording_dir, file) < 0 ? ENOMEM : 0;
}

static void on_begun(void *cookie, const struct ck_result *result)
{
    ck_cleanup(ck_freep) struct begin *begin = cookie;
    struct call *call = ck_call_by_id(begin->calls, begin->call);
    if (call == NULL) {
        return;
    }
    struct recording *recording = &call->legs[begin->side].recording;
    if (result->code != 0) {
        ck_log(CK_LOG_ERROR, "check-in %lld is not recorded: %s", (long long)call->checkin,
               result->refusal.message);
        ck_call_recording_clear(recording);
        ck_call_maybe_free(call);
        return;
    }
    int error = take_row(call, begin->side, begin, result->body);
    if (error == 0) {
        begin->open.data = begin;
        error = -uv_fs_open(call->calls->loop, &begin->open, recording->path,
                            O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, on_opened);
    }
    if (error != 0) {
        abandon(call, begin->side, error);
        return;
    }
    call->calls->jobs++;
    (void)ck_take(begin); /* on_opened() has it */
}

void ck_call_record_begin(struct call *call, int side)
{
    struct leg *leg = &call->legs[side];
    if (leg->recording.state != RECORDING_NONE || leg->state != LEG_CONNECTED ||
        leg->unrecordable) {
        return;
    }
    struct begin *begin = calloc(1, sizeof *begin);
    json_t *body = json_pack("{s:I, s:s, s:s}", "checkin", (json_int_t)call->checkin, "leg",
                             leg_names[side], "folder", call->calls->recording_dir);
    if (begin == NULL || body == NULL) {
        free(begin);
        json_decref(body);
        ck_log(CK_LOG_ERROR, "no memory to record check-in %lld", (long long)call->checkin);
        return;
    }
    *begin = (struct begin){.calls = call->calls, .call = call->id, .side = side};
    leg->recording.state = RECORDING_BEGINNING;
    struct ck_actor actor = ck_call_worker_actor(call);
    call->calls->ports.submit(call->calls->ports.context, "recording.begin", &actor, body, on_begun,
                              begin);
}

/* ---- the privacy pause ---- */

const char *const ck_call_pause_reasons[] = {"undress", "child", "other", NULL};

static void pause_one(struct call *call, int side)
{
    struct recording *recording = &call->legs[side].recording;
    bool on = call->pause != 0;
    if (recording->state != RECORDING_RUNNING || recording->paused == on) {
        return;
    }
    struct ck_worker_message message = {
        .kind = on ? CK_WORKER_RECORD_PAUSE : CK_WORKER_RECORD_RESUME,
        .record_pause = {.leg = call->legs[side].id, .reason = call->pause},
    };
    if (ck_pool_send(call->calls->pool, call->worker, &message, -1) == 0) {
        recording->paused = on;
        ck_call_submit(call->calls, "recording.paused", &call->legs[CK_CALL_PERSON].actor,
                       json_pack("{s:I, s:b, s:s}", "recording", (json_int_t)recording->id, "on",
                                 (int)on, "reason",
                                 on ? ck_call_pause_reasons[call->pause - 1] : ""));
    }
}

void ck_call_record_pause(struct call *call)
{
    for (int side = 0; side < LEGS; side++) {
        pause_one(call, side);
    }
    ck_call_tell_recording(call, call->pause == 0,
                           call->pause == 0 ? NULL : ck_call_pause_reasons[call->pause - 1]);
}

/* ---- end ---- */

void ck_call_record_stop(struct call *call, int side)
{
    struct leg *leg = &call->legs[side];
    struct recording *recording = &leg->recording;
    if (recording->state == RECORDING_BEGINNING) {
        recording->stop = true;
    } else if (recording->state == RECORDING_ASKED || recording->state == RECORDING_RUNNING) {
        struct ck_worker_message message = {.kind = CK_WORKER_RECORD_STOP,
                                            .record_stop = {.leg = leg->id}};
        if (ck_pool_send(call->calls->pool, call->worker, &message, -1) == 0) {
            recording->state = RECORDING_CLOSING;
        } /* else the worker is gone: ck_call_record_lost() follows */
    }
}

void ck_calls_stop_recordings(struct ck_calls *calls)
{
    for (struct call *call = calls->first; call != NULL; call = call->next) {
        for (int side = 0; side < LEGS; side++) {
            ck_call_record_stop(call, side);
        }
    }
}

void ck_call_record_lost(struct call *call, int side)
{
    struct recording *recording = &call->legs[side].recording;
    switch (recording->state) {
    case RECORDING_NONE:
        break;
    case RECORDING_BEGINNING:
        recording->stop = true; /* the file is opened or the row made just now; that callback sees
                                   the leg is gone */
        break;
    case RECORDING_ASKED:
    case RECORDING_RUNNING:
    case RECORDING_CLOSING:
        if (recording->state != RECORDING_CLOSING && call->mode != CALL_OVER) {
            ck_call_tell_recording(call, false, NULL);
        }
        ck_call_recover_file(call->calls, recording->id, recording->path, recording->key);
        ck_call_recording_clear(recording);
        break;
    }
}

/* ---- what the worker says ---- */

static void on_started(struct call *call, int side, const struct ck_worker_record_started *started)
{
    struct recording *recording = &call->legs[side].recording;
    struct ck_actor actor = ck_call_worker_actor(call);
    if (recording->state == RECORDING_ASKED) {
        recording->state = RECORDING_RUNNING;
    }
    recording->started = true;
    recording->wall_ms = (int64_t)started->wall_ms;
    ck_call_submit(call->calls, "recording.started", &actor,
                   json_pack("{s:I, s:I}", "recording", (json_int_t)recording->id, "wall_ms",
                             (json_int_t)started->wall_ms));
    if (call->pause != 0) {
        ck_call_record_pause(call); /* it was asked for while the file was being opened */
    } else if (side == CK_CALL_PERSON) {
        ck_call_tell_recording(call, true, NULL);
    }
    ck_call_advance(call);
}

static void on_head(struct call *call, const struct ck_worker_record_head *head)
{
    char hex[CK_HEX_SIZE(CK_WORKER_DIGEST_SIZE)];
    ck_hex_encode(head->head, CK_WORKER_DIGEST_SIZE, hex);
    static const char *const reasons[] = {"", "periodic", "suspended", "closed"};
    struct ck_actor actor = ck_call_worker_actor(call);
    ck_call_submit(call->calls, "recording.head", &actor,
                   json_pack("{s:I, s:s, s:I, s:I, s:s}", "recording", (json_int_t)head->recording,
                             "reason", head->reason < 4 ? reasons[head->reason] : "", "chunks",
                             (json_int_t)head->chunks, "bytes", (json_int_t)head->bytes, "head",
                             hex));
}

static void on_closed(struct call *call, int side, const struct ck_worker_record_closed *closed)
{
    struct recording *recording = &call->legs[side].recording;
    char hex[CK_HEX_SIZE(CK_WORKER_DIGEST_SIZE)];
    ck_hex_encode(closed->head, CK_WORKER_DIGEST_SIZE, hex);
    struct ck_actor actor = ck_call_worker_actor(call);
    ck_call_submit(call->calls, "recording.closed", &actor,
                   json_pack("{s:I, s:I, s:I, s:s, s:I, s:i, s:I, s:i}", "recording",
                             (json_int_t)recording->id, "chunks", (json_int_t)closed->chunks,
                             "bytes", (json_int_t)closed->bytes, "head", hex, "duration_ms",
                             (json_int_t)closed->duration_ms, "gaps", (int)closed->gaps, "gap_ms",
                             (json_int_t)closed->gap_ms, "error", (int)closed->error));
    if (side == CK_CALL_PERSON && closed->duration_ms > 0) {
        ck_call_thumbnail(call->calls, call->checkin, recording->id, recording->path,
                          recording->key, (int64_t)closed->duration_ms / 2);
        if (call->challenge_count > 0) { /* nobody of ours was there to see it */
            ck_call_measure(call->calls, call->checkin, recording->id, recording->path,
                            recording->key);
        }
    }
    bool ran = recording->state == RECORDING_RUNNING || recording->state == RECORDING_CLOSING;
    if (ran && call->mode != CALL_OVER) {
        ck_call_tell_recording(call, false, NULL); /* the call goes on without: the disk, the leg */
    }
    call->legs[side].unrecordable = closed->error != 0;
    ck_call_recording_clear(recording);
    ck_call_advance(call);
    ck_call_maybe_free(call);
}

static void on_failed(struct call *call, int side, int error)
{
    struct recording *recording = &call->legs[side].recording;
    submit_failed(call, recording->id, error);
    /* A leg that went before its first packet says nothing of the disk: the next one is recorded.
     */
    call->legs[side].unrecordable = error != ENODATA && error != ESRCH;
    if (!recording->started) { /* no RECORD_CLOSED follows */
        ck_call_recording_clear(recording);
        ck_call_advance(call);
        ck_call_maybe_free(call);
    }
}

void ck_call_record_message(struct call *call, int side, const struct ck_worker_message *message)
{
    switch (message->kind) {
    case CK_WORKER_RECORD_STARTED:
        on_started(call, side, &message->record_started);
        break;
    case CK_WORKER_RECORD_HEAD:
        on_head(call, &message->record_head);
        break;
    case CK_WORKER_RECORD_CLOSED:
        on_closed(call, side, &message->record_closed);
        break;
    case CK_WORKER_RECORD_FAILED:
        on_failed(call, side, (int)message->record_failed.error);
        break;
    default:
        break;
    }
}
