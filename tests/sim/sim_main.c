/* Simulated weeks of the real engine with people, gateways and faults around it.
 *
 *   ck_sim [--checkins N] [--seed S] [--days D] [--shard N] [--jobs J] [--faults MASK]
 *          [--no-shrink] [--brief] [--only TEXT] [--keep FILE]
 *
 * N check-ins are split into shards, worlds of their own in processes of their own, J at a time
 * (as many as there are processors); the seed of shard i is S + i, and the line that tells of its
 * end is what reproduces it alone. Results are summed. Ends with 1 where anything that must hold
 * does not; then it looks for the smallest world of that seed that still fails (fewer days, fewer
 * persons, fewer kinds of faults) and tells its last events. Brief: a world ends with the first
 * thing that is wrong. Only: nothing counts but what is told in these words. Keep: the store of a
 * single world, as it is in the end. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/library.h"
#include "tests/sim/sim.h"

#define SHARDS_MAX 4096

#define CALM_HOURS_MAX 48

struct shard_result {
    bool finished;
    int64_t wrong;
    double processor_s;
    struct sim_matrix matrix;
    int64_t turns, turns_failed, commands, sends, repeats, lost_writes;
    int64_t faults[FAULT_COUNT];
    int64_t seen[SEEN_COUNT];
};

static void run_shard(const struct sim_options *options, struct shard_result *result)
{
    static struct sim sim;
    sim_open(&sim, options);
    int64_t end_ms = sim.start_ms + (options->days + 2) * SIM_DAY_MS;
    sim_run_until(&sim, end_ms);
    /* From here on nothing fails, and everybody does their duty: what was begun comes to its end.
     */
    sim.calm = true;
    for (int hour = 1; hour <= CALM_HOURS_MAX && !sim_all_ended(&sim); hour++) {
        sim_run_until(&sim, end_ms + hour * SIM_HOUR_MS);
    }
    if (sim.engine == NULL) {
        sim_fail(&sim, "the daemon is down in the end");
    }
    sim_check_plans(&sim);
    result->wrong = sim_check(&sim, &result->matrix);
    result->turns = sim.turns;
    result->turns_failed = sim.turns_failed;
    result->commands = sim.commands;
    result->sends = sim.sends;
    result->repeats = sim.repeats;
    result->lost_writes = fault_vfs_lost();
    memcpy(result->faults, sim.faults, sizeof(result->faults));
    memcpy(result->seen, sim.seen, sizeof(result->seen));
    sim_close(&sim);
    result->processor_s = (double)clock() / CLOCKS_PER_SEC;
    result->finished = true;
}

static const char *text_argument(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return argv[i + 1];
        }
    }
    return NULL;
}

static int64_t argument(int argc, char **argv, const char *name, int64_t otherwise)
{
    const char *text = text_argument(argc, argv, name);
    return text == NULL ? otherwise : strtoll(text, NULL, 10);
}

static bool flag(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the smallest world that fails ---- */

#define SHRINK_S 120 /* no new try after this */
#define CHECKINS_MIN (2 * SIM_UNITS)

static int64_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Whether this world fails; says nothing unless `loud`. */
static bool fails(const struct sim_options *options, bool loud)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct shard_result result = {0};
        struct sim_options first = *options;
        first.brief = true;
        if (!loud && freopen("/dev/null", "w", stderr) == NULL) {
            _exit(0);
        }
        run_shard(&first, &result);
        _exit(result.wrong > 0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child &&
           (!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}

static bool better(struct sim_options *best, const struct sim_options *smaller, int64_t until_s)
{
    if (seconds_now() >= until_s || !fails(smaller, false)) {
        return false;
    }
    *best = *smaller;
    return true;
}

/* Without any fault, or at least without each kind that it does not need. */
static void drop_faults(struct sim_options *options, int64_t until_s)
{
    struct sim_options smaller = *options;
    smaller.faults = 0;
    if (better(options, &smaller, until_s)) {
        return;
    }
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        smaller = *options;
        smaller.faults &= ~(1U << fault);
        if (smaller.faults != options->faults) {
            better(options, &smaller, until_s);
        }
    }
}

static void shrink(struct sim_options options)
{
    int64_t until_s = seconds_now() + SHRINK_S;
    struct sim_options smaller = options;
    for (int days = 1; days < options.days; days++) {
        smaller.days = days;
        smaller.checkins = options.checkins * days / options.days;
        if (better(&options, &smaller, until_s)) {
            break;
        }
    }
    do {
        smaller = options;
        smaller.checkins /= 2;
    } while (smaller.checkins >= CHECKINS_MIN * options.days &&
             better(&options, &smaller, until_s));
    drop_faults(&options, until_s);
    fprintf(stderr, "the smallest world found: --seed %llu --checkins %lld --days %d --faults %u",
            (unsigned long long)options.seed, (long long)options.checkins, options.days,
            options.faults);
    const char *comma = options.faults == 0 ? " (none)" : " (";
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        if ((options.faults >> fault & 1) != 0) {
            fprintf(stderr, "%s%s", comma, fault_name((enum sim_fault)fault));
            comma = ", ";
        }
    }
    fprintf(stderr, "%s\n", options.faults == 0 ? "" : ")");
    fails(&options, true);
}

/* One line for each world, as it ends: what makes it again, and what it cost. */
static void tell_shard(const struct sim_options *options, const struct shard_result *result)
{
    printf(
        "--seed %llu --checkins %lld --days %d: %lld check-ins, %.1f s of processor, %lld wrong\n",
        (unsigned long long)options->seed, (long long)options->checkins, options->days,
        (long long)result->matrix.checkins, result->processor_s, (long long)result->wrong);
    fflush(stdout);
}

