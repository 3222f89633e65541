/* Storms: how many incidents there were of late, whether it is one, and what is told together. */
#ifndef DAEMON_STORE_DIGEST_H
#define DAEMON_STORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "scheduler/effects.h"
#include "scheduler/storm.h"

/* Incidents that were opened after `since`, matters of the system apart; counted up to `limit`. */
int ck_incidents_since(struct ck_store *store, struct ck_wall since, int64_t limit, int64_t *count);

/* The storm as it is kept, and the incident that asks ourselves about it (0: none). */
int ck_storm_load(struct ck_store *store, struct ck_storm *storm, int64_t *incident);
int ck_storm_save(struct ck_store *store, const struct ck_storm *storm, int64_t incident);

/* What we know about ourselves then: "probe=1 worker=1 clock=1 sms=3/40 …", failed of all notices
 * since `since` by channel. */
int ck_storm_facts(struct ck_store *store, struct ck_wall since, char *text, size_t size);

/* The digest to somebody at an address that has not left yet; CK_E_NOT_FOUND. */
int ck_digest_waiting(struct ck_store *store, int64_t staff, enum ck_channel channel,
                      const char *address, int64_t *notice);
/* How many there were to somebody at an address about a storm's incident, and when the last one
 * left or may leave; 0: none. */
int ck_digest_last(struct ck_store *store, int64_t staff, enum ck_channel channel,
                   const char *address, int64_t storm, int64_t *count, struct ck_wall *at);
/* An incident's fire is told by that notice. CK_E_CONFLICT: it is already. */
int ck_digest_add(struct ck_store *store, int64_t notice, int64_t incident, uint32_t fire);
/* The fires that a notice tells; where `lost`, only those that no other notice, alive or arrived,
 * tells as well. By incident and fire, those behind `after`: asked again from the last one until it
 * gives fewer than `capacity`. */
struct ck_digest_fire {
    int64_t incident;
    uint32_t fire;
};
int ck_digest_fires(struct ck_store *store, int64_t notice, bool lost, struct ck_digest_fire after,
                    struct ck_digest_fire *fires, size_t capacity, size_t *count);

#endif
