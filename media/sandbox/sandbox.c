#include "media/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "media/sandbox/sandbox_impl.h"
#include "protocol/base/cleanup.h"

/* Every right over files that the first version of Landlock knows; none of them is given back. */
#define FILE_RIGHTS                                                                                \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |   \
     LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |                                 \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* What the packet loop, the recorder's writer and their libraries need, and nothing else. */
static const int calls[] = {
    /* the loop */
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(accept4), /* at the sockets that listened before the filter closed; no new ones */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrandom),
    /* the recorder's descriptors and the log */
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    /* threads */
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    /* the end, wanted or not */
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(rt_sigaction),
};

static int limit(int resource, rlim_t value)
{
    struct rlimit limit = {value, value};
    return setrlimit(resource, &limit) == 0 ? 0 : -errno;
}

static int leave_readable(int rules, const char *folder)
{
    ck_cleanup(ck_closep) int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = fd,
    };
    if (fd < 0 ||
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
        return -errno;
    }
    return 0;
}

static int close_files(void)
{
    struct landlock_ruleset_attr attributes = {.handled_access_fs = FILE_RIGHTS};
    ck_cleanup(ck_closep) int rules =
        (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules < 0) {
        return -errno;
    }
    int error = 0;
    if (ck_sandbox_build.readable != NULL) {
        error = leave_readable(rules, ck_sandbox_build.readable);
    }
    if (error == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
        error = -errno;
    }
    return error;
}

int ck_sandbox_restrict(uint64_t memory_bytes_max)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        (!ck_sandbox_build.traceable && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)) {
        return -errno;
    }
    int error = limit(RLIMIT_CORE, 0);
    if (error == 0 && memory_bytes_max != 0 && ck_sandbox_build.limits_memory) {
        error = limit(RLIMIT_AS, memory_bytes_max);
    }
    return error != 0 ? error : close_files();
}

static void filter_freep(scmp_filter_ctx *filter)
{
    seccomp_release(*filter);
}

static int allow(scmp_filter_ctx filter, const int *list, size_t count)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < count; i++) {
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, list[i], 0);
    }
    return error;
}

/* Memory may be mapped and its protection changed, but it never becomes a program. */
static int allow_memory(scmp_filter_ctx filter)
{
    static const int memory[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    if (ck_sandbox_build.executable_memory) {
        return allow(filter, memory, 2);
    }
    int error = 0;
    for (size_t i = 0; error == 0 && i < 2; i++) {
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, memory[i], 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    return error;
}

/* abort() signals its own process; no other may be reached. */
static int allow_abort(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)getpid()));
}

int ck_sandbox_close(void)
{
    ck_cleanup(filter_freep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == NULL) {
        return -ENOMEM;
    }
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (error == 0) {
        error = allow(filter, calls, sizeof calls / sizeof calls[0]);
    }
    if (error == 0) {
        error = allow(filter, ck_sandbox_build.calls, ck_sandbox_build.call_count);
    }
    if (error == 0) {
        error = allow_memory(filter);
    }
    if (error == 0) {
        error = allow_abort(filter);
    }
    return error != 0 ? error : seccomp_load(filter);
}
