/* What relaying costs: the same synthetic calls through checkin-media and through Janus, recorded
 * or not, and through the bare loop, alternating in one run; the hot floor and the SRTP siblings
 * beside them.
 *
 * bench_media [--json] [--no-janus] [--calls 1,10,50] [--seconds 5] [--folder DIR]
 * One JSON object a line (figure.h). Ends with 1 where a target is missed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/floor.h"
#include "tests/bench/janus.h"
#include "tests/bench/runs.h"
#include "tests/bench/siblings.h"

#define POINTS_MAX 16
#define BIG 200 /* calls at which the targets hold */
#define FLOOR_SHARE 1.5
#define JANUS_SHARE 0.2
#define P99_US 2000
#define LOSS_PERCENT 0.1
#define GSO_ROUNDS 3
#define HOT_PACKETS 200000
#define SIBLING_SESSIONS 400

/* One number of calls, and what came out. */
struct point {
    unsigned calls;
    double floor_us;
    double floor_p99_us;
    struct ck_run_outcome plain; /* checkin-media, not recording */
    struct ck_run_outcome janus;
};

struct plan {
    struct point point[POINTS_MAX];
    size_t points;
    int seconds;
    bool janus;
    const char *folder;
};

static bool report(const char *server, unsigned calls, const struct ck_run_outcome *outcome)
{
    char detail[256];
    bool ours = strncmp(server, "checkin-media", 13) == 0;
    snprintf(detail, sizeof detail,
             "\"server\":\"%s\",\"calls\":%u,\"steal_s\":%.2f,\"others_busy_s\":%.2f,"
             "\"clients_late_ms\":%.0f",
             server, calls, outcome->other.steal_s, outcome->other.busy_s, outcome->late_us / 1000);
    enum ck_figure_goal want = ours ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN;
    bool good = ck_figure("media.failed", outcome->failed, "bool", want, 0, detail);
    ck_figure("media.cpu_per_packet", outcome->us_per_packet, "us", CK_FIGURE_SHOWN, 0, detail);
    ck_figure("media.client_cpu_per_packet", outcome->client_us_per_packet, "us", CK_FIGURE_SHOWN,
              0, detail);
    ck_figure("media.packets", outcome->packets_per_s, "1/s", CK_FIGURE_SHOWN, 0, detail);
    ck_figure("media.core", outcome->core_percent, "%", CK_FIGURE_SHOWN, 0, detail);
    good &= ck_figure("media.loss", outcome->loss_percent, "%", want, LOSS_PERCENT, detail);
    ck_figure("media.latency_p50", outcome->p50_us, "us", CK_FIGURE_SHOWN, 0, detail);
    good &= ck_figure("media.latency_p99", outcome->p99_us, "us",
                      ours && calls == BIG ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, P99_US, detail);
    if (ours) {
        ck_figure("media.turn_max", outcome->turn_us, "us", CK_FIGURE_SHOWN, 0, detail);
    }
    if (strncmp(server, "floor", 5) != 0) {
        ck_figure("media.memory_per_call", outcome->kib_per_call, "KiB", CK_FIGURE_SHOWN, 0,
                  detail);
        ck_figure("media.threads", outcome->threads, "", CK_FIGURE_SHOWN, 0, detail);
    }
    return good;
}

/* One share of two costs, with a target where it counts. */
static bool share(const char *name, double ours, double theirs, unsigned calls, bool counts,
                  double target)
{
    char detail[96];
    snprintf(detail, sizeof detail, "\"calls\":%u,\"ours_us\":%.3f,\"theirs_us\":%.3f", calls, ours,
             theirs);
    return theirs <= 0 || ck_figure(name, ours / theirs, "x",
                                    counts ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, target, detail);
}

static bool whole(const struct ck_run_outcome *outcome)
{
    return !outcome->failed && outcome->loss_percent <= LOSS_PERCENT;
}

/* What runs of equal packets in one send would save the bare loop, in alternating rounds; below a
 * tenth they are not worth having. A round in which one of the two lost packets says nothing. */
static void report_gso(const struct plan *plan, unsigned calls)
{
    struct ck_run run = {.calls = calls, .seconds = plan->seconds, .folder = plan->folder};
    struct ck_run with = run;
    double plain_us = 0;
    double gso_us = 0;
    unsigned rounds = 0;
    char detail[96];
    with.gso = true;
    for (unsigned round = 0; round < GSO_ROUNDS; round++) {
        struct ck_run_outcome plain = ck_run_floor(&run);
        struct ck_run_outcome gso = ck_run_floor(&with);
        report("floor", calls, &plain);
        report("floor, GSO", calls, &gso);
        if (whole(&plain) && whole(&gso)) {
            plain_us += plain.us_per_packet;
            gso_us += gso.us_per_packet;
            rounds++;
        }
    }
    snprintf(detail, sizeof detail, "\"calls\":%u,\"rounds\":%u,\"worth_it_from\":10", calls,
             rounds);
    if (rounds > 0) {
        ck_figure("media.gso_saves", 100 * (1 - gso_us / plain_us), "%", CK_FIGURE_SHOWN, 0,
                  detail);
    }
}

