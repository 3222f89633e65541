#ifndef DAEMON_CASES_CASES_IMPL_H
#define DAEMON_CASES_CASES_IMPL_H

#include "daemon/cases/cases.h"
#include "daemon/core/body.h"
#include "protocol/base/error.h"

extern const char *const ck_languages[]; /* ends with NULL */

/* An optional text: missing or null gives NULL; "" is refused. */
int ck_case_optional(const json_t *body, const char *name, size_t max, const char **text,
                     struct ck_refusal *refusal);
/* Digits after a plus (E.164), and something@somewhere; both optional. */
int ck_case_phone(const json_t *body, const char **phone, struct ck_refusal *refusal);
int ck_case_mail(const json_t *body, const char **mail, struct ck_refusal *refusal);
int ck_case_word(const json_t *body, const char *name, const char *const *words, const char **word,
                 struct ck_refusal *refusal);

/* The person named by "person", within the actor's scope. */
int ck_case_person(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   int64_t *person, struct ck_refusal *refusal);

extern ck_handler ck_setup_first, ck_unit_create, ck_unit_zone_change, ck_unit_phone_change,
    ck_staff_create, ck_staff_update, ck_staff_password, ck_staff_language, ck_person_create,
    ck_person_change, ck_person_language, ck_person_enrol, ck_photo_store, ck_thumbnail_store,
    ck_order_create, ck_message_send, ck_message_mark_delivered, ck_message_mark_read,
    ck_template_make, ck_template_change, ck_template_drop, ck_request_make, ck_request_decide,
    ck_approval_propose_any, ck_approval_decide, ck_approval_withdraw, ck_bundle_proposed,
    ck_bundle_approved, ck_bundle_open, ck_bundle_built, ck_risk_score, ck_risk_judge,
    ck_risk_propose, ck_cadence_proposed, ck_cadence_approved, ck_proposal_approved;

#endif
