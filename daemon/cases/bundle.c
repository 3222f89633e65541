/* Bundles: everything about one incident or check-in, for a court, for the person or for an agency.
 * Two persons decide that one is given away; each time it is fetched is a record with its recipient
 * and reason, and so is what it was.
 *
 *   bundle.export   as a kind of approval (approval.h); request: incident or checkin, audience
 *                   ("court", "person", "agency"), recipient
 *   bundle.open     approval → person, incident, checkin, audience, recipient, reason: whoever
 * proposed or approved it fetches it, at most CK_BUNDLE_OPEN_MS after it was approved bundle.built
 * approval, manifest, audience, files → index of the entry (by ourselves): the hash of the list of
 * all that is in it, so that the log says what was given out */
#include <errno.h>
#include <string.h>

#include "daemon/cases/cases_impl.h"
#include "daemon/store/approval.h"
#include "daemon/store/incident.h"
#include "daemon/store/log.h"
#include "daemon/store/person.h"
#include "daemon/store/plan.h"
#include "protocol/base/cleanup.h"

#define CK_BUNDLE_OPEN_MS (INT64_C(7) * 86400000)
#define RECIPIENT_MAX 200
#define SHA256_TEXT 64

static const char *const audiences[] = {"court", "person", "agency", NULL};

/* What a request names, checked. */
struct wanted {
    const char *kind; /* "incident" or "checkin" */
    int64_t id;
    const char *audience, *recipient;
};

static int read_request(const json_t *request, struct wanted *wanted, struct ck_refusal *refusal)
{
    bool incident = json_object_get(request, "incident") != NULL;
    wanted->kind = incident ? "incident" : "checkin";
    int r = ck_body_id(request, wanted->kind, &wanted->id, refusal);
    r = r == 0 ? ck_case_word(request, "audience", audiences, &wanted->audience, refusal) : r;
    return r == 0 ? ck_body_text(request, "recipient", RECIPIENT_MAX, false, &wanted->recipient,
                                 refusal)
                  : r;
}

/* Whose it is must be the person that the approval is about: they are in the asker's scope. */
static int check_owner(struct ck_turn *turn, const struct wanted *wanted, int64_t person,
                       struct ck_refusal *refusal)
{
    int64_t owner = 0;
    if (strcmp(wanted->kind, "incident") == 0) {
        struct ck_incident_row row;
        int found = ck_incident_load(ck_turn_store(turn), wanted->id, &row);
        /* Safety checks and concerns are in no bundle: as if they were not there. */
        if (found == 0 &&
            (row.step.kind == CK_INCIDENT_SAFETY || row.step.kind == CK_INCIDENT_CONCERN)) {
            return ck_refuse(refusal, CK_E_NOT_FOUND, wanted->kind, "there is no such incident");
        }
    }
    int r = ck_log_owner(ck_turn_store(turn), wanted->kind, wanted->id, &owner);
    if (r == CK_E_NOT_FOUND || (r == 0 && (owner == 0 || owner != person))) {
        return ck_refuse(refusal, CK_E_NOT_FOUND, wanted->kind,
                         "there is no such %s of this person", wanted->kind);
    }
    return r;
}

int ck_bundle_proposed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    struct wanted wanted;
    (void)actor;
    (void)result;
    int r = read_request(json_object_get(body, "request"), &wanted, refusal);
    return r == 0 ? check_owner(turn, &wanted, json_integer_value(json_object_get(body, "person")),
                                refusal)
                  : r;
}

static int record(struct ck_turn *turn, const struct ck_actor *actor, const char *action,
                  const struct wanted *wanted, int64_t approval, int64_t person, const char *reason)
{
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){
                             .action = action,
                             .object = "approval",
                             .object_id = approval,
                             .person_id = person,
                             .open = json_pack("{s:I, s:s}", wanted->kind, (json_int_t)wanted->id,
                                               "audience", wanted->audience),
                             .sealed = json_pack("{s:s, s:s, s:s}", "recipient", wanted->recipient,
                                                 "reason", reason, "peer", actor->peer),
                         });
}

