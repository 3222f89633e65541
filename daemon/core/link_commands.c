/* Commands of a person's page before and beside a call, of orders that end, and of our own health.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/device.h"
#include "daemon/core/live_impl.h"
#include "daemon/core/zone_live.h"
#include "daemon/store/health.h"
#include "daemon/store/person.h"
#include "daemon/store/quarantine.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define TOKEN_SIZE 16
#define SESSION_TOKEN_SIZE 32
#define PAGE_KEY_MIN 16
#define PAGE_KEY_MAX 64
#define CLEAN_EVERY_MS (INT64_C(3600) * 1000)
#define HEALTH_KEPT_MS (INT64_C(400) * 24 * 3600 * 1000)
#define LINKS_KEPT_MS (INT64_C(7) * 24 * 3600 * 1000)

/* ---- links ---- */

static int open_page(struct ck_turn *turn, const struct ck_actor *person,
                     const struct ck_link *link)
{
    struct ck_checkin_row row;
    if (link->checkin == 0) {
        return 0;
    }
    int r = ck_checkin_load(turn->store, link->checkin, &row);
    if (r == 0) {
        r = ck_fact_insert(turn->store, link->checkin, row.step.attempt, turn->now.wall, "server",
                           "page_opened", NULL);
    }
    return r == 0 ? ck_checkin_evidence(turn, person, &row, CK_EVIDENCE_PAGE_OPENED, turn->now.wall)
                  : r;
}

static int make_session(struct ck_turn *turn, const struct ck_actor *actor,
                        const struct ck_link *link, const char *device, json_t **result)
{
    uint8_t token[SESSION_TOKEN_SIZE], digest[CK_SHA256_SIZE];
    char text[CK_BASE64URL_SIZE(SESSION_TOKEN_SIZE)], expires[CK_WALL_TEXT_SIZE];
    int64_t session = 0;
    ck_turn_random(turn, token, sizeof token);
    const struct ck_slice slice = {token, sizeof token};
    int r = ck_sha256(&slice, 1, digest);
    if (r == 0) {
        r = ck_link_session(turn->store, digest, link, actor->peer, device, turn->now.wall,
                            &session);
    }
    if (r == 0) {
        ck_base64url_encode(token, sizeof token, text);
        ck_wall_text(link->expires, expires);
        *result = json_pack("{s:s, s:I, s:I, s:I, s:s}", "token", text, "session",
                            (json_int_t)session, "person", (json_int_t)link->person, "checkin",
                            (json_int_t)link->checkin, "expires", expires);
        r = *result == NULL ? -ENOMEM : 0;
    }
    ck_wipe(token, sizeof token);
    ck_wipe(text, sizeof text);
    return r;
}

int ck_link_repeats(struct ck_turn *turn, int64_t person, const char *field,
                    struct ck_refusal *refusal)
{
    int64_t count = 0;
    int r = ck_link_sessions(turn->store, person, ck_wall_add_ms(turn->now.wall, -CK_REPEATS_MS),
                             &count);
    return r == 0 && count >= CK_REPEATS_MAX
               ? ck_refuse(refusal, CK_E_LIMIT, field,
                           "was opened more than %d times in an hour; try again later",
                           CK_REPEATS_MAX)
               : r;
}

int ck_link_open(struct ck_turn *turn, const struct ck_actor *person, const struct ck_link *link,
                 const char *device, json_t **result)
{
    int r = make_session(turn, person, link, device, result);
    return r == 0 ? open_page(turn, person, link) : r;
}

/* The page's own key, as a digest; *by is NULL where it sent none. */
static int page_key(const json_t *body, uint8_t digest[static CK_SHA256_SIZE], const uint8_t **by,
                    struct ck_refusal *refusal)
{
    const char *key = NULL;
    *by = NULL;
    if (json_object_get(body, "key") == NULL) {
        return 0;
    }
    int r = ck_body_text(body, "key", PAGE_KEY_MAX, false, &key, refusal);
    if (r == 0 && strlen(key) < PAGE_KEY_MIN) {
        return ck_refuse(refusal, CK_E_INVALID, "key", "is too short to be nobody else's");
    }
    if (r == 0) {
        const struct ck_slice slice = {(const uint8_t *)key, strlen(key)};
        r = ck_sha256(&slice, 1, digest);
    }
    if (r == 0) {
        *by = digest;
    }
    return r;
}

