#include "daemon/cases/approval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cases/cases_impl.h"
#include "daemon/store/approval.h"
#include "daemon/store/person.h"
#include "protocol/base/cleanup.h"
#include "protocol/canonical.h"

#define DAY_MS INT64_C(86400000)

#define I CK_ROLE_INSPECTOR
#define O CK_ROLE_OFFICER
#define S CK_ROLE_SUPERVISOR

static const struct ck_approval_kind kinds[] = {
    /* A video contact takes the place of a visit. */
    {"order.replaces", I | S, S, 14 * DAY_MS},
    /* A bundle leaves the house (bundle.c). */
    {"bundle.export", I | O | S, S, 7 * DAY_MS},
    /* An account is without its second factor, to set up a new one. */
    {"staff.second_factor", CK_ROLE_ADMINISTRATOR, S, 2 * DAY_MS},
    /* A person need not answer for a while, with leave. */
    {"blackout.absence", I | S, S, 14 * DAY_MS},
    /* The plan that the policy table proposes for a band; and the table itself. */
    {"plan.proposal", I | S, S, 14 * DAY_MS},
    {"cadence.change", S, S, 14 * DAY_MS},
    /* Who is told when nobody answers. */
    {"ladder", S, S, 14 * DAY_MS},
    /* What a legal hold kept is destroyed when its time is over. */
    {"hold.release", S, S, 14 * DAY_MS},
    /* Something is kept for a shorter time than was in force, as the configuration says. */
    {"retention.shorten", S, S, 14 * DAY_MS},
};

const struct ck_approval_kind *ck_approval_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

void ck_approval_kinds_of(unsigned roles, char text[static CK_APPROVAL_KINDS_SIZE])
{
    size_t at = (size_t)snprintf(text, CK_APPROVAL_KINDS_SIZE, ",");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t size = strlen(kinds[i].name) + 1;
        if ((roles & kinds[i].approve) != 0 && at + size < CK_APPROVAL_KINDS_SIZE) {
            snprintf(text + at, CK_APPROVAL_KINDS_SIZE - at, "%s,", kinds[i].name);
            at += size;
        }
    }
}

static int record(struct ck_turn *turn, const struct ck_actor *actor, const char *action,
                  const struct ck_approval_row *row, const char *reason)
{
    char expires[CK_WALL_TEXT_SIZE];
    ck_wall_text(row->expires, expires);
    bool proposed = strcmp(action, "APPROVAL_PROPOSED") == 0;
    return ck_turn_audit(
        turn, actor,
        &(struct ck_record){
            .action = action,
            .object = "approval",
            .object_id = row->id,
            .person_id = row->person,
            .open = json_pack("{s:s, s:s}", "kind", row->kind, "expires", expires),
            .sealed = proposed ? json_pack("{s:s, s:s}", "request", row->body, "reason", reason)
                               : json_pack("{s:s}", "reason", reason),
        });
}

/* Whoever may decide has something new in the inbox. */
static int tell(struct ck_turn *turn, const struct ck_approval_row *row)
{
    return ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_TODAY,
                                                    .unit_id = row->unit,
                                                    .staff_id = row->proposer,
                                                    .person_id = row->person});
}

/* ---- to propose ---- */

int ck_approval_propose(struct ck_turn *turn, const struct ck_actor *actor,
                        const struct ck_approval_request *asked, int64_t *id,
                        struct ck_refusal *refusal)
{
    const struct ck_approval_kind *kind = ck_approval_kind_find(asked->kind);
    int64_t open = 0;
    if (kind == NULL) {
        return ck_refuse(refusal, CK_E_INVALID, "kind", "is not something that two persons decide");
    }
    if (actor->kind != CK_ACTOR_STAFF || (actor->roles & kind->propose) == 0) {
        return ck_turn_deny(turn, actor, "approval", 0, asked->person,
                            "your role may not propose this", refusal);
    }
    int r = ck_approval_open_count(ck_turn_store(turn), asked->unit, ck_turn_now(turn), &open);
    if (r == 0 && open >= CK_APPROVAL_OPEN_MAX) {
        return ck_refuse(refusal, CK_E_LIMIT, "", "%d requests of this unit wait for a decision",
                         CK_APPROVAL_OPEN_MAX);
    }
    ck_cleanup(ck_freep) char *text = calloc(1, CK_APPROVAL_TEXT_MAX);
    struct ck_writer writer = ck_writer_of(text, CK_APPROVAL_TEXT_MAX - 1);
    if (r == 0) {
        r = text == NULL ? -ENOMEM : ck_canonical_write(&writer, asked->request);
    }
    if (r > 0) {
        return ck_refuse(refusal, CK_E_INVALID, "request",
                         "must be whole numbers, texts and flags, and at most %d bytes",
                         CK_APPROVAL_TEXT_MAX);
    }
    struct ck_approval_row row = {
        .unit = asked->unit,
        .person = asked->person,
        .body = text,
        .proposer = actor->staff_id,
        .created = ck_turn_now(turn),
        .expires = ck_wall_add_ms(ck_turn_now(turn), kind->lifetime_ms),
    };
    ck_cleanup(ck_freep) char *reason = strdup(asked->reason);
    row.reason = reason;
    snprintf(row.kind, sizeof row.kind, "%s", kind->name);
    if (r == 0) {
        r = reason == NULL ? -ENOMEM : ck_approval_insert(ck_turn_store(turn), &row);
    }
    r = r == 0 ? record(turn, actor, "APPROVAL_PROPOSED", &row, reason) : r;
    r = r == 0 ? tell(turn, &row) : r;
    if (r == 0) {
        *id = row.id;
    }
    return r;
}

