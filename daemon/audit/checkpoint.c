#include "daemon/audit/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/audit/audit.h"
#include "daemon/audit/tree.h"
#include "daemon/store/checkpoint.h"
#include "daemon/store/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/signing.h"

const char *ck_signer_state_name(enum ck_signer_state state)
{
    static const char *const names[] = {
        [CK_SIGNER_SIGNED] = "signed",
        [CK_SIGNER_RESTS] = "rests",
        [CK_SIGNER_SILENT] = "silent",
        [CK_SIGNER_ROLLBACK] = "rollback",
        [CK_SIGNER_FORK] = "fork",
        [CK_SIGNER_FAILED] = "failed",
        [CK_SIGNER_FOREIGN_KEY] = "foreign_key",
    };
    return names[state];
}

/* One conversation with the signer. */
struct talk {
    int fd;
    struct ck_signer_answer *answer;
    uint8_t out[CK_SIGNING_MESSAGE_MAX];
    uint8_t in[CK_SIGNING_MESSAGE_MAX];
    struct ck_signing_message said; /* points into `in` */
};

static int silent(struct talk *talk, const char *what)
{
    talk->answer->state = CK_SIGNER_SILENT;
    snprintf(talk->answer->detail, sizeof talk->answer->detail, "%s", what);
    return CK_E_BUSY;
}

