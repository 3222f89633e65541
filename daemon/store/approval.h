/* Rows of requests that need a second person (daemon/cases/approval.h). */
#ifndef DAEMON_STORE_APPROVAL_H
#define DAEMON_STORE_APPROVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"

#define CK_APPROVAL_KIND_SIZE 32

struct ck_approval_row {
    int64_t id;
    char kind[CK_APPROVAL_KIND_SIZE];
    int64_t unit;     /* 0: the whole agency's */
    int64_t person;   /* 0: nobody's */
    char *body;       /* canonical JSON; owned */
    char *reason;     /* owned */
    int64_t proposer; /* staff */
    struct ck_wall created, expires;
    bool open; /* nobody has decided; may have expired */
};

void ck_approval_clear(struct ck_approval_row *row);

/* Inserts an open request and sets row->id; takes nothing over. */
int ck_approval_insert(struct ck_store *store, struct ck_approval_row *row);
/* CK_E_NOT_FOUND. On success clear it with ck_approval_clear(). */
int ck_approval_load(struct ck_store *store, int64_t id, struct ck_approval_row *row);

enum ck_approval_end { CK_APPROVAL_APPROVED = 0, CK_APPROVAL_REFUSED, CK_APPROVAL_WITHDRAWN };
const char *ck_approval_end_name(enum ck_approval_end end);

/* Ends an open request. CK_E_CONFLICT: it is not open, or its proposer would approve it. */
int ck_approval_end(struct ck_store *store, int64_t id, enum ck_approval_end end, int64_t staff,
                    const char *reason, struct ck_wall now);

/* Who approved it after `since`. CK_E_NOT_FOUND: nobody. */
int ck_approval_approved(struct ck_store *store, int64_t id, struct ck_wall since,
                         int64_t *approver);

/* Whether nobody but its proposer could decide it in its unit; of a unit alone. */
int ck_approval_alone(struct ck_store *store, int64_t id, bool *alone);

/* How many of a unit are open and have not expired. */
int ck_approval_open_count(struct ck_store *store, int64_t unit, struct ck_wall now,
                           int64_t *count);

/* ---- for the pages, on any connection ---- */

#define CK_QUERY_APPROVALS_MAX 100 /* of one page */

/* What the asker sees: requests of the own unit and the whole agency's of these kinds (names with a
 * comma before and after each: ",a,b,"), and everything they proposed. */
struct ck_approval_scope {
    int64_t staff, unit;
    const char *kinds;
};

/* {approvals, next}: Approval list, newest first, open or ended ones, with ids below `before` (0:
 * the newest). */
int ck_query_approvals(struct ck_store *store, const struct ck_approval_scope *scope, bool open,
                       int64_t before, struct ck_wall now, json_t **page);
/* Approval; CK_E_NOT_FOUND also where the asker does not see it. */
int ck_query_approval(struct ck_store *store, const struct ck_approval_scope *scope, int64_t id,
                      struct ck_wall now, json_t **approval);

#endif
