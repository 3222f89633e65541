#include "media/render/pipeline.h"

#include "protocol/base/error.h"

GstElement *ck_pipeline_create(const char *description, struct ck_render_answer *answer)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(description, &error);
    if (error != NULL) {
        ck_render_fail(answer, CK_RENDER_FAULT_INTERNAL, "%s", error->message);
        g_error_free(error);
        ck_pipeline_destroy(pipeline);
        return NULL;
    }
    return pipeline;
}

static void take_error(GstMessage *message, struct ck_render_answer *answer)
{
    GError *error = NULL;
    gchar *detail = NULL;
    gst_message_parse_error(message, &error, &detail);
    /* Everything that streams complain of comes from what they were given; what is ours was tried
     * at start. */
    enum ck_render_fault fault =
        error->domain == GST_STREAM_ERROR ? CK_RENDER_FAULT_INPUT : CK_RENDER_FAULT_INTERNAL;
    ck_render_fail(answer, fault, "%s: %s", GST_MESSAGE_SRC_NAME(message), error->message);
    g_error_free(error);
    g_free(detail);
}

int ck_pipeline_run(GstElement **pipeline, int64_t timeout_ms, struct ck_render_answer *answer)
{
    GstBus *bus = gst_element_get_bus(*pipeline);
    gst_element_set_state(*pipeline, GST_STATE_PLAYING);
    GstMessage *message =
        gst_bus_timed_pop_filtered(bus, (GstClockTime)timeout_ms * GST_MSECOND,
                                   (GstMessageType)(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
    int r = 0;
    if (message == NULL) {
        ck_render_fail(answer, CK_RENDER_FAULT_TIMEOUT, "not done after %lld ms",
                       (long long)timeout_ms);
        *pipeline = NULL;
        r = CK_E_BUSY;
    } else {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
            take_error(message, answer);
            r = CK_E_INVALID;
        }
        gst_message_unref(message);
    }
    gst_object_unref(bus);
    return r;
}

void ck_pipeline_destroy(GstElement *pipeline)
{
    if (pipeline != NULL) {
        gst_element_set_state(pipeline, GST_STATE_NULL);
        gst_object_unref(pipeline);
    }
}

void ck_pipeline_destroyp(GstElement **pipeline)
{
    ck_pipeline_destroy(*pipeline);
}
