/* What a channel asks of a server, and what came back: plain values between channels and
 * transfer.h. */
#ifndef DAEMON_NOTIFY_REQUEST_H
#define DAEMON_NOTIFY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CK_REQUEST_HEADERS_MAX 12
#define CK_RESPONSE_BODY_MAX (64 * 1024) /* what is more is read and dropped */

enum ck_request_kind {
    CK_REQUEST_HTTP,
    CK_REQUEST_MAIL,
};

/* All texts are owned by the request. */
struct ck_request {
    enum ck_request_kind kind;
    char *url;
    char *body; /* HTTP: the body; MAIL: the whole message with CRLF line ends */
    size_t body_size;
    int64_t timeout_ms;
    char *ca_file; /* NULL: the system's authorities */
    char *ca_pem;  /* NULL, or the authorities themselves, instead of ca_file */

    const char *method; /* HTTP; permanent text */
    char *connect_to;   /* HTTP: NULL, or "ADDRESS:PORT" to connect to instead of the URL's host */
    bool fresh;         /* HTTP: by a new connection, which is not kept */
    bool upgrade;       /* HTTP: to a WebSocket; over with the first bytes behind a 101 */
    char *headers[CK_REQUEST_HEADERS_MAX]; /* HTTP: "Name: value" */
    size_t header_count;

    char *mail_from; /* MAIL: bare addresses */
    char *mail_to;
    char *user; /* MAIL: NULL for none */
    char *password;
    bool tls_required; /* MAIL by smtp:// */
};

/* Adds "name: value"; CK_E_INVALID where one of them has a control character, CK_E_LIMIT, -ENOMEM.
 */
int ck_request_header(struct ck_request *request, const char *name, const char *value);

/* Releases what it holds and wipes what was secret. */
void ck_request_deinit(struct ck_request *request);

enum ck_transfer_fault {
    CK_TRANSFER_DONE = 0, /* the exchange came to its end; `status` says how */
    CK_TRANSFER_NO_NAME,  /* the host's name was not found */
    CK_TRANSFER_NO_CONNECT,
    CK_TRANSFER_NO_TLS, /* no TLS, or a certificate that is not trusted */
    CK_TRANSFER_LOGIN,  /* our name and password were refused */
    CK_TRANSFER_TIMEOUT,
    CK_TRANSFER_LOST,     /* the connection broke */
    CK_TRANSFER_REFUSED,  /* MAIL: the server refused a command; `status` is its reply */
    CK_TRANSFER_PROTOCOL, /* the answer was not of the protocol's form */
    CK_TRANSFER_MEMORY,
};

struct ck_response {
    enum ck_transfer_fault fault;
    bool left;              /* so much has left that the server may have acted on it */
    bool recipient_named;   /* MAIL: the last reply came after the recipient was told */
    int status;             /* HTTP status, or the last SMTP reply; 0: none came */
    int64_t retry_after_ms; /* from Retry-After; -1: none */
    const char *body;       /* HTTP: never NULL, zero-terminated */
    size_t body_size;
    const char *detail; /* the library's words; "" where there are none */
};

/* Whether a transfer that failed with `response` may have been acted on. */
static inline bool ck_response_unknown(const struct ck_response *response)
{
    return response->left &&
           (response->fault == CK_TRANSFER_TIMEOUT || response->fault == CK_TRANSFER_LOST ||
            response->fault == CK_TRANSFER_PROTOCOL);
}

#endif
