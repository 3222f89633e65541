/* The cage from inside: a child closes it around itself and tries what must not be possible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "media/sandbox/sandbox.h"

typedef int attempt(void);

/* The wait status of a child that does it behind closed doors; what it returns is its exit status.
 */
static int inside(attempt *act)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ck_sandbox_restrict(0) != 0 || ck_sandbox_close() != 0) {
            _exit(99);
        }
        _exit(act());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void assert_killed(attempt *act)
{
    int status = inside(act);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void assert_survives(attempt *act)
{
    int status = inside(act);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int try_nothing(void)
{
    return 0;
}

static int try_work(void)
{
    /* What the loop does all day: memory, time, sockets that exist, randomness. */
    char *memory = malloc(4 << 20);
    if (memory == NULL) {
        return 1;
    }
    memory[4096] = 1;
    free(memory);
    int pair[2] = {STDIN_FILENO, STDERR_FILENO};
    (void)pair;
    return syscall(SYS_getrandom, &pair, sizeof pair, 0) == sizeof pair ? 0 : 1;
}

static int try_kill(void)
{
    return kill(getppid(), 0);
}

static int try_own_kill(void)
{
    return (int)syscall(SYS_kill, getpid(), 0);
}

static int try_signal_parent(void)
{
    return (int)syscall(SYS_tgkill, 1, 1, 0);
}

static int try_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM, 0);
}

static int try_connect(void)
{
    return connect(STDIN_FILENO, NULL, 0);
}

static int try_exec(void)
{
    return execl("/bin/true", "true", (char *)NULL);
}

static int try_setuid(void)
{
    return setuid(0);
}

static int try_io_uring(void)
{
    return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int try_bpf(void)
{
    return (int)syscall(SYS_bpf, 0, NULL, 0);
}

#ifndef CK_SANITIZED
static int try_open(void)
{
    return open("/etc/passwd", O_RDONLY);
}

static int try_ptrace(void)
{
    return (int)ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}

static int try_fork(void)
{
    return fork();
}

static int try_read_memory(void)
{
    return (int)syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
}

static int try_executable_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
           MAP_FAILED;
}

static int try_become_executable(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}
#endif

static void test_work_goes_on(void **state)
{
    (void)state;
    assert_survives(try_nothing);
    assert_survives(try_work);
}

static void test_what_kills(void **state)
{
    (void)state;
    assert_killed(try_kill);
    assert_killed(try_own_kill);
    assert_killed(try_signal_parent);
    assert_killed(try_socket);
    assert_killed(try_connect);
    assert_killed(try_exec);
    assert_killed(try_setuid);
    assert_killed(try_io_uring);
    assert_killed(try_bpf);
}

/* What the sanitizers need for themselves is refused in the build for use. */
static void test_what_kills_in_use(void **state)
{
    (void)state;
#ifndef CK_SANITIZED
    assert_killed(try_open);
    assert_killed(try_ptrace);
    assert_killed(try_fork);
    assert_killed(try_read_memory);
    assert_killed(try_executable_memory);
    assert_killed(try_become_executable);
#endif
}

/* Landlock alone, without the filter: files are out of reach all the same. */
static void test_landlock_alone(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ck_sandbox_restrict(0) != 0) {
            _exit(99);
        }
        bool read = open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES;
        bool write =
            open("/tmp/checkin-media-test", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES;
        bool list = open("/", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES;
        _exit(read && write && list ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_limits(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit core;
        struct rlimit memory;
        if (ck_sandbox_restrict((uint64_t)1 << 32) != 0 || getrlimit(RLIMIT_CORE, &core) != 0 ||
            getrlimit(RLIMIT_AS, &memory) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
            _exit(99);
        }
#ifndef CK_SANITIZED
        if (prctl(PR_GET_DUMPABLE) != 0) {
            _exit(98);
        }
        if (memory.rlim_cur != (rlim_t)1 << 32) {
            _exit(97);
        }
#endif
        _exit(core.rlim_cur == 0 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_goes_on),
        cmocka_unit_test(test_what_kills),
        cmocka_unit_test(test_what_kills_in_use),
        cmocka_unit_test(test_landlock_alone),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
