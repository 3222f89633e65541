/* One measured figure as one line of JSON on standard output. */
#ifndef TESTS_BENCH_FIGURE_H
#define TESTS_BENCH_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum ck_figure_goal {
    CK_FIGURE_SHOWN,    /* no target */
    CK_FIGURE_AT_MOST,  /* good at the target or below */
    CK_FIGURE_AT_LEAST, /* good at the target or above */
};

/* Prints {"figure":…,"value":…,"unit":…,"target":…,"ok":…,<detail>}. `detail` is further members as
 * JSON text ("" = none). True unless the target is missed. */
bool ck_figure(const char *name, double value, const char *unit, enum ck_figure_goal goal,
               double target, const char *detail);

/* Ends the program where `code` is not 0, and says at what. */
void ck_bench_check(int code, const char *what);
/* Milliseconds of wall time. */
int64_t ck_bench_wall_ms(void);

/* CPU seconds of a process, threads that have ended included; 0 where there is none. */
double ck_figure_cpu_s(pid_t pid);
/* CPU seconds of this process. */
double ck_figure_own_cpu_s(void);

/* What else the machine did between two looks: CPU seconds stolen by the host, and used by anybody.
 */
struct ck_figure_machine {
    double steal_s;
    double busy_s;
};
struct ck_figure_machine ck_figure_machine(void);

#endif
