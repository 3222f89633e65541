/* Notices: rows of the outbox, and what comes of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

/* Each ring by SMS, mail and telephone, and on each browser. */
#define PENDING_MAX (CK_ATTEMPTS_MAX * (3 + CK_PUSH_BROWSERS_MAX))
#define TOKEN_SIZE 16   /* 128 bits */
#define DIGEST_PAGE 100 /* fires of a digest that are read at a time */

_Static_assert(CK_ADDRESS_SIZE == CK_PUSH_TEXT_SIZE, "a subscription is an address");

static bool configured(const struct ck_engine *engine, enum ck_channel channel)
{
    return (engine->options.channels & CK_CHANNEL_BIT(channel)) != 0;
}

static bool gives_receipts(const struct ck_engine *engine, enum ck_channel channel)
{
    return (channel == CK_CHANNEL_SMS && engine->options.sms_receipts) ||
           (channel == CK_CHANNEL_VOICE && engine->options.voice_receipts);
}

/* ---- making ---- */

static void begin(struct ck_turn *turn, struct ck_notice_row *row)
{
    row->step.receipts = gives_receipts(turn->engine, row->step.channel);
    ck_notice_begin(&row->step, turn->now.wall);
    if (row->not_before.ms > turn->now.wall.ms) {
        row->step.next_at = row->not_before;
    }
    ck_reference_make(turn, 'N', row->reference);
}

/* A record of a notice, under the person whom it is about: one to the staff as well, whose incident
 * or check-in it is; or nobody. */
static int record_of(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_notice_row *row, struct ck_record *about)
{
    about->object = "notice";
    about->object_id = row->step.id;
    int r = ck_log_owner(turn->store, about->object, about->object_id, &about->person_id);
    if (r != 0) {
        json_decref(about->open);
        json_decref(about->sealed);
        return r > 0 ? -EUCLEAN : r;
    }
    return ck_turn_audit(turn, actor, about);
}

static int record(struct ck_turn *turn, const struct ck_notice_row *row)
{
    const struct ck_actor actor = ck_actor_system();
    return record_of(
        turn, &actor, row,
        &(struct ck_record){
            .action = "NOTICE_QUEUED",
            .open =
                json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "channel",
                          ck_channel_name(row->step.channel), "template",
                          ck_template_name(row->template), "reference", row->reference, "step",
                          (json_int_t)row->ladder_step, "fire", (json_int_t)row->fire, "checkin",
                          (json_int_t)row->checkin, "incident", (json_int_t)row->incident),
            .sealed = json_pack("{s:s, s:I}", "to", row->address, "staff", (json_int_t)row->staff),
        });
}

/* Inserts under a reference that nobody has yet. */
static int insert_row(struct ck_turn *turn, struct ck_notice_row *row)
{
    int r = CK_E_CONFLICT;
    for (int tries = 0; r == CK_E_CONFLICT && tries < CK_REFERENCE_TRIES; tries++) {
        begin(turn, row);
        r = ck_notice_insert(turn->store, row);
    }
    return r == CK_E_CONFLICT ? -EEXIST : r;
}

/* Inserts, records and shows one; a notice that is there already is no news. */
static int insert(struct ck_turn *turn, struct ck_notice_row *row, int *count)
{
    bool exists = false;
    int r = ck_notice_exists(turn->store, row, &exists);
    if (r != 0 || exists) {
        return r;
    }
    r = insert_row(turn, row);
    if (r == 0) {
        r = record(turn, row);
    }
    if (r == 0 && row->incident != 0) {
        r = ck_incident_line(turn->store, row->incident, turn->now.wall, "notice", row->staff,
                             row->step.id, NULL);
    }
    if (r == 0) {
        (*count)++;
    }
    return r;
}

static int ring_one(struct ck_turn *turn, const struct ck_checkin_row *row,
                    const struct ck_subject *subject, uint32_t attempt, enum ck_channel channel,
                    const char *address, int *count)
{
    if (address[0] == '\0' || !configured(turn->engine, channel)) {
        return 0;
    }
    struct ck_notice_row notice = {
        .step = {.channel = channel, .deadline = row->step.answer_until},
        .checkin = row->step.id,
        .person = row->step.person,
        .fire = attempt,
        .template = CK_TEMPLATE_RING,
    };
    snprintf(notice.address, sizeof notice.address, "%s", address);
    snprintf(notice.language, sizeof notice.language, "%s", subject->language);
    return insert(turn, &notice, count);
}

