/* Between the files of the zone. */
#ifndef SCHEDULER_ZONE_IMPL_H
#define SCHEDULER_ZONE_IMPL_H

#include "scheduler/zone.h"

/* zone_footer.c: reads the POSIX TZ text of a footer (IEEE 1003.1 section 8.3, with the hours of
 * RFC 9636 section 3.3.2) into the zone's rule. 0 or CK_E_SYNTAX. */
int ck_zone_footer(const char *text, size_t size, struct ck_zone *zone);

/* The instant, in seconds, of the change of a year; `offset_s` is what holds before it. */
int64_t ck_zone_change_at(const struct ck_zone_change *change, int32_t year, int32_t offset_s);

#endif
