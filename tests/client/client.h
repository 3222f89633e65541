/* A native WebRTC client for tests: what a browser is to checkin-media, in one C struct.
 *
 * It makes the SDP offer, is the full and controlling ICE agent, the DTLS 1.2 client and an SRTP
 * end point; it sends sound and picture (see clip.h) whose every packet carries a mark (see mark.h)
 * and checks every packet that arrives. It knows nothing of the server but its SDP answer and its
 * UDP port, and shares no code with media/.
 *
 * All clients of a crowd run on its thread. A client never blocks. Functions return 0, a positive
 * enum ck_error or a negated errno. Randomness comes from the seed: two clients of one seed make
 * the same choices. */
#ifndef TESTS_CLIENT_CLIENT_H
#define TESTS_CLIENT_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tests/client/clip.h"
#include "tests/client/crowd.h"
#include "tests/client/mark.h"
#include "tests/client/rtp.h"

/* A certificate with its key (ECDSA P-256, self-signed) and the TLS context made of it. May serve
 * any number of clients. */
struct ck_identity;

int ck_identity_create(struct ck_identity **identity);
void ck_identity_destroy(struct ck_identity *identity);

/* Loads the SRTP library for this process, once, before the first client; unload at the end. */
int ck_tclient_library_init(void);
void ck_tclient_library_deinit(void);

enum ck_tclient_event {
    CK_TCLIENT_ICE_CONNECTED = 1, /* first answered check */
    CK_TCLIENT_NOMINATED,
    CK_TCLIENT_DTLS_CONNECTED,
    CK_TCLIENT_FIRST_PACKET, /* the first valid mark of either kind */
    CK_TCLIENT_DTLS_FAILED,  /* fatal alert, wrong certificate, wrong profile */
    CK_TCLIENT_CLOSED,       /* close_notify of the server */
    CK_TCLIENT_CONSENT_LOST, /* no answered check for consent_timeout_us */
};

#define CK_TCLIENT_KEYS_SIZE 60 /* client key, server key, client salt, server salt */

enum ck_tclient_profile { /* numbers of RFC 5764 and RFC 7714 */
                          CK_TCLIENT_CM_80 = 1,
                          CK_TCLIENT_GCM_128 = 7,
};

struct ck_tclient_config {
    struct ck_crowd *crowd;
    struct ck_identity *identity;
    const struct ck_clip *clip;
    uint32_t call;
    uint8_t leg;
    uint8_t peer_leg; /* whose marks are expected; the other leg of the call by default (1 - leg) */
    bool peer_leg_set;
    bool unmarked; /* the other side is no test client: its packets carry no marks */
    uint64_t seed;

    /* Signalling and security. */
    const char *profiles;   /* OpenSSL names, NULL = GCM 128, then CM 80 */
    bool big_hello;         /* a ClientHello of two datagrams, as browsers send it */
    bool late_dtls;         /* wait with DTLS for the nomination */
    bool wrong_fingerprint; /* offer the fingerprint of a certificate that is not ours */
    bool rtx;               /* offer RTX */
    bool twcc;              /* offer transport-wide congestion control */
    int family;             /* AF_INET (0) or AF_INET6 */
    bool tcp;               /* ICE over TCP instead of UDP */
    const struct sockaddr
        *via;       /* send here instead of to the answer's candidates (a proxy); copied */
    bool full_peer; /* the server is another one, with a full ICE agent: it gets our candidate, its
                       checks are answered, its SDP need not be what a lite agent answers */
    struct in_addr local; /* IPv4 address to send from; zeros = 127.0.0.1 */

    /* Media. */
    bool no_audio;
    bool no_video;
    unsigned video_extra; /* further packets of each frame, beyond the usual 2 or 3 */
    unsigned key_every;   /* frames between key frames without being asked; 0 = only when asked */
    bool no_nack;         /* never ask for a lost packet */
    bool deaf_nack;       /* never answer when asked for one */
    bool obeys;           /* leave out frames of the picture beyond what REMB allows */
    uint16_t first_sequence; /* RTP sequence number of the first packet, to reach a wrap early */

