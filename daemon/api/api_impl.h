#ifndef DAEMON_API_API_IMPL_H
#define DAEMON_API_API_IMPL_H

#include "daemon/access/policy.h"
#include "daemon/api/api.h"
#include "daemon/api/noted.h"
#include "daemon/bundle/making.h"
#include "daemon/http/limit.h"
#include "daemon/store/query_people.h"
#include "daemon/store/retention.h"
#include "daemon/store/session.h"

#define COOKIE_MAX 64
#define COOKIE_HEADER_MAX 256

struct ck_api_call;

/* Runs on a reader in the thread pool; may fill call->blob instead of *out. */
typedef int ck_api_query(struct ck_store *store, struct ck_api_call *call, json_t **out);
/* Answers by itself. */
typedef void ck_api_custom(struct ck_api_call *call);

struct ck_api_route {
    enum ck_http_method method;
    const char *pattern; /* "/api/persons/{id}/photo" */
    const char *action;  /* of the policy table */
    const char *command; /* submitted with the body and, under `member`, the path's id */
    const char *member;
    const char *inside; /* the body goes in as this member, not as the whole; NULL: as the whole */
    const char *made;   /* member of the result that names the new object; NULL: "id" */
    ck_api_query
        *query;       /* after the command (about its result's id, or the path's), or by itself */
    const char *read; /* object of the READ record that comes before the query */
    bool noted;       /* the record is made once an hour and session only */
    ck_api_custom *custom;
    bool file; /* the body may hold a file */
};

struct ck_api_view {
    uint8_t token[16];
    int64_t recording, session;
    struct ck_wall until;
};

/* A bundle for whoever had it made: on its way in a thread of the pool, then in memory. */
enum ck_api_bundle_state { CK_BUNDLE_NONE, CK_BUNDLE_MAKING, CK_BUNDLE_READY, CK_BUNDLE_FAILED };
struct ck_api_bundle {
    struct ck_api *api;
    enum ck_api_bundle_state state;
    int64_t approval, session;
    uint64_t number;      /* the how manieth */
    struct ck_wall begun; /* of making it */
    struct ck_wall until; /* READY: how long it is kept */
    atomic_int part;      /* of MAKING: enum ck_bundle_part */
    struct ck_bundle_making making;
    uint8_t token[16];
    int error; /* FAILED */
};

#define FAILURES_KEYS_MAX 4096

struct ck_api {
    struct ck_api_options options;
    char *recording_dir;
    uint8_t setup_hash[CK_SHA256_SIZE];
    bool has_setup;
    uint8_t challenge_key[CK_KEY_SIZE]; /* of this process alone */
    struct ck_api_view views[CK_API_VIEWS_MAX];
    size_t next_view;
    struct ck_api_bundle bundles[CK_API_BUNDLES_MAX];
    uint64_t bundles_begun;
    struct ck_noted noted;
    /* What failed of late, by address: log-ins, links; and log-ins by account, which are slowed and
     * never locked. */
    struct ck_limit *failed_logins, *failed_links, *failed_accounts;
    struct ck_limit *failed_known; /* log-ins, by account, from browsers that it is known from */
    uint8_t known_key[CK_KEY_SIZE];
    struct ck_limit *failed_codes; /* of the second factor, by account */
    struct ck_limit
        *told; /* refusals of whom had to wait, by address: one in a window is recorded */
    unsigned passwords_running, passwords_waiting;
    struct ck_password_job *passwords, **passwords_end;
};

struct ck_api_call {
    struct ck_api *api;
    struct ck_http_request *request;
    const struct ck_api_route *route;
    const struct ck_policy *policy;
    struct ck_actor actor;
    bool has_session;
    struct ck_session session;
    char cookie[COOKIE_MAX];
    bool known; /* a log-in from a browser in which this account has logged in before */
    char also_set[COOKIE_HEADER_MAX]; /* a second cookie of the answer; "": none */
    uint8_t token_hash[CK_SHA256_SIZE];
    int64_t id;     /* of the path */
    int64_t object; /* what the follow-up query is about */
    struct ck_wall now;
    json_t *body;
    json_t *value;
    /* Query members; 0 and "" where missing. */
    int64_t before, after, person, staff, inspector, weeks;
    char text[128], word[64], from[16], until[16];
    const char *text_name, *word_name; /* by which they were given */
    const char *put_back; /* the class of a destroyed key that is there again; NULL: none was met */
    json_t *sought;       /* what a list was narrowed to; NULL: nothing */
    /* A picture or a document. */
    void *blob;
    size_t blob_size;
    const char *blob_type; /* NULL: JPEG */
    char disposition[448]; /* "": none */
    struct ck_refusal refusal;
    char *help_phone; /* of the unit whose person this is; NULL: not known */
    struct ck_login login;
};

/* api.c */
void ck_api_answer_json(struct ck_api_call *call, unsigned status, json_t *value,
                        const char *set_cookie);
