/* checkin-verify on a sealed recording, before and after somebody was at it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "tests/unit/evidence/rig.h"
#include "tests/unit/seal/sealed_file.h"

#define PROGRAM CK_BUILD_DIR "/bin/checkin-verify"
#define OTHER UINT64_C(78)

static char folder[] = "/tmp/ck-sealed-XXXXXX", path[64], key_path[64], unseal[96], head[128];
static struct sealed_file file, other;

static int setup(void **state)
{
    char hex[CK_HEX_SIZE(CK_KEY_SIZE)], hash[CK_HEX_SIZE(CK_SHA256_SIZE)];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(key_path, sizeof key_path, "%s/key", folder);
    snprintf(unseal, sizeof unseal, "--unseal=%s", key_path);
    ck_hex_encode(test_key, sizeof test_key, hex);
    FILE *out = fopen(key_path, "w");
    fprintf(out, "%s\n", hex);
    fclose(out);
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    sealed_file_make(&other, OTHER, test_key, true);
    const struct ck_seal_head *end = &file.heads[TEST_CHUNKS + 1];
    ck_hex_encode(end->hash, sizeof end->hash, hash);
    snprintf(head, sizeof head, "%llu:%llu:%s", (unsigned long long)end->chunks,
             (unsigned long long)end->bytes, hash);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sealed_file_free(&file);
    sealed_file_free(&other);
    unlink(path);
    unlink(key_path);
    rmdir(folder);
    return 0;
}

static void expect(const void *bytes, size_t size, int code, const char *wanted)
{
    char *printed = NULL;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    int ended =
        rig_run(PROGRAM, (const char *const[]){unseal, "recording", path, head, NULL}, &printed);
    if (ended != code || strstr(printed, wanted) == NULL) {
        fail_msg("ended with %d, wanted %d and \"%s\":\n%s", ended, code, wanted, printed);
    }
    free(printed);
}

/* The file with `count` bytes at `at` replaced by `size` others. */
static void exchange(size_t at, size_t count, const uint8_t *bytes, size_t size, int code,
                     const char *wanted)
{
    uint8_t *made = malloc(file.size + size);
    memcpy(made, file.bytes, at);
    if (size > 0) {
        memcpy(made + at, bytes, size);
    }
    memcpy(made + at + size, file.bytes + at + count, file.size - at - count);
    expect(made, file.size - count + size, code, wanted);
    free(made);
}

static void a_sound_recording_is_good(void **state)
{
    (void)state;
    expect(file.bytes, file.size, 0, "GOOD");
    expect(file.bytes, file.size, 0, "they are those of 1 heads given");
}

static void each_attack_is_named(void **state)
{
    (void)state;
    size_t third = file.at[3], fourth = file.at[4], fifth = file.at[5];
    uint8_t changed = (uint8_t)(file.bytes[third + 100] ^ 1);
    exchange(third + 100, 1, &changed, 1, 1, "changed: ");
    exchange(third, fourth - third, NULL, 0, 1, "missing: ");
    exchange(fourth, fifth - fourth, file.bytes + third, fourth - third, 1, "replayed: ");
    /* A chunk of another recording under the same key. */
    exchange(third, fourth - third, other.bytes + other.at[3], other.at[4] - other.at[3], 1,
             "foreign: ");
    expect(file.bytes, file.at[6] + 10, 1, "truncated: ");
    /* Whole in itself, but another recording. */
    expect(other.bytes, other.size, 1, "chain: ");
}

static const uint8_t fresh_salt[CK_SEAL_SALT_SIZE] = "recovery's salt";

/* Cut by somebody with the key, and closed as if a crash had: as it is, and with a trailer that
 * claims to stand behind every head. */
static void a_cut_that_looks_like_a_crash_is_named(void **state)
{
    (void)state;
    for (int jump = 0; jump < 2; jump++) {
        struct sealed_file cut;
        struct ck_seal_recovery recovery;
        sealed_file_make(&cut, TEST_RECORDING, test_key, true);
        cut.size = cut.at[5];
        sealed_file_append(&cut, "x", 1);
        struct ck_seal_source source = sealed_file_source(&cut);
        assert_int_equal(ck_seal_recover(&source, TEST_RECORDING, test_key, fresh_salt,
                                         sealed_file_on_append, &cut, &recovery),
                         0);
        if (jump) {
            sealed_file_jump(&cut, test_key, 60000);
        }
        expect(cut.bytes, cut.size, 1, "truncated: ");
        sealed_file_free(&cut);
    }
}

static void an_old_wrapped_key_opens_nothing_else(void **state)
{
    (void)state;
    static const uint8_t master[CK_KEY_SIZE] = {5}, nonce[CK_GCM_NONCE_SIZE] = {6};
    uint8_t wrapped[CK_SEAL_WRAPPED_SIZE], key[CK_KEY_SIZE];
    assert_int_equal(ck_seal_wrap(master, TEST_RECORDING, nonce, test_key, wrapped), 0);
    assert_int_equal(ck_seal_unwrap(master, TEST_RECORDING, wrapped, sizeof wrapped, key), 0);
    assert_int_equal(ck_seal_unwrap(master, OTHER, wrapped, sizeof wrapped, key), CK_E_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_recording_is_good),
        cmocka_unit_test(each_attack_is_named),
        cmocka_unit_test(a_cut_that_looks_like_a_crash_is_named),
        cmocka_unit_test(an_old_wrapped_key_opens_nothing_else),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
