#include "daemon/bundle/making.h"

#include <errno.h>
#include <sys/mman.h>

#include "protocol/base/cleanup.h"

static int build(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_bundle_making *making = argument;
    making->fd = memfd_create("bundle", MFD_CLOEXEC);
    int r =
        making->fd < 0 ? -errno : ck_bundle_build(store, &making->order, making->fd, &making->made);
    *out = r == 0 ? json_true() : NULL;
    return r;
}

static int end(struct ck_store *store, void *argument, json_t **out)
{
    struct ck_bundle_making *making = argument;
    int r = ck_bundle_end(store, &making->order, making->entry, making->fd, &making->made);
    *out = r == 0 ? json_true() : NULL;
    return r;
}

/* What was begun is of no use to anybody. */
static void fail(struct ck_bundle_making *making, int code)
{
    ck_bundle_drop(&making->made);
    ck_closep(&making->fd);
    making->done(making->cookie, code);
}

static void on_ended(void *cookie, int code, json_t *value)
{
    struct ck_bundle_making *making = cookie;
    json_decref(value);
    if (code != 0) {
        fail(making, code);
        return;
    }
    making->done(making->cookie, 0);
}

/* What it is stands in the log: now it is ended with the proof of that. */
static void on_recorded(void *cookie, const struct ck_result *result)
{
    struct ck_bundle_making *making = cookie;
    making->entry = json_integer_value(json_object_get(result->body, "index"));
    int code = result->code != 0 ? result->code
                                 : ck_readers_run(making->readers, end, making, on_ended, making);
    if (code != 0) {
        fail(making, code);
    }
}

static void on_built(void *cookie, int code, json_t *value)
{
    struct ck_bundle_making *making = cookie;
    const struct ck_actor system = ck_actor_system();
    json_decref(value);
    if (code != 0) {
        fail(making, code);
        return;
    }
    ck_bus_submit(making->bus, "bundle.built", &system,
                  ck_bundle_built_body(making->opened, &making->made), on_recorded, making);
}

int ck_bundle_making_begin(struct ck_bundle_making *making, const json_t *opened)
{
    making->fd = -1;
    making->made = (struct ck_bundle_made){0};
    making->opened = json_deep_copy(opened);
    int r = making->opened == NULL ? -ENOMEM : ck_bundle_order_read(making->opened, &making->order);
    return r == 0 ? ck_readers_run(making->readers, build, making, on_built, making) : r;
}

void ck_bundle_making_deinit(struct ck_bundle_making *making)
{
    ck_bundle_drop(&making->made);
    ck_closep(&making->fd);
    json_decref(making->opened);
    making->opened = NULL;
}
