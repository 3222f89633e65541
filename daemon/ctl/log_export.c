/* checkinctl log export, proof, cosign: the audit log for others. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/audit/checkpoint.h"
#include "daemon/audit/export.h"
#include "daemon/ctl/checkinctl_impl.h"
#include "daemon/ctl/control_client.h"
#include "daemon/store/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/note.h"

static int cannot(const char *what, int error)
{
    fprintf(stderr, "checkinctl: %s: %s\n", what,
            error == CK_E_NOT_FOUND ? "no checkpoint covers it yet (is checkin-signer running?)"
                                    : ck_error_text(error));
    return error == CK_E_NOT_FOUND ? EXIT_FAILURE : EX_CANTCREAT;
}

static bool given(const char *text)
{
    return text != NULL && *text != '\0';
}

/* What is taken out is in the log first. Without a daemon that takes note nothing is. */
static int note_first(const struct ck_ctl *ctl, const char *command, json_t *arguments)
{
    json_t *answer = NULL, *result;
    int code = ck_ctl_ask(ctl, command, arguments, CK_CONTROL_WAIT_S, &answer, &result);
    json_decref(answer);
    if (code != 0) {
        fputs("checkinctl: it could not be written into the log, and was not done\n", stderr);
    }
    return code;
}

static int run_export(const struct ck_ctl *ctl, int count, char **words)
{
    struct ck_audit_copy copy;
    if (count != 1) {
        return EX_USAGE;
    }
    if (!given(ctl->recipient) || !given(ctl->reason)) {
        fputs("checkinctl: a copy of the log needs --recipient and --reason\n", stderr);
        return EX_USAGE;
    }
    ck_cleanup(ck_store_closep) struct ck_store *store = NULL;
    int code = ck_ctl_open_store(ctl, &store);
    if (code != 0) {
        return code;
    }
    struct ck_log_head head;
    int r = ck_log_load_head(store, &head);
    if (r != 0) {
        return cannot(ctl->store, r);
    }
    code = note_first(ctl, "log.exported",
                      json_pack("{s:s, s:s, s:I}", "recipient", ctl->recipient, "reason",
                                ctl->reason, "size", (json_int_t)head.frontier.size));
    if (code != 0) {
        return code;
    }
    r = ck_audit_export(store, words[0], &copy);
    if (r != 0) {
        return cannot(words[0], r);
    }
    json_t *told = json_pack("{s:s, s:I, s:I, s:I}", "folder", words[0], "entries",
                             (json_int_t)copy.entries, "left_out", (json_int_t)copy.left_out,
                             "checkpoints", (json_int_t)copy.checkpoints);
    ck_ctl_print(told, ctl->json);
    json_decref(told);
    return EXIT_SUCCESS;
}

static int write_file(const char *path, const void *bytes, size_t size)
{
    ck_cleanup(ck_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
        return fd >= 0 && errno == 0 ? -EIO : -errno;
    }
    return 0;
}

/* The one entry that is wanted. */
struct wanted {
    int64_t index;
    uint8_t leaf[CK_LOG_LEAF_MAX];
    size_t size;
};

static int take_leaf(void *user, const struct ck_log_row *row, bool has_plain)
{
    struct wanted *wanted = user;
    (void)has_plain;
    if (row->index == wanted->index && row->leaf_size <= sizeof wanted->leaf) {
        memcpy(wanted->leaf, row->leaf, row->leaf_size);
        wanted->size = row->leaf_size;
    }
    return CK_E_LIMIT; /* the first is the only one */
}

static int run_proof(const struct ck_ctl *ctl, int count, char **words)
{
    char *end;
    errno = 0;
    struct wanted wanted = {.index = count == 2 ? strtoll(words[0], &end, 10) : -1};
    if (count != 2 || errno != 0 || *end != '\0' || wanted.index < 0) {
        return EX_USAGE;
    }
    ck_cleanup(ck_store_closep) struct ck_store *store = NULL;
    ck_cleanup(ck_freep) char *text = malloc(CK_PROOF_TEXT_MAX), *path = NULL;
    size_t size = 0;
    int code = ck_ctl_open_store(ctl, &store);
    code = code == 0 ? note_first(ctl, "log.proved",
                                  json_pack("{s:I}", "entry", (json_int_t)wanted.index))
                     : code;
    if (code != 0) {
        return code;
    }
    if (text == NULL || asprintf(&path, "%s.tlog-proof", words[1]) < 0) {
        return EX_OSERR;
    }
    int r = ck_log_walk(store, wanted.index, take_leaf, &wanted);
    r = r == CK_E_LIMIT && wanted.size > 0 ? 0 : r == 0 ? CK_E_NOT_FOUND : r;
    r = r == 0 ? ck_audit_entry_proof(store, wanted.index, text, &size) : r;
    r = r == 0 ? write_file(words[1], wanted.leaf, wanted.size) : r;
    r = r == 0 ? write_file(path, text, size) : r;
    return r == 0 ? EXIT_SUCCESS : cannot(words[1], r);
}

static int run_cosign(const struct ck_ctl *ctl, int count, char **words)
{
    char note[CK_NOTE_BYTES_MAX + 1];
    if (count != 1) {
        return EX_USAGE;
    }
    ck_cleanup(ck_closep) int fd = open(words[0], O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, note, sizeof note);
    if (size < 0 || (size_t)size == sizeof note) {
        fprintf(stderr, "checkinctl: %s: %s\n", words[0],
                size < 0 ? strerror(errno) : "is longer than a checkpoint can be");
        return EX_NOINPUT;
    }
    note[size] = '\0';
    return ck_ctl_show(ctl, "log.cosign", json_pack("{s:s}", "note", note));
}

int ck_ctl_log(const struct ck_ctl *ctl, int count, char **words)
{
    static const struct {
        const char *name;
        int (*run)(const struct ck_ctl *ctl, int count, char **words);
    } commands[] = {{"verify", ck_ctl_log_verify},
                    {"export", run_export},
                    {"proof", run_proof},
                    {"cosign", run_cosign}};
    for (size_t i = 0; count > 0 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(words[0], commands[i].name) == 0) {
            return commands[i].run(ctl, count - 1, words + 1);
        }
    }
    return EX_USAGE;
}
