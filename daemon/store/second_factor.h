/* The second factor of members of staff: wrapped keys (daemon/access/second_factor.c knows what is
 * in them), and the step of the code that was taken last. */
#ifndef DAEMON_STORE_SECOND_FACTOR_H
#define DAEMON_STORE_SECOND_FACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/store.h"

#define CK_SECOND_FACTOR_SIZE 60 /* bytes of a wrapped key */

struct ck_second_factor {
    bool set;   /* `key` is in force */
    bool begun; /* `pending` waits to be confirmed */
    uint8_t key[CK_SECOND_FACTOR_SIZE];
    uint8_t pending[CK_SECOND_FACTOR_SIZE];
    int64_t step; /* codes up to this one are used up */
};

/* CK_E_NOT_FOUND: no such account. */
int ck_second_factor_load(struct ck_store *store, int64_t staff, struct ck_second_factor *factor);
/* A key that waits to be confirmed, in place of an earlier one that was not. */
int ck_second_factor_begin(struct ck_store *store, int64_t staff,
                           const uint8_t key[static CK_SECOND_FACTOR_SIZE]);
/* The waiting key is in force from here. CK_E_CONFLICT: none waits. */
int ck_second_factor_confirm(struct ck_store *store, int64_t staff, int64_t step);
int ck_second_factor_used(struct ck_store *store, int64_t staff, int64_t step);
/* None any more. CK_E_NOT_FOUND: no such account. */
int ck_second_factor_clear(struct ck_store *store, int64_t staff);

#endif
