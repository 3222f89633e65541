/* How the step functions fill a list of effects. */
#ifndef SCHEDULER_EFFECTS_IMPL_H
#define SCHEDULER_EFFECTS_IMPL_H

#include <assert.h>
#include <string.h>

#include "scheduler/effects.h"

/* A cleared effect at the end of the list, to be filled by the caller. */
static inline struct ck_effect *ck_effects_add(struct ck_effects *effects, enum ck_effect_kind kind)
{
    assert(effects->count < CK_EFFECTS_MAX);
    struct ck_effect *effect = &effects->items[effects->count++];
    memset(effect, 0, sizeof(*effect));
    effect->kind = kind;
    return effect;
}

static inline void ck_effects_audit(struct ck_effects *effects, enum ck_fact fact, int64_t value)
{
    struct ck_effect *effect = ck_effects_add(effects, CK_EFFECT_AUDIT);
    effect->audit.fact = fact;
    effect->audit.value = value;
}

/* Hands a finished list over: only the effects there are, so that a caller's list is not copied
 * whole. */
static inline void ck_effects_give(const struct ck_effects *from, struct ck_effects *to)
{
    to->count = from->count;
    memcpy(to->items, from->items, from->count * sizeof(from->items[0]));
}

#endif
