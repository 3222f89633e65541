/* A simulated world around the real engine on a real store: people who answer, sleep, refuse or
 * trick; inspectors and officers; gateways; faults of ours. Everything follows from the seed: the
 * same seed gives the same world.
 *
 * Two times: `now_ms` is what really passes and what people live in; the engine's clock is that
 * plus an offset that faults move. The world knows the truth of every check-in, and compares in the
 * end. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "daemon/core/engine.h"
#include "daemon/store/store.h"
#include "tests/sim/fault_vfs.h"

#define SIM_UNITS 14 /* in twelve of their zones the clocks change */
#define SIM_PEOPLE_PER_INSPECTOR 25
#define SIM_ATTEMPTS 3
#define SIM_SPACING_S 300
#define SIM_RESPONSE_S 900
#define SIM_GRACE_S 300
#define SIM_LATE_S 3600
#define SIM_PERCENT 60 /* R of the default policy */
#define SIM_SILENCE_S 93600
#define SIM_QUESTIONS 16 /* that the world asks of the store again and again */

#define SIM_HOUR_MS INT64_C(3600000)
#define SIM_DAY_MS (24 * SIM_HOUR_MS)
#define SIM_LEAPS_MAX 16              /* of the clock that a world remembers */
#define SIM_JUMP_MS (7 * SIM_HOUR_MS) /* more than a clock is ever wrong */

/* What really happens with one check-in, as far as it is the person's doing. */
enum truth {
    TRUTH_NEVER_RUNG = 0,
    TRUTH_ANSWERS,
    TRUTH_DROPS_ONCE,  /* the network drops once in the call; comes back */
    TRUTH_COMES_LATE,  /* after grace */
    TRUTH_ASLEEP,      /* phone on, at home, nothing heard */
    TRUTH_PHONE_OFF,   /* switched off: evasion or empty battery, nobody can tell */
    TRUTH_SMS_BLOCKED, /* the number is blocked, no other channel */
    TRUTH_DECLINES,
    TRUTH_CAMERA_DENIED,
    TRUTH_CLOSES,    /* comes in and closes the page on purpose */
    TRUTH_NETWORK,   /* opens the page, then the network really fails */
    TRUTH_FAKED_ICE, /* comes in and pretends that it cannot connect */
    TRUTH_RELATIVE,  /* somebody else answers */
    TRUTH_GATEWAY,   /* would answer; our gateways are down when it rings first */
    TRUTH_MASTS,     /* would answer; no mobile network where they are when it rings first */
    TRUTH_COUNT,
};

const char *truth_name(enum truth truth);
/* What a person may do in order not to be seen, as far as the world can tell. */
bool truth_evades(enum truth truth);
/* The check-in failed, if it did, without anything the person did with their device. */
bool truth_blameless(enum truth truth);

/* One check-in as the world sees it; by id. */
struct visit {
    int32_t person; /* index; -1: not seen yet */
    enum truth truth;
    bool reacted;
    bool in_room;
    bool in_call;
    bool challenged;
    bool media;
    bool dropped;
    bool doubtful; /* who was seen was not the person */
    int64_t taken_by;
    int64_t first_send_ms;      /* 0: none */
    int64_t first_send_wall_ms; /* the same by the daemon's clock */
    int64_t through_ms;         /* first notice through; 0: none */
    int64_t ok_base_ms;         /* of sim.ok_ms at that time */
    int64_t ok_ms;              /* true answerable time in the response window */
    bool sampled;
    char token[40];
};

/* What an order demands, and allows. */
enum sim_demand {
    DEMAND_WIDE = 0,  /* at any hour, as often as anybody likes */
    DEMAND_TIGHT,     /* the hours of the windows, and two contacts a day */
    DEMAND_NIGHT,     /* the same over midnight */
    DEMAND_VOLUNTARY, /* nothing that would be a duty */
    DEMAND_COUNT,
};