/* A link that is known, and too late: in the log, because it may be the person's own tap after
 * somebody else's. */
static int refused(struct ck_turn *turn, const struct ck_link *link, const char *why,
                   struct ck_refusal *refusal)
{
    bool checkin = link->checkin != 0;
    return ck_turn_refuse(turn, CK_E_CONFLICT, "token", checkin ? "checkin" : "person",
                          checkin ? link->checkin : link->person, link->person, why, refusal);
}

/* {token, device?, key?} → {token: of the session, session, person, checkin, expires}. A tap: GET
 * never comes here. On a bad network the answer may be lost when the link is used up already: the
 * page that used it comes again with the same key of its own, and is let in; a record of its own,
 * so that a link is opened once in the log. */
static int exchange(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    const char *text = NULL, *device = json_string_value(json_object_get(body, "device"));
    uint8_t token[TOKEN_SIZE], digest[CK_SHA256_SIZE], own[CK_SHA256_SIZE];
    const uint8_t *by = NULL;
    struct ck_link link;
    size_t size = 0;
    int r = ck_body_text(body, "token", 64, false, &text, refusal);
    r = r == 0 ? page_key(body, own, &by, refusal) : r;
    if (r != 0) {
        return r;
    }
    if (ck_base64url_decode(text, token, sizeof token, &size) != 0 || size != sizeof token) {
        return ck_refuse(refusal, CK_E_NOT_FOUND, "token", "this link is not known");
    }
    const struct ck_slice slice = {token, sizeof token};
    r = ck_sha256(&slice, 1, digest);
    if (r == 0) {
        r = ck_link_load(turn->store, digest, &link);
    }
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "token", "this link is not known");
    }
    if (r == 0 && !ck_wall_before(turn->now.wall, link.expires)) {
        return refused(turn, &link, "this link has expired", refusal);
    }
    if (r == 0 && link.used.ms != 0) {
        r = ck_link_repeats(turn, link.person, "token", refusal);
        if (r != 0) {
            return r;
        }
    }
    if (r == 0) {
        r = ck_link_use(turn->store, digest, by, turn->now.wall);
    }
    if (r == CK_E_CONFLICT) {
        return refused(turn, &link, "this link was used before", refusal);
    }
    if (r != 0) {
        return r;
    }
    struct ck_actor person = *actor;
    person.kind = CK_ACTOR_PERSON;
    person.person_id = link.person;
    person.checkin_id = link.checkin;
    r = ck_turn_audit(turn, &person,
                      &(struct ck_record){
                          .action = link.used.ms == 0 ? "LINK_OPENED" : "LINK_OPENED_AGAIN",
                          .object = link.checkin != 0 ? "checkin" : "person",
                          .object_id = link.checkin != 0 ? link.checkin : link.person,
                          .person_id = link.person,
                          .sealed = json_pack("{s:s, s:s}", "peer", actor->peer, "device",
                                              device == NULL ? "" : device),
                      });
    link.enrolment = link.checkin == 0;
    return r == 0 ? ck_link_open(turn, &person, &link, device, result) : r;
}

