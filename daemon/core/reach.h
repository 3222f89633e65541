/* From the targets of a ladder to people: who is there at an instant, and on which channels each of
 * them can be reached. For the engine when a step fires, and for readers that look ahead (the check
 * of a ladder before it is saved). */
#ifndef DAEMON_CORE_REACH_H
#define DAEMON_CORE_REACH_H

#include <stdint.h>

#include <jansson.h>

#include "daemon/config/config.h"
#include "daemon/core/duty.h"
#include "daemon/store/incident.h"
#include "daemon/store/push.h"
#include "scheduler/incident.h"
#include "scheduler/lint.h"

/* The channels that this configuration has, as a mask of CK_CHANNEL_BIT. The console always is. */
uint32_t ck_config_channels(const struct ck_config *config);

struct ck_reach {
    struct ck_store *store;
    struct ck_zones *zones;
    uint32_t channels; /* configured */
    int64_t unit;      /* whose officers and supervisors; 0: every unit's */
    int64_t inspector; /* assigned; 0: none */
    int64_t but;       /* is not asked: the officer on the other side of a safety check; 0: none */
};

/* What one member of staff can be reached on. */
int ck_reach_channels(const struct ck_reach *reach, const struct ck_recipient *person,
                      uint32_t *channels);

/* Who each step of a ladder would reach at an instant. */
int ck_reach_resolve(const struct ck_reach *reach, const struct ck_ladder *ladder,
                     struct ck_wall at, struct ck_ladder_roster *roster);

/* What is to be said about a ladder before it is used: the two weeks after `now`, for every
 * inspector of the unit who has a caseload (at most CK_REACH_INSPECTORS_MAX):
 * [{reason, step (from 1), share (percent of the times looked at, 0: not a matter of time),
 * channel (of "channel_off")}]. *fatal: no step ever reaches anybody. */
#define CK_REACH_INSPECTORS_MAX 8
#define CK_REACH_SAMPLE_MS INT64_C(7200000) /* two hours */
#define CK_REACH_AHEAD_MS (INT64_C(14) * 86400000)
int ck_reach_lint(const struct ck_reach *reach, const struct ck_ladder *ladder, enum ck_band band,
                  struct ck_wall now, json_t **findings, bool *fatal);

/* Whether ck_reach_lint() would not find it fatal: looks no further than to the first time at which
 * a step reaches somebody. For the engine's thread, which must not stand still for the rest. */
int ck_reach_anybody(const struct ck_reach *reach, const struct ck_ladder *ladder,
                     struct ck_wall now, bool *anybody);

#endif
