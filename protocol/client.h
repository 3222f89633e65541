/* The WebSocket messages between the pages and the daemon (websocket.md), decoded and encoded.
 *
 * Pure. Decoding checks everything the document says about a single message: form, members, types,
 * lengths, ranges. What needs a state (may this person join now?) is decided elsewhere. */
#ifndef PROTOCOL_CLIENT_H
#define PROTOCOL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_CLIENT_MESSAGE_MAX 65536 /* bytes of one message */
#define CK_CLIENT_SDP_MAX 49152     /* bytes */
#define CK_CLIENT_TEXT_MAX 2000     /* characters of a message between people */
#define CK_CLIENT_REASON_MAX 500    /* characters */
#define CK_CLIENT_DEVICE_MAX 200    /* characters */
#define CK_CLIENT_SIGNATURE_MAX 100 /* characters */
#define CK_CLIENT_DETAIL_MAX 200    /* characters */
#define CK_CLIENT_CLIENT_ID_MAX 36  /* characters: letters, digits, '-', '_' */
#define CK_CLIENT_ID_MAX (INT64_C(1) << 53)
#define CK_CLIENT_NEST_MAX 8 /* levels of brackets */

enum ck_client_side { CK_CLIENT_PERSON, CK_CLIENT_CONSOLE };

enum ck_client_kind {
    CK_CLIENT_JOIN,
    CK_CLIENT_OFFER,
    CK_CLIENT_RESTART,
    CK_CLIENT_FACT,
    CK_CLIENT_CHALLENGE_DONE,
    CK_CLIENT_PAUSE,
    CK_CLIENT_RESUME,
    CK_CLIENT_DECLINE,
    CK_CLIENT_LEAVE,
    CK_CLIENT_MESSAGE,
    CK_CLIENT_READ,
    CK_CLIENT_TAKE,
    CK_CLIENT_END,
    CK_CLIENT_ACTIVE,
    CK_CLIENT_KINDS,
};

/* The word of the wire ("challenge_done"). */
const char *ck_client_kind_name(enum ck_client_kind kind);

/* Facts that a page may report. */
enum ck_client_fact {
    CK_CLIENT_FACT_PERMISSION_ASKED,
    CK_CLIENT_FACT_PERMISSION_GRANTED,
    CK_CLIENT_FACT_PERMISSION_DENIED,
    CK_CLIENT_FACT_NO_CAMERA,
    CK_CLIENT_FACT_NO_MICROPHONE,
    CK_CLIENT_FACT_CAMERA_IN_USE,
    CK_CLIENT_FACT_NO_WEBRTC,
    CK_CLIENT_FACT_PAGE_HIDDEN,
    CK_CLIENT_FACT_PAGE_SHOWN,
    CK_CLIENT_FACT_CLOSING,
    CK_CLIENT_FACT_ICE_FAILED,
    CK_CLIENT_FACT_ICE_CONNECTED,
    CK_CLIENT_FACT_NETWORK_CHANGED,
    CK_CLIENT_FACT_CAMERA_TEST_PASSED,
    CK_CLIENT_FACT_PICTURE_REDUCED,
    CK_CLIENT_FACT_PICTURE_OFF,
    CK_CLIENT_FACT_PICTURE_WHOLE,
    CK_CLIENT_FACTS,
};

const char *ck_client_fact_name(enum ck_client_fact fact);
/* 0 or CK_E_NOT_FOUND. */
int ck_client_fact_parse(const char *name, enum ck_client_fact *fact);

enum ck_client_pause { CK_CLIENT_PAUSE_UNDRESS, CK_CLIENT_PAUSE_CHILD, CK_CLIENT_PAUSE_OTHER };

const char *ck_client_pause_name(enum ck_client_pause reason);

/* What an answer to a message carries back. */
struct ck_client_ref {
    bool given;
    int64_t id;
};

/* One message to the server. Which members are set depends on the kind; texts are NULL where the
 * kind does not have them or an optional one is missing. They belong to `root`. */
struct ck_client_message {
    enum ck_client_kind kind;
    struct ck_client_ref ref;
    int64_t checkin; /* console: offer, restart, take, end */
    int64_t person;  /* console: message, read */
    int64_t up_to;   /* read */
    uint32_t
        generation; /* offer, restart: 1 …; join, take: 0 where the page holds no peer connection */
    uint32_t number;            /* challenge_done: 1 … */
    enum ck_client_fact fact;   /* fact */
    enum ck_client_pause pause; /* pause */
    const char *device;         /* join; "" where missing */
    int64_t key;                /* join: the person's own phone; 0 where missing */
    const char *signature;      /* join; with `key` */
    const char *sdp;            /* offer, restart */
    const char *detail;         /* fact; optional */
    const char *reason;         /* decline */
    const char *client_id;      /* message */
    const char *text;           /* message */
    json_t *root;
};

