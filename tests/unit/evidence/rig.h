/* A log of its own with a signer of its own, in a folder that goes away again. */
#ifndef TESTS_UNIT_EVIDENCE_RIG_H
#define TESTS_UNIT_EVIDENCE_RIG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/audit/audit.h"
#include "daemon/audit/checkpoint.h"
#include "daemon/store/store.h"

struct rig {
    char folder[64];
    char store_path[128];
    char state[128];  /* folder of the signer */
    char socket[128]; /* of the signer */
    struct ck_store *store;
    struct ck_audit audit;
    int64_t staff; /* a member of staff */
    int64_t now_ms;
    pid_t signer;
};

void rig_begin(struct rig *rig);
void rig_end(struct rig *rig);

/* Starts checkin-signer and waits until it listens; ends it. */
void rig_signer_start(struct rig *rig);
void rig_signer_stop(struct rig *rig);

/* One entry in a transaction of its own; objects are taken over. Its index. */
int64_t rig_append(struct rig *rig, const char *action, const char *object, int64_t id,
                   json_t *open, json_t *sealed);

/* The same by the member of staff. */
int64_t rig_append_by_staff(struct rig *rig, const char *action, const char *object, int64_t id,
                            json_t *open, json_t *sealed);

/* What a check-in leaves behind that nobody answered: planned, rung, its notice, its outcome, its
 * incident with a step that told somebody. */
void rig_missed(struct rig *rig, int64_t id);

/* `count` entries of no consequence. */
void rig_many(struct rig *rig, int count);

/* Has the head signed and keeps the checkpoint, as the engine does. */
struct ck_signer_answer *rig_checkpoint(struct rig *rig);

/* The entry that names the signer's key, as the engine writes it. */
void rig_name_key(struct rig *rig, const char *key);

/* Gives the signer another key beside the one of before; and takes that one away from it. */
void rig_change_key(struct rig *rig);
void rig_drop_old_key(struct rig *rig);

/* The pseudonym of an object as a new text. */
json_t *rig_name(struct rig *rig, const char *kind, int64_t id);

/* Runs a program of build/bin and gives its exit code and all it printed, which the caller frees.
 * `arguments` ends with NULL. */
int rig_run(const char *program, const char *const *arguments, char **printed);

/* A file below the rig's folder. */
void rig_path(const struct rig *rig, const char *name, char *path, size_t size);

/* Copies a folder; the copy must not exist. */
void rig_copy(const char *from, const char *to);

#endif
