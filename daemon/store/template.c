#include "daemon/store/template.h"

#include <errno.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_template_insert(struct ck_store *store, const struct ck_template_row *row,
                       struct ck_wall now, int64_t *id)
{
    return ck_sql_insert(store,
                         "INSERT INTO template (unit_id, kk, ru, en, by_staff, changed_at) VALUES "
                         "(?1, ?2, ?3, ?4, ?5, ?6)",
                         CK_ARGS(ck_int(row->unit), ck_text(row->kk), ck_text(row->ru),
                                 ck_text(row->en), ck_int(row->by_staff), ck_time(now)),
                         id);
}

int ck_template_update(struct ck_store *store, const struct ck_template_row *row,
                       struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE template SET kk = ?3, ru = ?4, en = ?5, by_staff = ?6, changed_at = "
                       "?7 WHERE id = ?1 AND unit_id = ?2 AND removed_at IS NULL",
                       CK_ARGS(ck_int(row->id), ck_int(row->unit), ck_text(row->kk),
                               ck_text(row->ru), ck_text(row->en), ck_int(row->by_staff),
                               ck_time(now)),
                       CK_E_NOT_FOUND);
}

int ck_template_remove(struct ck_store *store, int64_t id, int64_t unit, struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE template SET removed_at = ?3 WHERE id = ?1 AND unit_id = ?2 AND "
                       "removed_at IS NULL",
                       CK_ARGS(ck_int(id), ck_int(unit), ck_time(now)), CK_E_NOT_FOUND);
}

int ck_template_count(struct ck_store *store, int64_t unit, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM template WHERE unit_id = ?1 AND removed_at IS NULL",
                         CK_ARGS(ck_int(unit)), count);
}

int ck_query_templates(struct ck_store *store, int64_t unit, json_t **out)
{
    json_t *list = NULL;
    int r = ck_sql_list(store,
                        "SELECT t.id AS \"id:i\", t.kk AS \"kk:t\", t.ru AS \"ru:t\", t.en AS "
                        "\"en:t\", t.changed_at AS \"changed:w\", s.name AS \"by:t\" FROM "
                        "template t JOIN staff s ON s.id = t.by_staff WHERE t.unit_id = ?1 AND "
                        "t.removed_at IS NULL ORDER BY t.id",
                        CK_ARGS(ck_int(unit)), &list);
    if (r != 0) {
        return r;
    }
    *out = json_pack("{s:o}", "templates", list);
    return *out == NULL ? -ENOMEM : 0;
}
