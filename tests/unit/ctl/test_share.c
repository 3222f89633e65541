/* Shares of the master key: any k of n make it again, fewer do not, a wrong one is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/ctl/share.h"
#include "protocol/base/error.h"

static const uint8_t key[CK_KEY_SIZE] = "a master key of thirty-two bytes";
static const uint8_t other_key[CK_KEY_SIZE] = "another key of thirty-two bytes.";

static void pseudo_random(void *user, void *bytes, size_t size)
{
    uint64_t *seed = user;
    for (size_t i = 0; i < size; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)bytes)[i] = (uint8_t)(*seed >> 56);
    }
}

static void split(const uint8_t *of, unsigned needed, unsigned count,
                  char texts[][CK_SHARE_TEXT_SIZE])
{
    uint64_t seed = 5;
    assert_int_equal(ck_share_split(of, needed, count, pseudo_random, &seed, texts), 0);
}

static int join(char texts[][CK_SHARE_TEXT_SIZE], unsigned mask, uint8_t joined[CK_KEY_SIZE],
                struct ck_share_fault *fault)
{
    const char *list[CK_SHARES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < CK_SHARES_MAX; i++) {
        if ((mask >> i & 1) != 0) {
            list[count++] = texts[i];
        }
    }
    return ck_share_join(list, count, joined, fault);
}

static void every_choice_of_enough_shares_makes_the_key(void **state)
{
    (void)state;
    char texts[CK_SHARES_MAX][CK_SHARE_TEXT_SIZE];
    for (unsigned count = 2; count <= 6; count++) {
        for (unsigned needed = 2; needed <= count; needed++) {
            split(key, needed, count, texts);
            for (unsigned mask = 1; mask < 1u << count; mask++) {
                uint8_t joined[CK_KEY_SIZE] = {0};
                struct ck_share_fault fault = {.text = ""};
                int r = join(texts, mask, joined, &fault);
                bool enough = (unsigned)__builtin_popcount(mask) >= needed;
                assert_int_equal(r, enough ? 0 : CK_E_INVALID);
                assert_int_equal(memcmp(joined, key, sizeof joined) == 0, enough);
            }
        }
    }
}

static void limits_are_refused(void **state)
{
    (void)state;
    char texts[CK_SHARES_MAX][CK_SHARE_TEXT_SIZE];
    uint64_t seed = 5;
    const unsigned bad[][2] = {{0, 0}, {1, 3}, {4, 3}, {2, 17}, {0, 5}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ck_share_split(key, bad[i][0], bad[i][1], pseudo_random, &seed, texts),
                         CK_E_INVALID);
    }
}

static void a_changed_share_is_named(void **state)
{
    (void)state;
    char texts[CK_SHARES_MAX][CK_SHARE_TEXT_SIZE];
    uint8_t joined[CK_KEY_SIZE];
    split(key, 3, 5, texts);
    size_t size = strlen(texts[1]) - 1; /* without the end of the line */
    for (size_t at = 0; at < size; at++) {
        struct ck_share_fault fault = {.text = ""};
        char kept = texts[1][at];
        texts[1][at] = kept == '7' ? '8' : '7';
        int r = join(texts, 7, joined, &fault);
        assert_int_not_equal(r, 0);
        assert_int_equal(fault.share, 1);
        texts[1][at] = kept;
    }
}

static void shares_of_two_keys_do_not_mix(void **state)
{
    (void)state;
    char texts[CK_SHARES_MAX][CK_SHARE_TEXT_SIZE], others[CK_SHARES_MAX][CK_SHARE_TEXT_SIZE];
    struct ck_share_fault fault;
    uint8_t joined[CK_KEY_SIZE];
    split(key, 2, 3, texts);
    split(other_key, 2, 3, others);
    memcpy(texts[1], others[1], sizeof texts[1]);
    assert_int_equal(join(texts, 3, joined, &fault), CK_E_INVALID);
    assert_string_equal(fault.text, "is of another key");
    memcpy(texts[1], texts[0], sizeof texts[1]);
    assert_int_equal(join(texts, 3, joined, &fault), CK_E_INVALID);
    assert_string_equal(fault.text, "was given twice");
}

/* Two splits of one key: each share proves itself, together they give another key. */
static void shares_of_two_splits_are_found_out(void **state)
{
    (void)state;
    char texts[CK_SHARES_MAX][CK_SHARE_TEXT_SIZE], others[CK_SHARES_MAX][CK_SHARE_TEXT_SIZE];
    struct ck_share_fault fault;
    uint8_t joined[CK_KEY_SIZE];
    uint64_t seed = 77;
    split(key, 2, 3, texts);
    assert_int_equal(ck_share_split(key, 2, 3, pseudo_random, &seed, others), 0);
    memcpy(texts[1], others[1], sizeof texts[1]);
    assert_int_equal(join(texts, 3, joined, &fault), CK_E_AUTH);
}

/* ---- the program, by files ---- */

static int run(const char *arguments)
{
    char line[1024];
    snprintf(line, sizeof line, "'%s/bin/checkinctl' --socket=/nowhere %s >/dev/null 2>&1",
             CK_BUILD_DIR, arguments);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void three_people_recover_the_key_from_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/ck-share-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(run("key make master.key"), 0);
    assert_int_equal(run("key make master.key"), 1); /* never overwritten */
    assert_int_equal(run("key split master.key 3 5 ."), 0);
    assert_int_equal(run("key join back.key share-1-of-5.txt share-4-of-5.txt"), 1);
    assert_int_equal(access("back.key", F_OK), -1);
    assert_int_equal(run("key join back.key share-5-of-5.txt share-1-of-5.txt share-4-of-5.txt"),
                     0);
    assert_int_equal(system("cmp -s master.key back.key"), 0);
    assert_int_equal(system("test $(stat -c %a share-1-of-5.txt) = 600"), 0);
    assert_int_equal(system("test $(stat -c %a back.key) = 600"), 0);
    assert_int_equal(run("key name back.key"), 0);
    assert_int_equal(run("key split master.key 9 5 ."), 64);
    assert_int_equal(run("key make"), 64);
    assert_int_equal(system("rm -f master.key back.key share-*.txt"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_choice_of_enough_shares_makes_the_key),
        cmocka_unit_test(limits_are_refused),
        cmocka_unit_test(a_changed_share_is_named),
        cmocka_unit_test(shares_of_two_keys_do_not_mix),
        cmocka_unit_test(shares_of_two_splits_are_found_out),
        cmocka_unit_test(three_people_recover_the_key_from_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
