/* Signed checkpoints of the audit log, as the signer gave them and witnesses cosigned them
 * (protocol/note.h). */
#ifndef DAEMON_STORE_CHECKPOINT_H
#define DAEMON_STORE_CHECKPOINT_H

#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"

/* One checkpoint; the note ends with a zero. */
struct ck_log_checkpoint {
    int64_t size; /* entries it covers */
    struct ck_wall at;
    const char *note;
};

/* CK_E_CONFLICT: there is one of this size already. */
int ck_log_checkpoint_insert(struct ck_store *store, const struct ck_log_checkpoint *checkpoint);

/* Puts the note with more signatures in place of the one of its size. CK_E_NOT_FOUND. */
int ck_log_checkpoint_cosigned(struct ck_store *store, int64_t size, const char *note);

/* Size and time of the newest; both 0 where there is none. */
int ck_log_checkpoint_newest(struct ck_store *store, int64_t *size, struct ck_wall *at);

/* The smallest that covers at least `size` entries, or the newest for a size of 0. The caller frees
 * the note. CK_E_NOT_FOUND. */
int ck_log_checkpoint_covering(struct ck_store *store, int64_t size, int64_t *covers, char **note);

/* When the one of this size was kept. CK_E_NOT_FOUND. */
int ck_log_checkpoint_at(struct ck_store *store, int64_t size, struct ck_wall *at);

/* The notes of the newest CK_LOG_CHECKPOINTS_LISTED, newest first. */
#define CK_LOG_CHECKPOINTS_LISTED 200
int ck_log_checkpoint_list(struct ck_store *store, json_t **notes);

/* All of them, by size. A result of `visit` that is not 0 ends the walk and goes up. */
typedef int ck_log_checkpoint_visit(void *user, const struct ck_log_checkpoint *checkpoint);
int ck_log_checkpoint_walk(struct ck_store *store, ck_log_checkpoint_visit *visit, void *user);

/* Whether one of the entries from `from` on is such that a checkpoint must follow it at once: an
 * outcome, a step of an incident, a change of a plan, a look at a recording or what left the
 * house. */
int ck_log_urgent(struct ck_store *store, int64_t from, bool *urgent);

#endif
