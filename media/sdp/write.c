#include <stdarg.h>
#include <stdio.h>

#include "media/sdp/sdp.h"
#include "protocol/base/error.h"

/* RFC 8445 section 5.1.2.1: type 126, local preference 65535 (IPv6: one lower), component 1. */
#define HOST_PRIORITY_V4 2130706431u
#define HOST_PRIORITY_V6 2130706175u
/* RFC 6544 section 4.2: below UDP; direction preference 4 for passive. */
#define TCP_PRIORITY_V4 1520435199u /* 90 << 24 | (4 << 13 | 8191) << 8 | 255 */
#define TCP_PRIORITY_V6 1520434943u

struct output {
    char *text;
    size_t capacity;
    size_t size;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void put(struct output *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t left = out->capacity - out->size;
    int size = vsnprintf(out->text + out->size, left, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= left) {
        out->failed = true;
    } else {
        out->size += (size_t)size;
    }
}

#define TEXT(t) (int)(t).size, (t).data

static void put_candidates(struct output *out, const struct ck_sdp_answer *answer)
{
    for (unsigned i = 0; i < answer->candidate_count; i++) {
        const struct ck_sdp_candidate *candidate = &answer->candidates[i];
        uint32_t priority = candidate->tcp ? (candidate->v6 ? TCP_PRIORITY_V6 : TCP_PRIORITY_V4)
                                           : (candidate->v6 ? HOST_PRIORITY_V6 : HOST_PRIORITY_V4);
        put(out, "a=candidate:%u 1 %s %u %s %u typ host%s\r\n", i + 1,
            candidate->tcp ? "tcp" : "udp", priority - (i << 8), candidate->address,
            candidate->port, candidate->tcp ? " tcptype passive" : "");
    }
    put(out, "a=end-of-candidates\r\n");
}

static void put_feedback(struct output *out, const struct ck_sdp_section *section, bool transport)
{
    /* Chromium does not offer it for sound and does it all the same where the answer asks for it:
     * evidence without holes on a lossy uplink. Who does not know it here passes over it. */
    if (section->nack || section->kind == CK_SDP_AUDIO) {
        put(out, "a=rtcp-fb:%u nack\r\n", section->type);
    }
    if (section->nack_pli) {
        put(out, "a=rtcp-fb:%u nack pli\r\n", section->type);
    }
    if (section->ccm_fir) {
        put(out, "a=rtcp-fb:%u ccm fir\r\n", section->type);
    }
    if (section->remb) {
        put(out, "a=rtcp-fb:%u goog-remb\r\n", section->type);
    }
    if (transport) {
        put(out, "a=rtcp-fb:%u transport-cc\r\n", section->type);
    }
}

/* What we want of their sound. Browsers send 32 kbit/s in packets of 20 ms, which with all headers
 * is 58 on the way, and hold to it on a way that carries less. So it is 24 kbit/s, at which speech
 * is as good, in packets of 40 ms: 37 on the way, and half the packets. */
static void put_sound(struct output *out, unsigned type)
{
    put(out, "a=rtpmap:%u opus/48000/2\r\n", type);
    put(out, "a=fmtp:%u minptime=10;useinbandfec=1;maxaveragebitrate=%u\r\n", type,
        CK_SDP_SOUND_BPS);
    put(out, "a=ptime:%u\r\n", CK_SDP_SOUND_MS);
}

static void put_codec(struct output *out, const struct ck_sdp_section *section,
                      const struct ck_sdp_offer *offer, const struct ck_sdp_answer *answer)
{
    if (section->kind == CK_SDP_AUDIO) {
        put_sound(out, section->type);
    } else {
        put(out, "b=TIAS:%u\r\n", answer->video_bitrate);
        put(out, "a=rtpmap:%u VP8/90000\r\n", section->type);
        if (section->rtx_type != CK_SDP_NO_TYPE) {
            put(out, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u\r\n", section->rtx_type,
                section->rtx_type, section->type);
        }
    }
    bool transport = section->transport_cc && section->transport_id != 0 &&
                     section->transport_id == offer->transport_id;
    put_feedback(out, section, transport);
    if (transport) {
        put(out, "a=extmap:%u " CK_SDP_URI_TRANSPORT "\r\n", offer->transport_id);
    }
}

/* The direction from our side: what they receive we send. */
static const char *direction_of(uint8_t theirs)
{
    static const char *const names[] = {
        [CK_SDP_INACTIVE] = "inactive",
        [CK_SDP_SENDS] = "recvonly",
        [CK_SDP_RECEIVES] = "sendonly",
        [CK_SDP_BOTH] = "sendrecv",
    };
    return names[theirs];
}

static void put_rejected(struct output *out, const struct ck_sdp_section *section)
{
    put(out, "m=%.*s 0 %.*s %.*s\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n", TEXT(section->media),
        TEXT(section->protocol), TEXT(section->formats));
    if (section->mid.data != NULL) {
        put(out, "a=mid:%.*s\r\n", TEXT(section->mid));
    }
}

/* What we send with, and what belongs together (RFC 5576). */
static void put_sources(struct output *out, const struct ck_sdp_section *section,
                        const struct ck_sdp_answer *answer)
{
    uint32_t ssrc = answer->ssrc[section->kind];
    if ((section->direction & CK_SDP_RECEIVES) == 0 || ssrc == 0) {
        return;
    }
    const char *track = section->kind == CK_SDP_AUDIO ? "audio" : "video";
    bool rtx = section->kind == CK_SDP_VIDEO && section->rtx_type != CK_SDP_NO_TYPE &&
               answer->rtx_ssrc != 0;
    put(out, "a=msid:call %s\r\n", track);
    if (rtx) {
        put(out, "a=ssrc-group:FID %u %u\r\n", ssrc, answer->rtx_ssrc);
    }
    put(out, "a=ssrc:%u cname:%s\r\na=ssrc:%u msid:call %s\r\n", ssrc, answer->cname, ssrc, track);
    if (rtx) {
        put(out, "a=ssrc:%u cname:%s\r\na=ssrc:%u msid:call %s\r\n", answer->rtx_ssrc,
            answer->cname, answer->rtx_ssrc, track);
    }
}

static void put_section(struct output *out, const struct ck_sdp_section *section,
                        const struct ck_sdp_offer *offer, const struct ck_sdp_answer *answer)
{
    put(out, "m=%.*s 9 %.*s %u", TEXT(section->media), TEXT(section->protocol), section->type);
    if (section->rtx_type != CK_SDP_NO_TYPE) {
        put(out, " %u", section->rtx_type);
    }
    put(out, "\r\nc=IN IP4 0.0.0.0\r\n");
    put_codec(out, section, offer, answer);
    put(out, "a=mid:%.*s\r\na=%s\r\na=rtcp-mux\r\n", TEXT(section->mid),
        direction_of(section->direction));
    if (section->reduced_size) {
        put(out, "a=rtcp-rsize\r\n");
    }
    put(out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:passive\r\n",
        answer->ufrag, answer->password, answer->fingerprint);
    put_sources(out, section, answer);
    put_candidates(out, answer);
}

int ck_sdp_write_answer(const struct ck_sdp_offer *offer, const struct ck_sdp_answer *answer,
                        char *text, size_t capacity, size_t *size)
{
    struct output out = {.text = text, .capacity = capacity};
    put(&out, "v=0\r\no=- %llu %u IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE",
        (unsigned long long)answer->session, answer->version);
    for (unsigned i = 0; i < offer->section_count; i++) {
        if (offer->sections[i].accepted) {
            put(&out, " %.*s", TEXT(offer->sections[i].mid));
        }
    }
    put(&out, "\r\na=ice-lite\r\na=msid-semantic: WMS *\r\n");
    if (offer->extmap_allow_mixed) {
        put(&out, "a=extmap-allow-mixed\r\n");
    }
    for (unsigned i = 0; i < offer->section_count; i++) {
        if (offer->sections[i].accepted) {
            put_section(&out, &offer->sections[i], offer, answer);
        } else {
            put_rejected(&out, &offer->sections[i]);
        }
    }
    if (out.failed) {
        return CK_E_LIMIT;
    }
    *size = out.size;
    return CK_OK;
}