struct sim_person {
    int64_t id, unit, inspector, order;
    int64_t plan; /* that runs; 0: none yet */
    int foreseen; /* of the plan that was asked for last: 1 fits, 0 does not, -1 nobody looked */
    int64_t foreseen_ms; /* when that was looked at, by the daemon's clock */
    json_t *windows;     /* in which its contacts were to be; NULL: nobody looked */
    bool later;          /* it begins on a later date */
    int unit_index;
    enum sim_demand demand;
    int morning, evening, minute; /* hours at which the windows of the order's time begin */
    uint8_t per_day;              /* contacts of any kind */
    bool mandatory;               /* the plan is */
    bool email;                   /* has one */
    bool watched;                 /* for silence above SIM_SILENCE_S */
    bool agreed;                  /* to the notice of rights */
    uint8_t nature;               /* what kind of person: index of a table of chances */
    uint8_t band;                 /* in the beginning: index of sim_bands */
};

extern const char *const sim_bands[4];

enum sim_event_kind {
    EVENT_GATEWAY_RESULT = 0, /* a: notice, b: what, c: try; dropped where the daemon died since */
    EVENT_DELIVERED,          /* a: check-in, b: notice */
    EVENT_REACT,              /* a: check-in */
    EVENT_JOIN,
    EVENT_MEDIA,
    EVENT_LEAVE,
    EVENT_TAKE, /* b: staff */
    EVENT_DROP,
    EVENT_CALL_END,
    EVENT_CHALLENGES,
    EVENT_REVIEW,
    EVENT_QUEUE, /* inspectors look at the review queue */
    EVENT_WATCH, /* the world looks whether an incident has gone silent */
    EVENT_SAMPLE,
    EVENT_ACKNOWLEDGE, /* a: incident, b: staff */
    EVENT_CONCLUDE,
    EVENT_ORDER_END,    /* a: index of the person: the court ends the order early */
    EVENT_ON_DEMAND,    /* a: index of the person: the inspector wants to see them now */
    EVENT_ABSENCE,      /* a: index of a person whose inspector goes on leave for two days */
    EVENT_BLACKOUT,     /* a: index of the person: court, hospital or custody; b: since yesterday */
    EVENT_BLACKOUT_END, /* a: index of the person, b: blackout: it is over before its time */
    EVENT_ABSENCE_END,  /* a: index of a person, b: absence of their inspector: it is taken back */
    EVENT_REPLACE,      /* a: index of the person: another plan takes the place of theirs */
    EVENT_PAUSE,        /* a: index of the person: their plan is ended … */
    EVENT_RESUME,       /* a: index of the person: … and some hours later there is another one */
    EVENT_DEMAND,       /* a: index of the person: a plan is asked for that has to be refused */
    EVENT_BAND,         /* a: index of the person: they are of another band */
    EVENT_LADDER,       /* a: unit: its supervisors agree on another ladder */
    EVENT_RECEIPT,      /* b: notice to one of the staff */
    EVENT_DIGEST,       /* a: notice, b: staff: they read what it tells */
    EVENT_FAULT,        /* a: kind */
    EVENT_FAULT_END,    /* a: kind, b: undo value */
    EVENT_START,        /* the daemon comes up */
    EVENT_KIND_COUNT,
};

struct sim_event {
    int64_t at_ms;
    uint64_t number; /* order of making: ties are broken the same way every time */
    enum sim_event_kind kind;
    int64_t a, b, c;
    uint32_t epoch;
};

