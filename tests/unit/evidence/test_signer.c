/* checkin-signer as it runs: what it signs, what it refuses, and that it survives being killed. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/signer/answer.h"
#include "daemon/signer/cage.h"
#include "protocol/base/error.h"
#include "tests/unit/evidence/rig.h"

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    rig_begin(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_end(&rig);
    return 0;
}

static void other_random(void *bytes, size_t size)
{
    memset(bytes, 7, size);
}

static void a_log_that_grew_is_signed(void **state)
{
    (void)state;
    struct ck_checkpoint checkpoint;
    struct ck_note_key key;
    rig_signer_start(&rig);
    rig_many(&rig, 5);
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    assert_int_equal(ck_checkpoint_parse(answer->note, strlen(answer->note), &checkpoint), 0);
    assert_string_equal(checkpoint.origin, "checkin.example.org/log");
    assert_int_equal(checkpoint.size, 5);
    assert_memory_equal(checkpoint.root.bytes, rig.audit.head.root.bytes, CK_SHA256_SIZE);
    assert_int_equal(ck_note_key_parse(answer->key, &key), 0);
    assert_int_equal(ck_note_check(answer->note, strlen(answer->note), &key, NULL), 0);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_RESTS);
}

static void many_leaves_go_in_many_messages(void **state)
{
    (void)state;
    rig_signer_start(&rig);
    char text[3001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 60; i++) {
        rig_append(&rig, "READ", "setting", 1, json_pack("{s:s}", "what", text), NULL);
    }
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    assert_int_equal(answer->size, 60);
}

static void a_killed_signer_goes_on_where_it_was(void **state)
{
    (void)state;
    rig_signer_start(&rig);
    rig_many(&rig, 3);
    char key[CK_NOTE_KEY_TEXT_SIZE];
    snprintf(key, sizeof key, "%s", rig_checkpoint(&rig)->key);
    rig_signer_stop(&rig);
    rig_many(&rig, 3);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SILENT);
    rig_signer_start(&rig);
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    assert_int_equal(answer->size, 6);
    assert_string_equal(answer->key, key);
}

static int interrupted[2]; /* a pipe: a byte for each interruption */

static void interrupt(int number)
{
    (void)number;
    if (write(interrupted[1], "", 1) != 1) {
        abort();
    }
}

/* Whether the process `pid` waits for something. */
static bool waits(pid_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(text, sizeof text, file) == NULL) {
        abort();
    }
    fclose(file);
    const char *end = strrchr(text, ')');
    return end != NULL && end[2] == 'S';
}

/* Of another process: interrupts `waiting` in its wait for the signer, and only then lets the
 * signer answer. */
static void interrupt_and_go_on(pid_t waiting, pid_t signer)
{
    char byte;
    while (!waits(waiting)) {
        poll(NULL, 0, 1);
    }
    kill(waiting, SIGUSR1);
    ssize_t told = read(interrupted[0], &byte, 1);
    kill(signer, SIGCONT);
    _exit(told == 1 ? 0 : 1);
}

/* As it is where all of a machine is stopped for a moment. */
static void an_interrupted_wait_for_the_signer_is_not_its_silence(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = interrupt}, before;
    int status;
    rig_signer_start(&rig);
    rig_many(&rig, 3);
    assert_int_equal(pipe(interrupted), 0);
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_int_equal(kill(rig.signer, SIGSTOP), 0);
    pid_t tester = getpid();
    pid_t other = fork();
    assert_true(other >= 0);
    if (other == 0) {
        interrupt_and_go_on(tester, rig.signer);
    }
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    sigaction(SIGUSR1, &before, NULL);
    close(interrupted[0]);
    close(interrupted[1]);
}

/* The key of before signs beside the new one while it is there, and is needed for its head. */
static void another_key_goes_on_where_the_old_one_was(void **state)
{
    (void)state;
    struct ck_note_key old, key;
    struct ck_signer_head head;
    char text[CK_NOTE_KEY_TEXT_SIZE], path[160];
    rig_signer_start(&rig);
    rig_many(&rig, 3);
    snprintf(text, sizeof text, "%s", rig_checkpoint(&rig)->key);
    rig_change_key(&rig);
    rig_many(&rig, 3);
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    assert_int_equal(ck_note_key_parse(text, &old), 0);
    assert_int_equal(ck_note_key_parse(answer->key, &key), 0);
    assert_memory_not_equal(old.key, key.key, sizeof key.key);
    assert_int_equal(ck_note_check(answer->note, strlen(answer->note), &old, NULL), 0);
    assert_int_equal(ck_note_check(answer->note, strlen(answer->note), &key, NULL), 0);
    rig_drop_old_key(&rig);
    rig_many(&rig, 3);
    answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    assert_int_equal(ck_note_check(answer->note, strlen(answer->note), &old, NULL), CK_E_NOT_FOUND);
    /* A head by a key that is gone altogether is another log's. */
    rig_signer_stop(&rig);
    snprintf(path, sizeof path, "%s/log.key", rig.state);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(
        ck_signer_head_open(&head, rig.state, NULL, "checkin.example.org/log", other_random),
        CK_E_CONFLICT);
}

