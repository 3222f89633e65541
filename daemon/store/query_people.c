#include "daemon/store/query_people.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/device.h"
#include "daemon/store/order.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define STRIP_MS (INT64_C(30) * 86400000)

/* ---- units and staff ---- */

int ck_query_units(struct ck_store *store, json_t **list)
{
    return ck_sql_list(store,
                       "SELECT id AS \"id:i\", name AS \"name:t\", zone AS \"zone:t\", phone AS "
                       "\"phone:t\" FROM unit ORDER BY name",
                       CK_NO_ARGS, list);
}

int ck_query_unit(struct ck_store *store, int64_t id, json_t **unit)
{
    return ck_sql_object(store,
                         "SELECT id AS \"id:i\", name AS \"name:t\", zone AS \"zone:t\", phone AS "
                         "\"phone:t\" FROM unit WHERE id = ?1",
                         CK_ARGS(ck_int(id)), unit);
}

#define STAFF_COLUMNS                                                                              \
    "id AS \"id:i\", login AS \"login:t\", name AS \"name:t\", roles AS \"roles:r\", "             \
    "unit_id AS \"unit_id:i\", language AS \"language:t\", email AS \"email:t\", "                 \
    "phone AS \"phone:t\", on_duty AS \"on_duty:f\", (disabled_at IS NOT NULL) AS \"disabled:f\""

int ck_query_staff(struct ck_store *store, int64_t unit, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT " STAFF_COLUMNS
        " FROM staff WHERE ?1 = 0 OR unit_id = ?1 ORDER BY disabled_at IS NOT NULL, name",
        CK_ARGS(ck_int(unit)), list);
}

int ck_query_staff_names(struct ck_store *store, int64_t unit, json_t **list)
{
    return ck_sql_list(store,
                       "SELECT id AS \"id:i\", name AS \"name:t\", roles AS \"roles:r\", "
                       "unit_id AS \"unit_id:i\", on_duty AS \"on_duty:f\", "
                       "(disabled_at IS NOT NULL) AS \"disabled:f\" "
                       "FROM staff WHERE unit_id = ?1 AND disabled_at IS NULL ORDER BY name",
                       CK_ARGS(ck_int(unit)), list);
}

int ck_query_staff_one(struct ck_store *store, int64_t id, json_t **staff)
{
    return ck_sql_object(store, "SELECT " STAFF_COLUMNS " FROM staff WHERE id = ?1",
                         CK_ARGS(ck_int(id)), staff);
}

int ck_query_me(struct ck_store *store, int64_t staff, json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *me = NULL;
    json_t *unit = NULL;
    int r =
        ck_sql_object(store,
                      "SELECT id AS \"id:i\", login AS \"login:t\", name AS \"name:t\", "
                      "roles AS \"roles:r\", unit_id AS \"unit:i\", language AS \"language:t\", "
                      "must_change AS \"must_change_password:f\", "
                      "totp_key IS NOT NULL AS \"second_factor:f\" FROM staff "
                      "WHERE id = ?1 AND disabled_at IS NULL",
                      CK_ARGS(ck_int(staff)), &me);
    r = r == 0 ? ck_query_unit(store, json_integer_value(json_object_get(me, "unit")), &unit) : r;
    if (r == 0) {
        json_object_set_new(me, "unit", unit);
        *out = ck_take(me);
    }
    return r;
}

/* ---- persons ---- */

#define PERSON_ROW_COLUMNS                                                                         \
    "person.id AS \"id:i\", person.name AS \"name:t\", person.reference AS \"reference:t\", "      \
    "person.inspector_id AS \"inspector_id:i\", staff.name AS \"inspector_name:t\", "              \
    "person.band AS \"band:t\", "                                                                  \
    "EXISTS (SELECT 1 FROM photo WHERE photo.person_id = person.id AND checkin_id IS NULL AND "    \
    "key IS NOT NULL) AS \"has_photo:f\", "                                                        \
    "(SELECT count(*) FROM incident WHERE incident.person_id = person.id AND state <> 'closed' "   \
    "AND kind NOT IN ('safety', 'concern')) AS \"open_incidents:i\", "                             \
    "(SELECT count(*) FROM message JOIN thread ON thread.id = thread_id WHERE thread.person_id = " \
    "person.id AND from_staff IS NULL AND read_at IS NULL) AS \"unread_messages:i\""

