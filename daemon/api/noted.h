/* Which reads were recorded of late: lists that pages ask for again and again are recorded once an
 * hour and session, and a page that asks again waits for no record.
 *
 * A full table forgets what ends soonest among the few places that a read may have: it is recorded
 * once more than it need be, never once less. Loop thread. */
#ifndef DAEMON_API_NOTED_H
#define DAEMON_API_NOTED_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_NOTED_MAX 4096 /* reads remembered */

struct ck_noted_read {
    int64_t session;
    int64_t id;         /* of the object read, or 0 */
    const char *object; /* its kind, compared by address */
};

struct ck_noted {
    struct {
        struct ck_noted_read read;
        struct ck_wall until;
    } at[CK_NOTED_MAX];
};

/* Whether it was recorded and that record's time is not over. A table of zeros remembers nothing.
 */
bool ck_noted_has(const struct ck_noted *noted, const struct ck_noted_read *read,
                  struct ck_wall now);

void ck_noted_add(struct ck_noted *noted, const struct ck_noted_read *read, struct ck_wall until);

#endif