/* Runs "proposed.KIND" or "approved.KIND". */
static int run(struct ck_turn *turn, const struct ck_actor *actor, const char *verb,
               const struct ck_approval_row *row, json_t *request, json_t **result,
               struct ck_refusal *refusal)
{
    char name[CK_APPROVAL_KIND_SIZE + 16];
    snprintf(name, sizeof name, "%s.%s", verb, row->kind);
    ck_handler *handler = ck_turn_handler(turn, name);
    if (handler == NULL) {
        return ck_refuse(refusal, CK_E_INVALID, "kind", "cannot be %s", verb);
    }
    ck_cleanup(json_decrefp) json_t *body =
        json_pack("{s:I, s:I, s:I, s:I, s:O, s:s}", "approval", (json_int_t)row->id, "proposer",
                  (json_int_t)row->proposer, "unit", (json_int_t)row->unit, "person",
                  (json_int_t)row->person, "request", request, "reason", row->reason);
    return body == NULL ? -ENOMEM : handler(turn, actor, body, result, refusal);
}

int ck_approval_propose_any(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                            json_t **result, struct ck_refusal *refusal)
{
    struct ck_approval_row row = {.unit = actor->unit_id, .proposer = actor->staff_id};
    struct ck_approval_request asked = {.request = json_object_get(body, "request")};
    int64_t id = 0, inspector = 0;
    int r = ck_body_text(body, "kind", CK_APPROVAL_KIND_SIZE - 1, false, &asked.kind, refusal);
    r = r == 0 ? ck_body_text(body, "reason", CK_APPROVAL_REASON_MAX, false, &asked.reason, refusal)
               : r;
    if (r == 0 && (!json_is_object(asked.request) || ck_approval_kind_find(asked.kind) == NULL)) {
        r = ck_refuse(refusal, CK_E_INVALID,
                      ck_approval_kind_find(asked.kind) == NULL ? "kind" : "request",
                      "is not something that two persons decide");
    }
    if (r == 0 && json_is_integer(json_object_get(body, "person"))) {
        r = ck_case_person(turn, actor, body, &row.person, refusal);
        r = r == 0 ? ck_person_owner(ck_turn_store(turn), row.person, &row.unit, &inspector) : r;
    }
    if (r != 0) {
        return r;
    }
    snprintf(row.kind, sizeof row.kind, "%s", asked.kind);
    row.reason = (char *)(uintptr_t)asked.reason;
    r = run(turn, actor, "proposed", &row, (json_t *)(uintptr_t)asked.request, result, refusal);
    json_decref(*result);
    *result = NULL;
    asked.unit = row.unit;
    asked.person = row.person;
    r = r == 0 ? ck_approval_propose(turn, actor, &asked, &id, refusal) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)id);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}

/* ---- to decide ---- */

static int load(struct ck_turn *turn, const json_t *body, struct ck_approval_row *row,
                struct ck_refusal *refusal)
{
    int64_t id = 0;
    int r = ck_body_id(body, "approval", &id, refusal);
    r = r == 0 ? ck_approval_load(ck_turn_store(turn), id, row) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "approval", "there is no such request");
    }
    if (r == 0 && (!row->open || row->expires.ms <= ck_turn_now(turn).ms)) {
        return ck_refuse(refusal, CK_E_CONFLICT, "approval",
                         row->open ? "its time is over; it must be proposed anew"
                                   : "it has been decided already");
    }
    return r;
}

