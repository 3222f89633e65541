#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "media/record/recorder.h"
#include "protocol/base/error.h"
#include "tests/unit/record/playback.h"
#include "tests/unit/record/sender.h"

#define WAIT_MS 20000
#define EVENTS_MAX 256

/* A recorder, one recording and what came back from it. */
struct rig {
    char *folder;
    char sealed[128];
    char plain[128];
    struct ck_recorder *recorder;
    struct ck_recording *recording;
    struct sender *sender;
    struct sender_world world;
    struct ck_recording_event events[EVENTS_MAX];
    size_t event_count;
};

static struct ck_recording *rig_open(struct rig *rig, const char *path, uint64_t id)
{
    struct ck_recording_start start = {
        .fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
        .id = id,
        .context = "check-in 12",
        .context_size = 11,
        .start_mono = sender_at(0),
        .start_wall = {INT64_C(1790000000000)},
        .user = rig,
    };
    memcpy(start.key, playback_key, sizeof start.key);
    memcpy(start.salt, playback_salt, sizeof start.salt);
    assert_true(start.fd >= 0);
    struct ck_recording *recording = NULL;
    assert_int_equal(ck_recording_open(rig->recorder, &start, &recording), 0);
    return recording;
}

static void rig_start_with(struct rig *rig, const struct ck_recorder_config *config)
{
    memset(rig, 0, sizeof *rig);
    rig->folder = playback_folder();
    snprintf(rig->sealed, sizeof rig->sealed, "%s/sealed", rig->folder);
    snprintf(rig->plain, sizeof rig->plain, "%s/plain.webm", rig->folder);
    assert_int_equal(ck_recorder_create(&rig->recorder, config), 0);
    rig->sender = sender_create(160, 120);
}

static void rig_start(struct rig *rig)
{
    struct ck_recorder_config config = {.recordings_max = 4};
    rig_start_with(rig, &config);
    rig->recording = rig_open(rig, rig->sealed, PLAYBACK_RECORDING);
}

static void rig_run(struct rig *rig, int64_t from_ms, int64_t until_ms)
{
    sender_run(rig->sender, rig->recorder, rig->recording, &rig->world, from_ms, until_ms);
}

static void rig_poll(struct rig *rig)
{
    rig->event_count += ck_recorder_poll(rig->recorder, &rig->events[rig->event_count],
                                         EVENTS_MAX - rig->event_count);
    assert_true(rig->event_count < EVENTS_MAX);
}

static const struct ck_recording_event *rig_find(const struct rig *rig,
                                                 enum ck_recording_event_kind kind, uint64_t id)
{
    for (size_t i = 0; i < rig->event_count; i++) {
        if (rig->events[i].kind == kind && rig->events[i].id == id) {
            return &rig->events[i];
        }
    }
    return NULL;
}

static const struct ck_recording_event *rig_wait(struct rig *rig, enum ck_recording_event_kind kind,
                                                 uint64_t id)
{
    struct pollfd poll_fd = {.fd = ck_recorder_event_fd(rig->recorder), .events = POLLIN};
    rig_poll(rig);
    while (rig_find(rig, kind, id) == NULL) {
        assert_int_equal(poll(&poll_fd, 1, WAIT_MS), 1);
        rig_poll(rig);
    }
    return rig_find(rig, kind, id);
}

static unsigned rig_count(const struct rig *rig, enum ck_recording_event_kind kind)
{
    unsigned count = 0;
    for (size_t i = 0; i < rig->event_count; i++) {
        count += rig->events[i].kind == kind;
    }
    return count;
}

static struct ck_recording_event rig_close(struct rig *rig, int64_t at_ms)
{
    ck_recording_close(rig->recording, sender_at(at_ms));
    struct ck_recording_event closed = *rig_wait(rig, CK_RECORDING_CLOSED, PLAYBACK_RECORDING);
    struct ck_seal_report report = playback_verify(rig->sealed);
    if (closed.error == 0) {
        assert_int_equal(report.fault, CK_SEAL_SOUND);
        assert_int_equal(report.head.chunks, closed.head.chunks);
        assert_int_equal(report.head.bytes, closed.head.bytes);
        assert_memory_equal(report.head.hash, closed.head.hash, CK_SHA256_SIZE);
        playback_unseal(rig->sealed, rig->plain);
    }
    return closed;
}

static void rig_stop(struct rig *rig)
{
    ck_recorder_destroy(rig->recorder);
    sender_destroy(rig->sender);
    playback_remove(rig->folder);
}

static void assert_near(double value, double wanted, double tolerance)
{
    if (fabs(value - wanted) > tolerance) {
        fail_msg("%f is not within %f of %f", value, tolerance, wanted);
    }
}

