#include "daemon/core/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/command.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

static uint32_t channel_if(const char *url, enum ck_channel channel)
{
    return url == NULL || url[0] == '\0' ? 0 : CK_CHANNEL_BIT(channel);
}

uint32_t ck_config_channels(const struct ck_config *config)
{
    uint32_t channels = CK_CHANNEL_BIT(CK_CHANNEL_CONSOLE);
    channels |= channel_if(config->smtp.url, CK_CHANNEL_EMAIL);
    channels |= channel_if(config->sms.url, CK_CHANNEL_SMS);
    channels |= channel_if(config->voice.url, CK_CHANNEL_VOICE);
    channels |= config->web_push.key.bytes == NULL ? 0 : CK_CHANNEL_BIT(CK_CHANNEL_WEB_PUSH);
    return channels | (config->webhook_count == 0 ? 0 : CK_CHANNEL_BIT(CK_CHANNEL_WEBHOOK));
}

int ck_reach_channels(const struct ck_reach *reach, const struct ck_recipient *person,
                      uint32_t *channels)
{
    const uint32_t any = CK_CHANNEL_BIT(CK_CHANNEL_CONSOLE) | CK_CHANNEL_BIT(CK_CHANNEL_WEBHOOK);
    const uint32_t phone = CK_CHANNEL_BIT(CK_CHANNEL_SMS) | CK_CHANNEL_BIT(CK_CHANNEL_VOICE);
    uint32_t has = any;
    has |= person->email[0] == '\0' ? 0 : CK_CHANNEL_BIT(CK_CHANNEL_EMAIL);
    has |= person->phone[0] == '\0' ? 0 : phone;
    if ((reach->channels & CK_CHANNEL_BIT(CK_CHANNEL_WEB_PUSH)) != 0) {
        size_t count = 0;
        int64_t one;
        int r = ck_push_of(reach->store, person->id, 0, &one, 1, &count);
        if (r != 0) {
            return r;
        }
        has |= count == 0 ? 0 : CK_CHANNEL_BIT(CK_CHANNEL_WEB_PUSH);
    }
    *channels = has & reach->channels;
    return 0;
}

/* Those of `ids` who are at work, with what they can be reached on. */
static int add_present(const struct ck_reach *reach, const int64_t *ids, size_t count,
                       const struct ck_wall *at, struct ck_ladder_roster *roster, uint32_t step)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count && roster->steps[step].count < CK_STEP_PEOPLE_MAX; i++) {
        enum ck_presence presence = CK_PRESENCE_THERE;
        struct ck_recipient person;
        uint32_t channels = 0;
        if (ids[i] == 0 || ids[i] == reach->but) {
            continue;
        }
        if (at != NULL) {
            r = ck_duty_presence(reach->store, reach->zones, ids[i], false, *at, &presence);
        }
        r = r == 0 ? ck_recipient_load(reach->store, ids[i], &person) : r;
        r = r == 0 ? ck_reach_channels(reach, &person, &channels) : r;
        if (r == 0 && presence == CK_PRESENCE_THERE && !person.disabled) {
            roster->steps[step].people[roster->steps[step].count++] =
                (struct ck_ladder_person){.staff = person.id, .channels = channels};
        }
        r = r == CK_E_NOT_FOUND ? 0 : r;
    }
    return r;
}

/* `at` is looked at again only where who was found is not there by the way of finding them. */
static int add_target(const struct ck_reach *reach, const struct ck_target *target,
                      struct ck_wall at, struct ck_ladder_roster *roster, uint32_t step)
{
    int64_t ids[CK_DUTY_POOL_MAX] = {0};
    size_t count = 1;
    const struct ck_wall *look = NULL;
    int r = 0;
    switch (target->kind) {
    case CK_TARGET_INSPECTOR:
        ids[0] = reach->inspector;
        look = &at;
        break;
    case CK_TARGET_STAND_IN:
        r = reach->inspector == 0
                ? CK_E_NOT_FOUND
                : ck_duty_stand_in(reach->store, reach->zones, reach->inspector, at, ids);
        r = r == CK_E_NOT_FOUND ? 0 : r;
        break;
    case CK_TARGET_DUTY:
        r = ck_duty_officers(reach->store, reach->zones, reach->unit, at, ids, CK_DUTY_POOL_MAX,
                             &count);
        break;
    case CK_TARGET_SUPERVISOR:
        r = ck_staff_of_role(reach->store, reach->unit, CK_ROLE_SUPERVISOR, ids, CK_DUTY_POOL_MAX,
                             &count);
        look = &at;
        break;
    case CK_TARGET_NAMED:
        ids[0] = target->staff;
        look = &at;
        break;
    case CK_TARGET_NONE:
    case CK_TARGET_COUNT:
        return 0;
    }
    return r == 0 ? add_present(reach, ids, count, look, roster, step) : r;
}

int ck_reach_resolve(const struct ck_reach *reach, const struct ck_ladder *ladder,
                     struct ck_wall at, struct ck_ladder_roster *roster)
{
    memset(roster, 0, sizeof *roster);
    for (uint32_t s = 0; s < ladder->step_count; s++) {
        for (uint32_t t = 0; t < ladder->steps[s].target_count; t++) {
            int r = add_target(reach, &ladder->steps[s].targets[t], at, roster, s);
            if (r != 0) {
                return r;
            }
        }
    }
    return 0;
}

/* ---- looking ahead ---- */

#define SAMPLES_A_ROUND ((size_t)(CK_REACH_AHEAD_MS / CK_REACH_SAMPLE_MS))

