/* Asking a page once: whether our own pages answer, as a phone would ask them, and the sign of life
 * for a monitor elsewhere. On the loop's thread; the exchange itself runs in a thread (courier.h).
 */
#ifndef DAEMON_NOTIFY_PROBE_H
#define DAEMON_NOTIFY_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct ck_probe;

/* One question was answered, or not in time. `good`: HTTP 200 to 299 over a connection whose
 * certificate was verified; where a socket is asked for as well, the upgrade, too, and behind it
 * the goodbye of a server that knows no session (4401 of websocket.md). `detail`: one line for
 * logs, "" where good. */
typedef void ck_probe_done(void *user, bool good, int64_t elapsed_ms, const char *detail);

struct ck_probe_options {
    const char *url;     /* "https://checkin.example.org/healthz": TLS and Host ask for its host */
    const char *socket;  /* NULL, or what is upgraded afterwards: "https://HOST/ws/person" */
    const char *connect; /* NULL, or where to connect to instead: "127.0.0.1:8443" */
    const char *ca_pem;  /* NULL for the system's authorities, or the certificate that we serve */
    int64_t timeout_ms;
    ck_probe_done *done;
    void *user;
};

/* Texts are copied. 0 or a negative errno. */
int ck_probe_create(struct ck_probe **probe, uv_loop_t *loop,
                    const struct ck_probe_options *options);

/* Takes NULL. No callback comes any more. The memory goes when the loop has closed the handles. */
void ck_probe_destroy(struct ck_probe *probe);

/* Verifies by another certificate from the next question on; copied. 0 or -ENOMEM. */
int ck_probe_set_ca(struct ck_probe *probe, const char *ca_pem);

/* Asks now. `done` comes once, never within the call. 0; CK_E_BUSY while a question runs; -ENOMEM.
 */
int ck_probe_ask(struct ck_probe *probe);

#endif