/* The n-th mark of a kind; one of kind 0 where there is none. */
static const struct ck_seal_mark *find_mark(struct ck_seal *seal, enum ck_seal_mark_kind kind,
                                            int n)
{
    static const struct ck_seal_mark none;
    size_t count;
    const struct ck_seal_mark *marks = ck_seal_marks(seal, &count);
    for (size_t i = 0; i < count; i++) {
        if (marks[i].kind == kind && n-- == 0) {
            return &marks[i];
        }
    }
    return &none;
}

static void a_recording_plays_with_every_frame_of_both_tracks(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig_run(&rig, 0, 12000);
    struct ck_recording_event closed = rig_close(&rig, 12000);
    assert_int_equal(closed.error, 0);
    assert_int_equal(closed.gaps, 0);
    assert_int_equal(closed.user == &rig, 1);
    assert_in_range(closed.duration_ms, 11950, 12050);
    struct playback playback = playback_probe(rig.plain);
    assert_int_equal(playback.streams, 2);
    assert_int_equal(playback.width, 160);
    assert_int_equal(playback.height, 120);
    assert_near(playback.duration, 12.0, 0.05);
    assert_int_equal(playback.audio_count, sender_frames(rig.sender, CK_RECORDING_AUDIO));
    assert_int_equal(playback.video_count, sender_frames(rig.sender, CK_RECORDING_VIDEO));
    for (size_t i = 0; i < playback.video_count; i++) {
        assert_near(playback.video[i].time, 0.04 * (double)i, 0.0011);
    }
    for (size_t i = 0; i < playback.audio_count; i++) {
        assert_near(playback.audio[i].time, 0.02 * (double)i, 0.0011);
    }
    assert_int_equal(playback_decode(rig.plain), playback.video_count);
    playback_free(&playback);
    rig_stop(&rig);
}

static void a_recording_can_be_entered_anywhere(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig_run(&rig, 0, 20000);
    rig_close(&rig, 20000);
    /* Key frames are at multiples of three seconds; a player enters at the last one before. */
    assert_near(playback_seek(rig.plain, 10.0), 9.0, 0.01);
    assert_near(playback_seek(rig.plain, 18.5), 18.0, 0.01);
    assert_near(playback_seek(rig.plain, 2.9), 0.0, 0.01);
    int fd;
    struct ck_seal *seal = playback_open(rig.sealed, &fd);
    static uint8_t frame[CK_SEAL_KEY_FRAME_MAX];
    size_t size;
    int64_t frame_ms;
    assert_int_equal(ck_seal_key_frame(seal, 10000, frame, sizeof frame, &size, &frame_ms), 0);
    assert_int_equal(frame_ms, 9000);
    assert_int_equal(frame[0] & 1, 0);
    ck_seal_close(seal);
    close(fd);
    rig_stop(&rig);
}

static void sound_alone_is_a_recording_too(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig.world.no_video = true;
    rig_run(&rig, 0, 5000);
    rig_close(&rig, 5000);
    struct playback playback = playback_probe(rig.plain);
    assert_int_equal(playback.streams, 1);
    assert_int_equal(playback.audio_count, 250);
    assert_near(playback.duration, 5.0, 0.03);
    playback_free(&playback);
    rig_stop(&rig);
}

static void another_picture_size_goes_on_in_the_same_file(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig_run(&rig, 0, 4000);
    sender_resize(rig.sender, 320, 240);
    rig_run(&rig, 4000, 8000);
    sender_resize(rig.sender, 96, 64);
    rig_run(&rig, 8000, 11000);
    rig_close(&rig, 11000);
    struct playback playback = playback_probe(rig.plain);
    assert_int_equal(playback.width, 320);
    assert_int_equal(playback.video_count, 11000 / SENDER_PICTURE_MS);
    assert_int_equal(playback_decode(rig.plain), playback.video_count);
    unsigned flashes;
    double apart = playback_sync(rig.plain, 0.5, 11, &flashes);
    print_message("%u flashes, %.3f s apart at most\n", flashes, apart);
    assert_true(apart <= 0.040);
    assert_in_range(flashes, 9, 11);
    int fd;
    struct ck_seal *seal = playback_open(rig.sealed, &fd);
    assert_int_equal(find_mark(seal, CK_SEAL_MARK_SIZE, 0)->size.width, 160);
    assert_int_equal(find_mark(seal, CK_SEAL_MARK_SIZE, 1)->size.width, 320);
    assert_int_equal(find_mark(seal, CK_SEAL_MARK_SIZE, 1)->from_ms, 4000);
    assert_int_equal(find_mark(seal, CK_SEAL_MARK_SIZE, 2)->size.height, 64);
    ck_seal_close(seal);
    close(fd);
    playback_free(&playback);
    rig_stop(&rig);
}

