/* checkin-render, supervised: jobs go in one at a time, pictures come out. A job whose process died
 * under it is tried again, CK_RENDER_TRIES times in all.
 *
 * Loop thread only. */
#ifndef DAEMON_CALL_RENDER_H
#define DAEMON_CALL_RENDER_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define CK_RENDER_TRIES 3
#define CK_RENDER_JOBS_MAX 256       /* waiting; one more is refused with CK_E_BUSY */
#define CK_RENDER_JOB_MS 20000       /* longer, and the process is killed */
#define CK_RENDER_JPEG_MAX (1 << 20) /* bytes of a thumbnail */
#define CK_RENDER_THUMBNAIL_WIDTH 480

struct ck_render;

int ck_render_create(uv_loop_t *loop, const char *program, struct ck_render **render);

/* `code`: 0 and the picture; CK_E_INVALID: the frame cannot be decoded (`text` says why);
 * CK_E_BUSY: given up, or the end of the daemon. Bytes and text live until this returns. */
typedef void ck_render_done(void *cookie, int code, const uint8_t *jpeg, size_t size,
                            const char *text);

/* A VP8 key frame to a JPEG of at most CK_RENDER_THUMBNAIL_WIDTH pixels width. The frame is copied.
 * CK_E_BUSY, -errno: `done` is not called. */
int ck_render_thumbnail(struct ck_render *render, const void *frame, size_t size,
                        ck_render_done *done, void *cookie);

/* Gives up all jobs, ends the process, then calls `stopped`. */
void ck_render_stop(struct ck_render *render, void (*stopped)(void *context), void *context);

#endif
