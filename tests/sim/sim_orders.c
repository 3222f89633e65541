/* Orders, the plans that fill them, and what becomes of both. */
#include "daemon/store/order.h"

#include <string.h>

#include <sqlite3.h>

#include "daemon/store/store.h"
#include "protocol/base/time.h"
#include "tests/sim/sim.h"

#define WINDOW_H 3
#define PLANS_A_TURN 100
#define RESUMES_MAX 120
#define REFUSED_LATE_S 3599 /* by which what had to be refused is known */

/* Two contacts a day, some at night, where clocks change: where an order is tight its hours are
 * those of the two windows. */
void sim_draw_demand(struct sim *sim, struct sim_person *person)
{
    static const uint8_t chances[DEMAND_COUNT] = {
        [DEMAND_WIDE] = 60, [DEMAND_TIGHT] = 22, [DEMAND_NIGHT] = 8, [DEMAND_VOLUNTARY] = 10};
    int64_t draw = sim_below(sim, 100);
    while (person->demand < DEMAND_COUNT - 1 && draw >= chances[person->demand]) {
        draw -= chances[person->demand++];
    }
    bool tight = person->demand == DEMAND_TIGHT || person->demand == DEMAND_NIGHT;
    person->per_day = tight ? (uint8_t)(2 + sim_below(sim, 2)) : 24;
    person->morning = (int)sim_below(sim, 8) + 1;
    person->evening = 12 + (int)sim_below(sim, 8);
    person->minute = (int)sim_below(sim, 12) * 5;
    person->mandatory = person->demand != DEMAND_VOLUNTARY && sim_chance(sim, 90);
}

static void clock_text(int hour, int minute, char text[24])
{
    snprintf(text, 24, "%02d:%02d", hour, minute);
}

static void hours_of(const struct sim_person *person, char start[24], char end[24])
{
    switch (person->demand) {
    case DEMAND_TIGHT:
        clock_text(person->morning, person->minute, start);
        clock_text(person->evening + WINDOW_H, person->minute, end);
        break;
    case DEMAND_NIGHT: /* from the evening to the next morning */
        clock_text(person->evening, person->minute, start);
        clock_text(person->morning + WINDOW_H, person->minute, end);
        break;
    default:
        clock_text(0, 0, start);
        clock_text(24, 0, end);
        break;
    }
}

int64_t sim_add_order(struct sim *sim, struct ck_store *store, const struct sim_person *person)
{
    char from[SIM_DATE_SIZE], until[SIM_DATE_SIZE], start[24], end[24];
    bool wide = person->per_day > 3;
    sim_date(sim, 0, from);
    sim_date(sim, sim->options.days, until);
    hours_of(person, start, end);
    struct ck_order_row order = {
        .person = person->id,
        .kind = "protective_order",
        .article = "20",
        .number = "17",
        .issuer = "police",
        .from = from,
        .until = until,
        .conditions = "",
        .hours_start = start,
        .hours_end = end,
        .per_day_max = person->per_day,
        .requirement_count = 1,
        .requirements = {
            {.source = CK_SOURCE_AGENCY,
             .count = wide ? 8 : 2,
             .days = 1,
             .modes = CK_MODE_BIT(CK_MODE_LIVE_VIDEO) | CK_MODE_BIT(CK_MODE_UNATTENDED_VIDEO),
             .mandatory = person->demand != DEMAND_VOLUNTARY}}};
    if (ck_order_insert(store, &order, (struct ck_wall){sim->now_ms}) != 0) {
        sim_fail(sim, "an order cannot be entered");
    }
    return order.id;
}

