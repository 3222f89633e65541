#include "daemon/cases/risk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/destroyed.h"
#include "daemon/cases/cases_impl.h"
#include "daemon/core/sealed.h"
#include "daemon/store/assessment.h"
#include "protocol/base/cleanup.h"
#include "scheduler/date.h"

static const char *const classes[] = {"low", "medium", "high", "top", NULL};

/* ---- sealed rows ---- */

static int seal(struct ck_turn *turn, const struct ck_actor *actor, const char *kind,
                int64_t person, const json_t *content)
{
    struct ck_assessment_row row = {.person = person, .kind = kind, .by = actor->staff_id};
    struct ck_sealed sealed;
    ck_cleanup(ck_freep) char *text = json_dumps(content, JSON_COMPACT | JSON_SORT_KEYS);
    int r = text == NULL ? -ENOMEM : ck_assessment_next_id(ck_turn_store(turn), &row.id);
    r = r == 0 ? ck_sealed_make(turn, CK_PURPOSE_ASSESSMENT, row.id, text, &sealed) : r;
    ck_wipe(text, text == NULL ? 0 : strlen(text));
    if (r != 0) {
        return r;
    }
    row.key = sealed.wrapped;
    row.key_size = sizeof sealed.wrapped;
    memcpy(row.nonce, sealed.nonce, sizeof row.nonce);
    row.sealed = sealed.bytes;
    row.size = sealed.size;
    r = ck_assessment_insert(ck_turn_store(turn), &row, ck_turn_now(turn));
    free(sealed.bytes);
    return r;
}

/* Opens one row of ck_query_assessments() in place: the sealed members make way for the content. */
static int open_row(const uint8_t *master, json_t *row)
{
    char *text = NULL;
    int64_t id = json_integer_value(json_object_get(row, "id"));
    int r = ck_sealed_open(master, CK_PURPOSE_ASSESSMENT, id, row, &text);
    if (r != 0 || text == NULL) { /* it was erased */
        return r;
    }
    ck_cleanup(json_decrefp) json_t *content = json_loads(text, 0, NULL);
    ck_wipe(text, strlen(text));
    free(text);
    return content == NULL ? -EUCLEAN : json_object_update_missing(row, content);
}

static int open_kind(struct ck_store *store, const uint8_t *master, int64_t person,
                     const char *kind, json_t **list)
{
    ck_cleanup(json_decrefp) json_t *rows = NULL;
    size_t index;
    json_t *row;
    int r = ck_query_assessments(store, person, kind, &rows);
    json_array_foreach(rows, index, row)
    {
        r = r == 0 ? open_row(master, row) : r;
    }
    if (r == 0) {
        *list = ck_take(rows);
    }
    return r;
}

int ck_risk_open(struct ck_store *store, const uint8_t master[static CK_KEY_SIZE], int64_t person,
                 json_t **risk)
{
    json_t *scores = NULL, *judgements = NULL;
    bool put_back = false;
    int r = ck_audit_put_back(store, CK_KEEP_RISK, person, &put_back);
    if (r != 0 || put_back) {
        return r != 0 ? r : CK_E_CONFLICT;
    }
    r = open_kind(store, master, person, "score", &scores);
    r = r == 0 ? open_kind(store, master, person, "judgement", &judgements) : r;
    if (r != 0) {
        json_decref(scores);
        return r;
    }
    *risk = json_pack("{s:o, s:o}", "scores", scores, "judgements", judgements);
    return *risk == NULL ? -ENOMEM : 0;
}

/* ---- the score ---- */

static int read_items(const json_t *body, enum ck_odara_answer items[static CK_ODARA_ITEMS],
                      struct ck_refusal *refusal)
{
    const json_t *list = json_object_get(body, "items");
    if (json_array_size(list) != CK_ODARA_ITEMS) {
        return ck_refuse(refusal, CK_E_INVALID, "items", "must be a list of %d answers",
                         CK_ODARA_ITEMS);
    }
    for (size_t i = 0; i < CK_ODARA_ITEMS; i++) {
        const json_t *item = json_array_get(list, i);
        json_int_t value = json_integer_value(item);
        if (!json_is_null(item) && (!json_is_integer(item) || value < 0 || value > 1)) {
            char field[24];
            snprintf(field, sizeof field, "items[%zu]", i);
            return ck_refuse(refusal, CK_E_INVALID, field, "must be 1, 0 or null");
        }
        items[i] = json_is_null(item) ? CK_ODARA_UNKNOWN
                   : value == 1       ? CK_ODARA_PRESENT
                                      : CK_ODARA_ABSENT;
    }
    return 0;
}

