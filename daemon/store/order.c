#include "daemon/store/order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define DAY_MIN (24 * 60)

static const char *const sources[] = {"court", "statute", "agency"};
static const char *const modes[] = {"in_person", "live", "unattended"};

const char *ck_source_name(enum ck_requirement_source source)
{
    return (unsigned)source < CK_SOURCE_COUNT ? sources[source] : NULL;
}

const char *ck_contact_mode_name(enum ck_contact_mode mode)
{
    return (unsigned)mode < CK_MODE_COUNT ? modes[mode] : NULL;
}

/* ---- requirements ---- */

/* ["live","unattended"] */
static void modes_text(uint32_t mask, char text[static 64])
{
    size_t at = (size_t)snprintf(text, 64, "[");
    for (int mode = 0; mode < CK_MODE_COUNT; mode++) {
        if ((mask & CK_MODE_BIT(mode)) != 0) {
            at += (size_t)snprintf(text + at, 64 - at, "%s\"%s\"", at > 1 ? "," : "", modes[mode]);
        }
    }
    snprintf(text + at, 64 - at, "]");
}

static uint32_t modes_mask(const char *text)
{
    uint32_t mask = 0;
    for (int mode = 0; mode < CK_MODE_COUNT; mode++) {
        char quoted[24];
        snprintf(quoted, sizeof quoted, "\"%s\"", modes[mode]);
        mask |= strstr(text, quoted) == NULL ? 0 : CK_MODE_BIT(mode);
    }
    return mask;
}

static int insert_requirement(struct ck_store *store, const struct ck_order_row *row,
                              uint32_t index)
{
    const struct ck_requirement *requirement = &row->requirements[index];
    char text[64];
    modes_text(requirement->modes, text);
    return ck_sql_run(
        store,
        "INSERT INTO requirement (order_id, source, count, days, modes, mandatory, replaces, "
        "citation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)",
        CK_ARGS(ck_int(row->id), ck_text(ck_source_name(requirement->source)),
                ck_int(requirement->count), ck_int(requirement->days), ck_text(text),
                ck_int(requirement->mandatory), ck_text(row->citations[index])));
}

static int load_requirements(struct ck_store *store, struct ck_order_record *record)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    struct ck_order *rules = &record->rules;
    int r =
        ck_sql_query(store, &rows,
                     "SELECT id, source, count, days, modes, mandatory, replaces, citation, "
                     "proposer_id, approver_id FROM requirement WHERE order_id = ?1 ORDER BY id",
                     CK_ARGS(ck_int(record->id)));
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        if (rules->requirement_count == CK_REQUIREMENTS_MAX) {
            return -EUCLEAN;
        }
        struct ck_requirement *requirement = &rules->requirements[rules->requirement_count];
        record->requirement_ids[rules->requirement_count++] = ck_row_int(&rows, 0);
        *requirement = (struct ck_requirement){
            .count = (uint32_t)ck_row_int(&rows, 2),
            .days = (uint32_t)ck_row_int(&rows, 3),
            .modes = modes_mask(ck_row_text(&rows, 4)),
            .mandatory = ck_row_int(&rows, 5) != 0,
            .video_replaces = ck_row_int(&rows, 6) != 0,
            .has_citation = !ck_row_null(&rows, 7),
            .approved_by = {ck_row_int(&rows, 8), ck_row_int(&rows, 9)},
        };
        while (strcmp(sources[requirement->source], ck_row_text(&rows, 1)) != 0) {
            if (++requirement->source == CK_SOURCE_COUNT) {
                return -EUCLEAN;
            }
        }
        r = 0;
    }
    return r;
}

