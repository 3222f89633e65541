/* Changes of zones: of a zone's rules (S16) and of a unit's zone (S15).
 *
 * The rule is one: what has not been armed keeps its wall time. A check-in ahead is placed anew
 * from the wall time that it had, by the table that holds now; whatever is armed or rings goes on
 * as it is. After a change of a unit's zone the day that runs keeps the old zone, and the next date
 * begins the new one: no date is served twice, none not at all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/zone_live.h"
#include "daemon/core/zones.h"
#include "daemon/store/zone.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define PAGES_AT_ONCE 16 /* in one turn of a change; the rest in the next */
#define PAGE 64          /* check-ins of one person, absences of a unit, or units */
#define NEAR_MS (INT64_C(2) * 24 * 3600 * 1000) /* check-ins nearer than this may be too near */
#define CHECKIN_MIN_MS 60000 /* where a wall time leaves its window it is this far from its end */

/* ---- one check-in ---- */

/* S6 across the change: what was drawn, or makes up, keeps the minimum gap to what stays where it
 * is and to what has moved already. A fixed time is where it is, and a second check is near its
 * first. */
static int keep_gap(struct ck_turn *turn, const struct ck_zone_moving *change,
                    const struct ck_plan *plan, const struct ck_checkin_row *row,
                    struct ck_checkin_event *event)
{
    struct ck_wall neighbours[CK_PLAN_NEIGHBOURS_MAX];
    struct ck_plan_surroundings around = {.neighbours = neighbours};
    const struct ck_interval window = {event->moved.window_start, event->moved.window_end};
    if (plan->draws == 0 || ck_plan_slot_of(row) >= CK_SECOND_SLOT) {
        return 0;
    }
    int r = ck_zone_moving_neighbours(turn->store, change, row->step.id,
                                      ck_wall_add_ms(event->moved.due, -NEAR_MS),
                                      ck_wall_add_ms(event->moved.due, NEAR_MS), neighbours,
                                      CK_PLAN_NEIGHBOURS_MAX, &around.neighbour_count);
    if (r == 0) {
        event->moved.due = ck_plan_keep_gap(plan, window, event->moved.due, &around);
    }
    return r;
}

/* Where it goes: windows from the plan, times without a window of their own (make-ups, second
 * checks) with their window. */
static void place(const struct ck_plan_frame *frame, const struct ck_zone *zone,
                  const struct ck_checkin_row *row, struct ck_checkin_event *event)
{
    const struct ck_checkin *step = &row->step;
    struct ck_occurrence at = {
        .date = row->date,
        .window = (uint32_t)(ck_plan_slot_of(row) / CK_PLAN_SLOTS_PER_WINDOW),
        .due = step->due,
        .due_local = row->due_local,
    };
    event->kind = CK_CHECKIN_MOVED;
    if (at.window < frame->plan.window_count) {
        ck_occurrence_reconvert(&frame->plan, zone, &at);
    } else {
        at.due = ck_zone_instant(zone, row->due_local, CK_ZONE_FIRST, NULL);
        int64_t by_ms = at.due.ms - step->due.ms;
        at.window_start = ck_wall_add_ms(step->window_start, by_ms);
        at.window_end = ck_wall_add_ms(step->window_end, by_ms);
    }
    if (ck_wall_before(at.due, at.window_start)) {
        at.due = at.window_start;
    }
    if (!ck_wall_before(at.due, at.window_end)) {
        at.due = ck_wall_add_ms(at.window_end, -CHECKIN_MIN_MS);
    }
    event->moved.due = at.due;
    event->moved.window_start = at.window_start;
    event->moved.window_end = at.window_end;
}

static int move(struct ck_turn *turn, struct ck_zone_moving *change, const struct ck_zone *zone,
                struct ck_checkin_row *row)
{
    const struct ck_actor actor = ck_actor_system();
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    ck_cleanup(ck_freep) struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    struct ck_checkin_event event = {0};
    int r = frame == NULL ? -ENOMEM : 0;
    if (r == 0 && row->step.plan != 0) {
        r = ck_plan_load(turn->store, row->step.plan, &record);
        r = r == 0 ? ck_plan_frame(turn, &record, frame) : r;
    }
    if (r != 0) {
        return r;
    }
    place(frame, zone, row, &event);
    r = keep_gap(turn, change, &frame->plan, row, &event);
    if (r != 0) {
        return r;
    }
    snprintf(row->zone, sizeof row->zone, "%s", change->zone);
    snprintf(row->zone_version, sizeof row->zone_version, "%s", change->version);
    if (event.moved.due.ms == row->step.due.ms &&
        event.moved.window_start.ms == row->step.window_start.ms &&
        event.moved.window_end.ms == row->step.window_end.ms) {
        return ck_checkin_save(turn->store, row);
    }
    change->moved++;
    r = ck_checkin_feed(turn, &actor, row, &event);
    /* A blackout is instants: what has moved into one is waived. */
    return r == 0 ? ck_blackout_waive(turn, row) : r;
}

