/* Commands about shifts, absences and stand-ins, and what follows when an absence begins or ends:
 * the caseload goes to a stand-in and comes back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/capacity_live.h"
#include "daemon/core/duty.h"
#include "daemon/core/live_impl.h"
#include "daemon/store/staff.h"
#include "protocol/base/error.h"

#define MINUTE_S 60
#define COVERED_MAX 64 /* inspectors whose stand-in one person can be */

/* The member of staff named by `name`, of the actor's unit; `own`: or the actor themselves, who
 * need not be a supervisor. */
static int body_staff(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                      const char *name, bool own, int64_t *staff, struct ck_refusal *refusal)
{
    struct ck_staff_brief brief;
    int r = ck_body_id(body, name, staff, refusal);
    r = r == 0 ? ck_staff_brief_load(turn->store, *staff, &brief) : r;
    if (r == CK_E_NOT_FOUND || (r == 0 && brief.disabled)) {
        return ck_refuse(refusal, CK_E_INVALID, name, "there is no such account");
    }
    if (r != 0) {
        return r;
    }
    bool may = (actor->roles & CK_ROLE_SUPERVISOR) != 0 ? brief.unit == actor->unit_id
                                                        : own && *staff == actor->staff_id;
    return may ? 0
               : ck_turn_deny(turn, actor, "staff", *staff, 0, "not of the actor's unit", refusal);
}

static int body_clock(const json_t *body, const char *name, int32_t *second,
                      struct ck_refusal *refusal)
{
    const char *text = NULL;
    int r = ck_body_text(body, name, 5, false, &text, refusal);
    int32_t minute = r == 0 ? ck_day_minute(text) : 0;
    if (minute < 0 || minute == CK_DAY_MINUTES) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must be a time of day, HH:MM");
    }
    *second = minute * MINUTE_S;
    return r;
}

static int body_date(const json_t *body, const char *name, struct ck_date *date,
                     struct ck_refusal *refusal)
{
    const char *text = NULL;
    int r = ck_body_text(body, name, CK_DATE_TEXT_SIZE - 1, false, &text, refusal);
    return r == 0 && ck_date_parse(text, date) != 0
               ? ck_refuse(refusal, CK_E_INVALID, name, "must be a date, YYYY-MM-DD")
               : r;
}

static int staff_zone(struct ck_turn *turn, int64_t staff, const struct ck_zone **zone)
{
    struct ck_staff_place place;
    int r = ck_staff_place(turn->store, staff, &place);
    r = r == 0 ? ck_zones_find(turn->engine->zones, place.zone, zone) : r;
    return r > 0 ? -EUCLEAN : r;
}

/* What is about a member of staff's times changed: their unit's pages, the roster in memory, and
 * check-ins ahead that could have an inspector's time now. */
static int times_changed(struct ck_turn *turn, int64_t staff)
{
    struct ck_staff_place place;
    int r = ck_staff_place(turn->store, staff, &place);
    turn->roster_changed = true;
    r = r == 0 ? ck_capacity_more(turn, place.unit) : r;
    return r != 0 ? r
                  : ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_TODAY,
                                                             .unit_id = place.unit,
                                                             .staff_id = staff});
}

/* ---- shifts ---- */

static int read_weekdays(const json_t *body, struct ck_date from, bool days[static 7],
                         struct ck_refusal *refusal)
{
    const json_t *list = json_object_get(body, "weekdays");
    if (list == NULL) { /* one shift, on its date */
        days[ck_date_weekday(from)] = true;
        return 0;
    }
    if (!json_is_array(list) || json_array_size(list) == 0) {
        return ck_refuse(refusal, CK_E_INVALID, "weekdays", "must be a list of 0 to 6");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_integer(item) || json_integer_value(item) < 0 ||
            json_integer_value(item) > 6) {
            return ck_refuse(refusal, CK_E_INVALID, "weekdays", "must be a list of 0 to 6");
        }
        days[json_integer_value(item)] = true;
    }
    return 0;
}

