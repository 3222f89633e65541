#include "daemon/store/person.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_person_insert(struct ck_store *store, struct ck_person_row *row, struct ck_wall now)
{
    return ck_sql_insert(
        store,
        "INSERT INTO person (reference, name, birth_date, phone, email, language, address, note, "
        "unit_id, inspector_id, band, pseudonym, salt, created_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        CK_ARGS(ck_text(row->reference), ck_text(row->name), ck_text(row->birth_date),
                ck_text(row->phone), ck_text(row->email), ck_text(row->language),
                ck_text(row->address), ck_text(row->note), ck_int(row->unit),
                ck_int(row->inspector), ck_text(row->band), ck_blob(row->pseudonym, 16),
                ck_blob(row->salt, 32), ck_time(now)),
        &row->id);
}

int ck_person_update(struct ck_store *store, const struct ck_person_row *row)
{
    return ck_sql_must(
        store,
        "UPDATE person SET name = ?2, birth_date = ?3, phone = ?4, email = ?5, language = ?6, "
        "address = ?7, note = ?8, unit_id = ?9, inspector_id = ?10, band = ?11 WHERE id = ?1",
        CK_ARGS(ck_int(row->id), ck_text(row->name), ck_text(row->birth_date), ck_text(row->phone),
                ck_text(row->email), ck_text(row->language), ck_text(row->address),
                ck_text(row->note), ck_int(row->unit), ck_int(row->inspector), ck_text(row->band)),
        CK_E_NOT_FOUND);
}

int ck_person_set_language(struct ck_store *store, int64_t id, const char *language)
{
    return ck_sql_must(store, "UPDATE person SET language = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_text(language)), CK_E_NOT_FOUND);
}

int ck_person_set_band(struct ck_store *store, int64_t id, const char *band)
{
    return ck_sql_must(store, "UPDATE person SET band = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_text(band)), CK_E_NOT_FOUND);
}

int ck_person_owner(struct ck_store *store, int64_t id, int64_t *unit, int64_t *inspector)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT unit_id, inspector_id FROM person WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    *unit = ck_row_int(&rows, 0);
    *inspector = ck_row_int(&rows, 1);
    return 0;
}

int ck_photo_next_id(struct ck_store *store, int64_t *id)
{
    return ck_sql_number(store, "SELECT coalesce(max(id), 0) + 1 FROM photo", CK_NO_ARGS, id);
}

int ck_photo_insert(struct ck_store *store, int64_t id, const struct ck_photo_row *row,
                    struct ck_wall now)
{
    return ck_sql_run(store,
                      "INSERT INTO photo (id, person_id, checkin_id, key, nonce, bytes, by_staff, "
                      "created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      CK_ARGS(ck_int(id), ck_int(row->person), ck_id(row->checkin),
                              ck_blob(row->key, row->key_size),
                              ck_blob(row->nonce, CK_GCM_NONCE_SIZE),
                              ck_blob(row->sealed, row->size), ck_id(row->by_staff), ck_time(now)));
}

static void *copy_blob(const struct ck_rows *rows, int column, size_t *size)
{
    const void *bytes = ck_row_blob(rows, column, size);
    void *copy = bytes == NULL ? NULL : malloc(*size == 0 ? 1 : *size);
    return copy == NULL ? NULL : memcpy(copy, bytes, *size);
}

int ck_photo_load(struct ck_store *store, int64_t person, int64_t checkin, struct ck_photo *photo)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = checkin != 0
                ? ck_sql_query(store, &rows,
                               "SELECT id, key, nonce, bytes FROM photo WHERE checkin_id = ?1 "
                               "AND key IS NOT NULL",
                               CK_ARGS(ck_int(checkin)))
                : ck_sql_query(store, &rows,
                               "SELECT id, key, nonce, bytes FROM photo WHERE person_id = ?1 AND "
                               "checkin_id IS NULL AND key IS NOT NULL ORDER BY id DESC LIMIT 1",
                               CK_ARGS(ck_int(person)));
    r = r == 0 ? ck_rows_first(&rows) : r;
    if (r != 0) {
        return r;
    }
    struct ck_photo read = {.id = ck_row_int(&rows, 0)};
    size_t nonce_size = 0;
    const void *nonce = ck_row_blob(&rows, 2, &nonce_size);
    read.key = copy_blob(&rows, 1, &read.key_size);
    read.sealed = copy_blob(&rows, 3, &read.size);
    if (read.key == NULL || read.sealed == NULL || nonce_size != CK_GCM_NONCE_SIZE) {
        ck_photo_clear(&read);
        return nonce_size != CK_GCM_NONCE_SIZE ? -EUCLEAN : -ENOMEM;
    }
    memcpy(read.nonce, nonce, CK_GCM_NONCE_SIZE);
    *photo = read;
    return 0;
}

void ck_photo_clear(struct ck_photo *photo)
{
    free(photo->key);
    free(photo->sealed);
    photo->key = photo->sealed = NULL;
}

int ck_person_names(struct ck_store *store, int64_t id, char *name, size_t name_size,
                    char *reference, size_t reference_size)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT name, reference FROM person WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r == 0) {
        ck_row_copy(&rows, 0, name, name_size);
        ck_row_copy(&rows, 1, reference, reference_size);
    }
    return r;
}
