#include "daemon/store/retention.h"

#include <errno.h>

#include "daemon/store/name_impl.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

const char *ck_keep_name(enum ck_keep keep)
{
    static const char *const names[] = {"recording", "risk",    "photo",     "contact",
                                        "messages",  "concern", "case_file", "access_log"};
    _Static_assert(sizeof names / sizeof names[0] == CK_KEEP_COUNT, "one name a class");
    return (unsigned)keep < CK_KEEP_COUNT ? names[keep] : NULL;
}

static const char *state_name(enum ck_expiry_state state)
{
    static const char *const names[] = {"kept", "held", "erasing", "erased"};
    return (unsigned)state < CK_EXPIRY_STATE_COUNT ? names[state] : NULL;
}

/* ---- what is kept ---- */

int ck_expiry_load(struct ck_store *store, int64_t id, struct ck_expiry_row *row)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT class, person_id, recording_id, since_at, state, next_at, fence "
                         "FROM expiry WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    struct ck_expiry_row read = {.id = id,
                                 .person = ck_row_int(&rows, 1),
                                 .recording = ck_row_int(&rows, 2),
                                 .since = ck_row_time(&rows, 3),
                                 .next_at = ck_row_time(&rows, 5),
                                 .fence = ck_row_int(&rows, 6)};
    bool known =
        CK_NAME_FIND(ck_keep_name, CK_KEEP_COUNT, ck_row_text(&rows, 0), &read.keep) &&
        CK_NAME_FIND(state_name, CK_EXPIRY_STATE_COUNT, ck_row_text(&rows, 4), &read.state);
    if (!known) {
        return -EUCLEAN;
    }
    *row = read;
    return 0;
}

int ck_expiry_save(struct ck_store *store, const struct ck_expiry_row *row, struct ck_wall now)
{
    struct ck_wall erased = row->state == CK_EXPIRY_ERASED ? now : (struct ck_wall){0};
    return ck_sql_must(store,
                       "UPDATE expiry SET state = ?3, next_at = ?4, since_at = ?5, erased_at = ?6, "
                       "lease_until = NULL, claims = 0 WHERE id = ?1 AND fence = ?2",
                       CK_ARGS(ck_int(row->id), ck_int(row->fence), ck_text(state_name(row->state)),
                               ck_time(row->next_at), ck_time(row->since), ck_time(erased)),
                       CK_E_FENCED);
}

int ck_expiry_add(struct ck_store *store, enum ck_keep keep, int64_t person, int64_t recording,
                  struct ck_wall since, struct ck_wall at)
{
    int64_t again = 0;
    int r = ck_sql_change(store,
                          "UPDATE expiry SET since_at = ?4, next_at = ?5, state = 'kept', "
                          "erased_at = NULL WHERE class = ?1 AND person_id = ?2 AND state = "
                          "'erased' AND recording_id IS NULL AND ?3 IS NULL",
                          CK_ARGS(ck_text(ck_keep_name(keep)), ck_id(person), ck_id(recording),
                                  ck_time(since), ck_time(at)),
                          &again);
    if (r != 0 || again > 0) {
        return r;
    }
    return ck_sql_run(
        store,
        "INSERT INTO expiry (class, person_id, recording_id, since_at, state, next_at) "
        "SELECT ?1, ?2, ?3, ?4, 'kept', ?5 WHERE NOT EXISTS (SELECT 1 FROM expiry WHERE "
        "class = ?1 AND person_id IS ?2 AND recording_id IS ?3)",
        CK_ARGS(ck_text(ck_keep_name(keep)), ck_id(person), ck_id(recording), ck_time(since),
                ck_time(at)));
}

int ck_expiry_of_recording(struct ck_store *store, int64_t recording, int64_t *id)
{
    return ck_sql_number(store, "SELECT id FROM expiry WHERE recording_id = ?1",
                         CK_ARGS(ck_int(recording)), id);
}

int ck_expiry_cancel(struct ck_store *store, int64_t person)
{
    return ck_sql_run(store,
                      "DELETE FROM expiry WHERE person_id = ?1 AND recording_id IS NULL "
                      "AND (state = 'kept' OR state = 'held')",
                      CK_ARGS(ck_int(person)));
}

int ck_expiry_drop(struct ck_store *store, int64_t id)
{
    return ck_sql_run(store, "DELETE FROM expiry WHERE id = ?1", CK_ARGS(ck_int(id)));
}

int ck_expiry_reckon(struct ck_store *store, enum ck_keep keep, int64_t keep_ms)
{
    return ck_sql_run(store,
                      "UPDATE expiry SET next_at = since_at + ?2 WHERE class = ?1 "
                      "AND state = 'kept'",
                      CK_ARGS(ck_text(ck_keep_name(keep)), ck_int(keep_ms)));
}

int ck_expiry_wake(struct ck_store *store, int64_t person, struct ck_wall now)
{
    return ck_sql_run(store,
                      "UPDATE expiry SET state = 'kept', next_at = ?2 WHERE person_id = ?1 "
                      "AND state = 'held'",
                      CK_ARGS(ck_int(person), ck_time(now)));
}

