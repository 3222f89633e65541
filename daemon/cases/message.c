/* Threads: one between a person and their inspector, one among officers about each incident. What
 * is written is sealed at rest under a key a thread; a file lies under a key of its own, inside its
 * message. */
#include "daemon/store/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/destroyed.h"
#include "daemon/cases/cases_impl.h"
#include "daemon/cases/content.h"
#include "daemon/cases/file_type.h"
#include "daemon/cases/picture.h"
#include "daemon/core/confidence.h"
#include "daemon/core/incident_body.h"
#include "daemon/core/wrap.h"
#include "daemon/store/person.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/text.h"

#define CLIENT_ID_MAX 36

/* Whose thread it is, and who is told. */
struct thread {
    struct ck_thread_of of;
    int64_t person;    /* of the incident, where it is one's */
    enum ck_keep keep; /* how long it is kept */
    int64_t unit, inspector;
    bool by_person;
};

static int find_incident(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         struct thread *thread, struct ck_refusal *refusal)
{
    struct ck_incident_row row;
    int r = ck_body_incident(turn, actor, body, &row, refusal);
    if (r == 0) {
        *thread = (struct thread){.of = {.incident = row.step.id},
                                  .person = row.step.person,
                                  .keep = ck_is_restricted(row.step.kind) ? CK_KEEP_CONCERN
                                                                          : CK_KEEP_MESSAGES,
                                  .unit = row.unit,
                                  .inspector = row.inspector};
    }
    return r;
}

/* Staff name the person or the incident, a person has only the own thread. */
static int find_thread(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       struct thread *thread, struct ck_refusal *refusal)
{
    thread->by_person = actor->kind == CK_ACTOR_PERSON;
    thread->keep = CK_KEEP_MESSAGES;
    if (!thread->by_person && json_object_get(body, "incident") != NULL) {
        return find_incident(turn, actor, body, thread, refusal);
    }
    int r = 0;
    if (thread->by_person) {
        thread->person = actor->person_id;
    } else {
        r = ck_body_id(body, "person", &thread->person, refusal);
    }
    r = r == 0 ? ck_person_owner(ck_turn_store(turn), thread->person, &thread->unit,
                                 &thread->inspector)
               : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "person", "there is no such person");
    }
    if (r == 0 && !thread->by_person && !ck_in_scope(actor, thread->unit, thread->inspector)) {
        return ck_turn_deny(turn, actor, "message", 0, thread->person, "not your caseload",
                            refusal);
    }
    thread->of.person = thread->person;
    return r;
}

static int make_key(struct ck_turn *turn, const struct ck_thread_of *of, int64_t *id, uint8_t *key)
{
    uint8_t nonce[CK_GCM_NONCE_SIZE], wrapped[CK_WRAPPED_SIZE];
    ck_turn_random(turn, key, CK_KEY_SIZE);
    ck_turn_random(turn, nonce, sizeof nonce);
    int r = *id != 0 ? 0 : ck_thread_next_id(ck_turn_store(turn), id);
    r = r == 0 ? ck_key_wrap(ck_turn_master_key(turn), CK_PURPOSE_THREAD, *id, nonce, key, wrapped)
               : r;
    return r == 0 ? ck_thread_insert(ck_turn_store(turn), *id, of, wrapped, sizeof wrapped,
                                     ck_turn_now(turn))
                  : r;
}

/* A key that the log says was destroyed, and that is there again, seals nothing new. */
static int thread_key(struct ck_turn *turn, const struct thread *thread, int64_t *id, uint8_t *key)
{
    uint8_t wrapped[CK_WRAPPED_SIZE];
    size_t size = 0;
    bool put_back = false;
    int r = ck_thread_find(ck_turn_store(turn), &thread->of, id, wrapped, sizeof wrapped, &size);
    if (r == 0 && thread->person != 0) {
        r = ck_audit_put_back(ck_turn_store(turn), thread->keep, thread->person, &put_back);
    }
    if (r == CK_E_NOT_FOUND || (r == 0 && put_back)) {
        return make_key(turn, &thread->of, id, key);
    }
    return r == 0
               ? ck_key_unwrap(ck_turn_master_key(turn), CK_PURPOSE_THREAD, *id, wrapped, size, key)
               : r;
}

/* ---- what is sent ---- */

struct draft {
    struct ck_message_row row;
    struct ck_message_file file; /* sealed; NULL: there is none */
    json_t *content;
    uint8_t *sealed;
};

static void draft_clear(struct draft *draft)
{
    json_decref(draft->content);
    free(draft->sealed);
    ck_message_file_clear(&draft->file);
}

