/* Recordings of real calls: playable, complete, sealed; after a crash short of three seconds at the
 * most; and whatever the disk does, the call does not notice. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "tests/media/film.h"
#include "tests/media/marks.h"

#define STALL_MS 10000
#define SLICE_NS 100000 /* of the packet loop */
#define P99_US 250000   /* of the way through the worker: sound that one still talks by */

static struct ck_rig *start(const struct ck_rig_options *options)
{
    struct ck_rig *rig = NULL;
    assert_int_equal(ck_rig_start(options, &rig), 0);
    return rig;
}

static void stop(struct ck_rig *rig)
{
    int status;
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void assert_untouched(struct ck_rig *rig, const uint64_t legs[2])
{
    char text[512];
    for (unsigned side = 0; side < 2; side++) {
        assert_string_equal(ck_tclient_faults(ck_rig_client(rig, legs[side]), text), "");
    }
    assert_int_equal(ck_rig_lost(rig, legs), 0);
}

/* Before the films are looked at: that keeps the clients from their sockets for seconds, which to
 * the worker is a downlink that chokes. */
static void assert_settled(struct ck_rig *rig, const uint64_t legs[2])
{
    ck_rig_settle(rig);
    assert_untouched(rig, legs);
}

static const struct ck_worker_message *await(struct ck_rig *rig, uint16_t kind, uint64_t leg)
{
    const struct ck_worker_message *message = ck_rig_await(rig, kind, leg, 0, 1, 5000);
    if (message == NULL) {
        fail_msg("no %s of leg %d", ck_worker_kind_name(kind), (int)leg);
    }
    return message;
}

static uint64_t wall_ms(void)
{
    return ck_crowd_wall_ns() / 1000000;
}

/* A call with both legs being recorded. */
static void begin(struct ck_rig *rig, uint64_t legs[2], struct ck_film films[2], const char *folder)
{
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    for (unsigned side = 0; side < 2; side++) {
        assert_int_equal(ck_film_create(&films[side], legs[side], 70 + side, folder), 0);
        ck_film_start(rig, &films[side]);
    }
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_worker_message *started = await(rig, CK_WORKER_RECORD_STARTED, legs[side]);
        assert_int_equal(started->record_started.recording, 70 + side);
        int64_t age = (int64_t)(wall_ms() - started->record_started.wall_ms);
        assert_true(age > -100 && age < 5000);
    }
}

static void end(struct ck_film films[2])
{
    ck_film_destroy(&films[0]);
    ck_film_destroy(&films[1]);
}

static void print_marks(struct ck_film *film)
{
    struct ck_seal_source source = ck_film_source(film);
    struct ck_seal *seal = NULL;
    size_t count = 0;
    if (ck_seal_open(&seal, &source, film->key, film->recording) != 0) {
        return;
    }
    const struct ck_seal_mark *marks = ck_seal_marks(seal, &count);
    for (size_t i = 0; i < count; i++) {
        print_message("mark: kind %u source %u code 0x%x from %lld until %lld ms, packets %u\n",
                      marks[i].kind, marks[i].source, marks[i].code, (long long)marks[i].from_ms,
                      (long long)marks[i].until_ms,
                      marks[i].kind == CK_SEAL_MARK_GAP ? marks[i].gap.packets : 0);
    }
    ck_seal_close(seal);
}

/* Nothing is missing between its first and its last packet. */
static void assert_no_gap(struct ck_film *film, const struct ck_worker_message *closed)
{
    if (closed->record_closed.gaps != 0) {
        print_marks(film);
        fail_msg("%u gaps, %u ms", closed->record_closed.gaps,
                 (unsigned)closed->record_closed.gap_ms);
    }
}

