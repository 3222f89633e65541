#include "daemon/audit/draw_proof.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "daemon/audit/audit.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "scheduler/date.h"
#include "scheduler/draw.h"

#define EPOCH_DAYS 28
#define SLOTS_PER_WINDOW 16

static void json_free(json_t **value)
{
    json_decref(*value);
}

/* What the log holds about one draw. */
struct evidence {
    struct ck_store *store;
    int64_t checkin, person;
    struct ck_draw_proof *proof;
    json_t *planned, *planned_plain; /* the leaf's "open" and "sealed", and the plaintext */
    json_t *sealed, *committed, *revealed;
};

static void evidence_clear(struct evidence *evidence)
{
    json_decref(evidence->planned);
    json_decref(evidence->planned_plain);
    json_decref(evidence->sealed);
    json_decref(evidence->committed);
    json_decref(evidence->revealed);
}

static int take_planned(struct evidence *evidence, const struct ck_log_row *row)
{
    ck_cleanup(json_free) json_t *leaf = json_loadb(row->leaf, row->leaf_size, 0, NULL);
    evidence->proof->planned = row->index;
    evidence->person = row->person_id;
    evidence->planned = json_incref(json_object_get(leaf, "open"));
    evidence->sealed = json_incref(json_object_get(leaf, "sealed"));
    evidence->planned_plain = row->salted == NULL ? NULL : json_loads(row->salted, 0, NULL);
    return evidence->planned == NULL ? -EUCLEAN : 0;
}

static int visit_planned(void *user, const struct ck_log_row *row, bool has_plain)
{
    struct evidence *evidence = user;
    (void)has_plain;
    bool planned =
        strcmp(row->action, "CHECKIN_PLANNED") == 0 || strcmp(row->action, "CHECKIN_SECOND") == 0;
    return planned && row->object_id == evidence->checkin && evidence->planned == NULL
               ? take_planned(evidence, row)
               : 0;
}

static int visit_keys(void *user, const struct ck_log_row *row, bool has_plain)
{
    struct evidence *evidence = user;
    (void)has_plain;
    bool committed = strcmp(row->action, "DRAW_KEY_COMMITTED") == 0;
    bool revealed = strcmp(row->action, "DRAW_KEY_REVEALED") == 0;
    if ((!committed && !revealed) || row->object_id != evidence->proof->epoch) {
        return 0;
    }
    ck_cleanup(json_free) json_t *leaf = json_loadb(row->leaf, row->leaf_size, 0, NULL);
    json_t **to = committed ? &evidence->committed : &evidence->revealed;
    *(committed ? &evidence->proof->committed : &evidence->proof->revealed) = row->index;
    json_decref(*to);
    *to = json_incref(json_object_get(leaf, "open"));
    return *to == NULL ? -EUCLEAN : 0;
}

static int fail(struct ck_draw_proof *proof, int code, const char *text)
{
    snprintf(proof->fault, sizeof proof->fault, "%s", text);
    return code;
}

/* ---- the parts ---- */

/* What lies beside the record must be what it commits to. NULL: the fault says why not. */
static const json_t *opened(const struct evidence *evidence, const char *name, int *error)
{
    const json_t *pair = json_object_get(evidence->planned_plain, name);
    const char *hex = json_string_value(json_object_get(evidence->sealed, name));
    const char *salt_hex = json_string_value(json_array_get(pair, 0));
    uint8_t salt[CK_AUDIT_SALT_SIZE];
    struct ck_hash wanted, found;
    if (hex == NULL || salt_hex == NULL || json_array_size(pair) != 2) {
        *error = fail(evidence->proof, CK_E_NOT_FOUND, "the moment was erased");
        return NULL;
    }
    if (ck_hex_decode(hex, wanted.bytes, sizeof wanted.bytes) != 0 ||
        ck_hex_decode(salt_hex, salt, sizeof salt) != 0 ||
        ck_audit_commit(salt, name, json_array_get(pair, 1), &found) != 0 ||
        memcmp(&wanted, &found, sizeof found) != 0) {
        *error =
            fail(evidence->proof, CK_E_AUTH, "what was drawn is not what the record commits to");
        return NULL;
    }
    *error = 0;
    return json_array_get(pair, 1);
}

static int read_due(const struct evidence *evidence)
{
    int r;
    const char *text = json_string_value(opened(evidence, "due", &r));
    if (r == 0 && (text == NULL || ck_wall_parse(text, &evidence->proof->due) != 0)) {
        return fail(evidence->proof, CK_E_AUTH, "the record of the moment has no form");
    }
    return r;
}

static int read_draw(const struct evidence *evidence, struct ck_draw *draw)
{
    const char *hex = json_string_value(json_object_get(evidence->planned, "draw"));
    if (hex == NULL || hex[0] == '\0') {
        return fail(evidence->proof, CK_E_NOT_FOUND, "this check-in was not drawn");
    }
    int r;
    const json_t *allowed = opened(evidence, "allowed", &r);
    if (r != 0) {
        return r;
    }
    size_t count = json_array_size(allowed);
    if (strlen(hex) != 2 * CK_DRAW_MESSAGE_SIZE ||
        ck_hex_decode(hex, draw->message, CK_DRAW_MESSAGE_SIZE) != 0 || count < 1 ||
        count > CK_INTERVALS_MAX) {
        return fail(evidence->proof, CK_E_AUTH, "the record of the draw has no form");
    }
    draw->size = CK_DRAW_MESSAGE_SIZE;
    draw->allowed.count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        const json_t *piece = json_array_get(allowed, i);
        draw->allowed.items[i].from.ms = json_integer_value(json_array_get(piece, 0));
        draw->allowed.items[i].until.ms = json_integer_value(json_array_get(piece, 1));
    }
    evidence->proof->seconds = ck_interval_set_seconds(&draw->allowed);
    return 0;
}

