#include "daemon/audit/destroyed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/audit/audit.h"
#include "daemon/store/erase.h"
#include "daemon/store/log.h"
#include "daemon/store/recording.h"
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
    r = ck_log_newest(store, &object, "EXPIRY_ERASED", "", leaf, &size, &index);
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    *destroyed = r == 0;
    return 0;
}

/* When the log says that this class of a person's data was destroyed for the last time; 0: never,
 * the end of time: with the whole case file. */
static int erased_at(struct ck_store *store, enum ck_keep keep, int64_t person, struct ck_wall *at)
{
    static const char member[] = "\"at\":\"";
    struct ck_audit audit = {.dirty = false};
    struct ck_pseudonym object;
    uint8_t leaf[CK_LOG_LEAF_MAX + 1];
    size_t size = 0;
    int64_t index = 0;
    char part[48], text[CK_WALL_TEXT_SIZE];
    *at = (struct ck_wall){0};
    int r = ck_log_load_head(store, &audit.head);
    r = r == 0 ? ck_audit_pseudonym(&audit, store, "person", person, person, &object) : r;
    if (r == 0 && !audit.names.has_salt) {
        *at = (struct ck_wall){INT64_MAX};
        return 0;
    }
    snprintf(part, sizeof part, "\"class\":\"%s\"", ck_keep_name(keep));
    r = r == 0 ? ck_log_newest(store, &object, "EXPIRY_ERASED", part, leaf, &size, &index) : r;
    if (r != 0) {
        return r == CK_E_NOT_FOUND ? 0 : r;
    }
    leaf[size] = '\0';
    const char *found = strstr((const char *)leaf, member);
    snprintf(text, sizeof text, "%s", found == NULL ? "" : found + strlen(member));
    text[strcspn(text, "\"")] = '\0';
    return ck_wall_parse(text, at) == 0 ? 0 : -EUCLEAN;
}

int ck_audit_put_back(struct ck_store *store, enum ck_keep keep, int64_t person, bool *put_back)
{
    struct ck_wall at;
    int r = erased_at(store, keep, person, &at);
    *put_back = false;
    return r != 0 || at.ms == 0 ? r : ck_erase_is_there(store, keep, person, at, put_back);
}

int ck_audit_thumbnail_put_back(struct ck_store *store, int64_t checkin, bool *put_back)
{
    int64_t recordings[CK_RECORDINGS_OF_CHECKIN_MAX];
    size_t count = 0;
    int r =
        ck_recordings_of_person(store, checkin, recordings, CK_RECORDINGS_OF_CHECKIN_MAX, &count);
    *put_back = false;
    for (size_t i = 0; r == 0 && !*put_back && i < count; i++) {
        r = ck_audit_recording_destroyed(store, recordings[i], put_back);
    }
    return r;
}
