#include "daemon/store/second_factor.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

static int read_key(const struct ck_rows *rows, int column, uint8_t *key, bool *there)
{
    size_t size = 0;
    const void *bytes = ck_row_blob(rows, column, &size);
    *there = bytes != NULL;
    if (bytes == NULL) {
        return 0;
    }
    if (size != CK_SECOND_FACTOR_SIZE) {
        return -EUCLEAN;
    }
    memcpy(key, bytes, size);
    return 0;
}

int ck_second_factor_load(struct ck_store *store, int64_t staff, struct ck_second_factor *factor)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    struct ck_second_factor read = {0};
    int r = ck_sql_first(store, &rows,
                         "SELECT totp_key, totp_pending, totp_step FROM staff WHERE id = ?1",
                         CK_ARGS(ck_int(staff)));
    r = r == 0 ? read_key(&rows, 0, read.key, &read.set) : r;
    r = r == 0 ? read_key(&rows, 1, read.pending, &read.begun) : r;
    if (r == 0) {
        read.step = ck_row_int(&rows, 2);
        *factor = read;
    }
    return r;
}

int ck_second_factor_begin(struct ck_store *store, int64_t staff,
                           const uint8_t key[static CK_SECOND_FACTOR_SIZE])
{
    return ck_sql_must(store, "UPDATE staff SET totp_pending = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(staff), ck_blob(key, CK_SECOND_FACTOR_SIZE)), CK_E_NOT_FOUND);
}

int ck_second_factor_confirm(struct ck_store *store, int64_t staff, int64_t step)
{
    return ck_sql_must(store,
                       "UPDATE staff SET totp_key = totp_pending, totp_pending = NULL, "
                       "totp_step = ?2 WHERE id = ?1 AND totp_pending IS NOT NULL",
                       CK_ARGS(ck_int(staff), ck_int(step)), CK_E_CONFLICT);
}

int ck_second_factor_used(struct ck_store *store, int64_t staff, int64_t step)
{
    return ck_sql_must(store, "UPDATE staff SET totp_step = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(staff), ck_int(step)), CK_E_NOT_FOUND);
}

int ck_second_factor_clear(struct ck_store *store, int64_t staff)
{
    return ck_sql_must(store,
                       "UPDATE staff SET totp_key = NULL, totp_pending = NULL, totp_step = 0 "
                       "WHERE id = ?1",
                       CK_ARGS(ck_int(staff)), CK_E_NOT_FOUND);
}
