/* Rows of sessions of staff and persons. Only the digest of a token is stored. */
#ifndef DAEMON_STORE_SESSION_H
#define DAEMON_STORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"

#define CK_SESSION_COVERS_MAX 8
#define CK_SESSION_OPENED_MAX 3

struct ck_session {
    int64_t id;
    int64_t staff, person; /* exactly one is not 0 */
    int64_t checkin;       /* of a person's link */
    int64_t unit;
    int64_t roles;                         /* staff */
    int64_t covers[CK_SESSION_COVERS_MAX]; /* staff: whose caseloads they have as stand-ins */
    int64_t opened[CK_SESSION_OPENED_MAX]; /* staff: whose cases they have open at `now` */
    bool must_change;                      /* staff: the password was given by somebody else */
    bool second_factor;                    /* staff: the account has one */
    struct ck_wall created, seen, expires;
};

/* A session of staff that is alive at `now`: not revoked, not expired, the account not disabled.
 * CK_E_NOT_FOUND. Any connection. */
int ck_session_find(struct ck_store *store, const uint8_t token_hash[static CK_SHA256_SIZE],
                    struct ck_wall now, struct ck_session *session);

int ck_session_insert_staff(struct ck_store *store, const uint8_t token_hash[static CK_SHA256_SIZE],
                            int64_t staff, const char *peer, const char *device, struct ck_wall now,
                            struct ck_wall expires, int64_t *id);
/* Seen just now; the end moves on to `expires`, never back. A session that has ended stays so. */
int ck_session_touch(struct ck_store *store, int64_t id, struct ck_wall now,
                     struct ck_wall expires);
int ck_session_revoke(struct ck_store *store, int64_t id, struct ck_wall now);
/* Whose living session this is. CK_E_NOT_FOUND. */
int ck_session_staff(struct ck_store *store, int64_t id, struct ck_wall now, int64_t *staff);
/* Living sessions of a member of staff, newest first: [{id, created, seen, expires, peer, device,
 * current}], the latest CK_SESSIONS_MAX; `current` marks the one with that id. */
#define CK_SESSIONS_MAX 100
int ck_session_list(struct ck_store *store, int64_t staff, int64_t current, struct ck_wall now,
                    json_t **list);
/* All of a staff member's but one (0: all); ids go to `ids`, at most `capacity`. */
int ck_session_revoke_staff(struct ck_store *store, int64_t staff, int64_t but, struct ck_wall now,
                            int64_t *ids, size_t capacity, size_t *count);

/* A person's session is on this phone of theirs. */
int ck_session_set_device(struct ck_store *store, int64_t id, int64_t device);
/* All that are known to be on this phone, as above. */
int ck_session_revoke_device(struct ck_store *store, int64_t device, struct ck_wall now,
                             int64_t *ids, size_t capacity, size_t *count);

/* For log-in: the account of this login. CK_E_NOT_FOUND. `password` must hold 256 bytes. */
struct ck_login {
    int64_t staff;
    int64_t unit;
    int64_t roles;
    bool disabled;
    char password[256];
};
int ck_login_find(struct ck_store *store, const char *login, struct ck_login *found);
int ck_login_of_staff(struct ck_store *store, int64_t staff, struct ck_login *found);

#endif
