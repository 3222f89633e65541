/* Inside of the recorder: what the packet loop (recorder.c) and the writer thread (writer.c) share.
 *
 * Two queues without locks lie between them: the ring of records towards the writer, and a queue of
 * events back. Each field below belongs to the side it is named after. */
#ifndef MEDIA_RECORD_RECORDER_IMPL_H
#define MEDIA_RECORD_RECORDER_IMPL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "media/record/chunker.h"
#include "media/record/frames.h"
#include "media/record/recorder.h"
#include "media/record/ring.h"

enum record_kind {
    RECORD_PACKET = 1,
    RECORD_REPORT,
    RECORD_GAP,
    RECORD_OVERFLOW,
    /* Control: each at most once at a time for a recording, tried again at ticks. */
    RECORD_OPEN,
    RECORD_PAUSE,
    RECORD_RESUME,
    RECORD_CLOSE,
    RECORD_FREE,
};

/* One record in the ring, with the payload of a packet behind it. */
struct record {
    uint8_t kind;
    uint8_t source;
    uint8_t marker;
    uint8_t again;
    uint16_t sequence;
    uint16_t code;
    uint32_t timestamp;
    uint32_t ssrc;
    uint32_t size;
    struct ck_recording *recording;
    struct ck_mono at;
    struct ck_mono until;
    uint64_t value; /* NTP time, or a number of packets */
};

struct ck_recording {
    struct ck_recorder *recorder;
    struct ck_recording_start start; /* context points to the bytes below; wiped once opened */
    uint8_t context[CK_SEAL_CONTEXT_MAX];

    struct { /* the packet loop's */
        struct ck_recording *next;
        bool paused;
        uint16_t pause_reason;
        struct ck_mono paused_at;
        bool closing;
        bool closed; /* its last event was taken */
        uint64_t lost;
        struct ck_mono lost_from;
        struct ck_mono lost_until;
        unsigned deferred; /* bits of control records that found no room */
        struct record controls[RECORD_FREE + 1];
    } loop;

    struct { /* the writer thread's */
        struct ck_recording *next;
        struct ck_chunker *chunker;
        struct ck_frames *frames;
        bool ended;
        bool tell_head;
        bool tell_key;
        bool tell_closed;
        uint64_t tell_lost;
    } writer;
};

struct ck_recorder {
    struct ck_ring *ring;
    size_t reserve; /* of the ring, for control records */
    int wake_fd;    /* to the writer */
    int event_fd;   /* to the packet loop */
    pthread_t thread;
    sem_t started; /* the thread has made the calls that a filter may forbid from then on */
    _Atomic int64_t now_us; /* of the packet loop */
    _Atomic bool stopping;

    struct ck_recording_event *events; /* a queue of event_count, a power of two */
    uint32_t event_count;
    _Atomic uint32_t events_written;
    _Atomic uint32_t events_read;

    struct { /* the packet loop's */
        struct ck_recording *recordings;
        unsigned count;
        unsigned max;
    } loop;

    struct { /* the writer thread's */
        struct ck_recording *recordings;
        struct ck_recorder_io io;
        struct ck_chunk_room room;
    } writer;
};

/* The thread: `user` is the recorder. */
void *ck_recorder_run(void *user);

/* Frees what the writer made of it, and the recording. */
void ck_recording_free(struct ck_recording *recording);

#endif
