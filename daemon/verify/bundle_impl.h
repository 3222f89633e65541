/* Inside of bundle*.c: what is known of a bundle while it is verified. */
#ifndef DAEMON_VERIFY_BUNDLE_IMPL_H
#define DAEMON_VERIFY_BUNDLE_IMPL_H

#include <string.h>

#include "daemon/verify/bundle.h"
#include "protocol/leaf.h"
#include "protocol/zip.h"

#define BUNDLE_ID_SIZE 32 /* a pseudonym */

struct bundle_entry {
    struct ck_leaf leaf;
    struct ck_leaf_tail tail;
    bool proven; /* by a proof of its own; else by the manifest alone */
    bool named;  /* what it is about is in the manifest */
};

struct bundle_work {
    const struct ck_verify_bundle *what;
    struct ck_verdict *verdict;
    struct ck_keys *keys;
    struct ck_zip_file *files;
    size_t file_count, file_room;
    const struct ck_zip_file **by_name;
    struct bundle_entry *entries; /* ascending by index */
    size_t entry_count;
    struct bundle_entry **by_object; /* ascending by object, then by index */
    struct ck_checkpoint checkpoint; /* under which the entries are proven; size 0: none */
    /* manifest.c */
    bool bound;                          /* the log says that this very bundle was made */
    bool for_person;                     /* … and for whom */
    struct ck_leaf_text listed, objects; /* of the manifest; "" where there is none */
    struct bundle_entry built;
    struct ck_checkpoint built_under;
    unsigned unproven, opened, recordings, recovered;
};

const struct ck_zip_file *bundle_find(const struct bundle_work *work, const char *name);
/* The number of "folder/N.ending"; false where the name is another. */
bool bundle_number(const char *name, const char *folder, const char *ending, uint64_t *number);

/* The entries about the object with this pseudonym, ascending; NULL where there are none. */
struct bundle_entry *const *bundle_entries_of(const struct bundle_work *work, const char *id,
                                              size_t *count);

static inline bool bundle_same_object(const struct bundle_entry *a, const struct bundle_entry *b)
{
    return memcmp(a->leaf.object_id.at, b->leaf.object_id.at, BUNDLE_ID_SIZE) == 0;
}

/* bundle_keys.c: the log's key that lies in it, where none was given; and the later ones of which
 * the log says under a known one that they are its own. */
void bundle_take_keys(struct bundle_work *work);
/* bundle_manifest.c: the checkpoint in it; what the manifest lists, against what is there; that the
 * log holds the manifest, and that both checkpoints are of one log. -ENOMEM. */
void bundle_check_checkpoint(struct bundle_work *work);
/* Whether the file of this name proves that the log of `old` goes on to that of `now`; of equal
 * sizes the roots say it. */
bool bundle_goes_on(const struct bundle_work *work, const char *name,
                    const struct ck_checkpoint *old, const struct ck_checkpoint *now);
int bundle_check_manifest(struct bundle_work *work);
/* bundle_objects.c: of every object that the manifest names all entries up to its end. */
void bundle_check_objects(struct bundle_work *work);
/* bundle_recordings.c: every recording against the heads in the entries. */
void bundle_check_recordings(struct bundle_work *work);

#endif
