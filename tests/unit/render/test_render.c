#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "media/render/stamp.h"
#include "tests/unit/render/rendering.h"

static uint8_t frame[CK_RENDER_FRAME_MAX];
static size_t frame_size;

/* A key frame: left half bright, right half dark. */
static void make_frame(unsigned width, unsigned height)
{
    vpx_codec_ctx_t codec;
    vpx_codec_enc_cfg_t config;
    assert_int_equal(vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &config, 0), 0);
    config.g_w = width;
    config.g_h = height;
    config.rc_target_bitrate = 5000;
    assert_int_equal(vpx_codec_enc_init(&codec, vpx_codec_vp8_cx(), &config, 0), 0);
    vpx_image_t *image = vpx_img_alloc(NULL, VPX_IMG_FMT_I420, width, height, 16);
    assert_non_null(image);
    for (unsigned y = 0; y < height; y++) {
        for (unsigned x = 0; x < width; x++) {
            image->planes[0][y * (unsigned)image->stride[0] + x] = x < width / 2 ? 200 : 40;
        }
    }
    for (unsigned y = 0; y < (height + 1) / 2; y++) {
        memset(image->planes[1] + y * (unsigned)image->stride[1], 128, (width + 1) / 2);
        memset(image->planes[2] + y * (unsigned)image->stride[2], 128, (width + 1) / 2);
    }
    assert_int_equal(vpx_codec_encode(&codec, image, 0, 1, VPX_EFLAG_FORCE_KF, VPX_DL_REALTIME), 0);
    vpx_codec_iter_t iter = NULL;
    const vpx_codec_cx_pkt_t *packet = vpx_codec_get_cx_data(&codec, &iter);
    assert_non_null(packet);
    frame_size = packet->data.frame.sz;
    assert_true(frame_size <= sizeof frame);
    memcpy(frame, packet->data.frame.buf, frame_size);
    vpx_img_free(image);
    vpx_codec_destroy(&codec);
}

static struct ck_render_message thumbnail(struct rendering *rendering, const void *bytes,
                                          size_t size, uint16_t width, int *out)
{
    struct ck_render_message job = {
        .kind = CK_RENDER_THUMBNAIL, .job = 42, .thumbnail = {width, 80}};
    static struct ck_render_message answer;
    int fds[2] = {rendering_file(bytes, size), rendering_file("", 0)};
    rendering_order(rendering, &job, fds);
    assert_true(rendering_answer(rendering, &answer));
    assert_int_equal(answer.job, 42);
    close(fds[0]);
    if (out != NULL) {
        *out = fds[1];
    } else {
        close(fds[1]);
    }
    return answer;
}

/* What another program says of the JPEG: its size, and the mean brightness of a half. */
static void judge(int fd, int *width, int *height, double *left, double *right)
{
    char command[400];
    snprintf(command, sizeof command,
             "ffmpeg -v error -i /proc/%d/fd/%d -vf scale=2:1:flags=area,format=gray -f rawvideo - "
             "| od -An -tu1; ffprobe -v error -of csv=p=0 -show_entries stream=width,height "
             "/proc/%d/fd/%d",
             getpid(), fd, getpid(), fd);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%lf %lf %d,%d", left, right, width, height), 4);
    pclose(pipe);
}

static void a_key_frame_becomes_a_jpeg(void **state)
{
    (void)state;
    struct rendering rendering;
    rendering_start(&rendering);
    static const struct {
        unsigned width, height;
        uint16_t max;
        int shown_width, shown_height;
    } cases[] = {{640, 480, 320, 320, 240},
                 {160, 120, 320, 160, 120},
                 {480, 640, 240, 240, 320},
                 {321, 241, 4096, 321, 241}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int out;
        make_frame(cases[i].width, cases[i].height);
        struct ck_render_message answer =
            thumbnail(&rendering, frame, frame_size, cases[i].max, &out);
        assert_int_equal(answer.kind, CK_RENDER_DONE);
        assert_int_equal(answer.done.width, cases[i].shown_width);
        assert_int_equal(answer.done.height, cases[i].shown_height);
        struct stat status;
        assert_int_equal(fstat(out, &status), 0);
        assert_int_equal(status.st_size, answer.done.bytes);
        int width;
        int height;
        double left;
        double right;
        judge(out, &width, &height, &left, &right);
        assert_int_equal(width, cases[i].shown_width);
        assert_int_equal(height, cases[i].shown_height);
        assert_true(left > 170 && right < 80);
        close(out);
    }
    assert_int_equal(rendering_stop(&rendering), 0);
}

