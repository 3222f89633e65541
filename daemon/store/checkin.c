#include "daemon/store/checkin.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/checkin_json_impl.h"
#include "daemon/store/distance_impl.h"
#include "daemon/store/fields_impl.h"
#include "daemon/store/name_impl.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* What has no column of its own. */
static const struct ck_field machine_fields[] = {
    CK_FIELD(struct ck_checkin, band),
    CK_FIELD(struct ck_checkin, phase),
    CK_FIELD(struct ck_checkin, cause),
    CK_FIELD(struct ck_checkin, finding),
    CK_FIELD(struct ck_checkin, opened_at),
    CK_FIELD(struct ck_checkin, respond_until),
    CK_FIELD(struct ck_checkin, answer_until),
    CK_FIELD(struct ck_checkin, late_until),
    CK_FIELD(struct ck_checkin, ring_next_at),
    CK_FIELD_UNSIGNED(struct ck_checkin, lost),
    CK_FIELD(struct ck_checkin, came),
    CK_FIELD(struct ck_checkin, media),
    CK_FIELD(struct ck_checkin, contact),
    CK_FIELD(struct ck_checkin, incident),
    CK_FIELD(struct ck_checkin, review_incident),
    CK_FIELD(struct ck_checkin, order_over),
    CK_FIELD(struct ck_checkin, joined_at),
    CK_FIELD(struct ck_checkin, call_until),
    CK_FIELD(struct ck_checkin, ended_at),
    CK_FIELD_UNSIGNED(struct ck_checkin, evidence),
    CK_FIELD_LIST(struct ck_checkin, evidence_at, struct ck_wall),
    CK_FIELD_UNSIGNED(struct ck_checkin, faults),
    CK_FIELD_UNSIGNED(struct ck_checkin, faults_seen),
    CK_FIELD(struct ck_checkin, page_block),
};

/* What comes next, as the pages name it; NULL where nothing does. */
static const char *next_what(const struct ck_checkin *step)
{
    switch (step->state) {
    case CK_CHECKIN_PLANNED:
    case CK_CHECKIN_ARMED:
        return "ring";
    case CK_CHECKIN_RINGING:
        return step->next_at.ms == step->ring_next_at.ms ? "ring"
               : step->finding == CK_OUTCOME_OPEN        ? "decide"
                                                         : "late_limit";
    case CK_CHECKIN_CONNECTED:
        return step->phase == CK_PHASE_WAITING ? "unattended"
               : step->phase == CK_PHASE_FORM  ? "form_due"
                                               : "call_over";
    case CK_CHECKIN_AWAITING_REVIEW:
        return step->next_at.ms == 0 ? NULL : "review_due"; /* overdue: its incident says */
    case CK_CHECKIN_DONE:
    case CK_CHECKIN_STATE_COUNT:
        break;
    }
    return NULL;
}

static const char *outcome_text(enum ck_outcome outcome)
{
    return outcome == CK_OUTCOME_OPEN ? NULL : ck_outcome_name(outcome);
}

/* A wall time as a number: seconds since 1970-01-01 of its zone. */
static int64_t local_number(const struct ck_local *local)
{
    return (int64_t)local->date.day * 86400 + local->second;
}

int ck_checkin_insert(struct ck_store *store, struct ck_checkin_row *row, const char *reason,
                      struct ck_wall now)
{
    const struct ck_checkin *step = &row->step;
    char date[CK_DATE_TEXT_SIZE];
    ck_date_text(row->date, date);
    ck_cleanup(ck_freep) char *machine =
        ck_fields_text(machine_fields, COUNT(machine_fields), step);
    if (machine == NULL) {
        return -ENOMEM;
    }
    int64_t id = 0;
    int r = ck_sql_insert(
        store,
        "INSERT INTO checkin (person_id, unit_id, inspector_id, plan_id, plan_version, local_date, "
        "slot, drawn, zone, zone_version, kind, mandatory, policy_id, make_up_of, reason, "
        "window_start_at, window_end_at, due_at, state, machine, outcome, decided_at, created_at, "
        "next_at, next_what, attempts, reserved_id, due_local) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
        "?8, ?9, "
        "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, "
        "?27, ?28)",
        CK_ARGS(ck_int(step->person), ck_int(row->unit), ck_int(step->inspector), ck_id(step->plan),
                ck_id(row->plan_version), ck_text(date), ck_int(row->slot), ck_int(row->drawn),
                ck_text(row->zone), ck_text(row->zone_version),
                ck_text(ck_checkin_kind_name(step->kind)), ck_int(step->mandatory),
                ck_int(row->policy), ck_id(step->make_up_of), ck_text(reason),
                ck_int(step->window_start.ms), ck_int(step->window_end.ms), ck_int(step->due.ms),
                ck_text(ck_checkin_state_name(step->state)), ck_text(machine),
                ck_text(outcome_text(step->outcome)), ck_time(row->decided_at), ck_time(now),
                ck_time(step->next_at), ck_text(next_what(step)), ck_int(row->attempts),
                ck_id(row->reserved), ck_id(local_number(&row->due_local))),
        &id);
    if (r == 0) {
        row->step.id = id;
        row->fence = 0;
    }
    return r;
}

