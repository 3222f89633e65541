#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "daemon/ctl/clock.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "scheduler/zone.h"

#define ZONE_FILE "/usr/share/zoneinfo/Asia/Almaty"
#define ZONE_OFFSET_S (5 * 3600)
#define ZONE_FILE_MAX 65536
#define DAY_MS INT64_C(86400000)

int ck_clock_zone_test(struct ck_wall now)
{
    ck_cleanup(ck_closep) int fd = open(ZONE_FILE, O_RDONLY | O_CLOEXEC);
    ck_cleanup(ck_freep) struct ck_zone *zone = malloc(sizeof *zone);
    ck_cleanup(ck_freep) char *bytes = malloc(ZONE_FILE_MAX);
    if (fd < 0) {
        return -errno;
    }
    if (zone == NULL || bytes == NULL) {
        return -ENOMEM;
    }
    ssize_t size = read(fd, bytes, ZONE_FILE_MAX);
    if (size < 0) {
        return -errno;
    }
    if (ck_zone_parse(bytes, (size_t)size, zone) != 0) {
        return CK_E_INVALID;
    }
    struct ck_wall start = {now.ms - now.ms % DAY_MS};
    struct ck_wall end = ck_wall_add_ms(start, DAY_MS);
    bool good = ck_zone_offset_s(zone, start) == ZONE_OFFSET_S &&
                ck_zone_offset_s(zone, end) == ZONE_OFFSET_S;
    return good ? 0 : CK_E_INVALID;
}
