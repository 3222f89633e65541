/* The entries of a bundle: every record about its objects, with a proof for each, and of what they
 * commit to that which may be read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/audit.h"
#include "daemon/audit/checkpoint.h"
#include "daemon/bundle/bundle_impl.h"
#include "daemon/store/checkpoint.h"
#include "daemon/store/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/canonical.h"
#include "protocol/leaf.h"

/* What may be opened, and for whom. Everything else stays a commitment. */
static const struct {
    const char *action, *member;
    bool person; /* also for the person */
} opened[] = {
    {"CHECKIN_PLANNED", "due", true},
    {"CHECKIN_PLANNED", "allowed", false},
    {"CHECKIN_SECOND", "due", true},
    {"CHECKIN_SECOND", "allowed", false},
    {"CHECKIN_DECLINED", "reason", true},
    {"CHECKIN_ON_DEMAND", "reason", false},
    {"CHECKIN_CONCLUDED", "reason", false},
    {"INCIDENT_CLOSED", "text", false},
    {"NOTICE_STATE", "detail", false},
    {"RECORDING_FAILED", "text", true},
    {"MESSAGE_SENT", "text", true},
    {"MESSAGE_SENT", "sha256", true}, /* of the thread with the person, which both sides have */
};

static bool may_open(const struct ck_bundle_work *work, const char *action, const char *member)
{
    for (size_t i = 0; i < sizeof opened / sizeof opened[0]; i++) {
        if (strcmp(opened[i].action, action) == 0 && strcmp(opened[i].member, member) == 0) {
            return opened[i].person || work->order->audience != CK_BUNDLE_PERSON;
        }
    }
    return false;
}

/* The text of a message, which lies sealed in the message and not beside the entry; NULL where it
 * is not in the bundle. */
static json_t *withheld_text(const struct ck_bundle_work *work, const struct ck_log_row *row)
{
    const json_t *list = json_object_get(work->facts, "messages");
    size_t low = 0, high = strcmp(row->action, "MESSAGE_SENT") == 0 ? json_array_size(list) : 0;
    while (low < high) { /* they stand in the order of their numbers */
        size_t middle = low + (high - low) / 2;
        const json_t *message = json_array_get(list, middle);
        int64_t id = json_integer_value(json_object_get(message, "id"));
        if (id == row->object_id) {
            json_t *text = json_object_get(message, "text");
            return json_is_string(text) ? text : NULL;
        }
        low = id < row->object_id ? middle + 1 : low;
        high = id < row->object_id ? high : middle;
    }
    return NULL;
}

/* opened/N.json: a line for each member: its name, the salt, and the value as it was hashed. */
static int add_opened(struct ck_bundle_work *work, const struct ck_log_row *row)
{
    json_t *salted = row->salted == NULL ? NULL : json_loads(row->salted, 0, NULL);
    json_t *shown = json_object();
    const char *member;
    json_t *pair;
    int r = 0;
    json_object_foreach(salted, member, pair)
    {
        if (json_array_size(pair) == 1 && strcmp(member, "text") == 0) {
            json_array_append(pair, withheld_text(work, row)); /* stays alone where there is none */
        }
        if (json_array_size(pair) == 2 && may_open(work, row->action, member)) {
            json_object_set(shown, member, pair);
        }
    }
    if (json_object_size(shown) > 0) {
        char name[64];
        ck_cleanup(ck_freep) uint8_t *text = malloc(CK_AUDIT_VALUE_MAX);
        struct ck_writer writer = ck_writer_of(text, text == NULL ? 0 : CK_AUDIT_VALUE_MAX);
        r = ck_canonical_write(&writer, shown);
        snprintf(name, sizeof name, "opened/%lld.json", (long long)row->index);
        r = r == 0 ? ck_zip_add(work->zip, name, writer.data, writer.size) : r;
    }
    json_decref(shown);
    json_decref(salted);
    return r;
}

static int add_proof(struct ck_bundle_work *work, int64_t index, bool *is_signed)
{
    ck_cleanup(ck_freep) char *text = malloc(CK_PROOF_TEXT_MAX);
    char name[64];
    size_t size = 0;
    int r = text == NULL         ? -ENOMEM
            : work->note == NULL ? CK_E_NOT_FOUND
                                 : ck_audit_entry_proof_under(work->store, index, work->note,
                                                              work->covers, text, &size);
    *is_signed = r == 0;
    if (r == CK_E_NOT_FOUND) {
        work->made->unsigned_entries++;
        return 0;
    }
    snprintf(name, sizeof name, "entries/%lld.tlog-proof", (long long)index);
    return r == 0 ? ck_zip_add(work->zip, name, text, size) : r;
}

/* Entries come in their order: the last one that is added of an object is its newest here. */
static int note_last(struct ck_bundle_work *work, const struct ck_log_row *row)
{
    struct ck_leaf leaf;
    char name[CK_HEX_SIZE(CK_PSEUDONYM_SIZE)];
    if (!ck_leaf_read(row->leaf, row->leaf_size, &leaf)) {
        return -EUCLEAN;
    }
    snprintf(name, sizeof name, "%.*s", (int)leaf.object_id.size, leaf.object_id.at);
    json_t *about = json_object_get(work->objects, name);
    return about == NULL ? -EUCLEAN
           : json_object_set_new(about, "last", json_integer((json_int_t)row->index)) == 0
               ? 0
               : -ENOMEM;
}

