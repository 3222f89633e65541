#include <errno.h>

#include "daemon/core/command.h"
#include "daemon/core/engine_impl.h"
#include "daemon/store/incident.h"

#define ROSTER_MAX 64

/* Officers on duty and supervisors of every unit. */
static int add_role(struct ck_engine *engine, unsigned role, bool on_duty, json_t *roster)
{
    struct ck_recipient people[ROSTER_MAX];
    size_t count = 0;
    int r = ck_recipient_find(engine->store, 0, role, on_duty, people, ROSTER_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        json_t *item =
            json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "staff", (json_int_t)people[i].id, "name",
                      people[i].name, "email", people[i].email, "phone", people[i].phone,
                      "language", people[i].language, "unit", (json_int_t)people[i].unit);
        r = json_array_append_new(roster, item) == 0 ? 0 : -ENOMEM;
    }
    return r;
}

int ck_roster_load(struct ck_engine *engine)
{
    json_t *roster = json_array();
    int r = add_role(engine, CK_ROLE_OFFICER, true, roster);
    if (r == 0) {
        r = add_role(engine, CK_ROLE_SUPERVISOR, false, roster);
    }
    if (r != 0) {
        json_decref(roster);
        return r;
    }
    json_decref(engine->roster);
    engine->roster = roster;
    return 0;
}
