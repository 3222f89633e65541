/* Whose the place of a plan is: plans that end, plans that make way for others, and those that go
 * on because the next one never begins. */
#include <errno.h>

#include "daemon/core/demand.h"
#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define EACH_BATCH 64 /* check-ins that are read at a time */

/* ---- letting go ---- */

int ck_checkins_each(struct ck_turn *turn, ck_checkin_list *list, int64_t of,
                     ck_checkin_visit *visit, void *user)
{
    int64_t ids[EACH_BATCH], after = 0;
    size_t count = EACH_BATCH;
    int r = 0;
    while (r == 0 && count == EACH_BATCH) {
        r = list(turn->store, of, after, ids, EACH_BATCH, &count);
        for (size_t i = 0; r == 0 && i < count; i++) {
            r = visit(turn, ids[i], user);
            after = ids[i];
        }
    }
    return r;
}

struct release {
    const struct ck_actor *actor;
    enum ck_cause cause;
    struct ck_date from; /* of check-ins of this date and later; day 0: of all */
    bool but_make_ups;   /* those are owed whatever plan serves */
};

static int release(struct ck_turn *turn, int64_t id, void *user)
{
    const struct release *release = user;
    struct ck_checkin_row row;
    int r = ck_checkin_load(turn->store, id, &row);
    if (r != 0 || row.date.day < release->from.day ||
        (release->but_make_ups && row.step.make_up_of != 0)) {
        return r;
    }
    bool ended = release->cause == CK_CAUSE_WAIVED_ORDER_ENDED;
    bool rings = row.step.state == CK_CHECKIN_RINGING && row.step.finding == CK_OUTCOME_OPEN;
    bool goes = row.step.state < CK_CHECKIN_RINGING ||
                (ended && (rings || row.step.state == CK_CHECKIN_CONNECTED));
    return goes ? ck_checkin_feed(
                      turn, release->actor, &row,
                      &(struct ck_checkin_event){.kind = CK_CHECKIN_WAIVED,
                                                 .waived.cause = release->cause,
                                                 .waived.staff = release->actor->staff_id})
                : 0;
}

int ck_checkins_release(struct ck_turn *turn, const struct ck_actor *actor, ck_checkin_list *list,
                        int64_t of, enum ck_cause cause)
{
    return ck_checkins_each(turn, list, of, release,
                            &(struct release){.actor = actor, .cause = cause});
}

/* ---- ending ---- */

static int end(struct ck_turn *turn, const struct ck_plan_record *record, const char *reason,
               struct release goes)
{
    int r = ck_plan_end(turn->store, record->id, reason, turn->now.wall);
    r = r == 0 ? ck_turn_audit(turn, goes.actor,
                               &(struct ck_record){
                                   .action = "PLAN_ENDED",
                                   .object = "plan",
                                   .object_id = record->id,
                                   .person_id = record->person,
                                   .open = json_pack("{s:s}", "cause", ck_cause_name(goes.cause)),
                                   .sealed = json_pack("{s:s}", "reason", reason)})
               : r;
    return r == 0 ? ck_checkins_each(turn, ck_checkin_open_of_plan, record->id, release, &goes) : r;
}

/* ---- another serves from a date on ---- */

/* Until when a plan serves, and which one is next; 0 and 0: while its order is in force. */
struct stay {
    struct ck_date until;
    int64_t next;
    int64_t redrawn;
};

static int record_stay(struct ck_turn *turn, const struct ck_actor *actor, int64_t plan,
                       int64_t person, const struct stay *stay)
{
    char until[CK_DATE_TEXT_SIZE];
    ck_date_text(stay->until, until);
    return ck_turn_audit(
        turn, actor,
        &(struct ck_record){.action = "PLAN_UNTIL",
                            .object = "plan",
                            .object_id = plan,
                            .person_id = person,
                            .open = json_pack("{s:s?, s:I, s:I}", "until",
                                              stay->until.day == 0 ? NULL : until, "next",
                                              (json_int_t)stay->next, "redrawn",
                                              (json_int_t)stay->redrawn)});
}