/* Called for one row; the walk ends behind it. */
static int add_row(struct ck_bundle_work *work, const struct ck_log_row *row, bool has_plain)
{
    char name[64], at[CK_WALL_TEXT_SIZE];
    bool is_signed = false;
    if (!has_plain) {
        return -EUCLEAN;
    }
    /* Who looked is told to whoever oversees it, not to whom it is about. */
    bool look = strcmp(row->action, "READ") == 0 || strcmp(row->action, "DENIED") == 0 ||
                strcmp(row->action, "RECORDING_VIEWED") == 0;
    if (look && work->order->audience == CK_BUNDLE_PERSON) {
        return 0;
    }
    work->made->entries++;
    snprintf(name, sizeof name, "entries/%lld.json", (long long)row->index);
    int r = ck_zip_add(work->zip, name, row->leaf, row->leaf_size);
    r = r == 0 ? add_proof(work, row->index, &is_signed) : r;
    r = r == 0 ? add_opened(work, row) : r;
    r = r == 0 ? note_last(work, row) : r;
    ck_wall_text(row->at, at);
    return r == 0 && json_array_append_new(json_object_get(work->facts, "entries"),
                                           json_pack("{s:I, s:s, s:s, s:b}", "index",
                                                     (json_int_t)row->index, "at", at, "action",
                                                     row->action, "signed", (int)is_signed)) != 0
               ? -ENOMEM
               : r;
}

/* ---- one entry ---- */

struct one {
    struct ck_bundle_work *work;
    int64_t index;
    bool done;
    int result;
    int (*add)(struct ck_bundle_work *work, const struct ck_log_row *row, bool has_plain);
};

static int visit_one(void *user, const struct ck_log_row *row, bool has_plain)
{
    struct one *one = user;
    one->done = row->index == one->index;
    one->result = one->done ? one->add(one->work, row, has_plain) : -EUCLEAN;
    return CK_E_LIMIT; /* the first is the only one */
}

/* -EUCLEAN: there is no such entry. */
static int for_one(struct ck_bundle_work *work, int64_t index,
                   int (*add)(struct ck_bundle_work *work, const struct ck_log_row *row,
                              bool has_plain))
{
    struct one one = {.work = work, .index = index, .add = add};
    int r = ck_log_walk(work->store, index, visit_one, &one);
    return r == CK_E_LIMIT && one.done ? one.result : r == 0 || r == CK_E_LIMIT ? -EUCLEAN : r;
}

/* ---- the log's keys ---- */

static int add_key_leaf(struct ck_bundle_work *work, const struct ck_log_row *row, bool has_plain)
{
    char name[64];
    (void)has_plain;
    snprintf(name, sizeof name, "keys/%lld.json", (long long)row->index);
    return ck_zip_add(work->zip, name, row->leaf, row->leaf_size);
}

/* The newest checkpoint, and whose key signs. */
static int add_checkpoint(struct ck_bundle_work *work)
{
    ck_cleanup(ck_freep) char *key = NULL;
    int r = ck_log_checkpoint_covering(work->store, 0, &work->covers, &work->note);
    if (r == CK_E_NOT_FOUND) {
        return 0; /* nothing was signed yet; each entry says so */
    }
    r = r == 0 ? ck_store_setting(work->store, "signer.key", &key) : r;
    r = r == 0 ? ck_zip_add(work->zip, "checkpoint", work->note, strlen(work->note)) : r;
    return r == 0 ? ck_zip_add(work->zip, "log.vkey", key, strlen(key)) : r;
}

/* keys/N.consistency: that the bundle's checkpoint goes on from the one under which N is proven. */
static int add_key_consistency(struct ck_bundle_work *work, int64_t index, int64_t covers,
                               char *text)
{
    char name[64];
    if (covers == work->covers) {
        return 0;
    }
    snprintf(name, sizeof name, "keys/%lld.consistency", (long long)index);
    int r = ck_audit_consistency(work->store, covers, work->note, work->covers, text);
    return r == 0 ? ck_zip_add(work->zip, name, text, strlen(text)) : r;
}

/* keys/N.json, keys/N.tlog-proof: an entry that names a key of the signer, and its proof under the
 * first checkpoint that covers it, which the key of before signed as well. */
static int add_key(struct ck_bundle_work *work, int64_t index)
{
    ck_cleanup(ck_freep) char *text = malloc(CK_PROOF_TEXT_MAX), *note = NULL;
    char name[64];
    size_t size = 0;
    int64_t covers = 0;
    int r =
        text == NULL ? -ENOMEM : ck_log_checkpoint_covering(work->store, index + 1, &covers, &note);
    if (r == CK_E_NOT_FOUND) {
        return 0; /* not signed yet */
    }
    r = r == 0 ? ck_audit_entry_proof_under(work->store, index, note, covers, text, &size) : r;
    snprintf(name, sizeof name, "keys/%lld.tlog-proof", (long long)index);
    r = r == 0 ? ck_zip_add(work->zip, name, text, size) : r;
    r = r == 0 ? add_key_consistency(work, index, covers, text) : r;
    return r == 0 ? for_one(work, index, add_key_leaf) : r;
}

