#include "daemon/access/policy.h"

#include <string.h>

#include "protocol/base/error.h"

#define I CK_ROLE_INSPECTOR
#define O CK_ROLE_OFFICER
#define S CK_ROLE_SUPERVISOR
#define A CK_ROLE_ADMINISTRATOR

static const struct ck_policy table[] = {
    {"setup.state", CK_WHO_ANYBODY, 0},
    {"setup.first", CK_WHO_ANYBODY, 0},
    {"session.login", CK_WHO_ANYBODY, 0},
    {"session.logout", CK_WHO_STAFF, 0},
    {"me.read", CK_WHO_STAFF, 0},
    {"me.password", CK_WHO_STAFF, 0},
    {"me.language", CK_WHO_STAFF, 0},
    {"me.second_factor", CK_WHO_STAFF, 0},
    {"me.second_factor_confirm", CK_WHO_STAFF, 0},
    {"me.sessions", CK_WHO_STAFF, 0},
    {"session.end", CK_WHO_STAFF, 0}, /* one's own; an administrator anybody's */
    {"unit.list", CK_WHO_STAFF, 0},
    {"unit.create", CK_WHO_STAFF, A},
    {"unit.phone", CK_WHO_STAFF, A},
    {"unit.zone", CK_WHO_STAFF, A},
    {"unit.zone_preview", CK_WHO_STAFF, A},
    {"staff.list", CK_WHO_STAFF, 0},
    {"staff.create", CK_WHO_STAFF, A},
    {"staff.update", CK_WHO_STAFF, A},
    {"staff.password", CK_WHO_STAFF, A},
    {"staff.second_factor", CK_WHO_STAFF, A}, /* proposes; another person approves */
    {"staff.sessions", CK_WHO_STAFF, A},

    {"path.list", CK_WHO_STAFF, S},
    {"path.test", CK_WHO_STAFF, S},
    {"push.key", CK_WHO_ANYBODY, 0},
    {"push.subscribe", CK_WHO_STAFF, 0},
    {"push.unsubscribe", CK_WHO_STAFF, 0},
    {"ladder.list", CK_WHO_STAFF, S},
    {"ladder.check", CK_WHO_STAFF, S},
    {"roster.read", CK_WHO_STAFF, I | O | S},
    {"shift.create", CK_WHO_STAFF, S},
    {"shift.remove", CK_WHO_STAFF, S},
    {"absence.create", CK_WHO_STAFF, I | O | S}, /* one's own; a supervisor's: of the unit */
    {"absence.remove", CK_WHO_STAFF, I | O | S},
    {"stand_ins.set", CK_WHO_STAFF, S},

    {"person.list", CK_WHO_STAFF, I | O | S},
    {"person.create", CK_WHO_STAFF, I | S},
    {"person.read", CK_WHO_STAFF, I | O | S},
    {"person.update", CK_WHO_STAFF, I | S},
    {"person.enrol", CK_WHO_STAFF, I | S},
    {"device.revoke", CK_WHO_STAFF, I | S},
    {"photo.store", CK_WHO_STAFF, I | S},
    {"photo.read", CK_WHO_STAFF, I | O | S},
    {"order.create", CK_WHO_STAFF, I | S},
    {"order.end", CK_WHO_STAFF, I | S},
    {"plan.create", CK_WHO_STAFF, I | S},
    {"plan.preview", CK_WHO_STAFF, I | S},
    {"plan.end", CK_WHO_STAFF, I | S},
    {"plan.ahead", CK_WHO_STAFF, I | O | S},
    {"plan.instants", CK_WHO_STAFF, S}, /* what was drawn, before it comes */
    {"blackout.create", CK_WHO_STAFF, I | S},
    {"blackout.end", CK_WHO_STAFF, I | S},
    {"checkin.list", CK_WHO_STAFF, I | O | S},
    {"checkin.on_demand", CK_WHO_STAFF, I},

    {"case.list", CK_WHO_STAFF, I | O | S},
    {"case.open", CK_WHO_STAFF, I | O | S}, /* to read, for an hour; supervisors are told */
    {"case.close", CK_WHO_STAFF, I | O | S},
    {"today.read", CK_WHO_STAFF, I | O | S},
    {"checkin.read", CK_WHO_STAFF, I | O | S},
    {"checkin.outcome", CK_WHO_STAFF, I},
    {"checkin.review", CK_WHO_STAFF, I},
    {"checkin.conclude", CK_WHO_STAFF, I | O | S},
    {"checkin.concern", CK_WHO_STAFF, I | O},
    {"review.list", CK_WHO_STAFF, I},
    {"thumbnail.read", CK_WHO_STAFF, I | S},
    {"recording.view", CK_WHO_STAFF, I | S},
    {"recording.play", CK_WHO_STAFF, I | S},

    {"incident.list", CK_WHO_STAFF, I | O | S},
    {"incident.read", CK_WHO_STAFF, I | O | S},
    {"incident.acknowledge", CK_WHO_STAFF, I | O | S},
    {"incident.note", CK_WHO_STAFF, I | O | S},
    {"incident.reached", CK_WHO_STAFF, I | O | S},
    {"incident.safety", CK_WHO_STAFF, I | O | S},
    {"incident.conclude", CK_WHO_STAFF, I | O | S},
    {"incident.release", CK_WHO_STAFF, I | O | S},
    {"incident.escalate", CK_WHO_STAFF, I | O | S},

    {"request.list", CK_WHO_STAFF, I | S},
    {"request.answer", CK_WHO_STAFF, I | S}, /* a dispute: a supervisor */
    {"message.list", CK_WHO_STAFF, I},
    {"message.send", CK_WHO_STAFF, I},
    {"message.read", CK_WHO_STAFF, I},
    {"message.file", CK_WHO_STAFF, I},
    {"incident.messages", CK_WHO_STAFF, I | O | S},
    {"incident.message_send", CK_WHO_STAFF, I | O | S},
    {"incident.message_read", CK_WHO_STAFF, I | O | S},
    {"incident.message_file", CK_WHO_STAFF, I | O | S},
    {"template.list", CK_WHO_STAFF, I | S},
    {"template.create", CK_WHO_STAFF, S},
    {"template.update", CK_WHO_STAFF, S},
    {"template.remove", CK_WHO_STAFF, S},

    /* the risk compartment: a right of its own */
    {"risk.read", CK_WHO_STAFF, I | S},
    {"risk.score", CK_WHO_STAFF, I | S},
    {"risk.judge", CK_WHO_STAFF, I | S},
    {"risk.preview", CK_WHO_STAFF, I | S},
    {"risk.propose", CK_WHO_STAFF, I | S},
    {"cadence.read", CK_WHO_STAFF, I | S},
    {"overload.read", CK_WHO_STAFF, S},

    {"approval.list", CK_WHO_STAFF, I | O | S}, /* each sees what they may decide or asked */
    {"approval.read", CK_WHO_STAFF, I | O | S},
    {"approval.propose", CK_WHO_STAFF, I | O | S},
    {"approval.decide", CK_WHO_STAFF, I | O | S},
    {"approval.withdraw", CK_WHO_STAFF, I | O | S},
    {"bundle.make", CK_WHO_STAFF, I | O | S}, /* whoever proposed or approved it */
    {"bundle.fetch", CK_WHO_STAFF, I | O | S},

    {"retention.read", CK_WHO_STAFF, S},
    {"hold.place", CK_WHO_STAFF, S},
    {"hold.review", CK_WHO_STAFF, S},

    {"log.list", CK_WHO_STAFF, S},
    {"log.read", CK_WHO_STAFF, S},
    {"figures.read", CK_WHO_STAFF, S},
    {"system.read", CK_WHO_STAFF, A | S},
    {"console.connect", CK_WHO_STAFF, I | O | S | A},
    {"call.conduct", CK_WHO_STAFF, I}, /* take, offer, restart, end */

    {"link.exchange", CK_WHO_ANYBODY, 0},
    {"gateway.receipt", CK_WHO_ANYBODY, 0}, /* signed */
    {"device.challenge", CK_WHO_ANYBODY, 0},
    {"device.enter", CK_WHO_ANYBODY, 0}, /* signed by a person's own phone */
    {"self.device", CK_WHO_PERSON, 0},
    {"gateway.receipt_voice", CK_WHO_ANYBODY, 0},
    {"self.state", CK_WHO_PERSON, 0},
    {"self.language", CK_WHO_PERSON, 0},
    {"self.notice", CK_WHO_PERSON, 0},
    {"self.decline", CK_WHO_PERSON, 0},
    {"self.call", CK_WHO_PERSON, 0},
    {"self.facts", CK_WHO_PERSON, 0},
    {"self.request", CK_WHO_PERSON, 0},
    {"self.receipt_proof", CK_WHO_PERSON, 0},
    {"self.messages", CK_WHO_PERSON, 0},
    {"self.message_send", CK_WHO_PERSON, 0},
    {"self.message_read", CK_WHO_PERSON, 0},
    {"self.message_file", CK_WHO_PERSON, 0},
    {"self.connect", CK_WHO_PERSON, 0},
    {"self.push", CK_WHO_PERSON, 0},
    {"self.push_stop", CK_WHO_PERSON, 0},
};

