/* The sanitizers map terabytes, read /proc to describe a fault and stop all threads to look for
 * leaks. */
#include <seccomp.h>

#include "media/render/cage_impl.h"

const int ck_cage_more_calls[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),      SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(stat),        SCMP_SYS(newfstatat),
    SCMP_SYS(access),     SCMP_SYS(getcwd),      SCMP_SYS(clone),
    SCMP_SYS(clone3),     SCMP_SYS(ptrace),      SCMP_SYS(wait4),
    SCMP_SYS(prctl),      SCMP_SYS(arch_prctl),  SCMP_SYS(getppid),
    SCMP_SYS(getdents64), SCMP_SYS(sigaltstack), SCMP_SYS(process_vm_readv),
    SCMP_SYS(pipe),       SCMP_SYS(ioctl),       SCMP_SYS(uname),
    SCMP_SYS(getrlimit),  SCMP_SYS(tgkill),      SCMP_SYS(personality),
    SCMP_SYS(msync),      SCMP_SYS(lseek),       SCMP_SYS(prlimit64),
};
const size_t ck_cage_more_call_count = sizeof ck_cage_more_calls / sizeof ck_cage_more_calls[0];
const bool ck_cage_is_tight = false;
