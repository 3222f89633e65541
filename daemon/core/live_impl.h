/* What the files of this folder do for each other inside a turn: feeding events to the step
 * functions and turning their effects into rows, records and outputs. Everything here runs in the
 * turn's transaction. */
#ifndef DAEMON_CORE_LIVE_IMPL_H
#define DAEMON_CORE_LIVE_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/core/body.h"
#include "daemon/core/command.h"
#include "daemon/core/engine_impl.h"
#include "daemon/core/reach.h"
#include "daemon/store/checkin.h"
#include "daemon/store/digest.h"
#include "daemon/store/incident.h"
#include "daemon/store/notice.h"
#include "daemon/store/path.h"
#include "daemon/store/plan.h"
#include "daemon/store/roster.h"
#include "scheduler/plan.h"

/* ---- what is due: engine.c calls these; 0, CK_E_FENCED, or what makes the row a poisoned one ----
 */

int ck_checkin_due(struct ck_turn *turn, const struct ck_due *due);
int ck_incident_due(struct ck_turn *turn, const struct ck_due *due);
int ck_notice_due(struct ck_turn *turn, const struct ck_due *due);
int ck_plan_due(struct ck_turn *turn, const struct ck_due *due);
int ck_person_due(struct ck_turn *turn, const struct ck_due *due);
int ck_absence_due(struct ck_turn *turn, const struct ck_due *due);
int ck_order_due(struct ck_turn *turn, const struct ck_due *due);
int ck_draw_key_due(struct ck_turn *turn, const struct ck_due *due);
int ck_zone_moving_due(struct ck_turn *turn, const struct ck_due *due);
int ck_path_due(struct ck_turn *turn, const struct ck_due *due);
int ck_expiry_due(struct ck_turn *turn, const struct ck_due *due);
int ck_hold_due(struct ck_turn *turn, const struct ck_due *due);

/* Takes the row aside and opens a matter of the system about it. */
int ck_quarantine(struct ck_turn *turn, const struct ck_due *due, const char *reason);

/* The policy of this text; a text that is new is kept, with a record that holds it, so that whoever
 * reads the log sees by which rules it was decided. */
int ck_policy_of(struct ck_turn *turn, const char *kind, const char *text, int64_t *id);

/* After a time in which nothing could be written: the record of it. */
int ck_recovered(struct ck_turn *turn);

/* ---- check-ins ---- */

/* Steps the row by one event, saves it and carries out what follows. The step's own refusals
 * (CK_E_CONFLICT, CK_E_INVALID) change nothing. */
int ck_checkin_feed(struct ck_turn *turn, const struct ck_actor *actor, struct ck_checkin_row *row,
                    const struct ck_checkin_event *event);

/* Evidence: the step's fact, and the line that the pages show. */
int ck_checkin_evidence(struct ck_turn *turn, const struct ck_actor *actor,
                        struct ck_checkin_row *row, enum ck_evidence evidence, struct ck_wall at);

int ck_checkin_policy_of(struct ck_turn *turn, int64_t id, struct ck_checkin_policy *policy);

/* Accepted contact: what else it means for the person's other rows. */
int ck_contact_made(struct ck_turn *turn, const struct ck_actor *actor,
                    const struct ck_checkin_row *row);

/* Waives a check-in ahead whose rings or grace lie in a blackout; others it leaves as they are. */
int ck_blackout_waive(struct ck_turn *turn, struct ck_checkin_row *row);

/* Makes up for a check-in that failed by our fault; where the plan's hours, the minimum gap or the
 * orders have no room for it, the record says so. */
int ck_make_up(struct ck_turn *turn, const struct ck_checkin_row *row);

/* ---- incidents ---- */

/* Opens one; `checkin` may be NULL. */
struct ck_incident_opening {
    const struct ck_checkin_row *checkin;
    int64_t person; /* where there is no check-in; 0: nobody's */
    int64_t unit;
    const char *cause; /* of a system matter, or NULL */
    struct ck_effect_incident effect;
    int64_t *id; /* where its number goes; NULL: nobody asks */
};
int ck_incident_open(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_incident_opening *opening);

int ck_incident_feed(struct ck_turn *turn, const struct ck_actor *actor,
                     struct ck_incident_row *row, const struct ck_incident_event *event);

int ck_ladder_of(struct ck_turn *turn, int64_t policy, struct ck_ladder *ladder);

