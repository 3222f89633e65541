#include "daemon/store/query_checkin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/checkin.h"
#include "daemon/store/checkin_json_impl.h"
#include "daemon/store/health.h"
#include "daemon/store/request.h"
#include "protocol/base/error.h"

/* ---- CheckinRow ---- */

void ck_json_pair(json_t *object, const char *name, const char *first, const char *first_name,
                  const char *second, const char *second_name)
{
    json_t *a = json_object_get(object, first), *b = json_object_get(object, second);
    json_t *pair =
        json_is_null(b) ? json_null() : json_pack("{s:O, s:O}", first_name, a, second_name, b);
    json_object_del(object, first);
    json_object_del(object, second);
    json_object_set_new(object, name, pair);
}

json_t *ck_checkin_json(const struct ck_rows *rows)
{
    json_t *row = ck_row_json(rows);
    if (row != NULL) {
        ck_json_pair(row, "window", "start", "start", "end", "end");
        ck_json_pair(row, "next", "next_what", "what", "next_at", "at");
    }
    return row;
}

int ck_checkin_json_list(struct ck_store *store, const char *sql, struct ck_args args,
                         json_t **list)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    ck_cleanup(ck_json_decrefp) json_t *made = json_array();
    int r = ck_sql_query(store, &rows, sql, args);
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        r = json_array_append_new(made, ck_checkin_json(&rows)) == 0 ? 0 : -ENOMEM;
    }
    if (r == 0) {
        *list = ck_take(made);
    }
    return r;
}

static struct ck_arg scope_unit(const struct ck_scope *scope)
{
    return ck_int(scope->unit);
}

static struct ck_arg scope_inspector(const struct ck_scope *scope)
{
    return ck_int(scope->inspector);
}

int ck_query_checkin_row(struct ck_store *store, const struct ck_scope *scope, int64_t id,
                         json_t **row)
{
    ck_cleanup(ck_json_decrefp) json_t *list = NULL;
    int r = ck_checkin_json_list(
        store,
        "SELECT " CK_CHECKIN_COLUMNS " FROM checkin c JOIN person p ON p.id = c.person_id "
        "WHERE c.id = ?3 AND " CK_CHECKIN_SCOPE,
        CK_ARGS(scope_unit(scope), scope_inspector(scope), ck_int(id)), &list);
    if (r == 0 && json_array_size(list) == 0) {
        return CK_E_NOT_FOUND;
    }
    if (r == 0) {
        *row = json_incref(json_array_get(list, 0));
    }
    return r;
}

int ck_query_checkins_of(struct ck_store *store, const struct ck_scope *scope, int64_t person,
                         int64_t before, json_t **page)
{
    json_t *list = NULL;
    int r = ck_checkin_json_list(
        store,
        "SELECT " CK_CHECKIN_COLUMNS " FROM checkin c JOIN person p ON p.id = c.person_id "
        "WHERE c.person_id = ?3 AND (?4 = 0 OR c.id < ?4) AND " CK_CHECKIN_SCOPE
        " AND c.state NOT IN ('planned', 'armed') ORDER BY c.id DESC LIMIT ?5",
        CK_ARGS(scope_unit(scope), scope_inspector(scope), ck_int(person), ck_int(before),
                ck_int(CK_QUERY_CHECKINS_MAX)),
        &list);
    if (r != 0) {
        return r;
    }
    size_t count = json_array_size(list);
    json_t *next = count < CK_QUERY_CHECKINS_MAX
                       ? json_null()
                       : json_incref(json_object_get(json_array_get(list, count - 1), "id"));
    *page = json_pack("{s:o, s:o}", "checkins", list, "next", next);
    return *page == NULL ? -ENOMEM : 0;
}

int ck_query_reviews(struct ck_store *store, const struct ck_scope *scope, json_t **list)
{
    return ck_checkin_json_list(store,
                                "SELECT " CK_CHECKIN_COLUMNS
                                " FROM checkin c JOIN person p ON p.id = c.person_id "
                                "WHERE c.state = 'awaiting_review' AND " CK_CHECKIN_SCOPE
                                " ORDER BY c.review_deadline_at, c.id",
                                CK_ARGS(scope_unit(scope), scope_inspector(scope)), list);
}

int ck_query_waiting(struct ck_store *store, const struct ck_scope *scope, json_t **list)
{
    return ck_checkin_json_list(store,
                                "SELECT " CK_CHECKIN_COLUMNS
                                " FROM checkin c JOIN person p ON p.id = c.person_id "
                                "WHERE c.state = 'connected' AND c.waiting_since_at IS NOT NULL "
                                "AND " CK_CHECKIN_SCOPE " ORDER BY c.waiting_since_at, c.id",
                                CK_ARGS(scope_unit(scope), scope_inspector(scope)), list);
}

