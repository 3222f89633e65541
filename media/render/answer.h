/* The answer to one job, with the bytes of its text. */
#ifndef MEDIA_RENDER_ANSWER_H
#define MEDIA_RENDER_ANSWER_H

#include "protocol/render.h"

struct ck_render_answer {
    struct ck_render_message message;
    char text[CK_RENDER_TEXT_MAX];
};

/* Makes it FAILED, with a text in the manner of printf that is cut where it is too long. */
__attribute__((format(printf, 3, 4))) void ck_render_fail(struct ck_render_answer *answer,
                                                          enum ck_render_fault fault,
                                                          const char *format, ...);

#endif
