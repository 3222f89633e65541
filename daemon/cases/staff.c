/* Units and staff, and the first administrator of an empty store. */
#include "daemon/store/staff.h"

#include <errno.h>
#include <string.h>

#include "daemon/cases/cases_impl.h"
#include "daemon/core/zone_live.h"
#include "daemon/store/session.h"
#include "protocol/base/text.h"

#define SESSIONS_AT_ONCE                                                                           \
    64 /* whose sockets are told at once; further ones notice by themselves                        \
        */

static const char *const role_words[] = {"inspector", "officer", "supervisor", "administrator",
                                         NULL};

static int read_roles(const json_t *body, int64_t *roles, struct ck_refusal *refusal)
{
    const json_t *list = json_object_get(body, "roles");
    int64_t read = 0;
    if (!json_is_array(list) || json_array_size(list) == 0) {
        return ck_refuse(refusal, CK_E_INVALID, "roles", "must be a list of at least one role");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        int64_t bit = 0;
        for (int w = 0; text != NULL && role_words[w] != NULL; w++) {
            if (strcmp(text, role_words[w]) == 0) {
                bit = 1 << w;
            }
        }
        if (bit == 0) {
            char field[32];
            snprintf(field, sizeof field, "roles[%zu]", i);
            return ck_refuse(refusal, CK_E_INVALID, field, "no such role");
        }
        read |= bit;
    }
    /* An administrator sees no case content; one account with both would see both. */
    if ((read & CK_ROLE_ADMINISTRATOR) != 0 && read != CK_ROLE_ADMINISTRATOR) {
        return ck_refuse(refusal, CK_E_INVALID, "roles", "an administrator has no other role");
    }
    *roles = read;
    return 0;
}

static int read_login(const json_t *body, const char **login, struct ck_refusal *refusal)
{
    int r = ck_body_text(body, "login", CK_LOGIN_MAX, false, login, refusal);
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (r == 0 && strspn(*login, allowed) != strlen(*login)) {
        return ck_refuse(refusal, CK_E_INVALID, "login", "letters, digits, '.', '_' and '-' only");
    }
    return r;
}

/* Of a duty room: also a short number, which no country code leads to. */
static int help_phone(const json_t *body, const char **phone, struct ck_refusal *refusal)
{
    const char *text = NULL;
    int r = ck_case_optional(body, "phone", 16, &text, refusal);
    if (r == 0 && text != NULL && !ck_text_is_help_phone(text)) {
        return ck_refuse(refusal, CK_E_INVALID, "phone",
                         "must be 3 to 15 digits, with or without +");
    }
    *phone = text;
    return r;
}

static int make_unit(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     int64_t *id, struct ck_refusal *refusal)
{
    const char *name = NULL, *zone = NULL, *phone = NULL;
    int r = ck_body_text(body, "name", CK_NAME_MAX, false, &name, refusal);
    r = r == 0 ? ck_body_text(body, "zone", 64, false, &zone, refusal) : r;
    r = r == 0 ? help_phone(body, &phone, refusal) : r;
    if (r != 0) {
        return r;
    }
    if (!ck_turn_zone_known(turn, zone)) {
        return ck_refuse(refusal, CK_E_INVALID, "zone", "is not a time zone of this machine");
    }
    r = ck_unit_insert(ck_turn_store(turn), name, zone, ck_turn_now(turn), id);
    r = r == 0 ? ck_unit_set_phone(ck_turn_store(turn), *id, phone) : r;
    if (r != 0) {
        return r;
    }
    struct ck_record record = {.action = "UNIT_CREATED",
                               .object = "unit",
                               .object_id = *id,
                               .open = json_pack("{s:s}", "zone", zone),
                               .sealed = json_pack("{s:s}", "name", name)};
    return ck_turn_audit(turn, actor, &record);
}

int ck_unit_create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    int64_t id = 0;
    int r = make_unit(turn, actor, body, &id, refusal);
    if (r == 0) {
        *result = json_pack("{s:I, s:O, s:O}", "id", (json_int_t)id, "name",
                            json_object_get(body, "name"), "zone", json_object_get(body, "zone"));
    }
    return r;
}

