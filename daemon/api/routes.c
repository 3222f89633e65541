/* Every route. What it may need: a command, a query, a record of the read; or code of its own. */
#include "daemon/api/api_impl.h"

#define GET CK_HTTP_GET
#define POST CK_HTTP_POST

const struct ck_api_route ck_api_routes[] = {
    /* first start, session, staff, units */
    {GET, "/api/setup", "setup.state", .custom = ck_api_setup_state},
    {POST, "/api/setup", "setup.first", .custom = ck_api_setup_first},
    {POST, "/api/login", "session.login", .custom = ck_api_login},
    {POST, "/api/logout", "session.logout", .custom = ck_api_logout},
    {GET, "/api/me", "me.read", .query = ck_api_me},
    {POST, "/api/me/password", "me.password", .custom = ck_api_me_password},
    {POST, "/api/me/language", "me.language", .command = "staff.language"},
    {POST, "/api/me/second-factor", "me.second_factor", .custom = ck_api_second_factor},
    {POST, "/api/me/second-factor/confirm", "me.second_factor_confirm",
     .custom = ck_api_second_factor_confirm, .query = ck_api_me},
    {GET, "/api/me/sessions", "me.sessions", .query = ck_api_sessions_own},
    {POST, "/api/sessions/{id}/end", "session.end", .command = "session.end", .member = "session"},
    {GET, "/api/units", "unit.list", .query = ck_api_units},
    {POST, "/api/units", "unit.create", .command = "unit.create", .query = ck_api_unit},
    {POST, "/api/units/{id}/zone", "unit.zone", .command = "unit.zone", .member = "unit",
     .query = ck_api_unit},
    {POST, "/api/units/{id}/phone", "unit.phone", .command = "unit.phone", .member = "unit",
     .query = ck_api_unit},
    {POST, "/api/units/{id}/zone/preview", "unit.zone_preview", .query = ck_api_unit_zone},
    {GET, "/api/staff", "staff.list", .query = ck_api_staff_list},
    {POST, "/api/staff", "staff.create", .custom = ck_api_staff_create, .query = ck_api_staff_one},
    {POST, "/api/staff/{id}", "staff.update", .command = "staff.update", .member = "staff",
     .query = ck_api_staff_one},
    {POST, "/api/staff/{id}/password", "staff.password", .custom = ck_api_staff_password},
    {POST, "/api/staff/{id}/second-factor/reset", "staff.second_factor",
     .command = "second_factor.ask_reset", .member = "staff"},
    {GET, "/api/staff/{id}/sessions", "staff.sessions", .query = ck_api_sessions_of_staff},

    /* who can be reached; browsers that are to be told */
    {GET, "/api/contact-paths", "path.list", .query = ck_api_paths, .read = "persons",
     .noted = true},
    {POST, "/api/contact-paths/test", "path.test", .command = "path.test"},
    {GET, "/api/push/key", "push.key", .custom = ck_api_push_key},
    {POST, "/api/push", "push.subscribe", .custom = ck_api_push_subscribe},
    {POST, "/api/push/stop", "push.unsubscribe", .command = "push.unsubscribe"},

    /* ladders; they change by an approval of the kind "ladder" */
    {GET, "/api/ladders", "ladder.list", .query = ck_api_ladders},
    {POST, "/api/ladders/check", "ladder.check", .query = ck_api_ladder_check},

    /* who is there when */
    {GET, "/api/roster", "roster.read", .query = ck_api_roster},
    {POST, "/api/shifts", "shift.create", .command = "shift.create"},
    {POST, "/api/shifts/{id}/remove", "shift.remove", .command = "shift.remove", .member = "shift"},
    {POST, "/api/absences", "absence.create", .command = "absence.create"},
    {POST, "/api/absences/{id}/remove", "absence.remove", .command = "absence.remove",
     .member = "absence"},
    {POST, "/api/staff/{id}/stand-ins", "stand_ins.set", .command = "stand_ins.set",
     .member = "staff"},

    /* persons, orders, plans */
    {GET, "/api/persons", "person.list", .query = ck_api_persons, .read = "persons", .noted = true},
    {POST, "/api/persons", "person.create", .command = "person.create", .query = ck_api_person},
    {GET, "/api/persons/{id}", "person.read", .query = ck_api_person, .read = "person"},
    {POST, "/api/persons/{id}", "person.update", .command = "person.update", .member = "person",
     .query = ck_api_person},
    {POST, "/api/persons/{id}/enrol", "person.enrol", .custom = ck_api_enrol},
    {POST, "/api/devices/{id}/revoke", "device.revoke", .command = "device.revoke",
     .member = "device", .query = ck_api_person},
    {GET, "/api/persons/{id}/photo", "photo.read", .query = ck_api_photo_query, .read = "photo",
     .noted = true},
    {POST, "/api/persons/{id}/photo", "photo.store", .custom = ck_api_photo_store},
    {POST, "/api/persons/{id}/orders", "order.create", .command = "order.create",
     .member = "person", .query = ck_api_order},
    {POST, "/api/orders/{id}/end", "order.end", .command = "order.end", .member = "order",
     .query = ck_api_order},
    {POST, "/api/persons/{id}/plans", "plan.create", .command = "plan.create", .member = "person",
     .inside = "request", .made = "plan", .query = ck_api_plan},
    {POST, "/api/persons/{id}/plans/preview", "plan.preview", .query = ck_api_preview},
    {POST, "/api/plans/{id}/end", "plan.end", .command = "plan.end", .member = "plan",
     .query = ck_api_plan},
    {GET, "/api/plans/{id}/ahead", "plan.ahead", .query = ck_api_plan_ahead, .read = "plan",
     .noted = true},
    {GET, "/api/plans/{id}/instants", "plan.instants", .query = ck_api_plan_instants,
     .read = "plan_instants"},
    {POST, "/api/persons/{id}/blackouts", "blackout.create", .command = "blackout.create",
     .member = "person", .query = ck_api_blackouts},
    {POST, "/api/blackouts/{id}/end", "blackout.end", .command = "blackout.end",
     .member = "blackout", .query = ck_api_blackouts},
    {GET, "/api/persons/{id}/checkins", "checkin.list", .query = ck_api_checkins, .read = "person",
     .noted = true},
    {POST, "/api/persons/{id}/checkins", "checkin.on_demand", .command = "checkin.on_demand",
     .member = "person", .made = "checkin", .query = ck_api_checkin_row},

    /* cases outside the own caseload */
    {GET, "/api/opened-cases", "case.list", .query = ck_api_opened},
    {POST, "/api/opened-cases", "case.open", .command = "case.open"},
    {POST, "/api/opened-cases/{id}/close", "case.close", .command = "case.close",
     .member = "opened"},

    /* today, check-ins, reviews */
    {GET, "/api/today", "today.read", .query = ck_api_today, .read = "today", .noted = true},
    {GET, "/api/checkins/{id}", "checkin.read", .query = ck_api_checkin, .read = "checkin"},
    {POST, "/api/checkins/{id}/outcome", "checkin.outcome", .command = "checkin.outcome",
     .member = "checkin", .query = ck_api_checkin},
    {POST, "/api/checkins/{id}/review", "checkin.review", .command = "checkin.review",
     .member = "checkin", .query = ck_api_checkin},
    {POST, "/api/checkins/{id}/conclusion", "checkin.conclude", .command = "checkin.conclude",
     .member = "checkin", .query = ck_api_checkin},
    {POST, "/api/checkins/{id}/concern", "checkin.concern", .command = "checkin.concern",
     .member = "checkin"},
    {GET, "/api/reviews", "review.list", .query = ck_api_reviews, .read = "today", .noted = true},
    {GET, "/api/checkins/{id}/thumbnail", "thumbnail.read", .query = ck_api_thumbnail_query,
     .read = "thumbnail", .noted = true},
    {POST, "/api/recordings/{id}/view", "recording.view", .custom = ck_api_view_recording},
    {GET, "/api/recordings/{id}/media", "recording.play", .custom = ck_api_play_recording},

    /* incidents */
    {GET, "/api/incidents", "incident.list", .query = ck_api_incidents, .read = "today",
     .noted = true},
    {GET, "/api/incidents/{id}", "incident.read", .query = ck_api_incident, .read = "incident"},
    {POST, "/api/incidents/{id}/acknowledge", "incident.acknowledge",
     .command = "incident.acknowledge", .member = "incident", .query = ck_api_incident},
    {POST, "/api/incidents/{id}/note", "incident.note", .command = "incident.note",
     .member = "incident", .query = ck_api_incident},
    {POST, "/api/incidents/{id}/reached", "incident.reached", .command = "incident.reached",
     .member = "incident", .query = ck_api_incident},
    {POST, "/api/incidents/{id}/safety", "incident.safety", .command = "incident.safety",
     .member = "incident", .query = ck_api_incident},
    {POST, "/api/incidents/{id}/conclude", "incident.conclude", .command = "incident.conclude",
     .member = "incident", .query = ck_api_incident},
    {POST, "/api/incidents/{id}/release", "incident.release", .command = "incident.release",
     .member = "incident", .query = ck_api_incident},
    {POST, "/api/incidents/{id}/escalate", "incident.escalate", .command = "incident.escalate",
     .member = "incident", .query = ck_api_incident},

    /* what persons ask for */
    {GET, "/api/requests", "request.list", .query = ck_api_requests, .read = "today",
     .noted = true},
    {POST, "/api/requests/{id}/answer", "request.answer", .command = "request.answer",
     .member = "request", .query = ck_api_requests},

    /* messages */
    {GET, "/api/persons/{id}/messages", "message.list", .query = ck_api_messages,
     .read = "messages", .noted = true},
    {POST, "/api/persons/{id}/messages", "message.send", .command = "message.send",
     .member = "person", .file = true},
    {POST, "/api/persons/{id}/messages/read", "message.read", .command = "message.read",
     .member = "person"},

    {GET, "/api/messages/{id}/file", "message.file", .query = ck_api_message_file, .read = "file",
     .noted = true},
    {GET, "/api/incidents/{id}/messages", "incident.messages", .query = ck_api_incident_messages,
     .read = "incident_messages", .noted = true},
    {POST, "/api/incidents/{id}/messages", "incident.message_send", .command = "message.send",
     .member = "incident", .file = true},
    {POST, "/api/incidents/{id}/messages/read", "incident.message_read", .command = "message.read",
     .member = "incident"},
    {GET, "/api/incident-messages/{id}/file", "incident.message_file",
     .query = ck_api_incident_file, .read = "incident_file", .noted = true},
    {GET, "/api/templates", "template.list", .query = ck_api_templates},
    {POST, "/api/templates", "template.create", .command = "template.create"},
    {POST, "/api/templates/{id}", "template.update", .command = "template.update",
     .member = "template"},
    {POST, "/api/templates/{id}/remove", "template.remove", .command = "template.remove",
     .member = "template"},

    /* the risk compartment */
    {GET, "/api/persons/{id}/risk", "risk.read", .query = ck_api_risk, .read = "risk"},
    {POST, "/api/persons/{id}/risk/score", "risk.score", .command = "risk.score",
     .member = "person"},
    {POST, "/api/persons/{id}/risk/judgement", "risk.judge", .command = "risk.judge",
     .member = "person"},
    {POST, "/api/persons/{id}/risk/preview", "risk.preview", .query = ck_api_proposal,
     .read = "risk"},
    {POST, "/api/persons/{id}/risk/proposal", "risk.propose", .command = "risk.propose",
     .member = "person", .query = ck_api_approval},
    {GET, "/api/overload", "overload.read", .query = ck_api_overload},
    {GET, "/api/cadence", "cadence.read", .query = ck_api_cadence},

    /* what needs two persons */
    {GET, "/api/approvals", "approval.list", .query = ck_api_approvals, .read = "approvals",
     .noted = true},
    {POST, "/api/approvals", "approval.propose", .command = "approval.propose",
     .query = ck_api_approval},
    {GET, "/api/approvals/{id}", "approval.read", .query = ck_api_approval, .read = "approvals",
     .noted = true},
    {POST, "/api/approvals/{id}/decide", "approval.decide", .command = "approval.decide",
     .member = "approval", .query = ck_api_approval},
    {POST, "/api/approvals/{id}/withdraw", "approval.withdraw", .command = "approval.withdraw",
     .member = "approval", .query = ck_api_approval},

    /* what is kept how long */
    {GET, "/api/retention", "retention.read", .query = ck_api_retention, .read = "retention",
     .noted = true},
    {POST, "/api/holds", "hold.place", .command = "hold.place", .query = ck_api_holds},
    {POST, "/api/holds/{id}/review", "hold.review", .command = "hold.review", .member = "hold",
     .query = ck_api_holds},

    {POST, "/api/approvals/{id}/bundle", "bundle.make", .custom = ck_api_bundle_make},
    {GET, "/api/approvals/{id}/bundle", "bundle.fetch", .custom = ck_api_bundle_fetch},

    /* supervisor, system */
    {GET, "/api/log", "log.list", .query = ck_api_log, .read = "log", .noted = true},
    {GET, "/api/log/{id}", "log.read", .query = ck_api_log_entry, .read = "log"},
    {GET, "/api/figures", "figures.read", .query = ck_api_figures},
    {GET, "/api/system", "system.read", .query = ck_api_system},

    /* the person's side */
    {POST, "/api/link", "link.exchange", .custom = ck_api_link},
    {GET, "/api/p/challenge", "device.challenge", .custom = ck_api_device_challenge},
    {POST, "/api/p/enter", "device.enter", .custom = ck_api_device_enter},
    {POST, "/api/p/device", "self.device", .command = "device.enrol"},
    {GET, "/api/p/state", "self.state", .query = ck_api_self},
    {POST, "/api/p/language", "self.language", .command = "person.language"},
    {POST, "/api/p/notice", "self.notice", .command = "notice.ack", .query = ck_api_self},
    {POST, "/api/p/decline", "self.decline", .command = "checkin.declined", .query = ck_api_self},
    {POST, "/api/p/call", "self.call", .custom = ck_api_call_in},
    {POST, "/api/p/facts", "self.facts", .custom = ck_api_facts},
    {POST, "/api/p/requests", "self.request", .command = "request.make", .query = ck_api_self},
    {GET, "/api/p/checkins/{id}/proof", "self.receipt_proof", .query = ck_api_self_proof,
     .read = "receipt", .noted = true},
    {GET, "/api/p/messages", "self.messages", .query = ck_api_self_messages},
    {POST, "/api/p/messages", "self.message_send", .command = "message.send", .file = true},
    {GET, "/api/p/messages/{id}/file", "self.message_file", .query = ck_api_self_file,
     .read = "file", .noted = true},
    {POST, "/api/p/messages/read", "self.message_read", .command = "message.read"},

    {POST, "/api/p/push", "self.push", .custom = ck_api_push_subscribe},
    {POST, "/api/p/push/stop", "self.push_stop", .command = "push.unsubscribe"},

    /* gateways */
    {POST, "/hook/receipt/sms", "gateway.receipt", .custom = ck_api_receipt_sms},
    {POST, "/hook/receipt/voice", "gateway.receipt_voice", .custom = ck_api_receipt_voice},
};

const size_t ck_api_route_count = sizeof ck_api_routes / sizeof ck_api_routes[0];

bool ck_api_operation(size_t index, enum ck_http_method *method, const char **pattern,
                      const char **action)
{
    if (index >= ck_api_route_count) {
        return false;
    }
    *method = ck_api_routes[index].method;
    *pattern = ck_api_routes[index].pattern;
    *action = ck_api_routes[index].action;
    return true;
}