static int check_decider(struct ck_turn *turn, const struct ck_actor *actor,
                         const struct ck_approval_row *row, struct ck_refusal *refusal)
{
    const struct ck_approval_kind *kind = ck_approval_kind_find(row->kind);
    bool here = row->unit == 0 || row->unit == actor->unit_id;
    int r = here ? 0 : ck_approval_alone(ck_turn_store(turn), row->id, &here);
    if (r != 0) {
        return r;
    }
    if (kind == NULL || actor->kind != CK_ACTOR_STAFF || (actor->roles & kind->approve) == 0 ||
        !here) {
        return ck_turn_deny(turn, actor, "approval", row->id, row->person,
                            "your role or unit may not decide this", refusal);
    }
    if (row->proposer == actor->staff_id) {
        return ck_turn_deny(turn, actor, "approval", row->id, row->person,
                            "nobody decides what they proposed", refusal);
    }
    return 0;
}

/* Who was handed over to another unit since is not this unit's to decide about any more. */
static int check_person(struct ck_turn *turn, const struct ck_approval_row *row,
                        struct ck_refusal *refusal)
{
    int64_t unit = 0, inspector = 0;
    int r =
        row->person == 0 ? 0 : ck_person_owner(ck_turn_store(turn), row->person, &unit, &inspector);
    return r == 0 && row->person != 0 && unit != row->unit
               ? ck_refuse(refusal, CK_E_CONFLICT, "approval",
                           "the person is of another unit now: it must be proposed anew there")
               : r;
}

static int carry_out(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_approval_row *row, json_t **result, struct ck_refusal *refusal)
{
    ck_cleanup(json_decrefp) json_t *request = json_loads(row->body, 0, NULL);
    /* Whoever decides for a unit that has nobody else stands in the place of one of its own. */
    struct ck_actor there = *actor;
    there.unit_id = row->unit == 0 ? actor->unit_id : row->unit;
    return request == NULL ? -EUCLEAN
                           : run(turn, &there, "approved", row, request, result, refusal);
}

int ck_approval_decide(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    ck_cleanup(ck_approval_clear) struct ck_approval_row row = {0};
    const char *reason = NULL;
    bool approve = false;
    json_t *made = NULL;
    int r = ck_body_flag(body, "approve", &approve, refusal);
    r = r == 0 ? ck_body_text(body, "reason", CK_APPROVAL_REASON_MAX, false, &reason, refusal) : r;
    r = r == 0 ? load(turn, body, &row, refusal) : r;
    r = r == 0 ? check_decider(turn, actor, &row, refusal) : r;
    r = r == 0 && approve ? check_person(turn, &row, refusal) : r;
    r = r == 0 ? ck_approval_end(ck_turn_store(turn), row.id,
                                 approve ? CK_APPROVAL_APPROVED : CK_APPROVAL_REFUSED,
                                 actor->staff_id, reason, ck_turn_now(turn))
               : r;
    r = r == 0 ? record(turn, actor, approve ? "APPROVAL_GIVEN" : "APPROVAL_REFUSED", &row, reason)
               : r;
    r = r == 0 && approve ? carry_out(turn, actor, &row, &made, refusal) : r;
    r = r == 0 ? tell(turn, &row) : r;
    if (r == 0) {
        *result = json_pack("{s:I, s:O?}", "id", (json_int_t)row.id, "result", made);
        r = *result == NULL ? -ENOMEM : 0;
    }
    json_decref(made);
    return r;
}

int ck_approval_withdraw(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    ck_cleanup(ck_approval_clear) struct ck_approval_row row = {0};
    const char *reason = NULL;
    int r = ck_body_text(body, "reason", CK_APPROVAL_REASON_MAX, false, &reason, refusal);
    r = r == 0 ? load(turn, body, &row, refusal) : r;
    if (r == 0 && (actor->kind != CK_ACTOR_STAFF || row.proposer != actor->staff_id)) {
        return ck_turn_deny(turn, actor, "approval", row.id, row.person,
                            "only its proposer withdraws it", refusal);
    }
    r = r == 0 ? ck_approval_end(ck_turn_store(turn), row.id, CK_APPROVAL_WITHDRAWN,
                                 actor->staff_id, reason, ck_turn_now(turn))
               : r;
    r = r == 0 ? record(turn, actor, "APPROVAL_WITHDRAWN", &row, reason) : r;
    r = r == 0 ? tell(turn, &row) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)row.id);
    }
    return r;
}
