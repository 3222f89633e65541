#include "daemon/core/ladder_request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/body.h"
#include "daemon/core/live_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define DAY_S 86400
#define ROUNDS_MAX 20

const char *const ck_ladder_bands[] = {"low", "medium", "high", "top", "safety", NULL};

enum ck_band ck_ladder_band(const char *word)
{
    return strcmp(word, "safety") == 0 ? CK_BAND_TOP : ck_band_of(word);
}

static const char *const target_words[] = {"inspector",  "stand_in", "duty",
                                           "supervisor", "named",    NULL};

/* Puts where we are in front of the member that a check named. */
static int inside(int code, struct ck_refusal *refusal, const char *list, size_t index)
{
    char field[CK_REFUSAL_FIELD_SIZE];
    if (code > 0) {
        snprintf(field, sizeof field, "%.20s[%zu].%.30s", list, index, refusal->field);
        memcpy(refusal->field, field, sizeof field);
    }
    return code;
}

static int read_target(const json_t *object, struct ck_target *target, struct ck_refusal *refusal)
{
    int word = 0;
    int r = ck_body_word(object, "kind", target_words, &word, refusal);
    target->kind = (enum ck_target_kind)(CK_TARGET_INSPECTOR + word);
    return r == 0 && target->kind == CK_TARGET_NAMED
               ? ck_body_id(object, "staff", &target->staff, refusal)
               : r;
}

static int read_channels(const json_t *object, struct ck_ladder_step *step,
                         struct ck_refusal *refusal)
{
    const json_t *list = json_object_get(object, "channels");
    if (!json_is_array(list) || json_array_size(list) == 0 ||
        json_array_size(list) > CK_CHANNELS_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, "channels", "must be a list of 1 to %d",
                         CK_CHANNELS_MAX);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        enum ck_channel channel = CK_CHANNEL_NONE + 1;
        while (channel < CK_CHANNEL_COUNT &&
               (name == NULL || strcmp(name, ck_channel_name(channel)) != 0)) {
            channel++;
        }
        if (channel == CK_CHANNEL_COUNT || memchr(step->channels, (int)channel, i) != NULL) {
            return ck_refuse(refusal, CK_E_INVALID, "channels",
                             "names no channel, or one twice, at %zu", i);
        }
        step->channels[i] = (uint8_t)channel;
    }
    return 0;
}

static int read_seconds(const json_t *object, const char *name, int64_t *ms,
                        struct ck_refusal *refusal)
{
    int64_t seconds = 0;
    int r = ck_body_int(object, name, 1, DAY_S, &seconds, refusal);
    *ms = seconds * 1000;
    return r;
}

static int read_step(const json_t *object, struct ck_ladder_step *step, struct ck_refusal *refusal)
{
    const json_t *targets = json_object_get(object, "targets");
    size_t count = json_array_size(targets);
    int64_t rounds = 0;
    int r = 0;
    if (count == 0 || count > CK_STEP_TARGETS_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, "targets", "must be a list of 1 to %d",
                         CK_STEP_TARGETS_MAX);
    }
    step->target_count = (uint32_t)count;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = inside(read_target(json_array_get(targets, i), &step->targets[i], refusal), refusal,
                   "targets", i);
    }
    r = r == 0 ? read_channels(object, step, refusal) : r;
    r = r == 0 ? ck_body_flag(object, "parallel", &step->parallel, refusal) : r;
    r = r == 0 ? read_seconds(object, "ack_timeout_s", &step->ack_timeout_ms, refusal) : r;
    r = r == 0 ? ck_body_int(object, "rounds", 1, ROUNDS_MAX, &rounds, refusal) : r;
    r = r == 0 ? read_seconds(object, "min_interval_s", &step->min_interval_ms, refusal) : r;
    step->rounds = (uint32_t)rounds;
    return r;
}

int ck_ladder_request_read(const json_t *request, struct ck_ladder *ladder,
                           struct ck_refusal *refusal)
{
    struct ck_ladder read = {0};
    const json_t *steps = json_object_get(request, "steps");
    size_t count = json_array_size(steps);
    int r = 0;
    if (count == 0 || count > CK_LADDER_STEPS_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, "steps", "must be a list of 1 to %d",
                         CK_LADDER_STEPS_MAX);
    }
    read.step_count = (uint32_t)count;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = inside(read_step(json_array_get(steps, i), &read.steps[i], refusal), refusal, "steps",
                   i);
    }
    r = r == 0 ? read_seconds(request, "ack_hold_s", &read.ack_hold_ms, refusal) : r;
    r = r == 0 ? ck_body_flag(request, "late_answer_calms", &read.late_answer_calms, refusal) : r;
    r = r == 0 ? read_seconds(request, "calm_interval_s", &read.calm_interval_ms, refusal) : r;
    r = r == 0 ? ck_body_flag(request, "quiet_hours", &read.quiet_hours, refusal) : r;
    if (r != 0) {
        return r;
    }
    const char *fault = ck_ladder_fault(&read);
    if (fault != NULL) {
        return ck_refuse(refusal, CK_E_INVALID, fault, "is not sound");
    }
    *ladder = read;
    return 0;
}

static json_t *write_step(const struct ck_ladder_step *step)
{
    json_t *targets = json_array(), *channels = json_array();
    for (uint32_t i = 0; i < step->target_count; i++) {
        json_t *target = json_pack("{s:s}", "kind", ck_target_kind_name(step->targets[i].kind));
        if (step->targets[i].kind == CK_TARGET_NAMED) {
            json_object_set_new(target, "staff", json_integer(step->targets[i].staff));
        }
        json_array_append_new(targets, target);
    }
    for (size_t i = 0; i < CK_CHANNELS_MAX && step->channels[i] != CK_CHANNEL_NONE; i++) {
        json_array_append_new(channels,
                              json_string(ck_channel_name((enum ck_channel)step->channels[i])));
    }
    return json_pack("{s:o, s:o, s:b, s:I, s:I, s:I}", "targets", targets, "channels", channels,
                     "parallel", (int)step->parallel, "ack_timeout_s",
                     (json_int_t)(step->ack_timeout_ms / 1000), "rounds", (json_int_t)step->rounds,
                     "min_interval_s", (json_int_t)(step->min_interval_ms / 1000));
}

json_t *ck_ladder_request_write(const struct ck_ladder *ladder)
{
    json_t *steps = json_array();
    for (uint32_t i = 0; i < ladder->step_count; i++) {
        json_array_append_new(steps, write_step(&ladder->steps[i]));
    }
    return json_pack("{s:o, s:I, s:b, s:I, s:b}", "steps", steps, "ack_hold_s",
                     (json_int_t)(ladder->ack_hold_ms / 1000), "late_answer_calms",
                     (int)ladder->late_answer_calms, "calm_interval_s",
                     (json_int_t)(ladder->calm_interval_ms / 1000), "quiet_hours",
                     (int)ladder->quiet_hours);
}