/* The picture takes 140 ms, the sound 20 ms; reports bring them together. */
static void lips_are_in_sync_although_delays_differ(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig.world.delay_ms[CK_RECORDING_AUDIO] = 20;
    rig.world.delay_ms[CK_RECORDING_VIDEO] = 140;
    rig.world.ntp_offset_ms = -7654321;
    rig_run(&rig, 0, 12000);
    rig_close(&rig, 12000);
    unsigned marks;
    assert_true(playback_sync(rig.plain, 3, 12, &marks) <= 0.040);
    assert_in_range(marks, 8, 9);
    rig_stop(&rig);
}

static void without_reports_delays_show(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig.world.delay_ms[CK_RECORDING_VIDEO] = 140;
    rig.world.no_reports = true;
    rig_run(&rig, 0, 6000);
    rig_close(&rig, 6000);
    unsigned marks;
    assert_true(playback_sync(rig.plain, 1, 6, &marks) > 0.080);
    rig_stop(&rig);
}

/* What phones do: another SSRC, clocks that jump by an hour and back, a hole of six seconds, other
 * delays. */
static void sync_survives_what_phones_do(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig.world.delay_ms[CK_RECORDING_VIDEO] = 100;
    rig_run(&rig, 0, 5000);
    sender_restart(rig.sender, CK_RECORDING_VIDEO);
    rig_run(&rig, 5000, 10000);
    sender_restart(rig.sender, CK_RECORDING_AUDIO);
    rig_run(&rig, 10000, 15000);
    sender_jump(rig.sender, CK_RECORDING_VIDEO, 3600000);
    rig_run(&rig, 15000, 20000);
    sender_jump(rig.sender, CK_RECORDING_AUDIO, -2000000);
    rig_run(&rig, 20000, 25000);
    ck_recording_gap(rig.recording, CK_RECORDING_VIDEO, 5, sender_at(25000), sender_at(31000));
    sender_key_frame(rig.sender);
    rig.world.delay_ms[CK_RECORDING_VIDEO] = 160;
    rig_run(&rig, 31000, 37000);
    struct ck_recording_event closed = rig_close(&rig, 37000);
    assert_in_range(closed.duration_ms, 36900, 37200);
    struct playback playback = playback_probe(rig.plain);
    assert_near(playback.duration, 37.0, 0.2);
    playback_free(&playback);
    static const double settled[][2] = {{3, 5}, {8, 10}, {13, 15}, {18, 20}, {23, 25}, {34, 37}};
    for (size_t i = 0; i < sizeof settled / sizeof settled[0]; i++) {
        unsigned marks;
        double worst = playback_sync(rig.plain, settled[i][0], settled[i][1], &marks);
        if (worst > 0.040 || marks < 1) {
            fail_msg("from %f on: %f s apart, %u marks", settled[i][0], worst, marks);
        }
    }
    rig_stop(&rig);
}

/* A camera that was off before the recording began: the gap is the part of it that is in the file.
 */
static void a_gap_begins_no_earlier_than_the_file(void **state)
{
    (void)state;
    struct rig rig;
    int fd = -1;
    rig_start(&rig);
    rig.world.no_video = true;
    rig_run(&rig, 0, 1000);
    ck_recording_gap(rig.recording, CK_RECORDING_VIDEO, 5, sender_at(-3000), sender_at(1000));
    rig.world.no_video = false;
    sender_key_frame(rig.sender);
    rig_run(&rig, 1000, 2000);
    struct ck_recording_event closed = rig_close(&rig, 2000);
    assert_int_equal(closed.gaps, 1);
    assert_int_equal(closed.gap_ms, 1000);
    struct ck_seal *seal = playback_open(rig.sealed, &fd);
    const struct ck_seal_mark *mark = find_mark(seal, CK_SEAL_MARK_GAP, 0);
    assert_int_equal(mark->from_ms, 0);
    assert_int_equal(mark->until_ms, 1000);
    ck_seal_close(seal);
    close(fd);
    rig_stop(&rig);
}

