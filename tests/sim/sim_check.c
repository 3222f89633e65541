/* What must hold in the end, asked of the store with a connection of its own. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/audit/verify.h"
#include "daemon/store/store.h"
#include "scheduler/checkin.h"
#include "tests/sim/sim.h"

/* Told at most so often; the rest is counted. */
#define TOLD_MAX 10

/* What answerable time may differ by: a report of health every ten seconds on either side, and the
 * time a notice takes to be known as delivered. */
#define TOLERANCE_MS 60000

struct check {
    struct sim *sim;
    sqlite3 *db;
    int64_t wrong;
    int64_t told;
};

static void print_trace(struct check *check, int64_t checkin)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(check->db,
                       "SELECT at, action, open FROM log_plain WHERE object = 'checkin' AND "
                       "object_id = ?1 ORDER BY rowid",
                       -1, &statement, NULL);
    if (statement == NULL) {
        return;
    }
    sqlite3_bind_int64(statement, 1, checkin);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        fprintf(stderr, "    %+9.1f s %s %s\n",
                (double)(sqlite3_column_int64(statement, 0) - SIM_START_MS) / 1000,
                (const char *)sqlite3_column_text(statement, 1),
                (const char *)sqlite3_column_text(statement, 2));
    }
    sqlite3_finalize(statement);
}

static void wrong(struct check *check, int64_t checkin, const char *what)
{
    check->wrong++;
    if (check->told++ >= TOLD_MAX) {
        return;
    }
    fprintf(stderr, "WRONG, seed %llu: %s", (unsigned long long)check->sim->options.seed, what);
    if (checkin != 0) {
        const struct visit *visit = sim_visit(check->sim, checkin);
        fprintf(stderr, " (check-in %lld: %s, first notice at %+.1f s, answerable %lld s)\n",
                (long long)checkin, truth_name(visit->truth),
                (double)(visit->first_send_ms - SIM_START_MS) / 1000,
                (long long)visit->ok_ms / 1000);
        print_trace(check, checkin);
        return;
    }
    fprintf(stderr, "\n");
}

/* Each row of a query is something wrong; its first column is the check-in or 0. */
static void none(struct check *check, const char *what, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(check->db));
        exit(1);
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
        wrong(check, sqlite3_column_int64(statement, 0), what);
    }
    sqlite3_finalize(statement);
}

static int64_t number(struct check *check, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t result = -1;
    if (sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        result = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return result;
}

static enum ck_outcome outcome_of(const char *name)
{
    unsigned outcome = 0;
    while (strcmp(ck_outcome_name(outcome), name) != 0) {
        outcome++;
    }
    return (enum ck_outcome)outcome;
}

/* Against the truth: nothing that counts against a person without proof that it could have been
 * answered. */
static void check_truth(struct check *check, struct sim_matrix *matrix)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(check->db, "SELECT id, outcome FROM checkin WHERE outcome IS NOT NULL", -1,
                       &statement, NULL);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0);
        enum ck_outcome outcome = outcome_of((const char *)sqlite3_column_text(statement, 1));
        const struct visit *visit = sim_visit(check->sim, id);
        int64_t needed_ms = INT64_C(1000) * SIM_RESPONSE_S * SIM_PERCENT / 100;
        bool there = visit->ok_ms >= needed_ms - TOLERANCE_MS;
        matrix->count[visit->truth][there][outcome]++;
        if (!there && (outcome == CK_OUTCOME_NO_ANSWER || outcome == CK_OUTCOME_PERSON_FAULT)) {
            wrong(check, id, "charged to the person although it could not have been answered");
        }
    }
    sqlite3_finalize(statement);
}

static void check_log(struct check *check, struct sim_matrix *matrix)
{
    struct ck_store *store = NULL;
    struct ck_audit_report report = {0};
    if (ck_store_open_reader(&store, check->sim->uri) != 0 ||
        ck_audit_verify(store, &report) != 0 || report.findings != 0) {
        wrong(check, 0, "the log does not verify");
    }
    matrix->entries = (int64_t)report.entries;
    ck_store_close(store);
}

