#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/merkle.h"

/* The leaves and roots that Certificate Transparency implementations test themselves with (RFC
 * 6962). */
static const char *const leaves[] = {"",
                                     "00",
                                     "10",
                                     "2021",
                                     "3031",
                                     "40414243",
                                     "5051525354555657",
                                     "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

#define SIZE 300
static struct ck_hash hashes[SIZE];

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE; i++) {
        uint8_t bytes[16];
        size_t size = 2;
        memcpy(bytes, &i, sizeof i);
        if (i < 8) {
            size = strlen(leaves[i]) / 2;
            assert_int_equal(ck_hex_decode(leaves[i], bytes, size), 0);
        }
        assert_int_equal(ck_merkle_leaf(bytes, size, &hashes[i]), 0);
    }
    return 0;
}

/* By the definition: MTH(D[n]) = H(0x01 || MTH(D[0:k]) || MTH(D[k:n])). */
static struct ck_hash defined_root(size_t from, size_t size)
{
    if (size == 1) {
        return hashes[from];
    }
    size_t split = 1;
    while (split * 2 < size) {
        split *= 2;
    }
    struct ck_hash left = defined_root(from, split),
                   right = defined_root(from + split, size - split), node;
    assert_int_equal(ck_merkle_node(&left, &right, &node), 0);
    return node;
}

static int subtree(void *user, unsigned level, uint64_t index, struct ck_hash *hash)
{
    (void)user;
    assert_true((index + 1) << level <= SIZE);
    *hash = defined_root(index << level, (size_t)1 << level);
    return 0;
}

static const struct ck_merkle_source source = {.subtree = subtree};

static void roots_are_the_known_ones(void **state)
{
    (void)state;
    struct ck_frontier frontier = {0};
    struct ck_hash root;
    char text[CK_HEX_SIZE(sizeof root.bytes)];
    assert_int_equal(ck_frontier_root(&frontier, &root), 0);
    ck_hex_encode(root.bytes, sizeof root.bytes, text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < SIZE; i++) {
        assert_int_equal(ck_frontier_add(&frontier, &hashes[i]), 0);
        assert_int_equal(ck_frontier_root(&frontier, &root), 0);
        struct ck_hash defined = defined_root(0, i + 1), proven;
        assert_memory_equal(root.bytes, defined.bytes, sizeof root.bytes);
        assert_int_equal(ck_merkle_root(&source, i + 1, &proven), 0);
        assert_memory_equal(proven.bytes, defined.bytes, sizeof root.bytes);
        if (i < 8) {
            ck_hex_encode(root.bytes, sizeof root.bytes, text);
            assert_string_equal(text, roots[i]);
        }
    }
}

static void every_entry_of_every_tree_is_proven_and_no_other(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= 70; size++) {
        struct ck_hash root = defined_root(0, size);
        for (uint64_t index = 0; index < size; index++) {
            struct ck_merkle_proof proof;
            assert_int_equal(ck_merkle_prove_inclusion(&source, index, size, &proof), 0);
            assert_int_equal(ck_merkle_check_inclusion(&proof, index, size, &hashes[index], &root),
                             0);
            assert_int_equal(
                ck_merkle_check_inclusion(&proof, index, size, &hashes[(index + 1) % 80], &root),
                CK_E_AUTH);
            if (proof.count > 0) {
                proof.path[0].bytes[3] ^= 1;
                assert_int_equal(
                    ck_merkle_check_inclusion(&proof, index, size, &hashes[index], &root),
                    CK_E_AUTH);
                proof.path[0].bytes[3] ^= 1;
                proof.count--;
                assert_int_equal(
                    ck_merkle_check_inclusion(&proof, index, size, &hashes[index], &root),
                    CK_E_AUTH);
            }
        }
        struct ck_merkle_proof none;
        assert_int_equal(ck_merkle_prove_inclusion(&source, size, size, &none), CK_E_INVALID);
    }
}

static void every_tree_begins_with_every_earlier_one(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= 70; size++) {
        struct ck_hash root = defined_root(0, size);
        for (uint64_t old = 1; old <= size; old++) {
            struct ck_hash old_root = defined_root(0, old), wrong = old_root;
            struct ck_merkle_proof proof;
            assert_int_equal(ck_merkle_prove_consistency(&source, old, size, &proof), 0);
            assert_int_equal(ck_merkle_check_consistency(&proof, old, size, &old_root, &root), 0);
            wrong.bytes[0] ^= 1;
            assert_int_equal(ck_merkle_check_consistency(&proof, old, size, &wrong, &root),
                             CK_E_AUTH);
            if (old < size) {
                assert_int_equal(ck_merkle_check_consistency(&proof, old, size, &old_root, &wrong),
                                 CK_E_AUTH);
            }
            if (proof.count > 0) {
                proof.path[proof.count - 1].bytes[0] ^= 1;
                assert_int_equal(ck_merkle_check_consistency(&proof, old, size, &old_root, &root),
                                 CK_E_AUTH);
            }
        }
    }
    struct ck_merkle_proof proof;
    assert_int_equal(ck_merkle_prove_consistency(&source, 5, 4, &proof), CK_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_the_known_ones),
        cmocka_unit_test(every_entry_of_every_tree_is_proven_and_no_other),
        cmocka_unit_test(every_tree_begins_with_every_earlier_one),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
