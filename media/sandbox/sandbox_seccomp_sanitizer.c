/* The sanitizers map terabytes, read /proc to describe a fault, and stop all threads to look for
 * leaks. */
#include <seccomp.h>

#include "media/sandbox/sandbox_impl.h"

static const int calls[] = {
    SCMP_SYS(open),      SCMP_SYS(openat),      SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(stat),      SCMP_SYS(newfstatat),  SCMP_SYS(access),   SCMP_SYS(getcwd),
    SCMP_SYS(clone),     SCMP_SYS(clone3),      SCMP_SYS(ptrace),   SCMP_SYS(wait4),
    SCMP_SYS(prctl),     SCMP_SYS(arch_prctl),  SCMP_SYS(getppid),  SCMP_SYS(getdents64),
    SCMP_SYS(getdents),  SCMP_SYS(sigaltstack), SCMP_SYS(ioctl),    SCMP_SYS(process_vm_readv),
    SCMP_SYS(pipe),      SCMP_SYS(pipe2),       SCMP_SYS(uname),    SCMP_SYS(getrlimit),
    SCMP_SYS(prlimit64), SCMP_SYS(personality), SCMP_SYS(msync),    SCMP_SYS(sched_getaffinity),
};

const struct ck_sandbox_build ck_sandbox_build = {
    .calls = calls,
    .call_count = sizeof calls / sizeof calls[0],
    .executable_memory = true,
    .traceable = true,
    .readable = "/proc",
};