/* The last 30 days as marks, oldest first, and the window that comes next (never the instant drawn
 * in it). */
static int add_strip(struct ck_store *store, json_t *person, struct ck_wall now)
{
    int64_t id = json_integer_value(json_object_get(person, "id"));
    json_t *strip = NULL, *next = NULL;
    int r = ck_sql_list(store,
                        "SELECT id AS \"checkin_id:i\", local_date AS \"day:t\", "
                        "coalesce(outcome, CASE WHEN state IN ('planned', 'armed') THEN 'due' "
                        "ELSE 'open' END) AS \"mark:t\" FROM checkin WHERE person_id = ?1 AND "
                        "due_at BETWEEN ?2 AND ?3 ORDER BY due_at",
                        CK_ARGS(ck_int(id), ck_int(now.ms - STRIP_MS), ck_int(now.ms)), &strip);
    if (r == 0) {
        json_object_set_new(person, "strip", strip);
        r = ck_sql_object(store,
                          "SELECT window_start_at AS \"start:w\", window_end_at AS \"end:w\" FROM "
                          "checkin WHERE person_id = ?1 AND state IN ('planned', 'armed') "
                          "ORDER BY window_start_at LIMIT 1",
                          CK_ARGS(ck_int(id)), &next);
    }
    if (r == 0 || r == CK_E_NOT_FOUND) {
        json_object_set_new(person, "next_window", r == 0 ? next : json_null());
        r = 0;
    }
    return r;
}

static int add_strips(struct ck_store *store, json_t *list, struct ck_wall now)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        int r = add_strip(store, json_array_get(list, i), now);
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

/* A LIKE pattern for "contains", with the text's own wildcards escaped. */
static void contains_pattern(const char *text, char *pattern, size_t size)
{
    size_t n = 0;
    pattern[n++] = '%';
    for (; text != NULL && *text != '\0' && n + 4 < size; text++) {
        if (*text == '%' || *text == '_' || *text == '\\') {
            pattern[n++] = '\\';
        }
        pattern[n++] = *text;
    }
    pattern[n++] = '%';
    pattern[n] = '\0';
}

int ck_query_persons(struct ck_store *store, const struct ck_people_scope *scope,
                     struct ck_wall now, json_t **out)
{
    char pattern[512];
    contains_pattern(scope->text, pattern, sizeof pattern);
    ck_cleanup(ck_json_decrefp) json_t *list = NULL;
    int r = ck_sql_list(store,
                        "SELECT " PERSON_ROW_COLUMNS
                        " FROM person JOIN staff ON staff.id = person.inspector_id "
                        "WHERE (?1 = 0 OR person.unit_id = ?1) AND (?2 = 0 OR " CK_OF_CASELOAD(
                            "person.inspector_id") ") "
                                                   "AND (person.name LIKE ?3 ESCAPE '\\' OR "
                                                   "person.reference LIKE ?3 ESCAPE '\\') "
                                                   "ORDER BY person.name, person.id LIMIT ?4",
                        CK_ARGS(ck_int(scope->unit), ck_int(scope->inspector), ck_text(pattern),
                                ck_int(CK_QUERY_PERSONS_MAX)),
                        &list);
    r = r == 0 ? add_strips(store, list, now) : r;
    if (r == 0) {
        *out = ck_take(list);
    }
    return r;
}

#define ORDER_COLUMNS                                                                              \
    "id AS \"id:i\", person_id AS \"person_id:i\", kind AS \"kind:t\", article AS \"article:t\", " \
    "number AS \"number:t\", issuer AS \"issuer:t\", from_date AS \"from:t\", "                    \
    "until_date AS \"until:t\", conditions AS \"conditions:t\", "                                  \
    "per_day_max AS \"per_day_max:i\", (next_at IS NOT NULL) AS \"in_force:f\", "                  \
    "hours_start AS \"hours_start:t\", hours_end AS \"hours_end:t\", ended_date AS \"ended:t\", "  \
    "ended_reason AS \"ended_reason:t\""

#define PLAN_COLUMNS                                                                               \
    "rule AS \"rule:j\", id AS \"id:i\", person_id AS \"person_id:i\", version AS \"version:i\", " \
    "ended_at AS \"ended:w\", state AS \"state:t\", begins_date AS \"from:t\", "                   \
    "until_date AS \"until:t\", replaces_id AS \"place_of:i\""

