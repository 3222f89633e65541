#include "daemon/core/overload.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/capacity_live.h"
#include "daemon/core/command.h"
#include "daemon/core/duty.h"
#include "daemon/core/zones.h"
#include "daemon/store/checkin.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define DAY_MS INT64_C(86400000)

/* What is looked at. Large: on the heap. */
struct look {
    struct ck_zones *zones;
    struct ck_duty_person *duty;
    struct ck_capacity_person people[CK_DUTY_PEOPLE_MAX];
    size_t people_count;
    struct ck_wall dues[CK_OVERLOAD_DUES_MAX];
    size_t due_count;
    struct ck_overload found[CK_OVERLOADS_MAX];
};

static void look_destroy(struct look **look)
{
    if (*look != NULL) {
        ck_zones_destroy((*look)->zones);
        free((*look)->duty);
        free(*look);
    }
}

static struct look *look_create(const char *zone_dir)
{
    ck_cleanup(look_destroy) struct look *look = calloc(1, sizeof *look);
    if (look != NULL) {
        look->zones = ck_zones_create(zone_dir);
        look->duty = calloc(CK_DUTY_PEOPLE_MAX, sizeof *look->duty);
    }
    return look == NULL || look->zones == NULL || look->duty == NULL ? NULL : ck_take(look);
}

/* Everybody of the unit who takes live check-ins, with their times in the span. */
static int load_people(struct ck_store *store, int64_t unit, struct ck_interval span,
                       struct look *look)
{
    int64_t ids[CK_DUTY_PEOPLE_MAX];
    size_t count = 0;
    int r = ck_staff_of_role(store, unit, CK_ROLE_INSPECTOR, ids, CK_DUTY_PEOPLE_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_duty_person *person = &look->duty[look->people_count];
        r = ck_duty_times(store, look->zones, ids[i], false, span, person);
        if (r == 0) {
            look->people[look->people_count++] = person->person;
        }
        r = r == CK_E_NOT_FOUND ? 0 : r;
    }
    return r;
}

static json_t *stretch_json(const struct ck_overload *overload)
{
    char from[CK_WALL_TEXT_SIZE], until[CK_WALL_TEXT_SIZE];
    ck_wall_text(overload->during.from, from);
    ck_wall_text(overload->during.until, until);
    return json_pack("{s:s, s:s, s:i, s:i}", "from", from, "until", until, "due",
                     (int)overload->due, "able", (int)overload->able);
}

int ck_overload_ahead(struct ck_store *store, const char *zone_dir, int64_t unit,
                      struct ck_wall now, json_t **out)
{
    ck_cleanup(look_destroy) struct look *look = look_create(zone_dir);
    /* From a full step on, so that the same stretch is called the same from one look to the next.
     */
    struct ck_wall begin = {now.ms - now.ms % CK_OVERLOAD_STEP_MS};
    struct ck_interval span = {begin, ck_wall_add_ms(begin, CK_OVERLOAD_DAYS * DAY_MS)};
    char from[CK_WALL_TEXT_SIZE], until[CK_WALL_TEXT_SIZE];
    int64_t unattended = 0, nobody = 0;
    int r = look == NULL ? -ENOMEM : load_people(store, unit, span, look);
    r = r == 0 ? ck_checkin_live_dues(store, unit, span.from, span.until, look->dues,
                                      CK_OVERLOAD_DUES_MAX, &look->due_count)
               : r;
    r = r == 0 ? ck_checkin_unreserved(store, unit, span.from, span.until, &unattended, &nobody)
               : r;
    if (r != 0) {
        return r;
    }
    size_t count =
        ck_capacity_overloads(look->people, look->people_count, look->dues, look->due_count,
                              CK_CAPACITY_CALL_MS, span, CK_OVERLOAD_STEP_MS, look->found);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, stretch_json(&look->found[i]));
    }
    ck_wall_text(span.from, from);
    ck_wall_text(span.until, until);
    *out = json_pack("{s:s, s:s, s:i, s:i, s:b, s:I, s:I, s:o}", "from", from, "until", until,
                     "inspectors", (int)look->people_count, "due", (int)look->due_count, "cut",
                     look->due_count == CK_OVERLOAD_DUES_MAX || count == CK_OVERLOADS_MAX,
                     "unattended", (json_int_t)unattended, "nobody", (json_int_t)nobody,
                     "overloads", list);
    return *out == NULL ? -ENOMEM : 0;
}