static int check_name(const json_t *file, const char **name, struct ck_refusal *refusal)
{
    int r = ck_body_text(file, "name", CK_FILE_NAME_MAX, false, name, refusal);
    if (r != 0) {
        return ck_refuse(refusal, r, "file.name", "must be a text of 1 to %d bytes",
                         CK_FILE_NAME_MAX);
    }
    for (const char *at = *name; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f || strchr("/\\\"", *at) != NULL) {
            return ck_refuse(refusal, CK_E_INVALID, "file.name",
                             "must not hold control characters, slashes or quotes");
        }
    }
    return 0;
}

/* Decodes the file's bytes into new memory with room for a tag behind them. */
static int read_file(const json_t *file, uint8_t **bytes, size_t *size, struct ck_refusal *refusal)
{
    const char *text = json_string_value(json_object_get(file, "data"));
    if (text == NULL || *text == '\0') {
        return ck_refuse(refusal, CK_E_INVALID, "file.data", "must be base64, and not empty");
    }
    size_t length = strlen(text) / 4 * 3;
    if (length > CK_FILE_MAX + 2) {
        return ck_refuse(refusal, CK_E_INVALID, "file.data", "must not be longer than %d MiB",
                         CK_FILE_MAX >> 20);
    }
    ck_cleanup(ck_freep) uint8_t *read = malloc(length + 1 + CK_GCM_TAG_SIZE);
    int r = read == NULL ? -ENOMEM : ck_base64_decode(text, read, length + 1, size);
    if (r > 0) {
        return ck_refuse(refusal, CK_E_INVALID, "file.data", "must be base64");
    }
    if (r == 0 && *size > CK_FILE_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, "file.data", "must not be longer than %d MiB",
                         CK_FILE_MAX >> 20);
    }
    *bytes = r == 0 ? ck_take(read) : NULL;
    return r;
}

/* Seals the file under a fresh key, which goes into the message's content. */
static int seal_file(struct ck_turn *turn, struct draft *draft, const char *name,
                     const struct ck_file_type *type, uint8_t *bytes, size_t size)
{
    uint8_t key[CK_KEY_SIZE], digest[CK_SHA256_SIZE];
    char key_hex[CK_HEX_SIZE(CK_KEY_SIZE)], digest_hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
    ck_turn_random(turn, key, sizeof key);
    ck_turn_random(turn, draft->file.nonce, sizeof draft->file.nonce);
    int r = ck_sha256(&(struct ck_slice){bytes, size}, 1, digest);
    r = r == 0 ? ck_gcm_seal(key, draft->file.nonce, NULL, 0, bytes, size, bytes) : r;
    ck_hex_encode(key, sizeof key, key_hex);
    ck_hex_encode(digest, sizeof digest, digest_hex);
    json_t *file = json_pack("{s:s, s:s, s:I, s:s, s:s}", "name", name, "type", type->mime, "size",
                             (json_int_t)size, "sha256", digest_hex, "key", key_hex);
    ck_wipe(key, sizeof key);
    ck_wipe(key_hex, sizeof key_hex);
    if (file == NULL || json_object_set_new(draft->content, "file", file) != 0) {
        return -ENOMEM;
    }
    draft->file.size = size + CK_GCM_TAG_SIZE;
    return r;
}

/* The file in the body, if there is one. Its type is what its bytes say. */
static int take_file(struct ck_turn *turn, const struct ck_actor *actor, const json_t *file,
                     struct draft *draft, struct ck_refusal *refusal)
{
    const char *name = NULL;
    int64_t today = 0;
    size_t size = 0;
    if (!json_is_object(file)) {
        return ck_refuse(refusal, CK_E_INVALID, "file", "must be an object with name and data");
    }
    struct ck_wall since = ck_wall_add_ms(ck_turn_now(turn), -CK_FILES_WINDOW_MS);
    int r = check_name(file, &name, refusal);
    r = r == 0 ? ck_message_files_since(ck_turn_store(turn), draft->row.thread, actor->staff_id,
                                        since, &today)
               : r;
    if (r == 0 && today >= CK_FILES_MAX) {
        return ck_refuse(refusal, CK_E_LIMIT, "file", "%d files were sent within 24 hours already",
                         CK_FILES_MAX);
    }
    uint8_t *bytes = NULL;
    r = r == 0 ? read_file(file, &bytes, &size, refusal) : r;
    if (r != 0) {
        return r;
    }
    draft->file.sealed = bytes;
    const struct ck_file_type *type = ck_file_type_of(bytes, size);
    if (type == NULL) {
        return ck_refuse(refusal, CK_E_INVALID, "file.data",
                         "must be a whole JPEG, PNG or WebP picture, or a PDF");
    }
    size = ck_picture_strip(type, bytes, size);
    return size == 0 ? ck_refuse(refusal, CK_E_INVALID, "file.data", "is a picture that is broken")
                     : seal_file(turn, draft, name, type, bytes, size);
}

