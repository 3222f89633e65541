#include "daemon/core/zones.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/store/checkin.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"

#define NAME_SIZE 64
#define FILE_MAX (64 * 1024) /* the largest TZif file in use is below 8 KiB */

/* What tells a file from the one that took its place. */
struct file_mark {
    int64_t inode, size, seconds, nanoseconds;
};

struct ck_zones {
    char *folder;
    char release[16];
    size_t count;
    struct {
        char name[NAME_SIZE];
        char version[CK_ZONE_VERSION_SIZE];
        struct file_mark mark;
        struct ck_zone *zone;
    } items[CK_ZONES_MAX];
};

static void close_file(FILE **file)
{
    if (*file != NULL) {
        fclose(*file);
    }
}

/* tzdata.zi begins with "# version 2024b". */
static void read_release(struct ck_zones *zones)
{
    char path[512];
    snprintf(zones->release, sizeof zones->release, "unknown");
    snprintf(path, sizeof path, "%s/tzdata.zi", zones->folder);
    ck_cleanup(close_file) FILE *file = fopen(path, "re");
    char line[64];
    if (file == NULL || fgets(line, sizeof line, file) == NULL) {
        return;
    }
    char version[16];
    if (sscanf(line, "# version %15s", version) == 1) {
        snprintf(zones->release, sizeof zones->release, "%s", version);
    }
}

struct ck_zones *ck_zones_create(const char *folder)
{
    struct ck_zones *zones = calloc(1, sizeof *zones);
    if (zones == NULL || (zones->folder = strdup(folder)) == NULL) {
        free(zones);
        return NULL;
    }
    read_release(zones);
    return zones;
}

void ck_zones_destroy(struct ck_zones *zones)
{
    if (zones == NULL) {
        return;
    }
    for (size_t i = 0; i < zones->count; i++) {
        free(zones->items[i].zone);
    }
    free(zones->folder);
    free(zones);
}

const char *ck_zones_version(const struct ck_zones *zones, const char *name)
{
    for (size_t i = 0; i < zones->count; i++) {
        if (strcmp(zones->items[i].name, name) == 0) {
            return zones->items[i].version;
        }
    }
    return "";
}

bool ck_zones_same(const char *version, const char *other)
{
    const char *table = strchr(version, '/'), *other_table = strchr(other, '/');
    return table != NULL && other_table != NULL && strcmp(table, other_table) == 0;
}

/* "Area/Place": nothing that could lead out of the folder. */
static bool name_valid(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t length = strlen(name);
    return length > 0 && length < NAME_SIZE && name[0] != '/' && strspn(name, allowed) == length &&
           strstr(name, "//") == NULL && name[length - 1] != '/';
}

static void name_version(const struct ck_zones *zones, const void *bytes, size_t size,
                         char version[static CK_ZONE_VERSION_SIZE])
{
    const struct ck_slice slice = {bytes, size};
    uint8_t digest[CK_SHA256_SIZE];
    snprintf(version, CK_ZONE_VERSION_SIZE, "%s/", zones->release);
    if (ck_sha256(&slice, 1, digest) == 0) {
        size_t used = strlen(version);
        snprintf(version + used, CK_ZONE_VERSION_SIZE - used, "%02x%02x%02x%02x", digest[0],
                 digest[1], digest[2], digest[3]);
    }
}

static struct file_mark mark_of(const struct stat *file)
{
    return (struct file_mark){(int64_t)file->st_ino, file->st_size, file->st_mtim.tv_sec,
                              file->st_mtim.tv_nsec};
}

/* One zone, as it is in the folder now. */
struct reading {
    struct ck_zone zone;
    char version[CK_ZONE_VERSION_SIZE];
    struct file_mark mark;
};

