/* Building a mail (RFC 5322, RFC 2045, RFC 2047) from values. */
#ifndef DAEMON_NOTIFY_MAIL_H
#define DAEMON_NOTIFY_MAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/time.h"

/* All texts are UTF-8. Addresses are bare and have passed ck_mail_address_ok(). */
struct ck_mail {
    const char *from;
    const char *from_name; /* "" for none */
    const char *to;
    const char *subject;
    const char *text;       /* lines ended by LF */
    const char *language;   /* "kk", or "" */
    const char *message_id; /* what stands before the '@': letters, digits, '-' and '.' */
    struct ck_wall date;
    bool important;
};

/* Whether it can be used as an address without quoting: one '@', printable ASCII without space and
 * without the characters that have a meaning in headers or SMTP; at most 254 bytes (RFC 5321
 * section 4.5.3.1). */
bool ck_mail_address_ok(const char *address);

/* Writes the whole message with CRLF line ends. No value can begin a header of its own: what is not
 * plain ASCII or has control characters is encoded. The caller frees *message, which is
 * zero-terminated. 0; CK_E_INVALID where an address, the message id or UTF-8 is not of the form
 * above; -ENOMEM. */
int ck_mail_build(const struct ck_mail *mail, char **message, size_t *size);

#endif
