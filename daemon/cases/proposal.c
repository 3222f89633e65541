/* From a band over the policy table to a plan that a supervisor approves; and the table itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cases/approval.h"
#include "daemon/cases/cases_impl.h"
#include "daemon/cases/risk.h"
#include "daemon/core/band_live.h"
#include "daemon/core/zones.h"
#include "daemon/store/order.h"
#include "daemon/store/person.h"
#include "daemon/store/plan.h"
#include "protocol/base/cleanup.h"
#include "scheduler/cadence.h"

#define SETTING "cadence"
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)

/* ---- the table ---- */

static json_t *time_json(int32_t minutes)
{
    char text[8];
    snprintf(text, sizeof text, "%02d:%02d", (int)(minutes / 60 % 24), (int)(minutes % 60));
    return json_string(text);
}

static json_t *row_json(enum ck_band band, const struct ck_cadence *row)
{
    return json_pack("{s:s, s:i, s:i, s:b, s:o, s:o, s:I, s:b, s:b, s:b}", "band",
                     ck_band_name(band), "contacts", (int)row->contacts, "weeks", (int)row->weeks,
                     "random", (int)row->random, "start", time_json(row->start_min), "end",
                     time_json(row->end_min), "max_silence_h",
                     (json_int_t)(row->max_silence_ms / HOUR_MS), "weekly_visit",
                     (int)row->weekly_visit, "supervisor_review", (int)row->supervisor_review,
                     "case_conference", (int)row->case_conference);
}

static json_t *table_json(const struct ck_cadence_table *table)
{
    json_t *rows = json_array();
    for (int band = 0; band < CK_BAND_COUNT; band++) {
        json_array_append_new(rows, row_json((enum ck_band)band, &table->bands[band]));
    }
    return rows;
}

/* "HH:MM" as minutes; -1 where it is none. */
static int32_t read_time(const json_t *value)
{
    int32_t minute = ck_day_minute(json_string_value(value));
    return minute < CK_DAY_MINUTES ? minute : -1;
}

static int read_row(const json_t *item, enum ck_band band, struct ck_cadence *row,
                    struct ck_refusal *refusal)
{
    int64_t contacts = 0, weeks = 0, silence = 0;
    const char *name = json_string_value(json_object_get(item, "band"));
    if (name == NULL || strcmp(name, ck_band_name(band)) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, "bands", "must be all bands in their order: %s",
                         ck_band_name(band));
    }
    int r = ck_body_int(item, "contacts", 1, CK_CADENCE_CONTACTS_MAX, &contacts, refusal);
    r = r == 0 ? ck_body_int(item, "weeks", 1, CK_CADENCE_WEEKS_MAX, &weeks, refusal) : r;
    r = r == 0 ? ck_body_flag(item, "random", &row->random, refusal) : r;
    r = r == 0 ? ck_body_int(item, "max_silence_h", 0, 8784, &silence, refusal) : r;
    r = r == 0 ? ck_body_flag(item, "weekly_visit", &row->weekly_visit, refusal) : r;
    r = r == 0 ? ck_body_flag(item, "supervisor_review", &row->supervisor_review, refusal) : r;
    r = r == 0 ? ck_body_flag(item, "case_conference", &row->case_conference, refusal) : r;
    if (r != 0) {
        return r;
    }
    row->contacts = (uint32_t)contacts;
    row->weeks = (uint32_t)weeks;
    row->max_silence_ms = silence * HOUR_MS;
    row->start_min = read_time(json_object_get(item, "start"));
    row->end_min = read_time(json_object_get(item, "end"));
    if (row->end_min >= 0 && row->end_min <= row->start_min) {
        row->end_min += 24 * 60; /* past midnight */
    }
    return row->start_min < 0 || row->end_min < 0
               ? ck_refuse(refusal, CK_E_INVALID, "bands", "%s: start and end are times of day",
                           name)
               : 0;
}

static int read_table(const json_t *request, struct ck_cadence_table *table,
                      struct ck_refusal *refusal)
{
    const json_t *rows = json_object_get(request, "bands");
    enum ck_band band = CK_BAND_UNSCORED;
    if (json_array_size(rows) != CK_BAND_COUNT) {
        return ck_refuse(refusal, CK_E_INVALID, "bands", "must be a list of %d bands",
                         CK_BAND_COUNT);
    }
    memset(table, 0, sizeof *table);
    for (int i = 0; i < CK_BAND_COUNT; i++) {
        int r =
            read_row(json_array_get(rows, (size_t)i), (enum ck_band)i, &table->bands[i], refusal);
        if (r != 0) {
            return r;
        }
    }
    const char *fault = ck_cadence_fault(table, &band);
    return fault == NULL ? 0
                         : ck_refuse(refusal, CK_E_INVALID, "bands", "%s of %s is not sound", fault,
                                     ck_band_name(band));
}

