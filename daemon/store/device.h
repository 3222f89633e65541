/* Rows of the persons' own phones: the public half of a key whose private half never leaves the
 * browser. */
#ifndef DAEMON_STORE_DEVICE_H
#define DAEMON_STORE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/base/p256.h"

struct ck_device {
    int64_t id, person;
    uint8_t key[CK_P256_PUBLIC_SIZE];
    struct ck_wall entered; /* the challenge it last came in with; 0: never */
    bool revoked;
};

int ck_device_insert(struct ck_store *store, int64_t person,
                     const uint8_t key[static CK_P256_PUBLIC_SIZE], const char *name,
                     struct ck_wall now, int64_t *id);
/* CK_E_NOT_FOUND. */
int ck_device_load(struct ck_store *store, int64_t id, struct ck_device *device);
/* How many of a person's are not revoked. */
int ck_device_count(struct ck_store *store, int64_t person, int64_t *count);
int ck_device_entered(struct ck_store *store, int64_t id, struct ck_wall challenge);
/* CK_E_CONFLICT: it was revoked before. */
int ck_device_revoke(struct ck_store *store, int64_t id, int64_t staff, const char *reason,
                     struct ck_wall now);

/* With which phone somebody came to a check-in; `device` 0: another one than those of the person.
 * The last one that joined counts. */
int ck_device_note(struct ck_store *store, int64_t checkin, int64_t device, struct ck_wall now);

/* Devices of a person for http.yaml, newest first. */
int ck_device_list(struct ck_store *store, int64_t person, json_t **list);

#endif
