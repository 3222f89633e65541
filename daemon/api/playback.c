/* Playing a recording: a reason first, then bytes by range, decrypted on the way and never on the
 * disk. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "daemon/audit/destroyed.h"
#include "daemon/config/log.h"
#include "daemon/recording/sealed_file.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/seal.h"

/* ---- the reason ---- */

static void on_viewed(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    struct ck_api *api = call->api;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
        return;
    }
    struct ck_api_view *view = &api->views[api->next_view++ % CK_API_VIEWS_MAX];
    api->options.random(NULL, view->token, sizeof view->token);
    view->recording = call->id;
    view->session = call->session.id;
    view->until = ck_wall_add_ms(call->now, CK_API_VIEW_MS);
    char hex[CK_HEX_SIZE(16)], url[128], until[CK_WALL_TEXT_SIZE];
    ck_hex_encode(view->token, sizeof view->token, hex);
    snprintf(url, sizeof url, "/api/recordings/%lld/media?view=%s", (long long)call->id, hex);
    ck_wall_text(view->until, until);
    ck_api_answer_json(call, 200, json_pack("{s:s, s:s}", "url", url, "expires", until), NULL);
}

void ck_api_view_recording(struct ck_api_call *call)
{
    const char *reason = ck_api_text(call, "reason", 500);
    if (reason != NULL) {
        ck_api_submit(call, "recording.viewed",
                      json_pack("{s:I, s:s}", "recording", (json_int_t)call->id, "reason", reason),
                      on_viewed);
    }
}

/* ---- the bytes ---- */

struct playback {
    struct ck_api *api;
    struct ck_http_request *request;
    struct ck_api_call *call; /* until the stream begins */
    uv_work_t work;
    int64_t recording;
    char path[PATH_MAX];
    uint8_t key[CK_KEY_SIZE];
    struct ck_sealed_file file;
    struct ck_seal *seal;
    int result;
    uint64_t at;
    size_t count;
    uint8_t *piece;
};

static void playback_free(struct playback *playback)
{
    ck_seal_close(playback->seal);
    ck_sealed_file_close(&playback->file);
    ck_wipe(playback->key, sizeof playback->key);
    free(playback->piece);
    free(playback);
}

static void open_work(uv_work_t *work)
{
    struct playback *playback = work->data;
    struct ck_seal_source source;
    int error = ck_sealed_file_open(&playback->file, playback->path, O_RDONLY, &source);
    if (error != 0) {
        playback->result = error == -ENOENT ? CK_E_NOT_FOUND : error;
        return;
    }
    playback->result =
        ck_seal_open(&playback->seal, &source, playback->key, (uint64_t)playback->recording);
}

static void read_work(uv_work_t *work)
{
    struct playback *playback = work->data;
    size_t got = 0;
    playback->result =
        ck_seal_read(playback->seal, playback->at, playback->piece, playback->count, &got, NULL);
    if (playback->result == 0 && got != playback->count) {
        playback->result = -EIO;
    }
}

static void read_done(uv_work_t *work, int status)
{
    struct playback *playback = work->data;
    bool good = status == 0 && playback->result == 0;
    if (!good) {
        ck_log(CK_LOG_ERROR, "recording %lld at byte %llu: %s", (long long)playback->recording,
               (unsigned long long)playback->at,
               ck_error_text(status != 0 ? status : playback->result));
    }
    ck_http_stream_give(playback->request, good ? playback->piece : NULL);
}

static void want(void *user, struct ck_http_request *request, uint64_t at, size_t count)
{
    struct playback *playback = user;
    playback->request = request;
    playback->at = at;
    playback->count = count;
    playback->work.data = playback;
    uv_queue_work(playback->api->options.loop, &playback->work, read_work, read_done);
}

static void stream_done(void *user)
{
    playback_free(user);
}

