/* How many persons one core records: 600 kbit/s VP8 and Opus each, from decrypted packets to sealed
 * files on a disk; and how many calls one core relays and records both ways, in real time through
 * checkin-media with real clients.
 *
 * bench_recording [--json] [--persons 200] [--seconds 15] [--calls 200] [--folder DIR]
 * The target of calls was set on a machine whose bare loop (floor.h) takes 3.27 us for a packet of
 * 200 calls; what theirs would be there (at reference speed) is told by what the loop takes here in
 * the same minute.
 *
 * The persons of the first part send at once, in virtual time; what counts in both is the CPU time
 * of all threads, kernel included. One JSON object a line (figure.h). Ends with 1 where a target is
 * missed. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/record/recorder.h"
#include "tests/bench/figure.h"
#include "tests/bench/runs.h"
#include "tests/client/client.h"

#define PERSONS_MAX 4000
#define TARGET 1500
#define CALLS_TARGET 500
#define CALLS_FLOOR_US 3.27
#define CALLS_SECONDS 8
#define LOSS_PERCENT 0.1
#define VIDEO_BITS 600000
#define PICTURE_MS 33
#define SOUND_MS 20
#define SOUND_BYTES 100 /* 40 kbit/s */
#define PAYLOAD 1100
#define KEY_EVERY 150 /* pictures: five seconds */
#define KEY_FACTOR 6  /* how much larger a key frame is */

struct options {
    unsigned persons;
    unsigned seconds;
    unsigned calls;
    const char *folder;
};

struct person {
    struct ck_recording *recording;
    uint16_t sequence[2];
    unsigned pictures;
};

struct bench {
    struct options options;
    char folder[256];
    struct ck_recorder *recorder;
    struct person persons[PERSONS_MAX];
    uint64_t packets;
    uint64_t bytes;
    unsigned closed;
    unsigned failed;
    uint64_t lost;
};

static uint8_t payload[PAYLOAD + 1];

