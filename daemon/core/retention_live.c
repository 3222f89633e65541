/* What has had its time is destroyed: the key first, in the transaction that records it; a file
 * afterwards, by the loop, as often as it takes until it says that the file is gone. Nobody does it
 * by hand and nobody shortens it: the policy of the house says how long, a hold keeps longer. What
 * the configuration says is in force where it is longer than before; where it is shorter, once two
 * persons have agreed: whoever can write that file destroys nothing by it alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "daemon/store/erase.h"
#include "daemon/store/retention.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define DAY_MS INT64_C(86400000)
#define FILE_RETRY_MS 60000    /* until a file is asked for again */
#define LOG_BATCH 2000         /* entries of the log whose text goes in one turn */
#define REMIND_MS (7 * DAY_MS) /* of an overdue review */
#define REMIND_DEADLINE_MS DAY_MS
#define SETTING "retention" /* what is in force */
#define SETTING_WISH "retention.wish"

/* ---- what is in force ---- */

int ck_retention_in_force(struct ck_store *store, const struct ck_retention_rules *wish,
                          struct ck_retention_rules *rules)
{
    ck_cleanup(ck_freep) char *text = NULL;
    int r = ck_store_setting(store, SETTING, &text);
    *rules = *wish;
    if (r != 0) {
        return r == CK_E_NOT_FOUND ? 0 : r;
    }
    ck_cleanup(ck_json_decrefp_core) json_t *days = json_loads(text, 0, NULL);
    for (int keep = 0; keep < CK_KEEP_COUNT; keep++) {
        const json_t *kept = json_object_get(days, ck_keep_name((enum ck_keep)keep));
        int64_t kept_ms = json_integer_value(kept) * DAY_MS;
        rules->keep_ms[keep] = kept_ms > rules->keep_ms[keep] ? kept_ms : rules->keep_ms[keep];
    }
    return 0;
}

static int in_force(const struct ck_turn *turn, struct ck_retention_rules *rules)
{
    return ck_retention_in_force(turn->store, &turn->engine->rules.retention, rules);
}

static int over_at(const struct ck_turn *turn, const struct ck_expiry_row *row, struct ck_wall *at)
{
    struct ck_retention_rules rules;
    int r = in_force(turn, &rules);
    if (r == 0) {
        *at = ck_wall_add_ms(row->since, rules.keep_ms[row->keep]);
    }
    return r;
}

/* ---- what begins to count ---- */

int ck_retention_recording(struct ck_turn *turn, int64_t recording, int64_t person)
{
    struct ck_retention_rules rules;
    int r = in_force(turn, &rules);
    return r == 0 ? ck_expiry_add(turn->store, CK_KEEP_RECORDING, person, recording, turn->now.wall,
                                  ck_wall_add_ms(turn->now.wall, rules.keep_ms[CK_KEEP_RECORDING]))
                  : r;
}

int ck_retention_person(struct ck_turn *turn, int64_t person)
{
    struct ck_retention_rules rules;
    bool bound = false;
    int r = ck_person_is_bound(turn->store, person, &bound);
    r = r == 0 ? in_force(turn, &rules) : r;
    if (r == 0 && bound) {
        return ck_expiry_cancel(turn->store, person);
    }
    for (int keep = CK_KEEP_RISK; r == 0 && keep <= CK_KEEP_CASE_FILE; keep++) {
        r = ck_expiry_add(turn->store, (enum ck_keep)keep, person, 0, turn->now.wall,
                          ck_wall_add_ms(turn->now.wall, rules.keep_ms[keep]));
    }
    return r;
}

/* The end of a year, at which the log of who came in during it begins to count. UTC: the log is
 * nobody's and of no unit. */
static struct ck_wall year_end(struct ck_wall at)
{
    struct ck_civil civil = ck_date_civil((struct ck_date){(int32_t)(at.ms / DAY_MS)});
    struct ck_date next =
        ck_date_of((struct ck_civil){.year = civil.year + 1, .month = 1, .day = 1});
    return (struct ck_wall){next.day * DAY_MS};
}

/* ---- the policy ---- */

