/* The parts of a client. One file each: agent.c (ICE), handshake.c (DTLS), guard.c (SRTP),
 * sender.c, receiver.c; client.c holds them together. */
#ifndef TESTS_CLIENT_CLIENT_IMPL_H
#define TESTS_CLIENT_CLIENT_IMPL_H

#include <openssl/ssl.h>
#include <srtp2/srtp.h>

#include "tests/client/client.h"
#include "tests/client/sdp.h"
#include "tests/client/stun.h"

#define DATAGRAM_MAX 2048
#define PACKET_MAX 1400    /* bytes of a packet of ours, with tag */
#define RING_SIZE 256      /* packets of one kind that can be sent again; a power of two */
#define MISSING_MAX 512    /* sequence numbers of one kind that are waited for */
#define PENDING_CHECKS 8   /* transactions whose answer is still taken */
#define FRAMES_GATHERED 64 /* video frames whose packets may come mixed */

/* A seeded generator (splitmix64). */
uint64_t ck_tclient_random(uint64_t *state);

struct ck_identity {
    SSL_CTX *context;
    uint8_t digest[32];
    char fingerprint[3 * 32];
};

/* handshake.c */

enum handshake_state {
    HANDSHAKE_IDLE,
    HANDSHAKE_RUNNING,
    HANDSHAKE_DONE,
    HANDSHAKE_FAILED,
    HANDSHAKE_CLOSED,
};

struct handshake {
    SSL *ssl;
    enum handshake_state state;
    void (*emit)(void *arg, const uint8_t *data, size_t size);
    void *arg;
    const uint8_t *datagram; /* the one being read, NULL = taken */
    size_t datagram_size;
    bool big_hello;
};

int handshake_init(struct handshake *handshake, const struct ck_identity *identity,
                   const char *profiles, bool big_hello);
void handshake_deinit(struct handshake *handshake);
/* Each may move `state`. */
void handshake_start(struct handshake *handshake);
void handshake_input(struct handshake *handshake, const uint8_t *data, size_t size);
void handshake_timeout(struct handshake *handshake);
void handshake_close(struct handshake *handshake);
/* Microseconds until handshake_timeout() is wanted; -1 = never. */
int64_t handshake_wait_us(struct handshake *handshake);
/* Once DONE: whether the server's certificate has this digest, and the keys. */
bool handshake_certificate_is(const struct handshake *handshake, const uint8_t digest[32]);
int handshake_keys(const struct handshake *handshake, unsigned *profile,
                   uint8_t keys[CK_TCLIENT_KEYS_SIZE]);

/* guard.c */

struct guard {
    srtp_t in;
    srtp_t out;
    unsigned profile;
};

int guard_init(struct guard *guard, unsigned profile, const uint8_t *keys);
void guard_deinit(struct guard *guard);
/* In place; *size grows by the tag or shrinks. 0, CK_E_AUTH, or CK_E_CONFLICT for a replay. */
int guard_protect(struct guard *guard, uint8_t *packet, size_t *size, bool rtcp);
int guard_unprotect(struct guard *guard, uint8_t *packet, size_t *size, bool rtcp);

/* stream.c: packets in a TCP connection */

struct stream {
    size_t size;
    uint8_t bytes[8 * DATAGRAM_MAX];
};

int stream_open(const struct sockaddr_storage *server, int *out);
bool stream_send(int socket, const void *data, size_t size);
/* False where the connection has ended. */
bool stream_read(struct stream *stream, int socket,
                 void (*take)(void *arg, uint8_t *data, size_t size, uint64_t arrived_ns),
                 void *arg);

/* agent.c */

struct check {
    uint8_t id[CK_TSTUN_ID_SIZE];
    size_t path;
    bool use_candidate;
    bool live;
};

struct path {
    struct sockaddr_storage remote;
    bool valid;
};

struct credentials {
    char ufrag[8];
    char pwd[28];
};

struct agent {
    struct credentials local;
    char username[300]; /* of outgoing checks */
    char remote_pwd[257];
    uint64_t tie_breaker;
    struct path path[CK_TSDP_CANDIDATES];
    size_t paths;
    struct check check[PENDING_CHECKS];
    size_t next_check;
    size_t selected; /* path in use, where `chosen` */
    bool chosen;
    bool controlled; /* the other side nominates */
    bool nominated;
    int64_t rto_us;
    int64_t last_answer_us;
    bool consent_lost;
};

/* One leg of a stream that is sent. */

struct held { /* a protected packet */
    uint16_t sequence;
    uint16_t size; /* 0 = empty */
    uint8_t bytes[PACKET_MAX];
};

