/* checkinctl store copy: the store for a backup, while the daemon runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/ctl/checkinctl_impl.h"
#include "daemon/store/copy.h"
#include "protocol/base/error.h"

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
    return ck_ctl_log_verify(&copy, 0, NULL);
}
