/* The job THUMBNAIL: one VP8 key frame to a JPEG picture. */
#ifndef MEDIA_RENDER_THUMBNAIL_H
#define MEDIA_RENDER_THUMBNAIL_H

#include <stdint.h>

#include "media/render/answer.h"

#define CK_THUMBNAIL_TIMEOUT_MS 20000

/* Fills the answer: DONE or FAILED. The descriptors stay the caller's. */
void ck_thumbnail_run(const struct ck_render_message *job, int in, int out,
                      struct ck_render_answer *answer);

/* The same from memory to memory, for the trial at start. 0, or the answer is FAILED. */
int ck_thumbnail_try(struct ck_render_answer *answer);

#endif