#define COLUMNS                                                                                    \
    "id, person_id, plan_id, inspector_id, make_up_of, merged_into, kind, mandatory, state, "      \
    "outcome, window_start_at, window_end_at, due_at, next_at, attempt, caught_up, "               \
    "review_deadline_at, answerable_ms, machine, unit_id, policy_id, plan_version, fence, "        \
    "local_date, slot, drawn, zone, zone_version, waiting_since_at, connected_at, decided_at, "    \
    "taken_by, receipt, attempts, reserved_id, due_local, put_off_to"

static bool read_step(const struct ck_rows *rows, struct ck_checkin *step)
{
    const char *outcome = ck_row_text(rows, 9);
    step->id = ck_row_int(rows, 0);
    step->person = ck_row_int(rows, 1);
    step->plan = ck_row_int(rows, 2);
    step->inspector = ck_row_int(rows, 3);
    step->make_up_of = ck_row_int(rows, 4);
    step->merged_into = ck_row_int(rows, 5);
    step->mandatory = ck_row_int(rows, 7) != 0;
    step->window_start = ck_row_time(rows, 10);
    step->window_end = ck_row_time(rows, 11);
    step->due = ck_row_time(rows, 12);
    step->next_at = ck_row_time(rows, 13);
    step->attempt = (uint32_t)ck_row_int(rows, 14);
    step->caught_up = ck_row_int(rows, 15) != 0;
    step->review_by = ck_row_time(rows, 16);
    step->answerable_ms = ck_row_int(rows, 17);
    return CK_NAME_FIND(ck_checkin_kind_name, CK_KIND_COUNT, ck_row_text(rows, 6), &step->kind) &&
           CK_NAME_FIND(ck_checkin_state_name, CK_CHECKIN_STATE_COUNT, ck_row_text(rows, 8),
                        &step->state) &&
           (outcome == NULL ||
            CK_NAME_FIND(ck_outcome_name, CK_OUTCOME_COUNT, outcome, &step->outcome));
}

static int read_row(const struct ck_rows *rows, struct ck_checkin_row *row)
{
    struct ck_checkin_row read;
    memset(&read, 0, sizeof read);
    if (!read_step(rows, &read.step) || ck_date_parse(ck_row_text(rows, 23), &read.date) != 0) {
        return -EUCLEAN;
    }
    int r =
        ck_fields_parse(machine_fields, COUNT(machine_fields), ck_row_text(rows, 18), &read.step);
    if (r != 0) {
        return r;
    }
    read.unit = ck_row_int(rows, 19);
    read.policy = ck_row_int(rows, 20);
    read.plan_version = ck_row_int(rows, 21);
    read.fence = ck_row_int(rows, 22);
    read.slot = ck_row_int(rows, 24);
    read.drawn = ck_row_int(rows, 25) != 0;
    ck_row_copy(rows, 26, read.zone, sizeof read.zone);
    ck_row_copy(rows, 27, read.zone_version, sizeof read.zone_version);
    read.waiting_since = ck_row_time(rows, 28);
    read.connected_at = ck_row_time(rows, 29);
    read.decided_at = ck_row_time(rows, 30);
    read.taken_by = ck_row_int(rows, 31);
    ck_row_copy(rows, 32, read.receipt, sizeof read.receipt);
    read.attempts = (uint32_t)ck_row_int(rows, 33);
    read.reserved = ck_row_int(rows, 34);
    read.due_local.date.day = (int32_t)(ck_row_int(rows, 35) / 86400);
    read.due_local.second = (int32_t)(ck_row_int(rows, 35) % 86400);
    read.put_off_to = ck_row_time(rows, 36);
    *row = read;
    return 0;
}

int ck_checkin_load(struct ck_store *store, int64_t id, struct ck_checkin_row *row)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT " COLUMNS " FROM checkin WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    return read_row(&rows, row);
}

