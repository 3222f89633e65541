/* The house rules: what the agency's configuration says where a plan or a ladder says nothing.
 * Values only; what is made under them is frozen into the rows. */
#ifndef DAEMON_CORE_RULES_H
#define DAEMON_CORE_RULES_H

#include <stdint.h>

#include "daemon/config/config.h"
#include "daemon/config/norms.h"
#include "daemon/store/retention.h"
#include "scheduler/checkin.h"
#include "scheduler/incident.h"
#include "scheduler/notice.h"
#include "scheduler/storm.h"

/* How long what is kept. */
struct ck_retention_rules {
    int64_t keep_ms[CK_KEEP_COUNT];
};

#define CK_CHALLENGES_MAX 8 /* of one unattended check-in */

struct ck_house_rules {
    struct ck_checkin_policy checkin;
    struct ck_notice_policy notice;
    struct ck_storm_policy storm; /* many incidents at once */
    int64_t ladder_inspector_ms;  /* to acknowledge, then the duty officer */
    int64_t ladder_duty_ms;       /* then the supervisor */
    int64_t ladder_repeat_ms;     /* then again and again */
    int64_t ack_timeout_ms;       /* an acknowledgement holds so long */
    int challenge_count;          /* at most CK_CHALLENGES_MAX */
    struct ck_norms norms;        /* of the risk score */
    struct ck_retention_rules retention;
};

/* What is in force: `wish` (the configuration's), or longer where more was in force before and two
 * persons have not agreed. Any connection. -errno. */
int ck_retention_in_force(struct ck_store *store, const struct ck_retention_rules *wish,
                          struct ck_retention_rules *rules);

struct ck_house_rules ck_house_rules_default(void);

/* What the configuration says. */
struct ck_house_rules ck_house_rules_of(const struct ck_config *config);

/* NULL where they are sound; otherwise the name of the first value that is not. */
const char *ck_house_rules_fault(const struct ck_house_rules *rules);

/* The ladder of a band where none is set. In the top band nobody has more than five minutes. */
struct ck_ladder ck_house_ladder(const struct ck_house_rules *rules, enum ck_band band);

/* The ladder of safety checks where none is set: the duty room, then the supervisors as well; never
 * the inspector. Five minutes a step. */
struct ck_ladder ck_house_safety_ladder(const struct ck_house_rules *rules);

#endif