/* {version}: the notice on rights and recording was shown and acknowledged. */
static int acknowledge_notice(struct ck_turn *turn, const struct ck_actor *actor,
                              const json_t *body, json_t **result, struct ck_refusal *refusal)
{
    struct ck_checkin_row row;
    int64_t version = 0;
    (void)result;
    int r = ck_body_int(body, "version", 1, 1000000, &version, refusal);
    if (r == 0 && actor->kind != CK_ACTOR_PERSON) {
        return ck_turn_deny(turn, actor, "person", actor->person_id, actor->person_id,
                            "only the person acknowledges it", refusal);
    }
    if (r == 0) {
        r = ck_subject_set_notice(turn->store, actor->person_id, version, turn->now.wall);
    }
    if (r == 0) {
        r = ck_turn_audit(turn, actor,
                          &(struct ck_record){
                              .action = "NOTICE_ACKNOWLEDGED",
                              .object = "person",
                              .object_id = actor->person_id,
                              .person_id = actor->person_id,
                              .open = json_pack("{s:I}", "version", (json_int_t)version),
                              .sealed = json_pack("{s:s}", "peer", actor->peer),
                          });
    }
    if (r != 0 || actor->checkin_id == 0) {
        return r;
    }
    r = ck_checkin_load(turn->store, actor->checkin_id, &row);
    return r == 0 ? ck_checkin_evidence(turn, actor, &row, CK_EVIDENCE_RIGHTS_READ, turn->now.wall)
                  : r;
}

/* ---- health ---- */

static int clean(struct ck_turn *turn)
{
    struct ck_engine *engine = turn->engine;
    if (turn->now.wall.ms - engine->cleaned_at.ms < CLEAN_EVERY_MS) {
        return 0;
    }
    int r = ck_health_clean(turn->store, ck_wall_add_ms(turn->now.wall, -HEALTH_KEPT_MS));
    if (r == 0) {
        r = ck_link_clean(turn->store, ck_wall_add_ms(turn->now.wall, -LINKS_KEPT_MS));
    }
    r = r == 0 ? ck_retention_sync(turn) : r;
    if (r == 0) {
        engine->cleaned_at = turn->now.wall;
    }
    return r;
}

/* Ways to people that have no row yet: some people at a time, and an hour between two rounds. What
 * a turn that fails undoes is found in the next round. */
static int find_paths(struct ck_turn *turn)
{
    struct ck_engine *engine = turn->engine;
    if (engine->paths_after == 0 && turn->now.wall.ms - engine->paths_at.ms < CLEAN_EVERY_MS) {
        return 0;
    }
    int r =
        ck_path_sweep(turn->store, engine->options.channels, turn->now.wall, &engine->paths_after);
    if (r == 0 && engine->paths_after == 0) {
        engine->paths_at = turn->now.wall;
    }
    return r;
}

/* What nobody could reach us through, in the log: from when to when. Lateness, clock, disk and
 * store have entries of their own. */
static int note_faults(struct ck_turn *turn, const struct ck_actor *actor, unsigned before,
                       unsigned bits)
{
    static const struct {
        unsigned bit;
        enum ck_fault fault;
    } noted[] = {{CK_HEALTH_PROBE, CK_FAULT_SIGNALLING},
                 {CK_HEALTH_WORKER, CK_FAULT_NO_WORKER},
                 {CK_HEALTH_RELAY, CK_FAULT_RELAY}};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof noted / sizeof noted[0]; i++) {
        bool bad = (bits & noted[i].bit) == 0;
        if (bad != ((before & noted[i].bit) == 0)) {
            r = ck_turn_audit(
                turn, actor,
                &(struct ck_record){
                    .action = bad ? "FAULT_BEGUN" : "FAULT_OVER",
                    .object = "system",
                    .result = bad ? "failed" : "ok",
                    .open = json_pack("{s:s}", "fault", ck_fault_name(noted[i].fault))});
        }
    }
    return r;
}

/* {probe, worker, relay?: not where no TURN server is configured}: the loop's part; lateness and
 * the clock are the engine's own. Every few seconds. */
