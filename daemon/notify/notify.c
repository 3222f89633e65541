#include "daemon/notify/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/log.h"
#include "daemon/notify/words.h"
#include "protocol/base/error.h"

/* The duty roster is not told more often than this, however often writing fails. */
#define ALARM_EVERY_MS (15 * 60 * 1000)
#define NOBODY_REACHED_EVERY_MS (5 * 60 * 1000) /* as often as the ladder says it */
#define ALARMED_MAX 64
/* An alarm has no row that would be sent again: it is tried here, after pauses that double, until
 * about the time at which the roster may be told anew. */
#define ALARM_TRIES_MAX 9
#define ALARM_RETRY_FIRST_MS 5000
#define ALARM_RETRY_MAX_MS 120000
#define ALARMS_WAITING_MAX 1024

/* A notice that could not even be read. */
struct refused {
    struct refused *next;
    struct ck_sending sending;
    struct ck_sent sent;
};

/* An alarm that was not taken, until it is tried again. */
struct alarm {
    struct alarm *next;
    struct ck_sender *sender;
    struct ck_sending sending;
    uint64_t at_ms; /* of the loop's clock */
};

/* A test that waits for its answer; its sending carries -number in the place of a notice. */
struct test {
    struct test *next;
    int64_t number;
    ck_notify_tested *done;
    void *user;
};

struct ck_notify {
    struct ck_notify_options options;
    struct ck_sender *senders[CK_NOTIFY_CHANNELS];
    uv_loop_t *loop;
    uv_timer_t timer;
    struct refused *refused;
    struct alarm *alarms;
    size_t alarms_waiting;
    struct test *tests;
    int64_t last_test;
    struct alarmed {
        bool used;
        int64_t unit; /* 0: the whole house */
        uint64_t ms;  /* of the loop's clock */
    } alarmed[ALARMED_MAX];
    bool destroyed;
};

static const char *const channel_names[CK_NOTIFY_CHANNELS] = {"email", "sms", "webhook", "voice",
                                                              "web_push"};

/* ---- results ---- */

static void tell_result(struct ck_notify *notify, const struct ck_sending *sending,
                        const struct ck_sent *sent)
{
    json_t *body = json_pack("{s:I, s:I, s:s}", "notice", (json_int_t)sending->notice, "try",
                             (json_int_t)sending->tries, "result", ck_sent_kind_name(sent->kind));
    if (body == NULL) {
        return; /* the engine's time-out takes it for unknown */
    }
    if (sent->retry_after_ms > 0) {
        json_object_set_new(body, "retry_after_ms", json_integer(sent->retry_after_ms));
    }
    if (sent->gone) {
        json_object_set_new(body, "gone", json_true());
    }
    if (*sent->provider_id != '\0') {
        json_object_set_new(body, "provider_id", json_string(sent->provider_id));
    }
    if (*sent->detail != '\0') {
        json_object_set_new(body, "detail", json_string(sent->detail));
    }
    notify->options.result(notify->options.user, body);
}

static void log_failure(const char *channel, const struct ck_sending *sending,
                        const struct ck_sent *sent)
{
    if (sent->kind != CK_SENT_ACCEPTED) {
        ck_log_warning("notice not taken: channel=%s reference=%s try=%u result=%s detail=\"%s\"",
                       channel, sending->reference, sending->tries, ck_sent_kind_name(sent->kind),
                       sent->detail);
    }
}

static void finish_test(struct ck_notify *notify, int64_t number, const struct ck_sent *sent)
{
    for (struct test **at = &notify->tests; *at != NULL; at = &(*at)->next) {
        if ((*at)->number == number) {
            struct test *test = *at;
            *at = test->next;
            test->done(test->user, sent);
            free(test);
            return;
        }
    }
}

static struct ck_sender *sender_by_name(const struct ck_notify *notify, const char *name);
static void set_timer(struct ck_notify *notify);

