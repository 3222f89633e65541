#include <errno.h>

#include "daemon/core/command.h"
#include "daemon/core/engine_impl.h"
#include "daemon/store/incident.h"
#include "daemon/store/roster.h"

#define ROSTER_MAX 64

static int add_people(struct ck_engine *engine, const int64_t *ids, size_t count, json_t *roster)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_recipient person;
        r = ck_recipient_load(engine->store, ids[i], &person);
        if (r != 0) {
            break;
        }
        json_t *item = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "staff", (json_int_t)person.id,
                                 "name", person.name, "email", person.email, "phone", person.phone,
                                 "language", person.language, "unit", (json_int_t)person.unit);
        r = json_array_append_new(roster, item) == 0 ? 0 : -ENOMEM;
    }
    return r;
}

int ck_roster_load(struct ck_engine *engine)
{
    /* The whole duty pool and every supervisor, whatever the shifts say: it is looked at when
     * nothing else is left. */
    json_t *roster = json_array();
    int64_t ids[ROSTER_MAX];
    size_t count = 0;
    int r = ck_duty_pool(engine->store, 0, ids, ROSTER_MAX, &count);
    r = r == 0 ? add_people(engine, ids, count, roster) : r;
    r = r == 0 ? ck_staff_of_role(engine->store, 0, CK_ROLE_SUPERVISOR, ids, ROSTER_MAX, &count)
               : r;
    r = r == 0 ? add_people(engine, ids, count, roster) : r;
    if (r != 0) {
        json_decref(roster);
        return r;
    }
    pthread_mutex_lock(&engine->lock);
    json_t *before = engine->roster;
    engine->roster = roster;
    pthread_mutex_unlock(&engine->lock);
    json_decref(before);
    return 0;
}

json_t *ck_engine_roster(struct ck_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    json_t *copy = json_deep_copy(engine->roster);
    pthread_mutex_unlock(&engine->lock);
    return copy;
}
