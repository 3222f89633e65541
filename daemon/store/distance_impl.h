/* Which of a person's check-ins others keep the minimum gap to: a condition of their rows, the same
 * for every question (ck_checkin_neighbours(), ck_zone_moving_neighbours()). */
#ifndef DAEMON_STORE_DISTANCE_IMPL_H
#define DAEMON_STORE_DISTANCE_IMPL_H

#define CK_CHECKIN_KEEPS_DISTANCE                                                                  \
    "kind <> 'inbound' AND (outcome IS NULL "                                                      \
    "OR outcome NOT IN ('waived', 'system_fault', 'unstaffed'))"

#endif