/* log.key.old made with cp where it had to be mv: one key, which signs once. */
static void a_key_that_is_copied_signs_once(void **state)
{
    (void)state;
    char now[160], old[160];
    snprintf(now, sizeof now, "%s/log.key", rig.state);
    snprintf(old, sizeof old, "%s/log.key.old", rig.state);
    rig_signer_start(&rig);
    rig_many(&rig, 3);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    rig_signer_stop(&rig);
    rig_copy(now, old);
    rig_signer_start(&rig);
    for (int i = 0; i < 2; i++) {
        rig_many(&rig, 3);
        assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    }
}

/* Whoever writes the log cannot hand it on to a key of their own. */
static void a_key_of_somebody_else_is_not_appointed(void **state)
{
    (void)state;
    struct ck_note_key foreign;
    char text[CK_NOTE_KEY_TEXT_SIZE];
    rig_signer_start(&rig);
    rig_many(&rig, 3);
    rig_name_key(&rig, rig_checkpoint(&rig)->key);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    /* The key of another log signs nothing of this one: a log that goes on under another name. */
    const uint8_t public_key[CK_ED25519_SIZE] = {9};
    assert_int_equal(ck_note_key_make("another/log", CK_NOTE_LOG, public_key, &foreign), 0);
    ck_note_key_text(&foreign, text);
    rig_name_key(&rig, text);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    assert_int_equal(ck_note_key_make("checkin.example.org/log", CK_NOTE_LOG, public_key, &foreign),
                     0);
    ck_note_key_text(&foreign, text);
    rig_name_key(&rig, text);
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_FOREIGN_KEY);
    assert_int_equal(answer->size, 5);
    rig_many(&rig, 3);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_FOREIGN_KEY);
}

/* Its code tells what only people can mend, which is not tried again, from what may pass. */
static void the_exit_code_says_who_can_mend_it(void **state)
{
    (void)state;
    char folder[160], *printed = NULL;
    rig_signer_start(&rig);
    rig_many(&rig, 3);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    rig_signer_stop(&rig);
    snprintf(folder, sizeof folder, "--state=%s", rig.state);
    assert_int_equal(rig_run(CK_BUILD_DIR "/bin/checkin-signer",
                             (const char *const[]){folder, "--name=another/log", NULL}, &printed),
                     78);
    free(printed);
    assert_int_equal(rig_run(CK_BUILD_DIR "/bin/checkin-signer",
                             (const char *const[]){folder, "--name=no name", NULL}, &printed),
                     64);
    free(printed);
    snprintf(folder, sizeof folder, "--state=%s/gone", rig.folder);
    assert_int_equal(rig_run(CK_BUILD_DIR "/bin/checkin-signer",
                             (const char *const[]){folder, "--name=another/log", NULL}, &printed),
                     71);
    free(printed);
}

/* A test that is killed leaves no signer behind. */
static void a_signer_ends_with_its_test(void **state)
{
    (void)state;
    struct {
        pid_t signer;
        char folder[64];
    } said;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t test = fork();
    if (test == 0) {
        struct rig other;
        rig_begin(&other);
        rig_signer_start(&other);
        said.signer = other.signer;
        memcpy(said.folder, other.folder, sizeof said.folder);
        _exit(write(pipes[1], &said, sizeof said) == sizeof said ? pause() : 1);
    }
    assert_int_equal(read(pipes[0], &said, sizeof said), sizeof said);
    int signer = (int)syscall(SYS_pidfd_open, said.signer, 0);
    assert_true(signer >= 0);
    kill(test, SIGKILL);
    assert_int_equal(waitpid(test, NULL, 0), test);
    struct pollfd ended = {.fd = signer, .events = POLLIN};
    assert_int_equal(poll(&ended, 1, 10000), 1);
    close(signer);
    char *printed = NULL;
    assert_int_equal(rig_run("rm", (const char *const[]){"-rf", said.folder, NULL}, &printed), 0);
    free(printed);
}

