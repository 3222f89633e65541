#include "daemon/config/value_impl.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "protocol/base/text.h"
#include "protocol/note.h"

#define HOSTNAME_MAX 253
#define ZONE_DIR "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 64

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first. */
static const struct unit duration_units[] = {
    {"d", INT64_C(86400000)}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};
static const struct unit size_units[] = {
    {"GiB", INT64_C(1) << 30}, {"MiB", INT64_C(1) << 20}, {"KiB", 1024}, {"B", 1}, {NULL, 0},
};

/* Reads digits; returns where they end, or NULL where there are none or too many. */
static const char *read_digits(const char *text, int64_t *value)
{
    int64_t v = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *at - '0', &v)) {
            return NULL;
        }
    }
    if (at == text) {
        return NULL;
    }
    *value = v;
    return at;
}

bool ck_value_count(const char *text, int64_t *value)
{
    int64_t v;
    const char *end = read_digits(text, &v);
    if (end == NULL || *end != '\0') {
        return false;
    }
    *value = v;
    return true;
}

static bool read_with_unit(const char *text, const struct unit *units, int64_t *value)
{
    int64_t v;
    const char *end = read_digits(text, &v);
    if (end == NULL) {
        return false;
    }
    end += strspn(end, " ");
    for (const struct unit *unit = units; unit->name != NULL; unit++) {
        if (strcmp(end, unit->name) == 0) {
            return !__builtin_mul_overflow(v, unit->factor, value);
        }
    }
    return false;
}

bool ck_value_duration(const char *text, int64_t *ms)
{
    int64_t v;
    if (!read_with_unit(text, duration_units, &v)) {
        return false;
    }
    *ms = v;
    return true;
}

bool ck_value_size(const char *text, int64_t *bytes)
{
    int64_t v;
    if (!read_with_unit(text, size_units, &v)) {
        return false;
    }
    *bytes = v;
    return true;
}

bool ck_value_flag(const char *text, bool *value)
{
    bool yes = strcmp(text, "yes") == 0;
    if (!yes && strcmp(text, "no") != 0) {
        return false;
    }
    *value = yes;
    return true;
}

static void write_with_unit(int64_t value, const struct unit *units, char *text, size_t size)
{
    const struct unit *unit = units;
    while (value % unit->factor != 0 || (value == 0 && unit[1].name != NULL)) {
        unit++;
    }
    snprintf(text, size, "%" PRId64 " %s", value / unit->factor, unit->name);
}

void ck_value_duration_text(int64_t ms, char *text, size_t size)
{
    write_with_unit(ms, duration_units, text, size);
}

void ck_value_size_text(int64_t bytes, char *text, size_t size)
{
    write_with_unit(bytes, size_units, text, size);
}

