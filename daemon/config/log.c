#include "daemon/config/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

#include "protocol/base/text.h"

static atomic_int wanted = CK_LOG_INFO;
static atomic_bool to_journal;

void ck_log_setup(enum ck_log_level level, bool journal)
{
    atomic_store(&wanted, (int)level);
    atomic_store(&to_journal, journal);
}

bool ck_log_is_journal(const char *journal_stream)
{
    struct stat about;
    char ours[48];
    if (journal_stream == NULL || fstat(STDERR_FILENO, &about) < 0) {
        return false;
    }
    snprintf(ours, sizeof ours, "%llu:%llu", (unsigned long long)about.st_dev,
             (unsigned long long)about.st_ino);
    return strcmp(ours, journal_stream) == 0;
}

/* Makes what snprintf() left in `line` one printable line; `length` is what it wanted to write. */
static size_t tidy(char *line, size_t size, int length)
{
    static const char more[] = "…";
    if (length < 0) {
        length = 0;
        line[0] = '\0';
    }
    size_t used = (size_t)length;
    if (used >= size) {
        used = size - sizeof more;
        while (used > 0 && ((unsigned char)line[used] & 0xc0) == 0x80) {
            used--;
        }
        memcpy(line + used, more, sizeof more);
        used += sizeof more - 1;
    }
    bool utf8 = ck_utf8_valid(line, used);
    for (size_t i = 0; i < used; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8)) {
            line[i] = ' ';
        }
    }
    return used;
}

size_t ck_log_format(char *line, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, size, format, args);
    va_end(args);
    return tidy(line, size, length);
}

static const char *const event_ids[CK_LOG_EVENT_COUNT] = {
    [CK_LOG_EVENT_READY] = "97217549e88c4083b7114aac5deb21de",
    [CK_LOG_EVENT_STOPPING] = "fff337b820d44ee49b8c9d65ba5c3e4a",
    [CK_LOG_EVENT_CLOCK_JUMPED] = "6c159842fd9d45a584a7b4bca6ef9f61",
    [CK_LOG_EVENT_CLOCK_UNSYNCHRONISED] = "2f1d12ca68b743c1bdf9587ff93f3e6b",
    [CK_LOG_EVENT_ZONES_WRONG] = "9b96c798b8b044d1867490fcc4cb6b3b",
    [CK_LOG_EVENT_WORKER_DIED] = "f7302a783c4843fd9be677eade9f09c4",
    [CK_LOG_EVENT_CANNOT_WRITE] = "002b11903e95492cb70f9bbdaeb6fdd5",
    [CK_LOG_EVENT_DISK_LOW] = "f6703b12e4bd4073b234c788b28b5cd0",
    [CK_LOG_EVENT_QUARANTINED] = "23a0eb46474c4caba108a827b3c282af",
    [CK_LOG_EVENT_CHANNEL_FAILING] = "4ff75c70904c4482b57ea86eb372ac87",
    [CK_LOG_EVENT_LOG_BROKEN] = "4893c803959d4a97ad77a0914ebbdbec",
    [CK_LOG_EVENT_CERTIFICATE_ENDS] = "e9faf862825c4e7399fabb809f953d34",
};

static size_t write_prefix(char *line, size_t size, enum ck_log_level level)
{
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    static const char *const numbers[] = {"<3>", "<4>", "<6>", "<7>"};
    const char *prefix = atomic_load(&to_journal) ? numbers[level] : words[level];
    return (size_t)snprintf(line, size, "%s", prefix);
}

/* One line to standard error. */
__attribute__((format(printf, 2, 0))) static void write_line(enum ck_log_level level,
                                                             const char *format, va_list args)
{
    char line[CK_LOG_LINE_MAX + 1];
    size_t at = write_prefix(line, sizeof line, level);
    int length = vsnprintf(line + at, CK_LOG_LINE_MAX - at, format, args);
    at += tidy(line + at, CK_LOG_LINE_MAX - at, length);
    line[at++] = '\n';
    /* Nothing can be done about a journal that does not take a line. */
    ssize_t written = write(STDERR_FILENO, line, at);
    (void)written;
}

void ck_log(enum ck_log_level level, const char *format, ...)
{
    if ((int)level > atomic_load(&wanted)) {
        return;
    }
    int saved = errno;
    va_list args;
    va_start(args, format);
    write_line(level, format, args);
    va_end(args);
    errno = saved;
}

const char *ck_log_event_id(enum ck_log_event event)
{
    return event_ids[event];
}

/* Whether the journal has taken it. */
__attribute__((format(printf, 3, 0))) static bool
send_event(enum ck_log_event event, enum ck_log_level level, const char *format, va_list args)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    char line[CK_LOG_LINE_MAX];
    tidy(line, sizeof line, vsnprintf(line, sizeof line, format, args));
    return sd_journal_send("MESSAGE=%s", line, "MESSAGE_ID=%s", event_ids[event], "PRIORITY=%i",
                           priorities[level], NULL) >= 0;
}

void ck_log_event(enum ck_log_event event, enum ck_log_level level, const char *format, ...)
{
    if ((int)level > atomic_load(&wanted)) {
        return;
    }
    int saved = errno;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    if (!atomic_load(&to_journal) || !send_event(event, level, format, args)) {
        write_line(level, format, again);
    }
    va_end(again);
    va_end(args);
    errno = saved;
}