static void what_is_no_picture_gets_an_error_and_the_next_job_works(void **state)
{
    (void)state;
    struct rendering rendering;
    rendering_start(&rendering);
    struct ck_render_message answer = thumbnail(&rendering, "", 0, 320, NULL);
    assert_int_equal(answer.kind, CK_RENDER_FAILED);
    assert_int_equal(answer.failed.fault, CK_RENDER_FAULT_INPUT);
    assert_true(answer.failed.message.size > 0);
    answer = thumbnail(&rendering, "this is not a picture at all", 28, 320, NULL);
    assert_int_equal(answer.failed.fault, CK_RENDER_FAULT_INPUT);
    static uint8_t large[CK_RENDER_FRAME_MAX + 1];
    answer = thumbnail(&rendering, large, sizeof large, 320, NULL);
    assert_int_equal(answer.failed.fault, CK_RENDER_FAULT_LIMIT);
    make_frame(64, 64);
    frame[6] = 0xFF; /* a width of 16383 */
    frame[7] = 0x3F;
    answer = thumbnail(&rendering, frame, frame_size, 320, NULL);
    assert_int_equal(answer.failed.fault, CK_RENDER_FAULT_LIMIT);
    make_frame(64, 64);
    answer = thumbnail(&rendering, frame, frame_size, 320, NULL);
    assert_int_equal(answer.kind, CK_RENDER_DONE);
    assert_int_equal(rendering_stop(&rendering), 0);
}

/* Damaged key frames: an answer each time, whatever it is, and it goes on living. */
static void damaged_frames_are_answered(void **state)
{
    (void)state;
    struct rendering rendering;
    rendering_start(&rendering);
    uint32_t seed = 7;
    make_frame(320, 240);
    for (int round = 0; round < 60; round++) {
        static uint8_t damaged[CK_RENDER_FRAME_MAX];
        memcpy(damaged, frame, frame_size);
        size_t size = round % 3 == 0 ? frame_size * (size_t)(round + 1) / 70 : frame_size;
        for (int i = 0; i < 1 + round % 20; i++) {
            seed = seed * 1664525 + 1013904223;
            damaged[round % 2 == 0 ? seed % 60 : seed % frame_size] ^= (uint8_t)(seed >> 24);
        }
        struct ck_render_message answer = thumbnail(&rendering, damaged, size, 320, NULL);
        assert_true(answer.kind == CK_RENDER_DONE || answer.kind == CK_RENDER_FAILED);
    }
    assert_int_equal(rendering_stop(&rendering), 0);
}

static void a_full_output_is_told(void **state)
{
    (void)state;
    struct rendering rendering;
    rendering_start(&rendering);
    make_frame(64, 64);
    struct ck_render_message job = {.kind = CK_RENDER_THUMBNAIL, .job = 9, .thumbnail = {320, 80}};
    int fds[2] = {rendering_file(frame, frame_size), -1};
    FILE *full = fopen("/dev/full", "we");
    assert_non_null(full);
    fds[1] = fileno(full);
    struct ck_render_message answer;
    rendering_order(&rendering, &job, fds);
    assert_true(rendering_answer(&rendering, &answer));
    assert_int_equal(answer.kind, CK_RENDER_FAILED);
    assert_int_equal(answer.failed.fault, CK_RENDER_FAULT_OUTPUT);
    fclose(full);
    close(fds[0]);
    assert_int_equal(rendering_stop(&rendering), 0);
}

