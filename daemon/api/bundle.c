/* Bundles: built in memory once two persons have decided, then fetched as one file. Nothing of one
 * touches a disk of ours. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/api/api_impl.h"
#include "daemon/bundle/bundle.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

/* One on its way: lies in call->blob. */
struct building {
    int fd;
    struct ck_bundle_made made;
};

static void close_bundle(struct ck_api_bundle *bundle)
{
    if (bundle->open) {
        close(bundle->fd);
    }
    ck_wipe(bundle, sizeof *bundle);
}

void ck_api_bundles_close(struct ck_api *api)
{
    for (size_t i = 0; i < CK_API_BUNDLES_MAX; i++) {
        close_bundle(&api->bundles[i]);
    }
}

/* ---- building ---- */

static int build(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    struct building *building = call->blob;
    struct ck_bundle_order order;
    int r = ck_bundle_order_read(call->value, &order);
    order.now = call->now;
    order.master_key = call->api->options.master_key;
    order.recording_dir = call->api->recording_dir;
    order.render_program = call->api->options.config->media.render_program;
    order.mono = call->api->options.mono;
    order.video_ms = CK_API_BUNDLE_VIDEO_MS;
    building->fd = r == 0 ? memfd_create("bundle", MFD_CLOEXEC) : -1;
    r = r == 0 && building->fd < 0 ? -errno : r;
    r = r == 0 ? ck_bundle_build(store, &order, building->fd, &building->made) : r;
    *out = r == 0 ? json_true() : NULL;
    return r;
}

/* The oldest makes room. */
static struct ck_api_bundle *keep(struct ck_api_call *call, struct building *building)
{
    struct ck_api *api = call->api;
    struct ck_api_bundle *bundle = &api->bundles[api->next_bundle++ % CK_API_BUNDLES_MAX];
    close_bundle(bundle);
    *bundle = (struct ck_api_bundle){
        .open = true,
        .fd = ck_take_fd(&building->fd),
        .size = building->made.bytes,
        .approval = call->id,
        .session = call->session.id,
        .until = ck_wall_add_ms(call->now, CK_API_BUNDLE_MS),
    };
    api->options.random(NULL, bundle->token, sizeof bundle->token);
    return bundle;
}

static void answer_built(struct ck_api_call *call, struct building *building)
{
    const struct ck_bundle_made made = building->made;
    const struct ck_actor system = ck_actor_system();
    const struct ck_api_bundle *bundle = keep(call, building);
    char hex[CK_HEX_SIZE(16)], url[128], sha256[CK_HEX_SIZE(CK_SHA256_SIZE)];
    ck_hex_encode(bundle->token, sizeof bundle->token, hex);
    ck_hex_encode(made.sha256, sizeof made.sha256, sha256);
    snprintf(url, sizeof url, "/api/approvals/%lld/bundle?view=%s", (long long)call->id, hex);
    ck_bus_submit(call->api->options.bus, "bundle.built", &system,
                  json_pack("{s:I, s:s, s:I, s:i}", "approval", (json_int_t)call->id, "sha256",
                            sha256, "bytes", (json_int_t)made.bytes, "files", (int)made.files),
                  NULL, NULL);
    ck_api_answer_json(call, 200,
                       json_pack("{s:s, s:I, s:s, s:i, s:i, s:i, s:i}", "url", url, "bytes",
                                 (json_int_t)made.bytes, "sha256", sha256, "entries",
                                 (int)made.entries, "unsigned", (int)made.unsigned_entries,
                                 "recordings", (int)made.recordings, "left_out",
                                 (int)made.left_out),
                       NULL);
}

static void on_built(void *cookie, int code, json_t *value)
{
    struct ck_api_call *call = cookie;
    struct building *building = call->blob;
    json_decref(value);
    if (code == 0) {
        answer_built(call, building);
        return;
    }
    ck_closep(&building->fd);
    ck_log(CK_LOG_ERROR, "bundle %lld: %s", (long long)call->id, ck_error_text(code));
    ck_api_answer_error(call, code, NULL);
}

static void on_opened(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    struct building *building = result->code == 0 ? calloc(1, sizeof *building) : NULL;
    if (building == NULL) {
        ck_api_answer_error(call, result->code != 0 ? result->code : -ENOMEM, &result->refusal);
        return;
    }
    building->fd = -1;
    call->blob = building;
    call->value = json_deep_copy(result->body);
    ck_api_run(call, build, on_built);
}

void ck_api_bundle_make(struct ck_api_call *call)
{
    ck_api_submit(call, "bundle.open", json_pack("{s:I}", "approval", (json_int_t)call->id),
                  on_opened);
}

/* ---- fetching ---- */

struct fetch {
    struct ck_api *api;
    struct ck_http_request *request;
    uv_work_t work;
    int fd;
    uint64_t at;
    size_t count;
    bool good;
    uint8_t piece[CK_HTTP_PIECE];
};

static void read_piece(uv_work_t *work)
{
    struct fetch *fetch = work->data;
    fetch->good =
        pread(fetch->fd, fetch->piece, fetch->count, (off_t)fetch->at) == (ssize_t)fetch->count;
}

static void piece_read(uv_work_t *work, int status)
{
    struct fetch *fetch = work->data;
    ck_http_stream_give(fetch->request, status == 0 && fetch->good ? fetch->piece : NULL);
}

static void want(void *user, struct ck_http_request *request, uint64_t at, size_t count)
{
    struct fetch *fetch = user;
    fetch->request = request;
    fetch->at = at;
    fetch->count = count;
    fetch->work.data = fetch;
    uv_queue_work(fetch->api->options.loop, &fetch->work, read_piece, piece_read);
}

static void fetched(void *user)
{
    struct fetch *fetch = user;
    close(fetch->fd);
    ck_wipe(fetch->piece, sizeof fetch->piece);
    free(fetch);
}

static void stream(struct ck_api_call *call, const struct ck_api_bundle *bundle)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);
    char disposition[96];
    if (fetch != NULL) {
        fetch->api = call->api;
        fetch->fd = dup(bundle->fd);
    }
    if (fetch == NULL || fetch->fd < 0) {
        free(fetch);
        ck_api_answer_error(call, -ENOMEM, NULL);
        return;
    }
    snprintf(disposition, sizeof disposition, "attachment; filename=\"bundle-%lld.zip\"",
             (long long)call->id);
    const struct ck_http_header header = {"content-disposition", disposition};
    const struct ck_http_stream answer = {.type = "application/zip",
                                          .size = bundle->size,
                                          .headers = &header,
                                          .header_count = 1,
                                          .user = fetch,
                                          .want = want,
                                          .done = fetched};
    struct ck_http_request *request = call->request;
    ck_api_finish(call);
    ck_http_answer_stream(request, &answer);
}

void ck_api_bundle_fetch(struct ck_api_call *call)
{
    uint8_t token[16];
    bool shaped = ck_hex_decode(call->text, token, sizeof token) == 0;
    for (size_t i = 0; shaped && i < CK_API_BUNDLES_MAX; i++) {
        const struct ck_api_bundle *bundle = &call->api->bundles[i];
        if (bundle->open && bundle->approval == call->id && bundle->session == call->session.id &&
            bundle->until.ms > call->now.ms &&
            ck_equal_secret(bundle->token, token, sizeof token)) {
            stream(call, bundle);
            return;
        }
    }
    ck_bus_submit(call->api->options.bus, "access.denied", &call->actor,
                  json_pack("{s:s}", "action", call->policy->action), NULL, NULL);
    ck_api_refuse(call, CK_E_DENIED, "view", "have the bundle made first");
}
