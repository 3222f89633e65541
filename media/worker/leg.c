#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/worker/clock.h"
#include "media/worker/log.h"
#include "media/worker/worker_impl.h"
#include "protocol/base/error.h"

/* --- calls
 * ------------------------------------------------------------------------------------------ */

struct call *call_find(struct worker *worker, uint64_t id)
{
    for (uint32_t i = 0; i < worker->calls_used; i++) {
        if (worker->calls[i].id == id) {
            return &worker->calls[i];
        }
    }
    return NULL;
}

/* A place for one more: one that became free, else the next that was never used. */
static struct call *free_place(struct worker *worker)
{
    struct call *call = call_find(worker, 0);
    if (call == NULL && worker->calls_used < worker->config.legs_max) {
        call = &worker->calls[worker->calls_used++];
    }
    return call;
}

struct call *call_make(struct worker *worker, uint64_t id)
{
    struct call *call = call_find(worker, id);
    if (call == NULL) {
        call = free_place(worker);
        if (call != NULL) {
            *call = (struct call){.id = id};
            worker->call_count++;
        }
    }
    return call;
}

void call_drop_empty(struct worker *worker, struct call *call)
{
    if (call->id != 0 && call->legs[0] == NULL && call->legs[1] == NULL) {
        call->id = 0;
        worker->call_count--;
        while (worker->calls_used > 0 && worker->calls[worker->calls_used - 1].id == 0) {
            worker->calls_used--;
        }
    }
}

static void call_leave(struct leg *leg)
{
    struct call *call = leg->call;
    leg->call = NULL;
    if (call != NULL) {
        call->legs[leg->role - 1] = NULL;
        call_drop_empty(leg->worker, call);
    }
}

/* When the leg wants service next. */
static void leg_due(struct leg *leg, int64_t at_us)
{
    struct worker *worker = leg->worker;
    worker->due_us[leg->slot] = at_us;
    if (at_us < worker->soonest_us) {
        worker->soonest_us = at_us;
    }
}

/* --- life
 * ------------------------------------------------------------------------------------------- */

struct leg *leg_find(struct worker *worker, uint64_t id)
{
    for (uint32_t slot = 0; slot < worker->slots_used; slot++) {
        if (worker->legs[slot] != NULL && worker->legs[slot]->id == id) {
            return worker->legs[slot];
        }
    }
    return NULL;
}

struct leg *leg_peer(const struct leg *leg)
{
    return leg->call == NULL ? NULL : leg->call->legs[leg->role == CK_WORKER_ROLE_PERSON ? 1 : 0];
}

int leg_create(struct worker *worker, uint64_t id, uint8_t role, struct call *call,
               struct leg **leg)
{
    uint32_t slot = 0;
    while (slot < worker->config.legs_max && worker->legs[slot] != NULL) {
        slot++;
    }
    if (slot == worker->config.legs_max) {
        return CK_E_LIMIT;
    }
    size_t packets = POOL_PACKETS_MIN + (size_t)POOL_PACKETS_PER_LEG * (worker->leg_count + 1);
    int error = ck_packet_pool_reserve(worker->pool, packets);
    if (error != 0) {
        return error;
    }
    struct leg *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->worker = worker;
    made->id = id;
    made->slot = slot;
    made->role = role;
    made->call = call;
    made->opened = worker->now;
    made->selected = CK_TUPLE_NONE;
    made->generation = worker->generations[slot]++;
    made->record.fd = -1;
    for (int kind = 0; kind < KINDS; kind++) {
        made->tracks[kind].leg = made;
        made->tracks[kind].kind = (enum kind)kind;
        made->tracks[kind].source = -1;
    }
    call->legs[role - 1] = made;
    worker->legs[slot] = made;
    leg_due(made, worker->now.us);
    worker->leg_count++;
    worker->handshake_count++;
    if (slot >= worker->slots_used) {
        worker->slots_used = slot + 1;
    }
    *leg = made;
    return CK_OK;
}

void leg_event(struct leg *leg, uint16_t event, uint32_t detail)
{
    struct ck_worker_message message = {
        .kind = CK_WORKER_LEG_EVENT,
        .leg_event = {.leg = leg->id,
                      .event = event,
                      .detail = detail,
                      .elapsed_ms = (uint32_t)((leg->worker->now.us - leg->opened.us) / 1000)},
    };
    ck_media_log(CK_WORKER_LOG_DEBUG, "leg %llu: %s (%u)", (unsigned long long)leg->id,
                 ck_worker_event_name(event), detail);
    worker_send(leg->worker, &message, false);
}

/* Everything but the leg itself and its recording. */
static void release(struct leg *leg)
{
    struct worker *worker = leg->worker;
    if (leg->state == LEG_WAITING || leg->state == LEG_HANDSHAKING) {
        worker->handshake_count--;
    }
    path_forget(leg);
    ck_dtls_destroy(leg->dtls);
    leg->dtls = NULL;
    worker->srtp->destroy(leg->in);
    worker->srtp->destroy(leg->out);
    leg->in = leg->out = NULL;
    for (int kind = 0; kind < KINDS; kind++) {
        ck_sender_deinit(&leg->tracks[kind].out);
    }
    call_leave(leg);
    leg->state = LEG_ENDING;
}

