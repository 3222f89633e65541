/* Queries about check-ins, in the shapes of the pages' API. Any connection; results are the
 * caller's. Scope is an argument: rows outside it are as if they were not there. */
#ifndef DAEMON_STORE_QUERY_CHECKIN_H
#define DAEMON_STORE_QUERY_CHECKIN_H

#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"

/* Whose rows are seen: those of a unit, and those of an inspector's caseload. 0: none by this way.
 */
struct ck_scope {
    int64_t unit;      /* of an officer or supervisor */
    int64_t inspector; /* of an inspector: the staff id */
};

#define CK_QUERY_CHECKINS_MAX 50 /* of one page of a list */

/* {checkins: CheckinRow[], next}: a person's check-ins that have begun or ended, newest first,
 * before an id (0: the newest). Planned ones with hidden instants are left out. */
int ck_query_checkins_of(struct ck_store *store, const struct ck_scope *scope, int64_t person,
                         int64_t before, json_t **page);

/* CheckinRow; CK_E_NOT_FOUND. */
int ck_query_checkin_row(struct ck_store *store, const struct ck_scope *scope, int64_t id,
                         json_t **row);

/* Checkin; CK_E_NOT_FOUND. */
int ck_query_checkin(struct ck_store *store, const struct ck_scope *scope, int64_t id,
                     json_t **checkin);

/* CheckinRow list of what awaits review, soonest deadline first. */
int ck_query_reviews(struct ck_store *store, const struct ck_scope *scope, json_t **list);

/* CheckinRow list of who waits in the room for an inspector, longest first. */
int ck_query_waiting(struct ck_store *store, const struct ck_scope *scope, json_t **list);

/* {id, checkin, person, file, wrapped, state, bytes} of a recording; CK_E_NOT_FOUND. */
int ck_query_recording(struct ck_store *store, const struct ck_scope *scope, int64_t id,
                       json_t **recording);

/* Recordings that were never ended: [{id, file, wrapped, measure: null}]; behind them those that
 * wait for a review and were never measured, the newest CK_QUERY_UNMEASURED_MAX, where `measure` is
 * their check-in. */
#define CK_QUERY_UNMEASURED_MAX 16
int ck_query_recordings_open(struct ck_store *store, json_t **list);

/* PersonState without csrf and server_time, for the person themselves. `checkin`: what their link
 * is bound to, 0: the one that is live, if any. CK_E_NOT_FOUND. */
int ck_query_person_state(struct ck_store *store, int64_t person, int64_t checkin, json_t **state);

/* What was drawn for a plan and has not come: {checkin, date, due} by due instant, at most
 * CK_QUERY_INSTANTS_MAX. Only for whoever may know it. */
#define CK_QUERY_INSTANTS_MAX 64
int ck_query_instants(struct ck_store *store, int64_t plan, struct ck_wall now, json_t **list);

#endif
