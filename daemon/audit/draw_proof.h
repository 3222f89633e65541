/* Proving a draw from the audit log alone: the record of the planned check-in with what it was
 * drawn from, the commitment to the epoch's key before it, and the key revealed after the epoch. On
 * any connection; nothing is written.
 *
 * What it shows: nobody picked the moment, given the key; and the key was there before the draw. It
 * is worth as much as there was to choose from, which it says: out of one second nothing is drawn.
 * What it does not show: that the key itself was not chosen among many. That the entries are those
 * of the log is shown by verify.h. */
#ifndef DAEMON_AUDIT_DRAW_PROOF_H
#define DAEMON_AUDIT_DRAW_PROOF_H

#include <stdint.h>

#include "daemon/store/store.h"
#include "protocol/base/time.h"

struct ck_draw_proof {
    int64_t planned;   /* index of the record of the check-in; -1: there is none */
    int64_t committed; /* … of the commitment to the key */
    int64_t revealed;  /* … of the key */
    int64_t epoch;
    int64_t seconds; /* how many there were to choose from */
    struct ck_wall due;
    char fault[120]; /* an English sentence: what does not hold; "" where all does */
};

/* 0 where the draw is proven; CK_E_AUTH with proof->fault where it is not; CK_E_NOT_FOUND with
 * proof->fault where something to prove it with is missing: no such check-in, not drawn, its key
 * not revealed yet, its moment erased. -errno. */
int ck_draw_prove_checkin(struct ck_store *store, int64_t checkin, struct ck_draw_proof *proof);

#endif
