/* The obligation: what an order allows to be demanded. Every plan, on-demand check, second check
 * and make-up is measured against it before it exists; what goes beyond is refused with the reason,
 * whoever asks. Statute and court win over policy, policy over convenience. */
#ifndef SCHEDULER_OBLIGATION_H
#define SCHEDULER_OBLIGATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/date.h"
#include "scheduler/plan.h"

#define CK_REQUIREMENTS_MAX 6

enum ck_requirement_source {
    CK_SOURCE_COURT = 0,
    CK_SOURCE_STATUTE,
    CK_SOURCE_AGENCY,
    CK_SOURCE_COUNT,
};

/* How often: `count` contacts in any `days` dates that follow each other, or in any calendar month
 * (days 0). */
#define CK_REQUIREMENT_MONTH 0
#define CK_REQUIREMENT_DAYS_MAX 31

enum ck_contact_mode {
    CK_MODE_IN_PERSON = 0,
    CK_MODE_LIVE_VIDEO,
    CK_MODE_UNATTENDED_VIDEO,
    CK_MODE_COUNT,
};

#define CK_MODE_BIT(mode) (UINT32_C(1) << (mode))

/* One duty of contact that an order brings with it. */
struct ck_requirement {
    enum ck_requirement_source source;
    uint32_t count;
    uint32_t days;
    uint32_t modes;      /* mask of CK_MODE_BIT */
    bool mandatory;      /* a voluntary one can never become a breach */
    bool video_replaces; /* a video contact takes the place of a visit; otherwise it only comes on
                            top */
    bool has_citation;   /* for video_replaces: the text that allows it */
    int64_t approved_by[2]; /* for video_replaces: two different people */
};

/* What of an order the check needs. */
struct ck_order {
    struct ck_date from, until; /* both included */
    bool domestic_violence;
    bool minor;              /* under 18: nobody is enrolled */
    int32_t hours_start_min; /* local minutes between which calls are allowed */
    int32_t hours_end_min;   /* up to 48 h, for hours past midnight; 24 h or more after the start:
                                any hour, and no midnight is their end but that of `until` */
    uint32_t per_day_max;    /* contacts of any kind on one date, mandatory or not */
    uint32_t requirement_count;
    struct ck_requirement requirements[CK_REQUIREMENTS_MAX];
};

enum ck_obligation_reason {
    CK_OBLIGATION_OK = 0,
    CK_OBLIGATION_MINOR,
    CK_OBLIGATION_ORDER_DATES, /* the order ends before it begins */
    CK_OBLIGATION_HOURS_RANGE,
    CK_OBLIGATION_REQUIREMENT_RANGE,
    CK_OBLIGATION_REPLACES_CITATION, /* "replaces" without a citation */
    CK_OBLIGATION_REPLACES_PERSONS,  /* "replaces" without two different people */
    CK_OBLIGATION_NOT_IN_FORCE,      /* outside the dates of the order */
    CK_OBLIGATION_OUTSIDE_HOURS,
    CK_OBLIGATION_NOT_REQUIRED,   /* mandatory, and the order requires no such contact */
    CK_OBLIGATION_MODE,           /* mandatory, in a mode that no requirement allows */
    CK_OBLIGATION_TOO_MANY,       /* more mandatory contacts than the order says */
    CK_OBLIGATION_PER_DAY,        /* more contacts on one date than are allowed */
    CK_OBLIGATION_TOO_MANY_PLANS, /* more plans than one person can have */
    CK_OBLIGATION_NO_DATES,       /* all dates of the plan lie before it would begin */
    CK_OBLIGATION_REASON_COUNT,
};

/* An order as agencies begin with: 08:00 to 22:00, three contacts a day at most, no requirement. */
struct ck_order ck_order_default(struct ck_date from, struct ck_date until);

/* Checks an order by itself. */
enum ck_obligation_reason ck_order_check(const struct ck_order *order);

/* Checks the plans of one person under one order together, `plans[index]` being the new one:
 * whatever it adds must fit. Each plan has passed ck_plan_check(). On TOO_MANY and PER_DAY, *on
 * (may be NULL) is the first date of the days concerned. */
enum ck_obligation_reason ck_obligation_check(const struct ck_order *order,
                                              const struct ck_plan *const *plans, size_t count,
                                              size_t index, struct ck_date *on);

/* What there is already beside what the plans will make: contacts that were made, failed, go on or
 * are drawn; not the waived, not those that failed through us. Days before `from` and behind the
 * last one have none. */
struct ck_contacts_made {
    struct ck_date today; /* periods that are over before it are not measured any more */
    struct ck_date from;
    size_t days;
    const uint32_t *all;                         /* of any kind, on each of the days */
    const uint32_t *served[CK_REQUIREMENTS_MAX]; /* mandatory ones of each requirement's modes */
    const struct ck_date *after; /* for each plan: up to this date its contacts are among these; for
                                    the new one: the date before it begins */
    uint32_t elsewhere; /* mask of the plans that are under another order: only the number on one
                           date counts them */
};

/* What is beyond the order: `found` contacts in the days from `from` on, where `limit` are allowed
 * in `days` of them (1: on one date; CK_REQUIREMENT_MONTH: in a calendar month). */
struct ck_excess {
    struct ck_date from;
    uint32_t found, limit, days;
};

/* The same as ck_obligation_check(), with what there is already (NULL: nothing, and all dates of
 * the order count). *excess is filled on TOO_MANY and PER_DAY alone. */
enum ck_obligation_reason ck_obligation_measure(const struct ck_order *order,
                                                const struct ck_plan *const *plans, size_t count,
                                                size_t index, const struct ck_contacts_made *made,
                                                struct ck_excess *excess);

/* An extra contact: on demand, second check or make-up. */
struct ck_extra {
    struct ck_local at; /* local time of the ring */
    int64_t tail_ms;    /* its rings and grace must end inside the hours too */
    bool mandatory;
    enum ck_contact_mode mode;
    uint32_t on_date;                        /* contacts of any kind that the date already has */
    uint32_t in_period[CK_REQUIREMENTS_MAX]; /* mandatory ones in the period of each requirement
                                                around the date, that count: not the waived, not
                                                those that failed through us */
};

enum ck_obligation_reason ck_obligation_check_extra(const struct ck_order *order,
                                                    const struct ck_extra *extra);

/* The minute of the date of `at` at which the hours end in which `at` lies (it lies in some): over
 * 24 h where they go past midnight; a day later where any hour is allowed. */
int32_t ck_order_hours_end(const struct ck_order *order, const struct ck_local *at);

/* The last date on which the plan's windows lie within the order: `until`; where any hour is
 * allowed and a window goes past the end of the order's last date, the date before. */
struct ck_date ck_order_last_date(const struct ck_order *order, const struct ck_plan *plan);

/* Whether a mandatory requirement of the order can be met in this mode. */
bool ck_obligation_serves(const struct ck_order *order, enum ck_contact_mode mode);

const char *ck_obligation_reason_text(enum ck_obligation_reason reason);
/* As in JSON and pages: "too_many". */
const char *ck_obligation_reason_name(enum ck_obligation_reason reason);

#endif
