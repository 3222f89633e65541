/* The values of checkin-media's packet loop, shared by the files of this folder. One thread owns
 * all of it. */
#ifndef MEDIA_WORKER_WORKER_IMPL_H
#define MEDIA_WORKER_WORKER_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/record/recorder.h"
#include "media/rtp/arrivals.h"
#include "media/rtp/keyframes.h"
#include "media/rtp/missing.h"
#include "media/rtp/reorder.h"
#include "media/rtp/sender.h"
#include "media/rtp/source.h"
#include "media/rtp/transit.h"
#include "media/rtp/uplink.h"
#include "media/sdp/sdp.h"
#include "media/srtp.h"
#include "media/transport/dtls.h"
#include "media/transport/gather.h"
#include "media/transport/packet.h"
#include "media/transport/tcp.h"
#include "media/transport/tuples.h"
#include "media/transport/udp.h"
#include "media/worker/control.h"
#include "protocol/base/time.h"
#include "protocol/worker.h"

#define TUPLES_PER_LEG 8
#define SOURCES_PER_LEG CK_SRTP_SOURCES_MAX
#define LEGS_PER_CALL 2
#define UFRAG_SIZE 11 /* worker, slot, generation, random; and the zero */
#define PASSWORD_SIZE 25
#define REMOTE_UFRAG_SIZE (CK_SDP_UFRAG_MAX + 1)
#define CNAME_SIZE 17
#define HELLOS_MAX 64       /* early ClientHello datagrams of all strangers together */
#define HELLO_AGE_MS 2000   /* of one that is still of use */
#define HANDSHAKE_QUEUE 256 /* DTLS datagrams that wait for their turn */
/* Of one leg: two flights of a browser's. More wait with the browser, which repeats them. Once it
 * is connected nothing but its last flight may come, again, where ours was lost, and a farewell: so
 * many a second, which is that flight three times over. */
#define HANDSHAKES_PER_LEG 16
#define HANDSHAKES_CONNECTED 16
#define HANDSHAKES_PER_TURN 4 /* so that a rush of log-ins does not hold up the sound of calls */
#define TICK_MS 10
#define SERVICE_MS 50      /* of a leg that waits for nothing soon */
#define REPORT_MS 1000     /* RR, SR, REMB */
#define SOUND_AGAIN_MS 100 /* between two sounds that are asked for again, on a poor uplink */
#define ARRIVALS_MS 100    /* between two reports of arrivals */
/* An address that another leg was heard from so lately is that leg's: longer than browsers take
 * between two checks (RFC 7675 section 5.1). */
#define OWNED_PATH_MS 6500
/* A path that was silent for this long loses the leg to another proved path on which media arrives.
 */
#define SILENT_PATH_MS 1000
#define RADIO_PERCENT 50    /* loss of a downlink that goes with no queue and is put up with */
#define UNHEARD_MAX 3       /* intervals, then the downlink is taken to be choked; */
#define UNHEARD_LOSSY_MAX 5 /* where the uplink loses without a queue, so that reports get lost */
/* Intervals after an outage in which what is told as lost was lost to it: reports come once a
 * second, and tell of the second before. */
#define DARK_TOLD 2
#define BUSY_PERCENT 85 /* of the loop's time; beyond it no new legs */
#define RETRY_AFTER_MS 2000
#define POOL_PACKETS_PER_LEG 600
#define POOL_PACKETS_MIN 4096

struct worker;
struct leg;
struct call;

enum kind {
    AUDIO = CK_SDP_AUDIO,
    VIDEO = CK_SDP_VIDEO,
};
#define KINDS 2

enum leg_state {
    LEG_WAITING,     /* answered; no authenticated check yet */
    LEG_HANDSHAKING, /* DTLS */
    LEG_CONNECTED,
    LEG_ENDING, /* only its recording is not closed yet */
};

struct credentials {
    char ufrag[UFRAG_SIZE];
    char password[PASSWORD_SIZE];
    char remote_ufrag[REMOTE_UFRAG_SIZE];
};

