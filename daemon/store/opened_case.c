#include "daemon/store/opened_case.h"

#include <errno.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_opened_insert(struct ck_store *store, int64_t staff, int64_t person, struct ck_wall now,
                     struct ck_wall until, int64_t *id)
{
    return ck_sql_insert(store,
                         "INSERT INTO opened_case (staff_id, person_id, opened_at, until_at) "
                         "VALUES (?1, ?2, ?3, ?4)",
                         CK_ARGS(ck_int(staff), ck_int(person), ck_time(now), ck_time(until)), id);
}

int ck_opened_close(struct ck_store *store, int64_t id, int64_t staff, struct ck_wall now,
                    int64_t *person)
{
    int r = ck_sql_number(
        store,
        "SELECT person_id FROM opened_case WHERE id = ?1 AND staff_id = ?2 AND until_at > ?3",
        CK_ARGS(ck_int(id), ck_int(staff), ck_time(now)), person);
    return r == 0 ? ck_sql_run(store, "UPDATE opened_case SET until_at = ?2 WHERE id = ?1",
                               CK_ARGS(ck_int(id), ck_time(now)))
                  : r;
}

int ck_opened_of(struct ck_store *store, int64_t staff, struct ck_wall now, int64_t *persons,
                 size_t capacity, size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT DISTINCT person_id FROM opened_case WHERE staff_id = ?1 AND until_at "
                      "> ?2 ORDER BY id",
                      CK_ARGS(ck_int(staff), ck_time(now)), persons, capacity, count);
}

int ck_opened_since(struct ck_store *store, int64_t staff, struct ck_wall since, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM opened_case WHERE staff_id = ?1 AND opened_at > ?2",
                         CK_ARGS(ck_int(staff), ck_time(since)), count);
}

int ck_person_by_reference(struct ck_store *store, const char *reference, int64_t *person)
{
    return ck_sql_number(store, "SELECT id FROM person WHERE reference = ?1",
                         CK_ARGS(ck_text(reference)), person);
}

int ck_query_opened(struct ck_store *store, int64_t staff, struct ck_wall now, json_t **out)
{
    json_t *list = NULL;
    int r = ck_sql_list(store,
                        "SELECT o.id AS \"id:i\", o.person_id AS \"person_id:i\", p.name AS "
                        "\"person_name:t\", p.reference AS \"reference:t\", o.opened_at AS "
                        "\"opened:w\", o.until_at AS \"until:w\" FROM opened_case o JOIN person "
                        "p ON p.id = o.person_id WHERE o.staff_id = ?1 AND o.until_at > ?2 ORDER "
                        "BY o.id",
                        CK_ARGS(ck_int(staff), ck_time(now)), &list);
    if (r != 0) {
        return r;
    }
    *out = json_pack("{s:o}", "opened", list);
    return *out == NULL ? -ENOMEM : 0;
}