/* Days of each class, as the setting and the record have it. */
static json_t *policy_json(const struct ck_retention_rules *rules)
{
    json_t *policy = json_object();
    for (int keep = 0; keep < CK_KEEP_COUNT; keep++) {
        json_object_set_new(policy, ck_keep_name((enum ck_keep)keep),
                            json_integer((json_int_t)(rules->keep_ms[keep] / DAY_MS)));
    }
    return policy;
}

/* Puts times in force, for what is kept already as well. `by` (or NULL) goes into the record. */
static int put_in_force(struct ck_turn *turn, const struct ck_actor *actor,
                        const struct ck_retention_rules *rules, json_t *by)
{
    ck_cleanup(ck_json_decrefp_core) json_t *open = by == NULL ? json_object() : by;
    json_t *policy = policy_json(rules);
    ck_cleanup(ck_freep) char *text = json_dumps(policy, JSON_COMPACT | JSON_SORT_KEYS);
    int r = text == NULL || json_object_set_new(open, "days", policy) != 0
                ? -ENOMEM
                : ck_store_set_setting(turn->store, SETTING, text);
    for (int keep = 0; r == 0 && keep < CK_KEEP_COUNT; keep++) {
        r = ck_expiry_reckon(turn->store, (enum ck_keep)keep, rules->keep_ms[keep]);
    }
    return r == 0 ? ck_turn_audit(turn, actor,
                                  &(struct ck_record){.action = "RETENTION_IN_FORCE",
                                                      .object = "setting",
                                                      .open = json_incref(open)})
                  : r;
}

/* That the configuration says something shorter is in the log once, and changes nothing. */
static int note_wish(struct ck_turn *turn, const struct ck_retention_rules *rules)
{
    const struct ck_retention_rules *wish = &turn->engine->rules.retention;
    const struct ck_actor actor = ck_actor_system();
    ck_cleanup(ck_freep) char *before = NULL;
    ck_cleanup(ck_json_decrefp_core) json_t *days = json_object();
    for (int keep = 0; keep < CK_KEEP_COUNT; keep++) {
        if (wish->keep_ms[keep] < rules->keep_ms[keep]) {
            json_object_set_new(days, ck_keep_name((enum ck_keep)keep),
                                json_integer((json_int_t)(wish->keep_ms[keep] / DAY_MS)));
        }
    }
    ck_cleanup(ck_freep) char *text = json_dumps(days, JSON_COMPACT | JSON_SORT_KEYS);
    int r = text == NULL ? -ENOMEM : ck_store_setting(turn->store, SETTING_WISH, &before);
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    if (strcmp(before == NULL ? "{}" : before, text) == 0) {
        return 0;
    }
    r = ck_store_set_setting(turn->store, SETTING_WISH, text);
    return r != 0 || json_object_size(days) == 0
               ? r
               : ck_turn_audit(turn, &actor,
                               &(struct ck_record){.action = "RETENTION_WISHED",
                                                   .object = "setting",
                                                   .open = json_pack("{s:O}", "days", days)});
}

int ck_retention_sync(struct ck_turn *turn)
{
    struct ck_retention_rules rules;
    const struct ck_actor actor = ck_actor_system();
    struct ck_wall end = year_end(turn->now.wall);
    ck_cleanup(ck_freep) char *before = NULL;
    int r = in_force(turn, &rules);
    if (r == 0) {
        r = ck_expiry_add(turn->store, CK_KEEP_ACCESS_LOG, 0, 0, end,
                          ck_wall_add_ms(end, rules.keep_ms[CK_KEEP_ACCESS_LOG]));
    }
    r = r == 0 ? note_wish(turn, &rules) : r;
    ck_cleanup(ck_json_decrefp_core) json_t *policy = policy_json(&rules);
    ck_cleanup(ck_freep) char *text = json_dumps(policy, JSON_COMPACT | JSON_SORT_KEYS);
    r = r == 0 && text == NULL ? -ENOMEM : r;
    r = r == 0 ? ck_store_setting(turn->store, SETTING, &before) : r;
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    return before != NULL && strcmp(before, text) == 0 ? 0
                                                       : put_in_force(turn, &actor, &rules, NULL);
}

