/* What the files of daemon/call share among themselves. */
#ifndef DAEMON_CALL_CALL_IMPL_H
#define DAEMON_CALL_CALL_IMPL_H

#include "daemon/call/call.h"
#include "daemon/call/renderer.h"
#include "protocol/client.h"

#define LEGS 2

enum leg_state {
    LEG_NONE,      /* no leg at the worker */
    LEG_OPENING,   /* LEG_OPEN sent */
    LEG_ANSWERED,  /* not connected yet */
    LEG_CONNECTED, /* keys in use */
    LEG_AWAY,      /* connected, but its peer is silent (suspended) */
    LEG_ENDING,    /* the worker closes its recording; its last word is to come */
};

enum recording_state {
    RECORDING_NONE,
    RECORDING_BEGINNING, /* the store or the file system is being asked */
    RECORDING_ASKED,     /* the worker has the descriptor */
    RECORDING_RUNNING,
    RECORDING_CLOSING, /* RECORD_STOP sent */
};

struct recording {
    enum recording_state state;
    bool stop;    /* asked to stop while still BEGINNING */
    bool started; /* the worker said so; only then does it say that it is closed */
    bool paused;  /* as the worker was told */
    int64_t id;
    int64_t wall_ms; /* of its time zero */
    char *path;
    uint8_t key[CK_KEY_SIZE];
    bool has_key;
};

struct leg {
    enum leg_state state;
    uint64_t id;
    ck_call_page *page; /* NULL: the page's socket is gone; its media may live */
    struct ck_actor actor;
    bool joined; /* the engine knows that this side is here */
    bool joining;
    int64_t generation;
    int64_t offer_id; /* message id of the offer that is being answered */
    bool restarting;
    char *held_offer; /* came before the engine's answer to the join */
    int64_t held_generation, held_id;
    unsigned crashes;
    bool first_audio, first_frame, camera_off;
    bool unrecordable; /* a recording of this leg broke: the call goes on without another try */
    struct recording recording;
};

enum call_mode {
    CALL_WAITING,    /* the person is here, the inspector is not */
    CALL_LIVE,       /* both */
    CALL_UNATTENDED, /* challenges */
    CALL_OVER,       /* ended; recordings are closing */
};

struct challenge {
    int64_t number;
    char kind[24];
    char digits[24];
    int64_t seconds;
};

struct call {
    struct ck_calls *calls;
    struct call *next;
    int64_t checkin;
    uint64_t id; /* towards the worker */
    enum call_mode mode;
    bool has_worker;
    unsigned worker;
    bool relay;
    char with[256]; /* the inspector's name, for the person */
    bool left;      /* the person ended it, or the inspector did: a leg that goes is no loss */
    struct leg legs[LEGS];
    uv_timer_t timer;   /* challenge, first frame, or the inspector's absence */
    uv_timer_t absence; /* the person's */
    unsigned timers_open;
    struct challenge challenges[CK_CALL_CHALLENGES_MAX];
    unsigned challenge_count, challenge_next;
    bool challenges_running, challenges_done;
    uint16_t pause; /* why the person wants a privacy pause (1 + its place among
                       ck_call_pause_reasons); 0: there is none */
};

struct ck_calls {
    uv_loop_t *loop;
    struct ck_call_ports ports;
    struct ck_pool *pool;
    struct ck_renderer *render;
    char *recording_dir;
    uint32_t video_bitrate_max;
    uint8_t master_key[CK_KEY_SIZE];
    struct call *first;
    size_t count;
    uint64_t next_leg, next_call;
    unsigned jobs; /* in the thread pool or at the render process */
    bool signalling_down, relay_down;
    bool stopping;
    bool pool_stopped, render_stopped;
    void (*stopped)(void *context);
    void *stopped_context;
};

/* call.c */
struct call *ck_call_find(struct ck_calls *calls, int64_t checkin);
struct call *ck_call_by_id(struct ck_calls *calls, uint64_t id);
void ck_call_submit(struct ck_calls *calls, const char *name, const struct ck_actor *actor,
                    json_t *body);