/* Every browser of somebody that has subscribed. */
static int browsers_of(struct ck_turn *turn, int64_t staff, int64_t person,
                       char texts[CK_PUSH_BROWSERS_MAX][CK_PUSH_TEXT_SIZE], size_t *count)
{
    int64_t ids[CK_PUSH_BROWSERS_MAX];
    int r = ck_push_of(turn->store, staff, person, ids, CK_PUSH_BROWSERS_MAX, count);
    for (size_t i = 0; r == 0 && i < *count; i++) {
        r = ck_push_text(turn->store, ids[i], texts[i]);
    }
    return r;
}

/* By message at every attempt; at the last one the telephone rings as well. */
int ck_notice_ring(struct ck_turn *turn, const struct ck_checkin_row *row, uint32_t attempt,
                   int *count)
{
    struct ck_subject subject;
    char browsers[CK_PUSH_BROWSERS_MAX][CK_PUSH_TEXT_SIZE];
    size_t browser_count = 0;
    int r = ck_subject_load(turn->store, row->step.person, &subject);
    r = r == 0 ? ring_one(turn, row, &subject, attempt, CK_CHANNEL_SMS, subject.phone, count) : r;
    r = r == 0 ? ring_one(turn, row, &subject, attempt, CK_CHANNEL_EMAIL, subject.email, count) : r;
    r = r == 0 ? browsers_of(turn, 0, row->step.person, browsers, &browser_count) : r;
    for (size_t i = 0; r == 0 && i < browser_count; i++) {
        r = ring_one(turn, row, &subject, attempt, CK_CHANNEL_WEB_PUSH, browsers[i], count);
    }
    if (r == 0 && attempt >= row->attempts) {
        r = ring_one(turn, row, &subject, attempt, CK_CHANNEL_VOICE, subject.phone, count);
    }
    return r;
}

static const char *staff_address(const struct ck_recipient *person, enum ck_channel channel)
{
    switch (channel) {
    case CK_CHANNEL_CONSOLE:
        return "console";
    case CK_CHANNEL_EMAIL:
        return person->email;
    case CK_CHANNEL_SMS:
    case CK_CHANNEL_VOICE:
        return person->phone;
    default:
        return "";
    }
}

/* Webhooks go to the agency's own systems, once a fire whoever else is told. They tell no human:
 * what stands behind them in a list is not kept waiting, so they are not counted. */
static int insert_webhooks(struct ck_turn *turn, const struct ck_notice_row *like)
{
    const struct ck_engine_options *options = &turn->engine->options;
    int r = 0, count = 0;
    for (size_t i = 0; r == 0 && i < options->webhook_count; i++) {
        struct ck_notice_row notice = *like;
        notice.staff = 0;
        notice.step.channel = CK_CHANNEL_WEBHOOK;
        memset(notice.step.rest, 0, sizeof notice.step.rest);
        snprintf(notice.address, sizeof notice.address, "%s", options->webhooks[i]);
        r = insert(turn, &notice, &count);
    }
    return r;
}

/* Where somebody is reached over a channel: each of their browsers, or their one address; none
 * where they, or the house, do not have it. */
static int addresses_of(struct ck_turn *turn, const struct ck_recipient *person,
                        enum ck_channel channel,
                        char addresses[CK_PUSH_BROWSERS_MAX][CK_ADDRESS_SIZE], size_t *count)
{
    *count = 0;
    if (channel != CK_CHANNEL_CONSOLE && !configured(turn->engine, channel)) {
        return 0;
    }
    if (channel == CK_CHANNEL_WEB_PUSH) {
        return browsers_of(turn, person->id, 0, addresses, count);
    }
    snprintf(addresses[0], CK_ADDRESS_SIZE, "%s", staff_address(person, channel));
    *count = addresses[0][0] != '\0';
    return 0;
}

/* One channel of one member of staff; nothing where they do not have it. */
static int insert_staff(struct ck_turn *turn, const struct ck_recipient *person,
                        const struct ck_notice_row *like, int *count)
{
    char addresses[CK_PUSH_BROWSERS_MAX][CK_ADDRESS_SIZE];
    size_t address_count = 0;
    if (like->step.channel == CK_CHANNEL_WEBHOOK) {
        return insert_webhooks(turn, like);
    }
    int r = addresses_of(turn, person, like->step.channel, addresses, &address_count);
    for (size_t i = 0; r == 0 && i < address_count; i++) {
        struct ck_notice_row notice = *like;
        memcpy(notice.address, addresses[i], sizeof notice.address);
        r = insert(turn, &notice, count);
    }
    return r;
}

/* A digest is about nobody in particular: that this incident is told in it is a record of its own.
 */
