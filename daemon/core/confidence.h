/* What a victim or somebody else reported, and what officers wrote about it: concerns, safety
 * checks, the words in incidents of these kinds. Each text is sealed under a key of its own, has a
 * class of its own in retention (CK_KEEP_CONCERN), and lies nowhere else: beside the log there is
 * its salt alone. */
#ifndef DAEMON_CORE_CONFIDENCE_H
#define DAEMON_CORE_CONFIDENCE_H

#include "daemon/core/sealed.h"
#include "scheduler/effects.h"

/* Whether an incident is of a kind whose words are confided: safety checks and concerns, which are
 * officers' and supervisors' alone. */
bool ck_is_restricted(enum ck_incident_kind kind);

/* Writes a text about a person's case down; *id: for the row that refers to it. */
int ck_confide(struct ck_turn *turn, int64_t person, const char *text, int64_t *id);

/* Opens in place what queries found: in each row of `list` whose member "confided" is a number, the
 * text becomes `member`, "" once erased. "confided", "key", "nonce" and "sealed" are taken out of
 * every row. *opened (or NULL) becomes true where a text was opened. Any thread. -EUCLEAN. */
int ck_confided_open(const uint8_t master[static CK_KEY_SIZE], json_t *list, const char *member,
                     bool *opened);

#endif
