/* The proof of a receipt for the person whose it is: a .tlog-proof of the entry that recorded the
 * outcome, and that entry. All that it says lies open in the entry: nothing is to be opened beside
 * it, and no note of anybody is in it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/api/api_impl.h"
#include "daemon/audit/checkpoint.h"
#include "daemon/core/body.h"
#include "daemon/store/checkin.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

int ck_api_self_proof(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct ck_checkin_row row;
    (void)out;
    int r = ck_checkin_load(store, call->id, &row);
    if (r == 0 && row.step.person != call->actor.person_id) {
        return CK_E_NOT_FOUND;
    }
    ck_cleanup(ck_freep) char *text = r == 0 ? malloc(CK_PROOF_TEXT_MAX) : NULL;
    size_t size = 0;
    r = r == 0 && text == NULL ? -ENOMEM : r;
    r = r == 0 ? ck_audit_outcome_proof(store, row.step.person, call->id, text, &size) : r;
    if (r == CK_E_CONFLICT) {
        return ck_refuse(&call->refusal, r, "proof",
                         "the entry is not signed yet: it will be within %d seconds",
                         CK_CHECKPOINT_REST_MS / 1000);
    }
    if (r != 0) {
        return r;
    }
    snprintf(call->disposition, sizeof call->disposition, "attachment; filename=\"%s.tlog-proof\"",
             row.receipt);
    call->blob = ck_take(text);
    call->blob_size = size;
    call->blob_type = "text/plain; charset=utf-8";
    return 0;
}
