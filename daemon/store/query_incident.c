#include "daemon/store/query_incident.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/checkin.h"
#include "daemon/store/checkin_json_impl.h"
#include "daemon/store/incident.h"
#include "protocol/base/error.h"

#define COLUMNS                                                                                    \
    "i.id AS \"id:i\", i.person_id AS \"person_id:i\", p.name AS \"person_name:t\", "              \
    "coalesce(p.band, 'low') AS \"band:t\", CASE i.kind WHEN 'silence' THEN 'max_silence' "        \
    "WHEN 'staff' THEN 'staff_fault' WHEN 'safety' THEN 'safety_check' ELSE i.kind END AS "        \
    "\"kind:t\", "                                                                                 \
    "i.checkin_id AS \"checkin_id:i\", i.outcome AS \"outcome:t\", i.opened_at AS \"opened:w\", "  \
    "i.state AS \"state:t\", CASE i.state WHEN 'open' THEN NULL ELSE h.name END "                  \
    "AS \"holder:t\", CASE i.state WHEN 'open' THEN NULL ELSE h.id END AS \"holder_id:i\", "       \
    "i.machine AS \"machine:j\", i.step AS \"next_step:i\", i.steps AS \"steps:i\", "              \
    "i.next_what AS \"next_what:t\", i.next_at AS \"next_at:w\", "                                 \
    "p.last_contact_at AS \"last_contact:w\", i.answered_late AS \"answered_late:f\", "            \
    "i.unit_id AS \"unit:i\", i.inspector_id AS \"inspector:i\", i.policy_id AS \"policy:i\", "    \
    "i.cause AS \"cause:t\""

/* Also whoever a ladder has told: a named person, a stand-in without the caseload. */
#define TABLES                                                                                     \
    " FROM incident i LEFT JOIN person p ON p.id = i.person_id "                                   \
    "LEFT JOIN staff h ON h.id = i.holder_id WHERE (i.unit_id = ?1 OR "                            \
    "(i.kind NOT IN ('safety', 'concern') AND (" CK_OF_CASELOAD(                                   \
        "i.inspector_id") " OR EXISTS (SELECT 1 FROM notice t WHERE t.incident_id = i.id "         \
                          "AND t.staff_id = ?2))) OR (i.unit_id IS NULL AND ?1 <> 0)) "

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* Who is told by a step of the ladder: the name where it is one person's, otherwise the office
 * ("duty", "supervisor", …): who holds it is known when the step fires. */
static int target_name(struct ck_store *store, const struct ck_ladder_step *step, int64_t inspector,
                       json_t **name)
{
    const struct ck_target *target = &step->targets[0];
    int64_t id = step->target_count == 0               ? 0
                 : target->kind == CK_TARGET_NAMED     ? target->staff
                 : target->kind == CK_TARGET_INSPECTOR ? inspector
                                                       : 0;
    struct ck_recipient person;
    int r = id == 0 ? CK_E_NOT_FOUND : ck_recipient_load(store, id, &person);
    if (r < 0) {
        return r;
    }
    const char *office = step->target_count == 0 ? "" : ck_target_kind_name(target->kind);
    *name = json_string(r == 0 ? person.name : office);
    return *name == NULL ? -ENOMEM : 0;
}

static int next_target(struct ck_store *store, const json_t *row, json_t **name)
{
    const char *state = json_string_value(json_object_get(row, "state"));
    if (strcmp(state, "acknowledged") == 0) {
        *name = json_incref(json_object_get(row, "holder"));
        return 0;
    }
    struct ck_ladder ladder;
    int64_t policy = number_of(row, "policy"), step = number_of(row, "next_step");
    ck_cleanup(ck_freep) char *body = NULL;
    int r = ck_policy_body(store, policy, &body);
    if (r == 0) {
        r = ck_ladder_parse(body, policy, &ladder);
    }
    if (r != 0) {
        return r;
    }
    if (step >= ladder.step_count) {
        step = ladder.step_count - 1;
    }
    return target_name(store, &ladder.steps[step], number_of(row, "inspector"), name);
}

/* Turns the columns into an IncidentRow. */
static int shape(struct ck_store *store, json_t *row)
{
    static const char *const inner[] = {"machine", "next_step", "unit",   "inspector",
                                        "policy",  "next_what", "next_at"};
    const json_t *machine = json_object_get(row, "machine");
    bool fired = number_of(machine, "fired") > 0;
    json_object_set_new(row, "step",
                        json_integer(fired ? number_of(machine, "fired_step") + 1 : 0));
    json_t *next = json_null();
    if (json_is_string(json_object_get(row, "next_what"))) {
        json_t *target = NULL;
        int r = next_target(store, row, &target);
        if (r != 0) {
            return r;
        }
        next = json_pack("{s:O, s:o, s:O}", "what", json_object_get(row, "next_what"), "target",
                         target, "at", json_object_get(row, "next_at"));
    }
    json_object_set_new(row, "next", next);
    if (json_is_null(json_object_get(row, "person_name"))) {
        json_object_set(row, "person_name", json_object_get(row, "cause"));
    }
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
        json_object_del(row, inner[i]);
    }
    return json_object_del(row, "cause");
}

