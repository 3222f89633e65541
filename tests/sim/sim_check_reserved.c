/* Whose time a live check-in has: nobody's twice, and the inspector's again where leave was taken
 * back. Read from the log: every change of a reservation has a record in it. */
#include <sqlite3.h>

#include "tests/sim/sim.h"

/* From which entry of the log to which a check-in has somebody's time, until the call is over; and
 * from when on it takes it: when it is due, or was to ring after an outage. That only its row
 * knows, as it was in the end: null before. */
static void gather_holds(struct sim_check *check)
{
    sim_check_run(
        check,
        "CREATE TEMP TABLE names AS SELECT lower(hex(pseudonym)) AS name, id FROM staff;"
        "CREATE UNIQUE INDEX names_name ON names (name);"
        "CREATE TEMP TABLE taking AS SELECT c.id, c.due_at AS due, c.put_off_to AS put_off, "
        "(SELECT min(s.idx) FROM said s WHERE s.action = 'CHECKIN_ARMED' AND s.id = c.id) AS "
        "armed, (SELECT min(s.idx) FROM said s WHERE s.action = 'CHECKIN_CAUGHT_UP' AND s.id = "
        "c.id) AS caught, (SELECT max(s.idx) FROM said s WHERE s.action = 'CHECKIN_MOVED' AND s.id "
        "= c.id) AS moved FROM checkin c;"
        "CREATE UNIQUE INDEX taking_id ON taking (id);"
        "CREATE INDEX taking_due ON taking (due);"
        "CREATE TEMP TABLE changes AS SELECT s.id, s.idx, (SELECT n.id FROM names n WHERE n.name = "
        "s.reserved) AS staff, lead(s.idx) OVER (PARTITION BY s.id ORDER BY s.idx) AS next FROM "
        "said s WHERE s.action IN ('CHECKIN_PLANNED', 'CHECKIN_MAKE_UP', 'CHECKIN_SECOND', "
        "'CHECKIN_RESERVED');"
        "CREATE TEMP TABLE holds AS SELECT h.id AS checkin, h.idx AS first, ifnull(h.next, "
        "ifnull((SELECT min(s.idx) FROM said s WHERE s.action IN ('CHECKIN_AWAITING_REVIEW', "
        "'CHECKIN_NO_INSPECTOR') AND s.id = h.id), l.ended)) AS last, h.staff, CASE WHEN h.next IS "
        "NULL THEN ifnull(t.put_off, t.due) WHEN h.idx < ifnull(t.caught, h.next) THEN t.due END "
        "AS at, t.armed, t.moved FROM changes h JOIN life l ON l.id = h.id JOIN taking t ON t.id = "
        "h.id;"
        "CREATE INDEX holds_checkin ON holds (checkin, first);"
        "CREATE INDEX holds_of ON holds (staff, at);");
}

/* A quarter of an hour each. What new rules of a zone have moved may come to lie over another one,
 * and gives way, or is given way to, when the second of them is armed: the next entry says so. */
static void check_twice(struct sim_check *check)
{
    sim_check_none(
        check, "an inspector whose time was reserved twice",
        "SELECT a.checkin, b.checkin AS other, a.staff AS staff, (b.at - a.at) / 1000 AS seconds "
        "FROM holds a JOIN holds b ON b.staff = a.staff AND b.checkin <> a.checkin AND b.at >= "
        "a.at AND b.at < a.at + 900000 AND (b.at > a.at OR b.checkin > a.checkin) WHERE a.staff IS "
        "NOT NULL AND max(a.first, b.first) < min(a.last, b.last) AND (max(ifnull(a.moved, 0), "
        "ifnull(b.moved, 0)) < max(a.first, b.first) OR max(a.first, b.first, a.armed, b.armed) "
        "< min(a.last, b.last) - 1)");
}

/* What was made before leave was taken back, and is armed after that and due two hours or more
 * after it: it has the inspector's time then, unless another one had that meanwhile. The clock may
 * have gone back in between: the log alone knows what was first. Where the rules of the zone
 * changed the time was asked for at another moment. */
static void check_taken_back(struct sim_check *check)
{
    sim_check_none(
        check, "time that leave gave back and was not asked for again",
        "SELECT c.id, a.staff_id AS staff FROM absence a JOIN said b ON b.action = "
        "'ABSENCE_REMOVED' AND b.id = a.staff_id JOIN checkin c ON c.inspector_id = a.staff_id AND "
        "c.due_at > b.at + 7200000 AND c.due_at >= a.from_at AND c.due_at < a.until_at JOIN life l "
        "ON l.id = c.id JOIN taking t ON t.id = c.id AND t.armed > b.idx WHERE a.removed_at IS NOT "
        "NULL AND c.plan_id IS NOT NULL AND c.slot < 2000 AND c.make_up_of IS NULL AND c.unit_id "
        "NOT IN (SELECT id FROM moved_unit) AND l.made < b.idx AND (SELECT p.kind FROM plan p "
        "WHERE p.id = c.plan_id) = 'live' AND (SELECT h.staff "
        "FROM holds h WHERE h.checkin = c.id AND h.first < t.armed ORDER BY h.first DESC LIMIT 1) "
        "IS NOT a.staff_id AND NOT EXISTS (SELECT 1 FROM taking o CROSS JOIN holds x ON x.checkin "
        "= o.id WHERE o.due > c.due_at - 900000 AND o.due < c.due_at + 900000 AND o.id <> c.id AND "
        "x.staff = a.staff_id AND x.first < t.armed AND x.last > b.idx)");
}

void sim_check_reserved(struct sim_check *check)
{
    gather_holds(check);
    check_twice(check);
    check_taken_back(check);
}
