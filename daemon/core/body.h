/* For handlers: the members of a command's body, checked, and who may touch whose rows. */
#ifndef DAEMON_CORE_BODY_H
#define DAEMON_CORE_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/core/command.h"
#include "protocol/base/error.h"
#include "protocol/base/time.h"

/* ---- rights ---- */

/* Whether a member of staff may act on what belongs to this unit and inspector: inspectors on their
 * own caseload and those that they stand in for, officers and supervisors in their unit. */
bool ck_in_scope(const struct ck_actor *actor, int64_t unit, int64_t inspector);

/* Whether they may read what belongs to this person of that unit and inspector: as above, or
 * because they opened the case (CK_OPENED_MS from then on). */
bool ck_may_read(const struct ck_actor *actor, int64_t unit, int64_t inspector, int64_t person);
#define CK_OPENED_MS (INT64_C(1) * 3600000)         /* how long a case stays open */
#define CK_OPENED_A_DAY 10                          /* cases that one may open within … */
#define CK_OPENED_WINDOW_MS (INT64_C(24) * 3600000) /* … this time */

/* ---- members of a command's body ---- */

/* An id above 0; CK_E_INVALID with *refusal filled. */
int ck_body_id(const json_t *body, const char *name, int64_t *id, struct ck_refusal *refusal);
/* A text of 1 to `max` bytes (0 to `max` where `empty`); the pointer is into the body. */
int ck_body_text(const json_t *body, const char *name, size_t max, bool empty, const char **text,
                 struct ck_refusal *refusal);
/* An integer in a range. */
int ck_body_int(const json_t *body, const char *name, int64_t min, int64_t max, int64_t *number,
                struct ck_refusal *refusal);
/* true or false. */
int ck_body_flag(const json_t *body, const char *name, bool *flag, struct ck_refusal *refusal);
/* One of a list of words that ends with NULL; *index says which. */
int ck_body_word(const json_t *body, const char *name, const char *const *words, int *index,
                 struct ck_refusal *refusal);
/* RFC 3339, or the turn's time where the member is missing. */
int ck_body_time(struct ck_turn *turn, const json_t *body, const char *name, struct ck_wall *at,
                 struct ck_refusal *refusal);

#endif
