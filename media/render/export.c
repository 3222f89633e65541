#include "media/render/export.h"

#include <errno.h>
#include <gst/video/video.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/render/pipeline.h"
#include "media/render/stamp.h"
#include "protocol/base/error.h"

#define DESCRIPTION_MAX 16384
#define NOT_RECORDED "NOT RECORDED"
#define STRIP_DOTS 200 /* the strip's letters are a dot for so many lines of picture */

/* A track may be away for minutes while the other goes on: what is compressed is kept, by size
 * alone. */
#define PATIENT_QUEUE "queue max-size-buffers=0 max-size-time=0 max-size-bytes=67108864"

/* The pictures of one recording that came so far, in the film's time. Written by the thread that
 * brings them, read by the one that puts them together. */
struct shown {
    _Atomic GstClockTime from, until; /* of the newest */
    /* The first, and until when there were some before the newest without a gap. What is read ahead
     * may be behind a gap that is not put together yet. */
    _Atomic GstClockTime begin, before;
    GstClockTime offset;
};

struct exporting {
    const struct ck_render_message *job;
    struct shown shown[CK_RENDER_INPUTS_MAX];
    unsigned places;
    struct ck_wall start; /* wall time of the output's time zero */
    unsigned width;       /* of one picture */
    unsigned height;
    bool has_audio;
    bool has_video;
};