/* One that cannot be placed is left where it is, whole and as it was, and counted: it stops nobody
 * else's. */
static int move_or_leave(struct ck_turn *turn, struct ck_zone_moving *change,
                         const struct ck_zone *zone, int64_t id)
{
    struct ck_checkin_row row;
    struct ck_turn_mark mark;
    const struct ck_zone_moving before = *change;
    int r = ck_turn_part(turn, &mark);
    if (r != 0) {
        return r;
    }
    r = ck_checkin_load(turn->store, id, &row);
    r = r == 0 ? move(turn, change, zone, &row) : r;
    if (r == 0) {
        return ck_turn_keep(turn);
    }
    int undone = ck_turn_undo(turn, &mark);
    if (undone != 0 || (r < 0 && r != -EUCLEAN)) {
        return undone != 0 ? undone : r;
    }
    *change = before;
    change->failed++;
    return 0;
}

/* ---- a change ---- */

/* Due at once: whether it has begun, and whose the caseload is, may be another answer now. */
static int move_absence(struct ck_turn *turn, const struct ck_zone *zone, int64_t id)
{
    struct ck_absence_row row;
    int r = ck_absence_load(turn->store, id, &row);
    r = r == 0 && ck_absence_place(zone, &row) != 0 ? -EUCLEAN : r;
    if (r == 0) {
        row.next_at = turn->now.wall;
        r = ck_absence_save(turn->store, &row);
    }
    return r;
}

/* The times of a unit's absences are wall times as well. */
static int move_absences(struct ck_turn *turn, const struct ck_zone_moving *change,
                         const struct ck_zone *zone, int64_t unit)
{
    (void)change;
    int64_t ids[PAGE], after = 0;
    size_t count = PAGE;
    int r = 0;
    while (r == 0 && count == PAGE) {
        r = ck_absences_ahead(turn->store, unit, turn->now.wall, after, ids, PAGE, &count);
        for (size_t i = 0; r == 0 && i < count; i++) {
            r = move_absence(turn, zone, ids[i]);
            after = ids[i];
        }
    }
    return r;
}

/* Quiet hours end with the morning of the unit: another one now. */
static int wake_incidents(struct ck_turn *turn, const struct ck_zone_moving *change,
                          const struct ck_zone *zone, int64_t unit)
{
    (void)change;
    (void)zone;
    return ck_incidents_wake(turn->store, unit, turn->now.wall);
}

static int tell(struct ck_turn *turn, const struct ck_zone_moving *change,
                const struct ck_zone *zone, int64_t unit)
{
    const struct ck_actor actor = ck_actor_system();
    (void)zone;
    char cause[96]; /* what is kept is shorter; the figures of a real agency fit */
    if (change->failed > 0) {
        snprintf(cause, sizeof cause, "a time zone changed: %lld moved, %lld not",
                 (long long)change->moved, (long long)change->failed);
    } else {
        snprintf(cause, sizeof cause, "a time zone changed: %lld check-ins moved",
                 (long long)change->moved);
    }
    return ck_incident_open(turn, &actor,
                            &(struct ck_incident_opening){
                                .unit = unit,
                                .cause = cause,
                                .effect = {.kind = CK_INCIDENT_SYSTEM,
                                           .severity = CK_SEVERITY_NORMAL,
                                           .first_step_at = turn->now.wall},
                            });
}

typedef int unit_visit(struct ck_turn *turn, const struct ck_zone_moving *change,
                       const struct ck_zone *zone, int64_t unit);

/* The units that the change is of. */
static int each_unit(struct ck_turn *turn, const struct ck_zone_moving *change,
                     const struct ck_zone *zone, unit_visit *visit)
{
    int64_t ids[PAGE], after = 0;
    size_t count = PAGE;
    int r = 0;
    if (change->unit != 0) {
        return visit(turn, change, zone, change->unit);
    }
    while (r == 0 && count == PAGE) {
        r = ck_zone_units(turn->store, change->zone, after, ids, PAGE, &count);
        for (size_t i = 0; r == 0 && i < count; i++) {
            r = visit(turn, change, zone, ids[i]);
            after = ids[i];
        }
    }
    return r;
}