static void assert_film(struct ck_film *film, const struct ck_worker_message *closed,
                        double least_s, double most_s)
{
    struct ck_film_streams streams;
    struct ck_seal_report report;
    struct ck_seal_source source = ck_film_source(film);
    const struct ck_seal_head anchor = {.chunks = closed->record_closed.chunks,
                                        .bytes = closed->record_closed.bytes};
    struct ck_seal_head head = anchor;
    memcpy(head.hash, closed->record_closed.head, sizeof head.hash);
    assert_int_equal(ck_seal_verify(&source, film->recording, film->key, &head, 1, &report), 0);
    assert_int_equal(report.fault, CK_SEAL_SOUND);
    assert_true(report.finished);
    assert_int_equal(closed->record_closed.bytes, ck_film_size(film));
    assert_int_equal(ck_film_probe(film, &streams), 0);
    print_message("film: %.2f s, %u sounds, %u pictures, %u decoded, %ux%u, %u complaints\n",
                  streams.duration_s, streams.audio_packets, streams.video_packets,
                  streams.video_frames, streams.width, streams.height, streams.complaints);
    assert_true(streams.is_vp8 && streams.is_opus);
    assert_true(streams.duration_s > least_s && streams.duration_s < most_s);
    assert_int_equal(streams.width, CK_CLIP_WIDTH);
    assert_int_equal(streams.height, CK_CLIP_HEIGHT);
    assert_int_equal(streams.complaints, 0);
    assert_int_equal(streams.video_packets, streams.video_frames);
    assert_true((double)closed->record_closed.duration_ms / 1000 > least_s);
}

static void test_both_legs_playable(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    struct ck_film films[2];
    begin(rig, legs, films, NULL);
    ck_rig_run(rig, 4000);
    for (unsigned side = 0; side < 2; side++) {
        ck_film_stop(rig, &films[side]);
    }
    for (unsigned side = 0; side < 2; side++) {
        await(rig, CK_WORKER_RECORD_CLOSED, legs[side]);
    }
    ck_rig_run(rig, 300);
    assert_settled(rig, legs);
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_worker_message *closed = await(rig, CK_WORKER_RECORD_CLOSED, legs[side]);
        struct ck_film_streams streams;
        assert_int_equal(closed->record_closed.recording, 70 + side);
        assert_int_equal(closed->record_closed.error, 0);
        assert_no_gap(&films[side], closed);
        assert_film(&films[side], closed, 3.6, 4.6);
        assert_int_equal(ck_film_probe(&films[side], &streams), 0);
        assert_true(streams.audio_packets > 185);
        assert_true(streams.video_packets > 95);
        const struct ck_worker_message *head = await(rig, CK_WORKER_RECORD_HEAD, legs[side]);
        assert_non_null(head);
    }
    end(films);
    stop(rig);
}

/* Nothing plain on the disk: not a mark of any packet. */
static void test_nothing_plain(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    struct ck_film films[2];
    begin(rig, legs, films, NULL);
    ck_rig_run(rig, 2500);
    ck_film_stop(rig, &films[0]);
    await(rig, CK_WORKER_RECORD_CLOSED, legs[0]);
    size_t size = ck_film_size(&films[0]);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    assert_true(pread(films[0].fd, bytes, size, 0) == (ssize_t)size);
    assert_null(memmem(bytes, size, "CKM1", 4));
    assert_null(memmem(bytes, size, "webm", 4));
    assert_null(memmem(bytes, size, films[0].key, 16));
    free(bytes);
    end(films);
    stop(rig);
}

static void test_leg_ends(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    struct ck_film films[2];
    begin(rig, legs, films, NULL);
    ck_rig_run(rig, 2000);
    ck_rig_close(rig, legs[0]);
    ck_tclient_hang_up(ck_rig_client(rig, legs[1]));
    for (unsigned side = 0; side < 2; side++) {
        assert_non_null(
            ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[side], CK_WORKER_EVENT_CLOSED, 1, 5000));
        /* The recording is closed before the leg. */
        const struct ck_worker_message *closed =
            ck_rig_find(rig, CK_WORKER_RECORD_CLOSED, legs[side], 0, 1);
        assert_non_null(closed);
        assert_int_equal(closed->record_closed.error, 0);
        assert_film(&films[side], closed, 1.5, 2.8);
    }
    end(films);
    stop(rig);
}