/* The same order again after it was killed in the middle of its work: nothing is left over. */
static void after_it_was_killed_a_new_one_does_the_job(void **state)
{
    (void)state;
    struct rendering rendering;
    make_frame(640, 480);
    struct ck_render_message job = {.kind = CK_RENDER_THUMBNAIL, .job = 9, .thumbnail = {320, 80}};
    int fds[2] = {rendering_file(frame, frame_size), rendering_file("", 0)};
    rendering_start(&rendering);
    rendering_order(&rendering, &job, fds);
    assert_int_equal(kill(rendering.pid, SIGKILL), 0);
    struct ck_render_message answer;
    while (rendering_answer(&rendering, &answer)) {
    }
    rendering_stop(&rendering);
    rendering_start(&rendering);
    assert_int_equal(ftruncate(fds[1], 0), 0);
    assert_int_equal(lseek(fds[1], 0, SEEK_SET), 0);
    rendering_order(&rendering, &job, fds);
    assert_true(rendering_answer(&rendering, &answer));
    assert_int_equal(answer.kind, CK_RENDER_DONE);
    assert_int_equal(rendering_stop(&rendering), 0);
    close(fds[0]);
    close(fds[1]);
}

static void a_message_it_does_not_understand_ends_it(void **state)
{
    (void)state;
    static const uint8_t nonsense[] = {0, 1, 2, 3};
    static const uint8_t measures[] = {0, 2, 0, 0, 0, 0, 0, 0, 0, 1}; /* without its descriptor */
    static uint8_t huge[CK_RENDER_MESSAGE_MAX + 500];
    static const struct {
        const uint8_t *bytes;
        size_t size;
    } cases[] = {{nonsense, sizeof nonsense}, {measures, sizeof measures}, {huge, sizeof huge}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rendering rendering;
        struct ck_render_message answer;
        rendering_start(&rendering);
        rendering_send(&rendering, cases[i].bytes, cases[i].size, NULL, 0);
        assert_false(rendering_answer(&rendering, &answer));
        int status = rendering_stop(&rendering);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), CK_RENDER_EXIT_PROTOCOL);
    }
}

/* A recording made by another program: moving for 4 s, black for 4 s, of one grey for 4 s, standing
 * for 6 s; with a tone for 6 s, silence for 8 s and a tone again. Into a memory file. */
static int make_recording(void)
{
    char command[1200];
    int fd = rendering_file("", 0);
    snprintf(command, sizeof command,
             "ffmpeg -v error -y -filter_complex \""
             "testsrc2=s=160x120:r=20:d=4[a];color=black:s=160x120:r=20:d=4[b];"
             "color=gray:s=160x120:r=20:d=4,noise=alls=14:allf=t[c];"
             "testsrc2=s=160x120:r=20:d=0.05,loop=119:1,setpts=N/20/TB[d];"
             "[a][b][c][d]concat=n=4[v];"
             "sine=1000:r=48000:d=6[e];anullsrc=r=48000:cl=mono:d=8[f];sine=500:r=48000:d=4[g];"
             "[e][f][g]concat=n=3:v=0:a=1,asetnsamples=960[s]\" -map '[v]' -map '[s]' -c:v libvpx "
             "-deadline realtime "
             "-b:v 500k -c:a libopus -f webm /proc/%d/fd/%d",
             getpid(), fd);
    assert_int_equal(system(command), 0);
    return fd;
}

static const struct ck_render_span *find_span(const struct ck_render_message *answer,
                                              enum ck_render_measure measure, uint32_t after_ms)
{
    static const struct ck_render_span none;
    for (uint32_t i = 0; i < answer->measured.count; i++) {
        const struct ck_render_span *span = &answer->measured.spans[i];
        if (span->measure == measure && span->from_ms >= after_ms) {
            return span;
        }
    }
    return &none;
}

static void assert_about(const struct ck_render_span *span, int from_ms, int until_ms)
{
    assert_in_range(span->from_ms, from_ms < 150 ? 0 : from_ms - 150, from_ms + 150);
    assert_in_range(span->until_ms, until_ms - 150, until_ms + 150);
}

