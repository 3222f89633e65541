/* What the store holds of times that turn out to lie in the future. */
#ifndef DAEMON_STORE_CLOCK_H
#define DAEMON_STORE_CLOCK_H

#include <stdint.h>

#include "daemon/store/store.h"

/* When the newest record of the log was written, by the clock of then. CK_E_NOT_FOUND: it is empty.
 */
int ck_store_newest_record(struct ck_store *store, struct ck_wall *at);

/* The clock was set back by `back_ms` to `now`: open incidents and notices that wait for a time
 * after `now` wait that much less, and no silence and no fire of a ladder began later than `now`.
 * Times of due check-ins stay: they are wall times whatever the clock said. Inside the open
 * transaction. */
int ck_store_clock_set_back(struct ck_store *store, struct ck_wall now, int64_t back_ms);

#endif