static int read_zone(const struct ck_zones *zones, const char *name, struct reading *reading)
{
    char path[512];
    struct stat file_is;
    snprintf(path, sizeof path, "%s/%s", zones->folder, name);
    ck_cleanup(close_file) FILE *file = fopen(path, "re");
    if (file == NULL) {
        return errno == ENOENT || errno == ENOTDIR ? CK_E_NOT_FOUND : -errno;
    }
    if (fstat(fileno(file), &file_is) != 0) {
        return -errno;
    }
    ck_cleanup(ck_freep) char *bytes = malloc(FILE_MAX);
    if (bytes == NULL) {
        return -ENOMEM;
    }
    size_t size = fread(bytes, 1, FILE_MAX, file);
    if (ferror(file)) {
        return CK_E_NOT_FOUND; /* a folder, such as "Asia" */
    }
    reading->mark = mark_of(&file_is);
    name_version(zones, bytes, size, reading->version);
    return ck_zone_parse(bytes, size, &reading->zone);
}

static bool is_newer(const struct ck_zones *zones, size_t index)
{
    char path[512];
    struct stat file;
    snprintf(path, sizeof path, "%s/%s", zones->folder, zones->items[index].name);
    if (stat(path, &file) != 0) {
        return false;
    }
    struct file_mark mark = mark_of(&file);
    return memcmp(&mark, &zones->items[index].mark, sizeof mark) != 0;
}

size_t ck_zones_refresh(struct ck_zones *zones)
{
    ck_cleanup(ck_freep) struct reading *reading = malloc(sizeof *reading);
    size_t changed = 0;
    for (size_t i = 0; reading != NULL && i < zones->count; i++) {
        if (!is_newer(zones, i)) {
            continue;
        }
        read_release(zones);
        if (read_zone(zones, zones->items[i].name, reading) != 0) {
            continue;
        }
        changed += !ck_zones_same(zones->items[i].version, reading->version);
        *zones->items[i].zone = reading->zone;
        zones->items[i].mark = reading->mark;
        memcpy(zones->items[i].version, reading->version, sizeof reading->version);
    }
    return changed;
}

int ck_zones_find(struct ck_zones *zones, const char *name, const struct ck_zone **zone)
{
    for (size_t i = 0; i < zones->count; i++) {
        if (strcmp(zones->items[i].name, name) == 0) {
            *zone = zones->items[i].zone;
            return 0;
        }
    }
    if (!name_valid(name)) {
        return CK_E_INVALID;
    }
    if (zones->count == CK_ZONES_MAX) {
        return CK_E_LIMIT;
    }
    ck_cleanup(ck_freep) struct reading *reading = malloc(sizeof *reading);
    ck_cleanup(ck_freep) struct ck_zone *read = malloc(sizeof *read);
    if (reading == NULL || read == NULL) {
        return -ENOMEM;
    }
    int r = read_zone(zones, name, reading);
    if (r != 0) {
        return r;
    }
    *read = reading->zone;
    zones->items[zones->count].mark = reading->mark;
    memcpy(zones->items[zones->count].version, reading->version, sizeof reading->version);
    snprintf(zones->items[zones->count].name, NAME_SIZE, "%s", name);
    *zone = read;
    zones->items[zones->count++].zone = ck_take(read);
    return 0;
}

int ck_zone_day(const char *folder, const char *name, struct ck_wall now, struct ck_day *day)
{
    struct ck_zones *zones = ck_zones_create(folder);
    const struct ck_zone *zone = NULL;
    int r = zones == NULL ? -ENOMEM : ck_zones_find(zones, name, &zone);
    if (r == 0) {
        struct ck_date today = ck_zone_local(zone, now).date, tomorrow = {today.day + 1};
        *day = (struct ck_day){
            .start = ck_zone_midnight(zone, today),
            .end = ck_zone_midnight(zone, tomorrow),
            .utc_offset_min = ck_zone_offset_s(zone, now) / 60,
        };
        ck_date_text(today, day->text);
    }
    ck_zones_destroy(zones);
    return r;
}
