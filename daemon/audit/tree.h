/* The tree of the log as it lies in the store: leaf hashes beside the leaves, and tiles of 256
 * hashes for the complete subtrees of heights 8, 16, … above them. */
#ifndef DAEMON_AUDIT_TREE_H
#define DAEMON_AUDIT_TREE_H

#include "daemon/store/store.h"
#include "protocol/merkle.h"

/* Adds a leaf's hash, whose row was inserted before, to the frontier, and completes the tiles that
 * end with it. */
int ck_audit_tree_add(struct ck_store *store, struct ck_frontier *frontier,
                      const struct ck_hash *leaf);

/* The stored tree as a source of proofs (merkle.h), on any connection. -EUCLEAN where it has a
 * hole. */
struct ck_merkle_source ck_audit_tree_source(struct ck_store *store);

#endif
