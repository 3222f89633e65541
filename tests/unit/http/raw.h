/* Raw TLS connections and WebSockets to a server on 127.0.0.1, as bytes. */
#ifndef TESTS_UNIT_HTTP_RAW_H
#define TESTS_UNIT_HTTP_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every wait for something that must come. Long, because a busy machine is no fault of the
 * server's. */
#define CLIENT_PATIENCE_MS 60000

/* Where the following clients connect to. */
void clients_use_port(unsigned port);

/* ---- clients ---- */

struct client;

/* Connects and shakes hands; NULL where the server does not let it. */
struct client *client_open(void);
/* Connects without TLS; for client_say_bare() and client_is_closed_bare() alone. */
struct client *client_open_bare(void);
bool client_say_bare(struct client *client, const void *bytes, size_t size);
bool client_is_closed_bare(struct client *client, int ms);
void client_close(struct client *client);
/* Offers these ALPN names (wire form); what the server chose, or "". */
const char *client_alpn(void);
/* Sends; false where the connection is gone. */
bool client_send(struct client *client, const void *bytes, size_t size);
bool client_say(struct client *client, const char *text);
/* Reads until the server closes or `ms` pass without a byte; the text with a zero behind it lives
 * until the next call or the close. */
const char *client_read_all(struct client *client, int ms, size_t *size);
/* Reads one whole answer (by its Content-Length); "" where the connection ended before. */
const char *client_read_answer(struct client *client, size_t *size);
/* Exactly `size` bytes; false where the connection ended before. */
bool client_read(struct client *client, void *bytes, size_t size);
/* Whether the server closes within `ms`. */
bool client_is_closed(struct client *client, int ms);

/* Opens, says, reads to the end, closes. The text lives until the next call. */
const char *ask(const char *text);
/* The status of an answer; 0 where it is none. */
unsigned status_of(const char *answer);
/* Where the body of an answer begins. */
const char *body_of(const char *answer);

/* ---- WebSockets ---- */

/* Upgrades at `path` with more header lines ("Cookie: …\r\n" or ""); false where it was refused. */
bool socket_upgrade(struct client *client, const char *path, const char *more);
/* One masked frame. `fin_op`: first byte (0x81: whole text). */
bool socket_send(struct client *client, unsigned fin_op, const void *payload, size_t size);
bool socket_say(struct client *client, const char *text);
/* The next frame that is no ping (which is answered): opcode, payload with a zero behind it. -1:
 * closed. */
int socket_read(struct client *client, char *payload, size_t capacity, size_t *size);
/* The next frame as it is. */
int socket_read_raw(struct client *client, char *payload, size_t capacity, size_t *size);
/* The code of the close frame that comes next (frames before it are skipped); 0: closed without
 * one. */
unsigned socket_read_close(struct client *client);

#endif
