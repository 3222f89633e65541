/* Opening a case outside the own caseload: with a reason, for an hour, to read alone. Every
 * supervisor of the person's unit and of the own is told at once; every look is a record. */
#include "daemon/core/live_impl.h"
#include "daemon/store/opened_case.h"
#include "daemon/store/person.h"
#include "daemon/store/roster.h"
#include "protocol/base/error.h"

#define REASON_MAX 1000
#define REFERENCE_MAX 64
#define SUPERVISORS_MAX 16 /* who are told */
#define TELL_DEADLINE_MS (INT64_C(24) * 3600000)

static int tell(struct ck_turn *turn, int64_t unit, int64_t opened, int64_t by)
{
    return ck_notice_supervisors(
        turn, unit, SUPERVISORS_MAX, by,
        &(struct ck_effect_notify){.template = CK_TEMPLATE_CASE_OPENED,
                                   .step = (uint32_t)opened,
                                   .deadline = ck_wall_add_ms(turn->now.wall, TELL_DEADLINE_MS)});
}

/* Whom the reference names, where it may be opened. */
static int find(struct ck_turn *turn, const struct ck_actor *actor, const char *reference,
                int64_t *person, int64_t *unit, struct ck_refusal *refusal)
{
    int64_t inspector = 0, today = 0, open[CK_OPENED_MAX];
    size_t count = 0;
    int r = ck_person_by_reference(turn->store, reference, person);
    r = r == 0 ? ck_person_owner(turn->store, *person, unit, &inspector) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "reference", "nobody has this reference");
    }
    if (r == 0 && ck_in_scope(actor, *unit, inspector)) {
        return ck_refuse(refusal, CK_E_CONFLICT, "reference", "this case is yours to see anyway");
    }
    r = r == 0 ? ck_opened_of(turn->store, actor->staff_id, turn->now.wall, open, CK_OPENED_MAX,
                              &count)
               : r;
    if (r == 0 && count >= CK_OPENED_MAX) {
        return ck_refuse(refusal, CK_E_CONFLICT, "reference",
                         "%d cases are open already: close one first", CK_OPENED_MAX);
    }
    struct ck_wall since = ck_wall_add_ms(turn->now.wall, -CK_OPENED_WINDOW_MS);
    r = r == 0 ? ck_opened_since(turn->store, actor->staff_id, since, &today) : r;
    if (r == 0 && today >= CK_OPENED_A_DAY) {
        return ck_refuse(refusal, CK_E_LIMIT, "reference", "%d cases within 24 hours are the most",
                         CK_OPENED_A_DAY);
    }
    return r;
}

/* {reference, reason} → {id, person, until} */
static int open_case(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    const char *reference = NULL, *reason = NULL;
    int64_t person = 0, unit = 0, id = 0;
    struct ck_wall until = ck_wall_add_ms(turn->now.wall, CK_OPENED_MS);
    char text[CK_WALL_TEXT_SIZE];
    int r = ck_body_text(body, "reference", REFERENCE_MAX, false, &reference, refusal);
    r = r == 0 ? ck_body_text(body, "reason", REASON_MAX, false, &reason, refusal) : r;
    r = r == 0 ? find(turn, actor, reference, &person, &unit, refusal) : r;
    r = r == 0 ? ck_opened_insert(turn->store, actor->staff_id, person, turn->now.wall, until, &id)
               : r;
    ck_wall_text(until, text);
    r = r == 0 ? ck_turn_audit(
                     turn, actor,
                     &(struct ck_record){
                         .action = "CASE_OPENED",
                         .object = "person",
                         .object_id = person,
                         .person_id = person,
                         .open = json_pack("{s:s}", "until", text),
                         .sealed = json_pack("{s:s, s:s}", "reason", reason, "peer", actor->peer),
                     })
               : r;
    r = r == 0 ? tell(turn, unit, id, actor->staff_id) : r;
    r = r == 0 && unit != actor->unit_id ? tell(turn, actor->unit_id, id, actor->staff_id) : r;
    if (r == 0) {
        *result = json_pack("{s:I, s:I, s:s}", "id", (json_int_t)id, "person", (json_int_t)person,
                            "until", text);
    }
    return r;
}

/* {opened}: before its time, by whoever opened it. */
static int close_case(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                      json_t **result, struct ck_refusal *refusal)
{
    int64_t id = 0, person = 0;
    (void)result;
    int r = ck_body_id(body, "opened", &id, refusal);
    r = r == 0 ? ck_opened_close(turn->store, id, actor->staff_id, turn->now.wall, &person) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "opened", "you have no such case open");
    }
    return r == 0 ? ck_turn_audit(turn, actor,
                                  &(struct ck_record){.action = "CASE_CLOSED",
                                                      .object = "person",
                                                      .object_id = person,
                                                      .person_id = person})
                  : r;
}

const struct ck_handler_entry ck_opened_handlers[] = {
    {"case.open", open_case},
    {"case.close", close_case},
};
const size_t ck_opened_handler_count = sizeof ck_opened_handlers / sizeof ck_opened_handlers[0];
