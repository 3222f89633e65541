/* Destroying what has had its time: the wrapped key first of all, so that what is sealed under it
 * is unreadable from the commit on, wherever a copy of it may be; then the bytes. Rows stay where
 * others refer to them, without what they said. All inside the open transaction. */
#ifndef DAEMON_STORE_ERASE_H
#define DAEMON_STORE_ERASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/retention.h"
#include "daemon/store/store.h"

/* The key of a recording; with that of the person also the picture that was taken from it. `file`:
 * its name in the recording folder, for whoever removes it. CK_E_NOT_FOUND. */
int ck_erase_recording(struct ck_store *store, int64_t id, char *file, size_t size);

/* Whether a class of a person's holds anything to erase; the case file and numbers always do. */
int ck_erase_is_due(struct ck_store *store, enum ck_keep keep, int64_t person, bool *due);

/* Of a person: scores and judgements; the reference photo; numbers, addresses, own phones and
 * browsers; the thread of messages. */
int ck_erase_risk(struct ck_store *store, int64_t person);
int ck_erase_photo(struct ck_store *store, int64_t person);
int ck_erase_contact(struct ck_store *store, int64_t person, struct ck_wall now);
int ck_erase_messages(struct ck_store *store, int64_t person);
/* What was confided about a person's case, and the officers' threads about it. */
int ck_erase_concern(struct ck_store *store, int64_t person);

/* Whether a key of this class of a person's is there that was made at `until` or before. */
int ck_erase_is_there(struct ck_store *store, enum ck_keep keep, int64_t person,
                      struct ck_wall until, bool *there);

/* Name, orders, notes and everything that somebody wrote about the person, and the salt: nobody can
 * tell any more which objects of the log were theirs. Numbers, times and outcomes stay. */
int ck_erase_case_file(struct ck_store *store, int64_t person);

/* The text beside the log of what concerns a person, at most `limit` entries; *left says whether
 * there are more. */
int ck_erase_log_of_person(struct ck_store *store, int64_t person, int64_t limit, bool *left);
/* The same of who came in before `until`, where it concerns nobody else. */
int ck_erase_access_log(struct ck_store *store, struct ck_wall until, int64_t limit, bool *left);

/* After a commit that destroyed something: nothing of it stays in the write-ahead log. CK_E_BUSY:
 * somebody reads; again later. */
int ck_store_scrub(struct ck_store *store);

#endif
