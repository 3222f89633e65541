/* Rows of the audit log. What is in them is daemon/audit's business (protocol/log.md). */
#ifndef DAEMON_STORE_LOG_H
#define DAEMON_STORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "protocol/merkle.h"

#define CK_PSEUDONYM_SIZE 16
#define CK_LOG_LEAF_MAX 4096
#define CK_LOG_SALT_SIZE 32
#define CK_LOG_TILE_WIDTH 256 /* hashes in a full tile */

struct ck_pseudonym {
    uint8_t bytes[CK_PSEUDONYM_SIZE];
};

struct ck_log_row {
    int64_t index;
    struct ck_wall at;
    int64_t previous; /* about the same object; -1: none */
    const void *leaf;
    size_t leaf_size;
    struct ck_hash hash;
    /* beside it */
    const char *action;
    const char *actor_kind;
    int64_t staff_id;
    int64_t person_id;
    const char *object_kind;
    int64_t object_id;
    const char *salted; /* JSON or NULL */
};

/* Adds the row, which from now on is the newest about `object`. */
int ck_log_insert(struct ck_store *store, const struct ck_log_row *row,
                  const struct ck_pseudonym *object);

/* The newest entry about the object; -1 where there is none. */
int ck_log_previous(struct ck_store *store, const struct ck_pseudonym *object, int64_t *index);

/* The newest entry of this action about an object, whose leaf holds `part` ("": any).
 * CK_E_NOT_FOUND.
 */
int ck_log_newest(struct ck_store *store, const struct ck_pseudonym *object, const char *action,
                  const char *part, uint8_t leaf[static CK_LOG_LEAF_MAX], size_t *size,
                  int64_t *index);

struct ck_log_head {
    struct ck_frontier frontier;
    struct ck_hash root;
    uint8_t salt[CK_LOG_SALT_SIZE];
};

/* CK_E_NOT_FOUND: the log has not begun; -EUCLEAN: the row is not a head. */
int ck_log_load_head(struct ck_store *store, struct ck_log_head *head);
int ck_log_save_head(struct ck_store *store, const struct ck_log_head *head);

/* Tiles of level 1 and up. `count` hashes, at most CK_LOG_TILE_WIDTH. A tile that is not there has
 * none. */
int ck_log_load_tile(struct ck_store *store, int level, uint64_t number, struct ck_hash *hashes,
                     size_t *count);
int ck_log_save_tile(struct ck_store *store, int level, uint64_t number,
                     const struct ck_hash *hashes, size_t count);

/* Stored leaf hashes [from, from + capacity), as far as there are some. -EUCLEAN where one is
 * missing. */
int ck_log_load_hashes(struct ck_store *store, uint64_t from, struct ck_hash *hashes,
                       size_t capacity, size_t *count);

/* What pseudonyms are made from. CK_E_NOT_FOUND; *has_salt is false once the person was erased. */
int ck_log_person(struct ck_store *store, int64_t person_id, struct ck_pseudonym *pseudonym,
                  uint8_t salt[CK_LOG_SALT_SIZE], bool *has_salt);
int ck_log_staff(struct ck_store *store, int64_t staff_id, struct ck_pseudonym *pseudonym);

/* Whose a row is that records name by its kind (protocol/log.md section 1 lists them): *person is 0
 * where it is nobody's. CK_E_NOT_FOUND. */
int ck_log_owner(struct ck_store *store, const char *kind, int64_t id, int64_t *person);

/* The objects that a check-in (0: none) and an incident (0: none) are made of: themselves, their
 * notices and recordings; with person_alone only what is the person's own. */
struct ck_log_subject {
    int64_t checkin, incident;
    bool person_alone;
};
struct ck_log_object {
    const char *kind; /* permanent text */
    int64_t id;
};
/* CK_E_LIMIT: there are more than fit. */
int ck_log_objects_of(struct ck_store *store, const struct ck_log_subject *subject,
                      struct ck_log_object *objects, size_t capacity, size_t *count);

/* The indices of the entries about an object, ascending, at most `capacity`. */
int ck_log_indices_of(struct ck_store *store, const struct ck_pseudonym *object, int64_t *indices,
                      size_t capacity, size_t *count);

/* The indices of the entries that name a key of the signer, ascending, at most `capacity`. */
int ck_log_signer_keys(struct ck_store *store, int64_t *indices, size_t capacity, size_t *count);

/* Walks the whole log in its order. Pointers in the row live during the call. A negative result of
 * `visit` ends the walk and goes up; `has_plain` is false where the row beside it is missing. */
typedef int ck_log_visit(void *user, const struct ck_log_row *row, bool has_plain);
int ck_log_walk(struct ck_store *store, int64_t from, ck_log_visit *visit, void *user);

/* Every object with its newest entry; `leaf` is NULL where that is not there. As above. */
typedef int ck_log_object_visit(void *user, const struct ck_pseudonym *object, int64_t newest,
                                const void *leaf, size_t leaf_size);
int ck_log_walk_objects(struct ck_store *store, ck_log_object_visit *visit, void *user);

#endif
