/* What must hold of single check-ins and incidents, rule by rule of scheduler/DESIGN.md: nothing is
 * told twice, what follows an outage, two of one person at once, reviews that do not come, who is
 * told, and when a ladder rests. */
#include "tests/sim/sim.h"

/* Longer than a daemon is down. */
#define REVIEW_SLACK "14400000"

/* Between two looks at what no receipt came for. */
#define RECEIPT_WAIT "120000"
#define RECEIPT_SLACK "180000"

static void check_outages(struct sim_check *check)
{
    sim_check_none(
        check, "called off for an outage although there was room for it",
        "SELECT c.id FROM said o JOIN checkin c ON c.id = o.id JOIN policy p ON p.id = "
        "c.policy_id WHERE o.action = 'CHECKIN_OUTCOME' AND o.word = 'down' AND o.at + "
        "json_extract(p.body, '$.response_ms') <= c.window_end_at AND NOT EXISTS (SELECT "
        "1 FROM blackout b JOIN said m ON m.action = 'BLACKOUT_CREATED' AND m.id = b.id "
        "WHERE b.person_id = c.person_id AND m.idx < o.idx AND b.until_at > o.at AND "
        "b.from_at < o.at + json_extract(p.body, '$.response_ms') + "
        "json_extract(p.body, '$.grace_ms'))");
    sim_check_none(check, "a first ring that was late, and the log does not say so",
                   "SELECT c.id FROM said r JOIN checkin c ON c.id = r.id WHERE r.action = "
                   "'CHECKIN_RING' AND r.attempt = 1 AND r.at > c.due_at + 5000 AND NOT EXISTS "
                   "(SELECT 1 FROM said d WHERE d.action = 'CHECKIN_DELAYED' AND d.id = c.id)");
}

/* The first one rings, is in a call, or waits for its form. */
static void check_one_at_a_time(struct sim_check *check)
{
    sim_check_none(
        check, "rung for while another check-in of the person rang",
        "SELECT b.id FROM said r CROSS JOIN checkin b ON b.id = r.id CROSS JOIN checkin a ON "
        "a.person_id = b.person_id AND a.id <> b.id CROSS JOIN said f ON f.action = 'CHECKIN_RING' "
        "AND f.id = a.id AND f.attempt = 1 AND f.idx < r.idx WHERE r.action = 'CHECKIN_RING' AND "
        "r.attempt = 1 AND NOT EXISTS (SELECT 1 FROM said x WHERE x.id = a.id AND x.idx < r.idx "
        "AND x.action IN "
        "('CHECKIN_AWAITING_REVIEW', 'CHECKIN_MISSED', 'CHECKIN_OUTCOME'))");
}

static void check_reviews(struct sim_check *check)
{
    sim_check_none(check, "a review that was not there in time, and nobody was told",
                   "SELECT c.id FROM checkin c WHERE c.decided_at > c.review_deadline_at "
                   "+ " REVIEW_SLACK " AND NOT EXISTS (SELECT 1 FROM incident i WHERE i.checkin_id "
                   "= c.id AND i.kind = 'review_overdue')");
}

static void check_who_is_told(struct sim_check *check)
{
    sim_check_none(check, "a step that was passed over and not held against us",
                   "SELECT i.checkin_id, i.id AS incident FROM incident i WHERE (SELECT count(*) "
                   "FROM said s WHERE s.action = 'INCIDENT_STEP_SKIPPED' AND s.id = i.id) > "
                   "(SELECT count(*) FROM said f WHERE f.action = 'STAFF_FAULT' AND f.of = "
                   "'incident' AND f.id = i.id)");
    sim_check_none(check, "an acknowledgement that ran out, and its holder was not told",
                   "SELECT i.checkin_id, i.id AS incident FROM said s JOIN incident i ON i.id = "
                   "s.id WHERE s.action = 'INCIDENT_ACK_EXPIRED' AND NOT EXISTS (SELECT 1 FROM "
                   "notice n WHERE n.incident_id = i.id AND n.template = 'ack_expired' AND "
                   "n.created_at = s.at)");
    sim_check_none(check, "a late contact that its incident does not know of",
                   "SELECT c.id FROM checkin c JOIN said o ON o.action = 'CHECKIN_OUTCOME' AND "
                   "o.id = c.id JOIN incident i ON i.checkin_id = c.id AND i.kind = 'no_contact' "
                   "WHERE c.outcome = 'late' AND NOT EXISTS (SELECT 1 FROM said x WHERE x.action = "
                   "'INCIDENT_ANSWERED_LATE' AND x.id = i.id) AND NOT EXISTS (SELECT 1 FROM said x "
                   "WHERE x.action = 'INCIDENT_CONCLUDED' AND x.id = i.id AND x.idx < o.idx)");
}

