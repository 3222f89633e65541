#include "daemon/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "daemon/store/store_impl.h"
#include "protocol/base/error.h"

/* The kinds are tables, and SQL names no table by a parameter: one statement each, in the order of
 * enum ck_due_kind. */
#define KINDS(statement, between)                                                                  \
    statement("checkin") between statement("incident") between statement("notice")                 \
        between statement("plan") between statement("person") between statement("absence")         \
            between statement("contact_order") between statement("draw_key")                       \
                between statement("contact_path") between statement("expiry")                      \
                    between statement("hold") between statement("zone_change")
#define COMMA ,
#define FOR_EACH_KIND(statement)                                                                   \
    {                                                                                              \
        KINDS(statement, COMMA)                                                                    \
    }

static const char *const kind_names[] = {"checkin",      "incident", "notice", "plan",
                                         "person",       "absence",  "order",  "draw_key",
                                         "contact_path", "expiry",   "hold",   "zone_change"};
_Static_assert(sizeof kind_names / sizeof kind_names[0] == CK_DUE_KINDS, "one name a kind");

const char *ck_due_name(enum ck_due_kind kind)
{
    return kind_names[kind];
}

uint32_t ck_sql_kinds_written(const char *sql)
{
#define NAME(table) table
    static const char *const tables[] = FOR_EACH_KIND(NAME);
    static const char *const verbs[] = {"UPDATE ", "INTO ", "FROM "};
    uint32_t kinds = 0;
    for (int kind = 0; kind < CK_DUE_KINDS; kind++) {
        for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
            char phrase[48];
            snprintf(phrase, sizeof phrase, "%s%s ", verbs[i], tables[kind]);
            kinds |= strstr(sql, phrase) != NULL ? UINT32_C(1) << kind : 0;
        }
    }
    return kinds == 0 ? UINT32_MAX : kinds;
}

/* ---- claims ---- */

/* One walk along the due rows of a kind, soonest first. */
struct walk {
    struct ck_rows rows;
    bool there; /* `row` is the next one */
    struct ck_due row;
};

static int walk_on(struct walk *walk)
{
    int r = ck_rows_next(&walk->rows);
    walk->there = r == 1;
    if (r == 1) {
        walk->row.id = ck_row_int(&walk->rows, 0);
        walk->row.at = ck_row_time(&walk->rows, 1);
        walk->row.fence = ck_row_int(&walk->rows, 2) + 1;
        walk->row.claims = (int)ck_row_int(&walk->rows, 3);
        r = 0;
    }
    return r;
}

static int walk_begin(struct ck_store *store, enum ck_due_kind kind, struct ck_wall now,
                      struct walk *walk)
{
#define DUE_ROWS(table)                                                                            \
    "SELECT id, next_at, fence, claims FROM " table                                                \
    " WHERE next_at <= ?1 AND quarantined = 0 AND (lease_until IS NULL OR lease_until <= ?1) "     \
    "ORDER BY next_at"
    static const char *const sql[] = FOR_EACH_KIND(DUE_ROWS);
    struct ck_wall next;
    walk->row.kind = kind;
    if (ck_sql_next_known(store, kind, &next) && ck_wall_before(now, next)) {
        return 0; /* nothing of this kind is due */
    }
    int r = ck_sql_query(store, &walk->rows, sql[kind], CK_ARGS(ck_int(now.ms)));
    return r == 0 ? walk_on(walk) : r;
}

/* Incidents and notices are let in before check-ins that were due up to so much earlier: when very
 * much falls due at once, what was decided is told before more is decided. A notice comes before an
 * incident that is due with it: that the last fire reached nobody is known before the next one. */
#define HEAD_START_MS 60000

static int64_t rank(const struct walk *walk)
{
    bool notice = walk->row.kind == CK_DUE_NOTICE;
    bool tells = notice || walk->row.kind == CK_DUE_INCIDENT;
    return walk->row.at.ms - (tells ? HEAD_START_MS : 0) - (notice ? 1 : 0);
}

static struct walk *soonest_of(struct walk *walks)
{
    struct walk *soonest = NULL;
    for (int kind = 0; kind < CK_DUE_KINDS; kind++) {
        struct walk *walk = &walks[kind];
        if (walk->there && (soonest == NULL || rank(walk) < rank(soonest))) {
            soonest = walk;
        }
    }
    return soonest;
}

