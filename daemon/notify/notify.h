/* Notices out: from the engine's output to a channel, and from what came of it to the engine's
 * command. Everything runs on the loop's thread. The console is no channel here: its sockets are
 * the web server's. */
#ifndef DAEMON_NOTIFY_NOTIFY_H
#define DAEMON_NOTIFY_NOTIFY_H

#include <jansson.h>
#include <uv.h>

#include "daemon/config/config.h"
#include "daemon/notify/channel.h"
#include "daemon/notify/sender.h"

#define CK_NOTIFY_CHANNELS 5 /* email, sms, webhook, voice, web_push */

struct ck_notify;

/* The body of command "notice.result" (actor: gateway), taken over by the callee:
 *   notice, try   integers, as they were in the output
 *   result        "accepted", "limited", "refused", "rejected" or "unknown" (enum ck_sent_kind)
 *   retry_after_ms  integer, where the result is limited or refused and a time was asked for
 *   gone          true where the address is no more (enum CK_SENT_REJECTED)
 *   provider_id   text, where the server gave one
 *   detail        text of one line for the timeline, no secret */
typedef void ck_notify_result(void *user, json_t *body);

/* Every try that ended, for metrics. `channel` is permanent text. */
typedef void ck_notify_ended(void *user, const char *channel, enum ck_sent_kind kind,
                             int64_t waited_ms);

struct ck_notify_options {
    const struct ck_config *config; /* must outlive it */
    struct ck_wall (*now)(void);
    void (*random)(void *user, void *bytes, size_t size); /* user is NULL; never fails */
    ck_notify_result *result;
    ck_notify_ended *ended; /* may be NULL */
    void *user;
};

/* 0 or a negative errno. */
int ck_notify_create(struct ck_notify **notify, uv_loop_t *loop,
                     const struct ck_notify_options *options);

/* Takes NULL. What waits or runs is forgotten; the engine knows it as sending and will repeat it.
 */
void ck_notify_destroy(struct ck_notify *notify);

/* Sends one notice. `body` (borrowed) is that of CK_OUTPUT_SEND:
 *   reference, channel, template, to, language  texts
 *   try         integer from 1
 *   urgency     "low", "normal", "high", "top"
 *   time        "19:00" where the check-in is held, or ""
 *   path        of the link: "/c/TOKEN", "/#/incidents/12", or ""
 *   deadline    RFC 3339; "" or absent for none
 *   repeated    true where an earlier try may have arrived
 * Exactly one result comes later, never within the call; a body that is not of this form is
 * rejected. */
void ck_notify_send(struct ck_notify *notify, int64_t notice, const json_t *body);

/* Tells the duty roster, held in memory, that nothing can be written: a mail and an SMS to each at
 * once. `body` (borrowed) is that of CK_OUTPUT_ALARM: {error, roster: [{email, phone, language}]}.
 * No result comes; what failed is logged and, unless it was rejected, tried again for about as long
 * as the roster is not told anew. */
void ck_notify_alarm(struct ck_notify *notify, const json_t *body);

/* Tells the duty roster that nobody on the ladder of an incident can be reached: a mail and an SMS
 * to each of its people in `unit`, to all of them where it has none there. `body` (borrowed) is
 * that of CK_OUTPUT_NOBODY_REACHED. Each unit is told once in five minutes, of the first incident
 * of these; the others ring on the consoles. No result comes; what failed is logged. */
void ck_notify_nobody_reached(struct ck_notify *notify, int64_t unit, const json_t *body);

/* What came of a test; valid during the call. */
typedef void ck_notify_tested(void *user, const struct ck_sent *sent);

/* Sends a test of the contact path, which belongs to no row. `reference` (in the notice as well)
 * shows the person who looks for it which one it is. `done` comes exactly once and later, with
 * ck_notify_destroy() at the latest (as unknown). CK_E_NOT_FOUND: there is no such channel;
 * CK_E_LIMIT: an address or language that is too long; -ENOMEM. */
int ck_notify_test(struct ck_notify *notify, const char *channel, const char *to,
                   const char *language, const char *reference, ck_notify_tested *done, void *user);

/* What the channels are doing: CK_NOTIFY_CHANNELS entries. */
void ck_notify_status(const struct ck_notify *notify,
                      struct ck_sender_status status[static CK_NOTIFY_CHANNELS]);

/* The same for pages and checkinctl: [{channel, configured, last_ok, last_failed (RFC 3339 or
 * null), last_error (null unless the last try failed), queued, accepted, limited, refused,
 * rejected, unknown (counts since the start)}]. NULL where memory is short. */
json_t *ck_notify_status_json(const struct ck_notify *notify);

#endif
