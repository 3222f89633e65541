#include "daemon/core/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/clock_live.h"
#include "daemon/core/engine_impl.h"
#include "daemon/core/live_impl.h"
#include "daemon/core/rekey.h"
#include "daemon/core/reserve.h"
#include "daemon/core/zones.h"
#include "daemon/store/erase.h"
#include "daemon/store/health.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define COMMANDS_MAX_DEFAULT 4096
#define SCRUB_RETRY_MS 60000

/* ---- life ---- */

static int copy_options(struct ck_engine *engine, const struct ck_engine_options *options)
{
    engine->options = *options;
    engine->rules = options->rules == NULL ? ck_house_rules_default() : *options->rules;
    engine->options.rules = &engine->rules;
    memcpy(engine->master_key, options->master_key, sizeof engine->master_key);
    engine->store_path = strdup(options->store_path);
    engine->zone_dir = strdup(options->zone_dir);
    engine->options.store_path = engine->store_path;
    engine->options.zone_dir = engine->zone_dir;
    engine->options.master_key = engine->master_key;
    engine->options.old_master_key = NULL;
    engine->options.rekey = NULL;
    bool ok = engine->store_path != NULL && engine->zone_dir != NULL;
    for (size_t i = 0; i < options->webhook_count; i++) {
        engine->webhooks[i] = strdup(options->webhooks[i]);
        engine->options.webhooks[i] = engine->webhooks[i];
        ok = ok && engine->webhooks[i] != NULL;
    }
    engine->options.started = NULL;
    engine->started = options->started == NULL ? NULL : json_deep_copy(options->started);
    ok = ok && (options->started == NULL || engine->started != NULL);
    engine->waiting_max = options->commands_max == 0 ? COMMANDS_MAX_DEFAULT : options->commands_max;
    engine->waiting = calloc(engine->waiting_max, sizeof engine->waiting[0]);
    engine->zones = ck_zones_create(engine->zone_dir);
    return ok && engine->waiting != NULL && engine->zones != NULL ? 0 : -ENOMEM;
}

/* What must be in the log where the master key is another one than before. */
static int record_rekey(struct ck_engine *engine, const struct ck_rekey *rekey)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_now now = {.synchronised = false};
    struct ck_turn turn;
    if (engine->options.clock != NULL) {
        engine->options.clock(engine->options.user, &now);
    }
    ck_turn_init(&turn, engine, &now);
    int r = ck_turn_audit(
        &turn, &actor,
        &(struct ck_record){.action = "KEY_ROTATED",
                            .object = "setting",
                            .open = json_pack("{s:s, s:s, s:I}", "from", rekey->from, "to",
                                              rekey->to, "keys", (json_int_t)rekey->keys)});
    r = r == 0 ? ck_audit_flush(&engine->audit, engine->store) : r;
    ck_turn_deinit(&turn);
    return r;
}

/* Loads the log, and sees to it that the store lies under the master key. */
static int load_log(struct ck_engine *engine, const struct ck_engine_options *options)
{
    const struct ck_audit_random random = {options->random, options->user};
    struct ck_rekey rekey = {.rotated = false};
    int r = ck_store_begin(engine->store);
    if (r == 0) {
        r = ck_audit_load(&engine->audit, engine->store, &random);
    }
    r = r == 0 ? ck_rekey(engine->store, engine->master_key, options->old_master_key,
                          options->random, options->user, &rekey)
               : r;
    r = r == 0 && rekey.rotated ? record_rekey(engine, &rekey) : r;
    if (options->rekey != NULL) {
        *options->rekey = rekey;
    }
    if (r == 0) {
        r = ck_store_commit(engine->store);
    }
    engine->scrub = true; /* what an earlier life destroyed may still lie in the write-ahead log */
    if (r != 0) {
        ck_store_rollback(engine->store);
    }
    return r;
}

