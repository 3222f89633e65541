/* What routes ask the store for, on a reader in the thread pool. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "daemon/audit/verify.h"
#include "daemon/cases/approval.h"
#include "daemon/cases/cases.h"
#include "daemon/cases/risk.h"
#include "daemon/core/body.h"
#include "daemon/core/confidence.h"
#include "daemon/core/overload.h"
#include "daemon/core/plan_preview.h"
#include "daemon/core/zone_live.h"
#include "daemon/core/zones.h"
#include "daemon/store/approval.h"
#include "daemon/store/log.h"
#include "daemon/store/opened_case.h"
#include "daemon/store/order.h"
#include "daemon/store/person.h"
#include "daemon/store/plan.h"
#include "daemon/store/query_figures.h"
#include "daemon/store/query_incident.h"
#include "daemon/store/query_log.h"
#include "daemon/store/query_people.h"
#include "daemon/store/request.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define WEEKS_DEFAULT 8
#define WEEKS_MAX 53

static int set_new(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0 ? 0 : -ENOMEM;
}

static int set_time(json_t *object, const char *name, struct ck_wall at)
{
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text(at, text);
    return set_new(object, name, json_string(text));
}

/* {name: list} */
static int wrap_list(int error, const char *name, json_t *list, json_t **out)
{
    if (error == 0) {
        *out = json_pack("{s:o}", name, list);
        return *out == NULL ? -ENOMEM : 0;
    }
    return error;
}

/* ---- units and staff ---- */

int ck_api_units(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    (void)call;
    json_t *list = NULL;
    int r = ck_query_units(store, &list);
    return wrap_list(r, "units", list, out);
}

int ck_api_unit(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_query_unit(store, call->object, out);
}

int ck_api_unit_zone(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    const char *zone = NULL;
    int r = ck_body_text(call->body, "zone", 63, false, &zone, &call->refusal);
    return r == 0
               ? ck_zone_preview(store, CK_ZONE_DIR, call->id, zone, call->now, out, &call->refusal)
               : r;
}

int ck_api_staff_list(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    json_t *list = NULL;
    const struct ck_actor *actor = &call->actor;
    int r = (actor->roles & CK_ROLE_ADMINISTRATOR) != 0 ? ck_query_staff(store, 0, &list)
            : (actor->roles & CK_ROLE_SUPERVISOR) != 0
                ? ck_query_staff(store, actor->unit_id, &list)
                : ck_query_staff_names(store, actor->unit_id, &list);
    return wrap_list(r, "staff", list, out);
}

int ck_api_staff_one(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_query_staff_one(store, call->object, out);
}

static int add_clock(json_t *object, const char *zone, struct ck_wall now)
{
    struct ck_day day;
    int r = set_time(object, "server_time", now);
    if (r == 0 && zone != NULL && ck_zone_day(CK_ZONE_DIR, zone, now, &day) == 0) {
        r = set_new(object, "utc_offset_min", json_integer(day.utc_offset_min));
    }
    return r;
}

int ck_api_query_me(struct ck_store *store, const struct ck_config *config,
                    const struct ck_session *session, struct ck_wall now, json_t **out)
{
    ck_cleanup(json_decrefp) json_t *me = NULL;
    int r = ck_query_me(store, session->staff, &me);
    if (r == 0) {
        const json_t *unit = json_object_get(me, "unit");
        r = add_clock(me, json_string_value(json_object_get(unit, "zone")), now);
    }
    r = r == 0 ? set_new(me, "version", json_string(CK_VERSION)) : r;
    char until[CK_WALL_TEXT_SIZE];
    ck_wall_text(ck_wall_add_ms(session->created, config->limits.staff_session_max_ms), until);
    r = r == 0 ? set_new(me, "session_until", json_string(until)) : r;
    r = r == 0 ? set_new(me, "session_idle_ms", json_integer(config->limits.staff_session_ms)) : r;
    bool required = config->access.second_factor == CK_SECOND_FACTOR_REQUIRED;
    r = r == 0 ? set_new(me, "second_factor_required", json_boolean(required)) : r;
    if (r == 0) {
        *out = ck_take(me);
    }
    return r;
}

static int add_csrf(const struct ck_api_call *call, json_t *object)
{
    char csrf[CK_API_CSRF_SIZE];
    int r = ck_api_csrf(call->cookie, csrf);
    r = r == 0 ? set_new(object, "csrf", json_string(csrf)) : r;
    if (r == 0 && call->policy->who == CK_WHO_PERSON) {
        r = ck_api_challenge(call->cookie, csrf);
        r = r == 0 ? set_new(object, "challenge", json_string(csrf)) : r;
    }
    return r;
}

