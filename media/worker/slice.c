#include "media/worker/slice.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

int ck_slice_shorten(void)
{
    struct sched_attr attributes;
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) {
        return -errno;
    }
    if (attributes.sched_policy != SCHED_NORMAL) {
        return 0;
    }
    attributes.sched_runtime = CK_SLICE_NS;
    return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0 ? 0 : -errno;
}