static void a_recording_is_measured(void **state)
{
    (void)state;
    struct rendering rendering;
    struct ck_render_message job = {.kind = CK_RENDER_MEASURES, .job = 77};
    static struct ck_render_message answer;
    int fd = make_recording();
    rendering_start(&rendering);
    rendering_order(&rendering, &job, &fd);
    assert_true(rendering_answer(&rendering, &answer));
    assert_int_equal(answer.kind, CK_RENDER_MEASURED);
    assert_int_equal(answer.job, 77);
    assert_in_range(answer.measured.duration_ms, 17800, 18200);
    assert_about(find_span(&answer, CK_RENDER_BLACK, 0), 4000, 8000);
    assert_about(find_span(&answer, CK_RENDER_COVERED, 0), 8000, 12000);
    /* Coding goes on for a while after the picture stopped to move. */
    assert_in_range(find_span(&answer, CK_RENDER_FROZEN, 10000)->from_ms, 11900, 14000);
    assert_in_range(find_span(&answer, CK_RENDER_FROZEN, 10000)->until_ms, 17800, 18200);
    assert_about(find_span(&answer, CK_RENDER_SILENT, 0), 6000, 14000);
    close(fd);
    assert_int_equal(rendering_stop(&rendering), 0);
}

#define SIDE 320 /* width of one picture of an export of 240 lines */
#define LINES 240

/* A grey recording with a tone, or without the one or the other. */
static int make_plain(const char *colour, double seconds, unsigned tracks)
{
    char command[800];
    int fd = rendering_file("", 0);
    snprintf(command, sizeof command,
             "ffmpeg -v error -y -f lavfi -i color=%s:s=320x240:r=20:d=%f -f lavfi -i "
             "sine=1000:r=48000:d=%f -c:v libvpx -deadline realtime -b:v 300k -c:a libopus %s %s "
             "-f webm /proc/%d/fd/%d",
             colour, seconds, seconds, (tracks & CK_RENDER_TRACK_VIDEO) != 0 ? "" : "-vn",
             (tracks & CK_RENDER_TRACK_AUDIO) != 0 ? "" : "-an", getpid(), fd);
    assert_int_equal(system(command), 0);
    return fd;
}

/* The brightness of the picture at a time. */
static void grab(int fd, double at, unsigned width, uint8_t *grey)
{
    char command[300];
    snprintf(command, sizeof command,
             "ffmpeg -v error -ss %f -i /proc/%d/fd/%d -frames:v 1 -vf extractplanes=y "
             "-pix_fmt gray -f rawvideo -",
             at, getpid(), fd);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    assert_int_equal(fread(grey, 1, (size_t)width * LINES, pipe), (size_t)width * LINES);
    pclose(pipe);
}

/* How much a strip differs from the text that should be in it, dot by dot. */
static double strip_error_at(const uint8_t *grey, unsigned width, unsigned x, unsigned top,
                             const char *text)
{
    static uint8_t drawn[2 * SIDE * LINES];
    unsigned scale = LINES / 200 + 1;
    struct ck_stamp_plane plane = {drawn, width, width, LINES};
    unsigned columns = (unsigned)strlen(text) * CK_STAMP_COLUMNS * scale;
    columns = columns < SIDE ? columns : SIDE;
    ck_stamp_draw(&plane, x, top, scale, text, strlen(text));
    double sum = 0;
    for (unsigned row = top; row < top + CK_STAMP_ROWS * scale; row++) {
        for (unsigned column = x; column < x + columns; column++) {
            sum += abs(grey[row * width + column] - drawn[row * width + column]);
        }
    }
    return sum / (columns * (CK_STAMP_ROWS * scale));
}

/* The same of the clock. */
static double strip_error(const uint8_t *grey, unsigned width, unsigned x, const char *text)
{
    return strip_error_at(grey, width, x, LINES - CK_STAMP_ROWS * (LINES / 200 + 1), text);
}