/* {unit, phone or null} → {id} */
int ck_unit_phone_change(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    const char *phone = NULL;
    int64_t unit = 0;
    int r = ck_body_id(body, "unit", &unit, refusal);
    r = r == 0 ? help_phone(body, &phone, refusal) : r;
    r = r == 0 ? ck_unit_exists(ck_turn_store(turn), unit) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "unit", "there is no such unit");
    }
    r = r == 0 ? ck_unit_set_phone(ck_turn_store(turn), unit, phone) : r;
    if (r != 0) {
        return r;
    }
    *result = json_pack("{s:I}", "id", (json_int_t)unit);
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){.action = "UNIT_PHONE_CHANGED",
                                             .object = "unit",
                                             .object_id = unit,
                                             .sealed = json_pack("{s:s?}", "phone", phone)});
}

/* {unit, zone} → {id} */
int ck_unit_zone_change(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                        json_t **result, struct ck_refusal *refusal)
{
    const char *zone = NULL;
    int64_t unit = 0;
    int r = ck_body_id(body, "unit", &unit, refusal);
    r = r == 0 ? ck_body_text(body, "zone", 63, false, &zone, refusal) : r;
    r = r == 0 ? ck_zone_of_unit(turn, actor, unit, zone, refusal) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)unit);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}

static int read_staff(const json_t *body, struct ck_staff_row *row, struct ck_refusal *refusal)
{
    int r = read_login(body, &row->login, refusal);
    r = r == 0 ? ck_body_text(body, "name", CK_NAME_MAX, false, &row->name, refusal) : r;
    r = r == 0 ? ck_body_text(body, "hash", 256, false, &row->password, refusal) : r;
    r = r == 0 ? ck_case_word(body, "language", ck_languages, &row->language, refusal) : r;
    r = r == 0 ? ck_case_mail(body, &row->email, refusal) : r;
    return r == 0 ? ck_case_phone(body, &row->phone, refusal) : r;
}

static int insert_staff(struct ck_turn *turn, const struct ck_actor *actor,
                        struct ck_staff_row *row, struct ck_refusal *refusal)
{
    ck_turn_random(turn, row->pseudonym, sizeof row->pseudonym);
    int r = ck_staff_insert(ck_turn_store(turn), row, ck_turn_now(turn));
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "login", "this log-in is taken");
    }
    if (r != 0) {
        return r;
    }
    struct ck_record record = {
        .action = "STAFF_CREATED",
        .object = "staff",
        .object_id = row->id,
        .open =
            json_pack("{s:I, s:I}", "roles", (json_int_t)row->roles, "unit", (json_int_t)row->unit),
        .sealed = json_pack("{s:s, s:s}", "login", row->login, "name", row->name)};
    r = ck_turn_audit(turn, actor, &record);
    return r == 0 ? ck_capacity_more(turn, row->unit) : r;
}

int ck_setup_first(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    int64_t count = 0;
    struct ck_staff_row row = {.roles = CK_ROLE_ADMINISTRATOR};
    int r = ck_staff_count(ck_turn_store(turn), &count);
    if (r == 0 && count > 0) {
        return ck_refuse(refusal, CK_E_CONFLICT, "", "the first administrator exists already");
    }
    r = r == 0 ? read_staff(body, &row, refusal) : r;
    if (r == 0 && !json_is_object(json_object_get(body, "unit"))) {
        r = ck_refuse(refusal, CK_E_INVALID, "unit", "must be an object");
    }
    r = r == 0 ? make_unit(turn, actor, json_object_get(body, "unit"), &row.unit, refusal) : r;
    r = r == 0 ? insert_staff(turn, actor, &row, refusal) : r;
    if (r == 0) {
        *result =
            json_pack("{s:I, s:I}", "staff", (json_int_t)row.id, "unit", (json_int_t)row.unit);
    }
    return r;
}

static int check_unit(struct ck_turn *turn, int64_t unit, struct ck_refusal *refusal)
{
    int r = ck_unit_exists(ck_turn_store(turn), unit);
    return r == CK_E_NOT_FOUND
               ? ck_refuse(refusal, CK_E_INVALID, "unit_id", "there is no such unit")
               : r;
}

