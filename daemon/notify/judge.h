/* What answers of HTTP servers mean, for all channels that speak HTTP. */
#ifndef DAEMON_NOTIFY_JUDGE_H
#define DAEMON_NOTIFY_JUDGE_H

#include <stdbool.h>

#include "daemon/notify/channel.h"
#include "daemon/notify/request.h"

/* A server that limits us without saying for how long is left alone for so long. */
#define CK_JUDGE_LIMITED_MS 30000
/* The longest pause that a server gets: one that asks for more is asked again. A mistake of theirs
 * must not silence a channel for days. */
#define CK_JUDGE_AFTER_MAX_MS 900000

/* An exchange that did not come to its end. Fills *sent and returns true, or returns false where it
 * did. */
bool ck_judge_fault(const struct ck_response *response, struct ck_sent *sent);

/* A status that is not one of success:
 *   429                             limited, for Retry-After or CK_JUDGE_LIMITED_MS
 *   408, 425, 5xx                   refused, for Retry-After; both CK_JUDGE_AFTER_MAX_MS at most
 *   401, 403, 404, 405, 1xx-3xx     refused: our configuration or theirs, not the notice, is at
 * fault other 4xx                       rejected */
void ck_judge_status(const struct ck_response *response, struct ck_sent *sent);

/* The value at `path` ("messages.0.status": names and indexes joined by dots) in the JSON of the
 * answer, as text: strings as they are, numbers and true/false as JSON writes them. False where
 * there is none. */
bool ck_judge_field(const char *json, size_t size, const char *path, char *value, size_t room);

#endif