static int shaped_list(struct ck_store *store, const char *sql, struct ck_args args, json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *list = NULL;
    size_t index;
    json_t *row;
    int r = ck_sql_list(store, sql, args, &list);
    json_array_foreach(list, index, row)
    {
        r = r == 0 ? shape(store, row) : r;
    }
    if (r == 0) {
        *out = ck_take(list);
    }
    return r;
}

int ck_query_incidents(struct ck_store *store, const struct ck_scope *scope, bool closed,
                       int64_t before, json_t **page)
{
    json_t *list = NULL;
    int r = shaped_list(store,
                        closed ? "SELECT " COLUMNS TABLES "AND i.state = 'closed' "
                                 "AND (?3 = 0 OR i.id < ?3) ORDER BY i.id DESC LIMIT ?4"
                               : "SELECT " COLUMNS TABLES "AND i.state <> 'closed' "
                                 "AND (?3 = 0 OR i.id < ?3) ORDER BY i.id DESC LIMIT ?4",
                        CK_ARGS(ck_int(scope->unit), ck_int(scope->inspector), ck_int(before),
                                ck_int(CK_QUERY_INCIDENTS_MAX)),
                        &list);
    if (r != 0) {
        return r;
    }
    size_t count = json_array_size(list);
    json_t *next = count < CK_QUERY_INCIDENTS_MAX
                       ? json_null()
                       : json_incref(json_object_get(json_array_get(list, count - 1), "id"));
    *page = json_pack("{s:o, s:o}", "incidents", list, "next", next);
    return *page == NULL ? -ENOMEM : 0;
}

int ck_query_incident_row(struct ck_store *store, const struct ck_scope *scope, int64_t id,
                          json_t **row)
{
    ck_cleanup(ck_json_decrefp) json_t *list = NULL;
    int r = shaped_list(store, "SELECT " COLUMNS TABLES "AND i.id = ?3",
                        CK_ARGS(ck_int(scope->unit), ck_int(scope->inspector), ck_int(id)), &list);
    if (r == 0 && json_array_size(list) == 0) {
        return CK_E_NOT_FOUND;
    }
    if (r == 0) {
        *row = json_incref(json_array_get(list, 0));
    }
    return r;
}

static int add_line(struct ck_store *store, json_t *incident, int64_t id)
{
    json_t *line = NULL;
    int r = ck_sql_list(
        store,
        "SELECT l.at AS \"at:w\", l.what AS \"what:t\", coalesce(s.name, n.address) AS \"who:t\", "
        "n.channel AS \"channel:t\", CASE n.state WHEN 'failed_temp' THEN 'queued' "
        "WHEN 'failed_perm' THEN 'failed' WHEN 'cancelled' THEN 'expired' ELSE n.state END "
        "AS \"state:t\", l.text AS \"text:t\", n.reference AS \"reference:t\", " CK_CONFIDED_COLUMNS
        " FROM incident_line l LEFT JOIN confidence f ON f.id = l.confidence_id "
        "LEFT JOIN staff s ON s.id = l.staff_id "
        "LEFT JOIN notice n ON n.id = l.notice_id WHERE l.incident_id = ?1 ORDER BY l.id",
        CK_ARGS(ck_int(id)), &line);
    return r != 0 ? r : json_object_set_new(incident, "line", line) == 0 ? 0 : -ENOMEM;
}

int ck_query_incident(struct ck_store *store, const struct ck_scope *scope, int64_t id,
                      json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *incident = NULL;
    json_t *checkin = NULL, *conclusion = NULL;
    int r = ck_query_incident_row(store, scope, id, &incident);
    if (r == 0) {
        r = add_line(store, incident, id);
    }
    if (r == 0) {
        r = ck_sql_object(store,
                          "SELECT k.conclusion AS \"conclusion:t\", k.reason AS \"reason:t\", "
                          "s.name AS \"by:t\", k.at AS \"at:w\", " CK_CONFIDED_COLUMNS
                          " FROM conclusion k LEFT JOIN confidence f ON f.id = k.confidence_id "
                          "JOIN staff s ON s.id = k.by_staff WHERE k.incident_id = ?1 "
                          "ORDER BY k.id DESC LIMIT 1",
                          CK_ARGS(ck_int(id)), &conclusion);
        if (r == CK_E_NOT_FOUND) {
            conclusion = json_null();
            r = 0;
        }
    }
    if (r == 0) {
        json_object_set_new(incident, "conclusion", conclusion);
        int64_t of = number_of(incident, "checkin_id");
        r = of == 0 ? CK_E_NOT_FOUND : ck_query_checkin(store, scope, of, &checkin);
        if (r == CK_E_NOT_FOUND) {
            checkin = json_null();
            r = 0;
        }
    }
    if (r == 0) {
        json_object_set_new(incident, "checkin", checkin);
        *out = ck_take(incident);
    }
    return r;
}

