#include "daemon/core/band_live.h"

#include <string.h>

#include "daemon/core/live_impl.h"
#include "protocol/base/error.h"

#define OPEN_MAX                                                                                   \
    512 /* incidents of one person; the gravest part of what is open is far below it               \
         */

/* How much was touched. */
struct reach_of {
    int64_t planned, begun, incidents;
};

/* A band that came, and how far it has reached. */
struct banding {
    const struct ck_actor *actor;
    enum ck_band band;
    struct reach_of *reach;
};

static int band_checkin(struct ck_turn *turn, int64_t id, void *user)
{
    const struct banding *banding = user;
    struct ck_checkin_row row;
    int r = ck_checkin_load(turn->store, id, &row);
    if (r != 0) {
        return r;
    }
    enum ck_band was = row.step.band;
    bool begun = row.step.state > CK_CHECKIN_ARMED;
    r = ck_checkin_feed(
        turn, banding->actor, &row,
        &(struct ck_checkin_event){.kind = CK_CHECKIN_BANDED, .banded.band = banding->band});
    if (r == 0 && row.step.band != was) {
        banding->reach->begun += begun;
        banding->reach->planned += !begun;
    }
    return r;
}

/* Whether the policy of the incident's check-in wants somebody to look after the other side. */
static int wants_safety(struct ck_turn *turn, const struct ck_incident_row *incident, bool *wanted)
{
    struct ck_checkin_row row;
    struct ck_checkin_policy policy;
    *wanted = false;
    if (incident->step.checkin == 0) {
        return 0;
    }
    int r = ck_checkin_load(turn->store, incident->step.checkin, &row);
    r = r == 0 ? ck_checkin_policy_of(turn, row.policy, &policy) : r;
    if (r == 0) {
        *wanted = policy.safety_check;
    }
    return r;
}

static int band_incidents(struct ck_turn *turn, const struct ck_actor *actor, int64_t person,
                          enum ck_band band, struct reach_of *reach)
{
    int64_t ids[OPEN_MAX];
    size_t count = 0;
    int r = ck_incident_open_of(turn->store, person, ids, OPEN_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_incident_row incident;
        struct ck_incident_event event = {.kind = CK_INCIDENT_BANDED, .band = band};
        r = ck_incident_load(turn->store, ids[i], &incident);
        enum ck_band was = incident.step.band;
        r = r == 0 ? wants_safety(turn, &incident, &event.safety_check) : r;
        r = r == 0 ? ck_incident_feed(turn, actor, &incident, &event) : r;
        if (r == 0 && incident.step.band != was) {
            r = ck_incident_line(turn->store, ids[i], turn->now.wall, "banded", actor->staff_id, 0,
                                 NULL);
            reach->incidents++;
        }
    }
    return r;
}

int ck_person_banded(struct ck_turn *turn, const struct ck_actor *actor, int64_t person,
                     const char *was, const char *band, json_t *more)
{
    struct reach_of reach = {0};
    if (strcmp(was, band) == 0) {
        json_decref(more);
        return 0;
    }
    int r = ck_checkins_each(turn, ck_checkin_open_of, person, band_checkin,
                             &(struct banding){actor, ck_band_of(band), &reach});
    r = r == 0 ? band_incidents(turn, actor, person, ck_band_of(band), &reach) : r;
    r = r == 0 ? ck_silence_changed(turn, person) : r;
    json_t *open = more == NULL ? json_object() : more;
    json_object_set_new(open, "was", json_string(was));
    json_object_set_new(open, "band", json_string(band));
    json_object_set_new(open, "checkins", json_integer(reach.planned + reach.begun));
    json_object_set_new(open, "begun", json_integer(reach.begun));
    json_object_set_new(open, "incidents", json_integer(reach.incidents));
    if (r != 0) {
        json_decref(open);
        return r;
    }
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){.action = "PERSON_BAND_SET",
                                             .object = "person",
                                             .object_id = person,
                                             .person_id = person,
                                             .open = open});
}
