/* What a preview said of a plan, and what became of it. */
#include "daemon/core/plan_preview.h"

#include <string.h>

#include <sqlite3.h>

#include "daemon/store/store.h"
#include "protocol/base/time.h"
#include "tests/sim/sim.h"

void sim_forget_windows(struct sim_person *person)
{
    json_decref(person->windows);
    person->windows = NULL;
}

int sim_foresee(struct sim *sim, struct sim_person *person, const json_t *request)
{
    struct ck_store *store = NULL;
    struct ck_refusal refusal;
    json_t *seen = NULL;
    int r = ck_store_open_reader(&store, sim->uri);
    r = r == 0
            ? ck_plan_preview(store, sim->zones, person->id, request,
                              (struct ck_wall){sim->now_ms + sim->clock_offset_ms}, &seen, &refusal)
            : r;
    ck_store_close(store);
    bool fits = r == 0 && json_is_null(json_object_get(seen, "refused"));
    sim_forget_windows(person);
    person->foreseen_ms = sim->now_ms + sim->clock_offset_ms;
    person->windows = fits ? json_incref(json_object_get(seen, "windows")) : NULL;
    json_decref(seen);
    sim->seen[SEEN_PREVIEWED] += r >= 0;
    return r < 0 ? -1 : fits;
}

static int64_t instant_ms(const json_t *window, const char *end)
{
    struct ck_wall at = {0};
    (void)ck_wall_parse(json_string_value(json_object_get(window, end)), &at);
    return at.ms;
}

/* The window of a preview in which a contact lies that counts for a date. */
static json_t *window_at(const json_t *windows, const char *date, int64_t due_ms)
{
    size_t index;
    json_t *window;
    json_array_foreach(windows, index, window)
    {
        if (strcmp(json_string_value(json_object_get(window, "date")), date) == 0 &&
            instant_ms(window, "start") <= due_ms && due_ms < instant_ms(window, "end")) {
            return window;
        }
    }
    return NULL;
}

static int64_t number(const json_t *window, const char *name)
{
    return json_integer_value(json_object_get(window, name));
}

/* Counts what the plan has by the windows that were named. */
static void count_contacts(struct sim *sim, const struct sim_person *person,
                           sqlite3_stmt *statement)
{
    sqlite3_bind_int64(statement, 1, person->plan);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        json_t *window = window_at(person->windows, (const char *)sqlite3_column_text(statement, 2),
                                   sqlite3_column_int64(statement, 1));
        if (window == NULL) {
            sim_wrong(sim,
                      (struct sim_about){.person = person->id,
                                         .checkin = sqlite3_column_int64(statement, 0)},
                      "a contact outside the windows of the preview; person: %lld",
                      (long long)person->id);
        } else {
            json_object_set_new(window, "had", json_integer(number(window, "had") + 1));
        }
    }
    sqlite3_reset(statement);
}

/* Less may be left where the plan was made later than that was asked. */
static void check_number(struct sim *sim, const struct sim_person *person, const json_t *window)
{
    int64_t named = number(window, "draws") == 0 ? 1 : number(window, "draws");
    int64_t had = number(window, "had");
    bool later = person->foreseen_ms < sim->now_ms + sim->clock_offset_ms;
    if (had > named || (had < named && !later)) {
        sim_wrong(sim, (struct sim_about){.person = person->id},
                  "other contacts than the preview named: %lld of %lld in the window of %s; "
                  "person: %lld",
                  (long long)had, (long long)named,
                  json_string_value(json_object_get(window, "start")), (long long)person->id);
    }
}

/* Whether one fell due since: with it the plan that goes has begun the day. */
static bool is_outdated(struct sim *sim, const struct sim_person *person)
{
    static const char sql[] =
        "SELECT 1 FROM checkin WHERE person_id = ?1 AND due_at BETWEEN ?2 AND ?3";
    sqlite3_stmt *statement = sim_ask(sim, sql);
    if (statement == NULL) {
        return true;
    }
    sqlite3_bind_int64(statement, 1, person->id);
    sqlite3_bind_int64(statement, 2, person->foreseen_ms);
    sqlite3_bind_int64(statement, 3, sim->now_ms + sim->clock_offset_ms);
    bool is = sqlite3_step(statement) != SQLITE_DONE;
    sqlite3_reset(statement);
    return is;
}

void sim_compare_windows(struct sim *sim, struct sim_person *person)
{
    static const char sql[] = "SELECT id, due_at, local_date FROM checkin WHERE plan_id = ?1";
    sqlite3_stmt *statement =
        person->windows == NULL || sim->engine == NULL || is_outdated(sim, person)
            ? NULL
            : sim_ask(sim, sql);
    if (statement == NULL) {
        return;
    }
    count_contacts(sim, person, statement);
    size_t index;
    json_t *window;
    json_array_foreach(person->windows, index, window)
    {
        check_number(sim, person, window);
    }
    sim_forget_windows(person);
}
