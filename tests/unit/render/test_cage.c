#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "media/render/cage.h"

/* What a child that is in the cage tries. It returns an exit status; a kill is no status. */
typedef int attempt(void);

static int try_behind(attempt *tried, bool filter)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (ck_cage_restrict() != 0 || (filter && ck_cage_close() != 0)) {
            _exit(99);
        }
        _exit(tried());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int try_in_cage(attempt *tried)
{
    return try_behind(tried, true);
}

static int live(void)
{
    return 7;
}

static int read_a_file(void)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 ? 7 : 1;
}

static int write_a_file(void)
{
    return open("/tmp/ck-cage-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 ? 7 : 1;
}

static int open_a_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0 ? 1 : 2;
}

static int run_a_program(void)
{
    return execl("/bin/true", "true", (char *)NULL);
}

static int kill_the_parent(void)
{
    return kill(getppid(), SIGTERM);
}

static int trace_the_parent(void)
{
    return (int)ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}

static int fork_a_process(void)
{
    pid_t pid = fork();
    return pid < 0 ? 7 : 1;
}

static int make_a_program(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return 1;
    }
    return mprotect(memory, 4096, PROT_READ | PROT_EXEC) != 0 ? 7 : 2;
}

static void *work(void *user)
{
    return user;
}

static int start_a_thread(void)
{
    pthread_t thread;
    int value = 7;
    void *result = NULL;
    return pthread_create(&thread, NULL, work, &value) == 0 && pthread_join(thread, &result) == 0 &&
                   result == &value
               ? 7
               : 1;
}

static void assert_harmless(attempt *tried)
{
    int status = try_in_cage(tried);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void assert_killed(attempt *tried)
{
    int status = try_in_cage(tried);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void work_goes_on_inside(void **state)
{
    (void)state;
    assert_harmless(live);
    assert_harmless(start_a_thread);
}

static void files_are_out_of_reach(void **state)
{
    (void)state;
    assert_harmless(read_a_file);
    assert_harmless(write_a_file);
}

static bool is_denied(int fd)
{
    return fd < 0 && errno == EACCES;
}

static int touch_files(void)
{
    bool read = is_denied(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
    bool write = is_denied(open("/tmp/ck-cage-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    bool list = is_denied(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return read && write && list ? 7 : 1;
}

static bool is_limited(int resource, rlim_t value)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur == value && limit.rlim_max == value;
}

static int look_at_limits(void)
{
    bool good = is_limited(RLIMIT_CORE, 0) && is_limited(RLIMIT_NOFILE, CK_CAGE_FILES) &&
                prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE) == 0;
#ifndef CK_SANITIZED
    good = good && is_limited(RLIMIT_AS, CK_CAGE_MEMORY_BYTES);
#endif
    return good ? 7 : 1;
}

/* Landlock and the limits hold without the filter, which hides them from the tests above. */
static void what_holds_without_the_filter(void **state)
{
    (void)state;
    attempt *const tried[] = {touch_files, look_at_limits};
    for (unsigned i = 0; i < 2; i++) {
        int status = try_behind(tried[i], false);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 7);
    }
}

static void attacks_end_the_process(void **state)
{
    (void)state;
#ifdef CK_SANITIZED
    skip(); /* sanitizers need the calls */
#endif
    assert_killed(open_a_socket);
    assert_killed(run_a_program);
    assert_killed(kill_the_parent);
    assert_killed(trace_the_parent);
    assert_harmless(fork_a_process);
    assert_harmless(make_a_program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_goes_on_inside),
        cmocka_unit_test(files_are_out_of_reach),
        cmocka_unit_test(what_holds_without_the_filter),
        cmocka_unit_test(attacks_end_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
