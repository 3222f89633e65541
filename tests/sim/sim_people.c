/* Gateways, persons, inspectors and officers. What they do follows from the seed and from what
 * reaches them. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "protocol/base/error.h"
#include "scheduler/checkin.h"
#include "scheduler/incident.h"
#include "tests/sim/sim.h"

#define LOOK_AGAIN_MS 15000 /* at a daemon that is down */

const char *truth_name(enum truth truth)
{
    static const char *const names[TRUTH_COUNT] = {
        "never rung",       "answers",           "drops once",        "comes late",
        "asleep at home",   "phone off",         "SMS blocked",       "declines",
        "camera denied",    "closes on purpose", "network fails",     "fakes ICE",
        "relative answers", "our gateways down", "no mobile network",
    };
    return names[truth];
}

bool truth_evades(enum truth truth)
{
    switch (truth) {
    case TRUTH_PHONE_OFF:
    case TRUTH_SMS_BLOCKED:
    case TRUTH_DECLINES:
    case TRUTH_CAMERA_DENIED:
    case TRUTH_CLOSES:
    case TRUTH_FAKED_ICE:
    case TRUTH_RELATIVE:
        return true;
    default:
        return false;
    }
}

bool truth_blameless(enum truth truth)
{
    switch (truth) {
    case TRUTH_DECLINES:
    case TRUTH_CAMERA_DENIED:
    case TRUTH_CLOSES:
    case TRUTH_FAKED_ICE:
    case TRUTH_RELATIVE:
        return false;
    default:
        return true;
    }
}

/* Chances in percent, by nature: reliable, forgetful, evasive, troubled. The rest answers. */
static const uint8_t chances[4][TRUTH_COUNT] = {
    [0] = {[TRUTH_COMES_LATE] = 2, [TRUTH_ASLEEP] = 2, [TRUTH_DROPS_ONCE] = 4, [TRUTH_NETWORK] = 1},
    [1] = {[TRUTH_COMES_LATE] = 12,
           [TRUTH_ASLEEP] = 15,
           [TRUTH_PHONE_OFF] = 5,
           [TRUTH_DROPS_ONCE] = 4},
    [2] = {[TRUTH_PHONE_OFF] = 12,
           [TRUTH_SMS_BLOCKED] = 8,
           [TRUTH_DECLINES] = 8,
           [TRUTH_CAMERA_DENIED] = 8,
           [TRUTH_CLOSES] = 8,
           [TRUTH_FAKED_ICE] = 10,
           [TRUTH_RELATIVE] = 8,
           [TRUTH_COMES_LATE] = 8},
    [3] = {[TRUTH_NETWORK] = 12,
           [TRUTH_DROPS_ONCE] = 20,
           [TRUTH_CAMERA_DENIED] = 4,
           [TRUTH_COMES_LATE] = 5},
};

static enum truth draw_truth(struct sim *sim, const struct sim_person *person)
{
    int64_t draw = sim_below(sim, 100);
    for (int truth = TRUTH_ANSWERS; truth < TRUTH_COUNT; truth++) {
        draw -= chances[person->nature][truth];
        if (draw < 0) {
            return (enum truth)truth;
        }
    }
    return TRUTH_ANSWERS;
}

/* ---- actors
 * ---------------------------------------------------------------------------------------- */

static struct ck_actor worker(void)
{
    return (struct ck_actor){.kind = CK_ACTOR_WORKER};
}

static struct ck_actor gateway(void)
{
    return (struct ck_actor){.kind = CK_ACTOR_GATEWAY, .peer = "127.0.0.1:3"};
}

static const struct sim_person *person_of(const struct sim *sim, const struct visit *visit)
{
    return &sim->people[visit->person];
}

static struct ck_actor the_person(const struct sim *sim, const struct visit *visit, int64_t checkin)
{
    const struct sim_person *person = person_of(sim, visit);
    return (struct ck_actor){.kind = CK_ACTOR_PERSON,
                             .person_id = person->id,
                             .unit_id = person->unit,
                             .checkin_id = checkin,
                             .peer = "127.0.0.1:2"};
}

