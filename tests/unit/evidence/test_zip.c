#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/zip.h"

static uint8_t bytes[4096];
static uint64_t size;

static void make(void)
{
    struct ck_zip_writer *writer = NULL;
    int fd = memfd_create("zip", MFD_CLOEXEC);
    assert_int_equal(ck_zip_writer_create(&writer, fd, (struct ck_wall){INT64_C(1795233600000)}),
                     0);
    assert_int_equal(ck_zip_add(writer, "one.txt", "first", 5), 0);
    assert_int_equal(ck_zip_begin(writer, "folder/two.txt"), 0);
    assert_int_equal(ck_zip_put(writer, "second ", 7), 0);
    assert_int_equal(ck_zip_put(writer, "file", 4), 0);
    assert_int_equal(ck_zip_add(writer, "empty", "", 0), 0);
    assert_int_equal(ck_zip_end(writer, &size), 0);
    ck_zip_writer_destroy(writer);
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), (ssize_t)size);
    close(fd);
}

struct seen {
    int count;
    char names[128];
};

static int visit(void *user, const struct ck_zip_file *file)
{
    struct seen *seen = user;
    seen->count++;
    snprintf(seen->names + strlen(seen->names), sizeof seen->names - strlen(seen->names),
             "%s=%.*s;", file->name, (int)file->size, (const char *)file->bytes);
    return 0;
}

static void files_come_back(void **state)
{
    (void)state;
    struct seen seen = {.count = 0};
    make();
    assert_int_equal(ck_zip_walk(bytes, (size_t)size, visit, &seen, NULL), 0);
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.names, "one.txt=first;folder/two.txt=second file;empty=;");
}

static void another_program_opens_it(void **state)
{
    (void)state;
    char path[] = "/tmp/ck-zip-XXXXXX", command[256];
    int fd = mkstemp(path);
    make();
    assert_int_equal(write(fd, bytes, (size_t)size), (ssize_t)size);
    close(fd);
    snprintf(command, sizeof command,
             "python3 -c \"import sys, zipfile; z = zipfile.ZipFile('%s'); sys.exit(z.testzip() is "
             "not None or z.read('folder/two.txt') != b'second file' or "
             "z.getinfo('one.txt').date_time != (2026, 11, 21, 4, 0, 0))\"",
             path);
    assert_int_equal(system(command), 0);
    unlink(path);
}

static void a_broken_archive_is_refused(void **state)
{
    (void)state;
    struct seen seen = {.count = 0};
    struct ck_zip_file bad;
    make();
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_not_equal(ck_zip_walk(bytes, cut, visit, &seen, NULL), 0);
    }
    uint8_t *at = memmem(bytes, (size_t)size, "first", 5);
    at[0] ^= 1;
    assert_int_equal(ck_zip_walk(bytes, (size_t)size, visit, &seen, &bad), CK_E_AUTH);
    assert_string_equal(bad.name, "one.txt");
    for (size_t i = 0; i < size; i++) { /* whatever it gives, it reads nothing else */
        make();
        bytes[i] ^= 0xff;
        (void)ck_zip_walk(bytes, (size_t)size, visit, &(struct seen){.count = 0}, &bad);
    }
}

/* ---- what another program would see otherwise ---- */

static size_t add_twin(const char *name, bool behind)
{
    struct ck_zip_writer *writer = NULL;
    int fd = memfd_create("zip", MFD_CLOEXEC);
    assert_int_equal(ck_zip_writer_create(&writer, fd, (struct ck_wall){INT64_C(1795233600000)}),
                     0);
    assert_int_equal(ck_zip_add(writer, behind ? "recordings/7.webm" : name, "first", 5), 0);
    assert_int_equal(ck_zip_add(writer, "between", "", 0), 0);
    assert_int_equal(ck_zip_add(writer, behind ? name : "recordings/7.webm", "last", 4), 0);
    assert_int_equal(ck_zip_end(writer, &size), 0);
    ck_zip_writer_destroy(writer);
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), (ssize_t)size);
    close(fd);
    return (size_t)size;
}

static void two_files_of_one_name_are_refused(void **state)
{
    (void)state;
    struct ck_zip_file bad;
    struct seen seen = {.count = 0};
    size_t length = add_twin("recordings/7.webm", true);
    assert_int_equal(ck_zip_walk(bytes, length, visit, &seen, &bad), CK_E_CONFLICT);
    assert_string_equal(bad.name, "recordings/7.webm");
    assert_int_equal(seen.count, 0);
}

