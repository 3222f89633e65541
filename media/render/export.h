/* The job EXPORT: recordings side by side in their true time, with the clock burnt in, as one WebM.
 */
#ifndef MEDIA_RENDER_EXPORT_H
#define MEDIA_RENDER_EXPORT_H

#include "media/render/answer.h"

#define CK_EXPORT_TIMEOUT_MS 7200000
#define CK_EXPORT_RATE 25 /* pictures a second */

/* `in` holds one descriptor for each input. Fills the answer: DONE or FAILED. Descriptors stay the
 * caller's. */
void ck_export_run(const struct ck_render_message *job, const int *in, int out,
                   struct ck_render_answer *answer);

#endif