static void alarm_again(struct ck_notify *notify, struct ck_sender *sender,
                        const struct ck_sending *sending, const struct ck_sent *sent)
{
    bool over = sent->kind == CK_SENT_ACCEPTED || sent->kind == CK_SENT_REJECTED;
    if (over || sending->tries >= ALARM_TRIES_MAX || sender == NULL) {
        return;
    }
    struct alarm *alarm =
        notify->alarms_waiting < ALARMS_WAITING_MAX ? malloc(sizeof *alarm) : NULL;
    if (alarm == NULL) {
        ck_log_error("alarm not sent again: reference=%s", sending->reference);
        return;
    }
    int64_t wait_ms = (int64_t)ALARM_RETRY_FIRST_MS << (sending->tries - 1);
    wait_ms = wait_ms > ALARM_RETRY_MAX_MS ? ALARM_RETRY_MAX_MS : wait_ms;
    wait_ms = wait_ms < sent->retry_after_ms ? sent->retry_after_ms : wait_ms;
    *alarm = (struct alarm){.next = notify->alarms,
                            .sender = sender,
                            .sending = *sending,
                            .at_ms = uv_now(notify->loop) + (uint64_t)wait_ms};
    alarm->sending.tries++;
    alarm->sending.repeated |= sent->kind == CK_SENT_UNKNOWN;
    notify->alarms = alarm;
    notify->alarms_waiting++;
    set_timer(notify);
}

/* The result of an alarm goes to the journal only. */
static void finish(struct ck_notify *notify, const char *channel, const struct ck_sending *sending,
                   const struct ck_sent *sent, int64_t waited_ms)
{
    log_failure(channel, sending, sent);
    if (notify->options.ended != NULL) {
        notify->options.ended(notify->options.user, channel, sent->kind, waited_ms);
    }
    if (sending->notice > 0) {
        tell_result(notify, sending, sent);
    } else if (sending->notice < 0) {
        finish_test(notify, -sending->notice, sent);
    } else {
        alarm_again(notify, sender_by_name(notify, channel), sending, sent);
    }
}

static void on_email(void *user, const struct ck_sending *sending, const struct ck_sent *sent,
                     int64_t waited_ms)
{
    finish(user, "email", sending, sent, waited_ms);
}

static void on_sms(void *user, const struct ck_sending *sending, const struct ck_sent *sent,
                   int64_t waited_ms)
{
    finish(user, "sms", sending, sent, waited_ms);
}

static void on_webhook(void *user, const struct ck_sending *sending, const struct ck_sent *sent,
                       int64_t waited_ms)
{
    finish(user, "webhook", sending, sent, waited_ms);
}

static void on_voice(void *user, const struct ck_sending *sending, const struct ck_sent *sent,
                     int64_t waited_ms)
{
    finish(user, "voice", sending, sent, waited_ms);
}

static void on_web_push(void *user, const struct ck_sending *sending, const struct ck_sent *sent,
                        int64_t waited_ms)
{
    finish(user, "web_push", sending, sent, waited_ms);
}

/* ---- life ---- */