/* A copy of the store from before, put back while the signer has gone on. */
static void an_old_copy_of_the_store_is_not_signed(void **state)
{
    (void)state;
    char backup[128];
    rig_signer_start(&rig);
    rig_many(&rig, 300);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    ck_store_close(rig.store);
    rig_path(&rig, "backup", backup, sizeof backup);
    rig_copy(rig.store_path, backup);
    assert_int_equal(ck_store_open(&rig.store, rig.store_path), 0);
    rig_many(&rig, 10);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);

    ck_store_close(rig.store);
    char wal[160];
    snprintf(wal, sizeof wal, "%s-wal", rig.store_path);
    unlink(wal);
    snprintf(wal, sizeof wal, "%s-shm", rig.store_path);
    unlink(wal);
    unlink(rig.store_path);
    rig_copy(backup, rig.store_path);
    assert_int_equal(ck_store_open(&rig.store, rig.store_path), 0);
    assert_int_equal(ck_log_load_head(rig.store, &rig.audit.head), 0);
    rig_many(&rig, 4);
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_ROLLBACK);
    assert_int_equal(answer->size, 310);
    /* Grown beyond what was signed, it is another past. */
    rig_many(&rig, 20);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_FORK);
}

/* ---- by messages, without a socket ---- */

static struct ck_signer_head head;

static void no_random(void *bytes, size_t size)
{
    memset(bytes, 3, size);
}

static struct ck_signing_message ask(struct ck_conversation *talk,
                                     const struct ck_signing_message *message, const char *leaf)
{
    static uint8_t out[CK_SIGNING_MESSAGE_MAX], in[CK_SIGNING_MESSAGE_MAX];
    struct ck_writer question = ck_writer_of(out, sizeof out);
    struct ck_writer answer = ck_writer_of(in, sizeof in);
    struct ck_signing_message read;
    assert_int_equal(ck_signing_write(&question, message), 0);
    if (leaf != NULL) {
        assert_true(ck_signing_add(&question, leaf, strlen(leaf)));
    }
    assert_int_equal(ck_conversation_answer(talk, question.data, question.size, &answer), 0);
    assert_int_equal(ck_signing_read(answer.data, answer.size, &read), 0);
    return read;
}

static void it_hashes_itself_what_it_signs(void **state)
{
    (void)state;
    struct ck_conversation talk;
    struct ck_hash leaf, other;
    assert_int_equal(
        ck_signer_head_open(&head, rig.state, NULL, "checkin.example.org/log", no_random), 0);
    ck_conversation_begin(&talk, &head);
    assert_int_equal(ck_merkle_leaf("one", 3, &leaf), 0);
    assert_int_equal(ck_merkle_leaf("two", 3, &other), 0);
    struct ck_signing_message said =
        ask(&talk, &(struct ck_signing_message){.kind = CK_SIGNING_LEAVES, .from = 0}, "one");
    assert_int_equal(said.kind, CK_SIGNING_STATE);
    assert_int_equal(said.size, 1);
    assert_int_equal(said.signed_size, 0);
    /* A root that the leaves do not give. */
    said =
        ask(&talk, &(struct ck_signing_message){.kind = CK_SIGNING_SIGN, .size = 1, .root = other},
            NULL);
    assert_int_equal(said.kind, CK_SIGNING_REFUSED);
    assert_int_equal(said.refusal, CK_SIGNING_FORK);
    /* And what was sent is forgotten with it. */
    said =
        ask(&talk, &(struct ck_signing_message){.kind = CK_SIGNING_SIGN, .size = 1, .root = leaf},
            NULL);
    assert_int_equal(said.refusal, CK_SIGNING_BEHIND);
    ask(&talk, &(struct ck_signing_message){.kind = CK_SIGNING_LEAVES, .from = 0}, "one");
    said =
        ask(&talk, &(struct ck_signing_message){.kind = CK_SIGNING_SIGN, .size = 1, .root = leaf},
            NULL);
    assert_int_equal(said.kind, CK_SIGNING_SIGNED);
    said = ask(&talk, &(struct ck_signing_message){.kind = CK_SIGNING_SIGN, .size = 0}, NULL);
    assert_int_equal(said.refusal, CK_SIGNING_ROLLBACK);
    said = ask(&talk, &(struct ck_signing_message){.kind = CK_SIGNING_LEAVES, .from = 5}, "two");
    assert_int_equal(said.refusal, CK_SIGNING_BEHIND);
    ck_signer_head_close(&head);
}

static void messages_of_another_form_end_the_connection(void **state)
{
    (void)state;
    struct ck_conversation talk;
    uint8_t in[256];
    static const uint8_t bad[][4] = {{0}, {1, 9}, {2}, {3, 0}, {64}, {65}, {255, 1, 2, 3}};
    assert_int_equal(ck_signer_head_open(&head, rig.state, NULL, "a", no_random), 0);
    ck_conversation_begin(&talk, &head);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ck_writer answer = ck_writer_of(in, sizeof in);
        assert_int_equal(ck_conversation_answer(&talk, bad[i], i == 1 ? 2 : 1, &answer),
                         CK_E_SYNTAX);
    }
    ck_signer_head_close(&head);
}

