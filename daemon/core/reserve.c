#include "daemon/core/reserve.h"

#include <string.h>

#include "daemon/core/engine_impl.h"
#include "daemon/core/live_impl.h"
#include "protocol/base/error.h"

/* What stops: a whole name, or everything that begins with one that ends with a dot. */
static const char *const stops[] = {
    "absence.",      "approval.propose", "checkin.thumbnail", "log.exported",
    "log.proved",    "log.verified",     "order.create",      "person.create",
    "person.update", "photo.store",      "plan.create",       "recording.begin",
    "shift.",        "staff.create",     "staff.update",      "stand_ins.",
    "unit.",
};

static bool is_of(const char *command, const char *name)
{
    size_t size = strlen(name);
    return name[size - 1] == '.' ? strncmp(command, name, size) == 0 : strcmp(command, name) == 0;
}

/* Whose data it is that somebody wants to look at; 0: nobody's alone. */
static int person_of(struct ck_turn *turn, const char *object, int64_t id, int64_t *person)
{
    if (strcmp(object, "person") == 0 || strcmp(object, "photo") == 0 ||
        strcmp(object, "messages") == 0) {
        *person = id;
        return 0;
    }
    const char *kind = strcmp(object, "thumbnail") == 0 ? "checkin"
                       : strcmp(object, "file") == 0    ? "message"
                                                        : object;
    return ck_log_owner(turn->store, kind, id, person);
}

/* Reads go on as far as an open incident needs them. */
static int check_read(struct ck_turn *turn, const char *object, int64_t id, bool *goes_on)
{
    int64_t person = 0, incident = 0;
    size_t open = 0;
    *goes_on = strcmp(object, "today") == 0 || strncmp(object, "incident", 8) == 0;
    if (*goes_on || id == 0) {
        return 0;
    }
    int r = person_of(turn, object, id, &person);
    if (r == CK_E_NOT_FOUND) { /* the handler says so */
        *goes_on = true;
        return 0;
    }
    r = r == 0 ? ck_incident_open_of(turn->store, person, &incident, 1, &open) : r;
    *goes_on = open > 0;
    return r;
}

static const char *read_of(const char *command, const json_t *body, int64_t *id)
{
    bool viewed = strcmp(command, "recording.viewed") == 0;
    if (strcmp(command, "read") != 0 && !viewed) {
        return NULL;
    }
    const char *object = json_string_value(json_object_get(body, "object"));
    *id = json_integer_value(json_object_get(body, viewed ? "recording" : "id"));
    return viewed ? "recording" : object;
}

int ck_reserve_check(struct ck_turn *turn, const char *command, const json_t *body,
                     struct ck_refusal *refusal)
{
    int64_t id = 0;
    bool goes_on = true;
    if (!atomic_load(&turn->engine->low)) {
        return 0;
    }
    const char *object = read_of(command, body, &id);
    int r = object == NULL ? 0 : check_read(turn, object, id, &goes_on);
    /* Words go on, pictures and documents wait. */
    goes_on = goes_on && (strcmp(command, "message.send") != 0 ||
                          !json_is_object(json_object_get(body, "file")));
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        goes_on = goes_on && !is_of(command, stops[i]);
    }
    if (r != 0 || goes_on) {
        return r;
    }
    return ck_refuse(refusal, CK_E_BUSY, "",
                     "the disk is nearly full: only what an open incident needs goes on");
}

int ck_reserve_note(struct ck_turn *turn)
{
    struct ck_engine *engine = turn->engine;
    const struct ck_actor actor = ck_actor_system();
    bool low = atomic_load(&engine->low);
    if (low == engine->low_noted) {
        return 0;
    }
    int r = ck_turn_audit(turn, &actor,
                          &(struct ck_record){.action = low ? "DISK_LOW" : "DISK_ENOUGH",
                                              .object = "system",
                                              .result = low ? "failed" : "ok"});
    if (r == 0 && low) {
        r = ck_incident_open(turn, &actor,
                             &(struct ck_incident_opening){
                                 .cause = "the disk is nearly full: recordings have stopped",
                                 .effect = {.kind = CK_INCIDENT_SYSTEM,
                                            .severity = CK_SEVERITY_HIGH,
                                            .first_step_at = turn->now.wall},
                             });
    }
    turn->low_noted = low;
    turn->low_changed = r == 0;
    return r;
}
