#include "tests/client/sdp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define URI_LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define URI_TWCC "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
#define URI_MID "urn:ietf:params:rtp-hdrext:sdes:mid"

static void write_transport(FILE *out, const struct ck_tsdp_offer *offer, int mid)
{
    fprintf(out,
            "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n",
            offer->ufrag, offer->pwd);
    if (offer->candidate != NULL) {
        char address[INET_ADDRSTRLEN];
        fprintf(out, "a=candidate:1 1 udp 2130706431 %s %u typ host\r\na=end-of-candidates\r\n",
                inet_ntop(AF_INET, &offer->candidate->sin_addr, address, sizeof address),
                ntohs(offer->candidate->sin_port));
    } else {
        fprintf(out, "a=ice-options:trickle\r\n");
    }
    fprintf(out, "a=fingerprint:sha-256 %s\r\na=setup:%s\r\na=mid:%d\r\n", offer->fingerprint,
            offer->candidate != NULL ? "active" : "actpass", mid);
}

static void write_audio(FILE *out, const struct ck_tsdp_offer *offer)
{
    fprintf(out, "m=audio 9 UDP/TLS/RTP/SAVPF 111%s\r\n", offer->answer ? "" : " 63 0 8 13");
    write_transport(out, offer, 0);
    fprintf(out, "a=extmap:%d " URI_LEVEL "\r\n", CK_TSDP_EXT_LEVEL);
    if (offer->twcc) {
        fprintf(out, "a=extmap:%d " URI_TWCC "\r\n", CK_TSDP_EXT_TWCC);
    }
    fprintf(out, "a=extmap:%d " URI_MID "\r\n", CK_TSDP_EXT_MID);
    fprintf(out, "a=sendrecv\r\na=msid:stream audio\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
                 "a=rtpmap:111 opus/48000/2\r\n");
    if (offer->twcc) {
        fprintf(out, "a=rtcp-fb:111 transport-cc\r\n");
    }
    fprintf(out, "a=fmtp:111 minptime=10;useinbandfec=1\r\n");
    if (!offer->answer) {
        fprintf(out, "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:0 PCMU/8000\r\n"
                     "a=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n");
    }
    fprintf(out, "a=ssrc:%u cname:%s\r\na=ssrc:%u msid:stream audio\r\n",
            offer->ssrc[CK_TSDP_AUDIO], offer->cname, offer->ssrc[CK_TSDP_AUDIO]);
}

static void write_video(FILE *out, const struct ck_tsdp_offer *offer)
{
    fprintf(out, "m=video 9 UDP/TLS/RTP/SAVPF 96%s%s\r\n", offer->rtx ? " 97" : "",
            offer->answer ? "" : " 102");
    write_transport(out, offer, 1);
    if (offer->twcc) {
        fprintf(out, "a=extmap:%d " URI_TWCC "\r\n", CK_TSDP_EXT_TWCC);
    }
    fprintf(out, "a=extmap:%d " URI_MID "\r\n", CK_TSDP_EXT_MID);
    fprintf(out, "a=sendrecv\r\na=msid:stream video\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
                 "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 goog-remb\r\n");
    if (offer->twcc) {
        fprintf(out, "a=rtcp-fb:96 transport-cc\r\n");
    }
    fprintf(out, "a=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n");
    if (offer->rtx) {
        fprintf(out, "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n");
    }
    if (!offer->answer) {
        fprintf(out, "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
                     "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;"
                     "profile-level-id=42e01f\r\n");
    }
    uint32_t ssrc = offer->ssrc[CK_TSDP_VIDEO];
    if (offer->rtx) {
        fprintf(out, "a=ssrc-group:FID %u %u\r\n", ssrc, offer->rtx_ssrc);
    }
    fprintf(out, "a=ssrc:%u cname:%s\r\na=ssrc:%u msid:stream video\r\n", ssrc, offer->cname, ssrc);
    if (offer->rtx) {
        fprintf(out, "a=ssrc:%u cname:%s\r\na=ssrc:%u msid:stream video\r\n", offer->rtx_ssrc,
                offer->cname, offer->rtx_ssrc);
    }
}

char *ck_tsdp_write(const struct ck_tsdp_offer *offer)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    fprintf(out,
            "v=0\r\no=- %llu %u IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
            "a=extmap-allow-mixed\r\na=msid-semantic: WMS stream\r\n",
            (unsigned long long)offer->session, offer->version);
    write_audio(out, offer);
    write_video(out, offer);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* What has been seen of one media section of the answer, beyond what the caller gets. */
struct seen {
    bool rtcp_mux;
    bool passive;
    bool rtpmap;
    bool ufrag;
    bool pwd;
    bool fingerprint;
    bool direction;
};