/* All are placed: the record of it, and the supervisors of the units are told. */
static int finish(struct ck_turn *turn, const struct ck_zone_moving *change)
{
    const struct ck_actor actor = ck_actor_system();
    int r = ck_turn_audit(
        turn, &actor,
        &(struct ck_record){.action = "ZONE_PLACED",
                            .object = change->unit == 0 ? "system" : "unit",
                            .object_id = change->unit,
                            .open = json_pack("{s:s, s:s, s:I, s:I}", "zone", change->zone,
                                              "zone_version", change->version, "moved",
                                              (json_int_t)change->moved, "failed",
                                              (json_int_t)change->failed)});
    r = r == 0 && change->moved + change->failed > 0 ? each_unit(turn, change, NULL, tell) : r;
    return r == 0 ? ck_zone_moving_save(turn->store, change, true, turn->now.wall) : r;
}

/* Whether the unit has gone on to yet another zone: what is left is that change's to place. */
static int is_overtaken(struct ck_turn *turn, const struct ck_zone_moving *change, bool *overtaken)
{
    char zone[CK_ZONE_NAME_SIZE];
    int r = change->unit == 0 ? 0 : ck_unit_zone(turn->store, change->unit, zone);
    *overtaken = r == 0 && change->unit != 0 && strcmp(zone, change->zone) != 0;
    return r;
}

/* The next of a person's check-ins; after the last of them the next person. CK_E_NOT_FOUND: there
 * is nobody more. */
static int place_page(struct ck_turn *turn, struct ck_zone_moving *change,
                      const struct ck_zone *zone)
{
    int64_t ids[PAGE];
    size_t count = 0;
    int r = ck_zone_moving_checkins(turn->store, change, ids, PAGE, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = move_or_leave(turn, change, zone, ids[i]);
        change->checkin = ids[i];
    }
    if (r == 0 && count < PAGE) {
        change->checkin = 0;
        r = ck_zone_moving_person(turn->store, change->person, &change->person);
    }
    return r;
}

int ck_zone_moving_due(struct ck_turn *turn, const struct ck_due *due)
{
    struct ck_zone_moving change;
    const struct ck_zone *zone = NULL;
    bool overtaken = false;
    int r = ck_zone_moving_load(turn->store, due->id, &change);
    if (r == 0 && change.fence != due->fence) {
        r = CK_E_FENCED;
    }
    r = r == 0 ? is_overtaken(turn, &change, &overtaken) : r;
    if (r == 0 && overtaken) {
        return finish(turn, &change);
    }
    r = r == 0 ? ck_zones_find(turn->engine->zones, change.zone, &zone) : r;
    if (r == 0 && change.person == 0) {
        r = each_unit(turn, &change, zone, move_absences);
        r = r == 0 ? each_unit(turn, &change, zone, wake_incidents) : r;
        r = r == 0 ? ck_zone_moving_person(turn->store, 0, &change.person) : r;
    }
    for (int pages = 0; r == 0 && pages < PAGES_AT_ONCE; pages++) {
        r = place_page(turn, &change, zone);
    }
    if (r == CK_E_NOT_FOUND) {
        return finish(turn, &change);
    }
    return r == 0 ? ck_zone_moving_save(turn->store, &change, false, turn->now.wall) : r;
}

/* ---- rules that change ---- */

int ck_zone_placed_by(struct ck_turn *turn, const char *zone)
{
    return ck_zone_table_note(turn->store, zone, ck_zones_version(turn->engine->zones, zone));
}

static int rules_changed(struct ck_turn *turn, const struct ck_zone_table *table,
                         const char *version)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_zone_moving change = {0};
    memcpy(change.zone, table->name, sizeof change.zone);
    snprintf(change.version, sizeof change.version, "%s", version);
    int r = ck_zone_moving_insert(turn->store, &change, turn->now.wall);
    r = r == 0 ? ck_zone_table_set(turn->store, table->name, version) : r;
    return r == 0
               ? ck_turn_audit(turn, &actor,
                               &(struct ck_record){
                                   .action = "ZONE_RULES_CHANGED",
                                   .object = "system",
                                   .open = json_pack("{s:s, s:s, s:s}", "zone", table->name, "was",
                                                     table->version, "zone_version", version)})
               : r;
}

int ck_zones_look(struct ck_turn *turn)
{
    struct ck_engine *engine = turn->engine;
    if (engine->zones_looked.us != 0 &&
        turn->now.mono.us - engine->zones_looked.us < CK_ZONES_LOOK_MS * INT64_C(1000)) {
        return 0;
    }
    struct ck_zone_table tables[CK_ZONE_TABLES_MAX];
    size_t count = 0;
    (void)ck_zones_refresh(engine->zones); /* what has changed is told by the versions */
    int r = ck_zone_tables(turn->store, tables, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct ck_zone *zone = NULL;
        if (ck_zones_find(engine->zones, tables[i].name, &zone) != 0) {
            continue; /* gone from the folder: what was placed stays, plans say so themselves */
        }
        const char *version = ck_zones_version(engine->zones, tables[i].name);
        if (!ck_zones_same(version, tables[i].version)) {
            r = rules_changed(turn, &tables[i], version);
        }
    }
    if (r == 0) {
        engine->zones_looked = turn->now.mono;
    }
    return r;
}

