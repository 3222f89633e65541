#include "daemon/audit/destroyed.h"

#include "daemon/audit/audit.h"
#include "daemon/store/log.h"
#include "protocol/base/error.h"

int ck_audit_recording_destroyed(struct ck_store *store, int64_t recording, bool *destroyed)
{
    struct ck_audit audit = {.dirty = false};
    struct ck_pseudonym object;
    uint8_t leaf[CK_LOG_LEAF_MAX];
    size_t size = 0;
    int64_t person = 0, index = 0;
    int r = ck_log_load_head(store, &audit.head);
    r = r == 0 ? ck_log_owner(store, "recording", recording, &person) : r;
    r = r == 0 ? ck_audit_pseudonym(&audit, store, "recording", recording, person, &object) : r;
    if (r != 0) {
        return r;
    }
    if (!audit.names.has_salt) {
        *destroyed = true;
        return 0;
    }
    r = ck_log_newest(store, &object, "EXPIRY_ERASED", leaf, &size, &index);
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    *destroyed = r == 0;
    return 0;
}
