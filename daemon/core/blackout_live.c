/* Blackouts: times in which a person owes no contact. What was to come in one is waived; what
 * was missed in one that is entered afterwards stays what it was, and is excused beside it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "protocol/base/error.h"

#define REASON_MAX 1000
#define BLACKOUT_MAX_MS (INT64_C(370) * 86400000)
#define ALONE_MAX_MS (INT64_C(7) * 86400000) /* what one person decides, and at once */
#define PAST_MAX_MS (INT64_C(60) * 86400000) /* how late one may be entered */
#define TOUCHED_BATCH 64
#define TAIL_MAX_MS INT64_C(86400000) /* no check-in runs longer after it is due */

#define ABSENCE 3

static const char *const sources[] = {"court", "hospital", "custody", "absence", NULL};
static const enum ck_cause causes[] = {CK_CAUSE_WAIVED_COURT, CK_CAUSE_WAIVED_HOSPITAL,
                                       CK_CAUSE_WAIVED_CUSTODY, CK_CAUSE_WAIVED_ABSENCE};

struct blackout {
    struct ck_blackout_row row;
    int source;
};

static int read_request(struct ck_turn *turn, const json_t *body, struct blackout *blackout,
                        struct ck_refusal *refusal)
{
    int r = ck_body_word(body, "source", sources, &blackout->source, refusal);
    if (r == 0 &&
        (json_object_get(body, "from") == NULL || json_object_get(body, "until") == NULL)) {
        return ck_refuse(refusal, CK_E_INVALID, "from", "from and until are needed");
    }
    r = r == 0 ? ck_body_time(turn, body, "from", &blackout->row.from, refusal) : r;
    r = r == 0 ? ck_body_time(turn, body, "until", &blackout->row.until, refusal) : r;
    r = r == 0 ? ck_body_text(body, "reason", REASON_MAX, false, &blackout->row.reason, refusal)
               : r;
    if (r != 0) {
        return r;
    }
    int64_t length = blackout->row.until.ms - blackout->row.from.ms;
    if (length <= 0 || length > BLACKOUT_MAX_MS) {
        return ck_refuse(refusal, CK_E_INVALID, "until", "must be after from, at most 370 days");
    }
    if (blackout->row.from.ms < turn->now.wall.ms - PAST_MAX_MS) {
        return ck_refuse(refusal, CK_E_INVALID, "from", "must not be over 60 days ago");
    }
    blackout->row.source = sources[blackout->source];
    return 0;
}

/* ---- what it touches ---- */

static int excuse(struct ck_turn *turn, const struct ck_actor *actor,
                  const struct ck_checkin_row *row, const struct blackout *blackout)
{
    int r = ck_conclusion_insert(turn->store, row->step.id, 0, "excused", blackout->row.reason, 0,
                                 actor->staff_id, turn->now.wall);
    if (r == 0) {
        r = ck_turn_audit(
            turn, actor,
            &(struct ck_record){.action = "CHECKIN_CONCLUDED",
                                .object = "checkin",
                                .object_id = row->step.id,
                                .person_id = row->step.person,
                                .open = json_pack("{s:s, s:I}", "conclusion", "excused", "blackout",
                                                  (json_int_t)blackout->row.id),
                                .sealed = json_pack("{s:s}", "reason", blackout->row.reason)});
    }
    return r == 0 ? ck_tell_today(turn, row) : r;
}

/* It rings, goes on, waits for its review, or was missed and is still awaited: it stays what it is.
 * Whoever concludes it must see that the blackout was entered afterwards, and by whom. */
static int note_begun(struct ck_turn *turn, const struct ck_actor *actor,
                      const struct ck_checkin_row *row, const struct blackout *blackout)
{
    char from[CK_WALL_TEXT_SIZE], until[CK_WALL_TEXT_SIZE], text[2 * CK_WALL_TEXT_SIZE + 16];
    int64_t incident = 0;
    ck_wall_text(blackout->row.from, from);
    ck_wall_text(blackout->row.until, until);
    snprintf(text, sizeof text, "%s %s %s", blackout->row.source, from, until);
    int r = ck_record_checkin(turn, actor, row, "CHECKIN_BLACKOUT_ENTERED",
                              json_pack("{s:I, s:s, s:s, s:s}", "blackout",
                                        (json_int_t)blackout->row.id, "source",
                                        blackout->row.source, "from", from, "until", until));
    r = r == 0 ? ck_fact_insert(turn->store, row->step.id, row->step.attempt, turn->now.wall,
                                "server", "blackout_entered", blackout->row.source)
               : r;
    r = r == 0
            ? ck_incident_of_checkin(turn->store, row->step.id, CK_INCIDENT_NO_CONTACT, &incident)
            : r;
    if (r != 0) {
        return r == CK_E_NOT_FOUND ? ck_tell_today(turn, row) : r;
    }
    r = ck_incident_line(turn->store, incident, turn->now.wall, "blackout_entered", actor->staff_id,
                         0, text);
    return r == 0 ? ck_tell_today(turn, row) : r;
}