/* More than anybody writes: who goes on all the same fills the disk. */
static int check_count(struct ck_turn *turn, int64_t thread, int64_t from_staff,
                       struct ck_refusal *refusal)
{
    int64_t today = 0;
    struct ck_wall since = ck_wall_add_ms(ck_turn_now(turn), -CK_FILES_WINDOW_MS);
    int r = ck_message_count_since(ck_turn_store(turn), thread, from_staff, since, &today);
    return r == 0 && today >= CK_MESSAGES_MAX
               ? ck_refuse(refusal, CK_E_LIMIT, "text",
                           "%d messages were sent within 24 hours already", CK_MESSAGES_MAX)
               : r;
}

/* Fills the draft from the body and seals it. */
static int make_draft(struct ck_turn *turn, const struct ck_actor *actor,
                      const struct thread *thread, const json_t *body, struct draft *draft,
                      struct ck_refusal *refusal)
{
    const char *text = NULL;
    const json_t *file = json_object_get(body, "file");
    bool has_file = file != NULL && !json_is_null(file);
    uint8_t key[CK_KEY_SIZE];
    int r = ck_body_text(body, "text", CK_MESSAGE_MAX, has_file, &text, refusal);
    r = r == 0
            ? ck_body_text(body, "client_id", CLIENT_ID_MAX, false, &draft->row.client_id, refusal)
            : r;
    draft->content = r == 0 ? json_pack("{s:s, s:n}", "text", text, "file") : NULL;
    r = r == 0 && draft->content == NULL ? -ENOMEM : r;
    r = r == 0 ? thread_key(turn, thread, &draft->row.thread, key) : r;
    r = r == 0 ? check_count(turn, draft->row.thread, actor->staff_id, refusal) : r;
    r = r == 0 && has_file ? take_file(turn, actor, file, draft, refusal) : r;
    if (r == 0) {
        ck_turn_random(turn, draft->row.nonce, sizeof draft->row.nonce);
        r = ck_content_seal(key, draft->row.nonce, draft->row.thread, draft->content,
                            &draft->sealed, &draft->row.size);
        draft->row.sealed = draft->sealed;
    }
    ck_wipe(key, sizeof key);
    return r;
}

static int insert(struct ck_turn *turn, struct draft *draft)
{
    int r = ck_message_insert(ck_turn_store(turn), &draft->row, ck_turn_now(turn));
    return r == 0 && draft->file.sealed != NULL
               ? ck_message_file_insert(ck_turn_store(turn), draft->row.id, &draft->file)
               : r;
}

/* The text is committed to; of a file its type, size and digest are. */
static int record_message(struct ck_turn *turn, const struct ck_actor *actor,
                          const struct thread *thread, const struct draft *draft)
{
    const json_t *file = json_object_get(draft->content, "file");
    bool incident = thread->of.incident != 0;
    json_t *open = json_is_object(file)
                       ? json_pack("{s:O, s:O}", "type", json_object_get(file, "type"), "size",
                                   json_object_get(file, "size"))
                       : NULL;
    json_t *sealed =
        json_is_object(file) ? json_pack("{s:O}", "sha256", json_object_get(file, "sha256")) : NULL;
    struct ck_record record = {
        .action = incident ? "INCIDENT_MESSAGE_SENT" : "MESSAGE_SENT",
        .object = incident ? "incident" : "message",
        .object_id = incident ? thread->of.incident : draft->row.id,
        .person_id = thread->person,
        .open = open,
        .sealed = sealed,
        .withheld = json_pack("{s:O}", "text", json_object_get(draft->content, "text"))};
    return ck_turn_audit(turn, actor, &record);
}

/* The message as the pages show it: the sender's answer, and what the other side hears. */
static json_t *as_message(struct ck_turn *turn, const struct thread *thread,
                          const struct draft *draft)
{
    const struct ck_message_row *row = &draft->row;
    char sent[CK_WALL_TEXT_SIZE], author[CK_NAME_MAX + 1];
    ck_wall_text(ck_turn_now(turn), sent);
    if (ck_message_author(ck_turn_store(turn), thread->person, row->from_staff, author,
                          sizeof author) != 0) {
        return NULL;
    }
    json_t *message =
        json_pack("{s:I, s:s, s:s, s:s, s:s, s:n, s:n}", "id", (json_int_t)row->id, "client_id",
                  row->client_id, "from", row->from_staff == 0 ? "person" : "staff", "author",
                  author, "sent", sent, "delivered", "read");
    bool failed = message == NULL || ck_content_show(draft->content, message) != 0 ||
                  json_object_set_new(message, "author_id",
                                      thread->of.incident == 0
                                          ? json_null()
                                          : json_integer((json_int_t)row->from_staff)) != 0;
    if (failed) {
        json_decref(message);
        return NULL;
    }
    return message;
}

