/* The Merkle tree of the audit log: hashes, proofs and their verification by RFC 6962 section 2.1
 * (RFC 9162 section 2.1 is the same tree). log.md says what a leaf is.
 *
 * Pure and thread-safe. A failure of the digest itself is -ENOMEM. */
#ifndef PROTOCOL_MERKLE_H
#define PROTOCOL_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/digest.h"

/* Trees are smaller than 2^63 entries; no proof is longer than this. */
#define CK_MERKLE_LEVELS 63
#define CK_MERKLE_PROOF_MAX 64

struct ck_hash {
    uint8_t bytes[CK_SHA256_SIZE];
};

/* SHA-256(0x00 || leaf). */
int ck_merkle_leaf(const void *leaf, size_t size, struct ck_hash *hash);

/* The same of `count` leaves at once, which costs little more than half. */
int ck_merkle_leaves(const struct ck_slice *leaves, size_t count, struct ck_hash *hashes);

/* SHA-256(0x01 || left || right). */
int ck_merkle_node(const struct ck_hash *left, const struct ck_hash *right, struct ck_hash *hash);

/* The root of a complete subtree of `count` hashes (a power of two), which are used up. */
int ck_merkle_fold(struct ck_hash *hashes, size_t count, struct ck_hash *root);

/* The root of the empty tree: SHA-256 of nothing. */
int ck_merkle_empty(struct ck_hash *root);

/* A tree as far as appending needs it: the roots of its complete subtrees, largest first, one for
 * each set bit of `size`. All zeros is the empty tree. */
struct ck_frontier {
    uint64_t size;
    struct ck_hash roots[CK_MERKLE_LEVELS];
};

/* Number of roots in use. */
size_t ck_frontier_count(const struct ck_frontier *frontier);

/* Adds the hash of one more leaf. Unchanged on failure; CK_E_LIMIT where the tree is full. */
int ck_frontier_add(struct ck_frontier *frontier, const struct ck_hash *leaf);

int ck_frontier_root(const struct ck_frontier *frontier, struct ck_hash *root);

/* Where the hashes of a tree come from: the root of the complete subtree of 2^level leaves that
 * begins at leaf index * 2^level. 0, or any error, which goes up unchanged. */
struct ck_merkle_source {
    int (*subtree)(void *user, unsigned level, uint64_t index, struct ck_hash *hash);
    void *user;
};

struct ck_merkle_proof {
    size_t count;
    struct ck_hash path[CK_MERKLE_PROOF_MAX];
};

/* The root of the first `size` leaves. */
int ck_merkle_root(const struct ck_merkle_source *source, uint64_t size, struct ck_hash *root);

/* PATH(index, D[size]), section 2.1.1. CK_E_INVALID where index is not below size. */
int ck_merkle_prove_inclusion(const struct ck_merkle_source *source, uint64_t index, uint64_t size,
                              struct ck_merkle_proof *proof);

/* PROOF(old, D[size]), section 2.1.2. CK_E_INVALID where old is above size. An old of 0 or of size
 * has the empty proof. */
int ck_merkle_prove_consistency(const struct ck_merkle_source *source, uint64_t old, uint64_t size,
                                struct ck_merkle_proof *proof);

/* Whether the leaf hash stands at `index` in the tree of `size` leaves with this root: 0, or
 * CK_E_AUTH. */
int ck_merkle_check_inclusion(const struct ck_merkle_proof *proof, uint64_t index, uint64_t size,
                              const struct ck_hash *leaf, const struct ck_hash *root);

/* Whether the tree of `size` with `root` begins with the tree of `old` with `old_root`: 0, or
 * CK_E_AUTH. */
int ck_merkle_check_consistency(const struct ck_merkle_proof *proof, uint64_t old, uint64_t size,
                                const struct ck_hash *old_root, const struct ck_hash *root);

#endif