/* One medium of a leg, both directions. */
struct track {
    struct leg *leg;
    enum kind kind;
    bool negotiated;
    bool sends;    /* the browser may send it */
    bool receives; /* the browser takes it */
    bool nack;
    bool pli;
    bool fir;
    bool remb;
    bool heard;
    uint8_t type;
    uint8_t rtx_type; /* of retransmissions, both ways; CK_SDP_NO_TYPE: the packet itself again */
    int source;       /* index into the leg's sources; -1: none yet */
    struct ck_missing missing;
    uint64_t missed; /* at first, before any repetition */
    uint64_t asked;
    uint64_t found;
    struct ck_transit transit; /* of the uplink */
    struct ck_sender out;
    struct ck_reorder reorder;
    /* at the last interval, for rates */
    uint64_t interval_in_packets;
    uint64_t interval_in_bytes;
    uint64_t interval_missed;
    uint64_t stats_in_bytes;
    uint64_t stats_out_bytes;
    /* of sources that are no longer the present one */
    uint64_t past_packets;
    uint64_t past_bytes;
    uint64_t past_lost;
};

struct source {
    struct ck_source rtp;
    enum kind kind;
    uint64_t feed; /* unique number, for ck_sender_map() */
};

enum record_state {
    RECORD_NONE = 0,
    RECORD_ARMED, /* ordered; begins with the first media */
    RECORD_OPEN,
    RECORD_CLOSING, /* CLOSED of the recorder is awaited */
};

struct record {
    enum record_state state;
    uint64_t id;
    int fd; /* while ARMED */
    uint8_t key[CK_WORKER_KEY_SIZE];
    uint8_t context[CK_WORKER_CONTEXT_MAX];
    size_t context_size;
    bool paused;
    uint16_t pause_reason;
    struct ck_recording *recording;
    bool has_head;
    struct ck_seal_head head;
    struct ck_mono head_told;
};

struct leg {
    struct worker *worker;
    uint64_t id;
    uint32_t slot;
    uint8_t role;
    enum leg_state state;
    struct call *call;
    struct ck_mono opened;
    struct ck_mono first_check;
    uint32_t rtt_us; /* to the browser: the handshake's, until a receiver report says better */
    struct ck_mono last_check;
    bool checked;
    bool suspended;
    /* ICE */
    uint8_t generation;
    struct credentials now;
    struct credentials before; /* valid until the first check with `now`; ufrag "" then */
    uint32_t tuples[TUPLES_PER_LEG];
    bool nominated[TUPLES_PER_LEG];
    unsigned tuple_count;
    uint32_t selected; /* CK_TUPLE_NONE: no path yet */
    uint32_t nomination;
    /* DTLS, SRTP */
    struct ck_dtls_fingerprint fingerprint;
    struct ck_dtls *dtls;
    unsigned rebuilds_told;
    unsigned handshakes_waiting;   /* of its datagrams in the worker's queue */
    unsigned handshakes_connected; /* since: */
    struct ck_mono handshake_second;
    struct ck_srtp *in;
    struct ck_srtp *out;
    enum ck_srtp_profile profile;
    /* SDP */
    uint64_t sdp_session;
    uint32_t sdp_version;
    bool reduced_size;
    char cname[CNAME_SIZE];
    uint32_t video_bitrate_max;
    /* RTP */
    bool spoke;    /* its browser was heard by SRTP: its handshake is over, too */
    uint32_t ssrc; /* what our RTCP is from */
    struct track tracks[KINDS];
    unsigned source_count;
    struct source sources[SOURCES_PER_LEG];
    bool source_refused;
    bool key_frame_told;
    bool camera_stopped;
    struct ck_mono camera_heard;
    bool has_clock; /* the browser's clock has been compared with ours */
    int64_t clock_offset_us;
    uint8_t fir_number;
    struct ck_key_frames keys;
    struct ck_uplink uplink;
    struct ck_uplink downlink;    /* as its browser reports it; paces the picture */
    struct ck_transit round_trip; /* without what its uplink is late by: the downlink's queue */
    uint32_t sent_bitrate;        /* to its browser, in the last interval */
    unsigned unheard;             /* intervals without a report on what is sent */
    unsigned dark;                /* intervals left of an outage and of what is told of it */
    bool uplink_loses;       /* without a long queue, so that reports get lost, nothing is choked */
    bool downlink_loses;     /* when last heard of */
    uint64_t uplink_lost[2]; /* in parts of 256, in the last two intervals */
    struct ck_uplink_places places;
    struct ck_uplink_places sent_places; /* of its downlink: what is sent, and asked for again */
    bool crowded;                        /* its uplink had a queue in the last interval; */
    bool sound_fills;                    /* by the sound alone */
    struct ck_mono sound_due;            /* one that was lost may be asked for again */
    uint64_t told_bitrate;               /* of the downlink, by the browser (REMB); 0: never told */
    uint8_t transport_id; /* header extension that numbers the browser's packets; 0: none */
    struct ck_arrivals arrivals;
    struct ck_mono arrivals_due;
    struct ck_allowed allowed; /* to be told again, while: */
    bool unheeded;             /* more comes than that */
    struct ck_mono report_due;
    struct ck_mono interval_began;
    struct ck_mono stats_due;
    struct ck_mono stats_began;
    struct record record;
};