int ck_staff_create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    struct ck_staff_row row = {0};
    int r = read_staff(body, &row, refusal);
    r = r == 0 ? ck_body_flag(body, "must_change", &row.must_change, refusal) : r;
    r = r == 0 ? read_roles(body, &row.roles, refusal) : r;
    r = r == 0 ? ck_body_id(body, "unit_id", &row.unit, refusal) : r;
    r = r == 0 ? ck_body_flag(body, "on_duty", &row.on_duty, refusal) : r;
    r = r == 0 ? check_unit(turn, row.unit, refusal) : r;
    r = r == 0 ? insert_staff(turn, actor, &row, refusal) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)row.id);
    }
    return r;
}

/* ---- changes: each member by itself ---- */

struct change {
    struct ck_turn *turn;
    const struct ck_actor *actor;
    const json_t *body;
    int64_t staff;
    struct ck_refusal *refusal;
};

static int change_text(const struct change *change)
{
    struct ck_store *store = ck_turn_store(change->turn);
    const json_t *body = change->body;
    const char *text = NULL;
    int r = 0;
    if (json_object_get(body, "name") != NULL) {
        r = ck_body_text(body, "name", CK_NAME_MAX, false, &text, change->refusal);
        r = r == 0 ? ck_staff_set_name(store, change->staff, text) : r;
    }
    if (r == 0 && json_object_get(body, "email") != NULL) {
        r = ck_case_mail(body, &text, change->refusal);
        r = r == 0 ? ck_staff_set_email(store, change->staff, text) : r;
    }
    if (r == 0 && json_object_get(body, "phone") != NULL) {
        r = ck_case_phone(body, &text, change->refusal);
        r = r == 0 ? ck_staff_set_phone(store, change->staff, text) : r;
    }
    if (r == 0 && json_object_get(body, "language") != NULL) {
        r = ck_case_word(body, "language", ck_languages, &text, change->refusal);
        r = r == 0 ? ck_staff_set_language(store, change->staff, text) : r;
    }
    return r;
}

/* The last administrator stays one: nobody can lock everybody out. */
static int check_administrator_left(const struct change *change, const char *field)
{
    bool exists = false;
    int r = ck_staff_other_administrator(ck_turn_store(change->turn), change->staff, &exists);
    if (r != 0 || exists) {
        return r;
    }
    return ck_refuse(change->refusal, CK_E_CONFLICT, field,
                     "this is the only administrator; make another one first");
}

static int change_roles(const struct change *change, const struct ck_staff_brief *brief)
{
    struct ck_store *store = ck_turn_store(change->turn);
    int64_t number = 0;
    bool flag = false;
    int r = 0;
    if (json_object_get(change->body, "roles") != NULL) {
        r = read_roles(change->body, &number, change->refusal);
        if (r == 0 && (brief->roles & ~number & CK_ROLE_ADMINISTRATOR) != 0) {
            r = check_administrator_left(change, "roles");
        }
        r = r == 0 ? ck_staff_set_roles(store, change->staff, number) : r;
    }
    if (r == 0 && json_object_get(change->body, "unit_id") != NULL) {
        r = ck_body_id(change->body, "unit_id", &number, change->refusal);
        r = r == 0 ? check_unit(change->turn, number, change->refusal) : r;
        r = r == 0 ? ck_staff_set_unit(store, change->staff, number) : r;
    }
    if (r == 0 && json_object_get(change->body, "on_duty") != NULL) {
        r = ck_body_flag(change->body, "on_duty", &flag, change->refusal);
        r = r == 0 ? ck_staff_set_on_duty(store, change->staff, flag) : r;
    }
    return r;
}

int ck_staff_end_sessions(struct ck_turn *turn, int64_t staff, int64_t but)
{
    int64_t ids[SESSIONS_AT_ONCE];
    size_t count = 0;
    int r = ck_session_revoke_staff(ck_turn_store(turn), staff, but, ck_turn_now(turn), ids,
                                    SESSIONS_AT_ONCE, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_output output = {.kind = CK_OUTPUT_SESSION_REVOKED, .session_id = ids[i]};
        r = ck_turn_output(turn, &output);
    }
    return r;
}

/* Pages that are open, and calls, know what their session could do before: who loses a role or goes
 * to another unit logs in anew. */
static int end_wider_sessions(const struct change *change, const struct ck_staff_brief *before)
{
    struct ck_staff_brief now;
    int r = ck_staff_brief_load(ck_turn_store(change->turn), change->staff, &now);
    bool less = r == 0 && ((before->roles & ~now.roles) != 0 || before->unit != now.unit);
    return less ? ck_staff_end_sessions(change->turn, change->staff, 0) : r;
}