int ck_query_incident_owner(struct ck_store *store, int64_t id, int64_t *unit, int64_t *inspector)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT unit_id, CASE WHEN kind IN ('safety', 'concern') THEN NULL "
                         "ELSE inspector_id END FROM incident WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    *unit = ck_row_int(&rows, 0);
    *inspector = ck_row_int(&rows, 1);
    return 0;
}

/* ---- the day ---- */

#define DAY_LIST(condition, order)                                                                 \
    "SELECT " CK_CHECKIN_COLUMNS " FROM checkin c JOIN person p ON p.id = c.person_id "            \
    "WHERE " CK_CHECKIN_SCOPE " AND ?3 = ?3 AND ?4 = ?4 AND " condition " ORDER BY " order         \
    " LIMIT 500"

static const struct {
    const char *name, *sql;
} day_lists[] = {
    {"waiting",
     DAY_LIST("c.state = 'connected' AND c.waiting_since_at IS NOT NULL", "c.waiting_since_at")},
    {"ringing", DAY_LIST("c.state = 'ringing'", "c.due_at")},
    {"connected",
     DAY_LIST("c.state = 'connected' AND c.waiting_since_at IS NULL", "c.connected_at")},
    {"due", DAY_LIST("c.state IN ('planned', 'armed') AND c.due_at >= ?3 AND c.due_at < ?4",
                     "c.window_start_at, p.name")},
    {"reviews", DAY_LIST("c.state = 'awaiting_review'", "c.review_deadline_at")},
    {"done", DAY_LIST("c.state = 'done' AND c.decided_at >= ?3 AND c.decided_at < ?4 "
                      "AND c.due_at < ?4",
                      "c.decided_at DESC")},
};

static int add_day_lists(struct ck_store *store, const struct ck_scope *scope, struct ck_wall start,
                         struct ck_wall end, json_t *today, json_t *counts)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof day_lists / sizeof day_lists[0]; i++) {
        json_t *list = NULL;
        r = ck_checkin_json_list(store, day_lists[i].sql,
                                 CK_ARGS(ck_int(scope->unit), ck_int(scope->inspector),
                                         ck_int(start.ms), ck_int(end.ms)),
                                 &list);
        if (r == 0) {
            json_object_set_new(counts, day_lists[i].name,
                                json_integer((json_int_t)json_array_size(list)));
            r = json_object_set_new(today, day_lists[i].name, list) == 0 ? 0 : -ENOMEM;
        }
    }
    return r;
}

int ck_query_today(struct ck_store *store, const struct ck_scope *scope, const char *day,
                   struct ck_wall start, struct ck_wall end, json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *today = json_pack("{s:s}", "day", day);
    json_t *counts = json_object(), *incidents = NULL;
    int64_t unread = 0;
    json_object_set_new(today, "counts", counts);
    int r = add_day_lists(store, scope, start, end, today, counts);
    if (r == 0) {
        r = shaped_list(store,
                        "SELECT " COLUMNS TABLES "AND i.state <> 'closed' "
                        "ORDER BY i.state = 'acknowledged', i.id LIMIT 500",
                        CK_ARGS(ck_int(scope->unit), ck_int(scope->inspector)), &incidents);
    }
    if (r == 0) {
        json_object_set_new(counts, "incidents",
                            json_integer((json_int_t)json_array_size(incidents)));
        json_object_set_new(today, "incidents", incidents);
        json_object_del(counts, "connected");
        json_object_del(counts, "done");
        r = ck_sql_number(
            store,
            "SELECT count(*) FROM message m JOIN thread t ON t.id = m.thread_id "
            "JOIN person p ON p.id = t.person_id WHERE m.from_staff IS NULL AND m.read_at IS NULL "
            "AND (p.unit_id = ?1 OR " CK_OF_CASELOAD("p.inspector_id") ")",
            CK_ARGS(ck_int(scope->unit), ck_int(scope->inspector)), &unread);
    }
    if (r == 0) {
        json_object_set_new(counts, "unread", json_integer(unread));
        *out = ck_take(today);
    }
    return r;
}