static int64_t member(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* The plan that a message names. */
static int64_t plan_of(const struct ck_draw *draw)
{
    uint64_t plan = 0;
    for (int i = 0; i < 8; i++) {
        plan = plan << 8 | draw->message[16 + i];
    }
    return (int64_t)plan;
}

/* The record names the plan by its pseudonym, the message by the beginning of it. */
static int check_plan(const struct evidence *evidence, int64_t plan)
{
    const char *named = json_string_value(json_object_get(evidence->planned, "plan"));
    char text[CK_HEX_SIZE(8)];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)plan);
    return named != NULL && strncmp(named, text, 16) == 0
               ? 0
               : fail(evidence->proof, CK_E_AUTH, "what was drawn is for another plan");
}

/* The message must name this plan, version, date and slot: otherwise another draw was taken. */
static int check_message(const struct evidence *evidence, const struct ck_draw *draw)
{
    const json_t *planned = evidence->planned;
    const char *date_text = json_string_value(json_object_get(planned, "date"));
    struct ck_date date;
    if (date_text == NULL || ck_date_parse(date_text, &date) != 0) {
        return fail(evidence->proof, CK_E_AUTH, "the record of the draw has no date");
    }
    evidence->proof->epoch = date.day / EPOCH_DAYS;
    int64_t slot = member(planned, "slot");
    struct ck_draw_slot named = {
        .plan = plan_of(draw),
        .version = (uint32_t)member(planned, "version"),
        .date = date.day,
        .window = (uint32_t)(slot / SLOTS_PER_WINDOW),
        .slot = (uint32_t)(slot % SLOTS_PER_WINDOW),
        .redraw = (uint32_t)member(planned, "redraw"),
    };
    if (json_object_get(planned, "draw_slot") != NULL) { /* a second check has slots of its own */
        named.window = (uint32_t)member(planned, "draw_window");
        named.slot = (uint32_t)member(planned, "draw_slot");
    }
    for (uint32_t block = 0; block < CK_DRAW_BLOCKS_MAX; block++) {
        uint8_t message[CK_DRAW_MESSAGE_SIZE];
        ck_draw_message(&named, block, message);
        if (memcmp(message, draw->message, sizeof message) == 0) {
            return check_plan(evidence, named.plan);
        }
    }
    return fail(evidence->proof, CK_E_AUTH, "what was drawn is not for this plan, date and slot");
}

static int read_key(const struct evidence *evidence, uint8_t key[static CK_SHA256_SIZE])
{
    struct ck_draw_proof *proof = evidence->proof;
    const char *committed = json_string_value(json_object_get(evidence->committed, "sha256"));
    const char *revealed = json_string_value(json_object_get(evidence->revealed, "key"));
    uint8_t wanted[CK_SHA256_SIZE], found[CK_SHA256_SIZE];
    if (committed == NULL || proof->committed > proof->planned) {
        return fail(proof, CK_E_AUTH, "the key was not committed to before the draw");
    }
    if (revealed == NULL) {
        return fail(proof, CK_E_NOT_FOUND, "the key of its epoch has not been revealed yet");
    }
    const struct ck_slice slice = {key, CK_SHA256_SIZE};
    if (ck_hex_decode(committed, wanted, sizeof wanted) != 0 ||
        ck_hex_decode(revealed, key, CK_SHA256_SIZE) != 0 || ck_sha256(&slice, 1, found) != 0 ||
        memcmp(wanted, found, sizeof found) != 0) {
        return fail(proof, CK_E_AUTH, "the revealed key is not the one that was committed to");
    }
    return 0;
}

static int draw_bytes(void *context, const uint8_t *message, size_t size,
                      uint8_t bytes[CK_DRAW_BYTES])
{
    const struct ck_slice slice = {message, size};
    return ck_hmac_sha256(context, CK_SHA256_SIZE, &slice, 1, bytes);
}

static int prove(struct ck_store *store, struct evidence *evidence)
{
    struct ck_draw draw;
    uint8_t key[CK_SHA256_SIZE];
    int r = ck_log_walk(store, 0, visit_planned, evidence);
    if (r == 0 && evidence->planned == NULL) {
        return fail(evidence->proof, CK_E_NOT_FOUND, "the log has no draw of this check-in");
    }
    r = r == 0 ? read_draw(evidence, &draw) : r;
    r = r == 0 ? check_message(evidence, &draw) : r;
    r = r == 0 ? ck_log_walk(store, 0, visit_keys, evidence) : r;
    r = r == 0 ? read_key(evidence, key) : r;
    r = r == 0 ? read_due(evidence) : r;
    if (r != 0) {
        return r;
    }
    return ck_draw_prove(&draw, evidence->proof->due, draw_bytes, key) == 0
               ? 0
               : fail(evidence->proof, CK_E_AUTH, "the draw gives another moment");
}

int ck_draw_prove_checkin(struct ck_store *store, int64_t checkin, struct ck_draw_proof *proof)
{
    *proof = (struct ck_draw_proof){.planned = -1, .committed = -1, .revealed = -1};
    ck_cleanup(evidence_clear) struct evidence evidence = {
        .store = store, .checkin = checkin, .proof = proof};
    return prove(store, &evidence);
}