static int report(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    bool probe = false, worker = false;
    (void)result;
    int r = ck_body_flag(body, "probe", &probe, refusal);
    if (r == 0) {
        r = ck_body_flag(body, "worker", &worker, refusal);
    }
    if (r == 0 && actor->kind != CK_ACTOR_SYSTEM) {
        return ck_turn_deny(turn, actor, "system", 0, 0, "health is told by ourselves", refusal);
    }
    if (r != 0) {
        return r;
    }
    struct ck_engine *engine = turn->engine;
    unsigned bits = (engine->worst_lag_ms < CK_HEALTH_LAG_MS ? CK_HEALTH_ENGINE : 0) |
                    (probe ? CK_HEALTH_PROBE : 0) | (worker ? CK_HEALTH_WORKER : 0) |
                    (turn->now.synchronised ? CK_HEALTH_CLOCK : 0) |
                    (json_is_false(json_object_get(body, "relay")) ? 0 : CK_HEALTH_RELAY);
    unsigned before;
    r = ck_health_report(turn->store, turn->now.wall, bits, &before);
    r = r == 0 ? note_faults(turn, actor, before, bits) : r;
    if (r == 0) {
        engine->worst_lag_ms = 0;
        r = clean(turn);
        r = r == 0 ? find_paths(turn) : r;
        r = r == 0 ? ck_zones_look(turn) : r;
    }
    return r;
}

/* {kind, id}: an operator has looked at the row and puts it back. */
static int release(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    static const char *const kinds[] = {
        "checkin",  "incident",     "notice", "plan", "person",      "absence", "order",
        "draw_key", "contact_path", "expiry", "hold", "zone_change", NULL};
    int kind = 0;
    int64_t id = 0, person = 0, unit = 0;
    (void)result;
    int r = ck_body_word(body, "kind", kinds, &kind, refusal);
    if (r == 0) {
        r = ck_body_id(body, "id", &id, refusal);
    }
    if (r == 0 && actor->kind != CK_ACTOR_SYSTEM) {
        return ck_turn_deny(turn, actor, kinds[kind], id, 0, "this is for the operator", refusal);
    }
    if (r != 0) {
        return r;
    }
    const struct ck_due due = {.kind = (enum ck_due_kind)kind, .id = id};
    r = ck_store_quarantine_release(turn->store, due.kind, id, turn->now.wall);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "id", "it is not in quarantine");
    }
    if (r == 0) {
        r = ck_due_owner(turn->store, &due, &person, &unit);
    }
    return r == 0 ? ck_turn_audit(turn, actor,
                                  &(struct ck_record){.action = "QUARANTINE_RELEASED",
                                                      .object = kinds[kind],
                                                      .object_id = id,
                                                      .person_id = person})
                  : r;
}

const struct ck_handler_entry ck_link_handlers[] = {
    {"quarantine.release", release},
    {"link.exchange", exchange},
    {"notice.ack", acknowledge_notice},
    {"health.report", report},
};
const size_t ck_link_handler_count = sizeof ck_link_handlers / sizeof ck_link_handlers[0];

void ck_core_register(struct ck_registry *registry)
{
    ck_registry_add(registry, ck_checkin_handlers, ck_checkin_handler_count);
    ck_registry_add(registry, ck_incident_handlers, ck_incident_handler_count);
    ck_registry_add(registry, ck_roster_handlers, ck_roster_handler_count);
    ck_registry_add(registry, ck_ladder_handlers, ck_ladder_handler_count);
    ck_registry_add(registry, ck_path_handlers, ck_path_handler_count);
    ck_registry_add(registry, ck_notice_handlers, ck_notice_handler_count);
    ck_registry_add(registry, ck_plan_handlers, ck_plan_handler_count);
    ck_registry_add(registry, ck_order_handlers, ck_order_handler_count);
    ck_registry_add(registry, ck_blackout_handlers, ck_blackout_handler_count);
    ck_registry_add(registry, ck_recording_handlers, ck_recording_handler_count);
    ck_registry_add(registry, ck_link_handlers, ck_link_handler_count);
    ck_registry_add(registry, ck_log_handlers, ck_log_handler_count);
    ck_registry_add(registry, ck_device_handlers, ck_device_handler_count);
    ck_registry_add(registry, ck_retention_handlers, ck_retention_handler_count);
    ck_registry_add(registry, ck_hold_handlers, ck_hold_handler_count);
    ck_registry_add(registry, ck_opened_handlers, ck_opened_handler_count);
    ck_registry_add(registry, ck_inbound_handlers, ck_inbound_handler_count);
}
