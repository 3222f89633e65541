/* The longest time without accepted contact that a plan allows. Exceeding it opens one incident,
 * whatever the check-ins in between said; time in blackouts does not count. Where that is concluded
 * and still nobody has had contact, the time runs anew from the conclusion: no silence is closed
 * for good by closing its incident.
 *
 * The limits are those of the plans that serve now. Each is counted from the last contact, and one
 * whose plan began only since then from that beginning; but what was due earlier by the limits
 * before stays due then, unless the limits of now allow more all the same. So another plan asks for
 * nothing of the time before it, and no alarm is put off by changing plans. */
#ifndef SCHEDULER_SILENCE_H
#define SCHEDULER_SILENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"
#include "scheduler/draw.h"
#include "scheduler/effects.h"

struct ck_silence {
    int64_t max_ms; /* 0: no limit now; the row rests, and goes on from `since` where one comes */
    enum ck_band band;
    struct ck_wall since;  /* last accepted contact, the beginning of the duty, or the conclusion of
                              an alarm without contact; 0: none is owed */
    struct ck_wall before; /* where `since` is a conclusion: what it was before, for a contact in
                              between may become known with its review; 0: it is none */
    int64_t span_ms;       /* how long this silence may last: max_ms, or longer where that began
                              during it. Kept where no limit applies; 0: none has yet */
    int64_t excused_ms;    /* of the time since `since` */
    bool alarmed;          /* the incident of this silence has been opened */
    struct ck_wall look_at; /* the limits are other ones then; 0: not by themselves */
    struct ck_wall next_at; /* CK_WALL_NEVER where there is nothing to wait for */
};

/* What one plan that serves now allows. */
struct ck_silence_limit {
    int64_t max_ms;        /* more than 0 */
    struct ck_wall begins; /* of the plan: not after now */
    int64_t excused_ms;    /* blackout time from `since` to then */
};

enum ck_silence_event_kind {
    CK_SILENCE_TIMER = 0,
    CK_SILENCE_CONTACT,   /* accepted contact at `at` */
    CK_SILENCE_CHANGED,   /* limits, look_at and band as they are now; never moves the beginning.
                             Told again without a change it changes nothing */
    CK_SILENCE_ENDED,     /* no contact is owed any more: a next duty begins anew */
    CK_SILENCE_CONCLUDED, /* the incident of this silence was: without contact since, it is alarmed
                             again after another max_ms from here */
    CK_SILENCE_EVENT_COUNT,
};

struct ck_silence_event {
    enum ck_silence_event_kind kind;
    int64_t excused_ms; /* TIMER: blackout time since `since` (ck_silence_excused_ms()); never
                           lowers it. CONTACT: between `since` and `at`, whichever is earlier */
    struct ck_wall at;
    const struct ck_silence_limit *limits; /* CHANGED */
    size_t limit_count;
    struct ck_wall look_at; /* CHANGED, ENDED: the next moment at which a plan begins or leaves */
    enum ck_band band;
};

/* Decides one event; never fails. A contact ends a silence, and with it the alarm: the incident is
 * told by CK_EFFECT_CONTACT and stays until it is concluded. */
void ck_silence_step(const struct ck_silence *row, const struct ck_silence_event *event,
                     struct ck_wall now, struct ck_silence *next, struct ck_effects *effects);

/* How much of [from, until) the blackouts cover; they may overlap each other. */
int64_t ck_silence_excused_ms(const struct ck_interval *blackouts, size_t count,
                              struct ck_wall from, struct ck_wall until);

const char *ck_silence_event_name(enum ck_silence_event_kind kind);

#endif
