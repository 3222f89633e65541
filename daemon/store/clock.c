#include "daemon/store/clock.h"

#include "daemon/store/sql_impl.h"

int ck_store_newest_record(struct ck_store *store, struct ck_wall *at)
{
    return ck_sql_number(store,
                         "SELECT at FROM log_entry WHERE idx = (SELECT max(idx) FROM log_entry)",
                         CK_NO_ARGS, &at->ms);
}

int ck_store_clock_set_back(struct ck_store *store, struct ck_wall now, int64_t back_ms)
{
    static const char *const sql[] = {
        "UPDATE incident SET next_at = CASE WHEN json_extract(machine, '$.held_until') THEN ?1 "
        "ELSE "
        "max(?1, next_at - ?2) END, machine = CASE "
        "WHEN json_extract(machine, '$.fired_at') > ?1 THEN json_set(machine, '$.fired_at', ?1) "
        "ELSE machine END WHERE next_at > ?1 AND quarantined = 0 AND state <> 'closed'",
        "UPDATE notice SET next_at = max(?1, next_at - ?2) WHERE next_at > ?1 AND quarantined = 0",
        ("UPDATE person SET next_at = next_at - (silence_since_at - ?1), silence_since_at = ?1 "
         "WHERE next_at > ?1 + 0 * ?2 AND quarantined = 0 AND silence_since_at > ?1"),
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof sql / sizeof sql[0]; i++) {
        r = ck_sql_run(store, sql[i], CK_ARGS(ck_int(now.ms), ck_int(back_ms)));
    }
    return r;
}
