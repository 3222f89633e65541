/* The audit log: appending. The leaf and the tree are specified in protocol/log.md; this file makes
 * them.
 *
 * An appender lives in the engine thread beside the writing connection. What it appends is part of
 * the transaction that is open; the head is written once at its end. To undo with a savepoint, copy
 * the struct before and put the copy back. */
#ifndef DAEMON_AUDIT_AUDIT_H
#define DAEMON_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/log.h"
#include "daemon/store/store.h"
#include "protocol/base/time.h"

#define CK_AUDIT_SALT_SIZE 16  /* bytes of salt in one commitment */
#define CK_AUDIT_SEALED_MAX 16 /* sealed members of one record */

/* Whose names were looked up last: the entries of a turn come in runs about one person and by one
 * member of staff. 0: nobody's. */
struct ck_audit_names {
    int64_t person, staff;
    struct ck_pseudonym person_name, staff_name;
    bool has_salt;
    uint8_t salt[CK_LOG_SALT_SIZE]; /* of the person */
};

struct ck_audit {
    struct ck_log_head head;
    bool dirty; /* head.root and the stored head are behind head.frontier */
    struct ck_audit_names names;
};

struct ck_audit_random {
    void (*fill)(void *user, void *bytes, size_t size);
    void *user;
};

/* Who, what, on what. Texts and values live during the call. */
struct ck_audit_entry {
    struct ck_wall at;
    bool clock_synchronised;
    const char *actor_kind; /* "system", "staff", "person", "gateway", "worker" */
    unsigned actor_roles;   /* CK_ROLE_* */
    int64_t actor_staff;    /* 0: none */
    int64_t actor_person;   /* 0: none */
    const char *action;
    const char *object;
    int64_t object_id;
    int64_t person_id; /* whose data it concerns; 0: nobody's */
    const char *result;
    const json_t *open;     /* an object or NULL */
    const json_t *sealed;   /* an object or NULL: committed to, plaintext and salt beside it */
    const json_t *withheld; /* an object or NULL: committed to, only the salt beside it */
};

/* Loads the head; begins the log where there is none, inside an open transaction. */
int ck_audit_load(struct ck_audit *audit, struct ck_store *store,
                  const struct ck_audit_random *random);

/* Appends one record and sets *index unless it is NULL. CK_E_LIMIT: the leaf is above
 * CK_LOG_LEAF_MAX or has more than CK_AUDIT_SEALED_MAX members to commit to; CK_E_INVALID: a real
 * number or a bad name in it; CK_E_NOT_FOUND: the person or the staff member does not exist. */
int ck_audit_append(struct ck_audit *audit, struct ck_store *store,
                    const struct ck_audit_entry *entry, const struct ck_audit_random *random,
                    int64_t *index);

/* Writes the head; before the commit of a transaction that appended. */
int ck_audit_flush(struct ck_audit *audit, struct ck_store *store);

/* After a person's salt was erased: what is appended from now on is named without it. */
void ck_audit_forget(struct ck_audit *audit);

/* The commitment to one value: SHA-256(salt || name || 0x00 || canonical JSON of the value).
 * CK_E_INVALID and CK_E_LIMIT as ck_canonical_write(), for values above CK_AUDIT_VALUE_MAX bytes.
 */
#define CK_AUDIT_VALUE_MAX 65536
int ck_audit_commit(const uint8_t salt[CK_AUDIT_SALT_SIZE], const char *name, const json_t *value,
                    struct ck_hash *commitment);

/* The pseudonym of an object: of a person and a staff member the stored one; of anything else the
 * first 16 bytes of HMAC-SHA-256(salt, "kind:id"), where the salt is the person's, or the log's
 * where the object is nobody's or the person was erased. CK_E_NOT_FOUND. */
int ck_audit_pseudonym(struct ck_audit *audit, struct ck_store *store, const char *kind, int64_t id,
                       int64_t person_id, struct ck_pseudonym *pseudonym);

#endif