/* How the log came to today's key, for whoever was given an earlier one. */
static int add_keys(struct ck_bundle_work *work)
{
    int64_t indices[CK_NOTE_LOG_KEYS_MAX];
    size_t count = 0;
    int r = ck_log_signer_keys(work->store, indices, CK_NOTE_LOG_KEYS_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = add_key(work, indices[i]);
    }
    return r;
}

/* ---- which ---- */

/* What a bundle is about, and where the entries are. */
struct found {
    struct ck_log_object *objects; /* CK_BUNDLE_ENTRIES_MAX: each has one entry at least */
    int64_t *indices;              /* CK_BUNDLE_ENTRIES_MAX */
    size_t count;
};

static void found_free(struct found *found)
{
    free(found->objects);
    free(found->indices);
}

static int by_number(const void *a, const void *b)
{
    const int64_t *first = a, *second = b;
    return *first < *second ? -1 : *first > *second;
}

/* An object of the manifest; its newest entry is filled in when that is added. */
static int list_object(struct ck_bundle_work *work, const struct ck_log_object *object,
                       const struct ck_pseudonym *pseudonym)
{
    char name[CK_HEX_SIZE(CK_PSEUDONYM_SIZE)];
    ck_hex_encode(pseudonym->bytes, sizeof pseudonym->bytes, name);
    json_t *about = json_pack("{s:s, s:i}", "kind", object->kind, "last", -1);
    if (about != NULL && strcmp(object->kind, "recording") == 0) {
        json_object_set_new(about, "file", json_integer((json_int_t)object->id));
    }
    return json_object_set_new(work->objects, name, about) == 0 ? 0 : -ENOMEM;
}

static int find_entries_of(struct ck_bundle_work *work, struct ck_audit *audit,
                           const struct ck_log_object *object, struct found *found)
{
    struct ck_pseudonym pseudonym;
    int64_t person = 0;
    size_t more = 0;
    int r = ck_log_owner(work->store, object->kind, object->id, &person);
    r = r == 0
            ? ck_audit_pseudonym(audit, work->store, object->kind, object->id, person, &pseudonym)
            : r;
    r = r == 0 ? ck_log_indices_of(work->store, &pseudonym, found->indices + found->count,
                                   CK_BUNDLE_ENTRIES_MAX - found->count, &more)
               : r;
    found->count += more;
    return r == 0 && more > 0 ? list_object(work, object, &pseudonym) : r;
}

/* The indices of all entries about the objects, ascending. */
static int find_entries(struct ck_bundle_work *work, const struct ck_log_subject *subject,
                        struct found *found)
{
    struct ck_audit audit = {.dirty = false};
    size_t object_count = 0, number;
    const json_t *message;
    found->objects = calloc(CK_BUNDLE_ENTRIES_MAX, sizeof *found->objects);
    found->indices = calloc(CK_BUNDLE_ENTRIES_MAX, sizeof *found->indices);
    if (found->objects == NULL || found->indices == NULL) {
        return -ENOMEM;
    }
    int r = ck_log_load_head(work->store, &audit.head);
    r = r == 0 ? ck_log_objects_of(work->store, subject, found->objects, CK_BUNDLE_ENTRIES_MAX,
                                   &object_count)
               : r;
    for (size_t i = 0; r == 0 && i < object_count; i++) {
        r = find_entries_of(work, &audit, &found->objects[i], found);
    }
    json_array_foreach(json_object_get(work->facts, "messages"), number, message)
    {
        const struct ck_log_object object = {"message",
                                             json_integer_value(json_object_get(message, "id"))};
        r = r == 0 ? find_entries_of(work, &audit, &object, found) : r;
    }
    if (r == 0 && found->count == CK_BUNDLE_ENTRIES_MAX) {
        return CK_E_LIMIT;
    }
    qsort(found->indices, found->count, sizeof found->indices[0], by_number);
    return r;
}

int ck_bundle_entries(struct ck_bundle_work *work)
{
    const struct ck_log_subject subject = {
        .checkin =
            json_integer_value(json_object_get(json_object_get(work->facts, "checkin"), "id")),
        .incident = work->order->audience == CK_BUNDLE_PERSON ? 0 : work->order->incident,
        .person_alone = work->order->audience == CK_BUNDLE_PERSON,
    };
    ck_cleanup(found_free) struct found found = {NULL, NULL, 0};
    int r = json_object_set_new(work->facts, "entries", json_array());
    r = r == 0 ? add_checkpoint(work) : r;
    r = r == 0 ? add_keys(work) : r;
    r = r == 0 ? find_entries(work, &subject, &found) : r;
    for (size_t i = 0; r == 0 && i < found.count; i++) {
        r = for_one(work, found.indices[i], add_row);
    }
    return r;
}
