/* Rows of contact paths: every way to every member of staff and person, and what came of its weekly
 * test. */
#ifndef DAEMON_STORE_PATH_H
#define DAEMON_STORE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "scheduler/effects.h"

struct ck_path_row {
    int64_t id;
    int64_t staff, person; /* one of them is 0 */
    enum ck_channel channel;
    char zone[64];            /* of the unit */
    bool by_hand;             /* somebody asked for it now, whatever the hour */
    int64_t notice;           /* the newest test; 0: none yet */
    bool testing;             /* nothing has come of it so far */
    struct ck_wall week_over; /* of the newest test: the next one is due; 0: none yet */
    struct ck_wall next_at;
    int64_t fence;
};

/* So many numbers of staff and of persons are looked at in one go: of a million persons all in an
 * hour and a bit, at one go every two seconds. */
#define CK_PATH_SWEEP 500

/* Makes rows for ways that have none yet, of those whose numbers are the next CK_PATH_SWEEP behind
 * *after; they fall due at moments of the week after `now` that their ids spread. `channels` is the
 * mask of those that are configured. Moves *after on; 0: that was the last of them. */
int ck_path_sweep(struct ck_store *store, uint32_t channels, struct ck_wall now, int64_t *after);

/* CK_E_NOT_FOUND. */
int ck_path_load(struct ck_store *store, int64_t id, struct ck_path_row *row);
int ck_path_find(struct ck_store *store, int64_t staff, int64_t person, enum ck_channel channel,
                 int64_t *id);
/* A test has left; it is looked at again at row->next_at, or after the week where something comes
 * of it before. Under the fence. CK_E_FENCED. */
int ck_path_tested(struct ck_store *store, const struct ck_path_row *row, int64_t notice,
                   struct ck_wall now);
/* Only its next moment, under the fence. CK_E_FENCED. */
int ck_path_postpone(struct ck_store *store, const struct ck_path_row *row);
/* It falls due now. */
int ck_path_hurry(struct ck_store *store, int64_t id, struct ck_wall now);
/* The way is gone: no number, no address, no browser. */
int ck_path_delete(struct ck_store *store, int64_t id);

/* What came of the test that this notice was; *known says whether it was the newest of a path. */
int ck_path_result(struct ck_store *store, int64_t notice, bool reached, const char *failure,
                   struct ck_wall now, bool *known);

/* How many ways to somebody have not failed their newest test, whose unit it is of, and what a
 * cause calls them: "staff LOGIN" or "person REFERENCE". CK_E_NOT_FOUND. */
#define CK_PATH_WHO_SIZE 48
int ck_path_left(struct ck_store *store, int64_t staff, int64_t person, int64_t *left,
                 int64_t *unit, char who[static CK_PATH_WHO_SIZE]);

/* {paths: ContactPath[] (failed ones first), unreachable: [{name, staff_id, person_id}]} of a unit.
 */
#define CK_QUERY_PATHS_MAX 500
int ck_query_paths(struct ck_store *store, int64_t unit, json_t **out);
/* Whose a path would be: the unit of the member of staff or the person; CK_E_NOT_FOUND. */
int ck_path_unit(struct ck_store *store, int64_t staff, int64_t person, int64_t *unit);

#endif
