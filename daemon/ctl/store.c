/* checkinctl store copy: the store for a backup, while the daemon runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/ctl/checkinctl_impl.h"
#include "daemon/store/copy.h"
#include "daemon/store/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

/* The log shows when a copy of everything was taken out, by whom, and of which state. */
static void tell_daemon(const struct ck_ctl *ctl, const struct ck_ctl *copy)
{
    ck_cleanup(ck_store_closep) struct ck_store *store = NULL;
    struct ck_log_head head;
    char root[CK_HEX_SIZE(sizeof head.root.bytes)];
    if (ck_ctl_open_store(copy, &store) != 0 || ck_log_load_head(store, &head) != 0) {
        return; /* verifying it says what is wrong */
    }
    ck_hex_encode(head.root.bytes, sizeof head.root.bytes, root);
    if (!ck_ctl_tell(
            ctl, "store.copied",
            json_pack("{s:I, s:s}", "size", (json_int_t)head.frontier.size, "root", root))) {
        fputs("checkinctl: no daemon took note of it: this copy is not in the log\n", stderr);
    }
}

int ck_ctl_store(const struct ck_ctl *ctl, int count, char **words)
{
    if (count != 2 || strcmp(words[0], "copy") != 0) {
        return EX_USAGE;
    }
    const char *to = words[1];
    int error = ck_store_copy(ctl->store, to);
    if (error != 0) {
        fprintf(stderr, "checkinctl: %s: %s\n",
                error == CK_E_CONFLICT || error == -EROFS || error == -EACCES ? to : ctl->store,
                error == CK_E_CONFLICT    ? "is there already; nothing was copied"
                : error == CK_E_NOT_FOUND ? "there is no store"
                : error == CK_E_SYNTAX    ? "was written by another version, or is no store"
                : error == -EUCLEAN       ? "is damaged, or the copy was; nothing was kept of it"
                                          : ck_error_text(error));
        return error == CK_E_NOT_FOUND ? EX_NOINPUT : EX_CANTCREAT;
    }
    struct ck_ctl copy = *ctl;
    copy.store = to;
    tell_daemon(ctl, &copy);
    return ck_ctl_log_verify(&copy, 0, NULL);
}
