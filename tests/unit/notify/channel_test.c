#include "channel_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

void test_dir_make(char path[static 256])
{
    const char *base = getenv("TMPDIR");
    snprintf(path, 256, "%s/checkind-test-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(path));
    write_file(path, "master.key",
               "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
    write_file(path, "secret", TEST_SECRET "\n");
    write_file(path, "secrets", TEST_NEW_SECRET "\n" TEST_SECRET "\n");
    write_file(path, "password", "correct horse\n");
}

void test_dir_remove(const char *path)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
    rmdir(path);
}

void test_config(struct ck_config *config, const char *dir, const char *lines)
{
    static struct ck_config_faults faults;
    char text[4096];
    struct ck_config_place place = {.credentials_dir = dir};
    snprintf(
        text, sizeof text,
        "[daemon]\npublic_url = https://checkin.example.org\nmaster_key_file = %%d/master.key\n"
        "[http]\nself_signed = yes\n%s",
        lines);
    int error = ck_config_parse(config, text, strlen(text), &place, &faults);
    if (error != 0) {
        ck_config_faults_print(&faults, "test", stderr);
    }
    assert_int_equal(error, 0);
}

struct ck_sending test_sending(const char *to)
{
    struct ck_sending sending = {
        .notice = 42,
        .tries = 1,
        .words = CK_WORDS_INCIDENT,
        .urgency = CK_URGENCY_HIGH,
        .reference = "N-7K3F-92QD",
        .language = "en",
        .time = "19:00",
        .link = "https://checkin.example.org/#/incidents/12",
    };
    snprintf(sending.to, sizeof sending.to, "%s", to);
    return sending;
}