static int record_in_digest(struct ck_turn *turn, int64_t incident, int64_t digest)
{
    const struct ck_actor actor = ck_actor_system();
    int64_t person = 0;
    int r = ck_log_owner(turn->store, "incident", incident, &person);
    return r == 0 ? ck_turn_audit(turn, &actor,
                                  &(struct ck_record){
                                      .action = "INCIDENT_IN_DIGEST",
                                      .object = "incident",
                                      .object_id = incident,
                                      .person_id = person,
                                      .open = json_pack("{s:I}", "notice", (json_int_t)digest)})
                  : r;
}

/* Told there from now on, with the record and the line of the incident. */
static int tell_in_digest(struct ck_turn *turn, const struct ck_digest_fire *fire, int64_t staff,
                          int64_t digest)
{
    int r = ck_digest_add(turn->store, digest, fire->incident, fire->fire);
    if (r == CK_E_CONFLICT) {
        return 0;
    }
    r = r == 0 ? record_in_digest(turn, fire->incident, digest) : r;
    return r == 0 ? ck_incident_line(turn->store, fire->incident, turn->now.wall, "digest", staff,
                                     digest, NULL)
                  : r;
}

/* One address of a digest: joins the one that waits there, or makes the next one, which leaves when
 * the last one is old enough. */
static int join_digest(struct ck_turn *turn, struct ck_notice_row notice, int64_t incident,
                       int *count)
{
    const struct ck_storm_policy policy = turn->engine->rules.storm;
    const struct ck_digest_fire fire = {incident, notice.fire};
    int64_t waiting = 0, before = 0;
    struct ck_wall last = {0};
    int made = 0;
    int r =
        ck_digest_waiting(turn->store, notice.staff, notice.step.channel, notice.address, &waiting);
    if (r == CK_E_NOT_FOUND) {
        r = ck_digest_last(turn->store, notice.staff, notice.step.channel, notice.address,
                           notice.incident, &before, &last);
        notice.fire = (uint32_t)before + 1;
        notice.not_before = ck_storm_digest_at(last, &policy, turn->now.wall);
        notice.step.deadline = ck_wall_add_ms(notice.not_before, policy.digest_ms);
        r = r == 0 ? insert(turn, &notice, &made) : r;
        waiting = made > 0 ? notice.step.id : 0;
    }
    if (r != 0 || waiting == 0) {
        return r;
    }
    (*count)++;
    return tell_in_digest(turn, &fire, notice.staff, waiting);
}

/* One channel of a digest: every browser tells all. */
static int insert_digest(struct ck_turn *turn, const struct ck_recipient *person,
                         struct ck_notice_row notice, int64_t incident, int *count)
{
    char addresses[CK_PUSH_BROWSERS_MAX][CK_ADDRESS_SIZE];
    size_t address_count = 0;
    int r = addresses_of(turn, person, notice.step.channel, addresses, &address_count);
    for (size_t i = 0; r == 0 && i < address_count; i++) {
        memcpy(notice.address, addresses[i], sizeof notice.address);
        r = join_digest(turn, notice, incident, count);
    }
    return r;
}

typedef int fire_visit(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_digest_fire *fire, const struct ck_notice_row *notice);

/* All that a digest tells, or what of it nothing else tells any more. */
static int each_fire(struct ck_turn *turn, const struct ck_actor *actor, int64_t digest, bool lost,
                     fire_visit *visit, const struct ck_notice_row *notice)
{
    struct ck_digest_fire fires[DIGEST_PAGE], after = {0, 0};
    size_t count = DIGEST_PAGE;
    int r = 0;
    while (r == 0 && count == DIGEST_PAGE) {
        r = ck_digest_fires(turn->store, digest, lost, after, fires, DIGEST_PAGE, &count);
        for (size_t i = 0; r == 0 && i < count; i++) {
            r = visit(turn, actor, &fires[i], notice);
            after = fires[i];
        }
    }
    return r;
}

int ck_notice_staff(struct ck_turn *turn, const struct ck_notice_about *about,
                    const struct ck_effect_notify *notify)
{
    struct ck_recipient person;
    struct ck_storm storm = {.on = false};
    int64_t question = 0;
    int r = ck_recipient_load(turn->store, notify->staff, &person);
    if (r == 0 && notify->digest) {
        r = ck_storm_load(turn->store, &storm, &question);
    }
    if (r != 0) {
        return r;
    }
    bool digest = storm.on && question != 0 && question != about->incident;
    struct ck_notice_row notice = {
        .step = {.deadline = notify->deadline},
        .checkin = about->checkin,
        .incident = about->incident,
        .staff = person.id,
        .ladder_step = notify->step,
        .fire = notify->fire,
        .template = notify->template,
    };
    if (digest) {
        notice.template = CK_TEMPLATE_DIGEST;
        notice.incident = question;
        notice.checkin = 0;
        notice.ladder_step = 0;
    }
    snprintf(notice.language, sizeof notice.language, "%s", person.language);
    int count = 0;
    for (size_t i = 0; r == 0 && i < CK_CHANNELS_MAX; i++) {
        if (notify->channels[i] == CK_CHANNEL_NONE || (count > 0 && !notify->parallel)) {
            break;
        }
        notice.step.channel = (enum ck_channel)notify->channels[i];
        memset(notice.step.rest, 0, sizeof notice.step.rest);
        if (!notify->parallel) {
            memcpy(notice.step.rest, notify->channels + i + 1, CK_CHANNELS_MAX - i - 1);
        }
        r = digest && notice.step.channel != CK_CHANNEL_WEBHOOK
                ? insert_digest(turn, &person, notice, about->incident, &count)
                : insert_staff(turn, &person, &notice, &count);
    }
    return r;
}

