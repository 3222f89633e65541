/* What a person asks for in writing: another time, or that a result is wrong. A dispute is answered
 * by a supervisor, never by the inspector whose work it may be about alone. */
#include "daemon/store/request.h"

#include "daemon/cases/cases_impl.h"
#include "daemon/store/person.h"

static const char *const kinds[] = {"reschedule", "dispute", NULL};

static int tell(struct ck_turn *turn, int64_t person, int64_t unit, int64_t inspector)
{
    struct ck_output output = {
        .kind = CK_OUTPUT_TODAY, .unit_id = unit, .staff_id = inspector, .person_id = person};
    return ck_turn_output(turn, &output);
}

static int disputed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    struct ck_request *request, struct ck_refusal *refusal)
{
    const char *receipt = NULL;
    int r = ck_body_text(body, "receipt", 32, false, &receipt, refusal);
    r = r == 0
            ? ck_request_checkin(ck_turn_store(turn), actor->person_id, receipt, &request->checkin)
            : r;
    return r == CK_E_NOT_FOUND
               ? ck_refuse(refusal, r, "receipt", "you have no receipt of this number")
               : r;
}

int ck_request_make(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    struct ck_request request = {.person = actor->person_id};
    const char *text = NULL;
    int kind = 0;
    int64_t open = 0, unit = 0, inspector = 0;
    int r = ck_body_word(body, "kind", kinds, &kind, refusal);
    request.dispute = kind == 1;
    r = r == 0 ? ck_body_text(body, "text", CK_REQUEST_MAX, false, &text, refusal) : r;
    r = r == 0 && request.dispute ? disputed(turn, actor, body, &request, refusal) : r;
    r = r == 0 ? ck_request_open_count(ck_turn_store(turn), actor->person_id, &open) : r;
    if (r == 0 && open >= CK_REQUESTS_OPEN_MAX) {
        return ck_refuse(refusal, CK_E_CONFLICT, "", "%d of yours wait for an answer already",
                         CK_REQUESTS_OPEN_MAX);
    }
    r = r == 0 ? ck_request_insert(ck_turn_store(turn), &request, text, ck_turn_now(turn)) : r;
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "receipt", "it is disputed already");
    }
    r = r == 0 ? ck_person_owner(ck_turn_store(turn), actor->person_id, &unit, &inspector) : r;
    if (r != 0) {
        return r;
    }
    bool about = request.checkin != 0;
    struct ck_record record = {.action = "REQUEST_MADE",
                               .object = about ? "checkin" : "person",
                               .object_id = about ? request.checkin : actor->person_id,
                               .person_id = actor->person_id,
                               .open = json_pack("{s:s}", "kind", kinds[kind]),
                               .sealed = json_pack("{s:s}", "text", text)};
    r = ck_turn_audit(turn, actor, &record);
    return r == 0 ? tell(turn, actor->person_id, unit, inspector) : r;
}

static int find(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                struct ck_request *request, struct ck_refusal *refusal)
{
    int64_t id = 0, unit = 0, inspector = 0;
    int r = ck_body_id(body, "request", &id, refusal);
    r = r == 0 ? ck_request_load(ck_turn_store(turn), id, request) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "", "there is no such request");
    }
    r = r == 0 ? ck_person_owner(ck_turn_store(turn), request->person, &unit, &inspector) : r;
    if (r != 0) {
        return r;
    }
    if (!ck_in_scope(actor, unit, inspector)) {
        return ck_turn_deny(turn, actor, "person", request->person, request->person,
                            "outside the caseload or unit", refusal);
    }
    if (request->dispute && (actor->roles & CK_ROLE_SUPERVISOR) == 0) {
        return ck_turn_deny(turn, actor, "checkin", request->checkin, request->person,
                            "a supervisor answers a dispute", refusal);
    }
    return tell(turn, request->person, unit, inspector);
}

int ck_request_decide(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                      json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    struct ck_request request = {.id = 0};
    const char *answer = NULL;
    bool accept = false;
    int r = ck_body_flag(body, "accept", &accept, refusal);
    r = r == 0 ? ck_body_text(body, "answer", CK_REQUEST_MAX, false, &answer, refusal) : r;
    r = r == 0 ? find(turn, actor, body, &request, refusal) : r;
    r = r == 0 ? ck_request_answer(ck_turn_store(turn), request.id, accept, answer, actor->staff_id,
                                   ck_turn_now(turn))
               : r;
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "", "it was answered before");
    }
    if (r != 0) {
        return r;
    }
    bool about = request.checkin != 0;
    struct ck_record record = {
        .action = "REQUEST_ANSWERED",
        .object = about ? "checkin" : "person",
        .object_id = about ? request.checkin : request.person,
        .person_id = request.person,
        .open = json_pack("{s:s, s:b}", "kind", kinds[request.dispute], "accepted", (int)accept),
        .sealed = json_pack("{s:s}", "answer", answer)};
    r = ck_turn_audit(turn, actor, &record);
    struct ck_output output = {.kind = CK_OUTPUT_PERSON_STATE, .person_id = request.person};
    return r == 0 ? ck_turn_output(turn, &output) : r;
}