/* ---- Checkin: what belongs to one ---- */

/* Adds the rows of a statement with the check-in as its only parameter. */
static int add_list(struct ck_store *store, json_t *checkin, const char *name, const char *sql,
                    int64_t id)
{
    json_t *list = NULL;
    int r = ck_sql_list(store, sql, CK_ARGS(ck_int(id)), &list);
    return r != 0 ? r : json_object_set_new(checkin, name, list) == 0 ? 0 : -ENOMEM;
}

/* The first row, or null. */
static int add_object(struct ck_store *store, json_t *checkin, const char *name, const char *sql,
                      int64_t id)
{
    json_t *object = NULL;
    int r = ck_sql_object(store, sql, CK_ARGS(ck_int(id)), &object);
    if (r == CK_E_NOT_FOUND) {
        object = json_null();
        r = 0;
    }
    return r != 0 ? r : json_object_set_new(checkin, name, object) == 0 ? 0 : -ENOMEM;
}

static int add_lists(struct ck_store *store, json_t *checkin, int64_t id)
{
    static const struct {
        const char *name, *sql;
    } lists[] = {
        {"attempts_made",
         "SELECT a.number AS \"number:i\", a.at AS \"at:w\", "
         "(SELECT count(*) FROM notice n WHERE n.checkin_id = a.checkin_id "
         "AND n.incident_id IS NULL AND n.fire = a.number) AS \"notices:i\", "
         "(SELECT min(n.accepted_at) FROM notice n WHERE n.checkin_id = a.checkin_id "
         "AND n.incident_id IS NULL AND n.fire = a.number) AS \"accepted:w\", "
         "(SELECT min(n.delivered_at) FROM notice n WHERE n.checkin_id = a.checkin_id "
         "AND n.incident_id IS NULL AND n.fire = a.number) AS \"delivered:w\", "
         "(SELECT min(f.at) FROM fact f WHERE f.checkin_id = a.checkin_id "
         "AND f.attempt = a.number AND f.fact = 'page_opened') AS \"opened:w\" "
         "FROM attempt a WHERE a.checkin_id = ?1 ORDER BY a.number"},
        {"evidence", "SELECT at AS \"at:w\", fact AS \"fact:t\", detail AS \"detail:t\" FROM fact "
                     "WHERE checkin_id = ?1 ORDER BY id"},
        {"notices",
         "SELECT n.id AS \"id:i\", n.reference AS \"reference:t\", coalesce(s.name, p.name, "
         "n.address) AS \"to:t\", n.channel AS \"channel:t\", CASE n.state "
         "WHEN 'failed_temp' THEN 'queued' WHEN 'failed_perm' THEN 'failed' "
         "WHEN 'cancelled' THEN 'expired' ELSE n.state END AS \"state:t\", "
         "n.created_at AS \"at:w\", n.accepted_at AS \"accepted:w\", "
         "n.delivered_at AS \"delivered:w\", n.failure AS \"failed:t\", n.tries AS \"tries:i\" "
         "FROM notice n LEFT JOIN staff s ON s.id = n.staff_id "
         "LEFT JOIN person p ON p.id = n.person_id "
         "WHERE n.checkin_id = ?1 AND n.incident_id IS NULL ORDER BY n.id"},
        {"recordings",
         "SELECT id AS \"id:i\", leg AS \"leg:t\", started_at AS \"from:w\", "
         "duration_ms / 1000 AS \"seconds:i\", bytes AS \"bytes:i\", state AS \"state:t\", "
         "gaps AS \"gaps:j\", measures AS \"measures:j\" FROM recording WHERE checkin_id = ?1 "
         "ORDER BY id"},
        {"challenges",
         "SELECT number AS \"number:i\", kind AS \"kind:t\", coalesce(digits, '') AS \"text:t\", "
         "shown_at AS \"at:w\", coalesce(at_ms, 0) / 1000 AS \"at_s:i\" FROM challenge "
         "WHERE checkin_id = ?1 AND shown_at IS NOT NULL ORDER BY number"},
        {"concerns",
         "SELECT '' AS \"text:t\", s.name AS \"by:t\", k.at AS \"at:w\", " CK_CONFIDED_COLUMNS
         " FROM concern k JOIN confidence f ON f.id = k.confidence_id JOIN staff s ON "
         "s.id = k.by_staff WHERE k.checkin_id = ?1 ORDER BY k.id"},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof lists / sizeof lists[0]; i++) {
        r = add_list(store, checkin, lists[i].name, lists[i].sql, id);
    }
    return r;
}