void ck_call_page_send(struct ck_calls *calls, ck_call_page *page, json_t *message);
void ck_call_page_ok(struct ck_calls *calls, ck_call_page *page, int64_t id);
struct ck_client_ref ck_call_ref(int64_t id);
void ck_call_page_error(struct ck_calls *calls, ck_call_page *page, int64_t id,
                        enum ck_client_error code, const char *field, const char *text);
/* The same, and when to come again. */
void ck_call_page_busy(struct ck_calls *calls, ck_call_page *page, int64_t id, const char *text);
void ck_call_leg_send(struct call *call, int side, json_t *message);
/* The check-in as messages to this side carry it: a person's page knows only one. */
int64_t ck_call_subject(const struct call *call, int side);
void ck_call_tell_recording(struct call *call, bool on, const char *reason);
void ck_call_fact(struct call *call, const char *fact, const char *detail);
/* Ends the whole call: legs close, recordings close; the object goes when nothing is left. */
void ck_call_finish(struct call *call, const char *reason);
/* Frees the call if nothing is left of it. */
void ck_call_maybe_free(struct call *call);
/* Ends ck_calls_stop() when nothing is under way any more. */
void ck_calls_maybe_stopped(struct ck_calls *calls);
struct ck_actor ck_call_worker_actor(const struct call *call);

/* legs.c */
/* A fault of ours touched the person's attempt: a word of checkin.fault. */
void ck_call_fault(struct call *call, const char *fault);
void ck_call_leg_open(struct call *call, int side, int64_t generation, const char *sdp, int64_t id);
void ck_call_leg_close(struct call *call, int side);
/* Closes it as if its peer had gone: the other side waits for whoever was there. */
void ck_call_leg_cut(struct call *call, int side);
/* The inspector is away: the call ends unless they come back in time. */
void ck_call_await_staff(struct call *call);
void ck_call_worker_message(void *context, unsigned worker,
                            const struct ck_worker_message *message);
void ck_call_worker_ready(void *context, unsigned worker);
void ck_call_worker_down(void *context, unsigned worker);
/* Something changed: relay, recording and challenges begin when everything they need is there. */
void ck_call_advance(struct call *call);
void ck_call_timer_start(struct call *call, uint64_t ms, uv_timer_cb callback);
void ck_call_timer_stop(struct call *call);
void ck_call_absence_stop(struct call *call);

/* record.c */
void ck_call_record_begin(struct call *call, int side);
void ck_call_record_stop(struct call *call, int side);
/* Begins or ends, in all recordings of the call, the privacy pause that call->pause asks for. */
extern const char *const ck_call_pause_reasons[];
void ck_call_record_pause(struct call *call);
void ck_call_record_message(struct call *call, int side, const struct ck_worker_message *message);
/* The worker died: the file gets its trailer here. */
void ck_call_record_lost(struct call *call, int side);
void ck_call_recording_clear(struct recording *recording);
/* files.c: a recording's trailer is written in the thread pool; `key` is copied. */
void ck_call_recover_file(struct ck_calls *calls, int64_t recording, const char *path,
                          const uint8_t *key);

/* unattended.c */
void ck_call_challenges_begin(struct call *call);
void ck_call_challenges_hold(struct call *call);

/* files.c: takes the key frame in the middle of a closed recording, has it rendered and stored. */
void ck_call_thumbnail(struct ck_calls *calls, int64_t checkin, int64_t recording, const char *path,
                       const uint8_t *key, int64_t at_ms);

/* files.c: has a closed recording measured (black, covered, frozen, silent) and the facts stored.
 * One of more than CK_CALL_MEASURE_MAX plain bytes is not measured. */
#define CK_CALL_MEASURE_MAX (48u << 20)
void ck_call_measure(struct ck_calls *calls, int64_t checkin, int64_t recording, const char *path,
                     const uint8_t *key);

#endif