enum sim_fault {
    FAULT_CRASH = 0, /* between turns: what was queued and not yet handed out is gone */
    FAULT_CRASH_IN_TURN,
    FAULT_POWER, /* what was not synced is gone */
    FAULT_DOWN,  /* for a long time */
    FAULT_PROBE, /* our pages cannot be reached from outside */
    FAULT_SMS_DOWN,
    FAULT_EMAIL_DOWN,
    FAULT_DISK_FULL,
    FAULT_DISK_BROKEN,
    FAULT_CLOCK_FORWARD,
    FAULT_CLOCK_BACK,
    FAULT_CLOCK_LOST, /* not synchronised */
    FAULT_WORKER,     /* a media worker dies with its calls */
    FAULT_INSPECTORS, /* nobody takes calls */
    FAULT_OFFICERS,   /* nobody of a unit acknowledges */
    FAULT_LEASE,      /* another node takes a row that the daemon has just claimed */
    FAULT_STALL,      /* the disk takes seconds for what it is told to keep */
    FAULT_MASTS,      /* no mobile network in half of the units: much is missed at once */
    FAULT_DECIDED,    /* death between a decision and its commit … */
    FAULT_COMMITTED,  /* … between the commit and what follows from it … */
    FAULT_GIVEN,      /* … and before anybody has taken what was handed out */
    FAULT_ZONES,      /* the rules of a zone change: no fault, and the clocks are other ones */
    FAULT_COUNT,
};

const char *fault_name(enum sim_fault fault);

/* What must have happened in a run of some size, or nothing was shown of it. */
enum sim_seen {
    SEEN_STORM = 0,
    SEEN_DIGEST,        /* a digest that was sent */
    SEEN_DIGEST_FIRE,   /* a step of a ladder that a digest told */
    SEEN_BLACKOUT,      /* entered */
    SEEN_WAIVED,        /* a check-in in a blackout, waived */
    SEEN_EXCUSED,       /* missed in a blackout that was entered afterwards */
    SEEN_SECOND,        /* second checks */
    SEEN_SAFETY,        /* safety steps of the top band */
    SEEN_SAFETY_RESULT, /* closed with a result */
    SEEN_ABSENCE,
    SEEN_STAND_IN, /* calls that a stand-in took */
    SEEN_STALL,    /* turns in which the disk stalled */
    SEEN_CLOCKS,   /* units whose clocks changed */
    SEEN_SILENCE,  /* maximum silences alarmed */
    SEEN_EXPIRED,  /* acknowledgements that nobody followed up */
    SEEN_MAKE_UP,
    SEEN_MOVED,          /* check-ins that were placed anew after that */
    SEEN_PLANS,          /* followed to the last date of their order */
    SEEN_REPLACED,       /* plans */
    SEEN_REPLACED_BEGUN, /* plans of which something had begun that day */
    SEEN_PAUSED,         /* plans that ended and were followed by another one later */
    SEEN_BANDS,          /* changes of a band */
    SEEN_BANDED,         /* incidents that became graver by one */
    SEEN_LADDERS,        /* that came into force */
    SEEN_RELADDERED,     /* open incidents that went on by another ladder */
    SEEN_NEXT_CHANNEL,   /* channels that followed another one */
    SEEN_TAKEN_BACK,     /* absences */
    SEEN_OFF_SHIFT,      /* steps for a stand-in while the first of them was off */
    SEEN_REDRAWN,        /* after a blackout */
    SEEN_ORDER_OVER,     /* orders that ended before their time */
    SEEN_RING_ENDED,     /* rings that the end of an order ended */
    SEEN_CAPPED,         /* contacts that an order did not allow */
    SEEN_VOLUNTARY,      /* missed, and no incident */
    SEEN_DEFERRED,       /* another check-in was first */
    SEEN_ONE_OFFICER,    /* both sides of a miss */
    SEEN_REFUSED,        /* plans */
    SEEN_PREVIEWED,      /* plans that were looked at before they were made, or refused */
    SEEN_LATER,          /* plans that began on a later date */
    SEEN_HELD,           /* steps that waited for the end of the quiet hours */
    SEEN_COUNT,
};

const char *seen_name(enum sim_seen seen);

struct sim_options {
    uint64_t seed;
    int64_t checkins; /* about so many */
    int days;
    uint32_t faults;  /* a bit for each kind that may happen */
    bool brief;       /* tell only the first thing that is wrong and its trace; it ends the world */
    const char *only; /* nothing is wrong but what is called so, or begins so; NULL: everything */
    const char *keep; /* a file that the store is left in; NULL: none */
};

