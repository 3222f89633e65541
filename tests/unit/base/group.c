/* cmocka tells of a group's teardown that fails and ends with 0 all the same. Every test program is
 * linked so that its groups run through here (--wrap, see ck_test()). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);

static CMFixtureFunction wrapped;
static bool ended;

/* An assertion that fails in it does not return. */
static int run_teardown(void **state)
{
    int result = wrapped(state);
    ended = result == 0;
    return result;
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown)
{
    wrapped = teardown;
    ended = false;
    int failed = __real__cmocka_run_group_tests(name, tests, count, setup,
                                                teardown == NULL ? NULL : run_teardown);
    return teardown == NULL || ended ? failed : failed + 1;
}
