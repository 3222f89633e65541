#include "scheduler/lint.h"

#include <assert.h>

/* The findings in the making. */
struct lint {
    const struct ck_ladder *ladder;
    const struct ck_lint_sample *samples;
    size_t sample_count;
    struct ck_lint_finding *findings;
    size_t count;
};

static void find(struct lint *lint, enum ck_lint_reason reason, uint32_t step, uint32_t samples)
{
    assert(lint->count < CK_LINT_FINDINGS_MAX);
    lint->findings[lint->count++] = (struct ck_lint_finding){reason, step, samples};
}

static uint32_t channels_of(const struct ck_ladder_step *step)
{
    uint32_t mask = 0;
    for (int i = 0; i < CK_CHANNELS_MAX; i++) {
        mask |= CK_CHANNEL_BIT(step->channels[i]);
    }
    return mask & ~CK_CHANNEL_BIT(CK_CHANNEL_NONE);
}

static bool reaches(const struct lint *lint, uint32_t step, const struct ck_ladder_person *person)
{
    return (person->channels & channels_of(&lint->ladder->steps[step])) != 0;
}

static uint32_t people_in(const struct lint *lint, size_t sample, uint32_t step)
{
    const struct ck_ladder_roster *roster = &lint->samples[sample].roster;
    uint32_t people = 0;
    for (uint32_t i = 0; i < roster->steps[step].count; i++) {
        people += reaches(lint, step, &roster->steps[step].people[i]);
    }
    return people;
}

static bool is_in(const struct lint *lint, size_t sample, uint32_t step, int64_t staff)
{
    const struct ck_ladder_roster *roster = &lint->samples[sample].roster;
    for (uint32_t i = 0; i < roster->steps[step].count; i++) {
        const struct ck_ladder_person *person = &roster->steps[step].people[i];
        if (person->staff == staff && reaches(lint, step, person)) {
            return true;
        }
    }
    return false;
}

/* Whether everybody of one step is also in another. */
static bool is_within(const struct lint *lint, size_t sample, uint32_t step, uint32_t other)
{
    const struct ck_ladder_roster *roster = &lint->samples[sample].roster;
    for (uint32_t i = 0; i < roster->steps[step].count; i++) {
        const struct ck_ladder_person *person = &roster->steps[step].people[i];
        if (reaches(lint, step, person) && !is_in(lint, sample, other, person->staff)) {
            return false;
        }
    }
    return true;
}

static void look_at_gaps(struct lint *lint, uint32_t step)
{
    uint32_t gaps = 0;
    for (size_t i = 0; i < lint->sample_count; i++) {
        gaps += people_in(lint, i, step) == 0;
    }
    if (gaps == 0) {
        return;
    }
    bool last = step == lint->ladder->step_count - 1;
    enum ck_lint_reason reason = gaps == lint->sample_count ? CK_LINT_STEP_REACHES_NOBODY
                                 : last                     ? CK_LINT_LAST_STEP_HAS_GAPS
                                                            : CK_LINT_STEP_HAS_GAPS;
    find(lint, reason, step, gaps);
}

static void look_at_people(struct lint *lint, uint32_t step)
{
    uint32_t same = 0;
    for (size_t i = 0; i < lint->sample_count; i++) {
        same += people_in(lint, i, step) > 0 && is_within(lint, i, step, step - 1) &&
                is_within(lint, i, step - 1, step);
    }
    if (same > 0 && same == lint->sample_count) {
        find(lint, CK_LINT_SAME_AS_BEFORE, step, same);
    }
}

/* At one time, over all steps: how many different people; 2 stands for more than one. */
static uint32_t people_at(const struct lint *lint, size_t sample)
{
    int64_t first = 0;
    const struct ck_ladder_roster *roster = &lint->samples[sample].roster;
    for (uint32_t step = 0; step < lint->ladder->step_count; step++) {
        for (uint32_t i = 0; i < roster->steps[step].count; i++) {
            const struct ck_ladder_person *person = &roster->steps[step].people[i];
            if (!reaches(lint, step, person)) {
                continue;
            }
            if (first != 0 && person->staff != first) {
                return 2;
            }
            first = person->staff;
        }
    }
    return first == 0 ? 0 : 1;
}

static void look_at_times(struct lint *lint)
{
    uint32_t nobody = 0;
    uint32_t one = 0;
    for (size_t i = 0; i < lint->sample_count; i++) {
        uint32_t people = people_at(lint, i);
        nobody += people == 0;
        one += people == 1;
    }
    if (nobody > 0) {
        find(lint, CK_LINT_NOBODY_AT_ALL, 0, nobody);
    }
    if (one > 0) {
        find(lint, CK_LINT_ONE_PERSON, 0, one);
    }
}

static void look_at_speed(struct lint *lint, enum ck_band band)
{
    int64_t until_last = 0;
    uint32_t last = lint->ladder->step_count - 1;
    for (uint32_t step = 0; step < last; step++) {
        until_last += lint->ladder->steps[step].ack_timeout_ms * lint->ladder->steps[step].rounds;
    }
    if (until_last > (band == CK_BAND_TOP ? CK_LINT_TOP_MS : CK_LINT_ANY_MS)) {
        find(lint, CK_LINT_SLOW, last, 0);
    }
}

size_t ck_lint_ladder(const struct ck_ladder *ladder, enum ck_band band,
                      const struct ck_lint_sample *samples, size_t count,
                      struct ck_lint_finding findings[static CK_LINT_FINDINGS_MAX])
{
    struct lint lint = {ladder, samples, count, findings, 0};
    for (uint32_t step = 0; step < ladder->step_count; step++) {
        look_at_gaps(&lint, step);
        if (step > 0) {
            look_at_people(&lint, step);
        }
        if (channels_of(&ladder->steps[step]) == CK_CHANNEL_BIT(CK_CHANNEL_CONSOLE)) {
            find(&lint, CK_LINT_ONLY_CONSOLE, step, 0);
        }
    }
    look_at_times(&lint);
    look_at_speed(&lint, band);
    return lint.count;
}

bool ck_lint_anybody(const struct ck_ladder *ladder, const struct ck_lint_sample *sample)
{
    const struct lint lint = {.ladder = ladder, .samples = sample, .sample_count = 1};
    return people_at(&lint, 0) > 0;
}

const char *ck_lint_reason_text(enum ck_lint_reason reason)
{
    static const char *const texts[CK_LINT_REASON_COUNT] = {
        [CK_LINT_STEP_REACHES_NOBODY] = "this step reaches nobody",
        [CK_LINT_STEP_HAS_GAPS] = "at some times this step reaches nobody",
        [CK_LINT_LAST_STEP_HAS_GAPS] = "at some times the last step, which repeats, reaches nobody",
        [CK_LINT_NOBODY_AT_ALL] = "at some times no step reaches anybody",
        [CK_LINT_ONE_PERSON] = "at some times all steps come to the same one person",
        [CK_LINT_SAME_AS_BEFORE] = "this step reaches the same people as the one before",
        [CK_LINT_ONLY_CONSOLE] = "this step reaches only who is looking at a console",
        [CK_LINT_SLOW] = "the last step comes late",
    };
    return (unsigned)reason < CK_LINT_REASON_COUNT ? texts[reason] : NULL;
}
