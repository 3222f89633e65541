/* The columns of a CheckinRow, for the queries of several files, and how a row of them becomes one.
 */
#ifndef DAEMON_STORE_CHECKIN_JSON_IMPL_H
#define DAEMON_STORE_CHECKIN_JSON_IMPL_H

#include "daemon/store/query_checkin.h"
#include "daemon/store/sql_impl.h"

#define CK_CHECKIN_COLUMNS                                                                         \
    "c.id AS \"id:i\", c.person_id AS \"person_id:i\", p.name AS \"person_name:t\", "              \
    "p.band AS \"band:t\", c.inspector_id AS \"inspector_id:i\", c.kind AS \"kind:t\", "           \
    "c.mandatory AS \"mandatory:f\", c.state AS \"state:t\", c.outcome AS \"outcome:t\", "         \
    "CASE WHEN c.window_start_at = 0 THEN c.due_at ELSE c.window_start_at END AS \"start:w\", "    \
    "CASE WHEN c.window_start_at = 0 THEN c.due_at ELSE c.window_end_at END AS \"end:w\", "        \
    "CASE WHEN c.drawn = 1 AND c.state IN ('planned', 'armed') THEN NULL ELSE c.due_at END "       \
    "AS \"due:w\", c.attempt AS \"attempt:i\", c.attempts AS \"attempts:i\", "                     \
    "c.decided_at AS \"decided:w\", c.review_deadline_at AS \"review_deadline:w\", "               \
    "c.waiting_since_at AS \"waiting_since:w\", c.taken_by AS \"taken_by:i\", "                    \
    "(SELECT i.id FROM incident i WHERE i.checkin_id = c.id AND i.kind = 'no_contact') "           \
    "AS \"incident_id:i\", c.next_what AS \"next_what:t\", "                                       \
    "CASE WHEN c.state NOT IN ('planned', 'armed') THEN c.next_at "                                \
    "WHEN c.drawn = 1 THEN NULL ELSE c.due_at END AS \"next_at:w\""

/* Of "FROM checkin c JOIN person p ON p.id = c.person_id", with ?1 the scope's unit and ?2 its
 * inspector. */
#define CK_CHECKIN_SCOPE                                                                           \
    "(c.unit_id = ?1 OR c.reserved_id = ?2 OR " CK_OF_CASELOAD("c.inspector_id") ")"

/* A row of those columns as CheckinRow; NULL where memory ends. */
json_t *ck_checkin_json(const struct ck_rows *rows);

/* All rows as a list of CheckinRow. */
int ck_checkin_json_list(struct ck_store *store, const char *sql, struct ck_args args,
                         json_t **list);

/* Puts the first and second member of `object` into a new object {first_name, second_name} under
 * `name`; null where the second is null. */
void ck_json_pair(json_t *object, const char *name, const char *first, const char *first_name,
                  const char *second, const char *second_name);

/* c: a check-in of a plan for live ones that could be asked for anew. */
#define CK_WITHOUT_INSPECTOR                                                                       \
    "c.state = 'planned' AND (c.kind = 'unattended' OR c.reserved_id IS NOT c.inspector_id)"

/* f: a confidence, or the nothing of an outer join; for ck_confided_open(). */
#define CK_CONFIDED_COLUMNS                                                                        \
    "f.id AS \"confided:i\", f.key AS \"key:h\", f.nonce AS \"nonce:h\", "                         \
    "f.sealed AS \"sealed:h\""

#endif
