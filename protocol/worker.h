/* The messages between checkind and one checkin-media process, as values and as bytes.
 *
 * The written specification is protocol/worker.md; where the two differ, that is a mistake in one
 * of them. One message is one SOCK_SEQPACKET datagram. Nothing here allocates: texts and blobs of a
 * decoded message point into the datagram and live as long as it does. Descriptors travel beside
 * the datagram by SCM_RIGHTS and are not part of these values. Thread-safe; keeps no state. */
#ifndef PROTOCOL_WORKER_H
#define PROTOCOL_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both sides name it in their first message; a side that reads another number ends the connection.
 */
#define CK_WORKER_VERSION 1

/* Limits of the encoding. A message beyond one is CK_E_LIMIT on the way in and on the way out. */
#define CK_WORKER_MESSAGE_MAX 49152 /* bytes of any datagram */
#define CK_WORKER_SDP_MAX 32768     /* bytes of an offer or an answer */
#define CK_WORKER_TEXT_MAX 512      /* bytes of any other text */
#define CK_WORKER_CONTEXT_MAX 512   /* bytes bound into a recording */
#define CK_WORKER_ADDRESSES_MAX 8   /* advertised addresses */
#define CK_WORKER_KEY_SIZE 32       /* the key of one recording */
#define CK_WORKER_DIGEST_SIZE 32    /* the head of a recording's chain */
#define CK_WORKER_INDEX_MAX 63      /* workers of one daemon are 0 to this */

/* Limits of a worker that CONFIG may ask for. */
#define CK_WORKER_LEGS_MAX 4096
#define CK_WORKER_BITRATE_MIN 100000 /* bits per second of one video uplink */
#define CK_WORKER_BITRATE_MAX 10000000

enum ck_worker_kind {
    /* checkind to worker */
    CK_WORKER_CONFIG = 1, /* first, exactly once */
    CK_WORKER_LEG_OPEN = 2,
    CK_WORKER_LEG_RESTART = 3,
    CK_WORKER_LEG_CLOSE = 4,
    CK_WORKER_RELAY = 5,
    CK_WORKER_RECORD_START = 6, /* with one descriptor */
    CK_WORKER_RECORD_PAUSE = 7,
    CK_WORKER_RECORD_RESUME = 8,
    CK_WORKER_RECORD_STOP = 9,
    CK_WORKER_SHUTDOWN = 10,
    /* worker to checkind */
    CK_WORKER_READY = 64, /* first, exactly once, after CONFIG */
    CK_WORKER_HEARTBEAT = 65,
    CK_WORKER_LEG_ANSWER = 66,
    CK_WORKER_LEG_REFUSED = 67,
    CK_WORKER_LEG_EVENT = 68,
    CK_WORKER_LEG_STATS = 69,
    CK_WORKER_RECORD_STARTED = 70,
    CK_WORKER_RECORD_HEAD = 71,
    CK_WORKER_RECORD_CLOSED = 72,
    CK_WORKER_RECORD_FAILED = 73,
};

/* What the process ends with. */
enum ck_worker_exit {
    CK_WORKER_EXIT_OK = 0,     /* drained after SHUTDOWN, or the control socket reached its end */
    CK_WORKER_EXIT_USAGE = 64, /* command line: no or a wrong --control-fd */
    CK_WORKER_EXIT_PROTOCOL = 65, /* a control message that does not decode, or another version */
    CK_WORKER_EXIT_BIND = 69,     /* a UDP address of CONFIG cannot be bound */
    CK_WORKER_EXIT_INTERNAL =
        70, /* a library or system call failed in a way that has no other answer */
    CK_WORKER_EXIT_MEMORY = 71, /* no memory at start */
    CK_WORKER_EXIT_SANDBOX =
        77,                     /* the sandbox cannot be closed; the worker never runs without it */
    CK_WORKER_EXIT_CONFIG = 78, /* CONFIG asks for something out of range */
};

struct ck_worker_text {
    const char *data; /* not zero-terminated; UTF-8 */
    size_t size;
};

struct ck_worker_blob {
    const uint8_t *data;
    size_t size;
};

struct ck_worker_address {
    uint8_t family;    /* 4, 6, or 0 for "none" */
    uint8_t bytes[16]; /* network order; the first 4 count for family 4 */
    uint16_t port;     /* 0: any free one (listening), the bound one (advertising) */
};