/* Who is there now for each step of a ladder. */
int ck_ladder_resolve(struct ck_turn *turn, const struct ck_incident_row *row,
                      const struct ck_ladder *ladder, struct ck_ladder_roster *roster);

/* Whom this turn's engine can reach for a unit and inspector. */
struct ck_reach ck_turn_reach(struct ck_turn *turn, int64_t unit, int64_t inspector);

/* Who holds, or held last, the incident beside this one: safety against no contact, of the same
 * check-in. 0: nobody. The two are different people. */
int ck_incident_beside(struct ck_turn *turn, const struct ck_incident *row, int64_t *staff);

/* Whether somebody else has taken it over already. */
static inline bool ck_incident_held_by_another(const struct ck_incident *row, int64_t staff)
{
    return row->state == CK_INCIDENT_ACKNOWLEDGED && row->acked_by != staff;
}

/* Looks whether there is a storm of incidents, opens the question to ourselves where one begins.
 * *on says whether there is one now. */
int ck_storm_look(struct ck_turn *turn, bool *on);

/* ---- caseloads and their stand-ins ---- */

/* Somebody's presence changed: puts their caseload, and those that they stand in for, with whom it
 * belongs now. */
int ck_cover_refresh(struct ck_turn *turn, int64_t staff);

/* The instants of an absence from its wall times. CK_E_SYNTAX, CK_E_INVALID: not such times. */
int ck_absence_place(const struct ck_zone *zone, struct ck_absence_row *row);

/* ---- notices ---- */

/* Rings the person on the channels they have; *count says how many notices that made. */
int ck_notice_ring(struct ck_turn *turn, const struct ck_checkin_row *row, uint32_t attempt,
                   int *count);

/* Notices to one member of staff, about an incident (id 0: none) or a check-in. */
struct ck_notice_about {
    int64_t incident, checkin, unit, person;
};
int ck_notice_staff(struct ck_turn *turn, const struct ck_notice_about *about,
                    const struct ck_effect_notify *notify);

/* The same notice, by mail and browser, to the first `most` supervisors of a unit by their number
 * (CK_SUPERVISORS_MAX at the most) but `except` (0: nobody); its member of staff and its channels
 * are filled in here. */
#define CK_SUPERVISORS_MAX 32
int ck_notice_supervisors(struct ck_turn *turn, int64_t unit, size_t most, int64_t except,
                          const struct ck_effect_notify *notify);

/* A test of somebody's contact path: recipient, channel, address and language of `like`. It has so
 * long to arrive, and its receipt to come: a telephone may be off for an hour. */
#define CK_PATH_TEST_MS (INT64_C(6) * 3600000)
int ck_notice_test(struct ck_turn *turn, const struct ck_notice_row *like, int64_t *id);

/* What came of one. */
int ck_path_news(struct ck_turn *turn, const struct ck_notice_row *row);

/* Takes back what has not left yet. */
int ck_notice_cancel(struct ck_turn *turn, const struct ck_checkin_row *row);

int ck_notice_feed(struct ck_turn *turn, const struct ck_actor *actor, struct ck_notice_row *row,
                   const struct ck_notice_event *event);

/* ---- plans ---- */

/* What a plan's row means: the scheduler's plan, its policy and its zone. */
struct ck_plan_frame {
    struct ck_plan plan;
    struct ck_checkin_policy policy;
    const struct ck_zone *zone;
    struct ck_subject subject;
};
int ck_plan_frame(struct ck_turn *turn, const struct ck_plan_record *record,
                  struct ck_plan_frame *frame);

/* ---- the longest silence ---- */

#define CK_SILENCE_PLANS_MAX 64 /* active plans of one person that are looked at */

/* Accepted contact with the person, that was made at `at`: before now where it waited for a review.
 */
int ck_silence_contact(struct ck_turn *turn, int64_t person, struct ck_wall at);

/* A named person has concluded the incident of the person's silence. Where there was no contact
 * since it was opened the time runs anew; *again_at is when it is alarmed next (0: it is not, for
 * contact has begun the time anew, or nothing is owed). */
int ck_silence_concluded(struct ck_turn *turn, int64_t person, struct ck_wall *again_at);

/* The person's plans, orders or band are other ones: what they allow is looked up anew. The
 * beginning of the silence stays where it is for as long as an order or a plan is there. */
int ck_silence_changed(struct ck_turn *turn, int64_t person);

