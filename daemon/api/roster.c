/* GET /api/roster: one week of shifts, absences and stand-ins, who is there now, and when the duty
 * room is empty. */
#include <errno.h>
#include <stdio.h>

#include "daemon/api/api_impl.h"
#include "daemon/core/duty.h"
#include "daemon/store/plan.h"
#include "daemon/store/query_people.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define WEEK_DAYS 7
#define GAP_STEP_MS INT64_C(900000) /* the duty room is looked at every quarter of an hour */

static void zones_destroy(struct ck_zones **zones)
{
    ck_zones_destroy(*zones);
}

struct week {
    struct ck_store *store;
    struct ck_zones *zones;
    int64_t unit;
    struct ck_date monday;
    struct ck_interval span;
};

static int find_week(struct week *week, struct ck_api_call *call)
{
    char name[CK_ZONE_NAME_SIZE];
    const struct ck_zone *zone = NULL;
    int r = ck_unit_zone(week->store, week->unit, name);
    r = r == 0 ? ck_zones_find(week->zones, name, &zone) : r;
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    week->monday = ck_zone_local(zone, call->now).date;
    if (call->from[0] != '\0' && ck_date_parse(call->from, &week->monday) != 0) {
        return ck_refuse(&call->refusal, CK_E_INVALID, "from", "must be a date, YYYY-MM-DD");
    }
    week->monday.day -= (int32_t)ck_date_weekday(week->monday);
    struct ck_date end = {week->monday.day + WEEK_DAYS};
    week->span.from = ck_zone_midnight(zone, week->monday);
    week->span.until = ck_zone_midnight(zone, end);
    return 0;
}

static json_t *time_json(struct ck_wall at)
{
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text(at, text);
    return json_string(text);
}

static int append_gap(json_t *gaps, struct ck_wall from, struct ck_wall until)
{
    return json_array_append_new(gaps, json_pack("{s:o, s:o}", "from", time_json(from), "until",
                                                 time_json(until))) == 0
               ? 0
               : -ENOMEM;
}

/* Stretches of the week in which no officer is in the duty room. */
static int add_gaps(const struct week *week, json_t *out)
{
    json_t *gaps = json_array();
    struct ck_wall since = {0};
    int r = json_object_set_new(out, "gaps", gaps) == 0 ? 0 : -ENOMEM;
    struct ck_wall at = week->span.from;
    for (; r == 0 && at.ms < week->span.until.ms; at.ms += GAP_STEP_MS) {
        int64_t officer;
        size_t count = 0;
        r = ck_duty_officers(week->store, week->zones, week->unit, at, &officer, 1, &count);
        if (r == 0 && count == 0 && since.ms == 0) {
            since = at;
        } else if (r == 0 && count > 0 && since.ms != 0) {
            r = append_gap(gaps, since, at);
            since.ms = 0;
        }
    }
    return r == 0 && since.ms != 0 ? append_gap(gaps, since, week->span.until) : r;
}

static const char *presence_name(enum ck_presence presence)
{
    static const char *const names[] = {"there", "off", "absent", "gone"};
    return names[presence];
}

/* The unit's staff, and where each of them is now. */
static int add_staff(const struct week *week, struct ck_wall now, json_t *out)
{
    json_t *staff = NULL, *person;
    size_t index;
    int r = ck_query_staff_names(week->store, week->unit, &staff);
    r = r == 0 && json_object_set_new(out, "staff", staff) != 0 ? -ENOMEM : r;
    json_array_foreach(staff, index, person)
    {
        enum ck_presence presence = CK_PRESENCE_GONE;
        int64_t id = json_integer_value(json_object_get(person, "id"));
        r = r == 0 ? ck_duty_presence(week->store, week->zones, id, false, now, &presence) : r;
        r = r == 0 && json_object_set_new(person, "presence",
                                          json_string(presence_name(presence))) != 0
                ? -ENOMEM
                : r;
    }
    return r;
}

static int add_on_duty(const struct week *week, struct ck_wall now, json_t *out)
{
    int64_t ids[CK_DUTY_POOL_MAX];
    size_t count = 0;
    json_t *list = json_array();
    int r = json_object_set_new(out, "on_duty", list) == 0 ? 0 : -ENOMEM;
    r = r == 0 ? ck_duty_officers(week->store, week->zones, week->unit, now, ids, CK_DUTY_POOL_MAX,
                                  &count)
               : r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = json_array_append_new(list, json_integer(ids[i])) == 0 ? 0 : -ENOMEM;
    }
    return r;
}

static int add_rows(const struct week *week, json_t *out)
{
    static const char *const names[] = {"shifts", "absences", "stand_ins"};
    json_t *lists[3] = {NULL, NULL, NULL};
    char date[CK_DATE_TEXT_SIZE];
    ck_date_text((struct ck_date){week->monday.day - 1}, date);
    int r = ck_query_shifts(week->store, week->unit, date, &lists[0]);
    r = r == 0 ? ck_query_absences(week->store, week->unit, week->span.from, &lists[1]) : r;
    r = r == 0 ? ck_query_stand_ins(week->store, week->unit, &lists[2]) : r;
    for (size_t i = 0; i < 3; i++) {
        r = lists[i] != NULL && json_object_set_new(out, names[i], lists[i]) != 0 ? -ENOMEM : r;
    }
    return r;
}

int ck_api_roster(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    ck_cleanup(zones_destroy) struct ck_zones *zones = ck_zones_create(CK_ZONE_DIR);
    struct week week = {.store = store, .zones = zones, .unit = call->actor.unit_id};
    char monday[CK_DATE_TEXT_SIZE];
    if (zones == NULL) {
        return -ENOMEM;
    }
    int r = find_week(&week, call);
    if (r != 0) {
        return r;
    }
    ck_date_text(week.monday, monday);
    ck_cleanup(json_decrefp) json_t *roster =
        json_pack("{s:s, s:o, s:o, s:o}", "monday", monday, "from", time_json(week.span.from),
                  "until", time_json(week.span.until), "server_time", time_json(call->now));
    r = roster == NULL ? -ENOMEM : add_staff(&week, call->now, roster);
    r = r == 0 ? add_on_duty(&week, call->now, roster) : r;
    r = r == 0 ? add_rows(&week, roster) : r;
    r = r == 0 ? add_gaps(&week, roster) : r;
    if (r == 0) {
        *out = ck_take(roster);
    }
    return r;
}