static int add_objects(struct ck_store *store, json_t *checkin, int64_t id)
{
    static const struct {
        const char *name, *sql;
    } objects[] = {
        {"conclusion",
         "SELECT k.conclusion AS \"conclusion:t\", k.reason AS \"reason:t\", s.name AS \"by:t\", "
         "k.at AS \"at:w\" FROM conclusion k JOIN staff s ON s.id = k.by_staff "
         "WHERE k.checkin_id = ?1 ORDER BY k.id DESC LIMIT 1"},
        {"form", "SELECT result AS \"result:t\", identity_confirmed AS \"identity_confirmed:f\", "
                 "behaviours AS \"behaviours:j\", note AS \"note:t\" FROM outcome_form "
                 "WHERE checkin_id = ?1"},
        {"review", "SELECT v.decision AS \"decision:t\", v.note AS \"note:t\", s.name AS \"by:t\", "
                   "v.at AS \"at:w\" FROM review v JOIN staff s ON s.id = v.by_staff "
                   "WHERE v.checkin_id = ?1"},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof objects / sizeof objects[0]; i++) {
        r = add_object(store, checkin, objects[i].name, objects[i].sql, id);
    }
    return r;
}

/* ---- our health around it ---- */

static void append_health(json_t *list, struct ck_wall from, struct ck_wall until, int64_t bits)
{
    static const char *const names[] = {"engine", "probe", "worker", "clock"};
    char what[64] = "";
    size_t used = 0;
    if (from.ms >= until.ms) {
        return;
    }
    if (bits < 0) {
        snprintf(what, sizeof what, "down");
    }
    for (size_t i = 0; bits >= 0 && i < sizeof names / sizeof names[0]; i++) {
        if ((bits >> i & 1) == 0) {
            used += (size_t)snprintf(what + used, sizeof what - used, "%s%s", used == 0 ? "" : ",",
                                     names[i]);
        }
    }
    json_array_append_new(list, json_pack("{s:o, s:o, s:b, s:s}", "from", ck_json_time(from),
                                          "until", ck_json_time(until), "ok", bits == CK_HEALTH_ALL,
                                          "what", what));
}

static struct ck_wall later(struct ck_wall a, struct ck_wall b)
{
    return a.ms > b.ms ? a : b;
}

static struct ck_wall sooner(struct ck_wall a, struct ck_wall b)
{
    return a.ms < b.ms ? a : b;
}

/* Every moment of [from, until): what no interval covers was not well. */
static int health_list(struct ck_store *store, struct ck_wall from, struct ck_wall until,
                       json_t **out)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    ck_cleanup(ck_json_decrefp) json_t *list = json_array();
    struct ck_wall at = from;
    int r = ck_sql_query(store, &rows,
                         "SELECT from_at, until_at, bits FROM health "
                         "WHERE until_at > ?1 AND from_at < ?2 ORDER BY from_at, id",
                         CK_ARGS(ck_int(from.ms), ck_int(until.ms)));
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        struct ck_wall begin = later(ck_row_time(&rows, 0), from);
        struct ck_wall end = sooner(ck_row_time(&rows, 1), until);
        append_health(list, at, begin, -1);
        append_health(list, later(at, begin), end, ck_row_int(&rows, 2));
        at = later(at, end);
        r = 0;
    }
    append_health(list, at, until, -1);
    if (r == 0) {
        *out = ck_take(list);
    }
    return r;
}

static int policy_of(struct ck_store *store, int64_t id, struct ck_checkin_policy *policy)
{
    ck_cleanup(ck_freep) char *body = NULL;
    int r = ck_policy_body(store, id, &body);
    return r == 0 ? ck_checkin_policy_parse(body, policy) : r;
}

static int add_numbers(struct ck_store *store, json_t *checkin, int64_t id)
{
    struct ck_checkin_row row;
    struct ck_checkin_policy policy;
    json_t *health = NULL;
    int r = ck_checkin_load(store, id, &row);
    if (r == 0) {
        r = policy_of(store, row.policy, &policy);
    }
    if (r == 0) {
        struct ck_wall until = row.step.respond_until;
        if (row.step.opened_at.ms == 0) {
            health = json_array();
        } else {
            int64_t reported = 0;
            r = ck_sql_number(store, "SELECT coalesce(max(until_at), 0) FROM health", CK_NO_ARGS,
                              &reported);
            /* What is not over yet is not known yet. */
            if (r == 0 && row.step.state != CK_CHECKIN_DONE && reported < until.ms) {
                until.ms = reported;
            }
            r = r == 0 ? health_list(store, row.step.opened_at, until, &health) : r;
        }
    }
    if (r != 0) {
        return r;
    }
    json_object_set_new(checkin, "health", health);
    json_object_set_new(checkin, "answerable_s", json_integer(row.step.answerable_ms / 1000));
    json_object_set_new(checkin, "answerable_needed_s",
                        json_integer(policy.response_ms * policy.answerable_percent / 100 / 1000));
    return 0;
}

