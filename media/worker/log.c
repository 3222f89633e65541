#include "media/worker/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_SIZE 512

static enum ck_worker_log_level shown = CK_WORKER_LOG_INFO;

void ck_media_log_level(enum ck_worker_log_level level)
{
    shown = level;
}

void ck_media_log(enum ck_worker_log_level level, const char *format, ...)
{
    static const char priorities[] = {'3', '4', '6', '7'};
    if (level > shown) {
        return;
    }
    char line[LINE_MAX_SIZE];
    int head = snprintf(line, sizeof line, "<%c>checkin-media: ", priorities[level]);
    va_list arguments;
    va_start(arguments, format);
    int body = vsnprintf(line + head, sizeof line - (size_t)head, format, arguments);
    va_end(arguments);
    size_t size = (size_t)head + (body < 0 ? 0 : (size_t)body);
    if (size > sizeof line - 1) {
        size = sizeof line - 1;
    }
    line[size++] = '\n';
    /* One write a line; where nobody reads any more there is nobody to tell. */
    if (write(STDERR_FILENO, line, size) < 0) {
        return;
    }
}