int ck_engine_create(struct ck_engine **out, const struct ck_engine_options *options)
{
    struct ck_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return -ENOMEM;
    }
    engine->wake_fd = -1;
    ck_queue_init(engine);
    int r = copy_options(engine, options);
    if (r == 0 && ck_house_rules_fault(&engine->rules) != NULL) {
        r = CK_E_INVALID;
    }
    if (r == 0) {
        r = ck_store_open(&engine->store, engine->store_path);
    }
    if (r == 0) {
        r = load_log(engine, options);
    }
    if (r == 0) {
        r = ck_roster_load(engine);
    }
    if (r != 0) {
        ck_engine_destroy(engine);
        return r;
    }
    *out = engine;
    return 0;
}

void ck_engine_destroy(struct ck_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    ck_engine_stop(engine);
    ck_store_close(engine->store);
    ck_queue_deinit(engine);
    ck_zones_destroy(engine->zones);
    json_decref(engine->roster);
    json_decref(engine->started);
    for (size_t i = 0; i < CK_ENGINE_WEBHOOKS_MAX; i++) {
        free(engine->webhooks[i]);
    }
    free(engine->store_path);
    free(engine->zone_dir);
    ck_wipe(engine->master_key, sizeof engine->master_key);
    free(engine);
}

void ck_engine_set_crash_point(struct ck_engine *engine,
                               void (*point)(void *user, const char *name), void *user)
{
    engine->crash_point = point;
    engine->crash_user = user;
}

static void crash_point(struct ck_engine *engine, const char *name)
{
    if (engine->crash_point != NULL) {
        engine->crash_point(engine->crash_user, name);
    }
}

int64_t ck_engine_lag_ms(const struct ck_engine *engine)
{
    return atomic_load(&engine->lag_ms);
}

void ck_engine_set_low(struct ck_engine *engine, bool low)
{
    atomic_store(&engine->low, low);
}

/* ---- one item ---- */

/* Failures of the store itself: no row is to blame, and nothing more can be written now. */
static bool store_failed(int r)
{
    return r == -ENOSPC || r == -EIO || r == -EBUSY || r == -EROFS || r == -EACCES || r == -ENOMEM;
}

static int decide_due(struct ck_turn *turn, const struct ck_due *due)
{
    static int (*const deciders[CK_DUE_KINDS])(struct ck_turn *, const struct ck_due *) = {
        [CK_DUE_CHECKIN] = ck_checkin_due, [CK_DUE_INCIDENT] = ck_incident_due,
        [CK_DUE_NOTICE] = ck_notice_due,   [CK_DUE_PLAN] = ck_plan_due,
        [CK_DUE_PERSON] = ck_person_due,   [CK_DUE_ABSENCE] = ck_absence_due,
        [CK_DUE_ORDER] = ck_order_due,     [CK_DUE_KEY] = ck_draw_key_due,
        [CK_DUE_PATH] = ck_path_due,       [CK_DUE_EXPIRY] = ck_expiry_due,
        [CK_DUE_HOLD] = ck_hold_due,       [CK_DUE_ZONE] = ck_zone_moving_due,
    };
    return ck_clock_waits(turn, due->kind) ? ck_clock_wait(turn, due)
                                           : deciders[due->kind](turn, due);
}

/* Takes a row out of the schedule. If even telling about it fails, it goes without. */
static int set_aside(struct ck_turn *turn, const struct ck_due *due, const char *reason)
{
    struct ck_turn_mark mark;
    int r = ck_turn_part(turn, &mark);
    if (r != 0) {
        return r;
    }
    r = ck_quarantine(turn, due, reason);
    if (r == 0) {
        return ck_turn_keep(turn);
    }
    int undone = ck_turn_undo(turn, &mark);
    if (undone != 0 || store_failed(r)) {
        return undone != 0 ? undone : r;
    }
    r = ck_store_quarantine(turn->store, due, turn->now.wall, reason);
    return r == CK_E_FENCED ? 0 : r;
}

static int run_due(struct ck_turn *turn, const struct ck_due *due)
{
    if (due->claims >= CK_ENGINE_CRASHES_MAX) {
        return set_aside(turn, due, "present at two crashes");
    }
    struct ck_turn_mark mark;
    int r = ck_turn_part(turn, &mark);
    if (r != 0) {
        return r;
    }
    r = decide_due(turn, due);
    if (r == 0) {
        return ck_turn_keep(turn);
    }
    int undone = ck_turn_undo(turn, &mark);
    if (undone != 0 || store_failed(r)) {
        return undone != 0 ? undone : r;
    }
    if (r == CK_E_FENCED) {
        return 0; /* somebody else has it now */
    }
    return set_aside(turn, due, ck_error_text(r));
}

