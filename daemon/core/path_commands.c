/* Contact paths: the weekly test that somebody can still be reached, what came of it, and the
 * browsers that have subscribed to Web Push. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/error.h"

#define TEST_FROM_S (10 * 3600)  /* of the unit's day: nobody is woken by a test … */
#define TEST_UNTIL_S (17 * 3600) /* … or called at supper */
#define TEST_STEP_S 86400

/* ---- the test ---- */

/* Where somebody is reached on the path's channel; "" where the way is gone. */
static int address_of(struct ck_turn *turn, const struct ck_path_row *path,
                      struct ck_notice_row *notice)
{
    struct ck_recipient staff = {.id = 0};
    struct ck_subject person = {.id = 0};
    int64_t browser = 0;
    size_t count = 0;
    int r = path->staff != 0 ? ck_recipient_load(turn->store, path->staff, &staff)
                             : ck_subject_load(turn->store, path->person, &person);
    if (r != 0) {
        return r == CK_E_NOT_FOUND ? 0 : r;
    }
    const char *email = path->staff != 0 ? staff.email : person.email;
    const char *phone = path->staff != 0 ? staff.phone : person.phone;
    snprintf(notice->language, sizeof notice->language, "%s",
             path->staff != 0 ? staff.language : person.language);
    if (path->channel == CK_CHANNEL_WEB_PUSH) {
        r = ck_push_of(turn->store, path->staff, path->person, &browser, 1, &count);
        return r == 0 && count > 0 ? ck_push_text(turn->store, browser, notice->address) : r;
    }
    bool gone = staff.disabled;
    snprintf(notice->address, sizeof notice->address, "%s",
             gone                                ? ""
             : path->channel == CK_CHANNEL_EMAIL ? email
                                                 : phone);
    return 0;
}

/* The next moment of a day at which a test may go, where now is none; otherwise 0. */
static int wait_for_day(struct ck_turn *turn, const struct ck_path_row *path, struct ck_wall *at)
{
    const struct ck_zone *zone = NULL;
    int r = ck_zones_find(turn->engine->zones, path->zone, &zone);
    *at = (struct ck_wall){0};
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    struct ck_local local = ck_zone_local(zone, turn->now.wall);
    if (path->by_hand || (local.second >= TEST_FROM_S && local.second < TEST_UNTIL_S)) {
        return 0;
    }
    /* Spread over the hours, the same for each path every week. */
    int32_t spread = (int32_t)(path->id * 7919 % (TEST_UNTIL_S - TEST_FROM_S));
    int32_t day = local.second < TEST_FROM_S ? 0 : TEST_STEP_S;
    *at = ck_zone_instant(zone, (struct ck_local){local.date, day + TEST_FROM_S + spread},
                          CK_ZONE_FIRST, NULL);
    return 0;
}

static int tell(struct ck_turn *turn, const struct ck_notice_row *row, bool reached);

/* The time in which a receipt could come is over: a gateway that takes everything and delivers
 * nothing looks like this. What has not even been taken tells of its own end. */
static int end_of_test(struct ck_turn *turn, const struct ck_path_row *path)
{
    struct ck_notice_row row;
    int r = ck_notice_load(turn->store, path->notice, &row);
    return r == 0 && row.step.state == CK_NOTICE_ACCEPTED ? tell(turn, &row, false) : r;
}

int ck_path_due(struct ck_turn *turn, const struct ck_due *due)
{
    struct ck_path_row path;
    struct ck_wall later;
    int64_t notice = 0;
    int r = ck_path_load(turn->store, due->id, &path);
    if (r == CK_E_NOT_FOUND || (r == 0 && path.fence != due->fence)) {
        return CK_E_FENCED;
    }
    if (r == 0 && !path.by_hand && ck_wall_before(turn->now.wall, path.week_over)) {
        path.next_at = path.week_over;
        r = path.testing ? end_of_test(turn, &path) : 0;
        return r == 0 ? ck_path_postpone(turn->store, &path) : r;
    }
    r = r == 0 ? wait_for_day(turn, &path, &later) : r;
    if (r == 0 && later.ms != 0) {
        path.next_at = later;
        return ck_path_postpone(turn->store, &path);
    }
    struct ck_notice_row like = {
        .step = {.channel = path.channel}, .staff = path.staff, .person = path.person};
    r = r == 0 ? address_of(turn, &path, &like) : r;
    if (r == 0 && like.address[0] == '\0') {
        return ck_path_delete(turn->store, path.id);
    }
    r = r == 0 ? ck_notice_test(turn, &like, &notice) : r;
    path.next_at = ck_wall_add_ms(turn->now.wall, CK_PATH_TEST_MS);
    return r == 0 ? ck_path_tested(turn->store, &path, notice, turn->now.wall) : r;
}

/* Whose last way has failed cannot be reached by anything that we would send: a matter of the
 * system for the unit, unless one about them is open. */
static int nothing_left(struct ck_turn *turn, const struct ck_notice_row *row)
{
    const struct ck_actor actor = ck_actor_system();
    char who[CK_PATH_WHO_SIZE], cause[64];
    int64_t left = 0, unit = 0, id = 0;
    int r = ck_path_left(turn->store, row->staff, row->person, &left, &unit, who);
    if (r != 0 || left > 0) {
        return r;
    }
    snprintf(cause, sizeof cause, "no way reaches %s", who);
    r = ck_incident_of_cause(turn->store, unit, cause, &id);
    return r != CK_E_NOT_FOUND ? r
                               : ck_incident_open(turn, &actor,
                                                  &(struct ck_incident_opening){
                                                      .person = row->person,
                                                      .unit = unit,
                                                      .cause = cause,
                                                      .effect = {.kind = CK_INCIDENT_SYSTEM,
                                                                 .severity = CK_SEVERITY_NORMAL,
                                                                 .first_step_at = turn->now.wall},
                                                  });
}

