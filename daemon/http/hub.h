/* Who is connected: the WebSockets of persons and of consoles, what is pushed to them, and what
 * comes from them as decoded, checked messages.
 *
 * The hub authorises a socket by its session cookie, sends `hello`, decodes, limits (50 messages in
 * 10 s, 8 connections a session, the 20th error closes), and handles the message thread (message,
 * read, delivered) itself. Everything that concerns a call goes to the owner of calls through the
 * two tables ck_hub_person_calls and ck_hub_console_calls.
 *
 * Loop thread only; no callback runs inside a call of this header. */
#ifndef DAEMON_HTTP_HUB_H
#define DAEMON_HTTP_HUB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/http/server.h"
#include "protocol/client.h"

#define CK_HUB_MESSAGES_MAX 50   /* of one socket in … */
#define CK_HUB_MESSAGES_MS 10000 /* … this time; beyond: error busy */
#define CK_HUB_ERRORS_MAX 20     /* the 20th error closes a socket with 1008 */
#define CK_HUB_SOCKETS_PER_SESSION 8
#define CK_HUB_TODAY_MS 1000    /* at most one `today` a socket in this time */
#define CK_HUB_RECHECK_MS 30000 /* sessions behind open sockets are checked again this often */

struct ck_hub;

/* One connected page of a person. The values never change while it is connected; the pointer is
 * good until closed() returns. */
struct ck_hub_person;
int64_t ck_hub_person_id(const struct ck_hub_person *socket);
int64_t ck_hub_person_session(const struct ck_hub_person *socket);
int64_t
ck_hub_person_checkin(const struct ck_hub_person *socket); /* 0: none bound to the session */

/* One connected page of a staff member. */
struct ck_hub_console;
int64_t ck_hub_console_staff(const struct ck_hub_console *socket);
int64_t ck_hub_console_session(const struct ck_hub_console *socket);
int64_t ck_hub_console_unit(const struct ck_hub_console *socket);
unsigned ck_hub_console_roles(const struct ck_hub_console *socket); /* CK_ROLE_… bits */

/* What the owner of calls does with messages. Every message is answered by exactly one
 * ck_hub_…_ok() or ck_hub_…_error(), now or later, with the `ref` it came with; for `offer` and
 * `restart` the answer is ck_client_answer() instead of ok. Texts live until the callback returns.
 */
struct ck_hub_person_calls {
    void *user;
    void (*opened)(void *user, struct ck_hub_person *socket);
    void (*closed)(void *user, struct ck_hub_person *socket);
    /* `generation`: of the peer connection that the page still holds; 0: none. Here and in take().
     */
    void (*join)(void *user, struct ck_hub_person *socket, struct ck_client_ref ref,
                 const char *device, uint32_t generation);
    void (*offer)(void *user, struct ck_hub_person *socket, struct ck_client_ref ref,
                  const char *sdp, uint32_t generation, bool restart);
    void (*fact)(void *user, struct ck_hub_person *socket, struct ck_client_ref ref,
                 enum ck_client_fact fact, const char *detail);
    void (*challenge_done)(void *user, struct ck_hub_person *socket, struct ck_client_ref ref,
                           uint32_t number);
    void (*pause)(void *user, struct ck_hub_person *socket, struct ck_client_ref ref,
                  enum ck_client_pause reason);
    void (*resume)(void *user, struct ck_hub_person *socket, struct ck_client_ref ref);
    void (*decline)(void *user, struct ck_hub_person *socket, struct ck_client_ref ref,
                    const char *reason);
    void (*leave)(void *user, struct ck_hub_person *socket, struct ck_client_ref ref);
    /* A new array for `hello`: ck_client_ice_servers(). */
    json_t *(*ice_servers)(void *user);
};

struct ck_hub_console_calls {
    void *user;
    void (*opened)(void *user, struct ck_hub_console *socket);
    void (*closed)(void *user, struct ck_hub_console *socket);
    void (*take)(void *user, struct ck_hub_console *socket, struct ck_client_ref ref,
                 int64_t checkin, uint32_t generation);
    void (*offer)(void *user, struct ck_hub_console *socket, struct ck_client_ref ref,
                  int64_t checkin, const char *sdp, uint32_t generation, bool restart);
    void (*end)(void *user, struct ck_hub_console *socket, struct ck_client_ref ref,
                int64_t checkin);
    json_t *(*ice_servers)(void *user);
};

/* To one socket. `message` is taken over. */
void ck_hub_person_send(struct ck_hub_person *socket, json_t *message);
void ck_hub_console_send(struct ck_hub_console *socket, json_t *message);
void ck_hub_person_ok(struct ck_hub_person *socket, struct ck_client_ref ref);
void ck_hub_console_ok(struct ck_hub_console *socket, struct ck_client_ref ref);
void ck_hub_person_error(struct ck_hub_person *socket, struct ck_client_ref ref,
                         enum ck_client_error code, const char *field, unsigned line,
                         const char *text, uint64_t retry_after_ms);
void ck_hub_console_error(struct ck_hub_console *socket, struct ck_client_ref ref,
                          enum ck_client_error code, const char *field, unsigned line,
                          const char *text, uint64_t retry_after_ms);

/* To whoever is connected; the number of sockets it went to. `message` is taken over. */
unsigned ck_hub_to_person(struct ck_hub *hub, int64_t person, json_t *message);
unsigned ck_hub_to_staff(struct ck_hub *hub, int64_t staff, json_t *message);
/* Staff of the unit who have one of `roles` (CK_ROLE_… bits). */
unsigned ck_hub_to_unit(struct ck_hub *hub, int64_t unit, unsigned roles, json_t *message);

/* Something in GET /api/today of this unit changed: its consoles hear `today`, at most one a second
 * each. */
void ck_hub_today(struct ck_hub *hub, int64_t unit);

/* The person's check-in changed: their pages get `hello` with the present state. */
void ck_hub_refresh_person(struct ck_hub *hub, int64_t person);

/* Hands the person's present PersonState to `ready` (NULL where it cannot be had), for
 * ck_client_person_ended(). `socket` may be gone by then; then `ready` is not called. */
void ck_hub_person_state(struct ck_hub_person *socket,
                         void (*ready)(void *user, struct ck_hub_person *socket, json_t *state),
                         void *user);

/* Whether a page of theirs is connected now. */
bool ck_hub_has_person(const struct ck_hub *hub, int64_t person);
bool ck_hub_has_staff(const struct ck_hub *hub, int64_t staff);

/* Sessions that have ended (log-out, disabled account): their sockets close with 4401. */
void ck_hub_end_session(struct ck_hub *hub, int64_t session);

#endif
