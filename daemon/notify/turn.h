/* What a browser does with a TURN server before media can flow, once: a connection, and a relayed
 * address by long-term credentials that are made as those of the pages are (RFC 8656; the user is
 * the time at which they end and a name, the password its HMAC-SHA-1 under the shared secret). */
#ifndef DAEMON_NOTIFY_TURN_H
#define DAEMON_NOTIFY_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/digest.h"
#include "protocol/base/text.h"

#define CK_TURN_USER_SIZE 48
#define CK_TURN_PASSWORD_SIZE CK_BASE64_SIZE(CK_SHA1_SIZE)
#define CK_TURN_DETAIL_SIZE 160
#define CK_TURN_ROUND_DETAIL_SIZE (CK_TURN_DETAIL_SIZE + 260) /* with the URL */
#define CK_TURN_NAME_SIZE 17
#define CK_TURN_KINDS 4         /* TURN or TURNS, by UDP or TCP */
#define CK_TURN_ADDRESSES_MAX 4 /* of one name that are asked */
#define CK_TURN_LOOKUP_MS 10000 /* a dead name server of two costs five seconds, twice at worst */
#define CK_TURN_SILENT_ROUNDS 2 /* one may be an accident of the network */

#define CK_TURN_OWN_NAME "checkind" /* of the daemon's own questions */

/* What a server said, from worse to better. */
enum ck_turn_verdict {
    CK_TURN_SILENT, /* nothing, or not what a browser needs */
    CK_TURN_FULL,   /* it is up, knows us and has no address left (486 and 508 of RFC 8656) */
    CK_TURN_GIVES,
};

/* The name of a page's user, for the server's quota: always the same for the same person or member
 * of staff, another for everybody else, and it tells an outsider nothing. 0; -ENOMEM. */
int ck_turn_name(struct ck_slice secret, bool staff, int64_t id,
                 char name[static CK_TURN_NAME_SIZE]);

/* User and password that end at `until_s`, seconds since 1970; `name` is shorter than
 * CK_TURN_NAME_SIZE. 0; -ENOMEM. */
int ck_turn_credentials(struct ck_slice secret, int64_t until_s, const char *name,
                        char user[static CK_TURN_USER_SIZE],
                        char password[static CK_TURN_PASSWORD_SIZE]);

/* Which way into a network `url` (turn_urls of checkind.conf) is, from 0 to CK_TURN_KINDS - 1:
 * servers of one kind stand in for each other, those of different kinds do not. */
unsigned ck_turn_kind(const char *url);

/* Asks the server for a relayed address and gives it back; where it gave none, one line for the
 * journal is in `detail`. The addresses of its name are asked in turn until one gives. Blocks: as
 * long as the system looks up the name, then at most for `timeout_ms` an address; any thread.
 * Certificates must be good for the system's authorities, as for a browser's. */
enum ck_turn_verdict ck_turn_answers(const char *url, const char *user, const char *password,
                                     int timeout_ms, char detail[static CK_TURN_DETAIL_SIZE]);

/* Asks servers until one of each kind gives: the verdict of the worst kind. As above otherwise. */
enum ck_turn_verdict ck_turn_round(const char *const *urls, size_t count, const char *user,
                                   const char *password, int timeout_ms,
                                   char detail[static CK_TURN_ROUND_DETAIL_SIZE]);

/* How long a round with so many servers may take before it counts as silent. */
uint64_t ck_turn_round_ms(size_t count, int timeout_ms);

/* Whether the servers count as good after one more round; `silent` is how many rounds in a row were
 * silent, at first 0. */
bool ck_turn_judge(enum ck_turn_verdict verdict, unsigned *silent);

#endif