int ck_api_me(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    int r = ck_api_query_me(store, call->api->options.config, &call->session, call->now, out);
    return r == 0 ? add_csrf(call, *out) : r;
}

/* ---- what persons ask for ---- */

int ck_api_requests(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    json_t *list = NULL;
    struct ck_scope scope = ck_policy_scope(&call->actor);
    int r = ck_request_list(store, &scope, &list);
    return wrap_list(r, "requests", list, out);
}

/* ---- persons ---- */

int ck_api_persons(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_scope seen = ck_policy_scope(&call->actor);
    struct ck_people_scope scope = {
        .unit = seen.unit,
        .inspector = seen.unit != 0 ? call->inspector : seen.inspector,
        .text = call->text,
    };
    json_t *list = NULL;
    int r = ck_query_persons(store, &scope, call->now, &list);
    return wrap_list(r, "persons", list, out);
}

int ck_api_person(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_query_person(store, call->object, call->now, out);
}

int ck_api_order(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_query_order(store, call->object, out);
}

int ck_api_plan(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_query_plan(store, call->object, out);
}

/* Nothing is saved, but whose plan it would be is checked as for one that is. */
int ck_api_preview(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_subject subject;
    int r = ck_subject_load(store, call->id, &subject);
    if (r == 0 && !ck_in_scope(&call->actor, subject.unit, subject.inspector)) {
        return CK_E_DENIED;
    }
    return r == 0 ? ck_plan_preview(store, CK_ZONE_DIR, call->id, call->body, call->now, out,
                                    &call->refusal)
                  : r;
}

/* The scope of a plan was checked by the record of the read, which may be of an earlier request.
 * `drawn`: an opened case is not enough. */
static int check_plan_scope(struct ck_store *store, struct ck_api_call *call, bool drawn)
{
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    struct ck_subject subject;
    int r = ck_plan_load(store, call->id, &record);
    r = r == 0 ? ck_subject_load(store, record.person, &subject) : r;
    if (r != 0) {
        return r;
    }
    bool may = drawn ? ck_in_scope(&call->actor, subject.unit, subject.inspector)
                     : ck_may_read(&call->actor, subject.unit, subject.inspector, record.person);
    return may ? 0 : CK_E_DENIED;
}

int ck_api_plan_ahead(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    int r = check_plan_scope(store, call, false);
    return r == 0 ? ck_plan_ahead(store, CK_ZONE_DIR, call->id, call->now, out) : r;
}

int ck_api_plan_instants(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    json_t *list = NULL;
    int r = check_plan_scope(store, call, true);
    r = r == 0 ? ck_query_instants(store, call->id, call->now, &list) : r;
    return wrap_list(r, "instants", list, out);
}

int ck_api_blackouts(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    json_t *list = NULL;
    int r = ck_query_blackouts(store, call->object, &list);
    return wrap_list(r, "blackouts", list, out);
}

/* ---- check-ins ---- */

int ck_api_read_scope(struct ck_store *store, const struct ck_api_call *call, const char *kind,
                      int64_t id, struct ck_scope *scope)
{
    int64_t person = id, unit = 0, inspector = 0;
    *scope = ck_policy_scope(&call->actor);
    if (call->actor.opened[0] == 0) {
        return 0;
    }
    int r = strcmp(kind, "person") == 0 ? 0 : ck_log_owner(store, kind, id, &person);
    r = r == 0 ? ck_person_owner(store, person, &unit, &inspector) : r;
    for (size_t i = 0; r == 0 && i < CK_OPENED_MAX; i++) {
        if (call->actor.opened[i] == person) {
            scope->unit = unit;
        }
    }
    return r == CK_E_NOT_FOUND ? 0 : r; /* the query says so */
}

/* Opens what was confided; a key that the log says was destroyed opens nothing. */
static int check_confided(struct ck_store *store, struct ck_api_call *call, const json_t *of,
                          bool opened)
{
    int64_t person = json_integer_value(json_object_get(of, "person_id"));
    return opened ? ck_api_check_put_back(store, call, CK_KEEP_CONCERN, person) : 0;
}

static int show_concerns(struct ck_store *store, struct ck_api_call *call, json_t *checkin)
{
    bool opened = false;
    int r = ck_confided_open(call->api->options.master_key, json_object_get(checkin, "concerns"),
                             "text", &opened);
    return r == 0 ? check_confided(store, call, checkin, opened) : r;
}

