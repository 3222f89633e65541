#include "daemon/store/log.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

int ck_log_insert(struct ck_store *store, const struct ck_log_row *row,
                  const struct ck_pseudonym *object)
{
    int r = ck_sql_run(
        store, "INSERT INTO log_entry (idx, at, prev, leaf, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
        CK_ARGS(ck_int(row->index), ck_time(row->at),
                row->previous < 0 ? ck_null() : ck_int(row->previous),
                ck_blob(row->leaf, row->leaf_size),
                ck_blob(row->hash.bytes, sizeof row->hash.bytes)));
    if (r == 0) {
        const char *newest = row->previous < 0
                                 ? "INSERT INTO log_object (object, newest) VALUES (?1, ?2)"
                                 : "UPDATE log_object SET newest = ?2 WHERE object = ?1";
        r = ck_sql_run(store, newest,
                       CK_ARGS(ck_blob(object->bytes, sizeof object->bytes), ck_int(row->index)));
    }
    if (r != 0) {
        return r;
    }
    return ck_sql_run(store,
                      "INSERT INTO log_plain (idx, action, actor_kind, staff_id, person_id, "
                      "object, object_id, salted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      CK_ARGS(ck_int(row->index), ck_text(row->action), ck_text(row->actor_kind),
                              ck_id(row->staff_id), ck_id(row->person_id),
                              ck_text(row->object_kind), ck_id(row->object_id),
                              ck_text(row->salted)));
}

int ck_log_previous(struct ck_store *store, const struct ck_pseudonym *object, int64_t *index)
{
    int64_t found = 0;
    int r = ck_sql_number(store, "SELECT newest FROM log_object WHERE object = ?1",
                          CK_ARGS(ck_blob(object->bytes, sizeof object->bytes)), &found);
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    *index = r == 0 ? found : -1;
    return 0;
}

/* The entries about the object ?1, newest first. */
#define CHAIN                                                                                      \
    "WITH RECURSIVE chain (idx) AS (SELECT newest FROM log_object WHERE object = ?1 "              \
    "UNION ALL SELECT e.prev FROM chain c JOIN log_entry e ON e.idx = c.idx "                      \
    "WHERE e.prev IS NOT NULL) "

int ck_log_newest(struct ck_store *store, const struct ck_pseudonym *object, const char *action,
                  const char *part, uint8_t leaf[static CK_LOG_LEAF_MAX], size_t *size,
                  int64_t *index)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(
        store, &rows,
        CHAIN "SELECT e.idx, e.leaf FROM chain c JOIN log_entry e ON "
              "e.idx = c.idx JOIN log_plain p ON p.idx = e.idx "
              "WHERE p.action = ?2 AND (?3 = '' OR instr(e.leaf, CAST(?3 AS "
              "BLOB)) > 0) ORDER BY e.idx DESC LIMIT 1",
        CK_ARGS(ck_blob(object->bytes, sizeof object->bytes), ck_text(action), ck_text(part)));
    if (r != 0) {
        return r;
    }
    const void *bytes = ck_row_blob(&rows, 1, size);
    if (bytes == NULL || *size > CK_LOG_LEAF_MAX) {
        return -EUCLEAN;
    }
    memcpy(leaf, bytes, *size);
    *index = ck_row_int(&rows, 0);
    return 0;
}

/* Copies a blob of exactly `size` bytes; false where it is another size. */
static bool copy_blob(const struct ck_rows *rows, int column, void *to, size_t size)
{
    size_t have = 0;
    const void *bytes = ck_row_blob(rows, column, &have);
    if (bytes == NULL || have != size) {
        return false;
    }
    memcpy(to, bytes, size);
    return true;
}

int ck_log_load_head(struct ck_store *store, struct ck_log_head *head)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r =
        ck_sql_first(store, &rows, "SELECT size, root, frontier, salt FROM log_head", CK_NO_ARGS);
    if (r != 0) {
        return r;
    }
    struct ck_log_head loaded = {.frontier.size = (uint64_t)ck_row_int(&rows, 0)};
    size_t roots = ck_frontier_count(&loaded.frontier) * sizeof(struct ck_hash), size = 0;
    (void)ck_row_blob(&rows, 2, &size);
    if (size != roots || !copy_blob(&rows, 1, loaded.root.bytes, sizeof loaded.root.bytes) ||
        !copy_blob(&rows, 3, loaded.salt, sizeof loaded.salt)) {
        return -EUCLEAN;
    }
    if (roots > 0) {
        memcpy(loaded.frontier.roots, ck_row_blob(&rows, 2, &size), roots);
    }
    *head = loaded;
    return 0;
}

