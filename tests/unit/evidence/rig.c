#include "tests/unit/evidence/rig.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/store/checkpoint.h"
#include "daemon/store/staff.h"
#include "protocol/base/text.h"

#define START_MS INT64_C(1795233600000)

static uint64_t seed = 1;

static void fill_random(void *user, void *bytes, size_t size)
{
    (void)user;
    for (size_t i = 0; i < size; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)bytes)[i] = (uint8_t)(seed >> 56);
    }
}

static const struct ck_audit_random generator = {.fill = fill_random};

void rig_path(const struct rig *rig, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", rig->folder, name);
}

int rig_run(const char *program, const char *const *arguments, char **printed)
{
    const char *words[32] = {program};
    int pipes[2], status = -1;
    size_t count = 1, size = 0;
    FILE *text = open_memstream(printed, &size);
    while (arguments[count - 1] != NULL) {
        words[count] = arguments[count - 1];
        count++;
    }
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], 1);
        dup2(pipes[1], 2);
        execvp(program, (char *const *)(uintptr_t)words);
        _exit(127);
    }
    close(pipes[1]);
    char bytes[4096];
    for (ssize_t got; (got = read(pipes[0], bytes, sizeof bytes)) > 0;) {
        fwrite(bytes, 1, (size_t)got, text);
    }
    close(pipes[0]);
    fclose(text);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void run_plain(const char *program, const char *const *arguments)
{
    char *printed = NULL;
    int code = rig_run(program, arguments, &printed);
    if (code != 0) {
        fail_msg("%s: %s", program, printed);
    }
    free(printed);
}

void rig_copy(const char *from, const char *to)
{
    run_plain("cp", (const char *const[]){"-a", from, to, NULL});
}

static void hire(struct rig *rig)
{
    struct ck_staff_row row = {.login = "officer",
                               .name = "Officer",
                               .language = "en",
                               .roles = 2,
                               .password = "-",
                               .pseudonym = "an officer's id"};
    assert_int_equal(
        ck_unit_insert(rig->store, "Unit", "UTC", (struct ck_wall){rig->now_ms}, &row.unit), 0);
    assert_int_equal(ck_staff_insert(rig->store, &row, (struct ck_wall){rig->now_ms}), 0);
    rig->staff = row.id;
}