/* What came of the newest test. Not reached is a record, and the page shows it until a test
 * succeeds; where no way is left it is an incident. */
static int tell(struct ck_turn *turn, const struct ck_notice_row *row, bool reached)
{
    const struct ck_actor actor = ck_actor_system();
    bool known = false;
    int r = ck_path_result(turn->store, row->step.id, reached,
                           row->failure[0] == '\0' ? "no receipt came" : row->failure,
                           turn->now.wall, &known);
    if (r == 0 && known && !reached) {
        r = nothing_left(turn, row);
    }
    return r != 0 || !known
               ? r
               : ck_turn_audit(
                     turn, &actor,
                     &(struct ck_record){
                         .action = reached ? "CONTACT_PATH_OK" : "CONTACT_PATH_FAILED",
                         .object = row->staff != 0 ? "staff" : "person",
                         .object_id = row->staff != 0 ? row->staff : row->person,
                         .person_id = row->person,
                         .result = reached ? "ok" : "failed",
                         .open = json_pack("{s:s}", "channel", ck_channel_name(row->step.channel)),
                     });
}

/* Reached: delivered, or accepted where the channel says no more. */
int ck_path_news(struct ck_turn *turn, const struct ck_notice_row *row)
{
    enum ck_notice_state state = row->step.state;
    bool reached = state == CK_NOTICE_DELIVERED || state == CK_NOTICE_READ ||
                   (state == CK_NOTICE_ACCEPTED && !row->step.receipts);
    bool lost = state == CK_NOTICE_FAILED_PERM || state == CK_NOTICE_EXPIRED;
    return reached || lost ? tell(turn, row, reached) : 0;
}

/* {staff | person (the other 0), channel}: test it now. */
static int test_now(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"email", "sms", "voice", "web_push", NULL};
    static const enum ck_channel channels[] = {CK_CHANNEL_EMAIL, CK_CHANNEL_SMS, CK_CHANNEL_VOICE,
                                               CK_CHANNEL_WEB_PUSH};
    int64_t staff = 0, person = 0, unit = 0, id = 0;
    int word = 0;
    (void)result;
    int r = ck_body_int(body, "staff", 0, INT64_MAX, &staff, refusal);
    r = r == 0 ? ck_body_int(body, "person", 0, INT64_MAX, &person, refusal) : r;
    r = r == 0 ? ck_body_word(body, "channel", words, &word, refusal) : r;
    if (r == 0 && (staff == 0) == (person == 0)) {
        return ck_refuse(refusal, CK_E_INVALID, "staff", "either staff or person");
    }
    r = r == 0 ? ck_path_unit(turn->store, staff, person, &unit) : r;
    if (r == 0 && unit != actor->unit_id) {
        return ck_turn_deny(turn, actor, staff != 0 ? "staff" : "person",
                            staff != 0 ? staff : person, person, "not of the actor's unit",
                            refusal);
    }
    r = r == 0 ? ck_path_find(turn->store, staff, person, channels[word], &id) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "channel", "there is no such way to reach them");
    }
    r = r == 0 ? ck_path_hurry(turn->store, id, turn->now.wall) : r;
    return r == 0 ? ck_turn_audit(
                        turn, actor,
                        &(struct ck_record){.action = "CONTACT_PATH_TESTED",
                                            .object = staff != 0 ? "staff" : "person",
                                            .object_id = staff != 0 ? staff : person,
                                            .person_id = person,
                                            .open = json_pack("{s:s}", "channel", words[word])})
                  : r;
}

/* ---- browsers ---- */

static int change_push(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       bool subscribe, struct ck_refusal *refusal)
{
    const char *text = NULL;
    int64_t staff = actor->kind == CK_ACTOR_STAFF ? actor->staff_id : 0;
    int64_t person = actor->kind == CK_ACTOR_PERSON ? actor->person_id : 0;
    int r = ck_body_text(body, "subscription", CK_PUSH_TEXT_SIZE - 1, false, &text, refusal);
    if (r == 0 && (staff == 0) == (person == 0)) {
        return ck_turn_deny(turn, actor, "staff", 0, 0, "only one's own browser", refusal);
    }
    r = r != 0      ? r
        : subscribe ? ck_push_insert(turn->store, staff, person, text, turn->now.wall)
                    : ck_push_remove(turn->store, staff, person, text);
    return r == 0 ? ck_turn_audit(turn, actor,
                                  &(struct ck_record){.action = subscribe ? "PUSH_SUBSCRIBED"
                                                                          : "PUSH_UNSUBSCRIBED",
                                                      .object = staff != 0 ? "staff" : "person",
                                                      .object_id = staff != 0 ? staff : person,
                                                      .person_id = person})
                  : r;
}

/* {subscription: text of PushSubscription.toJSON()} of the actor's own browser; whether its service
 * is one that we speak to was checked where it came in. */
static int subscribe(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    return change_push(turn, actor, body, true, refusal);
}

static int unsubscribe(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    return change_push(turn, actor, body, false, refusal);
}

const struct ck_handler_entry ck_path_handlers[] = {
    {"path.test", test_now},
    {"push.subscribe", subscribe},
    {"push.unsubscribe", unsubscribe},
};
const size_t ck_path_handler_count = sizeof ck_path_handlers / sizeof ck_path_handlers[0];
