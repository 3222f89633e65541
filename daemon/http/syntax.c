#include "daemon/http/syntax.h"

#include <string.h>
#include <strings.h>

#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define NUMBER_DIGITS 15 /* fits 63 bits with room for arithmetic */

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* Digits at *at into *value; false where there are none or too many. */
static bool number(const char **at, uint64_t *value)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > NUMBER_DIGITS) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < digits; i++) {
        *value = *value * 10 + (uint64_t)((*at)[i] - '0');
    }
    *at += digits;
    return true;
}

int ck_http_range(const char *header, uint64_t size, uint64_t *first, uint64_t *count)
{
    if (strncasecmp(header, "bytes=", 6) != 0 || strchr(header, ',') != NULL) {
        return CK_E_NOT_FOUND;
    }
    const char *at = skip_blanks(header + 6);
    uint64_t from = 0, to = 0;
    bool has_from = number(&at, &from);
    if (*at++ != '-') {
        return CK_E_NOT_FOUND;
    }
    bool has_to = number(&at, &to);
    if (*skip_blanks(at) != '\0' || (!has_from && !has_to) || (has_from && has_to && to < from)) {
        return CK_E_NOT_FOUND;
    }
    if (!has_from) { /* the last `to` bytes */
        if (to == 0 || size == 0) {
            return CK_E_INVALID;
        }
        *count = to < size ? to : size;
        *first = size - *count;
        return 0;
    }
    if (from >= size) {
        return CK_E_INVALID;
    }
    uint64_t last = has_to && to < size ? to : size - 1;
    *first = from;
    *count = last - from + 1;
    return 0;
}

int ck_http_content_length(const char *header, uint64_t *length)
{
    uint64_t value;
    const char *at = header;
    if (!number(&at, &value) || *at != '\0') {
        return CK_E_SYNTAX;
    }
    *length = value;
    return 0;
}

/* The size of the host part without brackets and port; *name is where it begins. 0 where it is
 * malformed. */
static size_t host_part(const char *header, const char **name)
{
    const char *end;
    *name = header;
    if (*header == '[') {
        *name = header + 1;
        end = strchr(*name, ']');
        if (end == NULL) {
            return 0;
        }
        header = end + 1;
    } else {
        end = header + strcspn(header, ":");
        header = end;
    }
    if (*header == ':') {
        size_t digits = strspn(header + 1, "0123456789");
        if (digits == 0 || digits > 5) {
            return 0;
        }
        header += 1 + digits;
    }
    return *header == '\0' ? (size_t)(end - *name) : 0;
}

bool ck_http_host_is(const char *header, const char *const *hosts, size_t count)
{
    const char *name;
    size_t size = host_part(header, &name);
    for (size_t i = 0; size > 0 && i < count; i++) {
        if (strlen(hosts[i]) == size && strncasecmp(hosts[i], name, size) == 0) {
            return true;
        }
    }
    return false;
}

bool ck_http_origin_is(const char *origin, const char *host)
{
    return strncasecmp(origin, "https://", 8) == 0 && strcasecmp(origin + 8, host) == 0;
}

bool ck_http_path_is_clean(const char *path, size_t size)
{
    if (size == 0 || path[0] != '/' || !ck_utf8_valid(path, size)) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f || path[i] == '\\') {
            return false;
        }
    }
    for (size_t begin = 1; begin < size;) { /* a closing slash is no empty segment */
        const char *slash = memchr(path + begin, '/', size - begin);
        size_t end = slash == NULL ? size : (size_t)(slash - path);
        size_t length = end - begin;
        if (length == 0 || (length == 1 && path[begin] == '.') ||
            (length == 2 && path[begin] == '.' && path[begin + 1] == '.')) {
            return false;
        }
        begin = end + 1;
    }
    return true;
}

int ck_http_cookie_value(const char *header, const char *name, char *value, size_t capacity)
{
    size_t name_size = strlen(name);
    const char *found = NULL;
    size_t found_size = 0;
    for (const char *at = header; *at != '\0';) {
        at = at + strspn(at, " \t;");
        size_t size = strcspn(at, ";");
        if (size > name_size && strncmp(at, name, name_size) == 0 && at[name_size] == '=') {
            if (found != NULL) {
                return CK_E_SYNTAX;
            }
            found = at + name_size + 1;
            found_size = size - name_size - 1;
        }
        at += size;
    }
    if (found == NULL) {
        return CK_E_NOT_FOUND;
    }
    while (found_size > 0 && (found[found_size - 1] == ' ' || found[found_size - 1] == '\t')) {
        found_size--;
    }
    if (found_size >= capacity) {
        return CK_E_LIMIT;
    }
    memcpy(value, found, found_size);
    value[found_size] = '\0';
    return 0;
}

bool ck_http_takes_gzip(const char *header)
{
    for (const char *at = header; *at != '\0';) {
        at += strspn(at, " \t,");
        size_t size = strcspn(at, ",");
        size_t name = strcspn(at, " \t,;");
        if ((name == 4 && strncasecmp(at, "gzip", 4) == 0) || (name == 1 && *at == '*')) {
            const char *q = memchr(at, '=', size);
            /* q=0, q=0.0 … refuse it. */
            return q == NULL || strspn(q + 1, "0.") < strcspn(q + 1, " \t,");
        }
        at += size;
    }
    return false;
}

bool ck_http_etag_matches(const char *header, const char *etag)
{
    size_t etag_size = strlen(etag);
    for (const char *at = header; *at != '\0';) {
        at += strspn(at, " \t,");
        if (*at == '*') {
            return true;
        }
        if (strncmp(at, "W/", 2) == 0) {
            at += 2;
        }
        if (strncmp(at, etag, etag_size) == 0) {
            return true;
        }
        at += strcspn(at, ",");
    }
    return false;
}

bool ck_http_type_is(const char *header, const char *type)
{
    size_t size = strlen(type);
    return strncasecmp(header, type, size) == 0 &&
           (header[size] == '\0' || header[size] == ';' || header[size] == ' ');
}
