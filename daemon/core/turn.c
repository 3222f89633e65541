#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/engine_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/array.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

void ck_turn_init(struct ck_turn *turn, struct ck_engine *engine, const struct ck_now *now)
{
    *turn = (struct ck_turn){.engine = engine, .store = engine->store, .now = *now, .backlog = -1};
}

void ck_turn_deinit(struct ck_turn *turn)
{
    ck_outputs_cut(&turn->outputs, 0);
    free(turn->outputs.at);
    for (size_t i = 0; i < turn->results.count; i++) {
        json_decref(turn->results.at[i].body);
    }
    free(turn->results.at);
}

/* ---- parts ---- */

int ck_turn_part(struct ck_turn *turn, struct ck_turn_mark *mark)
{
    mark->audit = turn->engine->audit;
    mark->outputs = turn->outputs.count;
    mark->roster_changed = turn->roster_changed;
    return ck_store_savepoint(turn->store);
}

int ck_turn_keep(struct ck_turn *turn)
{
    return ck_store_release(turn->store);
}

int ck_turn_undo(struct ck_turn *turn, const struct ck_turn_mark *mark)
{
    turn->engine->audit = mark->audit;
    turn->roster_changed = mark->roster_changed;
    ck_outputs_cut(&turn->outputs, mark->outputs);
    return ck_store_undo(turn->store);
}

/* ---- what handlers may ask for ---- */

struct ck_wall ck_turn_now(const struct ck_turn *turn)
{
    return turn->now.wall;
}

void ck_turn_random(struct ck_turn *turn, void *bytes, size_t size)
{
    turn->engine->options.random(turn->engine->options.user, bytes, size);
}

struct ck_store *ck_turn_store(struct ck_turn *turn)
{
    return turn->store;
}

const uint8_t *ck_turn_master_key(const struct ck_turn *turn)
{
    return turn->engine->master_key;
}

bool ck_turn_zone_known(struct ck_turn *turn, const char *name)
{
    const struct ck_zone *zone = NULL;
    return ck_zones_find(turn->engine->zones, name, &zone) == 0;
}

const struct ck_house_rules *ck_turn_rules(const struct ck_turn *turn)
{
    return &turn->engine->rules;
}

ck_handler *ck_turn_handler(const struct ck_turn *turn, const char *name)
{
    return ck_registry_find(turn->engine->options.registry, name);
}

/* ---- the log ---- */

static const char *actor_kind_name(enum ck_actor_kind kind)
{
    switch (kind) {
    case CK_ACTOR_STAFF:
        return "staff";
    case CK_ACTOR_PERSON:
        return "person";
    case CK_ACTOR_GATEWAY:
        return "gateway";
    case CK_ACTOR_WORKER:
        return "worker";
    case CK_ACTOR_SYSTEM:
        break;
    }
    return "system";
}

/* Members of `open` that name another row. */
static const struct {
    const char *member;
    const char *kind;
} references[] = {
    {"absence", "absence"}, {"approval", "approval"},
    {"approver", "staff"},  {"blackout", "blackout"},
    {"by", "staff"},        {"checkin", "checkin"},
    {"device", "device"},   {"incident", "incident"},
    {"inspector", "staff"}, {"message", "message"},
    {"next", "plan"},       {"notice", "notice"},
    {"of", "checkin"},      {"order", "order"},
    {"plan", "plan"},       {"policy", "policy"},
    {"proposer", "staff"},  {"recording", "recording"},
    {"replaces", "plan"},   {"requirement", "requirement"},
    {"reserved", "staff"},  {"session", "session"},
    {"other", "checkin"},   {"shift", "shift"},
    {"staff", "staff"},     {"shifts", "shift"},
    {"unit", "unit"},
};

/* A leaf names no row by its number: the number would still tell, after an erasure, whose it was;
 * and the pseudonym lets anybody see without the store which records belong together. */
static int name_one(struct ck_turn *turn, const char *kind, const json_t *number, json_t **name)
{
    int64_t id = json_integer_value(number), person = 0;
    struct ck_pseudonym pseudonym;
    char text[CK_HEX_SIZE(CK_PSEUDONYM_SIZE)];
    if (id == 0) {
        *name = json_null();
        return 0;
    }
    int r = ck_log_owner(turn->store, kind, id, &person);
    r = r == 0 ? ck_audit_pseudonym(&turn->engine->audit, turn->store, kind, id, person, &pseudonym)
               : r;
    if (r != 0) {
        return r;
    }
    ck_hex_encode(pseudonym.bytes, sizeof pseudonym.bytes, text);
    *name = json_string(text);
    return *name == NULL ? -ENOMEM : 0;
}