/* ---- retention ---- */

/* A recording is over: its time begins. */
int ck_retention_recording(struct ck_turn *turn, int64_t recording, int64_t person);

/* What the house says of retention is recorded where it changed, and holds for what is kept
 * already; now and then. */
int ck_retention_sync(struct ck_turn *turn);

/* ---- keys of the draws ---- */

/* The key of a date's epoch; a new one is committed to in the log before anything is drawn with it.
 * ck_draw_bytes() is a ck_draw_function with it as context. Wipe it. */
struct ck_draw_key {
    int64_t epoch;
    uint8_t key[CK_KEY_SIZE];
};
int ck_draw_key_of(struct ck_turn *turn, struct ck_date date, struct ck_draw_key *key);
int ck_draw_bytes(void *key, const uint8_t *message, size_t size, uint8_t bytes[CK_DRAW_BYTES]);

/* Adds to a record what was drawn from: "draw", the message in hexadecimal, which is readable for
 * ever, and "allowed", a list of [from, until] in milliseconds, which is committed to: its holes
 * lie around the person's other moments. */
void ck_draw_record(const struct ck_draw *draw, json_t *open, json_t *sealed);

/* ---- plans ---- */

/* Blackouts of a person around a date. */
#define CK_PLAN_BLACKOUTS_MAX 32
#define CK_PLAN_NEIGHBOURS_MAX 256  /* other check-ins that one is placed beside: ten full days */
#define CK_PLAN_SLOTS_PER_WINDOW 16 /* numbers in the slots of a date */
/* What is made beside the dates of a plan counts its slot from here, by what it belongs to. Where
 * it rings on a later date than that, the days between count CK_EXTRA_DAY_SLOT each: two that come
 * from different dates never have one place. */
#define CK_MAKE_UP_SLOT 1000
#define CK_SECOND_SLOT 2000
#define CK_EXTRA_DAY_SLOT 100
#define CK_PLAN_REDRAW_SLOT                                                                        \
    10000 /* what is drawn for the n-th time anew has n times this on top                          \
           */

/* The slot of a check-in's row within its date and window, however often it was drawn anew. */
static inline int64_t ck_plan_slot_of(const struct ck_checkin_row *row)
{
    return row->slot % CK_PLAN_REDRAW_SLOT;
}

/* What a blackout had waived is drawn anew in what is left of its window: all of the person's of
 * active plans whose window touches `span`, that no other blackout takes away and that no redraw
 * has replaced already. Recorded as CHECKIN_PLANNED with the number of the redraw and the waived
 * one. The waived row stays. *count says how many there are. */
int ck_redraw_waived(struct ck_turn *turn, int64_t person, struct ck_interval span, int64_t *count);

/* What the plan has waived of dates from `from` on, in favour of a plan that never begins or for a
 * blackout, and serves now: drawn anew in the same way. *count says how many are owed again. */
int ck_redraw_of_plan(struct ck_turn *turn, int64_t plan, struct ck_date from, int64_t *count);

/* One of them: made where its date, plan and slot still have room from now on, and the orders allow
 * it beside what came in its place: a second check, a make-up, one on demand. */
int ck_plan_redraw(struct ck_turn *turn, const struct ck_checkin_row *waived, bool *made);

/* Whether the orders allow the waived check-in again at `due`, beside all that there is now. */
int ck_extra_allows(struct ck_turn *turn, const struct ck_checkin_row *waived, struct ck_wall due,
                    bool *allowed);

/* After a check-in of a plan was completed: whether a second one follows, and makes it. */
int ck_second_check_after(struct ck_turn *turn, const struct ck_checkin_row *row);

/* One of ck_checkin_open_of(), ck_checkin_open_of_plan(), ck_checkin_open_of_order(),
 * ck_checkin_open_unplanned(). */
typedef int ck_checkin_list(struct ck_store *store, int64_t of, int64_t after, int64_t *ids,
                            size_t capacity, size_t *count);
typedef int ck_checkin_visit(struct ck_turn *turn, int64_t id, void *user);

/* Visits all that the list has of `of`, by their numbers; the first result that is not 0 ends it
 * and is returned. A visit may change the check-in. */
int ck_checkins_each(struct ck_turn *turn, ck_checkin_list *list, int64_t of,
                     ck_checkin_visit *visit, void *user);