int ck_query_checkin(struct ck_store *store, const struct ck_scope *scope, int64_t id, json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *checkin = NULL, *more = NULL;
    int r = ck_query_checkin_row(store, scope, id, &checkin);
    if (r == 0) {
        r = ck_sql_object(store,
                          "SELECT declined_reason AS \"declined_reason:t\", "
                          "make_up_of AS \"make_up_of:i\", EXISTS (SELECT 1 FROM photo "
                          "WHERE photo.checkin_id = checkin.id) AS \"has_thumbnail:f\", "
                          "(SELECT CASE WHEN device_id IS NULL THEN 'other' ELSE 'own' END FROM "
                          "checkin_device WHERE checkin_id = checkin.id) AS \"device:t\" "
                          "FROM checkin WHERE id = ?1",
                          CK_ARGS(ck_int(id)), &more);
    }
    if (r == 0) {
        r = json_object_update(checkin, more) == 0 ? 0 : -ENOMEM;
    }
    if (r == 0) {
        r = add_lists(store, checkin, id);
    }
    if (r == 0) {
        r = add_objects(store, checkin, id);
    }
    if (r == 0) {
        r = add_numbers(store, checkin, id);
    }
    if (r == 0) {
        *out = ck_take(checkin);
    }
    return r;
}

/* ---- recordings ---- */

int ck_query_recording(struct ck_store *store, const struct ck_scope *scope, int64_t id,
                       json_t **recording)
{
    return ck_sql_object(
        store,
        "SELECT r.id AS \"id:i\", r.checkin_id AS \"checkin:i\", c.person_id AS \"person:i\", "
        "r.file AS \"file:t\", r.key AS \"wrapped:h\", r.state AS \"state:t\", "
        "r.bytes AS \"bytes:i\" FROM recording r JOIN checkin c ON c.id = r.checkin_id "
        "WHERE r.id = ?3 AND " CK_CHECKIN_SCOPE,
        CK_ARGS(scope_unit(scope), scope_inspector(scope), ck_int(id)), recording);
}

int ck_query_recordings_open(struct ck_store *store, json_t **list)
{
    return ck_sql_list(store,
                       "SELECT r.id AS \"id:i\", r.file AS \"file:t\", r.key AS \"wrapped:h\", "
                       "CASE r.state WHEN 'recording' THEN NULL ELSE r.checkin_id END AS "
                       "\"measure:i\" FROM recording r WHERE r.state = 'recording' UNION ALL "
                       "SELECT * FROM (SELECT r.id, r.file, r.key, r.checkin_id FROM recording r "
                       "JOIN checkin c ON c.id = r.checkin_id WHERE c.state = 'awaiting_review' "
                       "AND r.leg = 'person' AND r.state IN ('closed', 'recovered') AND "
                       "r.measures IS NULL AND r.key IS NOT NULL AND r.duration_ms > 0 "
                       "ORDER BY r.id DESC LIMIT ?1)",
                       CK_ARGS(ck_int(CK_QUERY_UNMEASURED_MAX)), list);
}

/* ---- the person's own state ---- */

/* What the person is told about an outcome; in SQL, for lists. */
#define PERSON_RESULT                                                                              \
    "CASE outcome WHEN 'completed' THEN 'received' WHEN 'late' THEN 'received_late' "              \
    "WHEN 'declined' THEN 'declined' WHEN 'system_fault' THEN 'our_fault' "                        \
    "WHEN 'unstaffed' THEN 'our_fault' WHEN 'waived' THEN 'waived' ELSE 'not_established' END"

static const char *own_result(const struct ck_checkin *step)
{
    if (step->state == CK_CHECKIN_AWAITING_REVIEW) {
        return "received";
    }
    if (step->phase == CK_PHASE_FORM) {
        return "ended";
    }
    switch (step->outcome) {
    case CK_OUTCOME_OPEN:
        return NULL;
    case CK_OUTCOME_COMPLETED:
        return "received";
    case CK_OUTCOME_LATE:
        return "received_late";
    case CK_OUTCOME_DECLINED:
        return "declined";
    default:
        return "ended";
    }
}