enum ck_worker_log_level {
    CK_WORKER_LOG_ERROR = 0,
    CK_WORKER_LOG_WARNING = 1,
    CK_WORKER_LOG_INFO = 2,
    CK_WORKER_LOG_DEBUG = 3,
};

/* Durations of a worker, in milliseconds. 0 in CONFIG means the default. */
#define CK_WORKER_SUSPEND_MS 15000
#define CK_WORKER_GONE_MS 30000
#define CK_WORKER_HANDSHAKE_MS 30000
#define CK_WORKER_STATS_MS 5000
#define CK_WORKER_CAMERA_STOPPED_MS 2000
#define CK_WORKER_HEAD_MS 60000
#define CK_WORKER_DURATION_MIN_MS 100
#define CK_WORKER_DURATION_MAX_MS 600000

struct ck_worker_durations { /* each 0, or CK_WORKER_DURATION_MIN_MS to CK_WORKER_DURATION_MAX_MS */
    uint32_t suspend_ms;     /* without a valid check: suspended */
    uint32_t gone_ms;        /* without a valid check: the leg ends */
    uint32_t handshake_ms;   /* from the first check to the end of DTLS */
    uint32_t stats_ms;       /* LEG_STATS period */
    uint32_t camera_stopped_ms; /* without video while the rest goes on */
    uint32_t head_ms;           /* RECORD_HEAD period */
};

struct ck_worker_config {
    uint32_t version;        /* CK_WORKER_VERSION */
    uint8_t index;           /* at most CK_WORKER_INDEX_MAX */
    uint8_t log_level;       /* enum ck_worker_log_level; the log is lines on standard error */
    uint32_t legs_max;       /* 1 to CK_WORKER_LEGS_MAX */
    uint32_t handshakes_max; /* legs answered whose DTLS is not done; 1 to legs_max */
    uint32_t recordings_max; /* at most legs_max */
    uint32_t ring_bytes_max; /* between packet loop and disk, all recordings together */
    uint64_t
        memory_bytes_max; /* address space (RLIMIT_AS); 0: no limit. Ignored under sanitizers */
    struct ck_worker_durations durations;
    struct ck_worker_address listen_v4; /* at least one of the two */
    struct ck_worker_address listen_v6;
    uint8_t tcp; /* 0 or 1: ICE over TCP as well, at the same addresses and port numbers */
    uint8_t
        advertised_count; /* 0: the listening addresses themselves, which then may not be "any" */
    struct ck_worker_address advertised[CK_WORKER_ADDRESSES_MAX];
};

enum ck_worker_role {
    CK_WORKER_ROLE_PERSON = 1,
    CK_WORKER_ROLE_STAFF = 2,
};

struct ck_worker_leg_open {
    uint64_t leg;  /* not 0, never used again by this daemon */
    uint64_t call; /* not 0; at most one leg of each role is in a call at a time */
    uint8_t role;
    uint32_t video_bitrate_max; /* bits per second that the browser may send */
    struct ck_worker_text offer;
};

struct ck_worker_leg_restart {
    uint64_t leg;
    struct ck_worker_text offer;
};

struct ck_worker_leg_ref {
    uint64_t leg;
};

struct ck_worker_relay {
    uint64_t call;
    uint8_t on; /* 0 or 1; a call begins with 0 */
};

struct ck_worker_record_start {
    uint64_t leg;
    uint64_t recording; /* not 0 */
    uint8_t key[CK_WORKER_KEY_SIZE];
    struct ck_worker_blob context; /* opaque, bound into the file's first chunk */
};

struct ck_worker_record_pause { /* RECORD_PAUSE and RECORD_RESUME */
    uint64_t leg;
    uint16_t reason; /* opaque to the worker, kept in the gap's mark */
};

struct ck_worker_shutdown {
    uint32_t drain_ms; /* how long live legs may go on; 0: end now */
};

struct ck_worker_ready {
    uint32_t version;
    uint16_t port_v4; /* bound UDP ports, 0 where there is none */
    uint16_t port_v6;
    uint16_t tcp_port_v4; /* bound TCP ports, likewise */
    uint16_t tcp_port_v6;
    uint32_t legs_max; /* in effect */
    uint32_t handshakes_max;
    uint32_t recordings_max;
    struct ck_worker_text library; /* names and versions, for the log */
};

