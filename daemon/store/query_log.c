#include "daemon/store/query_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/log.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define COLUMNS                                                                                    \
    "e.idx AS \"index:i\", e.at AS \"at:w\", l.action AS \"action:t\", "                           \
    "coalesce(s.name, CASE l.actor_kind WHEN 'person' THEN p.name END, l.actor_kind) "             \
    "AS \"actor:t\", CASE l.actor_kind WHEN 'worker' THEN 'system' ELSE l.actor_kind END "         \
    "AS \"actor_kind:t\", l.person_id AS \"person_id:i\", p.name AS \"person_name:t\", "           \
    "l.object || CASE WHEN l.object_id IS NULL THEN '' ELSE ' ' || l.object_id END "               \
    "AS \"object:t\", l.salted AS \"salted:j\", e.leaf AS \"leaf:h\", e.hash AS \"leaf_hash:h\""

#define TABLES                                                                                     \
    " FROM log_plain l JOIN log_entry e ON e.idx = l.idx "                                         \
    "LEFT JOIN staff s ON s.id = l.staff_id LEFT JOIN person p ON p.id = l.person_id "

#define IN_UNIT                                                                                    \
    "(?1 = 0 OR p.unit_id = ?1 OR (l.person_id IS NULL AND "                                       \
    "(l.staff_id IS NULL OR s.unit_id = ?1)))"

#define MATCHES                                                                                    \
    IN_UNIT " AND (?5 IS NULL OR l.action GLOB ?5) AND (?6 IS NULL OR e.at >= ?6) "                \
            "AND (?7 IS NULL OR e.at < ?7)"

/* One statement for each way through the log: a condition that may be empty would hide the index.
 */
#define NEWER(seek)                                                                                \
    "SELECT " COLUMNS TABLES "WHERE " seek " AND l.idx > ?2 AND " MATCHES " ORDER BY l.idx LIMIT " \
    "?8"
#define OLDER(seek)                                                                                \
    "SELECT " COLUMNS TABLES "WHERE " seek " AND l.idx < ?2 AND " MATCHES                          \
    " ORDER BY l.idx DESC LIMIT ?8"
#define OF_PERSON "l.person_id = ?3 AND (?4 = 0 OR l.staff_id = ?4)"
#define OF_STAFF "?3 = 0 AND l.staff_id = ?4"
#define OF_ALL "?3 = 0 AND ?4 = 0"

/* What the leaf says openly and what lies beside it, as one object; null where nothing is left. */
static json_t *text_of(const json_t *leaf, const json_t *salted)
{
    const char *name;
    json_t *pair;
    json_t *text = json_deep_copy(json_object_get(leaf, "open"));
    if (text == NULL) {
        text = json_object();
    }
    json_object_foreach((json_t *)(uintptr_t)salted, name, pair)
    {
        if (json_array_size(pair) == 2) {
            json_object_set(text, name, json_array_get(pair, 1));
        }
    }
    if (json_object_size(text) == 0) {
        json_decref(text);
        return json_null();
    }
    return text;
}

static int shape(json_t *entry, bool with_leaf)
{
    const char *hex = json_string_value(json_object_get(entry, "leaf"));
    uint8_t bytes[CK_LOG_LEAF_MAX];
    size_t size = strlen(hex) / 2;
    if (size > sizeof bytes || ck_hex_decode(hex, bytes, size) != 0) {
        return -EUCLEAN;
    }
    ck_cleanup(ck_json_decrefp) json_t *leaf = json_loadb((const char *)bytes, size, 0, NULL);
    const char *result = json_string_value(json_object_get(leaf, "result"));
    json_object_set_new(entry, "result", json_string(result == NULL ? "" : result));
    json_object_set_new(entry, "text", text_of(leaf, json_object_get(entry, "salted")));
    json_object_del(entry, "salted");
    if (!with_leaf) {
        json_object_del(entry, "leaf");
        json_object_del(entry, "leaf_hash");
    } else {
        json_object_set_new(entry, "leaf", json_stringn((const char *)bytes, size));
    }
    return 0;
}

