#include "daemon/audit/audit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/audit/tree.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/canonical.h"

int ck_audit_load(struct ck_audit *audit, struct ck_store *store,
                  const struct ck_audit_random *random)
{
    struct ck_audit loaded = {0};
    int r = ck_log_load_head(store, &loaded.head);
    if (r == CK_E_NOT_FOUND) {
        random->fill(random->user, loaded.head.salt, sizeof loaded.head.salt);
        r = ck_merkle_empty(&loaded.head.root);
        if (r == 0) {
            r = ck_log_save_head(store, &loaded.head);
        }
    }
    if (r == 0) {
        *audit = loaded;
    }
    return r;
}

int ck_audit_flush(struct ck_audit *audit, struct ck_store *store)
{
    if (!audit->dirty) {
        return 0;
    }
    int r = ck_frontier_root(&audit->head.frontier, &audit->head.root);
    if (r == 0) {
        r = ck_log_save_head(store, &audit->head);
    }
    if (r == 0) {
        audit->dirty = false;
    }
    return r;
}

int ck_audit_commit(const uint8_t salt[CK_AUDIT_SALT_SIZE], const char *name, const json_t *value,
                    struct ck_hash *commitment)
{
    char small[512];
    ck_cleanup(ck_freep) char *large = NULL;
    struct ck_writer writer = ck_writer_of(small, sizeof small);
    int r = ck_canonical_write(&writer, value);
    if (r == CK_E_LIMIT) {
        large = malloc(CK_AUDIT_VALUE_MAX);
        if (large == NULL) {
            return -ENOMEM;
        }
        writer = ck_writer_of(large, CK_AUDIT_VALUE_MAX);
        r = ck_canonical_write(&writer, value);
    }
    if (r != 0) {
        return r;
    }
    const struct ck_slice slices[] = {
        {salt, CK_AUDIT_SALT_SIZE}, {name, strlen(name) + 1}, {writer.data, writer.size}};
    return ck_sha256(slices, 3, commitment->bytes);
}

/* ---- pseudonyms ---- */

void ck_audit_forget(struct ck_audit *audit)
{
    audit->names.person = 0;
}

static int know_person(struct ck_audit *audit, struct ck_store *store, int64_t id)
{
    struct ck_audit_names *names = &audit->names;
    if (names->person == id) {
        return 0;
    }
    names->person = 0;
    int r = ck_log_person(store, id, &names->person_name, names->salt, &names->has_salt);
    if (r == 0) {
        names->person = id;
    }
    return r;
}

static int name_person(struct ck_audit *audit, struct ck_store *store, int64_t id,
                       struct ck_pseudonym *pseudonym)
{
    int r = know_person(audit, store, id);
    if (r == 0) {
        *pseudonym = audit->names.person_name;
    }
    return r;
}

static int name_staff(struct ck_audit *audit, struct ck_store *store, int64_t id,
                      struct ck_pseudonym *pseudonym)
{
    struct ck_audit_names *names = &audit->names;
    int r = 0;
    if (names->staff != id) {
        names->staff = 0;
        r = ck_log_staff(store, id, &names->staff_name);
        names->staff = r == 0 ? id : 0;
    }
    if (r == 0) {
        *pseudonym = names->staff_name;
    }
    return r;
}

int ck_audit_pseudonym(struct ck_audit *audit, struct ck_store *store, const char *kind, int64_t id,
                       int64_t person_id, struct ck_pseudonym *pseudonym)
{
    const uint8_t *salt = audit->head.salt;
    if (person_id != 0) {
        int r = know_person(audit, store, person_id);
        if (r != 0) {
            return r;
        }
        salt = audit->names.has_salt ? audit->names.salt : salt;
    }
    if (strcmp(kind, "staff") == 0 && id != 0) {
        return name_staff(audit, store, id, pseudonym);
    }
    if (strcmp(kind, "person") == 0 && person_id != 0) {
        return name_person(audit, store, person_id, pseudonym);
    }
    char name[64];
    int length = snprintf(name, sizeof name, "%s:%lld", kind, (long long)id);
    if (length < 0 || (size_t)length >= sizeof name) {
        return CK_E_LIMIT;
    }
    uint8_t tag[CK_SHA256_SIZE];
    const struct ck_slice slice = {name, (size_t)length};
    int r = ck_hmac_sha256(salt, CK_LOG_SALT_SIZE, &slice, 1, tag);
    if (r == 0) {
        memcpy(pseudonym->bytes, tag, sizeof pseudonym->bytes);
    }
    return r;
}

