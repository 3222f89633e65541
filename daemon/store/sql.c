#include <assert.h>
#include <errno.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

void ck_row_copy(const struct ck_rows *rows, int column, char *to, size_t size)
{
    assert(size > 0);
    const char *text = ck_row_text(rows, column);
    if (text == NULL) {
        text = "";
    }
    size_t length = strlen(text);
    if (length >= size) {
        length = size - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    if (length > 0) {
        memcpy(to, text, length);
    }
    to[length] = '\0';
}

json_t *ck_json_time(struct ck_wall at)
{
    if (at.ms == 0) {
        return json_null();
    }
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text(at, text);
    return json_string(text);
}

json_t *ck_json_roles(int64_t roles)
{
    static const char *const names[] = {"inspector", "officer", "supervisor", "administrator"};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((roles >> i & 1) != 0) {
            json_array_append_new(list, json_string(names[i]));
        }
    }
    return list;
}

static json_t *hex_json(const void *bytes, size_t size)
{
    ck_cleanup(ck_freep) char *text = malloc(CK_HEX_SIZE(size));
    if (text == NULL) {
        return NULL;
    }
    ck_hex_encode(bytes, size, text);
    return json_string(text);
}

static json_t *column_json(const struct ck_rows *rows, int column, char kind)
{
    if (kind != 'f' && ck_row_null(rows, column)) {
        return json_null();
    }
    size_t size = 0;
    switch (kind) {
    case 'i':
        return json_integer(ck_row_int(rows, column));
    case 't':
        return json_string(ck_row_text(rows, column));
    case 'w':
        return ck_json_time(ck_row_time(rows, column));
    case 'f':
        return json_boolean(ck_row_int(rows, column) != 0);
    case 'j':
        return json_loads(ck_row_text(rows, column), JSON_DECODE_ANY, NULL);
    case 'r':
        return ck_json_roles(ck_row_int(rows, column));
    case 'h': {
        const void *bytes = ck_row_blob(rows, column, &size);
        return hex_json(bytes, size);
    }
    default:
        return NULL;
    }
}

json_t *ck_row_json(const struct ck_rows *rows)
{
    json_t *object = json_object();
    for (int column = 0; object != NULL && column < ck_row_columns(rows); column++) {
        const char *name = ck_row_name(rows, column);
        const char *colon = strrchr(name, ':');
        char member[64];
        size_t length = colon == NULL ? sizeof member : (size_t)(colon - name);
        if (length >= sizeof member) {
            json_decref(object);
            return NULL;
        }
        memcpy(member, name, length);
        member[length] = '\0';
        if (json_object_set_new(object, member, column_json(rows, column, colon[1])) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

int ck_sql_must(struct ck_store *store, const char *sql, struct ck_args args, int none)
{
    int64_t changed = 0;
    int r = ck_sql_change(store, sql, args, &changed);
    return r != 0 ? r : changed == 0 ? none : 0;
}

int ck_rows_first(struct ck_rows *rows)
{
    int r = ck_rows_next(rows);
    return r == 1 ? 0 : r == 0 ? CK_E_NOT_FOUND : r;
}

int ck_sql_first(struct ck_store *store, struct ck_rows *rows, const char *sql, struct ck_args args)
{
    int r = ck_sql_query(store, rows, sql, args);
    return r == 0 ? ck_rows_first(rows) : r;
}

int ck_sql_text(struct ck_store *store, const char *sql, struct ck_args args, char **text)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, sql, args);
    if (r != 0) {
        return r;
    }
    char *copy = strdup(ck_row_text(&rows, 0));
    if (copy == NULL) {
        return -ENOMEM;
    }
    *text = copy;
    return 0;
}

int ck_sql_ids(struct ck_store *store, const char *sql, struct ck_args args, int64_t *ids,
               size_t capacity, size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    size_t found = 0;
    int r = ck_sql_query(store, &rows, sql, args);
    while (r == 0 && found < capacity && (r = ck_rows_next(&rows)) == 1) {
        ids[found++] = ck_row_int(&rows, 0);
        r = 0;
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

int ck_sql_list(struct ck_store *store, const char *sql, struct ck_args args, json_t **list)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    ck_cleanup(ck_json_decrefp) json_t *made = json_array();
    int r = made == NULL ? -ENOMEM : ck_sql_query(store, &rows, sql, args);
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        r = json_array_append_new(made, ck_row_json(&rows)) == 0 ? 0 : -ENOMEM;
    }
    if (r == 0) {
        *list = ck_take(made);
    }
    return r;
}

int ck_sql_object(struct ck_store *store, const char *sql, struct ck_args args, json_t **object)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, sql, args);
    if (r != 0) {
        return r;
    }
    json_t *made = ck_row_json(&rows);
    if (made == NULL) {
        return -ENOMEM;
    }
    *object = made;
    return 0;
}
