/* Times of a report: a court reads the clock on the wall; the log is in UTC. */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/bundle/report_impl.h"
#include "protocol/base/time.h"

#define WALL_DATE 10 /* letters of "2026-11-29" */

/* "2026-11-29T18:05:07.123Z" as "2026-11-29 18:05:07" and what follows. */
static void write_text(struct ck_wall at, const char *behind, char text[static CK_REPORT_TIME_SIZE])
{
    char wall[CK_WALL_TEXT_SIZE];
    ck_wall_text(at, wall);
    snprintf(text, CK_REPORT_TIME_SIZE, "%.*s %.8s %s", WALL_DATE, wall, wall + WALL_DATE + 1,
             behind);
}

struct ck_report_moment ck_report_moment(const struct ck_report *report, const char *at)
{
    struct ck_report_moment moment = {"", ""};
    struct ck_wall wall;
    if (ck_wall_parse(at, &wall) != 0) {
        snprintf(moment.local, sizeof moment.local, "%s", at);
        return moment;
    }
    if (report->zone == NULL) {
        write_text(wall, "UTC", moment.local);
        return moment;
    }
    int minutes = ck_zone_offset_s(report->zone, wall) / 60;
    char offset[16];
    snprintf(offset, sizeof offset, "%c%02d:%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60,
             abs(minutes) % 60);
    write_text(ck_wall_add_ms(wall, minutes * INT64_C(60000)), offset, moment.local);
    write_text(wall, "UTC", moment.utc);
    return moment;
}

void ck_report_moment_line(const struct ck_report *report, const char *at,
                           char line[static CK_REPORT_MOMENT_SIZE])
{
    struct ck_report_moment moment = ck_report_moment(report, at);
    snprintf(line, CK_REPORT_MOMENT_SIZE, moment.utc[0] == '\0' ? "%s%s" : "%s (%s)", moment.local,
             moment.utc);
}
