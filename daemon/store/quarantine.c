#include "daemon/store/quarantine.h"

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_store_quarantine_list(struct ck_store *store, json_t **rows)
{
    return ck_sql_list(store,
                       "SELECT kind AS \"kind:t\", row_id AS \"id:i\", at AS \"since:w\", "
                       "reason AS \"error:t\" FROM quarantine WHERE freed_at IS NULL ORDER BY id",
                       CK_NO_ARGS, rows);
}

int ck_store_quarantine_release(struct ck_store *store, enum ck_due_kind kind, int64_t id,
                                struct ck_wall now)
{
#define FREE(table)                                                                                \
    "UPDATE " table " SET quarantined = 0, claims = 0, lease_until = NULL, "                       \
    "next_at = CASE WHEN next_at IS NULL THEN NULL ELSE ?2 END "                                   \
    "WHERE id = ?1 AND quarantined = 1"
    static const char *const sql[CK_DUE_KINDS] = {
        [CK_DUE_CHECKIN] = FREE("checkin"),     [CK_DUE_INCIDENT] = FREE("incident"),
        [CK_DUE_NOTICE] = FREE("notice"),       [CK_DUE_PLAN] = FREE("plan"),
        [CK_DUE_PERSON] = FREE("person"),       [CK_DUE_ABSENCE] = FREE("absence"),
        [CK_DUE_ORDER] = FREE("contact_order"), [CK_DUE_KEY] = FREE("draw_key"),
        [CK_DUE_PATH] = FREE("contact_path"),   [CK_DUE_EXPIRY] = FREE("expiry"),
        [CK_DUE_HOLD] = FREE("hold"),           [CK_DUE_ZONE] = FREE("zone_change"),
    };
    int64_t changed = 0;
    int r = ck_sql_change(store, sql[kind], CK_ARGS(ck_int(id), ck_int(now.ms)), &changed);
    if (r != 0 || changed == 0) {
        return r != 0 ? r : CK_E_NOT_FOUND;
    }
    return ck_sql_run(store,
                      "UPDATE quarantine SET freed_at = ?3 "
                      "WHERE kind = ?1 AND row_id = ?2 AND freed_at IS NULL",
                      CK_ARGS(ck_text(ck_due_name(kind)), ck_int(id), ck_time(now)));
}