/* When the rings and grace of one that rings in time are over. */
static int last_moment(struct ck_turn *turn, const struct ck_checkin_row *row, struct ck_wall *at)
{
    struct ck_checkin_policy policy;
    int r = ck_checkin_policy_of(turn, row->policy, &policy);
    *at = r == 0 ? ck_wall_add_ms(row->step.due, policy.response_ms + policy.grace_ms)
                 : row->step.due;
    return r;
}

/* Whether one that begins before it would run into it. */
static int runs_into(struct ck_turn *turn, const struct ck_checkin_row *row,
                     const struct blackout *blackout, bool *does)
{
    struct ck_wall until;
    int r = last_moment(turn, row, &until);
    *does = r == 0 && ck_wall_before(blackout->row.from, until);
    return r;
}

/* Later than it was due: after an outage, or behind another one. */
static bool rang_in(const struct ck_checkin *step, const struct blackout *blackout)
{
    return step->opened_at.ms >= blackout->row.from.ms &&
           step->opened_at.ms < blackout->row.until.ms;
}

static int touch(struct ck_turn *turn, const struct ck_actor *actor, int64_t id,
                 const struct blackout *blackout)
{
    struct ck_checkin_row row;
    int r = ck_checkin_load(turn->store, id, &row);
    if (r != 0) {
        return r;
    }
    if (row.step.due.ms < blackout->row.from.ms) {
        bool inside = rang_in(&row.step, blackout);
        r = row.step.state < CK_CHECKIN_RINGING ? runs_into(turn, &row, blackout, &inside) : 0;
        if (r != 0 || !inside) {
            return r;
        }
    }
    if (row.step.state < CK_CHECKIN_RINGING) {
        return ck_checkin_feed(turn, actor, &row,
                               &(struct ck_checkin_event){.kind = CK_CHECKIN_WAIVED,
                                                          .waived.cause = causes[blackout->source],
                                                          .waived.staff = actor->staff_id});
    }
    if (row.step.state != CK_CHECKIN_DONE) {
        return note_begun(turn, actor, &row, blackout);
    }
    bool charged = ck_outcome_attribution(row.step.outcome) == CK_ATTRIBUTION_OFFICER;
    return charged ? excuse(turn, actor, &row, blackout) : 0;
}

int ck_blackout_waive(struct ck_turn *turn, struct ck_checkin_row *row)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_interval in;
    struct ck_wall until;
    size_t count = 0;
    int r = last_moment(turn, row, &until);
    r = r == 0 ? ck_blackouts_of(turn->store, row->step.person, row->step.due, until, &in, NULL, 1,
                                 &count)
               : r;
    return r != 0 || count == 0
               ? r
               : ck_checkin_feed(
                     turn, &actor, row,
                     &(struct ck_checkin_event){.kind = CK_CHECKIN_WAIVED,
                                                .waived.cause = ck_place_cause(CK_PLACE_BLACKOUT)});
}

/* By their numbers, batch after batch: nothing that is to come is left out. */
static int touch_all(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct blackout *blackout)
{
    int64_t ids[TOUCHED_BATCH], after = 0;
    size_t count = TOUCHED_BATCH;
    int r = 0;
    while (r == 0 && count == TOUCHED_BATCH) {
        r = ck_checkin_due_between(turn->store, blackout->row.person,
                                   ck_wall_add_ms(blackout->row.from, -TAIL_MAX_MS),
                                   blackout->row.until, after, ids, TOUCHED_BATCH, &count);
        for (size_t i = 0; r == 0 && i < count; i++) {
            r = touch(turn, actor, ids[i], blackout);
            after = ids[i];
        }
    }
    return r;
}

/* ---- commands ---- */

static int load_person(struct ck_turn *turn, const struct ck_actor *actor, int64_t person,
                       struct ck_subject *subject, struct ck_refusal *refusal)
{
    int r = ck_subject_load(turn->store, person, subject);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "person", "there is no such person");
    }
    if (r == 0 && !ck_in_scope(actor, subject->unit, subject->inspector)) {
        return ck_turn_deny(turn, actor, "person", person, person, "this person is not yours",
                            refusal);
    }
    return r;
}

static int tell_today(struct ck_turn *turn, const struct ck_subject *subject)
{
    return ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_TODAY,
                                                    .unit_id = subject->unit,
                                                    .staff_id = subject->inspector,
                                                    .person_id = subject->id});
}