const struct ck_policy *ck_policy_find(const char *action)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].action, action) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

const struct ck_policy *ck_policy_all(size_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}

int ck_policy_check(const struct ck_policy *policy, const struct ck_actor *actor)
{
    if (policy->who == CK_WHO_ANYBODY) {
        return 0;
    }
    enum ck_actor_kind kind = policy->who == CK_WHO_STAFF ? CK_ACTOR_STAFF : CK_ACTOR_PERSON;
    if (actor == NULL || actor->kind != kind) {
        return CK_E_AUTH;
    }
    return policy->roles == 0 || (actor->roles & policy->roles) != 0 ? 0 : CK_E_DENIED;
}

unsigned ck_policy_roles(const struct ck_policy *policy, const struct ck_actor *actor)
{
    return policy->roles == 0 ? actor->roles : actor->roles & policy->roles;
}

struct ck_scope ck_policy_scope(const struct ck_actor *actor)
{
    struct ck_scope scope = {0};
    if (actor->kind != CK_ACTOR_STAFF) {
        return scope;
    }
    if ((actor->roles & (CK_ROLE_OFFICER | CK_ROLE_SUPERVISOR)) != 0) {
        scope.unit = actor->unit_id;
    }
    if ((actor->roles & CK_ROLE_INSPECTOR) != 0) {
        scope.inspector = actor->staff_id;
    }
    return scope;
}
