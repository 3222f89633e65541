/* What a browser does with a TURN server before media can flow, once: a connection, and a relayed
 * address by long-term credentials that are made as those of the pages are (RFC 8656; the user is
 * the time at which they end, the password its HMAC-SHA-1 under the shared secret). */
#ifndef DAEMON_NOTIFY_TURN_H
#define DAEMON_NOTIFY_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/digest.h"
#include "protocol/base/text.h"

#define CK_TURN_USER_SIZE 48
#define CK_TURN_PASSWORD_SIZE CK_BASE64_SIZE(CK_SHA1_SIZE)
#define CK_TURN_DETAIL_SIZE 160
#define CK_TURN_KINDS 4 /* TURN or TURNS, by UDP or TCP */

/* Name and password that end at `until_s`, seconds since 1970. 0; -ENOMEM. */
int ck_turn_credentials(struct ck_slice secret, int64_t until_s,
                        char user[static CK_TURN_USER_SIZE],
                        char password[static CK_TURN_PASSWORD_SIZE]);

/* Which way into a network `url` (turn_urls of checkind.conf) is, from 0 to CK_TURN_KINDS - 1:
 * servers of one kind stand in for each other, those of different kinds do not. */
unsigned ck_turn_kind(const char *url);

/* Asks the server for a relayed address and gives it back; whether it gave one, else one line for
 * the journal in `detail`. Blocks, at most for `timeout_ms` and as long as the system looks up its
 * name; any thread. Certificates must be good for the system's authorities, as for a browser's. */
bool ck_turn_answers(const char *url, const char *user, const char *password, int timeout_ms,
                     char detail[static CK_TURN_DETAIL_SIZE]);

#endif
