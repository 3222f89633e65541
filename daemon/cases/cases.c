#include "daemon/cases/cases.h"

#include <string.h>

#include "daemon/cases/cases_impl.h"

const char *const ck_languages[] = {"kk", "ru", "en", NULL};

int ck_case_optional(const json_t *body, const char *name, size_t max, const char **text,
                     struct ck_refusal *refusal)
{
    const json_t *value = json_object_get(body, name);
    if (value == NULL || json_is_null(value)) {
        *text = NULL;
        return 0;
    }
    return ck_body_text(body, name, max, false, text, refusal);
}

int ck_case_phone(const json_t *body, const char **phone, struct ck_refusal *refusal)
{
    const char *text = NULL;
    int r = ck_case_optional(body, "phone", 16, &text, refusal);
    if (r != 0) {
        return r;
    }
    if (text != NULL && (text[0] != '+' || strlen(text) < 8 ||
                         strspn(text + 1, "0123456789") != strlen(text + 1))) {
        return ck_refuse(refusal, CK_E_INVALID, "phone", "must be + and 7 to 15 digits");
    }
    *phone = text;
    return 0;
}

int ck_case_mail(const json_t *body, const char **mail, struct ck_refusal *refusal)
{
    const char *text = NULL;
    int r = ck_case_optional(body, "email", CK_MAIL_MAX, &text, refusal);
    if (r != 0) {
        return r;
    }
    const char *at = text == NULL ? NULL : strchr(text, '@');
    bool shaped = at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
                  strpbrk(text, " \t\r\n<>,;:\"") == NULL;
    if (text != NULL && !shaped) {
        return ck_refuse(refusal, CK_E_INVALID, "email", "must be one mail address");
    }
    *mail = text;
    return 0;
}

int ck_case_word(const json_t *body, const char *name, const char *const *words, const char **word,
                 struct ck_refusal *refusal)
{
    int index = 0;
    int r = ck_body_word(body, name, words, &index, refusal);
    if (r == 0) {
        *word = words[index];
    }
    return r;
}

void ck_cases_register(struct ck_registry *registry)
{
    static const struct ck_handler_entry entries[] = {
        {"setup.first", ck_setup_first},
        {"unit.create", ck_unit_create},
        {"unit.zone", ck_unit_zone_change},
        {"unit.phone", ck_unit_phone_change},
        {"staff.create", ck_staff_create},
        {"staff.update", ck_staff_update},
        {"staff.password", ck_staff_password},
        {"staff.language", ck_staff_language},
        {"person.create", ck_person_create},
        {"person.update", ck_person_change},
        {"person.language", ck_person_language},
        {"person.enrol", ck_person_enrol},
        {"photo.store", ck_photo_store},
        {"checkin.thumbnail", ck_thumbnail_store},
        {"order.create", ck_order_create},
        {"message.send", ck_message_send},
        {"message.delivered", ck_message_mark_delivered},
        {"message.read", ck_message_mark_read},
        {"template.create", ck_template_make},
        {"template.update", ck_template_change},
        {"template.remove", ck_template_drop},
        {"request.make", ck_request_make},
        {"request.answer", ck_request_decide},
        {"approval.propose", ck_approval_propose_any},
        {"approval.decide", ck_approval_decide},
        {"approval.withdraw", ck_approval_withdraw},
        {"proposed.bundle.export", ck_bundle_proposed},
        {"approved.bundle.export", ck_bundle_approved},
        {"bundle.open", ck_bundle_open},
        {"bundle.built", ck_bundle_built},
        {"risk.score", ck_risk_score},
        {"risk.judge", ck_risk_judge},
        {"risk.propose", ck_risk_propose},
        {"proposed.cadence.change", ck_cadence_proposed},
        {"approved.cadence.change", ck_cadence_approved},
        {"approved.plan.proposal", ck_proposal_approved},
    };
    ck_registry_add(registry, entries, sizeof entries / sizeof entries[0]);
}