static void forget(struct leg *leg)
{
    struct worker *worker = leg->worker;
    worker->legs[leg->slot] = NULL;
    worker->due_us[leg->slot] = INT64_MAX;
    worker->leg_count--;
    while (worker->slots_used > 0 && worker->legs[worker->slots_used - 1] == NULL) {
        worker->slots_used--;
    }
    free(leg);
}

void leg_gone(struct leg *leg)
{
    leg_event(leg, CK_WORKER_EVENT_CLOSED, 0);
    forget(leg);
}

void leg_discard(struct leg *leg)
{
    release(leg);
    forget(leg);
}

void leg_end(struct leg *leg, uint16_t event)
{
    if (leg->state == LEG_ENDING) {
        return;
    }
    if (event != 0) {
        leg_event(leg, event, 0);
    }
    if (leg->dtls != NULL && leg->selected != CK_TUPLE_NONE) {
        ck_dtls_close(leg->dtls);
    }
    bool awaited = record_stop(leg);
    release(leg);
    leg->worker->due_us[leg->slot] = INT64_MAX;
    if (!awaited) {
        leg_gone(leg);
    }
}

void legs_abandon(struct worker *worker)
{
    for (uint32_t slot = 0; slot < worker->slots_used; slot++) {
        struct leg *leg = worker->legs[slot];
        if (leg == NULL) {
            continue;
        }
        if (leg->state != LEG_ENDING) {
            (void)record_stop(leg);
            release(leg);
        }
        worker->legs[slot] = NULL;
        free(leg);
    }
    worker->slots_used = 0;
}

/* --- time
 * ------------------------------------------------------------------------------------------- */

void leg_soon(struct leg *leg, int64_t in_us)
{
    int64_t at = leg->worker->now.us + in_us;
    if (at < leg->worker->due_us[leg->slot]) {
        leg_due(leg, at);
    }
}

/* Whether the leg has come to its end by silence. */
static bool check_silence(struct leg *leg)
{
    struct worker *worker = leg->worker;
    const struct ck_worker_durations *durations = &worker->config.durations;
    int64_t silent_us = worker->now.us - leg->last_check.us;
    if (!leg->checked) {
        silent_us = worker->now.us - leg->opened.us;
    }
    if (silent_us >= duration_us(durations->gone_ms, CK_WORKER_GONE_MS)) {
        leg_end(leg, CK_WORKER_EVENT_GONE);
        return true;
    }
    if (leg->state == LEG_HANDSHAKING &&
        worker->now.us - leg->first_check.us >=
            duration_us(durations->handshake_ms, CK_WORKER_HANDSHAKE_MS)) {
        leg_end(leg, CK_WORKER_EVENT_DTLS_FAILED);
        return true;
    }
    if (leg->state == LEG_CONNECTED && !leg->suspended &&
        silent_us >= duration_us(durations->suspend_ms, CK_WORKER_SUSPEND_MS)) {
        leg->suspended = true;
        leg_event(leg, CK_WORKER_EVENT_SUSPENDED, 0);
        record_head(leg, CK_WORKER_HEAD_SUSPENDED);
    }
    return false;
}

/* No picture, while the rest of the leg lives: the phone is locked, or another app has the camera.
 */
static void check_camera(struct leg *leg)
{
    struct worker *worker = leg->worker;
    if (leg->camera_stopped || leg->suspended || leg->tracks[VIDEO].source < 0) {
        return;
    }
    int64_t limit_us =
        duration_us(worker->config.durations.camera_stopped_ms, CK_WORKER_CAMERA_STOPPED_MS);
    if (worker->now.us - leg->camera_heard.us >= limit_us) {
        leg->camera_stopped = true;
        leg_event(leg, CK_WORKER_EVENT_CAMERA_STOPPED, 0);
    }
}

static void service_media(struct leg *leg)
{
    struct worker *worker = leg->worker;
    check_camera(leg);
    feedback_missing(leg);
    feedback_key_frame(leg);
    feedback_arrivals(leg);
    feedback_allowed(leg);
    record_service(leg);
    if (worker->now.us >= leg->report_due.us) {
        leg->report_due = ck_mono_add_us(worker->now, REPORT_MS * 1000);
        feedback_report(leg);
    }
    if (worker->now.us >= leg->stats_due.us) {
        feedback_stats(leg);
    }
}

void leg_service(struct leg *leg)
{
    struct worker *worker = leg->worker;
    if (leg->state == LEG_ENDING) {
        worker->due_us[leg->slot] = INT64_MAX;
        return;
    }
    leg_due(leg, worker->now.us + SERVICE_MS * 1000);
    if (check_silence(leg)) {
        return;
    }
    if (leg->state == LEG_HANDSHAKING) {
        leg_soon(leg, TICK_MS * 1000);
        path_handshake_state(leg, ck_dtls_tick(leg->dtls));
    } else if (leg->state == LEG_CONNECTED) {
        service_media(leg);
        relay_paced(leg);
        if (leg->tracks[AUDIO].missing.count + leg->tracks[VIDEO].missing.count > 0) {
            leg_soon(leg, TICK_MS * 1000);
        }
    }
}
