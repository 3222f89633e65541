/* The engine: decides, and is the only writer of the store. DESIGN.md beside this file lists every
 * command and every output with its body.
 *
 * Life: ck_engine_create(), then either ck_engine_start() for a thread of its own, or
 * ck_engine_turn() called directly by a simulator with its own time. Commands are submitted from
 * the loop thread, batches are taken by it. */
#ifndef DAEMON_CORE_ENGINE_H
#define DAEMON_CORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/command.h"
#include "daemon/core/rekey.h"
#include "daemon/core/rules.h"
#include "protocol/base/digest.h"
#include "protocol/base/time.h"

#define CK_ENGINE_ITEMS_MAX 256    /* commands and due rows of one turn */
#define CK_ENGINE_COMMANDS_MAX 192 /* of them commands, while rows are due */
#define CK_ENGINE_LEASE_MS 30000   /* a claim that has not ended by then is up for others */
#define CK_ENGINE_RETRY_MS 1000    /* after a store that refused, until the next try */
#define CK_ENGINE_ALARM_EVERY_MS                                                                   \
    300000                       /* while the store refuses, the roster is alarmed so often */
#define CK_ENGINE_STOOD_MS 10000 /* a turn that took longer: the store stood still for so long */
#define CK_ENGINE_CRASHES_MAX 2  /* a row present at so many crashes is quarantined */
#define CK_ENGINE_WEBHOOKS_MAX 8
#define CK_ENGINE_NAME_SIZE 64

/* One reading of the clocks. */
struct ck_now {
    struct ck_wall wall;
    struct ck_mono mono;
    bool synchronised;
};

/* What happened in a turn, in order: first the results of its commands, then the outputs. Owned by
 * whoever holds it; free with ck_batch_free(). */
struct ck_batch {
    struct ck_result *results;
    size_t result_count;
    struct ck_output *outputs;
    size_t output_count;
    struct ck_batch *next;
};

void ck_batch_free(struct ck_batch *batch);

struct ck_engine_options {
    const char *store_path;             /* a file, or a URI of SQLite */
    const struct ck_registry *registry; /* outlives the engine */
    const uint8_t *master_key;          /* CK_KEY_SIZE bytes, copied; wiped at the end */
    const uint8_t *old_master_key;      /* the one before, or NULL; not kept */
    struct ck_rekey *rekey;             /* filled, also on failure; may be NULL */
    const char *zone_dir;               /* of the TZif files: CK_ZONE_DIR */
    size_t commands_max;                /* waiting at once; one more is CK_E_BUSY. 0: 4096 */
    unsigned channels;                  /* mask of CK_CHANNEL_BIT that are configured */
    bool sms_receipts;                  /* the SMS gateway tells about delivery */
    bool voice_receipts;                /* the voice gateway tells about keys pressed */
    const char *webhooks[CK_ENGINE_WEBHOOKS_MAX]; /* names of the configured webhooks */
    size_t webhook_count;
    const struct ck_house_rules *rules; /* copied; NULL: the product's own */
    /* What SYSTEM_STARTED says, which is the first record of this life, before anything that falls
     * due in its first turn: {version, build: SHA-256 of the program, synchronised, offset_us}.
     * Copied; NULL: there is none. */
    const json_t *started;

    /* Unpredictable bytes. */
    void (*random)(void *user, void *bytes, size_t size);
    /* Only for ck_engine_start(): reads the clocks, on the engine thread. */
    void (*clock)(void *user, struct ck_now *now);
    /* Called on the thread that runs turns, after a batch was queued: wakes the loop. */
    void (*wake)(void *user);
    void *user;
};

struct ck_engine;

/* Opens the store (creating and migrating it), loads the head of the log and ends the leases of an
 * earlier life. Where the master key is another one than before, every key in the store is wrapped
 * anew (rekey.h). Errors of ck_store_open() and ck_rekey(); CK_E_INVALID: the house rules are not
 * sound. */
int ck_engine_create(struct ck_engine **engine, const struct ck_engine_options *options);

/* Stops the thread if it runs, and frees everything. NULL is taken. */
void ck_engine_destroy(struct ck_engine *engine);

/* Runs turns on a thread of its own until ck_engine_stop(). -errno. */
int ck_engine_start(struct ck_engine *engine);

/* Ends after the turn that goes on now and waits for the thread; commands still waiting get no
 * result. */
void ck_engine_stop(struct ck_engine *engine);

/* Queues a command; any thread. On 0 the body is the engine's. CK_E_BUSY where the queue is full,
 * CK_E_NOT_FOUND where no handler has this name; then the body is still the caller's. */
int ck_engine_submit(struct ck_engine *engine, const struct ck_command *command);

/* Everything since the last call, oldest first, or NULL. One thread. */
struct ck_batch *ck_engine_take(struct ck_engine *engine);

/* One turn at `now`: at most CK_ENGINE_ITEMS_MAX commands and due rows, in one transaction. *next
 * is when the following one is to run: `now` where more is waiting. 0, or the error that kept the
 * store from being written; then nothing was decided, and due rows come again. Not while a thread
 * runs. */
int ck_engine_turn(struct ck_engine *engine, const struct ck_now *now, struct ck_wall *next);

/* How late decisions were at the worst since the last call, in milliseconds; any thread. */
int64_t ck_engine_lag_ms(const struct ck_engine *engine);

/* For how long the engine's thread has neither begun nor ended a turn, in milliseconds; 0 where
 * none runs. While health is reported (every two seconds) it is never long unless a turn does not
 * end. */
int64_t ck_engine_silent_ms(const struct ck_engine *engine, struct ck_mono now);

/* Whether the engine's thread waits for a device at this moment ("D" of proc(5)): so it looks while
 * the disk under the store stands still, and never while it goes round in circles or waits for a
 * lock. false where that is not known. Any thread. */
bool ck_engine_waits_for_disk(const struct ck_engine *engine);

/* A new array of whoever is alarmed when nothing can be written: [{staff, name, email, phone,
 * language, unit}]. NULL where memory is short. Any thread. */
json_t *ck_engine_roster(struct ck_engine *engine);

/* A turn that began and ended so: what was decided in it, or came meanwhile, was late by its
 * length; where it took CK_ENGINE_STOOD_MS or longer, the next one records that the store stood
 * still, as after one that refused. For whoever runs turns, after each. */
void ck_engine_note_turn(struct ck_engine *engine, const struct ck_now *began,
                         const struct ck_now *ended);

/* Whether there is less room on the disk than the reserve: then recordings, administration and
 * ordinary reads stop (reserve.h). Any thread. */
void ck_engine_set_low(struct ck_engine *engine, bool low);

/* For the simulator: what becomes of the process at a point of the turn. Called with the name of
 * the point; may not return. NULL: nothing. */
void ck_engine_set_crash_point(struct ck_engine *engine,
                               void (*point)(void *user, const char *name), void *user);

/* The handlers of this folder: check-ins, incidents, notices, plans, links, recordings, health. */
void ck_core_register(struct ck_registry *registry);

#endif
