/* Whose time a live check-in has: the inspector's again where leave was taken back. Read from the
 * log: every change of a reservation has a record in it. */
#include <sqlite3.h>

#include "tests/sim/sim.h"

/* From which entry of the log to which a check-in has somebody's time: until the call is over. A
 * make-up, a second check or one on demand is made with it, and only its row says so: where that
 * was changed later, it may have been anybody's. */
static void gather_holds(struct sim_check *check)
{
    sim_check_run(
        check,
        "CREATE TEMP TABLE names AS SELECT lower(hex(pseudonym)) AS name, id FROM staff;"
        "CREATE UNIQUE INDEX names_name ON names (name);"
        "CREATE TEMP TABLE taking AS SELECT c.id, c.due_at AS due, (SELECT min(s.idx) FROM said s "
        "WHERE s.action = 'CHECKIN_ARMED' AND s.id = c.id) AS armed FROM checkin c;"
        "CREATE UNIQUE INDEX taking_id ON taking (id);"
        "CREATE INDEX taking_due ON taking (due);"
        "CREATE TEMP TABLE changes AS SELECT s.id, s.idx, (SELECT n.id FROM names n WHERE n.name = "
        "s.reserved) AS staff, 0 AS anybody FROM said s WHERE s.action IN ('CHECKIN_PLANNED', "
        "'CHECKIN_RESERVED') UNION ALL SELECT l.id, l.made, c.reserved_id, EXISTS (SELECT 1 FROM "
        "said s WHERE s.action = 'CHECKIN_RESERVED' AND s.id = l.id) FROM life l JOIN checkin c ON "
        "c.id = l.id WHERE l.made IS NOT NULL AND c.kind = 'live' AND NOT EXISTS (SELECT 1 FROM "
        "said s WHERE s.action = 'CHECKIN_PLANNED' AND s.id = l.id);"
        "CREATE TEMP TABLE holds AS SELECT h.id AS checkin, h.idx AS first, ifnull(lead(h.idx) "
        "OVER (PARTITION BY h.id ORDER BY h.idx), ifnull((SELECT min(s.idx) FROM said s WHERE "
        "s.action IN ('CHECKIN_AWAITING_REVIEW', 'CHECKIN_NO_INSPECTOR') AND s.id = h.id), "
        "l.ended)) AS last, h.staff, h.anybody FROM changes h JOIN life l ON l.id = h.id;"
        "CREATE INDEX holds_checkin ON holds (checkin, first);");
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
        "(x.staff = a.staff_id OR x.anybody) AND x.first < t.armed AND x.last > b.idx)");
}

void sim_check_reserved(struct sim_check *check)
{
    gather_holds(check);
    check_taken_back(check);
}
