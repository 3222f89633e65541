#include "daemon/config/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    unsigned long long device = 0, inode = 0;
    char rest = 0;
    struct stat about;
    if (journal_stream == NULL ||
        sscanf(journal_stream, "%llu:%llu%c", &device, &inode, &rest) != 2 ||
        fstat(STDERR_FILENO, &about) < 0) {
        return false;
    }
    return about.st_dev == device && about.st_ino == inode;
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

static size_t write_prefix(char *line, size_t size, enum ck_log_level level)
{
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    static const char *const numbers[] = {"<3>", "<4>", "<6>", "<7>"};
    const char *prefix = atomic_load(&to_journal) ? numbers[level] : words[level];
    return (size_t)snprintf(line, size, "%s", prefix);
}

void ck_log(enum ck_log_level level, const char *format, ...)
{
    if ((int)level > atomic_load(&wanted)) {
        return;
    }
    int saved = errno;
    char line[CK_LOG_LINE_MAX + 1];
    size_t at = write_prefix(line, sizeof line, level);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line + at, CK_LOG_LINE_MAX - at, format, args);
    va_end(args);
    at += tidy(line + at, CK_LOG_LINE_MAX - at, length);
    line[at++] = '\n';
    /* Nothing can be done about a journal that does not take a line. */
    ssize_t written = write(STDERR_FILENO, line, at);
    (void)written;
    errno = saved;
}
