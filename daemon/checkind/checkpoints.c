/* Checkpoints: every two seconds it looks whether the audit log has grown in a way that must be
 * signed, has checkin-signer sign it, and gives the checkpoint to the engine, which keeps it. The
 * talking is done in the pool. While the signer is silent everything goes on, unsigned, and the
 * duty roster is told; when it is back, one checkpoint covers all that happened. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/audit/checkpoint.h"
#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define EVERY_MS 2000    /* an entry that is urgent is signed within this and one answer */
#define SILENCE_MS 30000 /* a shorter silence is a restart */

struct ck_checkpoints {
    struct ck_product *product;
    uv_timer_t timer;
    struct ck_signer_answer answer; /* the pool's while `asking` */
    struct ck_wall asked_at;
    char *dir; /* where checkpoints are copied to; NULL: nowhere */
    bool asking;
    bool closed;
    uint64_t good_ms; /* when it last answered as it must */
    enum ck_signer_state told;
};

/* ---- in the pool ---- */

static int write_text(int dir, const char *name, int flags, const char *text, size_t size)
{
    ck_cleanup(ck_closep) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    if (fd < 0) {
        return -errno;
    }
    ssize_t written = write(fd, text, size);
    if (written != (ssize_t)size || fsync(fd) != 0) {
        return written >= 0 ? -EIO : -errno;
    }
    return 0;
}

/* The newest in a file of its own, and behind all the others. */
static int copy_out(const char *path, const char *note)
{
    size_t size = strlen(note);
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return -errno;
    }
    ck_cleanup(ck_closep) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = dir < 0 ? -errno : write_text(dir, "checkpoints", O_APPEND, note, size);
    r = r == 0 ? write_text(dir, "checkpoints", O_APPEND, "\n", 1) : r;
    r = r == 0 ? write_text(dir, "checkpoint.new", O_TRUNC, note, size) : r;
    return r == 0 && renameat(dir, "checkpoint.new", dir, "checkpoint") != 0 ? -errno : r;
}

static int query(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_checkpoints *checkpoints = argument;
    const char *socket = checkpoints->product->config->signer.socket;
    int r = ck_audit_checkpoint(store, socket, checkpoints->asked_at, &checkpoints->answer);
    if (r == 0 && checkpoints->answer.state == CK_SIGNER_SIGNED && checkpoints->dir != NULL) {
        int copied = copy_out(checkpoints->dir, checkpoints->answer.note);
        if (copied != 0) {
            ck_log_error("%s: the checkpoint cannot be copied: %s", checkpoints->dir,
                         ck_error_text(copied));
        }
    }
    *out = r == 0 ? json_true() : NULL;
    return r;
}

/* ---- on the loop ---- */

static void free_if_over(struct ck_checkpoints *checkpoints)
{
    if (checkpoints->closed && !checkpoints->asking) {
        free(checkpoints->dir);
        free(checkpoints);
    }
}

static void on_kept(void *cookie, const struct ck_result *result)
{
    (void)cookie;
    if (result->code != 0 && result->code != -ESHUTDOWN) {
        ck_log_error("a checkpoint was not kept: %s %s", ck_error_text(result->code),
                     result->refusal.message);
    }
}

/* The engine hears of changes only. */
static void tell(struct ck_checkpoints *checkpoints, enum ck_signer_state state)
{
    const struct ck_signer_answer *answer = &checkpoints->answer;
    const struct ck_actor actor = ck_actor_system();
    if (checkpoints->told == state) {
        return;
    }
    checkpoints->told = state;
    if (state == CK_SIGNER_SIGNED) {
        ck_log_info("checkin-signer signs");
    } else if (state == CK_SIGNER_ROLLBACK || state == CK_SIGNER_FORK ||
               state == CK_SIGNER_FOREIGN_KEY) {
        ck_log_event(CK_LOG_EVENT_LOG_BROKEN, CK_LOG_ERROR, "checkin-signer: %s: %s",
                     ck_signer_state_name(state), answer->detail);
    } else {
        ck_log_error("checkin-signer: %s: %s", ck_signer_state_name(state), answer->detail);
    }
    ck_bus_submit(checkpoints->product->bus, "log.signer", &actor,
                  json_pack("{s:s, s:I, s:s}", "state", ck_signer_state_name(state), "size",
                            (json_int_t)answer->size, "detail", answer->detail),
                  on_kept, NULL);
}