void rig_begin(struct rig *rig)
{
    *rig = (struct rig){.now_ms = START_MS};
    snprintf(rig->folder, sizeof rig->folder, "/tmp/ck-evidence-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    rig_path(rig, "store", rig->store_path, sizeof rig->store_path);
    rig_path(rig, "signer", rig->state, sizeof rig->state);
    rig_path(rig, "signer.sock", rig->socket, sizeof rig->socket);
    assert_int_equal(mkdir(rig->state, 0700), 0);
    assert_int_equal(ck_store_open(&rig->store, rig->store_path), 0);
    assert_int_equal(ck_store_begin(rig->store), 0);
    assert_int_equal(ck_audit_load(&rig->audit, rig->store, &generator), 0);
    hire(rig);
    assert_int_equal(ck_store_commit(rig->store), 0);
}

void rig_end(struct rig *rig)
{
    rig_signer_stop(rig);
    ck_store_close(rig->store);
    run_plain("rm", (const char *const[]){"-rf", rig->folder, NULL});
}

void rig_signer_start(struct rig *rig)
{
    char state[160], listening[160], line[256] = "";
    int pipes[2];
    snprintf(state, sizeof state, "--state=%s", rig->state);
    snprintf(listening, sizeof listening, "--socket=%s", rig->socket);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t test = getpid();
    rig->signer = fork();
    if (rig->signer == 0) {
        /* A test that is killed leaves no signer behind. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != test) {
            _exit(126);
        }
        dup2(pipes[1], 2);
        execl(CK_BUILD_DIR "/bin/checkin-signer", "checkin-signer", state,
              "--name=checkin.example.org/log", listening, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    FILE *said = fdopen(pipes[0], "r");
    assert_non_null(fgets(line, sizeof line, said));
    fclose(said);
    if (strstr(line, "signing checkin.example.org/log") == NULL) {
        fail_msg("the signer said: %s", line);
    }
}

void rig_signer_stop(struct rig *rig)
{
    int status;
    if (rig->signer > 0) {
        kill(rig->signer, SIGKILL);
        assert_int_equal(waitpid(rig->signer, &status, 0), rig->signer);
        rig->signer = 0;
    }
}

static int64_t append(struct rig *rig, int64_t staff, const char *action, const char *object,
                      int64_t id, json_t *open, json_t *sealed)
{
    int64_t index = -1;
    rig->now_ms += 1000;
    const struct ck_audit_entry entry = {
        .at = {rig->now_ms},
        .clock_synchronised = true,
        .actor_kind = staff == 0 ? "system" : "staff",
        .actor_staff = staff,
        .actor_roles = staff == 0 ? 0 : 2,
        .action = action,
        .object = object,
        .object_id = id,
        .result = "ok",
        .open = open,
        .sealed = sealed,
    };
    assert_int_equal(ck_store_begin(rig->store), 0);
    assert_int_equal(ck_audit_append(&rig->audit, rig->store, &entry, &generator, &index), 0);
    assert_int_equal(ck_audit_flush(&rig->audit, rig->store), 0);
    assert_int_equal(ck_store_commit(rig->store), 0);
    json_decref(open);
    json_decref(sealed);
    return index;
}

int64_t rig_append(struct rig *rig, const char *action, const char *object, int64_t id,
                   json_t *open, json_t *sealed)
{
    return append(rig, 0, action, object, id, open, sealed);
}

int64_t rig_append_by_staff(struct rig *rig, const char *action, const char *object, int64_t id,
                            json_t *open, json_t *sealed)
{
    return append(rig, rig->staff, action, object, id, open, sealed);
}

json_t *rig_name(struct rig *rig, const char *kind, int64_t id)
{
    struct ck_pseudonym pseudonym;
    char text[CK_HEX_SIZE(CK_PSEUDONYM_SIZE)];
    assert_int_equal(ck_audit_pseudonym(&rig->audit, rig->store, kind, id, 0, &pseudonym), 0);
    ck_hex_encode(pseudonym.bytes, sizeof pseudonym.bytes, text);
    return json_string(text);
}

void rig_missed(struct rig *rig, int64_t id)
{
    char end[CK_WALL_TEXT_SIZE];
    ck_wall_text((struct ck_wall){rig->now_ms + 60000}, end);
    rig_append(rig, "CHECKIN_PLANNED", "checkin", id, json_pack("{s:s}", "window_end", end),
               json_pack("{s:s}", "due", end));
    rig_append(rig, "CHECKIN_RING", "checkin", id, json_pack("{s:i}", "attempt", 1), NULL);
    rig_append(rig, "NOTICE_QUEUED", "notice", 2 * id,
               json_pack("{s:o, s:n}", "checkin", rig_name(rig, "checkin", id), "incident"), NULL);
    rig_append(rig, "NOTICE_STATE", "notice", 2 * id, json_pack("{s:s}", "state", "delivered"),
               NULL);
    rig_append(rig, "CHECKIN_OUTCOME", "checkin", id,
               json_pack("{s:b, s:s}", "mandatory", 1, "outcome", "no_answer"), NULL);
    rig_append(rig, "INCIDENT_OPENED", "incident", id,
               json_pack("{s:o}", "checkin", rig_name(rig, "checkin", id)), NULL);
    rig_append(rig, "INCIDENT_STEP_FIRED", "incident", id, json_pack("{s:i}", "step", 1), NULL);
    rig_append(rig, "NOTICE_QUEUED", "notice", 2 * id + 1,
               json_pack("{s:n, s:o}", "checkin", "incident", rig_name(rig, "incident", id)), NULL);
    rig_append(rig, "NOTICE_STATE", "notice", 2 * id + 1, json_pack("{s:s}", "state", "accepted"),
               NULL);
    rig_append_by_staff(rig, "INCIDENT_CLOSED", "incident", id,
                        json_pack("{s:s}", "conclusion", "breach"),
                        json_pack("{s:s}", "text", "nobody was there"));
}

void rig_many(struct rig *rig, int count)
{
    for (int i = 0; i < count; i++) {
        rig_append(rig, "READ", "setting", i % 7 + 1, json_pack("{s:i}", "what", i), NULL);
    }
}

struct ck_signer_answer *rig_checkpoint(struct rig *rig)
{
    static struct ck_signer_answer answer;
    struct ck_store *reader = NULL;
    rig->now_ms += CK_CHECKPOINT_REST_MS;
    assert_int_equal(ck_store_open_reader(&reader, rig->store_path), 0);
    assert_int_equal(
        ck_audit_checkpoint(reader, rig->socket, (struct ck_wall){rig->now_ms}, &answer), 0);
    ck_store_close(reader);
    if (answer.state == CK_SIGNER_SIGNED) {
        assert_int_equal(ck_store_begin(rig->store), 0);
        assert_int_equal(ck_log_checkpoint_insert(
                             rig->store, &(struct ck_log_checkpoint){.size = (int64_t)answer.size,
                                                                     .at = {rig->now_ms},
                                                                     .note = answer.note}),
                         0);
        assert_int_equal(ck_store_set_setting(rig->store, "signer.key", answer.key), 0);
        assert_int_equal(ck_store_commit(rig->store), 0);
    }
    return &answer;
}

void rig_name_key(struct rig *rig, const char *key)
{
    rig_append(rig, "SIGNER_KEY", "log", 0, json_pack("{s:s}", "key", key), NULL);
}

void rig_change_key(struct rig *rig)
{
    char key[160], old[160];
    snprintf(key, sizeof key, "%s/log.key", rig->state);
    snprintf(old, sizeof old, "%s/log.key.old", rig->state);
    rig_signer_stop(rig);
    assert_int_equal(rename(key, old), 0);
    rig_signer_start(rig);
}

void rig_drop_old_key(struct rig *rig)
{
    char old[160];
    snprintf(old, sizeof old, "%s/log.key.old", rig->state);
    rig_signer_stop(rig);
    assert_int_equal(unlink(old), 0);
    rig_signer_start(rig);
}
