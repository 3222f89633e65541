#include "daemon/store/recording.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_recording_next_id(struct ck_store *store, int64_t *id)
{
    return ck_sql_number(store, "SELECT coalesce(max(id), 0) + 1 FROM recording", CK_NO_ARGS, id);
}

int ck_recording_insert(struct ck_store *store, const struct ck_recording_row *row)
{
    return ck_sql_run(store,
                      "INSERT INTO recording (id, checkin_id, leg, state, file, key, started_at) "
                      "VALUES (?1, ?2, ?3, 'recording', ?4, ?5, ?6)",
                      CK_ARGS(ck_int(row->id), ck_int(row->checkin), ck_text(row->leg),
                              ck_text(row->file), ck_blob(row->key, row->key_size),
                              ck_time(row->started)));
}

/* Tells a recording that is over from one that never was. */
static int missing_or_over(struct ck_store *store, int64_t id)
{
    int64_t found = 0;
    int r =
        ck_sql_number(store, "SELECT id FROM recording WHERE id = ?1", CK_ARGS(ck_int(id)), &found);
    return r == 0 ? CK_E_CONFLICT : r;
}

/* Runs a change of a recording that goes on. */
static int change_open(struct ck_store *store, const char *sql, struct ck_args args, int64_t id)
{
    int64_t changed = 0;
    int r = ck_sql_change(store, sql, args, &changed);
    return r != 0 ? r : changed == 0 ? missing_or_over(store, id) : 0;
}

int ck_recording_start(struct ck_store *store, int64_t id, struct ck_wall at)
{
    return change_open(store,
                       "UPDATE recording SET started_at = ?2 WHERE id = ?1 "
                       "AND state = 'recording'",
                       CK_ARGS(ck_int(id), ck_time(at)), id);
}

int ck_recording_fail(struct ck_store *store, int64_t id, struct ck_wall at)
{
    return change_open(store,
                       "UPDATE recording SET state = 'failed', ended_at = ?2 WHERE id = ?1 "
                       "AND state = 'recording'",
                       CK_ARGS(ck_int(id), ck_time(at)), id);
}

int ck_recording_head(struct ck_store *store, int64_t id, const struct ck_recording_head *head,
                      struct ck_wall at)
{
    return change_open(store,
                       "UPDATE recording SET "
                       "head = CASE WHEN ?2 >= chunks THEN ?5 ELSE head END, "
                       "bytes = CASE WHEN ?2 >= chunks THEN ?3 ELSE bytes END, "
                       "duration_ms = CASE WHEN ?2 >= chunks THEN ?4 ELSE duration_ms END, "
                       "head_at = CASE WHEN ?2 >= chunks THEN ?6 ELSE head_at END, "
                       "chunks = CASE WHEN ?2 >= chunks THEN ?2 ELSE chunks END "
                       "WHERE id = ?1 AND state = 'recording'",
                       CK_ARGS(ck_int(id), ck_int(head->chunks), ck_int(head->bytes),
                               ck_int(head->duration_ms), ck_blob(head->hash, sizeof head->hash),
                               ck_time(at)),
                       id);
}

/* The pause that is on; NULL: there is none. */
static json_t *open_gap(const json_t *gaps)
{
    size_t count = json_array_size(gaps);
    json_t *last = count == 0 ? NULL : json_array_get(gaps, count - 1);
    return last != NULL && json_integer_value(json_object_get(last, "seconds")) == 0 ? last : NULL;
}

/* Begins a pause, or ends the one that is on. */
static int change_gaps(json_t *gaps, bool on, const char *reason, int64_t at_s)
{
    if (on) {
        return json_array_append_new(gaps, json_pack("{s:I, s:i, s:s}", "at_s", (json_int_t)at_s,
                                                     "seconds", 0, "reason", reason)) == 0
                   ? 0
                   : -ENOMEM;
    }
    json_t *last = open_gap(gaps);
    int64_t seconds = at_s - json_integer_value(json_object_get(last, "at_s"));
    return json_object_set_new(last, "seconds", json_integer(seconds < 1 ? 1 : seconds)) == 0
               ? 0
               : -ENOMEM;
}

int ck_recording_pause(struct ck_store *store, int64_t id, bool on, const char *reason,
                       struct ck_wall at)
{
    int64_t started = 0;
    ck_cleanup(ck_freep) char *text = NULL;
    int r = ck_sql_number(store, "SELECT started_at FROM recording WHERE id = ?1",
                          CK_ARGS(ck_int(id)), &started);
    r = r == 0 ? ck_sql_text(store, "SELECT gaps FROM recording WHERE id = ?1", CK_ARGS(ck_int(id)),
                             &text)
               : r;
    if (r != 0) {
        return r;
    }
    ck_cleanup(ck_json_decrefp) json_t *gaps = json_loads(text, 0, NULL);
    if (!json_is_array(gaps)) {
        return -EUCLEAN;
    }
    if (on == (open_gap(gaps) != NULL) || (on && json_array_size(gaps) >= CK_RECORDING_GAPS_MAX)) {
        return 0;
    }
    r = change_gaps(gaps, on, reason, (at.ms - started) / 1000);
    ck_cleanup(ck_freep) char *changed = r == 0 ? json_dumps(gaps, JSON_COMPACT) : NULL;
    if (r == 0 && changed == NULL) {
        r = -ENOMEM;
    }
    return r == 0 ? ck_sql_run(store, "UPDATE recording SET gaps = ?2 WHERE id = ?1",
                               CK_ARGS(ck_int(id), ck_text(changed)))
                  : r;
}

int ck_recording_end(struct ck_store *store, int64_t id, const char *state,
                     const struct ck_recording_head *head, struct ck_wall at)
{
    int r = ck_recording_head(store, id, head, at);
    r = r == 0 ? ck_recording_pause(store, id, false, "", at) : r;
    if (r != 0) {
        return r;
    }
    return ck_sql_run(store, "UPDATE recording SET state = ?2, ended_at = ?3 WHERE id = ?1",
                      CK_ARGS(ck_int(id), ck_text(state), ck_time(at)));
}

int ck_recording_owner(struct ck_store *store, int64_t id, int64_t *checkin, int64_t *person)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT r.checkin_id, c.person_id FROM recording r "
                         "JOIN checkin c ON c.id = r.checkin_id WHERE r.id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    *checkin = ck_row_int(&rows, 0);
    *person = ck_row_int(&rows, 1);
    return 0;
}

int ck_recording_measures(struct ck_store *store, int64_t id, const json_t *spans)
{
    ck_cleanup(ck_freep) char *text = json_dumps(spans, JSON_COMPACT);
    return text == NULL ? -ENOMEM
                        : ck_sql_run(store, "UPDATE recording SET measures = ?2 WHERE id = ?1",
                                     CK_ARGS(ck_int(id), ck_text(text)));
}

int ck_recordings_of_person(struct ck_store *store, int64_t checkin, int64_t *ids, size_t capacity,
                            size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r =
        ck_sql_query(store, &rows,
                     "SELECT id FROM recording WHERE checkin_id = ?1 AND leg = 'person' ORDER BY "
                     "id DESC LIMIT ?2",
                     CK_ARGS(ck_int(checkin), ck_int((int64_t)capacity)));
    *count = 0;
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        ids[(*count)++] = ck_row_int(&rows, 0);
        r = 0;
    }
    return r;
}
