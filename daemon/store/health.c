#include "daemon/store/health.h"

#include <stdbool.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

struct interval {
    int64_t id;
    struct ck_wall from, until;
    unsigned bits;
};

static int newest(struct ck_store *store, struct interval *interval)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT id, from_at, until_at, bits FROM health "
                         "ORDER BY until_at DESC, id DESC LIMIT 1",
                         CK_NO_ARGS);
    if (r != 0) {
        return r;
    }
    *interval = (struct interval){ck_row_int(&rows, 0), ck_row_time(&rows, 1),
                                  ck_row_time(&rows, 2), (unsigned)ck_row_int(&rows, 3)};
    return 0;
}

static int insert(struct ck_store *store, struct ck_wall from, struct ck_wall until, unsigned bits)
{
    return ck_sql_run(store, "INSERT INTO health (from_at, until_at, bits) VALUES (?1, ?2, ?3)",
                      CK_ARGS(ck_int(from.ms), ck_int(until.ms), ck_int(bits)));
}

static int extend(struct ck_store *store, int64_t id, struct ck_wall until)
{
    return ck_sql_run(store, "UPDATE health SET until_at = ?2 WHERE id = ?1",
                      CK_ARGS(ck_int(id), ck_int(until.ms)));
}

/* The clock went back: until it has caught up nothing is proven, and neither is it by what was well
 * when these instants passed for the first time. */
static int cut(struct ck_store *store, const struct interval *last, struct ck_wall at)
{
    if (last->bits == 0 && last->from.ms <= at.ms) {
        return 0;
    }
    int r = ck_sql_run(store, "DELETE FROM health WHERE until_at > ?1 AND from_at >= ?1",
                       CK_ARGS(ck_int(at.ms)));
    r = r == 0 ? ck_sql_run(store, "UPDATE health SET until_at = ?1 WHERE until_at > ?1",
                            CK_ARGS(ck_int(at.ms)))
               : r;
    return r == 0 ? insert(store, at, last->until, 0) : r;
}

int ck_health_report(struct ck_store *store, struct ck_wall at, unsigned bits, unsigned *before)
{
    struct interval last;
    int r = newest(store, &last);
    *before = CK_HEALTH_ALL;
    if (r == CK_E_NOT_FOUND) {
        return insert(store, at, at, bits);
    }
    if (r != 0) {
        return r;
    }
    if (at.ms < last.until.ms) {
        *before = 0;
        return cut(store, &last, at);
    }
    if (at.ms - last.until.ms > CK_HEALTH_GAP_MAX_MS) {
        return insert(store, at, at, bits);
    }
    *before = last.bits;
    unsigned both = last.bits & bits;
    if (both == last.bits) {
        r = extend(store, last.id, at);
    } else if (both != bits) {
        r = insert(store, last.until, at, both);
    }
    if (r != 0 || bits == last.bits) {
        return r;
    }
    return insert(store, both == bits ? last.until : at, at, bits);
}

int ck_health_begin(struct ck_store *store, struct ck_wall at)
{
    struct interval last;
    int r = newest(store, &last);
    if (r != 0) {
        return r == CK_E_NOT_FOUND ? 0 : r;
    }
    bool joins = at.ms >= last.until.ms && at.ms - last.until.ms <= CK_HEALTH_GAP_MAX_MS;
    return joins ? insert(store, at, at, last.bits & ~(unsigned)CK_HEALTH_ENGINE) : 0;
}

int ck_health_answerable(struct ck_store *store, struct ck_wall from, struct ck_wall until,
                         int64_t *ms)
{
    if (until.ms <= from.ms) {
        *ms = 0;
        return 0;
    }
    return ck_sql_number(store,
                         "SELECT coalesce(sum(CASE WHEN until_at < ?2 THEN until_at ELSE ?2 END "
                         "- CASE WHEN from_at > ?1 THEN from_at ELSE ?1 END), 0) FROM health "
                         "WHERE until_at > ?1 AND from_at < ?2 AND bits = ?3",
                         CK_ARGS(ck_int(from.ms), ck_int(until.ms), ck_int(CK_HEALTH_ALL)), ms);
}

int ck_health_clean(struct ck_store *store, struct ck_wall until)
{
    return ck_sql_run(store, "DELETE FROM health WHERE until_at < ?1", CK_ARGS(ck_time(until)));
}