static int read_eligibility(const json_t *body, struct ck_odara_eligibility *eligibility,
                            struct ck_refusal *refusal)
{
    const json_t *said = json_object_get(body, "eligibility");
    int r = ck_body_flag(said, "known_to_police", &eligibility->known_to_police, refusal);
    r = r == 0 ? ck_body_flag(said, "partner", &eligibility->partner, refusal) : r;
    r = r == 0 ? ck_body_flag(said, "contact_or_threat", &eligibility->contact_or_threat, refusal)
               : r;
    return r == 0
               ? ck_body_flag(said, "adult_man_to_woman", &eligibility->adult_man_to_woman, refusal)
               : r;
}

static json_t *result_json(const struct ck_odara_result *result)
{
    return json_pack(
        "{s:b, s:b, s:i, s:i, s:o, s:i, s:i, s:s, s:b, s:s}", "eligible", (int)result->eligible,
        "enough", (int)result->enough, "raw", (int)result->raw, "missing", (int)result->missing,
        "prorated", result->enough ? json_integer(result->prorated) : json_null(), "low",
        (int)result->low, "high", (int)result->high, "band", ck_band_name(result->band),
        "uncertain", (int)result->uncertain, "handled_as", ck_band_name(result->handled_as));
}

static int person_result(int64_t person, json_t **result)
{
    *result = json_pack("{s:I}", "id", (json_int_t)person);
    return *result == NULL ? -ENOMEM : 0;
}

int ck_risk_score(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    const struct ck_norms *norms = &ck_turn_rules(turn)->norms;
    enum ck_odara_answer items[CK_ODARA_ITEMS];
    struct ck_odara_eligibility eligibility;
    struct ck_odara_result scored;
    const char *date_text = NULL, *note = NULL;
    struct ck_date date;
    int64_t person = 0;
    int r = ck_case_person(turn, actor, body, &person, refusal);
    r = r == 0 ? ck_body_text(body, "index_date", 10, false, &date_text, refusal) : r;
    if (r == 0 && ck_date_parse(date_text, &date) != 0) {
        r = ck_refuse(refusal, CK_E_INVALID, "index_date", "must be a date, YYYY-MM-DD");
    }
    r = r == 0 ? ck_body_text(body, "note", CK_NOTE_MAX, true, &note, refusal) : r;
    r = r == 0 ? read_items(body, items, refusal) : r;
    r = r == 0 ? read_eligibility(body, &eligibility, refusal) : r;
    r = r == 0 ? ck_odara_score(items, &eligibility, &norms->odara, &scored) : r;
    if (r != 0) {
        return r;
    }
    ck_cleanup(json_decrefp) json_t *content = json_pack(
        "{s:O, s:O, s:s, s:s, s:o, s:{s:s, s:s}}", "items", json_object_get(body, "items"),
        "eligibility", json_object_get(body, "eligibility"), "index_date", date_text, "note", note,
        "result", result_json(&scored), "norms", "version", norms->version, "source",
        norms->source);
    r = content == NULL ? -ENOMEM : seal(turn, actor, "score", person, content);
    r = r == 0 ? ck_turn_audit(
                     turn, actor,
                     &(struct ck_record){.action = "RISK_SCORED",
                                         .object = "person",
                                         .object_id = person,
                                         .person_id = person,
                                         .open = json_pack("{s:s}", "norms", norms->version)})
               : r;
    return r == 0 ? person_result(person, result) : r;
}

int ck_risk_judge(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    const char *reasons = NULL, *band = NULL;
    int64_t person = 0;
    int r = ck_case_person(turn, actor, body, &person, refusal);
    r = r == 0 ? ck_case_word(body, "band", classes, &band, refusal) : r;
    r = r == 0 ? ck_body_text(body, "reasons", CK_NOTE_MAX, false, &reasons, refusal) : r;
    if (r != 0) {
        return r;
    }
    ck_cleanup(json_decrefp) json_t *content =
        json_pack("{s:s, s:s}", "band", band, "reasons", reasons);
    r = content == NULL ? -ENOMEM : seal(turn, actor, "judgement", person, content);
    r = r == 0 ? ck_turn_audit(turn, actor,
                               &(struct ck_record){.action = "RISK_JUDGED",
                                                   .object = "person",
                                                   .object_id = person,
                                                   .person_id = person})
               : r;
    return r == 0 ? person_result(person, result) : r;
}