static void stop(const char *what)
{
    fprintf(stderr, "bench_recording: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void path_of(const struct bench *bench, unsigned n, char path[static 300])
{
    snprintf(path, 300, "%s/%u", bench->folder, n);
}

static void open_all(struct bench *bench)
{
    for (unsigned n = 0; n < bench->options.persons; n++) {
        char path[300];
        path_of(bench, n, path);
        struct ck_recording_start start = {
            .fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), .id = n + 1};
        start.key[0] = (uint8_t)n;
        if (start.fd < 0 ||
            ck_recording_open(bench->recorder, &start, &bench->persons[n].recording) != 0) {
            stop("open");
        }
    }
}

static void send_packet(struct bench *bench, struct person *person, int source, int64_t ms,
                        bool marker, size_t size)
{
    struct ck_recording_packet packet = {
        .source = (enum ck_recording_source)source,
        .marker = marker,
        .sequence = person->sequence[source]++,
        .timestamp = (uint32_t)ms * (source == CK_RECORDING_AUDIO ? 48 : 90),
        .ssrc = 1,
        .arrival = {ms * 1000},
        .payload = payload,
        .size = size,
    };
    ck_recording_packet(person->recording, &packet);
    bench->packets++;
    bench->bytes += size;
}

/* A picture of about the size that the bit rate leaves for it. */
static void send_picture(struct bench *bench, struct person *person, int64_t ms)
{
    bool key = person->pictures++ % KEY_EVERY == 0;
    size_t mean = VIDEO_BITS / 8 * PICTURE_MS / 1000;
    size_t size = mean * KEY_EVERY / (KEY_EVERY + KEY_FACTOR - 1) * (key ? KEY_FACTOR : 1);
    static const uint8_t key_head[] = {0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01};
    for (size_t at = 0; at < size;) {
        size_t part = size - at < PAYLOAD ? size - at : PAYLOAD;
        memset(payload, 0, sizeof key_head);
        if (at == 0) {
            memcpy(payload, key_head, sizeof key_head);
            payload[1] = key ? 0x10 : 0x11;
        }
        at += part;
        send_packet(bench, person, CK_RECORDING_VIDEO, ms, at == size, part + 1);
    }
}

static void send_sound(struct bench *bench, struct person *person, int64_t ms)
{
    payload[0] = 0xF8; /* 20 ms */
    send_packet(bench, person, CK_RECORDING_AUDIO, ms, false, SOUND_BYTES);
}

static void take_events(struct bench *bench)
{
    struct ck_recording_event events[64];
    size_t count;
    do {
        count = ck_recorder_poll(bench->recorder, events, 64);
        for (size_t i = 0; i < count; i++) {
            bench->closed += events[i].kind == CK_RECORDING_CLOSED;
            bench->failed += events[i].error != 0;
            bench->lost += events[i].kind == CK_RECORDING_OVERFLOW ? events[i].lost : 0;
        }
    } while (count > 0);
}

/* Persons are out of step with each other, as they are in life. Time waits for the writer only
 * where the ring is half full, as a real second would have done. */
static void run(struct bench *bench)
{
    for (int64_t ms = 0; ms < bench->options.seconds * 1000; ms++) {
        for (unsigned n = 0; n < bench->options.persons; n++) {
            if ((ms + n) % SOUND_MS == 0) {
                send_sound(bench, &bench->persons[n], ms);
            }
            if ((ms + n * 7) % PICTURE_MS == 0) {
                send_picture(bench, &bench->persons[n], ms);
            }
        }
        if (ms % CK_RECORDER_TICK_MS == 0) {
            ck_recorder_tick(bench->recorder, (struct ck_mono){ms * 1000});
            take_events(bench);
            while (ck_recorder_ring_used(bench->recorder) > CK_RECORDER_RING_SIZE / 2) {
                usleep(1000);
            }
        }
    }
}

static void close_all(struct bench *bench)
{
    struct ck_mono end = {(int64_t)bench->options.seconds * 1000000};
    for (unsigned n = 0; n < bench->options.persons; n++) {
        ck_recording_close(bench->persons[n].recording, end);
    }
    while (bench->closed < bench->options.persons) {
        ck_recorder_tick(bench->recorder, end);
        take_events(bench);
        usleep(1000);
    }
}

static void remove_files(struct bench *bench)
{
    for (unsigned n = 0; n < bench->options.persons; n++) {
        char path[300];
        path_of(bench, n, path);
        unlink(path);
    }
    rmdir(bench->folder);
}

static struct options read_options(int count, char **arguments)
{
    struct options options = {.persons = 200, .seconds = 15, .calls = 200, .folder = "."};
    for (int i = 1; i < count; i++) {
        bool more = i + 1 < count;
        if (strcmp(arguments[i], "--persons") == 0 && more) {
            options.persons = (unsigned)strtoul(arguments[++i], NULL, 10);
        } else if (strcmp(arguments[i], "--seconds") == 0 && more) {
            options.seconds = (unsigned)strtoul(arguments[++i], NULL, 10);
        } else if (strcmp(arguments[i], "--calls") == 0 && more) {
            options.calls = (unsigned)strtoul(arguments[++i], NULL, 10);
        } else if (strcmp(arguments[i], "--folder") == 0 && more) {
            options.folder = arguments[++i];
        } else if (strcmp(arguments[i], "--json") != 0) {
            fprintf(stderr, "bench_recording [--json] [--persons N] [--seconds N] [--calls N] "
                            "[--folder DIR]\n");
            exit(64);
        }
    }
    if (options.persons < 1 || options.persons > PERSONS_MAX || options.seconds < 1 ||
        options.calls > CK_RUN_CALLS_MAX) {
        fprintf(stderr, "bench_recording: 1 to %d persons, 1 second or more, up to %d calls\n",
                PERSONS_MAX, CK_RUN_CALLS_MAX);
        exit(64);
    }
    return options;
}

/* Calls as they are: relayed both ways while both persons are recorded. What the bare loop
 * (floor.h) costs in the same minute says how fast the machine is just then. */
static bool run_calls(const struct options *options)
{
    char detail[250];
    struct ck_run run = {.calls = options->calls,
                         .seconds = CALLS_SECONDS,
                         .record = true,
                         .folder = options->folder};
    if (ck_tclient_library_init() != 0) {
        stop("the clients' SRTP library");
    }
    struct ck_run_outcome floor = ck_run_floor(&run);
    struct ck_run_outcome outcome = ck_run_worker(&run);
    ck_tclient_library_deinit();
    snprintf(detail, sizeof detail,
             "\"calls\":%u,\"cpu_per_packet_us\":%.2f,\"bare_loop_us\":%.2f,\"core_percent\":%.1f,"
             "\"others_busy_s\":%.2f,\"clients_late_ms\":%.0f",
             options->calls, outcome.us_per_packet, floor.us_per_packet, outcome.core_percent,
             outcome.other.busy_s, outcome.late_us / 1000);
    /* By what a packet that arrived cost: where some were lost, the core's share says too little.
     */
    double per_core =
        outcome.us_per_packet > 0 ? 1e6 / (outcome.us_per_packet * CK_RUN_CALL_PACKETS) : 0;
    ck_figure("calls relayed and recorded both ways per core", per_core, "calls", CK_FIGURE_SHOWN,
              0, detail);
    bool good =
        ck_figure("the same at reference speed", per_core * floor.us_per_packet / CALLS_FLOOR_US,
                  "calls", CK_FIGURE_AT_LEAST, CALLS_TARGET, "");
    good &= ck_figure("packets lost in them", outcome.loss_percent, "%", CK_FIGURE_AT_MOST,
                      LOSS_PERCENT, detail);
    good &= ck_figure("calls gone wrong", outcome.failed, "bool", CK_FIGURE_AT_MOST, 0, detail);
    return good;
}

static bool run_persons(struct bench *bench)
{
    char detail[300];
    struct ck_recorder_config config = {.recordings_max = bench->options.persons};
    snprintf(bench->folder, sizeof bench->folder, "%s/bench-recording-XXXXXX",
             bench->options.folder);
    if (mkdtemp(bench->folder) == NULL || ck_recorder_create(&bench->recorder, &config) != 0) {
        stop(bench->folder);
    }
    open_all(bench);
    double before_s = ck_figure_own_cpu_s();
    struct ck_figure_machine machine = ck_figure_machine();
    run(bench);
    close_all(bench);
    double cpu_s = ck_figure_own_cpu_s() - before_s;
    double others_s = ck_figure_machine().busy_s - machine.busy_s - cpu_s;
    ck_recorder_destroy(bench->recorder);
    remove_files(bench);
    double person_s = (double)bench->options.persons * bench->options.seconds;
    snprintf(detail, sizeof detail,
             "\"persons\":%u,\"seconds\":%u,\"kbit_s\":%.0f,\"lost\":%llu,\"failed\":%u,"
             "\"others_cpu_s\":%.2f",
             bench->options.persons, bench->options.seconds,
             (double)bench->bytes * 8 / person_s / 1000, (unsigned long long)bench->lost,
             bench->failed, others_s);
    bool good = ck_figure("recorded persons per core", person_s / cpu_s, "persons",
                          CK_FIGURE_AT_LEAST, TARGET, detail);
    ck_figure("CPU per recorded packet", cpu_s / (double)bench->packets * 1e6, "us",
              CK_FIGURE_SHOWN, 0, "");
    good &= ck_figure("recordings that failed or lost packets", bench->failed + (double)bench->lost,
                      "", CK_FIGURE_AT_MOST, 0, "");
    return good;
}

int main(int count, char **arguments)
{
    static struct bench bench;
    bench.options = read_options(count, arguments);
    bool good = run_persons(&bench);
    if (bench.options.calls > 0) {
        good &= run_calls(&bench.options);
    }
    return good ? 0 : 1;
}
