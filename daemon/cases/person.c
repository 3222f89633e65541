/* Persons. */
#include "daemon/store/person.h"

#include <stdio.h>
#include <string.h>

#include "daemon/cases/cases_impl.h"
#include "daemon/core/band_live.h"
#include "daemon/core/zone_live.h"
#include "daemon/store/checkin.h"
#include "daemon/store/query_people.h"
#include "daemon/store/staff.h"
#include "protocol/base/cleanup.h"
#include "scheduler/date.h"

#define REFERENCE_TRIES 20
#define MS_PER_DAY INT64_C(86400000)

static const char *const bands[] = {"low", "medium", "high", "top", NULL};

/* Nobody under 18 is enrolled: calls with a minor need a guardian beside them. */
static int check_age(struct ck_turn *turn, const char *birth_date, struct ck_refusal *refusal)
{
    struct ck_date born;
    if (ck_date_parse(birth_date, &born) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, "birth_date", "must be a date, YYYY-MM-DD");
    }
    struct ck_civil today =
        ck_date_civil((struct ck_date){(int32_t)(ck_turn_now(turn).ms / MS_PER_DAY)});
    struct ck_civil birth = ck_date_civil(born);
    int age = today.year - birth.year -
              (today.month < birth.month || (today.month == birth.month && today.day < birth.day));
    if (age < CK_AGE_MIN || age > 120) {
        return ck_refuse(refusal, CK_E_INVALID, "birth_date", "must be %d to 120 years ago",
                         CK_AGE_MIN);
    }
    return 0;
}

static int check_inspector(struct ck_turn *turn, const struct ck_person_row *row,
                           struct ck_refusal *refusal)
{
    struct ck_staff_brief brief;
    int r = ck_staff_brief_load(ck_turn_store(turn), row->inspector, &brief);
    if (r == CK_E_NOT_FOUND || (r == 0 && (brief.disabled || brief.unit != row->unit ||
                                           (brief.roles & CK_ROLE_INSPECTOR) == 0))) {
        return ck_refuse(refusal, CK_E_INVALID, "inspector_id", "is not an inspector of this unit");
    }
    return r;
}

static int read_person(struct ck_turn *turn, const json_t *body, struct ck_person_row *row,
                       struct ck_refusal *refusal)
{
    int r = ck_body_text(body, "name", CK_NAME_MAX, false, &row->name, refusal);
    r = r == 0 ? ck_body_text(body, "birth_date", 10, false, &row->birth_date, refusal) : r;
    r = r == 0 ? check_age(turn, row->birth_date, refusal) : r;
    r = r == 0 ? ck_case_phone(body, &row->phone, refusal) : r;
    r = r == 0 ? ck_case_mail(body, &row->email, refusal) : r;
    r = r == 0 ? ck_case_word(body, "language", ck_languages, &row->language, refusal) : r;
    r = r == 0 ? ck_case_optional(body, "address", CK_NOTE_MAX, &row->address, refusal) : r;
    r = r == 0 ? ck_case_optional(body, "note", CK_NOTE_MAX, &row->note, refusal) : r;
    r = r == 0 ? ck_body_id(body, "inspector_id", &row->inspector, refusal) : r;
    r = r == 0 ? ck_body_id(body, "unit_id", &row->unit, refusal) : r;
    r = r == 0 ? ck_case_word(body, "band", bands, &row->band, refusal) : r;
    if (r == 0 && row->phone == NULL && row->email == NULL) {
        r = ck_refuse(refusal, CK_E_INVALID, "phone",
                      "a phone number or a mail address is needed to reach the person");
    }
    return r == 0 ? check_inspector(turn, row, refusal) : r;
}

/* An inspector makes and changes persons of the own caseload; a supervisor those of the unit. */
static int check_scope(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_person_row *row, struct ck_refusal *refusal)
{
    if (actor->kind == CK_ACTOR_STAFF && !ck_in_scope(actor, row->unit, row->inspector)) {
        return ck_turn_deny(turn, actor, "person", row->id, row->id,
                            "the person would be outside your caseload", refusal);
    }
    return 0;
}

static json_t *sealed_person(const struct ck_person_row *row)
{
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?}", "name", row->name, "birth_date",
                     row->birth_date, "phone", row->phone, "email", row->email, "address",
                     row->address, "note", row->note);
}

/* A short public number that says nothing about the person: random, not counted up. */
static int insert_person(struct ck_turn *turn, struct ck_person_row *row)
{
    for (int i = 0; i < REFERENCE_TRIES; i++) {
        uint32_t number;
        char reference[16];
        ck_turn_random(turn, &number, sizeof number);
        snprintf(reference, sizeof reference, i < REFERENCE_TRIES / 2 ? "P-%04u" : "P-%08u",
                 i < REFERENCE_TRIES / 2 ? number % 10000 : number % 100000000);
        row->reference = reference;
        int r = ck_person_insert(ck_turn_store(turn), row, ck_turn_now(turn));
        row->reference = NULL;
        if (r != CK_E_CONFLICT) {
            return r;
        }
    }
    return CK_E_LIMIT;
}

