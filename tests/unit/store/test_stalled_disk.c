/* What makes reading go on while the disk under the store stands still: no reader is the first one
 * after a commit, who would have to write its mark, and none has a file to open.
 * (tests/e2e/test/stall.test.mjs freezes a real file system.) */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/store/person.h"
#include "daemon/store/readers.h"
#include "daemon/store/staff.h"
#include "daemon/store/store.h"

/* https://sqlite.org/walformat.html, section 2.1: words of 32 bits in the machine's order */
#define SHM_MX_FRAME 4   /* the last valid frame */
#define SHM_BACKFILL 24  /* frames that are in the database too */
#define SHM_READ_MARK 25 /* 5 of them */
#define SHM_WORDS 32

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ck-stall-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store", folder);
    return 0;
}

static void remove_all(void)
{
    DIR *open = opendir(folder);
    for (struct dirent *item; (item = readdir(open)) != NULL;) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", folder, item->d_name);
        unlink(name);
    }
    closedir(open);
}

static int teardown(void **state)
{
    (void)state;
    remove_all();
    rmdir(folder);
    return 0;
}

/* Whether the next reader finds a mark of all that is committed (or needs none). */
static bool mark_is_there(void)
{
    char name[112];
    snprintf(name, sizeof name, "%s-shm", path);
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    uint32_t words[SHM_WORDS];
    assert_int_equal(fread(words, sizeof *words, SHM_WORDS, file), SHM_WORDS);
    fclose(file);
    for (size_t i = 1; i < 5; i++) {
        if (words[SHM_READ_MARK + i] == words[SHM_MX_FRAME]) {
            return true;
        }
    }
    return words[SHM_BACKFILL] == words[SHM_MX_FRAME];
}

static void add_unit(struct ck_store *store)
{
    int64_t unit = 0;
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(ck_unit_insert(store, "unit", "Asia/Almaty", (struct ck_wall){1}, &unit), 0);
    assert_int_equal(ck_store_commit(store), 0);
}

static void test_commit_leaves_a_read_mark(void **state)
{
    (void)state;
    struct ck_store *store = NULL;
    assert_int_equal(ck_store_open(&store, path), 0);
    for (size_t i = 0; i < 20; i++) {
        add_unit(store);
        assert_true(mark_is_there());
    }
    ck_store_close(store);
}

static int look(struct ck_store *store, void *argument, json_t **out)
{
    (void)argument;
    int64_t count = 0;
    int r = ck_staff_count(store, &count);
    *out = json_integer(count);
    return r;
}

static void count_good(void *cookie, int code, json_t *value)
{
    *(size_t *)cookie += code == 0;
    json_decref(value);
}

static void test_readers_open_nothing_later(void **state)
{
    (void)state;
    struct ck_store *store = NULL;
    assert_int_equal(ck_store_open(&store, path), 0);
    add_unit(store);
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct ck_readers *readers = NULL;
    assert_int_equal(ck_readers_create(&loop, path, &readers), 0);
    remove_all(); /* what is opened from now on is not there */
    size_t good = 0;
    for (size_t i = 0; i < CK_READERS_CONNECTIONS_MAX; i++) {
        assert_int_equal(ck_readers_run(readers, look, NULL, count_good, &good), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(good, CK_READERS_CONNECTIONS_MAX);
    ck_readers_stop(readers, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    ck_store_close(store);
}

static void test_readers_of_no_store(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct ck_readers *readers = NULL;
    assert_int_not_equal(ck_readers_create(&loop, path, &readers), 0);
    assert_null(readers);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit_leaves_a_read_mark, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readers_open_nothing_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readers_of_no_store, setup, teardown),
    };
    return cmocka_run_group_tests_name("stalled_disk", tests, NULL, NULL);
}
