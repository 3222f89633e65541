/* The parts of checkinctl. */
#ifndef DAEMON_CTL_CHECKINCTL_IMPL_H
#define DAEMON_CTL_CHECKINCTL_IMPL_H

#include <stdbool.h>

#include <jansson.h>

struct ck_ctl {
    const char *socket;
    bool json;
};

/* Prints an object for people, or as JSON. Control characters never reach the terminal. */
void ck_ctl_print(json_t *value, bool json);

#endif