int ck_notice_supervisors(struct ck_turn *turn, int64_t unit, size_t most, int64_t except,
                          const struct ck_effect_notify *notify)
{
    const struct ck_notice_about about = {.unit = unit};
    struct ck_effect_notify one = *notify;
    int64_t ids[CK_SUPERVISORS_MAX];
    size_t count = 0;
    one.channels[0] = CK_CHANNEL_EMAIL;
    one.channels[1] = CK_CHANNEL_WEB_PUSH;
    one.parallel = true;
    int r = ck_staff_of_role(turn->store, unit, CK_ROLE_SUPERVISOR, ids,
                             most < CK_SUPERVISORS_MAX ? most : CK_SUPERVISORS_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        one.staff = ids[i];
        r = ids[i] == except ? 0 : ck_notice_staff(turn, &about, &one);
    }
    return r;
}

int ck_notice_test(struct ck_turn *turn, const struct ck_notice_row *like, int64_t *id)
{
    struct ck_notice_row notice = *like;
    notice.template = CK_TEMPLATE_CONTACT_TEST;
    notice.step.deadline = ck_wall_add_ms(turn->now.wall, CK_PATH_TEST_MS);
    int count = 0;
    int r = insert(turn, &notice, &count);
    *id = notice.step.id;
    return r;
}

int ck_notice_cancel(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    const struct ck_actor actor = ck_actor_system();
    int64_t ids[PENDING_MAX];
    size_t count = 0;
    int r = ck_notice_pending_of(turn->store, row->step.id, ids, PENDING_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_notice_row notice;
        r = ck_notice_load(turn->store, ids[i], &notice);
        if (r == 0) {
            r = ck_notice_feed(turn, &actor, &notice,
                               &(struct ck_notice_event){.kind = CK_NOTICE_CANCEL});
        }
    }
    return r;
}

/* ---- sending ---- */

/* A fresh one-time link for this try: only its digest is kept, so an earlier one cannot be sent
 * again. */
static int make_link(struct ck_turn *turn, const struct ck_notice_row *row,
                     const struct ck_checkin_row *checkin, char path[static 64])
{
    uint8_t token[TOKEN_SIZE], digest[CK_SHA256_SIZE];
    char text[CK_BASE64URL_SIZE(TOKEN_SIZE)];
    ck_turn_random(turn, token, sizeof token);
    const struct ck_slice slice = {token, sizeof token};
    int r = ck_sha256(&slice, 1, digest);
    if (r == 0) {
        const struct ck_link link = {
            .person = row->person, .checkin = row->checkin, .expires = checkin->step.late_until};
        r = ck_link_insert(turn->store, digest, &link, row->step.id, turn->now.wall);
    }
    if (r == 0) {
        ck_base64url_encode(token, sizeof token, text);
        snprintf(path, 64, "/c/%s", text);
        ck_wipe(text, sizeof text);
    }
    ck_wipe(token, sizeof token);
    return r;
}

/* "19:00" where the check-in is held. */
static int local_time(struct ck_turn *turn, const struct ck_checkin_row *checkin,
                      char text[static 8])
{
    const struct ck_zone *zone = NULL;
    int r = ck_zones_find(turn->engine->zones, checkin->zone, &zone);
    if (r == 0) {
        struct ck_local local = ck_zone_local(
            zone, checkin->step.opened_at.ms != 0 ? checkin->step.opened_at : checkin->step.due);
        snprintf(text, 8, "%02d:%02d", (int)(local.second / 3600 % 24),
                 (int)(local.second / 60 % 60));
    }
    return r > 0 ? -EUCLEAN : r;
}

struct letter {
    char path[64];
    char time[8];
    const char *urgency;
    int64_t unit;
};