/* {from_date, until_date?: null for ever, weekdays?, start, end, kind} */
static int read_shift(const json_t *body, struct ck_shift_row *row, bool days[static 7],
                      struct ck_refusal *refusal)
{
    static const char *const kinds[] = {"work", "duty", NULL};
    int kind = 0;
    int r = ck_body_word(body, "kind", kinds, &kind, refusal);
    r = r == 0 ? body_date(body, "from_date", &row->shift.from, refusal) : r;
    r = r == 0 ? body_clock(body, "start", &row->shift.start_s, refusal) : r;
    r = r == 0 ? body_clock(body, "end", &row->shift.end_s, refusal) : r;
    r = r == 0 ? read_weekdays(body, row->shift.from, days, refusal) : r;
    row->duty = kind == 1;
    row->shift.until = row->shift.from;
    if (r != 0 || json_object_get(body, "weekdays") == NULL) {
        return r;
    }
    row->shift.until = CK_DATE_MAX;
    const json_t *until = json_object_get(body, "until_date");
    return until == NULL || json_is_null(until)
               ? 0
               : body_date(body, "until_date", &row->shift.until, refusal);
}

static int insert_days(struct ck_turn *turn, const struct ck_actor *actor, struct ck_shift_row *row,
                       const bool days[static 7], json_t *ids, struct ck_refusal *refusal)
{
    int r = 0;
    for (int day = 0; r == 0 && day < 7; day++) {
        if (!days[day]) {
            continue;
        }
        row->shift.weekday = (enum ck_weekday)day;
        const char *fault = ck_shift_fault(&row->shift);
        if (fault != NULL) {
            return ck_refuse(refusal, CK_E_INVALID, fault, "no such day between the two dates");
        }
        r = ck_shift_insert(turn->store, row, actor->staff_id, turn->now.wall);
        json_array_append_new(ids, json_integer(row->id));
    }
    return r;
}

/* Room for seven more, and an officer for the duty room. */
static int check_shift(struct ck_turn *turn, const struct ck_shift_row *row,
                       struct ck_refusal *refusal)
{
    struct ck_shift_row others[CK_SHIFTS_MAX];
    struct ck_staff_brief brief;
    const struct ck_zone *zone = NULL;
    size_t count = 0;
    int r = ck_staff_brief_load(turn->store, row->staff, &brief);
    if (r == 0 && row->duty && (brief.roles & CK_ROLE_OFFICER) == 0) {
        return ck_refuse(refusal, CK_E_INVALID, "kind",
                         "the duty room is for accounts with the role officer");
    }
    r = r == 0 ? staff_zone(turn, row->staff, &zone) : r;
    r = r == 0 ? ck_shifts_of(turn->store, row->staff, ck_zone_local(zone, turn->now.wall).date,
                              others, &count)
               : r;
    return r == 0 && count + 7 > CK_SHIFTS_MAX
               ? ck_refuse(refusal, CK_E_LIMIT, "staff", "has %zu shifts already", count)
               : r;
}

static int shift_create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                        json_t **result, struct ck_refusal *refusal)
{
    struct ck_shift_row row = {0};
    bool days[7] = {false};
    int r = body_staff(turn, actor, body, "staff", false, &row.staff, refusal);
    r = r == 0 ? read_shift(body, &row, days, refusal) : r;
    r = r == 0 ? check_shift(turn, &row, refusal) : r;
    if (r != 0) {
        return r;
    }
    json_t *ids = json_array();
    r = insert_days(turn, actor, &row, days, ids, refusal);
    if (r != 0) {
        json_decref(ids);
        return r;
    }
    *result = json_pack("{s:O}", "shifts", ids);
    r = ck_turn_audit(
        turn, actor,
        &(struct ck_record){
            .action = "SHIFT_CREATED",
            .object = "staff",
            .object_id = row.staff,
            .open = json_pack("{s:o, s:s, s:O, s:O*, s:O*, s:O, s:O}", "shifts", ids, "kind",
                              row.duty ? "duty" : "work", "from_date",
                              json_object_get(body, "from_date"), "until_date",
                              json_object_get(body, "until_date"), "weekdays",
                              json_object_get(body, "weekdays"), "start",
                              json_object_get(body, "start"), "end", json_object_get(body, "end")),
        });
    return r == 0 ? times_changed(turn, row.staff) : r;
}

