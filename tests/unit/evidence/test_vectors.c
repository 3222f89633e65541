/* The log of tests/data/log: what was written once is read the same ever after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "protocol/base/bytes.h"
#include "protocol/canonical.h"
#include "tests/unit/evidence/rig.h"

#define PROGRAM CK_BUILD_DIR "/bin/checkin-verify"
#define VECTORS CK_SOURCE_DIR "/tests/data/log"
#define ENTRIES "tile/entries/000.p/34"
#define KEY "--key=checkin.example.org/log+49e0b0e1+ATYgD48u+RktsetVOQCVelMqkNKH0ajax2pLOp4ZIHcm"

static char folder[] = "/tmp/ck-vectors-XXXXXX";
static char copy[64];

static int setup(void **state)
{
    (void)state;
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(copy, sizeof copy, "%s/copy", folder);
    rig_copy(VECTORS "/copy", copy);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char *printed = NULL;
    int ended = rig_run("rm", (const char *const[]){"-rf", folder, NULL}, &printed);
    free(printed);
    return ended;
}

static void expect(const char *program, const char *const *arguments, int code, const char *wanted)
{
    char *printed = NULL;
    int ended = rig_run(program, arguments, &printed);
    if (ended != code || strstr(printed, wanted) == NULL) {
        fail_msg("ended with %d, wanted %d and \"%s\":\n%s", ended, code, wanted, printed);
    }
    free(printed);
}

static void expect_log(int code, const char *wanted)
{
    expect(PROGRAM, (const char *const[]){KEY, "log", copy, NULL}, code, wanted);
}

static size_t read_file(const char *path, char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    assert_true(size > 0 && size < room);
    return size;
}

static void flip(const char *name, long at)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", copy, name);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_true(byte != EOF);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
    fclose(file);
}

static void the_log_is_good(void **state)
{
    (void)state;
    expect_log(0, "34 entries are, in this order, those that 2 checkpoints were signed for");
    expect_log(0, "nothing is missing about 2 check-ins, 2 incidents, 4 notices and 0 recordings");
    expect("python3",
           (const char *const[]){CK_SOURCE_DIR "/tests/unit/evidence/independent.py",
                                 VECTORS "/copy", VECTORS "/entry.tlog-proof", VECTORS "/entry",
                                 NULL},
           0, "entry 4");
}

static void the_roots_are_these(void **state)
{
    (void)state;
    char note[512];
    size_t size = read_file(VECTORS "/copy/checkpoint", note, sizeof note);
    assert_non_null(memmem(note, size, "\n34\ntDma4Hzc7xJdYKFuQkDTB6tkDOR3R5PCFxJJt54vLew=\n", 49));
    size = read_file(VECTORS "/entry.tlog-proof", note, sizeof note);
    assert_non_null(memmem(note, size, "\n24\n7PACk9+fBO5kva3pxn54GYhmyJITQOFbbJV4lbXdYjQ=\n", 49));
}

static void the_proof_is_good(void **state)
{
    (void)state;
    expect(PROGRAM,
           (const char *const[]){KEY, "proof", VECTORS "/entry.tlog-proof", VECTORS "/entry", NULL},
           0, "entry 4 is among the 24 entries of checkin.example.org/log");
}

/* Leaves are bytes, and these are the ones we would write today for the same facts. */
static void the_entry_is_written_the_same(void **state)
{
    (void)state;
    char stored[1024];
    uint8_t written[1024];
    json_error_t error;
    size_t size = read_file(VECTORS "/entry", stored, sizeof stored);
    json_t *entry = json_loadb(stored, size, 0, &error);
    assert_non_null(entry);
    struct ck_writer writer = ck_writer_of(written, sizeof written);
    assert_int_equal(ck_canonical_write(&writer, entry), 0);
    assert_int_equal(writer.size, size);
    assert_memory_equal(written, stored, size);
    json_decref(entry);
}

static void any_changed_byte_is_found(void **state)
{
    (void)state;
    static const long places[] = {0, 1, 2, 700, 5000, 10371};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        flip(ENTRIES, places[i]);
        char *printed = NULL;
        int ended = rig_run(PROGRAM, (const char *const[]){KEY, "log", copy, NULL}, &printed);
        assert_int_equal(ended, 1);
        assert_non_null(strstr(printed, "NOT GOOD"));
        free(printed);
        flip(ENTRIES, places[i]);
    }
    expect_log(0, "GOOD");
    flip("checkpoint", 40);
    flip("checkpoints", 230);
    expect_log(1, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_log_is_good, setup, teardown),
        cmocka_unit_test(the_roots_are_these),
        cmocka_unit_test(the_proof_is_good),
        cmocka_unit_test(the_entry_is_written_the_same),
        cmocka_unit_test_setup_teardown(any_changed_byte_is_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