/* A row that another node took. */
struct sim_theft {
    bool wanted; /* with the next claim */
    bool held;
    struct ck_due row;
    char content[2048]; /* as it was when it was taken */
};

/* An incident and the newest line of its history. */
struct sim_quiet {
    int64_t line;
    int64_t since_ms;     /* when the world first saw it … */
    int64_t since_day_ms; /* … and of sim.day_ms at that time */
};

/* How long a ladder may be silent. */
struct sim_limit {
    bool known;
    bool quiet; /* with quiet hours */
    int64_t open_ms, held_ms;
};

struct sim {
    struct sim_options options;
    uint64_t random;        /* the world's */
    uint64_t engine_random; /* what the engine draws from */
    const char *uri;        /* of the store */
    struct fault_vfs *disk;
    struct ck_registry registry;
    struct ck_engine *engine;  /* NULL while down */
    struct sqlite3 *engine_db; /* its connection */
    struct sqlite3 *reader;    /* the world's own; sim_reader() */
    struct {
        const char *sql;
        struct sqlite3_stmt *statement;
    } asked[SIM_QUESTIONS]; /* of the reader; sim_ask() */
    uint64_t *plans_seen;   /* of statements whose plan is known to be good; sim_check_plans() */
    size_t plans_seen_count;

    char zones[64];           /* the folder of the zones' tables: the world's own */
    int64_t zones_changed_ms; /* the rules of some did; 0: not yet */
    int64_t start_ms;         /* midnight in UTC some days before clocks change; by the seed */
    int64_t now_ms;
    int64_t clock_offset_ms;
    bool synchronised;
    int64_t next_turn_ms;
    int64_t queued; /* commands since the last turn */
    int64_t reported_ms;
    uint32_t epoch; /* lives of the daemon */

    struct sim_event *heap;
    size_t heap_count, heap_size;
    uint64_t events_made;

    struct sim_person *people;
    int person_count;
    int64_t first_person_id;
    int64_t units[SIM_UNITS], officers[SIM_UNITS], supervisors[SIM_UNITS];
    int64_t colleagues[SIM_UNITS]; /* an inspector without a caseload: stands in for the others */
    int64_t spares[SIM_UNITS];     /* the second to stand in */
    int64_t absent_until_ms[4096]; /* by id of staff */
    struct visit *visits;          /* by check-in id */
    size_t visit_count;
    struct sim_quiet *quiet; /* by incident id; sim_watch_ladders() */
    size_t quiet_count;
    struct sim_limit *limits; /* by id of a policy */
    size_t limit_count;
    int64_t watched_ms;        /* when it last looked */
    int64_t day_ms[SIM_UNITS]; /* time until then that was no quiet hour */
    char (*references)[24];    /* by notice id: what was sent under; "" until then */
    size_t reference_count;
    struct sim_theft theft;
    int64_t well_since_ms; /* everything of ours is well since */
    int64_t steps_ms[64];  /* when the clock was moved */
    int step_count;
    int64_t leaps_ms[SIM_LEAPS_MAX]; /* when it went hours ahead */
    int leap_count;
    int64_t wrong; /* what did not hold on the way */

    /* what is wrong now */
    int probe_down, sms_down, email_down, inspectors_away, disk_trouble, masts_down;
    bool disk_slow;     /* the disk stalls now and then */
    int64_t stalled_ms; /* in this turn */
    bool stalling;      /* the daemon waits for it */
    /* The last turn failed. A disk may be full and nobody notices, for what is written takes the
     * place of something else. */
    bool refusing;
    int die_at; /* an enum sim_fault whose point in a turn is waited for; 0: none */
    int officers_asleep[SIM_UNITS];
    int dying;     /* an enum sim_fault that waits for the next writes; 0: none */
    bool calm;     /* no new faults any more; everybody does their duty */
    int64_t ok_ms; /* time so far in which everything of ours was well */
    int64_t faults[FAULT_COUNT];
    int64_t seen[SEEN_COUNT];
    int64_t turns, commands, refused, sends, repeats, turns_failed;
    int64_t slowest_ms; /* longest time that an incident was overdue while all was well */
};