/* At fixed times, or drawn from two windows. */
static json_t *plan_request(struct sim *sim, const struct sim_person *person)
{
    char starts[2][24], ends[2][24], first_date[SIM_DATE_SIZE];
    int draws = sim_chance(sim, 30) ? 1 : 0;
    /* The second plan of an order that leaves no choice begins half an hour later. */
    int late = person->plan != 0 && person->minute < 30 ? 30 : 0;
    clock_text(person->morning, person->minute + late, starts[0]);
    clock_text(person->morning + WINDOW_H, person->minute, ends[0]);
    clock_text(person->evening, person->minute + late, starts[1]);
    clock_text(person->evening + WINDOW_H, person->minute, ends[1]);
    sim_date(sim, 0, first_date);
    json_t *request = json_pack(
        "{s:I, s:s, s:b, s:s, s:s, s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}], s:i, s:i, s:i, s:i, s:i}",
        "order_id", (json_int_t)person->order, "kind", sim_chance(sim, 80) ? "live" : "unattended",
        "mandatory", (int)person->mandatory, "recurrence", "FREQ=DAILY", "first_date", first_date,
        "windows", "start", starts[0], "end", ends[0], "draws", draws, "start", starts[1], "end",
        ends[1], "draws", draws, "attempts", SIM_ATTEMPTS, "attempt_spacing_s", SIM_SPACING_S,
        "response_window_s", SIM_RESPONSE_S, "grace_s", SIM_GRACE_S, "late_limit_s", SIM_LATE_S);
    if (person->watched && person->mandatory) {
        json_object_set_new(request, "max_silence_s", json_integer(SIM_SILENCE_S));
    }
    if (sim_chance(sim, 40)) {
        json_object_set_new(request, "min_gap_s", json_integer(3600 * (1 + sim_below(sim, 3))));
    }
    if (sim_chance(sim, 30)) {
        json_object_set_new(
            request, "second",
            json_pack("{s:i, s:i, s:i}", "percent", 50, "after_min_s", 600, "after_max_s", 3600));
    }
    return request;
}

/* The person's plan that runs, as the store has it: an answer may have been lost. 0: none; -1: the
 * store does not tell now. */
static int64_t running_plan(struct sim *sim, const struct sim_person *person)
{
    static const char sql[] = "SELECT max(id) FROM plan WHERE person_id = ?1 AND state = 'active'";
    sqlite3_stmt *statement = sim->engine == NULL ? NULL : sim_ask(sim, sql);
    if (statement == NULL) {
        return -1;
    }
    sqlite3_bind_int64(statement, 1, person->id);
    int64_t plan = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_reset(statement);
    return plan;
}

/* ---- plans ---- */

static void create(struct sim *sim, int64_t index, int64_t replaces, enum sim_ticket ticket)
{
    struct sim_person *person = &sim->people[index];
    const struct ck_actor actor = sim_staff(sim, person->unit_index, person->inspector);
    if (person->plan != 0 && person->demand == DEMAND_WIDE) {
        person->morning = (int)sim_below(sim, 8) + 1;
        person->evening = 12 + (int)sim_below(sim, 8);
    }
    json_t *request = plan_request(sim, person);
    person->later = replaces != 0 && sim_chance(sim, 25);
    if (replaces != 0) {
        json_object_set_new(request, "replaces", json_integer(replaces));
    }
    if (person->later) {
        char date[SIM_DATE_SIZE];
        sim_date(sim, (sim->now_ms - sim->start_ms) / SIM_DAY_MS + 1 + sim_below(sim, 2), date);
        json_object_set_new(request, "first_date", json_string(date));
    }
    person->foreseen = replaces == 0 ? -1 : sim_foresee(sim, person, request);
    sim_submit(sim, "plan.create", &actor,
               json_pack("{s:I, s:o}", "person", (json_int_t)person->id, "request", request),
               SIM_TICKET(ticket, index));
}

/* In the place of the plan that runs: more contacts than any order here knows, hours that are none
 * of a day, another person's order, or the place of a plan that there is not. */
static void demand_too_much(struct sim *sim, int64_t index)
{
    struct sim_person *person = &sim->people[index];
    const struct ck_actor actor = sim_staff(sim, person->unit_index, person->inspector);
    int64_t plan = running_plan(sim, person);
    if (plan <= 0) {
        return;
    }
    json_t *request = plan_request(sim, person);
    json_object_set_new(request, "late_limit_s", json_integer(REFUSED_LATE_S));
    json_object_set_new(request, "replaces", json_integer(plan));
    switch (sim_below(sim, 4)) {
    case 0:
        json_object_del(request, "min_gap_s");
        json_object_set_new(request, "mandatory", json_true());
        json_object_set_new(request, "windows",
                            json_pack("[{s:s, s:s, s:i}, {s:s, s:s, s:i}]", "start", "00:30", "end",
                                      "11:30", "draws", 6, "start", "12:00", "end", "23:30",
                                      "draws", 6));
        break;
    case 1:
        json_object_set_new(
            request, "windows",
            json_pack("[{s:s, s:s, s:i}]", "start", "10:00", "end", "10:10", "draws", 1));
        break;
    case 2:
        json_object_set_new(request, "order_id",
                            json_integer(sim->people[(index + 1) % sim->person_count].order));
        break;
    default:
        json_object_set_new(request, "replaces", json_integer(INT32_MAX));
        break;
    }
    if (sim_foresee(sim, person, request) == 1) {
        sim_wrong(sim, (struct sim_about){.person = person->id},
                  "a preview of what has to be refused says that it fits; person: %lld",
                  (long long)person->id);
    }
    sim_submit(sim, "plan.create", &actor,
               json_pack("{s:I, s:o}", "person", (json_int_t)person->id, "request", request),
               SIM_TICKET(TICKET_REFUSED, index));
}

