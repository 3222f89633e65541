#include "media/render/measures.h"

#include <errno.h>
#include <gst/app/gstappsink.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "media/render/measure.h"
#include "media/render/pipeline.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define GREY_SIZE (CK_MEASURE_WIDTH * CK_MEASURE_HEIGHT)

/* Filled by the streaming threads, one for each member, read when they have ended. */
struct measuring {
    GstElement *pipeline;
    struct ck_measure_video video;
    struct ck_measure_audio audio;
    int64_t video_end_ms;
    int64_t audio_end_ms;
};

static int64_t ms_of(GstSample *sample)
{
    GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
    return GST_CLOCK_TIME_IS_VALID(pts) ? (int64_t)(pts / GST_MSECOND) : 0;
}

static GstFlowReturn on_picture(GstAppSink *sink, gpointer user)
{
    struct measuring *measuring = user;
    GstMapInfo map;
    GstSample *sample = gst_app_sink_try_pull_sample(sink, 0);
    if (sample == NULL) {
        return GST_FLOW_EOS;
    }
    if (gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ)) {
        if (map.size >= GREY_SIZE) {
            ck_measure_picture(&measuring->video, ms_of(sample), map.data);
            measuring->video_end_ms = ms_of(sample);
        }
        gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
    }
    gst_sample_unref(sample);
    return GST_FLOW_OK;
}

static GstFlowReturn on_sound(GstAppSink *sink, gpointer user)
{
    struct measuring *measuring = user;
    GstMapInfo map;
    GstSample *sample = gst_app_sink_try_pull_sample(sink, 0);
    if (sample == NULL) {
        return GST_FLOW_EOS;
    }
    if (gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ)) {
        ck_measure_samples(&measuring->audio, ms_of(sample),
                           (const int16_t *)(const void *)map.data, map.size / sizeof(int16_t));
        measuring->audio_end_ms = measuring->audio.end_ms;
        gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
    }
    gst_sample_unref(sample);
    return GST_FLOW_OK;
}

/* A branch for a track that the file has; tracks that it lacks get none, or the end would never
 * come. */
static void add_branch(struct measuring *measuring, GstPad *pad, const char *description,
                       GstFlowReturn (*on_sample)(GstAppSink *, gpointer))
{
    GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
    GstElement *bin = gst_parse_bin_from_description(description, TRUE, NULL);
    if (bin == NULL) {
        GST_ELEMENT_ERROR(measuring->pipeline, CORE, MISSING_PLUGIN, ("no branch"), (NULL));
        return;
    }
    GstElement *sink = gst_bin_get_by_name(GST_BIN(bin), "out");
    gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, measuring, NULL);
    gst_object_unref(sink);
    gst_bin_add(GST_BIN(measuring->pipeline), bin);
    gst_element_sync_state_with_parent(bin);
    GstPad *in = gst_element_get_static_pad(bin, "sink");
    gst_pad_link(pad, in);
    gst_object_unref(in);
}

static void on_track(GstElement *demux, GstPad *pad, gpointer user)
{
    (void)demux;
    gchar *name = gst_pad_get_name(pad);
    if (g_str_has_prefix(name, "video")) {
        add_branch(user, pad,
                   "queue ! vp8dec threads=1 ! videoconvertscale ! "
                   "video/x-raw,format=GRAY8,width=64,height=48 ! appsink name=out sync=false",
                   on_picture);
    } else {
        add_branch(user, pad,
                   "queue ! opusdec ! audioconvert ! audioresample ! "
                   "audio/x-raw,format=S16LE,channels=1,rate=48000 ! appsink name=out sync=false",
                   on_sound);
    }
    g_free(name);
}

static void finish(struct measuring *measuring, struct ck_render_answer *answer)
{
    int64_t end_ms = measuring->video_end_ms > measuring->audio_end_ms ? measuring->video_end_ms
                                                                       : measuring->audio_end_ms;
    ck_measure_video_end(&measuring->video, end_ms);
    ck_measure_audio_end(&measuring->audio, end_ms);
    answer->message.kind = CK_RENDER_MEASURED;
    answer->message.measured.duration_ms = (uint32_t)end_ms;
    answer->message.measured.count = ck_measure_merge(
        &measuring->video.spans, &measuring->audio.spans, answer->message.measured.spans);
}

void ck_measures_run(int in, struct ck_render_answer *answer)
{
    char description[200];
    ck_cleanup(ck_freep) struct measuring *measuring = calloc(1, sizeof *measuring);
    if (measuring == NULL) {
        ck_render_fail(answer, CK_RENDER_FAULT_INTERNAL, "%s", ck_error_text(-ENOMEM));
        return;
    }
    if (lseek(in, 0, SEEK_SET) < 0 && errno != ESPIPE) {
        ck_render_fail(answer, CK_RENDER_FAULT_INTERNAL, "the recording: %s",
                       ck_error_text(-errno));
        return;
    }
    snprintf(description, sizeof description, "fdsrc fd=%d ! matroskademux name=demux", in);
    GstElement *pipeline = ck_pipeline_create(description, answer);
    if (pipeline == NULL) {
        return;
    }
    measuring->pipeline = pipeline;
    GstElement *demux = gst_bin_get_by_name(GST_BIN(pipeline), "demux");
    g_signal_connect(demux, "pad-added", G_CALLBACK(on_track), measuring);
    gst_object_unref(demux);
    int r = ck_pipeline_run(&pipeline, CK_MEASURES_TIMEOUT_MS, answer);
    if (pipeline == NULL) {
        measuring = NULL; /* the threads that are stuck may still write to it */
        return;
    }
    ck_pipeline_destroy(pipeline);
    if (r == 0) {
        finish(measuring, answer);
    }
}