int64_t sim_check(struct sim *sim, struct sim_matrix *matrix)
{
    struct check check = {.sim = sim};
    memset(matrix, 0, sizeof(*matrix));
    if (sqlite3_open_v2(sim->uri, &check.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) !=
        SQLITE_OK) {
        return 1;
    }
    none(&check, "a check-in without an outcome", "SELECT id FROM checkin WHERE state <> 'done'");
    none(&check, "not exactly one outcome in the log",
         "SELECT id FROM (SELECT c.id AS id, 0 AS n FROM checkin c UNION ALL SELECT l.object_id, 1 "
         "FROM log_plain l WHERE l.action = 'CHECKIN_OUTCOME' AND l.object = 'checkin') GROUP BY "
         "id HAVING sum(n) <> 1");
    none(&check, "a mandatory check-in without contact and without its one incident",
         "SELECT c.id FROM checkin c LEFT JOIN incident i ON i.checkin_id = c.id AND i.kind = "
         "'no_contact' WHERE c.mandatory = 1 AND c.outcome NOT IN ('completed', 'late', 'waived') "
         "GROUP BY c.id HAVING count(i.id) <> 1");
    none(&check, "an incident of a check-in that was in time, waived or voluntary",
         "SELECT c.id FROM checkin c JOIN incident i ON i.checkin_id = c.id AND i.kind = "
         "'no_contact' WHERE c.mandatory = 0 OR c.outcome IN ('completed', 'waived')");
    none(&check, "a late contact without an incident before it",
         "SELECT c.id FROM checkin c LEFT JOIN incident i ON i.checkin_id = c.id AND i.kind = "
         "'no_contact' WHERE c.mandatory = 1 AND c.outcome = 'late' AND i.id IS NULL");
    none(&check, "NO_ANSWER without enough answerable time",
         "SELECT id FROM checkin WHERE outcome IN ('no_answer', 'person_fault') AND "
         "answerable_ms < 540000");
    none(&check, "not exactly one make-up of a fault of ours",
         "SELECT c.id FROM checkin c LEFT JOIN checkin m ON m.make_up_of = c.id WHERE c.outcome = "
         "'system_fault' AND c.mandatory = 1 AND c.make_up_of IS NULL GROUP BY c.id HAVING "
         "count(m.id) > 1");
    none(&check, "a make-up of what was no fault of ours",
         "SELECT c.id FROM checkin c JOIN checkin m ON m.make_up_of = c.id WHERE c.outcome <> "
         "'system_fault' OR c.make_up_of IS NOT NULL");
    none(&check, "an incident that nobody concluded",
         "SELECT 0 FROM incident WHERE state <> 'closed'");
    none(&check, "a closed incident without a named person",
         "SELECT i.checkin_id FROM incident i LEFT JOIN conclusion c ON c.incident_id = i.id WHERE "
         "i.state = 'closed' GROUP BY i.id HAVING count(c.id) = 0");
    none(&check, "rings that are closer than they may be",
         "SELECT a.checkin_id FROM attempt a JOIN attempt b ON b.checkin_id = a.checkin_id AND "
         "b.number = a.number + 1 JOIN checkin c ON c.id = a.checkin_id WHERE b.at < a.at");
    none(&check, "a row in quarantine", "SELECT 0 FROM quarantine WHERE freed_at IS NULL");
    none(&check, "a notice without an end",
         "SELECT checkin_id FROM notice WHERE state IN ('queued', 'sending', 'unknown', "
         "'failed_temp')");
    /* Each plan has two contacts on each of its dates, make-ups apart: none lost, none doubled. */
    char sql[400];
    snprintf(
        sql, sizeof(sql),
        "SELECT 0 FROM plan p LEFT JOIN checkin c ON c.plan_id = p.id AND c.make_up_of IS NULL "
        "AND c.local_date BETWEEN '2026-10-23' AND (SELECT until_date FROM contact_order o "
        "WHERE o.id = p.order_id) GROUP BY p.id HAVING count(c.id) <> %d",
        2 * sim->options.days);
    none(&check, "a plan that lost or doubled an obligation", sql);
    matrix->checkins = number(&check, "SELECT count(*) FROM checkin");
    matrix->incidents = number(&check, "SELECT count(*) FROM incident");
    matrix->notices = number(&check, "SELECT count(*) FROM notice");
    matrix->make_ups = number(&check, "SELECT count(*) FROM checkin WHERE make_up_of IS NOT NULL");
    check_truth(&check, matrix);
    check_log(&check, matrix);
    sqlite3_close(check.db);
    return check.wrong;
}

void sim_matrix_add(struct sim_matrix *to, const struct sim_matrix *from)
{
    for (int t = 0; t < TRUTH_COUNT; t++) {
        for (int w = 0; w < 2; w++) {
            for (int o = 0; o < 16; o++) {
                to->count[t][w][o] += from->count[t][w][o];
            }
        }
    }
    to->checkins += from->checkins;
    to->incidents += from->incidents;
    to->notices += from->notices;
    to->entries += from->entries;
    to->make_ups += from->make_ups;
}

static void print_row(const struct sim_matrix *matrix, int truth, int there)
{
    int64_t all = 0;
    for (int outcome = 1; outcome < CK_OUTCOME_COUNT; outcome++) {
        all += matrix->count[truth][there][outcome];
    }
    if (all == 0) {
        return;
    }
    printf("%-17s %-9s", truth_name((enum truth)truth), there ? "" : "not there");
    for (int outcome = 1; outcome < CK_OUTCOME_COUNT; outcome++) {
        printf(" %9lld", (long long)matrix->count[truth][there][outcome]);
    }
    printf("\n");
}

void sim_matrix_print(const struct sim_matrix *matrix)
{
    static const char *const heads[CK_OUTCOME_COUNT] = {
        "",           "completed", "late",      "declined",  "no answer", "person f.",
        "no connect", "identity",  "system f.", "unstaffed", "waived",
    };
    printf("truth             we were   ");
    for (int outcome = 1; outcome < CK_OUTCOME_COUNT; outcome++) {
        printf(" %9s", heads[outcome]);
    }
    printf("\n");
    for (int truth = 0; truth < TRUTH_COUNT; truth++) {
        print_row(matrix, truth, 1);
        print_row(matrix, truth, 0);
    }
}