struct ck_worker_heartbeat { /* every second; counters since the start */
    uint32_t legs;
    uint32_t handshakes;
    uint32_t recordings;
    uint32_t legs_free; /* how many LEG_OPEN would be taken now */
    uint64_t cpu_us;    /* of the whole process */
    uint64_t lag_us;    /* longest turn of the packet loop in this second */
    uint64_t packets_in;
    uint64_t packets_out;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t dropped;     /* arrived and not used: unknown sender, bad tag, no room, no form */
    uint64_t socket_lost; /* dropped by the kernel before we read them */
    uint64_t ring_bytes;  /* waiting for the disk now */
};

struct ck_worker_leg_answer {
    uint64_t leg;
    struct ck_worker_text answer;
};

enum ck_worker_refusal {
    CK_WORKER_REFUSED_SYNTAX = 1, /* the offer is not SDP; line and message say where and why */
    CK_WORKER_REFUSED_UNSUPPORTED = 2, /* SDP, but without something we need, named in message */
    CK_WORKER_REFUSED_LIMIT = 3,       /* the offer is beyond a limit named in message */
    CK_WORKER_REFUSED_BUSY = 4,        /* no room now; try again after retry_after_ms */
    CK_WORKER_REFUSED_DRAINING = 5,    /* the worker is going away; try another */
    CK_WORKER_REFUSED_CONFLICT = 6,    /* leg exists, or the call already has a leg of this role */
    CK_WORKER_REFUSED_NOT_FOUND = 7,   /* LEG_RESTART of a leg that is not here */
    CK_WORKER_REFUSED_INTERNAL = 8,
};

struct ck_worker_leg_refused {
    uint64_t leg;
    uint16_t code;           /* enum ck_worker_refusal */
    uint32_t line;           /* of the offer, from 1; 0 where no line is at fault */
    uint32_t retry_after_ms; /* 0 unless BUSY */
    struct ck_worker_text message;
};

enum ck_worker_event {
    CK_WORKER_EVENT_ICE_CONNECTED = 1, /* first authenticated check */
    CK_WORKER_EVENT_DTLS_CONNECTED =
        2, /* fingerprint compared, keys in use; detail: SRTP profile number */
    CK_WORKER_EVENT_FIRST_AUDIO = 3,
    CK_WORKER_EVENT_FIRST_KEY_FRAME = 4, /* whole; detail: width << 16 | height */
    CK_WORKER_EVENT_CAMERA_STOPPED = 5,  /* no video for 2 s while sound or checks go on */
    CK_WORKER_EVENT_CAMERA_BACK = 6,     /* detail: milliseconds without */
    CK_WORKER_EVENT_SUSPENDED = 7,       /* no valid check for 15 s */
    CK_WORKER_EVENT_RESUMED = 8,         /* detail: milliseconds without */
    CK_WORKER_EVENT_PATH_CHANGED = 9,    /* media goes to another address of the peer */
    CK_WORKER_EVENT_DTLS_RETRIED =
        10, /* a handshake broke and was begun again; detail: how often */
    CK_WORKER_EVENT_SSRC_REFUSED = 11, /* a source beyond the limit of a leg, once a leg */
    /* After one of these the leg ends by itself; CLOSED follows. */
    CK_WORKER_EVENT_GONE = 32,        /* no valid check for 30 s, or never one within 30 s */
    CK_WORKER_EVENT_DTLS_FAILED = 33, /* no handshake within 30 s of the first check */
    CK_WORKER_EVENT_FINGERPRINT_MISMATCH = 34, /* the certificate is not the offer's */
    CK_WORKER_EVENT_CLOSED_BY_PEER = 35,       /* DTLS close_notify */
    /* The last message about a leg, exactly once for each that was answered. */
    CK_WORKER_EVENT_CLOSED = 64,
};

struct ck_worker_leg_event {
    uint64_t leg;
    uint16_t event;      /* enum ck_worker_event */
    uint32_t detail;     /* 0 unless named above */
    uint32_t elapsed_ms; /* since LEG_OPEN was read */
};

