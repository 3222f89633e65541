/* Rows of ladders in force: one a version, the newest that fits counts. */
#ifndef DAEMON_STORE_LADDER_H
#define DAEMON_STORE_LADDER_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "scheduler/effects.h"

struct ck_ladder_row {
    int64_t unit;     /* 0: every unit without one of its own */
    const char *band; /* "low" … "top", "safety"; NULL: every band */
    int64_t policy;
    int64_t by, approved_by; /* two people */
};

int ck_ladder_insert(struct ck_store *store, const struct ck_ladder_row *row, struct ck_wall now,
                     int64_t *id);

/* [{id, band, policy, body (the policy as text), by, approved_by (names or null), at, versions}] of
 * a unit: the newest of each band, and of all units where it has none of its own. */
int ck_query_ladders(struct ck_store *store, int64_t unit, json_t **list);

/* Open incidents of a unit that the ladder of a band is for: by their own band, which a lower one
 * of the person since does not make lighter. */
int ck_incidents_of_band(struct ck_store *store, int64_t unit, enum ck_band band, int64_t *ids,
                         size_t capacity, size_t *count);

/* Those of its open incidents that the ladder of safety checks is for. */
int ck_incidents_restricted(struct ck_store *store, int64_t unit, int64_t *ids, size_t capacity,
                            size_t *count);

#endif
