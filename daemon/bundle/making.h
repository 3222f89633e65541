/* Making a bundle without standing in anybody's way: built on a connection for reading, written
 * down (command "bundle.built"), and ended with the proof of that. On the loop; one object at a
 * time by one caller. */
#ifndef DAEMON_BUNDLE_MAKING_H
#define DAEMON_BUNDLE_MAKING_H

#include "daemon/bundle/bundle.h"
#include "daemon/core/bus.h"
#include "daemon/store/readers.h"

/* 0: it is made, in making->fd, as making->made says; else why not. */
typedef void ck_bundle_making_done(void *cookie, int code);

struct ck_bundle_making {
    struct ck_readers *readers;
    struct ck_bus *bus;
    json_t *opened;               /* as "bundle.open" answers: a copy, owned */
    struct ck_bundle_order order; /* all but what is in `opened` is the caller's to fill before */
    ck_bundle_making_done *done;
    void *cookie;
    /* Filled. */
    int fd; /* a file in memory; -1: none */
    struct ck_bundle_made made;
    int64_t entry; /* of the log: that it was made */
};

/* Begins; `opened` is copied. `done` is called exactly once, never from inside this call, and
 * the object stays where it is until then. An error: it is not. */
int ck_bundle_making_begin(struct ck_bundle_making *making, const json_t *opened);

/* Lets go of all that it holds; not while it is being made. */
void ck_bundle_making_deinit(struct ck_bundle_making *making);

#endif
