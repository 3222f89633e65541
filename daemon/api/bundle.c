/* Bundles: built in memory once two persons have decided, then fetched as one file. Nothing of one
 * touches a disk of ours. Making one may take as long as its film: whoever asks again is told how
 * far it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/api/api_impl.h"
#include "daemon/bundle/making.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

static void forget(struct ck_api_bundle *bundle)
{
    ck_bundle_making_deinit(&bundle->making);
    ck_wipe(bundle, sizeof *bundle);
    bundle->making.fd = -1;
}

void ck_api_bundles_close(struct ck_api *api)
{
    for (size_t i = 0; i < CK_API_BUNDLES_MAX; i++) {
        if (api->bundles[i].state != CK_BUNDLE_NONE) {
            forget(&api->bundles[i]);
        }
    }
}

static void forget_old(struct ck_api *api, struct ck_wall now)
{
    for (size_t i = 0; i < CK_API_BUNDLES_MAX; i++) {
        struct ck_api_bundle *bundle = &api->bundles[i];
        if (bundle->state == CK_BUNDLE_READY && bundle->until.ms <= now.ms) {
            forget(bundle);
        }
    }
}

/* The one of this session, or NULL. */
static struct ck_api_bundle *find(const struct ck_api_call *call)
{
    for (size_t i = 0; i < CK_API_BUNDLES_MAX; i++) {
        struct ck_api_bundle *bundle = &call->api->bundles[i];
        if (bundle->state != CK_BUNDLE_NONE && bundle->approval == call->id &&
            bundle->session == call->session.id) {
            return bundle;
        }
    }
    return NULL;
}

/* A place for one more: the oldest that is not being made makes room. NULL: all are. */
static struct ck_api_bundle *make_room(struct ck_api *api)
{
    struct ck_api_bundle *oldest = NULL;
    for (size_t i = 0; i < CK_API_BUNDLES_MAX; i++) {
        struct ck_api_bundle *bundle = &api->bundles[i];
        if (bundle->state == CK_BUNDLE_NONE) {
            return bundle;
        }
        if (bundle->state != CK_BUNDLE_MAKING &&
            (oldest == NULL || bundle->number < oldest->number)) {
            oldest = bundle;
        }
    }
    if (oldest != NULL) {
        forget(oldest);
    }
    return oldest;
}

/* ---- building ---- */

static void on_made(void *cookie, int code)
{
    struct ck_api_bundle *bundle = cookie;
    struct ck_api *api = bundle->api;
    if (code != 0) {
        ck_log(CK_LOG_ERROR, "bundle %lld: %s", (long long)bundle->approval, ck_error_text(code));
        bundle->state = CK_BUNDLE_FAILED;
        bundle->error = code;
        return;
    }
    bundle->state = CK_BUNDLE_READY;
    bundle->until = ck_wall_add_ms(api->options.now(), CK_API_BUNDLE_MS);
    api->options.random(NULL, bundle->token, sizeof bundle->token);
}

static int begin(struct ck_api_bundle *bundle, const json_t *opened)
{
    const struct ck_api *api = bundle->api;
    bundle->making = (struct ck_bundle_making){
        .readers = api->options.readers,
        .bus = api->options.bus,
        .order = {.now = bundle->begun,
                  .master_key = api->options.master_key,
                  .recording_dir = api->recording_dir,
                  .render_program = api->options.config->media.render_program,
                  .mono = api->options.mono,
                  .video_ms = CK_API_BUNDLE_VIDEO_MS,
                  .part = &bundle->part,
                  .stop = api->options.films_stop},
        .done = on_made,
        .cookie = bundle};
    return ck_bundle_making_begin(&bundle->making, opened);
}

/* ---- asking for it ---- */

static void answer_making(struct ck_api_call *call, const struct ck_api_bundle *bundle)
{
    static const char *const parts[] = {"entries", "recordings", "film", "proof"};
    char begun[CK_WALL_TEXT_SIZE];
    ck_wall_text(bundle->begun, begun);
    ck_api_answer_json(
        call, 202,
        json_pack("{s:s, s:s}", "part", parts[atomic_load(&bundle->part)], "begun", begun), NULL);
}

static void answer_ready(struct ck_api_call *call, const struct ck_api_bundle *bundle)
{
    const struct ck_bundle_made *made = &bundle->making.made;
    char hex[CK_HEX_SIZE(16)], url[128], sha256[CK_HEX_SIZE(CK_SHA256_SIZE)];
    ck_hex_encode(bundle->token, sizeof bundle->token, hex);
    ck_hex_encode(made->sha256, sizeof made->sha256, sha256);
    snprintf(url, sizeof url, "/api/approvals/%lld/bundle?view=%s", (long long)call->id, hex);
    ck_api_answer_json(call, 200,
                       json_pack("{s:s, s:I, s:s, s:b, s:i, s:i, s:i, s:i}", "url", url, "bytes",
                                 (json_int_t)made->bytes, "sha256", sha256, "proven",
                                 (int)made->proven, "entries", (int)made->entries, "unsigned",
                                 (int)made->unsigned_entries, "recordings", (int)made->recordings,
                                 "left_out", (int)made->left_out),
                       NULL);
}

/* How far the one is that was begun. */
static void answer_state(struct ck_api_call *call, struct ck_api_bundle *bundle)
{
    if (bundle->state == CK_BUNDLE_MAKING) {
        answer_making(call, bundle);
    } else if (bundle->state == CK_BUNDLE_READY) {
        answer_ready(call, bundle);
    } else {
        int error = bundle->error;
        forget(bundle); /* said once; asking again begins anew */
        ck_api_answer_error(call, error, NULL);
    }
}

static void on_opened(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    struct ck_api *api = call->api;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    struct ck_api_bundle *bundle = find(call); /* asked for twice at once */
    if (bundle != NULL) {
        answer_state(call, bundle);
        return;
    }
    bundle = make_room(api);
    if (bundle == NULL) {
        ck_api_refuse(call, CK_E_BUSY, "", "other bundles are being made; try again in a minute");
        return;
    }
    *bundle = (struct ck_api_bundle){.api = api,
                                     .state = CK_BUNDLE_MAKING,
                                     .approval = call->id,
                                     .session = call->session.id,
                                     .number = api->bundles_begun++,
                                     .begun = call->now};
    int error = begin(bundle, result->body);
    if (error != 0) {
        forget(bundle);
        ck_api_answer_error(call, error, NULL);
        return;
    }
    answer_making(call, bundle);
}

void ck_api_bundle_make(struct ck_api_call *call)
{
    forget_old(call->api, call->now);
    struct ck_api_bundle *bundle = find(call);
    if (bundle != NULL) {
        answer_state(call, bundle);
        return;
    }
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
        fetch->fd = dup(bundle->making.fd);
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
                                          .size = bundle->making.made.bytes,
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
    const struct ck_api_bundle *bundle = find(call);
    if (bundle != NULL && bundle->state == CK_BUNDLE_READY && bundle->until.ms > call->now.ms &&
        ck_hex_decode(call->text, token, sizeof token) == 0 &&
        ck_equal_secret(bundle->token, token, sizeof token)) {
        stream(call, bundle);
        return;
    }
    ck_bus_submit(call->api->options.bus, "access.denied", &call->actor,
                  json_pack("{s:s}", "action", call->policy->action), NULL, NULL);
    ck_api_refuse(call, CK_E_DENIED, "view", "have the bundle made first");
}
