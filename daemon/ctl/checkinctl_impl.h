/* The parts of checkinctl. */
#ifndef DAEMON_CTL_CHECKINCTL_IMPL_H
#define DAEMON_CTL_CHECKINCTL_IMPL_H

#include <stdbool.h>

#include <jansson.h>

#define CK_CTL_DEFAULT_STORE "/var/lib/checkind/checkind.db"

struct ck_ctl {
    const char *socket;
    const char *store;
    bool json;
};

/* Prints an object for people, or as JSON. Control characters never reach the terminal. */
void ck_ctl_print(json_t *value, bool json);

/* `log verify`: the exit code. */
int ck_ctl_log(const struct ck_ctl *ctl, int count, char **words);

#endif