static json_t *about(int64_t checkin)
{
    return json_pack("{s:I}", "checkin", (json_int_t)checkin);
}

static void tell_fact(struct sim *sim, const struct ck_actor *actor, int64_t checkin,
                      const char *fact)
{
    sim_submit(sim, "checkin.fact", actor,
               json_pack("{s:I, s:s}", "checkin", (json_int_t)checkin, "fact", fact), 0);
}

/* ---- gateways
 * -------------------------------------------------------------------------------------- */

enum { ANSWER_ACCEPTED, ANSWER_REFUSED, ANSWER_LIMITED, ANSWER_UNKNOWN, ANSWER_REJECTED };

static void gateway_answers(struct sim *sim, int64_t notice, int answer, int64_t try)
{
    static const char *const words[] = {"accepted", "refused", "limited", "unknown", "rejected"};
    const struct ck_actor actor = gateway();
    char provider[24];
    snprintf(provider, sizeof(provider), "g%lld", (long long)notice);
    json_t *body = json_pack("{s:I, s:I, s:s, s:s}", "notice", (json_int_t)notice, "try",
                             (json_int_t)try, "result", words[answer], "provider_id", provider);
    if (answer == ANSWER_LIMITED) {
        json_object_set_new(body, "retry_after_ms", json_integer(30000));
    }
    sim_submit(sim, "notice.result", &actor, body, 0);
}

/* At once, later, or twice. */
static void answer_send(struct sim *sim, int64_t notice, int answer, int64_t try)
{
    if (sim_chance(sim, 85)) {
        gateway_answers(sim, notice, answer, try);
    } else {
        sim_later(sim, sim_seconds(sim, 1, 40), EVENT_GATEWAY_RESULT, notice, answer, try);
    }
    if (sim_chance(sim, 3)) {
        sim_later(sim, sim_seconds(sim, 1, 60), EVENT_GATEWAY_RESULT, notice, answer, try);
    }
}

static int draw_answer(struct sim *sim, bool down)
{
    if (down) {
        return sim_chance(sim, 50) ? ANSWER_REFUSED : ANSWER_UNKNOWN;
    }
    int64_t draw = sim_below(sim, 100);
    return sim->calm || draw < 94 ? ANSWER_ACCEPTED
           : draw < 96            ? ANSWER_REFUSED
           : draw < 98            ? ANSWER_LIMITED
                                  : ANSWER_UNKNOWN;
}

/* A notice reached the phone, or with certainty its mailbox: from now on it could have been
 * answered. */
static void is_through(struct sim *sim, struct visit *visit)
{
    if (visit->through_ms == 0) {
        visit->through_ms = sim->now_ms;
        visit->ok_base_ms = sim->ok_ms;
    }
}

/* While something rings, goes on, is missed or waits: the order ends, the plan or the band is
 * another one, or the inspector wants to see them now. */
static void befall(struct sim *sim, int32_t person)
{
    static const enum sim_event_kind kinds[] = {EVENT_BAND,  EVENT_BAND,      EVENT_REPLACE,
                                                EVENT_PAUSE, EVENT_ORDER_END, EVENT_ON_DEMAND};
    if (!sim->calm && sim_chance(sim, 5)) {
        int64_t in_ms =
            sim_chance(sim, 50) ? sim_seconds(sim, 5, 600) : sim_seconds(sim, 600, 5400);
        sim_later(sim, in_ms, kinds[sim_below(sim, sizeof kinds / sizeof kinds[0])], person, 0, 0);
    }
}

