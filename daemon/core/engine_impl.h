/* The engine from inside. */
#ifndef DAEMON_CORE_ENGINE_IMPL_H
#define DAEMON_CORE_ENGINE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/audit/audit.h"
#include "daemon/core/engine.h"
#include "daemon/store/store.h"
#include "scheduler/checkin.h"
#include "scheduler/incident.h"

/* A list that grows. */
struct ck_outputs {
    struct ck_output *at;
    size_t count, capacity;
};

struct ck_results {
    struct ck_result *at;
    size_t count, capacity;
};

/* A refusal that is to be recorded although its command changes nothing. */
struct ck_denial {
    bool pending;
    const char *object;
    int64_t object_id;
    int64_t person_id;
    const char *why;
};

/* One turn, or one item alone after a turn that failed. */
struct ck_turn {
    struct ck_engine *engine;
    struct ck_store *store;
    struct ck_now now;
    struct ck_outputs outputs;
    struct ck_results results;
    struct ck_denial denial;
    bool roster_changed;
    bool low_changed; /* what the log says of the disk's room, once this turn is committed */
    bool low_noted;
    bool erased;     /* something was destroyed: the write-ahead log is scrubbed */
    int64_t backlog; /* check-ins that piled up while nothing ran; -1: not counted yet */
};

/* What a part of a turn may have to take back: from ck_turn_part() on to ck_turn_keep(), or to
 * ck_turn_undo(), after which nothing of it happened. They lie in each other, two deep at the most.
 */
struct ck_turn_mark {
    struct ck_audit audit;
    size_t outputs;
    bool roster_changed;
};
int ck_turn_part(struct ck_turn *turn, struct ck_turn_mark *mark);
int ck_turn_keep(struct ck_turn *turn);
int ck_turn_undo(struct ck_turn *turn, const struct ck_turn_mark *mark);

/* A waiting command. */
struct ck_waiting {
    struct ck_command command;
    ck_handler *handler;
};

#define CK_POLICY_CACHE_SIZE 64

struct ck_engine {
    struct ck_engine_options options;
    uint8_t master_key[CK_KEY_SIZE];
    struct ck_house_rules rules;
    char *store_path;
    char *zone_dir;
    char *webhooks[CK_ENGINE_WEBHOOKS_MAX];
    struct ck_store *store;
    struct ck_audit audit;
    struct ck_zones *zones;

    /* Policies never change, so that what was read stays true. Slots by id. */
    struct {
        int64_t id;
        struct ck_checkin_policy policy;
    } checkin_policies[CK_POLICY_CACHE_SIZE];
    struct {
        int64_t id;
        struct ck_ladder ladder;
    } ladders[CK_POLICY_CACHE_SIZE];

    /* What a turn works on. */
    struct ck_due due[CK_ENGINE_ITEMS_MAX];
    size_t due_count;
    bool begun;              /* the first turn has been */
    json_t *started;         /* what SYSTEM_STARTED says; NULL once it is in the log */
    struct ck_wall latest;   /* of the newest turn that was committed; see clock_live.h */
    bool held;               /* `due` was claimed by a turn that failed */
    struct ck_wall next_due; /* nothing is due before it; 0 where that has to be looked up */
    struct ck_waiting taken[CK_ENGINE_ITEMS_MAX];
    size_t taken_count;

    json_t *roster; /* who is alarmed when nothing can be written; under the lock */
    bool failing;   /* the store refused the last turn, or stood still in it */
    struct ck_now failing_since;
    struct ck_mono alarmed_at;
    int64_t worst_lag_ms;        /* since the last health report; engine thread */
    struct ck_mono zones_looked; /* when the folder of the zones was looked at; 0: not yet */
    struct ck_wall cleaned_at;   /* when rows that are over were last removed */
    int64_t paths_after;         /* how far contact paths are looked for; 0: between two rounds */
    struct ck_wall paths_at;     /* when the last round ended */
    atomic_int_fast64_t lag_ms;
    atomic_int_fast64_t moved_us; /* when the thread last began or ended a turn; 0: none runs */
    atomic_int thread_id;
    atomic_bool low;         /* less room on the disk than the reserve */
    bool low_noted;          /* what the log says of it */
    bool scrub;              /* something destroyed may still lie in the write-ahead log … */
    struct ck_wall scrub_at; /* … which is tried to be emptied then */

    /* Between the threads. */
    pthread_mutex_t lock;
    struct ck_waiting *waiting; /* ring of waiting_max */
    size_t waiting_max, waiting_first, waiting_count;
    struct ck_batch *batches, **batches_end;
    pthread_t thread;
    bool running, stopping;
    int wake_fd;

    void (*crash_point)(void *user, const char *name);
    void *crash_user;
};

void ck_turn_init(struct ck_turn *turn, struct ck_engine *engine, const struct ck_now *now);
void ck_turn_deinit(struct ck_turn *turn);

/* Writes the DENIED record of a pending denial. */
int ck_turn_record_denial(struct ck_turn *turn, const struct ck_actor *actor, const char *command);

/* Drops outputs that were queued after there were `count`. */
void ck_outputs_cut(struct ck_outputs *outputs, size_t count);
int ck_results_add(struct ck_results *results, const struct ck_result *result);

/* queue.c: the two queues between the threads. */
void ck_queue_init(struct ck_engine *engine);
void ck_queue_deinit(struct ck_engine *engine);
size_t ck_queue_take(struct ck_engine *engine, struct ck_waiting *taken, size_t capacity);
size_t ck_queue_waiting(struct ck_engine *engine);
void ck_queue_give(struct ck_engine *engine, struct ck_batch *batch);

/* roster.c: the duty roster in memory, for the alarm that needs no store. */
int ck_roster_load(struct ck_engine *engine);

#endif
