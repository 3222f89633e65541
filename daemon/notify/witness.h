/* Telling witnesses: checkpoints of the audit log go to whoever keeps them outside of our hands, by
 * C2SP tlog-witness over HTTPS, which answers with a signature, and by mail, which does not.
 *
 * Loop thread only; the exchanges run on a thread of their own (courier.h). */
#ifndef DAEMON_NOTIFY_WITNESS_H
#define DAEMON_NOTIFY_WITNESS_H

#include <stdint.h>
#include <uv.h>

#include "daemon/config/config.h"
#include "protocol/base/time.h"

struct ck_witnesses;

/* What a witness of [signer] witness_urls answered, by its place in the list: signature lines, or
 * NULL and the size of the log that it saw last, from which it wants the proof. What it refuses
 * goes to the journal alone. */
typedef void ck_witnesses_answered(void *user, size_t witness, const char *lines, uint64_t size);

struct ck_witnesses_options {
    const struct ck_config *config; /* outlives it */
    struct ck_wall (*now)(void);
    ck_witnesses_answered *answered;
    void *user;
};

/* 0 or a negative errno. */
int ck_witnesses_create(struct ck_witnesses **witnesses, uv_loop_t *loop,
                        const struct ck_witnesses_options *options);

/* Takes NULL. No callback comes any more. */
void ck_witnesses_destroy(struct ck_witnesses *witnesses);

/* Asks one witness with the body of add-checkpoint. 0 or -ENOMEM. */
int ck_witnesses_ask(struct ck_witnesses *witnesses, size_t witness, const char *body);

/* Mails a checkpoint to every address of [signer] witness_mails. 0 or -ENOMEM; without [smtp] url
 * nothing is sent. */
int ck_witnesses_mail(struct ck_witnesses *witnesses, const char *note, uint64_t size);

#endif