/* A denial that cannot be recorded is not an ordinary denial. */
static int record_denial(struct ck_turn *turn, const struct ck_command *command,
                         struct ck_result *result)
{
    struct ck_turn_mark mark;
    if (!turn->denial.pending) {
        return 0;
    }
    int r = ck_turn_part(turn, &mark);
    if (r != 0) {
        return r;
    }
    r = ck_turn_record_denial(turn, &command->actor, command->name);
    if (r == 0) {
        return ck_turn_keep(turn);
    }
    int undone = ck_turn_undo(turn, &mark);
    if (undone != 0 || store_failed(r)) {
        return undone != 0 ? undone : r;
    }
    result->code = -EINVAL;
    return 0;
}

static int run_command(struct ck_turn *turn, const struct ck_waiting *waiting)
{
    const struct ck_command *command = &waiting->command;
    struct ck_result result = {.ticket = command->ticket};
    struct ck_turn_mark mark;
    int r = ck_turn_part(turn, &mark);
    if (r != 0) {
        return r;
    }
    turn->denial = (struct ck_denial){0};
    r = ck_reserve_check(turn, command->name, command->body, &result.refusal);
    if (r == 0) {
        r = waiting->handler(turn, &command->actor, command->body, &result.body, &result.refusal);
    }
    if (r == 0) {
        turn->roster_changed = turn->roster_changed || strncmp(command->name, "staff.", 6) == 0;
        r = ck_turn_keep(turn);
    } else {
        json_decref(ck_take(result.body));
        int undone = ck_turn_undo(turn, &mark);
        if (undone != 0 || store_failed(r)) {
            return undone != 0 ? undone : r;
        }
        result.code = r;
        r = record_denial(turn, command, &result);
    }
    if (r == 0 && command->ticket != 0) {
        r = ck_results_add(&turn->results, &result);
    }
    if (r != 0 || command->ticket == 0) {
        json_decref(result.body);
    }
    return r;
}

/* ---- one transaction ---- */

static int give(struct ck_turn *turn)
{
    if (turn->results.count == 0 && turn->outputs.count == 0) {
        return 0;
    }
    struct ck_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        return -ENOMEM;
    }
    batch->results = ck_take(turn->results.at);
    batch->result_count = turn->results.count;
    batch->outputs = ck_take(turn->outputs.at);
    batch->output_count = turn->outputs.count;
    turn->results = (struct ck_results){0};
    turn->outputs = (struct ck_outputs){0};
    ck_queue_give(turn->engine, batch);
    return 0;
}

/* What there is a record of from here on: what was not done before it was not left undone. */
static int note_start(struct ck_turn *turn)
{
    const struct ck_actor actor = ck_actor_system();
    return turn->engine->started == NULL
               ? 0
               : ck_turn_audit(turn, &actor,
                               &(struct ck_record){.action = "SYSTEM_STARTED",
                                                   .object = "system",
                                                   .open = json_deep_copy(turn->engine->started)});
}

static int decide_all(struct ck_turn *turn, const struct ck_due *due, size_t due_count,
                      const struct ck_waiting *taken, size_t taken_count)
{
    int r = note_start(turn);
    r = r == 0 ? ck_recovered(turn) : r;
    r = r == 0 ? ck_clock_look(turn) : r;
    r = r == 0 ? ck_reserve_note(turn) : r;
    /* What was due comes first: where an event is faster than its timer, the time counts for the
     * person. */
    for (size_t i = 0; r == 0 && i < due_count; i++) {
        r = run_due(turn, &due[i]);
    }
    for (size_t i = 0; r == 0 && i < taken_count; i++) {
        r = run_command(turn, &taken[i]);
    }
    return r == 0 ? ck_audit_flush(&turn->engine->audit, turn->store) : r;
}