static void a_pause_writes_nothing_and_is_marked(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig_run(&rig, 0, 3000);
    ck_recording_pause(rig.recording, 17, sender_at(3000));
    const struct ck_recording_event *head = rig_wait(&rig, CK_RECORDING_HEAD, PLAYBACK_RECORDING);
    assert_true(head->head.chunks >= 3);
    assert_in_range(head->sealed_until.us, sender_at(2950).us, sender_at(3050).us);
    struct stat before;
    struct stat after;
    assert_int_equal(stat(rig.sealed, &before), 0);
    assert_int_equal(before.st_size, head->head.bytes);
    ck_recording_pause(rig.recording, 18, sender_at(3500)); /* changes nothing */
    rig_run(&rig, 3000, 6000);
    assert_int_equal(stat(rig.sealed, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    ck_recording_resume(rig.recording, sender_at(6000));
    rig_wait(&rig, CK_RECORDING_WANT_KEY_FRAME, PLAYBACK_RECORDING);
    rig_run(&rig, 6000, 7000);
    sender_key_frame(rig.sender);
    rig_run(&rig, 7000, 9000);
    struct ck_recording_event closed = rig_close(&rig, 9000);
    assert_int_equal(closed.gaps, 1);
    assert_int_equal(closed.gap_ms, 3000);
    struct playback playback = playback_probe(rig.plain);
    for (size_t i = 0; i < playback.audio_count; i++) {
        assert_false(playback.audio[i].time > 2.99 && playback.audio[i].time < 6.0);
    }
    for (size_t i = 0; i < playback.video_count; i++) {
        assert_false(playback.video[i].time > 2.99 && playback.video[i].time < 6.0);
    }
    assert_near(playback.duration, 9.0, 0.05);
    assert_int_equal(playback.audio_count, 300);
    playback_decode(rig.plain);
    playback_free(&playback);
    int fd;
    struct ck_seal *seal = playback_open(rig.sealed, &fd);
    const struct ck_seal_mark *mark = find_mark(seal, CK_SEAL_MARK_PAUSE, 0);
    assert_int_equal(mark->kind, CK_SEAL_MARK_PAUSE);
    assert_int_equal(mark->code, 17);
    assert_int_equal(mark->from_ms, 3000);
    assert_int_equal(mark->until_ms, 6000);
    assert_int_equal(find_mark(seal, CK_SEAL_MARK_GAP, 0)->kind, 0);
    ck_seal_close(seal);
    close(fd);
    rig_stop(&rig);
}

static void after_a_loss_video_waits_for_a_key_frame_and_sound_goes_on(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig_run(&rig, 0, 2000);
    rig.world.drop_video = 1;
    rig_run(&rig, 2000, 2880);
    ck_recorder_tick(rig.recorder, sender_at(2880));
    rig_wait(&rig, CK_RECORDING_WANT_KEY_FRAME, PLAYBACK_RECORDING);
    sender_key_frame(rig.sender);
    rig.world.drop_audio = 15; /* 300 ms */
    rig_run(&rig, 2880, 6000);
    struct ck_recording_event closed = rig_close(&rig, 6000);
    assert_int_equal(closed.gaps, 2);
    struct playback playback = playback_probe(rig.plain);
    assert_int_equal(playback.video_count, 50 + (6000 - 2880) / SENDER_PICTURE_MS);
    assert_near(playback.video[50].time, 2.88, 0.002);
    assert_true(playback.video[50].key);
    playback_decode(rig.plain);
    playback_free(&playback);
    int fd;
    struct ck_seal *seal = playback_open(rig.sealed, &fd);
    const struct ck_seal_mark *mark = find_mark(seal, CK_SEAL_MARK_GAP, 0);
    assert_int_equal(mark->code, CK_SEAL_GAP_LOSS);
    assert_int_equal(mark->source, CK_SEAL_VIDEO);
    assert_int_equal(mark->gap.packets, 1);
    assert_int_equal(mark->until_ms, 2880);
    mark = find_mark(seal, CK_SEAL_MARK_GAP, 1);
    assert_int_equal(mark->source, CK_SEAL_AUDIO);
    assert_int_equal(mark->gap.packets, 15);
    ck_seal_close(seal);
    close(fd);
    rig_stop(&rig);
}

static void late_and_doubled_packets_change_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig_run(&rig, 0, 2000);
    static const uint8_t opus[] = {0xF8, 1, 2, 3};
    struct ck_recording_packet packet = {
        .source = CK_RECORDING_AUDIO,
        .ssrc = 0x1000,
        .sequence = (uint16_t)(65000 + 50), /* long ago */
        .timestamp = 1,
        .arrival = sender_at(2000),
        .payload = opus,
        .size = sizeof opus,
    };
    ck_recording_packet(rig.recording, &packet);
    ck_recording_packet(rig.recording, &packet);
    rig_run(&rig, 2000, 4000);
    rig_close(&rig, 4000);
    struct playback playback = playback_probe(rig.plain);
    assert_int_equal(playback.audio_count, 200);
    assert_near(playback.duration, 4.0, 0.03);
    playback_free(&playback);
    rig_stop(&rig);
}

/* Packets of every kind of nonsense: nothing but their own absence. */
static void nonsense_in_packets_harms_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig_run(&rig, 0, 1000);
    uint32_t seed = 1;
    uint8_t bytes[CK_RECORDER_PACKET_MAX + 1];
    for (unsigned i = 0; i < 20000; i++) {
        for (size_t j = 0; j < 40; j++) {
            seed = seed * 1664525 + 1013904223;
            bytes[j] = (uint8_t)(seed >> 24);
        }
        struct ck_recording_packet packet = {
            .source = (enum ck_recording_source)(seed >> 30 & 1),
            .marker = seed >> 29 & 1,
            .sequence = (uint16_t)(i + (seed >> 20) % 3),
            .timestamp = seed >> 10 & 1 ? seed : i * 900,
            .ssrc = 5 + (seed >> 5) % 200 / 199,
            .arrival = sender_at(1000 + i / 4),
            .payload = bytes,
            .size = seed % sizeof bytes % (i % 100 == 0 ? sizeof bytes : 40),
        };
        ck_recording_packet(rig.recording, &packet);
        ck_recording_report(rig.recording, packet.source, packet.ssrc, seed, (uint64_t)seed << 30,
                            packet.arrival);
    }
    rig_run(&rig, 6000, 8000);
    struct ck_recording_event closed = rig_close(&rig, 8000);
    assert_int_equal(closed.error, 0);
    assert_true(closed.duration_ms < 12000);
    rig_stop(&rig);
}

