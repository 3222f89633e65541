/* Outcomes against the truth, in both directions. */
#include <string.h>

#include <sqlite3.h>

#include "daemon/store/health.h"
#include "scheduler/checkin.h"
#include "tests/sim/sim.h"

/* What may go by unseen between two reports of health, where nobody asks for anything: a disk that
 * refuses for some seconds. */
#define TOLERANCE_MS CK_HEALTH_GAP_MAX_MS

static enum ck_outcome outcome_of(const char *name)
{
    unsigned outcome = 0;
    while (strcmp(ck_outcome_name(outcome), name) != 0) {
        outcome++;
    }
    return (enum ck_outcome)outcome;
}

static bool is_contact(enum ck_outcome outcome)
{
    return outcome == CK_OUTCOME_COMPLETED || outcome == CK_OUTCOME_LATE;
}

static bool is_charged(enum ck_outcome outcome)
{
    return outcome == CK_OUTCOME_NO_ANSWER || outcome == CK_OUTCOME_PERSON_FAULT;
}

/* Whether the person was seen in another check-in, whose contact ended this one too: who answered
 * this one's ring no longer mattered. */
static bool seen_elsewhere(struct sim_check *check, int64_t id)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(check->db,
                       "SELECT o.id FROM checkin c JOIN checkin o ON o.person_id = c.person_id AND "
                       "o.decided_at = c.decided_at AND o.id <> c.id WHERE c.id = ?1 AND "
                       "(o.outcome = 'completed' OR o.outcome = 'late')",
                       -1, &statement, NULL);
    sqlite3_bind_int64(statement, 1, id);
    bool seen = false;
    while (!seen && sqlite3_step(statement) == SQLITE_ROW) {
        seen = sim_visit(check->sim, sqlite3_column_int64(statement, 0))->truth != TRUTH_RELATIVE;
    }
    sqlite3_finalize(statement);
    return seen;
}

/* Whoever evades is not seen, and an incident says so. */
static void weigh_evasion(struct sim_check *check, struct sim_matrix *matrix, int64_t id,
                          const struct visit *visit, enum ck_outcome outcome, bool incident)
{
    if (is_contact(outcome) && visit->truth == TRUTH_RELATIVE && !seen_elsewhere(check, id)) {
        matrix->avoided++;
        sim_check_wrong(check, id, "somebody else was taken for the person");
    }
    if (is_contact(outcome) || outcome == CK_OUTCOME_WAIVED || !truth_evades(visit->truth)) {
        return;
    }
    matrix->evaded++;
    if (!incident) {
        matrix->avoided++;
        sim_check_wrong(check, id, "an evasion that avoided an incident");
    }
}

/* What counts against a person is what they did, and what could have been answered. */
static void weigh_charge(struct sim_check *check, struct sim_matrix *matrix, int64_t id,
                         const struct visit *visit, enum ck_outcome outcome, bool there)
{
    bool did = outcome == CK_OUTCOME_PERSON_FAULT || outcome == CK_OUTCOME_DECLINED ||
               outcome == CK_OUTCOME_IDENTITY_DOUBT;
    matrix->unprovable += !there && !is_contact(outcome) && outcome != CK_OUTCOME_WAIVED;
    if (!there && is_charged(outcome)) {
        matrix->charged++;
        sim_check_wrong(check, id,
                        "charged to the person although it could not have been answered");
    } else if (did && truth_blameless(visit->truth)) {
        matrix->charged++;
        sim_check_wrong(check, id, "charged to the person who did nothing of the kind");
    }
}

void sim_matrix_fill(struct sim_check *check, struct sim_matrix *matrix)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(check->db,
                       "SELECT c.id, c.outcome, c.mandatory, EXISTS (SELECT 1 FROM incident i "
                       "WHERE i.checkin_id = c.id AND i.kind = 'no_contact') FROM checkin c WHERE "
                       "c.outcome IS NOT NULL",
                       -1, &statement, NULL);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0);
        enum ck_outcome outcome = outcome_of((const char *)sqlite3_column_text(statement, 1));
        bool mandatory = sqlite3_column_int(statement, 2) != 0;
        bool incident = sqlite3_column_int(statement, 3) != 0;
        const struct visit *visit = sim_visit(check->sim, id);
        int64_t needed_ms = INT64_C(1000) * SIM_RESPONSE_S * SIM_PERCENT / 100;
        bool there = visit->ok_ms >= needed_ms - TOLERANCE_MS;
        matrix->count[visit->truth][there][outcome]++;
        if (mandatory) {
            weigh_evasion(check, matrix, id, visit, outcome, incident);
        }
        weigh_charge(check, matrix, id, visit, outcome, there);
    }
    sqlite3_finalize(statement);
}

