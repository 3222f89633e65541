/* The longest silence that a person's plans allow. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "daemon/store/order.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define BLACKOUTS_MAX 64 /* of one silence; what would be more excuses less */

/* A new incident; or the one that is open still from a silence before this one, which may rest
 * because of a contact in between, and must not. */
static int raise_alarm(struct ck_turn *turn, const struct ck_subject *subject,
                       const struct ck_effect_incident *effect)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_incident_row row;
    int64_t id = 0;
    int r = ck_incident_silence_of(turn->store, subject->id, &id);
    if (r == CK_E_NOT_FOUND) {
        return ck_incident_open(turn, &actor,
                                &(struct ck_incident_opening){.person = subject->id,
                                                              .unit = subject->unit,
                                                              .effect = *effect});
    }
    r = r == 0 ? ck_incident_load(turn->store, id, &row) : r;
    return r == 0 ? ck_incident_feed(turn, &actor, &row,
                                     &(struct ck_incident_event){.kind = CK_INCIDENT_SILENT_AGAIN})
                  : r;
}

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
    return raise_alarm(turn, subject, &effect->incident);
}

static void step(struct ck_turn *turn, struct ck_subject *subject,
                 const struct ck_silence_event *event, struct ck_effects *effects)
{
    struct ck_silence next;
    ck_silence_step(&subject->silence, event, turn->now.wall, &next, effects);
    subject->silence = next;
}

static int feed(struct ck_turn *turn, struct ck_subject *subject,
                const struct ck_silence_event *event)
{
    struct ck_effects effects = {.count = 0};
    step(turn, subject, event, &effects);
    int r = ck_subject_save(turn->store, subject);
    for (uint32_t i = 0; r == 0 && i < effects.count; i++) {
        r = carry_out(turn, subject, &effects.items[i]);
    }
    return r;
}

/* ---- what the plans allow ---- */

struct allowed {
    struct ck_interval blackouts[BLACKOUTS_MAX]; /* since the silence began */
    size_t blackout_count;
    struct ck_silence_limit limits[CK_SILENCE_PLANS_MAX];
    size_t count;
    struct ck_wall look_at;
};

static void look_at(struct allowed *allowed, struct ck_wall at)
{
    bool sooner = allowed->look_at.ms == 0 || ck_wall_before(at, allowed->look_at);
    allowed->look_at = sooner ? at : allowed->look_at;
}

/* A plan counts from the beginning of its first date, or from when it was made that day, to the end
 * of its last. */
static void add_plan(struct ck_turn *turn, const struct ck_plan_record *record,
                     const struct ck_plan_frame *frame, const struct ck_subject *subject,
                     struct allowed *allowed)
{
    struct ck_wall now = turn->now.wall, begins = ck_zone_midnight(frame->zone, record->begins);
    struct ck_wall over =
        record->until.day == 0
            ? CK_WALL_NEVER
            : ck_zone_midnight(frame->zone, (struct ck_date){record->until.day + 1});
    begins = ck_wall_before(begins, record->created) ? record->created : begins;
    if (!ck_wall_before(now, over)) {
        return;
    }
    if (ck_wall_before(now, begins)) {
        look_at(allowed, begins);
        return;
    }
    if (over.ms != CK_WALL_NEVER.ms) {
        look_at(allowed, over);
    }
    allowed->limits[allowed->count++] = (struct ck_silence_limit){
        .max_ms = frame->plan.max_silence_ms,
        .begins = begins,
        .excused_ms = ck_silence_excused_ms(allowed->blackouts, allowed->blackout_count,
                                            subject->silence.since, begins),
    };
}