/* A plan's row holds the request as JSON: its members become the plan's. */
static void unfold_rule(json_t *plan)
{
    json_t *rule = json_incref(json_object_get(plan, "rule"));
    json_object_del(plan, "rule");
    json_object_update_missing(plan, rule);
    json_decref(rule);
}

static int add_requirements(struct ck_store *store, json_t *order)
{
    json_t *list = NULL;
    int r = ck_query_requirements(store, json_integer_value(json_object_get(order, "id")), &list);
    return r == 0 ? (json_object_set_new(order, "requirements", list) == 0 ? 0 : -ENOMEM) : r;
}

static int add_orders_and_plans(struct ck_store *store, json_t *person, int64_t id)
{
    json_t *orders = NULL, *plans = NULL, *blackouts = NULL;
    int r = ck_sql_list(
        store, "SELECT " ORDER_COLUMNS " FROM contact_order WHERE person_id = ?1 ORDER BY id DESC",
        CK_ARGS(ck_int(id)), &orders);
    for (size_t i = 0; r == 0 && i < json_array_size(orders); i++) {
        r = add_requirements(store, json_array_get(orders, i));
    }
    if (r == 0) {
        json_object_set_new(person, "orders", orders);
        r = ck_sql_list(store,
                        "SELECT " PLAN_COLUMNS " FROM plan WHERE person_id = ?1 ORDER BY state, "
                        "CASE state WHEN 'active' THEN begins_date END, id DESC",
                        CK_ARGS(ck_int(id)), &plans);
    }
    if (r == 0) {
        for (size_t i = 0; i < json_array_size(plans); i++) {
            unfold_rule(json_array_get(plans, i));
        }
        json_object_set_new(person, "plans", plans);
        r = ck_query_blackouts(store, id, &blackouts);
    }
    if (r == 0) {
        json_object_set_new(person, "blackouts", blackouts);
    }
    return r;
}

int ck_query_person(struct ck_store *store, int64_t id, struct ck_wall now, json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *person = NULL;
    int r = ck_sql_object(store,
                          "SELECT " PERSON_ROW_COLUMNS
                          ", person.birth_date AS \"birth_date:t\", person.phone AS \"phone:t\", "
                          "person.email AS \"email:t\", person.language AS \"language:t\", "
                          "person.address AS \"address:t\", person.note AS \"note:t\", "
                          "person.unit_id AS \"unit_id:i\" FROM person JOIN staff ON staff.id = "
                          "person.inspector_id WHERE person.id = ?1",
                          CK_ARGS(ck_int(id)), &person);
    r = r == 0 ? add_strip(store, person, now) : r;
    r = r == 0 ? add_orders_and_plans(store, person, id) : r;
    json_t *devices = NULL;
    r = r == 0 ? ck_device_list(store, id, &devices) : r;
    if (r == 0) {
        json_object_set_new(person, "devices", devices);
        *out = ck_take(person);
    }
    return r;
}

int ck_query_person_form(struct ck_store *store, int64_t id, json_t **form)
{
    return ck_sql_object(
        store,
        "SELECT name AS \"name:t\", birth_date AS \"birth_date:t\", phone AS \"phone:t\", "
        "email AS \"email:t\", language AS \"language:t\", address AS \"address:t\", "
        "note AS \"note:t\", inspector_id AS \"inspector_id:i\", unit_id AS \"unit_id:i\", "
        "band AS \"band:t\" FROM person WHERE id = ?1",
        CK_ARGS(ck_int(id)), form);
}

int ck_query_order(struct ck_store *store, int64_t id, json_t **order)
{
    int r = ck_sql_object(store, "SELECT " ORDER_COLUMNS " FROM contact_order WHERE id = ?1",
                          CK_ARGS(ck_int(id)), order);
    return r == 0 ? add_requirements(store, *order) : r;
}

int ck_query_plan(struct ck_store *store, int64_t id, json_t **plan)
{
    int r = ck_sql_object(store, "SELECT " PLAN_COLUMNS " FROM plan WHERE id = ?1",
                          CK_ARGS(ck_int(id)), plan);
    if (r == 0) {
        unfold_rule(*plan);
    }
    return r;
}