/* All kinds merged, soonest first. A row that was present at a crash goes alone. */
static int find_due(struct ck_store *store, struct ck_wall now, struct ck_due *due, size_t capacity,
                    size_t *count)
{
    struct walk walks[CK_DUE_KINDS] = {0};
    size_t found = 0;
    bool alone = false;
    int r = 0;
    for (int kind = 0; r == 0 && kind < CK_DUE_KINDS; kind++) {
        r = walk_begin(store, (enum ck_due_kind)kind, now, &walks[kind]);
    }
    struct walk *walk = NULL;
    while (r == 0 && !alone && found < capacity && (walk = soonest_of(walks)) != NULL) {
        alone = walk->row.claims > 0;
        found = alone ? 0 : found;
        due[found++] = walk->row;
        r = walk_on(walk);
    }
    for (int kind = 0; kind < CK_DUE_KINDS; kind++) {
        ck_rows_close(&walks[kind].rows);
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

static int mark_claimed(struct ck_store *store, const struct ck_due *due,
                        struct ck_wall lease_until)
{
#define CLAIM(table)                                                                               \
    "UPDATE " table " SET lease_until = ?3, fence = ?2, claims = claims + 1 WHERE id = ?1"
    static const char *const sql[] = FOR_EACH_KIND(CLAIM);
    return ck_sql_run(store, sql[due->kind],
                      CK_ARGS(ck_int(due->id), ck_int(due->fence), ck_int(lease_until.ms)));
}

static int mark_all(struct ck_store *store, const struct ck_due *due, size_t count,
                    struct ck_wall lease_until)
{
    int r = ck_store_begin(store);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = mark_claimed(store, &due[i], lease_until);
    }
    if (r == 0) {
        r = ck_store_commit(store);
    }
    if (r != 0) {
        ck_store_rollback(store);
    }
    return r;
}

int ck_store_claim(struct ck_store *store, struct ck_wall now, struct ck_wall lease_until,
                   struct ck_due *due, size_t capacity, size_t *count)
{
    size_t found = 0;
    int r = find_due(store, now, due, capacity, &found);
    if (r == 0 && found > 0) {
        r = ck_store_relax(store, true);
    }
    if (r == 0 && found > 0) {
        r = mark_all(store, due, found, lease_until);
        int back = ck_store_relax(store, false);
        r = r != 0 ? r : back;
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

int ck_store_unclaim(struct ck_store *store, const struct ck_due *due, size_t count)
{
#define UNCLAIM(table)                                                                             \
    "UPDATE " table " SET lease_until = NULL, claims = claims - 1 "                                \
    "WHERE id = ?1 AND fence = ?2 AND lease_until IS NOT NULL AND claims > 0"
    static const char *const sql[] = FOR_EACH_KIND(UNCLAIM);
    int r = ck_store_begin(store);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = ck_sql_run(store, sql[due[i].kind], CK_ARGS(ck_int(due[i].id), ck_int(due[i].fence)));
    }
    if (r == 0) {
        r = ck_store_commit(store);
    }
    if (r != 0) {
        ck_store_rollback(store);
    }
    return r;
}

/* CK_E_FENCED where the statement, whose last condition is the fence, touched nothing. */
static int run_fenced(struct ck_store *store, const char *sql, struct ck_args args)
{
    return ck_sql_must(store, sql, args, CK_E_FENCED);
}

int ck_store_release_claim(struct ck_store *store, const struct ck_due *due)
{
#define RELEASE(table)                                                                             \
    "UPDATE " table " SET lease_until = NULL, claims = 0 WHERE id = ?1 AND fence = ?2"
    static const char *const sql[] = FOR_EACH_KIND(RELEASE);
    return run_fenced(store, sql[due->kind], CK_ARGS(ck_int(due->id), ck_int(due->fence)));
}

int ck_store_postpone(struct ck_store *store, const struct ck_due *due, struct ck_wall next_at)
{
#define POSTPONE(table)                                                                            \
    "UPDATE " table " SET next_at = ?3, lease_until = NULL, claims = 0 "                           \
    "WHERE id = ?1 AND fence = ?2"
    static const char *const sql[] = FOR_EACH_KIND(POSTPONE);
    return run_fenced(store, sql[due->kind],
                      CK_ARGS(ck_int(due->id), ck_int(due->fence), ck_time(next_at)));
}

int ck_store_quarantine(struct ck_store *store, const struct ck_due *due, struct ck_wall now,
                        const char *reason)
{
#define QUARANTINE(table)                                                                          \
    "UPDATE " table " SET quarantined = 1, lease_until = NULL WHERE id = ?1 AND fence = ?2"
    static const char *const sql[] = FOR_EACH_KIND(QUARANTINE);
    int r = run_fenced(store, sql[due->kind], CK_ARGS(ck_int(due->id), ck_int(due->fence)));
    if (r != 0) {
        return r;
    }
    return ck_sql_run(
        store, "INSERT INTO quarantine (kind, row_id, at, reason) VALUES (?1, ?2, ?3, ?4)",
        CK_ARGS(ck_text(ck_due_name(due->kind)), ck_int(due->id), ck_time(now), ck_text(reason)));
}

int ck_store_quarantined(struct ck_store *store, int64_t *count)
{
    return ck_sql_number(store, "SELECT count(*) FROM quarantine WHERE freed_at IS NULL",
                         CK_NO_ARGS, count);
}

int ck_store_end_leases(struct ck_store *store, struct ck_wall now)
{
    /* What is leased was due when it was claimed: the index of what is due finds it. */
#define END_LEASES(table)                                                                          \
    "UPDATE " table " SET lease_until = NULL WHERE next_at <= ?1 AND quarantined = 0 "             \
    "AND lease_until IS NOT NULL"
    static const char *const sql[] = FOR_EACH_KIND(END_LEASES);
    int r = ck_store_begin(store);
    for (size_t kind = 0; r == 0 && kind < CK_DUE_KINDS; kind++) {
        r = ck_sql_run(store, sql[kind], CK_ARGS(ck_int(now.ms)));
    }
    if (r == 0) {
        r = ck_store_commit(store);
    }
    if (r != 0) {
        ck_store_rollback(store);
    }
    return r;
}

/* Of each kind the soonest row that nobody holds, and the end of the lease of the soonest row if
 * somebody holds that: looking for more than these would mean reading on past rows that are not
 * due. One statement, and kept until a schedule changes: every turn asks. */
/* The soonest row of one kind: due, or given back when its lease ends. */
static int next_of(struct ck_store *store, enum ck_due_kind kind, struct ck_wall *at)
{
#define SOONEST(table)                                                                             \
    "SELECT (SELECT next_at FROM " table " WHERE next_at IS NOT NULL AND quarantined = 0 "         \
    "AND lease_until IS NULL ORDER BY next_at LIMIT 1), (SELECT lease_until FROM " table           \
    " WHERE next_at IS NOT NULL AND quarantined = 0 ORDER BY next_at LIMIT 1)"
    static const char *const sql[] = FOR_EACH_KIND(SOONEST);
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    struct ck_wall soonest = CK_WALL_NEVER;
    if (ck_sql_next_known(store, kind, at)) {
        return 0;
    }
    int r = ck_sql_query(store, &rows, sql[kind], CK_NO_ARGS);
    if (r != 0) {
        return r;
    }
    r = ck_rows_next(&rows);
    if (r != 1) {
        return r == 0 ? -EINVAL : r;
    }
    for (int column = 0; column < 2; column++) {
        if (!ck_row_null(&rows, column) && ck_row_int(&rows, column) < soonest.ms) {
            soonest = ck_row_time(&rows, column);
        }
    }
    ck_sql_next_learn(store, kind, soonest);
    *at = soonest;
    return 0;
}

int ck_store_next_due(struct ck_store *store, struct ck_wall *at)
{
    struct ck_wall soonest = CK_WALL_NEVER;
    for (int kind = 0; kind < CK_DUE_KINDS; kind++) {
        struct ck_wall next;
        int r = next_of(store, (enum ck_due_kind)kind, &next);
        if (r != 0) {
            return r;
        }
        soonest = ck_wall_before(next, soonest) ? next : soonest;
    }
    *at = soonest;
    return 0;
}

/* ---- settings ---- */

int ck_store_setting(struct ck_store *store, const char *name, char **value)
{
    return ck_sql_text(store, "SELECT value FROM setting WHERE name = ?1", CK_ARGS(ck_text(name)),
                       value);
}

int ck_store_set_setting(struct ck_store *store, const char *name, const char *value)
{
    return ck_sql_run(store,
                      "INSERT INTO setting (name, value) VALUES (?1, ?2) "
                      "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                      CK_ARGS(ck_text(name), ck_text(value)));
}
