/* What must be so before anything starts: the store is this process's alone, and there are enough
 * descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define OWN_FILES 1024 /* open besides connections: workers, recordings, store, libraries */

/* Two daemons on one store would ring twice and break the log of one another. The lock goes with
 * the process, however that ends; the file stays. */
int ck_product_take_store(struct ck_product *product, const char *path)
{
    ck_cleanup(ck_freep) char *name = NULL;
    if (asprintf(&name, "%s.lock", path) < 0) {
        return -ENOMEM;
    }
    ck_cleanup(ck_closep) int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        int error = -errno;
        ck_log_error("%s cannot be opened for writing: %s", name, ck_error_text(error));
        return error;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno == EWOULDBLOCK ? CK_E_CONFLICT : -errno;
        ck_log_error("%s: %s", path,
                     error > 0 ? "another checkind has this store" : ck_error_text(error));
        return error;
    }
    product->lock_fd = ck_take_fd(&fd);
    return 0;
}

void ck_product_tell_store(const char *path, int error)
{
    const char *what = error == CK_E_SYNTAX || error == -EUCLEAN
                           ? "is damaged, or is no store of checkind: see checkind-operation(7), "
                             "Restoring"
                       : error == CK_E_CONFLICT ? "was written by a newer version of checkind"
                                                : ck_error_text(error);
    ck_log_error("the store %s: %s", path, what);
}

void ck_product_check_files(const struct ck_config *config)
{
    struct rlimit files;
    rlim_t wanted = (rlim_t)config->limits.connections + OWN_FILES;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted) {
        return;
    }
    files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < wanted) {
        ck_log_warning("[limits] connections: wants %llu open files, and the system allows %llu "
                       "(LimitNOFILE=)",
                       (unsigned long long)wanted, (unsigned long long)files.rlim_cur);
    }
}