static int reach(struct talk *talk, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = CK_CHECKPOINT_ANSWER_MS / 1000};
    const int room = 4 * CK_SIGNING_MESSAGE_MAX;
    if (strlen(path) >= sizeof address.sun_path) {
        return silent(talk, "the path of its socket is too long");
    }
    memcpy(address.sun_path, path, strlen(path));
    talk->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (talk->fd < 0 ||
        setsockopt(talk->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(talk->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(talk->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) != 0 ||
        TEMP_FAILURE_RETRY(connect(talk->fd, (const struct sockaddr *)&address, sizeof address)) !=
            0) {
        return silent(talk, strerror(errno));
    }
    return 0;
}

/* Says what is in `writer` and hears the answer. A machine that was stopped for a moment breaks off
 * a call that has a time limit (signal(7)): that says nothing of the signer. */
static int exchange(struct talk *talk, const struct ck_writer *writer)
{
    if (writer->failed || TEMP_FAILURE_RETRY(send(talk->fd, writer->data, writer->size,
                                                  MSG_NOSIGNAL)) != (ssize_t)writer->size) {
        return silent(talk, "it takes no message");
    }
    ssize_t size = TEMP_FAILURE_RETRY(recv(talk->fd, talk->in, sizeof talk->in, MSG_TRUNC));
    if (size <= 0 || (size_t)size > sizeof talk->in ||
        ck_signing_read(talk->in, (size_t)size, &talk->said) != 0) {
        return silent(talk, size == 0  ? "it hung up"
                            : size < 0 ? "it does not answer"
                                       : "its answer is none");
    }
    return 0;
}

static int ask(struct talk *talk, const struct ck_signing_message *message)
{
    struct ck_writer writer = ck_writer_of(talk->out, sizeof talk->out);
    int r = ck_signing_write(&writer, message);
    return r == 0 ? exchange(talk, &writer) : silent(talk, "a message does not fit");
}

/* What it refuses, in the words of this side. */
static int refused(struct talk *talk)
{
    const struct ck_signing_message *said = &talk->said;
    struct ck_signer_answer *answer = talk->answer;
    answer->size = said->signed_size;
    answer->state = said->refusal == CK_SIGNING_ROLLBACK      ? CK_SIGNER_ROLLBACK
                    : said->refusal == CK_SIGNING_FAILED      ? CK_SIGNER_FAILED
                    : said->refusal == CK_SIGNING_FORK        ? CK_SIGNER_FORK
                    : said->refusal == CK_SIGNING_FOREIGN_KEY ? CK_SIGNER_FOREIGN_KEY
                                                              : CK_SIGNER_SILENT;
    snprintf(answer->detail, sizeof answer->detail, "it signed %llu entries before",
             (unsigned long long)said->signed_size);
    return CK_E_BUSY;
}

/* ---- the leaves that it does not know yet ---- */

struct sending {
    struct talk *talk;
    struct ck_writer writer;
    uint64_t from; /* of the message that is being filled */
    uint64_t next;
    uint64_t until;
};

static int begin_leaves(struct sending *sending)
{
    sending->writer = ck_writer_of(sending->talk->out, sizeof sending->talk->out);
    sending->from = sending->next;
    return ck_signing_write(&sending->writer, &(struct ck_signing_message){
                                                  .kind = CK_SIGNING_LEAVES,
                                                  .from = sending->from,
                                              });
}

static int flush_leaves(struct sending *sending)
{
    if (sending->from == sending->next) {
        return 0;
    }
    int r = exchange(sending->talk, &sending->writer);
    if (r != 0) {
        return r;
    }
    if (sending->talk->said.kind == CK_SIGNING_REFUSED) {
        return refused(sending->talk);
    }
    return sending->talk->said.kind == CK_SIGNING_STATE && sending->talk->said.size == sending->next
               ? 0
               : silent(sending->talk, "it lost count of the leaves");
}

static int send_leaf(void *user, const struct ck_log_row *row, bool has_plain)
{
    struct sending *sending = user;
    (void)has_plain;
    if ((uint64_t)row->index != sending->next || sending->next == sending->until) {
        return sending->next == sending->until ? CK_E_LIMIT : -EUCLEAN;
    }
    if (!ck_signing_add(&sending->writer, row->leaf, row->leaf_size)) {
        int r = flush_leaves(sending);
        r = r == 0 ? begin_leaves(sending) : r;
        if (r != 0 || !ck_signing_add(&sending->writer, row->leaf, row->leaf_size)) {
            return r != 0 ? r : -EUCLEAN;
        }
    }
    sending->next++;
    return 0;
}

static int send_leaves(struct ck_store *store, struct talk *talk, uint64_t from, uint64_t until)
{
    struct sending sending = {.talk = talk, .next = from, .until = until};
    int r = begin_leaves(&sending);
    r = r == 0 ? ck_log_walk(store, (int64_t)from, send_leaf, &sending) : r;
    if (r == CK_E_LIMIT) { /* behind the head that is to be signed */
        r = 0;
    }
    r = r == 0 ? flush_leaves(&sending) : r;
    return r == 0 && sending.next != until ? -EUCLEAN : r;
}

/* ---- one checkpoint ---- */

/* The signature and what it is of; nothing the signer says is believed. */
static int verify(struct talk *talk, const struct ck_note_key *key, const struct ck_log_head *head)
{
    struct ck_checkpoint checkpoint;
    struct ck_signer_answer *answer = talk->answer;
    if (talk->said.kind != CK_SIGNING_SIGNED || talk->said.text_size > CK_NOTE_BYTES_MAX) {
        return silent(talk, "its answer is none");
    }
    memcpy(answer->note, talk->said.text, talk->said.text_size);
    answer->note[talk->said.text_size] = '\0';
    if (ck_checkpoint_parse(answer->note, talk->said.text_size, &checkpoint) != 0 ||
        ck_note_check(answer->note, talk->said.text_size, key, NULL) != 0 ||
        strcmp(checkpoint.origin, key->name) != 0 || checkpoint.size != head->frontier.size ||
        memcmp(checkpoint.root.bytes, head->root.bytes, sizeof head->root.bytes) != 0) {
        return silent(talk, "it signed something else");
    }
    answer->state = CK_SIGNER_SIGNED;
    answer->size = checkpoint.size;
    return 0;
}

static int learn_key(struct talk *talk, struct ck_note_key *key)
{
    char name[CK_NOTE_NAME_MAX + 1];
    const struct ck_signing_message *said = &talk->said;
    if (said->kind != CK_SIGNING_STATE || said->text_size > CK_NOTE_NAME_MAX) {
        return silent(talk, "its answer is none");
    }
    memcpy(name, said->text, said->text_size);
    name[said->text_size] = '\0';
    if (ck_note_key_make(name, CK_NOTE_LOG, said->key, key) != 0) {
        return silent(talk, "its name is none");
    }
    ck_note_key_text(key, talk->answer->key);
    return 0;
}

static int converse(struct ck_store *store, struct talk *talk, const char *socket,
                    const struct ck_log_head *head)
{
    struct ck_note_key key;
    int r = reach(talk, socket);
    r = r == 0 ? ask(talk, &(struct ck_signing_message){.kind = CK_SIGNING_HELLO,
                                                        .version = CK_SIGNING_VERSION})
               : r;
    r = r == 0 ? learn_key(talk, &key) : r;
    if (r == 0 && talk->said.signed_size < head->frontier.size) {
        r = send_leaves(store, talk, talk->said.signed_size, head->frontier.size);
    }
    r = r == 0 ? ask(talk, &(struct ck_signing_message){.kind = CK_SIGNING_SIGN,
                                                        .size = head->frontier.size,
                                                        .root = head->root})
               : r;
    if (r == 0 && talk->said.kind == CK_SIGNING_REFUSED) {
        r = refused(talk);
    }
    return r == 0 ? verify(talk, &key, head) : r;
}

static int is_due(struct ck_store *store, const struct ck_log_head *head, struct ck_wall now,
                  bool *due)
{
    int64_t size = 0;
    struct ck_wall at;
    int r = ck_log_checkpoint_newest(store, &size, &at);
    *due = false;
    if (r != 0 || (uint64_t)size == head->frontier.size) {
        return r;
    }
    /* A log that is shorter than what was signed is for the signer to refuse. */
    if ((uint64_t)size > head->frontier.size || now.ms - at.ms >= CK_CHECKPOINT_REST_MS ||
        now.ms < at.ms) {
        *due = true;
        return 0;
    }
    return ck_log_urgent(store, size, due);
}

int ck_audit_checkpoint(struct ck_store *store, const char *socket, struct ck_wall now,
                        struct ck_signer_answer *answer)
{
    struct ck_log_head head;
    bool due = false;
    *answer = (struct ck_signer_answer){.state = CK_SIGNER_RESTS};
    int r = ck_log_load_head(store, &head);
    if (r == CK_E_NOT_FOUND) {
        return 0; /* the log has not begun */
    }
    r = r == 0 ? is_due(store, &head, now, &due) : r;
    if (r != 0 || !due) {
        return r;
    }
    struct talk *talk = malloc(sizeof *talk);
    if (talk == NULL) {
        return -ENOMEM;
    }
    talk->fd = -1;
    talk->answer = answer;
    r = converse(store, talk, socket, &head);
    ck_closep(&talk->fd);
    free(talk);
    return r == CK_E_BUSY ? 0 : r;
}

static int prove_under(struct ck_store *store, int64_t index, const char *note, int64_t covers,
                       const struct ck_slice *extra, char *text, size_t *size)
{
    const struct ck_merkle_source source = ck_audit_tree_source(store);
    struct ck_merkle_proof path;
    if (index < 0 || index >= covers) {
        return CK_E_NOT_FOUND;
    }
    int r = ck_merkle_prove_inclusion(&source, (uint64_t)index, (uint64_t)covers, &path);
    return r == 0 ? ck_entry_proof_write((uint64_t)index, &path, note, strlen(note), extra, text,
                                         CK_PROOF_TEXT_MAX, size)
                  : r;
}

static int prove(struct ck_store *store, int64_t index, const struct ck_slice *extra, char *text,
                 size_t *size)
{
    ck_cleanup(ck_freep) char *note = NULL;
    int64_t covers = 0;
    if (index < 0) {
        return CK_E_NOT_FOUND;
    }
    int r = ck_log_checkpoint_covering(store, index + 1, &covers, &note);
    return r == 0 ? prove_under(store, index, note, covers, extra, text, size) : r;
}

int ck_audit_entry_proof_under(struct ck_store *store, int64_t index, const char *note,
                               int64_t covers, char *text, size_t *size)
{
    return prove_under(store, index, note, covers, NULL, text, size);
}

int ck_audit_consistency(struct ck_store *store, int64_t old, const char *note, int64_t covers,
                         char *text)
{
    const struct ck_merkle_source source = ck_audit_tree_source(store);
    struct ck_merkle_proof proof;
    int r = ck_merkle_prove_consistency(&source, (uint64_t)old, (uint64_t)covers, &proof);
    return r == 0 ? ck_add_checkpoint_write((uint64_t)old, &proof, note, text, CK_PROOF_TEXT_MAX)
                  : r;
}

int ck_audit_entry_proof(struct ck_store *store, int64_t index, char *text, size_t *size)
{
    return prove(store, index, NULL, text, size);
}

int ck_audit_outcome_proof(struct ck_store *store, int64_t person, int64_t checkin, char *text,
                           size_t *size)
{
    struct ck_audit audit = {.dirty = false};
    struct ck_pseudonym object;
    uint8_t leaf[CK_LOG_LEAF_MAX];
    struct ck_slice entry = {leaf, 0};
    int64_t index = -1;
    int r = ck_log_load_head(store, &audit.head);
    r = r == 0 ? ck_audit_pseudonym(&audit, store, "checkin", checkin, person, &object) : r;
    r = r == 0 ? ck_log_newest(store, &object, "CHECKIN_OUTCOME", "", leaf, &entry.size, &index)
               : r;
    if (r != 0) {
        return r;
    }
    r = prove(store, index, &entry, text, size);
    return r == CK_E_NOT_FOUND ? CK_E_CONFLICT : r;
}
