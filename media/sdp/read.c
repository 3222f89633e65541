#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "media/sdp/sdp.h"
#include "protocol/rtp.h"

/* A codec of one section, while its attributes come in any order. */
struct formats {
    uint8_t codec[CK_RTP_PAYLOAD_TYPE_MAX + 1];    /* enum codec, by payload type */
    uint8_t original[CK_RTP_PAYLOAD_TYPE_MAX + 1]; /* of an RTX type: apt; CK_SDP_NO_TYPE */
    uint8_t feedback[CK_RTP_PAYLOAD_TYPE_MAX + 1]; /* bits below */
    uint8_t feedback_all;                          /* of rtcp-fb:* */
};

enum codec {
    CODEC_NONE = 0,
    CODEC_OPUS,
    CODEC_VP8,
    CODEC_RTX,
};

enum feedback {
    FEEDBACK_NACK = 1,
    FEEDBACK_NACK_PLI = 2,
    FEEDBACK_CCM_FIR = 4,
    FEEDBACK_REMB = 8,
    FEEDBACK_TRANSPORT = 16,
};

#define EXTENSION_ID_MAX 14 /* of the one-byte form */

struct reading {
    struct ck_sdp_offer *offer;
    struct ck_sdp_fault *fault;
    unsigned line;
    struct ck_sdp_section
        session; /* what stands before the first m= holds for all that say nothing */
    struct ck_sdp_section *section; /* being read: `session` or one of the offer's */
    struct ck_sdp_text bundle;      /* the mids of a=group:BUNDLE */
    struct formats formats;         /* of `section` */
};

__attribute__((format(printf, 4, 5))) static int fault_at(struct ck_sdp_fault *fault, unsigned line,
                                                          int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fault->line = line;
    (void)vsnprintf(fault->message, sizeof fault->message, format, arguments);
    va_end(arguments);
    return code;
}

/* --- words
 * ------------------------------------------------------------------------------------------ */

static bool is(struct ck_sdp_text text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static bool is_any_case(struct ck_sdp_text text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

static bool starts(struct ck_sdp_text text, const char *prefix)
{
    return text.size >= strlen(prefix) && memcmp(text.data, prefix, strlen(prefix)) == 0;
}

/* Takes what stands before the next `separator`, and the separator; the whole rest where there is
 * none. */
static struct ck_sdp_text cut(struct ck_sdp_text *rest, char separator)
{
    const char *end = rest->size == 0 ? NULL : memchr(rest->data, separator, rest->size);
    struct ck_sdp_text word = {rest->data, end == NULL ? rest->size : (size_t)(end - rest->data)};
    size_t used = end == NULL ? rest->size : word.size + 1;
    rest->data += used;
    rest->size -= used;
    return word;
}

/* A decimal number of at most `max`; false where it is none. */
static bool number_of(struct ck_sdp_text text, unsigned max, unsigned *number)
{
    unsigned value = 0;
    if (text.size == 0 || text.size > 6) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        value = 10 * value + (unsigned)(text.data[i] - '0');
    }
    if (value > max) {
        return false;
    }
    *number = value;
    return true;
}

/* RFC 8839 section 5.4: letters, digits, plus and slash. Our answers never repeat these, checks do.
 */
static bool is_ice_text(struct ck_sdp_text text, size_t min, size_t max)
{
    if (text.size < min || text.size > max) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '+' || c == '/')) {
            return false;
        }
    }
    return true;
}

/* RFC 8866 section 9, token: what may be written into an answer as it is. */
static bool is_token(struct ck_sdp_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]", c) != NULL) {
            return false;
        }
    }
    return text.size > 0;
}

/* --- attributes
 * ------------------------------------------------------------------------------------- */

static int read_type(struct reading *reading, struct ck_sdp_text *value, unsigned *type)
{
    struct ck_sdp_text word = cut(value, ' ');
    if (!number_of(word, CK_RTP_PAYLOAD_TYPE_MAX, type)) {
        return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX,
                        "payload type is not a number from 0 to %u", CK_RTP_PAYLOAD_TYPE_MAX);
    }
    return CK_SDP_OK;
}

static int read_rtpmap(struct reading *reading, struct ck_sdp_text value)
{
    unsigned type = 0;
    int error = read_type(reading, &value, &type);
    if (error != CK_SDP_OK) {
        return error;
    }
    struct ck_sdp_text name = cut(&value, '/');
    struct ck_sdp_text rate = cut(&value, '/');
    uint8_t codec = CODEC_NONE;
    if (reading->section->kind == CK_SDP_AUDIO && is_any_case(name, "opus") && is(rate, "48000")) {
        codec = CODEC_OPUS;
    } else if (reading->section->kind == CK_SDP_VIDEO && is(rate, "90000")) {
        codec = is_any_case(name, "VP8")   ? CODEC_VP8
                : is_any_case(name, "rtx") ? CODEC_RTX
                                           : CODEC_NONE;
    }
    reading->formats.codec[type] = codec;
    return CK_SDP_OK;
}