/* ---- slow and failing disks ---- */

struct disk {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stalled;
    bool waiting;       /* the writer stands in a write */
    int64_t full_after; /* bytes; then ENOSPC */
    bool short_writes;
    unsigned syncs;
};

static ssize_t disk_write(void *user, int fd, const void *bytes, size_t size)
{
    struct disk *disk = user;
    pthread_mutex_lock(&disk->lock);
    while (disk->stalled) {
        disk->waiting = true;
        pthread_cond_broadcast(&disk->changed);
        pthread_cond_wait(&disk->changed, &disk->lock);
    }
    if (disk->full_after >= 0) {
        if (disk->full_after == 0) {
            pthread_mutex_unlock(&disk->lock);
            errno = ENOSPC;
            return -1;
        }
        size = (int64_t)size < disk->full_after ? size : (size_t)disk->full_after;
        disk->full_after -= (int64_t)size;
    }
    bool short_writes = disk->short_writes;
    pthread_mutex_unlock(&disk->lock);
    return write(fd, bytes, short_writes && size > 7 ? 7 : size);
}

static int disk_sync(void *user, int fd)
{
    struct disk *disk = user;
    pthread_mutex_lock(&disk->lock);
    disk->syncs++;
    pthread_mutex_unlock(&disk->lock);
    return fdatasync(fd);
}

static void disk_stall(struct disk *disk, bool stalled)
{
    pthread_mutex_lock(&disk->lock);
    disk->stalled = stalled;
    pthread_cond_broadcast(&disk->changed);
    pthread_mutex_unlock(&disk->lock);
}

static void disk_wait_for_writer(struct disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    while (!disk->waiting) {
        pthread_cond_wait(&disk->changed, &disk->lock);
    }
    pthread_mutex_unlock(&disk->lock);
}

#define DISK_INIT                                                                                  \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .full_after = -1   \
    }

/* The disk stands still for ten seconds of a call at 600 kbit/s: the loop never waits, and nothing
 * is lost. */
static void a_stalled_disk_costs_no_packet(void **state)
{
    (void)state;
    struct disk disk = DISK_INIT;
    struct ck_recorder_io io = {disk_write, disk_sync, &disk};
    struct ck_recorder_config config = {.recordings_max = 4, .io = &io};
    struct rig rig;
    rig_start_with(&rig, &config);
    rig.recording = rig_open(&rig, rig.sealed, PLAYBACK_RECORDING);
    rig.world.fat_bytes = 75000;
    rig_run(&rig, 0, 4000);
    disk_stall(&disk, true);
    rig_run(&rig, 4000, 7000);
    disk_wait_for_writer(&disk);
    rig_run(&rig, 7000, 14000);
    assert_true(ck_recorder_ring_used(rig.recorder) > 7 * 70000);
    disk_stall(&disk, false);
    rig_run(&rig, 14000, 16000);
    struct ck_recording_event closed = rig_close(&rig, 16000);
    assert_int_equal(closed.gaps, 0);
    assert_int_equal(rig_count(&rig, CK_RECORDING_OVERFLOW), 0);
    struct playback playback = playback_probe(rig.plain);
    assert_int_equal(playback.video_count, 400);
    assert_int_equal(playback.audio_count, 800);
    playback_free(&playback);
    rig_stop(&rig);
}