/* {shift} */
static int shift_remove(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                        json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    struct ck_shift_row row;
    struct ck_staff_brief brief;
    int64_t id = 0;
    int r = ck_body_id(body, "shift", &id, refusal);
    r = r == 0 ? ck_shift_load(turn->store, id, &row) : r;
    r = r == 0 ? ck_staff_brief_load(turn->store, row.staff, &brief) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "shift", "there is no such shift");
    }
    if (r == 0 && brief.unit != actor->unit_id) {
        return ck_turn_deny(turn, actor, "staff", row.staff, 0, "not of the actor's unit", refusal);
    }
    r = r == 0 ? ck_shift_remove(turn->store, id, turn->now.wall) : r;
    r = r == 0 ? ck_turn_audit(
                     turn, actor,
                     &(struct ck_record){.action = "SHIFT_REMOVED",
                                         .object = "staff",
                                         .object_id = row.staff,
                                         .open = json_pack("{s:I}", "shift", (json_int_t)id)})
               : r;
    return r == 0 ? times_changed(turn, row.staff) : r;
}

/* ---- who has whose caseload ---- */

static int refresh_one(struct ck_turn *turn, int64_t inspector)
{
    int64_t stand_in = 0;
    bool changed = false;
    int r = ck_stand_in_at(turn->store, inspector, turn->now.wall, &stand_in);
    if (r == CK_E_NOT_FOUND) {
        r = 0;
    }
    r = r == 0 ? ck_cover_set(turn->store, inspector, stand_in, turn->now.wall, &changed) : r;
    if (r != 0 || !changed) {
        return r;
    }
    const struct ck_actor actor = ck_actor_system();
    r = ck_turn_audit(
        turn, &actor,
        &(struct ck_record){
            .action = stand_in == 0 ? "CASELOAD_BACK" : "CASELOAD_WITH_STAND_IN",
            .object = "staff",
            .object_id = inspector,
            .sealed = stand_in == 0 ? NULL : json_pack("{s:I}", "stand_in", (json_int_t)stand_in),
        });
    return r == 0 ? times_changed(turn, inspector) : r;
}

int ck_cover_refresh(struct ck_turn *turn, int64_t staff)
{
    int64_t others[COVERED_MAX];
    size_t count = 0;
    int r = refresh_one(turn, staff);
    r = r == 0 ? ck_stand_in_for(turn->store, staff, others, COVERED_MAX, &count) : r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = refresh_one(turn, others[i]);
    }
    return r;
}

int ck_absence_due(struct ck_turn *turn, const struct ck_due *due)
{
    struct ck_absence_row row;
    int r = ck_absence_load(turn->store, due->id, &row);
    if (r == CK_E_NOT_FOUND || (r == 0 && row.fence != due->fence)) {
        return CK_E_FENCED;
    }
    if (r != 0) {
        return r;
    }
    bool more = false;
    r = ck_capacity_leave(turn, row.staff, (struct ck_interval){row.from, row.until}, &more);
    row.next_at.ms = more                               ? turn->now.wall.ms
                     : turn->now.wall.ms < row.from.ms  ? row.from.ms
                     : turn->now.wall.ms < row.until.ms ? row.until.ms
                                                        : 0;
    r = r == 0 ? ck_absence_save(turn->store, &row) : r;
    r = r == 0 ? ck_cover_refresh(turn, row.staff) : r;
    return r == 0 ? times_changed(turn, row.staff) : r;
}

/* ---- absences ---- */

int ck_absence_place(const struct ck_zone *zone, struct ck_absence_row *row)
{
    const struct {
        const char *text;
        struct ck_wall *at;
        enum ck_zone_pick pick;
    } ends[] = {{row->from_local, &row->from, CK_ZONE_FIRST},
                {row->until_local, &row->until, CK_ZONE_LAST}};
    for (size_t i = 0; i < 2; i++) {
        char date[CK_DATE_TEXT_SIZE];
        struct ck_local local;
        const char *text = ends[i].text;
        if (strlen(text) != CK_LOCAL_TEXT_SIZE - 1 || text[10] != 'T') {
            return CK_E_SYNTAX;
        }
        int32_t minute = ck_day_minute(text + 11);
        if (minute < 0 || minute == CK_DAY_MINUTES) {
            return CK_E_SYNTAX;
        }
        snprintf(date, sizeof date, "%.10s", text);
        int r = ck_date_parse(date, &local.date);
        if (r != 0) {
            return r;
        }
        local.second = minute * MINUTE_S;
        *ends[i].at = ck_zone_instant(zone, local, ends[i].pick, NULL);
    }
    return 0;
}