static void send_to_person(struct sim *sim, const struct ck_output *output)
{
    struct visit *visit = sim_visit(sim, output->checkin_id);
    const char *path = json_string_value(json_object_get(output->body, "path"));
    bool sms = strcmp(json_string_value(json_object_get(output->body, "channel")), "sms") == 0;
    int64_t try = json_integer_value(json_object_get(output->body, "try"));
    if (visit->person < 0) {
        visit->person = (int32_t)(output->person_id - sim->first_person_id);
        while (sim->people[visit->person].id != output->person_id) {
            visit->person = (visit->person + 1) % sim->person_count;
        }
        visit->truth = draw_truth(sim, person_of(sim, visit));
        bool masts = sim->masts_down > 0 && person_of(sim, visit)->unit_index % 2 == 0;
        bool gateways = sim->sms_down > 0 && (sim->email_down > 0 || !person_of(sim, visit)->email);
        if (visit->truth == TRUTH_ANSWERS && (masts || gateways)) {
            visit->truth = masts ? TRUTH_MASTS : TRUTH_GATEWAY;
        }
        visit->first_send_ms = sim->now_ms;
        visit->first_send_wall_ms = sim->now_ms + sim->clock_offset_ms;
        sim_later(sim, SIM_RESPONSE_S * 1000, EVENT_SAMPLE, output->checkin_id, 0, 0);
        befall(sim, visit->person);
    }
    snprintf(visit->token, sizeof(visit->token), "%s", path + 3);
    int answer = draw_answer(sim, sms ? sim->sms_down > 0 : sim->email_down > 0);
    answer_send(sim, output->id, answer, try);
    bool leaves = answer == ANSWER_ACCEPTED || (answer == ANSWER_UNKNOWN && sim_chance(sim, 50));
    if (!leaves) {
        return;
    }
    bool reaches = visit->truth != TRUTH_PHONE_OFF && (visit->truth != TRUTH_SMS_BLOCKED || !sms) &&
                   (visit->truth != TRUTH_MASTS || sim->masts_down == 0);
    if (!sms) {
        is_through(sim, visit);
    }
    if (reaches) {
        sim_later(sim, sim_seconds(sim, 1, 20), EVENT_DELIVERED, output->checkin_id,
                  sms ? output->id : 0, 0);
    }
}

static void send_to_staff(struct sim *sim, const struct ck_output *output)
{
    const char *template = json_string_value(json_object_get(output->body, "template"));
    const char *channel = json_string_value(json_object_get(output->body, "channel"));
    int64_t try = json_integer_value(json_object_get(output->body, "try"));
    int unit = sim_unit_of(sim, output->unit_id, output->staff_id);
    bool lost = !sim->calm && sim_has_phones(unit) && strcmp(channel, "webhook") != 0 &&
                sim_chance(sim, 15);
    int answer = lost ? ANSWER_REJECTED : draw_answer(sim, false);
    answer_send(sim, output->id, answer, try);
    if (answer == ANSWER_REJECTED) {
        return;
    }
    if (strcmp(channel, "sms") == 0 && sim_chance(sim, 70)) {
        sim_later(sim, sim_seconds(sim, 1, 200), EVENT_RECEIPT, 0, output->id, 0);
    }
    if (output->staff_id == 0 || output->incident_id == 0) {
        return;
    }
    if (sim->absent_until_ms[output->staff_id] > sim->now_ms) {
        return; /* on leave: looks at nothing */
    }
    bool awake = sim->officers_asleep[unit] == 0 && sim_chance(sim, sim->calm ? 100 : 60);
    if (!awake) {
        return;
    }
    if (strcmp(template, "digest") == 0) {
        sim_later(sim, sim_seconds(sim, 60, 600), EVENT_DIGEST, output->id, output->staff_id, unit);
        return;
    }
    bool expired = strcmp(template, "ack_expired") == 0;
    sim_later(sim, sim_seconds(sim, 60, 600), expired ? EVENT_CONCLUDE : EVENT_ACKNOWLEDGE,
              output->incident_id, output->staff_id, unit);
}

/* ---- what comes out of the daemon
 * -------------------------------------------------------------------- */

static void ring_consoles(struct sim *sim, int64_t checkin)
{
    struct visit *visit = sim_visit(sim, checkin);
    if (visit->person >= 0 && sim->inspectors_away == 0 && sim_chance(sim, 85)) {
        const struct sim_person *person = person_of(sim, visit);
        sim_later(sim, sim_seconds(sim, 5, 40), EVENT_TAKE, checkin,
                  sim_taker(sim, person->unit_index, person->inspector), 0);
    }
}