struct parse {
    const struct ck_tsdp_offer *offer;
    struct ck_tsdp_answer *answer;
    char *why;
    int section; /* -1 before the first m= */
    bool ice_lite;
    bool bundle;
    struct seen seen[CK_TSDP_KINDS];
};

__attribute__((format(printf, 2, 3))) static int refuse(struct parse *parse, const char *format,
                                                        ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(parse->why, CK_TSDP_WHY_SIZE, format, list);
    va_end(list);
    return CK_E_INVALID;
}

/* The rest of `line` behind `prefix`, or NULL. */
static const char *after(const char *line, const char *prefix)
{
    size_t size = strlen(prefix);
    return strncmp(line, prefix, size) == 0 ? line + size : NULL;
}

static int read_media(struct parse *parse, const char *line)
{
    static const char *const kinds[CK_TSDP_KINDS] = {"audio", "video"};
    char kind[16];
    char proto[32];
    unsigned port = 0;
    unsigned pt = 0;
    unsigned second = 0;
    parse->section++;
    if (parse->section >= CK_TSDP_KINDS) {
        return refuse(parse, "a third media section: %s", line);
    }
    int count = sscanf(line, "%15s %u %31s %u %u", kind, &port, proto, &pt, &second);
    if (count < 4 || strcmp(kind, kinds[parse->section]) != 0) {
        return refuse(parse, "wrong media line: %s", line);
    }
    if (port == 0 || strcmp(proto, "UDP/TLS/RTP/SAVPF") != 0) {
        return refuse(parse, "section refused or protocol not echoed: %s", line);
    }
    unsigned want = parse->section == CK_TSDP_AUDIO ? CK_TSDP_PT_OPUS : CK_TSDP_PT_VP8;
    if (pt != want || (count == 5 && second != CK_TSDP_PT_VP8_RTX)) {
        return refuse(parse, "payload types other than the offer's Opus or VP8: %s", line);
    }
    struct ck_tsdp_section *section = &parse->answer->section[parse->section];
    section->pt = (uint8_t)pt;
    section->rtx_pt = (uint8_t)(count == 5 ? second : 0);
    section->sends = section->receives = true;
    return 0;
}

static int read_fingerprint(struct parse *parse, const char *value)
{
    const char *hex = after(value, "sha-256 ");
    if (hex == NULL || strlen(hex) != 32 * 3 - 1) {
        return refuse(parse, "fingerprint is not SHA-256: %s", value);
    }
    uint8_t digest[32];
    for (size_t i = 0; i < 32; i++) {
        unsigned byte = 0;
        if (sscanf(hex + 3 * i, "%2X", &byte) != 1 || (i < 31 && hex[3 * i + 2] != ':')) {
            return refuse(parse, "fingerprint is not colon-separated hexadecimal: %s", value);
        }
        digest[i] = (uint8_t)byte;
    }
    memcpy(parse->answer->fingerprint, digest, sizeof digest);
    if (parse->section >= 0) {
        parse->seen[parse->section].fingerprint = true;
    }
    return 0;
}

static int read_candidate(struct parse *parse, const char *value)
{
    struct ck_tsdp_answer *answer = parse->answer;
    char foundation[33];
    char transport[8];
    char address[64];
    char type[16];
    unsigned component = 0;
    unsigned long priority = 0;
    unsigned port = 0;
    if (sscanf(value, "%32s %u %7s %lu %63s %u typ %15s", foundation, &component, transport,
               &priority, address, &port, type) != 7) {
        return refuse(parse, "candidate cannot be read: %s", value);
    }
    if (component != 1 || strcmp(type, "host") != 0 || port == 0 || port > 65535) {
        return refuse(parse, "candidate is not a host candidate of component 1: %s", value);
    }
    bool tcp = strcasecmp(transport, "tcp") == 0;
    if (tcp ? strstr(value, " tcptype passive") == NULL : strcasecmp(transport, "udp") != 0) {
        return refuse(parse, "candidate is neither UDP nor passive TCP: %s", value);
    }
    struct sockaddr_storage *list = tcp ? answer->passive : answer->candidate;
    unsigned *count = tcp ? &answer->passives : &answer->candidates;
    if (*count == CK_TSDP_CANDIDATES) {
        return refuse(parse, "more than %d candidates", CK_TSDP_CANDIDATES);
    }
    struct sockaddr_storage *slot = &list[*count];
    struct sockaddr_in *in = (struct sockaddr_in *)slot;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)slot;
    memset(slot, 0, sizeof *slot);
    if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
    } else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
    } else {
        return refuse(parse, "candidate has no address: %s", value);
    }
    for (unsigned i = 0; i < *count; i++) {
        if (memcmp(&list[i], slot, sizeof *slot) == 0) {
            return 0; /* bundled sections may repeat them */
        }
    }
    (*count)++;
    return 0;
}

