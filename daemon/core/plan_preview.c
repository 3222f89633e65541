#include "daemon/core/plan_preview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/body.h"
#include "daemon/core/demand.h"
#include "daemon/core/plan_request.h"
#include "daemon/core/rules.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "scheduler/plan_preview.h"

/* What a preview is made of. Large: on the heap. */
struct preview {
    struct ck_subject subject;
    struct ck_order_record order;
    struct ck_plan plan, before;
    struct ck_checkin_policy policy;
    struct ck_zones *zones;
    const struct ck_zone *zone;
    struct ck_preview_window windows[CK_PLAN_PREVIEW_WINDOWS];
    struct ck_plan_difference differences[CK_PLAN_DIFFERENCES];
};

static void preview_destroy(struct preview **preview)
{
    if (*preview != NULL) {
        ck_zones_destroy((*preview)->zones);
        free(*preview);
    }
}

static struct preview *preview_create(const char *zone_dir)
{
    struct preview *preview = calloc(1, sizeof *preview);
    if (preview != NULL && (preview->zones = ck_zones_create(zone_dir)) == NULL) {
        free(preview);
        return NULL;
    }
    return preview;
}

static json_t *windows_json(struct preview *preview, struct ck_wall now)
{
    struct ck_date last = {ck_zone_local(preview->zone, now).date.day + CK_PLAN_PREVIEW_DAYS};
    size_t count = ck_preview_windows(&preview->plan, preview->zone, now, last, preview->windows,
                                      CK_PLAN_PREVIEW_WINDOWS);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct ck_preview_window *window = &preview->windows[i];
        char day[CK_DATE_TEXT_SIZE], start[CK_WALL_TEXT_SIZE], end[CK_WALL_TEXT_SIZE];
        ck_date_text(window->date, day);
        ck_wall_text(window->instants.from, start);
        ck_wall_text(window->instants.until, end);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i, s:b}", "date", day, "start",
                                              start, "end", end, "draws",
                                              preview->plan.draws == 0 ? 0 : (int)window->contacts,
                                              "extended", (int)window->extended));
    }
    return list;
}

struct dates {
    struct ck_date from, last;
};

static void append_differences(struct preview *preview, struct ck_date from, struct ck_date last,
                               json_t *list)
{
    size_t count = ck_preview_differences(&preview->before, &preview->plan, from, last,
                                          preview->differences, CK_PLAN_DIFFERENCES);
    for (size_t i = 0; i < count; i++) {
        const struct ck_plan_difference *difference = &preview->differences[i];
        char day[CK_DATE_TEXT_SIZE];
        ck_date_text(difference->date, day);
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i}", "date", day, "what",
                                              ck_difference_name(difference->difference), "before",
                                              (int)difference->contacts_before, "after",
                                              (int)difference->contacts_after));
    }
}

/* From what one of the plans that make way would have asked for, on the dates that were its own. */
static int differences_from(struct ck_store *store, const struct ck_checkin_policy *house,
                            struct preview *preview, int64_t id, struct dates dates, json_t *list)
{
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    struct ck_order_record order;
    struct ck_checkin_policy policy;
    int r = ck_plan_load(store, id, &record);
    r = r == 0 ? ck_order_load(store, record.order, &order) : r;
    r = r == 0 ? ck_plan_record_read(&record, &order, &preview->subject, house, &preview->before,
                                     &policy)
               : r;
    if (r != 0) {
        return r;
    }
    dates.from.day = dates.from.day < record.begins.day ? record.begins.day : dates.from.day;
    if (record.until.day != 0 && record.until.day < dates.last.day) {
        dates.last = record.until;
    }
    append_differences(preview, dates.from, dates.last, list);
    return 0;
}

/* What becomes different once the plan begins; null where it takes no place. */
static int differences_json(struct ck_store *store, const struct ck_plan_asked *asked,
                            const struct ck_succession *succession, struct preview *preview,
                            json_t **out)
{
    if (asked->replaced == 0) {
        *out = json_null();
        return 0;
    }
    const struct dates dates = {succession->begins, {asked->today.day + CK_PLAN_DIFFERENCE_DAYS}};
    json_t *list = json_array();
    int r = succession->leaves == 0
                ? 0
                : differences_from(store, asked->house, preview, succession->leaves, dates, list);
    for (size_t i = succession->withdrawn_count; r == 0 && i > 0; i--) {
        r = differences_from(store, asked->house, preview, succession->withdrawn[i - 1], dates,
                             list);
    }
    if (r != 0) {
        json_decref(list);
        return r;
    }
    *out = list;
    return 0;
}

