/* The world's own folder of zone tables, and a government that changes its mind. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/time.h"
#include "tests/sim/sim.h"

#define TABLES "/usr/share/zoneinfo"
#define TABLE_MAX 65536

/* Both hemispheres, half hours and a quarter; twelve whose clocks change in the days of one of the
 * worlds, two without changes. */
const char *const sim_zone_names[SIM_UNITS] = {
    "Asia/Almaty",         "Europe/Berlin",    "America/New_York", "Europe/Dublin",
    "America/St_Johns",    "Asia/Jerusalem",   "America/Santiago", "Africa/Casablanca",
    "Australia/Lord_Howe", "Pacific/Auckland", "Asia/Kathmandu",   "America/Havana",
    "Pacific/Chatham",     "Asia/Beirut",
};

/* What becomes of the rules of some: they give up changing their clocks, or move by an hour. */
static const struct {
    const char *zone;
    const char *becomes;
} changes[] = {
    {"Asia/Almaty", "Asia/Novosibirsk"},
    {"Europe/Berlin", "Europe/Moscow"},
    {"America/Havana", "America/Caracas"},
};

static void path_of(const struct sim *sim, const char *zone, char path[256])
{
    snprintf(path, 256, "%s/%s", sim->zones, zone);
}

/* As a package does it: a new file takes the place of the old one. */
static void put_table(struct sim *sim, const char *zone, const char *from)
{
    static char bytes[TABLE_MAX];
    char path[256], fresh[300], source[256];
    snprintf(source, sizeof(source), TABLES "/%s", from);
    path_of(sim, zone, path);
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    FILE *in = fopen(source, "re");
    FILE *out = fopen(fresh, "we");
    if (in == NULL || out == NULL) {
        sim_fail(sim, "the table of %s cannot be copied", from);
    }
    size_t size = fread(bytes, 1, sizeof(bytes), in);
    if (fwrite(bytes, 1, size, out) != size || fclose(out) != 0 || rename(fresh, path) != 0) {
        sim_fail(sim, "the table of %s cannot be written", zone);
    }
    fclose(in);
}

void sim_zones_make(struct sim *sim)
{
    snprintf(sim->zones, sizeof(sim->zones), "/tmp/ck-sim-zones-XXXXXX");
    if (mkdtemp(sim->zones) == NULL) {
        sim_fail(sim, "no folder for zones");
    }
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        char path[256];
        path_of(sim, sim_zone_names[unit], path);
        *strrchr(path, '/') = '\0';
        mkdir(path, 0700); /* there already for the second of an area */
        put_table(sim, sim_zone_names[unit], sim_zone_names[unit]);
    }
}

void sim_zones_remove(struct sim *sim)
{
    char path[256];
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        path_of(sim, sim_zone_names[unit], path);
        unlink(path);
    }
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        path_of(sim, sim_zone_names[unit], path);
        *strrchr(path, '/') = '\0';
        rmdir(path);
    }
    rmdir(sim->zones);
}

/* Seconds east of Greenwich by one table. */
static int offset_by(const char *table, int64_t at_ms)
{
    time_t at = (time_t)(at_ms / 1000);
    struct tm local;
    char zone[264];
    snprintf(zone, sizeof(zone), ":%s", table);
    setenv("TZ", zone, 1);
    tzset();
    localtime_r(&at, &local);
    setenv("TZ", "UTC", 1);
    tzset();
    return (int)local.tm_gmtoff;
}

int sim_zone_offset(const struct sim *sim, int unit, int64_t at_ms)
{
    char path[256];
    path_of(sim, sim_zone_names[unit], path);
    return offset_by(path, at_ms);
}

int64_t sim_zone_instant(struct sim *sim, int unit, const char *local, bool changed)
{
    char path[256], text[64];
    struct ck_wall at;
    snprintf(text, sizeof(text), "%.16s:00.000Z", local);
    if (ck_wall_parse(text, &at) != 0) {
        sim_fail(sim, "no local time: %s", local);
    }
    if (changed) {
        path_of(sim, sim_zone_names[unit], path);
    } else {
        snprintf(path, sizeof(path), TABLES "/%s", sim_zone_names[unit]);
    }
    int64_t about_ms = at.ms - offset_by(path, at.ms) * INT64_C(1000);
    return at.ms - offset_by(path, about_ms) * INT64_C(1000);
}

void sim_zone_enter(const struct sim *sim, int unit, bool changed)
{
    char path[256], zone[264];
    if (changed) {
        path_of(sim, sim_zone_names[unit], path);
    } else {
        snprintf(path, sizeof(path), TABLES "/%s", sim_zone_names[unit]);
    }
    snprintf(zone, sizeof(zone), ":%s", path);
    setenv("TZ", zone, 1);
    tzset();
}

int64_t sim_zone_local(int64_t at_ms)
{
    time_t at = (time_t)(at_ms / 1000);
    struct tm local;
    localtime_r(&at, &local);
    return (int64_t)at + local.tm_gmtoff;
}

void sim_zone_leave(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
}

bool sim_zone_changes(int unit)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        if (strcmp(changes[i].zone, sim_zone_names[unit]) == 0) {
            return true;
        }
    }
    return false;
}

void sim_zones_change(struct sim *sim)
{
    sim->zones_changed_ms = sim->now_ms;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        put_table(sim, changes[i].zone, changes[i].becomes);
    }
}