static bool hostname_ok(const char *text, size_t size)
{
    if (size == 0 || size > HOSTNAME_MAX || text[0] == '-' || text[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        bool dot_after_dot = text[i] == '.' && i > 0 && text[i - 1] == '.';
        if ((!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '.') ||
            dot_after_dot) {
            return false;
        }
    }
    return text[size - 1] != '-';
}

static bool address_ok(const char *text, size_t size, int family)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    if (size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    return inet_pton(family, copy, bytes) == 1;
}

static bool port_ok(const char *text, size_t size)
{
    int64_t port = 0;
    char copy[6];
    if (size == 0 || size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    return ck_value_count(copy, &port) && port <= 65535;
}

/* The "host[:port]" at the start of `text` up to one of "/?#" or the end. */
struct authority {
    const char *host; /* without brackets */
    size_t host_size;
    const char *rest; /* what follows the authority */
    bool port_given;
    bool good;
};

static struct authority read_authority(const char *text)
{
    struct authority a = {.host = text};
    size_t size = strcspn(text, "/?#");
    a.rest = text + size;
    const char *port = NULL;
    if (text[0] == '[') {
        const char *close = memchr(text, ']', size);
        if (close == NULL || !address_ok(text + 1, (size_t)(close - text - 1), AF_INET6)) {
            return a;
        }
        a.host = text + 1;
        a.host_size = (size_t)(close - text - 1);
        port = close + 1 < a.rest ? close + 1 : NULL;
        if (port != NULL && *port != ':') {
            return a;
        }
    } else {
        port = memchr(text, ':', size);
        a.host_size = port == NULL ? size : (size_t)(port - text);
        if (!hostname_ok(text, a.host_size)) {
            return a;
        }
    }
    a.port_given = port != NULL;
    a.good = port == NULL || port_ok(port + 1, (size_t)(a.rest - port - 1));
    return a;
}

static bool host_is(const struct authority *a, const char *name)
{
    return a->host_size == strlen(name) && strncmp(a->host, name, a->host_size) == 0;
}

/* Whether what is sent there stays on this machine. */
static bool is_loopback(const struct authority *a)
{
    bool v4 = a->host_size > 4 && strncmp(a->host, "127.", 4) == 0 &&
              address_ok(a->host, a->host_size, AF_INET);
    return v4 || host_is(a, "localhost") || host_is(a, "::1");
}

static bool plain_text(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c == 0x7f || *c == '"' || *c == '\\' || *c == '<' || *c == '>') {
            return false;
        }
    }
    return true;
}

static const char *after(const char *text, const char *prefix)
{
    size_t size = strlen(prefix);
    return strncmp(text, prefix, size) == 0 ? text + size : NULL;
}

const char *ck_refuse_url(const char *text)
{
    static const char allowed[] =
        "https://HOST[:PORT][/PATH]; http:// only to this machine (localhost, 127.0.0.1, [::1])";
    const char *tls = after(text, "https://");
    const char *open = after(text, "http://");
    if ((tls == NULL && open == NULL) || !plain_text(text)) {
        return allowed;
    }
    struct authority a = read_authority(tls != NULL ? tls : open);
    return a.good && (tls != NULL || is_loopback(&a)) ? NULL : allowed;
}

const char *ck_refuse_help_phone(const char *text)
{
    return ck_text_is_help_phone(text) ? NULL : "3 to 15 digits, with or without + before them";
}

const char *ck_refuse_public_url(const char *text)
{
    static const char allowed[] = "https://HOST[:PORT], with no path and no closing slash";
    const char *host = after(text, "https://");
    if (host == NULL || !plain_text(text)) {
        return allowed;
    }
    struct authority a = read_authority(host);
    return a.good && *a.rest == '\0' ? NULL : allowed;
}

const char *ck_refuse_smtp_url(const char *text)
{
    static const char allowed[] = "smtps://HOST:PORT or smtp://HOST:PORT";
    const char *host = after(text, "smtps://");
    if (host == NULL) {
        host = after(text, "smtp://");
    }
    if (host == NULL || !plain_text(text)) {
        return allowed;
    }
    struct authority a = read_authority(host);
    return a.good && a.port_given && *a.rest == '\0' ? NULL : allowed;
}

const char *ck_refuse_listen(const char *text)
{
    static const char allowed[] = "PORT, IPV4:PORT or [IPV6]:PORT with a port up to 65535";
    if (port_ok(text, strlen(text))) {
        return NULL;
    }
    struct authority a = read_authority(text);
    bool numeric = text[0] == '[' || address_ok(a.host, a.host_size, AF_INET);
    return a.good && a.port_given && numeric && *a.rest == '\0' ? NULL : allowed;
}

const char *ck_refuse_hostname(const char *text)
{
    return hostname_ok(text, strlen(text)) ? NULL : "a host name or an IPv4 address";
}

const char *ck_refuse_address(const char *text)
{
    size_t size = strlen(text);
    bool good = address_ok(text, size, AF_INET) || address_ok(text, size, AF_INET6);
    return good ? NULL : "an IPv4 or IPv6 address";
}