static int show_incident(struct ck_store *store, struct ck_api_call *call, json_t *incident)
{
    const uint8_t *master = call->api->options.master_key;
    json_t *conclusion = json_object_get(incident, "conclusion");
    ck_cleanup(json_decrefp) json_t *concluded =
        json_is_object(conclusion) ? json_pack("[O]", conclusion) : json_array();
    bool opened = false;
    int r = ck_confided_open(master, json_object_get(incident, "line"), "text", &opened);
    r = r == 0 ? ck_confided_open(master, concluded, "reason", &opened) : r;
    r = r == 0 ? ck_confided_open(master,
                                  json_object_get(json_object_get(incident, "checkin"), "concerns"),
                                  "text", &opened)
               : r;
    return r == 0 ? check_confided(store, call, incident, opened) : r;
}

int ck_api_checkins(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_scope scope;
    int r = ck_api_read_scope(store, call, "person", call->id, &scope);
    return r != 0 ? r : ck_query_checkins_of(store, &scope, call->id, call->before, out);
}

int ck_api_checkin(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_scope scope;
    int r = ck_api_read_scope(store, call, "checkin", call->id, &scope);
    ck_cleanup(json_decrefp) json_t *checkin = NULL;
    r = r == 0 ? ck_query_checkin(store, &scope, call->id, &checkin) : r;
    r = r == 0 ? show_concerns(store, call, checkin) : r;
    if (r == 0) {
        *out = ck_take(checkin);
    }
    return r;
}

int ck_api_checkin_row(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_scope scope = ck_policy_scope(&call->actor);
    return ck_query_checkin_row(store, &scope, call->object, out);
}

int ck_api_reviews(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_scope scope = ck_policy_scope(&call->actor);
    json_t *list = NULL;
    int r = ck_query_reviews(store, &scope, &list);
    return wrap_list(r, "reviews", list, out);
}

int ck_api_today(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_scope scope = ck_policy_scope(&call->actor);
    char zone[CK_ZONE_NAME_SIZE];
    struct ck_day day;
    int r = ck_unit_zone(store, call->actor.unit_id, zone);
    r = r == 0 ? ck_zone_day(CK_ZONE_DIR, zone, call->now, &day) : r;
    r = r == 0 ? ck_query_today(store, &scope, day.text, day.start, day.end, out) : r;
    return r == 0 ? set_time(*out, "server_time", call->now) : r;
}

/* ---- cases opened outside the own caseload ---- */

int ck_api_opened(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_query_opened(store, call->actor.staff_id, call->now, out);
}

/* ---- incidents ---- */

int ck_api_incidents(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_scope scope = ck_policy_scope(&call->actor);
    return ck_query_incidents(store, &scope, strcmp(call->word, "closed") == 0, call->before, out);
}

int ck_api_incident(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_scope scope = ck_policy_scope(&call->actor);
    ck_cleanup(json_decrefp) json_t *incident = NULL;
    int r = ck_query_incident(store, &scope, call->id, &incident);
    r = r == 0 ? show_incident(store, call, incident) : r;
    if (r == 0) {
        *out = ck_take(incident);
    }
    return r;
}

int ck_api_overload(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_overload_ahead(store, CK_ZONE_DIR, call->actor.unit_id, call->now, out);
}

/* ---- the risk compartment ---- */

/* The scope is checked each time, whatever was recorded before. */
static int check_person_scope(struct ck_store *store, struct ck_api_call *call, int64_t person)
{
    struct ck_subject subject;
    int r = ck_subject_load(store, person, &subject);
    return r == 0 && !ck_in_scope(&call->actor, subject.unit, subject.inspector) ? CK_E_DENIED : r;
}

int ck_api_risk(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    int r = check_person_scope(store, call, call->id);
    r = r == 0 ? ck_risk_open(store, call->api->options.master_key, call->id, out) : r;
    return r == CK_E_CONFLICT ? ck_api_refuse_put_back(call, ck_keep_name(CK_KEEP_RISK)) : r;
}

int ck_api_proposal(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    const struct ck_house_rules house = ck_house_rules_default();
    const char *basis = json_string_value(json_object_get(call->body, "basis"));
    struct ck_proposal_asked asked = {
        .zone_dir = CK_ZONE_DIR,
        .person = call->id,
        .order = json_integer_value(json_object_get(call->body, "order_id")),
        .basis = basis != NULL && strcmp(basis, "judgement") == 0 ? "judgement" : "score",
        .house = &house.checkin,
        .now = call->now,
    };
    int r = check_person_scope(store, call, call->id);
    return r == 0
               ? ck_risk_proposal(store, call->api->options.master_key, &asked, out, &call->refusal)
               : r;
}

int ck_api_cadence(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    (void)call;
    return ck_cadence_json(store, out);
}

/* ---- what needs two persons ---- */

