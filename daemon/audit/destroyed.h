/* Keys that are gone for good, as the log has it. A row of the store can be put back from a backup;
 * what the log says of it cannot be taken away unseen. */
#ifndef DAEMON_AUDIT_DESTROYED_H
#define DAEMON_AUDIT_DESTROYED_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/retention.h"
#include "daemon/store/store.h"

/* Whether this recording's key was destroyed: an entry EXPIRY_ERASED is about it, or its person's
 * case file was erased, which waits for the last of the recordings. A wrapped key that is there all
 * the same was put back, and nothing may be opened with it. On any connection. CK_E_NOT_FOUND:
 * there is no such recording. */
int ck_audit_recording_destroyed(struct ck_store *store, int64_t recording, bool *destroyed);

/* The same of what a person's threads, reference photo, assessments and what was confided
 * (CK_KEEP_MESSAGES, _PHOTO, _RISK, _CONCERN) are sealed under: whether a key is there that is
 * older than the newest destruction of its class that the log knows, or any at all where the case
 * file was erased. A key made afterwards, for somebody who is bound again, is none. */
int ck_audit_put_back(struct ck_store *store, enum ck_keep keep, int64_t person, bool *put_back);

/* A check-in's picture goes with the key of the person's recording. */
int ck_audit_thumbnail_put_back(struct ck_store *store, int64_t checkin, bool *put_back);

#endif
