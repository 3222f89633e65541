/* Rows of what is kept for a time, and of the holds that keep it longer. What they mean is decided
 * in daemon/core/retention_live.c. */
#ifndef DAEMON_STORE_RETENTION_H
#define DAEMON_STORE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

enum ck_keep {
    CK_KEEP_RECORDING = 0, /* one recording, with the picture taken from it */
    CK_KEEP_RISK,          /* what the risk form says of a person */
    CK_KEEP_PHOTO,         /* the reference photo */
    CK_KEEP_CONTACT,       /* numbers, addresses, phones and browsers */
    CK_KEEP_MESSAGES,      /* the thread, and those about incidents but the next */
    CK_KEEP_CONCERN,       /* what a victim or somebody else reported: concerns, safety checks */
    CK_KEEP_CASE_FILE,     /* name, orders, notes, and the text beside the audit log */
    CK_KEEP_ACCESS_LOG,    /* the text beside the audit log about who came in; nobody's */
    CK_KEEP_COUNT,
};

/* "recording", …. */
const char *ck_keep_name(enum ck_keep keep);

enum ck_expiry_state {
    CK_EXPIRY_KEPT = 0,
    CK_EXPIRY_HELD,    /* its time was over while a hold was on it */
    CK_EXPIRY_ERASING, /* the key is gone, the rest follows */
    CK_EXPIRY_ERASED,
    CK_EXPIRY_STATE_COUNT,
};

struct ck_expiry_row {
    int64_t id;
    enum ck_keep keep;
    int64_t person, recording;
    struct ck_wall since;
    enum ck_expiry_state state;
    struct ck_wall next_at; /* 0 in HELD and ERASED */
    int64_t fence;
};

/* CK_E_NOT_FOUND. */
int ck_expiry_load(struct ck_store *store, int64_t id, struct ck_expiry_row *row);
/* Saves state and next_at, and ends the claim; `now` is when it was erased, if it is. CK_E_FENCED.
 */
int ck_expiry_save(struct ck_store *store, const struct ck_expiry_row *row, struct ck_wall now);

/* New rows; what is there already stays as it is, unless it was erased: then it begins anew. */
int ck_expiry_add(struct ck_store *store, enum ck_keep keep, int64_t person, int64_t recording,
                  struct ck_wall since, struct ck_wall at);
/* The row of a recording; CK_E_NOT_FOUND. */
int ck_expiry_of_recording(struct ck_store *store, int64_t recording, int64_t *id);
/* A person is under an order again: their own rows that wait are taken back. */
int ck_expiry_cancel(struct ck_store *store, int64_t person);
/* A row that waits for nothing. */
int ck_expiry_drop(struct ck_store *store, int64_t id);
/* Rows of this class count with another time from now on. */
int ck_expiry_reckon(struct ck_store *store, enum ck_keep keep, int64_t keep_ms);
/* A hold on the person's data ended: what it kept is looked at again at once. */
int ck_expiry_wake(struct ck_store *store, int64_t person, struct ck_wall now);

/* Whether a hold is on it. A hold on one incident or recording keeps the person's own data too:
 * nobody could tell any more whose it is. */
int ck_expiry_is_held(struct ck_store *store, const struct ck_expiry_row *row, bool *held);

/* Whether the person has a recording that is not destroyed with its file. */
int ck_expiry_has_recordings(struct ck_store *store, int64_t person, bool *has);

/* Whether a concern or a safety check about the person is not closed yet. */
int ck_expiry_has_open_concern(struct ck_store *store, int64_t person, bool *has);

/* Whether an order binds the person: one that is not over. */
int ck_person_is_bound(struct ck_store *store, int64_t person, bool *bound);
/* Whether the person's file was erased. CK_E_NOT_FOUND. */
int ck_person_is_erased(struct ck_store *store, int64_t person, bool *erased);

/* ---- holds ---- */

#define CK_HOLDS_MAX 1000 /* that are on, of one unit */

struct ck_hold_row {
    int64_t id, person, incident, recording;
    const char *reason;
    int64_t by;
    struct ck_wall review_at;
    struct ck_wall next_at;
    int64_t reminded;
    bool released;
    int64_t fence;
};

/* Sets row->id. */
int ck_hold_insert(struct ck_store *store, struct ck_hold_row *row, struct ck_wall now);
/* Without its reason. CK_E_NOT_FOUND. */
int ck_hold_load(struct ck_store *store, int64_t id, struct ck_hold_row *row);
/* Saves next_at and reminded, and ends the claim. CK_E_FENCED. */
int ck_hold_save(struct ck_store *store, const struct ck_hold_row *row);
/* CK_E_CONFLICT: it was released. */
int ck_hold_review(struct ck_store *store, int64_t id, struct ck_wall review_at);
int ck_hold_release(struct ck_store *store, int64_t id, int64_t by, int64_t approver,
                    const char *reason, struct ck_wall now);
int ck_holds_count(struct ck_store *store, int64_t unit, int64_t *count);

#endif
