#include "daemon/core/zones.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define NAME_SIZE 64
#define FILE_MAX (64 * 1024) /* the largest TZif file in use is below 8 KiB */

struct ck_zones {
    char *folder;
    char version[16];
    size_t count;
    struct {
        char name[NAME_SIZE];
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
static void read_version(struct ck_zones *zones)
{
    char path[512];
    snprintf(zones->version, sizeof zones->version, "unknown");
    snprintf(path, sizeof path, "%s/tzdata.zi", zones->folder);
    ck_cleanup(close_file) FILE *file = fopen(path, "re");
    char line[64];
    if (file == NULL || fgets(line, sizeof line, file) == NULL) {
        return;
    }
    char version[16];
    if (sscanf(line, "# version %15s", version) == 1) {
        snprintf(zones->version, sizeof zones->version, "%s", version);
    }
}

struct ck_zones *ck_zones_create(const char *folder)
{
    struct ck_zones *zones = calloc(1, sizeof *zones);
    if (zones == NULL || (zones->folder = strdup(folder)) == NULL) {
        free(zones);
        return NULL;
    }
    read_version(zones);
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

const char *ck_zones_version(const struct ck_zones *zones)
{
    return zones->version;
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

static int read_zone(const struct ck_zones *zones, const char *name, struct ck_zone *zone)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", zones->folder, name);
    ck_cleanup(close_file) FILE *file = fopen(path, "re");
    if (file == NULL) {
        return errno == ENOENT || errno == ENOTDIR ? CK_E_NOT_FOUND : -errno;
    }
    ck_cleanup(ck_freep) char *bytes = malloc(FILE_MAX);
    if (bytes == NULL) {
        return -ENOMEM;
    }
    size_t size = fread(bytes, 1, FILE_MAX, file);
    if (ferror(file)) {
        return CK_E_NOT_FOUND; /* a folder, such as "Asia" */
    }
    return ck_zone_parse(bytes, size, zone);
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
    ck_cleanup(ck_freep) struct ck_zone *read = malloc(sizeof *read);
    if (read == NULL) {
        return -ENOMEM;
    }
    int r = read_zone(zones, name, read);
    if (r != 0) {
        return r;
    }
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
            .start = ck_zone_instant(zone, (struct ck_local){today, 0}, CK_ZONE_FIRST, NULL),
            .end = ck_zone_instant(zone, (struct ck_local){tomorrow, 0}, CK_ZONE_FIRST, NULL),
            .utc_offset_min = ck_zone_offset_s(zone, now) / 60,
        };
        ck_date_text(today, day->text);
    }
    ck_zones_destroy(zones);
    return r;
}