static void test_pause(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    struct ck_film films[2];
    begin(rig, legs, films, NULL);
    ck_rig_run(rig, 1500);
    ck_film_pause(rig, &films[0], true, 7);
    ck_rig_run(rig, 2000);
    ck_film_pause(rig, &films[0], false, 8);
    ck_rig_run(rig, 1500);
    ck_film_stop(rig, &films[0]);
    await(rig, CK_WORKER_RECORD_CLOSED, legs[0]);
    assert_settled(rig, legs); /* the call itself knows nothing of the pause */
    const struct ck_worker_message *closed = await(rig, CK_WORKER_RECORD_CLOSED, legs[0]);
    assert_film(&films[0], closed, 4.5, 5.6);
    struct ck_film_streams streams;
    assert_int_equal(ck_film_probe(&films[0], &streams), 0);
    assert_true(streams.audio_packets > 130 && streams.audio_packets < 165);
    /* The picture is back with the sound: the order to resume asks for a key frame at once. */
    assert_true(streams.video_packets > 80 && streams.video_packets < 100);
    struct ck_seal_source source = ck_film_source(&films[0]);
    struct ck_seal *seal = NULL;
    assert_int_equal(ck_seal_open(&seal, &source, films[0].key, films[0].recording), 0);
    size_t count = 0;
    const struct ck_seal_mark *marks = ck_seal_marks(seal, &count);
    int64_t paused_ms = 0;
    for (size_t i = 0; i < count; i++) {
        if (marks[i].kind == CK_SEAL_MARK_PAUSE) {
            paused_ms += marks[i].until_ms - marks[i].from_ms;
            assert_int_equal(marks[i].code, 7);
        }
    }
    assert_true(paused_ms > 1800 && paused_ms < 2300);
    ck_seal_close(seal);
    end(films);
    stop(rig);
}

/* A phone that is away for a while: the head of the file is told when that is seen, the file goes
 * on with the phone's return, and the time between is a marked gap of either medium, not cut out.
 */
static void test_suspended(void **state)
{
    (void)state;
    struct ck_rig *rig = start(&(struct ck_rig_options){
        .durations = {.suspend_ms = 1500, .gone_ms = 20000},
    });
    struct ck_film film;
    uint64_t legs[2];
    ck_rig_call(rig, 1, &(struct ck_tclient_config){.check_interval_us = 400000}, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    assert_int_equal(ck_film_create(&film, legs[0], 70, NULL), 0);
    ck_film_start(rig, &film);
    await(rig, CK_WORKER_RECORD_STARTED, legs[0]);
    ck_rig_run(rig, 6500); /* until something of the file has been synced */
    ck_tclient_vanish(ck_rig_client(rig, legs[0]), true);
    const struct ck_worker_message *head = NULL;
    for (size_t nth = 0; head == NULL || head->record_head.reason != CK_WORKER_HEAD_SUSPENDED;
         nth++) {
        head = ck_rig_await(rig, CK_WORKER_RECORD_HEAD, legs[0], 0, nth + 1, 5000);
        assert_non_null(head);
    }
    ck_rig_run(rig, 500);
    ck_tclient_vanish(ck_rig_client(rig, legs[0]), false);
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_RESUMED, 1, 3000));
    /* The client's clock stood still: that is seen at once. */
    ck_rig_run(rig, 1500);
    ck_film_stop(rig, &film);
    const struct ck_worker_message *closed = await(rig, CK_WORKER_RECORD_CLOSED, legs[0]);
    assert_film(&film, closed, 9, 14);
    struct ck_seal_source source = ck_film_source(&film);
    struct ck_seal *seal = NULL;
    assert_int_equal(ck_seal_open(&seal, &source, film.key, film.recording), 0);
    size_t count = 0;
    const struct ck_seal_mark *marks = ck_seal_marks(seal, &count);
    unsigned gaps = 0;
    for (size_t i = 0; i < count; i++) {
        bool away = marks[i].kind == CK_SEAL_MARK_GAP && marks[i].code == CK_WORKER_EVENT_SUSPENDED;
        gaps |= away ? 1u << marks[i].source : 0;
        assert_true(!away || marks[i].until_ms - marks[i].from_ms >= 1500);
    }
    assert_int_equal(gaps, 1u << CK_SEAL_AUDIO | 1u << CK_SEAL_VIDEO);
    ck_seal_close(seal);
    ck_film_destroy(&film);
    stop(rig);
}