static int read_fmtp(struct reading *reading, struct ck_sdp_text value)
{
    unsigned type = 0;
    int error = read_type(reading, &value, &type);
    while (error == CK_SDP_OK && value.size > 0) {
        struct ck_sdp_text item = cut(&value, ';');
        while (item.size > 0 && item.data[0] == ' ') {
            item.data++;
            item.size--;
        }
        if (starts(item, "apt=")) {
            unsigned original;
            struct ck_sdp_text number = {item.data + 4, item.size - 4};
            if (!number_of(number, CK_RTP_PAYLOAD_TYPE_MAX, &original)) {
                return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX,
                                "apt is not a payload type");
            }
            reading->formats.original[type] = (uint8_t)original;
        }
    }
    return error;
}

static int read_feedback(struct reading *reading, struct ck_sdp_text value)
{
    uint8_t *into = &reading->formats.feedback_all;
    if (starts(value, "* ")) {
        (void)cut(&value, ' ');
    } else {
        unsigned type = 0;
        int error = read_type(reading, &value, &type);
        if (error != CK_SDP_OK) {
            return error;
        }
        into = &reading->formats.feedback[type];
    }
    if (is(value, "nack")) {
        *into |= FEEDBACK_NACK;
    } else if (is(value, "nack pli")) {
        *into |= FEEDBACK_NACK_PLI;
    } else if (is(value, "ccm fir")) {
        *into |= FEEDBACK_CCM_FIR;
    } else if (is(value, "goog-remb")) {
        *into |= FEEDBACK_REMB;
    } else if (is(value, "transport-cc")) {
        *into |= FEEDBACK_TRANSPORT;
    }
    return CK_SDP_OK;
}

/* RFC 8285 section 5. One that we do not know, or that the browser would not send, is as if it were
 * not there. */
static int read_extension(struct reading *reading, struct ck_sdp_text value)
{
    struct ck_sdp_text word = cut(&value, ' ');
    struct ck_sdp_text number = cut(&word, '/');
    struct ck_sdp_text uri = cut(&value, ' ');
    unsigned id = 0;
    if (!number_of(number, UINT16_MAX, &id)) {
        return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX,
                        "extmap does not begin with a number");
    }
    bool sent = word.size == 0 || is(word, "sendrecv") || is(word, "sendonly");
    if (sent && id >= 1 && id <= EXTENSION_ID_MAX && is(uri, CK_SDP_URI_TRANSPORT)) {
        reading->section->transport_id = (uint8_t)id;
    }
    return CK_SDP_OK;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static int read_fingerprint(struct reading *reading, struct ck_sdp_text value)
{
    struct ck_sdp_text name = cut(&value, ' ');
    struct ck_dtls_fingerprint read = {0};
    if (is_any_case(name, "sha-256")) {
        read.hash = CK_DTLS_SHA256;
    } else if (is_any_case(name, "sha-384")) {
        read.hash = CK_DTLS_SHA384;
    } else if (is_any_case(name, "sha-512")) {
        read.hash = CK_DTLS_SHA512;
    } else {
        return CK_SDP_OK; /* weaker or unknown: as if it were not there */
    }
    size_t count = ck_dtls_digest_size(read.hash);
    bool good = value.size == 3 * count - 1;
    for (size_t i = 0; good && i < count; i++) {
        int high = digit_of(value.data[3 * i]);
        int low = digit_of(value.data[3 * i + 1]);
        good = high >= 0 && low >= 0 && (i + 1 == count || value.data[3 * i + 2] == ':');
        read.digest[i] = good ? (uint8_t)(high << 4 | low) : 0;
    }
    if (!good) {
        return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX,
                        "fingerprint is not %zu hexadecimal bytes with colons", count);
    }
    if (reading->section->fingerprint.hash == 0) {
        reading->section->fingerprint = read;
    }
    return CK_SDP_OK;
}

static int read_setup(struct reading *reading, struct ck_sdp_text value)
{
    static const char *const names[] = {
        [CK_SDP_ACTPASS] = "actpass",
        [CK_SDP_ACTIVE] = "active",
        [CK_SDP_PASSIVE] = "passive",
        [CK_SDP_HOLDCONN] = "holdconn",
    };
    for (unsigned i = CK_SDP_ACTPASS; i <= CK_SDP_HOLDCONN; i++) {
        if (is(value, names[i])) {
            reading->section->setup = (uint8_t)i;
            return CK_SDP_OK;
        }
    }
    return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX, "unknown setup");
}

