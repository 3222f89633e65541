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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_back),
        cmocka_unit_test(another_program_opens_it),
        cmocka_unit_test(a_broken_archive_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