/* What the mandatory plans that serve now allow, and when they are other ones by themselves. */
static int look(struct ck_turn *turn, const struct ck_subject *subject, struct allowed *allowed)
{
    int64_t ids[CK_SILENCE_PLANS_MAX];
    size_t count = 0;
    ck_cleanup(ck_freep) struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    *allowed = (struct allowed){.count = 0};
    int r = frame == NULL
                ? -ENOMEM
                : ck_plan_of_person(turn->store, subject->id, ids, CK_SILENCE_PLANS_MAX, &count);
    r = r == 0 ? ck_blackouts_of(turn->store, subject->id, subject->silence.since, turn->now.wall,
                                 allowed->blackouts, NULL, BLACKOUTS_MAX, &allowed->blackout_count)
               : r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
        r = ck_plan_load(turn->store, ids[i], &record);
        r = r == 0 ? ck_plan_frame(turn, &record, frame) : r;
        if (r == 0 && record.mandatory && frame->plan.max_silence_ms > 0) {
            add_plan(turn, &record, frame, subject, allowed);
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

/* What there is to be told of the person's plans, orders and band, as they are now. */
static int changes(struct ck_turn *turn, const struct ck_subject *subject, struct allowed *allowed,
                   struct ck_silence_event *event)
{
    int r = look(turn, subject, allowed);
    bool owed = allowed->count > 0;
    r = r == 0 && !owed ? under_order(turn, subject, &owed) : r;
    *event = (struct ck_silence_event){
        .kind = owed ? CK_SILENCE_CHANGED : CK_SILENCE_ENDED,
        .limits = allowed->limits,
        .limit_count = allowed->count,
        .look_at = allowed->look_at,
        .band = ck_band_of(subject->band),
    };
    return r;
}

/* ---- events ---- */

/* The limits are looked at again each time: they are other ones where a plan begins or leaves. */
int ck_person_due(struct ck_turn *turn, const struct ck_due *due)
{
    struct ck_subject subject;
    struct ck_silence_event change;
    struct ck_effects none = {.count = 0};
    ck_cleanup(ck_freep) struct allowed *allowed = calloc(1, sizeof *allowed);
    int r = allowed == NULL ? -ENOMEM : ck_subject_load(turn->store, due->id, &subject);
    if (r == 0 && subject.fence != due->fence) {
        r = CK_E_FENCED;
    }
    r = r == 0 ? changes(turn, &subject, allowed, &change) : r;
    if (r != 0) {
        return r;
    }
    step(turn, &subject, &change, &none);
    return feed(turn, &subject,
                &(struct ck_silence_event){
                    .kind = CK_SILENCE_TIMER,
                    .excused_ms = ck_silence_excused_ms(allowed->blackouts, allowed->blackout_count,
                                                        subject.silence.since, turn->now.wall)});
}

int ck_silence_contact(struct ck_turn *turn, int64_t person, struct ck_wall at)
{
    struct ck_subject subject;
    struct ck_interval blackouts[BLACKOUTS_MAX];
    size_t count = 0;
    int r = ck_subject_load(turn->store, person, &subject);
    if (r != 0) {
        return r;
    }
    struct ck_wall since = subject.silence.since;
    struct ck_interval between = ck_wall_before(since, at) ? (struct ck_interval){since, at}
                                                           : (struct ck_interval){at, since};
    r = ck_blackouts_of(turn->store, person, between.from, between.until, blackouts, NULL,
                        BLACKOUTS_MAX, &count);
    if (r != 0) {
        return r;
    }
    if (ck_wall_before(subject.last_contact, at)) {
        subject.last_contact = at;
    }
    return feed(turn, &subject,
                &(struct ck_silence_event){.kind = CK_SILENCE_CONTACT,
                                           .at = at,
                                           .excused_ms = ck_silence_excused_ms(
                                               blackouts, count, between.from, between.until)});
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
    if (r == 0 && subject.silence.max_ms != 0) {
        *again_at = ck_wall_add_ms(subject.silence.since, subject.silence.span_ms);
    }
    return r;
}

int ck_silence_changed(struct ck_turn *turn, int64_t person)
{
    struct ck_subject subject;
    struct ck_silence_event event;
    ck_cleanup(ck_freep) struct allowed *allowed = calloc(1, sizeof *allowed);
    int r = allowed == NULL ? -ENOMEM : ck_subject_load(turn->store, person, &subject);
    r = r == 0 ? changes(turn, &subject, allowed, &event) : r;
    return r == 0 ? feed(turn, &subject, &event) : r;
}
