#include "media/render/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "media/render/cage_impl.h"
#include "protocol/base/cleanup.h"

/* Every right over files that the first version of Landlock knows; none of them is given back. */
#define FILE_RIGHTS                                                                                \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |   \
     LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |                                 \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* What GStreamer's threads and this program need. */
static const int calls[] = {
    /* the control socket and the descriptors of jobs */
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(close),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(fcntl),
    SCMP_SYS(dup),
    /* wake-ups between threads */
    SCMP_SYS(eventfd2),
    SCMP_SYS(pipe2),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    /* threads and memory */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getattr),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrusage),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    /* the end, wanted or not */
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* What no decoder ever has a reason for. */
static const int attacks[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(kill),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(socket),

    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(mount),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(chroot),
    SCMP_SYS(pivot_root),
    SCMP_SYS(io_uring_setup),
};

static int limit(int resource, rlim_t value)
{
    struct rlimit limit = {value, value};
    return setrlimit(resource, &limit) == 0 ? 0 : -errno;
}

static int close_files(void)
{
    struct landlock_ruleset_attr attributes = {.handled_access_fs = FILE_RIGHTS};
    ck_cleanup(ck_closep) int rules =
        (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules < 0 || syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
        return -errno;
    }
    return 0;
}

int ck_cage_restrict(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return -errno;
    }
    int error = limit(RLIMIT_CORE, 0);
    if (error == 0) {
        error = limit(RLIMIT_NOFILE, CK_CAGE_FILES);
    }
    if (error == 0 && ck_cage_is_tight) {
        error = limit(RLIMIT_AS, CK_CAGE_MEMORY_BYTES);
    }
    return error != 0 ? error : close_files();
}

static void filter_freep(scmp_filter_ctx *filter)
{
    seccomp_release(*filter);
}

static int add(scmp_filter_ctx filter, uint32_t action, const int *list, size_t count)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < count; i++) {
        error = seccomp_rule_add(filter, action, list[i], 0);
    }
    return error;
}

/* Threads, but no processes. The arguments of clone3 lie in memory, where a filter cannot look: the
 * C library then does it by clone. */
static int add_threads(scmp_filter_ctx filter)
{
    int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (error == 0) {
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    }
    return error != 0 ? error
                      : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                                         SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
}

/* Memory may be mapped and its protection changed, but it never becomes a program. */
static int add_memory(scmp_filter_ctx filter)
{
    static const int memory[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    if (!ck_cage_is_tight) {
        return add(filter, SCMP_ACT_ALLOW, memory, 2);
    }
    int error = 0;
    for (size_t i = 0; error == 0 && i < 2; i++) {
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, memory[i], 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    return error;
}

/* The C library's fstat() is this call with no path. */
static int add_fstat(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
                            SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
}

/* GStreamer wakes its threads through a pair of sockets of its own: connected to each other and to
 * nothing else. */
static int add_wakers(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)AF_UNIX, 0));
}

/* abort() signals its own process; no other may be reached. */
static int add_abort(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
}

int ck_cage_close(void)
{
    ck_cleanup(filter_freep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL) {
        return -ENOMEM;
    }
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (error == 0) {
        error = add(filter, SCMP_ACT_ALLOW, calls, sizeof calls / sizeof calls[0]);
    }
    if (error == 0) {
        error =
            ck_cage_is_tight
                ? add(filter, SCMP_ACT_KILL_PROCESS, attacks, sizeof attacks / sizeof attacks[0])
                : add(filter, SCMP_ACT_ALLOW, ck_cage_more_calls, ck_cage_more_call_count);
    }
    if (error == 0 && ck_cage_is_tight) {
        error = add_threads(filter);
    }
    if (error == 0) {
        error = add_memory(filter);
    }
    if (error == 0) {
        error = add_wakers(filter);
    }
    if (error == 0 && ck_cage_is_tight) {
        error = add_fstat(filter);
    }
    if (error == 0 && ck_cage_is_tight) {
        error = add_abort(filter);
    }
    return error != 0 ? error : seccomp_load(filter);
}
