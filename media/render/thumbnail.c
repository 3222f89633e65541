#include "media/render/thumbnail.h"

#include <errno.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/render/pipeline.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define PIPELINE                                                                                   \
    "appsrc name=in ! vp8dec threads=1 ! videoconvertscale name=scale ! capsfilter name=size ! "   \
    "jpegenc name=jpeg ! appsink name=out sync=false wait-on-eos=false"

#define FRAME_HEADER 10 /* bytes of a key frame up to its size, RFC 6386 section 9.1 */

struct picture {
    unsigned width;
    unsigned height;
};

/* The size that a key frame says it has. */
static int read_size(const uint8_t *frame, size_t size, struct picture *picture)
{
    if (size < FRAME_HEADER || (frame[0] & 1) != 0 || frame[3] != 0x9D || frame[4] != 0x01 ||
        frame[5] != 0x2A) {
        return CK_E_SYNTAX;
    }
    picture->width = (frame[6] | (unsigned)frame[7] << 8) & 0x3FFF;
    picture->height = (frame[8] | (unsigned)frame[9] << 8) & 0x3FFF;
    return picture->width == 0 || picture->height == 0 ? CK_E_SYNTAX : 0;
}

static struct picture fit(struct picture picture, unsigned width_max)
{
    if (picture.width <= width_max) {
        return picture;
    }
    unsigned height = (picture.height * width_max + picture.width / 2) / picture.width;
    return (struct picture){width_max, height == 0 ? 1 : height};
}

/* Property setters of the pipeline's named elements; the elements are there by construction. */
static GstElement *element(GstElement *pipeline, const char *name)
{
    return gst_bin_get_by_name(GST_BIN(pipeline), name);
}

static void set_caps(GstElement *pipeline, const char *name, GstCaps *caps)
{
    GstElement *one = element(pipeline, name);
    g_object_set(one, "caps", caps, NULL);
    gst_object_unref(one);
    gst_caps_unref(caps);
}

static void feed(GstElement *pipeline, const uint8_t *frame, size_t size)
{
    GstElement *in = element(pipeline, "in");
    GstBuffer *buffer = gst_buffer_new_memdup(frame, size);
    GST_BUFFER_PTS(buffer) = 0;
    gst_app_src_push_buffer(GST_APP_SRC(in), buffer);
    gst_app_src_end_of_stream(GST_APP_SRC(in));
    gst_object_unref(in);
}

/* The whole job in memory. The sample is the caller's. */
static GstSample *make(const uint8_t *frame, size_t size, struct picture shown, unsigned quality,
                       struct ck_render_answer *answer)
{
    ck_cleanup(ck_pipeline_destroyp) GstElement *pipeline = ck_pipeline_create(PIPELINE, answer);
    if (pipeline == NULL) {
        return NULL;
    }
    GstElement *jpeg = element(pipeline, "jpeg");
    g_object_set(jpeg, "quality", (gint)quality, NULL);
    gst_object_unref(jpeg);
    set_caps(pipeline, "in", gst_caps_new_empty_simple("video/x-vp8"));
    set_caps(pipeline, "size",
             gst_caps_new_simple("video/x-raw", "width", G_TYPE_INT, (gint)shown.width, "height",
                                 G_TYPE_INT, (gint)shown.height, NULL));
    feed(pipeline, frame, size);
    if (ck_pipeline_run(&pipeline, CK_THUMBNAIL_TIMEOUT_MS, answer) != 0) {
        return NULL;
    }
    GstElement *out = element(pipeline, "out");
    GstSample *sample = gst_app_sink_try_pull_sample(GST_APP_SINK(out), 0);
    gst_object_unref(out);
    if (sample == NULL) {
        ck_render_fail(answer, CK_RENDER_FAULT_INPUT, "the key frame gives no picture");
    }
    return sample;
}

/* Everything up to the end of the input, at most `capacity` bytes. CK_E_LIMIT, -errno. */
static int read_all(int fd, uint8_t *bytes, size_t capacity, size_t *size)
{
    size_t got = 0;
    if (lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE) {
        return -errno;
    }
    for (;;) {
        ssize_t part = read(fd, bytes + got, capacity - got);
        if (part == 0) {
            *size = got;
            return 0;
        }
        if (part < 0 && errno != EINTR) {
            return -errno;
        }
        got += part < 0 ? 0 : (size_t)part;
        if (got == capacity) {
            return CK_E_LIMIT;
        }
    }
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t part = write(fd, bytes, size);
        if (part < 0 && errno != EINTR) {
            return -errno;
        }
        bytes += part < 0 ? 0 : part;
        size -= part < 0 ? 0 : (size_t)part;
    }
    return 0;
}

static void write_sample(GstSample *sample, int out, struct picture shown,
                         struct ck_render_answer *answer)
{
    GstMapInfo map;
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    if (buffer == NULL || !gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        ck_render_fail(answer, CK_RENDER_FAULT_INTERNAL, "the picture has no bytes");
        return;
    }
    int r = write_all(out, map.data, map.size);
    if (r != 0) {
        ck_render_fail(answer, CK_RENDER_FAULT_OUTPUT, "the picture: %s", ck_error_text(r));
    } else {
        answer->message.kind = CK_RENDER_DONE;
        answer->message.done.bytes = map.size;
        answer->message.done.width = (uint16_t)shown.width;
        answer->message.done.height = (uint16_t)shown.height;
    }
    gst_buffer_unmap(buffer, &map);
}

void ck_thumbnail_run(const struct ck_render_message *job, int in, int out,
                      struct ck_render_answer *answer)
{
    ck_cleanup(ck_freep) uint8_t *frame = malloc(CK_RENDER_FRAME_MAX + 1);
    size_t size = 0;
    struct picture coded;
    int r = frame == NULL ? -ENOMEM : read_all(in, frame, CK_RENDER_FRAME_MAX + 1, &size);
    if (r != 0) {
        ck_render_fail(answer, r == CK_E_LIMIT ? CK_RENDER_FAULT_LIMIT : CK_RENDER_FAULT_INTERNAL,
                       "reading the key frame: %s", ck_error_text(r));
        return;
    }
    if (read_size(frame, size, &coded) != 0) {
        ck_render_fail(answer, CK_RENDER_FAULT_INPUT, "these %zu bytes are no VP8 key frame", size);
        return;
    }
    if (coded.width > CK_RENDER_WIDTH_MAX || coded.height > CK_RENDER_WIDTH_MAX) {
        ck_render_fail(answer, CK_RENDER_FAULT_LIMIT, "a picture of %u x %u", coded.width,
                       coded.height);
        return;
    }
    struct picture shown = fit(coded, job->thumbnail.width_max);
    GstSample *sample = make(frame, size, shown, job->thumbnail.quality, answer);
    if (sample != NULL) {
        write_sample(sample, out, shown, answer);
        gst_sample_unref(sample);
    }
}

int ck_thumbnail_try(struct ck_render_answer *answer)
{
    /* A grey picture of 16 x 16. */
    static const uint8_t frame[] = {0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0x10, 0x00, 0x10, 0x00,
                                    0x00, 0x47, 0x08, 0x85, 0x85, 0x88, 0x99, 0x84, 0x88, 0x02,
                                    0x02, 0x00, 0x0C, 0x0D, 0x60, 0x00, 0xFE, 0xEB, 0x84, 0x00};
    GstSample *sample = make(frame, sizeof frame, (struct picture){8, 8}, 80, answer);
    if (sample == NULL) {
        return CK_E_INVALID;
    }
    gst_sample_unref(sample);
    return 0;
}
