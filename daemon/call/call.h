/* Live calls: who is in which, on which media worker, what is recorded, which challenge is shown.
 *
 * Sits between three sides and decides nothing about a check-in: pages (WebSocket messages of
 * protocol/websocket.md), media workers (protocol/worker.md) and the engine (commands and outputs
 * of daemon/core/command.h). What happens here is told to the engine as facts; what the engine
 * orders (start the unattended part, end the call) is carried out. All of it is in memory: after a
 * restart of checkind the pages join again by themselves and everything here comes back from that.
 *
 * Loop thread only. No callback of the ports is called from inside ck_calls_page_closed(). */
#ifndef DAEMON_CALL_CALL_H
#define DAEMON_CALL_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <jansson.h>

#include "daemon/call/pool.h"
#include "daemon/core/command.h"
#include "protocol/base/digest.h"
#include "protocol/base/time.h"

#define CK_CALLS_MAX 8192     /* live at once; one more gets "busy" */
#define CK_CALL_CRASHES_MAX 2 /* worker crashes a leg may be present at */
#define CK_CALL_PERSON_AWAY_MS                                                                     \
    25000 /* a person whose media is gone may reload the page and come back within */
#define CK_CALL_STAFF_AWAY_MS                                                                      \
    90000 /* without the inspector's media: the call ends for the form                             \
           */
#define CK_CALL_CHALLENGES_MAX 8
#define CK_CALL_CHALLENGE_SLACK_MS                                                                 \
    3000 /* after a challenge's own time, for a page that never says "done" */
#define CK_CALL_FIRST_FRAME_MS                                                                     \
    15000                     /* connected without a picture: challenges begin all the same */
#define CK_CALL_RETRY_MS 2000 /* told to a page when no worker has room */

struct ck_calls;

/* One WebSocket page, as the web side knows it; compared, never looked into. */
typedef void ck_call_page;

/* What a command came to; `result` lives until this returns. */
typedef void ck_call_done(void *cookie, const struct ck_result *result);

struct ck_call_ports {
    void *context;
    /* Submits a command; `body` is taken over; `done` (or NULL) is called later, exactly once, with
     * an error result where the engine refuses or is gone. */
    void (*submit)(void *context, const char *name, const struct ck_actor *actor, json_t *body,
                   ck_call_done *done, void *cookie);
    /* Sends one message to a page; `message` is taken over. */
    void (*send)(void *context, ck_call_page *page, json_t *message);
    /* The wall clock. */
    struct ck_wall (*now)(void *context);
};

struct ck_calls_options {
    uv_loop_t *loop;
    struct ck_pool_options pool;
    const char *render_program;
    const char *recording_dir; /* exists */
    uint32_t video_bitrate_max;
    const uint8_t *master_key; /* CK_KEY_SIZE bytes, copied; wiped at the end */
};

/* Starts the workers. -errno. */
int ck_calls_create(const struct ck_calls_options *options, const struct ck_call_ports *ports,
                    struct ck_calls **calls);

/* Ends calls, workers and the render process; waits for recordings to close and their commands to
 * be submitted; then `stopped`, after which the object is gone. */
void ck_calls_stop(struct ck_calls *calls, void (*stopped)(void *context), void *context);

/* Recordings that an earlier life left unfinished, as the store's query gives them: [{id, file,
 * wrapped, measure}]. Each gets its trailer in the thread pool, then recording.recovered or
 * recording.failed is submitted; where `measure` names a check-in, the file is whole and only its
 * measures are missing: they are taken. Takes over `list`. */
void ck_calls_recover(struct ck_calls *calls, json_t *list);

/* ---- from the pages ----
 *
 * `id` is the message's own id, or 0: then only errors are answered. An error goes to the page that
 * asked, nobody else notices. */

enum ck_call_role { CK_CALL_PERSON = 0, CK_CALL_STAFF = 1 };

/* join: the person of actor->checkin_id is here. `generation`: of the peer connection the page
 * still holds, 0 for none. */
struct ck_call_proof {
    int64_t key; /* of the person's own phone; 0: none was named */
    const char *challenge, *signature;
};
void ck_calls_join(struct ck_calls *calls, ck_call_page *page, const struct ck_actor *actor,
                   const char *device, const struct ck_call_proof *proof, int64_t generation,
                   int64_t id);
/* take: this member of staff answers. */
void ck_calls_take(struct ck_calls *calls, ck_call_page *page, const struct ck_actor *actor,
                   int64_t checkin, int64_t generation, int64_t id);
/* offer and restart, of either side. */
void ck_calls_offer(struct ck_calls *calls, ck_call_page *page, enum ck_call_role role,
                    int64_t checkin, int64_t generation, bool restart, const char *sdp, int64_t id);
/* A fact of the person's page (websocket.md); known names only. */
void ck_calls_fact(struct ck_calls *calls, ck_call_page *page, const struct ck_actor *actor,
                   const char *fact, const char *detail, int64_t id);
void ck_calls_challenge_done(struct ck_calls *calls, ck_call_page *page, int64_t checkin,
                             int64_t number, int64_t id);
/* pause and resume of the recording; reason: "undress", "child", "other". */
void ck_calls_pause(struct ck_calls *calls, ck_call_page *page, int64_t checkin, bool on,
                    const char *reason, int64_t id);
void ck_calls_decline(struct ck_calls *calls, ck_call_page *page, const struct ck_actor *actor,
                      const char *reason, int64_t id);
void ck_calls_leave(struct ck_calls *calls, ck_call_page *page, int64_t checkin, int64_t id);
void ck_calls_end(struct ck_calls *calls, ck_call_page *page, int64_t checkin, int64_t id);
/* The page's socket is gone. Its media may live on, and the page may come back. */
void ck_calls_page_closed(struct ck_calls *calls, ck_call_page *page);
/* The session has ended: its sound and picture are cut at once, whatever its browser still does.
 * The other side waits, as for a page that is gone. */
void ck_calls_end_session(struct ck_calls *calls, int64_t session);

/* Whether this member of staff's session is in a call that goes on, though its page be away. */
bool ck_calls_has_session(const struct ck_calls *calls, int64_t session);

/* ---- from the engine ---- */

/* Challenges as in the output's body: {challenges: [{number, kind, digits?, seconds}]}. */
void ck_calls_start_unattended(struct ck_calls *calls, int64_t checkin, const json_t *body);
/* Nobody may be in this check-in's call any more. */
void ck_calls_end_call(struct ck_calls *calls, int64_t checkin, const char *reason);
/* The check-in is over for the person: {result, receipt}; `state` as GET /api/p/state. */
void ck_calls_ended(struct ck_calls *calls, int64_t checkin, const json_t *body);

/* Ends every recording that runs; the calls go on. Whether another may begin, the engine says. */
void ck_calls_stop_recordings(struct ck_calls *calls);

/* What of ours is down from now on: pages (`signalling`), TURN servers (`relay`). A person whose
 * page or media goes meanwhile, or who comes without a way for media, is not charged for it. */
void ck_calls_trouble(struct ck_calls *calls, bool signalling, bool relay);

/* ---- state, for pages and metrics ---- */

struct ck_calls_status {
    size_t calls;
    size_t connected_legs;
    bool room; /* a worker has room for one call more */
};

struct ck_calls_status ck_calls_status(const struct ck_calls *calls);
const struct ck_pool *ck_calls_pool(const struct ck_calls *calls);
/* As ck_pool_drain(); CK_E_NOT_FOUND where there is no such worker. */
int ck_calls_drain(struct ck_calls *calls, int64_t worker);

#endif