/* The table in force; *approved is null for the product's own. */
static int load_table(struct ck_store *store, struct ck_cadence_table *table, json_t **approved)
{
    ck_cleanup(ck_freep) char *text = NULL;
    struct ck_refusal refusal;
    int r = ck_store_setting(store, SETTING, &text);
    if (r == CK_E_NOT_FOUND) {
        *table = ck_cadence_default();
        *approved = json_null();
        return 0;
    }
    ck_cleanup(json_decrefp) json_t *kept = r == 0 ? json_loads(text, 0, NULL) : NULL;
    if (r == 0 && (kept == NULL || read_table(kept, table, &refusal) != 0)) {
        r = -EUCLEAN;
    }
    if (r == 0) {
        *approved = json_incref(json_object_get(kept, "approved"));
    }
    return r;
}

int ck_cadence_json(struct ck_store *store, json_t **cadence)
{
    struct ck_cadence_table table;
    json_t *approved = NULL;
    int r = load_table(store, &table, &approved);
    if (r == 0) {
        *cadence = json_pack("{s:o, s:o}", "bands", table_json(&table), "approved", approved);
        r = *cadence == NULL ? -ENOMEM : 0;
    }
    return r;
}

int ck_cadence_proposed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                        json_t **result, struct ck_refusal *refusal)
{
    struct ck_cadence_table table;
    (void)turn;
    (void)actor;
    (void)result;
    return read_table(json_object_get(body, "request"), &table, refusal);
}

int ck_cadence_approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                        json_t **result, struct ck_refusal *refusal)
{
    struct ck_cadence_table table;
    char now[CK_WALL_TEXT_SIZE];
    (void)result;
    int r = read_table(json_object_get(body, "request"), &table, refusal);
    if (r != 0) {
        return r;
    }
    ck_wall_text(ck_turn_now(turn), now);
    ck_cleanup(json_decrefp) json_t *kept =
        json_pack("{s:o, s:s}", "bands", table_json(&table), "approved", now);
    ck_cleanup(ck_freep) char *text = kept == NULL ? NULL : json_dumps(kept, JSON_COMPACT);
    r = text == NULL ? -ENOMEM : ck_store_set_setting(ck_turn_store(turn), SETTING, text);
    return r == 0
               ? ck_turn_audit(turn, actor,
                               &(struct ck_record){
                                   .action = "CADENCE_CHANGED",
                                   .object = "setting",
                                   .open = json_pack("{s:O, s:O}", "approval",
                                                     json_object_get(body, "approval"), "proposer",
                                                     json_object_get(body, "proposer"))})
               : r;
}

/* ---- the proposal ---- */

static enum ck_band band_of_name(const char *name)
{
    for (int band = 0; name != NULL && band < CK_BAND_COUNT; band++) {
        if (strcmp(ck_band_name((enum ck_band)band), name) == 0) {
            return (enum ck_band)band;
        }
    }
    return CK_BAND_COUNT;
}

/* A judgement names a class; its highest band is what the table is asked for. */
static enum ck_band band_of_class(const char *name)
{
    for (int band = CK_BAND_TOP; name != NULL && band > CK_BAND_UNSCORED; band--) {
        if (strcmp(ck_band_class((enum ck_band)band), name) == 0) {
            return (enum ck_band)band;
        }
    }
    return CK_BAND_COUNT;
}

static int find_band(struct ck_store *store, const uint8_t *master,
                     const struct ck_proposal_asked *asked, enum ck_band *band,
                     struct ck_refusal *refusal)
{
    ck_cleanup(json_decrefp) json_t *risk = NULL;
    bool score = strcmp(asked->basis, "score") == 0;
    int r = ck_risk_open(store, master, asked->person, &risk);
    if (r != 0) {
        return r;
    }
    const json_t *newest =
        json_array_get(json_object_get(risk, score ? "scores" : "judgements"), 0);
    *band = score ? band_of_name(json_string_value(
                        json_object_get(json_object_get(newest, "result"), "handled_as")))
                  : band_of_class(json_string_value(json_object_get(newest, "band")));
    return *band == CK_BAND_COUNT
               ? ck_refuse(refusal, CK_E_CONFLICT, "basis", "there is no %s yet", asked->basis)
               : 0;
}

