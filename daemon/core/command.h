/* Commands: how everything that changes something reaches the engine.
 *
 * The loop thread (pages, workers, gateways) makes a ck_command and submits it (engine.h); the
 * engine thread runs the handler registered under its name inside the transaction of its turn, and
 * after the commit hands back one ck_result with the command's ticket, then the outputs of the turn
 * in their order. Every value is owned by exactly one side: whoever holds a struct with json_t in
 * it frees it. jansson's reference counts are not shared between the threads: a body given away is
 * never touched again by the giver.
 *
 * A handler that fails changes nothing: it runs between savepoints. A handler may be run again
 * after a failed turn, so it does nothing outside the store and the ck_turn_* functions.
 *
 * Reads of a person's data are commands too ("read.person" and the like): the handler checks the
 * right and appends the READ record; only then does the caller query a reader connection. */
#ifndef DAEMON_CORE_COMMAND_H
#define DAEMON_CORE_COMMAND_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "protocol/base/digest.h"
#include "protocol/base/time.h"

struct ck_house_rules;
struct ck_store;
struct ck_turn;

/* ---- who ---- */

enum ck_actor_kind {
    CK_ACTOR_SYSTEM = 1, /* the daemon itself */
    CK_ACTOR_STAFF = 2,
    CK_ACTOR_PERSON = 3,
    CK_ACTOR_GATEWAY = 4, /* what comes back from a channel: results and receipts of notices */
    CK_ACTOR_WORKER = 5,  /* a media or render worker */
};

enum ck_role {
    CK_ROLE_INSPECTOR = 1,
    CK_ROLE_OFFICER = 2,
    CK_ROLE_SUPERVISOR = 4,
    CK_ROLE_ADMINISTRATOR = 8,
};

#define CK_COVERS_MAX 8      /* inspectors that one may stand in for; one more is CK_E_LIMIT */
#define CK_OPENED_MAX 3      /* cases outside the own caseload that one has open at once */
#define CK_PEER_TEXT_SIZE 64 /* an address with port as text, and its zero */

/* Who does something. Ids that do not apply are 0. Filled by whoever authenticated the actor. */
struct ck_actor {
    enum ck_actor_kind kind;
    unsigned roles; /* CK_ROLE_* of a staff member */
    int64_t staff_id;
    int64_t person_id;
    int64_t unit_id;               /* the staff member's or the person's */
    int64_t session_id;            /* row of `session` */
    int64_t checkin_id;            /* the check-in that a person's link is bound to */
    int64_t covers[CK_COVERS_MAX]; /* inspectors whose caseload is with this one; the rest is 0 */
    int64_t opened[CK_OPENED_MAX]; /* persons whose case they opened for a while, to read */
    char peer[CK_PEER_TEXT_SIZE];
};

/* The daemon itself. */
static inline struct ck_actor ck_actor_system(void)
{
    return (struct ck_actor){.kind = CK_ACTOR_SYSTEM};
}

/* ---- the values that cross the threads ---- */

struct ck_command {
    const char *name; /* a literal or otherwise permanent text: "person.create" */
    struct ck_actor actor;
    json_t *body;    /* an object; owned */
    uint64_t ticket; /* chosen by the submitter; comes back in the result. 0: no result wanted */
};

#define CK_REFUSAL_FIELD_SIZE 64
#define CK_REFUSAL_MESSAGE_SIZE 200

/* Why a command was refused: `field` is the JSON path of the member at fault or "", `message`
 * English for developers. Never a secret in it. */
struct ck_refusal {
    char field[CK_REFUSAL_FIELD_SIZE];
    char message[CK_REFUSAL_MESSAGE_SIZE];
};

struct ck_result {
    uint64_t ticket;
    int code;     /* 0; enum ck_error; or -errno: nothing was decided, -ENOSPC for a full disk */
    json_t *body; /* what the handler returned, an object or NULL; owned */
    struct ck_refusal refusal;
};

/* Fills *refusal and returns `code`, so that a handler can `return ck_refuse(refusal, CK_E_INVALID,
 * …)`. */
