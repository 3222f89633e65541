/* The link for a person's own phone, as text and as a QR code (ISO/IEC 18004) to hold a phone
 * against. */
#include <errno.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "protocol/base/cleanup.h"

#define QUIET 4 /* modules of white around the code */

static void qr_freep(QRcode **code)
{
    QRcode_free(*code);
}

/* One path for all dark modules, run by run; no style, so that it passes any content policy. NULL
 * where memory is short. */
static char *draw(const char *text)
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

static void on_link(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    const char *token = json_string_value(json_object_get(result->body, "token"));
    char url[512];
    int size =
        snprintf(url, sizeof url, "%s/c/%s", call->api->options.config->daemon.public_url, token);
    ck_cleanup(ck_freep) char *svg = size < 0 || (size_t)size >= sizeof url ? NULL : draw(url);
    if (svg == NULL) {
        ck_api_answer_error(call, -ENOMEM, NULL);
        return;
    }
    ck_api_answer_json(call, 200,
                       json_pack("{s:s, s:s, s:O}", "url", url, "qr_svg", svg, "expires",
                                 json_object_get(result->body, "expires")),
                       NULL);
}

void ck_api_enrol(struct ck_api_call *call)
{
    ck_api_submit(call, "person.enrol", json_pack("{s:I}", "person", (json_int_t)call->id),
                  on_link);
}