/* {from, until: local date and time, reason, stand_in?} */
static int read_absence(struct ck_turn *turn, const json_t *body, struct ck_absence_row *row,
                        struct ck_refusal *refusal)
{
    static const char *const reasons[] = {"leave", "sick", "training", "other", NULL};
    const char *from = NULL, *until = NULL;
    const struct ck_zone *zone = NULL;
    int reason = 0;
    int r = ck_body_text(body, "from", CK_LOCAL_TEXT_SIZE - 1, false, &from, refusal);
    r = r == 0 ? ck_body_text(body, "until", CK_LOCAL_TEXT_SIZE - 1, false, &until, refusal) : r;
    r = r == 0 ? ck_body_word(body, "reason", reasons, &reason, refusal) : r;
    r = r == 0 ? staff_zone(turn, row->staff, &zone) : r;
    if (r != 0) {
        return r;
    }
    row->reason = reasons[reason];
    snprintf(row->from_local, sizeof row->from_local, "%s", from);
    snprintf(row->until_local, sizeof row->until_local, "%s", until);
    if (ck_absence_place(zone, row) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, "from",
                         "must be dates and times, YYYY-MM-DDTHH:MM");
    }
    if (row->until.ms <= row->from.ms || row->until.ms <= turn->now.wall.ms) {
        return ck_refuse(refusal, CK_E_INVALID, "until", "must be after from, and ahead");
    }
    row->next_at = turn->now.wall; /* the check-ins in it are passed on at once */
    return 0;
}

/* Whoever has too many caseloads would not see the last of them. */
static int check_duties(struct ck_turn *turn, int64_t stand_in, int64_t staff, const char *field,
                        struct ck_refusal *refusal)
{
    int64_t duties = 0;
    int r = ck_stand_in_duties(turn->store, stand_in, staff, turn->now.wall, &duties);
    return r == 0 && duties >= CK_COVERS_MAX
               ? ck_refuse(refusal, CK_E_LIMIT, field,
                           "one of them stands in for %lld inspectors already; at most %d",
                           (long long)duties, CK_COVERS_MAX)
               : r;
}

static int read_stand_in(struct ck_turn *turn, const json_t *body, struct ck_absence_row *row,
                         struct ck_refusal *refusal)
{
    struct ck_staff_brief brief;
    const json_t *member = json_object_get(body, "stand_in");
    if (member == NULL || json_is_null(member)) {
        return 0;
    }
    int r = ck_body_id(body, "stand_in", &row->stand_in, refusal);
    r = r == 0 ? ck_staff_brief_load(turn->store, row->stand_in, &brief) : r;
    bool fits = r == 0 && !brief.disabled && (brief.roles & CK_ROLE_INSPECTOR) != 0 &&
                row->stand_in != row->staff;
    return r == CK_E_NOT_FOUND || (r == 0 && !fits)
               ? ck_refuse(refusal, CK_E_INVALID, "stand_in", "must be another inspector")
           : r == 0 ? check_duties(turn, row->stand_in, row->staff, "stand_in", refusal)
                    : r;
}

static int absence_create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                          json_t **result, struct ck_refusal *refusal)
{
    struct ck_absence_row row = {0};
    struct ck_interval ahead[CK_ABSENCES_MAX];
    size_t count = 0;
    int r = body_staff(turn, actor, body, "staff", true, &row.staff, refusal);
    r = r == 0 ? read_absence(turn, body, &row, refusal) : r;
    r = r == 0 ? read_stand_in(turn, body, &row, refusal) : r;
    r = r == 0 ? ck_absences_of(turn->store, row.staff,
                                (struct ck_interval){turn->now.wall, CK_WALL_NEVER}, ahead, &count)
               : r;
    if (r == 0 && count == CK_ABSENCES_MAX) {
        return ck_refuse(refusal, CK_E_LIMIT, "staff", "has %zu absences already", count);
    }
    r = r == 0 ? ck_absence_insert(turn->store, &row, actor->staff_id, turn->now.wall) : r;
    if (r != 0) {
        return r;
    }
    *result = json_pack("{s:I}", "absence", (json_int_t)row.id);
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){
                             .action = "ABSENCE_ENTERED",
                             .object = "staff",
                             .object_id = row.staff,
                             .open = json_pack("{s:I, s:s, s:s}", "absence", (json_int_t)row.id,
                                               "from", row.from_local, "until", row.until_local),
                             .sealed = json_pack("{s:s, s:I}", "reason", row.reason, "stand_in",
                                                 (json_int_t)row.stand_in),
                         });
}