/* Whoever gets a notice twice must be able to see that it is the same. */
static void check_reference(struct sim *sim, const struct ck_output *output)
{
    size_t id = (size_t)output->id;
    if (id >= sim->reference_count) {
        size_t count = id + 4096;
        sim->references = realloc(sim->references, count * sizeof(*sim->references));
        if (sim->references == NULL) {
            abort();
        }
        memset(sim->references + sim->reference_count, 0,
               (count - sim->reference_count) * sizeof(*sim->references));
        sim->reference_count = count;
    }
    const char *reference = json_string_value(json_object_get(output->body, "reference"));
    if (sim->references[id][0] != '\0' && strcmp(sim->references[id], reference) != 0) {
        sim_wrong(
            sim, (struct sim_about){.checkin = output->checkin_id, .incident = output->incident_id},
            "a notice (incident: %lld) that was sent again under another reference",
            (long long)output->incident_id);
    }
    snprintf(sim->references[id], sizeof(sim->references[id]), "%s", reference);
}

/* Whether it says nothing of any check-in: it is to be there six hours from now, whatever that is.
 */
static bool is_test_of_a_way(const struct ck_output *output)
{
    const char *template = json_string_value(json_object_get(output->body, "template"));
    return template != NULL && strcmp(template, "contact_test") == 0;
}

void sim_output(struct sim *sim, const struct ck_output *output)
{
    if (!is_test_of_a_way(output)) {
        sim_watch_instants(sim, output->person_id, output->body);
    }
    switch (output->kind) {
    case CK_OUTPUT_SEND:
        check_reference(sim, output);
        sim->sends++;
        sim->repeats += json_is_true(json_object_get(output->body, "repeated"));
        if (output->person_id != 0 && output->checkin_id != 0 && output->incident_id == 0 &&
            output->staff_id == 0) {
            send_to_person(sim, output);
        } else {
            send_to_staff(sim, output);
        }
        break;
    case CK_OUTPUT_RING:
        ring_consoles(sim, output->checkin_id);
        break;
    case CK_OUTPUT_START_UNATTENDED:
        sim_visit(sim, output->checkin_id)->challenged = true;
        sim_later(sim, sim_seconds(sim, 20, 60), EVENT_CHALLENGES, output->checkin_id, 0, 0);
        break;
    case CK_OUTPUT_END_CALL: {
        struct visit *visit = sim_visit(sim, output->checkin_id);
        visit->in_room = visit->in_call = visit->challenged = visit->media = false;
        break;
    }
    default:
        break;
    }
}

static void joined(struct sim *sim, int64_t checkin, const struct ck_result *result)
{
    struct visit *visit = sim_visit(sim, checkin);
    if (result->code != 0) {
        return;
    }
    const char *phase = json_string_value(json_object_get(result->body, "phase"));
    visit->in_room = true;
    if (visit->truth == TRUTH_FAKED_ICE) {
        const struct ck_actor person = the_person(sim, visit, checkin);
        tell_fact(sim, &person, checkin, "ice_failed");
        sim_later(sim, sim_seconds(sim, 10, 30), EVENT_DROP, checkin, 0, 0);
        return;
    }
    sim_later(sim, sim_seconds(sim, 1, 5), EVENT_MEDIA, checkin, 0, 0);
    if (visit->truth == TRUTH_CLOSES) {
        sim_later(sim, sim_seconds(sim, 5, 30), EVENT_LEAVE, checkin, 0, 0);
    }
    if (strcmp(phase, "challenge") == 0 && !visit->challenged) {
        visit->challenged = true;
        sim_later(sim, sim_seconds(sim, 20, 60), EVENT_CHALLENGES, checkin, 0, 0);
    }
}

static void exchanged(struct sim *sim, int64_t checkin, const struct ck_result *result)
{
    struct visit *visit = sim_visit(sim, checkin);
    struct sim_person *person = &sim->people[visit->person];
    const struct ck_actor actor = the_person(sim, visit, checkin);
    if (result->code != 0) {
        return;
    }
    if (!person->agreed) {
        person->agreed = true;
        sim_submit(sim, "notice.ack", &actor, json_pack("{s:i}", "version", 1), 0);
    }
    switch (visit->truth) {
    case TRUTH_DECLINES:
        sim_submit(sim, "checkin.declined", &actor,
                   json_pack("{s:I, s:s}", "checkin", (json_int_t)checkin, "reason", "at work"), 0);
        break;
    case TRUTH_CAMERA_DENIED:
        tell_fact(sim, &actor, checkin, "permission_asked");
        tell_fact(sim, &actor, checkin, "permission_denied");
        break;
    case TRUTH_NETWORK:
        break;
    default:
        tell_fact(sim, &actor, checkin, "permission_granted");
        sim_later(sim, sim_seconds(sim, 1, 10), EVENT_JOIN, checkin, 0, 0);
        break;
    }
}

