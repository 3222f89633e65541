/* Removes the file of a recording whose key is destroyed. In the pool: a disk may stall. What fails
 * is asked for again by the engine. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"

struct erasing {
    struct ck_product *product;
    uv_work_t work;
    int64_t recording;
    char *folder;
    char *file;
    int error;
};

static void erasing_free(struct erasing *erasing)
{
    free(erasing->folder);
    free(erasing->file);
    free(erasing);
}

/* Gone for good once the folder says so on the disk. */
static void remove_work(uv_work_t *work)
{
    struct erasing *erasing = work->data;
    int folder = open(erasing->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    erasing->error = folder < 0 ? errno : 0;
    if (erasing->error == 0 && unlinkat(folder, erasing->file, 0) < 0 && errno != ENOENT) {
        erasing->error = errno;
    }
    if (erasing->error == 0 && fsync(folder) < 0) {
        erasing->error = errno;
    }
    if (folder >= 0) {
        close(folder);
    }
}

static void remove_done(uv_work_t *work, int status)
{
    struct erasing *erasing = work->data;
    const struct ck_actor actor = ck_actor_system();
    int error = status < 0 ? -status : erasing->error;
    if (error != 0) {
        ck_log_error("the file of recording %lld is not removed yet: %s",
                     (long long)erasing->recording, strerror(error));
    } else if (!erasing->product->stopping) {
        ck_bus_submit(erasing->product->bus, "recording.file_gone", &actor,
                      json_pack("{s:I}", "recording", (json_int_t)erasing->recording), NULL, NULL);
    }
    erasing_free(erasing);
}

void ck_product_erase_file(struct ck_product *product, int64_t recording, const char *file)
{
    struct erasing *erasing = calloc(1, sizeof *erasing);
    if (erasing == NULL) {
        ck_log_error("no memory to remove a file");
        return;
    }
    *erasing = (struct erasing){
        .product = product,
        .recording = recording,
        .folder = ck_config_path(product->config, product->config->media.recording_dir),
        .file = file == NULL || strchr(file, '/') != NULL ? NULL : strdup(file),
    };
    erasing->work.data = erasing;
    int error = erasing->folder == NULL || erasing->file == NULL
                    ? UV_ENOMEM
                    : uv_queue_work(&product->loop, &erasing->work, remove_work, remove_done);
    if (error != 0) {
        ck_log_error("the file of recording %lld is not removed yet: %s", (long long)recording,
                     uv_strerror(error));
        erasing_free(erasing);
    }
}