/* What is saved, in the order of the parameters after id and fence. */
#define STATE_SAME "state = ?3 AND outcome IS ?4 AND next_at IS ?5 AND next_what IS ?6"
#define PLACE_SAME                                                                                 \
    "inspector_id = ?7 AND merged_into IS ?8 AND window_start_at = ?9 AND window_end_at = ?10 "    \
    "AND due_at = ?11 AND receipt IS ?12 AND reserved_id IS ?13 AND zone = ?14 AND "               \
    "zone_version = ?15 AND kind = ?16 AND put_off_to IS ?17"
#define COMPARED 17
#define SET_STATE "state = ?3, outcome = ?4, next_at = ?5, next_what = ?6, "
#define SET_PLACE                                                                                  \
    "inspector_id = ?7, merged_into = ?8, window_start_at = ?9, window_end_at = ?10, "             \
    "due_at = ?11, receipt = ?12, reserved_id = ?13, zone = ?14, zone_version = ?15, kind = ?16, " \
    "put_off_to = ?17, "
#define SET_REST                                                                                   \
    "machine = ?18, attempt = ?19, waiting_since_at = ?20, connected_at = ?21, taken_by = ?22, "   \
    "decided_at = ?23, answerable_ms = ?24, review_deadline_at = ?25, caught_up = ?26, "           \
    "mandatory = ?27, lease_until = NULL, claims = 0 WHERE id = ?1 AND fence = ?2"

/* SQLite renews an entry of each index that a statement so much as names a column of: so what
 * indexes are kept of, state and place, is written only where it differs, the state a few times in
 * a check-in's life and the place hardly ever. */
static int save_what_differs(struct ck_store *store, struct ck_args args)
{
    static const char *const updates[] = {"UPDATE checkin SET " SET_REST,
                                          "UPDATE checkin SET " SET_STATE SET_REST,
                                          "UPDATE checkin SET " SET_STATE SET_PLACE SET_REST};
    int64_t differs = 0;
    int r = ck_sql_number(store,
                          "SELECT CASE WHEN NOT (" PLACE_SAME ") THEN 2 ELSE NOT (" STATE_SAME
                          ") END FROM checkin WHERE id = ?1 AND fence = ?2",
                          (struct ck_args){args.at, COMPARED}, &differs);
    if (r != 0) {
        return r == CK_E_NOT_FOUND ? CK_E_FENCED : r;
    }
    return ck_sql_must(store, updates[differs], args, CK_E_FENCED);
}

int ck_checkin_save(struct ck_store *store, const struct ck_checkin_row *row)
{
    const struct ck_checkin *step = &row->step;
    ck_cleanup(ck_freep) char *machine =
        ck_fields_text(machine_fields, COUNT(machine_fields), step);
    if (machine == NULL) {
        return -ENOMEM;
    }
    return save_what_differs(
        store,
        CK_ARGS(ck_int(step->id), ck_int(row->fence), ck_text(ck_checkin_state_name(step->state)),
                ck_text(outcome_text(step->outcome)), ck_time(step->next_at),
                ck_text(next_what(step)), ck_int(step->inspector), ck_id(step->merged_into),
                ck_int(step->window_start.ms), ck_int(step->window_end.ms), ck_int(step->due.ms),
                ck_text(row->receipt[0] == '\0' ? NULL : row->receipt), ck_id(row->reserved),
                ck_text(row->zone), ck_text(row->zone_version),
                ck_text(ck_checkin_kind_name(step->kind)), ck_time(row->put_off_to),
                ck_text(machine), ck_int(step->attempt), ck_time(row->waiting_since),
                ck_time(row->connected_at), ck_id(row->taken_by), ck_time(row->decided_at),
                ck_int(step->answerable_ms), ck_time(step->review_by), ck_int(step->caught_up),
                ck_int(step->mandatory)));
}

int ck_checkin_receipt_taken(struct ck_store *store, const char *receipt, bool *taken)
{
    int64_t count = 0;
    int r = ck_sql_number(store, "SELECT count(*) FROM checkin WHERE receipt = ?1",
                          CK_ARGS(ck_text(receipt)), &count);
    if (r == 0) {
        *taken = count > 0;
    }
    return r;
}

int ck_checkin_set_declined(struct ck_store *store, int64_t id, const char *reason)
{
    return ck_sql_run(store, "UPDATE checkin SET declined_reason = ?2 WHERE id = ?1",
                      CK_ARGS(ck_int(id), ck_text(reason)));
}

/* A number that is 0 where there is no row. */
static int number_or_none(struct ck_store *store, const char *sql, struct ck_args args,
                          int64_t *number)
{
    int64_t found = 0;
    int r = ck_sql_number(store, sql, args, &found);
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    *number = r == 0 ? found : 0;
    return 0;
}