/* Runs for `ms` without sound or without picture, then for two seconds with both. */
static void mute(struct ck_rig *rig, uint64_t leg, bool audio, bool video, int ms)
{
    ck_tclient_send(ck_rig_client(rig, leg), audio, video);
    ck_rig_run(rig, ms);
    ck_tclient_send(ck_rig_client(rig, leg), true, true);
    ck_rig_run(rig, 2000);
}

/* Sends nothing for a moment, and then all of it at once, again and again. */
static void stall(struct ck_rig *rig, uint64_t leg)
{
    for (unsigned i = 0; i < 4; i++) {
        ck_tclient_stall(ck_rig_client(rig, leg), 150);
        ck_rig_run(rig, 500);
    }
}

/* A microphone that is muted, a camera that is off, a phone that is too busy to send, or goes on
 * from another port, by itself and by an ICE restart: one file, in which lips are in sync all the
 * time. */
static void test_lips_over_mute_and_roaming(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    struct ck_film film;
    struct ck_film_marks marks;
    uint64_t legs[2];
    ck_rig_call(rig, 1, &(struct ck_tclient_config){.check_interval_us = 500000}, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    assert_int_equal(ck_film_create(&film, legs[0], 70, NULL), 0);
    ck_film_start(rig, &film);
    await(rig, CK_WORKER_RECORD_STARTED, legs[0]);
    ck_rig_run(rig, 1500);
    mute(rig, legs[0], false, true, 1500);
    mute(rig, legs[0], true, false, 3000);
    const struct ck_worker_message *back =
        ck_rig_find(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_CAMERA_BACK, 1);
    assert_non_null(back); /* it is stopped when it was silent for two seconds, not three */
    mute(rig, legs[0], false, false, 1500);
    stall(rig, legs[0]);
    assert_int_equal(ck_tclient_roam(ck_rig_client(rig, legs[0])), 0);
    ck_rig_run(rig, 3000);
    ck_rig_restart(rig, legs[0], true);
    ck_rig_run(rig, 3000);
    assert_true(ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_PATH_CHANGED) >= 2);
    ck_film_stop(rig, &film);
    const struct ck_worker_message *closed = await(rig, CK_WORKER_RECORD_CLOSED, legs[0]);
    assert_int_equal(closed->record_closed.error, 0);
    assert_film(&film, closed, 19, 23);
    assert_int_equal(ck_film_marks(&film, &marks), 0);
    print_message("%u sounds, %u pictures, lips apart %.1f ms at most\n", marks.sounds,
                  marks.pictures, marks.apart_ms);
    assert_true(marks.sounds > 600 && marks.pictures > 250);
    assert_true(marks.apart_ms <= 40);
    ck_film_destroy(&film);
    stop(rig);
}

static void test_refused_recordings(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    struct ck_film films[2];
    begin(rig, legs, films, NULL);
    struct ck_film second;
    assert_int_equal(ck_film_create(&second, legs[0], 90, NULL), 0);
    ck_film_start(rig, &second);
    const struct ck_worker_message *failed = await(rig, CK_WORKER_RECORD_FAILED, legs[0]);
    assert_int_equal(failed->record_failed.recording, 90);
    assert_int_equal(failed->record_failed.error, EBUSY);
    second.leg = 4711;
    ck_film_start(rig, &second);
    failed = await(rig, CK_WORKER_RECORD_FAILED, 4711);
    assert_int_equal(failed->record_failed.error, ESRCH);
    ck_film_destroy(&second);
    end(films);
    stop(rig);
}