static int load(struct ck_store *store, int64_t person, int64_t order, struct preview *preview,
                struct ck_refusal *refusal)
{
    int r = ck_subject_load(store, person, &preview->subject);
    r = r == 0 ? ck_order_load(store, order, &preview->order) : r;
    if (r == CK_E_NOT_FOUND || (r == 0 && preview->order.person != person)) {
        return ck_refuse(refusal, CK_E_NOT_FOUND, "order_id", "the person has no such order");
    }
    if (r == 0) {
        r = ck_zones_find(preview->zones, preview->subject.zone, &preview->zone);
        r = r > 0 ? -EUCLEAN : r;
    }
    return r;
}

static json_t *refused_json(const struct ck_demand_fault *fault)
{
    char day[CK_DATE_TEXT_SIZE];
    if (fault->reason == CK_OBLIGATION_OK) {
        return json_null();
    }
    ck_date_text(fault->excess.from, day);
    return json_pack("{s:s, s:s, s:s?}", "reason", ck_obligation_reason_name(fault->reason), "text",
                     ck_obligation_reason_text(fault->reason), "on",
                     fault->excess.from.day == 0 ? NULL : day);
}

int ck_plan_preview(struct ck_store *store, const char *zone_dir, int64_t person,
                    const json_t *request, struct ck_wall now, json_t **out,
                    struct ck_refusal *refusal)
{
    ck_cleanup(preview_destroy) struct preview *preview = preview_create(zone_dir);
    /* What the request does not say matters to no window, but for how late into the first one
     * something is still planned. */
    const struct ck_house_rules house = ck_house_rules_default();
    enum ck_plan_reason warning = CK_PLAN_OK;
    struct ck_demand_fault fault = {.reason = CK_OBLIGATION_OK};
    struct ck_succession succession;
    json_t *differences = NULL;
    int64_t order = 0, replaced = 0;
    int r = preview == NULL ? -ENOMEM : ck_body_id(request, "order_id", &order, refusal);
    r = r == 0 ? load(store, person, order, preview, refusal) : r;
    r = r == 0 ? ck_plan_replaced(request, &replaced, refusal) : r;
    r = r == 0 ? ck_plan_request_read(request, &preview->order, &preview->subject, &house.checkin,
                                      &preview->plan, &preview->policy, &warning, refusal)
               : r;
    r = r == 0 ? ck_demand_replaced(store, person, replaced, refusal) : r;
    if (r != 0) {
        return r;
    }
    const struct ck_plan_asked asked = {.subject = &preview->subject,
                                        .house = &house.checkin,
                                        .replaced = replaced,
                                        .zone = preview->zone,
                                        .now = now,
                                        .today = ck_zone_local(preview->zone, now).date};
    r = ck_demand_plan(store, &preview->order, &asked, &preview->plan, &succession, &fault);
    r = r == 0 ? differences_json(store, &asked, &succession, preview, &differences) : r;
    if (r != 0) {
        return r;
    }
    if (succession.begins.day > preview->plan.order_from.day) {
        preview->plan.order_from = succession.begins;
    }
    json_t *warnings = json_array();
    if (warning != CK_PLAN_OK) {
        json_array_append_new(warnings, json_string(ck_plan_reason_name(warning)));
    }
    *out = json_pack("{s:o, s:o, s:o, s:o}", "windows", windows_json(preview, now), "warnings",
                     warnings, "refused", refused_json(&fault), "differences", differences);
    return *out == NULL ? -ENOMEM : 0;
}

int ck_plan_ahead(struct ck_store *store, const char *zone_dir, int64_t plan, struct ck_wall now,
                  json_t **ahead)
{
    ck_cleanup(preview_destroy) struct preview *preview = preview_create(zone_dir);
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    const struct ck_house_rules house = ck_house_rules_default();
    struct ck_refusal refusal;
    int r = preview == NULL ? -ENOMEM : ck_plan_load(store, plan, &record);
    if (r != 0) {
        return r;
    }
    r = load(store, record.person, record.order, preview, &refusal);
    r = r == 0 ? ck_plan_record_read(&record, &preview->order, &preview->subject, &house.checkin,
                                     &preview->plan, &preview->policy)
               : r;
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    *ahead = json_pack("{s:I, s:I, s:s, s:s, s:o}", "plan", (json_int_t)plan, "person",
                       (json_int_t)record.person, "state", record.active ? "active" : "ended",
                       "zone", preview->subject.zone, "windows",
                       record.active ? windows_json(preview, now) : json_array());
    return *ahead == NULL ? -ENOMEM : 0;
}