int ck_requirement_replace(struct ck_store *store, int64_t order, int64_t requirement,
                           const char *citation, int64_t proposer, int64_t approver)
{
    return ck_sql_must(store,
                       "UPDATE requirement SET replaces = 1, citation = ?3, proposer_id = ?4, "
                       "approver_id = ?5 WHERE id = ?2 AND order_id = ?1 AND replaces = 0",
                       CK_ARGS(ck_int(order), ck_int(requirement), ck_text(citation),
                               ck_int(proposer), ck_int(approver)),
                       CK_E_CONFLICT);
}

int ck_query_requirements(struct ck_store *store, int64_t order, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT r.id AS \"id:i\", source AS \"source:t\", count AS \"count:i\", days AS "
        "\"days:i\", "
        "modes AS \"modes:j\", mandatory AS \"mandatory:f\", "
        "CASE WHEN replaces = 1 THEN 'replaces' ELSE 'supplements' END AS \"video:t\", "
        "citation AS \"citation:t\", p.name AS \"proposer:t\", a.name AS \"approver:t\" "
        "FROM requirement r LEFT JOIN staff p ON p.id = r.proposer_id "
        "LEFT JOIN staff a ON a.id = r.approver_id WHERE order_id = ?1 ORDER BY r.id",
        CK_ARGS(ck_int(order)), list);
}

/* ---- orders ---- */

int ck_order_insert(struct ck_store *store, struct ck_order_row *row, struct ck_wall now)
{
    int r = ck_sql_insert(
        store,
        "INSERT INTO contact_order (person_id, kind, article, number, issuer, from_date, "
        "until_date, conditions, per_day_max, hours_start, hours_end, created_at, next_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
        CK_ARGS(ck_int(row->person), ck_text(row->kind), ck_text(row->article),
                ck_text(row->number), ck_text(row->issuer), ck_text(row->from), ck_text(row->until),
                ck_text(row->conditions), ck_int(row->per_day_max), ck_text(row->hours_start),
                ck_text(row->hours_end), ck_time(now)),
        &row->id);
    for (uint32_t i = 0; r == 0 && i < row->requirement_count; i++) {
        r = insert_requirement(store, row, i);
    }
    return r;
}

int ck_order_end(struct ck_store *store, int64_t id, const char *date, const char *reason)
{
    return ck_sql_must(store,
                       "UPDATE contact_order SET ended_date = ?2, ended_reason = ?3, "
                       "version = version + 1 WHERE id = ?1 AND ended_date IS NULL",
                       CK_ARGS(ck_int(id), ck_text(date), ck_text(reason)), CK_E_CONFLICT);
}

#define ORDER_COLUMNS                                                                              \
    "id, person_id, kind, from_date, until_date, hours_start, hours_end, per_day_max, "            \
    "ended_date, next_at, fence"

static int read_order(const struct ck_rows *rows, struct ck_order_record *record)
{
    const char *kind = ck_row_text(rows, 2);
    struct ck_order_record read = {
        .id = ck_row_int(rows, 0),
        .person = ck_row_int(rows, 1),
        .ended = !ck_row_null(rows, 8),
        .rules = {.hours_start_min = ck_day_minute(ck_row_text(rows, 5)),
                  .hours_end_min = ck_day_minute(ck_row_text(rows, 6)),
                  .per_day_max = (uint32_t)ck_row_int(rows, 7),
                  .domestic_violence = strcmp(kind, "other") != 0},
        .next_at = ck_row_time(rows, 9),
        .fence = ck_row_int(rows, 10),
    };
    if (ck_date_parse(ck_row_text(rows, 3), &read.rules.from) != 0 ||
        ck_date_parse(ck_row_text(rows, 4), &read.rules.until) != 0 ||
        read.rules.hours_start_min < 0 || read.rules.hours_end_min < 0) {
        return -EUCLEAN;
    }
    if (read.rules.hours_end_min <= read.rules.hours_start_min) {
        read.rules.hours_end_min += DAY_MIN; /* past midnight */
    }
    if (read.ended) {
        struct ck_date ended;
        if (ck_date_parse(ck_row_text(rows, 8), &ended) != 0) {
            return -EUCLEAN;
        }
        if (ended.day <= read.rules.until.day) {
            read.rules.until.day = ended.day - 1;
        }
    }
    *record = read;
    return 0;
}

