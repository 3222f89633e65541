/* The wall clock when it is wrong, or was set back. */
#include "daemon/core/clock_live.h"

#include "daemon/core/live_impl.h"
#include "daemon/store/clock.h"
#include "protocol/base/error.h"

#define SET_BACK_MS 2000 /* less is the clock's own slewing */
#define WAIT_MS 600000

int ck_clock_begin(struct ck_engine *engine)
{
    struct ck_wall newest;
    int r = ck_store_newest_record(engine->store, &newest);
    if (r == 0) {
        engine->latest = newest;
    }
    return r == CK_E_NOT_FOUND ? 0 : r;
}

bool ck_clock_is_back(const struct ck_engine *engine, struct ck_wall now)
{
    return engine->latest.ms - now.ms > SET_BACK_MS;
}

int ck_clock_look(struct ck_turn *turn)
{
    const struct ck_actor actor = ck_actor_system();
    int64_t back_ms = turn->engine->latest.ms - turn->now.wall.ms;
    if (!ck_clock_is_back(turn->engine, turn->now.wall)) {
        return 0;
    }
    int r = ck_store_clock_set_back(turn->store, turn->now.wall, back_ms);
    return r == 0 ? ck_turn_audit(turn, &actor,
                                  &(struct ck_record){
                                      .action = "CLOCK_WENT_BACK",
                                      .object = "system",
                                      .open = json_pack("{s:I}", "jump_ms", (json_int_t)-back_ms)})
                  : r;
}

void ck_clock_note(struct ck_engine *engine, struct ck_wall now)
{
    if (ck_wall_before(engine->latest, now) || ck_clock_is_back(engine, now)) {
        engine->latest = now;
    }
}

bool ck_clock_waits(const struct ck_turn *turn, enum ck_due_kind kind)
{
    return !turn->now.synchronised &&
           (kind == CK_DUE_ORDER || kind == CK_DUE_EXPIRY || kind == CK_DUE_KEY);
}

int ck_clock_wait(struct ck_turn *turn, const struct ck_due *due)
{
    return ck_store_postpone(turn->store, due, ck_wall_add_ms(turn->now.wall, WAIT_MS));
}
