/* Queries about incidents and the day, in the shapes of the pages' API; as query_checkin.h.
 * Restricted kinds (safety, concern) are never in these. */
#ifndef DAEMON_STORE_QUERY_INCIDENT_H
#define DAEMON_STORE_QUERY_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/query_checkin.h"
#include "daemon/store/store.h"

#define CK_QUERY_INCIDENTS_MAX 50

/* {incidents: IncidentRow[], next}, newest first, open or closed ones, before an id (0: the
 * newest). */
int ck_query_incidents(struct ck_store *store, const struct ck_scope *scope, bool closed,
                       int64_t before, json_t **page);

/* IncidentRow, Incident; CK_E_NOT_FOUND. */
int ck_query_incident_row(struct ck_store *store, const struct ck_scope *scope, int64_t id,
                          json_t **row);
int ck_query_incident(struct ck_store *store, const struct ck_scope *scope, int64_t id,
                      json_t **incident);

/* Whom an incident concerns, for whoever sends it to consoles: {unit, inspector}. CK_E_NOT_FOUND.
 */
int ck_query_incident_owner(struct ck_store *store, int64_t id, int64_t *unit, int64_t *inspector);

/* Today without server_time. `day` is the unit's date, [start, end) its instants. */
int ck_query_today(struct ck_store *store, const struct ck_scope *scope, const char *day,
                   struct ck_wall start, struct ck_wall end, json_t **today);

#endif
