#include "daemon/store/query_figures.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define WEEK_MS (INT64_C(7) * 86400000)

struct week {
    int64_t on_time, total, system_faults, reviews_overdue;
    int64_t ack_median_s; /* -1: nothing was acknowledged */
};

static int count_checkins(struct ck_store *store, int64_t unit, int64_t from, int64_t until,
                          struct week *week)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_query(
        store, &rows,
        "SELECT coalesce(sum(outcome = 'completed'), 0), "
        "coalesce(sum(outcome <> 'waived'), 0), "
        "coalesce(sum(outcome IN ('system_fault', 'unstaffed')), 0) FROM checkin "
        "WHERE unit_id = ?1 AND due_at >= ?2 AND due_at < ?3 AND state = 'done' AND mandatory = 1",
        CK_ARGS(ck_int(unit), ck_int(from), ck_int(until)));
    r = r == 0 ? ck_rows_next(&rows) : r;
    if (r == 1) {
        week->on_time = ck_row_int(&rows, 0);
        week->total = ck_row_int(&rows, 1);
        week->system_faults = ck_row_int(&rows, 2);
    }
    return r == 1 ? 0 : r;
}

static int count_overdue(struct ck_store *store, int64_t unit, int64_t from, int64_t until,
                         struct week *week)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM incident WHERE unit_id = ?1 AND opened_at >= ?2 "
                         "AND opened_at < ?3 AND kind = 'review_overdue'",
                         CK_ARGS(ck_int(unit), ck_int(from), ck_int(until)),
                         &week->reviews_overdue);
}

static int median_ack(struct ck_store *store, int64_t unit, int64_t from, int64_t until,
                      struct week *week)
{
    int64_t count = 0;
    int r = ck_sql_number(store,
                          "SELECT count(*) FROM incident WHERE unit_id = ?1 AND opened_at >= ?2 "
                          "AND opened_at < ?3 AND acknowledged_at IS NOT NULL",
                          CK_ARGS(ck_int(unit), ck_int(from), ck_int(until)), &count);
    week->ack_median_s = -1;
    if (r != 0 || count == 0) {
        return r;
    }
    return ck_sql_number(store,
                         "SELECT (acknowledged_at - opened_at) / 1000 FROM incident WHERE unit_id "
                         "= ?1 AND opened_at >= ?2 AND opened_at < ?3 AND acknowledged_at IS NOT "
                         "NULL ORDER BY 1 LIMIT 1 OFFSET ?4",
                         CK_ARGS(ck_int(unit), ck_int(from), ck_int(until), ck_int(count / 2)),
                         &week->ack_median_s);
}

static int read_week(struct ck_store *store, int64_t unit, int64_t from, int64_t until,
                     struct week *week)
{
    int r = count_checkins(store, unit, from, until, week);
    r = r == 0 ? count_overdue(store, unit, from, until, week) : r;
    return r == 0 ? median_ack(store, unit, from, until, week) : r;
}

static json_t *ack_json(const struct week *week)
{
    return week->ack_median_s < 0 ? json_null() : json_integer(week->ack_median_s);
}

static json_t *week_json(const struct week *week, int64_t from)
{
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text((struct ck_wall){from + 43200000},
                 text); /* noon: the date is that of every zone near */
    text[10] = '\0';
    return json_pack("{s:s, s:I, s:I, s:o, s:I, s:I}", "week", text, "on_time",
                     (json_int_t)week->on_time, "total", (json_int_t)week->total, "ack_median_s",
                     ack_json(week), "system_faults", (json_int_t)week->system_faults,
                     "reviews_overdue", (json_int_t)week->reviews_overdue);
}

static json_t *now_json(const struct week *week)
{
    json_t *ratio =
        week->total == 0 ? json_null() : json_real((double)week->on_time / (double)week->total);
    return json_pack("{s:o, s:o, s:I, s:I}", "on_time_ratio", ratio, "ack_median_s", ack_json(week),
                     "system_faults", (json_int_t)week->system_faults, "reviews_overdue",
                     (json_int_t)week->reviews_overdue);
}

int ck_query_figures(struct ck_store *store, int64_t unit, struct ck_wall end, int64_t weeks,
                     json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *list = json_array();
    struct week week = {0};
    for (int64_t i = weeks; i > 0; i--) {
        int64_t from = end.ms - i * WEEK_MS;
        week = (struct week){0};
        int r = read_week(store, unit, from, from + WEEK_MS, &week);
        if (r != 0) {
            return r;
        }
        json_array_append_new(list, week_json(&week, from));
    }
    *out = json_pack("{s:O, s:o}", "weeks", list, "now", now_json(&week));
    return *out == NULL ? -ENOMEM : 0;
}
