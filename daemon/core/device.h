/* The person's own phone: a non-extractable P-256 key that its browser made in the inspector's
 * presence. Every join signs the challenge of its session with it. A check-in runs with any phone;
 * whether it was the person's own is a fact beside it. */
#ifndef DAEMON_CORE_DEVICE_H
#define DAEMON_CORE_DEVICE_H

#include "daemon/core/command.h"

#define CK_DEVICES_MAX 5       /* of one person, revoked ones not counted */
#define CK_DEVICE_NAME_MAX 200 /* bytes */
#define CK_INBOUND_PER_DAY 8   /* calls of one person by themselves in 24 hours; more are refused */
/* Sessions of one person within CK_REPEATS_MS beyond which their own phone and links that were used
 * already open nothing for a while (CK_E_LIMIT): each leaves records that are kept. A link that was
 * never used always opens. */
#define CK_REPEATS_MAX 60
#define CK_REPEATS_MS (INT64_C(1) * 3600000)
#define CK_DEVICE_SESSION_MS (INT64_C(12) * 3600000) /* of a page that came in without a link */

enum ck_device_proof {
    CK_DEVICE_NONE,  /* the person has no phone of their own here: nothing to prove */
    CK_DEVICE_OWN,   /* signed by one of them */
    CK_DEVICE_OTHER, /* not, or not rightly */
};

/* For the handler of "checkin.joined": weighs `key`, `challenge` and `signature` of its body, keeps
 * and logs what came out. A wrong signature is CK_DEVICE_OTHER, never a refusal. Engine thread. */
int ck_device_prove(struct ck_turn *turn, const struct ck_actor *actor, int64_t checkin,
                    const json_t *body, enum ck_device_proof *proof);

#endif
