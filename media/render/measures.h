/* The job MEASURES: a plain WebM through decoders into measure.h. */
#ifndef MEDIA_RENDER_MEASURES_H
#define MEDIA_RENDER_MEASURES_H

#include "media/render/answer.h"

#define CK_MEASURES_TIMEOUT_MS 600000 /* an hour of video takes about a minute */

/* Fills the answer: MEASURED or FAILED. The descriptor stays the caller's. */
void ck_measures_run(int in, struct ck_render_answer *answer);

#endif
