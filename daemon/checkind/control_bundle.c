/* checkinctl export: a bundle that two persons approved, built in memory and read piece by piece
 * over the control socket. One at a time; it is kept until it was read or another is made. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/api/api.h"
#include "daemon/bundle/bundle.h"
#include "daemon/checkind/product_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define VIDEO_MS INT64_C(1500000) /* for the film of both sides; checkinctl waits half an hour */

/* One on its way. */
struct exporting {
    struct ck_product *product;
    struct ck_control_call *call;
    json_t *order; /* as "bundle.open" answers */
    char *recordings;
    struct ck_wall now;
    int fd;
    struct ck_bundle_made made;
    int64_t entry; /* of the log: that it was made */
};

static void end(struct exporting *exporting)
{
    exporting->product->export_runs = false;
    ck_bundle_drop(&exporting->made);
    ck_closep(&exporting->fd);
    json_decref(exporting->order);
    free(exporting->recordings);
    free(exporting);
}

static int read_order(struct exporting *exporting, struct ck_bundle_order *order)
{
    const struct ck_product *product = exporting->product;
    int r = ck_bundle_order_read(exporting->order, order);
    order->now = exporting->now;
    order->master_key = product->master_key;
    order->recording_dir = exporting->recordings;
    order->render_program = product->config->media.render_program;
    order->mono = ck_clock_mono;
    order->video_ms = VIDEO_MS;
    order->stop = &product->films_stop;
    return r;
}

static int build(struct ck_store *store, void *argument, json_t **out)
{
    struct exporting *exporting = argument;
    struct ck_bundle_order order;
    int r = read_order(exporting, &order);
    exporting->fd = r == 0 ? memfd_create("bundle", MFD_CLOEXEC) : -1;
    r = r == 0 && exporting->fd < 0 ? -errno : r;
    r = r == 0 ? ck_bundle_build(store, &order, exporting->fd, &exporting->made) : r;
    *out = r == 0 ? json_true() : NULL;
    return r;
}

static int end_it(struct ck_store *store, void *argument, json_t **out)
{
    struct exporting *exporting = argument;
    struct ck_bundle_order order;
    int r = read_order(exporting, &order);
    r = r == 0 ? ck_bundle_end(store, &order, exporting->entry, exporting->fd, &exporting->made)
               : r;
    *out = r == 0 ? json_true() : NULL;
    return r;
}

static void fail(struct exporting *exporting, int code)
{
    ck_control_refuse(exporting->call, code, "the bundle cannot be made: %s", ck_error_text(code));
    end(exporting);
}

static void on_ended(void *cookie, int code, json_t *value)
{
    struct exporting *exporting = cookie;
    struct ck_product *product = exporting->product;
    const struct ck_bundle_made *made = &exporting->made;
    char sha256[CK_HEX_SIZE(CK_SHA256_SIZE)];
    json_decref(value);
    if (code != 0) {
        fail(exporting, code);
        return;
    }
    ck_hex_encode(made->sha256, sizeof made->sha256, sha256);
    ck_closep(&product->export_fd);
    product->export_fd = ck_take_fd(&exporting->fd);
    product->export_size = made->bytes;
    ck_control_answer(
        exporting->call,
        json_pack("{s:I, s:s, s:b, s:i, s:i, s:i, s:i, s:i}", "bytes", (json_int_t)made->bytes,
                  "sha256", sha256, "proven", (int)made->proven, "files", (int)made->files,
                  "entries", (int)made->entries, "unsigned", (int)made->unsigned_entries,
                  "recordings", (int)made->recordings, "left_out", (int)made->left_out));
    end(exporting);
}

/* What it is stands in the log: now it is ended with the proof of that. */
static void on_recorded(void *cookie, const struct ck_result *result)
{
    struct exporting *exporting = cookie;
    exporting->entry = json_integer_value(json_object_get(result->body, "index"));
    int code = result->code != 0 ? result->code
                                 : ck_readers_run(exporting->product->readers, end_it, exporting,
                                                  on_ended, exporting);
    if (code != 0) {
        fail(exporting, code);
    }
}

static void on_built(void *cookie, int code, json_t *value)
{
    struct exporting *exporting = cookie;
    const struct ck_actor system = ck_actor_system();
    json_decref(value);
    if (code != 0) {
        fail(exporting, code);
        return;
    }
    ck_bus_submit(exporting->product->bus, "bundle.built", &system,
                  ck_bundle_built_body(exporting->order, &exporting->made), on_recorded, exporting);
}

static void on_opened(void *cookie, const struct ck_result *result)
{
    struct exporting *exporting = cookie;
    struct ck_product *product = exporting->product;
    if (result->code != 0) {
        ck_control_refuse(exporting->call, result->code, "%s",
                          *result->refusal.message != '\0' ? result->refusal.message
                                                           : ck_error_text(result->code));
        end(exporting);
        return;
    }
    exporting->order = json_deep_copy(result->body);
    exporting->recordings = ck_config_path(product->config, product->config->media.recording_dir);
    int error = exporting->order == NULL || exporting->recordings == NULL
                    ? -ENOMEM
                    : ck_readers_run(product->readers, build, exporting, on_built, exporting);
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
    *exporting =
        (struct exporting){.product = product, .call = call, .now = ck_clock_wall(), .fd = -1};
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
