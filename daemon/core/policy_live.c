/* Policies: immutable texts that rows refer to by number. */
#include <string.h>

#include "daemon/core/live_impl.h"
#include "daemon/store/checkin.h"
#include "protocol/base/error.h"

int ck_policy_of(struct ck_turn *turn, const char *kind, const char *text, int64_t *id)
{
    const struct ck_actor actor = ck_actor_system();
    int r = ck_policy_row_find(turn->store, kind, text, id);
    if (r != CK_E_NOT_FOUND) {
        return r;
    }
    r = ck_policy_row_insert(turn->store, kind, text, id);
    return r == 0 ? ck_turn_audit(turn, &actor,
                                  &(struct ck_record){
                                      .action = "POLICY_KEPT",
                                      .object = "policy",
                                      .object_id = *id,
                                      .open = json_pack("{s:s, s:s}", "kind", kind, "text", text)})
                  : r;
}