static bool run_point(const struct plan *plan, struct point *point)
{
    unsigned calls = point->calls;
    struct ck_run run = {.calls = calls, .seconds = plan->seconds, .folder = plan->folder};
    struct ck_run filming = run;
    filming.record = true;
    struct ck_run_outcome floor = ck_run_floor(&run);
    point->plain = ck_run_worker(&run);
    struct ck_run_outcome filmed = ck_run_worker(&filming);
    struct ck_run_outcome again = ck_run_floor(&run);
    point->floor_us = (floor.us_per_packet + again.us_per_packet) / 2;
    point->floor_p99_us = (floor.p99_us + again.p99_us) / 2;
    bool good = report("floor", calls, &floor);
    report("floor", calls, &again);
    good &= report("checkin-media", calls, &point->plain);
    good &= report("checkin-media, recording", calls, &filmed);
    good &= share("media.times_floor", point->plain.us_per_packet, point->floor_us, calls,
                  calls == BIG, FLOOR_SHARE);
    share("media.latency_p99_times_floor", point->plain.p99_us, point->floor_p99_us, calls, false,
          0);
    share("media.times_floor_recording", filmed.us_per_packet, point->floor_us, calls, false, 0);
    if (plan->janus) {
        point->janus = ck_run_janus(&run);
        struct ck_run_outcome taped = ck_run_janus(&filming);
        report("janus", calls, &point->janus);
        report("janus, recording", calls, &taped);
        share("media.share_of_janus_recording", filmed.us_per_packet, taped.us_per_packet, calls,
              false, 0);
    }
    return good;
}

/* Janus is compared where both carry the calls without loss: what it costs beyond that is no
 * longer the cost of a packet that arrives. */
static bool report_janus(const struct plan *plan)
{
    size_t most = plan->points;
    for (size_t i = 0; i < plan->points; i++) {
        const struct point *point = &plan->point[i];
        bool both = whole(&point->plain) && whole(&point->janus);
        if (both && (most == plan->points || point->calls > plan->point[most].calls)) {
            most = i;
        }
    }
    bool good = true;
    for (size_t i = 0; plan->janus && i < plan->points; i++) {
        const struct point *point = &plan->point[i];
        good &= share("media.share_of_janus", point->plain.us_per_packet,
                      point->janus.us_per_packet, point->calls, i == most, JANUS_SHARE);
    }
    return good && (!plan->janus || most < plan->points);
}

/* The most calls at which we lost nothing; 0: none. */
static unsigned most_whole(const struct plan *plan)
{
    unsigned most = 0;
    for (size_t i = 0; i < plan->points; i++) {
        const struct point *point = &plan->point[i];
        most = whole(&point->plain) && point->calls > most ? point->calls : most;
    }
    return most;
}

/* The default is the faster of the two. */
static bool report_hot(void)
{
    double evp = ck_siblings_us(&ck_srtp_evp, SIBLING_SESSIONS, HOT_PACKETS);
    double other = ck_siblings_us(&ck_srtp_libsrtp, SIBLING_SESSIONS, HOT_PACKETS / 4);
    ck_figure("media.floor_hot", ck_floor_hot(HOT_PACKETS), "us", CK_FIGURE_SHOWN, 0, "");
    ck_figure("media.srtp_libsrtp", other, "us", CK_FIGURE_SHOWN, 0, "\"sessions\":400");
    return ck_figure("media.srtp_evp", evp, "us", CK_FIGURE_AT_MOST, other, "\"sessions\":400");
}

static bool read_calls(const char *text, struct plan *plan)
{
    plan->points = 0;
    while (*text != '\0' && plan->points < POINTS_MAX) {
        char *end;
        unsigned long value = strtoul(text, &end, 10);
        if (end == text || value == 0 || value > CK_RUN_CALLS_MAX ||
            (*end != ',' && *end != '\0')) {
            return false;
        }
        plan->point[plan->points++] = (struct point){.calls = (unsigned)value};
        text = *end == ',' ? end + 1 : end;
    }
    return plan->points > 0;
}

static bool read_arguments(int count, char **arguments, struct plan *plan)
{
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i];
        if (strcmp(name, "--json") == 0) {
            continue;
        }
        if (strcmp(name, "--no-janus") == 0) {
            plan->janus = false;
            continue;
        }
        const char *value = i + 1 < count ? arguments[++i] : NULL;
        if (value == NULL) {
            return false;
        }
        if (strcmp(name, "--calls") == 0 && read_calls(value, plan)) {
            continue;
        }
        if (strcmp(name, "--seconds") == 0 && atoi(value) > 0) {
            plan->seconds = atoi(value);
        } else if (strcmp(name, "--folder") == 0) {
            plan->folder = value;
        } else {
            return false;
        }
    }
    return true;
}

int main(int count, char **arguments)
{
    struct plan plan = {.seconds = 5, .janus = true, .folder = "/var/tmp"};
    if (!read_calls("1,10,50,100,200", &plan) || !read_arguments(count, arguments, &plan)) {
        fprintf(stderr,
                "usage: %s [--json] [--no-janus] [--calls 1,10,50] [--seconds N] [--folder DIR]\n",
                arguments[0]);
        return 2;
    }
    if (plan.janus && (!ck_janus_installed() || ck_janus_namespace() != 0)) {
        fprintf(stderr,
                "%s: " CK_JANUS_PROGRAM " and a network namespace for it are needed; "
                "--no-janus does without\n",
                arguments[0]);
        return 1;
    }
    bool good = report_hot(); /* before the clients' SRTP library, which may begin only once */
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    for (size_t i = 0; i < plan.points; i++) {
        good &= run_point(&plan, &plan.point[i]);
    }
    good &= report_janus(&plan);
    unsigned most = most_whole(&plan);
    if (most > 0) {
        report_gso(&plan, most);
    }
    ck_tclient_library_deinit();
    return good ? 0 : 1;
}