/* What was destroyed leaves the write-ahead log as well; while somebody reads, a little later. */
static void scrub(struct ck_engine *engine, const struct ck_now *now, bool erased)
{
    engine->scrub = engine->scrub || erased;
    if (engine->scrub && (erased || !ck_wall_before(now->wall, engine->scrub_at))) {
        engine->scrub = ck_store_scrub(engine->store) != 0;
        engine->scrub_at = ck_wall_add_ms(now->wall, SCRUB_RETRY_MS);
    }
}

/* Decides these items in one transaction and hands out what came of it; on failure nothing
 * happened. */
static int transact(struct ck_engine *engine, const struct ck_now *now, const struct ck_due *due,
                    size_t due_count, const struct ck_waiting *taken, size_t taken_count)
{
    struct ck_turn turn;
    ck_turn_init(&turn, engine, now);
    const struct ck_audit before = engine->audit;
    int r = ck_store_begin(turn.store);
    if (r == 0) {
        r = decide_all(&turn, due, due_count, taken, taken_count);
    }
    if (r == 0) {
        crash_point(engine, "decided");
        r = ck_store_commit(turn.store);
    }
    if (r != 0) {
        ck_store_rollback(turn.store);
        engine->audit = before;
        ck_turn_deinit(&turn);
        return r;
    }
    crash_point(engine, "committed");
    engine->failing = false;
    json_decref(ck_take(engine->started));
    ck_clock_note(engine, now->wall);
    if (turn.low_changed) {
        engine->low_noted = turn.low_noted;
    }
    scrub(engine, now, turn.erased);
    /* A roster that cannot be read now is the one of before. */
    if (turn.roster_changed && ck_roster_load(engine) != 0) {
        turn.roster_changed = false;
    }
    r = give(&turn);
    ck_turn_deinit(&turn);
    crash_point(engine, "given");
    return r;
}

/* ---- a turn ---- */

static void note_late(struct ck_engine *engine, int64_t late_ms)
{
    if (late_ms > engine->worst_lag_ms) {
        engine->worst_lag_ms = late_ms;
    }
}

static void note_lag(struct ck_engine *engine, const struct ck_now *now)
{
    for (size_t i = 0; i < engine->due_count; i++) {
        note_late(engine, now->wall.ms - engine->due[i].at.ms);
    }
    atomic_store(&engine->lag_ms, engine->worst_lag_ms);
}

/* What an earlier life left behind. */
static int begin_life(struct ck_engine *engine, const struct ck_now *now)
{
    int r = ck_store_end_leases(engine->store, now->wall);
    if (r == 0) {
        r = ck_notice_lost(engine->store, now->wall);
    }
    r = r == 0 ? ck_health_begin(engine->store, now->wall) : r;
    r = r == 0 ? ck_clock_begin(engine) : r;
    engine->begun = r == 0;
    return r;
}

static int gather(struct ck_engine *engine, const struct ck_now *now)
{
    struct ck_wall lease_until = ck_wall_add_ms(now->wall, CK_ENGINE_LEASE_MS);
    int r = 0;
    if (engine->held) {
        r = ck_store_unclaim(engine->store, engine->due, engine->due_count);
        engine->held = r != 0;
    }
    if (r == 0 && !engine->begun) {
        r = begin_life(engine, now);
    }
    size_t waiting = ck_queue_waiting(engine);
    size_t commands = waiting < CK_ENGINE_COMMANDS_MAX ? waiting : CK_ENGINE_COMMANDS_MAX;
    if (r == 0) {
        engine->due_count = 0;
    }
    if (r == 0 && !ck_wall_before(now->wall, engine->next_due)) {
        r = ck_store_claim(engine->store, now->wall, lease_until, engine->due,
                           CK_ENGINE_ITEMS_MAX - commands, &engine->due_count);
    }
    size_t room = CK_ENGINE_ITEMS_MAX - (r == 0 ? engine->due_count : 0);
    bool suspect = r == 0 && engine->due_count == 1 && engine->due[0].claims > 0;
    /* A row that was there when we crashed is decided alone. */
    engine->taken_count = suspect ? 0 : ck_queue_take(engine, engine->taken, room);
    return r;
}

static void begin_failing(struct ck_engine *engine, const struct ck_now *since)
{
    if (!engine->failing) {
        engine->failing = true;
        engine->failing_since = *since;
        engine->alarmed_at = (struct ck_mono){INT64_MIN};
    }
}