static int run_shards(const struct sim_options *options, int shards, int jobs,
                      struct shard_result *results)
{
    int running = 0;
    int bad = 0;
    for (int next = 0; next < shards || running > 0;) {
        if (next < shards && running < jobs) {
            fflush(NULL);
            pid_t child = fork();
            if (child < 0) {
                return 1;
            }
            if (child == 0) {
                struct sim_options mine = *options;
                mine.seed += (uint64_t)next;
                run_shard(&mine, &results[next]);
                tell_shard(&mine, &results[next]);
                _exit(results[next].wrong > 0);
            }
            next++;
            running++;
            continue;
        }
        int status = 0;
        if (wait(&status) < 0) {
            return 1;
        }
        running--;
        bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return bad;
}

/* From so many check-ins on everything of a kind must have happened. */
#define SEEN_FROM 4000

/* Tells how often each part of the world was met. How many never were, although all may happen. */
static int print_seen(const struct shard_result *sum, bool all)
{
    int never = 0;
    printf("faults:");
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        printf(" %s %lld%s", fault_name((enum sim_fault)fault), (long long)sum->faults[fault],
               fault + 1 < FAULT_COUNT ? "," : "\n");
        never += sum->faults[fault] == 0;
    }
    printf("seen:");
    for (int seen = 0; seen < SEEN_COUNT; seen++) {
        printf(" %s %lld%s", seen_name((enum sim_seen)seen), (long long)sum->seen[seen],
               seen + 1 < SEEN_COUNT ? "," : "\n");
        never += sum->seen[seen] == 0;
    }
    if (all && never > 0) {
        printf("%d of these never happened: nothing was shown of them\n", never);
    }
    return all ? never : 0;
}

static int print_summary(const struct shard_result *results, int shards, double seconds, bool all)
{
    struct sim_matrix matrix = {0};
    struct shard_result sum = {0};
    for (int i = 0; i < shards; i++) {
        sim_matrix_add(&matrix, &results[i].matrix);
        sum.turns += results[i].turns;
        sum.turns_failed += results[i].turns_failed;
        sum.commands += results[i].commands;
        sum.sends += results[i].sends;
        sum.repeats += results[i].repeats;
        sum.lost_writes += results[i].lost_writes;
        sum.wrong += results[i].wrong;
        sum.processor_s += results[i].processor_s;
        for (int fault = 0; fault < FAULT_COUNT; fault++) {
            sum.faults[fault] += results[i].faults[fault];
        }
        for (int seen = 0; seen < SEEN_COUNT; seen++) {
            sum.seen[seen] += results[i].seen[seen];
        }
    }
    sim_matrix_print(&matrix);
    int never = print_seen(&sum, all && matrix.checkins >= SEEN_FROM);
    printf("%lld check-ins (%lld make-ups), %lld incidents, %lld notices (%lld sends, %lld of them "
           "repeated), %lld commands, %lld turns (%lld failed), %lld entries in the log, %lld "
           "writes lost with the power\n",
           (long long)matrix.checkins, (long long)matrix.make_ups, (long long)matrix.incidents,
           (long long)matrix.notices, (long long)sum.sends, (long long)sum.repeats,
           (long long)sum.commands, (long long)sum.turns, (long long)sum.turns_failed,
           (long long)matrix.entries, (long long)sum.lost_writes);
    printf("%.1f s, %.0f check-ins/s (%.0f in a second of processor); %lld wrong\n", seconds,
           (double)matrix.checkins / seconds, (double)matrix.checkins / sum.processor_s,
           (long long)sum.wrong);
    return never;
}

int main(int argc, char **argv)
{
    library_install();
    int64_t checkins = argument(argc, argv, "--checkins", 2000);
    int64_t shard = argument(argc, argv, "--shard", 10000);
    struct sim_options options = {
        .seed = (uint64_t)argument(argc, argv, "--seed", time(NULL)),
        .days = (int)argument(argc, argv, "--days", 4),
        .faults = (uint32_t)argument(argc, argv, "--faults", (1U << FAULT_COUNT) - 1),
        .brief = flag(argc, argv, "--brief"),
        .only = text_argument(argc, argv, "--only"),
        .keep = text_argument(argc, argv, "--keep"),
    };
    int jobs = (int)argument(argc, argv, "--jobs", sysconf(_SC_NPROCESSORS_ONLN));
    int shards = (int)((checkins + shard - 1) / shard);
    if (checkins < 1 || shard < 1 || shards > SHARDS_MAX || options.days < 1 || options.days > 20) {
        fprintf(stderr, "a number is out of range\n");
        return 2;
    }
    options.checkins = (checkins + shards - 1) / shards;
    struct shard_result *results = mmap(NULL, sizeof(*results) * (size_t)shards,
                                        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED) {
        return 2;
    }
    printf("seed %llu, %d shards of %lld check-ins over %d days\n",
           (unsigned long long)options.seed, shards, (long long)options.checkins, options.days);
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    int bad = run_shards(&options, shards, jobs, results);
    clock_gettime(CLOCK_MONOTONIC, &after);
    double seconds =
        (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    int never = print_summary(results, shards, seconds, options.faults == (1U << FAULT_COUNT) - 1);
    if (bad > 0) {
        printf("%d shards failed\n", bad);
        int first = 0;
        while (results[first].finished && results[first].wrong == 0) {
            first++;
        }
        options.seed += (uint64_t)first;
        if (!flag(argc, argv, "--no-shrink")) {
            shrink(options);
        }
    }
    return bad > 0 || never > 0;
}