static void check_rest_of_ladders(struct sim_check *check)
{
    sim_check_none(check, "a ladder that rests although the band is the top one",
                   "SELECT i.checkin_id, i.id AS incident FROM incident i WHERE i.severity = 'top' "
                   "AND i.kind IN ('no_contact', 'silence') AND EXISTS (SELECT 1 FROM notice n "
                   "WHERE n.incident_id = i.id AND n.template = 'answered_late') AND NOT EXISTS "
                   "(SELECT 1 FROM said b WHERE b.action = 'INCIDENT_BANDED' AND b.id = i.id)");
}

/* Where nobody took the incident over meanwhile, and the ladder came to its next step. */
static void check_receipts(struct sim_check *check)
{
    sim_check_none(
        check, "a channel that gave no receipt, and the next one was not taken",
        "SELECT i.checkin_id, i.id AS incident, n.id AS notice FROM in_order o CROSS JOIN said x "
        "ON x.idx = o.until AND x.action = 'INCIDENT_STEP_FIRED' CROSS JOIN incident i ON i.id = "
        "o.incident CROSS JOIN notice n ON n.incident_id = o.incident AND n.fire = o.fire AND "
        "n.staff_id = o.staff "
        "AND n.channel <> 'webhook' AND n.state = 'accepted' WHERE o.last = 0 AND o.channels = 1 "
        "AND n.accepted_at + " RECEIPT_WAIT " + " RECEIPT_SLACK " < x.at");
}

/* Once for each thing that happened: a silence begins anew with a contact, or when its incident was
 * concluded. */
static void check_once(struct sim_check *check)
{
    sim_check_none(
        check, "a silence that was alarmed twice",
        "SELECT 0, s.id AS person FROM (SELECT id, idx, lag(idx) OVER (PARTITION BY id ORDER BY "
        "idx) AS before FROM said WHERE action = 'PERSON_SILENCE') s WHERE s.before IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM life l WHERE l.person_id = s.id AND l.outcome IN "
        "('completed', 'late') AND l.ended > s.before AND l.ended < s.idx) AND NOT EXISTS (SELECT "
        "1 FROM incident i CROSS JOIN said c ON c.action = 'INCIDENT_CONCLUDED' AND c.id = i.id "
        "AND c.idx > s.before AND c.idx < s.idx WHERE i.person_id = s.id AND i.kind = 'silence')");
    sim_check_none(check, "a miss, or a review that was late, that was told twice",
                   "SELECT id FROM said WHERE action IN ('CHECKIN_MISSED', "
                   "'CHECKIN_REVIEW_OVERDUE') GROUP BY action, id HAVING count(*) > 1");
    sim_check_none(check, "a step of a ladder that was fired twice",
                   "SELECT i.checkin_id, i.id AS incident FROM said s JOIN incident i ON i.id = "
                   "s.id WHERE s.action = 'INCIDENT_STEP_FIRED' GROUP BY s.id, s.fire HAVING "
                   "count(*) > 1");
}

void sim_check_rules(struct sim_check *check)
{
    check_once(check);
    check_outages(check);
    check_one_at_a_time(check);
    check_reviews(check);
    check_who_is_told(check);
    check_rest_of_ladders(check);
    check_receipts(check);
}