static int write_letter(struct ck_turn *turn, const struct ck_notice_row *row,
                        struct letter *letter)
{
    struct ck_checkin_row checkin;
    struct ck_incident_row incident;
    int r = 0;
    *letter = (struct letter){.urgency = "high"};
    if (row->incident != 0) {
        r = ck_incident_load(turn->store, row->incident, &incident);
        if (r == 0) {
            letter->urgency = ck_severity_name(incident.step.severity);
            letter->unit = incident.unit;
            if (row->template == CK_TEMPLATE_DIGEST) {
                snprintf(letter->path, sizeof letter->path, "/#/incidents");
            } else {
                snprintf(letter->path, sizeof letter->path, "/#/incidents/%lld",
                         (long long)row->incident);
            }
        }
        return r;
    }
    if (row->checkin == 0) {
        letter->urgency = "normal"; /* a test of the contact path, a hold's review */
        if (row->template == CK_TEMPLATE_HOLD_REVIEW) {
            snprintf(letter->path, sizeof letter->path, "/#/retention");
        } else if (row->template == CK_TEMPLATE_CASE_OPENED) {
            letter->urgency = "high";
            snprintf(letter->path, sizeof letter->path, "/#/log?action=CASE_OPENED");
        }
        return 0;
    }
    r = ck_checkin_load(turn->store, row->checkin, &checkin);
    if (r != 0) {
        return r;
    }
    letter->unit = checkin.unit;
    if (row->person == 0) {
        letter->urgency = "normal";
        snprintf(letter->path, sizeof letter->path, "/#/checkins/%lld", (long long)row->checkin);
        return 0;
    }
    r = local_time(turn, &checkin, letter->time);
    return r == 0 ? make_link(turn, row, &checkin, letter->path) : r;
}

static int send(struct ck_turn *turn, const struct ck_notice_row *row,
                const struct ck_effect *effect)
{
    struct letter letter;
    int r = write_letter(turn, row, &letter);
    if (r != 0) {
        return r;
    }
    char deadline[CK_WALL_TEXT_SIZE];
    ck_wall_text(row->step.deadline, deadline);
    r = ck_turn_output(
        turn, &(struct ck_output){
                  .kind = CK_OUTPUT_SEND,
                  .id = row->step.id,
                  .unit_id = letter.unit,
                  .staff_id = row->staff,
                  .person_id = row->person,
                  .checkin_id = row->checkin,
                  .incident_id = row->incident,
                  .body = json_pack(
                      "{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:I, s:s}", "reference",
                      row->reference, "channel", ck_channel_name(row->step.channel), "template",
                      ck_template_name(row->template), "to", row->address, "language",
                      row->language, "urgency", letter.urgency, "repeated",
                      (int)effect->send.possible_duplicate, "time", letter.time, "path",
                      letter.path, "try", (json_int_t)effect->send.tries, "deadline", deadline),
              });
    ck_wipe(&letter, sizeof letter);
    return r;
}

/* ---- effects ---- */

static int feed_unreachable(struct ck_turn *turn, const struct ck_actor *actor, int64_t id,
                            uint32_t fire)
{
    struct ck_incident_row incident;
    int r = ck_incident_load(turn->store, id, &incident);
    return r != 0 ? r
                  : ck_incident_feed(
                        turn, actor, &incident,
                        &(struct ck_incident_event){.kind = CK_INCIDENT_UNREACHABLE, .fire = fire});
}

static int lost_fire(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_digest_fire *fire, const struct ck_notice_row *notice)
{
    (void)notice;
    return feed_unreachable(turn, actor, fire->incident, fire->fire);
}

static int unreachable(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_notice_row *row)
{
    bool alive = true;
    if (row->incident == 0) {
        return 0;
    }
    if (row->template != CK_TEMPLATE_DIGEST) {
        int r = ck_notice_others_alive(turn->store, row, &alive);
        return r != 0 || alive ? r : feed_unreachable(turn, actor, row->incident, row->fire);
    }
    return each_fire(turn, actor, row->step.id, true, lost_fire, row);
}

static bool is_lost(const struct ck_notice_row *row)
{
    return row->step.state == CK_NOTICE_FAILED_PERM || row->step.state == CK_NOTICE_EXPIRED;
}

/* Whether the fire that this notice is of still wants somebody: one who has taken the incident over
 * is not told again. */
static int is_wanted(struct ck_turn *turn, const struct ck_notice_row *row, bool *wanted)
{
    struct ck_incident_row incident;
    *wanted = true;
    if (row->incident == 0 || row->template == CK_TEMPLATE_DIGEST) {
        return 0;
    }
    int r = ck_incident_load(turn->store, row->incident, &incident);
    if (r == 0) {
        *wanted = incident.step.state == CK_INCIDENT_OPEN;
    }
    return r;
}