/* ---- shorter, by two persons ---- */

/* {request: {days: {class: days}}}: classes for which the configuration says so, and which are kept
 * longer so far. *rules: what is in force with them. */
static int read_shorter(struct ck_turn *turn, const json_t *body, struct ck_retention_rules *rules,
                        struct ck_refusal *refusal)
{
    const struct ck_retention_rules *wish = &turn->engine->rules.retention;
    const json_t *days = json_object_get(json_object_get(body, "request"), "days");
    size_t shorter = 0;
    int r = in_force(turn, rules);
    for (int keep = 0; r == 0 && keep < CK_KEEP_COUNT; keep++) {
        const json_t *asked = json_object_get(days, ck_keep_name((enum ck_keep)keep));
        if (json_is_integer(asked) && wish->keep_ms[keep] < rules->keep_ms[keep] &&
            json_integer_value(asked) == wish->keep_ms[keep] / DAY_MS) {
            rules->keep_ms[keep] = wish->keep_ms[keep];
            shorter++;
        }
    }
    return r != 0 || (shorter > 0 && shorter == json_object_size(days))
               ? r
               : ck_refuse(refusal, CK_E_CONFLICT, "days",
                           "only what [retention] of the configuration says, and what is shorter "
                           "than what is in force");
}

static int shorter_proposed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                            json_t **result, struct ck_refusal *refusal)
{
    struct ck_retention_rules rules;
    (void)actor;
    (void)result;
    return read_shorter(turn, body, &rules, refusal);
}

static int shorter_approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                            json_t **result, struct ck_refusal *refusal)
{
    struct ck_retention_rules rules;
    (void)result;
    int r = read_shorter(turn, body, &rules, refusal);
    return r == 0
               ? put_in_force(turn, actor, &rules,
                              json_pack("{s:O, s:O}", "approval", json_object_get(body, "approval"),
                                        "proposer", json_object_get(body, "proposer")))
               : r;
}

/* ---- its time is over ---- */

static int record(struct ck_turn *turn, const struct ck_expiry_row *row, const char *action)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_retention_rules rules;
    char since[CK_WALL_TEXT_SIZE];
    ck_wall_text(row->since, since);
    bool recording = row->keep == CK_KEEP_RECORDING;
    int r = in_force(turn, &rules);
    if (r != 0) {
        return r;
    }
    return ck_turn_audit(
        turn, &actor,
        &(struct ck_record){
            .action = action,
            .object = recording          ? "recording"
                      : row->person != 0 ? "person"
                                         : "log",
            .object_id = recording ? row->recording : row->person,
            .person_id = row->person,
            .open = json_pack("{s:s, s:s, s:I}", "class", ck_keep_name(row->keep), "since", since,
                              "keep_days", (json_int_t)(rules.keep_ms[row->keep] / DAY_MS)),
        });
}

/* The file of a recording whose key is gone: the loop removes it and says so. */
static int ask_for_file(struct ck_turn *turn, const struct ck_expiry_row *row)
{
    char file[128];
    int r = ck_erase_recording(turn->store, row->recording, file, sizeof file);
    return r == 0
               ? ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_ERASE_FILE,
                                                          .id = row->recording,
                                                          .body = json_pack("{s:s}", "file", file)})
               : r;
}

/* With the case file goes what came after the time of its own class: a score or a photo entered
 * while nobody was bound. */
static int erase_all_of_person(struct ck_turn *turn, int64_t person)
{
    int r = ck_erase_risk(turn->store, person);
    r = r == 0 ? ck_erase_photo(turn->store, person) : r;
    r = r == 0 ? ck_erase_contact(turn->store, person, turn->now.wall) : r;
    r = r == 0 ? ck_erase_messages(turn->store, person) : r;
    r = r == 0 ? ck_erase_concern(turn->store, person) : r;
    return r == 0 ? ck_erase_case_file(turn->store, person) : r;
}

