#include "daemon/store/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define OF "person_id IS ?1 AND incident_id IS ?2"

int ck_thread_find(struct ck_store *store, const struct ck_thread_of *of, int64_t *id,
                   void *wrapped, size_t capacity, size_t *size)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    *id = 0;
    int r = ck_sql_first(store, &rows, "SELECT id, key FROM thread WHERE " OF,
                         CK_ARGS(ck_id(of->person), ck_id(of->incident)));
    if (r != 0) {
        return r;
    }
    *id = ck_row_int(&rows, 0);
    size_t length = 0;
    const void *key = ck_row_blob(&rows, 1, &length);
    if (key == NULL) {
        return CK_E_NOT_FOUND;
    }
    if (length > capacity) {
        return -EUCLEAN;
    }
    memcpy(wrapped, key, length);
    *size = length;
    return 0;
}

int ck_thread_next_id(struct ck_store *store, int64_t *id)
{
    return ck_sql_number(store, "SELECT coalesce(max(id), 0) + 1 FROM thread", CK_NO_ARGS, id);
}

int ck_thread_insert(struct ck_store *store, int64_t id, const struct ck_thread_of *of,
                     const void *wrapped, size_t size, struct ck_wall now)
{
    return ck_sql_run(store,
                      "INSERT INTO thread (id, person_id, incident_id, key, created_at) VALUES "
                      "(?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET key = "
                      "excluded.key, created_at = excluded.created_at",
                      CK_ARGS(ck_int(id), ck_id(of->person), ck_id(of->incident),
                              ck_blob(wrapped, size), ck_time(now)));
}

int ck_message_insert(struct ck_store *store, struct ck_message_row *row, struct ck_wall now)
{
    int64_t earlier = 0;
    int r = ck_sql_number(
        store,
        "SELECT id FROM message WHERE thread_id = ?1 AND "
        "coalesce(from_staff, 0) = ?2 AND client_id = ?3",
        CK_ARGS(ck_int(row->thread), ck_int(row->from_staff), ck_text(row->client_id)), &earlier);
    if (r == 0) {
        row->id = earlier;
        return CK_E_CONFLICT;
    }
    if (r != CK_E_NOT_FOUND) {
        return r;
    }
    return ck_sql_insert(store,
                         "INSERT INTO message (thread_id, from_staff, client_id, nonce, sealed, "
                         "sent_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                         CK_ARGS(ck_int(row->thread), ck_id(row->from_staff),
                                 ck_text(row->client_id), ck_blob(row->nonce, CK_GCM_NONCE_SIZE),
                                 ck_blob(row->sealed, row->size), ck_time(now)),
                         &row->id);
}

/* ---- files ---- */

int ck_message_file_insert(struct ck_store *store, int64_t message,
                           const struct ck_message_file *file)
{
    return ck_sql_run(store,
                      "INSERT INTO message_file (message_id, nonce, sealed) VALUES (?1, ?2, ?3)",
                      CK_ARGS(ck_int(message), ck_blob(file->nonce, CK_GCM_NONCE_SIZE),
                              ck_blob(file->sealed, file->size)));
}

int ck_message_file_load(struct ck_store *store, int64_t message, struct ck_message_file *file)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r =
        ck_sql_first(store, &rows, "SELECT nonce, sealed FROM message_file WHERE message_id = ?1",
                     CK_ARGS(ck_int(message)));
    if (r != 0) {
        return r;
    }
    size_t nonce_size = 0, size = 0;
    const void *nonce = ck_row_blob(&rows, 0, &nonce_size);
    const void *sealed = ck_row_blob(&rows, 1, &size);
    if (nonce_size != CK_GCM_NONCE_SIZE || size < CK_GCM_TAG_SIZE) {
        return -EUCLEAN;
    }
    void *copy = malloc(size);
    if (copy == NULL) {
        return -ENOMEM;
    }
    memcpy(copy, sealed, size);
    memcpy(file->nonce, nonce, CK_GCM_NONCE_SIZE);
    file->sealed = copy;
    file->size = size;
    return 0;
}

void ck_message_file_clear(struct ck_message_file *file)
{
    free(file->sealed);
    file->sealed = NULL;
}

int ck_message_count_since(struct ck_store *store, int64_t thread, int64_t from_staff,
                           struct ck_wall since, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM message WHERE thread_id = ?1 AND "
                         "coalesce(from_staff, 0) = ?2 AND sent_at > ?3",
                         CK_ARGS(ck_int(thread), ck_int(from_staff), ck_time(since)), count);
}