/* The rule of a proposed plan as text: days of the week every so many weeks. */
static void rule_text(const struct ck_rule *rule, char *text, size_t size)
{
    static const char *const days[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    static const char *const words[] = {"DAILY", "WEEKLY", "MONTHLY"};
    size_t at = (size_t)snprintf(text, size, "FREQ=%s", words[rule->frequency]);
    if (rule->interval > 1) {
        at += (size_t)snprintf(text + at, size - at, ";INTERVAL=%u", (unsigned)rule->interval);
    }
    for (uint32_t i = 0; i < rule->byday_count && at < size; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%s", i == 0 ? ";BYDAY=" : ",",
                               days[rule->byday[i].weekday]);
    }
}

#define RUNNING_MAX 16 /* active plans of an order that are looked at */

/* The running plan of the same kind under the order, whose place the proposed one takes; 0: none.
 * Which of several it is, is not for a table to say. */
static int running_plan(struct ck_store *store, int64_t order, bool mandatory, int64_t *running,
                        struct ck_refusal *refusal)
{
    int64_t ids[RUNNING_MAX];
    size_t count = 0;
    *running = 0;
    int r = ck_plan_of_order(store, order, ids, RUNNING_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
        r = ck_plan_load(store, ids[i], &record);
        if (r != 0 || record.unattended || record.mandatory != mandatory || record.until.day != 0) {
            continue;
        }
        if (*running != 0) {
            return ck_refuse(refusal, CK_E_CONFLICT, "order_id",
                             "several plans run under this order: end those first whose place the "
                             "proposal is to take");
        }
        *running = ids[i];
    }
    return r;
}

static json_t *request_json(const struct ck_plan *plan, int64_t order, int64_t replaced,
                            const struct ck_checkin_policy *house)
{
    char rule[128], first[CK_DATE_TEXT_SIZE];
    rule_text(&plan->rule, rule, sizeof rule);
    ck_date_text(plan->first, first);
    json_t *request = json_pack(
        "{s:I, s:s, s:b, s:s, s:s, s:[{s:o, s:o, s:i}], s:i, s:I, s:I, s:I, s:I}", "order_id",
        (json_int_t)order, "kind", "live", "mandatory", (int)plan->mandatory, "recurrence", rule,
        "first_date", first, "windows", "start", time_json(plan->windows[0].start_min), "end",
        time_json(plan->windows[0].end_min), "draws", (int)plan->draws, "attempts",
        (int)house->attempts, "attempt_spacing_s", (json_int_t)(house->ring_spacing_ms / 1000),
        "response_window_s", (json_int_t)(house->response_ms / 1000), "grace_s",
        (json_int_t)(house->grace_ms / 1000), "late_limit_s", (json_int_t)(house->late_ms / 1000));
    if (request != NULL && replaced != 0) {
        json_object_set_new(request, "replaces", json_integer(replaced));
    }
    if (request != NULL && plan->mandatory && plan->max_silence_ms > 0) {
        json_object_set_new(request, "max_silence_s", json_integer(plan->max_silence_ms / 1000));
    }
    return request;
}

static json_t *gave_way_json(uint32_t mask)
{
    static const char *const names[] = {"fewer", "hours", "voluntary", "fixed"};
    json_t *list = json_array();
    for (int i = 0; i < 4; i++) {
        if ((mask & (UINT32_C(1) << i)) != 0) {
            json_array_append_new(list, json_string(names[i]));
        }
    }
    return list;
}

static json_t *advice_json(const struct ck_cadence *row)
{
    json_t *list = json_array();
    if (row->weekly_visit) {
        json_array_append_new(list, json_string("weekly_visit"));
    }
    if (row->supervisor_review) {
        json_array_append_new(list, json_string("supervisor_review"));
    }
    if (row->case_conference) {
        json_array_append_new(list, json_string("case_conference"));
    }
    return list;
}

static int today_of(const struct ck_proposal_asked *asked, const char *zone, struct ck_date *today)
{
    struct ck_day day;
    int r = ck_zone_day(asked->zone_dir, zone, asked->now, &day);
    return r == 0 ? ck_date_parse(day.text, today) : r;
}

