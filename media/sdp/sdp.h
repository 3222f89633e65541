/* Session descriptions (RFC 8866) as browsers write them (RFC 8829): reading an offer, writing our
 * answer.
 *
 * We take one audio section with Opus and one video section with VP8, in one bundle, multiplexed
 * with RTCP, over UDP/TLS/RTP/SAVPF, and reject every other section. Texts of an offer point into
 * it. No state, no allocation. */
#ifndef MEDIA_SDP_SDP_H
#define MEDIA_SDP_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/transport/dtls.h"

#define CK_SDP_SECTIONS_MAX 64
#define CK_SDP_LINES_MAX 2000
#define CK_SDP_LINE_MAX 4096 /* bytes of one line */
#define CK_SDP_MID_MAX 32
#define CK_SDP_UFRAG_MAX 256
#define CK_SDP_PASSWORD_MAX 256
#define CK_SDP_CANDIDATES_MAX 16
#define CK_SDP_MESSAGE_SIZE 160
#define CK_SDP_ANSWER_MAX 16384
#define CK_SDP_SOUND_BPS 24000 /* what we ask a browser to send of sound, */
#define CK_SDP_SOUND_MS 40     /* and how much of it in a packet */
/* The header extension that numbers packets over the whole transport. */
#define CK_SDP_URI_TRANSPORT                                                                       \
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

struct ck_sdp_text {
    const char *data; /* NULL: absent */
    size_t size;
};

enum ck_sdp_kind {
    CK_SDP_AUDIO = 0,
    CK_SDP_VIDEO = 1,
    CK_SDP_OTHER = 2,
};

enum ck_sdp_direction { /* bits, from the offerer's side */
                        CK_SDP_INACTIVE = 0,
                        CK_SDP_SENDS = 1,
                        CK_SDP_RECEIVES = 2,
                        CK_SDP_BOTH = 3,
};

enum ck_sdp_setup {
    CK_SDP_SETUP_NONE = 0,
    CK_SDP_ACTPASS,
    CK_SDP_ACTIVE,
    CK_SDP_PASSIVE,
    CK_SDP_HOLDCONN,
};

#define CK_SDP_NO_TYPE 255

struct ck_sdp_section {
    unsigned line; /* of its m= */
    uint8_t kind;
    struct ck_sdp_text media;    /* "audio" */
    struct ck_sdp_text protocol; /* "UDP/TLS/RTP/SAVPF" */
    struct ck_sdp_text formats;  /* the rest of the m= line */
    struct ck_sdp_text mid;
    uint8_t direction;
    uint8_t setup;
    bool rejected; /* port 0, without bundle-only */
    bool mux;
    bool reduced_size;
    bool accepted;    /* we answer it */
    uint8_t type;     /* payload type of Opus or VP8; CK_SDP_NO_TYPE: not offered */
    uint8_t rtx_type; /* of the retransmissions of `type`; CK_SDP_NO_TYPE: not offered */
    bool nack;        /* the feedback offered for `type` */
    bool nack_pli;
    bool ccm_fir;
    bool remb;
    bool transport_cc;
    uint8_t transport_id; /* of the header extension that numbers packets; 0: not offered */
    struct ck_sdp_text ufrag;
    struct ck_sdp_text password;
    struct ck_dtls_fingerprint fingerprint; /* hash 0: none that we take */
};

struct ck_sdp_offer {
    unsigned section_count;
    struct ck_sdp_section sections[CK_SDP_SECTIONS_MAX];
    int audio; /* index of the section we take; -1: none */
    int video;
    /* of the transport that all accepted sections share */
    struct ck_sdp_text ufrag;
    struct ck_sdp_text password;
    struct ck_dtls_fingerprint fingerprint;
    bool extmap_allow_mixed;
    uint8_t transport_id; /* of the accepted sections that offer it; 0: not in use */
};

enum ck_sdp_error {
    CK_SDP_OK = 0,
    CK_SDP_SYNTAX = 1,      /* not SDP */
    CK_SDP_UNSUPPORTED = 2, /* SDP, without something we need */
    CK_SDP_LIMIT = 3,       /* beyond one of the limits above */
};

struct ck_sdp_fault {
    unsigned line;                     /* from 1; 0: none in particular */
    char message[CK_SDP_MESSAGE_SIZE]; /* names what is wrong */
};

/* Reads an offer and chooses what we take. Returns enum ck_sdp_error and then fills *fault. */
int ck_sdp_read_offer(const char *text, size_t size, struct ck_sdp_offer *offer,
                      struct ck_sdp_fault *fault);

struct ck_sdp_candidate {
    bool v6;
    bool tcp; /* passive (RFC 6544) */
    char address[46];
    uint16_t port;
};

struct ck_sdp_answer {
    uint64_t session; /* of o= */
    uint32_t version;
    const char *ufrag;
    const char *password;
    const char *fingerprint; /* SHA-256, "AB:CD…" */
    unsigned candidate_count;
    const struct ck_sdp_candidate *candidates;
    const char *cname;
    uint32_t ssrc[2];       /* what we send with, by enum ck_sdp_kind; 0: nothing is sent */
    uint32_t rtx_ssrc;      /* and send lost video again with; 0: not so */
    uint32_t video_bitrate; /* bits per second */
};

/* Writes the answer and its length. 0, or CK_E_LIMIT where it does not fit. */
int ck_sdp_write_answer(const struct ck_sdp_offer *offer, const struct ck_sdp_answer *answer,
                        char *text, size_t capacity, size_t *size);

#endif
