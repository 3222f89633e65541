/* Live check-ins reserve an inspector's time: who is asked, when they have time, and whose it is.
 *
 * The order in which it gives way is the scheduler's (S7): the assigned inspector, a stand-in, the
 * team, the duty pool; then another place in the window, then unattended, then with nobody's time
 * reserved, which is a fault of the staff and never the person's. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/core/capacity_live.h"
#include "daemon/core/duty.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

/* Large: on the heap. */
struct ck_capacity_look {
    size_t count;
    struct ck_duty_person duty[CK_DUTY_PEOPLE_MAX];
    struct ck_capacity_person people[CK_DUTY_PEOPLE_MAX];
    struct ck_interval reserved[CK_DUTY_PEOPLE_MAX][CK_CAPACITY_RESERVED_MAX];
};

void ck_capacity_look_destroy(struct ck_capacity_look **look)
{
    free(*look);
}

/* When somebody's time is taken in the span. */
static int load_reserved(struct ck_turn *turn, struct ck_interval span, int64_t staff, int64_t but,
                         struct ck_interval *intervals, size_t *count)
{
    struct ck_wall at[CK_CAPACITY_RESERVED_MAX];
    int r = ck_checkin_reserved(turn->store, staff, but,
                                ck_wall_add_ms(span.from, 1 - CK_CAPACITY_CALL_MS), span.until, at,
                                CK_CAPACITY_RESERVED_MAX, count);
    for (size_t i = 0; r == 0 && i < *count; i++) {
        intervals[i] = (struct ck_interval){at[i], ck_wall_add_ms(at[i], CK_CAPACITY_CALL_MS)};
    }
    return r;
}

int ck_capacity_look(struct ck_turn *turn, int64_t unit, int64_t inspector, int64_t but,
                     struct ck_interval span, struct ck_capacity_look **out)
{
    ck_cleanup(ck_capacity_look_destroy) struct ck_capacity_look *look = calloc(1, sizeof *look);
    span.until = ck_wall_add_ms(span.until, CK_CAPACITY_CALL_MS);
    int r = look == NULL ? -ENOMEM
                         : ck_duty_people(turn->store, turn->engine->zones, unit, inspector, span,
                                          look->duty, CK_DUTY_PEOPLE_MAX, &look->count);
    for (size_t i = 0; r == 0 && i < look->count; i++) {
        look->people[i] = look->duty[i].person;
        look->people[i].reserved = look->reserved[i];
        r = load_reserved(turn, span, look->people[i].staff, but, look->reserved[i],
                          &look->people[i].reserved_count);
    }
    if (r == 0) {
        *out = ck_take(look);
    }
    return r;
}

void ck_capacity_look_busy(const struct ck_capacity_look *look, struct ck_interval span,
                           struct ck_interval_set *busy)
{
    ck_capacity_busy(look->people, look->count, span, CK_CAPACITY_CALL_MS, busy);
}

int64_t ck_capacity_take(struct ck_capacity_look *look, struct ck_wall at,
                         enum ck_relation *relation)
{
    size_t index = 0;
    if (ck_capacity_pick(look->people, look->count, at, CK_CAPACITY_CALL_MS, &index) != 0) {
        return 0;
    }
    struct ck_capacity_person *person = &look->people[index];
    if (person->reserved_count < CK_CAPACITY_RESERVED_MAX) {
        look->reserved[index][person->reserved_count++] =
            (struct ck_interval){at, ck_wall_add_ms(at, CK_CAPACITY_CALL_MS)};
    }
    *relation = person->relation;
    return person->staff;
}

/* Whoever has time for a check-in at an instant; 0: nobody. `but` as for ck_capacity_look(). */
static int who_has_time(struct ck_turn *turn, const struct ck_checkin_row *row, struct ck_wall at,
                        int64_t but, int64_t *staff, enum ck_relation *relation)
{
    ck_cleanup(ck_capacity_look_destroy) struct ck_capacity_look *look = NULL;
    const struct ck_interval span = {at, ck_wall_add_ms(at, 1)};
    int r = ck_capacity_look(turn, row->unit, row->step.inspector, but, span, &look);
    *staff = r == 0 ? ck_capacity_take(look, at, relation) : 0;
    return r;
}

/* From when on it takes the time that it has. */
static struct ck_wall taken_at(const struct ck_checkin_row *row)
{
    return row->put_off_to.ms != 0 ? row->put_off_to : row->step.due;
}

int ck_capacity_reserve(struct ck_turn *turn, struct ck_checkin_row *row)
{
    enum ck_relation relation;
    row->reserved = 0;
    return row->step.kind == CK_KIND_LIVE
               ? who_has_time(turn, row, taken_at(row), 0, &row->reserved, &relation)
               : 0;
}

int ck_capacity_fault(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    const struct ck_actor actor = ck_actor_system();
    return ck_record_checkin(turn, &actor, row, "STAFF_FAULT",
                             json_pack("{s:s}", "cause", ck_cause_name(CK_CAUSE_NO_INSPECTOR)));
}

/* Whether who has it reserved will be there, and in no other call. Of two that lie over each other
 * what is armed keeps the time, or else the earlier. */
