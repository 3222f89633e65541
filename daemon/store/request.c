#include "daemon/store/request.h"

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_request_insert(struct ck_store *store, struct ck_request *request, const char *text,
                      struct ck_wall now)
{
    return ck_sql_insert(store,
                         "INSERT INTO request (person_id, checkin_id, kind, text, at) "
                         "VALUES (?1, ?2, ?3, ?4, ?5)",
                         CK_ARGS(ck_int(request->person), ck_id(request->checkin),
                                 ck_text(request->dispute ? "dispute" : "reschedule"),
                                 ck_text(text), ck_time(now)),
                         &request->id);
}

int ck_request_load(struct ck_store *store, int64_t id, struct ck_request *request)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT person_id, checkin_id, kind = 'dispute', answered_at IS NOT NULL "
                         "FROM request WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r == 0) {
        *request = (struct ck_request){.id = id,
                                       .person = ck_row_int(&rows, 0),
                                       .checkin = ck_row_int(&rows, 1),
                                       .dispute = ck_row_int(&rows, 2) != 0,
                                       .answered = ck_row_int(&rows, 3) != 0};
    }
    return r;
}

int ck_request_open_count(struct ck_store *store, int64_t person, int64_t *count)
{
    return ck_sql_number(
        store, "SELECT count(*) FROM request WHERE person_id = ?1 AND answered_at IS NULL",
        CK_ARGS(ck_int(person)), count);
}

int ck_request_answer(struct ck_store *store, int64_t id, bool accepted, const char *answer,
                      int64_t staff, struct ck_wall now)
{
    return ck_sql_must(
        store,
        "UPDATE request SET accepted = ?2, answer = ?3, answered_by = ?4, "
        "answered_at = ?5 WHERE id = ?1 AND answered_at IS NULL",
        CK_ARGS(ck_int(id), ck_int(accepted), ck_text(answer), ck_int(staff), ck_time(now)),
        CK_E_CONFLICT);
}

int ck_request_checkin(struct ck_store *store, int64_t person, const char *receipt,
                       int64_t *checkin)
{
    return ck_sql_number(
        store, "SELECT id FROM checkin WHERE person_id = ?1 AND receipt = ?2 AND state = 'done'",
        CK_ARGS(ck_int(person), ck_text(receipt)), checkin);
}

int ck_request_list(struct ck_store *store, const struct ck_scope *scope, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT r.id AS \"id:i\", r.kind AS \"kind:t\", r.person_id AS \"person_id:i\", p.name AS "
        "\"person_name:t\", r.checkin_id AS \"checkin_id:i\", r.text AS \"text:t\", r.at AS "
        "\"at:w\", r.accepted AS \"accepted:f\", r.answer AS \"answer:t\", r.answered_at AS "
        "\"answered:w\", s.name AS \"answered_by:t\" FROM request r JOIN person p ON p.id = "
        "r.person_id LEFT JOIN staff s ON s.id = r.answered_by WHERE (p.unit_id = ?1 "
        "OR " CK_OF_CASELOAD(
            "p.inspector_id") ") ORDER BY r.answered_at IS NOT NULL, r.answered_at DESC, r.id "
                              "LIMIT ?3",
        CK_ARGS(ck_int(scope->unit), ck_int(scope->inspector), ck_int(CK_REQUESTS_MAX)), list);
}

int ck_request_own(struct ck_store *store, int64_t person, json_t **list)
{
    return ck_sql_list(store,
                       "SELECT r.id AS \"id:i\", r.kind AS \"kind:t\", c.receipt AS \"receipt:t\", "
                       "r.text AS \"text:t\", r.at AS \"at:w\", r.accepted AS \"accepted:f\", "
                       "r.answer AS \"answer:t\", r.answered_at AS \"answered:w\" FROM request r "
                       "LEFT JOIN checkin c ON c.id = r.checkin_id WHERE r.person_id = ?1 "
                       "ORDER BY r.id DESC LIMIT ?2",
                       CK_ARGS(ck_int(person), ck_int(CK_REQUESTS_OWN_MAX)), list);
}