/* Where both want the processor the loop goes first. */
static void test_packets_go_before_what_is_written(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    char path[64];
    unsigned loops = 0;
    unsigned writers = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)ck_rig_pid(rig));
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        pid_t task = (pid_t)atoi(entry->d_name);
        int nice = getpriority(PRIO_PROCESS, (id_t)task);
        uint64_t slice_ns = ck_usage_slice_ns(task);
        loops += task == ck_rig_pid(rig) && nice == 0 && slice_ns <= SLICE_NS;
        writers += nice > 0 && (slice_ns > SLICE_NS || slice_ns == 0);
    }
    closedir(folder);
    assert_int_equal(loops, 1);
    assert_int_equal(writers, 1);
    stop(rig);
}

/* kill -9 in the middle of it: at most three seconds are gone. */
static void test_killed(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    struct ck_film films[2];
    begin(rig, legs, films, NULL);
    ck_rig_run(rig, 4700);
    uint64_t killed = wall_ms();
    ck_rig_signal(rig, SIGKILL);
    int status;
    assert_int_equal(ck_rig_wait_exit(rig, &status), 0);
    assert_true(WIFSIGNALED(status));
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_worker_message *started =
            ck_rig_find(rig, CK_WORKER_RECORD_STARTED, legs[side], 0, 1);
        struct ck_seal *seal = NULL;
        struct ck_seal_source source = ck_film_source(&films[side]);
        struct ck_seal_recovery recovery;
        struct ck_film_streams streams;
        assert_int_equal(ck_seal_open(&seal, &source, films[side].key, films[side].recording),
                         CK_E_TRUNCATED);
        assert_int_equal(ck_film_recover(&films[side], &recovery), 0);
        assert_false(recovery.was_whole);
        int64_t lost_ms =
            (int64_t)(killed - started->record_started.wall_ms) - recovery.duration_ms;
        print_message("killed: %d ms gone\n", (int)lost_ms);
        assert_true(lost_ms >= -50 && lost_ms <= 3000);
        assert_int_equal(ck_film_probe(&films[side], &streams), 0);
        assert_true(streams.duration_s > 1.5);
        assert_int_equal(streams.complaints, 0);
    }
    end(films);
    assert_int_equal(ck_rig_stop(rig, &status), 0);
}

/* checkind dies: the worker closes its recordings and ends with 0. */
static void test_control_ends(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    struct ck_film films[2];
    begin(rig, legs, films, NULL);
    ck_rig_run(rig, 2500);
    ck_rig_end_control(rig);
    int status;
    assert_int_equal(ck_rig_wait_exit(rig, &status), 0);
    assert_int_equal(status, 0);
    for (unsigned side = 0; side < 2; side++) {
        struct ck_film_streams streams;
        assert_int_equal(ck_film_probe(&films[side], &streams), 0);
        assert_true(streams.duration_s > 2.1 && streams.duration_s < 3.1);
        assert_int_equal(streams.complaints, 0);
    }
    end(films);
    assert_int_equal(ck_rig_stop(rig, &status), 0);
}

/* A disk of its own for one test. False, and the reason printed, where this machine does not allow
 * it. */
static bool mount_loop(char folder[32])
{
    char command[256];
    strcpy(folder, "/tmp/ck-disk-XXXXXX");
    if (geteuid() != 0) {
        print_message("skipped: only root can mount a disk to freeze\n");
        return false;
    }
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command,
             "truncate -s 64M %s.img && mkfs.ext4 -q %s.img && mount -o loop %s.img %s >/dev/null "
             "2>&1",
             folder, folder, folder, folder);
    int status = system(command);
    snprintf(command, sizeof command, "%s.img", folder);
    unlink(command);
    if (status != 0) {
        rmdir(folder);
        print_message("skipped: this machine mounts no loop device\n");
        return false;
    }
    return true;
}

