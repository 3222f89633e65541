/* TZif bytes; and what is taken must then convert any wall time without harm, and back. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "scheduler/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ck_zone zone;
    if (ck_zone_parse(data, size, &zone) != 0) {
        return 0;
    }
    for (int32_t day = CK_DATE_MIN.day; day < CK_DATE_MAX.day; day += 40009) {
        for (int32_t second = -3600; second < 2 * 86400; second += 20011) {
            struct ck_local local = {{day}, second};
            enum ck_zone_fit fit;
            struct ck_wall first = ck_zone_instant(&zone, local, CK_ZONE_FIRST, &fit);
            struct ck_wall last = ck_zone_instant(&zone, local, CK_ZONE_LAST, NULL);
            if (last.ms < first.ms) {
                abort();
            }
            struct ck_local back = ck_zone_local(&zone, first);
            int64_t apart = (int64_t)(back.date.day - day) * 86400 + back.second - second;
            if (fit != CK_ZONE_GAP && apart != 0) {
                abort();
            }
        }
    }
    return 0;
}