int ck_risk_proposal(struct ck_store *store, const uint8_t master[static CK_KEY_SIZE],
                     const struct ck_proposal_asked *asked, json_t **proposal,
                     struct ck_refusal *refusal)
{
    ck_cleanup(ck_freep) struct ck_plan *plan = calloc(1, sizeof *plan);
    struct ck_cadence_table table;
    struct ck_order_record order;
    struct ck_subject subject;
    enum ck_band band = CK_BAND_UNSCORED;
    struct ck_date today;
    uint32_t gave_way = 0;
    int64_t running = 0;
    json_t *approved = NULL;
    int r = plan == NULL ? -ENOMEM : ck_subject_load(store, asked->person, &subject);
    r = r == 0 ? ck_order_load(store, asked->order, &order) : r;
    if (r == CK_E_NOT_FOUND || (r == 0 && order.person != asked->person)) {
        return ck_refuse(refusal, CK_E_NOT_FOUND, "order_id", "the person has no such order");
    }
    r = r == 0 ? find_band(store, master, asked, &band, refusal) : r;
    r = r == 0 ? today_of(asked, subject.zone, &today) : r;
    r = r == 0 ? load_table(store, &table, &approved) : r;
    json_decref(approved);
    if (r != 0) {
        return r;
    }
    r = ck_cadence_propose(&table, band, &order.rules, (struct ck_date){today.day + 1},
                           asked->house->response_ms + asked->house->grace_ms, plan, &gave_way);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, CK_E_CONFLICT, "order_id", "the order leaves no room for a plan");
    }
    r = r == 0 ? running_plan(store, asked->order, plan->mandatory, &running, refusal) : r;
    if (r != 0) {
        return r;
    }
    *proposal = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "basis", asked->basis, "score_band",
                          ck_band_name(band), "band", ck_band_class(band), "request",
                          request_json(plan, asked->order, running, asked->house), "gave_way",
                          gave_way_json(gave_way), "advice", advice_json(&table.bands[band]));
    return *proposal == NULL ? -ENOMEM : 0;
}

int ck_risk_propose(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    static const char *const bases[] = {"score", "judgement", NULL};
    struct ck_proposal_asked asked = {
        .zone_dir = CK_ZONE_DIR, .house = &ck_turn_rules(turn)->checkin, .now = ck_turn_now(turn)};
    struct ck_approval_request request = {.kind = "plan.proposal"};
    ck_cleanup(json_decrefp) json_t *proposal = NULL;
    int64_t inspector = 0, id = 0;
    int r = ck_case_person(turn, actor, body, &asked.person, refusal);
    r = r == 0 ? ck_body_id(body, "order_id", &asked.order, refusal) : r;
    r = r == 0 ? ck_case_word(body, "basis", bases, &asked.basis, refusal) : r;
    r = r == 0
            ? ck_body_text(body, "reason", CK_APPROVAL_REASON_MAX, false, &request.reason, refusal)
            : r;
    r = r == 0 ? ck_risk_proposal(ck_turn_store(turn), ck_turn_master_key(turn), &asked, &proposal,
                                  refusal)
               : r;
    r = r == 0 ? ck_person_owner(ck_turn_store(turn), asked.person, &request.unit, &inspector) : r;
    if (r != 0) {
        return r;
    }
    /* The proposal is made from the compartment: that it was looked into is a record of its own. */
    r = ck_turn_audit(turn, actor,
                      &(struct ck_record){.action = "READ",
                                          .object = "person",
                                          .object_id = asked.person,
                                          .person_id = asked.person,
                                          .open = json_pack("{s:s}", "what", "risk")});
    if (r != 0) {
        return r;
    }
    /* Whoever approves sees the class, not the score: that has a right of its own. */
    json_object_del(proposal, "score_band");
    request.person = asked.person;
    request.request = proposal;
    r = ck_approval_propose(turn, actor, &request, &id, refusal);
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)id);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}

int ck_proposal_approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    const json_t *request = json_object_get(body, "request");
    const char *band = json_string_value(json_object_get(request, "band"));
    int64_t person = json_integer_value(json_object_get(body, "person"));
    struct ck_subject subject;
    ck_handler *create = ck_turn_handler(turn, "plan.create");
    ck_cleanup(json_decrefp) json_t *plan = json_pack(
        "{s:I, s:O}", "person", (json_int_t)person, "request", json_object_get(request, "request"));
    if (plan == NULL || create == NULL || band == NULL) {
        return plan == NULL ? -ENOMEM : -EUCLEAN;
    }
    int r = ck_subject_load(ck_turn_store(turn), person, &subject);
    r = r == 0 ? ck_person_set_band(ck_turn_store(turn), person, band) : r;
    r = r == 0 ? ck_person_banded(turn, actor, person, subject.band, band,
                                  json_pack("{s:O}", "approval", json_object_get(body, "approval")))
               : r;
    return r == 0 ? create(turn, actor, plan, result, refusal) : r;
}