static void taken(struct sim *sim, int64_t checkin, const struct ck_result *result)
{
    struct visit *visit = sim_visit(sim, checkin);
    if (result->code != 0) {
        return;
    }
    visit->in_call = true;
    sim->seen[SEEN_STAND_IN] += visit->taken_by != person_of(sim, visit)->inspector;
    if (visit->truth == TRUTH_DROPS_ONCE && !visit->dropped) {
        visit->dropped = true;
        sim_later(sim, sim_seconds(sim, 10, 40), EVENT_DROP, checkin, 0, 0);
    }
    sim_later(sim, sim_seconds(sim, 50, 240), EVENT_CALL_END, checkin, 0, 0);
}

void sim_result(struct sim *sim, const struct ck_result *result)
{
    int64_t id = (int64_t)(result->ticket >> 8);
    sim->refused += result->code > 0;
    if (result->code < 0) {
        return; /* the store refused; whoever asked asks again */
    }
    switch ((enum sim_ticket)(result->ticket & 255)) {
    case TICKET_EXCHANGE:
        exchanged(sim, id, result);
        break;
    case TICKET_JOIN:
        joined(sim, id, result);
        break;
    case TICKET_TAKE:
        taken(sim, id, result);
        break;
    case TICKET_BLACKOUT:
        sim_watch_instants(sim, sim->people[id].id, result->body);
        sim_blackout_made(sim, id, result);
        break;
    case TICKET_PLAN:
    case TICKET_REPLACED:
        sim_watch_instants(sim, sim->people[id].id, result->body);
        sim_plan_made(sim, id, result, (result->ticket & 255) == TICKET_PLAN);
        break;
    case TICKET_REFUSED:
        sim_plan_refused(sim, id, result);
        break;
    case TICKET_ABSENCE:
        sim_absence_made(sim, id, result);
        break;
    case TICKET_LADDER:
        sim_ladder_proposed(sim, id, result);
        break;
    default:
        break;
    }
}

/* ---- what people do
 * ----------------------------------------------------------------------------------- */

static int64_t reaction_ms(struct sim *sim, const struct visit *visit)
{
    if (visit->truth == TRUTH_COMES_LATE) {
        int64_t after =
            visit->first_send_ms + (SIM_RESPONSE_S + SIM_GRACE_S + 60) * 1000 - sim->now_ms;
        return (after > 0 ? after : 0) + sim_seconds(sim, 0, 1800);
    }
    return sim_seconds(sim, 5, 600);
}

/* Receipts come by webhook: again where we were not there, and sometimes twice. */
static void tell_receipt(struct sim *sim, const struct sim_event *event)
{
    const struct ck_actor actor = gateway();
    char provider[24];
    snprintf(provider, sizeof(provider), "g%lld", (long long)event->b);
    for (int i = sim_chance(sim, 5) ? 0 : 1; i < 2; i++) {
        if (!sim_submit(sim, "notice.receipt", &actor,
                        json_pack("{s:s, s:s, s:s}", "channel", "sms", "provider_id", provider,
                                  "receipt", "delivered"),
                        0)) {
            sim_later(sim, 30000, event->kind, event->a, event->b, 0);
            return;
        }
    }
}

static void delivered(struct sim *sim, const struct sim_event *event)
{
    struct visit *visit = sim_visit(sim, event->a);
    is_through(sim, visit);
    if (event->b != 0) {
        tell_receipt(sim, event);
    }
    if (!visit->reacted && visit->truth != TRUTH_ASLEEP) {
        visit->reacted = true;
        sim_later(sim, reaction_ms(sim, visit), EVENT_REACT, event->a, 0, 0);
    }
}

