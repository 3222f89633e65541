/* Queries about units, staff, and persons, in the shapes of the pages' API (http.yaml).
 * Any connection. Results are the caller's. Scope is an argument; whether somebody may ask at all
 * was decided before. */
#ifndef DAEMON_STORE_QUERY_PEOPLE_H
#define DAEMON_STORE_QUERY_PEOPLE_H

#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"

#define CK_QUERY_PERSONS_MAX 500 /* of one list */

/* What the asker sees: zero means "any". */
struct ck_people_scope {
    int64_t unit;
    int64_t inspector;
    const char *text; /* part of a name or reference; NULL or "": any */
};

int ck_query_units(struct ck_store *store, json_t **list);
/* Unit; CK_E_NOT_FOUND. */
int ck_query_unit(struct ck_store *store, int64_t id, json_t **unit);

/* Staff, whole (unit 0: all), or {id, name, roles, unit_id} only. */
int ck_query_staff(struct ck_store *store, int64_t unit, json_t **list);
int ck_query_staff_names(struct ck_store *store, int64_t unit, json_t **list);
int ck_query_staff_one(struct ck_store *store, int64_t id, json_t **staff);
/* Me without csrf and server_time. CK_E_NOT_FOUND. */
int ck_query_me(struct ck_store *store, int64_t staff, json_t **me);

/* PersonRow list by name, with strips of the last 30 days up to `now`. */
int ck_query_persons(struct ck_store *store, const struct ck_people_scope *scope,
                     struct ck_wall now, json_t **list);
/* Person; CK_E_NOT_FOUND. */
int ck_query_person(struct ck_store *store, int64_t id, struct ck_wall now, json_t **person);
/* The members of PersonRequest alone, for changing some of them. */
int ck_query_person_form(struct ck_store *store, int64_t id, json_t **form);
/* Order, Plan; CK_E_NOT_FOUND. */
int ck_query_order(struct ck_store *store, int64_t id, json_t **order);
int ck_query_plan(struct ck_store *store, int64_t id, json_t **plan);

#endif