static void unmount(const char *folder)
{
    assert_int_equal(umount2(folder, MNT_DETACH), 0);
    rmdir(folder);
}

/* A disk that answers nothing for ten seconds: not one packet of the call is lost or late for it,
 * and when the disk is back the recording goes on, whole. */
static void test_stalled_disk(void **state)
{
    (void)state;
    char folder[32];
    if (!mount_loop(folder)) {
        skip();
    }
    struct ck_histogram latency = {.total = 0};
    struct ck_rig *rig = start(NULL);
    struct ck_film film;
    uint64_t legs[2];
    ck_rig_call(rig, 1, &(struct ck_tclient_config){.latency = &latency}, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    assert_int_equal(ck_film_create(&film, legs[0], 70, folder), 0);
    ck_film_start(rig, &film);
    await(rig, CK_WORKER_RECORD_STARTED, legs[0]);
    ck_rig_run(rig, 1500);
    int disk = open(folder, O_RDONLY | O_CLOEXEC);
    assert_int_equal(ioctl(disk, FIFREEZE, 0), 0);
    ck_rig_run(rig, STALL_MS);
    uint64_t sounds = ck_rig_stats(rig, legs[1])->account[0].unique;
    assert_int_equal(ioctl(disk, FITHAW, 0), 0);
    close(disk);
    ck_rig_run(rig, 1500);
    ck_film_stop(rig, &film);
    await(rig, CK_WORKER_RECORD_CLOSED, legs[0]);
    assert_settled(rig, legs);
    const struct ck_worker_message *closed = await(rig, CK_WORKER_RECORD_CLOSED, legs[0]);
    assert_int_equal(closed->record_closed.error, 0);
    assert_no_gap(&film, closed);
    assert_film(&film, closed, 12.0, 14.5);
    assert_true(sounds > STALL_MS / 20);
    int p99_us = (int)ck_histogram_quantile(&latency, 0.99);
    print_message("stalled disk: latency p50 %d us, p99 %d us\n",
                  (int)ck_histogram_quantile(&latency, 0.5), p99_us);
    assert_true(p99_us < P99_US);
    ck_film_destroy(&film);
    stop(rig);
    unmount(folder);
}

/* A full disk ends the recording with a reason, and never the call. */
static void test_full_disk(void **state)
{
    (void)state;
    char folder[] = "/tmp/ck-full-XXXXXX";
    assert_non_null(mkdtemp(folder));
    if (mount("tmpfs", folder, "tmpfs", 0, "size=256k") != 0) {
        rmdir(folder);
        print_message("skipped: this machine mounts no tmpfs\n");
        skip();
    }
    struct ck_rig *rig = start(NULL);
    struct ck_film film;
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    assert_int_equal(ck_film_create(&film, legs[0], 70, folder), 0);
    ck_film_start(rig, &film);
    const struct ck_worker_message *failed =
        ck_rig_await(rig, CK_WORKER_RECORD_FAILED, legs[0], 0, 1, 10000);
    assert_non_null(failed);
    assert_int_equal(failed->record_failed.error, ENOSPC);
    const struct ck_worker_message *closed = await(rig, CK_WORKER_RECORD_CLOSED, legs[0]);
    assert_int_equal(closed->record_closed.error, ENOSPC);
    ck_rig_run(rig, 500);
    ck_rig_settle(rig);
    assert_untouched(rig, legs);
    ck_film_destroy(&film);
    stop(rig);
    umount2(folder, MNT_DETACH);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_legs_playable),
        cmocka_unit_test(test_nothing_plain),
        cmocka_unit_test(test_leg_ends),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_suspended),
        cmocka_unit_test(test_lips_over_mute_and_roaming),
        cmocka_unit_test(test_refused_recordings),
        cmocka_unit_test(test_packets_go_before_what_is_written),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_control_ends),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_stalled_disk),
    };
    cmocka_set_test_filter(getenv("CK_TEST")); /* a pattern of names; unset: all */
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