/* Lets check-ins go, for what they were made for is over: waives what has not begun; where it is
 * the order that ended (CK_CAUSE_WAIVED_ORDER_ENDED), also what rings, and a call that goes on is
 * voluntary from here on. What was missed before stays missed. */
int ck_checkins_release(struct ck_turn *turn, const struct ck_actor *actor, ck_checkin_list *list,
                        int64_t of, enum ck_cause cause);

/* Ends a plan and lets go of all that it made (ck_checkins_release()). Where it has not begun, the
 * one that serves until then goes on. CK_E_NOT_FOUND, CK_E_CONFLICT: there is none, it has ended.
 */
int ck_plan_finish(struct ck_turn *turn, const struct ck_actor *actor, int64_t plan,
                   const char *reason, enum ck_cause cause);

/* Ends a plan whose last date is over, for another has its place. Its make-ups stay: what they make
 * up for is owed whatever plan serves. */
int ck_plan_over(struct ck_turn *turn, const struct ck_plan_record *record);

/* Makes way for the plan `next`: the one whose place it takes ends, or serves until it begins and
 * lets go of the rest, make-ups apart; those that it is before never begin. */
struct ck_succession;
int ck_plan_make_way(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_succession *succession, struct ck_date today, int64_t next);

/* ---- pages of persons ---- */

/* A session for a page of this person, with its check-in where the link has one: its page is open
 * from here. *result: token, session, person, checkin, expires. */
struct ck_link;
int ck_link_open(struct ck_turn *turn, const struct ck_actor *person, const struct ck_link *link,
                 const char *device, json_t **result);
/* CK_E_LIMIT with *refusal filled: this person's pages have been opened too often lately
 * (device.h).
 */
int ck_link_repeats(struct ck_turn *turn, int64_t person, const char *field,
                    struct ck_refusal *refusal);

/* ---- the handlers of each file ---- */

extern const struct ck_handler_entry ck_checkin_handlers[], ck_incident_handlers[],
    ck_notice_handlers[], ck_plan_handlers[], ck_order_handlers[], ck_blackout_handlers[],
    ck_recording_handlers[], ck_link_handlers[], ck_roster_handlers[], ck_log_handlers[],
    ck_device_handlers[], ck_ladder_handlers[], ck_path_handlers[], ck_retention_handlers[],
    ck_hold_handlers[], ck_opened_handlers[], ck_inbound_handlers[];
extern const size_t ck_checkin_handler_count, ck_incident_handler_count, ck_notice_handler_count,
    ck_order_handler_count, ck_blackout_handler_count, ck_plan_handler_count,
    ck_recording_handler_count, ck_link_handler_count, ck_roster_handler_count,
    ck_log_handler_count, ck_device_handler_count, ck_ladder_handler_count, ck_path_handler_count,
    ck_retention_handler_count, ck_hold_handler_count, ck_opened_handler_count,
    ck_inbound_handler_count;

/* ---- small things ---- */

/* For `ck_cleanup(ck_json_decrefp_core) json_t *value = NULL;`. */
static inline void ck_json_decrefp_core(json_t **value)
{
    json_decref(*value);
}

/* "R-7K3F-92QD-M4XW": 60 random bits in letters and digits that are not confused. Whoever stores
 * one makes another where it is taken, at most CK_REFERENCE_TRIES times. */
#define CK_REFERENCE_TRIES 8
void ck_reference_make(struct ck_turn *turn, char prefix, char text[static CK_RECEIPT_SIZE]);

/* The scheduler's band for "low" … "top"; UNSCORED for anything else. */
enum ck_band ck_band_of(const char *text);

/* For the console: something in a unit's day changed. */
int ck_tell_today(struct ck_turn *turn, const struct ck_checkin_row *row);

/* A record about a check-in or an incident; `open` is taken over. */
int ck_record_checkin(struct ck_turn *turn, const struct ck_actor *actor,
                      const struct ck_checkin_row *row, const char *action, json_t *open);
int ck_record_incident(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_incident_row *row, const char *action, json_t *open);

/* "CHECKIN_" or another prefix before a word of the scheduler, in upper case. */
void ck_action_name(const char *prefix, const char *word, char action[static 64]);

/* The check-in named by "checkin" that this actor may touch: staff in scope, persons their own,
 * workers and the system any. CK_E_NOT_FOUND or CK_E_DENIED with *refusal filled. */
int ck_body_checkin(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    struct ck_checkin_row *row, struct ck_refusal *refusal);

#endif