/* One direction of one medium; counters since the leg opened. */
struct ck_worker_flow {
    uint64_t packets;
    uint64_t bytes;     /* RTP payload */
    uint32_t lost;      /* in: never arrived. out: as the peer reports it */
    uint32_t nacked;    /* in: sequence numbers we asked for. out: asked of us */
    uint32_t recovered; /* in: arrived after all. out: sent again */
    uint32_t bitrate;   /* bits per second over the last interval */
    uint32_t jitter_us;
    uint32_t rtt_us; /* 0: not known */
};

struct ck_worker_leg_stats { /* every 5 s for each connected leg */
    uint64_t leg;
    uint32_t key_frames;
    uint32_t plis_sent;
    uint16_t width; /* of the last key frame; 0: none yet */
    uint16_t height;
    uint32_t bitrate_allowed; /* what we last told the browser (REMB) */
    struct ck_worker_flow audio_in;
    struct ck_worker_flow video_in;
    struct ck_worker_flow audio_out;
    struct ck_worker_flow video_out;
};

struct ck_worker_record_started {
    uint64_t leg;
    uint64_t recording;
    uint64_t wall_ms; /* the wall time of the recording's time zero, from 1970, UTC */
};

enum ck_worker_head_reason {
    CK_WORKER_HEAD_PERIODIC = 1, /* every 60 s */
    CK_WORKER_HEAD_SUSPENDED = 2,
    CK_WORKER_HEAD_CLOSED = 3, /* RECORD_CLOSED follows */
};

struct ck_worker_record_head {
    uint64_t leg;
    uint64_t recording;
    uint8_t reason;
    uint64_t chunks;
    uint64_t bytes;
    uint8_t head[CK_WORKER_DIGEST_SIZE];
};

struct ck_worker_record_closed {
    uint64_t leg;
    uint64_t recording;
    uint64_t chunks;
    uint64_t bytes;
    uint8_t head[CK_WORKER_DIGEST_SIZE];
    uint64_t duration_ms; /* of the file's timeline */
    uint32_t gaps;
    uint64_t gap_ms; /* sum of them */
    uint32_t error;  /* errno that ended it early; 0: whole */
};

struct ck_worker_record_failed { /* could not start, or a write failed; the call goes on */
    uint64_t leg;
    uint64_t recording;
    uint32_t error; /* errno */
};

struct ck_worker_message {
    uint16_t kind; /* enum ck_worker_kind; says which member of the union is meant */
    union {
        struct ck_worker_config config;
        struct ck_worker_leg_open leg_open;
        struct ck_worker_leg_restart leg_restart;
        struct ck_worker_leg_ref leg_close;
        struct ck_worker_relay relay;
        struct ck_worker_record_start record_start;
        struct ck_worker_record_pause record_pause;
        struct ck_worker_record_pause record_resume;
        struct ck_worker_leg_ref record_stop;
        struct ck_worker_shutdown shutdown;
        struct ck_worker_ready ready;
        struct ck_worker_heartbeat heartbeat;
        struct ck_worker_leg_answer leg_answer;
        struct ck_worker_leg_refused leg_refused;
        struct ck_worker_leg_event leg_event;
        struct ck_worker_leg_stats leg_stats;
        struct ck_worker_record_started record_started;
        struct ck_worker_record_head record_head;
        struct ck_worker_record_closed record_closed;
        struct ck_worker_record_failed record_failed;
    };
};

/* A text of a zero-terminated string. */
struct ck_worker_text ck_worker_text_of(const char *text);

/* Writes the message into `bytes` and its length into *size. CK_E_LIMIT where it does not fit
 * `capacity` or a field is beyond its limit, CK_E_INVALID where a value is out of its range or the
 * kind unknown; *field then names it. CK_WORKER_MESSAGE_MAX bytes are always enough for a message
 * within the limits. */
int ck_worker_encode(const struct ck_worker_message *message, void *bytes, size_t capacity,
                     size_t *size, const char **field);

/* Reads one datagram. CK_E_TRUNCATED where it ends early, CK_E_SYNTAX where bytes are left over or
 * the kind is unknown, CK_E_LIMIT and CK_E_INVALID as above ("version" where the other side speaks
 * another one); *field names what was being read. */
int ck_worker_decode(const void *bytes, size_t size, struct ck_worker_message *message,
                     const char **field);

/* "LEG_OPEN"; "unknown" for a number that is none. For logs. */
const char *ck_worker_kind_name(uint16_t kind);
/* "camera stopped" and the like; "unknown". For logs. */
const char *ck_worker_event_name(uint16_t event);

#endif