int ck_bundle_approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    struct wanted wanted;
    int64_t person = json_integer_value(json_object_get(body, "person"));
    (void)result;
    int r = read_request(json_object_get(body, "request"), &wanted, refusal);
    r = r == 0 ? check_owner(turn, &wanted, person, refusal) : r;
    return r == 0 ? record(turn, actor, "BUNDLE_APPROVED", &wanted,
                           json_integer_value(json_object_get(body, "approval")), person,
                           json_string_value(json_object_get(body, "reason")))
                  : r;
}

/* The approval that a bundle is fetched by. */
static int load_approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         struct ck_approval_row *row, struct ck_refusal *refusal)
{
    int64_t id = 0, approver = 0;
    struct ck_wall since = ck_wall_add_ms(ck_turn_now(turn), -CK_BUNDLE_OPEN_MS);
    int r = ck_body_id(body, "approval", &id, refusal);
    r = r == 0 ? ck_approval_load(ck_turn_store(turn), id, row) : r;
    if (r == 0 && strcmp(row->kind, "bundle.export") != 0) {
        r = CK_E_NOT_FOUND;
    }
    r = r == 0 ? ck_approval_approved(ck_turn_store(turn), id, since, &approver) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "approval",
                         "no bundle was approved by this request within the last seven days");
    }
    if (r == 0 && actor->kind != CK_ACTOR_SYSTEM &&
        (actor->kind != CK_ACTOR_STAFF ||
         (actor->staff_id != row->proposer && actor->staff_id != approver))) {
        return ck_turn_deny(turn, actor, "approval", id, row->person,
                            "it is fetched by whoever proposed or approved it", refusal);
    }
    /* Whoever went to another unit or caseload since has lost it with the rest. */
    struct ck_subject subject;
    if (r != 0 || row->person == 0 || actor->kind != CK_ACTOR_STAFF) {
        return r;
    }
    r = ck_subject_load(ck_turn_store(turn), row->person, &subject);
    if (r == 0 && !ck_in_scope(actor, subject.unit, subject.inspector)) {
        return ck_turn_deny(turn, actor, "approval", id, row->person,
                            "the person is outside your caseload or unit", refusal);
    }
    return r;
}

int ck_bundle_open(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    ck_cleanup(ck_approval_clear) struct ck_approval_row row = {0};
    struct wanted wanted;
    json_t *request = NULL;
    int r = load_approved(turn, actor, body, &row, refusal);
    if (r == 0) {
        request = json_loads(row.body, 0, NULL);
        r = request == NULL ? -EUCLEAN : read_request(request, &wanted, refusal);
    }
    r = r == 0 ? record(turn, actor, "BUNDLE_EXPORTED", &wanted, row.id, row.person, row.reason)
               : r;
    if (r == 0) {
        *result = json_pack("{s:I, s:I, s:s, s:I, s:s, s:s, s:s}", "approval", (json_int_t)row.id,
                            "person", (json_int_t)row.person, "kind", wanted.kind, "id",
                            (json_int_t)wanted.id, "audience", wanted.audience, "recipient",
                            wanted.recipient, "reason", row.reason);
        r = *result == NULL ? -ENOMEM : 0;
    }
    json_decref(request);
    return r;
}

int ck_bundle_built(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    ck_cleanup(ck_approval_clear) struct ck_approval_row row = {0};
    const char *manifest = NULL, *audience = NULL;
    int64_t files = 0, index = -1;
    if (actor->kind != CK_ACTOR_SYSTEM) {
        return ck_turn_deny(turn, actor, "approval", 0, 0, "bundles are made by ourselves",
                            refusal);
    }
    int r = load_approved(turn, actor, body, &row, refusal);
    r = r == 0 ? ck_body_text(body, "manifest", SHA256_TEXT, false, &manifest, refusal) : r;
    r = r == 0 ? ck_case_word(body, "audience", audiences, &audience, refusal) : r;
    r = r == 0 ? ck_body_int(body, "files", 0, INT64_MAX, &files, refusal) : r;
    r = r == 0
            ? ck_turn_audit(turn, actor,
                            &(struct ck_record){
                                .action = "BUNDLE_BUILT",
                                .object = "approval",
                                .object_id = row.id,
                                .person_id = row.person,
                                .open = json_pack("{s:s, s:s, s:I}", "manifest", manifest,
                                                  "audience", audience, "files", (json_int_t)files),
                                .index = &index,
                            })
            : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "index", (json_int_t)index);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}