    /* Times; 0 = the default. */
    int64_t check_interval_us;  /* consent checks, 2 s; RFC 7675 says 5 s */
    int64_t consent_timeout_us; /* 30 s */
    int64_t report_interval_us; /* RTCP, 1 s */

    /* May be NULL. Never called from inside ck_tclient_*(). */
    void (*on_event)(void *arg, enum ck_tclient_event event);
    void *arg;
    /* Gets the relay latency of each packet with a valid mark, by the kernel's receive time. NULL =
     * none. */
    struct ck_histogram *latency;
};

/* What one client did and saw. Counters since its creation. */
struct ck_tclient_stats {
    /* Milestones, microseconds of the crowd's clock; 0 = not yet. */
    int64_t offered_us;
    int64_t answered_us;
    int64_t ice_us;
    int64_t dtls_us;
    int64_t first_packet_us;
    unsigned profile; /* enum ck_tclient_profile */

    uint32_t sent[2]; /* marks sent: audio, video; the next mark's sequence */
    uint32_t frames_sent;
    uint32_t key_frames_sent;
    uint64_t resent;     /* packets sent again on a NACK */
    uint64_t not_held;   /* asked for, but too old */
    uint64_t send_fails; /* the socket would not take a datagram: our own loss */

    uint64_t datagrams_in;
    uint64_t kernel_drops; /* our own socket overflowed: our own loss */
    int64_t late_us;       /* the longest that something lay in our own socket */
    uint64_t strangers;    /* from an address that is none of the server's */
    uint64_t unreadable;   /* neither STUN, DTLS nor RTP by the first byte, or bad RTP */
    uint64_t bad_tags;     /* SRTP or SRTCP that does not authenticate */
    uint64_t replays;      /* SRTP that came twice */
    uint64_t wrong_header; /* payload type, SSRC or extension that the answer does not have */
    uint64_t empty;        /* RTP without payload (padding) */
    uint64_t rtx_in;       /* packets restored from RTX */
    uint64_t rtcp_in;
    uint64_t bad_rtcp;
    uint64_t senders_in; /* SR */
    uint64_t reports_in; /* report blocks */
    uint64_t nacks_in;   /* sequence numbers asked of us */
    uint64_t plis_in;    /* PLI and FIR */
    uint64_t twccs_in;
    uint64_t twcc_told; /* numbers that they told of, and of those the ones that had come */
    uint64_t twcc_came;
    uint64_t byes_in;
    uint64_t remb_bps;               /* the last one */
    uint64_t remb_least_bps;         /* the smallest; 0 = none */
    struct ck_trtp_report report[2]; /* the last about our audio and our video */

    uint64_t checks_sent;
    uint64_t checks_answered;
    uint64_t bad_stun;
    uint64_t requests_in; /* STUN requests: a lite agent sends none */
    uint64_t nacks_sent;  /* sequence numbers asked for */
    uint64_t plis_sent;
    uint64_t repaired; /* asked for and then come */

    uint64_t frames_whole; /* video frames of which every packet came */
    uint64_t key_frames;   /* of them key frames */
    uint64_t sounds_with_tone;
    uint64_t tones; /* seconds whose tone can be heard: three of its five packets came */
    struct ck_account account[2]; /* audio, video */
};

struct ck_tclient;

/* Copies the config; identity, clip and crowd must outlive the client. */
int ck_tclient_create(const struct ck_tclient_config *config, struct ck_tclient **client);
/* Takes NULL. Silent: the server hears nothing more. */
void ck_tclient_destroy(struct ck_tclient *client);

/* The SDP of the present offer; the client's, until the next offer. */
const char *ck_tclient_offer(const struct ck_tclient *client);

/* Takes the answer to the present offer and begins (or goes on) with ICE. CK_E_INVALID with the
 * reason in `why` where the answer is not what a lite agent must answer. */
