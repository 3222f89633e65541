/* The whole of engine, store, readers, API, hub and web server, on a thread of its own, with an
 * empty store in a folder of its own. Time can be moved forward. */
#ifndef TESTS_UNIT_API_WORLD_H
#define TESTS_UNIT_API_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/api/hub.h"
#include "daemon/core/command.h"
#include "raw.h"

/* Limits that the tests narrow; 0: wide. */
struct api_limits {
    int64_t logins_per_address, logins_per_account, links_per_address;
    int64_t session_ms, session_max_ms;
    unsigned recheck_ms; /* of sessions behind sockets; 0: the product's */
};

void api_start(const struct api_limits *limits);
/* From now on nobody goes on without a second factor. */
void api_require_second_factor(void);
void api_stop(void); /* checks that nothing is left over */

/* Whether every session of staff is in a call from now on. */
void api_in_call(bool in_call);

/* Moves time and lets the engine notice. */
void api_pass_ms(int64_t ms);
/* The setup token that the daemon would print. */
const char *api_setup_token(void);
/* One command, as somebody inside the daemon gives it; the code. `result` (may be NULL) becomes the
 * caller's. */
int api_command(const char *name, const struct ck_actor *actor, json_t *body, json_t **result);
/* A number out of the store, by SQL. */
int64_t api_number(const char *sql);
/* Changes the store behind the daemon's back. */
void api_execute(const char *sql);
/* For what SQL cannot say: the file of the store, for readers. */
const char *api_store_path(void);
/* What keys lie under: CK_KEY_SIZE bytes. */
const uint8_t *api_master_key(void);
/* The secret that receipts of the gateway are signed with. */
#define RECEIPT_SECRET "a secret of the gateway"
#define VOICE_SECRET "a secret of the telephones"
/* The time as the daemon sees it. */
int64_t api_now_ms(void);
/* Runs on the loop thread. */
void api_call(void (*work)(struct ck_hub *hub, void *user), void *user);
/* Waits until the SQL gives at least `least`, at most 10 s. */
bool api_wait_number(const char *sql, int64_t least);

/* ---- who asks ---- */

struct user {
    char cookie[160]; /* "__Host-ck_staff=…", "" for nobody */
    char csrf[64];
    bool no_csrf; /* leave the header out */
};

/* One request; the status. *answer (may be NULL) becomes the caller's: NULL where it is no JSON. A
 * cookie that is set goes into the user. `body` is taken over; NULL: none (GET). */
unsigned api_ask(struct user *user, const char *method, const char *path, json_t *body,
                 json_t **answer);
/* The same with bytes of another type; `more`: header lines ("Name: value\r\n" or ""). */
unsigned api_send(struct user *user, const char *path, const char *type, const void *bytes,
                  size_t size);
unsigned api_send_with(struct user *user, const char *path, const char *type, const char *more,
                       const void *bytes, size_t size);
/* That an answer, which it takes over, is an error of this code about this field (NULL: none). */
void api_expect_error(json_t *answer, const char *code, const char *field);
/* The answer's header block and body as they came. */
const char *api_raw(void);

/* Logs in; the status. */
unsigned api_login(struct user *user, const char *login, const char *password);

/* ---- a small caseload, made over HTTP alone ---- */

#define PASSWORD "correct horse battery"
#define GIVEN_PASSWORD "given by the admin" /* before the first log-in */

struct caseload {
    struct user administrator, inspector, other_inspector, officer, supervisor, two_roles;
    struct user far_inspector, far_officer, far_supervisor; /* of another unit */
    struct user stand_in, opener; /* inspectors of the unit and of the other one */
    struct user person, nobody;
    int64_t unit, far_unit;
    int64_t inspector_id, other_inspector_id, two_roles_id, supervisor_id, stand_in_id;
    int64_t person_id, other_person_id, order_id, plan_id;
};

void api_caseload(struct caseload *caseload);
/* The same with accounts and sessions put in beside HTTP: no passwords are computed. */
void api_caseload_quick(struct caseload *caseload);
/* A person of this inspector; the id. */
int64_t api_person(struct user *user, int64_t inspector, int64_t unit, const char *name);

/* Makes a phone the person's own, in a session of an enrolment link; the number of the device. */
int64_t api_own_phone(struct user *person, const uint8_t *private_key);

#endif
