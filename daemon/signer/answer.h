/* What the signer answers: one conversation with checkind, without its socket. */
#ifndef DAEMON_SIGNER_ANSWER_H
#define DAEMON_SIGNER_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/signer/head.h"
#include "protocol/signing.h"

/* One connection: the tree in memory. Begin with ck_conversation_begin(). */
struct ck_conversation {
    struct ck_signer_head *head;
    struct ck_frontier tree;
};

void ck_conversation_begin(struct ck_conversation *conversation, struct ck_signer_head *head);

/* Answers one message; the answer goes into `answer`, which has room for a datagram. CK_E_SYNTAX:
 * not of the protocol, the connection ends. */
int ck_conversation_answer(struct ck_conversation *conversation, const void *bytes, size_t size,
                           struct ck_writer *answer);

#endif