static void heads_are_told_for_what_is_synced(void **state)
{
    (void)state;
    struct disk disk = DISK_INIT;
    struct ck_recorder_io io = {disk_write, disk_sync, &disk};
    struct ck_recorder_config config = {.recordings_max = 4, .io = &io};
    struct rig rig;
    rig_start_with(&rig, &config);
    rig.recording = rig_open(&rig, rig.sealed, PLAYBACK_RECORDING);
    for (int64_t ms = 0; ms < 17000; ms += CK_RECORDER_TICK_MS) {
        rig_run(&rig, ms, ms + CK_RECORDER_TICK_MS);
        while (ck_recorder_ring_used(rig.recorder) > 0) {
            ck_recorder_tick(rig.recorder, sender_at(ms));
            sched_yield();
        }
    }
    struct ck_recording_event closed = rig_close(&rig, 17000);
    /* Five seconds after the first byte that was not synced, and at the end. */
    assert_in_range(disk.syncs, 3, 4);
    assert_int_equal(rig_count(&rig, CK_RECORDING_HEAD), disk.syncs - 1);
    uint64_t chunks = 0;
    for (size_t i = 0; i < rig.event_count; i++) {
        if (rig.events[i].kind == CK_RECORDING_HEAD) {
            assert_true(rig.events[i].head.chunks > chunks);
            chunks = rig.events[i].head.chunks;
        }
    }
    assert_true(closed.head.chunks > chunks);
    rig_stop(&rig);
}

static void what_the_ring_cannot_hold_is_counted_and_marked(void **state)
{
    (void)state;
    struct disk disk = DISK_INIT;
    struct ck_recorder_io io = {disk_write, disk_sync, &disk};
    struct ck_recorder_config config = {
        .ring_size = CK_RECORDER_RING_MIN, .recordings_max = 4, .io = &io};
    struct rig rig;
    rig_start_with(&rig, &config);
    disk_stall(&disk, true);
    rig.recording = rig_open(&rig, rig.sealed, PLAYBACK_RECORDING);
    disk_wait_for_writer(&disk);
    rig.world.fat_bytes = 75000;
    rig_run(&rig, 0, 10000);
    disk_stall(&disk, false);
    while (ck_recorder_ring_used(rig.recorder) > 0) {
        ck_recorder_tick(rig.recorder, sender_at(10000));
        sched_yield();
    }
    sender_key_frame(rig.sender);
    rig_run(&rig, 10000, 12000);
    struct ck_recording_event closed = rig_close(&rig, 12000);
    assert_int_equal(closed.error, 0);
    assert_int_equal(closed.gaps, 1);
    const struct ck_recording_event *overflow =
        rig_wait(&rig, CK_RECORDING_OVERFLOW, PLAYBACK_RECORDING);
    int fd;
    struct ck_seal *seal = playback_open(rig.sealed, &fd);
    const struct ck_seal_mark *mark = find_mark(seal, CK_SEAL_MARK_GAP, 0);
    assert_int_equal(mark->code, CK_SEAL_GAP_OVERFLOW);
    assert_int_equal(mark->gap.packets, overflow->lost);
    struct playback playback = playback_probe(rig.plain);
    /* Sound tells it exactly: one packet is one frame. */
    uint64_t lost_sound = 600 - playback.audio_count;
    assert_true(lost_sound > 0 && overflow->lost > lost_sound);
    for (size_t i = 0; i < playback.audio_count; i++) {
        assert_false(playback.audio[i].time * 1000 > (double)mark->from_ms + 1 &&
                     playback.audio[i].time * 1000 < (double)mark->until_ms);
    }
    playback_decode(rig.plain);
    playback_free(&playback);
    ck_seal_close(seal);
    close(fd);
    rig_stop(&rig);
}

/* The ring is still full when the recording is stopped. */
static void an_overflow_up_to_the_end_is_marked(void **state)
{
    (void)state;
    struct disk disk = DISK_INIT;
    struct ck_recorder_io io = {disk_write, disk_sync, &disk};
    struct ck_recorder_config config = {
        .ring_size = CK_RECORDER_RING_MIN, .recordings_max = 4, .io = &io};
    struct rig rig;
    rig_start_with(&rig, &config);
    disk_stall(&disk, true);
    rig.recording = rig_open(&rig, rig.sealed, PLAYBACK_RECORDING);
    disk_wait_for_writer(&disk);
    rig.world.fat_bytes = 75000;
    rig_run(&rig, 0, 8000);
    ck_recording_close(rig.recording, sender_at(8000));
    disk_stall(&disk, false);
    struct ck_recording_event closed = *rig_wait(&rig, CK_RECORDING_CLOSED, PLAYBACK_RECORDING);
    assert_int_equal(closed.error, 0);
    assert_int_equal(closed.gaps, 1);
    assert_true(rig_find(&rig, CK_RECORDING_OVERFLOW, PLAYBACK_RECORDING) != NULL);
    rig_stop(&rig);
}

