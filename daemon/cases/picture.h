/* What a picture carries beside itself. Pure. */
#ifndef DAEMON_CASES_PICTURE_H
#define DAEMON_CASES_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/cases/file_type.h"

/* Takes out, in place, what a camera or a program wrote beside the picture: Exif, XMP, IPTC,
 * comments, text chunks, and whatever follows the end of the picture. Where it was taken, and with
 * which telephone, is nobody's business; colours (ICC, Adobe's transform) stay. The new size, that
 * of before for a PDF; 0 where the picture is not well formed, its bytes are then of no use. An
 * orientation that stood in Exif is gone with it. */
size_t ck_picture_strip(const struct ck_file_type *type, uint8_t *bytes, size_t size);

#endif
