/* What a verification says: findings (something is not as it must be), and facts (what is proven,
 * what is not). One line each, for people or as JSON lines for programs. */
#ifndef DAEMON_VERIFY_FINDING_H
#define DAEMON_VERIFY_FINDING_H

#include <stdbool.h>
#include <stdint.h>

struct ck_verdict {
    bool json;
    bool quiet; /* counts only: for measuring */
    uint64_t findings;
};

/* `name` is one word for programs ("changed", "removed", "fork", …: checkin-verify(1) lists them).
 */
void ck_verdict_find(struct ck_verdict *verdict, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ck_verdict_proven(struct ck_verdict *verdict, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void ck_verdict_not_proven(struct ck_verdict *verdict, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