/* What somebody did to the thread of an incident: whoever shows it reads it again. */
static int tell_incident(struct ck_turn *turn, const struct thread *thread)
{
    struct ck_output output = {.kind = CK_OUTPUT_INCIDENT,
                               .id = thread->of.incident,
                               .unit_id = thread->unit,
                               .staff_id = thread->inspector,
                               .person_id = thread->person,
                               .incident_id = thread->of.incident};
    return ck_turn_output(turn, &output);
}

static int tell(struct ck_turn *turn, const struct thread *thread, int64_t id, json_t *message)
{
    if (thread->of.incident != 0) {
        return tell_incident(turn, thread);
    }
    struct ck_output output = {.kind = CK_OUTPUT_MESSAGE,
                               .id = id,
                               .unit_id = thread->unit,
                               .staff_id = thread->inspector,
                               .person_id = thread->person,
                               .body = json_deep_copy(message)};
    return ck_turn_output(turn, &output);
}

int ck_message_send(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    struct thread thread = {0};
    ck_cleanup(draft_clear) struct draft draft = {.row = {.from_staff = actor->staff_id}};
    int r = find_thread(turn, actor, body, &thread, refusal);
    r = r == 0 ? make_draft(turn, actor, &thread, body, &draft, refusal) : r;
    r = r == 0 ? insert(turn, &draft) : r;
    bool again = r == CK_E_CONFLICT; /* the page did not hear that it had arrived */
    r = again ? 0 : r == 0 ? record_message(turn, actor, &thread, &draft) : r;
    if (r != 0) {
        return r;
    }
    json_t *message = as_message(turn, &thread, &draft);
    r = message == NULL ? -ENOMEM : again ? 0 : tell(turn, &thread, draft.row.id, message);
    if (r != 0) {
        json_decref(message);
        return r;
    }
    *result = message;
    return 0;
}

/* ---- delivered, read ---- */

static int mark_incident(struct ck_turn *turn, const struct ck_actor *actor,
                         const struct thread *thread, int64_t up_to, int64_t *changed)
{
    int r = ck_thread_read(ck_turn_store(turn), thread->of.incident, actor->staff_id, up_to,
                           ck_turn_now(turn), changed);
    if (r != 0 || *changed == 0) {
        return r;
    }
    struct ck_record record = {.action = "INCIDENT_MESSAGE_READ",
                               .object = "incident",
                               .object_id = thread->of.incident,
                               .person_id = thread->person};
    r = ck_turn_audit(turn, actor, &record);
    return r == 0 ? tell_incident(turn, thread) : r;
}

static int mark_person(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct thread *thread, int64_t up_to, bool read, int64_t *changed)
{
    int r = (read ? ck_message_read : ck_message_delivered)(
        ck_turn_store(turn), thread->person, thread->by_person, up_to, ck_turn_now(turn), changed);
    if (r != 0 || *changed == 0) {
        return r;
    }
    struct ck_record record = {.action = read ? "MESSAGE_READ" : "MESSAGE_DELIVERED",
                               .object = "message",
                               .object_id = up_to,
                               .person_id = thread->person,
                               .open = json_pack("{s:I}", "count", (json_int_t)*changed)};
    struct ck_output output = {
        .kind = CK_OUTPUT_MESSAGE_MARK,
        .unit_id = thread->unit,
        .staff_id = thread->inspector,
        .person_id = thread->person,
        .body = json_pack("{s:s, s:I, s:s}", "mark", read ? "read" : "delivered", "up_to",
                          (json_int_t)up_to, "by", thread->by_person ? "person" : "staff")};
    r = ck_turn_audit(turn, actor, &record);
    if (r == 0) {
        return ck_turn_output(turn, &output);
    }
    json_decref(output.body);
    return r;
}

static int mark(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body, bool read,
                json_t **result, struct ck_refusal *refusal)
{
    struct thread thread = {0};
    int64_t up_to = 0, changed = 0;
    int r = find_thread(turn, actor, body, &thread, refusal);
    r = r == 0 ? ck_body_id(body, "up_to", &up_to, refusal) : r;
    if (r == 0) {
        r = thread.of.incident != 0 ? mark_incident(turn, actor, &thread, up_to, &changed)
                                    : mark_person(turn, actor, &thread, up_to, read, &changed);
    }
    if (r == 0) {
        *result = json_pack("{s:I}", "changed", (json_int_t)changed);
    }
    return r;
}

int ck_message_mark_delivered(struct ck_turn *turn, const struct ck_actor *actor,
                              const json_t *body, json_t **result, struct ck_refusal *refusal)
{
    return mark(turn, actor, body, false, result, refusal);
}

int ck_message_mark_read(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    return mark(turn, actor, body, true, result, refusal);
}
