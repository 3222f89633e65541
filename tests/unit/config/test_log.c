#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/config/log.h"

static int kept = -1; /* the real standard error */
static int ends[2] = {-1, -1};

static void catch_begin(void)
{
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    kept = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
}

static void catch_end(char *text, size_t room)
{
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    ssize_t size = read(ends[0], text, room - 1);
    text[size > 0 ? size : 0] = '\0';
    close(ends[0]);
}

static void levels_choose_and_prefix(void **state)
{
    (void)state;
    char text[1024];
    catch_begin();
    ck_log_setup(CK_LOG_INFO, false);
    ck_log_info("started: port=%d", 8443);
    ck_log_debug("not this");
    ck_log_warning("worker gone");
    ck_log_setup(CK_LOG_ERROR, true);
    ck_log_warning("not this");
    errno = EPIPE;
    ck_log_error("cannot write");
    assert_int_equal(errno, EPIPE);
    ck_log_setup(CK_LOG_DEBUG, true);
    ck_log_debug("seen");
    catch_end(text, sizeof text);
    assert_string_equal(text,
                        "started: port=8443\nwarning: worker gone\n<3>cannot write\n<7>seen\n");
}

static void a_value_cannot_begin_a_line(void **state)
{
    (void)state;
    char text[8192];
    char value[3000];
    catch_begin();
    ck_log_setup(CK_LOG_INFO, false);
    ck_log_info("agent=%s", "x\nerror: forged\r\x1b[2J\xff");
    memset(value, 'y', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    ck_log_info("%s", value);
    catch_end(text, sizeof text);
    assert_memory_equal(text, "agent=x error: forged  [2J \n", 28);
    size_t length = strlen(text + 28);
    assert_int_equal(length, CK_LOG_LINE_MAX);
    assert_string_equal(text + 28 + length - 4, "…\n");
}

static void cutting_keeps_characters_whole(void **state)
{
    (void)state;
    char line[16];
    assert_int_equal(ck_log_format(line, sizeof line, "%s", "ққққққ"), 12);
    for (int shift = 0; shift < 3; shift++) {
        size_t size = ck_log_format(line, sizeof line, "%.*s%s", shift, "ab", "қққққққққққ");
        assert_int_equal(size, strlen(line));
        assert_in_range(size, 12, 15);
        assert_string_equal(line + size - 3, "…");
        assert_int_equal((unsigned char)line[shift] & 0xc0, 0xc0);
    }
}

static void the_journal_is_known_by_its_file(void **state)
{
    (void)state;
    struct stat about;
    char stream[64];
    assert_int_equal(fstat(STDERR_FILENO, &about), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)about.st_dev,
             (unsigned long long)about.st_ino);
    assert_true(ck_log_is_journal(stream));
    assert_false(ck_log_is_journal("1:2"));
    assert_false(ck_log_is_journal("1"));
    assert_false(ck_log_is_journal(strcat(stream, "x")));
    assert_false(ck_log_is_journal(NULL));
}

static void events_are_lines_where_there_is_no_journal(void **state)
{
    (void)state;
    char text[256];
    catch_begin();
    ck_log_setup(CK_LOG_INFO, false);
    ck_log_event(CK_LOG_EVENT_CLOCK_JUMPED, CK_LOG_WARNING, "clock set: by_ms=%d", 42);
    catch_end(text, sizeof text);
    assert_string_equal(text, "warning: clock set: by_ms=42\n");
    assert_int_equal(strlen(ck_log_event_id(CK_LOG_EVENT_CLOCK_JUMPED)), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_choose_and_prefix),
        cmocka_unit_test(a_value_cannot_begin_a_line),
        cmocka_unit_test(cutting_keeps_characters_whole),
        cmocka_unit_test(the_journal_is_known_by_its_file),
        cmocka_unit_test(events_are_lines_where_there_is_no_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
