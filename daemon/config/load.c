#include "daemon/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/parse_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

/* Reads up to `capacity` bytes of the file; a negative errno on failure. */
static ssize_t read_file(const char *path, char *text, size_t capacity)
{
    ck_cleanup(ck_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    size_t have = 0;
    while (have < capacity) {
        ssize_t n = read(fd, text + have, capacity - have);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        have += (size_t)n;
    }
    return (ssize_t)have;
}

int ck_config_load(struct ck_config *config, const char *path, const struct ck_config_place *place,
                   struct ck_config_faults *faults)
{
    size_t capacity = CK_CONFIG_FILE_MAX + 1;
    ck_cleanup(ck_freep) char *text = malloc(capacity);
    if (text == NULL) {
        return -ENOMEM;
    }
    ssize_t size = read_file(path, text, capacity);
    if (size < 0) {
        struct ck_parse parse = {.faults = faults};
        faults->kept = 0;
        faults->count = 0;
        ck_parse_fault(&parse, 0, NULL, NULL, "cannot read it: %s", strerror((int)-size));
        return CK_E_INVALID;
    }
    return ck_config_parse(config, text, (size_t)size, place, faults);
}
