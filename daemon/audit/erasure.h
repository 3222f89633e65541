/* Text beside the log that is gone: lawful where a later entry of the log says that it was erased,
 * otherwise somebody took it away. Fed by a walk along the log in its order. */
#ifndef DAEMON_AUDIT_ERASURE_H
#define DAEMON_AUDIT_ERASURE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/leaf.h"

/* Entries without their text about one person, or about nobody on one day. */
struct ck_erasure_open {
    char key[48];   /* pseudonym of the person, or the date */
    int64_t first;  /* entry */
    uint64_t count; /* 0: none any more */
};

struct ck_erasures {
    struct ck_erasure_open *at; /* a hash table; the caller never touches it */
    size_t used, capacity;
};

void ck_erasures_clear(struct ck_erasures *erasures);

/* This entry's text is gone. 0 or -ENOMEM. */
int ck_erasures_gone(struct ck_erasures *erasures, const struct ck_leaf *leaf,
                     const struct ck_leaf_tail *tail);

/* Any entry: where it records an erasure, what was gone before is accounted for. */
void ck_erasures_look(struct ck_erasures *erasures, const struct ck_leaf *leaf,
                      const struct ck_leaf_tail *tail);

/* At the end: what nobody accounted for. `index` from 0; NULL behind the last. */
const struct ck_erasure_open *ck_erasures_left(const struct ck_erasures *erasures, size_t *index);

#endif
