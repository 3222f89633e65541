#include <stdatomic.h>

#include <systemd/sd-bus.h>

#include "daemon/ctl/clock_impl.h"

#define ANSWER_GOOD_US (INT64_C(30) * 60 * 1000000)

enum answer {
    NEVER,
    YES,
    NO,
};

static atomic_int last_answer;
static _Atomic int64_t answered_us;
static atomic_bool asking;

/* In a thread of the pool. */
static void ask(uv_work_t *work)
{
    (void)work;
    sd_bus *bus = NULL;
    int synchronised = 0;
    if (sd_bus_open_system(&bus) < 0) {
        return;
    }
    int got = sd_bus_get_property_trivial(bus, "org.freedesktop.timedate1",
                                          "/org/freedesktop/timedate1", "org.freedesktop.timedate1",
                                          "NTPSynchronized", NULL, 'b', &synchronised);
    sd_bus_flush_close_unref(bus);
    if (got >= 0) {
        atomic_store(&answered_us, ck_clock_mono().us);
        atomic_store(&last_answer, synchronised != 0 ? YES : NO);
    }
}

static void on_asked(uv_work_t *work, int status)
{
    (void)work;
    (void)status;
    atomic_store(&asking, false);
}

void ck_clock_bus_ask(uv_loop_t *loop)
{
    static uv_work_t work;
    if (!atomic_exchange(&asking, true) && uv_queue_work(loop, &work, ask, on_asked) != 0) {
        atomic_store(&asking, false);
    }
}

struct ck_clock_status ck_clock_bus_status(struct ck_mono now)
{
    int answer = atomic_load(&last_answer);
    bool fresh = now.us - atomic_load(&answered_us) < ANSWER_GOOD_US;
    return (struct ck_clock_status){.known = answer != NEVER && fresh,
                                    .synchronised = answer == YES && fresh};
}
