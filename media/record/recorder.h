/* Recording: RTP packets of a leg in, one sealed WebM file (protocol/recording.md) out.
 *
 * A recorder serves all recordings of one worker. It has one writer thread behind one bounded ring:
 * the packet loop copies a packet into the ring and goes on; the writer thread takes frames out of
 * packets, writes WebM, seals it in chunks and writes these to the descriptors. Nothing here ever
 * waits for a disk. What does not fit into the ring is dropped, counted and marked as a gap in the
 * file.
 *
 * Threads: all functions are for one thread, the packet loop; the writer thread is inside. Events
 * come back by ck_recorder_poll(), never from within another call.
 *
 * Sandbox: create the recorder before the system-call filter closes (it starts a thread); the
 * thread then needs read, write, fdatasync, close, futex, and what malloc and free need. A filter
 * that is to hold for it is installed with SECCOMP_FILTER_FLAG_TSYNC. Landlock rules hold for it
 * only where they were set before the recorder was created. */
#ifndef MEDIA_RECORD_RECORDER_H
#define MEDIA_RECORD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/base/digest.h"
#include "protocol/base/time.h"
#include "protocol/seal.h"

#define CK_RECORDER_RING_SIZE (64u * 1024 * 1024) /* the ring's default size */
#define CK_RECORDER_RING_MIN (256u * 1024)
#define CK_RECORDER_PACKET_MAX 1500   /* bytes of a packet's payload; a longer one is refused */
#define CK_RECORDER_NICE 10           /* of the writer thread: packets go before it */
#define CK_RECORDER_TICK_MS 100       /* how often ck_recorder_tick() wants to be called, about */
#define CK_RECORDER_CHUNK_MS 1000     /* a chunk ends at the first key frame after this, */
#define CK_RECORDER_CHUNK_MAX_MS 2000 /* and at the first frame of either kind after this */
#define CK_RECORDER_SYNC_MS                                                                        \
    5000 /* fdatasync interval: what a power loss may cost; longer where a */
         /* disk cannot sync that often */

/* What the writer thread does to descriptors. Tests put a disk that stalls or fills up here. */
struct ck_recorder_io {
    ssize_t (*write)(void *user, int fd, const void *bytes, size_t size); /* as write(2) */
    int (*sync)(void *user, int fd);                                      /* as fdatasync(2) */
    void *user;
};

struct ck_recorder_config {
    size_t ring_size;                /* bytes, at least CK_RECORDER_RING_MIN; 0: the default */
    unsigned recordings_max;         /* open at the same time; at least 1 */
    const struct ck_recorder_io *io; /* NULL: the system calls */
};

struct ck_recorder;  /* the service of one worker */
struct ck_recording; /* one file */

/* Starts the writer thread, and waits until a filter of system calls may be put on it as well. 0,
 * -ENOMEM, -EAGAIN (no thread), -EINVAL (a limit above), -errno. */
int ck_recorder_create(struct ck_recorder **recorder, const struct ck_recorder_config *config);

/* Closes every open recording as if stopped at the last tick, waits for the writer thread to write
 * what the ring holds (a stalled disk is waited for), and frees everything. NULL is taken. Handles
 * are void from then on. */
void ck_recorder_destroy(struct ck_recorder *recorder);

/* The monotonic time of the packet loop, about every CK_RECORDER_TICK_MS: ends chunks on time when
 * no packets come, starts syncs, wakes the writer. Never blocks. */
void ck_recorder_tick(struct ck_recorder *recorder, struct ck_mono now);

/* Readable while there may be events; level-triggered. Owned by the recorder; only poll it. */
int ck_recorder_event_fd(const struct ck_recorder *recorder);

/* Bytes that wait in the ring now. */
size_t ck_recorder_ring_used(const struct ck_recorder *recorder);

enum ck_recording_event_kind {
    CK_RECORDING_HEAD = 1,       /* more of the file is durable: sealed, written and synced */
    CK_RECORDING_WANT_KEY_FRAME, /* video cannot go on without one: ask the sender (PLI) */
    CK_RECORDING_OVERFLOW,       /* `lost` packets did not fit into the ring: a marked gap */
    CK_RECORDING_CLOSED,         /* the last event, always: the trailer is written and synced, or */
                                 /* `error` says why the file ended early. The handle is void. */
};