static int insert(struct ck_turn *turn, const struct ck_actor *actor, struct blackout *blackout,
                  json_t **result)
{
    char from[CK_WALL_TEXT_SIZE], until[CK_WALL_TEXT_SIZE];
    int64_t redrawn = 0;
    ck_wall_text(blackout->row.from, from);
    ck_wall_text(blackout->row.until, until);
    int r = ck_blackout_insert(turn->store, &blackout->row, turn->now.wall);
    if (r == 0) {
        r = ck_turn_audit(
            turn, actor,
            &(struct ck_record){.action = "BLACKOUT_CREATED",
                                .object = "blackout",
                                .object_id = blackout->row.id,
                                .person_id = blackout->row.person,
                                .open = json_pack("{s:s, s:s, s:s, s:I, s:I}", "source",
                                                  blackout->row.source, "from", from, "until",
                                                  until, "by", (json_int_t)blackout->row.by,
                                                  "approver", (json_int_t)blackout->row.approver),
                                .sealed = json_pack("{s:s}", "reason", blackout->row.reason)});
    }
    r = r == 0 ? touch_all(turn, actor, blackout) : r;
    /* Half a day at court leaves the other half. */
    r = r == 0 ? ck_redraw_waived(turn, blackout->row.person,
                                  (struct ck_interval){blackout->row.from, blackout->row.until},
                                  &redrawn)
               : r;
    if (r == 0) {
        *result = json_pack("{s:I, s:I}", "id", (json_int_t)blackout->row.person, "blackout",
                            (json_int_t)blackout->row.id);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}

/* {person, source: court | hospital | custody, from, until, reason} → {id: person, blackout}: a
 * fact that cannot wait, for a week at the most. What is longer, and every absence, has an
 * approver. */
static int create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    struct blackout blackout = {.row = {.by = actor->staff_id, .approver = actor->staff_id}};
    struct ck_subject subject;
    int r = ck_body_id(body, "person", &blackout.row.person, refusal);
    r = r == 0 ? read_request(turn, body, &blackout, refusal) : r;
    r = r == 0 ? load_person(turn, actor, blackout.row.person, &subject, refusal) : r;
    if (r == 0 && blackout.source == ABSENCE) {
        return ck_refuse(refusal, CK_E_INVALID, "source",
                         "an absence is proposed (blackout.absence) and approved by another");
    }
    if (r == 0 && blackout.row.until.ms - blackout.row.from.ms > ALONE_MAX_MS) {
        return ck_refuse(
            refusal, CK_E_INVALID, "until",
            "more than 7 days are proposed (blackout.absence) and approved by another");
    }
    return r == 0 ? insert(turn, actor, &blackout, result) : r;
}

static int absence_proposed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                            json_t **result, struct ck_refusal *refusal)
{
    struct blackout blackout = {.source = 0};
    (void)actor;
    (void)result;
    int r = read_request(turn, json_object_get(body, "request"), &blackout, refusal);
    if (r == 0 && json_integer_value(json_object_get(body, "person")) == 0) {
        r = ck_refuse(refusal, CK_E_INVALID, "person", "whose absence it is must be said");
    }
    return r;
}

static int absence_approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                            json_t **result, struct ck_refusal *refusal)
{
    struct blackout blackout = {
        .row = {.person = json_integer_value(json_object_get(body, "person")),
                .by = json_integer_value(json_object_get(body, "proposer")),
                .approver = actor->staff_id}};
    int r = read_request(turn, json_object_get(body, "request"), &blackout, refusal);
    return r == 0 ? insert(turn, actor, &blackout, result) : r;
}

/* {blackout, reason}: it is over from now on, and what it had waived ahead is owed again. */
static int end(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
               json_t **result, struct ck_refusal *refusal)
{
    struct ck_subject subject;
    struct ck_interval rest = {.from = turn->now.wall};
    int64_t id = 0, person = 0, redrawn = 0;
    const char *reason = NULL;
    int r = ck_body_id(body, "blackout", &id, refusal);
    r = r == 0 ? ck_body_text(body, "reason", REASON_MAX, false, &reason, refusal) : r;
    if (r != 0) {
        return r;
    }
    r = ck_blackout_end(turn->store, id, &person, &rest.until, turn->now.wall);
    if (r == CK_E_NOT_FOUND || r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "blackout",
                         r == CK_E_CONFLICT ? "it is over already" : "there is no such blackout");
    }
    r = r == 0 ? load_person(turn, actor, person, &subject, refusal) : r;
    r = r == 0 ? ck_redraw_waived(turn, person, rest, &redrawn) : r;
    if (r == 0) {
        r = ck_turn_audit(
            turn, actor,
            &(struct ck_record){.action = "BLACKOUT_ENDED",
                                .object = "blackout",
                                .object_id = id,
                                .person_id = person,
                                .open = json_pack("{s:I}", "redrawn", (json_int_t)redrawn),
                                .sealed = json_pack("{s:s}", "reason", reason)});
    }
    r = r == 0 ? tell_today(turn, &subject) : r;
    if (r == 0) {
        *result = json_pack("{s:I, s:I, s:I}", "id", (json_int_t)person, "blackout", (json_int_t)id,
                            "redrawn", (json_int_t)redrawn);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}

const struct ck_handler_entry ck_blackout_handlers[] = {
    {"blackout.create", create},
    {"blackout.end", end},
    {"proposed.blackout.absence", absence_proposed},
    {"approved.blackout.absence", absence_approved},
};
const size_t ck_blackout_handler_count =
    sizeof ck_blackout_handlers / sizeof ck_blackout_handlers[0];
