/* Messages between checkind and checkin-render, as render.md specifies. One message is one datagram
 * of a SOCK_SEQPACKET socket; descriptors travel beside it. Pure: values and bytes. */
#ifndef PROTOCOL_RENDER_H
#define PROTOCOL_RENDER_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_RENDER_VERSION 2
#define CK_RENDER_TEXT_MAX 512
#define CK_RENDER_SPANS_MAX 500                      /* of one MEASURED */
#define CK_RENDER_PLACES 2                           /* pictures side by side */
#define CK_RENDER_INPUTS_MAX 16                      /* recordings in them, one after the other */
#define CK_RENDER_FDS_MAX (CK_RENDER_INPUTS_MAX + 1) /* beside one message */
/* Bytes of the longest datagram, an EXPORT of the most inputs with the longest labels. */
#define CK_RENDER_MESSAGE_MAX (15 + CK_RENDER_INPUTS_MAX * (12 + CK_RENDER_TEXT_MAX))
#define CK_RENDER_WIDTH_MIN 16             /* of a thumbnail or an export */
#define CK_RENDER_WIDTH_MAX 4096           /* of those, and of the pictures that are taken */
#define CK_RENDER_FRAME_MAX (1024u * 1024) /* bytes of a key frame */

enum ck_render_kind {
    /* checkind to checkin-render; descriptors in this order */
    CK_RENDER_THUMBNAIL = 1, /* key frame to read, JPEG to write */
    CK_RENDER_MEASURES = 2,  /* plain WebM to read */
    CK_RENDER_EXPORT = 3,    /* plain WebM to read × inputs, WebM to write */
    CK_RENDER_PAPER = 4,     /* a document of blocks (paper.h) to read, PDF to write */
    /* checkin-render to checkind */
    CK_RENDER_READY = 64, /* first, exactly once */
    CK_RENDER_DONE = 65,  /* THUMBNAIL, EXPORT, PAPER */
    CK_RENDER_MEASURED = 66,
    CK_RENDER_FAILED = 67,
};

enum ck_render_exit {
    CK_RENDER_EXIT_OK = 0,        /* the control socket reached its end */
    CK_RENDER_EXIT_USAGE = 64,    /* no or a wrong --control-fd */
    CK_RENDER_EXIT_PROTOCOL = 65, /* a message that does not decode */
    CK_RENDER_EXIT_LIBRARY = 69,  /* GStreamer, a plug-in or a font is missing or does not work */
    CK_RENDER_EXIT_INTERNAL = 70, /* the socket broke */
    CK_RENDER_EXIT_STUCK = 75,    /* a job did not end in its time and could not be stopped */
    CK_RENDER_EXIT_SANDBOX = 77,  /* the sandbox cannot be closed: it never runs without it */
};

enum ck_render_fault {
    CK_RENDER_FAULT_INPUT = 1,    /* what was given does not decode: trying again does not help */
    CK_RENDER_FAULT_LIMIT = 2,    /* it is larger than a limit above: neither does it here */
    CK_RENDER_FAULT_OUTPUT = 3,   /* what was made could not be written */
    CK_RENDER_FAULT_TIMEOUT = 4,  /* it took too long */
    CK_RENDER_FAULT_INTERNAL = 5, /* the library failed in another way */
};

enum ck_render_measure {
    CK_RENDER_BLACK = 1,   /* the picture is black */
    CK_RENDER_COVERED = 2, /* of one even colour, not black: a finger, a cloth, a wall */
    CK_RENDER_FROZEN = 3,  /* nothing changes at all, or no picture comes */
    CK_RENDER_SILENT = 4,  /* the sound is below the noise of a quiet room, or none comes */
};

/* A fact with its times, in milliseconds from the start of the recording. */
struct ck_render_span {
    uint8_t measure; /* enum ck_render_measure */
    uint32_t from_ms;
    uint32_t until_ms;
};

/* A text within a message: not terminated, in the message's own bytes after decoding. */
struct ck_render_text {
    const char *data;
    size_t size;
};

/* What a recording has, as its reader says. */
#define CK_RENDER_TRACK_AUDIO 1
#define CK_RENDER_TRACK_VIDEO 2

struct ck_render_input {
    struct ck_wall start; /* wall time of the file's time zero */
    uint8_t place;  /* below CK_RENDER_PLACES, from the left; each below the highest is taken */
    uint8_t tracks; /* CK_RENDER_TRACK_…; at least one */
    struct ck_render_text label;
};

struct ck_render_message {
    uint16_t kind;
    uint64_t job; /* of the caller's choice, in every answer; 0 in READY */
    union {
        struct {
            uint16_t width_max; /* a smaller picture is not made larger */
            uint8_t quality;    /* 1 to 100 */
        } thumbnail;
        struct {
            uint16_t height;    /* of each picture */
            int16_t offset_min; /* of the burnt-in clock from UTC */
            uint8_t count;      /* 1 to CK_RENDER_INPUTS_MAX */
            struct ck_render_input inputs[CK_RENDER_INPUTS_MAX];
        } export;
        struct {
            uint32_t version;
            struct ck_render_text library; /* names and versions, for the log */
        } ready;
        struct {
            uint64_t bytes; /* written */
            uint16_t width; /* of a picture or film; of a PAPER its pages */
            uint16_t height;
        } done;
        struct {
            uint32_t duration_ms;
            uint32_t count;
            struct ck_render_span spans[CK_RENDER_SPANS_MAX]; /* in the order of their beginning */
        } measured;
        struct {
            uint16_t fault;                /* enum ck_render_fault */
            struct ck_render_text message; /* for the log */
        } failed;
    };
};

/* How many descriptors go with the message. */
size_t ck_render_fds(const struct ck_render_message *message);

struct ck_render_text ck_render_text_of(const char *text);

/* Writes the message and its length. CK_E_INVALID (a value out of its range, an unknown kind) or
 * CK_E_LIMIT. */
int ck_render_encode(const struct ck_render_message *message, void *bytes, size_t capacity,
                     size_t *size);

/* Reads exactly one message; texts point into `bytes`. CK_E_SYNTAX (unknown kind, bytes left over),
 * CK_E_TRUNCATED, CK_E_INVALID, CK_E_LIMIT. */
int ck_render_decode(const void *bytes, size_t size, struct ck_render_message *message);

#endif