static int moved_fire(struct ck_turn *turn, const struct ck_actor *actor,
                      const struct ck_digest_fire *fire, const struct ck_notice_row *notice)
{
    (void)actor;
    return tell_in_digest(turn, fire, notice->staff, notice->step.id);
}

/* What a digest tells goes along to one address of its next channel, into the one that waits there
 * already or one of its own, and the log says of each incident so. */
static int move_digest_to(struct ck_turn *turn, const struct ck_actor *actor,
                          const struct ck_notice_row *from, struct ck_notice_row to, int *count)
{
    int made = 0;
    int r = ck_digest_waiting(turn->store, from->staff, to.step.channel, to.address, &to.step.id);
    if (r == CK_E_NOT_FOUND) {
        r = insert(turn, &to, &made);
        if (r != 0 || made == 0) {
            return r;
        }
    }
    (*count)++;
    return r == 0 ? each_fire(turn, actor, from->step.id, false, moved_fire, &to) : r;
}

static int move_digest(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_recipient *person, const struct ck_notice_row *from,
                       struct ck_notice_row to, int *count)
{
    char addresses[CK_PUSH_BROWSERS_MAX][CK_ADDRESS_SIZE];
    size_t address_count = 0;
    if (to.step.channel == CK_CHANNEL_WEBHOOK) {
        return insert_webhooks(turn, &to);
    }
    int r = addresses_of(turn, person, to.step.channel, addresses, &address_count);
    for (size_t i = 0; r == 0 && i < address_count; i++) {
        memcpy(to.address, addresses[i], sizeof to.address);
        r = move_digest_to(turn, actor, from, to, count);
    }
    return r;
}

/* The next one in which the recipient has an address. Nothing is left where all have gone
 * meanwhile: a number that was removed, a browser that no longer takes notices, an account that was
 * closed. */
static int next_channel(struct ck_turn *turn, const struct ck_actor *actor,
                        const struct ck_notice_row *row)
{
    struct ck_recipient person;
    struct ck_notice_row notice = *row;
    bool wanted = false;
    int count = 0;
    int r = is_wanted(turn, row, &wanted);
    if (r != 0 || !wanted) {
        return r;
    }
    r = ck_recipient_load(turn->store, row->staff, &person);
    for (size_t i = 0; r == 0 && count == 0 && i < CK_CHANNELS_MAX; i++) {
        if (row->step.rest[i] == CK_CHANNEL_NONE) {
            break;
        }
        notice.step = (struct ck_notice){.channel = (enum ck_channel)row->step.rest[i],
                                         .deadline = row->step.deadline};
        memcpy(notice.step.rest, row->step.rest + i + 1, CK_CHANNELS_MAX - i - 1);
        notice.failure[0] = notice.provider_id[0] = '\0';
        r = row->template == CK_TEMPLATE_DIGEST
                ? move_digest(turn, actor, &person, row, notice, &count)
                : insert_staff(turn, &person, &notice, &count);
    }
    r = r == CK_E_NOT_FOUND ? 0 : r;
    return r == 0 && count == 0 && is_lost(row) ? unreachable(turn, actor, row) : r;
}

static int record_fact(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_notice_row *row, enum ck_fact fact, int64_t value)
{
    char action[64];
    ck_action_name("", ck_fact_name(fact), action);
    int r = fact == CK_FACT_NOTICE_DELAYED && row->incident != 0
                ? ck_incident_line_delay(turn->store, row->incident, turn->now.wall, row->staff,
                                         row->step.id, (struct ck_wall){value})
                : 0;
    if (r != 0) {
        return r;
    }
    return record_of(
        turn, actor, row,
        &(struct ck_record){
            .action = action,
            .open = fact == CK_FACT_NOTICE_STATE
                        ? json_pack("{s:s, s:I}", "state",
                                    ck_notice_state_name((enum ck_notice_state)value), "try",
                                    (json_int_t)row->step.tries)
                        : json_pack("{s:I}", "value", (json_int_t)value),
            .sealed = row->failure[0] == '\0' ? NULL : json_pack("{s:s}", "detail", row->failure),
        });
}

static int carry_out(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_notice_row *row, const struct ck_effect *effect)
{
    switch (effect->kind) {
    case CK_EFFECT_SEND:
        return send(turn, row, effect);
    case CK_EFFECT_NEXT_CHANNEL:
        return row->staff == 0 ? 0 : next_channel(turn, actor, row);
    case CK_EFFECT_UNREACHABLE:
        return unreachable(turn, actor, row);
    case CK_EFFECT_AUDIT:
        return record_fact(turn, actor, row, effect->audit.fact, effect->audit.value);
    default:
        return -EUCLEAN; /* not an effect of a notice */
    }
}