static void keep(struct ck_checkpoints *checkpoints)
{
    const struct ck_actor actor = ck_actor_system();
    ck_bus_submit(
        checkpoints->product->bus, "log.checkpoint", &actor,
        json_pack("{s:s, s:s}", "note", checkpoints->answer.note, "key", checkpoints->answer.key),
        on_kept, NULL);
}

static void judge(struct ck_checkpoints *checkpoints)
{
    uint64_t now_ms = uv_now(&checkpoints->product->loop);
    switch (checkpoints->answer.state) {
    case CK_SIGNER_RESTS:
        return;
    case CK_SIGNER_SIGNED:
        checkpoints->good_ms = now_ms;
        keep(checkpoints);
        tell(checkpoints, CK_SIGNER_SIGNED);
        return;
    case CK_SIGNER_SILENT:
        if (now_ms - checkpoints->good_ms >= SILENCE_MS) {
            tell(checkpoints, CK_SIGNER_SILENT);
        }
        return;
    case CK_SIGNER_ROLLBACK:
    case CK_SIGNER_FORK:
    case CK_SIGNER_FAILED:
    case CK_SIGNER_FOREIGN_KEY:
        tell(checkpoints, checkpoints->answer.state);
        return;
    }
}

static void on_answered(void *cookie, int code, json_t *value)
{
    struct ck_checkpoints *checkpoints = cookie;
    checkpoints->asking = false;
    json_decref(value);
    if (code == 0 && !checkpoints->product->stopping) {
        judge(checkpoints);
    }
    free_if_over(checkpoints);
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_checkpoints *checkpoints = timer->data;
    if (checkpoints->asking) {
        return;
    }
    checkpoints->asked_at = ck_clock_wall();
    checkpoints->asking = ck_readers_run(checkpoints->product->readers, query, checkpoints,
                                         on_answered, checkpoints) == 0;
}

int ck_product_checkpoints_start(struct ck_product *product)
{
    const struct ck_config *config = product->config;
    if (*config->signer.socket == '\0') {
        ck_log_warning("[signer] socket is not set: the audit log is not signed");
        return 0;
    }
    struct ck_checkpoints *checkpoints = calloc(1, sizeof *checkpoints);
    if (checkpoints == NULL) {
        return -ENOMEM;
    }
    checkpoints->product = product;
    if (*config->signer.checkpoint_dir != '\0') {
        checkpoints->dir = ck_config_path(config, config->signer.checkpoint_dir);
    }
    uv_timer_init(&product->loop, &checkpoints->timer);
    checkpoints->timer.data = checkpoints;
    checkpoints->good_ms = uv_now(&product->loop);
    uv_timer_start(&checkpoints->timer, on_timer, EVERY_MS, EVERY_MS);
    product->checkpoints = checkpoints;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct ck_checkpoints *checkpoints = handle->data;
    checkpoints->closed = true;
    free_if_over(checkpoints);
}

void ck_product_checkpoints_stop(struct ck_product *product)
{
    struct ck_checkpoints *checkpoints = product->checkpoints;
    product->checkpoints = NULL;
    if (checkpoints != NULL) {
        uv_close((uv_handle_t *)&checkpoints->timer, on_closed);
    }
}

const char *ck_product_signer_trouble(const struct ck_product *product)
{
    const struct ck_checkpoints *checkpoints = product->checkpoints;
    if (checkpoints == NULL) {
        return *product->config->signer.socket == '\0' ? NULL : "checkpoints are not made yet";
    }
    return checkpoints->told == 0 || checkpoints->told == CK_SIGNER_SIGNED
               ? NULL
               : checkpoints->answer.detail;
}
