/* checkinctl export: a bundle that two persons approved, built in memory and read piece by piece
 * over the control socket. One at a time; it is kept until it was read or another is made. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/api/api.h"
#include "daemon/bundle/making.h"
#include "daemon/checkind/product_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define VIDEO_MS INT64_C(1500000) /* for the film of both sides; checkinctl waits half an hour */

/* One on its way. */
struct exporting {
    struct ck_product *product;
    struct ck_control_call *call;
    char *recordings;
    struct ck_wall now;
    struct ck_bundle_making making;
};

static void end(struct exporting *exporting)
{
    exporting->product->export_runs = false;
    ck_bundle_making_deinit(&exporting->making);
    free(exporting->recordings);
    free(exporting);
}

static void on_made(void *cookie, int code)
{
    struct exporting *exporting = cookie;
    struct ck_product *product = exporting->product;
    const struct ck_bundle_made *made = &exporting->making.made;
    char sha256[CK_HEX_SIZE(CK_SHA256_SIZE)];
    if (code != 0) {
        ck_control_refuse(exporting->call, code, "the bundle cannot be made: %s",
                          ck_error_text(code));
        end(exporting);
        return;
    }
    ck_hex_encode(made->sha256, sizeof made->sha256, sha256);
    ck_closep(&product->export_fd);
    product->export_fd = ck_take_fd(&exporting->making.fd);
    product->export_size = made->bytes;
    ck_control_answer(
        exporting->call,
        json_pack("{s:I, s:s, s:b, s:i, s:i, s:i, s:i, s:i}", "bytes", (json_int_t)made->bytes,
                  "sha256", sha256, "proven", (int)made->proven, "files", (int)made->files,
                  "entries", (int)made->entries, "unsigned", (int)made->unsigned_entries,
                  "recordings", (int)made->recordings, "left_out", (int)made->left_out));
    end(exporting);
}

static int begin(struct exporting *exporting, const json_t *opened)
{
    struct ck_product *product = exporting->product;
    exporting->recordings = ck_config_path(product->config, product->config->media.recording_dir);
    exporting->making =
        (struct ck_bundle_making){.readers = product->readers,
                                  .bus = product->bus,
                                  .order = {.now = exporting->now,
                                            .master_key = product->master_key,
                                            .recording_dir = exporting->recordings,
                                            .render_program = product->config->media.render_program,
                                            .mono = ck_clock_mono,
                                            .video_ms = VIDEO_MS,
                                            .stop = &product->films_stop},
                                  .done = on_made,
                                  .cookie = exporting,
                                  .fd = -1};
    return exporting->recordings == NULL ? -ENOMEM
                                         : ck_bundle_making_begin(&exporting->making, opened);
}

static void on_opened(void *cookie, const struct ck_result *result)
{
    struct exporting *exporting = cookie;
    if (result->code != 0) {
        ck_control_refuse(exporting->call, result->code, "%s",
                          *result->refusal.message != '\0' ? result->refusal.message
                                                           : ck_error_text(result->code));
        end(exporting);
        return;
    }
    int error = begin(exporting, result->body);
    if (error != 0) {
        ck_control_refuse(exporting->call, error, "%s", ck_error_text(error));
        end(exporting);
    }
}

/* {approval} → {bytes, sha256, files, …} */
void ck_product_run_bundle_make(struct ck_control_call *call, const json_t *arguments, void *user)
{
    struct ck_product *product = user;
    json_t *approval = json_object_get(arguments, "approval");
    struct exporting *exporting = NULL;
    if (!json_is_integer(approval)) {
        ck_control_refuse(call, CK_E_INVALID, "approval: the number of an approved request");
        return;
    }
    if (product->export_runs || (exporting = calloc(1, sizeof *exporting)) == NULL) {
        ck_control_refuse(call, CK_E_BUSY, "another bundle is being made");
        return;
    }
    *exporting = (struct exporting){
        .product = product, .call = call, .now = ck_clock_wall(), .making = {.fd = -1}};
    product->export_runs = true;
    struct ck_actor actor = ck_actor_system();
    snprintf(actor.peer, sizeof actor.peer, "checkinctl, user %lu",
             (unsigned long)ck_control_uid(call));
    ck_bus_submit(product->bus, "bundle.open", &actor, json_pack("{s:O}", "approval", approval),
                  on_opened, exporting);
}

/* {at} → {data}: base64 of what begins there; "" at the end, and then it is gone. */
void ck_product_run_bundle_read(struct ck_control_call *call, const json_t *arguments, void *user)
{
    static uint8_t piece[CK_PRODUCT_EXPORT_PIECE];
    static char text[CK_BASE64_SIZE(CK_PRODUCT_EXPORT_PIECE)];
    struct ck_product *product = user;
    json_int_t at = json_integer_value(json_object_get(arguments, "at"));
    if (product->export_fd < 0 || at < 0 || (uint64_t)at > product->export_size) {
        ck_control_refuse(call, CK_E_NOT_FOUND, "no bundle was made, or it was read");
        return;
    }
    size_t left = (size_t)(product->export_size - (uint64_t)at);
    size_t size = left < sizeof piece ? left : sizeof piece;
    if (pread(product->export_fd, piece, size, (off_t)at) != (ssize_t)size) { /* memory: at once */
        ck_control_refuse(call, -EIO, "the bundle cannot be read");
        return;
    }
    if (size == 0) {
        ck_closep(&product->export_fd);
    }
    ck_base64_encode(piece, size, text);
    ck_control_answer(call, json_pack("{s:s}", "data", text));
    ck_wipe(piece, sizeof piece);
    ck_wipe(text, sizeof text);
}
