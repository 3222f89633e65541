/* Texts kept ready for messages: a supervisor's, for the own unit. */
#include "daemon/store/template.h"

#include "daemon/cases/cases_impl.h"

/* The texts go into the log: what the inspectors of a unit are told to write is no secret of
 * anybody's. */
static int record(struct ck_turn *turn, const struct ck_actor *actor, const char *action,
                  const struct ck_template_row *row)
{
    json_t *sealed = json_pack("{s:I, s:s*, s:s*, s:s*}", "template", (json_int_t)row->id, "kk",
                               row->kk, "ru", row->ru, "en", row->en);
    struct ck_record entry = {
        .action = action, .object = "unit", .object_id = row->unit, .sealed = sealed};
    return ck_turn_audit(turn, actor, &entry);
}

static int read_texts(const json_t *body, struct ck_template_row *row, struct ck_refusal *refusal)
{
    int r = ck_body_text(body, "kk", CK_TEMPLATE_MAX, false, &row->kk, refusal);
    r = r == 0 ? ck_body_text(body, "ru", CK_TEMPLATE_MAX, false, &row->ru, refusal) : r;
    return r == 0 ? ck_body_text(body, "en", CK_TEMPLATE_MAX, false, &row->en, refusal) : r;
}

static int unknown(int r, struct ck_refusal *refusal)
{
    return r == CK_E_NOT_FOUND ? ck_refuse(refusal, r, "template", "your unit has no such text")
                               : r;
}

int ck_template_make(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    struct ck_template_row row = {.unit = actor->unit_id, .by_staff = actor->staff_id};
    int64_t count = 0;
    int r = read_texts(body, &row, refusal);
    r = r == 0 ? ck_template_count(ck_turn_store(turn), row.unit, &count) : r;
    if (r == 0 && count >= CK_TEMPLATES_MAX) {
        return ck_refuse(refusal, CK_E_CONFLICT, "", "a unit keeps at most %d texts",
                         CK_TEMPLATES_MAX);
    }
    r = r == 0 ? ck_template_insert(ck_turn_store(turn), &row, ck_turn_now(turn), &row.id) : r;
    r = r == 0 ? record(turn, actor, "TEMPLATE_CREATED", &row) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)row.id);
    }
    return r;
}

int ck_template_change(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    struct ck_template_row row = {.unit = actor->unit_id, .by_staff = actor->staff_id};
    int r = ck_body_id(body, "template", &row.id, refusal);
    r = r == 0 ? read_texts(body, &row, refusal) : r;
    r = r == 0 ? unknown(ck_template_update(ck_turn_store(turn), &row, ck_turn_now(turn)), refusal)
               : r;
    return r == 0 ? record(turn, actor, "TEMPLATE_CHANGED", &row) : r;
}

int ck_template_drop(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    struct ck_template_row row = {.unit = actor->unit_id};
    int r = ck_body_id(body, "template", &row.id, refusal);
    r = r == 0
            ? unknown(ck_template_remove(ck_turn_store(turn), row.id, row.unit, ck_turn_now(turn)),
                      refusal)
            : r;
    return r == 0 ? record(turn, actor, "TEMPLATE_REMOVED", &row) : r;
}
