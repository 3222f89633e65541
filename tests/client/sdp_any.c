#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "tests/client/sdp.h"

#define DIGEST_TEXT (32 * 3 - 1)

static const char *after(const char *line, const char *prefix)
{
    size_t size = strlen(prefix);
    return strncmp(line, prefix, size) == 0 ? line + size : NULL;
}

static bool read_digest(const char *hex, uint8_t digest[static 32])
{
    if (strlen(hex) != DIGEST_TEXT) {
        return false;
    }
    for (size_t i = 0; i < 32; i++) {
        unsigned byte = 0;
        if (sscanf(hex + 3 * i, "%2x", &byte) != 1) {
            return false;
        }
        digest[i] = (uint8_t)byte;
    }
    return true;
}

static void read_candidate(const char *value, struct ck_tsdp_answer *answer)
{
    char transport[8];
    char address[64];
    unsigned component = 0;
    unsigned port = 0;
    struct sockaddr_in in = {.sin_family = AF_INET};
    if (answer->candidates == CK_TSDP_CANDIDATES ||
        sscanf(value, "%*32s %u %7s %*u %63s %u typ host", &component, transport, address, &port) !=
            4 ||
        component != 1 || strcasecmp(transport, "udp") != 0 ||
        inet_pton(AF_INET, address, &in.sin_addr) != 1) {
        return;
    }
    in.sin_port = htons((uint16_t)port);
    for (unsigned i = 0; i < answer->candidates; i++) {
        if (memcmp(&answer->candidate[i], &in, sizeof in) == 0) {
            return; /* bundled sections repeat them */
        }
    }
    memcpy(&answer->candidate[answer->candidates++], &in, sizeof in);
}

static void read_section_line(const char *line, struct ck_tsdp_section *section)
{
    const char *value;
    unsigned id = 0;
    char uri[128];
    if ((value = after(line, "a=rtcp-fb:")) != NULL) {
        value = strchr(value, ' ');
        section->nack = section->nack || (value != NULL && strcmp(value, " nack") == 0);
        section->pli = section->pli || (value != NULL && strcmp(value, " nack pli") == 0);
    } else if ((value = after(line, "a=extmap:")) != NULL &&
               sscanf(value, "%u %127s", &id, uri) == 2) {
        section->ext_mid = strstr(uri, "sdes:mid") != NULL ? (uint8_t)id : section->ext_mid;
        section->ext_level =
            strstr(uri, "ssrc-audio-level") != NULL ? (uint8_t)id : section->ext_level;
        section->ext_twcc =
            strstr(uri, "transport-wide-cc") != NULL ? (uint8_t)id : section->ext_twcc;
    }
}

static void read_line(const char *line, struct ck_tsdp_answer *answer, int *section, bool *digest)
{
    const char *value;
    if (after(line, "m=") != NULL) {
        *section = *section + 1;
    } else if ((value = after(line, "a=ice-ufrag:")) != NULL) {
        snprintf(answer->ufrag, sizeof answer->ufrag, "%s", value);
    } else if ((value = after(line, "a=ice-pwd:")) != NULL) {
        snprintf(answer->pwd, sizeof answer->pwd, "%s", value);
    } else if ((value = after(line, "a=fingerprint:sha-256 ")) != NULL) {
        *digest = read_digest(value, answer->fingerprint) || *digest;
    } else if ((value = after(line, "a=candidate:")) != NULL) {
        read_candidate(value, answer);
    } else if (*section >= 0 && *section < CK_TSDP_KINDS) {
        read_section_line(line, &answer->section[*section]);
    }
}

int ck_tsdp_read_any(const char *text, struct ck_tsdp_answer *answer,
                     char why[static CK_TSDP_WHY_SIZE])
{
    struct ck_tsdp_answer found = {.candidates = 0};
    ck_cleanup(ck_freep) char *copy = strdup(text);
    char *rest = copy;
    int section = -1;
    bool digest = false;
    found.section[CK_TSDP_AUDIO] =
        (struct ck_tsdp_section){.pt = CK_TSDP_PT_OPUS, .sends = true, .receives = true};
    found.section[CK_TSDP_VIDEO] =
        (struct ck_tsdp_section){.pt = CK_TSDP_PT_VP8, .sends = true, .receives = true};
    for (char *line; copy != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        line[strcspn(line, "\r")] = '\0';
        read_line(line, &found, &section, &digest);
    }
    if (found.ufrag[0] == '\0' || found.pwd[0] == '\0' || found.candidates == 0 || !digest ||
        section != CK_TSDP_KINDS - 1) {
        snprintf(why, CK_TSDP_WHY_SIZE,
                 "not two sections with ICE credentials, a certificate and an IPv4 candidate");
        return CK_E_INVALID;
    }
    *answer = found;
    return 0;
}