int ck_log_save_head(struct ck_store *store, const struct ck_log_head *head)
{
    return ck_sql_run(
        store,
        "INSERT INTO log_head (one, size, root, frontier, salt) VALUES (1, ?1, ?2, ?3, ?4) "
        "ON CONFLICT (one) DO UPDATE SET size = excluded.size, root = excluded.root, "
        "frontier = excluded.frontier",
        CK_ARGS(ck_int((int64_t)head->frontier.size),
                ck_blob(head->root.bytes, sizeof head->root.bytes),
                ck_blob(head->frontier.roots,
                        ck_frontier_count(&head->frontier) * sizeof(struct ck_hash)),
                ck_blob(head->salt, sizeof head->salt)));
}

int ck_log_load_tile(struct ck_store *store, int level, uint64_t number, struct ck_hash *hashes,
                     size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r =
        ck_sql_query(store, &rows, "SELECT hashes FROM log_tile WHERE level = ?1 AND number = ?2",
                     CK_ARGS(ck_int(level), ck_int((int64_t)number)));
    if (r != 0) {
        return r;
    }
    r = ck_rows_next(&rows);
    if (r < 0) {
        return r;
    }
    size_t size = 0;
    if (r == 1) {
        const void *bytes = ck_row_blob(&rows, 0, &size);
        if (size % sizeof *hashes != 0 || size / sizeof *hashes > CK_LOG_TILE_WIDTH) {
            return -EUCLEAN;
        }
        if (size > 0) {
            memcpy(hashes, bytes, size);
        }
    }
    *count = size / sizeof *hashes;
    return 0;
}

int ck_log_save_tile(struct ck_store *store, int level, uint64_t number,
                     const struct ck_hash *hashes, size_t count)
{
    return ck_sql_run(
        store,
        "INSERT INTO log_tile (level, number, hashes) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
        CK_ARGS(ck_int(level), ck_int((int64_t)number), ck_blob(hashes, count * sizeof *hashes)));
}

int ck_log_load_hashes(struct ck_store *store, uint64_t from, struct ck_hash *hashes,
                       size_t capacity, size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    size_t found = 0;
    int r = ck_sql_query(
        store, &rows, "SELECT idx, hash FROM log_entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
        CK_ARGS(ck_int((int64_t)from), ck_int((int64_t)(from + capacity))));
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        if (ck_row_int(&rows, 0) != (int64_t)(from + found) ||
            !copy_blob(&rows, 1, hashes[found].bytes, sizeof hashes[found].bytes)) {
            return -EUCLEAN;
        }
        found++;
        r = 0;
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

int ck_log_person(struct ck_store *store, int64_t person_id, struct ck_pseudonym *pseudonym,
                  uint8_t salt[CK_LOG_SALT_SIZE], bool *has_salt)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT pseudonym, salt FROM person WHERE id = ?1",
                         CK_ARGS(ck_int(person_id)));
    if (r != 0) {
        return r;
    }
    if (!copy_blob(&rows, 0, pseudonym->bytes, sizeof pseudonym->bytes)) {
        return -EUCLEAN;
    }
    *has_salt = copy_blob(&rows, 1, salt, CK_LOG_SALT_SIZE);
    return 0;
}

int ck_log_staff(struct ck_store *store, int64_t staff_id, struct ck_pseudonym *pseudonym)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT pseudonym FROM staff WHERE id = ?1",
                         CK_ARGS(ck_int(staff_id)));
    if (r != 0) {
        return r;
    }
    return copy_blob(&rows, 0, pseudonym->bytes, sizeof pseudonym->bytes) ? 0 : -EUCLEAN;
}

int ck_log_owner(struct ck_store *store, const char *kind, int64_t id, int64_t *person)
{
    static const struct {
        const char *kind;
        const char *sql;
    } owners[] = {
        {"checkin", "SELECT person_id FROM checkin WHERE id = ?1"},
        {"incident", "SELECT person_id FROM incident WHERE id = ?1"},
        /* One to the staff is about the person of its incident or check-in. */
        {"notice", "SELECT coalesce(n.person_id, i.person_id, c.person_id) FROM notice n "
                   "LEFT JOIN incident i ON i.id = n.incident_id "
                   "LEFT JOIN checkin c ON c.id = n.checkin_id WHERE n.id = ?1"},
        {"order", "SELECT person_id FROM contact_order WHERE id = ?1"},
        {"plan", "SELECT person_id FROM plan WHERE id = ?1"},
        {"message", "SELECT coalesce(t.person_id, i.person_id) FROM message m JOIN thread t ON "
                    "t.id = m.thread_id LEFT JOIN incident i ON i.id = t.incident_id "
                    "WHERE m.id = ?1"},
        {"approval", "SELECT coalesce(person_id, 0) FROM approval WHERE id = ?1"},
        {"blackout", "SELECT person_id FROM blackout WHERE id = ?1"},
        {"device", "SELECT person_id FROM device WHERE id = ?1"},
        {"requirement", "SELECT o.person_id FROM requirement r JOIN contact_order o "
                        "ON o.id = r.order_id WHERE r.id = ?1"},
        {"session", "SELECT coalesce(person_id, 0) FROM session WHERE id = ?1"},
        {"recording", "SELECT c.person_id FROM recording r JOIN checkin c ON c.id = r.checkin_id "
                      "WHERE r.id = ?1"},
    };
    for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
        if (strcmp(owners[i].kind, kind) == 0) {
            return ck_sql_number(store, owners[i].sql, CK_ARGS(ck_int(id)), person);
        }
    }
    static const char *const nobodys[] = {"absence", "policy", "shift", "staff", "unit"};
    for (size_t i = 0; i < sizeof nobodys / sizeof nobodys[0]; i++) {
        if (strcmp(nobodys[i], kind) == 0) {
            *person = 0;
            return 0;
        }
    }
    return CK_E_NOT_FOUND;
}