struct call {
    uint64_t id; /* 0: this place is free */
    bool relay;
    struct leg *legs[LEGS_PER_CALL]; /* by role - 1 */
};

struct hello {
    struct ck_packet *packet;
    struct ck_path path;
};

struct handshake {
    struct ck_packet *packet;
    uint32_t slot;
    uint64_t leg;
};

struct worker_counts {
    uint64_t packets_in;
    uint64_t bytes_in;
    uint64_t dropped;
};

struct worker {
    struct ck_worker_config config;
    const struct ck_srtp_engine *srtp;
    struct ck_control *control;
    int epoll;
    int memory; /* of ck_memory_open() */
    uint64_t memory_limit;
    struct ck_packet_pool *pool;
    struct ck_udp *udp[2]; /* IPv4, IPv6; NULL: not used */
    struct ck_tcp *tcp;    /* NULL: not used */
    uint16_t tcp_ports[2];
    struct ck_tuples tuples;
    struct ck_dtls_context *dtls;
    struct ck_recorder *recorder;
    struct ck_sdp_candidate candidates[2 * CK_WORKER_ADDRESSES_MAX];
    unsigned candidate_count;
    /* now, read once a turn */
    struct ck_mono now;
    int64_t wall_us;
    /* legs by slot; when each wants service, in one piece of memory because it is looked through
     * each tick */
    struct leg **legs;
    int64_t *due_us;
    int64_t soonest_us; /* no leg's is before it */
    uint8_t *generations;
    uint32_t slots_used; /* all used ones are below */
    uint32_t leg_count;
    uint32_t handshake_count;
    uint32_t record_count;
    struct call *calls;
    uint32_t calls_used; /* all used ones are below */
    uint32_t call_count;
    uint64_t feeds;
    struct hello hellos[HELLOS_MAX];
    unsigned hello_next;
    struct handshake queue[HANDSHAKE_QUEUE];
    unsigned queue_first;
    unsigned queue_count;
    struct worker_counts counts;
    struct ck_gather gather;
    int64_t lag_us;  /* longest turn since the last heartbeat */
    int64_t busy_us; /* in turns, since the last heartbeat */
    unsigned busy_percent;
    struct ck_mono tick_due;
    struct ck_mono heartbeat_due;
    struct ck_mono heartbeat_last;
    struct ck_mono recorder_due;
    struct ck_mono tcp_due;
    bool orders_over; /* SHUTDOWN was the last one */
    bool draining;
    struct ck_mono drain_until;
    bool stop;
    int exit_status;
};

/* --- worker.c
 * --------------------------------------------------------------------------------------- */

/* Ends the loop after this turn with this status. */
void worker_stop(struct worker *worker, int status);
void worker_send(struct worker *worker, const struct ck_worker_message *message,
                 bool may_leave_out);
/* Puts a packet on the way, to leave with the turn. */
void worker_queue(struct worker *worker, const struct ck_path *path, struct ck_packet *packet);
int64_t duration_us(uint32_t configured_ms, uint32_t default_ms);

/* --- leg.c
 * ------------------------------------------------------------------------------------------ */

int leg_create(struct worker *worker, uint64_t id, uint8_t role, struct call *call,
               struct leg **leg);
struct leg *leg_find(struct worker *worker, uint64_t id);
struct leg *leg_peer(const struct leg *leg);
void leg_event(struct leg *leg, uint16_t event, uint32_t detail);
/* Ends a leg: `event` says why, 0 where checkind ordered it. The leg may be gone afterwards. */
void leg_end(struct leg *leg, uint16_t event);
/* Frees a leg whose recording is closed too, and says so. */
void leg_gone(struct leg *leg);
/* Frees a leg that was never answered. */
void leg_discard(struct leg *leg);
/* Frees all at once, silently, with the process. */
void legs_abandon(struct worker *worker);
void leg_soon(struct leg *leg, int64_t in_us);
/* What time brings. The leg may be gone afterwards. */
void leg_service(struct leg *leg);
struct call *call_find(struct worker *worker, uint64_t id);
struct call *call_make(struct worker *worker, uint64_t id);
/* A call without legs is gone. */
void call_drop_empty(struct worker *worker, struct call *call);

