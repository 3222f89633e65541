#include "tests/bench/figure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

bool ck_figure(const char *name, double value, const char *unit, enum ck_figure_goal goal,
               double target, const char *detail)
{
    bool good = goal == CK_FIGURE_SHOWN || (goal == CK_FIGURE_AT_MOST && value <= target) ||
                (goal == CK_FIGURE_AT_LEAST && value >= target);
    printf("{\"figure\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",", name, value, unit);
    if (goal == CK_FIGURE_SHOWN) {
        printf("\"target\":null,\"ok\":true");
    } else {
        printf("\"target\":\"%s %.6g\",\"ok\":%s", goal == CK_FIGURE_AT_MOST ? "<=" : ">=", target,
               good ? "true" : "false");
    }
    printf("%s%s}\n", detail[0] != '\0' ? "," : "", detail);
    fflush(stdout);
    return good;
}

double ck_figure_cpu_s(pid_t pid)
{
    clockid_t clock;
    struct timespec spent;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &spent) != 0) {
        return 0;
    }
    return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

double ck_figure_own_cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct ck_figure_machine ck_figure_machine(void)
{
    struct ck_figure_machine machine = {.steal_s = 0};
    unsigned long long t[8] = {0};
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL) {
        return machine;
    }
    if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
               &t[4], &t[5], &t[6], &t[7]) == 8) {
        double ticks = (double)sysconf(_SC_CLK_TCK);
        machine.steal_s = (double)t[7] / ticks;
        machine.busy_s = (double)(t[0] + t[1] + t[2] + t[5] + t[6]) / ticks;
    }
    fclose(file);
    return machine;
}

void ck_bench_check(int code, const char *what)
{
    if (code != 0) {
        fprintf(stderr, "%s: %s: %d\n", program_invocation_short_name, what, code);
        exit(1);
    }
}

int64_t ck_bench_wall_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return at.tv_sec * INT64_C(1000) + at.tv_nsec / 1000000;
}