int ck_message_files_since(struct ck_store *store, int64_t thread, int64_t from_staff,
                           struct ck_wall since, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM message m JOIN message_file f ON f.message_id = "
                         "m.id WHERE m.thread_id = ?1 AND coalesce(m.from_staff, 0) = ?2 AND "
                         "m.sent_at > ?3",
                         CK_ARGS(ck_int(thread), ck_int(from_staff), ck_time(since)), count);
}

/* ---- who wrote, who has read ---- */

int ck_message_author(struct ck_store *store, int64_t person, int64_t from_staff, char *name,
                      size_t size)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = from_staff != 0 ? ck_sql_query(store, &rows, "SELECT name FROM staff WHERE id = ?1",
                                           CK_ARGS(ck_int(from_staff)))
                            : ck_sql_query(store, &rows, "SELECT name FROM person WHERE id = ?1",
                                           CK_ARGS(ck_int(person)));
    r = r == 0 ? ck_rows_first(&rows) : r;
    if (r != 0) {
        return r;
    }
    ck_row_copy(&rows, 0, name, size);
    return 0;
}

#define OF_PERSON "thread_id = (SELECT id FROM thread WHERE person_id = ?1)"

int ck_message_delivered(struct ck_store *store, int64_t person, bool by_person, int64_t up_to,
                         struct ck_wall now, int64_t *changed)
{
    return ck_sql_change(store,
                         "UPDATE message SET delivered_at = ?4 WHERE " OF_PERSON " AND id <= ?3 "
                         "AND (from_staff IS NOT NULL) = ?2 AND delivered_at IS NULL",
                         CK_ARGS(ck_int(person), ck_int(by_person), ck_int(up_to), ck_time(now)),
                         changed);
}

int ck_message_read(struct ck_store *store, int64_t person, bool by_person, int64_t up_to,
                    struct ck_wall now, int64_t *changed)
{
    return ck_sql_change(
        store,
        "UPDATE message SET read_at = ?4, delivered_at = coalesce(delivered_at, ?4) "
        "WHERE " OF_PERSON " AND id <= ?3 AND (from_staff IS NOT NULL) = ?2 AND read_at IS NULL",
        CK_ARGS(ck_int(person), ck_int(by_person), ck_int(up_to), ck_time(now)), changed);
}

int ck_thread_read(struct ck_store *store, int64_t incident, int64_t staff, int64_t up_to,
                   struct ck_wall now, int64_t *changed)
{
    /* Never beyond what is there: whoever claims to have read what nobody wrote has read it all. */
    return ck_sql_change(
        store,
        "INSERT INTO thread_read (thread_id, staff_id, up_to, at) SELECT t.id, ?2, max(m.id), ?4 "
        "FROM thread t JOIN message m ON m.thread_id = t.id WHERE t.incident_id = ?1 AND m.id <= "
        "?3 GROUP BY t.id ON CONFLICT (thread_id, staff_id) DO UPDATE SET up_to = excluded.up_to, "
        "at = excluded.at WHERE excluded.up_to > up_to",
        CK_ARGS(ck_int(incident), ck_int(staff), ck_int(up_to), ck_time(now)), changed);
}

int ck_query_undelivered(struct ck_store *store, int64_t inspector, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT t.person_id AS \"person:i\", max(m.id) AS \"up_to:i\" FROM message m "
        "JOIN thread t ON t.id = m.thread_id JOIN person p ON p.id = t.person_id "
        "WHERE m.from_staff IS NULL AND "
        "m.delivered_at IS NULL AND m.read_at IS NULL AND " CK_OF_CASELOAD(
            "p.inspector_id") " GROUP BY t.person_id LIMIT ?1",
        CK_ARGS(ck_int(CK_UNDELIVERED_MAX), ck_int(inspector)), list);
}

/* ---- a page ---- */

static int add_thread(struct ck_store *store, const struct ck_thread_of *of, json_t *page)
{
    json_t *thread = NULL;
    int r =
        ck_sql_object(store, "SELECT id AS \"thread:i\", key AS \"key:h\" FROM thread WHERE " OF,
                      CK_ARGS(ck_id(of->person), ck_id(of->incident)), &thread);
    if (r == 0) {
        json_object_update(page, thread);
        json_decref(thread);
    }
    return r == CK_E_NOT_FOUND ? 0 : r;
}

