/* Time zones by name, read from the system's TZif files and kept until those change. One thread. */
#ifndef DAEMON_CORE_ZONES_H
#define DAEMON_CORE_ZONES_H

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/date.h"
#include "scheduler/zone.h"

#define CK_ZONES_MAX 64 /* different zones of one agency */

struct ck_zones;

#define CK_ZONE_DIR "/usr/share/zoneinfo" /* where the system keeps its zones, as TZif files */

/* `folder` as CK_ZONE_DIR; copied. NULL where memory ends. */
struct ck_zones *ck_zones_create(const char *folder);
void ck_zones_destroy(struct ck_zones *zones);

/* The zone, which lives as long as `zones`. CK_E_INVALID: not a name of a zone; CK_E_NOT_FOUND: no
 * such file; CK_E_LIMIT: too many; errors of ck_zone_parse(). */
int ck_zones_find(struct ck_zones *zones, const char *name, const struct ck_zone **zone);

/* Version of a zone's table: of the release and the table itself ("2024b/1f3c9d2a"); "unknown/…"
 * where the release is not said, "" where the zone has not been found yet. Two tables with the same
 * part behind the slash are the same. */
const char *ck_zones_version(const struct ck_zones *zones, const char *name);

/* Whether two versions name the same table, whatever the release. */
bool ck_zones_same(const char *version, const char *other);

/* Reads anew what has changed in the folder since it was read. A file that cannot be read or
 * understood (an update may be under way) leaves its zone as it was, and is looked at again the
 * next time. How many zones have another table now. */
size_t ck_zones_refresh(struct ck_zones *zones);

/* One day of a zone. */
struct ck_day {
    struct ck_wall start, end; /* half-open */
    char text[CK_DATE_TEXT_SIZE];
    int32_t utc_offset_min; /* at the instant asked for */
};

/* The day of a zone that `now` is in; on any thread, reading the file each time. Errors of
 * ck_zones_find(). */
int ck_zone_day(const char *folder, const char *name, struct ck_wall now, struct ck_day *day);

#endif
