/* Orders: what the law demands of a person. */
#include "daemon/store/order.h"

#include <stdio.h>
#include <string.h>

#include "daemon/cases/cases_impl.h"
#include "daemon/store/retention.h"
#include "protocol/base/cleanup.h"
#include "scheduler/date.h"

static const char *const order_kinds[] = {"protective_order", "special_requirements",
                                          "official_warning", "other", NULL};
static const char *const sources[] = {"court", "statute", "agency", NULL};

static int read_time_of_day(const json_t *body, const char *name, const char **text,
                            struct ck_refusal *refusal)
{
    int r = ck_body_text(body, name, 5, false, text, refusal);
    int32_t minute = r == 0 ? ck_day_minute(*text) : 0;
    if (minute < 0 || minute == CK_DAY_MINUTES) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must be a time of day, HH:MM");
    }
    return r;
}

static int read_date(const json_t *body, const char *name, const char **text, struct ck_date *date,
                     struct ck_refusal *refusal)
{
    int r = ck_body_text(body, name, 10, false, text, refusal);
    if (r == 0 && ck_date_parse(*text, date) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must be a date, YYYY-MM-DD");
    }
    return r;
}

/* ---- requirements ---- */

static int read_modes(const json_t *item, uint32_t *modes, const char *field,
                      struct ck_refusal *refusal)
{
    size_t index;
    json_t *value;
    json_array_foreach(json_object_get(item, "modes"), index, value)
    {
        const char *word = json_string_value(value);
        int mode = 0;
        while (word != NULL && mode < CK_MODE_COUNT &&
               strcmp(ck_contact_mode_name((enum ck_contact_mode)mode), word) != 0) {
            mode++;
        }
        if (word == NULL || mode == CK_MODE_COUNT) {
            return ck_refuse(refusal, CK_E_INVALID, field,
                             "modes are in_person, live and unattended");
        }
        *modes |= CK_MODE_BIT(mode);
    }
    return *modes != 0 ? 0 : ck_refuse(refusal, CK_E_INVALID, field, "needs at least one mode");
}

static int read_requirement(const json_t *item, size_t index, struct ck_requirement *requirement,
                            struct ck_refusal *refusal)
{
    char field[32];
    int source = 0;
    int64_t count = 0, days = 0;
    snprintf(field, sizeof field, "requirements[%zu]", index);
    int r = ck_body_word(item, "source", sources, &source, refusal);
    r = r == 0 ? ck_body_int(item, "count", 1, 100, &count, refusal) : r;
    r = r == 0 ? ck_body_int(item, "days", 0, CK_REQUIREMENT_DAYS_MAX, &days, refusal) : r;
    r = r == 0 ? ck_body_flag(item, "mandatory", &requirement->mandatory, refusal) : r;
    if (r == CK_E_INVALID) {
        char member[CK_REFUSAL_FIELD_SIZE];
        snprintf(member, sizeof member, "%s.%.30s", field, refusal->field);
        snprintf(refusal->field, sizeof refusal->field, "%s", member);
    }
    r = r == 0 ? read_modes(item, &requirement->modes, field, refusal) : r;
    requirement->source = (enum ck_requirement_source)source;
    requirement->count = (uint32_t)count;
    requirement->days = (uint32_t)days;
    return r;
}

static int read_requirements(const json_t *body, struct ck_order_row *row,
                             struct ck_refusal *refusal)
{
    const json_t *list = json_object_get(body, "requirements");
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > CK_REQUIREMENTS_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, "requirements",
                         "must be a list of at most %d requirements", CK_REQUIREMENTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        int r = read_requirement(json_array_get(list, i), i, &row->requirements[i], refusal);
        if (r != 0) {
            return r;
        }
    }
    row->requirement_count = (uint32_t)count;
    return 0;
}

static json_t *requirements_json(const struct ck_order_row *row)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < row->requirement_count; i++) {
        const struct ck_requirement *requirement = &row->requirements[i];
        json_t *modes = json_array();
        for (int mode = 0; mode < CK_MODE_COUNT; mode++) {
            if ((requirement->modes & CK_MODE_BIT(mode)) != 0) {
                json_array_append_new(
                    modes, json_string(ck_contact_mode_name((enum ck_contact_mode)mode)));
            }
        }
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:i, s:b, s:o}", "source",
                                        ck_source_name(requirement->source), "count",
                                        (int)requirement->count, "days", (int)requirement->days,
                                        "mandatory", (int)requirement->mandatory, "modes", modes));
    }
    return list;
}

/* ---- orders ---- */

static int read_order(const json_t *body, struct ck_order_row *row, struct ck_refusal *refusal)
{
    struct ck_date from, until;
    int r = ck_case_word(body, "kind", order_kinds, &row->kind, refusal);
    r = r == 0 ? ck_body_text(body, "article", CK_NAME_MAX, true, &row->article, refusal) : r;
    r = r == 0 ? ck_body_text(body, "number", CK_NAME_MAX, false, &row->number, refusal) : r;
    r = r == 0 ? ck_body_text(body, "issuer", CK_NAME_MAX, false, &row->issuer, refusal) : r;
    r = r == 0 ? read_date(body, "from", &row->from, &from, refusal) : r;
    r = r == 0 ? read_date(body, "until", &row->until, &until, refusal) : r;
    if (r == 0 && until.day < from.day) {
        return ck_refuse(refusal, CK_E_INVALID, "until", "must not be before from");
    }
    r = r == 0
            ? ck_body_text(body, "conditions", CK_CONDITIONS_MAX, true, &row->conditions, refusal)
            : r;
    r = r == 0 ? ck_body_int(body, "per_day_max", 1, CK_PER_DAY_MAX, &row->per_day_max, refusal)
               : r;
    r = r == 0 ? read_time_of_day(body, "hours_start", &row->hours_start, refusal) : r;
    r = r == 0 ? read_time_of_day(body, "hours_end", &row->hours_end, refusal) : r;
    return r == 0 ? read_requirements(body, row, refusal) : r;
}

int ck_order_create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    struct ck_order_row row = {0};
    bool erased = false;
    int r = ck_case_person(turn, actor, body, &row.person, refusal);
    r = r == 0 ? ck_person_is_erased(ck_turn_store(turn), row.person, &erased) : r;
    if (r == 0 && erased) {
        return ck_refuse(refusal, CK_E_CONFLICT, "person",
                         "the person's file was erased; enter them anew");
    }
    r = r == 0 ? read_order(body, &row, refusal) : r;
    r = r == 0 ? ck_order_insert(ck_turn_store(turn), &row, ck_turn_now(turn)) : r;
    if (r != 0) {
        return r;
    }
    struct ck_record record = {
        .action = "ORDER_CREATED",
        .object = "order",
        .object_id = row.id,
        .person_id = row.person,
        .open = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:o}", "kind", row.kind, "from", row.from,
                          "until", row.until, "per_day_max", (json_int_t)row.per_day_max,
                          "hours_start", row.hours_start, "hours_end", row.hours_end,
                          "requirements", requirements_json(&row)),
        .sealed = json_pack("{s:s, s:s, s:s, s:s}", "article", row.article, "number", row.number,
                            "issuer", row.issuer, "conditions", row.conditions)};
    r = ck_turn_audit(turn, actor, &record);
    r = r == 0 ? ck_retention_person(turn, row.person) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)row.id);
    }
    return r;
}
