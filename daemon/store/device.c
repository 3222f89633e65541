#include "daemon/store/device.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_device_insert(struct ck_store *store, int64_t person,
                     const uint8_t key[static CK_P256_PUBLIC_SIZE], const char *name,
                     struct ck_wall now, int64_t *id)
{
    return ck_sql_insert(
        store,
        "INSERT INTO device (person_id, public_key, name, created_at) "
        "VALUES (?1, ?2, ?3, ?4)",
        CK_ARGS(ck_int(person), ck_blob(key, CK_P256_PUBLIC_SIZE), ck_text(name), ck_time(now)),
        id);
}

int ck_device_load(struct ck_store *store, int64_t id, struct ck_device *device)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT person_id, public_key, entered_at, revoked_at IS NOT NULL "
                         "FROM device WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    size_t size = 0;
    const void *key = ck_row_blob(&rows, 1, &size);
    if (key == NULL || size != CK_P256_PUBLIC_SIZE) {
        return -EUCLEAN;
    }
    *device = (struct ck_device){.id = id,
                                 .person = ck_row_int(&rows, 0),
                                 .entered = ck_row_time(&rows, 2),
                                 .revoked = ck_row_int(&rows, 3) != 0};
    memcpy(device->key, key, size);
    return 0;
}

int ck_device_count(struct ck_store *store, int64_t person, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM device WHERE person_id = ?1 AND revoked_at IS NULL",
                         CK_ARGS(ck_int(person)), count);
}

int ck_device_entered(struct ck_store *store, int64_t id, struct ck_wall challenge)
{
    return ck_sql_must(store, "UPDATE device SET entered_at = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_time(challenge)), CK_E_NOT_FOUND);
}

int ck_device_revoke(struct ck_store *store, int64_t id, int64_t staff, const char *reason,
                     struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE device SET revoked_at = ?2, revoked_by = ?3, revoked_reason = ?4 "
                       "WHERE id = ?1 AND revoked_at IS NULL",
                       CK_ARGS(ck_int(id), ck_time(now), ck_int(staff), ck_text(reason)),
                       CK_E_CONFLICT);
}

int ck_device_note(struct ck_store *store, int64_t checkin, int64_t device, struct ck_wall now)
{
    return ck_sql_run(store,
                      "INSERT INTO checkin_device (checkin_id, device_id, at) VALUES (?1, ?2, ?3) "
                      "ON CONFLICT (checkin_id) DO UPDATE SET device_id = ?2, at = ?3",
                      CK_ARGS(ck_int(checkin), ck_id(device), ck_time(now)));
}

int ck_device_list(struct ck_store *store, int64_t person, json_t **list)
{
    return ck_sql_list(store,
                       "SELECT id AS \"id:i\", name AS \"name:t\", created_at AS \"created:w\", "
                       "(SELECT max(at) FROM checkin_device WHERE device_id = device.id) AS "
                       "\"used:w\", revoked_at AS \"revoked:w\" FROM device WHERE person_id = ?1 "
                       "ORDER BY id DESC",
                       CK_ARGS(ck_int(person)), list);
}