static json_t *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

/* The check-in as the person sees it; null where there is none, or where its time is still a
 * secret. */
static int own_checkin(struct ck_store *store, int64_t person, int64_t id, json_t **out)
{
    struct ck_checkin_row row;
    int r = id == 0 ? ck_checkin_to_answer(store, person, &id) : 0;
    if (r == 0 && id != 0) {
        r = ck_checkin_load(store, id, &row);
    }
    if (r != 0) {
        return r;
    }
    if (id == 0 || row.step.person != person || row.step.state < CK_CHECKIN_RINGING) {
        *out = json_null();
        return 0;
    }
    const char *kind =
        row.step.kind == CK_KIND_INBOUND ? "on_demand" : ck_checkin_kind_name(row.step.kind);
    *out =
        json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)row.step.id, "kind",
                  kind, "state", ck_checkin_state_name(row.step.state), "due",
                  ck_json_time(row.step.due), "answer_until", ck_json_time(row.step.answer_until),
                  "late_until", ck_json_time(row.step.late_until), "result",
                  text_or_null(own_result(&row.step)), "receipt", text_or_null(row.receipt));
    return *out == NULL ? -ENOMEM : 0;
}

int ck_query_person_state(struct ck_store *store, int64_t person, int64_t checkin, json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *state = NULL;
    json_t *own = NULL;
    int r = ck_sql_object(
        store,
        "SELECT p.language AS \"language:t\", u.zone AS \"zone:t\", u.name AS \"unit:t\", u.phone "
        "AS \"help_phone:t\", "
        "s.name AS \"inspector:t\", p.notice_version AS \"version:i\", "
        "p.notice_at AS \"acknowledged:w\", (SELECT count(*) FROM message m "
        "JOIN thread t ON t.id = m.thread_id WHERE t.person_id = p.id AND m.from_staff IS NOT NULL "
        "AND m.read_at IS NULL) "
        "AS \"unread:i\" FROM person p JOIN unit u ON u.id = p.unit_id "
        "JOIN staff s ON s.id = p.inspector_id WHERE p.id = ?1",
        CK_ARGS(ck_int(person)), &state);
    if (r == 0) {
        json_t *version = json_object_get(state, "version");
        json_t *at = json_object_get(state, "acknowledged");
        json_object_set_new(state, "notice",
                            json_pack("{s:O, s:O}", "version", version, "acknowledged", at));
        json_object_del(state, "version");
        json_object_del(state, "acknowledged");
        r = own_checkin(store, person, checkin, &own);
    }
    if (r == 0) {
        json_object_set_new(state, "checkin", own);
        json_object_set_new(state, "bound", json_boolean(checkin != 0));
        json_t *requests = NULL;
        r = ck_request_own(store, person, &requests);
        json_object_set_new(state, "requests", requests);
    }
    if (r == 0) {
        r = add_list(store, state, "history",
                     "SELECT id AS \"id:i\", decided_at AS \"at:w\", " PERSON_RESULT
                     " AS \"result:t\", receipt AS \"receipt:t\" FROM checkin "
                     "WHERE person_id = ?1 AND state = 'done' AND attempt > 0 "
                     "ORDER BY id DESC LIMIT 20",
                     person);
    }
    if (r == 0) {
        r = add_object(store, state, "next_window",
                       "SELECT window_start_at AS \"start:w\", window_end_at AS \"end:w\", "
                       "CASE WHEN drawn = 0 AND make_up_of IS NULL THEN due_at END AS \"at:w\" "
                       "FROM checkin WHERE person_id = ?1 AND state IN ('planned', 'armed') "
                       "AND window_start_at > 0 ORDER BY CASE WHEN drawn = 0 THEN due_at "
                       "ELSE window_start_at END, id LIMIT 1",
                       person);
    }
    if (r == 0) {
        *out = ck_take(state);
    }
    return r;
}

int ck_query_instants(struct ck_store *store, int64_t plan, struct ck_wall now, json_t **list)
{
    return ck_sql_list(store,
                       "SELECT id AS \"checkin:i\", local_date AS \"date:t\", due_at AS \"due:w\" "
                       "FROM checkin WHERE plan_id = ?1 AND state IN ('planned', 'armed') "
                       "AND due_at > ?2 ORDER BY due_at LIMIT ?3",
                       CK_ARGS(ck_int(plan), ck_int(now.ms), ck_int(CK_QUERY_INSTANTS_MAX)), list);
}