static int read_mid(struct reading *reading, struct ck_sdp_text value)
{
    if (!is_token(value)) {
        return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX, "mid is not a token");
    }
    if (value.size > CK_SDP_MID_MAX) {
        return fault_at(reading->fault, reading->line, CK_SDP_LIMIT, "mid is longer than %u bytes",
                        CK_SDP_MID_MAX);
    }
    reading->section->mid = value;
    return CK_SDP_OK;
}

static int read_ice(struct reading *reading, struct ck_sdp_text value, bool password)
{
    if (!is_ice_text(value, password ? 22 : 4, password ? CK_SDP_PASSWORD_MAX : CK_SDP_UFRAG_MAX)) {
        return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX,
                        "ice-%s has a wrong length or "
                        "a foreign character",
                        password ? "pwd" : "ufrag");
    }
    *(password ? &reading->section->password : &reading->section->ufrag) = value;
    return CK_SDP_OK;
}

static void read_flag(struct reading *reading, struct ck_sdp_text name)
{
    struct ck_sdp_section *section = reading->section;
    if (is(name, "sendrecv")) {
        section->direction = CK_SDP_BOTH;
    } else if (is(name, "sendonly")) {
        section->direction = CK_SDP_SENDS;
    } else if (is(name, "recvonly")) {
        section->direction = CK_SDP_RECEIVES;
    } else if (is(name, "inactive")) {
        section->direction = CK_SDP_INACTIVE;
    } else if (is(name, "rtcp-mux")) {
        section->mux = true;
    } else if (is(name, "rtcp-rsize")) {
        section->reduced_size = true;
    } else if (is(name, "bundle-only")) {
        section->rejected = false;
    } else if (is(name, "extmap-allow-mixed")) {
        reading->offer->extmap_allow_mixed = true;
    }
}

static int read_attribute(struct reading *reading, struct ck_sdp_text value)
{
    bool has_value = value.size > 0 && memchr(value.data, ':', value.size) != NULL;
    struct ck_sdp_text name = cut(&value, ':');
    bool in_section = reading->section != &reading->session;
    if (!has_value) {
        read_flag(reading, name);
    } else if (is(name, "group") && starts(value, "BUNDLE ") && reading->bundle.data == NULL) {
        (void)cut(&value, ' ');
        reading->bundle = value;
    } else if (is(name, "ice-ufrag")) {
        return read_ice(reading, value, false);
    } else if (is(name, "ice-pwd")) {
        return read_ice(reading, value, true);
    } else if (is(name, "fingerprint")) {
        return read_fingerprint(reading, value);
    } else if (is(name, "setup")) {
        return read_setup(reading, value);
    } else if (in_section && is(name, "mid")) {
        return read_mid(reading, value);
    } else if (in_section && is(name, "rtpmap")) {
        return read_rtpmap(reading, value);
    } else if (in_section && is(name, "fmtp")) {
        return read_fmtp(reading, value);
    } else if (in_section && is(name, "rtcp-fb")) {
        return read_feedback(reading, value);
    } else if (is(name, "extmap")) {
        return read_extension(reading, value);
    }
    return CK_SDP_OK;
}

/* --- sections
 * --------------------------------------------------------------------------------------- */

/* Chooses the payload types of a section whose attributes are all read: the first Opus or VP8 of
 * the m= line. */
static int end_section(struct reading *reading)
{
    struct ck_sdp_section *section = reading->section;
    struct formats *formats = &reading->formats;
    if (section == &reading->session || section->kind == CK_SDP_OTHER) {
        return CK_SDP_OK;
    }
    struct ck_sdp_text rest = section->formats;
    while (rest.size > 0) {
        unsigned type = 0;
        if (!number_of(cut(&rest, ' '), CK_RTP_PAYLOAD_TYPE_MAX, &type)) {
            return fault_at(reading->fault, section->line, CK_SDP_SYNTAX,
                            "a format is not a payload type from 0 to %u", CK_RTP_PAYLOAD_TYPE_MAX);
        }
        uint8_t codec = formats->codec[type];
        if (section->type == CK_SDP_NO_TYPE && (codec == CODEC_OPUS || codec == CODEC_VP8)) {
            uint8_t feedback = formats->feedback[type] | formats->feedback_all;
            section->type = (uint8_t)type;
            section->nack = (feedback & FEEDBACK_NACK) != 0;
            section->nack_pli = (feedback & FEEDBACK_NACK_PLI) != 0;
            section->ccm_fir = (feedback & FEEDBACK_CCM_FIR) != 0;
            section->remb = (feedback & FEEDBACK_REMB) != 0;
            section->transport_cc = (feedback & FEEDBACK_TRANSPORT) != 0;
        }
    }
    for (unsigned type = 0; type <= CK_RTP_PAYLOAD_TYPE_MAX; type++) {
        if (section->type != CK_SDP_NO_TYPE && formats->codec[type] == CODEC_RTX &&
            formats->original[type] == section->type) {
            section->rtx_type = (uint8_t)type;
        }
    }
    return CK_SDP_OK;
}