static int make_way(struct ck_turn *turn, const struct ck_actor *actor,
                    const struct ck_plan_record *record, struct ck_date begins, int64_t next)
{
    const struct stay stay = {{begins.day - 1}, next, 0};
    int r = ck_plan_leave(turn->store, record->id, stay.until, turn->now.wall);
    r = r == 0 ? record_stay(turn, actor, record->id, record->person, &stay) : r;
    return r == 0 ? ck_checkins_each(turn, ck_checkin_open_of_plan, record->id, release,
                                     &(struct release){actor, CK_CAUSE_WAIVED_PLAN_CHANGED, begins,
                                                       .but_make_ups = true})
                  : r;
}

int ck_plan_make_way(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_succession *succession, struct ck_date today, int64_t next)
{
    static const char reason[] = "another plan takes its place";
    const struct release goes = {
        .actor = actor, .cause = CK_CAUSE_WAIVED_PLAN_CHANGED, .but_make_ups = true};
    int r = 0;
    for (size_t i = 0; r == 0 && i < succession->withdrawn_count; i++) {
        ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
        r = ck_plan_load(turn->store, succession->withdrawn[i], &record);
        r = r == 0 ? end(turn, &record, reason, goes) : r;
    }
    if (r != 0 || succession->leaves == 0) {
        return r;
    }
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    r = ck_plan_load(turn->store, succession->leaves, &record);
    if (r != 0) {
        return r;
    }
    return succession->begins.day <= today.day
               ? end(turn, &record, reason, goes)
               : make_way(turn, actor, &record, succession->begins, next);
}

/* `ended` never begins: the one that serves until then goes on, up to the date on which whoever
 * waits behind begins, or while its order is in force. */
static int go_on(struct ck_turn *turn, const struct ck_actor *actor, int64_t plan,
                 const struct ck_plan_record *ended)
{
    struct stay stay = {.until = ended->until};
    int r = ck_plan_after(turn->store, ended->id, &stay.next);
    r = r == 0 ? ck_plan_pass_place(turn->store, ended->id, plan) : r;
    r = r == 0 ? ck_plan_leave(turn->store, plan, stay.until, turn->now.wall) : r;
    r = r == 0 ? ck_redraw_of_plan(turn, plan, ended->begins, &stay.redrawn) : r;
    return r == 0 ? record_stay(turn, actor, plan, ended->person, &stay) : r;
}

static int today_of(struct ck_turn *turn, int64_t person, struct ck_date *today)
{
    struct ck_subject subject;
    const struct ck_zone *zone = NULL;
    int r = ck_subject_load(turn->store, person, &subject);
    r = r == 0 ? ck_zones_find(turn->engine->zones, subject.zone, &zone) : r;
    if (r == 0) {
        *today = ck_zone_local(zone, turn->now.wall).date;
    }
    return r > 0 ? -EUCLEAN : r;
}

int ck_plan_over(struct ck_turn *turn, const struct ck_plan_record *record)
{
    const struct ck_actor actor = ck_actor_system();
    int r = end(turn, record, "another plan has taken its place",
                (struct release){
                    .actor = &actor, .cause = CK_CAUSE_WAIVED_PLAN_CHANGED, .but_make_ups = true});
    return r == 0 ? ck_silence_changed(turn, record->person) : r;
}

int ck_plan_finish(struct ck_turn *turn, const struct ck_actor *actor, int64_t plan,
                   const char *reason, enum ck_cause cause)
{
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    struct ck_date today;
    int64_t before = 0;
    int r = ck_plan_load(turn->store, plan, &record);
    if (r == CK_E_NOT_FOUND) {
        return r;
    }
    r = r == 0 ? today_of(turn, record.person, &today) : r;
    r = r == 0 ? ck_plan_before(turn->store, plan, today, &before) : r;
    r = r == 0 ? end(turn, &record, reason, (struct release){.actor = actor, .cause = cause}) : r;
    r = r == 0 && before != 0 ? go_on(turn, actor, before, &record) : r;
    return r == 0 ? ck_silence_changed(turn, record.person) : r;
}