/* Written under a name of equal length, then renamed in both headers. */
static void names_that_may_mean_another_file_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "recordings/7.WEBM",
        "Recordings/7.webm",
        "recordings//.webm",
        "recordings/../web",
        "recordings\\7.webm",
        "/ecordings/7.webm",
        "recordings/7.web.",
        "recordings/7.web ",
        "recordings/7.web/",
        "./cordings/7.webm",
        ("recordings/7\xd0\xba"
         "ebm"),
        "recordings/7.we\tm",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ck_zip_file bad;
        struct seen seen = {.count = 0};
        size_t length = add_twin("recordings/x.webm", i % 2 == 0);
        for (uint8_t *at; (at = memmem(bytes, length, "recordings/x.webm", 17)) != NULL;) {
            memcpy(at, names[i], 17);
        }
        assert_int_equal(ck_zip_walk(bytes, length, visit, &seen, &bad), CK_E_INVALID);
        assert_string_equal(bad.name, names[i]);
        assert_int_equal(seen.count, 0);
        struct ck_zip_writer *writer = NULL;
        int fd = memfd_create("zip", MFD_CLOEXEC);
        assert_int_equal(ck_zip_writer_create(&writer, fd, (struct ck_wall){0}), 0);
        assert_int_equal(ck_zip_add(writer, names[i], "", 0), CK_E_INVALID);
        ck_zip_writer_destroy(writer);
        close(fd);
    }
    /* A name that goes on behind a zero. */
    size_t length = add_twin("recordings/x.webm", true);
    for (uint8_t *at; (at = memmem(bytes, length, "recordings/x.webm", 17)) != NULL;) {
        memcpy(at, "recordings/7.we\0m", 17);
    }
    assert_int_equal(ck_zip_walk(bytes, length, visit, &(struct seen){.count = 0}, NULL),
                     CK_E_INVALID);
}

/* A file that the directory does not name, which a program that reads from the front would show. */
static void files_outside_the_directory_are_refused(void **state)
{
    (void)state;
    static uint8_t hidden[sizeof bytes];
    struct ck_zip_file bad;
    make();
    size_t count = (size_t)size, end = count - 22;
    /* The first is dropped from the directory alone. */
    size_t at = bytes[end + 16] | (size_t)bytes[end + 17] << 8, first = 46 + strlen("one.txt");
    memcpy(hidden, bytes, at);
    memcpy(hidden + at, bytes + at + first, count - at - first);
    uint8_t *last = hidden + end - first;
    last[8] = last[10] = 2;
    last[12] = (uint8_t)(last[12] - first);
    assert_int_equal(ck_zip_walk(hidden, count - first, visit, &(struct seen){.count = 0}, &bad),
                     CK_E_INVALID);
    /* Something in front, behind the end, and a comment. */
    memcpy(hidden, "x", 1);
    memcpy(hidden + 1, bytes, count);
    assert_int_not_equal(ck_zip_walk(hidden, count + 1, visit, &(struct seen){.count = 0}, &bad),
                         0);
    memcpy(hidden, bytes, count);
    assert_int_not_equal(ck_zip_walk(hidden, count + 1, visit, &(struct seen){.count = 0}, &bad),
                         0);
}

/* Both headers of a file say the same. */
static void headers_that_disagree_are_refused(void **state)
{
    (void)state;
    struct ck_zip_file bad;
    for (size_t i = 4; i < 30; i++) {
        make();
        bytes[i] ^= 1;
        assert_int_equal(ck_zip_walk(bytes, (size_t)size, visit, &(struct seen){.count = 0}, &bad),
                         CK_E_INVALID);
        assert_string_equal(bad.name, "one.txt");
    }
}

/* More files than the first ZIP can count, as another program sees them, too. */
#define MANY 70000

static int count_file(void *user, const struct ck_zip_file *file)
{
    (void)file;
    ++*(int *)user;
    return 0;
}

static void more_files_than_the_first_zip_can_count(void **state)
{
    (void)state;
    struct ck_zip_writer *writer = NULL;
    char name[64], path[] = "/tmp/ck-zip-XXXXXX", command[300];
    uint64_t made = 0;
    int count = 0, fd = mkstemp(path);
    assert_int_equal(ck_zip_writer_create(&writer, fd, (struct ck_wall){INT64_C(1795233600000)}),
                     0);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "entries/%d.json", i);
        assert_int_equal(ck_zip_add(writer, name, name, strlen(name)), 0);
    }
    assert_int_equal(ck_zip_end(writer, &made), 0);
    ck_zip_writer_destroy(writer);
    uint8_t *all = mmap(NULL, made, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(all, MAP_FAILED);
    assert_int_equal(ck_zip_walk(all, made, count_file, &count, NULL), 0);
    assert_int_equal(count, MANY);
    snprintf(command, sizeof command,
             "python3 -c \"import zipfile; z = zipfile.ZipFile('%s'); assert len(z.namelist()) == "
             "%d and z.read('entries/69999.json') == b'entries/69999.json'\"",
             path, MANY);
    assert_int_equal(system(command), 0);
    /* Each byte behind the directory is as it must be. */
    for (uint64_t at = made - 98; at < made; at++) {
        all[at] ^= 1;
        assert_int_not_equal(ck_zip_walk(all, made, count_file, &count, NULL), 0);
        all[at] ^= 1;
    }
    munmap(all, made);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_back),
        cmocka_unit_test(another_program_opens_it),
        cmocka_unit_test(a_broken_archive_is_refused),
        cmocka_unit_test(two_files_of_one_name_are_refused),
        cmocka_unit_test(names_that_may_mean_another_file_are_refused),
        cmocka_unit_test(files_outside_the_directory_are_refused),
        cmocka_unit_test(headers_that_disagree_are_refused),
        cmocka_unit_test(more_files_than_the_first_zip_can_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