struct outflow {
    uint32_t ssrc;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t packets;
    uint32_t bytes;
    int64_t due_us;
    uint64_t clock;    /* frames or sounds since the start */
    struct held *ring; /* RING_SIZE of them */
};

struct missing {
    uint16_t sequence;
    uint8_t tries;
    int64_t next_us;
};

struct inflow {
    uint32_t ssrc;
    bool any;
    uint32_t highest; /* extended sequence number */
    uint32_t first;
    uint64_t received;
    uint32_t prior_expected;
    uint64_t prior_received;
    uint32_t jitter; /* RFC 3550 A.8, scaled by 16 */
    int64_t transit;
    uint64_t sender_ntp;
    int64_t sender_us;
    struct missing missing[MISSING_MAX];
    size_t missings;
    struct gathered {
        uint32_t frame; /* plus 1; 0 = empty */
        uint32_t parts; /* a bit each */
    } gathered[FRAMES_GATHERED];
};

enum phase {
    PHASE_NEW,     /* offered, no answer */
    PHASE_RUNNING, /* answered */
    PHASE_OVER,    /* failed, closed or hung up */
};

struct ck_tclient {
    struct ck_tclient_config config;
    struct sockaddr_storage via;
    uint64_t random;
    enum phase phase;
    bool silent; /* vanished */
    struct ck_mono stalled_until;
    uint64_t tells_bps;
    int socket;
    int next_socket;      /* of a restart, -1 = none */
    struct stream stream; /* of each, where they are TCP */
    struct stream next_stream;
    int reading; /* the socket whose packets are being taken */
    struct ck_tsdp_offer offer;
    struct credentials next; /* of the present offer while its answer is awaited */
    bool restarting;
    char cname[24];
    struct sockaddr_in candidate; /* told to a full peer */
    char *offer_text;
    struct ck_tsdp_answer answer;
    bool plain;
    struct agent agent;
    struct handshake handshake;
    bool guarded;
    struct guard guard;
    struct outflow out[2];
    struct inflow in[2];
    uint16_t twcc;
    int64_t rate_bits; /* what REMB leaves for the picture now */
    int64_t rate_us;   /* when that was */
    uint16_t rtx_sequence;
    uint64_t since_key; /* frames since the last key frame sent */
    bool want_key;
    int64_t key_due_us; /* when to ask for the first key frame; 0 = nothing has come yet */
    bool send[2];
    uint32_t frame;
    uint32_t drops_seen;
    uint32_t tone_second[64]; /* plus 1, by second; and packets of its tone */
    uint8_t tone_parts[64];
    struct ck_crowd_timer check_timer;
    struct ck_crowd_timer handshake_timer;
    struct ck_crowd_timer media_timer;
    struct ck_crowd_timer report_timer;
    struct ck_crowd_timer nack_timer;
    struct ck_crowd_timer event_timer;
    struct ck_crowd_timer wake_timer;
    enum ck_tclient_event events[16];
    size_t events_waiting;
    struct ck_tclient_stats stats;
};

/* client.c, for the parts */
void client_emit(struct ck_tclient *client, int socket, const struct sockaddr_storage *to,
                 const void *data, size_t size);
/* To the selected path; silent where there is none. */
void client_emit_selected(struct ck_tclient *client, const void *data, size_t size);
void client_event(struct ck_tclient *client, enum ck_tclient_event event);
void client_begin_handshake(struct ck_tclient *client);
struct ck_mono client_after(const struct ck_tclient *client, int64_t us);
/* Whether it does nothing just now: the timer then comes again when that is over. */
bool client_stalls(struct ck_tclient *client, struct ck_crowd_timer *timer);

/* agent.c */
void agent_credentials(struct credentials *credentials, uint64_t *random);
void agent_start(struct ck_tclient *client);
void agent_input(struct ck_tclient *client, const uint8_t *data, size_t size, int socket);
void agent_due(void *client);
/* Swaps the socket of a restart in. */
void client_adopt_socket(struct ck_tclient *client);

/* sender.c */
int sender_init(struct ck_tclient *client);
void sender_deinit(struct ck_tclient *client);
void sender_start(struct ck_tclient *client);
void sender_due(void *client);
void sender_resend(struct ck_tclient *client, uint32_t ssrc, uint16_t sequence);

/* receiver.c */
void receiver_rtp(struct ck_tclient *client, uint8_t *data, size_t size, uint64_t arrived_ns);
void receiver_rtcp(struct ck_tclient *client, uint8_t *data, size_t size, uint64_t arrived_ns);
void receiver_report_due(void *client);
void receiver_nack_due(void *client);

#endif