int ck_checkin_other_live(struct ck_store *store, int64_t person, int64_t but, int64_t *id)
{
    return number_or_none(store,
                          "SELECT id FROM checkin WHERE person_id = ?1 AND id <> ?2 "
                          "AND state <> 'done' AND (state = 'connected' OR (state = 'ringing' "
                          "AND next_what IS NOT 'late_limit')) ORDER BY id LIMIT 1",
                          CK_ARGS(ck_int(person), ck_int(but)), id);
}

int ck_checkin_called_in(struct ck_store *store, int64_t person, struct ck_wall since,
                         int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM checkin WHERE person_id = ?1 AND due_at > ?2 "
                         "AND kind = 'inbound'",
                         CK_ARGS(ck_int(person), ck_int(since.ms)), count);
}

int ck_checkin_in_call(struct ck_store *store, int64_t person, int64_t but, int64_t *id)
{
    return number_or_none(store,
                          "SELECT id FROM checkin WHERE person_id = ?1 AND id <> ?2 "
                          "AND state <> 'done' AND state = 'connected' ORDER BY id LIMIT 1",
                          CK_ARGS(ck_int(person), ck_int(but)), id);
}

int ck_checkin_to_answer(struct ck_store *store, int64_t person, int64_t *id)
{
    return number_or_none(store,
                          "SELECT id FROM checkin WHERE person_id = ?1 AND state <> 'done' "
                          "AND state IN ('ringing', 'connected') ORDER BY state = 'ringing', "
                          "next_what = 'late_limit', id LIMIT 1",
                          CK_ARGS(ck_int(person)), id);
}

int ck_checkin_backlog(struct ck_store *store, struct ck_wall now, int64_t max, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM (SELECT 1 FROM checkin WHERE next_at <= ?1 "
                         "AND quarantined = 0 AND state = 'armed' LIMIT ?2) AS waiting",
                         CK_ARGS(ck_int(now.ms), ck_int(max)), count);
}

int ck_checkin_previous_due(struct ck_store *store, int64_t person, struct ck_wall before,
                            struct ck_wall *due)
{
    return number_or_none(store,
                          "SELECT due_at FROM checkin WHERE person_id = ?1 AND due_at < ?2 "
                          "ORDER BY due_at DESC LIMIT 1",
                          CK_ARGS(ck_int(person), ck_int(before.ms)), &due->ms);
}

/* The first column of the rows, into a list of numbers. */
static int collect(struct ck_store *store, const char *sql, struct ck_args args, int64_t *numbers,
                   size_t capacity, size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    size_t found = 0;
    int r = ck_sql_query(store, &rows, sql, args);
    while (r == 0 && found < capacity && (r = ck_rows_next(&rows)) == 1) {
        numbers[found++] = ck_row_int(&rows, 0);
        r = 0;
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

int ck_checkin_neighbours(struct ck_store *store, int64_t person, int64_t but, struct ck_wall from,
                          struct ck_wall until, struct ck_wall *due, size_t capacity, size_t *count)
{
    return collect(
        store,
        "SELECT due_at FROM checkin WHERE person_id = ?1 AND due_at >= ?2 AND due_at < ?3 "
        "AND id <> ?4 AND " CK_CHECKIN_KEEPS_DISTANCE " ORDER BY due_at",
        CK_ARGS(ck_int(person), ck_int(from.ms), ck_int(until.ms), ck_int(but)), &due->ms, capacity,
        count);
}
_Static_assert(sizeof(struct ck_wall) == sizeof(int64_t), "a list of times is a list of numbers");

int ck_checkin_live_dues(struct ck_store *store, int64_t unit, struct ck_wall from,
                         struct ck_wall until, struct ck_wall *due, size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT due_at FROM checkin WHERE unit_id = ?1 AND due_at >= ?2 AND due_at < ?3 "
                   "AND kind = 'live' AND state IN ('planned', 'armed') ORDER BY due_at",
                   CK_ARGS(ck_int(unit), ck_int(from.ms), ck_int(until.ms)), &due->ms, capacity,
                   count);
}

/* Of the index. */
#define TAKES_AT "coalesce(put_off_to, due_at)"

int ck_checkin_reserved(struct ck_store *store, int64_t staff, int64_t but, struct ck_wall from,
                        struct ck_wall until, struct ck_wall *at, size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT " TAKES_AT " FROM checkin WHERE reserved_id = ?1 AND " TAKES_AT
                   " >= ?2 AND " TAKES_AT " < ?3 AND state <> 'done' AND id <> ?4 ORDER BY 1",
                   CK_ARGS(ck_int(staff), ck_int(from.ms), ck_int(until.ms), ck_int(but)), &at->ms,
                   capacity, count);
}

