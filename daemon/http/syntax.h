/* Small pure readers of what stands in HTTP headers and paths. */
#ifndef DAEMON_HTTP_SYNTAX_H
#define DAEMON_HTTP_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Range (RFC 9110 section 14.2) over `size` bytes. 0 and the part that is wanted (count > 0);
 * CK_E_NOT_FOUND where the header is to be ignored: another unit, more than one range, or no range
 * syntax; CK_E_INVALID where it cannot be satisfied (416). */
int ck_http_range(const char *header, uint64_t size, uint64_t *first, uint64_t *count);

/* Content-Length: digits alone, at most 15. 0 or CK_E_SYNTAX. */
int ck_http_content_length(const char *header, uint64_t *length);

/* Whether a Host header ("name", "name:port", "[v6]:port") names one of `hosts` (lower case, v6
 * without brackets). Case does not matter, a closing dot does. */
bool ck_http_host_is(const char *header, const char *const *hosts, size_t count);

/* Whether an Origin header is that of the page served under this Host: "https://" and the host. */
bool ck_http_origin_is(const char *origin, const char *host);

/* Whether a decoded path is well-formed (server.h). */
bool ck_http_path_is_clean(const char *path, size_t size);

/* The value of cookie `name` in a Cookie header (RFC 6265 section 4.2.1): 0; CK_E_NOT_FOUND;
 * CK_E_SYNTAX where it is there twice; CK_E_LIMIT. */
int ck_http_cookie_value(const char *header, const char *name, char *value, size_t capacity);

/* Whether an Accept-Encoding header takes gzip. */
bool ck_http_takes_gzip(const char *header);

/* Whether an If-None-Match header names `etag` (with its quotes) or is "*". */
bool ck_http_etag_matches(const char *header, const char *etag);

/* Whether a Content-Type header is `type`, whatever parameters follow. */
bool ck_http_type_is(const char *header, const char *type);

#endif