int ck_log_objects_of(struct ck_store *store, const struct ck_log_subject *subject,
                      struct ck_log_object *objects, size_t capacity, size_t *count)
{
    static const struct {
        const char *kind;
        const char *sql;
    } parts[] = {
        {"checkin", "SELECT id FROM checkin WHERE id = ?1 AND ?2 >= 0 AND ?3 >= 0"},
        {"recording", "SELECT id FROM recording WHERE checkin_id = ?1 AND ?2 >= 0 AND (?3 = 0 OR "
                      "leg = 'person') ORDER BY id"},
        {"notice", "SELECT id FROM notice WHERE ((checkin_id = ?1 AND incident_id IS NULL) OR "
                   "incident_id = ?2) AND (?3 = 0 OR person_id IS NOT NULL) ORDER BY id"},
        {"incident", "SELECT id FROM incident WHERE id = ?2 AND ?1 >= 0 AND ?3 = 0"},
    };
    size_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
        int r = ck_sql_query(store, &rows, parts[i].sql,
                             CK_ARGS(ck_int(subject->checkin), ck_int(subject->incident),
                                     ck_int(subject->person_alone)));
        while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
            if (used == capacity) {
                return CK_E_LIMIT;
            }
            objects[used++] = (struct ck_log_object){parts[i].kind, ck_row_int(&rows, 0)};
            r = 0;
        }
        if (r != 0) {
            return r;
        }
    }
    *count = used;
    return 0;
}

int ck_log_indices_of(struct ck_store *store, const struct ck_pseudonym *object, int64_t *indices,
                      size_t capacity, size_t *count)
{
    return ck_sql_ids(store, CHAIN "SELECT idx FROM chain ORDER BY idx",
                      CK_ARGS(ck_blob(object->bytes, sizeof object->bytes)), indices, capacity,
                      count);
}

int ck_log_signer_keys(struct ck_store *store, int64_t *indices, size_t capacity, size_t *count)
{
    return ck_sql_ids(store, "SELECT idx FROM log_plain WHERE action = 'SIGNER_KEY' ORDER BY idx",
                      CK_NO_ARGS, indices, capacity, count);
}

int ck_log_walk(struct ck_store *store, int64_t from, ck_log_visit *visit, void *user)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_query(store, &rows,
                         "SELECT e.idx, e.at, e.prev, e.leaf, e.hash, p.action, p.actor_kind, "
                         "p.staff_id, p.person_id, p.object, p.object_id, p.salted "
                         "FROM log_entry e LEFT JOIN log_plain p ON p.idx = e.idx "
                         "WHERE e.idx >= ?1 ORDER BY e.idx",
                         CK_ARGS(ck_int(from)));
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        struct ck_log_row row = {
            .index = ck_row_int(&rows, 0),
            .at = ck_row_time(&rows, 1),
            .previous = ck_row_null(&rows, 2) ? -1 : ck_row_int(&rows, 2),
            .action = ck_row_text(&rows, 5),
            .actor_kind = ck_row_text(&rows, 6),
            .staff_id = ck_row_int(&rows, 7),
            .person_id = ck_row_int(&rows, 8),
            .object_kind = ck_row_text(&rows, 9),
            .object_id = ck_row_int(&rows, 10),
            .salted = ck_row_text(&rows, 11),
        };
        (void)copy_blob(&rows, 4, row.hash.bytes, sizeof row.hash.bytes);
        row.leaf = ck_row_blob(&rows, 3, &row.leaf_size);
        r = visit(user, &row, row.action != NULL);
    }
    return r;
}

int ck_log_walk_objects(struct ck_store *store, ck_log_object_visit *visit, void *user)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_query(store, &rows,
                         "SELECT o.object, o.newest, e.leaf FROM log_object o LEFT JOIN log_entry "
                         "e ON e.idx = o.newest ORDER BY o.newest",
                         CK_NO_ARGS);
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        struct ck_pseudonym object = {{0}};
        size_t size = 0;
        (void)copy_blob(&rows, 0, object.bytes, sizeof object.bytes);
        const void *leaf = ck_row_blob(&rows, 2, &size);
        r = visit(user, &object, ck_row_int(&rows, 1), leaf, size);
    }
    return r;
}
