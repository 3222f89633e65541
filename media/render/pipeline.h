/* What all jobs do with a GStreamer pipeline. */
#ifndef MEDIA_RENDER_PIPELINE_H
#define MEDIA_RENDER_PIPELINE_H

#include <gst/gst.h>
#include <stdint.h>

#include "media/render/answer.h"

/* A pipeline of a description in the form of gst-launch; NULL with the answer FAILED. */
GstElement *ck_pipeline_create(const char *description, struct ck_render_answer *answer);

/* Plays it to its end or for at most `timeout_ms`. 0, or the answer FAILED: a decoder's complaint
 * is a fault of the input. After a time-out *pipeline is NULL and its threads are left to
 * themselves, as waiting for them could take for ever: the process has to end. */
int ck_pipeline_run(GstElement **pipeline, int64_t timeout_ms, struct ck_render_answer *answer);

/* Stops and frees it; NULL is taken. */
void ck_pipeline_destroy(GstElement *pipeline);
void ck_pipeline_destroyp(GstElement **pipeline);

#endif