int ck_checkin_reserved_before(struct ck_store *store, int64_t staff, int64_t id, struct ck_wall at,
                               int64_t call_ms, bool *taken)
{
    int64_t other = 0;
    int r = number_or_none(
        store,
        "SELECT id FROM checkin WHERE reserved_id = ?1 AND " TAKES_AT " > ?3 - ?4 AND " TAKES_AT
        " < ?3 + ?4 AND state <> 'done' AND id <> ?2 AND (state <> 'planned' OR " TAKES_AT
        " < ?3 OR (" TAKES_AT " = ?3 AND id < ?2)) LIMIT 1",
        CK_ARGS(ck_int(staff), ck_int(id), ck_int(at.ms), ck_int(call_ms)), &other);
    *taken = r == 0 && other != 0;
    return r;
}

int ck_checkin_reserved_ahead(struct ck_store *store, int64_t staff, struct ck_wall from,
                              struct ck_wall until, int64_t *ids, size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT id FROM checkin WHERE reserved_id = ?1 AND " TAKES_AT
                   " >= ?2 AND " TAKES_AT " < ?3 AND state <> 'done' AND state IN ('planned', "
                   "'armed') ORDER BY " TAKES_AT ", id",
                   CK_ARGS(ck_int(staff), ck_int(from.ms), ck_int(until.ms)), ids, capacity, count);
}

int ck_checkin_hand_over(struct ck_store *store, int64_t person, int64_t before, int64_t inspector,
                         int64_t unit)
{
    return ck_sql_run(store,
                      "UPDATE checkin SET inspector_id = ?3, unit_id = ?4, reserved_id = CASE WHEN "
                      "reserved_id = ?2 THEN ?3 WHEN unit_id <> ?4 AND state = 'planned' THEN NULL "
                      "ELSE reserved_id END WHERE person_id = ?1 "
                      "AND state <> 'done' AND state IN ('planned', 'armed')",
                      CK_ARGS(ck_int(person), ck_int(before), ck_int(inspector), ck_int(unit)));
}

int ck_checkin_reserved_now(struct ck_store *store, int64_t person, int64_t staff, bool *reserved)
{
    int64_t id = 0;
    int r = number_or_none(store,
                           "SELECT id FROM checkin WHERE person_id = ?1 AND reserved_id = ?2 "
                           "AND state <> 'done' AND state IN ('ringing', 'connected') LIMIT 1",
                           CK_ARGS(ck_int(person), ck_int(staff)), &id);
    *reserved = id != 0;
    return r;
}

int ck_checkin_unreserved(struct ck_store *store, int64_t unit, struct ck_wall from,
                          struct ck_wall until, int64_t *unattended, int64_t *live)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(
        store, &rows,
        "SELECT coalesce(sum(c.kind = 'unattended'), 0), coalesce(sum(c.kind = 'live' AND "
        "c.reserved_id IS NULL), 0) FROM checkin c JOIN plan p ON p.id = c.plan_id "
        "WHERE c.unit_id = ?1 AND c.due_at >= ?2 AND c.due_at < ?3 "
        "AND c.state IN ('planned', 'armed') AND p.kind = 'live'",
        CK_ARGS(ck_int(unit), ck_int(from.ms), ck_int(until.ms)));
    if (r == 0) {
        *unattended = ck_row_int(&rows, 0);
        *live = ck_row_int(&rows, 1);
    }
    return r;
}

int ck_checkin_due_between(struct ck_store *store, int64_t person, struct ck_wall from,
                           struct ck_wall until, int64_t after, int64_t *ids, size_t capacity,
                           size_t *count)
{
    return collect(store,
                   "SELECT id FROM checkin WHERE person_id = ?1 AND due_at >= ?2 AND due_at < ?3 "
                   "AND id > ?4 ORDER BY id",
                   CK_ARGS(ck_int(person), ck_int(from.ms), ck_int(until.ms), ck_int(after)), ids,
                   capacity, count);
}

int ck_checkin_open_of(struct ck_store *store, int64_t person, int64_t after, int64_t *ids,
                       size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT id FROM checkin WHERE person_id = ?1 AND state <> 'done' AND id > ?2 "
                   "ORDER BY id",
                   CK_ARGS(ck_int(person), ck_int(after)), ids, capacity, count);
}

int ck_checkin_open_of_plan(struct ck_store *store, int64_t plan, int64_t after, int64_t *ids,
                            size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT id FROM checkin WHERE plan_id = ?1 AND state <> 'done' AND id > ?2 "
                   "ORDER BY id",
                   CK_ARGS(ck_int(plan), ck_int(after)), ids, capacity, count);
}