/* sim_world.c: life of the daemon, time, commands. */
void sim_open(struct sim *sim, const struct sim_options *options);
void sim_close(struct sim *sim);
void sim_run_until(struct sim *sim, int64_t at_ms);
/* No statement that the engine has prepared reads a table that grows with the years as a whole. */
void sim_check_plans(struct sim *sim);
/* A connection that reads; until the daemon stops. NULL where there is none to be had. */
struct sqlite3 *sim_reader(struct sim *sim);
/* A statement of that connection, ready to be bound and stepped through; `sql` is a constant of the
 * program. Give it back with sqlite3_reset(). NULL where there is none to be had. */
struct sqlite3_stmt *sim_ask(struct sim *sim, const char *sql);
void sim_stop_daemon(struct sim *sim);
void sim_settle(struct sim *sim); /* turns until nothing is due now; while the world is made */
void sim_start_daemon(struct sim *sim);
bool sim_turn(struct sim *sim); /* one turn now; false where the store refused it */
/* Queues a command where the daemon is up: true. `body` is taken over. */
bool sim_submit(struct sim *sim, const char *name, const struct ck_actor *actor, json_t *body,
                uint64_t ticket);
void sim_later(struct sim *sim, int64_t in_ms, enum sim_event_kind kind, int64_t a, int64_t b,
               int64_t c);
