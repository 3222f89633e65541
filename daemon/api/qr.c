/* QR codes (ISO/IEC 18004) as pictures that pass any content policy. */
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/api/api_impl.h"
#include "protocol/base/cleanup.h"

#define QUIET 4 /* modules of white around the code */

static void qr_freep(QRcode **code)
{
    QRcode_free(*code);
}

/* One path for all dark modules, run by run, and no style. */
char *ck_api_qr_svg(const char *text)
{
    ck_cleanup(qr_freep) QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    char *svg = NULL;
    size_t size = 0;
    FILE *out = code == NULL ? NULL : open_memstream(&svg, &size);
    if (out == NULL) {
        return NULL;
    }
    int side = code->width + 2 * QUIET;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
            "shape-rendering=\"crispEdges\"><rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>"
            "<path fill=\"#000\" d=\"",
            side, side, side, side);
    for (int y = 0; y < code->width; y++) {
        const unsigned char *row = code->data + (size_t)y * (size_t)code->width;
        for (int x = 0, run; x < code->width; x += run) {
            bool dark = (row[x] & 1) != 0;
            for (run = 1; x + run < code->width && ((row[x + run] & 1) != 0) == dark; run++) {
            }
            if (dark) {
                fprintf(out, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, run, run);
            }
        }
    }
    fputs("\"/></svg>", out);
    bool whole = ferror(out) == 0;
    if (fclose(out) != 0 || !whole) {
        free(svg);
        return NULL;
    }
    return svg;
}
