#include "tests/unit/core/leaves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <sqlite3.h>

/* Members that are numbers by their nature. */
static const char *const figures[] = {
    "keys",      "crashes",      "error",       "days",     "keep_days", "answerable_ms",
    "attempt",   "attempts",     "bytes",       "chunks",   "contacts",  "count",
    "draw_slot", "draw_window",  "duration_ms", "entries",  "epoch",     "excused_ms",
    "failed",    "files",        "findings",    "fire",     "jump_ms",   "max_ms",
    "moved",     "needed_ms",    "begun",       "checkins", "incidents", "notices",
    "number",    "offset_us",    "per_day_max", "percent",  "redraw",    "redrawn",
    "roles",     "roles_before", "size",        "slot",     "step",      "times",
    "try",       "uid",          "value",       "version",  "weekdays",  "lost_bytes",
    "gaps",      "gap_ms",       "entry",
};

static bool is_figure(const char *member)
{
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        if (strcmp(figures[i], member) == 0) {
            return true;
        }
    }
    return false;
}

static void look(const char *action, const char *member, const json_t *value)
{
    const char *name;
    json_t *inner;
    size_t index;
    if (json_is_number(value) && !is_figure(member)) {
        print_error("%s: the open member %s is the number %lld\n", action, member,
                    (long long)json_integer_value(value));
        exit(EXIT_FAILURE);
    }
    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, name, inner)
        {
            look(action, is_figure(member) ? member : name, inner);
        }
    }
    json_array_foreach(value, index, inner)
    {
        look(action, member, inner);
    }
    if (json_is_string(value) && json_string_value(value)[0] == '{') { /* a rule */
        json_t *text = json_loads(json_string_value(value), 0, NULL);
        assert_null(json_object_get(text, "order_id"));
        assert_null(json_object_get(text, "replaces"));
        json_decref(text);
    }
}

void leaves_name_no_row(const char *store_path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    assert_int_equal(sqlite3_open_v2(store_path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT leaf FROM log_entry", -1, &rows, NULL),
                     SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        json_t *leaf = json_loadb(sqlite3_column_blob(rows, 0),
                                  (size_t)sqlite3_column_bytes(rows, 0), 0, NULL);
        assert_non_null(leaf);
        look(json_string_value(json_object_get(leaf, "action")), "open",
             json_object_get(leaf, "open"));
        json_decref(leaf);
    }
    sqlite3_finalize(rows);
    sqlite3_close(db);
}