static void a_full_disk_ends_its_recording_only(void **state)
{
    (void)state;
    struct disk disk = DISK_INIT;
    disk.full_after = 200000;
    struct ck_recorder_io io = {disk_write, disk_sync, &disk};
    struct ck_recorder_config config = {.recordings_max = 4, .io = &io};
    struct rig rig;
    rig_start_with(&rig, &config);
    rig.recording = rig_open(&rig, rig.sealed, PLAYBACK_RECORDING);
    rig.world.fat_bytes = 75000;
    rig_run(&rig, 0, 10000);
    struct ck_recording_event closed = *rig_wait(&rig, CK_RECORDING_CLOSED, PLAYBACK_RECORDING);
    assert_int_equal(closed.error, ENOSPC);
    /* There is room again: the next recording works, and the broken file is completed. */
    disk.full_after = -1;
    disk.short_writes = true;
    struct ck_seal_recovery recovery;
    assert_int_equal(playback_recover(rig.sealed, &recovery), 0);
    assert_true(recovery.lost_bytes > 0);
    assert_true(recovery.duration_ms > 500);
    assert_int_equal(playback_verify(rig.sealed).fault, CK_SEAL_SOUND);
    unlink(rig.sealed);
    rig.event_count = 0;
    rig.recording = rig_open(&rig, rig.sealed, PLAYBACK_RECORDING);
    rig.world.fat_bytes = 0;
    rig_run(&rig, 10000, 12000);
    closed = rig_close(&rig, 12000);
    assert_int_equal(closed.error, 0);
    rig_stop(&rig);
}

/* The same on a real file system that is full. */
static void a_full_file_system_ends_the_recording(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    char small[200];
    char path[240];
    snprintf(small, sizeof small, "%s/small", rig.folder);
    snprintf(path, sizeof path, "%s/sealed", small);
    assert_int_equal(mkdir(small, 0700), 0);
    if (mount("tmpfs", small, "tmpfs", 0, "size=256k") != 0) {
        rig_close(&rig, 0);
        rig_stop(&rig);
        skip(); /* not permitted here */
    }
    struct ck_recording *other = rig_open(&rig, path, 99);
    rig.world.fat_bytes = 75000;
    struct ck_recording *mine = rig.recording;
    rig.recording = other;
    rig_run(&rig, 0, 8000);
    assert_int_equal(rig_wait(&rig, CK_RECORDING_CLOSED, 99)->error, ENOSPC);
    rig.recording = mine;
    sender_key_frame(rig.sender);
    rig_run(&rig, 8000, 10000);
    assert_int_equal(umount(small), 0);
    struct ck_recording_event closed = rig_close(&rig, 10000);
    assert_int_equal(closed.error, 0);
    rig_stop(&rig);
}

static void destroying_closes_what_is_open(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig);
    rig_run(&rig, 0, 2000);
    ck_recorder_destroy(rig.recorder);
    assert_int_equal(playback_verify(rig.sealed).fault, CK_SEAL_SOUND);
    playback_unseal(rig.sealed, rig.plain);
    struct playback playback = playback_probe(rig.plain);
    assert_int_equal(playback.audio_count, 100);
    playback_free(&playback);
    sender_destroy(rig.sender);
    playback_remove(rig.folder);
}

static void limits_are_refused_with_their_names(void **state)
{
    (void)state;
    struct rig rig;
    struct ck_recorder_config config = {.recordings_max = 1};
    rig_start_with(&rig, &config);
    rig.recording = rig_open(&rig, rig.sealed, PLAYBACK_RECORDING);
    struct ck_recording_start start = {.fd = 0, .id = 5};
    struct ck_recording *recording = NULL;
    assert_int_equal(ck_recording_open(rig.recorder, &start, &recording), CK_E_LIMIT);
    start.id = 0;
    assert_int_equal(ck_recording_open(rig.recorder, &start, &recording), CK_E_INVALID);
    rig_close(&rig, 0);
    rig_stop(&rig);
    config.recordings_max = 0;
    struct ck_recorder *recorder = NULL;
    assert_int_equal(ck_recorder_create(&recorder, &config), -EINVAL);
    config.recordings_max = 1;
    config.ring_size = 1000;
    assert_int_equal(ck_recorder_create(&recorder, &config), -EINVAL);
    assert_null(recorder);
}