static int name_actor(struct ck_audit *audit, struct ck_store *store,
                      const struct ck_audit_entry *entry, struct ck_pseudonym *pseudonym,
                      bool *named)
{
    *named = entry->actor_staff != 0 || entry->actor_person != 0;
    return entry->actor_staff != 0    ? name_staff(audit, store, entry->actor_staff, pseudonym)
           : entry->actor_person != 0 ? name_person(audit, store, entry->actor_person, pseudonym)
                                      : 0;
}

/* ---- the leaf ---- */

struct leaf {
    struct ck_pseudonym actor, object, person;
    bool has_actor, has_person;
    int64_t index, previous;
};

static void put(struct ck_writer *writer, const char *text)
{
    ck_write_bytes(writer, text, strlen(text));
}

static void put_string(struct ck_writer *writer, const char *name, const char *value)
{
    put(writer, name);
    ck_canonical_string(writer, value, strlen(value));
}

static void put_number(struct ck_writer *writer, const char *name, int64_t number)
{
    put(writer, name);
    ck_canonical_integer(writer, number);
}

static void put_pseudonym(struct ck_writer *writer, const char *name,
                          const struct ck_pseudonym *pseudonym, bool there)
{
    char text[CK_HEX_SIZE(CK_PSEUDONYM_SIZE)];
    put(writer, name);
    if (there) {
        ck_hex_encode(pseudonym->bytes, sizeof pseudonym->bytes, text);
        ck_canonical_string(writer, text, strlen(text));
    } else {
        put(writer, "null");
    }
}

static void put_roles(struct ck_writer *writer, unsigned roles)
{
    static const char *const names[] = {"inspector", "officer", "supervisor", "administrator"};
    const char *comma = "";
    put(writer, ",\"roles\":[");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((roles >> i & 1) != 0) {
            put_string(writer, comma, names[i]);
            comma = ",";
        }
    }
    put(writer, "]");
}

static int put_object(struct ck_writer *writer, const char *name, const json_t *object)
{
    put(writer, name);
    if (object == NULL) {
        put(writer, "{}");
        return writer->failed ? CK_E_LIMIT : 0;
    }
    return ck_canonical_write(writer, object);
}

/* Members in the order of their names, as canonical JSON wants them. */
static int write_leaf(const struct ck_audit_entry *entry, const struct leaf *leaf,
                      const json_t *commitments, struct ck_writer *writer)
{
    char at[CK_WALL_TEXT_SIZE];
    ck_wall_text(entry->at, at);
    put_string(writer, "{\"action\":", entry->action);
    put_pseudonym(writer, ",\"actor\":{\"id\":", &leaf->actor, leaf->has_actor);
    put_string(writer, ",\"kind\":", entry->actor_kind);
    put_roles(writer, entry->actor_roles);
    put_string(writer, "},\"at\":", at);
    put_string(writer,
               ",\"clock\":", entry->clock_synchronised ? "synchronised" : "unsynchronised");
    put_number(writer, ",\"index\":", leaf->index);
    put_pseudonym(writer, ",\"object\":{\"id\":", &leaf->object, true);
    put_string(writer, ",\"kind\":", entry->object);
    int r = put_object(writer, "},\"open\":", entry->open);
    if (r != 0) {
        return r;
    }
    put_pseudonym(writer, ",\"person\":", &leaf->person, leaf->has_person);
    if (leaf->previous < 0) {
        put(writer, ",\"prev\":null");
    } else {
        put_number(writer, ",\"prev\":", leaf->previous);
    }
    put_string(writer, ",\"result\":", entry->result);
    r = put_object(writer, ",\"sealed\":", commitments);
    if (r != 0) {
        return r;
    }
    put(writer, ",\"v\":1}");
    return writer->failed ? CK_E_LIMIT : 0;
}