static int change_disabled(const struct change *change, const struct ck_staff_brief *brief)
{
    if (json_object_get(change->body, "disabled") == NULL) {
        return 0;
    }
    bool disabled = false;
    const char *reason = NULL;
    int r = ck_body_flag(change->body, "disabled", &disabled, change->refusal);
    if (r == 0 && disabled) {
        r = ck_body_text(change->body, "disabled_reason", CK_NOTE_MAX, false, &reason,
                         change->refusal);
    }
    if (r == 0 && disabled && (brief->roles & CK_ROLE_ADMINISTRATOR) != 0) {
        r = check_administrator_left(change, "disabled");
    }
    struct ck_wall at = {disabled ? ck_turn_now(change->turn).ms : 0};
    r = r == 0 ? ck_staff_set_disabled(ck_turn_store(change->turn), change->staff, at, reason) : r;
    return r == 0 && disabled ? ck_staff_end_sessions(change->turn, change->staff, 0) : r;
}

/* The names of the members that changed, for the record. */
static json_t *changed_members(const json_t *body, const char *skip)
{
    json_t *names = json_array();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)body, name, value)
    {
        if (strcmp(name, skip) != 0) {
            json_array_append_new(names, json_string(name));
        }
    }
    return names;
}

/* What it is from now on, and what the account might do before. */
static int record_change(const struct change *change, int64_t roles_before,
                         const struct ck_staff_brief *now)
{
    json_t *texts = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)change->body, name, value)
    {
        if (json_is_string(value)) {
            json_object_set(texts, name, value);
        }
    }
    return ck_turn_audit(
        change->turn, change->actor,
        &(struct ck_record){
            .action = "STAFF_CHANGED",
            .object = "staff",
            .object_id = change->staff,
            .open = json_pack("{s:o, s:I, s:I, s:I, s:b}", "members",
                              changed_members(change->body, "staff"), "roles",
                              (json_int_t)now->roles, "roles_before", (json_int_t)roles_before,
                              "unit", (json_int_t)now->unit, "disabled", (int)now->disabled),
            .sealed = texts});
}

int ck_staff_update(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    struct change change = {.turn = turn, .actor = actor, .body = body, .refusal = refusal};
    struct ck_staff_brief brief;
    int r = ck_body_id(body, "staff", &change.staff, refusal);
    r = r == 0 ? ck_staff_brief_load(ck_turn_store(turn), change.staff, &brief) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "staff", "there is no such account");
    }
    r = r == 0 ? change_text(&change) : r;
    r = r == 0 ? change_roles(&change, &brief) : r;
    r = r == 0 ? end_wider_sessions(&change, &brief) : r;
    r = r == 0 ? change_disabled(&change, &brief) : r;
    if (r != 0) {
        return r;
    }
    int64_t roles = brief.roles;
    r = ck_staff_brief_load(ck_turn_store(turn), change.staff, &brief);
    r = r == 0 ? record_change(&change, roles, &brief) : r;
    r = r == 0 ? ck_capacity_more(turn, brief.unit) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)change.staff);
    }
    return r;
}

int ck_staff_password(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                      json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    int64_t staff = 0;
    const char *hash = NULL;
    bool must_change = false;
    int r = ck_body_id(body, "staff", &staff, refusal);
    r = r == 0 ? ck_body_text(body, "hash", 256, false, &hash, refusal) : r;
    r = r == 0 ? ck_body_flag(body, "must_change", &must_change, refusal) : r;
    r = r == 0 ? ck_staff_set_password(ck_turn_store(turn), staff, hash, must_change) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "staff", "there is no such account");
    }
    if (r != 0) {
        return r;
    }
    r = ck_staff_end_sessions(turn, staff, 0);
    if (r != 0) {
        return r;
    }
    struct ck_record record = {.action = "STAFF_PASSWORD_SET",
                               .object = "staff",
                               .object_id = staff,
                               .open = json_pack("{s:b}", "must_change", (int)must_change)};
    return ck_turn_audit(turn, actor, &record);
}

int ck_staff_language(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                      json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    const char *language = NULL;
    int r = ck_case_word(body, "language", ck_languages, &language, refusal);
    return r == 0 ? ck_staff_set_language(ck_turn_store(turn), actor->staff_id, language) : r;
}
