/* Channels: the ways in which a notice leaves. One file each, one form for all.
 *
 * A channel decides twice, both times from values alone: what to ask of a server (prepare) and what
 * the server's answer means (judge). It opens no socket, reads no clock and keeps nothing between
 * two notices; transfer.h talks, sender.h keeps order and limits. One send is one try: whether and
 * when to try again is decided elsewhere (scheduler/notice.h).
 *
 * What leaves carries a reference, a severity and a link, to the person a time and a link, and
 * nothing else about the case. */
#ifndef DAEMON_NOTIFY_CHANNEL_H
#define DAEMON_NOTIFY_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config/config.h"
#include "protocol/base/time.h"

#define CK_SENDING_REFERENCE_SIZE 65
#define CK_SENDING_ADDRESS_SIZE 1025
#define CK_SENDING_LINK_SIZE 513
#define CK_SENDING_TIME_SIZE 17
#define CK_SENDING_LANGUAGE_SIZE 9
#define CK_SENT_ID_SIZE 129
#define CK_SENT_DETAIL_SIZE 201

/* Most urgent last; the order in which waiting notices leave. */
enum ck_urgency {
    CK_URGENCY_LOW = 0,
    CK_URGENCY_NORMAL,
    CK_URGENCY_HIGH,
    CK_URGENCY_TOP,
    CK_URGENCY_COUNT,
};

/* Which words it is made of (words.c). */
enum ck_words {
    CK_WORDS_RING = 0, /* to the person */
    CK_WORDS_MESSAGE,  /* to the person or staff: a message waits */
    CK_WORDS_TEST,     /* to anybody: the weekly test of the contact path */
    CK_WORDS_INCIDENT, /* from here on to staff */
    CK_WORDS_ACK_EXPIRED,
    CK_WORDS_ANSWERED_LATE,
    CK_WORDS_REVIEW_OVERDUE,
    CK_WORDS_FORM_DUE,
    CK_WORDS_HOLD_REVIEW,    /* a legal hold is to be reviewed */
    CK_WORDS_CASE_OPENED,    /* somebody opened a case outside their caseload */
    CK_WORDS_DIGEST,         /* several incidents at once */
    CK_WORDS_ALARM,          /* the daemon cannot write: act by hand */
    CK_WORDS_NOBODY_REACHED, /* nobody whom an incident's ladder names can be reached */
    CK_WORDS_COUNT,
};

/* One try of one notice: a value, copied wherever it goes. */
struct ck_sending {
    int64_t notice; /* id of the row; what has none: 0 for alarms, below 0 for tests */
    uint32_t tries; /* of which try this is, from 1 */
    enum ck_words words;
    enum ck_urgency urgency;
    bool repeated;           /* an earlier try may have arrived: staff are told so */
    struct ck_wall deadline; /* of no use later; 0: none */
    char reference[CK_SENDING_REFERENCE_SIZE]; /* letters, digits and '-'; the same for every try */
    char to[CK_SENDING_ADDRESS_SIZE]; /* mail address, number in E.164, name of a webhook, … */
    char language[CK_SENDING_LANGUAGE_SIZE]; /* "kk", "ru", "en" */
    char
        time[CK_SENDING_TIME_SIZE]; /* wall time of the check-in where it is held: "19:00"; or "" */
    char link[CK_SENDING_LINK_SIZE]; /* whole, https */
};

enum ck_sent_kind {
    CK_SENT_ACCEPTED, /* the server has taken it and said so */
    CK_SENT_LIMITED,  /* a limit of ours or theirs: not before retry_after_ms */
    CK_SENT_REFUSED,  /* not now: try again */
    CK_SENT_REJECTED, /* never: this notice will not go this way */
    CK_SENT_UNKNOWN,  /* it left, and no answer came: perhaps taken */
    CK_SENT_KIND_COUNT,
};

/* What came of one try. */
struct ck_sent {
    enum ck_sent_kind kind;
    bool gone; /* REJECTED: the address is no more, and nothing will ever arrive there */
    int64_t retry_after_ms;            /* LIMITED, REFUSED: what the server asked for; 0: nothing */
    char provider_id[CK_SENT_ID_SIZE]; /* ACCEPTED: the server's own number, or "" */
    char detail[CK_SENT_DETAIL_SIZE]; /* one line in English for logs and the timeline; no secret */
};

/* "accepted", "limited", "refused", "rejected", "unknown". */
const char *ck_sent_kind_name(enum ck_sent_kind kind);

/* Fills *sent; the detail is made one printable line. */
__attribute__((format(printf, 4, 5))) void ck_sent_fill(struct ck_sent *sent,
                                                        enum ck_sent_kind kind,
                                                        int64_t retry_after_ms, const char *format,
                                                        ...);

struct ck_request;
struct ck_response;

struct ck_notify_channel {
    const char
        *name; /* as in ck_channel_name() of scheduler/effects.h: "email", "sms", "webhook" */
    const struct ck_config *config;
    const struct ck_config_gateway *gateway;              /* of channels that are gateways */
    void (*random)(void *user, void *bytes, size_t size); /* set by whoever uses it; user is NULL */
    bool on;                                              /* it is configured */
    bool many_servers; /* each address has a server of its own: what one of them asks for (LIMITED)
                          holds back no notice to the others */
    int64_t parallel;
    int64_t per_minute;

    /* Makes the request for one try. 0; CK_E_INVALID with *sent filled where there is nothing to
     * ask (a bad address); -ENOMEM. On success the caller owns *request (ck_request_deinit()). */
    int (*prepare)(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                   struct ck_wall now, struct ck_request *request, struct ck_sent *sent);

    /* Says what the answer means. Always fills *sent. */
    void (*judge)(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                  const struct ck_response *response, struct ck_sent *sent);
};

/* The channels. `config` must outlive them. */
void ck_channel_email(struct ck_notify_channel *channel, const struct ck_config *config);
void ck_channel_sms(struct ck_notify_channel *channel, const struct ck_config *config);
void ck_channel_voice(struct ck_notify_channel *channel, const struct ck_config *config);
void ck_channel_webhook(struct ck_notify_channel *channel, const struct ck_config *config);
void ck_channel_web_push(struct ck_notify_channel *channel, const struct ck_config *config);

#endif