int ck_order_load(struct ck_store *store, int64_t id, struct ck_order_record *record)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    struct ck_order_record read;
    int r = ck_sql_first(store, &rows, "SELECT " ORDER_COLUMNS " FROM contact_order WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    r = r == 0 ? read_order(&rows, &read) : r;
    r = r == 0 ? load_requirements(store, &read) : r;
    if (r == 0) {
        *record = read;
    }
    return r;
}

int ck_order_save(struct ck_store *store, const struct ck_order_record *record)
{
    return ck_sql_must(store,
                       "UPDATE contact_order SET next_at = ?3, lease_until = NULL, claims = 0 "
                       "WHERE id = ?1 AND fence = ?2",
                       CK_ARGS(ck_int(record->id), ck_int(record->fence), ck_time(record->next_at)),
                       CK_E_FENCED);
}

int ck_order_in_force(struct ck_store *store, int64_t person, struct ck_date date,
                      struct ck_order_record *records, size_t capacity, size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    char text[CK_DATE_TEXT_SIZE];
    ck_date_text(date, text);
    size_t found = 0;
    int r = ck_sql_query(store, &rows,
                         "SELECT " ORDER_COLUMNS " FROM contact_order WHERE person_id = ?1 "
                         "AND from_date <= ?2 AND until_date >= ?2 "
                         "AND (ended_date IS NULL OR ended_date > ?2) ORDER BY id",
                         CK_ARGS(ck_int(person), ck_text(text)));
    while (r == 0 && found < capacity && (r = ck_rows_next(&rows)) == 1) {
        r = read_order(&rows, &records[found++]);
    }
    for (size_t i = 0; r == 0 && i < found; i++) {
        r = load_requirements(store, &records[i]);
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

/* ---- contacts that count ---- */

int ck_contacts_on(struct ck_store *store, int64_t person, struct ck_date from, size_t days,
                   const struct ck_contacts_of *of, uint32_t *counts)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    char first[CK_DATE_TEXT_SIZE], last[CK_DATE_TEXT_SIZE], leaves[CK_DATE_TEXT_SIZE];
    ck_date_text(of->leaves, leaves);
    ck_date_text(from, first);
    ck_date_text((struct ck_date){from.day + (int32_t)days - 1}, last);
    int r = ck_sql_query(
        store, &rows,
        "WITH RECURSIVE going (id) AS (SELECT ?8 WHERE ?8 <> 0 UNION SELECT p.id FROM going g "
        "JOIN plan p ON p.replaces_id = g.id) "
        "SELECT local_date, count(*) FROM checkin WHERE person_id = ?1 "
        "AND local_date BETWEEN ?2 AND ?3 AND kind <> 'inbound' "
        "AND (outcome IS NULL OR outcome NOT IN ('waived', 'system_fault', 'unstaffed')) "
        "AND (?4 = 0 OR mandatory = 1) "
        "AND ((?5 = 1 AND kind <> 'unattended') OR (?6 = 1 AND kind = 'unattended')) "
        "AND (?7 = 0 OR plan_id IS NULL OR plan_id IN (SELECT id FROM plan WHERE order_id = ?7)) "
        "AND NOT (coalesce(plan_id, 0) IN (SELECT id FROM going) AND make_up_of IS NULL "
        "AND state IN ('planned', 'armed') AND local_date >= ?9) "
        "GROUP BY local_date",
        CK_ARGS(ck_int(person), ck_text(first), ck_text(last), ck_int(of->mandatory),
                ck_int((of->modes & CK_MODE_BIT(CK_MODE_LIVE_VIDEO)) != 0),
                ck_int((of->modes & CK_MODE_BIT(CK_MODE_UNATTENDED_VIDEO)) != 0), ck_int(of->order),
                ck_int(of->leaving), ck_text(leaves)));
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        struct ck_date date;
        if (ck_date_parse(ck_row_text(&rows, 0), &date) != 0) {
            return -EUCLEAN;
        }
        counts[date.day - from.day] += (uint32_t)ck_row_int(&rows, 1);
        r = 0;
    }
    return r;
}