static int read_rtpmap(struct parse *parse, const char *value)
{
    struct ck_tsdp_section *section = &parse->answer->section[parse->section];
    static const char *const maps[CK_TSDP_KINDS] = {"opus/48000/2", "VP8/90000"};
    unsigned pt = 0;
    char map[32];
    if (sscanf(value, "%u %31s", &pt, map) != 2) {
        return refuse(parse, "rtpmap cannot be read: %s", value);
    }
    if (pt == section->pt && strcmp(map, maps[parse->section]) == 0) {
        parse->seen[parse->section].rtpmap = true;
        return 0;
    }
    if (section->rtx_pt != 0 && pt == section->rtx_pt && strcmp(map, "rtx/90000") == 0) {
        return 0;
    }
    return refuse(parse, "rtpmap does not match the media line: %s", value);
}

static int read_feedback(struct parse *parse, const char *value)
{
    struct ck_tsdp_section *section = &parse->answer->section[parse->section];
    unsigned pt = 0;
    int at = 0;
    if (sscanf(value, "%u %n", &pt, &at) != 1 || pt != section->pt) {
        return refuse(parse, "rtcp-fb for another payload type: %s", value);
    }
    const char *what = value + at;
    if (strcmp(what, "nack") == 0) {
        section->nack = true;
    } else if (strcmp(what, "nack pli") == 0) {
        section->pli = true;
    } else if (strcmp(what, "goog-remb") == 0) {
        section->remb = true;
    } else if (strcmp(what, "transport-cc") == 0 && parse->offer->twcc) {
        section->twcc = true;
    } else if (strcmp(what, "ccm fir") != 0) {
        return refuse(parse, "rtcp-fb that was not offered: %s", value);
    }
    return 0;
}

static int read_extmap(struct parse *parse, const char *value)
{
    struct ck_tsdp_section *section = &parse->answer->section[parse->section];
    unsigned id = 0;
    char uri[128];
    if (sscanf(value, "%u %127s", &id, uri) != 2) {
        return refuse(parse, "extmap cannot be read: %s", value);
    }
    if (id == CK_TSDP_EXT_MID && strcmp(uri, URI_MID) == 0) {
        section->ext_mid = (uint8_t)id;
    } else if (id == CK_TSDP_EXT_TWCC && strcmp(uri, URI_TWCC) == 0 && parse->offer->twcc) {
        section->ext_twcc = (uint8_t)id;
    } else if (id == CK_TSDP_EXT_LEVEL && strcmp(uri, URI_LEVEL) == 0 &&
               parse->section == CK_TSDP_AUDIO) {
        section->ext_level = (uint8_t)id;
    } else {
        return refuse(parse, "extmap that was not offered: %s", value);
    }
    return 0;
}

static int read_ssrc(struct parse *parse, const char *value)
{
    struct ck_tsdp_section *section = &parse->answer->section[parse->section];
    unsigned first = 0;
    unsigned second = 0;
    if (sscanf(value, "-group:FID %u %u", &first, &second) == 2) {
        section->ssrc = first;
        section->rtx_ssrc = second;
        return 0;
    }
    if (sscanf(value, ":%u ", &first) != 1) {
        return refuse(parse, "ssrc line cannot be read: %s", value);
    }
    if (section->ssrc == 0) {
        section->ssrc = first;
    } else if (first != section->ssrc && first != section->rtx_ssrc) {
        return refuse(parse, "more SSRCs in one section than the stream and its RTX: %s", value);
    }
    return 0;
}

static int read_direction(struct parse *parse, const char *line)
{
    struct ck_tsdp_section *section = &parse->answer->section[parse->section];
    section->sends = strcmp(line, "a=sendrecv") == 0 || strcmp(line, "a=sendonly") == 0;
    section->receives = strcmp(line, "a=sendrecv") == 0 || strcmp(line, "a=recvonly") == 0;
    parse->seen[parse->section].direction = true;
    return 0;
}

/* Copies a word of ICE characters (RFC 8839 section 5.4) of at least `least`. */
static int read_ice_word(struct parse *parse, const char *value, size_t least, char out[257])
{
    size_t size = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    if (size < least || size > 256 || value[size] != '\0') {
        return refuse(parse, "not an ICE user name or password: %s", value);
    }
    memcpy(out, value, size + 1);
    return 0;
}

