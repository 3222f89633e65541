#include "daemon/store/assessment.h"

#include "daemon/store/sql_impl.h"

int ck_assessment_next_id(struct ck_store *store, int64_t *id)
{
    return ck_sql_number(store, "SELECT coalesce(max(id), 0) + 1 FROM assessment", CK_NO_ARGS, id);
}

int ck_assessment_insert(struct ck_store *store, const struct ck_assessment_row *row,
                         struct ck_wall now)
{
    return ck_sql_run(
        store,
        "INSERT INTO assessment (id, person_id, kind, key, nonce, sealed, by_staff, created_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        CK_ARGS(ck_int(row->id), ck_int(row->person), ck_text(row->kind),
                ck_blob(row->key, row->key_size), ck_blob(row->nonce, CK_GCM_NONCE_SIZE),
                ck_blob(row->sealed, row->size), ck_int(row->by), ck_time(now)));
}

int ck_query_assessments(struct ck_store *store, int64_t person, const char *kind, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT a.id AS \"id:i\", kind AS \"kind:t\", s.name AS \"by:t\", a.created_at AS "
        "\"at:w\", "
        "key AS \"key:h\", nonce AS \"nonce:h\", sealed AS \"sealed:h\" FROM assessment a "
        "JOIN staff s ON s.id = a.by_staff WHERE person_id = ?1 AND (?2 IS NULL OR kind = ?2) "
        "ORDER BY a.id DESC LIMIT ?3",
        CK_ARGS(ck_int(person), ck_text(kind), ck_int(CK_ASSESSMENTS_MAX)), list);
}