int ck_expiry_is_held(struct ck_store *store, const struct ck_expiry_row *row, bool *held)
{
    int64_t count = 0;
    int r = ck_sql_number(
        store,
        "SELECT count(*) FROM hold h WHERE h.person_id = ?1 AND h.released_at IS NULL AND "
        "(?2 IS NULL OR (h.incident_id IS NULL AND h.recording_id IS NULL) OR h.recording_id = ?2 "
        "OR EXISTS (SELECT 1 FROM incident i JOIN recording r ON r.checkin_id = i.checkin_id "
        "WHERE i.id = h.incident_id AND r.id = ?2))",
        CK_ARGS(ck_int(row->person), ck_id(row->recording)), &count);
    if (r == 0) {
        *held = count > 0;
    }
    return r;
}

/* A question about a person whose answer is a number: whether it is another than 0. */
static int ask(struct ck_store *store, const char *sql, int64_t person, bool *yes)
{
    int64_t number = 0;
    int r = ck_sql_number(store, sql, CK_ARGS(ck_int(person)), &number);
    if (r == 0) {
        *yes = number != 0;
    }
    return r;
}

int ck_expiry_has_recordings(struct ck_store *store, int64_t person, bool *has)
{
    return ask(store,
               "SELECT EXISTS (SELECT 1 FROM expiry WHERE person_id = ?1 AND "
               "recording_id IS NOT NULL AND state <> 'erased')",
               person, has);
}

int ck_expiry_has_open_concern(struct ck_store *store, int64_t person, bool *has)
{
    return ask(store,
               "SELECT EXISTS (SELECT 1 FROM incident WHERE person_id = ?1 AND state <> 'closed' "
               "AND (kind = 'safety' OR kind = 'concern'))",
               person, has);
}

int ck_person_is_bound(struct ck_store *store, int64_t person, bool *bound)
{
    return ask(store,
               "SELECT EXISTS (SELECT 1 FROM contact_order WHERE person_id = ?1 "
               "AND next_at IS NOT NULL)",
               person, bound);
}

int ck_person_is_erased(struct ck_store *store, int64_t person, bool *erased)
{
    return ask(store, "SELECT salt IS NULL FROM person WHERE id = ?1", person, erased);
}

/* ---- holds ---- */

int ck_hold_insert(struct ck_store *store, struct ck_hold_row *row, struct ck_wall now)
{
    return ck_sql_insert(store,
                         "INSERT INTO hold (person_id, incident_id, recording_id, reason, "
                         "by_staff, created_at, review_at, next_at) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                         CK_ARGS(ck_int(row->person), ck_id(row->incident), ck_id(row->recording),
                                 ck_text(row->reason), ck_int(row->by), ck_time(now),
                                 ck_time(row->review_at)),
                         &row->id);
}

int ck_hold_load(struct ck_store *store, int64_t id, struct ck_hold_row *row)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT person_id, incident_id, recording_id, by_staff, review_at, "
                         "next_at, reminded, released_at, fence FROM hold WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    *row = (struct ck_hold_row){.id = id,
                                .person = ck_row_int(&rows, 0),
                                .incident = ck_row_int(&rows, 1),
                                .recording = ck_row_int(&rows, 2),
                                .by = ck_row_int(&rows, 3),
                                .review_at = ck_row_time(&rows, 4),
                                .next_at = ck_row_time(&rows, 5),
                                .reminded = ck_row_int(&rows, 6),
                                .released = !ck_row_null(&rows, 7),
                                .fence = ck_row_int(&rows, 8)};
    return 0;
}

int ck_hold_save(struct ck_store *store, const struct ck_hold_row *row)
{
    return ck_sql_must(
        store,
        "UPDATE hold SET next_at = ?3, reminded = ?4, lease_until = NULL, "
        "claims = 0 WHERE id = ?1 AND fence = ?2",
        CK_ARGS(ck_int(row->id), ck_int(row->fence), ck_time(row->next_at), ck_int(row->reminded)),
        CK_E_FENCED);
}

int ck_hold_review(struct ck_store *store, int64_t id, struct ck_wall review_at)
{
    return ck_sql_must(store,
                       "UPDATE hold SET review_at = ?2, next_at = ?2, reminded = 0 "
                       "WHERE id = ?1 AND released_at IS NULL",
                       CK_ARGS(ck_int(id), ck_time(review_at)), CK_E_CONFLICT);
}

int ck_hold_release(struct ck_store *store, int64_t id, int64_t by, int64_t approver,
                    const char *reason, struct ck_wall now)
{
    return ck_sql_must(
        store,
        "UPDATE hold SET released_at = ?2, released_by = ?3, approved_by = ?4, "
        "released_reason = ?5, next_at = NULL WHERE id = ?1 AND released_at IS NULL",
        CK_ARGS(ck_int(id), ck_time(now), ck_int(by), ck_int(approver), ck_text(reason)),
        CK_E_CONFLICT);
}

int ck_holds_count(struct ck_store *store, int64_t unit, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM hold h JOIN person p ON p.id = h.person_id "
                         "WHERE p.unit_id = ?1 AND h.released_at IS NULL",
                         CK_ARGS(ck_int(unit)), count);
}