static const char *reason_name(enum ck_lint_reason reason)
{
    static const char *const names[CK_LINT_REASON_COUNT] = {
        [CK_LINT_STEP_REACHES_NOBODY] = "reaches_nobody",
        [CK_LINT_STEP_HAS_GAPS] = "has_gaps",
        [CK_LINT_LAST_STEP_HAS_GAPS] = "last_has_gaps",
        [CK_LINT_NOBODY_AT_ALL] = "nobody_at_all",
        [CK_LINT_ONE_PERSON] = "one_person",
        [CK_LINT_SAME_AS_BEFORE] = "same_as_before",
        [CK_LINT_ONLY_CONSOLE] = "only_console",
        [CK_LINT_SLOW] = "slow",
    };
    return names[reason];
}

/* For whom samples are taken: the inspectors of the unit, or one that there is not. */
static int inspectors_of(const struct ck_reach *reach, int64_t ids[CK_REACH_INSPECTORS_MAX],
                         size_t *count)
{
    size_t found = 0;
    int r = ck_caseloads_of_unit(reach->store, reach->unit, ids, CK_REACH_INSPECTORS_MAX, &found);
    if (r == 0 && found == 0) {
        ids[found++] = 0;
    }
    *count = found;
    return r;
}

static int take_sample(const struct ck_reach *reach, const struct ck_ladder *ladder,
                       int64_t inspector, struct ck_wall at, struct ck_lint_sample *sample)
{
    struct ck_reach one = *reach;
    one.inspector = inspector;
    return ck_reach_resolve(&one, ladder, at, &sample->roster);
}

/* For one inspector after the other, every two hours of two weeks. */
static int take_samples(const struct ck_reach *reach, const struct ck_ladder *ladder,
                        struct ck_wall now, struct ck_lint_sample *samples, size_t *count)
{
    int64_t inspectors[CK_REACH_INSPECTORS_MAX];
    size_t found = 0, taken = 0;
    int r = inspectors_of(reach, inspectors, &found);
    for (size_t i = 0; r == 0 && i < found; i++) {
        for (size_t s = 0; r == 0 && s < SAMPLES_A_ROUND; s++) {
            struct ck_wall at = ck_wall_add_ms(now, (int64_t)s * CK_REACH_SAMPLE_MS);
            r = take_sample(reach, ladder, inspectors[i], at, &samples[taken++]);
        }
    }
    *count = taken;
    return r;
}

int ck_reach_anybody(const struct ck_reach *reach, const struct ck_ladder *ladder,
                     struct ck_wall now, bool *anybody)
{
    int64_t inspectors[CK_REACH_INSPECTORS_MAX];
    size_t found = 0;
    bool reached = false;
    int r = inspectors_of(reach, inspectors, &found);
    for (size_t s = 0; r == 0 && !reached && s < SAMPLES_A_ROUND; s++) {
        struct ck_wall at = ck_wall_add_ms(now, (int64_t)s * CK_REACH_SAMPLE_MS);
        for (size_t i = 0; r == 0 && !reached && i < found; i++) {
            struct ck_lint_sample sample;
            r = take_sample(reach, ladder, inspectors[i], at, &sample);
            reached = r == 0 && ck_lint_anybody(ladder, &sample);
        }
    }
    if (r == 0) {
        *anybody = reached;
    }
    return r;
}

/* Channels of a step that are not configured: what is said there reaches nobody that way. */
static int add_off_channels(const struct ck_reach *reach, const struct ck_ladder *ladder,
                            json_t *list)
{
    for (uint32_t s = 0; s < ladder->step_count; s++) {
        for (size_t c = 0; c < CK_CHANNELS_MAX; c++) {
            uint8_t channel = ladder->steps[s].channels[c];
            if (channel == CK_CHANNEL_NONE || (reach->channels & CK_CHANNEL_BIT(channel)) != 0) {
                continue;
            }
            json_t *item = json_pack("{s:s, s:I, s:i, s:s}", "reason", "channel_off", "step",
                                     (json_int_t)s + 1, "share", 0, "channel",
                                     ck_channel_name((enum ck_channel)channel));
            if (json_array_append_new(list, item) != 0) {
                return -ENOMEM;
            }
        }
    }
    return 0;
}

int ck_reach_lint(const struct ck_reach *reach, const struct ck_ladder *ladder, enum ck_band band,
                  struct ck_wall now, json_t **findings, bool *fatal)
{
    struct ck_lint_finding found[CK_LINT_FINDINGS_MAX];
    ck_cleanup(ck_freep) struct ck_lint_sample *samples =
        calloc(SAMPLES_A_ROUND * CK_REACH_INSPECTORS_MAX, sizeof *samples);
    size_t count = 0;
    if (samples == NULL) {
        return -ENOMEM;
    }
    int r = take_samples(reach, ladder, now, samples, &count);
    if (r != 0) {
        return r;
    }
    size_t said = ck_lint_ladder(ladder, band, samples, count, found);
    uint32_t dead = 0;
    json_t *list = json_array();
    for (size_t i = 0; r == 0 && i < said; i++) {
        dead += found[i].reason == CK_LINT_STEP_REACHES_NOBODY;
        json_t *item =
            json_pack("{s:s, s:I, s:I, s:n}", "reason", reason_name(found[i].reason), "step",
                      (json_int_t)found[i].step + 1, "share",
                      (json_int_t)((found[i].samples * 100 + count - 1) / count), "channel");
        r = json_array_append_new(list, item) == 0 ? 0 : -ENOMEM;
    }
    r = r == 0 ? add_off_channels(reach, ladder, list) : r;
    if (r != 0) {
        json_decref(list);
        return r;
    }
    *findings = list;
    *fatal = dead == ladder->step_count;
    return 0;
}
