#include "daemon/notify/channel.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/config/log.h"

static const char *const names[CK_SENT_KIND_COUNT] = {"accepted", "limited", "refused", "rejected",
                                                      "unknown"};

const char *ck_sent_kind_name(enum ck_sent_kind kind)
{
    return (unsigned)kind < CK_SENT_KIND_COUNT ? names[kind] : NULL;
}

void ck_sent_fill(struct ck_sent *sent, enum ck_sent_kind kind, int64_t retry_after_ms,
                  const char *format, ...)
{
    char text[2 * CK_SENT_DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *sent = (struct ck_sent){.kind = kind, .retry_after_ms = retry_after_ms};
    ck_log_format(sent->detail, sizeof sent->detail, "%s", text);
}