static struct ck_render_message export_job(unsigned count)
{
    struct ck_render_message job = {
        .kind = CK_RENDER_EXPORT,
        .job = 90,
        .export = {.height = LINES, .offset_min = 300, .count = (uint8_t)count},
    };
    for (unsigned i = 0; i < count; i++) {
        job.export.inputs[i].start.ms = INT64_C(1795000000000) + i * 3000; /* 14:26:40 UTC */
        job.export.inputs[i].place = (uint8_t)i;
        job.export.inputs[i].tracks = CK_RENDER_TRACK_AUDIO | CK_RENDER_TRACK_VIDEO;
        job.export.inputs[i].label = ck_render_text_of(i == 0 ? "person" : "inspector");
    }
    return job;
}

static struct ck_render_message export_now(const struct ck_render_message *job, const int *fds)
{
    struct rendering rendering;
    static struct ck_render_message answer;
    rendering_start(&rendering);
    rendering_order(&rendering, job, fds);
    assert_true(rendering_answer(&rendering, &answer));
    if (answer.kind == CK_RENDER_FAILED) {
        fail_msg("%.*s", (int)answer.failed.message.size, answer.failed.message.data);
    }
    assert_int_equal(rendering_stop(&rendering), 0);
    return answer;
}

static void probe(int fd, char *text, size_t size)
{
    char command[300];
    snprintf(command, sizeof command,
             "ffprobe -v error -of csv=p=0 -show_entries stream=codec_name:format=duration "
             "/proc/%d/fd/%d | tr '\\n' ' '",
             getpid(), fd);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    assert_non_null(fgets(text, (int)size, pipe));
    pclose(pipe);
}

static void two_recordings_stand_side_by_side_under_one_clock(void **state)
{
    (void)state;
    static uint8_t grey[2 * SIDE * LINES];
    struct ck_render_message job = export_job(2);
    int fds[3] = {make_plain("gray", 8, 3), make_plain("white", 5, 3), rendering_file("", 0)};
    struct ck_render_message answer = export_now(&job, fds);
    assert_int_equal(answer.kind, CK_RENDER_DONE);
    assert_int_equal(answer.done.width, 2 * SIDE);
    assert_int_equal(answer.done.height, LINES);
    struct stat status;
    assert_int_equal(fstat(fds[2], &status), 0);
    assert_int_equal(answer.done.bytes, status.st_size);
    char text[200];
    double duration = 0;
    probe(fds[2], text, sizeof text);
    assert_non_null(strstr(text, "vp8"));
    assert_non_null(strstr(text, "opus"));
    assert_int_equal(sscanf(text + strcspn(text, "0123456789"), "8 opus %lf", &duration), 1);
    assert_in_range((int)(duration * 1000), 7900, 8200);
    /* The right one begins three seconds later. */
    grab(fds[2], 1.5, 2 * SIDE, grey);
    assert_in_range(grey[100 * 2 * SIDE + 100], 100, 150);
    assert_in_range(grey[100 * 2 * SIDE + SIDE + 100], 0, 40);
    assert_true(strip_error(grey, 2 * SIDE, 0, "2026-11-18 16:06:41 +05:00") < 20);
    grab(fds[2], 5.5, 2 * SIDE, grey);
    assert_in_range(grey[100 * 2 * SIDE + 100], 100, 150);
    assert_in_range(grey[100 * 2 * SIDE + SIDE + 100], 200, 255);
    assert_true(strip_error(grey, 2 * SIDE, 0, "2026-11-18 16:06:45 +05:00") < 20);
    assert_true(strip_error(grey, 2 * SIDE, SIDE, "2026-11-18 16:06:45 +05:00") < 20);
    assert_true(strip_error(grey, 2 * SIDE, 0, "2026-11-18 16:06:41 +05:00") >
                strip_error(grey, 2 * SIDE, 0, "2026-11-18 16:06:45 +05:00") + 1);
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
}

/* Whether the picture says that there is none. */
static bool says_not_recorded(const uint8_t *grey, unsigned x)
{
    return strip_error_at(grey, 2 * SIDE, x, LINES / 2, "NOT RECORDED") < 20;
}