static void open_done(uv_work_t *work, int status)
{
    struct playback *playback = work->data;
    struct ck_api_call *call = ck_take(playback->call);
    int error = status != 0 ? status : playback->result;
    playback->piece = error == 0 ? malloc(CK_HTTP_PIECE) : NULL;
    if (error == 0 && playback->piece == NULL) {
        error = -ENOMEM;
    }
    if (error != 0) {
        playback_free(playback);
        struct ck_refusal refusal;
        ck_refuse(&refusal, error, "",
                  error == CK_E_TRUNCATED ? "the recording is still being written"
                                          : "the recording cannot be opened");
        ck_api_answer_error(call, error == CK_E_TRUNCATED ? CK_E_CONFLICT : error, &refusal);
        return;
    }
    struct ck_http_request *request = call->request;
    ck_api_finish(call);
    struct ck_http_stream stream = {.type = "video/webm",
                                    .size = ck_seal_info(playback->seal)->plain_size,
                                    .user = playback,
                                    .want = want,
                                    .done = stream_done};
    ck_http_answer_stream(request, &stream);
}

static int query_recording(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_api_call *call = argument;
    struct ck_scope scope;
    bool destroyed = false;
    int r = ck_api_read_scope(store, call, "recording", call->id, &scope);
    r = r == 0 ? ck_audit_recording_destroyed(store, call->id, &destroyed) : r;
    if (r == 0) {
        r = ck_query_recording(store, &scope, call->id, out);
    }
    if (r == 0 && destroyed && json_is_string(json_object_get(*out, "wrapped"))) {
        json_decref(*out);
        *out = NULL;
        r = CK_E_CONFLICT;
    }
    return r;
}

/* The store has a key that the log says was destroyed: an old store, or somebody at it. */
static void refuse_put_back(struct ck_api_call *call)
{
    ck_log(CK_LOG_ERROR,
           "recording %lld: its key was destroyed, as the audit log says, and is there again",
           (long long)call->id);
    ck_bus_submit(call->api->options.bus, "access.denied", &call->actor,
                  json_pack("{s:s}", "action", "recording.put_back"), NULL, NULL);
    ck_api_refuse(call, CK_E_CONFLICT, "recording",
                  "its key was destroyed when its time was over; what is there now was put back");
}

static int fill_playback(struct ck_api_call *call, const json_t *row, struct playback *playback)
{
    const char *file = json_string_value(json_object_get(row, "file"));
    const char *hex = json_string_value(json_object_get(row, "wrapped"));
    uint8_t wrapped[CK_SEAL_WRAPPED_SIZE];
    if (file == NULL || strchr(file, '/') != NULL || hex == NULL ||
        ck_hex_decode(hex, wrapped, sizeof wrapped) != 0) {
        return CK_E_NOT_FOUND; /* erased */
    }
    snprintf(playback->path, sizeof playback->path, "%s/%s", call->api->recording_dir, file);
    return ck_seal_unwrap(call->api->options.master_key, (uint64_t)call->id, wrapped,
                          sizeof wrapped, playback->key);
}

static void on_recording(void *cookie, int code, json_t *row)
{
    struct ck_api_call *call = cookie;
    struct playback *playback = code == 0 ? calloc(1, sizeof *playback) : NULL;
    if (code == 0 && playback == NULL) {
        code = -ENOMEM;
    }
    if (code == 0) {
        playback->file.fd = -1;
        code = fill_playback(call, row, playback);
    }
    json_decref(row);
    if (code == CK_E_CONFLICT) {
        refuse_put_back(call);
        return;
    }
    if (code != 0) {
        if (playback != NULL) {
            playback_free(playback);
        }
        ck_api_answer_error(call, code, NULL);
        return;
    }
    playback->api = call->api;
    playback->call = call;
    playback->recording = call->id;
    playback->work.data = playback;
    uv_queue_work(call->api->options.loop, &playback->work, open_work, open_done);
}

void ck_api_play_recording(struct ck_api_call *call)
{
    uint8_t token[16];
    bool shaped = ck_hex_decode(call->text, token, sizeof token) == 0;
    for (size_t i = 0; shaped && i < CK_API_VIEWS_MAX; i++) {
        const struct ck_api_view *view = &call->api->views[i];
        if (view->recording == call->id && view->session == call->session.id &&
            view->until.ms > call->now.ms && ck_equal_secret(view->token, token, sizeof token)) {
            ck_api_run(call, query_recording, on_recording);
            return;
        }
    }
    ck_bus_submit(call->api->options.bus, "access.denied", &call->actor,
                  json_pack("{s:s}", "action", call->policy->action), NULL, NULL);
    ck_api_refuse(call, CK_E_DENIED, "view", "give a reason first");
}