struct description {
    char text[DESCRIPTION_MAX];
    size_t size;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void add(struct description *d, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(d->text + d->size, sizeof d->text - d->size, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof d->text - d->size) {
        d->failed = true;
        return;
    }
    d->size += (size_t)length;
}

static void plan(struct exporting *e, const struct ck_render_message *job)
{
    *e = (struct exporting){.job = job, .start = job->export.inputs[0].start};
    e->height = job->export.height & ~1u;
    e->width = e->height * 4 / 3 & ~1u;
    for (unsigned i = 0; i < job->export.count; i++) {
        const struct ck_render_input *input = &job->export.inputs[i];
        e->places = input->place >= e->places ? input->place + 1u : e->places;
        e->has_audio |= (input->tracks & CK_RENDER_TRACK_AUDIO) != 0;
        e->has_video |= (input->tracks & CK_RENDER_TRACK_VIDEO) != 0;
        if (ck_wall_before(input->start, e->start)) {
            e->start = input->start;
        }
    }
}

static void describe_output(struct description *d, const struct exporting *e, int out)
{
    add(d, "webmmux name=mux ! fdsink fd=%d sync=false ", out);
    if (e->has_video) {
        add(d, "compositor name=picture background=black ");
        for (unsigned i = 0; i < e->job->export.count; i++) {
            if ((e->job->export.inputs[i].tracks & CK_RENDER_TRACK_VIDEO) != 0) {
                add(d, "sink_%u::xpos=%u ", i, e->job->export.inputs[i].place * e->width);
            }
        }
        add(d,
            "! video/x-raw,format=I420,width=%u,height=%u,framerate=%d/1 ! identity name=clock ! "
            "vp8enc deadline=1 cpu-used=8 threads=1 target-bitrate=%u keyframe-max-dist=%d ! "
            "queue max-size-time=0 max-size-buffers=0 ! mux. ",
            e->width * e->places, e->height, CK_EXPORT_RATE, e->width * e->height * e->places * 3,
            CK_EXPORT_RATE * 5);
    }
    if (e->has_audio) {
        add(d, "audiomixer name=sound ! audioconvert ! opusenc ! "
               "queue max-size-time=0 max-size-buffers=0 ! mux. ");
    }
}

static void describe_input(struct description *d, const struct exporting *e, unsigned i, int in)
{
    uint8_t tracks = e->job->export.inputs[i].tracks;
    add(d, "fdsrc fd=%d ! matroskademux name=in%u ", in, i);
    if ((tracks & CK_RENDER_TRACK_VIDEO) != 0) {
        /* A picture that stays away for two seconds is not shown any longer. */
        add(d,
            "in%u.video_0 ! " PATIENT_QUEUE " ! vp8dec threads=1 ! "
            "videoconvertscale add-borders=true ! "
            "video/x-raw,format=I420,width=%u,height=%u,pixel-aspect-ratio=1/1 ! "
            "videorate max-duplication-time=2000000000 ! video/x-raw,framerate=%d/1 ! "
            "queue ! picture.sink_%u ",
            i, e->width, e->height, CK_EXPORT_RATE, i);
    }
    if ((tracks & CK_RENDER_TRACK_AUDIO) != 0) {
        add(d,
            "in%u.audio_0 ! " PATIENT_QUEUE " ! opusdec ! audioconvert ! audioresample ! "
            "audio/x-raw,rate=48000,channels=2 ! queue ! sound.sink_%u ",
            i, i);
    }
}

/* Each input begins when it did. */
static void set_offset(GstElement *pipeline, const char *element, unsigned i, int64_t offset_ms)
{
    char name[32];
    GstElement *mixer = gst_bin_get_by_name(GST_BIN(pipeline), element);
    if (mixer == NULL) {
        return; /* there is no such track at all */
    }
    snprintf(name, sizeof name, "sink_%u", i);
    GstPad *pad = gst_element_get_static_pad(mixer, name);
    if (pad != NULL) {
        gst_pad_set_offset(pad, offset_ms * (gint64)GST_MSECOND);
        gst_object_unref(pad);
    }
    gst_object_unref(mixer);
}

/* ---- what is burnt in ---- */

#define FRAME_NS (GST_SECOND / CK_EXPORT_RATE)

/* Whether the frame that begins at `at` shows a picture of this place: one that begins within it is
 * in it already. */
static bool is_shown(struct exporting *e, unsigned place, GstClockTime at)
{
    GstClockTime end = at + FRAME_NS;
    for (unsigned i = 0; i < e->job->export.count; i++) {
        struct shown *shown = &e->shown[i];
        if (e->job->export.inputs[i].place == place &&
            ((end > atomic_load(&shown->begin) && at < atomic_load(&shown->before)) ||
             (end > atomic_load(&shown->from) && at < atomic_load(&shown->until)))) {
            return true;
        }
    }
    return false;
}

static const struct ck_render_text *label_of(const struct exporting *e, unsigned place)
{
    unsigned i = 0;
    while (i + 1 < e->job->export.count && e->job->export.inputs[i].place != place) {
        i++;
    }
    return &e->job->export.inputs[i].label;
}

static void stamp(struct exporting *e, GstVideoFrame *frame, GstClockTime pts)
{
    char clock[CK_STAMP_TEXT_MAX];
    struct ck_stamp_plane plane = {
        .data = GST_VIDEO_FRAME_PLANE_DATA(frame, 0),
        .stride = (size_t)GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0),
        .height = (unsigned)GST_VIDEO_FRAME_HEIGHT(frame),
    };
    unsigned scale = e->height / STRIP_DOTS + 1;
    unsigned line = CK_STAMP_ROWS * scale;
    ck_stamp_clock(ck_wall_add_ms(e->start, (int64_t)(pts / GST_MSECOND)),
                   e->job->export.offset_min, clock);
    for (unsigned place = 0; place < e->places; place++) {
        const struct ck_render_text *label = label_of(e, place);
        unsigned bottom = e->height > line ? e->height - line : 0, x = place * e->width;
        plane.width = x + e->width; /* a long label ends with its picture */
        ck_stamp_draw(&plane, x, bottom, scale, clock, strlen(clock));
        if (bottom > line) {
            ck_stamp_draw(&plane, x, bottom - line, scale, label->data, label->size);
        }
        if (!is_shown(e, place, pts)) {
            ck_stamp_draw(&plane, x, e->height / 2, scale, NOT_RECORDED, strlen(NOT_RECORDED));
        }
    }
}

/* A picture that is to be shown. */
static GstPadProbeReturn on_input(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
    struct shown *shown = user;
    const GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    (void)pad;
    GstClockTime from = buffer->pts + shown->offset;
    GstClockTime until = from + buffer->duration;
    if (atomic_load(&shown->begin) == GST_CLOCK_TIME_NONE) {
        atomic_store(&shown->begin, from);
    }
    /* Without a gap they are one; a picture that waits for its time does not end the one before. */
    if (from > atomic_load(&shown->until) + FRAME_NS) {
        atomic_store(&shown->before, atomic_load(&shown->until));
        atomic_store(&shown->from, from);
    }
    atomic_store(&shown->until, until);
    return GST_PAD_PROBE_OK;
}