/* A list of rows, as a new list of names. */
static int name_all(struct ck_turn *turn, const char *kind, const json_t *numbers, json_t **names)
{
    json_t *list = json_array(), *name = NULL;
    int r = list == NULL ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < json_array_size(numbers); i++) {
        r = name_one(turn, kind, json_array_get(numbers, i), &name);
        r = r == 0 && json_array_append_new(list, name) != 0 ? -ENOMEM : r;
    }
    if (r != 0) {
        json_decref(list);
        return r;
    }
    *names = list;
    return 0;
}

static int name_references(struct ck_turn *turn, const struct ck_record *record)
{
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        const json_t *value = json_object_get(record->open, references[i].member);
        json_t *name = NULL;
        int r = json_is_integer(value) ? name_one(turn, references[i].kind, value, &name)
                : json_is_array(value) ? name_all(turn, references[i].kind, value, &name)
                                       : 0;
        if (r == 0 && name != NULL &&
            json_object_set_new(record->open, references[i].member, name) != 0) {
            r = -ENOMEM;
        }
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

static int append(struct ck_turn *turn, const struct ck_actor *actor,
                  const struct ck_record *record)
{
    struct ck_engine *engine = turn->engine;
    int r = name_references(turn, record);
    if (r != 0) {
        return r;
    }
    const struct ck_audit_random random = {engine->options.random, engine->options.user};
    const struct ck_audit_entry entry = {
        .at = turn->now.wall,
        .clock_synchronised = turn->now.synchronised,
        .actor_kind = actor_kind_name(actor->kind),
        .actor_roles = actor->roles,
        .actor_staff = actor->staff_id,
        .actor_person = actor->person_id,
        .action = record->action,
        .object = record->object,
        .object_id = record->object_id,
        .person_id = record->person_id,
        .result = record->result == NULL ? "ok" : record->result,
        .open = record->open,
        .sealed = record->sealed,
        .withheld = record->withheld,
    };
    return ck_audit_append(&engine->audit, turn->store, &entry, &random, record->index);
}

/* From which log-in, or link, somebody did it: two of one person are told apart. */
static int name_session(const struct ck_actor *actor, struct ck_record *record)
{
    if (actor->session_id == 0 || strcmp(record->object, "session") == 0) {
        return 0;
    }
    if (record->open == NULL) {
        record->open = json_object();
    }
    return json_object_set_new(record->open, "session", json_integer(actor->session_id)) == 0
               ? 0
               : -ENOMEM;
}

int ck_turn_audit(struct ck_turn *turn, const struct ck_actor *actor,
                  const struct ck_record *record)
{
    struct ck_record whole = *record;
    int r = name_session(actor, &whole);
    r = r == 0 ? append(turn, actor, &whole) : r;
    json_decref(whole.open);
    json_decref(whole.sealed);
    json_decref(whole.withheld);
    return r;
}

int ck_turn_deny(struct ck_turn *turn, const struct ck_actor *actor, const char *object,
                 int64_t object_id, int64_t person_id, const char *why, struct ck_refusal *refusal)
{
    (void)actor;
    return ck_turn_refuse(turn, CK_E_DENIED, "", object, object_id, person_id, why, refusal);
}

int ck_turn_refuse(struct ck_turn *turn, int code, const char *field, const char *object,
                   int64_t object_id, int64_t person_id, const char *why,
                   struct ck_refusal *refusal)
{
    turn->denial = (struct ck_denial){.pending = true,
                                      .object = object,
                                      .object_id = object_id,
                                      .person_id = person_id,
                                      .why = why};
    return ck_refuse(refusal, code, field, "%s", why);
}

int ck_turn_record_denial(struct ck_turn *turn, const struct ck_actor *actor, const char *command)
{
    const struct ck_denial denial = turn->denial;
    turn->denial = (struct ck_denial){0};
    if (!denial.pending) {
        return 0;
    }
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){
                             .action = "DENIED",
                             .object = denial.object,
                             .object_id = denial.object_id,
                             .person_id = denial.person_id,
                             .result = "denied",
                             .open = json_pack("{s:s, s:s}", "command", command, "why", denial.why),
                         });
}

/* ---- what goes out ---- */

int ck_turn_output(struct ck_turn *turn, const struct ck_output *output)
{
    struct ck_outputs *outputs = &turn->outputs;
    struct ck_output *list =
        ck_array_grow(outputs->at, &outputs->capacity, outputs->count, sizeof *list);
    if (list == NULL) {
        json_decref(output->body);
        return -ENOMEM;
    }
    outputs->at = list;
    outputs->at[outputs->count++] = *output;
    return 0;
}

void ck_outputs_cut(struct ck_outputs *outputs, size_t count)
{
    while (outputs->count > count) {
        json_decref(outputs->at[--outputs->count].body);
    }
}

int ck_results_add(struct ck_results *results, const struct ck_result *result)
{
    struct ck_result *list =
        ck_array_grow(results->at, &results->capacity, results->count, sizeof *list);
    if (list == NULL) {
        return -ENOMEM;
    }
    results->at = list;
    results->at[results->count++] = *result;
    return 0;
}