static void react(struct sim *sim, int64_t checkin)
{
    struct visit *visit = sim_visit(sim, checkin);
    const struct ck_actor actor = gateway();
    if (!sim_submit(sim, "link.exchange", &actor,
                    json_pack("{s:s, s:s}", "token", visit->token, "device", "sim"),
                    SIM_TICKET(TICKET_EXCHANGE, checkin))) {
        sim_later(sim, sim_seconds(sim, 20, 60), EVENT_REACT, checkin, 0, 0); /* tries again */
    }
}

static void join(struct sim *sim, int64_t checkin)
{
    struct visit *visit = sim_visit(sim, checkin);
    const struct ck_actor actor = the_person(sim, visit, checkin);
    if (!sim_submit(sim, "checkin.joined", &actor,
                    json_pack("{s:I, s:s}", "checkin", (json_int_t)checkin, "device", "sim"),
                    SIM_TICKET(TICKET_JOIN, checkin))) {
        sim_later(sim, sim_seconds(sim, 5, 20), EVENT_JOIN, checkin, 0, 0);
    }
}

static void media(struct sim *sim, int64_t checkin)
{
    static const char *const facts[] = {"ice", "dtls", "first_audio", "first_frame"};
    struct visit *visit = sim_visit(sim, checkin);
    const struct ck_actor actor = worker();
    if (!visit->in_room || sim->engine == NULL) {
        return;
    }
    visit->media = true;
    visit->doubtful = visit->truth == TRUTH_RELATIVE;
    for (int i = 0; i < 4; i++) {
        tell_fact(sim, &actor, checkin, facts[i]);
    }
}

static void leave(struct sim *sim, int64_t checkin)
{
    struct visit *visit = sim_visit(sim, checkin);
    const struct ck_actor actor = the_person(sim, visit, checkin);
    if (visit->in_room && sim_submit(sim, "checkin.left", &actor, about(checkin), 0)) {
        visit->in_room = visit->in_call = visit->challenged = visit->media = false;
    }
}

static void drop(struct sim *sim, int64_t checkin)
{
    struct visit *visit = sim_visit(sim, checkin);
    const struct ck_actor actor = worker();
    if (!visit->in_room || !sim_submit(sim, "checkin.call_lost", &actor, about(checkin), 0)) {
        return;
    }
    visit->in_room = visit->media = visit->challenged = false;
    if (visit->truth != TRUTH_FAKED_ICE) {
        sim_later(sim, sim_seconds(sim, 5, 40), EVENT_JOIN, checkin, 0, 0);
    }
}

static void take(struct sim *sim, const struct sim_event *event)
{
    struct visit *visit = sim_visit(sim, event->a);
    const struct ck_actor actor = sim_staff(sim, person_of(sim, visit)->unit_index, event->b);
    visit->taken_by = event->b;
    sim_submit(sim, "checkin.inspector_took", &actor, about(event->a),
               SIM_TICKET(TICKET_TAKE, event->a));
}

static void end_call(struct sim *sim, int64_t checkin)
{
    struct visit *visit = sim_visit(sim, checkin);
    const struct ck_actor actor =
        sim_staff(sim, person_of(sim, visit)->unit_index, visit->taken_by);
    if (sim->engine == NULL) {
        sim_later(sim, sim_seconds(sim, 10, 60), EVENT_CALL_END, checkin, 0, 0);
        return;
    }
    /* Some forget the form: it goes to review. */
    bool forgets = !sim->calm && sim_chance(sim, 5);
    sim_submit(sim, "checkin.call_ended", &actor,
               json_pack("{s:I, s:s}", "checkin", (json_int_t)checkin, "reason", "staff_ended"), 0);
    visit->in_call = false;
    if (forgets) {
        sim_later(sim, sim_seconds(sim, 2400, 9000), EVENT_REVIEW, checkin, 0, 0);
        return;
    }
    const char *result = visit->doubtful ? "identity_doubt" : "completed";
    sim_submit(sim, "checkin.outcome", &actor,
               json_pack("{s:I, s:s, s:b, s:[], s:s}", "checkin", (json_int_t)checkin, "result",
                         result, "identity_confirmed", !visit->doubtful, "behaviours", "note",
                         "seen"),
               0);
}

