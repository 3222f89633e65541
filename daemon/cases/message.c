/* The thread between a person and their inspector: sealed at rest under a key a thread, committed
 * in the log. */
#include "daemon/store/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cases/cases_impl.h"
#include "daemon/core/wrap.h"
#include "daemon/store/person.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/text.h"

#define CLIENT_ID_MAX 36

/* Whose thread it is: staff name the person, a person has only the own. */
struct thread {
    int64_t person, unit, inspector;
    bool by_person;
};

static int find_thread(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       struct thread *thread, struct ck_refusal *refusal)
{
    thread->by_person = actor->kind == CK_ACTOR_PERSON;
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
    return r;
}

static int make_key(struct ck_turn *turn, int64_t person, uint8_t *key)
{
    uint8_t nonce[CK_GCM_NONCE_SIZE], wrapped[CK_WRAPPED_SIZE];
    ck_turn_random(turn, key, CK_KEY_SIZE);
    ck_turn_random(turn, nonce, sizeof nonce);
    int r = ck_key_wrap(ck_turn_master_key(turn), "thread 1", person, nonce, key, wrapped);
    return r == 0 ? ck_thread_insert(ck_turn_store(turn), person, wrapped, sizeof wrapped,
                                     ck_turn_now(turn))
                  : r;
}

static int thread_key(struct ck_turn *turn, int64_t person, uint8_t *key)
{
    uint8_t wrapped[CK_WRAPPED_SIZE];
    size_t size = 0;
    int r = ck_thread_key(ck_turn_store(turn), person, wrapped, sizeof wrapped, &size);
    if (r == CK_E_NOT_FOUND) {
        return make_key(turn, person, key);
    }
    return r == 0 ? ck_key_unwrap(ck_turn_master_key(turn), "thread 1", person, wrapped, size, key)
                  : r;
}

/* Seals `text` into `sealed`, which has room for its tag. The person's id is bound in. */
static int seal_text(struct ck_turn *turn, struct ck_message_row *row, const char *text,
                     size_t size, uint8_t *sealed)
{
    uint8_t key[CK_KEY_SIZE];
    int r = thread_key(turn, row->person, key);
    ck_turn_random(turn, row->nonce, sizeof row->nonce);
    r = r == 0 ? ck_gcm_seal(key, row->nonce, &row->person, sizeof row->person, text, size, sealed)
               : r;
    ck_wipe(key, sizeof key);
    row->sealed = sealed;
    row->size = size + CK_GCM_TAG_SIZE;
    return r;
}

int ck_message_open(const uint8_t master[static CK_KEY_SIZE], int64_t person, const void *wrapped,
                    size_t wrapped_size, const uint8_t nonce[static CK_GCM_NONCE_SIZE],
                    const void *sealed, size_t size, void *text)
{
    uint8_t key[CK_KEY_SIZE];
    int r = ck_key_unwrap(master, "thread 1", person, wrapped, wrapped_size, key);
    r = r == 0 ? ck_gcm_open(key, nonce, &person, sizeof person, sealed, size, text) : r;
    ck_wipe(key, sizeof key);
    return r;
}

static int record_message(struct ck_turn *turn, const struct ck_actor *actor,
                          const struct ck_message_row *row, const char *text)
{
    struct ck_record record = {.action = "MESSAGE_SENT",
                               .object = "message",
                               .object_id = row->id,
                               .person_id = row->person,
                               .withheld = json_pack("{s:s}", "text", text)};
    return ck_turn_audit(turn, actor, &record);
}

/* The message as the pages show it: the sender's answer, and what the other side hears. */
static json_t *as_message(struct ck_turn *turn, const struct ck_message_row *row, const char *text)
{
    char sent[CK_WALL_TEXT_SIZE], author[CK_NAME_MAX + 1];
    ck_wall_text(ck_turn_now(turn), sent);
    if (ck_message_author(ck_turn_store(turn), row->person, row->from_staff, author,
                          sizeof author) != 0) {
        return NULL;
    }
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:n, s:n}", "id", (json_int_t)row->id,
                     "client_id", row->client_id, "from", row->from_staff == 0 ? "person" : "staff",
                     "author", author, "text", text, "sent", sent, "delivered", "read");
}

static int tell(struct ck_turn *turn, const struct thread *thread, int64_t id, json_t *message)
{
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
    const char *text = NULL;
    struct ck_message_row row = {.from_staff = actor->staff_id};
    int r = find_thread(turn, actor, body, &thread, refusal);
    r = r == 0 ? ck_body_text(body, "text", CK_MESSAGE_MAX, false, &text, refusal) : r;
    r = r == 0 ? ck_body_text(body, "client_id", CLIENT_ID_MAX, false, &row.client_id, refusal) : r;
    if (r != 0) {
        return r;
    }
    size_t size = strlen(text);
    ck_cleanup(ck_freep) uint8_t *sealed = malloc(size + CK_GCM_TAG_SIZE);
    row.person = thread.person;
    r = sealed == NULL ? -ENOMEM : seal_text(turn, &row, text, size, sealed);
    r = r == 0 ? ck_message_insert(ck_turn_store(turn), &row, ck_turn_now(turn)) : r;
    bool again = r == CK_E_CONFLICT; /* the page did not hear that it had arrived */
    r = again ? 0 : r == 0 ? record_message(turn, actor, &row, text) : r;
    if (r != 0) {
        return r;
    }
    json_t *message = as_message(turn, &row, text);
    r = message == NULL ? -ENOMEM : again ? 0 : tell(turn, &thread, row.id, message);
    if (r != 0) {
        json_decref(message);
        return r;
    }
    *result = message;
    return 0;
}

static int mark(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body, bool read,
                json_t **result, struct ck_refusal *refusal)
{
    struct thread thread = {0};
    int64_t up_to = 0, changed = 0;
    int r = find_thread(turn, actor, body, &thread, refusal);
    r = r == 0 ? ck_body_id(body, "up_to", &up_to, refusal) : r;
    if (r == 0) {
        r = (read ? ck_message_read : ck_message_delivered)(ck_turn_store(turn), thread.person,
                                                            thread.by_person, up_to,
                                                            ck_turn_now(turn), &changed);
    }
    if (r == 0 && changed > 0) {
        struct ck_record record = {.action = read ? "MESSAGE_READ" : "MESSAGE_DELIVERED",
                                   .object = "message",
                                   .object_id = up_to,
                                   .person_id = thread.person,
                                   .open = json_pack("{s:I}", "count", (json_int_t)changed)};
        struct ck_output output = {
            .kind = CK_OUTPUT_MESSAGE_MARK,
            .unit_id = thread.unit,
            .staff_id = thread.inspector,
            .person_id = thread.person,
            .body = json_pack("{s:s, s:I, s:s}", "mark", read ? "read" : "delivered", "up_to",
                              (json_int_t)up_to, "by", thread.by_person ? "person" : "staff")};
        r = ck_turn_audit(turn, actor, &record);
        if (r == 0) {
            r = ck_turn_output(turn, &output);
        } else {
            json_decref(output.body);
        }
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
