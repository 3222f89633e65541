/* The risk score: thirteen items scored from records of one index incident, each present, absent or
 * unknown. The score is a value of those records alone: nothing about check-ins goes in, and
 * nothing here changes it afterwards. A professional judgement is recorded beside it, never in its
 * place.
 *
 * Missing is never zero: the result carries the raw sum, how many are missing, the prorated score
 * and the bounds of what the score could be. How missing items are prorated, how many may be
 * missing, where the bands lie and what share of cases a band stands for are data that the agency
 * supplies with their source; no percentage comes with the product. */
#ifndef SCHEDULER_ODARA_H
#define SCHEDULER_ODARA_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/effects.h"

#define CK_ODARA_ITEMS 13
#define CK_ODARA_MISSING_MAX 12

enum ck_odara_answer {
    CK_ODARA_UNKNOWN = 0,
    CK_ODARA_ABSENT,
    CK_ODARA_PRESENT,
    CK_ODARA_ANSWER_COUNT,
};

/* Whether the index incident is one that the score was made for. All must hold. */
struct ck_odara_eligibility {
    bool known_to_police;    /* the incident is known to the police; a charge is not needed */
    bool partner;            /* married, or living together at any time */
    bool contact_or_threat;  /* physical contact, or a credible threat of death with a weapon in
                                hand, in presence */
    bool adult_man_to_woman; /* the group for which the norms of the agency hold */
};

/* The agency's norm file. */
struct ck_odara_norms {
    uint32_t missing_max; /* more missing items: no band */
    /* prorated[missing][raw]: the score that stands for this raw sum with so many missing; 0 ≤
     * missing ≤ missing_max, 0 ≤ raw ≤ 13 - missing */
    uint8_t prorated[CK_ODARA_MISSING_MAX + 1][CK_ODARA_ITEMS + 1];
    uint8_t band_from[CK_BAND_COUNT]; /* lowest score of each band from CK_BAND_0 to CK_BAND_TOP */
};

/* The form that every user of the product can begin with: bands 0, 1, 2, 3, 4, 5-6, 7-13, at most
 * five missing, prorated in proportion and rounded half up. The agency confirms or replaces it. */
struct ck_odara_norms ck_odara_norms_proportional(void);

/* NULL, or the name of the first field that is not sound: a score that falls where the raw sum
 * rises, or lies outside its bounds; bands out of order. */
const char *ck_odara_norms_fault(const struct ck_odara_norms *norms);

struct ck_odara_result {
    bool eligible;
    bool enough; /* not more missing than the norms allow */
    uint32_t raw;
    uint32_t missing;
    uint32_t prorated; /* only where `enough` */
    uint32_t low;      /* bounds: every missing item absent … */
    uint32_t high;     /* … every missing item present */
    enum ck_band band; /* of the prorated score; UNSCORED where not eligible or not enough */
    bool uncertain;    /* the bounds lie on both sides of the top band's edge */
    /* For proposals, deadlines and ladders: `band`, but the top band where the bounds reach it. */
    enum ck_band handled_as;
};

/* Scores; norms checked. 0, or CK_E_INVALID where an answer is none of the three. */
int ck_odara_score(const enum ck_odara_answer items[static CK_ODARA_ITEMS],
                   const struct ck_odara_eligibility *eligibility,
                   const struct ck_odara_norms *norms, struct ck_odara_result *result);

#endif