static int add_readers(struct ck_store *store, int64_t incident, json_t *page)
{
    json_t *readers = NULL;
    int r = ck_sql_list(store,
                        "SELECT s.id AS \"id:i\", s.name AS \"name:t\", r.up_to AS \"up_to:i\", "
                        "r.at AS \"at:w\" FROM thread_read r JOIN thread t ON t.id = r.thread_id "
                        "JOIN staff s ON s.id = r.staff_id WHERE t.incident_id = ?1 ORDER BY r.at",
                        CK_ARGS(ck_int(incident)), &readers);
    return r == 0 && json_object_set_new(page, "readers", readers) != 0 ? -ENOMEM : r;
}

#define MESSAGE                                                                                    \
    "SELECT m.id AS \"id:i\", client_id AS \"client_id:t\", "                                      \
    "CASE WHEN from_staff IS NULL THEN 'person' ELSE 'staff' END AS \"from:t\", "                  \
    "CASE WHEN from_staff IS NULL THEN person.name ELSE staff.name END AS \"author:t\", "          \
    "CASE WHEN t.incident_id IS NULL THEN NULL ELSE from_staff END AS \"author_id:i\", "           \
    "nonce AS \"nonce:h\", sealed AS \"sealed:h\", sent_at AS \"sent:w\", "                        \
    "delivered_at AS \"delivered:w\", read_at AS \"read:w\" FROM thread t "                        \
    "JOIN message m ON m.thread_id = t.id LEFT JOIN person ON person.id = t.person_id "            \
    "LEFT JOIN staff ON staff.id = from_staff WHERE t.person_id IS ?1 AND t.incident_id IS ?2 "

/* {messages, next, thread, key, readers}; takes the list over. */
static int make_page(struct ck_store *store, const struct ck_thread_of *of, json_t *list,
                     json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *page = json_object();
    bool full = json_array_size(list) == CK_QUERY_MESSAGES_MAX;
    json_object_set_new(page, "next",
                        full ? json_incref(json_object_get(json_array_get(list, 0), "id"))
                             : json_null());
    int r = json_object_set_new(page, "messages", list) == 0 ? 0 : -ENOMEM;
    r = r == 0 ? add_thread(store, of, page) : r;
    r = r == 0 && of->incident != 0 ? add_readers(store, of->incident, page) : r;
    if (r == 0) {
        *out = ck_take(page);
    }
    return r;
}

int ck_query_messages(struct ck_store *store, const struct ck_thread_of *of, int64_t before,
                      json_t **out)
{
    json_t *list = NULL;
    int r = ck_sql_list(store,
                        "SELECT * FROM (" MESSAGE
                        "AND (?3 = 0 OR m.id < ?3) ORDER BY m.id DESC LIMIT ?4) ORDER BY "
                        "1",
                        CK_ARGS(ck_id(of->person), ck_id(of->incident), ck_int(before),
                                ck_int(CK_QUERY_MESSAGES_MAX)),
                        &list);
    return r == 0 ? make_page(store, of, list, out) : r;
}

int ck_query_messages_between(struct ck_store *store, int64_t person, struct ck_wall from,
                              struct ck_wall until, int64_t after, int64_t limit, json_t **out)
{
    const struct ck_thread_of of = {.person = person};
    json_t *list = NULL;
    int r = ck_sql_list(
        store,
        MESSAGE "AND m.id > ?5 AND m.sent_at >= ?3 AND m.sent_at <= ?4 ORDER BY m.id LIMIT ?6",
        CK_ARGS(ck_id(person), ck_id(0), ck_time(from), ck_time(until), ck_int(after),
                ck_int(limit)),
        &list);
    return r == 0 ? make_page(store, &of, list, out) : r;
}

int ck_message_owner(struct ck_store *store, int64_t id, struct ck_thread_of *of)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT t.person_id, t.incident_id FROM message m JOIN thread t ON t.id = "
                         "m.thread_id WHERE m.id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r == 0) {
        *of = (struct ck_thread_of){ck_row_int(&rows, 0), ck_row_int(&rows, 1)};
    }
    return r;
}

int ck_query_message(struct ck_store *store, int64_t id, json_t **message)
{
    return ck_sql_object(store,
                         "SELECT t.id AS \"thread:i\", t.person_id AS \"person:i\", t.incident_id "
                         "AS \"incident:i\", t.key AS \"key:h\", m.nonce AS \"nonce:h\", m.sealed "
                         "AS \"sealed:h\" FROM message m JOIN thread t ON t.id = m.thread_id "
                         "WHERE m.id = ?1",
                         CK_ARGS(ck_int(id)), message);
}
