/* Real receivers for tests, as child processes: smtp_sink.py and http_sink.py. They end with the
 * test, even one that dies. */
#ifndef TESTS_SINKS_SINK_H
#define TESTS_SINKS_SINK_H

#include <stddef.h>
#include <sys/types.h>

#define SINK_PATH_SIZE 256

struct sink {
    pid_t pid;
    int stdin_fd;             /* its standard input: closing it ends it */
    int port;                 /* on 127.0.0.1 */
    char dir[SINK_PATH_SIZE]; /* where it keeps what it got */
};

/* Starts `script` ("smtp_sink.py") with a new directory under $TMPDIR and the further arguments
 * (ends with NULL), and waits until it listens. Aborts the test on failure. */
void sink_start(struct sink *sink, const char *script, const char *const *arguments);

/* Ends it and removes its directory. Does nothing for one that was not started. */
void sink_stop(struct sink *sink);

/* Reads what it kept as number `number` (from 1): "0001" and the suffix. The caller frees; NULL
 * where it is not there. */
char *sink_read(const struct sink *sink, unsigned number, const char *suffix);

/* How many files with that suffix it keeps. */
size_t sink_count(const struct sink *sink, const char *suffix);

/* Makes DIR/NAME.crt and DIR/NAME.key, a self-signed certificate for `subject` ("IP:127.0.0.1" or
 * "DNS:name") valid for a day. Aborts the test on failure. */
void sink_make_certificate(const char *dir, const char *name, const char *subject);

#endif