static int read_section_line(struct parse *parse, const char *line)
{
    struct seen *seen = &parse->seen[parse->section];
    const char *value;
    if ((value = after(line, "a=rtpmap:")) != NULL) {
        return read_rtpmap(parse, value);
    }
    if ((value = after(line, "a=rtcp-fb:")) != NULL) {
        return read_feedback(parse, value);
    }
    if ((value = after(line, "a=extmap:")) != NULL) {
        return read_extmap(parse, value);
    }
    if ((value = after(line, "a=ssrc")) != NULL) {
        return read_ssrc(parse, value);
    }
    if ((value = after(line, "a=mid:")) != NULL) {
        return value[0] == (char)('0' + parse->section) && value[1] == '\0'
                   ? 0
                   : refuse(parse, "mid is not the offer's: %s", value);
    }
    if ((value = after(line, "a=setup:")) != NULL) {
        seen->passive = strcmp(value, "passive") == 0;
        return seen->passive ? 0 : refuse(parse, "setup is not passive: %s", value);
    }
    if (strcmp(line, "a=rtcp-mux") == 0) {
        seen->rtcp_mux = true;
        return 0;
    }
    if (strcmp(line, "a=sendrecv") == 0 || strcmp(line, "a=sendonly") == 0 ||
        strcmp(line, "a=recvonly") == 0 || strcmp(line, "a=inactive") == 0) {
        return read_direction(parse, line);
    }
    return 0;
}

static int read_line(struct parse *parse, const char *line)
{
    const char *value;
    int error = 0;
    if (line[0] == '\0' || line[1] != '=') {
        return refuse(parse, "not a line of SDP: %s", line);
    }
    if ((value = after(line, "m=")) != NULL) {
        return read_media(parse, value);
    }
    if ((value = after(line, "a=ice-ufrag:")) != NULL) {
        error = read_ice_word(parse, value, 4, parse->answer->ufrag);
    } else if ((value = after(line, "a=ice-pwd:")) != NULL) {
        error = read_ice_word(parse, value, 22, parse->answer->pwd);
    } else if ((value = after(line, "a=fingerprint:")) != NULL) {
        error = read_fingerprint(parse, value);
    } else if ((value = after(line, "a=candidate:")) != NULL) {
        error = read_candidate(parse, value);
    } else if (strcmp(line, "a=ice-lite") == 0) {
        parse->ice_lite = parse->section < 0;
    } else if ((value = after(line, "a=group:BUNDLE ")) != NULL) {
        parse->bundle = strcmp(value, "0 1") == 0;
    } else if (parse->section >= 0) {
        error = read_section_line(parse, line);
    }
    return error;
}

static int check_whole(struct parse *parse)
{
    if (!parse->ice_lite || !parse->bundle) {
        return refuse(parse, "session misses %s", parse->ice_lite ? "BUNDLE 0 1" : "ice-lite");
    }
    if (parse->section != CK_TSDP_KINDS - 1) {
        return refuse(parse, "fewer media sections than the offer");
    }
    if (parse->answer->ufrag[0] == '\0' || parse->answer->pwd[0] == '\0' ||
        parse->answer->candidates == 0) {
        return refuse(parse, "no ICE credentials or no candidate");
    }
    for (int i = 0; i < CK_TSDP_KINDS; i++) {
        const struct seen *seen = &parse->seen[i];
        if (!seen->rtcp_mux || !seen->passive || !seen->rtpmap || !seen->fingerprint) {
            return refuse(parse, "section %d misses %s", i,
                          !seen->rtcp_mux  ? "rtcp-mux"
                          : !seen->passive ? "setup"
                          : !seen->rtpmap  ? "rtpmap"
                                           : "fingerprint");
        }
    }
    return 0;
}

int ck_tsdp_read(const char *text, const struct ck_tsdp_offer *offer, struct ck_tsdp_answer *answer,
                 char why[static CK_TSDP_WHY_SIZE])
{
    struct ck_tsdp_answer found = {.candidates = 0};
    struct parse parse = {.offer = offer, .answer = &found, .why = why, .section = -1};
    ck_cleanup(ck_freep) char *copy = strdup(text);
    if (copy == NULL || strncmp(text, "v=0\r\n", 5) != 0) {
        return refuse(&parse, "does not begin with v=0 and CRLF");
    }
    char *line = copy;
    while (*line != '\0') {
        char *end = strstr(line, "\r\n");
        if (end == NULL) {
            return refuse(&parse, "a line without CRLF: %.60s", line);
        }
        *end = '\0';
        int error = read_line(&parse, line);
        if (error != 0) {
            return error;
        }
        line = end + 2;
    }
    int error = check_whole(&parse);
    if (error == 0) {
        *answer = found;
    }
    return error;
}
