/* The sanitizers map terabytes, read /proc to describe a fault and stop all threads to look for
 * leaks. */
#include <seccomp.h>

#include "media/sandbox/sandbox_impl.h"

const int ck_sandbox_more_calls[] = {
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(stat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(access),
    SCMP_SYS(getcwd),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(ptrace),
    SCMP_SYS(wait4),
    SCMP_SYS(prctl),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(getppid),
    SCMP_SYS(getdents64),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(ioctl),
    SCMP_SYS(uname),
    SCMP_SYS(getrlimit),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(personality),
    SCMP_SYS(mremap),
    SCMP_SYS(msync),
};
const size_t ck_sandbox_more_call_count =
    sizeof ck_sandbox_more_calls / sizeof ck_sandbox_more_calls[0];
const bool ck_sandbox_limits_memory = false;
const bool ck_sandbox_allows_exec_memory = true;
