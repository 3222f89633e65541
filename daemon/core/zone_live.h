/* Changes of zones: a zone's rules (S16), a unit's zone (S15). In both what has not been armed
 * keeps its wall time. Engine thread and inside a turn, but for the preview. */
#ifndef DAEMON_CORE_ZONE_LIVE_H
#define DAEMON_CORE_ZONE_LIVE_H

#include <jansson.h>

#include "daemon/core/command.h"
#include "daemon/store/store.h"

#define CK_ZONES_LOOK_MS 60000 /* how often the folder of the zones is looked at */

/* Notes by which table a zone's check-ins are placed, before the first of them is. */
int ck_zone_placed_by(struct ck_turn *turn, const char *zone);

/* Looks, at most every CK_ZONES_LOOK_MS and first after a start, whether a zone that is placed by
 * has another table now: records it, and has the check-ins ahead placed anew. */
int ck_zones_look(struct ck_turn *turn);

/* Changes a unit's zone: from the next date of the old zone on. CK_E_INVALID: no such zone;
 * CK_E_CONFLICT: it is in it; CK_E_NOT_FOUND: no such unit. */
int ck_zone_of_unit(struct ck_turn *turn, const struct ck_actor *actor, int64_t unit,
                    const char *zone, struct ck_refusal *refusal);

/* A person goes to another unit: where its zone is another one their check-ins ahead are placed by
 * it from the next date on. The check-ins are the new unit's already. */
int ck_zone_of_person(struct ck_turn *turn, int64_t old_unit, int64_t unit);

/* What that would move: {was, zone, from, checkins, persons, minutes}: wall times stay, instants of
 * check-ins from the date `from` on go by so many minutes (at noon of it). On any connection. */
int ck_zone_preview(struct ck_store *store, const char *zone_dir, int64_t unit, const char *zone,
                    struct ck_wall now, json_t **preview, struct ck_refusal *refusal);

#endif