/* What is said to be proven was so. Who was reached in another check-in's call needs no proof: the
 * page that they opened there was this one's, too, also where that call was a late answer. */
void sim_check_proof(struct sim_check *check)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(
        check->db,
        "SELECT c.id, c.answerable_ms FROM checkin c WHERE c.answerable_ms > 0 AND c.merged_into "
        "IS NULL AND NOT EXISTS (SELECT 1 FROM checkin o WHERE o.person_id = c.person_id AND "
        "o.id <> c.id AND json_extract(o.machine, '$.joined_at') BETWEEN json_extract(c.machine, "
        "'$.opened_at') AND json_extract(c.machine, '$.respond_until'))",
        -1, &statement, NULL);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(statement, 0);
        const struct visit *visit = sim_visit(check->sim, id);
        if (visit->sampled && sqlite3_column_int64(statement, 1) > visit->ok_ms + TOLERANCE_MS) {
            sim_check_wrong(check, id, "more answerable time than there was");
        }
    }
    sqlite3_finalize(statement);
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
    to->evaded += from->evaded;
    to->avoided += from->avoided;
    to->unprovable += from->unprovable;
    to->charged += from->charged;
    to->checkins += from->checkins;
    to->incidents += from->incidents;
    to->notices += from->notices;
    to->entries += from->entries;
    to->make_ups += from->make_ups;
}

static const char *const heads[CK_OUTCOME_COUNT] = {
    "",           "completed", "late",      "declined",  "no answer", "person f.",
    "no connect", "identity",  "system f.", "unstaffed", "waived",
};

static void print_heads(const char *title)
{
    printf("%-27s", title);
    for (int outcome = 1; outcome < CK_OUTCOME_COUNT; outcome++) {
        printf(" %10s", heads[outcome]);
    }
    printf("\n");
}

static int64_t row_sum(const struct sim_matrix *matrix, int truth, int there)
{
    int64_t all = 0;
    for (int outcome = 1; outcome < CK_OUTCOME_COUNT; outcome++) {
        all += matrix->count[truth][there][outcome];
    }
    return all;
}

static int64_t column_sum(const struct sim_matrix *matrix, int outcome)
{
    int64_t all = 0;
    for (int truth = 0; truth < TRUTH_COUNT; truth++) {
        all += matrix->count[truth][0][outcome] + matrix->count[truth][1][outcome];
    }
    return all;
}

static void print_part(int64_t part, int64_t whole)
{
    if (part == 0) {
        printf(" %10s", ".");
    } else {
        printf(" %9.2f%%", 100.0 * (double)part / (double)whole);
    }
}

/* Both ways of reading it: what became of a truth, and what lies behind an outcome. */
static void print_shares(const struct sim_matrix *matrix, bool of_truth)
{
    print_heads(of_truth ? "of 100 of each truth" : "of 100 of each outcome");
    for (int truth = 0; truth < TRUTH_COUNT; truth++) {
        int64_t all = row_sum(matrix, truth, 0) + row_sum(matrix, truth, 1);
        if (all == 0) {
            continue;
        }
        printf("%-27s", truth_name((enum truth)truth));
        for (int outcome = 1; outcome < CK_OUTCOME_COUNT; outcome++) {
            print_part(matrix->count[truth][0][outcome] + matrix->count[truth][1][outcome],
                       of_truth ? all : column_sum(matrix, outcome));
        }
        printf("\n");
    }
}

void sim_matrix_print(const struct sim_matrix *matrix)
{
    print_heads("truth             we were");
    for (int truth = 0; truth < TRUTH_COUNT; truth++) {
        for (int there = 1; there >= 0; there--) {
            if (row_sum(matrix, truth, there) == 0) {
                continue;
            }
            printf("%-17s %-9s", truth_name((enum truth)truth), there ? "" : "not there");
            for (int outcome = 1; outcome < CK_OUTCOME_COUNT; outcome++) {
                printf(" %10lld", (long long)matrix->count[truth][there][outcome]);
            }
            printf("\n");
        }
    }
    print_shares(matrix, true);
    print_shares(matrix, false);
    printf("evasions: %lld mandatory check-ins without contact, %lld of them avoided an incident\n",
           (long long)matrix->evaded, (long long)matrix->avoided);
    printf("faults of ours: %lld check-ins that could not have been answered, %lld charged to the "
           "person\n",
           (long long)matrix->unprovable, (long long)matrix->charged);
}