static void watch_input(GstElement *pipeline, struct exporting *e, unsigned i)
{
    char name[32];
    GstElement *picture = gst_bin_get_by_name(GST_BIN(pipeline), "picture");
    snprintf(name, sizeof name, "sink_%u", i);
    GstPad *pad = picture == NULL ? NULL : gst_element_get_static_pad(picture, name);
    if (pad != NULL) {
        gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_input, &e->shown[i], NULL);
        gst_object_unref(pad);
    }
    if (picture != NULL) {
        gst_object_unref(picture);
    }
}

static GstPadProbeReturn on_picture(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
    struct exporting *e = user;
    GstVideoFrame frame;
    GstVideoInfo format;
    GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    GstCaps *caps = gst_pad_get_current_caps(pad);
    bool known = caps != NULL && gst_video_info_from_caps(&format, caps);
    if (caps != NULL) {
        gst_caps_unref(caps);
    }
    if (known && gst_video_frame_map(&frame, &format, buffer, GST_MAP_READWRITE)) {
        stamp(e, &frame, GST_BUFFER_PTS(buffer));
        gst_video_frame_unmap(&frame);
    }
    return GST_PAD_PROBE_OK;
}

static void watch_pictures(GstElement *pipeline, struct exporting *e)
{
    GstElement *clock = gst_bin_get_by_name(GST_BIN(pipeline), "clock");
    if (clock == NULL) {
        return; /* sound alone */
    }
    GstPad *pad = gst_element_get_static_pad(clock, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_picture, e, NULL);
    gst_object_unref(pad);
    gst_object_unref(clock);
}

static GstElement *build(struct exporting *e, const int *in, int out,
                         struct ck_render_answer *answer)
{
    static struct description d;
    d = (struct description){.size = 0};
    describe_output(&d, e, out);
    for (unsigned i = 0; i < e->job->export.count; i++) {
        describe_input(&d, e, i, in[i]);
    }
    if (d.failed) {
        ck_render_fail(answer, CK_RENDER_FAULT_INTERNAL, "the pipeline is too long");
        return NULL;
    }
    GstElement *pipeline = ck_pipeline_create(d.text, answer);
    if (pipeline == NULL) {
        return NULL;
    }
    for (unsigned i = 0; i < e->job->export.count; i++) {
        int64_t offset_ms = e->job->export.inputs[i].start.ms - e->start.ms;
        set_offset(pipeline, "picture", i, offset_ms);
        set_offset(pipeline, "sound", i, offset_ms);
        e->shown[i].offset = (GstClockTime)offset_ms * GST_MSECOND;
        atomic_store(&e->shown[i].begin, GST_CLOCK_TIME_NONE);
        watch_input(pipeline, e, i);
    }
    watch_pictures(pipeline, e);
    return pipeline;
}

static int rewind_all(const int *in, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (lseek(in[i], 0, SEEK_SET) < 0 && errno != ESPIPE) {
            return -errno;
        }
    }
    return 0;
}

void ck_export_run(const struct ck_render_message *job, const int *in, int out,
                   struct ck_render_answer *answer)
{
    static struct exporting e; /* outlives threads that are stuck */
    struct stat status;
    plan(&e, job);
    int r = rewind_all(in, job->export.count);
    if (r != 0) {
        ck_render_fail(answer, CK_RENDER_FAULT_INTERNAL, "a recording: %s", ck_error_text(r));
        return;
    }
    GstElement *pipeline = build(&e, in, out, answer);
    if (pipeline == NULL) {
        return;
    }
    r = ck_pipeline_run(&pipeline, CK_EXPORT_TIMEOUT_MS, answer);
    ck_pipeline_destroy(pipeline);
    if (r == 0 && fstat(out, &status) != 0) {
        ck_render_fail(answer, CK_RENDER_FAULT_OUTPUT, "%s", ck_error_text(-errno));
    } else if (r == 0) {
        answer->message.kind = CK_RENDER_DONE;
        answer->message.done.bytes = (uint64_t)status.st_size;
        answer->message.done.width = (uint16_t)(e.has_video ? e.width * e.places : 0);
        answer->message.done.height = (uint16_t)(e.has_video ? e.height : 0);
    }
}