int ck_refuse(struct ck_refusal *refusal, int code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- outputs: what happens outside, after the commit ---- */

enum ck_output_kind {
    /* Something in GET /api/today changed for whoever sees this unit or this inspector's caseload.
     * ids: unit, staff (inspector), person, checkin, incident as far as they apply. */
    CK_OUTPUT_TODAY = 1,
    /* Send this notice; answer with command "notice.result". id: notice.
     * body: {reference, channel, template, to, language, unit, severity, due, incident, checkin,
     * link_path, try, ...}; see daemon/core/DESIGN.md. The link's token is in the body and nowhere
     * else: never log a body. */
    CK_OUTPUT_SEND = 2,
    /* A person waits: ring the consoles of whoever may take the check-in. body: {since} */
    CK_OUTPUT_RING = 3,
    /* body: {reason: "taken" | "gone" | "unattended", by: staff id or absent} */
    CK_OUTPUT_RING_STOP = 4,
    /* The check-in of a person changed: send `hello` to the person's sockets. body: {state,
       outcome?} */
    CK_OUTPUT_PERSON_STATE = 5,
    /* Nobody took the live check-in: go on unattended. body: {challenges: [{number, kind, digits?,
       seconds}]} */
    CK_OUTPUT_START_UNATTENDED = 6,
    /* The call of this check-in must end now. body: {reason} */
    CK_OUTPUT_END_CALL = 7,
    /* This incident changed: tell the consoles that see it. */
    CK_OUTPUT_INCIDENT = 9,
    /* Close the sockets of this session. ids: session */
    CK_OUTPUT_SESSION_REVOKED = 10,
    /* A message: push it to the other side's sockets. body: as the handler made it */
    CK_OUTPUT_MESSAGE = 11,
    /* Delivered or read marks of a thread. body: {mark: "delivered" | "read", up_to, by: "person" |
       "staff"} */
    CK_OUTPUT_MESSAGE_MARK = 12,
    /* Nothing can be written: tell the duty roster from memory. Comes without any commit.
     * body: {error, roster: [{staff, name, email, phone, language, unit}]} */
    CK_OUTPUT_ALARM = 13,
    /* The answer that a person sees is final: body {result, receipt}. */
    CK_OUTPUT_ENDED = 14,
    /* The key of a recording is destroyed: remove its file, then answer with "recording.file_gone".
     * id: recording. body: {file}. Comes again until it is answered. */
    CK_OUTPUT_ERASE_FILE = 15,
    /* The store can be written again, after CK_OUTPUT_ALARM or a turn in which it stood still.
     * body: {from, lasted_ms} */
    CK_OUTPUT_ALARM_OVER = 16,
    /* Nobody whom this incident's ladder names can be reached: tell every console of the unit, and
     * the duty roster from memory. ids: unit, incident. body: {reference, path, roster: as
     * CK_OUTPUT_ALARM}
     */
    CK_OUTPUT_NOBODY_REACHED = 17,
};

struct ck_output {
    enum ck_output_kind kind;
    int64_t id; /* of what the kind names */
    int64_t unit_id, staff_id, person_id, checkin_id, incident_id, session_id;
    json_t *body; /* an object or NULL; owned by whoever holds the output */
};

/* ---- handlers ---- */

/* Runs one command. `body` is an object (checked by the engine). On success *result may be set to
 * an object that goes back. Returns 0, an enum ck_error with *refusal filled, or -errno (the turn
 * fails). */
typedef int ck_handler(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal);

struct ck_handler_entry {
    const char *name;
    ck_handler *handler;
};

#define CK_HANDLERS_MAX 256

/* All handlers by name. Filled before the engine starts, constant afterwards. */
struct ck_registry {
    struct ck_handler_entry entries[CK_HANDLERS_MAX];
    size_t count;
};

/* Adds `count` entries (copied; names stay the caller's, permanent). A name given twice or more
 * than CK_HANDLERS_MAX is our own mistake: it aborts. */
void ck_registry_add(struct ck_registry *registry, const struct ck_handler_entry *entries,
                     size_t count);

/* NULL where nobody registered the name. */
ck_handler *ck_registry_find(const struct ck_registry *registry, const char *name);

/* ---- what a handler may use (engine thread, inside its turn) ---- */

/* The turn's time: the same for everything in one turn. */
struct ck_wall ck_turn_now(const struct ck_turn *turn);

/* Unpredictable bytes (the simulator injects its own). Never fails. */
void ck_turn_random(struct ck_turn *turn, void *bytes, size_t size);

/* The writing connection; only store functions take it. */
struct ck_store *ck_turn_store(struct ck_turn *turn);

/* The master key that keys in the store are wrapped with. Never copied into a row, log or body. */
const uint8_t *ck_turn_master_key(const struct ck_turn *turn);

/* One record of the audit log, appended in this transaction. `action` is upper case with
 * underscores
 * ("PERSON_CREATED", protocol/log.md lists them all), `object` a kind of row ("person", "order",
 * "plan", "checkin", "incident", "notice", "staff", "session", "message", "recording", "setting").
 * `person_id`: whose data it concerns, 0 for nobody's; that person's salt makes the pseudonyms.
 * `open` goes into the leaf readable for ever: enumerations, counts, versions and times, never a
 * name, text, number of a document or an address. `sealed` goes in as salted commitments, one per
 * member, the plaintext beside it, erasable. All may be NULL; all references are taken over, also
 * on failure. No secret (password, token, key) belongs in either. No real numbers (JSON reals are
 * refused). */
struct ck_record {
    const char *action;
    const char *object;
    int64_t object_id;
    int64_t person_id;
    const char *result; /* "ok", "denied", "failed"; NULL means "ok" */
    json_t *open;
    json_t *sealed;
    json_t *withheld; /* committed to like `sealed`, but only the salt lies beside the leaf: the
                         plaintext is kept sealed elsewhere (messages, photos) */
    int64_t *index;   /* filled with its number; may be NULL */
};

/* 0, CK_E_LIMIT (leaf above 4 KiB), CK_E_INVALID (a real number), -errno. */
int ck_turn_audit(struct ck_turn *turn, const struct ck_actor *actor,
                  const struct ck_record *record);

/* Queues an output for after the commit; output->body is taken over, also on failure. -ENOMEM. */
int ck_turn_output(struct ck_turn *turn, const struct ck_output *output);

/* ---- what other folders' handlers may have done by the engine ---- */

/* Whether there are tables for a time zone of this name ("Asia/Almaty"). */
bool ck_turn_zone_known(struct ck_turn *turn, const char *name);

/* The house rules that the engine was given. */
const struct ck_house_rules *ck_turn_rules(const struct ck_turn *turn);

/* The handler of another command, to be run in this transaction with a body of its own making; NULL
 * where nobody registered the name. */
ck_handler *ck_turn_handler(const struct ck_turn *turn, const char *name);

/* Ends every plan of an order that has ended, in the same transaction: check-ins that have not
 * begun are waived. For the handler of "order.end". */
int ck_order_finish_plans(struct ck_turn *turn, const struct ck_actor *actor, int64_t order,
                          const char *reason);

/* After an order of a person began or ended, or a person was entered: what is kept of them begins
 * to have its time, or no longer does, in the same transaction. */
int ck_retention_person(struct ck_turn *turn, int64_t person);

/* There may be more of the staff's time in a unit than before: a leave that is taken back, a shift,
 * somebody new. Its check-ins ahead that have not the time of their inspector are asked for again,
 * each plan's in a turn of its own. */
int ck_capacity_more(struct ck_turn *turn, int64_t unit);

/* ---- denial, in one form ---- */

/* Appends a DENIED record that survives the refusal (it is written after the rollback to the
 * command's savepoint), fills *refusal and returns CK_E_DENIED. `why` is a short fixed text. */
int ck_turn_deny(struct ck_turn *turn, const struct ck_actor *actor, const char *object,
                 int64_t object_id, int64_t person_id, const char *why, struct ck_refusal *refusal);

/* The same with a code of the caller's, for what is refused and belongs into the log: `field` as
 * for ck_refuse(). Returns `code`. */
int ck_turn_refuse(struct ck_turn *turn, int code, const char *field, const char *object,
                   int64_t object_id, int64_t person_id, const char *why,
                   struct ck_refusal *refusal);

#endif
