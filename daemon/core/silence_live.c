/* The longest silence that a person's plans allow. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "daemon/store/order.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define BLACKOUTS_MAX 64 /* of one silence; what would be more excuses less */

static int carry_out(struct ck_turn *turn, const struct ck_subject *subject,
                     const struct ck_effect *effect)
{
    const struct ck_actor actor = ck_actor_system();
    if (effect->kind == CK_EFFECT_AUDIT) {
        return ck_turn_audit(
            turn, &actor,
            &(struct ck_record){
                .action = "PERSON_SILENCE",
                .object = "person",
                .object_id = subject->id,
                .person_id = subject->id,
                .open = json_pack("{s:I, s:I, s:I}", "value", (json_int_t)effect->audit.value,
                                  "max_ms", (json_int_t)subject->silence.max_ms, "excused_ms",
                                  (json_int_t)subject->silence.excused_ms),
            });
    }
    int64_t id = 0;
    int r = ck_incident_silence_of(turn->store, subject->id, &id);
    return r != CK_E_NOT_FOUND
               ? r /* one is open already, from a silence before this one */
               : ck_incident_open(turn, &actor,
                                  &(struct ck_incident_opening){.person = subject->id,
                                                                .unit = subject->unit,
                                                                .effect = effect->incident});
}

static int feed(struct ck_turn *turn, struct ck_subject *subject,
                const struct ck_silence_event *event)
{
    struct ck_effects effects = {.count = 0};
    struct ck_silence next;
    ck_silence_step(&subject->silence, event, turn->now.wall, &next, &effects);
    subject->silence = next;
    int r = ck_subject_save(turn->store, subject);
    for (uint32_t i = 0; r == 0 && i < effects.count; i++) {
        r = carry_out(turn, subject, &effects.items[i]);
    }
    return r;
}

int ck_person_due(struct ck_turn *turn, const struct ck_due *due)
{
    struct ck_subject subject;
    struct ck_interval blackouts[BLACKOUTS_MAX];
    size_t count = 0;
    int r = ck_subject_load(turn->store, due->id, &subject);
    if (r == 0 && subject.fence != due->fence) {
        r = CK_E_FENCED;
    }
    if (r == 0) {
        r = ck_blackouts_of(turn->store, subject.id, subject.silence.since, turn->now.wall,
                            blackouts, NULL, BLACKOUTS_MAX, &count);
    }
    if (r != 0) {
        return r;
    }
    return feed(
        turn, &subject,
        &(struct ck_silence_event){.kind = CK_SILENCE_TIMER,
                                   .excused_ms = ck_silence_excused_ms(
                                       blackouts, count, subject.silence.since, turn->now.wall)});
}

int ck_silence_contact(struct ck_turn *turn, int64_t person, struct ck_wall at)
{
    struct ck_subject subject;
    int r = ck_subject_load(turn->store, person, &subject);
    if (r != 0) {
        return r;
    }
    if (ck_wall_before(subject.last_contact, at)) {
        subject.last_contact = at;
    }
    return feed(turn, &subject, &(struct ck_silence_event){.kind = CK_SILENCE_CONTACT, .at = at});
}

int ck_silence_concluded(struct ck_turn *turn, int64_t person, struct ck_wall *again_at)
{
    struct ck_subject subject;
    *again_at = (struct ck_wall){0};
    int r = ck_subject_load(turn->store, person, &subject);
    if (r != 0 || !subject.silence.alarmed) {
        return r;
    }
    r = feed(turn, &subject, &(struct ck_silence_event){.kind = CK_SILENCE_CONCLUDED});
    if (r == 0 && subject.silence.next_at.ms != CK_WALL_NEVER.ms) {
        *again_at = subject.silence.next_at;
    }
    return r;
}

/* The shortest of the silences that the active mandatory plans allow; 0 where none limits it. */
static int shortest(struct ck_turn *turn, int64_t person, int64_t *max_ms)
{
    int64_t ids[CK_SILENCE_PLANS_MAX];
    size_t count = 0;
    ck_cleanup(ck_freep) struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    *max_ms = 0;
    int r = frame == NULL
                ? -ENOMEM
                : ck_plan_of_person(turn->store, person, ids, CK_SILENCE_PLANS_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
        r = ck_plan_load(turn->store, ids[i], &record);
        r = r == 0 ? ck_plan_frame(turn, &record, frame) : r;
        int64_t wanted = frame->plan.max_silence_ms;
        if (r == 0 && wanted > 0 && record.mandatory && (*max_ms == 0 || wanted < *max_ms)) {
            *max_ms = wanted;
        }
    }
    return r;
}

/* Whether the person owes contact at all: while an order of theirs is in force, even where no plan
 * asks for it just now. */
static int under_order(struct ck_turn *turn, const struct ck_subject *subject, bool *under)
{
    ck_cleanup(ck_freep) struct ck_order_record *order = calloc(1, sizeof *order);
    const struct ck_zone *zone = NULL;
    size_t count = 0;
    int r = order == NULL ? -ENOMEM : ck_zones_find(turn->engine->zones, subject->zone, &zone);
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    r = ck_order_in_force(turn->store, subject->id, ck_zone_local(zone, turn->now.wall).date, order,
                          1, &count);
    *under = count > 0;
    return r;
}

int ck_silence_changed(struct ck_turn *turn, int64_t person)
{
    struct ck_subject subject;
    int64_t max_ms = 0;
    int r = shortest(turn, person, &max_ms);
    r = r == 0 ? ck_subject_load(turn->store, person, &subject) : r;
    bool owed = max_ms > 0;
    r = r == 0 && !owed ? under_order(turn, &subject, &owed) : r;
    if (r != 0) {
        return r;
    }
    subject.silence.band = ck_band_of(subject.band);
    if (max_ms > 0 && subject.silence.since.ms == 0) {
        subject.silence.max_ms = max_ms;
        ck_silence_begin(&subject.silence, turn->now.wall);
        return ck_subject_save(turn->store, &subject);
    }
    return feed(turn, &subject,
                &(struct ck_silence_event){.kind = owed ? CK_SILENCE_CHANGED : CK_SILENCE_ENDED,
                                           .max_ms = max_ms,
                                           .band = subject.silence.band});
}