/* Whether this actor may decide it, beside what the row says. */
static void add_may_decide(const struct ck_api_call *call, json_t *approval)
{
    const struct ck_approval_kind *kind =
        ck_approval_kind_find(json_string_value(json_object_get(approval, "kind")));
    bool open = strcmp(json_string_value(json_object_get(approval, "state")), "open") == 0;
    bool may = open && kind != NULL && (call->actor.roles & kind->approve) != 0 &&
               json_integer_value(json_object_get(approval, "proposer_id")) != call->actor.staff_id;
    json_object_set_new(approval, "may_decide", json_boolean(may));
}

int ck_api_approvals(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    char kinds[CK_APPROVAL_KINDS_SIZE];
    struct ck_approval_scope scope = {call->actor.staff_id, call->actor.unit_id, kinds};
    ck_approval_kinds_of(call->actor.roles, kinds);
    int r = ck_query_approvals(store, &scope, strcmp(call->word, "closed") != 0, call->before,
                               call->now, out);
    size_t index;
    json_t *approval;
    json_array_foreach(r == 0 ? json_object_get(*out, "approvals") : NULL, index, approval)
    {
        add_may_decide(call, approval);
    }
    return r;
}

int ck_api_approval(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    char kinds[CK_APPROVAL_KINDS_SIZE];
    struct ck_approval_scope scope = {call->actor.staff_id, call->actor.unit_id, kinds};
    ck_approval_kinds_of(call->actor.roles, kinds);
    int r = ck_query_approval(store, &scope, call->object, call->now, out);
    if (r == 0) {
        add_may_decide(call, *out);
    }
    return r;
}

/* ---- log, figures, system ---- */

static int read_day(const char *text, struct ck_wall *at)
{
    char whole[32];
    if (text[0] == '\0') {
        return 0;
    }
    snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
    return ck_wall_parse(whole, at);
}

int ck_api_log(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_log_filter filter = {
        .unit = call->actor.unit_id,
        .before = call->before,
        .after = call->after,
        .person = call->person,
        .staff = call->staff,
        .action = call->word[0] == '\0' ? NULL : call->word,
    };
    if (read_day(call->from, &filter.from) != 0 || read_day(call->until, &filter.until) != 0) {
        return ck_refuse(&call->refusal, CK_E_INVALID, "from", "must be a date, YYYY-MM-DD");
    }
    return ck_query_log(store, &filter, out);
}

int ck_api_log_entry(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_audit_detail(store, call->actor.unit_id, call->id, out);
}

int ck_api_figures(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    int64_t weeks = call->weeks == 0 ? WEEKS_DEFAULT : call->weeks;
    char zone[CK_ZONE_NAME_SIZE];
    struct ck_day day;
    int r = ck_unit_zone(store, call->actor.unit_id, zone);
    r = r == 0 ? ck_zone_day(CK_ZONE_DIR, zone, call->now, &day) : r;
    return r == 0 ? ck_query_figures(store, call->actor.unit_id, day.end,
                                     weeks > WEEKS_MAX ? WEEKS_MAX : weeks, out)
                  : r;
}

int ck_api_system(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    int64_t quarantined = 0;
    json_t *page = NULL;
    struct ck_log_filter filter = {.unit = -1, .after = -1};
    int r = ck_store_quarantined(store, &quarantined);
    json_t *verified = NULL;
    r = r == 0 ? ck_query_log_verified(store, &verified) : r;
    r = r == 0 ? ck_query_log(store, &filter, &page) : r;
    if (r != 0) {
        json_decref(verified);
        return r;
    }
    /* What the loop knows was put into call->value before the query went to its thread. */
    json_t *system = json_incref(call->value);
    set_new(system, "quarantined", json_integer(quarantined));
    set_new(system, "log",
            json_pack("{s:O*, s:O*, s:o}", "size", json_object_get(page, "size"), "root",
                      json_object_get(page, "root"), "verified", verified));
    json_decref(page);
    *out = system;
    return 0;
}

/* ---- the person ---- */

int ck_api_query_person_state(struct ck_store *store, const struct ck_config *config,
                              int64_t person, int64_t checkin, struct ck_wall now, json_t **out)
{
    ck_cleanup(json_decrefp) json_t *state = NULL;
    int r = ck_query_person_state(store, person, checkin, &state);
    r = r == 0 ? add_clock(state, json_string_value(json_object_get(state, "zone")), now) : r;
    if (r == 0 && !json_is_string(json_object_get(state, "help_phone")) &&
        *config->daemon.help_phone != '\0') {
        r = set_new(state, "help_phone", json_string(config->daemon.help_phone));
    }
    if (r == 0) {
        *out = ck_take(state);
    }
    return r;
}

int ck_api_self(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    int r = ck_api_query_person_state(store, call->api->options.config, call->actor.person_id,
                                      call->actor.checkin_id, call->now, out);
    return r == 0 ? add_csrf(call, *out) : r;
}