int ck_person_create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    uint8_t pseudonym[16], salt[32];
    struct ck_person_row row = {.pseudonym = pseudonym, .salt = salt};
    int r = read_person(turn, body, &row, refusal);
    r = r == 0 ? check_scope(turn, actor, &row, refusal) : r;
    if (r != 0) {
        return r;
    }
    ck_turn_random(turn, pseudonym, sizeof pseudonym);
    ck_turn_random(turn, salt, sizeof salt);
    r = insert_person(turn, &row);
    if (r != 0) {
        return r;
    }
    struct ck_record record = {.action = "PERSON_CREATED",
                               .object = "person",
                               .object_id = row.id,
                               .person_id = row.id,
                               .open = json_pack("{s:s, s:s, s:I}", "band", row.band, "language",
                                                 row.language, "unit", (json_int_t)row.unit),
                               .sealed = sealed_person(&row)};
    r = ck_turn_audit(turn, actor, &record);
    r = r == 0 ? ck_retention_person(turn, row.id) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)row.id);
    }
    return r;
}

int ck_case_person(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   int64_t *person, struct ck_refusal *refusal)
{
    int64_t unit = 0, inspector = 0;
    int r = ck_body_id(body, "person", person, refusal);
    r = r == 0 ? ck_person_owner(ck_turn_store(turn), *person, &unit, &inspector) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "person", "there is no such person");
    }
    struct ck_person_row row = {.id = *person, .unit = unit, .inspector = inspector};
    return r == 0 ? check_scope(turn, actor, &row, refusal) : r;
}

/* What has not rung goes with the person. */
static int hand_over(struct ck_turn *turn, const struct ck_person_row *row, int64_t old_unit,
                     int64_t old_inspector)
{
    if (row->unit == old_unit && row->inspector == old_inspector) {
        return 0;
    }
    int r = ck_checkin_hand_over(ck_turn_store(turn), row->id, old_inspector, row->inspector,
                                 row->unit);
    r = r == 0 ? ck_zone_of_person(turn, old_unit, row->unit) : r;
    return r == 0 && row->unit != old_unit ? ck_capacity_more(turn, row->unit) : r;
}

static int rank_of(const char *band)
{
    int rank = 0;
    while (bands[rank] != NULL && strcmp(bands[rank], band) != 0) {
        rank++;
    }
    return rank;
}

/* The ladder, the safety check and the time of reviews hang on the class of risk: raised by whoever
 * knows of a danger, lowered by a judgement with reasons that a supervisor approves. */
static int check_band(const struct ck_actor *actor, const char *before, const char *after,
                      struct ck_refusal *refusal)
{
    bool lower = rank_of(after) < rank_of(before);
    return lower && actor->kind == CK_ACTOR_STAFF && (actor->roles & CK_ROLE_SUPERVISOR) == 0
               ? ck_refuse(refusal, CK_E_INVALID, "band",
                           "a lower class is proposed under the person's risk, with reasons, and a "
                           "supervisor approves it")
               : 0;
}

int ck_person_change(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    struct ck_person_row row = {0};
    int64_t old_unit = 0, old_inspector = 0;
    ck_cleanup(json_decrefp) json_t *merged = NULL;
    int r = ck_case_person(turn, actor, body, &row.id, refusal);
    r = r == 0 ? ck_query_person_form(ck_turn_store(turn), row.id, &merged) : r;
    if (r != 0) {
        return r;
    }
    const char *known = json_string_value(json_object_get(merged, "band"));
    char before[16];
    snprintf(before, sizeof before, "%s", known == NULL ? "" : known);
    json_object_update(merged, (json_t *)(uintptr_t)body);
    r = read_person(turn, merged, &row, refusal);
    r = r == 0 ? check_band(actor, before, row.band, refusal) : r;
    r = r == 0 ? check_scope(turn, actor, &row, refusal) : r;
    r = r == 0 ? ck_person_owner(ck_turn_store(turn), row.id, &old_unit, &old_inspector) : r;
    r = r == 0 ? ck_person_update(ck_turn_store(turn), &row) : r;
    r = r == 0 ? hand_over(turn, &row, old_unit, old_inspector) : r;
    if (r != 0) {
        return r;
    }
    struct ck_record record = {.action = "PERSON_CHANGED",
                               .object = "person",
                               .object_id = row.id,
                               .person_id = row.id,
                               .open = json_pack("{s:s, s:I, s:I}", "band", row.band, "unit",
                                                 (json_int_t)row.unit, "inspector",
                                                 (json_int_t)row.inspector),
                               .sealed = sealed_person(&row)};
    r = ck_turn_audit(turn, actor, &record);
    r = r == 0 ? ck_person_banded(turn, actor, row.id, before, row.band, NULL) : r;
    struct ck_output today = {.kind = CK_OUTPUT_TODAY,
                              .unit_id = row.unit,
                              .staff_id = row.inspector,
                              .person_id = row.id};
    r = r == 0 ? ck_turn_output(turn, &today) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)row.id);
    }
    return r;
}

int ck_person_language(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    const char *language = NULL;
    int r = ck_case_word(body, "language", ck_languages, &language, refusal);
    return r == 0 ? ck_person_set_language(ck_turn_store(turn), actor->person_id, language) : r;
}