void ck_api_answer_error(struct ck_api_call *call, int code, const struct ck_refusal *refusal);
void ck_api_refuse(struct ck_api_call *call, int code, const char *field, const char *text);
void ck_api_finish(struct ck_api_call *call);
/* Submits with the call's actor; `done` as ck_bus_done with the call as cookie. */
void ck_api_submit(struct ck_api_call *call, const char *command, json_t *body, ck_bus_done *done);
/* Runs a query; done as ck_readers_done with the call as cookie. */
void ck_api_run(struct ck_api_call *call, ck_readers_query *query, ck_readers_done *done);
/* Answers with what the route's own query gives. */
void ck_api_answer_query(struct ck_api_call *call);
/* A text member of the body of the given length, or NULL after an answer. */
const char *ck_api_text(struct ck_api_call *call, const char *name, size_t max);
/* Records a log-in that is refused: a word of session.refused. */
void ck_api_note_refused(struct ck_api_call *call, const char *why);
/* The same for who has to wait: once in a window for each address, or the log could be filled. */
void ck_api_note_waiting(struct ck_api_call *call, const char *why);
/* In a query: CK_E_CONFLICT where a key of this class of the person's (0: nobody's) was destroyed,
 * as the log has it, and is there again. The refusal, and the record of it, follow by themselves.
 */
int ck_api_check_put_back(struct ck_store *store, struct ck_api_call *call, enum ck_keep keep,
                          int64_t person);
int ck_api_refuse_put_back(struct ck_api_call *call, const char *what);
/* true, and the call is answered, where this address has failed too often. */
bool ck_api_failing(struct ck_api_call *call, const struct ck_limit *failed);
void ck_api_failed(struct ck_api_call *call, struct ck_limit *failed);

/* routes.c */
extern const struct ck_api_route ck_api_routes[];
extern const size_t ck_api_route_count;

/* sessions.c */
extern ck_api_custom ck_api_setup_state, ck_api_setup_first, ck_api_login, ck_api_logout,
    ck_api_me_password, ck_api_staff_create, ck_api_staff_password, ck_api_link, ck_api_facts,
    ck_api_call_in;
/* Answers with the session that a link or a phone was exchanged for; as ck_bus_done. */
void ck_api_person_session(void *cookie, const struct ck_result *result);
/* queries.c, what persons ask for */
extern ck_api_query ck_api_requests;
/* devices.c */
extern ck_api_custom ck_api_device_challenge, ck_api_device_enter;
/* second_factor.c */
extern ck_api_custom ck_api_second_factor, ck_api_second_factor_confirm;
extern ck_api_query ck_api_sessions_own, ck_api_sessions_of_staff;
/* qr.c: a text as an SVG picture; the caller frees. NULL where memory is short. */
char *ck_api_qr_svg(const char *text);
/* enrol.c */
extern ck_api_custom ck_api_enrol;
/* receipt_proof.c */
extern ck_api_query ck_api_self_proof;
/* receipt.c */
extern ck_api_custom ck_api_receipt_sms, ck_api_receipt_voice;
/* push.c */
extern ck_api_custom ck_api_push_key, ck_api_push_subscribe;
extern ck_api_query ck_api_paths;
/* pictures.c */
extern ck_api_custom ck_api_photo_store;
extern ck_api_query ck_api_photo_query, ck_api_thumbnail_query;
/* playback.c */
extern ck_api_custom ck_api_view_recording, ck_api_play_recording;
/* roster.c */
extern ck_api_query ck_api_roster;
/* bundle.c */
extern ck_api_custom ck_api_bundle_make, ck_api_bundle_fetch;
void ck_api_bundles_close(struct ck_api *api);
/* retention.c */
extern ck_api_query ck_api_retention, ck_api_holds;
/* ladders.c */
extern ck_api_query ck_api_ladders, ck_api_ladder_check;
/* messages.c */
extern ck_api_query ck_api_messages, ck_api_incident_messages, ck_api_self_messages,
    ck_api_message_file, ck_api_incident_file, ck_api_self_file, ck_api_templates;
/* queries.c: how far somebody sees for a read of what belongs to one person: their own scope, and
 * that person's unit where they opened the case. `kind` and `id` as ck_log_owner(), or "person". */
int ck_api_read_scope(struct ck_store *store, const struct ck_api_call *call, const char *kind,
                      int64_t id, struct ck_scope *scope);
extern ck_api_query ck_api_opened;
/* queries.c */
extern ck_api_query ck_api_units, ck_api_unit, ck_api_staff_list, ck_api_staff_one, ck_api_me,
    ck_api_persons, ck_api_person, ck_api_order, ck_api_plan, ck_api_preview, ck_api_unit_zone,
    ck_api_checkins, ck_api_checkin, ck_api_checkin_row, ck_api_today, ck_api_reviews,
    ck_api_incidents, ck_api_incident, ck_api_log, ck_api_log_entry, ck_api_figures, ck_api_system,
    ck_api_self, ck_api_approvals, ck_api_approval, ck_api_plan_ahead, ck_api_plan_instants,
    ck_api_blackouts, ck_api_risk, ck_api_overload, ck_api_proposal, ck_api_cadence;

#endif