/* A leg was cut off and came back: both parts are in the film, and what lies between is marked. */
static void the_parts_of_a_leg_stand_one_after_the_other(void **state)
{
    (void)state;
    static uint8_t grey[2 * SIDE * LINES];
    struct ck_render_message job = export_job(3);
    job.export.inputs[1].place = 0;
    job.export.inputs[1].start.ms = job.export.inputs[0].start.ms + 6013;
    job.export.inputs[2].place = 1;
    job.export.inputs[2].start.ms = job.export.inputs[0].start.ms + 1000;
    job.export.inputs[2].label = ck_render_text_of("inspector");
    int fds[4] = {make_plain("gray", 3, 3), make_plain("gray", 3, 3), make_plain("white", 7, 3),
                  rendering_file("", 0)};
    struct ck_render_message answer = export_now(&job, fds);
    assert_int_equal(answer.done.width, 2 * SIDE);
    static const struct {
        double at;
        bool left, right;
    } looks[] = {{0.5, true, false}, {2.5, true, true}, {3.6, false, true},
                 {5.5, false, true}, {6.5, true, true}, {8.5, true, false}};
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        grab(fds[3], looks[i].at, 2 * SIDE, grey);
        assert_int_equal(grey[60 * 2 * SIDE + 100] > 100, looks[i].left);
        assert_int_equal(grey[60 * 2 * SIDE + SIDE + 100] > 200, looks[i].right);
        assert_int_equal(says_not_recorded(grey, 0), !looks[i].left);
        assert_int_equal(says_not_recorded(grey, SIDE), !looks[i].right);
    }
    grab(fds[3], 5.5, 2 * SIDE, grey);
    assert_true(strip_error(grey, 2 * SIDE, 0, "2026-11-18 16:06:45 +05:00") < 20);
    /* At the seams, which are within frames: a picture or the words, never both or neither. */
    for (int ms = 2900; ms < 6200; ms = ms == 3100 ? 5900 : ms + 20) {
        grab(fds[3], ms / 1000.0, 2 * SIDE, grey);
        assert_int_equal(grey[60 * 2 * SIDE + 100] > 60, !says_not_recorded(grey, 0));
    }
    for (int i = 0; i < 4; i++) {
        close(fds[i]);
    }
}

/* One picture, then none for three seconds, and again. */
static int make_with_hole(void)
{
    char command[400];
    int fd = rendering_file("", 0);
    snprintf(command, sizeof command,
             "ffmpeg -v error -y -f lavfi -i color=gray:s=320x240:r=20:d=4 "
             "-vf \"select='lt(t,0.04)+gt(t,3)'\" -vsync vfr -c:v libvpx -deadline realtime "
             "-b:v 300k -f webm /proc/%d/fd/%d",
             getpid(), fd);
    assert_int_equal(system(command), 0);
    return fd;
}

/* What is read ahead of a part is no picture of the time before it. */
static void before_a_part_with_a_hole_nothing_is_recorded(void **state)
{
    (void)state;
    static uint8_t grey[2 * SIDE * LINES];
    struct ck_render_message job = export_job(3);
    for (unsigned i = 0; i < 3; i++) {
        job.export.inputs[i].place = i == 2;
        job.export.inputs[i].tracks = CK_RENDER_TRACK_VIDEO;
        job.export.inputs[i].start.ms = job.export.inputs[0].start.ms + (i == 1 ? 6000 : 0);
    }
    int fds[4] = {make_plain("gray", 2, 2), make_with_hole(), make_plain("white", 10, 2),
                  rendering_file("", 0)};
    export_now(&job, fds);
    for (unsigned second = 3; second < 6; second++) {
        grab(fds[3], second + 0.5, 2 * SIDE, grey);
        assert_true(says_not_recorded(grey, 0));
        assert_false(says_not_recorded(grey, SIDE));
    }
    grab(fds[3], 9.5, 2 * SIDE, grey);
    assert_false(says_not_recorded(grey, 0));
    for (int i = 0; i < 4; i++) {
        close(fds[i]);
    }
}

