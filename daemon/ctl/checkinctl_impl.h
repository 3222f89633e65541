/* The parts of checkinctl. */
#ifndef DAEMON_CTL_CHECKINCTL_IMPL_H
#define DAEMON_CTL_CHECKINCTL_IMPL_H

#include <stdbool.h>

#include <jansson.h>

#include "daemon/store/store.h"

#define CK_CTL_DEFAULT_STORE "/var/lib/checkind/checkind.db"

struct ck_ctl {
    const char *socket;
    const char *store;
    const char *recipient; /* of what leaves the house */
    const char *reason;
    bool json;
};

/* Prints an object for people, or as JSON. Control characters never reach the terminal. */
void ck_ctl_print(json_t *value, bool json);

/* Asks the daemon and waits at most so long: 0 and *result (borrowed from *answer), or an exit code
 * with the reason told. `arguments` is taken over. */
int ck_ctl_ask(const struct ck_ctl *ctl, const char *command, json_t *arguments, int wait_s,
               json_t **answer, json_t **result);

/* `export`: the exit code. */
int ck_ctl_export(const struct ck_ctl *ctl, int count, char **words);

/* `log …`: the exit code. */
int ck_ctl_log(const struct ck_ctl *ctl, int count, char **words);
int ck_ctl_log_verify(const struct ck_ctl *ctl, int count, char **words);

/* Opens the store for reading; an exit code, with the reason told, where it cannot be. */
int ck_ctl_open_store(const struct ck_ctl *ctl, struct ck_store **store);

/* Tells the daemon something that it is to write down; false where none runs. `arguments` is taken
 * over. */
bool ck_ctl_tell(const struct ck_ctl *ctl, const char *command, json_t *arguments);

/* Asks the daemon and prints the answer: the exit code. `arguments` is taken over. */
int ck_ctl_show(const struct ck_ctl *ctl, const char *command, json_t *arguments);

/* `store copy`: the exit code. */
int ck_ctl_store(const struct ck_ctl *ctl, int count, char **words);

/* `plan preview` and `plan prove`: the exit code. */
int ck_ctl_plan(const struct ck_ctl *ctl, int count, char **words);

/* `key make`, `name`, `split` and `join`: the exit code. */
int ck_ctl_key(const struct ck_ctl *ctl, int count, char **words);

#endif
