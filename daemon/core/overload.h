/* Overload ahead: when more live check-ins of a unit are due at once than inspectors are there. */
#ifndef DAEMON_CORE_OVERLOAD_H
#define DAEMON_CORE_OVERLOAD_H

#include <jansson.h>

#include "daemon/store/store.h"

#define CK_OVERLOAD_DAYS 14
#define CK_OVERLOAD_STEP_MS INT64_C(300000) /* how finely it looks */
#define CK_OVERLOAD_DUES_MAX 4096           /* the first of the span; more are not looked at */

/* Overload of the API: {from, until, inspectors, due, cut, unattended, nobody, overloads: [{from,
 * until, due, able}]} of the next CK_OVERLOAD_DAYS days; `unattended`: check-ins of live plans that
 * were made unattended because nobody had time, `nobody`: live ones that have nobody's. On any
 * connection. `zone_dir` as in the engine's options. */
int ck_overload_ahead(struct ck_store *store, const char *zone_dir, int64_t unit,
                      struct ck_wall now, json_t **overload);

#endif
