/* An archive that somebody hands in to be verified. */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *begin, *end;

static int visit(void *user, const struct ck_zip_file *file)
{
    (void)user;
    if (file->bytes < begin || file->bytes + file->size > end) {
        abort();
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_zip_file bad;
    begin = data;
    end = data + size;
    (void)ck_zip_walk(data, size, visit, NULL, &bad);
    return 0;
}