int ck_checkin_open_of_order(struct ck_store *store, int64_t order, int64_t after, int64_t *ids,
                             size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT c.id FROM plan p JOIN checkin c ON c.plan_id = p.id "
                   "WHERE p.order_id = ?1 AND c.state <> 'done' AND c.id > ?2 ORDER BY c.id",
                   CK_ARGS(ck_int(order), ck_int(after)), ids, capacity, count);
}

int ck_checkin_open_unplanned(struct ck_store *store, int64_t person, int64_t after, int64_t *ids,
                              size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT id FROM checkin WHERE person_id = ?1 AND state <> 'done' "
                   "AND plan_id IS NULL AND id > ?2 ORDER BY id",
                   CK_ARGS(ck_int(person), ck_int(after)), ids, capacity, count);
}

int ck_checkin_without_inspector(struct ck_store *store, int64_t plan, struct ck_wall now,
                                 int64_t *ids, size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT c.id FROM plan p JOIN checkin c ON c.person_id = p.person_id "
                   "WHERE p.id = ?1 AND p.kind = 'live' AND c.plan_id = ?1 AND c.due_at > ?2 "
                   "AND c.state <> 'done' AND " CK_WITHOUT_INSPECTOR " ORDER BY c.due_at, c.id",
                   CK_ARGS(ck_int(plan), ck_int(now.ms)), ids, capacity, count);
}

/* No window is longer than two days. */
#define WINDOW_MAX_MS (INT64_C(2) * 86400000)
#define SLOT_EXTRA 1000 /* make-ups and second checks begin here */

int ck_checkin_drawn_around(struct ck_store *store, int64_t person, int64_t but,
                            struct ck_wall from, struct ck_wall until, int64_t redraw, int64_t *ids,
                            size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT id FROM checkin WHERE person_id = ?1 AND plan_id <> ?2 AND due_at >= ?3 "
                   "AND due_at < ?4 AND state <> 'done' AND state = 'planned' AND drawn = 1 "
                   "AND slot % ?5 < ?6 ORDER BY id",
                   CK_ARGS(ck_int(person), ck_int(but), ck_int(from.ms), ck_int(until.ms),
                           ck_int(redraw), ck_int(SLOT_EXTRA)),
                   ids, capacity, count);
}

int ck_checkin_waived_in(struct ck_store *store, int64_t person, struct ck_wall from,
                         struct ck_wall until, int64_t redraw, int64_t after, int64_t *ids,
                         size_t capacity, size_t *count)
{
    return collect(
        store,
        "SELECT c.id FROM checkin c JOIN plan p ON p.id = c.plan_id WHERE c.person_id = ?1 "
        "AND c.due_at >= ?4 AND c.due_at < ?5 AND c.outcome = 'waived' AND p.state = 'active' "
        "AND (p.until_date IS NULL OR c.local_date <= p.until_date) "
        "AND c.window_end_at > ?2 AND c.window_start_at < ?3 AND c.slot % ?6 < ?7 AND c.id > ?8 "
        "AND NOT EXISTS (SELECT 1 FROM checkin d WHERE d.plan_id = c.plan_id "
        "AND d.local_date = c.local_date AND d.slot % ?6 = c.slot % ?6 AND d.slot > c.slot) "
        "ORDER BY c.id",
        CK_ARGS(ck_int(person), ck_int(from.ms), ck_int(until.ms), ck_int(from.ms - WINDOW_MAX_MS),
                ck_int(until.ms + WINDOW_MAX_MS), ck_int(redraw), ck_int(SLOT_EXTRA),
                ck_int(after)),
        ids, capacity, count);
}

int ck_checkin_waived_of(struct ck_store *store, int64_t plan, struct ck_date from, int64_t redraw,
                         int64_t after, int64_t *ids, size_t capacity, size_t *count)
{
    char text[CK_DATE_TEXT_SIZE];
    ck_date_text(from, text);
    return collect(
        store,
        "SELECT c.id FROM checkin c WHERE c.plan_id = ?1 AND c.local_date >= ?2 "
        "AND c.outcome = 'waived' AND c.slot % ?3 < ?4 AND c.id > ?5 AND NOT EXISTS (SELECT 1 "
        "FROM checkin d WHERE d.plan_id = c.plan_id AND d.local_date = c.local_date "
        "AND d.slot % ?3 = c.slot % ?3 AND d.slot > c.slot) ORDER BY c.id",
        CK_ARGS(ck_int(plan), ck_text(text), ck_int(redraw), ck_int(SLOT_EXTRA), ck_int(after)),
        ids, capacity, count);
}

