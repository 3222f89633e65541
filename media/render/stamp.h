/* Text burnt into a picture: light letters of five by seven dots on a dark strip. Pure. */
#ifndef MEDIA_RENDER_STAMP_H
#define MEDIA_RENDER_STAMP_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_STAMP_TEXT_MAX 80
#define CK_STAMP_COLUMNS 6 /* dots that a letter takes, with the space behind it */
#define CK_STAMP_ROWS 9    /* and a line, with space above and below */
#define CK_STAMP_DARK 16   /* brightness of the strip and of the letters, video range */
#define CK_STAMP_LIGHT 235

/* One plane of brightness. */
struct ck_stamp_plane {
    uint8_t *data;
    size_t stride;
    unsigned width;
    unsigned height;
};

/* "2026-11-21 19:02:05 +05:00": `at` as a clock `offset_min` ahead of UTC shows it. */
void ck_stamp_clock(struct ck_wall at, int offset_min, char text[static CK_STAMP_TEXT_MAX]);

/* Draws a line of text with its strip, `scale` pixels a dot, with its upper left corner at (x, y).
 * Letters are drawn as capitals; what there is no letter for is '?', a character of several bytes
 * is one. What lies outside of the plane is left out. */
void ck_stamp_draw(struct ck_stamp_plane *plane, unsigned x, unsigned y, unsigned scale,
                   const char *text, size_t size);

#endif