int ck_tclient_answer(struct ck_tclient *client, const char *sdp, size_t size,
                      char why[static 160]);

/* Takes the offer of a full agent (`full_peer`) instead of making one: the controlled agent from
 * now on. ck_tclient_offer() is then the answer. Errors as ck_tclient_answer(). */
int ck_tclient_accept(struct ck_tclient *client, const char *sdp, char why[static 160]);

/* Makes a new offer with new ICE credentials; DTLS and SRTP stay. Until its answer comes the old
 * ones stay in use. With `new_port` checks and media go out of a new socket from the answer on. */
int ck_tclient_restart(struct ck_tclient *client, bool new_port);

/* From now on everything goes out of a new socket, under the present credentials: what a NAT
 * rebinding is. */
int ck_tclient_roam(struct ck_tclient *client);

/* Stops (or takes up) all sending and all checks without a word. */
void ck_tclient_vanish(struct ck_tclient *client, bool gone);
/* It does nothing for so long, as a page in the background: what arrives waits in its socket, and
 * all of it is read, and all that is due done, afterwards. UDP. */
void ck_tclient_stall(struct ck_tclient *client, int ms);

/* Sends media of each kind or not. */
void ck_tclient_send(struct ck_tclient *client, bool audio, bool video);

/* Tells the server from now on, with each report, what its way to here carries; 0: nothing. */
void ck_tclient_tell(struct ck_tclient *client, uint64_t bps);

/* Asks the server for a key frame. */
void ck_tclient_want_key_frame(struct ck_tclient *client);

/* DTLS close_notify; nothing is sent afterwards. */
void ck_tclient_hang_up(struct ck_tclient *client);

/* Bytes out of the client's own socket to the server, as they are. */
int ck_tclient_send_raw(struct ck_tclient *client, const void *data, size_t size);

/* An RTP (or, with `rtcp`, RTCP) packet of the caller's making, protected under the client's keys:
 * what a hostile browser can send that no stranger can. CK_E_CONFLICT before DTLS is done,
 * CK_E_LIMIT beyond 1400 bytes, CK_E_AUTH where the SRTP library refuses it. */
int ck_tclient_send_protected(struct ck_tclient *client, const void *packet, size_t size,
                              bool rtcp);

/* The SSRC of what the client sends of `kind` (0 audio, 1 video). */
uint32_t ck_tclient_ssrc(const struct ck_tclient *client, unsigned kind);

/* The kernel's address of the client's socket. */
int ck_tclient_address(const struct ck_tclient *client, struct sockaddr_storage *address);
/* Where the client sends; CK_E_NOT_FOUND before the answer. */
int ck_tclient_server(const struct ck_tclient *client, struct sockaddr_storage *address);
/* The server's present ICE user name and ours, "server:ours", and the server's password; "" before
 * the answer. They live as long as the present credentials. */
const char *ck_tclient_ice_username(const struct ck_tclient *client);
const char *ck_tclient_ice_password(const struct ck_tclient *client);

const struct ck_tclient_stats *ck_tclient_stats(const struct ck_tclient *client);

/* Skips signalling, ICE and DTLS: SRTP with AEAD_AES_128_GCM under `keys` (laid out as DTLS-SRTP
 * exports them, 2 * 16 + 2 * 12 bytes) to `server` from now on. For the bare loop that benchmarks
 * compare with. */
int ck_tclient_plain(struct ck_tclient *client, const struct sockaddr *server,
                     const uint8_t keys[static 56]);

/* Marks of `kind` that `from` sent and `to` never got, counted from the first one it got; `before`
 * (may be NULL) gets the number sent before that. */
uint64_t ck_tclient_lost(const struct ck_tclient *to, const struct ck_tclient *from, unsigned kind,
                         uint64_t *before);

/* Everything of the account that must be zero when the relay is right, as a text of names and
 * numbers; "" when all of it is zero. `text` is what is returned. */
const char *ck_tclient_faults(const struct ck_tclient *client, char text[static 512]);

#endif
