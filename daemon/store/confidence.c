#include "daemon/store/confidence.h"

#include "daemon/store/sql_impl.h"

int ck_confidence_next_id(struct ck_store *store, int64_t *id)
{
    return ck_sql_number(store, "SELECT coalesce(max(id), 0) + 1 FROM confidence", CK_NO_ARGS, id);
}

int ck_confidence_insert(struct ck_store *store, const struct ck_confidence_row *row,
                         struct ck_wall now)
{
    return ck_sql_run(store,
                      "INSERT INTO confidence (id, person_id, key, nonce, sealed, created_at) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      CK_ARGS(ck_int(row->id), ck_int(row->person),
                              ck_blob(row->key, row->key_size),
                              ck_blob(row->nonce, CK_GCM_NONCE_SIZE),
                              ck_blob(row->sealed, row->size), ck_time(now)));
}
