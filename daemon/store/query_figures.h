/* Figures for supervisors, in the shape of the pages' API. */
#ifndef DAEMON_STORE_QUERY_FIGURES_H
#define DAEMON_STORE_QUERY_FIGURES_H

#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"

/* Figures of a unit: `weeks` weeks of seven days that end at `end` (the end of the unit's present
 * day), oldest first, and the present week. */
int ck_query_figures(struct ck_store *store, int64_t unit, struct ck_wall end, int64_t weeks,
                     json_t **figures);

#endif
