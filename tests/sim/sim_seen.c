/* What happened at all: a check of something that never happened shows nothing. */
#include <sqlite3.h>

#include "tests/sim/sim.h"

const char *seen_name(enum sim_seen seen)
{
    static const char *const names[SEEN_COUNT] = {
        "storms",
        "digests",
        "steps told by digests",
        "blackouts",
        "waived in blackouts",
        "excused by blackouts",
        "second checks",
        "safety steps",
        "safety results",
        "absences",
        "calls taken by stand-ins",
        "stalls of the disk",
        "clock changes of units",
        "silences alarmed",
        "acknowledgements expired",
        "make-ups",
        "placed anew by new rules",
        "whole plans",
        "plans replaced",
        "of them on a date that had begun",
        "plans after a pause",
        "changes of a band",
        "incidents made graver",
        "ladders",
        "incidents on another ladder",
        "next channels",
        "absences taken back",
        "steps past a stand-in who is off",
        "drawn anew",
        "orders ended",
        "rings ended with them",
        "contacts that an order did not allow",
        "voluntary ones missed",
        "held up by another one",
        "second sides tried by one officer",
        "plans refused",
        "plans previewed",
        "plans that began later",
        "steps that waited for the morning",
    };
    return names[seen];
}

void sim_look_back(struct sim *sim, sqlite3 *db)
{
    static const char *const counts[SEEN_COUNT] = {
        [SEEN_STORM] = "SELECT count(*) FROM said WHERE action = 'STORM'",
        [SEEN_DIGEST] = "SELECT count(*) FROM notice WHERE template = 'digest' AND channel <> "
                        "'webhook' AND accepted_at IS NOT NULL",
        [SEEN_DIGEST_FIRE] = "SELECT count(*) FROM digest_item",
        [SEEN_BLACKOUT] = "SELECT count(*) FROM blackout",
        [SEEN_WAIVED] = "SELECT count(*) FROM checkin c WHERE c.outcome = 'waived' AND EXISTS "
                        "(SELECT 1 FROM blackout b WHERE b.person_id = c.person_id AND c.due_at "
                        ">= b.from_at AND c.due_at < b.until_at)",
        [SEEN_EXCUSED] = "SELECT count(*) FROM conclusion x JOIN checkin c ON c.id = x.checkin_id "
                         "JOIN blackout b ON b.person_id = c.person_id WHERE x.conclusion = "
                         "'excused' AND c.due_at >= b.from_at AND c.due_at < b.until_at",
        [SEEN_SECOND] = "SELECT count(*) FROM checkin WHERE slot % 10000 >= 2000 AND "
                        "make_up_of IS NULL",
        [SEEN_SAFETY] = "SELECT count(*) FROM incident WHERE kind = 'safety'",
        [SEEN_SAFETY_RESULT] = "SELECT count(*) FROM conclusion WHERE conclusion IN ('safe', "
                               "'help_sent', 'not_found')",
        [SEEN_ABSENCE] = "SELECT count(*) FROM absence WHERE removed_at IS NULL",
        [SEEN_SILENCE] = "SELECT count(*) FROM incident WHERE kind = 'silence'",
        [SEEN_EXPIRED] = "SELECT count(*) FROM said WHERE action = 'INCIDENT_ACK_EXPIRED'",
        [SEEN_PLANS] =
            "SELECT count(*) FROM plan p JOIN contact_order o ON o.id = p.order_id WHERE "
            "o.until_date = (SELECT max(until_date) FROM contact_order)",
        [SEEN_MOVED] = "SELECT ifnull(sum(moved), 0) FROM said WHERE action = 'ZONE_PLACED'",
        [SEEN_REPLACED] = "SELECT count(*) FROM said WHERE action = 'PLAN_CREATED' AND "
                          "length(of) > 1",
        [SEEN_REPLACED_BEGUN] =
            "SELECT count(*) FROM said s WHERE s.action = 'PLAN_ENDED' AND s.word = "
            "'waived_plan_changed' AND EXISTS (SELECT 1 FROM life l WHERE l.plan_id = s.id AND "
            "l.rung < s.idx AND l.ended > s.idx)",
        [SEEN_PAUSED] = "SELECT count(*) FROM said s JOIN plan p ON p.id = s.id WHERE s.action = "
                        "'PLAN_CREATED' AND ifnull(length(s.of), 0) <= 1 AND EXISTS (SELECT 1 FROM "
                        "plan q WHERE "
                        "q.person_id = p.person_id AND q.id < p.id)",
        [SEEN_BANDS] = "SELECT count(*) FROM said WHERE action = 'PERSON_BAND_SET'",
        [SEEN_BANDED] = "SELECT count(*) FROM said WHERE action = 'INCIDENT_BANDED'",
        [SEEN_LADDERS] = "SELECT count(*) FROM said WHERE action = 'LADDER_IN_FORCE'",
        [SEEN_RELADDERED] = "SELECT count(*) FROM said WHERE action = 'INCIDENT_LADDER_CHANGED'",
        [SEEN_NEXT_CHANNEL] = "SELECT ifnull(sum(channels - 1), 0) FROM in_order",
        [SEEN_TAKEN_BACK] = "SELECT count(*) FROM absence WHERE removed_at IS NOT NULL",
        [SEEN_REDRAWN] = "SELECT count(*) FROM checkin WHERE slot >= 10000",
        [SEEN_ORDER_OVER] = "SELECT count(*) FROM said e WHERE e.action = 'ORDER_ENDED' AND EXISTS "
                            "(SELECT 1 FROM said o WHERE o.action = 'ORDER_OVER' AND o.id = e.id)",
        [SEEN_RING_ENDED] = "SELECT count(*) FROM life WHERE cause = 'waived_order_ended' AND "
                            "rung IS NOT NULL",
        [SEEN_CAPPED] = "SELECT count(*) FROM said WHERE action IN ('CHECKIN_NO_MAKE_UP', "
                        "'CHECKIN_NO_SECOND')",
        [SEEN_VOLUNTARY] = "SELECT count(*) FROM checkin c WHERE c.mandatory = 0 AND c.outcome IN "
                           "('no_answer', 'declined', 'person_fault')",
        [SEEN_DEFERRED] = "SELECT count(*) FROM log_plain WHERE action = 'CHECKIN_DEFERRED'",
        [SEEN_MAKE_UP] = "SELECT count(*) FROM checkin WHERE make_up_of IS NOT NULL",
    };
    for (int seen = 0; seen < SEEN_COUNT; seen++) {
        if (counts[seen] != NULL) {
            sim->seen[seen] = sim_check_number(db, counts[seen]);
        }
    }
}