struct visit *sim_visit(struct sim *sim, int64_t checkin);
void sim_fail(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
/* What something that is wrong is about; 0: no such. */
struct sim_about {
    int64_t checkin, incident, person;
};
/* Something that must hold does not; goes on. */
void sim_wrong(struct sim *sim, struct sim_about about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether what is wrong is something that was asked for. */
bool sim_wanted(const struct sim *sim, const char *what);
/* The one that was looked for is found and told. */
void sim_found(struct sim *sim) __attribute__((noreturn));

uint64_t sim_random(struct sim *sim);
int64_t sim_below(struct sim *sim, int64_t n);
bool sim_chance(struct sim *sim, int percent);
/* Seconds from `min` to `max` in milliseconds, in steps of five: events meet in the same turn. */
int64_t sim_seconds(struct sim *sim, int64_t min, int64_t max);

/* The date in UTC so many days after the start: "2026-10-22". */
#define SIM_DATE_SIZE 24
void sim_date(const struct sim *sim, int64_t days, char text[SIM_DATE_SIZE]);

/* sim_people.c: gateways, persons, inspectors, officers. */
void sim_output(struct sim *sim, const struct ck_output *output);
void sim_result(struct sim *sim, const struct ck_result *result);
void sim_person_event(struct sim *sim, const struct sim_event *event);
void sim_reconnect(struct sim *sim); /* after a new start of the daemon */
void sim_lose_worker(struct sim *sim);
void sim_watch(struct sim *sim);
void sim_look_at_queue(struct sim *sim);
/* Nothing is open any more: no check-in, incident, notice or row taken aside. */
bool sim_all_ended(struct sim *sim);
bool sim_ours_well(const struct sim *sim);

/* sim_staff.c: who acts for the agency, and what befalls a caseload. */
struct ck_actor sim_staff(const struct sim *sim, int unit, int64_t staff);
/* The unit of an officer, supervisor or colleague; that of `otherwise` for an inspector. */
int sim_unit_of(const struct sim *sim, int64_t unit, int64_t staff);
/* Who takes the calls of an inspector now: the stand-in while they are away. */
int64_t sim_taker(const struct sim *sim, int unit, int64_t inspector);
/* In every second unit the first stand-in has shifts, by day; nobody else has any. */
#define SIM_SHIFT_FROM_H 7
#define SIM_SHIFT_UNTIL_H 19
bool sim_has_shifts(int unit);
/* In every third unit the staff has phones, and its ladders go through channels in order. */
bool sim_has_phones(int unit);
void sim_set_stand_ins(struct sim *sim);
void sim_change_caseload(struct sim *sim, const struct sim_event *event);
void sim_blackout_made(struct sim *sim, int64_t person, const struct ck_result *result);
void sim_absence_made(struct sim *sim, int64_t person, const struct ck_result *result);
/* Whoever runs the system looks at what was taken aside, and lets it go on. */
void sim_release(struct sim *sim);
void sim_read_digest(struct sim *sim, const struct sim_event *event);
void sim_acknowledge(struct sim *sim, const struct sim_event *event);
void sim_conclude(struct sim *sim, const struct sim_event *event);

/* sim_preview.c: what a plan would do, asked before it is made, and held against what it does. */
/* 1: it would be made; 0: it would not; -1: nobody could look. The store is as the daemon has left
 * it. Keeps the windows. */
int sim_foresee(struct sim *sim, struct sim_person *person, const json_t *request);
/* The person's plan was just made. */
void sim_compare_windows(struct sim *sim, struct sim_person *person);
void sim_forget_windows(struct sim_person *person);

/* sim_orders.c: orders, and plans that fill them. */
void sim_draw_demand(struct sim *sim, struct sim_person *person);
int64_t sim_add_order(struct sim *sim, struct ck_store *store, const struct sim_person *person);
void sim_make_plans(struct sim *sim);
void sim_change_plan(struct sim *sim, const struct sim_event *event);
void sim_plan_made(struct sim *sim, int64_t person, const struct ck_result *result, bool first);
void sim_plan_refused(struct sim *sim, int64_t person, const struct ck_result *result);

/* sim_ladders.c: who is told next, and how that is changed. */
void sim_propose_ladder(struct sim *sim, int unit);
/* Where a supervisor has switched them on: what is below "high" waits for their end. */
#define SIM_QUIET_FROM_H 22
#define SIM_QUIET_UNTIL_H 8
bool sim_is_quiet_hour(int64_t second); /* of the unit's day */
void sim_ladder_proposed(struct sim *sim, int64_t unit, const struct ck_result *result);
/* No incident is silent for longer than its ladder says, while everything of ours is well. */
void sim_watch_ladders(struct sim *sim);

/* Tickets: what a result belongs to, and the check-in, incident or person. */
enum sim_ticket {
    TICKET_PLAN = 1,
    TICKET_EXCHANGE,
    TICKET_JOIN,
    TICKET_TAKE,
    TICKET_BLACKOUT,
    TICKET_REPLACED,
    TICKET_ABSENCE,
    TICKET_LADDER,
    TICKET_REFUSED,
};
#define SIM_TICKET(kind, id) ((uint64_t)(id) << 8 | (kind))

/* sim_faults.c */
/* At a point of a turn. */
void sim_at_point(struct sim *sim, const char *name);
/* Inside a turn, after the claim: what another node does meanwhile. */
void sim_claimed(struct sim *sim);
/* After a turn: whether the daemon kept its hands off. */
void sim_theft_end(struct sim *sim);
/* After a turn: whether the daemon died in it. Then nothing of the turn reaches anybody. */
bool sim_died(struct sim *sim);
void sim_faults_plan(struct sim *sim);
void sim_fault_event(struct sim *sim, const struct sim_event *event);

/* sim_zones.c: the tables of the zones, and what becomes of them. */
extern const char *const sim_zone_names[SIM_UNITS];
void sim_zones_make(struct sim *sim);
void sim_zones_remove(struct sim *sim);
/* Seconds east of Greenwich by the tables as they are now. */
int sim_zone_offset(const struct sim *sim, int unit, int64_t at_ms);
/* The instant of "2026-10-22T08:00" in a unit's zone: by the tables as they are now, or as they
 * were in the beginning. Not in an hour that a change of clocks skips or repeats. */
int64_t sim_zone_instant(struct sim *sim, int unit, const char *local, bool changed);
/* Whether this unit's zone is one of those whose rules change. */
bool sim_zone_changes(int unit);
void sim_zones_change(struct sim *sim);

/* From here on sim_zone_local() goes by this unit's zone: as it is now, or as it was in the
 * beginning. */
void sim_zone_enter(const struct sim *sim, int unit, bool changed);
/* The wall time there, as seconds since 1970-01-01 of the zone. */
int64_t sim_zone_local(int64_t at_ms);
void sim_zone_leave(void);

/* sim_seen.c: what happened at all. */
void sim_look_back(struct sim *sim, struct sqlite3 *db);

/* sim_matrix.c: outcomes against the truth. */
struct sim_matrix {
    int64_t count[TRUTH_COUNT][2][16]; /* truth, whether we were there, enum ck_outcome */
    int64_t evaded;     /* mandatory ones in which somebody evaded and was not seen … */
    int64_t avoided;    /* … and no incident came of it */
    int64_t unprovable; /* could not have been answered for reasons of ours … */
    int64_t charged;    /* … and was charged to the person all the same */
    int64_t checkins, incidents, notices, entries, make_ups;
};
struct sim_check;
void sim_matrix_fill(struct sim_check *check, struct sim_matrix *matrix);
/* No check-in says that it could be answered for longer than it could. */
void sim_check_proof(struct sim_check *check);
void sim_matrix_add(struct sim_matrix *to, const struct sim_matrix *from);
void sim_matrix_print(const struct sim_matrix *matrix);

/* sim_check.c: what must hold. Counts what does not, and tells. */
struct sim_check {
    struct sim *sim;
    struct sqlite3 *db;
    int64_t wrong;
    int64_t told;
};
int64_t sim_check(struct sim *sim, struct sim_matrix *matrix);
/* What the log has of a check-in, its incidents and their notices, and of what befell its person;
 * of an incident; or of a person, in the order of time. */
void sim_check_trace(const struct sim *sim, struct sqlite3 *db, struct sim_about about);
/* Something does not hold; `checkin`: 0 where it is about none. */
void sim_check_wrong(struct sim_check *check, int64_t checkin, const char *what);
void sim_check_wrong_of(struct sim_check *check, struct sim_about about, const char *what);
/* Each row of a query is something wrong; its first column is the check-in or 0, the others are
 * told, and one that is called "incident" or "person" is what it is about. */
void sim_check_none(struct sim_check *check, const char *what, const char *sql);
/* What a check gathers beside the tables; a statement that fails ends the program. */
void sim_check_run(struct sim_check *check, const char *sql);
/* The first number of a query. */
int64_t sim_check_number(struct sqlite3 *db, const char *sql);
/* The entry of the log that says so of a unit's zone; INT64_MAX: none does. */
int64_t sim_check_zone_entry(struct sim_check *check, const char *action, int unit);
/* sim_check_staff.c: ladders, digests, safety steps, absences, blackouts. */
void sim_check_staff(struct sim_check *check);
/* sim_check_changes.c: bands, plans and orders that change while something goes on; silences. */
void sim_check_changes(struct sim_check *check);
/* sim_check_gaps.c: the minimum gap; moments that nobody may know. After sim_check_changes(). */
void sim_check_gaps(struct sim_check *check);
/* What goes out about a person says nothing of a drawn moment that is still to come. */
void sim_watch_instants(struct sim *sim, int64_t person, json_t *value);
/* sim_check_reserved.c: whose time a check-in has. After sim_check_gaps(). */
void sim_check_reserved(struct sim_check *check);
/* sim_check_orders.c: hours and numbers of orders; what is voluntary. */
void sim_check_orders(struct sim_check *check);
/* sim_check_ladders.c: whose ladder an incident climbs, and through which channels. */
void sim_check_ladders(struct sim_check *check);
/* sim_check_rules.c: outages, two at once, reviews, who is told; after the ladders'. */
void sim_check_rules(struct sim_check *check);

#endif
