/* Rows of units and staff. */
#ifndef DAEMON_STORE_STAFF_H
#define DAEMON_STORE_STAFF_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/store.h"

#define CK_PSEUDONYM_SIZE 16

int ck_unit_insert(struct ck_store *store, const char *name, const char *zone, struct ck_wall now,
                   int64_t *id);
/* 0 or CK_E_NOT_FOUND. */
/* The number that persons call; NULL: none. */
int ck_unit_set_phone(struct ck_store *store, int64_t id, const char *phone);
int ck_unit_exists(struct ck_store *store, int64_t id);

struct ck_staff_row {
    int64_t id;
    const char *login, *name, *language, *email, *phone; /* email, phone: NULL for none */
    int64_t roles;
    int64_t unit;
    bool on_duty;
    bool must_change;
    const char *password; /* encoded Argon2id */
    uint8_t pseudonym[CK_PSEUDONYM_SIZE];
};

/* CK_E_CONFLICT: the login is taken. Sets row->id. */
int ck_staff_insert(struct ck_store *store, struct ck_staff_row *row, struct ck_wall now);

/* How many there are. */
int ck_staff_count(struct ck_store *store, int64_t *count);

/* What other rows need to know. CK_E_NOT_FOUND. */
struct ck_staff_brief {
    int64_t unit;
    int64_t roles;
    bool disabled;
};
int ck_staff_brief_load(struct ck_store *store, int64_t id, struct ck_staff_brief *brief);

/* Changes one column; values as in the insert, `disabled` is the time and its reason.
 * CK_E_NOT_FOUND. */
int ck_staff_set_name(struct ck_store *store, int64_t id, const char *name);
int ck_staff_set_roles(struct ck_store *store, int64_t id, int64_t roles);
int ck_staff_set_unit(struct ck_store *store, int64_t id, int64_t unit);
int ck_staff_set_email(struct ck_store *store, int64_t id, const char *email);
int ck_staff_set_phone(struct ck_store *store, int64_t id, const char *phone);
int ck_staff_set_language(struct ck_store *store, int64_t id, const char *language);
int ck_staff_set_on_duty(struct ck_store *store, int64_t id, bool on_duty);
int ck_staff_set_disabled(struct ck_store *store, int64_t id, struct ck_wall at,
                          const char *reason);
int ck_staff_set_password(struct ck_store *store, int64_t id, const char *password,
                          bool must_change);

/* Whether an enabled administrator other than this one exists, so that nobody locks everybody out.
 */
int ck_staff_other_administrator(struct ck_store *store, int64_t id, bool *exists);

#endif
