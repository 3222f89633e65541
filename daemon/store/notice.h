/* Rows of the outbox, and the links that notices carry. */
#ifndef DAEMON_STORE_NOTICE_H
#define DAEMON_STORE_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/checkin.h"
#include "daemon/store/store.h"
#include "protocol/base/digest.h"
#include "scheduler/notice.h"

#define CK_ADDRESS_SIZE 1025 /* a browser's subscription is the longest */
#define CK_FAILURE_SIZE 201
#define CK_PROVIDER_ID_SIZE 129

struct ck_notice_row {
    struct ck_notice step;
    char reference[CK_RECEIPT_SIZE];
    int64_t checkin;  /* 0: none */
    int64_t incident; /* 0: none */
    int64_t staff;    /* recipient; 0: a person, or a webhook */
    int64_t person;   /* recipient; 0: staff, or a webhook */
    uint32_t ladder_step;
    uint32_t fire; /* of the ladder; the attempt of a check-in */
    enum ck_template template;
    char language[4];
    char address[CK_ADDRESS_SIZE]; /* mail address, number, subscription of a
                                      browser, name of the webhook; "console" */
    struct ck_wall not_before;     /* of a new one: it waits until then; not kept */
    int64_t fence;
    struct ck_wall delivered_at;
    struct ck_wall read_at;
    char failure[CK_FAILURE_SIZE];         /* last failure; "" none */
    char provider_id[CK_PROVIDER_ID_SIZE]; /* "" none */
};

/* Whether this notice is there already: the same fire, template, recipient, channel and address. */
int ck_notice_exists(struct ck_store *store, const struct ck_notice_row *row, bool *exists);

/* Inserts and sets row->step.id. CK_E_CONFLICT: it is there already, or its reference is taken. */
int ck_notice_insert(struct ck_store *store, struct ck_notice_row *row);
int ck_notice_load(struct ck_store *store, int64_t id, struct ck_notice_row *row);
/* CK_E_NOT_FOUND. `reference` as shown, or the provider's own id of a channel. */
int ck_notice_by_reference(struct ck_store *store, const char *reference, int64_t *id);
int ck_notice_by_provider_id(struct ck_store *store, const char *channel, const char *provider_id,
                             int64_t *id);
int ck_notice_save(struct ck_store *store, const struct ck_notice_row *row);

/* The check-in's own notices (to the person) that may still leave: queued, failed_temp, unknown,
 * and sending, which may have to be sent again. */
int ck_notice_pending_of(struct ck_store *store, int64_t checkin, int64_t *ids, size_t capacity,
                         size_t *count);

/* For the only node of a store at its start: what was being sent when its earlier life ended has an
 * unknown fate, and no result will come. */
int ck_notice_lost(struct ck_store *store, struct ck_wall now);

/* Whether another notice of the same fire, to a human, is alive or has arrived. */
int ck_notice_others_alive(struct ck_store *store, const struct ck_notice_row *row, bool *alive);

/* Whether a notice of this incident went to this member of staff. */
int ck_notice_told(struct ck_store *store, int64_t incident, int64_t staff, bool *told);

/* When the person was first reached: the soonest acceptance of a notice of this check-in whose
 * channel gives no receipts, or the soonest delivery; 0: not yet. */
int ck_notice_reached_at(struct ck_store *store, int64_t checkin, struct ck_wall *at);

/* ---- links ---- */

struct ck_link {
    int64_t person;
    int64_t checkin; /* 0: the person's own phone */
    struct ck_wall expires;
    struct ck_wall used;
    bool enrolment; /* of the session: an enrolment link opened it */
    int64_t device; /* of the session: the person's own phone that came in; 0: not known */
};

int ck_link_insert(struct ck_store *store, const uint8_t token_hash[CK_SHA256_SIZE],
                   const struct ck_link *link, int64_t notice, struct ck_wall now);
/* CK_E_NOT_FOUND. */
int ck_link_load(struct ck_store *store, const uint8_t token_hash[CK_SHA256_SIZE],
                 struct ck_link *link);
/* The number of the unit whose person a link is for, *phone NULL where it has none; the caller
 * frees. CK_E_NOT_FOUND: no such link. Any connection. */
int ck_link_phone(struct ck_store *store, const uint8_t token_hash[CK_SHA256_SIZE], char **phone);
/* Marks it used; CK_E_CONFLICT: it was used before, by another page than `by` (digest of the page's
 * own key; NULL: a page without one). The first time stays. */
int ck_link_use(struct ck_store *store, const uint8_t token_hash[CK_SHA256_SIZE], const uint8_t *by,
                struct ck_wall now);
/* The page's session that a link was exchanged for. */
int ck_link_session(struct ck_store *store, const uint8_t session_hash[CK_SHA256_SIZE],
                    const struct ck_link *link, const char *peer, const char *device,
                    struct ck_wall now, int64_t *session);
/* How many sessions a person's links and phones were exchanged for since `from`. */
int ck_link_sessions(struct ck_store *store, int64_t person, struct ck_wall from, int64_t *count);
/* Whether an enrolment link opened this session. */
int ck_link_enrolment(struct ck_store *store, int64_t session, bool *enrolment);
/* Removes the ones that ended before `until`. */
int ck_link_clean(struct ck_store *store, struct ck_wall until);

#endif