void ck_engine_note_turn(struct ck_engine *engine, const struct ck_now *began,
                         const struct ck_now *ended)
{
    /* Whatever was decided in it, and whatever came meanwhile, was late by so much. */
    note_late(engine, (ended->mono.us - began->mono.us) / 1000);
    if (ended->mono.us - began->mono.us >= CK_ENGINE_STOOD_MS * INT64_C(1000)) {
        begin_failing(engine, began);
    }
}

/* Commands whose turn failed get the error; rows come again. */
static void give_up(struct ck_engine *engine, const struct ck_now *now, size_t first_due,
                    size_t first_command, int error)
{
    struct ck_turn turn;
    ck_turn_init(&turn, engine, now);
    for (size_t i = first_command; i < engine->taken_count; i++) {
        const struct ck_command *command = &engine->taken[i].command;
        struct ck_result result = {.ticket = command->ticket, .code = error};
        ck_refuse(&result.refusal, error, "", "nothing can be written now");
        if (command->ticket != 0) {
            (void)ck_results_add(&turn.results, &result);
        }
    }
    begin_failing(engine, now);
    if (engine->alarmed_at.us == INT64_MIN ||
        now->mono.us - engine->alarmed_at.us >= CK_ENGINE_ALARM_EVERY_MS * INT64_C(1000)) {
        engine->alarmed_at = now->mono;
        const struct ck_output alarm = {
            .kind = CK_OUTPUT_ALARM,
            .body = json_pack("{s:s, s:o}", "error", ck_error_text(error), "roster",
                              json_deep_copy(engine->roster)),
        };
        (void)ck_turn_output(&turn, &alarm);
    }
    (void)give(&turn);
    ck_turn_deinit(&turn);
    memmove(engine->due, engine->due + first_due,
            (engine->due_count - first_due) * sizeof engine->due[0]);
    engine->due_count -= first_due;
    engine->held = engine->due_count > 0;
}

/* After a turn that failed as a whole: each item by itself, so that one of them cannot stop the
 * others. */
static int each_alone(struct ck_engine *engine, const struct ck_now *now)
{
    int r = 0;
    size_t due = 0, command = 0;
    while (r == 0 && due < engine->due_count) {
        r = transact(engine, now, &engine->due[due], 1, NULL, 0);
        due += r == 0;
    }
    while (r == 0 && command < engine->taken_count) {
        r = transact(engine, now, NULL, 0, &engine->taken[command], 1);
        command += r == 0;
    }
    if (r != 0) {
        give_up(engine, now, due, command, r);
    }
    return r;
}

static int when_next(struct ck_engine *engine, const struct ck_now *now, struct ck_wall *next)
{
    *next = now->wall;
    if (ck_queue_waiting(engine) > 0) {
        return 0;
    }
    int r = ck_store_next_due(engine->store, &engine->next_due);
    if (r == 0 && ck_wall_before(now->wall, engine->next_due)) {
        *next = engine->next_due;
    }
    return r;
}

int ck_engine_turn(struct ck_engine *engine, const struct ck_now *now, struct ck_wall *next)
{
    int r = gather(engine, now);
    crash_point(engine, "claimed");
    if (r != 0) {
        give_up(engine, now, engine->held ? 0 : engine->due_count, 0, r);
    } else if (engine->due_count + engine->taken_count > 0 || engine->started != NULL ||
               ck_clock_is_back(engine, now->wall)) {
        engine->next_due = (struct ck_wall){0};
        note_lag(engine, now);
        r = transact(engine, now, engine->due, engine->due_count, engine->taken,
                     engine->taken_count);
        if (r != 0) {
            r = each_alone(engine, now);
        }
    }
    for (size_t i = 0; i < engine->taken_count; i++) {
        json_decref(ck_take(engine->taken[i].command.body));
    }
    engine->taken_count = 0;
    if (r == 0) {
        r = when_next(engine, now, next);
    }
    if (r != 0) {
        *next = ck_wall_add_ms(now->wall, CK_ENGINE_RETRY_MS);
    }
    return r;
}