/* One class of a person's own data. *left: the rest follows in further turns. */
static int erase_of_person(struct ck_turn *turn, const struct ck_expiry_row *row, bool *left)
{
    switch (row->keep) {
    case CK_KEEP_RISK:
        return ck_erase_risk(turn->store, row->person);
    case CK_KEEP_PHOTO:
        return ck_erase_photo(turn->store, row->person);
    case CK_KEEP_CONTACT:
        return ck_erase_contact(turn->store, row->person, turn->now.wall);
    case CK_KEEP_MESSAGES:
        return ck_erase_messages(turn->store, row->person);
    case CK_KEEP_CONCERN:
        return ck_erase_concern(turn->store, row->person);
    default:
        *left = true;
        ck_audit_forget(&turn->engine->audit); /* its salt goes with it */
        return erase_all_of_person(turn, row->person);
    }
}

/* A year's log of who came in: goes on to the next one when all of it is done. */
static int erase_access(struct ck_turn *turn, struct ck_expiry_row *row)
{
    bool left = false;
    int r = row->state == CK_EXPIRY_KEPT ? record(turn, row, "EXPIRY_ERASED") : 0;
    r = r == 0 ? ck_erase_access_log(turn->store, row->since, LOG_BATCH, &left) : r;
    row->state = left ? CK_EXPIRY_ERASING : CK_EXPIRY_KEPT;
    row->next_at = turn->now.wall;
    if (!left) {
        row->since = year_end(row->since);
        r = r == 0 ? over_at(turn, row, &row->next_at) : r;
    }
    return r;
}

/* What follows after the key: the file, or the text beside the log. */
static int go_on(struct ck_turn *turn, struct ck_expiry_row *row)
{
    bool left = false;
    int r;
    if (row->keep == CK_KEEP_RECORDING) {
        row->next_at = ck_wall_add_ms(turn->now.wall, FILE_RETRY_MS);
        return ask_for_file(turn, row);
    }
    if (row->keep == CK_KEEP_ACCESS_LOG) {
        return erase_access(turn, row);
    }
    r = ck_erase_log_of_person(turn->store, row->person, LOG_BATCH, &left);
    row->state = left ? CK_EXPIRY_ERASING : CK_EXPIRY_ERASED;
    row->next_at = left ? turn->now.wall : (struct ck_wall){0};
    return r;
}

static int erase(struct ck_turn *turn, struct ck_expiry_row *row)
{
    bool left = false;
    turn->erased = true;
    if (row->keep == CK_KEEP_ACCESS_LOG) {
        return erase_access(turn, row);
    }
    int r = record(turn, row, "EXPIRY_ERASED");
    if (r == 0 && row->keep == CK_KEEP_RECORDING) {
        row->state = CK_EXPIRY_ERASING;
        return go_on(turn, row);
    }
    r = r == 0 ? erase_of_person(turn, row, &left) : r;
    row->state = left ? CK_EXPIRY_ERASING : CK_EXPIRY_ERASED;
    row->next_at = left ? turn->now.wall : (struct ck_wall){0};
    return r;
}

int ck_expiry_due(struct ck_turn *turn, const struct ck_due *due)
{
    struct ck_expiry_row row;
    bool held = false, waits = false, something = true;
    int r = ck_expiry_load(turn->store, due->id, &row);
    if (r == CK_E_NOT_FOUND || (r == 0 && row.fence != due->fence)) {
        return CK_E_FENCED;
    }
    if (r == 0 && row.person != 0 && row.recording == 0 && row.state != CK_EXPIRY_ERASING) {
        r = ck_erase_is_due(turn->store, row.keep, row.person, &something);
    }
    r = r == 0 ? ck_expiry_is_held(turn->store, &row, &held) : r;
    if (r == 0 && row.keep == CK_KEEP_CASE_FILE) {
        r = ck_expiry_has_recordings(turn->store, row.person, &waits);
    }
    if (r == 0 && row.keep == CK_KEEP_CONCERN) {
        r = ck_expiry_has_open_concern(turn->store, row.person, &waits);
    }
    struct ck_wall over;
    r = r == 0 ? over_at(turn, &row, &over) : r;
    if (r != 0) {
        return r;
    }
    if (row.state == CK_EXPIRY_ERASING) {
        turn->erased = true;
        r = go_on(turn, &row);
    } else if (ck_wall_before(turn->now.wall, over)) {
        row.next_at = over; /* the policy keeps it longer than when the row was made */
    } else if (!something) {
        return ck_expiry_drop(turn->store, row.id); /* nothing is erased, so nothing is recorded */
    } else if (held) {
        row.state = CK_EXPIRY_HELD;
        row.next_at = (struct ck_wall){0};
        r = record(turn, &row, "EXPIRY_HELD");
    } else if (waits) {
        /* The records of what becomes of a recording need the salt that goes with the file; whoever
         * still looks after somebody's safety needs what was reported. */
        row.next_at = ck_wall_add_ms(turn->now.wall, FILE_RETRY_MS);
    } else {
        r = erase(turn, &row);
    }
    return r == 0 ? ck_expiry_save(turn->store, &row, turn->now.wall) : r;
}