/* Commits to each member of `values`; beside the leaf go salt and, unless withheld, value. */
static int commit_members(const json_t *values, bool withheld, const struct ck_audit_random *random,
                          json_t *commitments, json_t *beside)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)values, name, value)
    {
        uint8_t salt[CK_AUDIT_SALT_SIZE];
        struct ck_hash commitment;
        char salt_text[CK_HEX_SIZE(sizeof salt)], text[CK_HEX_SIZE(sizeof commitment.bytes)];
        random->fill(random->user, salt, sizeof salt);
        int r = ck_audit_commit(salt, name, value, &commitment);
        if (r != 0) {
            return r;
        }
        ck_hex_encode(salt, sizeof salt, salt_text);
        ck_hex_encode(commitment.bytes, sizeof commitment.bytes, text);
        if (json_object_set_new(commitments, name, json_string(text)) != 0 ||
            json_object_set_new(beside, name,
                                withheld ? json_pack("[s]", salt_text)
                                         : json_pack("[sO]", salt_text, value)) != 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* The commitments for the leaf, and the text with salts and values that lies beside it. */
static int seal(const struct ck_audit_entry *entry, const struct ck_audit_random *random,
                json_t **commitments, char **salted)
{
    size_t count = json_object_size(entry->sealed) + json_object_size(entry->withheld);
    if (count == 0) {
        return 0;
    }
    if (count > CK_AUDIT_SEALED_MAX) {
        return CK_E_LIMIT;
    }
    json_t *beside = json_object();
    *commitments = json_object();
    int r = commit_members(entry->sealed, false, random, *commitments, beside);
    if (r == 0) {
        r = commit_members(entry->withheld, true, random, *commitments, beside);
    }
    if (r == 0) {
        *salted = json_dumps(beside, JSON_COMPACT | JSON_SORT_KEYS);
        r = *salted == NULL ? -ENOMEM : 0;
    }
    json_decref(beside);
    return r;
}

static int name_everything(struct ck_audit *audit, struct ck_store *store,
                           const struct ck_audit_entry *entry, struct leaf *leaf)
{
    int r = name_actor(audit, store, entry, &leaf->actor, &leaf->has_actor);
    leaf->has_person = entry->person_id != 0;
    if (r == 0 && leaf->has_person) {
        r = name_person(audit, store, entry->person_id, &leaf->person);
    }
    if (r == 0) {
        r = ck_audit_pseudonym(audit, store, entry->object, entry->object_id, entry->person_id,
                               &leaf->object);
    }
    return r != 0 ? r : ck_log_previous(store, &leaf->object, &leaf->previous);
}

int ck_audit_append(struct ck_audit *audit, struct ck_store *store,
                    const struct ck_audit_entry *entry, const struct ck_audit_random *random,
                    int64_t *index)
{
    struct leaf leaf = {.index = (int64_t)audit->head.frontier.size};
    uint8_t bytes[CK_LOG_LEAF_MAX];
    struct ck_writer writer = ck_writer_of(bytes, sizeof bytes);
    ck_cleanup(ck_freep) char *salted = NULL;
    int r = name_everything(audit, store, entry, &leaf);
    json_t *commitments = NULL; /* as of an empty object */
    if (r == 0) {
        r = seal(entry, random, &commitments, &salted);
    }
    if (r == 0) {
        r = write_leaf(entry, &leaf, commitments, &writer);
    }
    json_decref(commitments);
    struct ck_log_row row = {
        .index = leaf.index,
        .at = entry->at,
        .previous = leaf.previous,
        .leaf = bytes,
        .leaf_size = writer.size,
        .action = entry->action,
        .actor_kind = entry->actor_kind,
        .staff_id = entry->actor_staff,
        .person_id = entry->person_id,
        .object_kind = entry->object,
        .object_id = entry->object_id,
        .salted = salted,
    };
    if (r == 0) {
        r = ck_merkle_leaf(bytes, writer.size, &row.hash);
    }
    if (r == 0) {
        r = ck_log_insert(store, &row, &leaf.object);
    }
    if (r == 0) {
        r = ck_audit_tree_add(store, &audit->head.frontier, &row.hash);
    }
    if (r != 0) {
        return r;
    }
    audit->dirty = true;
    if (index != NULL) {
        *index = leaf.index;
    }
    return 0;
}