/* --- orders.c
 * --------------------------------------------------------------------------------------- */

/* Acts on a message; owns the descriptor. */
void order_take(struct worker *worker, const struct ck_worker_message *message, int fd);
uint32_t legs_free(const struct worker *worker);

/* --- path.c
 * ----------------------------------------------------------------------------------------- */

void credentials_make(struct leg *leg, struct credentials *credentials);
void path_stun(struct worker *worker, struct ck_packet *packet, const struct ck_path *path);
void path_dtls(struct worker *worker, struct ck_packet *packet, const struct ck_path *path);
void path_handshakes(struct worker *worker);
/* The leg that a path belongs to, noting that it was heard is path_heard(). NULL: a stranger. */
struct leg *path_leg(struct worker *worker, const struct ck_packet *packet,
                     const struct ck_path *path, uint32_t *tuple);
void path_heard(struct leg *leg, uint32_t tuple);
/* A TCP connection that was a leg's is gone. */
void path_gone(struct worker *worker, const struct ck_path *path);
/* Puts a packet on the way to the leg's browser. */
void path_send(struct leg *leg, struct ck_packet *packet);
void path_forget(struct leg *leg);
/* What the state of the handshake means. The leg may be gone afterwards. */
void path_handshake_state(struct leg *leg, enum ck_dtls_state state);

/* --- ahead.c
 * ---------------------------------------------------------------------------------------- */

/* Fetches what a datagram that is still to come will touch; a ck_udp_look. Leaves the number of its
 * tuple as the packet's hint, from 1. */
void ahead_look(void *user, struct ck_packet *packet, const struct ck_path *path, unsigned steps);

/* --- media.c
 * ---------------------------------------------------------------------------------------- */

void media_rtp(struct worker *worker, struct ck_packet *packet, const struct ck_path *path);
/* How late what the browser sends comes just now; 0 where nobody speaks. */
int64_t media_late_us(const struct leg *leg);
void media_rtcp(struct worker *worker, struct ck_packet *packet, const struct ck_path *path);

/* --- relay.c
 * ---------------------------------------------------------------------------------------- */

void relay_packet(struct leg *from, enum kind kind, const struct source *source, uint64_t sequence,
                  struct ck_packet *packet, const struct ck_vp8 *vp8);
/* Sends what waited for the downlink and whose time has come. */
void relay_paced(struct leg *leg);
void relay_again(struct leg *leg, enum kind kind, uint16_t sequence);
/* The relay of a call was switched on, or a leg came (back) into it. */
void relay_begin(struct call *call);

/* --- feedback.c
 * ------------------------------------------------------------------------------------- */

void feedback_key_frame(struct leg *leg);
void feedback_missing(struct leg *leg);
void feedback_arrivals(struct leg *leg);
/* The leg's browser says what its downlink carries. */
void feedback_told(struct leg *leg, uint64_t bitrate);
void feedback_allowed(struct leg *leg);
void feedback_report(struct leg *leg);
void feedback_stats(struct leg *leg);

/* --- records.c
 * -------------------------------------------------------------------------------------- */

void record_start(struct leg *leg, const struct ck_worker_record_start *order, int fd);
void record_fail(struct worker *worker, uint64_t leg, uint64_t recording, int error);
void record_pause(struct leg *leg, uint16_t reason);
void record_resume(struct leg *leg);
/* No more media of this leg. True where CLOSED is awaited. */
bool record_stop(struct leg *leg);
bool record_wants(const struct leg *leg);
/* One packet of a leg that is recorded, in order or not. */
void record_packet(struct leg *leg, enum kind kind, uint64_t sequence, struct ck_packet *packet);
void record_source_changed(struct leg *leg, enum kind kind);
void record_report(struct leg *leg, enum kind kind, const struct ck_rtcp_sender *report);
void record_service(struct leg *leg);
void record_head(struct leg *leg, uint8_t reason);
void record_gap(struct leg *leg, enum kind kind, uint16_t event, struct ck_mono from);
void record_events(struct worker *worker);

#endif
