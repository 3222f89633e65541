/* The HTTP API of protocol/http.yaml: requests in, commands and queries behind them.
 *
 * For every request, in this order: route, session, CSRF token, policy (daemon/access/policy.h),
 * body; reads of a person's data are recorded by a command before the query runs. Loop thread only.
 */
#ifndef DAEMON_API_API_H
#define DAEMON_API_API_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <jansson.h>

#include "daemon/access/password.h"
#include "daemon/config/config.h"
#include "daemon/core/bus.h"
#include "daemon/http/pages.h"
#include "daemon/http/server.h"
#include "daemon/store/readers.h"

#define CK_API_BODY_MAX (64 << 10) /* bytes of a JSON body */
#define CK_API_PHOTO_MAX (2 << 20) /* bytes of a reference photo */
/* bytes of a JSON body with a file of 4 MiB in it, as base64 */
#define CK_API_FILE_BODY_MAX ((6 << 20) + CK_API_BODY_MAX)
#define CK_API_VIEWS_MAX 1024 /* recordings that may be played at once; the oldest goes */
/* Bundles in memory at once. The oldest that is ready goes; while all are being made, 503. */
#define CK_API_BUNDLES_MAX 2
#define CK_API_BUNDLE_VIDEO_MS INT64_C(1500000) /* for the film of both sides */
#define CK_API_BUNDLE_MS INT64_C(600000)        /* how long one may be fetched */
#define CK_API_VIEW_MS INT64_C(7200000) /* how long after its reason a recording may be played */
#define CK_API_READ_NOTED_MS                                                                       \
    INT64_C(3600000) /* lists that pages ask for again and again are recorded once in this time, a \
                        session */
/* A session's last use is written down this often, or four times in [limits] staff_session. */
#define CK_API_TOUCH_MS INT64_C(60000)
/* A session in a call lasts at least so much longer, also beyond staff_session_max: nobody's call
 * is cut, and the outcome can be written after it. */
#define CK_API_CALL_GRACE_MS INT64_C(300000)
#define CK_API_PASSWORDS_MAX 2          /* Argon2id at once: 64 MiB each */
#define CK_API_PASSWORDS_WAITING_MAX 64 /* one more gets 503 */

struct ck_api;

struct ck_api_options {
    uv_loop_t *loop;
    const struct ck_config *config; /* outlives it */
    struct ck_bus *bus;
    struct ck_readers *readers;
    const struct ck_pages *pages;
    const uint8_t *master_key;             /* CK_KEY_SIZE bytes that outlive it */
    const char *recording_dir;             /* copied */
    struct ck_password_cost password_cost; /* CK_PASSWORD_COST */
    struct ck_wall (*now)(void);
    struct ck_mono (*mono)(void);
    const atomic_bool *films_stop; /* bundles are given up: we end; may be NULL */
    void (*random)(void *user, void *bytes, size_t size);
    /* System of http.yaml without `log` and `quarantined`, for GET /api/system. */
    json_t *(*system)(void *user);
    void *user;
};

/* -ENOMEM. A route without an entry in the policy table aborts: it is our own mistake. */
int ck_api_create(const struct ck_api_options *options, struct ck_api **api);
void ck_api_destroy(struct ck_api *api);

/* For struct ck_http_handlers: how large a body may be, and the request itself. `api` as void. */
size_t ck_api_body_limit(void *api, const char *path);
void ck_api_request(void *api, struct ck_http_request *request);

/* Every operation, for tests and documents: false behind the last one. */
bool ck_api_operation(size_t index, enum ck_http_method *method, const char **pattern,
                      const char **action);

/* A new token for POST /api/setup, which takes the place of any earlier one; good until it is used
 * or the daemon ends. */
#define CK_API_SETUP_TOKEN_SIZE 33
void ck_api_setup_token(struct ck_api *api, char token[static CK_API_SETUP_TOKEN_SIZE]);

/* ---- for the WebSockets, which know the same sessions ---- */

#define CK_API_STAFF_COOKIE "__Host-ck_staff"
#define CK_API_KNOWN_COOKIE "__Host-ck_known"
#define CK_API_PERSON_COOKIE "__Host-ck_person"

/* The digest that the store knows a cookie's session by. CK_E_SYNTAX. */
int ck_api_token_hash(const char *cookie, uint8_t hash[static CK_SHA256_SIZE]);

/* What a member of staff must do before anything else, as the field of the refusal: "password" (one
 * that somebody else gave), "second_factor", or NULL. */
struct ck_session;
const char *ck_api_first(const struct ck_config *config, const struct ck_session *session);

/* A staff session is in use: its end moves on to [limits] staff_session from now, at most to
 * staff_session_max from log-in. What counts is what somebody does: a request that changes
 * something, the console's word that somebody is at it (`active`), and a call that the session is
 * in (`in_call`: then to CK_API_CALL_GRACE_MS from now at least, whatever the limits; a call ends
 * by itself). A page that only reads anew what was pushed keeps no session. *session is what was
 * found of it, and says afterwards what was asked for. Nothing happens where too little would be
 * gained. */
void ck_api_keep(struct ck_bus *bus, const struct ck_config *config, struct ck_session *session,
                 const struct ck_actor *actor, struct ck_wall now, bool in_call);

/* Whole shapes, for `hello`: run on a reader. Me without csrf; PersonState without csrf. */
int ck_api_query_me(struct ck_store *store, const struct ck_config *config,
                    const struct ck_session *session, struct ck_wall now, json_t **me);
int ck_api_query_person_state(struct ck_store *store, const struct ck_config *config,
                              int64_t person, int64_t checkin, struct ck_wall now, json_t **state);
/* The CSRF token of a cookie's session. CK_E_SYNTAX. */
#define CK_API_CSRF_SIZE 44
int ck_api_csrf(const char *cookie, char csrf[static CK_API_CSRF_SIZE]);
/* What the person's own phone signs in this session: fresh with each session, as long as a CSRF
 * token. CK_E_SYNTAX. */
int ck_api_challenge(const char *cookie, char challenge[static CK_API_CSRF_SIZE]);

#endif
