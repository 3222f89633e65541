/* The engine as the loop thread sees it: commands go in with a callback, outputs come out.
 *
 * Loop thread only. */
#ifndef DAEMON_CORE_BUS_H
#define DAEMON_CORE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "daemon/core/command.h"
#include "daemon/core/engine.h"

struct ck_bus;

/* What a command came to; `result` and its body live until this returns. */
typedef void ck_bus_done(void *cookie, const struct ck_result *result);

/* One output of the engine; the body lives until this returns. */
typedef void ck_bus_output(void *context, const struct ck_output *output);

/* Creates the engine (its `wake` and `user` are set here) and starts its thread; outputs of its
 * first turns come with the loop. Errors of ck_engine_create(). */
int ck_bus_create(uv_loop_t *loop, const struct ck_engine_options *options, ck_bus_output *output,
                  void *context, struct ck_bus **bus);

/* Submits a command. `body` is taken over, also on failure; `name` is permanent text. `done` (or
 * NULL) is called exactly once, never from inside this call: with the engine's result, or with
 * CK_E_BUSY (its queue is full), CK_E_NOT_FOUND (no such command), -ENOMEM, or -ESHUTDOWN (the
 * daemon ends; whether it was done is then not known here, only in the store). */
void ck_bus_submit(struct ck_bus *bus, const char *name, const struct ck_actor *actor, json_t *body,
                   ck_bus_done *done, void *cookie);

struct ck_engine *ck_bus_engine(struct ck_bus *bus);

/* Commands whose result has not come yet. */
size_t ck_bus_pending(const struct ck_bus *bus);

/* Lets the engine finish its turn and everything already queued (at most a second), ends it, hands
 * out what it still gave, and answers the rest with -ESHUTDOWN. Then `stopped`, after which the bus
 * is gone. */
void ck_bus_stop(struct ck_bus *bus, void (*stopped)(void *context), void *context);

#endif