static void send_alarms_again(struct ck_notify *notify)
{
    struct alarm **at = &notify->alarms;
    while (*at != NULL) {
        struct alarm *alarm = *at;
        if (alarm->at_ms > uv_now(notify->loop)) {
            at = &alarm->next;
            continue;
        }
        *at = alarm->next;
        notify->alarms_waiting--;
        if (ck_sender_send(alarm->sender, &alarm->sending) != 0) {
            ck_log_error("alarm not sent: reference=%s out of memory", alarm->sending.reference);
        }
        free(alarm);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_notify *notify = timer->data;
    send_alarms_again(notify);
    while (!notify->destroyed && notify->refused != NULL) {
        struct refused *refused = notify->refused;
        notify->refused = refused->next;
        finish(notify, "none", &refused->sending, &refused->sent, 0);
        free(refused);
    }
    if (!notify->destroyed) {
        set_timer(notify);
    }
}

/* For the soonest of what waits; at once where something was refused. */
static void set_timer(struct ck_notify *notify)
{
    uint64_t now_ms = uv_now(notify->loop), at_ms = UINT64_MAX;
    for (const struct alarm *alarm = notify->alarms; alarm != NULL; alarm = alarm->next) {
        at_ms = alarm->at_ms < at_ms ? alarm->at_ms : at_ms;
    }
    at_ms = notify->refused != NULL ? now_ms : at_ms;
    if (at_ms != UINT64_MAX) {
        uv_timer_start(&notify->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
    }
}

typedef void fill_channel(struct ck_notify_channel *channel, const struct ck_config *config);

int ck_notify_create(struct ck_notify **notify, uv_loop_t *loop,
                     const struct ck_notify_options *options)
{
    static ck_sender_done *const done[CK_NOTIFY_CHANNELS] = {on_email, on_sms, on_webhook, on_voice,
                                                             on_web_push};
    static fill_channel *const fill[CK_NOTIFY_CHANNELS] = {ck_channel_email, ck_channel_sms,
                                                           ck_channel_webhook, ck_channel_voice,
                                                           ck_channel_web_push};
    struct ck_notify *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->options = *options;
    made->loop = loop;
    uv_timer_init(loop, &made->timer);
    made->timer.data = made;
    for (size_t i = 0; i < CK_NOTIFY_CHANNELS; i++) {
        struct ck_sender_options sender = {.now = options->now,
                                           .queue_max = options->config->limits.notices_queued,
                                           .done = done[i],
                                           .user = made};
        fill[i](&sender.channel, options->config);
        sender.channel.random = options->random;
        int error = ck_sender_create(&made->senders[i], loop, &sender);
        if (error != 0) {
            ck_notify_destroy(made);
            return error;
        }
    }
    *notify = made;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct ck_notify *notify = handle->data;
    while (notify->refused != NULL) {
        struct refused *refused = notify->refused;
        notify->refused = refused->next;
        free(refused);
    }
    while (notify->alarms != NULL) {
        struct alarm *alarm = notify->alarms;
        notify->alarms = alarm->next;
        free(alarm);
    }
    free(notify);
}

void ck_notify_destroy(struct ck_notify *notify)
{
    if (notify == NULL) {
        return;
    }
    for (size_t i = 0; i < CK_NOTIFY_CHANNELS; i++) {
        ck_sender_destroy(notify->senders[i]);
    }
    notify->destroyed = true;
    struct ck_sent ended;
    ck_sent_fill(&ended, CK_SENT_UNKNOWN, 0, "the daemon ends");
    while (notify->tests != NULL) {
        finish_test(notify, notify->tests->number, &ended);
    }
    uv_close((uv_handle_t *)&notify->timer, on_closed);
}

/* ---- from the engine's output ---- */

/* Copies a text member; false where it is missing or too long. */
static bool take_text(const json_t *body, const char *member, char *text, size_t size)
{
    const json_t *value = json_object_get(body, member);
    if (!json_is_string(value) || json_string_length(value) >= size) {
        return false;
    }
    memcpy(text, json_string_value(value), json_string_length(value) + 1);
    return true;
}

static bool take_deadline(const json_t *body, struct ck_wall *deadline)
{
    const json_t *value = json_object_get(body, "deadline");
    if (value == NULL || json_is_null(value) || json_string_length(value) == 0) {
        return value == NULL || json_is_null(value) || json_is_string(value);
    }
    return ck_wall_parse(json_string_value(value), deadline) == 0;
}

static bool take_link(const struct ck_config *config, const json_t *body,
                      char link[static CK_SENDING_LINK_SIZE])
{
    const char *path = json_string_value(json_object_get(body, "path"));
    if (path == NULL || (*path != '\0' && *path != '/')) {
        return false;
    }
    if (*path == '\0') {
        link[0] = '\0';
        return true;
    }
    int size = snprintf(link, CK_SENDING_LINK_SIZE, "%s%s", config->daemon.public_url, path);
    return size > 0 && size < CK_SENDING_LINK_SIZE;
}

/* The name of the first member that is not as it must be, or NULL. */
static const char *take_body(const struct ck_config *config, const json_t *body,
                             struct ck_sending *sending)
{
    const char *words = json_string_value(json_object_get(body, "template"));
    const char *urgency = json_string_value(json_object_get(body, "urgency"));
    int words_index = words == NULL ? -1 : ck_words_by_name(words);
    int urgency_index = urgency == NULL ? -1 : ck_urgency_by_name(urgency);
    json_int_t tries = json_integer_value(json_object_get(body, "try"));
    sending->repeated = json_is_true(json_object_get(body, "repeated"));
    sending->tries = (uint32_t)tries;
    if (words_index < 0) {
        return "template";
    }
    if (urgency_index < 0) {
        return "urgency";
    }
    sending->words = (enum ck_words)words_index;
    sending->urgency = (enum ck_urgency)urgency_index;
    if (tries < 1 || tries > INT32_MAX) {
        return "try";
    }
    if (!take_text(body, "to", sending->to, sizeof sending->to)) {
        return "to";
    }
    if (!take_text(body, "language", sending->language, sizeof sending->language)) {
        return "language";
    }
    if (!take_text(body, "time", sending->time, sizeof sending->time)) {
        return "time";
    }
    if (!take_deadline(body, &sending->deadline)) {
        return "deadline";
    }
    return take_link(config, body, sending->link) ? NULL : "path";
}

static struct ck_sender *sender_by_name(const struct ck_notify *notify, const char *name)
{
    for (size_t i = 0; name != NULL && i < CK_NOTIFY_CHANNELS; i++) {
        if (strcmp(name, channel_names[i]) == 0) {
            return notify->senders[i];
        }
    }
    return NULL;
}

/* What cannot be sent still gets its result, later from the loop. */
static void reject(struct ck_notify *notify, const struct ck_sending *sending, const char *member)
{
    struct refused *refused = calloc(1, sizeof *refused);
    if (refused == NULL) {
        return; /* the engine's time-out takes it for unknown */
    }
    refused->sending = *sending;
    ck_sent_fill(&refused->sent, CK_SENT_REJECTED, 0, "%s is not of the form that notices have",
                 member);
    struct refused **last = &notify->refused;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = refused;
    set_timer(notify);
}

void ck_notify_send(struct ck_notify *notify, int64_t notice, const json_t *body)
{
    struct ck_sending sending = {.notice = notice, .tries = 1};
    const char *channel = json_string_value(json_object_get(body, "channel"));
    struct ck_sender *sender = sender_by_name(notify, channel);
    if (!take_text(body, "reference", sending.reference, sizeof sending.reference)) {
        reject(notify, &sending, "reference");
        return;
    }
    const char *fault =
        sender == NULL ? "channel" : take_body(notify->options.config, body, &sending);
    if (fault != NULL) {
        reject(notify, &sending, fault);
    } else if (ck_sender_send(sender, &sending) != 0) {
        ck_log_error("notice not taken: channel=%s reference=%s out of memory", channel,
                     sending.reference);
    }
}

/* ---- tests ---- */

static bool fits(char *to, size_t size, const char *text)
{
    return snprintf(to, size, "%s", text) < (int)size;
}

int ck_notify_test(struct ck_notify *notify, const char *channel, const char *to,
                   const char *language, const char *reference, ck_notify_tested *done, void *user)
{
    struct ck_sender *sender = sender_by_name(notify, channel);
    struct ck_sending sending = {.tries = 1, .words = CK_WORDS_TEST, .urgency = CK_URGENCY_NORMAL};
    if (sender == NULL) {
        return CK_E_NOT_FOUND;
    }
    snprintf(sending.link, sizeof sending.link, "%s/", notify->options.config->daemon.public_url);
    if (!fits(sending.to, sizeof sending.to, to) ||
        !fits(sending.language, sizeof sending.language, language) ||
        !fits(sending.reference, sizeof sending.reference, reference)) {
        return CK_E_LIMIT;
    }
    struct test *test = calloc(1, sizeof *test);
    if (test == NULL) {
        return -ENOMEM;
    }
    *test = (struct test){
        .next = notify->tests, .number = ++notify->last_test, .done = done, .user = user};
    sending.notice = -test->number;
    int error = ck_sender_send(sender, &sending);
    if (error != 0) {
        free(test);
        return error;
    }
    notify->tests = test;
    return 0;
}

/* ---- alarms ---- */

static void alarm_one(struct ck_notify *notify, const json_t *officer, enum ck_words words,
                      const char *reference, const char *path)
{
    static const char *const members[] = {"email", "phone"};
    for (size_t i = 0; i < 2; i++) { /* the first two channels are e-mail and SMS */
        struct ck_sending sending = {.tries = 1, .words = words, .urgency = CK_URGENCY_TOP};
        if (!take_text(officer, members[i], sending.to, sizeof sending.to) || *sending.to == '\0') {
            continue;
        }
        take_text(officer, "language", sending.language, sizeof sending.language);
        snprintf(sending.reference, sizeof sending.reference, "%s", reference);
        snprintf(sending.link, sizeof sending.link, "%s%s",
                 notify->options.config->daemon.public_url, path);
        if (ck_sender_send(notify->senders[i], &sending) != 0) {
            ck_log_error("alarm not sent: channel=%s out of memory", channel_names[i]);
        }
    }
}

/* Whether `unit` (0: the whole house) may be alarmed again. Where all places are taken the one that
 * was alarmed longest ago is given up: alarmed twice is better than never. */
static bool alarm_due(struct ck_notify *notify, int64_t unit, uint64_t every_ms)
{
    uint64_t now_ms = uv_now(notify->loop);
    struct alarmed *place = &notify->alarmed[0];
    for (size_t i = 0; i < ALARMED_MAX; i++) {
        struct alarmed *at = &notify->alarmed[i];
        if (at->used && at->unit == unit) {
            place = at;
            break;
        }
        if (!at->used ? place->used : place->used && at->ms < place->ms) {
            place = at;
        }
    }
    if (place->used && place->unit == unit && now_ms - place->ms < every_ms) {
        return false;
    }
    *place = (struct alarmed){.used = true, .unit = unit, .ms = now_ms};
    return true;
}

void ck_notify_alarm(struct ck_notify *notify, const json_t *body)
{
    if (!alarm_due(notify, 0, ALARM_EVERY_MS)) {
        return;
    }
    char reference[CK_SENDING_REFERENCE_SIZE];
    snprintf(reference, sizeof reference, "ALARM-%" PRId64, notify->options.now().ms / 1000);
    const json_t *roster = json_object_get(body, "roster");
    for (size_t i = 0; i < json_array_size(roster); i++) {
        alarm_one(notify, json_array_get(roster, i), CK_WORDS_ALARM, reference, "/");
    }
    ck_log(CK_LOG_WARNING, "the whole duty roster is alarmed: officers=%zu",
           json_array_size(roster));
}

static bool of_unit(const json_t *officer, int64_t unit)
{
    return json_integer_value(json_object_get(officer, "unit")) == unit;
}

void ck_notify_nobody_reached(struct ck_notify *notify, int64_t unit, const json_t *body)
{
    if (!alarm_due(notify, unit, NOBODY_REACHED_EVERY_MS)) {
        return;
    }
    const json_t *roster = json_object_get(body, "roster");
    char reference[CK_SENDING_REFERENCE_SIZE] = "", path[CK_SENDING_LINK_SIZE] = "";
    take_text(body, "reference", reference, sizeof reference);
    take_text(body, "path", path, sizeof path);
    size_t theirs = 0, told = 0;
    for (size_t i = 0; i < json_array_size(roster); i++) {
        theirs += of_unit(json_array_get(roster, i), unit) ? 1 : 0;
    }
    for (size_t i = 0; i < json_array_size(roster); i++) {
        const json_t *officer = json_array_get(roster, i);
        if (theirs == 0 || of_unit(officer, unit)) {
            alarm_one(notify, officer, CK_WORDS_NOBODY_REACHED, reference, path);
            told++;
        }
    }
    ck_log(CK_LOG_ERROR,
           "%s: nobody on its ladder can be reached; consoles and the duty roster are told: "
           "officers=%zu",
           reference, told);
}

/* ---- status ---- */

void ck_notify_status(const struct ck_notify *notify,
                      struct ck_sender_status status[static CK_NOTIFY_CHANNELS])
{
    for (size_t i = 0; i < CK_NOTIFY_CHANNELS; i++) {
        ck_sender_status(notify->senders[i], &status[i]);
    }
}

static json_t *time_json(struct ck_wall at)
{
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text(at, text);
    return at.ms == 0 ? json_null() : json_string(text);
}

static json_t *sender_json(const struct ck_sender_status *status)
{
    json_t *object = json_pack(
        "{s:s, s:b, s:o, s:o, s:o, s:I}", "channel", status->name, "configured", status->on,
        "last_ok", time_json(status->last_accepted), "last_failed", time_json(status->last_failed),
        "last_error", ck_sender_fails(status) ? json_string(status->last_failure) : json_null(),
        "queued", (json_int_t)(status->waiting + status->running));
    for (int kind = 0; kind < CK_SENT_KIND_COUNT; kind++) {
        json_object_set_new(object, ck_sent_kind_name((enum ck_sent_kind)kind),
                            json_integer((json_int_t)status->counts[kind]));
    }
    return object;
}

json_t *ck_notify_status_json(const struct ck_notify *notify)
{
    struct ck_sender_status status[CK_NOTIFY_CHANNELS];
    json_t *array = json_array();
    ck_notify_status(notify, status);
    for (size_t i = 0; i < CK_NOTIFY_CHANNELS; i++) {
        bool shown = i < 3 || status[i].on; /* what nearly everybody has, and what somebody added */
        if (shown && json_array_append_new(array, sender_json(&status[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}