int ck_checkin_served_of(struct ck_store *store, int64_t person, int64_t but, int64_t *ids,
                         size_t capacity, size_t *count)
{
    return collect(store,
                   "SELECT id FROM checkin WHERE person_id = ?1 AND id <> ?2 AND state <> 'done' "
                   "AND (state = 'ringing' OR (state = 'armed' AND merged_into = ?2) "
                   "OR (state IN ('planned', 'armed') AND make_up_of IS NOT NULL)) ORDER BY id",
                   CK_ARGS(ck_int(person), ck_int(but)), ids, capacity, count);
}

/* ---- what belongs to one ---- */

int ck_attempt_insert(struct ck_store *store, int64_t checkin, uint32_t number, struct ck_wall at)
{
    return ck_sql_run(store, "INSERT INTO attempt (checkin_id, number, at) VALUES (?1, ?2, ?3)",
                      CK_ARGS(ck_int(checkin), ck_int(number), ck_time(at)));
}

int ck_fact_insert(struct ck_store *store, int64_t checkin, uint32_t attempt, struct ck_wall at,
                   const char *source, const char *fact, const char *detail)
{
    return ck_sql_run(store,
                      "INSERT INTO fact (checkin_id, attempt, at, source, fact, detail) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      CK_ARGS(ck_int(checkin), ck_int(attempt), ck_time(at), ck_text(source),
                              ck_text(fact), ck_text(detail)));
}

int ck_fact_told(struct ck_store *store, int64_t checkin, const char *source, const char *fact,
                 struct ck_wall since, bool *told)
{
    int64_t count = 0;
    int r = ck_sql_number(store,
                          "SELECT count(*) FROM fact WHERE checkin_id = ?1 AND source = ?2 "
                          "AND fact = ?3 AND at >= ?4",
                          CK_ARGS(ck_int(checkin), ck_text(source), ck_text(fact), ck_time(since)),
                          &count);
    *told = count > 0;
    return r;
}

int ck_fact_count(struct ck_store *store, int64_t checkin, int64_t *count)
{
    return ck_sql_number(store, "SELECT count(*) FROM fact WHERE checkin_id = ?1",
                         CK_ARGS(ck_int(checkin)), count);
}

int ck_challenge_insert(struct ck_store *store, int64_t checkin,
                        const struct ck_challenge *challenge)
{
    return ck_sql_run(store,
                      "INSERT INTO challenge (checkin_id, number, kind, digits, seconds) "
                      "VALUES (?1, ?2, ?3, ?4, ?5)",
                      CK_ARGS(ck_int(checkin), ck_int(challenge->number), ck_text(challenge->kind),
                              ck_text(challenge->digits[0] == '\0' ? NULL : challenge->digits),
                              ck_int(challenge->seconds)));
}

int ck_challenge_count(struct ck_store *store, int64_t checkin, int64_t *count)
{
    return ck_sql_number(store, "SELECT count(*) FROM challenge WHERE checkin_id = ?1",
                         CK_ARGS(ck_int(checkin)), count);
}

int ck_challenge_load(struct ck_store *store, int64_t checkin, int number,
                      struct ck_challenge *challenge)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT number, kind, digits, seconds FROM challenge "
                         "WHERE checkin_id = ?1 AND number = ?2",
                         CK_ARGS(ck_int(checkin), ck_int(number)));
    if (r != 0) {
        return r;
    }
    *challenge = (struct ck_challenge){.number = (int)ck_row_int(&rows, 0),
                                       .seconds = (int)ck_row_int(&rows, 3)};
    ck_row_copy(&rows, 1, challenge->kind, sizeof challenge->kind);
    ck_row_copy(&rows, 2, challenge->digits, sizeof challenge->digits);
    return 0;
}

int ck_challenge_mark(struct ck_store *store, int64_t checkin, int number, struct ck_wall at,
                      int64_t at_ms)
{
    return ck_sql_must(store,
                       "UPDATE challenge SET shown_at = coalesce(shown_at, ?3), "
                       "at_ms = coalesce(at_ms, ?4) WHERE checkin_id = ?1 AND number = ?2",
                       CK_ARGS(ck_int(checkin), ck_int(number), ck_time(at), ck_int(at_ms)),
                       CK_E_NOT_FOUND);
}

int ck_concern_insert(struct ck_store *store, int64_t checkin, int64_t staff, struct ck_wall at,
                      int64_t confidence)
{
    return ck_sql_run(store,
                      "INSERT INTO concern (checkin_id, by_staff, at, confidence_id) "
                      "VALUES (?1, ?2, ?3, ?4)",
                      CK_ARGS(ck_int(checkin), ck_int(staff), ck_time(at), ck_int(confidence)));
}

