/* Rows of recordings. */
#ifndef DAEMON_STORE_RECORDING_H
#define DAEMON_STORE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"

struct ck_recording_row {
    int64_t id;
    int64_t checkin;
    const char *leg;  /* "person" or "staff" */
    const char *file; /* name within the recording folder */
    const void *key;  /* wrapped */
    size_t key_size;
    struct ck_wall started;
};

/* The id that the next row gets in this transaction: a wrapped key is bound to it. */
int ck_recording_next_id(struct ck_store *store, int64_t *id);
int ck_recording_insert(struct ck_store *store, const struct ck_recording_row *row);

/* When its time line begins, as the worker says. CK_E_CONFLICT: it is over. */
int ck_recording_start(struct ck_store *store, int64_t id, struct ck_wall at);

/* How far it has got. The head grows only: an older report changes nothing. */
struct ck_recording_head {
    int64_t chunks;
    int64_t bytes;
    int64_t duration_ms;
    uint8_t hash[CK_SHA256_SIZE];
};

/* CK_E_NOT_FOUND; CK_E_CONFLICT: it is over. */
int ck_recording_head(struct ck_store *store, int64_t id, const struct ck_recording_head *head,
                      struct ck_wall at);

/* A privacy pause begins, or the one that is on ends: the list of gaps that the player shows,
 * places in seconds of its time line. What is so already is left so. Beyond CK_RECORDING_GAPS_MAX
 * nothing is added; the audit log has them all. CK_E_NOT_FOUND. */
#define CK_RECORDING_GAPS_MAX 64
int ck_recording_pause(struct ck_store *store, int64_t id, bool on, const char *reason,
                       struct ck_wall at);

/* Ends it: state "closed", "recovered" or "failed"; a pause that is on ends with it. */
int ck_recording_end(struct ck_store *store, int64_t id, const char *state,
                     const struct ck_recording_head *head, struct ck_wall at);

/* It failed, with whatever was reported of it before. CK_E_CONFLICT: it is over. */
int ck_recording_fail(struct ck_store *store, int64_t id, struct ck_wall at);

/* Recordings of the person's side of a check-in, newest first, at most `capacity`. */
#define CK_RECORDINGS_OF_CHECKIN_MAX 64
int ck_recordings_of_person(struct ck_store *store, int64_t checkin, int64_t *ids, size_t capacity,
                            size_t *count);

/* Whose it is. CK_E_NOT_FOUND. */
int ck_recording_owner(struct ck_store *store, int64_t id, int64_t *checkin, int64_t *person);

/* What was measured: [{measure, from_ms, until_ms}]. */
#define CK_RECORDING_MEASURES_MAX 500
int ck_recording_measures(struct ck_store *store, int64_t id, const json_t *spans);

#endif
