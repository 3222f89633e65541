/* SDP (RFC 8866, 8829, 9143) as a browser writes offers and reads answers: two bundled sections,
 * audio then video. The reader is strict on purpose: it refuses an answer that a browser would put
 * up with but that protocol/ does not promise, and says why. */
#ifndef TESTS_CLIENT_SDP_H
#define TESTS_CLIENT_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CK_TSDP_CANDIDATES 8
#define CK_TSDP_WHY_SIZE 160

enum ck_tsdp_kind {
    CK_TSDP_AUDIO,
    CK_TSDP_VIDEO,
    CK_TSDP_KINDS,
};

/* Payload types of the offer: the ones that Chromium gives. */
#define CK_TSDP_PT_OPUS 111
#define CK_TSDP_PT_VP8 96
#define CK_TSDP_PT_VP8_RTX 97

/* Header extension ids of the offer. */
#define CK_TSDP_EXT_LEVEL 1
#define CK_TSDP_EXT_TWCC 3
#define CK_TSDP_EXT_MID 4

struct ck_tsdp_offer {
    uint64_t session;
    unsigned version; /* grows with each further offer of the session */
    const char *ufrag;
    const char *pwd;
    const char *fingerprint; /* "AB:CD:…", SHA-256 */
    const char *cname;
    uint32_t ssrc[CK_TSDP_KINDS];
    uint32_t rtx_ssrc;
    bool rtx;  /* offer RTX for the video */
    bool twcc; /* offer transport-wide congestion control */
    const struct sockaddr_in
        *candidate; /* our address, for a full agent that checks us too and lets
                       us begin DTLS; NULL: the peer is lite and needs none */
    bool answer;    /* to a full agent: Opus and VP8 alone */
};

/* The offer as an allocated text with CRLF line ends, or NULL where memory ends. */
char *ck_tsdp_write(const struct ck_tsdp_offer *offer);

struct ck_tsdp_section {
    uint8_t pt;
    uint8_t rtx_pt; /* 0 = none */
    uint32_t ssrc;  /* 0 = not announced */
    uint32_t rtx_ssrc;
    bool nack;
    bool pli;
    bool remb;
    bool twcc;
    uint8_t ext_mid; /* 0 = not agreed */
    uint8_t ext_twcc;
    uint8_t ext_level;
    bool sends; /* the answerer will send */
    bool receives;
};

struct ck_tsdp_answer {
    char ufrag[257];
    char pwd[257];
    uint8_t fingerprint[32];
    struct sockaddr_storage candidate[CK_TSDP_CANDIDATES]; /* UDP, component 1 */
    unsigned candidates;
    struct sockaddr_storage passive[CK_TSDP_CANDIDATES]; /* TCP, likewise */
    unsigned passives;
    struct ck_tsdp_section section[CK_TSDP_KINDS];
};

/* Reads the answer to `offer`. 0; CK_E_INVALID and the reason in `why` otherwise. */
int ck_tsdp_read(const char *text, const struct ck_tsdp_offer *offer, struct ck_tsdp_answer *answer,
                 char why[static CK_TSDP_WHY_SIZE]);

/* Reads what another server than checkin-media says, offer or answer: takes what the transport
 * needs and puts up with the rest. IPv4 only. 0; CK_E_INVALID and the reason in `why` otherwise. */
int ck_tsdp_read_any(const char *text, struct ck_tsdp_answer *answer,
                     char why[static CK_TSDP_WHY_SIZE]);

#endif