int ck_outcome_form_insert(struct ck_store *store, int64_t checkin,
                           const struct ck_outcome_form *form, int64_t staff, struct ck_wall at)
{
    return ck_sql_run(store,
                      "INSERT INTO outcome_form (checkin_id, result, identity_confirmed, "
                      "behaviours, note, by_staff, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      CK_ARGS(ck_int(checkin), ck_text(form->result),
                              ck_int(form->identity_confirmed), ck_text(form->behaviours),
                              ck_text(form->note), ck_int(staff), ck_time(at)));
}

int ck_review_insert(struct ck_store *store, int64_t checkin, const char *decision,
                     const char *note, int64_t staff, struct ck_wall at)
{
    return ck_sql_run(
        store,
        "INSERT INTO review (checkin_id, decision, note, by_staff, at) "
        "VALUES (?1, ?2, ?3, ?4, ?5)",
        CK_ARGS(ck_int(checkin), ck_text(decision), ck_text(note), ck_int(staff), ck_time(at)));
}

int ck_conclusion_insert(struct ck_store *store, int64_t checkin, int64_t incident,
                         const char *conclusion, const char *reason, int64_t confidence,
                         int64_t staff, struct ck_wall at)
{
    return ck_sql_run(store,
                      "INSERT INTO conclusion (checkin_id, incident_id, conclusion, reason, "
                      "confidence_id, by_staff, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      CK_ARGS(ck_id(checkin), ck_id(incident), ck_text(conclusion), ck_text(reason),
                              ck_id(confidence), ck_int(staff), ck_time(at)));
}

/* ---- policies ---- */

int ck_policy_row_find(struct ck_store *store, const char *kind, const char *body, int64_t *id)
{
    return ck_sql_number(store, "SELECT id FROM policy WHERE kind = ?1 AND body = ?2",
                         CK_ARGS(ck_text(kind), ck_text(body)), id);
}

int ck_policy_row_insert(struct ck_store *store, const char *kind, const char *body, int64_t *id)
{
    return ck_sql_insert(store, "INSERT INTO policy (kind, body) VALUES (?1, ?2)",
                         CK_ARGS(ck_text(kind), ck_text(body)), id);
}

int ck_policy_body(struct ck_store *store, int64_t id, char **body)
{
    return ck_sql_text(store, "SELECT body FROM policy WHERE id = ?1", CK_ARGS(ck_int(id)), body);
}

static const struct ck_field policy_fields[] = {
    CK_FIELD(struct ck_checkin_policy, arm_lead_ms),
    CK_FIELD_UNSIGNED(struct ck_checkin_policy, attempts),
    CK_FIELD(struct ck_checkin_policy, ring_spacing_ms),
    CK_FIELD(struct ck_checkin_policy, response_ms),
    CK_FIELD(struct ck_checkin_policy, grace_ms),
    CK_FIELD(struct ck_checkin_policy, late_ms),
    CK_FIELD_UNSIGNED(struct ck_checkin_policy, answerable_percent),
    CK_FIELD(struct ck_checkin_policy, misfire_ms),
    CK_FIELD(struct ck_checkin_policy, defer_ms),
    CK_FIELD(struct ck_checkin_policy, live_wait_ms),
    CK_FIELD(struct ck_checkin_policy, unattended_fallback),
    CK_FIELD(struct ck_checkin_policy, challenge_ms),
    CK_FIELD(struct ck_checkin_policy, call_max_ms),
    CK_FIELD(struct ck_checkin_policy, form_ms),
    CK_FIELD(struct ck_checkin_policy, rejoin_ms),
    CK_FIELD_UNSIGNED(struct ck_checkin_policy, rejoins),
    CK_FIELD_LIST(struct ck_checkin_policy, review_ms, int64_t),
    CK_FIELD(struct ck_checkin_policy, make_up_delay_ms),
    CK_FIELD(struct ck_checkin_policy, make_up_hold_ms),
    CK_FIELD(struct ck_checkin_policy, safety_check),
};

char *ck_checkin_policy_text(const struct ck_checkin_policy *policy)
{
    return ck_fields_text(policy_fields, COUNT(policy_fields), policy);
}

int ck_checkin_policy_parse(const char *text, struct ck_checkin_policy *policy)
{
    struct ck_checkin_policy parsed;
    memset(&parsed, 0, sizeof parsed);
    int r = ck_fields_parse(policy_fields, COUNT(policy_fields), text, &parsed);
    if (r != 0) {
        return r;
    }
    if (ck_checkin_policy_fault(&parsed) != NULL) {
        return -EUCLEAN;
    }
    *policy = parsed;
    return 0;
}
