/* Completeness: what a tree of hashes cannot show is that something was never written. The log is
 * therefore held against what must be in it:
 *
 *   - every check-in ends in exactly one outcome;
 *   - every mandatory one that ends without accepted contact, WAIVED apart, has an incident;
 *   - every notice that was queued has an end, and every step of a ladder made notices or says why
 *     not;
 *   - an incident that is not closed does not rest for a day: steps, what somebody did, or that it
 *     was held; counted from the start of the system where that was down;
 *   - the first step of its ladder comes within the time that the policy in force allows;
 *   - it is taken over and closed by a named member of staff, and a check on somebody's safety ends
 *     with what came of it;
 *   - the policy or ladder that an entry quotes was kept before it;
 *   - every silence that was too long has an incident open about this person;
 *   - every draw key that was committed was told after its epoch, and is the one committed;
 *   - every entry names the one before it about the same object (`prev`);
 *   - every recording that was begun was closed, recovered or failed, and of every one that was
 *     destroyed the file was removed;
 *   - time goes on: an entry that is older than the one before it by more than a minute comes with
 * a clock that was not synchronised.
 *
 * What has not ended is a finding only when the log goes on for more than a day after it. */
#ifndef DAEMON_VERIFY_COMPLETE_H
#define DAEMON_VERIFY_COMPLETE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/verify/finding.h"
#include "protocol/leaf.h"

struct ck_complete;

/* Whether an entry by which an incident is taken over or closed names who did it; true of any
 * other. */
bool ck_complete_names_officer(const struct ck_leaf *leaf, const struct ck_leaf_tail *tail);

/* Objects that are kept unless another number is given: the log of five hundred persons for ten
 * years. Each has 112 bytes in a table that is at least a quarter empty: 3.8 GB then, and half as
 * much again while it grows. */
#define CK_COMPLETE_OBJECTS_MAX (UINT64_C(1) << 24)

/* `most` objects are kept; where the log has more, or memory ends before, the rest is not looked
 * at, and that is a finding of its own ("limit"). -ENOMEM. */
int ck_complete_create(struct ck_complete **complete, uint64_t most);
void ck_complete_destroy(struct ck_complete *complete);

/* An entry comes soon: what is known of its object is fetched meanwhile. */
void ck_complete_expect(const struct ck_complete *complete, const struct ck_leaf *leaf);

/* The next entry, in the order of the log. */
void ck_complete_add(struct ck_complete *complete, const struct ck_leaf *leaf,
                     struct ck_verdict *verdict);

/* After the last one: names what is missing, and says what was looked at. */
void ck_complete_end(struct ck_complete *complete, struct ck_verdict *verdict);

#endif
