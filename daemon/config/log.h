/* The journal: what operators read. Not the audit log, and no evidence; nothing about a case is
 * written to it but ids and references.
 *
 * One line an event: a sentence, then `key=value` fields. On systemd the lines go to standard error
 * with the level in front ("<4>…") where JOURNAL_STREAM says that standard error is the journal,
 * otherwise with a word for the level. Thread-safe: each line is one write. */
#ifndef DAEMON_CONFIG_LOG_H
#define DAEMON_CONFIG_LOG_H

#include "daemon/config/config.h"

#define CK_LOG_LINE_MAX 2048 /* bytes; what is longer is cut and ends in "…" */

/* Sets the level for the process and whether lines carry the journal's prefix; call once at start,
 * before threads. Until then: info, without prefix. */
void ck_log_setup(enum ck_log_level level, bool journal);

/* What an operator should read up on: each has an entry in the message catalogue
 * (systemd/checkind.catalog, `journalctl -x`). */
enum ck_log_event {
    CK_LOG_EVENT_READY = 0,
    CK_LOG_EVENT_STOPPING,
    CK_LOG_EVENT_CLOCK_JUMPED,
    CK_LOG_EVENT_CLOCK_UNSYNCHRONISED,
    CK_LOG_EVENT_ZONES_WRONG,
    CK_LOG_EVENT_WORKER_DIED,
    CK_LOG_EVENT_CANNOT_WRITE,
    CK_LOG_EVENT_DISK_LOW,
    CK_LOG_EVENT_QUARANTINED,
    CK_LOG_EVENT_CHANNEL_FAILING,
    CK_LOG_EVENT_LOG_BROKEN,
    CK_LOG_EVENT_CERTIFICATE_ENDS,
    CK_LOG_EVENT_COUNT,
};

/* Like ck_log(); where standard error is the journal, the line also carries the event's MESSAGE_ID.
 */
__attribute__((format(printf, 3, 4))) void
ck_log_event(enum ck_log_event event, enum ck_log_level level, const char *format, ...);

/* The event's MESSAGE_ID, 32 hexadecimal digits. */
const char *ck_log_event_id(enum ck_log_event event);

/* Whether standard error is the journal, from the value of $JOURNAL_STREAM (may be NULL):
 * "DEVICE:INODE". */
bool ck_log_is_journal(const char *journal_stream);

/* Writes one line where the level is wanted. Line feeds and control characters become spaces, so
 * that a value can never begin a line of its own. */
__attribute__((format(printf, 2, 3))) void ck_log(enum ck_log_level level, const char *format, ...);

/* The line as it would be written, without prefix; for tests and for other destinations. Returns
 * its length. `size` at least 4. */
__attribute__((format(printf, 3, 4))) size_t ck_log_format(char *line, size_t size,
                                                           const char *format, ...);

/* For example: ck_log_warning("notice not taken: channel=%s reference=%s", channel, reference); */
#define ck_log_error(...) ck_log(CK_LOG_ERROR, __VA_ARGS__)
#define ck_log_warning(...) ck_log(CK_LOG_WARNING, __VA_ARGS__)
#define ck_log_info(...) ck_log(CK_LOG_INFO, __VA_ARGS__)
#define ck_log_debug(...) ck_log(CK_LOG_DEBUG, __VA_ARGS__)

#endif