static int begin_section(struct reading *reading, struct ck_sdp_text value)
{
    int error = end_section(reading);
    if (error != CK_SDP_OK) {
        return error;
    }
    if (reading->offer->section_count == CK_SDP_SECTIONS_MAX) {
        return fault_at(reading->fault, reading->line, CK_SDP_LIMIT, "more than %u sections",
                        CK_SDP_SECTIONS_MAX);
    }
    struct ck_sdp_text media = cut(&value, ' ');
    struct ck_sdp_text port = cut(&value, ' ');
    struct ck_sdp_text protocol = cut(&value, ' ');
    unsigned port_number;
    if (!is_token(media) || !number_of(port, UINT16_MAX, &port_number) || protocol.size == 0 ||
        value.size == 0) {
        return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX,
                        "m= is not: media, port, protocol, formats");
    }
    reading->section = &reading->offer->sections[reading->offer->section_count++];
    *reading->section = (struct ck_sdp_section){
        .line = reading->line,
        .kind = is(media, "audio")   ? CK_SDP_AUDIO
                : is(media, "video") ? CK_SDP_VIDEO
                                     : CK_SDP_OTHER,
        .media = media,
        .protocol = protocol,
        .formats = value,
        .direction = reading->session.direction,
        .rejected = port_number == 0,
        .type = CK_SDP_NO_TYPE,
        .rtx_type = CK_SDP_NO_TYPE,
    };
    memset(&reading->formats, 0, sizeof reading->formats);
    memset(reading->formats.original, CK_SDP_NO_TYPE, sizeof reading->formats.original);
    return CK_SDP_OK;
}

static int read_line(struct reading *reading, struct ck_sdp_text line)
{
    if (line.size < 2 || line.data[1] != '=' || line.data[0] < 'a' || line.data[0] > 'z') {
        return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX, "not of the form x=value");
    }
    struct ck_sdp_text value = {line.data + 2, line.size - 2};
    if ((line.data[0] == 'v') != (reading->line == 1)) {
        return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX, "v= must be the first line");
    }
    if (line.data[0] == 'v' && !is(value, "0")) {
        return fault_at(reading->fault, reading->line, CK_SDP_SYNTAX, "version is not 0");
    }
    if (line.data[0] == 'm') {
        return begin_section(reading, value);
    }
    return line.data[0] == 'a' ? read_attribute(reading, value) : CK_SDP_OK;
}

static int read_lines(struct reading *reading, struct ck_sdp_text text)
{
    while (text.size > 0) {
        if (reading->line == CK_SDP_LINES_MAX) {
            return fault_at(reading->fault, reading->line, CK_SDP_LIMIT, "more than %u lines",
                            CK_SDP_LINES_MAX);
        }
        reading->line++;
        struct ck_sdp_text line = cut(&text, '\n');
        if (line.size > 0 && line.data[line.size - 1] == '\r') {
            line.size--;
        }
        if (line.size > CK_SDP_LINE_MAX) {
            return fault_at(reading->fault, reading->line, CK_SDP_LIMIT,
                            "line longer than %u bytes", CK_SDP_LINE_MAX);
        }
        int error = read_line(reading, line);
        if (error != CK_SDP_OK) {
            return error;
        }
    }
    return reading->line == 0 ? fault_at(reading->fault, 0, CK_SDP_SYNTAX, "the offer is empty")
                              : end_section(reading);
}

/* --- choice
 * ----------------------------------------------------------------------------------------- */

static bool in_bundle(struct ck_sdp_text bundle, struct ck_sdp_text mid)
{
    while (mid.data != NULL && bundle.size > 0) {
        struct ck_sdp_text word = cut(&bundle, ' ');
        if (word.size == mid.size && memcmp(word.data, mid.data, mid.size) == 0) {
            return true;
        }
    }
    return false;
}

