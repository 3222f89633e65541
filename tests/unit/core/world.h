/* A small world around an engine: a store in a folder of its own, time that is moved by hand,
 * randomness from a seed, channels that take everything (or do not), and health that is reported
 * every five seconds. */
#ifndef TESTS_UNIT_CORE_WORLD_H
#define TESTS_UNIT_CORE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/core/engine.h"
#include "daemon/store/store.h"
#include "tests/sim/fault_vfs.h"

#define WORLD_OUTPUTS_MAX 4096

struct world {
    char folder[64];
    char path[128];
    struct fault_vfs *disk; /* under the engine's own connection */
    int64_t fail_after; /* of its operations, one fails while the next engine is made; 0: none */
    const char *zone_dir;
    const json_t *started; /* what SYSTEM_STARTED of the next engine says; NULL: none */
    const struct ck_house_rules *rules; /* of the next engine; NULL: those by default */
    struct ck_registry registry;
    struct ck_engine *engine;
    struct ck_store *reader;
    struct ck_now now;
    struct ck_now *mirror; /* where a child tells what time it is; or NULL */
    uint64_t seed;
    uint64_t ticket;

    bool healthy;      /* report health */
    bool probe, relay; /* what is reported */
    bool channels_up;  /* answer "accepted" to what is to be sent; otherwise "refused" */
    bool mute;         /* answer nothing */
    struct ck_wall reported_at;

    struct ck_output outputs[WORLD_OUTPUTS_MAX]; /* everything since world_forget() */
    size_t output_count;
    struct ck_result result; /* of the last world_command() */

    int64_t unit, inspector, officer, supervisor, person, order;
};

/* Almaty, Saturday 21 November 2026, 09:00 local time. */
#define WORLD_START_MS INT64_C(1795233600000)

void world_open(struct world *world); /* with staff, a person and an order */
/* The same with the zones of a folder; the text must last. */
void world_open_zones(struct world *world, const char *zone_dir);
void world_close(
    struct world *world); /* One for each test, as its state: setup and teardown of cmocka. */
int world_setup(void **state);
int world_teardown(void **state);
/* removes the folder */

/* The key that the keys of its recordings lie under. */
void world_master_key(const struct world *world, uint8_t key[static CK_KEY_SIZE]);

/* Ends the engine without ceremony and starts another on the same store. */
void world_restart(struct world *world);

/* The same under another master key, with the one before beside it (NULL: none): the code of
 * ck_engine_create(). After a failure there is no engine until one of these succeeds. */
int world_restart_under(struct world *world, const uint8_t *key, const uint8_t *old);

/* One command and the turn that runs it; body is taken over. The code. */
int world_command(struct world *world, const char *name, const struct ck_actor *actor,
                  json_t *body);

/* One command that waits for the next turn; nobody waits for its answer. */
void world_queue(struct world *world, const char *name, const struct ck_actor *actor, json_t *body);
/* One turn of the engine, no more. */
void world_turn(struct world *world);

/* Runs everything up to and with `at`. */
void world_run_until(struct world *world, struct ck_wall at);
void world_run_for(struct world *world, int64_t ms);

void world_forget(struct world *world); /* the outputs so far */
int world_count(const struct world *world, enum ck_output_kind kind);
/* The newest output of a kind, or NULL. */
const struct ck_output *world_last(const struct world *world, enum ck_output_kind kind);

struct ck_actor world_staff(const struct world *world, int64_t staff, unsigned roles);
struct ck_actor world_person(const struct world *world, int64_t checkin);

/* A plan with one fixed time a day; its id. `overrides` (taken over, may be NULL) replaces members.
 */
int64_t world_plan(struct world *world, const char *start, json_t *overrides);

/* One more person of the same caseload, with an order like the first one's; world->person and
 * world->order are theirs from here on. */
void world_another_person(struct world *world);

/* One more member of staff of the unit, put in behind the engine's back; `login` has at least five
 * letters. The id. */
int64_t world_colleague(struct world *world, const char *login, int64_t roles, bool on_duty);

/* Changes the store behind the engine's back, between two turns. */
void world_execute(struct world *world, const char *sql);

/* How many records of an action the log has. */
int64_t world_records(struct world *world, const char *action);

/* The log is not empty, and nothing is wrong with it. */
void world_verify_log(struct world *world);

/* A number out of the store. */
int64_t world_number(struct world *world, const char *sql);
/* A text; static storage. "" for null. */
const char *world_text(struct world *world, const char *sql);

#endif