/* {recording}: its file is not there any more. */
static int file_gone(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    struct ck_expiry_row row;
    int64_t id = 0, expiry = 0;
    (void)result;
    int r = ck_body_id(body, "recording", &id, refusal);
    if (r == 0 && actor->kind != CK_ACTOR_SYSTEM) {
        return ck_turn_deny(turn, actor, "recording", id, 0, "files are removed by ourselves",
                            refusal);
    }
    r = r == 0 ? ck_expiry_of_recording(turn->store, id, &expiry) : r;
    r = r == 0 ? ck_expiry_load(turn->store, expiry, &row) : r;
    if (r == CK_E_NOT_FOUND || (r == 0 && row.state == CK_EXPIRY_KEPT)) {
        return ck_refuse(refusal, CK_E_CONFLICT, "recording", "its time is not over");
    }
    if (r != 0 || row.state == CK_EXPIRY_ERASED) {
        return r; /* told twice */
    }
    row.state = CK_EXPIRY_ERASED;
    row.next_at = (struct ck_wall){0};
    r = record(turn, &row, "RECORDING_FILE_GONE");
    return r == 0 ? ck_expiry_save(turn->store, &row, turn->now.wall) : r;
}

/* ---- reviews of holds ---- */

static int tell_supervisors(struct ck_turn *turn, const struct ck_hold_row *hold, int64_t unit)
{
    return ck_notice_supervisors(
        turn, unit, CK_SUPERVISORS_MAX, 0,
        &(struct ck_effect_notify){.template = CK_TEMPLATE_HOLD_REVIEW,
                                   .step = (uint32_t)hold->id,
                                   .fire = (uint32_t)hold->reminded,
                                   .deadline = ck_wall_add_ms(turn->now.wall, REMIND_DEADLINE_MS)});
}

int ck_hold_due(struct ck_turn *turn, const struct ck_due *due)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_hold_row hold;
    struct ck_subject subject;
    int r = ck_hold_load(turn->store, due->id, &hold);
    if (r == 0 && hold.fence != due->fence) {
        return CK_E_FENCED;
    }
    r = r == 0 ? ck_subject_load(turn->store, hold.person, &subject) : r;
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    hold.reminded++;
    hold.next_at = ck_wall_add_ms(turn->now.wall, REMIND_MS);
    r = ck_turn_audit(
        turn, &actor,
        &(struct ck_record){.action = "HOLD_REVIEW_OVERDUE",
                            .object = "hold",
                            .object_id = hold.id,
                            .person_id = hold.person,
                            .open = json_pack("{s:I}", "times", (json_int_t)hold.reminded)});
    r = r == 0 ? tell_supervisors(turn, &hold, subject.unit) : r;
    r = r == 0 ? ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_TODAY,
                                                          .unit_id = subject.unit,
                                                          .person_id = hold.person})
               : r;
    return r == 0 ? ck_hold_save(turn->store, &hold) : r;
}

const struct ck_handler_entry ck_retention_handlers[] = {
    {"recording.file_gone", file_gone},
    {"proposed.retention.shorten", shorter_proposed},
    {"approved.retention.shorten", shorter_approved},
};
const size_t ck_retention_handler_count =
    sizeof ck_retention_handlers / sizeof ck_retention_handlers[0];