static bool usable(const struct ck_sdp_section *section, struct ck_sdp_text bundle)
{
    return section->kind != CK_SDP_OTHER && !section->rejected && section->type != CK_SDP_NO_TYPE &&
           in_bundle(bundle, section->mid) &&
           (is(section->protocol, "UDP/TLS/RTP/SAVPF") ||
            is(section->protocol, "RTP/SAVPF") || /* old browsers write it for the same */
            is(section->protocol, "TCP/TLS/RTP/SAVPF"));
}

static void inherit(struct ck_sdp_section *section, const struct ck_sdp_section *session)
{
    if (section->ufrag.data == NULL) {
        section->ufrag = session->ufrag;
    }
    if (section->password.data == NULL) {
        section->password = session->password;
    }
    if (section->fingerprint.hash == 0) {
        section->fingerprint = session->fingerprint;
    }
    if (section->setup == CK_SDP_SETUP_NONE) {
        section->setup = session->setup;
    }
    if (section->transport_id == 0) {
        section->transport_id = session->transport_id;
    }
}

/* Packets are numbered over the whole transport, under one id: the picture's, as it is the most. */
static uint8_t transport_id_of(const struct ck_sdp_offer *offer)
{
    const int order[] = {offer->video, offer->audio};
    for (unsigned i = 0; i < 2; i++) {
        if (order[i] >= 0 && offer->sections[order[i]].transport_cc &&
            offer->sections[order[i]].transport_id != 0) {
            return offer->sections[order[i]].transport_id;
        }
    }
    return 0;
}

static int check_transport(const struct ck_sdp_section *section, struct ck_sdp_fault *fault)
{
    const char *missing = NULL;
    if (!section->mux) {
        missing = "a=rtcp-mux is missing";
    } else if (section->ufrag.data == NULL || section->password.data == NULL) {
        missing = "a=ice-ufrag or a=ice-pwd is missing";
    } else if (section->fingerprint.hash == 0) {
        missing = "a=fingerprint with sha-256 or stronger is missing";
    } else if (section->setup != CK_SDP_ACTPASS && section->setup != CK_SDP_ACTIVE) {
        missing = "a=setup must be actpass or active";
    }
    return missing == NULL ? CK_SDP_OK
                           : fault_at(fault, section->line, CK_SDP_UNSUPPORTED, "%s", missing);
}

static int choose(struct reading *reading)
{
    struct ck_sdp_offer *offer = reading->offer;
    struct ck_sdp_section *first = NULL;
    for (unsigned i = 0; i < offer->section_count; i++) {
        struct ck_sdp_section *section = &offer->sections[i];
        int *place = section->kind == CK_SDP_AUDIO ? &offer->audio : &offer->video;
        if (!usable(section, reading->bundle) || *place >= 0) {
            continue;
        }
        inherit(section, &reading->session);
        int error = check_transport(section, reading->fault);
        if (error != CK_SDP_OK) {
            return error;
        }
        *place = (int)i;
        section->accepted = true;
        first = first == NULL ? section : first;
    }
    if (first == NULL) {
        return reading->bundle.data == NULL
                   ? fault_at(reading->fault, 0, CK_SDP_UNSUPPORTED, "a=group:BUNDLE is missing")
                   : fault_at(reading->fault, 0, CK_SDP_UNSUPPORTED,
                              "no bundled section offers Opus or VP8");
    }
    /* One transport, so one number means one codec. */
    if (offer->audio >= 0 && offer->video >= 0 &&
        offer->sections[offer->audio].type == offer->sections[offer->video].type) {
        return fault_at(reading->fault, offer->sections[offer->video].line, CK_SDP_UNSUPPORTED,
                        "payload type %u means two codecs", offer->sections[offer->video].type);
    }
    if (offer->audio >= 0 && offer->video >= 0 &&
        offer->sections[offer->audio].type == offer->sections[offer->video].rtx_type) {
        offer->sections[offer->video].rtx_type = CK_SDP_NO_TYPE;
    }
    offer->ufrag = first->ufrag;
    offer->password = first->password;
    offer->fingerprint = first->fingerprint;
    offer->transport_id = transport_id_of(offer);
    return CK_SDP_OK;
}

int ck_sdp_read_offer(const char *text, size_t size, struct ck_sdp_offer *offer,
                      struct ck_sdp_fault *fault)
{
    offer->section_count = 0;
    offer->audio = -1;
    offer->video = -1;
    offer->extmap_allow_mixed = false;
    offer->transport_id = 0;
    struct reading reading = {
        .offer = offer, .fault = fault, .session = {.direction = CK_SDP_BOTH}};
    reading.section = &reading.session;
    int error = read_lines(&reading, (struct ck_sdp_text){text, size});
    return error == CK_SDP_OK ? choose(&reading) : error;
}
