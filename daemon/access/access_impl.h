#ifndef DAEMON_ACCESS_ACCESS_IMPL_H
#define DAEMON_ACCESS_ACCESS_IMPL_H

#include "daemon/access/access.h"

/* Checks the code of an account that has a second factor, and uses it up. `code` NULL: none was
 * given. 0 also where the account has none; CK_E_AUTH with *refusal about "code". */
int ck_second_factor_check(struct ck_turn *turn, int64_t staff, const char *code,
                           struct ck_refusal *refusal);

void ck_second_factor_register(struct ck_registry *registry);

#endif