struct ck_recording_event {
    enum ck_recording_event_kind kind;
    struct ck_recording *recording; /* in a CLOSED event: for comparison only */
    uint64_t id;                    /* of ck_recording_start */
    void *user;                     /* of ck_recording_start */
    struct ck_seal_head head;       /* what is durable: chunks, bytes, end of the chain */
    struct ck_mono sealed_until;    /* loop time of the newest frame in that */
    uint64_t lost;                  /* OVERFLOW: packets, since the last such event */
    int64_t duration_ms;            /* length of the file's time line until now */
    uint32_t gaps;                  /* marked gaps and pauses until now, */
    int64_t gap_ms;                 /* and their sum */
    int error; /* CLOSED: 0, or the positive errno that ended it (ENOSPC …) */
};

/* Takes at most `capacity` events, oldest first. Returns how many. No event is lost, but
 * those of one kind and recording become one where the loop polls rarely. */
size_t ck_recorder_poll(struct ck_recorder *recorder, struct ck_recording_event *events,
                        size_t capacity);

struct ck_recording_start {
    int fd;      /* writable and empty; belongs to the recording from success on, closed by it */
    uint64_t id; /* of the recording; not 0; bound into every chunk */
    uint8_t key[CK_KEY_SIZE];        /* of this recording alone */
    uint8_t salt[CK_SEAL_SALT_SIZE]; /* random, fresh: keeps two writers of one key apart */
    const void *context;             /* opaque bytes bound into the file, in the clear */
    size_t context_size;             /* at most CK_SEAL_CONTEXT_MAX */
    struct ck_mono start_mono;       /* time zero of the file on the loop's clock, */
    struct ck_wall start_wall;       /* and on the wall clock */
    int64_t late_us;                 /* how late packets come now, as far as that is known: what */
                                     /* is placed before it came */
    void *user;
};

/* Begins a file: the first chunk is written at once. 0, CK_E_LIMIT (recordings_max), CK_E_BUSY (the
 * ring is full), CK_E_INVALID, -ENOMEM. Outputs and the descriptor are untouched on failure. */
int ck_recording_open(struct ck_recorder *recorder, const struct ck_recording_start *start,
                      struct ck_recording **recording);

enum ck_recording_source {
    CK_RECORDING_AUDIO = 0, /* Opus, 48000 Hz (RFC 7587) */
    CK_RECORDING_VIDEO = 1, /* VP8, 90000 Hz (RFC 7741) */
};

/* One packet after decryption and after the caller's reorder buffer: sequence numbers of one SSRC
 * never go back (one that does is counted and dropped). A hole in them is a lost packet: video then
 * waits for a key frame (event), audio goes on. RTX is undone by the caller. */
struct ck_recording_packet {
    enum ck_recording_source source;
    bool marker;
    bool again; /* sent again, or overtaken: its arrival says nothing of the sender's clock */
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    struct ck_mono arrival; /* when it came from the network */
    const uint8_t *payload; /* behind the RTP header and its extensions, padding taken off */
    size_t size;            /* 0 to CK_RECORDER_PACKET_MAX; a probe of 0 bytes keeps the sequence */
};

/* Never blocks, never allocates; copies the payload. */
void ck_recording_packet(struct ck_recording *recording, const struct ck_recording_packet *packet);

/* The pair of a sender report (RFC 3550 section 6.4.1): what keeps lips in sync. */
void ck_recording_report(struct ck_recording *recording, enum ck_recording_source source,
                         uint32_t ssrc, uint32_t rtp, uint64_t ntp, struct ck_mono arrival);

/* The source was silent since `from` and is back at `until` (suspended, roaming, camera stopped): a
 * mark in the file, with a reason of the caller. The time line needs no help: it follows the
 * packets. */
void ck_recording_gap(struct ck_recording *recording, enum ck_recording_source source,
                      uint16_t reason, struct ck_mono from, struct ck_mono until);

/* Nothing is written from `at` on: what is there is sealed and written at once (HEAD follows),
 * packets given are dropped before they are copied. Pausing twice changes nothing. */
void ck_recording_pause(struct ck_recording *recording, uint16_t reason, struct ck_mono at);

/* Goes on, at the next key frame as far as video goes, with the pause marked as a gap with its
 * reason. */
void ck_recording_resume(struct ck_recording *recording, struct ck_mono at);

/* Ends the file: the trailer is written and synced, then CLOSED comes. The handle takes no more
 * calls. */
void ck_recording_close(struct ck_recording *recording, struct ck_mono at);

#endif
