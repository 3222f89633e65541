/* Who is connected: the WebSockets of persons and of consoles, what is pushed to them, and what
 * comes from them as decoded, checked messages.
 *
 * The hub authorises a socket by its session cookie (4401 without one), sends `hello`, decodes,
 * limits, and handles the message thread (message, read) itself. Everything that concerns a call
 * goes to the owner of calls through ck_hub_calls.
 *
 * Loop thread only. */
#ifndef DAEMON_API_HUB_H
#define DAEMON_API_HUB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/config/config.h"
#include "daemon/core/bus.h"
#include "daemon/http/server.h"
#include "daemon/store/readers.h"
#include "protocol/client.h"

/* Where the two sides upgrade. */
#define CK_HUB_PERSON_PATH "/ws/person"
#define CK_HUB_CONSOLE_PATH "/ws/console"

#define CK_HUB_MESSAGES_MAX 50   /* of one socket in … */
#define CK_HUB_MESSAGES_MS 10000 /* … this time; beyond: error busy */
#define CK_HUB_ACTOR_MAX 150     /* of all sockets of one person or member of staff at once, … */
#define CK_HUB_ACTOR_REFILL_MS 100 /* … and one more in this time; beyond: error busy */
#define CK_HUB_ERRORS_MAX 20       /* the 20th error closes a socket with 1008 */
#define CK_HUB_SOCKETS_PER_SESSION 8
#define CK_HUB_TODAY_MS 1000 /* at most one `today` a socket in this time */
/* Sessions behind open sockets are looked up again this often, and their pages get fresh
 * credentials of the relays. */
#define CK_HUB_RECHECK_MS 30000

struct ck_hub;

/* One connected page, good until closed() returns. */
struct ck_hub_page;

enum ck_client_side ck_hub_page_side(const struct ck_hub_page *page);
/* Complete: kind, ids, roles, session, check-in of a person's link, address. */
const struct ck_actor *ck_hub_page_actor(const struct ck_hub_page *page);
/* What the person's own phone signs in this session (ck_api_challenge()). */
int ck_hub_page_challenge(const struct ck_hub_page *page, char challenge[static 44]);

/* What the owner of calls does with messages (all kinds of protocol/client.h but message and read).
 * Every message is answered by one ck_client_ok() or ck_client_error(), now or later, with its ref;
 * `offer` and `restart` by ck_client_answer() instead of ok. The message lives until the callback
 * returns. */
struct ck_hub_calls {
    void *user;
    void (*message)(void *user, struct ck_hub_page *page, const struct ck_client_message *message);
    void (*closed)(void *user, struct ck_hub_page *page);
    /* Whether somebody with this session is in a call that goes on: it keeps the session alive.
     * NULL: never. */
    bool (*in_call)(void *user, int64_t session);
    /* A new array for `hello` and `ice` of one page: ck_client_ice_servers(). */
    json_t *(*ice_servers)(void *user, const struct ck_actor *actor);
    bool relay_only; /* told with it */
};

struct ck_hub_options {
    uv_loop_t *loop;
    const struct ck_config *config; /* outlives it */
    struct ck_bus *bus;
    struct ck_readers *readers;
    struct ck_wall (*now)(void);
    struct ck_hub_calls calls;
    unsigned recheck_ms; /* 0: CK_HUB_RECHECK_MS */
};

int ck_hub_create(const struct ck_hub_options *options, struct ck_hub **hub);
/* After the server has closed all its sockets. The memory goes when the loop has closed the handle.
 */
void ck_hub_destroy(struct ck_hub *hub);

/* The endpoints' callbacks (daemon/http/server.h). */
void ck_hub_open(struct ck_hub *hub, enum ck_client_side side, struct ck_http_socket *socket);
void ck_hub_message(struct ck_hub *hub, struct ck_http_socket *socket, const char *text,
                    size_t size);
void ck_hub_closed(struct ck_hub *hub, struct ck_http_socket *socket);

/* To one page. `message` is taken over; NULL (no memory) is logged. */
void ck_hub_send(struct ck_hub_page *page, json_t *message);

/* To whoever is connected; the number of pages it went to. `message` is taken over. */
unsigned ck_hub_to_person(struct ck_hub *hub, int64_t person, json_t *message);
unsigned ck_hub_to_staff(struct ck_hub *hub, int64_t staff, json_t *message);
/* To an inspector, and to whoever has their caseload as a stand-in. */
unsigned ck_hub_to_caseload(struct ck_hub *hub, int64_t inspector, json_t *message);

/* A message of a thread, to both sides: the sender's other pages show it, too. Where a page of the
 * other side is there, it is delivered. `message` stays the caller's. */
void ck_hub_thread(struct ck_hub *hub, int64_t person, int64_t inspector, const json_t *message);
/* Staff of the unit who have one of `roles` (CK_ROLE_… bits). */
unsigned ck_hub_to_unit(struct ck_hub *hub, int64_t unit, unsigned roles, json_t *message);

/* Something in GET /api/today of this unit changed: its consoles hear `today`. */
void ck_hub_today(struct ck_hub *hub, int64_t unit);

/* The person's check-in changed: their pages get `hello` with the present state. */
void ck_hub_refresh_person(struct ck_hub *hub, int64_t person);

/* To every console: nothing can be written since `from` (lasted_ms 0), or it can again after so
 * long. A console that comes meanwhile hears it after `hello`. */
void ck_hub_store(struct ck_hub *hub, struct ck_wall from, int64_t lasted_ms);

/* Sessions that have ended (log-out, disabled account): their sockets close with 4401. */
void ck_hub_end_session(struct ck_hub *hub, int64_t session);

#endif