static int head_members(struct ck_store *store, json_t *page)
{
    struct ck_log_head head;
    char root[CK_HEX_SIZE(CK_SHA256_SIZE)];
    int r = ck_log_load_head(store, &head);
    if (r != 0) {
        return r;
    }
    ck_hex_encode(head.root.bytes, sizeof head.root.bytes, root);
    json_object_set_new(page, "size", json_integer((json_int_t)head.frontier.size));
    json_object_set_new(page, "root", json_string(root));
    return 0;
}

static bool goes_up(const struct ck_log_filter *filter)
{
    return filter->after >= 0 && filter->before <= 0;
}

const char *ck_query_log_sql(const struct ck_log_filter *filter)
{
    bool newer = goes_up(filter);
    if (filter->person != 0) {
        return newer ? NEWER(OF_PERSON) : OLDER(OF_PERSON);
    }
    if (filter->staff != 0) {
        return newer ? NEWER(OF_STAFF) : OLDER(OF_STAFF);
    }
    return newer ? NEWER(OF_ALL) : OLDER(OF_ALL);
}

int ck_query_log(struct ck_store *store, const struct ck_log_filter *filter, json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *list = NULL, *page = json_object();
    bool newer = goes_up(filter);
    int r = ck_sql_list(store, ck_query_log_sql(filter),
                        CK_ARGS(ck_int(filter->unit),
                                ck_int(newer                ? filter->after
                                       : filter->before > 0 ? filter->before
                                                            : INT64_MAX),
                                ck_int(filter->person), ck_int(filter->staff),
                                ck_text(filter->action), ck_time(filter->from),
                                ck_time(filter->until), ck_int(CK_QUERY_LOG_MAX)),
                        &list);
    size_t index, count = json_array_size(list);
    json_t *entry;
    json_array_foreach(list, index, entry)
    {
        r = r == 0 ? shape(entry, false) : r;
    }
    if (r == 0) {
        json_t *next = count < CK_QUERY_LOG_MAX
                           ? json_null()
                           : json_incref(json_object_get(json_array_get(list, count - 1), "index"));
        json_object_set(page, "entries", list);
        json_object_set_new(page, "next", next);
        r = head_members(store, page);
    }
    if (r == 0) {
        *out = ck_take(page);
    }
    return r;
}

int ck_query_log_entry(struct ck_store *store, int64_t unit, int64_t index, json_t **out)
{
    ck_cleanup(ck_json_decrefp) json_t *entry = NULL;
    int r = ck_sql_object(store, "SELECT " COLUMNS TABLES "WHERE e.idx = ?2 AND " IN_UNIT,
                          CK_ARGS(ck_int(unit), ck_int(index)), &entry);
    if (r == 0) {
        r = shape(entry, true);
    }
    if (r == 0) {
        *out = ck_take(entry);
    }
    return r;
}

int ck_query_log_verified(struct ck_store *store, json_t **verified)
{
    ck_cleanup(ck_json_decrefp) json_t *entry = NULL;
    int64_t index = 0;
    int r = ck_sql_number(store,
                          "SELECT idx FROM log_plain WHERE action = 'LOG_VERIFIED' "
                          "ORDER BY idx DESC LIMIT 1",
                          CK_NO_ARGS, &index);
    if (r == CK_E_NOT_FOUND) {
        *verified = json_null();
        return 0;
    }
    r = r == 0 ? ck_query_log_entry(store, 0, index, &entry) : r;
    if (r != 0) {
        return r;
    }
    const char *result = json_string_value(json_object_get(entry, "result"));
    json_t *found =
        json_pack("{s:O, s:b, s:I}", "at", json_object_get(entry, "at"), "good",
                  result != NULL && strcmp(result, "ok") == 0, "entry", (json_int_t)index);
    if (found == NULL) {
        return -ENOMEM;
    }
    *verified = found;
    return 0;
}
