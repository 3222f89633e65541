/* The store: the truth about everything. One interface; SQLite is the first back end.
 *
 * One writing connection, used by the engine thread alone; any number of reader connections, one
 * per thread that uses them. SQL is written only in this folder. Typed rows are in their own
 * headers (person.h, checkin.h, …), queries for the pages in query_*.h.
 *
 * Verbs suit a store that several nodes share: due rows are claimed under a lease with a fencing
 * number, and a claimed row is saved only under the number it was claimed with.
 *
 * Results everywhere: 0; a positive enum ck_error named at the function; a negative errno, among
 * them -ENOSPC (disk full), -EIO (the disk failed), -EBUSY (another process holds the file),
 * -ENOMEM, -EUCLEAN (the file is damaged), -EINVAL (SQL refused: our own mistake, or a broken
 * constraint where the function names no better code). After a negative one the transaction can
 * only be rolled back. */
#ifndef DAEMON_STORE_STORE_H
#define DAEMON_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

struct ck_store;

/* Opens the store for writing, creates it where the file is missing, and brings its schema up to
 * date in one transaction per migration. CK_E_CONFLICT: the store was written by a newer version of
 * the schema; CK_E_SYNTAX: the file is something else. */
int ck_store_open(struct ck_store **store, const char *path);

/* Opens it for reading only; for one thread. CK_E_NOT_FOUND: there is no store yet; CK_E_CONFLICT:
 * its schema is of another version. */
int ck_store_open_reader(struct ck_store **store, const char *path);

/* Closes (rolling back what is open); NULL is taken. */
void ck_store_close(struct ck_store *store);
void ck_store_closep(struct ck_store **store);

/* What went wrong last, in English, for logs. Lives until the next call. */
const char *ck_store_error(const struct ck_store *store);

/* Version of the schema that this program writes. */
int ck_store_schema_version(void);

/* ---- transactions (writer) ---- */

int ck_store_begin(struct ck_store *store);
int ck_store_commit(struct ck_store *store); /* durable once it returns 0 */
void ck_store_rollback(struct ck_store *store);

/* Nested: what follows a savepoint is undone or kept by itself. They nest up to 4 deep. One before
 * anything was written costs nothing; to undo it the transaction is begun again, and what was only
 * read before may have been changed by others meanwhile. After an error of ck_store_undo() the
 * transaction can only be rolled back. */
int ck_store_savepoint(struct ck_store *store);
int ck_store_release(struct ck_store *store);
int ck_store_undo(struct ck_store *store); /* undoes and ends the savepoint */

/* A consistent view for several queries on a reader: begin, queries, end. */
int ck_store_view(struct ck_store *store);
void ck_store_view_end(struct ck_store *store);

/* ---- what is due ---- */

enum ck_due_kind {
    CK_DUE_CHECKIN = 0,
    CK_DUE_INCIDENT,
    CK_DUE_NOTICE,
    CK_DUE_PLAN,    /* to be expanded */
    CK_DUE_PERSON,  /* maximum silence */
    CK_DUE_ABSENCE, /* begins or ends */
    CK_DUE_ORDER,   /* its end */
    CK_DUE_KEY,     /* of an epoch's draws: to be revealed */
    CK_DUE_PATH,    /* its weekly test */
    CK_DUE_EXPIRY,  /* something whose time is over */
    CK_DUE_HOLD,    /* its review */
    CK_DUE_ZONE,    /* a change of a zone: the next persons are placed anew */
    CK_DUE_KINDS,
};

/* The name of the kind in rows and records: "checkin", …. */
const char *ck_due_name(enum ck_due_kind kind);

struct ck_due {
    enum ck_due_kind kind;
    int64_t id;
    int64_t fence;     /* the number to save it under */
    struct ck_wall at; /* its next_at */
    int claims;        /* earlier claims that never ended: crashes it was present at */
};

/* Claims at most `capacity` rows that are due, of all kinds, soonest first, until `lease_until`, in
 * a transaction of its own (none may be open). Incidents and notices have a head start of a minute:
 * when very much falls due at once, what was decided is told before more is decided. The claim
 * survives a crash of the program, not of the machine: it costs no wait for the disk.
 *
 * A row that was present at a crash (claims > 0 before) is only ever claimed alone: either *count
 * is 1 and it is that row, or no row of the batch is one. */
int ck_store_claim(struct ck_store *store, struct ck_wall now, struct ck_wall lease_until,
                   struct ck_due *due, size_t capacity, size_t *count);

/* Gives claims back as if they had never been made: the work could not begin. Its own transaction.
 */
int ck_store_unclaim(struct ck_store *store, const struct ck_due *due, size_t count);

/* Ends the claim without a change of the row, or with a new next_at, inside the open transaction.
 * CK_E_FENCED: the lease went to somebody else, or the row is gone. */
int ck_store_release_claim(struct ck_store *store, const struct ck_due *due);
int ck_store_postpone(struct ck_store *store, const struct ck_due *due, struct ck_wall next_at);

/* Takes the row out of the schedule until somebody looks at it. */
int ck_store_quarantine(struct ck_store *store, const struct ck_due *due, struct ck_wall now,
                        const char *reason);
int ck_store_quarantined(struct ck_store *store, int64_t *count);

/* For the only node of a store at its start: leases of its earlier life end now. Where the clock
 * went back meanwhile, rows that are due only after `now` keep theirs to its end. */
int ck_store_end_leases(struct ck_store *store, struct ck_wall now);

/* The instant at which something falls due next, over all kinds; CK_WALL_NEVER where nothing does.
 * What another connection has written since the last call counts only once this one has changed a
 * schedule itself. */
int ck_store_next_due(struct ck_store *store, struct ck_wall *at);

/* ---- settings ---- */

/* A value by name, as text that the caller frees; CK_E_NOT_FOUND. */
int ck_store_setting(struct ck_store *store, const char *name, char **value);
int ck_store_set_setting(struct ck_store *store, const char *name, const char *value);

#endif