static void challenges(struct sim *sim, int64_t checkin)
{
    struct visit *visit = sim_visit(sim, checkin);
    const struct ck_actor actor = worker();
    if (!visit->in_room || !visit->challenged) {
        return;
    }
    if (!sim_submit(sim, "checkin.challenge_finished", &actor, about(checkin), 0)) {
        visit->challenged = false; /* the page asks again when the daemon is back */
        return;
    }
    sim_later(sim, sim_seconds(sim, 300, 5400), EVENT_REVIEW, checkin, 0, 0);
}

static void review(struct sim *sim, int64_t checkin)
{
    struct visit *visit = sim_visit(sim, checkin);
    const struct sim_person *person = person_of(sim, visit);
    const struct ck_actor actor =
        sim_staff(sim, person->unit_index, sim_taker(sim, person->unit_index, person->inspector));
    bool late = !sim->calm && sim_chance(sim, 10);
    if (late || !sim_submit(sim, "checkin.review", &actor,
                            json_pack("{s:I, s:s, s:s}", "checkin", (json_int_t)checkin, "decision",
                                      visit->doubtful ? "doubt" : "accept", "note", "looked"),
                            0)) {
        sim_later(sim, sim_seconds(sim, 3600, 40000), EVENT_REVIEW, checkin, 0, 0);
    }
}

static void sample(struct sim *sim, int64_t checkin)
{
    struct visit *visit = sim_visit(sim, checkin);
    /* Where the clock went back meanwhile, the window is open for longer. */
    int64_t left_ms =
        visit->first_send_wall_ms + SIM_RESPONSE_S * 1000 - sim->now_ms - sim->clock_offset_ms;
    bool again = visit->sampled;
    visit->sampled = left_ms <= 0;
    if (left_ms > 0) {
        sim_later(sim, left_ms, EVENT_SAMPLE, checkin, 0, 0);
        return;
    }
    if (!again) {
        visit->ok_ms = visit->through_ms == 0 ? 0 : sim->ok_ms - visit->ok_base_ms;
    }
    /* A daemon that is down closes no window, and may find its clock set back when it starts. */
    if (sim->engine == NULL) {
        sim_later(sim, LOOK_AGAIN_MS, EVENT_SAMPLE, checkin, 0, 0);
        return;
    }
    /* Some turn out to have been in hospital. */
    bool silent = visit->truth == TRUTH_ASLEEP || visit->truth == TRUTH_PHONE_OFF;
    if (silent && sim_chance(sim, 5)) {
        sim_later(sim, sim_seconds(sim, 7200, 72000), EVENT_BLACKOUT, visit->person, 1, 0);
    }
}

/* Inspectors look at their queue four times a day: what came there in another way than by a
 * challenge, and what was left lying. */
void sim_look_at_queue(struct sim *sim)
{
    static const char sql[] = "SELECT id FROM checkin WHERE state = 'awaiting_review' ORDER BY id";
    sqlite3_stmt *statement = sim_ask(sim, sql);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if (sim_chance(sim, sim->calm ? 100 : 50)) {
            sim_later(sim, sim_seconds(sim, 60, 3600), EVENT_REVIEW,
                      sqlite3_column_int64(statement, 0), 0, 0);
        }
    }
    sqlite3_reset(statement);
    sim_later(sim, 6 * SIM_HOUR_MS, EVENT_QUEUE, 0, 0, 0);
}

bool sim_all_ended(struct sim *sim)
{
    static const char sql[] =
        "SELECT NOT EXISTS (SELECT 1 FROM checkin WHERE state <> 'done') AND NOT EXISTS (SELECT 1 "
        "FROM incident WHERE state <> 'closed') AND NOT EXISTS (SELECT 1 FROM notice WHERE state "
        "IN ('queued', 'sending', 'unknown', 'failed_temp')) AND NOT EXISTS (SELECT 1 FROM "
        "quarantine WHERE freed_at IS NULL)";
    sqlite3_stmt *statement = sim_ask(sim, sql);
    bool ended = sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int(statement, 0) != 0;
    sqlite3_reset(statement);
    return ended;
}