/* Why a message was refused. */
struct ck_client_fault {
    bool no_object; /* not JSON or not an object: the connection is to be closed with 1003 */
    struct ck_client_ref ref; /* for the error to carry, as far as it could be read */
    char field[48];           /* "" where none is to blame */
    char text[120];
};

/* Decodes one text message. 0; CK_E_SYNTAX or CK_E_INVALID with *fault filled; -ENOMEM. Release
 * with ck_client_message_deinit(). */
int ck_client_decode(enum ck_client_side side, const char *text, size_t size,
                     struct ck_client_message *message, struct ck_client_fault *fault);

void ck_client_message_deinit(struct ck_client_message *message);

/* ---- to the pages ----
 *
 * Each gives a new object, to be handed to ck_hub_send…() or dumped; NULL where memory is short. A
 * json_t argument is taken over, also on failure; text arguments are copied. */

enum ck_client_error {
    CK_CLIENT_INVALID,
    CK_CLIENT_DENIED,
    CK_CLIENT_NOT_FOUND,
    CK_CLIENT_CONFLICT,
    CK_CLIENT_LIMIT,
    CK_CLIENT_BUSY,
    CK_CLIENT_UNAVAILABLE,
};

/* The word for what a command came to: an enum ck_error, or a negative errno (UNAVAILABLE). */
enum ck_client_error ck_client_error_of(int code);

/* `field` NULL: none. `line` 0: none (the line of an SDP). `retry_after_ms` 0: none. */
json_t *ck_client_error(struct ck_client_ref ref, enum ck_client_error code, const char *field,
                        unsigned line, const char *text, uint64_t retry_after_ms);
json_t *ck_client_ok(struct ck_client_ref ref);

/* To both sides. `checkin` 0 leaves the member out (person's side). */
json_t *ck_client_answer(int64_t checkin, const char *sdp, uint32_t generation);
json_t *ck_client_reconnect(int64_t checkin, const char *reason);
json_t *ck_client_recording(int64_t checkin, bool on, const char *reason); /* reason NULL: none */
/* `person` 0 leaves the member out. `object` is a Message of http.yaml. */
json_t *ck_client_chat(int64_t person, json_t *object);
json_t *ck_client_delivered(int64_t person, int64_t up_to);
json_t *ck_client_read(int64_t person, int64_t up_to);

/* To the person. */
json_t *ck_client_person_hello(json_t *state, json_t *ice_servers, bool relay_only);
json_t *ck_client_waiting(struct ck_wall since);
json_t *ck_client_connected(const char *with, bool recording);
/* kind: "read_digits" …; digits NULL: none. */
json_t *ck_client_challenge(unsigned number, unsigned of, const char *kind, const char *digits,
                            unsigned seconds);
json_t *ck_client_person_peer(bool here);
json_t *ck_client_replaced(void);

/* To the console. */
enum ck_client_peer {
    CK_CLIENT_PEER_WAITING,
    CK_CLIENT_PEER_CONNECTING,
    CK_CLIENT_PEER_HERE,
    CK_CLIENT_PEER_AWAY,
    CK_CLIENT_PEER_LEFT,
};
enum ck_client_quality {
    CK_CLIENT_GOOD,
    CK_CLIENT_FAIR,
    CK_CLIENT_POOR,
    CK_CLIENT_LOST,
};
enum ck_client_ring_stop {
    CK_CLIENT_RING_TAKEN,
    CK_CLIENT_RING_GONE,
    CK_CLIENT_RING_UNATTENDED,
};

json_t *ck_client_console_hello(json_t *me, json_t *ice_servers, bool relay_only);
json_t *ck_client_today(void);
json_t *ck_client_ring(json_t *row); /* a CheckinRow */
json_t *ck_client_ring_stop(int64_t checkin, enum ck_client_ring_stop reason);
json_t *ck_client_alert(json_t *incident, const char *notice); /* an IncidentRow; reference */
/* The same to every console of the unit: nobody whom the ladder names can be reached. */
json_t *ck_client_alert_everybody(json_t *incident, const char *notice);
json_t *ck_client_incident(int64_t incident);
/* Nothing can be written since `from` (lasted_ms 0), or it can again after lasted_ms. */
json_t *ck_client_store(struct ck_wall from, int64_t lasted_ms);
json_t *ck_client_taken(int64_t checkin, const char *by); /* by NULL: by you */
json_t *ck_client_console_peer(int64_t checkin, enum ck_client_peer state, bool camera);
json_t *ck_client_link(int64_t checkin, enum ck_client_quality quality, unsigned rtt_ms,
                       double loss, unsigned kbps);
json_t *ck_client_console_ended(int64_t checkin, const char *reason);

/* ICE servers as RTCConfiguration.iceServers wants them: one entry with all `urls`; user and
 * credential may be NULL. An empty array where there are no urls. */
json_t *ck_client_ice_servers(const char *const *urls, size_t count, const char *user,
                              const char *credential);
/* To either side: what `hello` said of the ways that media may take, with credentials that are good
 * from now on. */
json_t *ck_client_ice(json_t *ice_servers, bool relay_only);

#endif