const char *ck_refuse_mail(const char *text)
{
    const char *at = strrchr(text, '@');
    bool good = at != NULL && at != text && strchr(text, '@') == at && plain_text(text) &&
                strpbrk(text, ",;:()[]") == NULL && hostname_ok(at + 1, strlen(at + 1));
    return good ? NULL : "one bare mail address, such as checkind@example.org";
}

const char *ck_refuse_witness(const char *text)
{
    struct ck_note_key key;
    bool good = ck_note_key_parse(text, &key) == 0 && key.type == CK_NOTE_WITNESS;
    return good ? NULL : "the public key of a witness: NAME+ID+BASE64, of signature type 4";
}

const char *ck_refuse_zone(const char *text)
{
    static const char allowed[] = "the name of an installed IANA time zone, such as Asia/Almaty";
    char path[sizeof ZONE_DIR + ZONE_NAME_MAX];
    size_t size = strlen(text);
    size_t good =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/");
    if (size > ZONE_NAME_MAX || good != size || !isupper((unsigned char)text[0]) ||
        text[size - 1] == '/') {
        return allowed;
    }
    snprintf(path, sizeof path, "%s%s", ZONE_DIR, text);
    return access(path, R_OK) == 0 ? NULL : allowed;
}

const char *ck_refuse_absolute(const char *text)
{
    return text[0] == '/' ? NULL : "an absolute path";
}

const char *ck_refuse_status(const char *text)
{
    int64_t status = 0;
    return ck_value_count(text, &status) && status >= 200 && status <= 299
               ? NULL
               : "HTTP status codes from 200 to 299";
}

const char *ck_refuse_gateway_body(const char *text)
{
    static const char allowed[] = "a JSON object with {to} and {text} inside strings";
    json_t *body = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool good =
        json_is_object(body) && strstr(text, "{to}") != NULL && strstr(text, "{text}") != NULL;
    json_decref(body);
    return good ? NULL : allowed;
}

const char *ck_refuse_turn(const char *text)
{
    static const char allowed[] = "turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]…";
    const char *host = after(text, "turns:");
    if (host == NULL) {
        host = after(text, "turn:");
    }
    if (host == NULL || !plain_text(text)) {
        return allowed;
    }
    struct authority a = read_authority(host);
    bool tail = *a.rest == '\0' || strcmp(a.rest, "?transport=udp") == 0 ||
                strcmp(a.rest, "?transport=tcp") == 0;
    return a.good && tail ? NULL : allowed;
}

const char *ck_refuse_subject(const char *text)
{
    const char *mail = after(text, "mailto:");
    bool good = mail != NULL ? ck_refuse_mail(mail) == NULL
                             : after(text, "https://") != NULL && ck_refuse_url(text) == NULL;
    return good ? NULL : "mailto:ADDRESS or https://HOST[/PATH]";
}

const char *ck_refuse_key_hex(const char *bytes, size_t size)
{
    static const char allowed[] = "64 hexadecimal digits (32 random bytes)";
    if (size != 64) {
        return allowed;
    }
    for (size_t i = 0; i < size; i++) {
        if (!isxdigit((unsigned char)bytes[i])) {
            return allowed;
        }
    }
    return NULL;
}

const char *ck_refuse_secret_text(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f) {
            return "one line of text";
        }
    }
    return ck_utf8_valid(bytes, size) ? NULL : "one line of text in UTF-8";
}

const char *ck_refuse_secret_pair(const char *bytes, size_t size)
{
    static const char allowed[] = "a line of text of at least 16 bytes, or two while the secret is "
                                  "changed, the new one first";
    const char *end = memchr(bytes, '\n', size);
    size_t first = end == NULL ? size : (size_t)(end - bytes);
    bool good = first >= 16 && ck_refuse_secret_text(bytes, first) == NULL;
    if (good && end != NULL) {
        size_t second = size - first - 1;
        good = second >= 16 && ck_refuse_secret_text(end + 1, second) == NULL;
    }
    return good ? NULL : allowed;
}