/* {absence} */
static int absence_remove(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                          json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    struct ck_absence_row row;
    struct ck_staff_brief brief;
    int64_t id = 0;
    int r = ck_body_id(body, "absence", &id, refusal);
    r = r == 0 ? ck_absence_load(turn->store, id, &row) : r;
    r = r == 0 ? ck_staff_brief_load(turn->store, row.staff, &brief) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "absence", "there is no such absence");
    }
    bool may = r == 0 && ((actor->roles & CK_ROLE_SUPERVISOR) != 0 ? brief.unit == actor->unit_id
                                                                   : row.staff == actor->staff_id);
    if (r == 0 && !may) {
        return ck_turn_deny(turn, actor, "staff", row.staff, 0, "not of the actor's unit", refusal);
    }
    r = r == 0 ? ck_absence_remove(turn->store, id, turn->now.wall) : r;
    r = r == 0 ? ck_turn_audit(
                     turn, actor,
                     &(struct ck_record){.action = "ABSENCE_REMOVED",
                                         .object = "staff",
                                         .object_id = row.staff,
                                         .open = json_pack("{s:I}", "absence", (json_int_t)id)})
               : r;
    r = r == 0 ? ck_cover_refresh(turn, row.staff) : r;
    return r == 0 ? times_changed(turn, row.staff) : r;
}

/* ---- stand-ins ---- */

/* {staff, stand_ins: ids, the first to be asked first} */
static int stand_ins_set(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    int64_t staff = 0, ids[CK_STAND_INS_MAX];
    const json_t *list = json_object_get(body, "stand_ins");
    int r = body_staff(turn, actor, body, "staff", false, &staff, refusal);
    if (r == 0 && (!json_is_array(list) || json_array_size(list) > CK_STAND_INS_MAX)) {
        return ck_refuse(refusal, CK_E_INVALID, "stand_ins", "must be a list of at most %d",
                         CK_STAND_INS_MAX);
    }
    size_t count = json_array_size(list);
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_staff_brief brief = {0};
        ids[i] = json_integer_value(json_array_get(list, i));
        r = ck_staff_brief_load(turn->store, ids[i], &brief);
        bool fits =
            r == 0 && !brief.disabled && (brief.roles & CK_ROLE_INSPECTOR) != 0 && ids[i] != staff;
        if (r == CK_E_NOT_FOUND || (r == 0 && !fits)) {
            return ck_refuse(refusal, CK_E_INVALID, "stand_ins", "must be other inspectors");
        }
        r = r == 0 ? check_duties(turn, ids[i], staff, "stand_ins", refusal) : r;
    }
    r = r == 0 ? ck_stand_ins_set(turn->store, staff, ids, count) : r;
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, CK_E_INVALID, "stand_ins", "names somebody twice");
    }
    r = r == 0 ? ck_turn_audit(turn, actor,
                               &(struct ck_record){.action = "STAND_INS_SET",
                                                   .object = "staff",
                                                   .object_id = staff,
                                                   .sealed = json_pack("{s:O}", "stand_ins", list)})
               : r;
    r = r == 0 ? ck_cover_refresh(turn, staff) : r;
    return r == 0 ? times_changed(turn, staff) : r;
}

const struct ck_handler_entry ck_roster_handlers[] = {
    {"shift.create", shift_create},     {"shift.remove", shift_remove},
    {"absence.create", absence_create}, {"absence.remove", absence_remove},
    {"stand_ins.set", stand_ins_set},
};
const size_t ck_roster_handler_count = sizeof ck_roster_handlers / sizeof ck_roster_handlers[0];
