#include "daemon/store/staff.h"

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_unit_insert(struct ck_store *store, const char *name, const char *zone, struct ck_wall now,
                   int64_t *id)
{
    return ck_sql_insert(store, "INSERT INTO unit (name, zone, created_at) VALUES (?1, ?2, ?3)",
                         CK_ARGS(ck_text(name), ck_text(zone), ck_time(now)), id);
}

int ck_unit_set_phone(struct ck_store *store, int64_t id, const char *phone)
{
    return ck_sql_run(store, "UPDATE unit SET phone = ?2 WHERE id = ?1",
                      CK_ARGS(ck_int(id), ck_text(phone)));
}

int ck_unit_exists(struct ck_store *store, int64_t id)
{
    int64_t one;
    return ck_sql_number(store, "SELECT 1 FROM unit WHERE id = ?1", CK_ARGS(ck_int(id)), &one);
}

int ck_staff_insert(struct ck_store *store, struct ck_staff_row *row, struct ck_wall now)
{
    return ck_sql_insert(
        store,
        "INSERT INTO staff (login, name, password, must_change, roles, unit_id, language, email, "
        "phone, on_duty, pseudonym, created_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        CK_ARGS(ck_text(row->login), ck_text(row->name), ck_text(row->password),
                ck_int(row->must_change), ck_int(row->roles), ck_int(row->unit),
                ck_text(row->language), ck_text(row->email), ck_text(row->phone),
                ck_int(row->on_duty), ck_blob(row->pseudonym, CK_PSEUDONYM_SIZE), ck_time(now)),
        &row->id);
}

int ck_staff_count(struct ck_store *store, int64_t *count)
{
    return ck_sql_number(store, "SELECT count(*) FROM staff", CK_NO_ARGS, count);
}

int ck_staff_brief_load(struct ck_store *store, int64_t id, struct ck_staff_brief *brief)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT unit_id, roles, disabled_at IS NOT NULL FROM staff WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    *brief = (struct ck_staff_brief){.unit = ck_row_int(&rows, 0),
                                     .roles = ck_row_int(&rows, 1),
                                     .disabled = ck_row_int(&rows, 2) != 0};
    return 0;
}

int ck_staff_set_name(struct ck_store *store, int64_t id, const char *name)
{
    return ck_sql_must(store, "UPDATE staff SET name = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_text(name)), CK_E_NOT_FOUND);
}

int ck_staff_set_roles(struct ck_store *store, int64_t id, int64_t roles)
{
    return ck_sql_must(store, "UPDATE staff SET roles = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_int(roles)), CK_E_NOT_FOUND);
}

int ck_staff_set_unit(struct ck_store *store, int64_t id, int64_t unit)
{
    return ck_sql_must(store, "UPDATE staff SET unit_id = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_int(unit)), CK_E_NOT_FOUND);
}

int ck_staff_set_email(struct ck_store *store, int64_t id, const char *email)
{
    return ck_sql_must(store, "UPDATE staff SET email = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_text(email)), CK_E_NOT_FOUND);
}

int ck_staff_set_phone(struct ck_store *store, int64_t id, const char *phone)
{
    return ck_sql_must(store, "UPDATE staff SET phone = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_text(phone)), CK_E_NOT_FOUND);
}

int ck_staff_set_language(struct ck_store *store, int64_t id, const char *language)
{
    return ck_sql_must(store, "UPDATE staff SET language = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_text(language)), CK_E_NOT_FOUND);
}

int ck_staff_set_on_duty(struct ck_store *store, int64_t id, bool on_duty)
{
    return ck_sql_must(store, "UPDATE staff SET on_duty = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_int(on_duty)), CK_E_NOT_FOUND);
}

int ck_staff_set_disabled(struct ck_store *store, int64_t id, struct ck_wall at, const char *reason)
{
    return ck_sql_must(store,
                       "UPDATE staff SET disabled_at = ?2, disabled_reason = ?3 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_time(at), ck_text(reason)), CK_E_NOT_FOUND);
}

int ck_staff_set_password(struct ck_store *store, int64_t id, const char *password,
                          bool must_change)
{
    return ck_sql_must(store, "UPDATE staff SET password = ?2, must_change = ?3 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_text(password), ck_int(must_change)), CK_E_NOT_FOUND);
}

int ck_staff_other_administrator(struct ck_store *store, int64_t id, bool *exists)
{
    int64_t count = 0;
    int r = ck_sql_number(
        store,
        "SELECT count(*) FROM staff WHERE id <> ?1 AND disabled_at IS NULL AND (roles & 8) <> 0",
        CK_ARGS(ck_int(id)), &count);
    if (r == 0) {
        *exists = count > 0;
    }
    return r;
}