/* What the check-in learns from its notices to the person. */
static int tell_checkin(struct ck_turn *turn, const struct ck_actor *actor,
                        const struct ck_notice_row *row)
{
    enum ck_evidence evidence = CK_EVIDENCE_COUNT;
    switch (row->step.state) {
    case CK_NOTICE_ACCEPTED:
        evidence = CK_EVIDENCE_NOTICE_ACCEPTED;
        break;
    case CK_NOTICE_DELIVERED:
        evidence = CK_EVIDENCE_NOTICE_DELIVERED;
        break;
    case CK_NOTICE_READ:
        evidence = CK_EVIDENCE_NOTICE_READ;
        break;
    case CK_NOTICE_FAILED_PERM:
    case CK_NOTICE_EXPIRED:
        evidence = CK_EVIDENCE_NOTICE_FAILED;
        break;
    default:
        return 0;
    }
    struct ck_checkin_row checkin;
    int r = ck_checkin_load(turn->store, row->checkin, &checkin);
    if (r == 0) {
        r = ck_fact_insert(turn->store, row->checkin, row->fire, turn->now.wall, "server",
                           ck_evidence_name(evidence), ck_channel_name(row->step.channel));
    }
    if (r == 0) {
        r = ck_checkin_evidence(turn, actor, &checkin, evidence, turn->now.wall);
    }
    return r;
}

int ck_notice_feed(struct ck_turn *turn, const struct ck_actor *actor, struct ck_notice_row *row,
                   const struct ck_notice_event *event)
{
    struct ck_notice next;
    struct ck_effects effects = {.count = 0};
    enum ck_notice_state before = row->step.state;
    int r = ck_notice_step(&row->step, event, &turn->engine->rules.notice, turn->now.wall, &next,
                           &effects);
    if (r != 0) {
        return r;
    }
    row->step = next;
    if (next.state == CK_NOTICE_DELIVERED && row->delivered_at.ms == 0) {
        row->delivered_at = turn->now.wall;
    }
    if (next.state == CK_NOTICE_READ && row->read_at.ms == 0) {
        row->read_at = turn->now.wall;
    }
    r = ck_notice_save(turn->store, row);
    for (uint32_t i = 0; r == 0 && i < effects.count; i++) {
        r = carry_out(turn, actor, row, &effects.items[i]);
    }
    if (r != 0 || next.state == before) {
        return r;
    }
    if (row->template == CK_TEMPLATE_CONTACT_TEST) {
        return ck_path_news(turn, row);
    }
    if (row->person != 0 && row->incident == 0) {
        return tell_checkin(turn, actor, row);
    }
    return row->incident == 0
               ? 0
               : ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_INCIDENT,
                                                          .id = row->incident,
                                                          .incident_id = row->incident,
                                                          .checkin_id = row->checkin});
}

int ck_notice_due(struct ck_turn *turn, const struct ck_due *due)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_notice_row row;
    int r = ck_notice_load(turn->store, due->id, &row);
    if (r == 0 && row.fence != due->fence) {
        r = CK_E_FENCED;
    }
    struct ck_notice_event event = {.kind = CK_NOTICE_TIMER};
    ck_turn_random(turn, &event.draw, sizeof event.draw);
    return r == 0 ? ck_notice_feed(turn, &actor, &row, &event) : r;
}

/* ---- commands ---- */

static int find_notice(struct ck_turn *turn, const json_t *body, struct ck_notice_row *row,
                       struct ck_refusal *refusal)
{
    int64_t id = json_integer_value(json_object_get(body, "notice"));
    const char *reference = json_string_value(json_object_get(body, "reference"));
    const char *provider = json_string_value(json_object_get(body, "provider_id"));
    const char *channel = json_string_value(json_object_get(body, "channel"));
    int r = 0;
    if (id == 0 && reference != NULL) {
        r = ck_notice_by_reference(turn->store, reference, &id);
    } else if (id == 0 && provider != NULL && channel != NULL) {
        r = ck_notice_by_provider_id(turn->store, channel, provider, &id);
    }
    if (r == 0) {
        r = ck_notice_load(turn->store, id, row);
    }
    return r == CK_E_NOT_FOUND ? ck_refuse(refusal, r, "notice", "there is no such notice") : r;
}