void sim_watch(struct sim *sim)
{
    sim_later(sim, SIM_HOUR_MS / 2, EVENT_WATCH, 0, 0, 0);
    sim_release(sim);
    sim_watch_ladders(sim);
}

void sim_person_event(struct sim *sim, const struct sim_event *event)
{
    switch (event->kind) {
    case EVENT_GATEWAY_RESULT:
        if (event->epoch == sim->epoch) {
            gateway_answers(sim, event->a, (int)event->b, event->c);
        }
        break;
    case EVENT_DELIVERED:
        delivered(sim, event);
        break;
    case EVENT_REACT:
        react(sim, event->a);
        break;
    case EVENT_JOIN:
        join(sim, event->a);
        break;
    case EVENT_MEDIA:
        media(sim, event->a);
        break;
    case EVENT_LEAVE:
        leave(sim, event->a);
        break;
    case EVENT_TAKE:
        take(sim, event);
        break;
    case EVENT_DROP:
        drop(sim, event->a);
        break;
    case EVENT_CALL_END:
        end_call(sim, event->a);
        break;
    case EVENT_CHALLENGES:
        challenges(sim, event->a);
        break;
    case EVENT_REVIEW:
        review(sim, event->a);
        break;
    case EVENT_QUEUE:
        sim_look_at_queue(sim);
        break;
    case EVENT_WATCH:
        sim_watch(sim);
        break;
    case EVENT_SAMPLE:
        sample(sim, event->a);
        break;
    case EVENT_ACKNOWLEDGE:
        sim_acknowledge(sim, event);
        break;
    case EVENT_CONCLUDE:
        sim_conclude(sim, event);
        break;
    case EVENT_ORDER_END:
    case EVENT_ON_DEMAND:
    case EVENT_ABSENCE:
    case EVENT_ABSENCE_END:
    case EVENT_BLACKOUT:
    case EVENT_BLACKOUT_END:
        sim_change_caseload(sim, event);
        break;
    case EVENT_REPLACE:
    case EVENT_PAUSE:
    case EVENT_RESUME:
    case EVENT_DEMAND:
    case EVENT_BAND:
        sim_change_plan(sim, event);
        break;
    case EVENT_LADDER:
        sim_propose_ladder(sim, (int)event->a);
        break;
    case EVENT_RECEIPT:
        tell_receipt(sim, event);
        break;
    case EVENT_DIGEST:
        sim_read_digest(sim, event);
        break;
    default:
        break;
    }
}

/* Pages find out that the daemon is back: whoever is in the room joins again, consoles show who
 * waits. */
void sim_reconnect(struct sim *sim)
{
    for (size_t id = 0; id < sim->visit_count; id++) {
        struct visit *visit = &sim->visits[id];
        if (visit->person < 0 || !visit->in_room) {
            continue;
        }
        visit->challenged = false;
        sim_later(sim, sim_seconds(sim, 1, 8), EVENT_JOIN, (int64_t)id, 0, 0);
        if (!visit->in_call) {
            ring_consoles(sim, (int64_t)id);
        }
    }
}

/* A media worker dies: its legs are gone, and that is our fault; the pages make new ones. */
void sim_lose_worker(struct sim *sim)
{
    const struct ck_actor actor = worker();
    for (size_t id = 0; id < sim->visit_count; id++) {
        struct visit *visit = &sim->visits[id];
        if (visit->person < 0 || !visit->in_room) {
            continue;
        }
        sim_submit(sim, "checkin.fault", &actor,
                   json_pack("{s:I, s:s}", "checkin", (json_int_t)id, "fault", "worker_lost"), 0);
        sim_submit(sim, "checkin.call_lost", &actor, about((int64_t)id), 0);
        visit->in_room = visit->media = visit->challenged = false;
        if (visit->truth != TRUTH_FAKED_ICE && visit->truth != TRUTH_CLOSES) {
            sim_later(sim, sim_seconds(sim, 2, 10), EVENT_JOIN, (int64_t)id, 0, 0);
        }
    }
}