/* ---- blackouts ---- */

static const char *const blackout_sources[CK_BLACKOUT_SOURCES] = {"court", "hospital", "custody",
                                                                  "absence"};

const char *ck_blackout_source_name(int source)
{
    return source >= 0 && source < CK_BLACKOUT_SOURCES ? blackout_sources[source] : NULL;
}

int ck_blackout_insert(struct ck_store *store, struct ck_blackout_row *row, struct ck_wall now)
{
    return ck_sql_insert(store,
                         "INSERT INTO blackout (person_id, source, reason, from_at, until_at, "
                         "by_staff, approver_id, created_at) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                         CK_ARGS(ck_int(row->person), ck_text(row->source), ck_text(row->reason),
                                 ck_time(row->from), ck_time(row->until), ck_int(row->by),
                                 ck_int(row->approver), ck_time(now)),
                         &row->id);
}

int ck_blackout_end(struct ck_store *store, int64_t id, int64_t *person, struct ck_wall *until,
                    struct ck_wall now)
{
    int r = ck_sql_number(store, "SELECT person_id FROM blackout WHERE id = ?1",
                          CK_ARGS(ck_int(id)), person);
    r = r == 0 ? ck_sql_number(store, "SELECT until_at FROM blackout WHERE id = ?1",
                               CK_ARGS(ck_int(id)), &until->ms)
               : r;
    return r != 0
               ? r
               : ck_sql_must(store,
                             "UPDATE blackout SET until_at = CASE WHEN from_at > ?2 THEN from_at "
                             "ELSE ?2 END WHERE id = ?1 AND until_at > ?2",
                             CK_ARGS(ck_int(id), ck_time(now)), CK_E_CONFLICT);
}

int ck_blackouts_of(struct ck_store *store, int64_t person, struct ck_wall from,
                    struct ck_wall until, struct ck_interval *blackouts, int *kinds,
                    size_t capacity, size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    size_t found = 0;
    int r = ck_sql_query(store, &rows,
                         "SELECT from_at, until_at, source FROM blackout WHERE person_id = ?1 AND "
                         "from_at < ?3 AND until_at > ?2 AND until_at > from_at ORDER BY from_at",
                         CK_ARGS(ck_int(person), ck_int(from.ms), ck_int(until.ms)));
    while (r == 0 && found < capacity && (r = ck_rows_next(&rows)) == 1) {
        blackouts[found] = (struct ck_interval){ck_row_time(&rows, 0), ck_row_time(&rows, 1)};
        for (int i = 0; kinds != NULL && i < CK_BLACKOUT_SOURCES; i++) {
            if (strcmp(blackout_sources[i], ck_row_text(&rows, 2)) == 0) {
                kinds[found] = i;
            }
        }
        found++;
        r = 0;
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

int ck_query_blackouts(struct ck_store *store, int64_t person, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT b.id AS \"id:i\", person_id AS \"person_id:i\", source AS \"source:t\", "
        "reason AS \"reason:t\", from_at AS \"from:w\", until_at AS \"until:w\", s.name AS "
        "\"by:t\", "
        "a.name AS \"approver:t\", b.created_at AS \"created:w\" FROM blackout b "
        "JOIN staff s ON s.id = b.by_staff JOIN staff a ON a.id = b.approver_id "
        "WHERE person_id = ?1 ORDER BY until_at DESC, b.id DESC LIMIT ?2",
        CK_ARGS(ck_int(person), ck_int(CK_QUERY_BLACKOUTS_MAX)), list);
}