/* {notice, try, result, retry_after_ms?, gone?, provider_id?, detail?} */
static int notice_result(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"accepted", "limited", "refused",
                                        "rejected", "unknown", NULL};
    static const enum ck_notice_event_kind kinds[] = {CK_NOTICE_TAKEN, CK_NOTICE_LIMITED,
                                                      CK_NOTICE_REFUSED, CK_NOTICE_REJECTED,
                                                      CK_NOTICE_NO_ANSWER};
    struct ck_notice_row row = {.reference = ""};
    int word = 0;
    int64_t tries = 0;
    int r = ck_body_word(body, "result", words, &word, refusal);
    if (r == 0) {
        r = ck_body_int(body, "try", 1, UINT32_MAX, &tries, refusal);
    }
    if (r == 0) {
        r = find_notice(turn, body, &row, refusal);
    }
    if (r != 0) {
        return r;
    }
    struct ck_notice_event event = {.kind = kinds[word], .tries = (uint32_t)tries};
    int64_t wait = json_integer_value(json_object_get(body, "retry_after_ms"));
    if (wait > 0) {
        event.until = ck_wall_add_ms(turn->now.wall, wait);
    }
    ck_turn_random(turn, &event.draw, sizeof event.draw);
    const char *provider = json_string_value(json_object_get(body, "provider_id"));
    const char *detail = json_string_value(json_object_get(body, "detail"));
    if (provider != NULL) {
        snprintf(row.provider_id, sizeof row.provider_id, "%s", provider);
    }
    snprintf(row.failure, sizeof row.failure, "%s",
             event.kind == CK_NOTICE_TAKEN || detail == NULL ? "" : detail);
    (void)result;
    /* The browser has unsubscribed: there is nothing left to send to. */
    if (json_is_true(json_object_get(body, "gone")) && row.step.channel == CK_CHANNEL_WEB_PUSH) {
        r = ck_push_remove(turn->store, row.staff, row.person, row.address);
    }
    return r == 0 ? ck_notice_feed(turn, actor, &row, &event) : r;
}

/* A key pressed on the officer's own telephone takes the incident over. It is refused as any other
 * acknowledgement may be (closed; somebody else was first; holds the other side), and then it was
 * only read. */
static int taken_by_telephone(struct ck_turn *turn, const struct ck_actor *actor,
                              const struct ck_notice_row *row)
{
    struct ck_incident_row incident;
    struct ck_incident_event event = {.kind = CK_INCIDENT_ACKNOWLEDGE, .staff = row->staff};
    int r = ck_incident_load(turn->store, row->incident, &incident);
    if (r == 0 && ck_incident_held_by_another(&incident.step, row->staff)) {
        return 0;
    }
    r = r == 0 ? ck_incident_beside(turn, &incident.step, &event.beside) : r;
    r = r == 0 ? ck_incident_feed(turn, actor, &incident, &event) : r;
    if (r == CK_E_CONFLICT || r == CK_E_DENIED) {
        return 0;
    }
    return r == 0 ? ck_incident_line(turn->store, row->incident, turn->now.wall,
                                     "acknowledged_phone", row->staff, row->step.id, NULL)
                  : r;
}

/* {reference | (channel, provider_id), receipt: "delivered" | "read" | "failed", detail?} */
static int notice_receipt(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                          json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"delivered", "read", "failed", NULL};
    struct ck_notice_row row = {.reference = ""};
    int word = 0;
    int r = ck_body_word(body, "receipt", words, &word, refusal);
    if (r == 0) {
        r = find_notice(turn, body, &row, refusal);
    }
    /* A gateway speaks of what went its own way: one for messages acknowledges no telephone call.
     */
    const char *channel = json_string_value(json_object_get(body, "channel"));
    if (r == 0 && channel != NULL && strcmp(ck_channel_name(row.step.channel), channel) != 0) {
        r = ck_refuse(refusal, CK_E_NOT_FOUND, "notice", "there is no such notice");
    }
    if (r != 0) {
        return r;
    }
    const char *detail = json_string_value(json_object_get(body, "detail"));
    if (word == 2 && detail != NULL) {
        snprintf(row.failure, sizeof row.failure, "%s", detail);
    }
    (void)result;
    bool pressed = word == CK_RECEIPT_READ && row.step.state != CK_NOTICE_READ &&
                   row.step.channel == CK_CHANNEL_VOICE && row.staff != 0 && row.incident != 0 &&
                   row.template != CK_TEMPLATE_DIGEST;
    r = ck_notice_feed(
        turn, actor, &row,
        &(struct ck_notice_event){.kind = CK_NOTICE_RECEIPT, .receipt = (enum ck_receipt)word});
    return r == 0 && pressed ? taken_by_telephone(turn, actor, &row) : r;
}

const struct ck_handler_entry ck_notice_handlers[] = {
    {"notice.result", notice_result},
    {"notice.receipt", notice_receipt},
};
const size_t ck_notice_handler_count = sizeof ck_notice_handlers / sizeof ck_notice_handlers[0];
