#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/band_live.h"
#include "daemon/core/live_impl.h"
#include "protocol/base/error.h"

void ck_reference_make(struct ck_turn *turn, char prefix, char text[static CK_RECEIPT_SIZE])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* without I, L, O, U */
    uint8_t random[12];
    char group[3][5];
    ck_turn_random(turn, random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        group[i / 4][i % 4] = digits[random[i] & 31];
        group[i / 4][4] = '\0';
    }
    snprintf(text, CK_RECEIPT_SIZE, "%c-%s-%s-%s", prefix, group[0], group[1], group[2]);
}

enum ck_band ck_band_of(const char *text)
{
    static const struct {
        const char *name;
        enum ck_band band;
    } bands[] = {
        {"low", CK_BAND_1}, {"medium", CK_BAND_3}, {"high", CK_BAND_5_6}, {"top", CK_BAND_TOP}};
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++) {
        if (strcmp(bands[i].name, text) == 0) {
            return bands[i].band;
        }
    }
    return CK_BAND_UNSCORED;
}

const char *ck_band_class(enum ck_band band)
{
    static const char *const names[CK_BAND_COUNT] = {
        [CK_BAND_UNSCORED] = "medium", [CK_BAND_0] = "low",    [CK_BAND_1] = "low",
        [CK_BAND_2] = "medium",        [CK_BAND_3] = "medium", [CK_BAND_4] = "high",
        [CK_BAND_5_6] = "high",        [CK_BAND_7_13] = "top"};
    return names[band];
}

void ck_action_name(const char *prefix, const char *word, char action[static 64])
{
    snprintf(action, 64, "%s%s", prefix, word);
    for (char *at = action; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
}

int ck_tell_today(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    return ck_turn_output(turn, &(struct ck_output){
                                    .kind = CK_OUTPUT_TODAY,
                                    .unit_id = row->unit,
                                    .staff_id = row->step.inspector,
                                    .person_id = row->step.person,
                                    .checkin_id = row->step.id,
                                });
}

int ck_record_checkin(struct ck_turn *turn, const struct ck_actor *actor,
                      const struct ck_checkin_row *row, const char *action, json_t *open)
{
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){.action = action,
                                             .object = "checkin",
                                             .object_id = row->step.id,
                                             .person_id = row->step.person,
                                             .open = open});
}

int ck_record_incident(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_incident_row *row, const char *action, json_t *open)
{
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){.action = action,
                                             .object = "incident",
                                             .object_id = row->step.id,
                                             .person_id = row->step.person,
                                             .open = open});
}

bool ck_in_scope(const struct ck_actor *actor, int64_t unit, int64_t inspector)
{
    if (actor->kind != CK_ACTOR_STAFF) {
        return false;
    }
    if ((actor->roles & (CK_ROLE_OFFICER | CK_ROLE_SUPERVISOR)) != 0 && actor->unit_id == unit) {
        return true;
    }
    if ((actor->roles & CK_ROLE_INSPECTOR) == 0 || inspector == 0) {
        return false;
    }
    bool mine = actor->staff_id == inspector;
    for (size_t i = 0; !mine && i < CK_COVERS_MAX; i++) {
        mine = actor->covers[i] == inspector;
    }
    return mine;
}

bool ck_may_read(const struct ck_actor *actor, int64_t unit, int64_t inspector, int64_t person)
{
    bool may = ck_in_scope(actor, unit, inspector);
    for (size_t i = 0; !may && person != 0 && i < CK_OPENED_MAX; i++) {
        may = actor->kind == CK_ACTOR_STAFF && actor->opened[i] == person;
    }
    return may;
}

/* ---- members of a body ---- */

int ck_body_int(const json_t *body, const char *name, int64_t min, int64_t max, int64_t *number,
                struct ck_refusal *refusal)
{
    const json_t *value = json_object_get(body, name);
    if (!json_is_integer(value)) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must be an integer");
    }
    if (json_integer_value(value) < min || json_integer_value(value) > max) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must be between %lld and %lld",
                         (long long)min, (long long)max);
    }
    *number = json_integer_value(value);
    return 0;
}

int ck_body_id(const json_t *body, const char *name, int64_t *id, struct ck_refusal *refusal)
{
    return ck_body_int(body, name, 1, (INT64_C(1) << 53) - 1, id, refusal);
}

int ck_body_text(const json_t *body, const char *name, size_t max, bool empty, const char **text,
                 struct ck_refusal *refusal)
{
    const json_t *value = json_object_get(body, name);
    if (!json_is_string(value)) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must be a text");
    }
    size_t length = json_string_length(value);
    if (length != strlen(json_string_value(value))) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must not contain U+0000");
    }
    if (length == 0 && !empty) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must not be empty");
    }
    if (length > max) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must not be longer than %zu bytes", max);
    }
    *text = json_string_value(value);
    return 0;
}

int ck_body_flag(const json_t *body, const char *name, bool *flag, struct ck_refusal *refusal)
{
    const json_t *value = json_object_get(body, name);
    if (!json_is_boolean(value)) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must be true or false");
    }
    *flag = json_is_true(value);
    return 0;
}

int ck_body_word(const json_t *body, const char *name, const char *const *words, int *index,
                 struct ck_refusal *refusal)
{
    const char *text = json_string_value(json_object_get(body, name));
    for (int i = 0; text != NULL && words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            *index = i;
            return 0;
        }
    }
    return ck_refuse(refusal, CK_E_INVALID, name, "is not one of the words that may stand here");
}

int ck_body_time(struct ck_turn *turn, const json_t *body, const char *name, struct ck_wall *at,
                 struct ck_refusal *refusal)
{
    const json_t *value = json_object_get(body, name);
    if (value == NULL || json_is_null(value)) {
        *at = ck_turn_now(turn);
        return 0;
    }
    const char *text = json_string_value(value);
    if (text == NULL || ck_wall_parse(text, at) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must be a time by RFC 3339 in UTC");
    }
    return 0;
}

int ck_body_checkin(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    struct ck_checkin_row *row, struct ck_refusal *refusal)
{
    int64_t id = 0;
    int r = ck_body_id(body, "checkin", &id, refusal);
    if (r != 0) {
        return r;
    }
    r = ck_checkin_load(ck_turn_store(turn), id, row);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "checkin", "there is no such check-in");
    }
    if (r != 0) {
        return r;
    }
    bool may = actor->kind == CK_ACTOR_SYSTEM || actor->kind == CK_ACTOR_WORKER ||
               (actor->kind == CK_ACTOR_PERSON && actor->person_id == row->step.person) ||
               ck_in_scope(actor, row->unit, row->step.inspector) ||
               ck_in_scope(actor, row->unit, row->reserved);
    if (!may) {
        return ck_turn_deny(turn, actor, "checkin", id, row->step.person,
                            "this check-in is not yours", refusal);
    }
    return 0;
}
