/* The person calls in by themselves (S11): after the late limit, or whenever they wish. Nobody was
 * rung and nothing is owed: a check-in of its own, voluntary, whose contact serves what is still
 * waited for and ends a silence like any other. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/device.h"
#include "daemon/core/live_impl.h"
#include "daemon/core/rules.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define DAY_MS INT64_C(86400000)

/* Who may call in now. */
static int check_caller(struct ck_turn *turn, const struct ck_actor *actor,
                        struct ck_subject *subject, struct ck_refusal *refusal)
{
    int64_t id = 0;
    if (actor->kind != CK_ACTOR_PERSON) {
        return ck_turn_deny(turn, actor, "person", actor->person_id, actor->person_id,
                            "only the person calls in", refusal);
    }
    int r = ck_subject_load(turn->store, actor->person_id, subject);
    if (r == 0 && subject->notice_version == 0) {
        return ck_refuse(refusal, CK_E_CONFLICT, "notice",
                         "the notice on rights and recording was not acknowledged");
    }
    r = r == 0 ? ck_checkin_to_answer(turn->store, actor->person_id, &id) : r;
    if (r == 0 && id != 0) {
        return ck_refuse(refusal, CK_E_CONFLICT, "checkin", "there is a check-in to answer");
    }
    r = r == 0 ? ck_checkin_called_in(turn->store, actor->person_id,
                                      ck_wall_add_ms(turn->now.wall, -DAY_MS), &id)
               : r;
    return r == 0 && id >= CK_INBOUND_PER_DAY
               ? ck_refuse(refusal, CK_E_LIMIT, "", "at most %d calls in 24 hours",
                           CK_INBOUND_PER_DAY)
               : r;
}

static int make_row(struct ck_turn *turn, const struct ck_subject *subject,
                    struct ck_checkin_row *row)
{
    const struct ck_checkin_policy *policy = &turn->engine->rules.checkin;
    const struct ck_zone *zone = NULL;
    ck_cleanup(ck_freep) char *text = ck_checkin_policy_text(policy);
    int r = text == NULL ? -ENOMEM : ck_zones_find(turn->engine->zones, subject->zone, &zone);
    r = r > 0 ? -EUCLEAN : r;
    r = r == 0 ? ck_policy_of(turn, "checkin", text, &row->policy) : r;
    if (r != 0) {
        return r;
    }
    row->step = (struct ck_checkin){.person = subject->id,
                                    .inspector = subject->inspector,
                                    .kind = CK_KIND_INBOUND,
                                    .band = ck_band_of(subject->band),
                                    .due = turn->now.wall};
    row->unit = subject->unit;
    row->date = ck_zone_local(zone, turn->now.wall).date;
    row->attempts = policy->attempts;
    snprintf(row->zone, sizeof row->zone, "%s", subject->zone);
    snprintf(row->zone_version, sizeof row->zone_version, "%s",
             ck_zones_version(turn->engine->zones, row->zone));
    ck_checkin_begin(&row->step, policy);
    return ck_checkin_insert(turn->store, row, NULL, turn->now.wall);
}

/* {device?} → {token: of the session, session, person, checkin, expires}. The console rings at
 * once: whoever sends this has their camera on. */
static int call_in(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    struct ck_subject subject;
    struct ck_checkin_row row;
    struct ck_actor person = *actor;
    memset(&row, 0, sizeof row);
    int r = check_caller(turn, actor, &subject, refusal);
    r = r == 0 ? make_row(turn, &subject, &row) : r;
    if (r != 0) {
        return r;
    }
    struct ck_link link = {.person = subject.id,
                           .checkin = row.step.id,
                           .expires = ck_wall_add_ms(turn->now.wall, CK_DEVICE_SESSION_MS)};
    person.checkin_id = row.step.id;
    r = ck_turn_audit(
        turn, &person,
        &(struct ck_record){.action = "CHECKIN_INBOUND",
                            .object = "checkin",
                            .object_id = row.step.id,
                            .person_id = subject.id,
                            .open = json_pack("{s:I}", "policy", (json_int_t)row.policy),
                            .sealed = json_pack("{s:s}", "peer", actor->peer)});
    r = r == 0 ? ck_checkin_feed(turn, &person, &row,
                                 &(struct ck_checkin_event){.kind = CK_CHECKIN_INBOUND})
               : r;
    return r == 0 ? ck_link_open(turn, &person, &link,
                                 json_string_value(json_object_get(body, "device")), result)
                  : r;
}

const struct ck_handler_entry ck_inbound_handlers[] = {
    {"checkin.call_in", call_in},
};
const size_t ck_inbound_handler_count = sizeof ck_inbound_handlers / sizeof ck_inbound_handlers[0];