/* ---- kill -9 ---- */

struct progress {
    _Atomic int64_t ms;
};

/* A process that records in virtual time, as fast as its writer thread keeps up. */
static void record_until_killed(const char *sealed, struct progress *progress)
{
    struct rig rig;
    struct ck_recorder_config config = {.recordings_max = 1};
    memset(&rig, 0, sizeof rig);
    if (ck_recorder_create(&rig.recorder, &config) != 0) {
        _exit(1);
    }
    rig.sender = sender_create(160, 120);
    rig.recording = rig_open(&rig, sealed, PLAYBACK_RECORDING);
    for (int64_t ms = 0;; ms += 20) {
        rig_run(&rig, ms, ms + 20);
        while (ck_recorder_ring_used(rig.recorder) > 0) {
            if (ms % CK_RECORDER_TICK_MS == 0) {
                sched_yield();
                continue;
            }
            break;
        }
        progress->ms = ms;
        rig_poll(&rig);
        rig.event_count = 0;
    }
}

static void a_killed_writer_loses_at_most_three_seconds(void **state)
{
    (void)state;
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(progress != MAP_FAILED);
    const char *given = getenv("CK_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
    print_message("CK_SEED=%u\n", seed);
    srand(seed);
    for (int round = 0; round < 6; round++) {
        char *folder = playback_folder();
        char sealed[128];
        char plain[128];
        snprintf(sealed, sizeof sealed, "%s/sealed", folder);
        snprintf(plain, sizeof plain, "%s/plain.webm", folder);
        progress->ms = -1;
        pid_t child = fork();
        if (child == 0) {
            record_until_killed(sealed, progress);
        }
        int64_t target = 3500 + rand() % 6000;
        while (progress->ms < target) {
            int status;
            assert_int_equal(waitpid(child, &status, WNOHANG), 0);
            sched_yield();
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        int64_t killed_ms = progress->ms;
        struct ck_seal_report report = playback_verify(sealed);
        assert_int_equal(report.fault, CK_SEAL_TRUNCATED);
        struct ck_seal_recovery recovery;
        assert_int_equal(playback_recover(sealed, &recovery), 0);
        if (recovery.duration_ms < killed_ms - 3000) {
            fail_msg("killed at %lld ms, %lld ms are left", (long long)killed_ms,
                     (long long)recovery.duration_ms);
        }
        report = playback_verify(sealed);
        assert_int_equal(report.fault, CK_SEAL_SOUND);
        assert_true(report.recovered);
        playback_unseal(sealed, plain);
        struct playback playback = playback_probe(plain);
        assert_int_equal(playback.streams, 2);
        assert_near(playback.duration, (double)recovery.duration_ms / 1000, 0.002);
        assert_int_equal(playback_decode(plain), playback.video_count);
        if (recovery.duration_ms > 3300) {
            assert_near(playback_seek(plain, 3.2), 3.0, 0.01);
        }
        playback_free(&playback);
        playback_remove(folder);
    }
    munmap(progress, sizeof *progress);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_plays_with_every_frame_of_both_tracks),
        cmocka_unit_test(a_recording_can_be_entered_anywhere),
        cmocka_unit_test(sound_alone_is_a_recording_too),
        cmocka_unit_test(another_picture_size_goes_on_in_the_same_file),
        cmocka_unit_test(lips_are_in_sync_although_delays_differ),
        cmocka_unit_test(without_reports_delays_show),
        cmocka_unit_test(sync_survives_what_phones_do),
        cmocka_unit_test(a_gap_begins_no_earlier_than_the_file),
        cmocka_unit_test(a_pause_writes_nothing_and_is_marked),
        cmocka_unit_test(after_a_loss_video_waits_for_a_key_frame_and_sound_goes_on),
        cmocka_unit_test(late_and_doubled_packets_change_nothing),
        cmocka_unit_test(nonsense_in_packets_harms_nothing),
        cmocka_unit_test(a_stalled_disk_costs_no_packet),
        cmocka_unit_test(heads_are_told_for_what_is_synced),
        cmocka_unit_test(what_the_ring_cannot_hold_is_counted_and_marked),
        cmocka_unit_test(an_overflow_up_to_the_end_is_marked),
        cmocka_unit_test(a_full_disk_ends_its_recording_only),
        cmocka_unit_test(a_full_file_system_ends_the_recording),
        cmocka_unit_test(destroying_closes_what_is_open),
        cmocka_unit_test(limits_are_refused_with_their_names),
        cmocka_unit_test(a_killed_writer_loses_at_most_three_seconds),
    };
    cmocka_set_test_filter(getenv("CK_TEST")); /* a pattern of names; unset: all */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