static void a_head_of_another_log_is_refused(void **state)
{
    (void)state;
    char note[CK_NOTE_BYTES_MAX + 1], path[192];
    size_t size = 0;
    struct ck_frontier grown = {.size = 0};
    struct ck_hash leaf = {{1}};
    assert_int_equal(ck_signer_head_open(&head, rig.state, NULL, "one", no_random), 0);
    assert_int_equal(ck_frontier_add(&grown, &leaf), 0);
    assert_int_equal(ck_signer_head_sign(&head, &grown, note, &size), 0);
    ck_signer_head_close(&head);
    assert_int_equal(ck_signer_head_open(&head, rig.state, NULL, "two", no_random), CK_E_CONFLICT);
    assert_int_equal(ck_signer_head_open(&head, rig.state, NULL, "not good", no_random),
                     CK_E_INVALID);
    assert_int_equal(ck_signer_head_open(&head, rig.state, NULL, "one", no_random), 0);
    assert_int_equal(head.last.size, 1);
    ck_signer_head_close(&head);
    snprintf(path, sizeof path, "%s/head", rig.state);
    assert_int_equal(truncate(path, 60), 0);
    assert_int_equal(ck_signer_head_open(&head, rig.state, NULL, "one", no_random), CK_E_SYNTAX);
}

static void nothing_is_signed_that_cannot_be_kept(void **state)
{
    (void)state;
    struct ck_conversation talk;
    char path[192];
    struct ck_hash leaf;
    assert_int_equal(ck_signer_head_open(&head, rig.state, NULL, "one", no_random), 0);
    ck_conversation_begin(&talk, &head);
    snprintf(path, sizeof path, "%s/head.new", rig.state);
    assert_int_equal(mkdir(path, 0700), 0); /* in the way of the fresh file */
    assert_int_equal(ck_merkle_leaf("one", 3, &leaf), 0);
    ask(&talk, &(struct ck_signing_message){.kind = CK_SIGNING_LEAVES, .from = 0}, "one");
    struct ck_signing_message said =
        ask(&talk, &(struct ck_signing_message){.kind = CK_SIGNING_SIGN, .size = 1, .root = leaf},
            NULL);
    assert_int_equal(said.kind, CK_SIGNING_REFUSED);
    assert_int_equal(said.refusal, CK_SIGNING_FAILED);
    assert_int_equal(said.signed_size, 0);
    ck_signer_head_close(&head);
}

/* ---- the cage ---- */

/* What a child in the cage ended with when it tried something. */
static int try_in_cage(int (*attempt)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (ck_signer_head_open(&head, rig.state, NULL, "one", no_random) != 0 ||
            ck_signer_cage(head.folder) != 0) {
            _exit(99);
        }
        _exit(attempt());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int make_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 0 : 1;
}

static int start_program(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return 1;
}

static int open_elsewhere(void)
{
    return fopen("/etc/hostname", "r") == NULL && errno == EACCES ? 0 : 1;
}

static int sign_inside(void)
{
    char note[CK_NOTE_BYTES_MAX + 1];
    size_t size = 0;
    struct ck_frontier grown = {.size = 0};
    struct ck_hash leaf = {{1}};
    return ck_frontier_add(&grown, &leaf) == 0 &&
                   ck_signer_head_sign(&head, &grown, note, &size) == 0
               ? 0
               : 1;
}

static void the_cage_lets_it_sign_and_nothing_else(void **state)
{
    (void)state;
#ifdef CK_SANITIZED
    skip();
#endif
    assert_int_equal(try_in_cage(make_socket), -SIGSYS);
    assert_int_equal(try_in_cage(start_program), -SIGSYS);
    assert_int_equal(try_in_cage(open_elsewhere), 0);
    assert_int_equal(try_in_cage(sign_inside), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_that_grew_is_signed, setup, teardown),
        cmocka_unit_test_setup_teardown(many_leaves_go_in_many_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(a_killed_signer_goes_on_where_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(an_interrupted_wait_for_the_signer_is_not_its_silence,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(another_key_goes_on_where_the_old_one_was, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_of_somebody_else_is_not_appointed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_is_copied_signs_once, setup, teardown),
        cmocka_unit_test_setup_teardown(the_exit_code_says_who_can_mend_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_signer_ends_with_its_test, setup, teardown),
        cmocka_unit_test_setup_teardown(an_old_copy_of_the_store_is_not_signed, setup, teardown),
        cmocka_unit_test_setup_teardown(it_hashes_itself_what_it_signs, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_of_another_form_end_the_connection, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_head_of_another_log_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_signed_that_cannot_be_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(the_cage_lets_it_sign_and_nothing_else, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
