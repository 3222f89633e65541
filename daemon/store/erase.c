#include "daemon/store/erase.h"

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

/* Runs statements with the same two arguments, one after the other. */
static int run_all(struct ck_store *store, const char *const *sql, size_t count, int64_t id,
                   struct ck_wall now)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = ck_sql_run(store, sql[i], CK_ARGS(ck_int(id), ck_int(now.ms)));
    }
    return r;
}

#define RUN(store, sql, id, now) run_all(store, sql, sizeof(sql) / sizeof(sql)[0], id, now)

int ck_erase_recording(struct ck_store *store, int64_t id, char *file, size_t size)
{
    static const char *const sql[] = {
        "UPDATE photo SET key = NULL, nonce = NULL, bytes = NULL WHERE checkin_id = (SELECT "
        "checkin_id FROM recording WHERE id = ?1 AND leg = 'person') AND ?2 IS NOT NULL",
        "UPDATE recording SET key = NULL, state = 'erased' WHERE id = ?1 AND ?2 IS NOT NULL",
    };
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r =
        ck_sql_first(store, &rows, "SELECT file FROM recording WHERE id = ?1", CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    ck_row_copy(&rows, 0, file, size);
    ck_rows_close(&rows);
    return RUN(store, sql, id, (struct ck_wall){1});
}

int ck_erase_risk(struct ck_store *store, int64_t person)
{
    static const char *const sql[] = {
        "UPDATE assessment SET key = NULL, nonce = x'', sealed = x'' WHERE person_id = ?1 AND ?2 "
        "IS "
        "NOT NULL",
    };
    return RUN(store, sql, person, (struct ck_wall){1});
}

int ck_erase_photo(struct ck_store *store, int64_t person)
{
    static const char *const sql[] = {
        "UPDATE photo SET key = NULL, nonce = NULL, bytes = NULL WHERE person_id = ?1 AND "
        "checkin_id IS NULL AND ?2 IS NOT NULL",
    };
    return RUN(store, sql, person, (struct ck_wall){1});
}

/* An address also stands in every notice that went to it. */
int ck_erase_contact(struct ck_store *store, int64_t person, struct ck_wall now)
{
    static const char *const sql[] = {
        "UPDATE person SET phone = NULL, email = NULL, address = NULL WHERE id = ?1 AND ?2 IS NOT "
        "NULL",
        "UPDATE notice SET address = '', failure = NULL, provider_id = NULL WHERE person_id = ?1 "
        "AND checkin_id IN (SELECT id FROM checkin WHERE person_id = ?1) AND ?2 IS NOT NULL",
        "UPDATE notice SET address = '', failure = NULL, provider_id = NULL WHERE person_id = ?1 "
        "AND checkin_id IS NULL AND ?2 IS NOT NULL",
        "UPDATE device SET name = '', public_key = zeroblob(65), revoked_reason = '', "
        "revoked_at = coalesce(revoked_at, ?2) WHERE person_id = ?1",
        "DELETE FROM push WHERE person_id = ?1 AND ?2 IS NOT NULL",
        "DELETE FROM contact_path WHERE person_id = ?1 AND ?2 IS NOT NULL",
        "UPDATE session SET peer = '', device = NULL, revoked_at = coalesce(revoked_at, ?2) "
        "WHERE person_id = ?1",
    };
    return RUN(store, sql, person, now);
}

/* With the person, and among officers about their incidents; but about a concern or a safety check
 * they are of a class of their own. */
#define RESTRICTED "(i.kind = 'safety' OR i.kind = 'concern')"
#define THREADS                                                                                    \
    "(SELECT t.id FROM thread t LEFT JOIN incident i ON i.id = t.incident_id WHERE "               \
    "coalesce(t.person_id, i.person_id) = ?1 AND ?2 IS NOT NULL AND "                              \
    "(i.kind IS NULL OR NOT " RESTRICTED "))"
#define CONCERN_THREADS                                                                            \
    "(SELECT t.id FROM thread t JOIN incident i ON i.id = t.incident_id WHERE "                    \
    "i.person_id = ?1 AND ?2 IS NOT NULL AND " RESTRICTED ")"
#define ERASE_THREADS(threads)                                                                     \
    "UPDATE thread SET key = NULL WHERE id IN " threads,                                           \
        "DELETE FROM message_file WHERE message_id IN (SELECT id FROM message WHERE "              \
        "thread_id IN " threads ")",                                                               \
        "UPDATE message SET sealed = x'', nonce = x'' WHERE thread_id IN " threads

int ck_erase_messages(struct ck_store *store, int64_t person)
{
    static const char *const sql[] = {ERASE_THREADS(THREADS)};
    return RUN(store, sql, person, (struct ck_wall){1});
}

int ck_erase_concern(struct ck_store *store, int64_t person)
{
    static const char *const sql[] = {
        "UPDATE confidence SET key = NULL, nonce = x'', sealed = x'' WHERE person_id = ?1 AND ?2 "
        "IS NOT NULL",
        ERASE_THREADS(CONCERN_THREADS),
    };
    return RUN(store, sql, person, (struct ck_wall){1});
}

int ck_erase_is_there(struct ck_store *store, enum ck_keep keep, int64_t person,
                      struct ck_wall until, bool *there)
{
    static const char *const sql[CK_KEEP_COUNT] = {
        [CK_KEEP_RISK] =
            "SELECT count(*) FROM assessment WHERE person_id = ?1 AND created_at <= ?2 "
            "AND key IS NOT NULL",
        [CK_KEEP_PHOTO] = "SELECT count(*) FROM photo WHERE person_id = ?1 AND created_at <= ?2 "
                          "AND checkin_id IS NULL AND key IS NOT NULL",
        [CK_KEEP_MESSAGES] = "SELECT count(*) FROM thread WHERE key IS NOT NULL AND created_at <= "
                             "?2 AND id IN " THREADS,
        [CK_KEEP_CONCERN] =
            "SELECT (SELECT count(*) FROM confidence WHERE person_id = ?1 AND created_at <= ?2 "
            "AND key IS NOT NULL) + (SELECT count(*) FROM thread WHERE key IS NOT NULL AND "
            "created_at <= ?2 AND id IN " CONCERN_THREADS ")",
    };
    int64_t count = 1;
    int r = sql[keep] == NULL
                ? 0
                : ck_sql_number(store, sql[keep], CK_ARGS(ck_int(person), ck_time(until)), &count);
    if (r == 0) {
        *there = count > 0;
    }
    return r;
}

int ck_erase_is_due(struct ck_store *store, enum ck_keep keep, int64_t person, bool *due)
{
    return ck_erase_is_there(store, keep, person, (struct ck_wall){INT64_MAX}, due);
}

#define CHECKINS "(SELECT id FROM checkin WHERE person_id = ?1) AND ?2 IS NOT NULL"
#define INCIDENTS "(SELECT id FROM incident WHERE person_id = ?1) AND ?2 IS NOT NULL"

int ck_erase_case_file(struct ck_store *store, int64_t person)
{
    static const char *const sql[] = {
        "UPDATE person SET name = reference, birth_date = '', note = NULL, salt = NULL, next_at = "
        "NULL "
        "WHERE id = ?1 AND ?2 IS NOT NULL",
        "UPDATE contact_order SET article = '', number = '', issuer = '', conditions = '', "
        "ended_reason = CASE WHEN ended_reason IS NULL THEN NULL ELSE '' END WHERE person_id = ?1 "
        "AND ?2 IS NOT NULL",
        "UPDATE requirement SET citation = '' WHERE citation IS NOT NULL AND order_id IN "
        "(SELECT id FROM contact_order WHERE person_id = ?1) AND ?2 IS NOT NULL",
        "UPDATE blackout SET reason = '' WHERE person_id = ?1 AND ?2 IS NOT NULL",
        "UPDATE plan SET ended_reason = '' WHERE ended_reason IS NOT NULL AND person_id = ?1 "
        "AND ?2 IS NOT NULL",
        "UPDATE approval SET body = '{}', reason = '', decided_reason = CASE WHEN decided_reason "
        "IS NULL THEN NULL ELSE '' END WHERE person_id = ?1 AND ?2 IS NOT NULL",
        "UPDATE checkin SET reason = NULL, declined_reason = NULL WHERE person_id = ?1 AND ?2 IS "
        "NOT NULL",
        "UPDATE fact SET detail = NULL WHERE checkin_id IN " CHECKINS,
        "UPDATE outcome_form SET note = '', behaviours = '[]' WHERE checkin_id IN " CHECKINS,
        "UPDATE review SET note = '' WHERE checkin_id IN " CHECKINS,
        "UPDATE request SET text = '', answer = CASE WHEN answer IS NULL THEN NULL ELSE '' END "
        "WHERE person_id = ?1 AND ?2 IS NOT NULL",
        "UPDATE conclusion SET reason = '' WHERE checkin_id IN " CHECKINS,
        "UPDATE conclusion SET reason = '' WHERE incident_id IN " INCIDENTS,
        "UPDATE incident SET cause = NULL WHERE person_id = ?1 AND ?2 IS NOT NULL",
        "UPDATE incident_line SET text = NULL WHERE incident_id IN " INCIDENTS,
        "UPDATE hold SET reason = '', released_reason = '' WHERE person_id = ?1 AND ?2 IS NOT NULL",
    };
    return RUN(store, sql, person, (struct ck_wall){1});
}

/* ---- beside the log ---- */

int ck_erase_log_of_person(struct ck_store *store, int64_t person, int64_t limit, bool *left)
{
    int64_t changed = 0;
    int r = ck_sql_change(store,
                          "UPDATE log_plain SET salted = NULL, person_id = NULL, object_id = NULL "
                          "WHERE idx IN (SELECT idx FROM log_plain WHERE person_id = ?1 "
                          "ORDER BY idx LIMIT ?2)",
                          CK_ARGS(ck_int(person), ck_int(limit)), &changed);
    if (r == 0) {
        *left = changed == limit;
    }
    return r;
}

int ck_erase_access_log(struct ck_store *store, struct ck_wall until, int64_t limit, bool *left)
{
    int64_t changed = 0;
    int r = ck_sql_change(
        store,
        "UPDATE log_plain SET salted = NULL WHERE idx IN (SELECT l.idx FROM log_plain l "
        "JOIN log_entry e ON e.idx = l.idx WHERE l.object = 'session' AND l.person_id IS NULL "
        "AND l.salted IS NOT NULL AND e.at < ?1 ORDER BY l.idx LIMIT ?2)",
        CK_ARGS(ck_int(until.ms), ck_int(limit)), &changed);
    if (r == 0) {
        *left = changed == limit;
    }
    return r;
}