void sim_plan_refused(struct sim *sim, int64_t person, const struct ck_result *result)
{
    sim->seen[SEEN_REFUSED] += result->code > 0;
    if (result->code == 0 || result->refusal.message[0] == '\0') {
        sim_wrong(sim, (struct sim_about){.person = sim->people[person].id},
                  "a plan that had to be refused: %s; person: %lld",
                  result->code == 0 ? "it was made" : "no reason was given",
                  (long long)sim->people[person].id);
    }
}

void sim_make_plans(struct sim *sim)
{
    for (int i = 0; i < sim->person_count; i++) {
        create(sim, i, 0, TICKET_PLAN);
        if (i % PLANS_A_TURN == PLANS_A_TURN - 1 || i == sim->person_count - 1) {
            sim_settle(sim);
        }
    }
}

void sim_plan_made(struct sim *sim, int64_t person, const struct ck_result *result, bool first)
{
    bool made = result->code == 0;
    if (sim->people[person].foreseen == !made) {
        sim_wrong(sim, (struct sim_about){.person = sim->people[person].id},
                  "a plan that was not what its preview said: %s %s; person: %lld",
                  result->refusal.field, made ? "it was made" : result->refusal.message,
                  (long long)sim->people[person].id);
    }
    sim->seen[SEEN_LATER] += made && sim->people[person].later;
    if (made) {
        sim->people[person].plan = json_integer_value(json_object_get(result->body, "plan"));
        sim_compare_windows(sim, &sim->people[person]);
    } else if (first) {
        sim_fail(sim, "plan: %s %s", result->refusal.field, result->refusal.message);
    }
}

static void replace_plan(struct sim *sim, int64_t index)
{
    int64_t plan = running_plan(sim, &sim->people[index]);
    if (plan > 0) {
        create(sim, index, plan, TICKET_REPLACED);
    }
}

static void pause_plan(struct sim *sim, int64_t index)
{
    const struct sim_person *person = &sim->people[index];
    const struct ck_actor actor = sim_staff(sim, person->unit_index, person->inspector);
    int64_t plan = running_plan(sim, person);
    if (plan > 0 && sim_submit(sim, "plan.end", &actor,
                               json_pack("{s:I, s:s}", "plan", (json_int_t)plan, "reason",
                                         "the inspector thinks it over"),
                               0)) {
        sim_later(sim, sim_seconds(sim, 600, 14400), EVENT_RESUME, index, 0, 0);
    }
}

/* Until there is one again, or the order has ended. */
static void resume_plan(struct sim *sim, int64_t index, int64_t tries)
{
    int64_t plan = running_plan(sim, &sim->people[index]);
    if (plan == 0) {
        create(sim, index, 0, TICKET_REPLACED);
    }
    if (plan <= 0 && tries < RESUMES_MAX) {
        sim_later(sim, SIM_HOUR_MS / 4, EVENT_RESUME, index, tries + 1, 0);
    }
}

/* From anybody to anybody's: raised by a danger, lowered by a judgement. */
static void change_band(struct sim *sim, int64_t index)
{
    const struct sim_person *person = &sim->people[index];
    const struct ck_actor actor =
        sim_staff(sim, person->unit_index, sim->supervisors[person->unit_index]);
    sim_submit(sim, "person.update", &actor,
               json_pack("{s:I, s:s}", "person", (json_int_t)person->id, "band",
                         sim_bands[sim_below(sim, 4)]),
               0);
}

void sim_change_plan(struct sim *sim, const struct sim_event *event)
{
    switch (event->kind) {
    case EVENT_REPLACE:
        replace_plan(sim, event->a);
        break;
    case EVENT_PAUSE:
        pause_plan(sim, event->a);
        break;
    case EVENT_RESUME:
        resume_plan(sim, event->a, event->b);
        break;
    case EVENT_DEMAND:
        demand_too_much(sim, event->a);
        break;
    default:
        change_band(sim, event->a);
        break;
    }
}