/* The cage has room for a film of as many parts as one may have. */
static void as_many_parts_as_there_may_be_are_exported(void **state)
{
    (void)state;
    struct ck_render_message job = export_job(2);
    int fds[CK_RENDER_FDS_MAX];
    job.export.count = CK_RENDER_INPUTS_MAX;
    for (unsigned i = 0; i < CK_RENDER_INPUTS_MAX; i++) {
        job.export.inputs[i] = job.export.inputs[i % 2];
        job.export.inputs[i].start.ms = INT64_C(1795000000000) + i * 500;
        fds[i] = make_plain("gray", 1, 3);
    }
    fds[CK_RENDER_INPUTS_MAX] = rendering_file("", 0);
    setenv("G_DEBUG", "fatal-criticals", 1); /* a descriptor that is not had is no more than told */
    assert_int_equal(export_now(&job, fds).kind, CK_RENDER_DONE);
    unsetenv("G_DEBUG");
    for (unsigned i = 0; i < CK_RENDER_FDS_MAX; i++) {
        close(fds[i]);
    }
}

static void a_recording_that_lacks_a_track_is_exported_too(void **state)
{
    (void)state;
    struct ck_render_message job = export_job(2);
    job.export.inputs[1].tracks = CK_RENDER_TRACK_AUDIO;
    int fds[3] = {make_plain("gray", 3, 2), make_plain("white", 3, 1), rendering_file("", 0)};
    job.export.inputs[0].tracks = CK_RENDER_TRACK_VIDEO;
    struct ck_render_message answer = export_now(&job, fds);
    assert_int_equal(answer.kind, CK_RENDER_DONE);
    assert_int_equal(answer.done.width, 2 * SIDE);
    char text[200];
    probe(fds[2], text, sizeof text);
    assert_non_null(strstr(text, "vp8"));
    assert_non_null(strstr(text, "opus"));
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
}

static void what_is_no_recording_is_not_measured(void **state)
{
    (void)state;
    struct rendering rendering;
    struct ck_render_message job = {.kind = CK_RENDER_MEASURES, .job = 78};
    static struct ck_render_message answer;
    static const char text[] = "no recording, whoever looks at it; and so on and so forth.";
    rendering_start(&rendering);
    for (size_t size = 0; size < sizeof text; size += sizeof text - 1) {
        int fd = rendering_file(text, size);
        rendering_order(&rendering, &job, &fd);
        assert_true(rendering_answer(&rendering, &answer));
        assert_int_equal(answer.kind, CK_RENDER_FAILED);
        assert_int_equal(answer.failed.fault, CK_RENDER_FAULT_INPUT);
        close(fd);
    }
    assert_int_equal(rendering_stop(&rendering), 0);
}

static void without_its_socket_it_says_so(void **state)
{
    (void)state;
    int status = system(CK_BUILD_DIR "/bin/checkin-render 2>/dev/null");
    assert_int_equal(WEXITSTATUS(status), CK_RENDER_EXIT_USAGE);
    status = system(CK_BUILD_DIR "/bin/checkin-render --control-fd=0 </dev/null 2>/dev/null");
    assert_int_equal(WEXITSTATUS(status), CK_RENDER_EXIT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_frame_becomes_a_jpeg),
        cmocka_unit_test(what_is_no_picture_gets_an_error_and_the_next_job_works),
        cmocka_unit_test(damaged_frames_are_answered),
        cmocka_unit_test(a_full_output_is_told),
        cmocka_unit_test(after_it_was_killed_a_new_one_does_the_job),
        cmocka_unit_test(a_recording_is_measured),
        cmocka_unit_test(two_recordings_stand_side_by_side_under_one_clock),
        cmocka_unit_test(the_parts_of_a_leg_stand_one_after_the_other),
        cmocka_unit_test(before_a_part_with_a_hole_nothing_is_recorded),
        cmocka_unit_test(as_many_parts_as_there_may_be_are_exported),
        cmocka_unit_test(a_recording_that_lacks_a_track_is_exported_too),
        cmocka_unit_test(what_is_no_recording_is_not_measured),
        cmocka_unit_test(a_message_it_does_not_understand_ends_it),
        cmocka_unit_test(without_its_socket_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