static int still_has(struct ck_turn *turn, const struct ck_checkin_row *row, bool *has)
{
    enum ck_presence presence = CK_PRESENCE_GONE;
    bool taken = false;
    int r = row->reserved == 0 ? 0
                               : ck_duty_presence(turn->store, turn->engine->zones, row->reserved,
                                                  false, taken_at(row), &presence);
    if (r == 0 && presence == CK_PRESENCE_THERE) {
        r = ck_checkin_reserved_before(turn->store, row->reserved, row->step.id, taken_at(row),
                                       CK_CAPACITY_CALL_MS, &taken);
    }
    *has = presence == CK_PRESENCE_THERE && !taken;
    return r;
}

static int save_reserved(struct ck_turn *turn, struct ck_checkin_row *row)
{
    const struct ck_actor actor = ck_actor_system();
    int r = ck_checkin_save(turn->store, row);
    r = r == 0 ? ck_record_checkin(turn, &actor, row, "CHECKIN_RESERVED",
                                   json_pack("{s:I, s:s}", "reserved", (json_int_t)row->reserved,
                                             "kind", ck_checkin_kind_name(row->step.kind)))
               : r;
    return r == 0 ? ck_tell_today(turn, row) : r;
}

/* Somebody else's time, or nobody's. */
static int pass_on(struct ck_turn *turn, struct ck_checkin_row *row)
{
    const int64_t before = row->reserved;
    int r = ck_capacity_reserve(turn, row);
    return r == 0 && row->reserved != before ? save_reserved(turn, row) : r;
}

int ck_capacity_confirm(struct ck_turn *turn, struct ck_checkin_row *row)
{
    bool has = false;
    if (row->step.kind != CK_KIND_LIVE) {
        return 0;
    }
    int r = still_has(turn, row, &has);
    if (r != 0 || has) {
        return r;
    }
    r = pass_on(turn, row);
    return r == 0 && row->reserved == 0 ? ck_capacity_fault(turn, row) : r;
}

int ck_capacity_catch_up(struct ck_turn *turn, const struct ck_checkin_row *row,
                         struct ck_interval_set *busy)
{
    ck_cleanup(ck_capacity_look_destroy) struct ck_capacity_look *look = NULL;
    const struct ck_interval span = {turn->now.wall,
                                     ck_wall_add_ms(turn->now.wall, CK_CATCH_UP_MAX_MS)};
    int r = ck_capacity_look(turn, row->unit, row->step.inspector, row->step.id, span, &look);
    if (r == 0) {
        ck_capacity_look_busy(look, span, busy);
    }
    return r;
}

int ck_capacity_caught_up(struct ck_turn *turn, struct ck_checkin_row *row)
{
    enum ck_relation relation;
    row->put_off_to = row->step.state == CK_CHECKIN_ARMED ? row->step.next_at : turn->now.wall;
    row->reserved = 0;
    int r = row->step.kind == CK_KIND_LIVE
                ? who_has_time(turn, row, row->put_off_to, row->step.id, &row->reserved, &relation)
                : 0;
    r = r == 0 ? save_reserved(turn, row) : r;
    return r == 0 && row->reserved == 0 ? ck_capacity_fault(turn, row) : r;
}

int ck_capacity_rung(struct ck_turn *turn, struct ck_checkin_row *row, int64_t late_ms)
{
    bool late = ck_wall_before(ck_wall_add_ms(taken_at(row), late_ms), turn->now.wall);
    return late && row->step.kind == CK_KIND_LIVE ? ck_capacity_caught_up(turn, row) : 0;
}

int ck_capacity_leave(struct ck_turn *turn, int64_t staff, struct ck_interval absence, bool *more)
{
    int64_t ids[CK_CAPACITY_LEAVE_MAX];
    size_t count = 0, passed = 0;
    int r = ck_checkin_reserved_ahead(turn->store, staff, absence.from, absence.until, ids,
                                      CK_CAPACITY_LEAVE_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_checkin_row row;
        r = ck_checkin_load(turn->store, ids[i], &row);
        r = r == 0 ? pass_on(turn, &row) : r;
        passed += r == 0 && row.reserved != staff;
    }
    *more = r == 0 && count == CK_CAPACITY_LEAVE_MAX && passed > 0;
    return r;
}

int ck_capacity_more(struct ck_turn *turn, int64_t unit)
{
    return ck_plan_ask_again(turn->store, unit, turn->now.wall);
}

/* A colleague who has the time keeps it unless the inspector is free: whom the person knows. */
static int ask_again(struct ck_turn *turn, struct ck_checkin_row *row)
{
    enum ck_relation relation = CK_RELATION_ASSIGNED;
    int64_t staff;
    int r = who_has_time(turn, row, row->step.due, 0, &staff, &relation);
    if (staff == 0 || (row->reserved != 0 && relation != CK_RELATION_ASSIGNED)) {
        return r;
    }
    row->reserved = staff;
    row->step.kind = CK_KIND_LIVE;
    return save_reserved(turn, row);
}

int ck_capacity_again(struct ck_turn *turn, int64_t plan)
{
    int64_t ids[CK_CAPACITY_LEAVE_MAX];
    size_t count = 0;
    int r = ck_checkin_without_inspector(turn->store, plan, turn->now.wall, ids,
                                         CK_CAPACITY_LEAVE_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_checkin_row row;
        r = ck_checkin_load(turn->store, ids[i], &row);
        r = r == 0 ? ask_again(turn, &row) : r;
    }
    return r;
}
