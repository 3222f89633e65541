/* checkin-render, supervised: jobs go in one at a time, pictures and measures come out. A job whose
 * process died under it is tried again, CK_RENDERER_TRIES times in all.
 *
 * Loop thread only. */
#ifndef DAEMON_CALL_RENDERER_H
#define DAEMON_CALL_RENDERER_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define CK_RENDERER_TRIES 3
#define CK_RENDERER_JOBS_MAX 256       /* waiting; one more is refused with CK_E_BUSY */
#define CK_RENDERER_JOB_MS 20000       /* longer, and the process is killed */
#define CK_RENDERER_RECORDINGS_MAX 16  /* in memory to be measured; one more is CK_E_BUSY */
#define CK_RENDERER_JPEG_MAX (1 << 20) /* bytes of a thumbnail */
#define CK_RENDERER_THUMBNAIL_WIDTH 480

struct ck_renderer;

int ck_renderer_create(uv_loop_t *loop, const char *program, struct ck_renderer **render);

/* `code`: 0 and the picture; CK_E_INVALID: the frame cannot be decoded (`text` says why);
 * CK_E_BUSY: given up, or the end of the daemon. Bytes and text live until this returns. */
typedef void ck_renderer_done(void *cookie, int code, const uint8_t *jpeg, size_t size,
                              const char *text);

/* A VP8 key frame to a JPEG of at most CK_RENDERER_THUMBNAIL_WIDTH pixels width. The frame is
 * copied. CK_E_BUSY, -errno: `done` is not called. */
int ck_renderer_thumbnail(struct ck_renderer *render, const void *frame, size_t size,
                          ck_renderer_done *done, void *cookie);

/* `code`: 0 and what was found, in the order of its beginning; else as above. */
struct ck_render_span;
typedef void ck_renderer_measured(void *cookie, int code, const struct ck_render_span *spans,
                                  size_t count, const char *text);

/* Measures a plain recording of a few minutes in a memory file, which is taken
 * over, also on failure. CK_E_BUSY, -errno: `measured` is not called. */
int ck_renderer_measure(struct ck_renderer *render, int recording, ck_renderer_measured *measured,
                        void *cookie);

/* Gives up all jobs, ends the process, then calls `stopped`. */
void ck_renderer_stop(struct ck_renderer *render, void (*stopped)(void *context), void *context);

#endif