/* ---- a unit's zone ---- */

int ck_zone_of_unit(struct ck_turn *turn, const struct ck_actor *actor, int64_t unit,
                    const char *name, struct ck_refusal *refusal)
{
    const struct ck_zone *zone = NULL, *old = NULL;
    char was[CK_ZONE_NAME_SIZE], date[CK_DATE_TEXT_SIZE];
    struct ck_zone_moving change = {.unit = unit};
    int r = ck_unit_zone(turn->store, unit, was);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "unit", "there is no such unit");
    }
    if (r == 0 && strcmp(was, name) == 0) {
        return ck_refuse(refusal, CK_E_CONFLICT, "zone", "the unit is in this zone");
    }
    r = r == 0 ? ck_zones_find(turn->engine->zones, name, &zone) : r;
    if (r > 0) {
        return ck_refuse(refusal, CK_E_INVALID, "zone", "is not a time zone of this machine");
    }
    r = r == 0 ? ck_zones_find(turn->engine->zones, was, &old) : r;
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    change.from = ck_zone_change_date(old, turn->now.wall);
    snprintf(change.zone, sizeof change.zone, "%s", name);
    snprintf(change.version, sizeof change.version, "%s",
             ck_zones_version(turn->engine->zones, name));
    ck_date_text(change.from, date);
    r = ck_unit_set_zone(turn->store, unit, name);
    r = r == 0 ? ck_zone_placed_by(turn, name) : r;
    r = r == 0 ? ck_zone_moving_insert(turn->store, &change, turn->now.wall) : r;
    return r == 0
               ? ck_turn_audit(turn, actor,
                               &(struct ck_record){.action = "UNIT_ZONE_CHANGED",
                                                   .object = "unit",
                                                   .object_id = unit,
                                                   .open = json_pack("{s:s, s:s, s:s}", "was", was,
                                                                     "zone", name, "from", date)})
               : r;
}

int ck_zone_of_person(struct ck_turn *turn, int64_t old_unit, int64_t unit)
{
    const struct ck_zone *zone = NULL, *old = NULL;
    char was[CK_ZONE_NAME_SIZE];
    struct ck_zone_moving change = {.unit = unit};
    int r = ck_unit_zone(turn->store, old_unit, was);
    r = r == 0 ? ck_unit_zone(turn->store, unit, change.zone) : r;
    if (r != 0 || strcmp(was, change.zone) == 0) {
        return r;
    }
    r = ck_zones_find(turn->engine->zones, change.zone, &zone);
    r = r == 0 ? ck_zones_find(turn->engine->zones, was, &old) : r;
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    change.from = ck_zone_change_date(old, turn->now.wall);
    snprintf(change.version, sizeof change.version, "%s",
             ck_zones_version(turn->engine->zones, change.zone));
    r = ck_zone_placed_by(turn, change.zone);
    return r == 0 ? ck_zone_moving_insert(turn->store, &change, turn->now.wall) : r;
}

int ck_zone_preview(struct ck_store *store, const char *zone_dir, int64_t unit, const char *name,
                    struct ck_wall now, json_t **out, struct ck_refusal *refusal)
{
    struct ck_zones *zones = ck_zones_create(zone_dir);
    const struct ck_zone *zone = NULL, *old = NULL;
    char was[CK_ZONE_NAME_SIZE], date[CK_DATE_TEXT_SIZE];
    int64_t checkins = 0, persons = 0;
    int r = zones == NULL ? -ENOMEM : ck_unit_zone(store, unit, was);
    if (r == 0 && (r = ck_zones_find(zones, name, &zone)) > 0) {
        r = ck_refuse(refusal, CK_E_INVALID, "zone", "is not a time zone of this machine");
    }
    r = r == 0 ? ck_zones_find(zones, was, &old) : r;
    if (r == 0) {
        struct ck_date from = ck_zone_change_date(old, now);
        const struct ck_local noon = {from, 12 * 3600};
        struct ck_wall before = ck_zone_instant(old, noon, CK_ZONE_FIRST, NULL);
        struct ck_wall after = ck_zone_instant(zone, noon, CK_ZONE_FIRST, NULL);
        ck_date_text(from, date);
        r = ck_zone_moves(store, unit, from, &checkins, &persons);
        if (r == 0) {
            *out = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "was", was, "zone", name, "from",
                             date, "checkins", (json_int_t)checkins, "persons", (json_int_t)persons,
                             "minutes", (json_int_t)((after.ms - before.ms) / 60000));
            r = *out == NULL ? -ENOMEM : 0;
        }
    }
    ck_zones_destroy(zones);
    return r;
}
