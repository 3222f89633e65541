/* checkin-verify and a program of another hand on copies of the log, before and after somebody was
 * at them: each attack is found and named. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/audit/export.h"
#include "protocol/base/bytes.h"
#include "protocol/base/text.h"
#include "protocol/note.h"
#include "tests/unit/evidence/rig.h"

#define PROGRAM CK_BUILD_DIR "/bin/checkin-verify"
#define ENTRIES 600 /* in the copy: two whole tiles and a part of one */

static struct rig rig;
static char copy[128], key[CK_NOTE_KEY_TEXT_SIZE + 8];

static int setup(void **state)
{
    (void)state;
    struct ck_audit_copy made;
    rig_begin(&rig);
    rig_signer_start(&rig);
    rig_missed(&rig, 1);
    rig_missed(&rig, 2);
    rig_many(&rig, 300 - 20);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    rig_many(&rig, ENTRIES - 300);
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->size, ENTRIES);
    snprintf(key, sizeof key, "--key=%s", answer->key);
    rig_many(&rig, 1); /* behind the checkpoint */
    rig_path(&rig, "copy", copy, sizeof copy);
    assert_int_equal(ck_audit_export(rig.store, copy, &made), 0);
    assert_int_equal(made.entries, ENTRIES);
    assert_int_equal(made.left_out, 1);
    assert_int_equal(made.checkpoints, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_end(&rig);
    return 0;
}

/* ---- running ---- */

/* Verifies the copy; fails the test unless it ends with `code` and prints `wanted`. */
static void expect(int code, const char *wanted, const char *known)
{
    char *printed = NULL;
    const char *const arguments[] = {key, "log", copy, known, NULL};
    int ended = rig_run(PROGRAM, arguments, &printed);
    if (ended != code || strstr(printed, wanted) == NULL) {
        fail_msg("ended with %d, wanted %d and \"%s\":\n%s", ended, code, wanted, printed);
    }
    free(printed);
}

static void independent(int code)
{
    char *printed = NULL;
    int ended = rig_run(
        "python3",
        (const char *const[]){CK_SOURCE_DIR "/tests/unit/evidence/independent.py", copy, NULL},
        &printed);
    if (ended != code) {
        fail_msg("%s", printed);
    }
    free(printed);
}

/* ---- being at it ---- */

static size_t read_all(const char *name, uint8_t *bytes, size_t capacity)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", copy, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, capacity, file);
    fclose(file);
    return size;
}

static void write_all(const char *name, const void *bytes, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", copy, name);
    unlink(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* One bundle taken apart, and put together again with the tile of hashes that fits it: the attacker
 * knows the formats. */
struct bundle {
    char name[96], tile[96];
    uint8_t bytes[CK_TILE_WIDTH * 4200];
    struct ck_slice entries[CK_TILE_WIDTH + 1];
    unsigned count;
};

static struct bundle bundle;

static void take_apart(uint64_t number, unsigned width)
{
    ck_tile_path(CK_TILE_ENTRIES, number, width, bundle.name);
    ck_tile_path(0, number, width, bundle.tile);
    size_t size = read_all(bundle.name, bundle.bytes, sizeof bundle.bytes);
    struct ck_reader reader = ck_reader_of(bundle.bytes, size);
    for (bundle.count = 0; ck_reader_left(&reader) > 0; bundle.count++) {
        size_t length = ck_read_u16(&reader);
        bundle.entries[bundle.count] = (struct ck_slice){ck_read_bytes(&reader, length), length};
        assert_non_null(bundle.entries[bundle.count].data);
    }
    assert_int_equal(bundle.count, width);
}

static void put_together(bool hashes_too)
{
    static uint8_t bytes[(CK_TILE_WIDTH + 1) * 4200];
    static struct ck_hash hashes[CK_TILE_WIDTH + 1];
    struct ck_writer writer = ck_writer_of(bytes, sizeof bytes);
    for (unsigned i = 0; i < bundle.count; i++) {
        ck_write_u16(&writer, (uint16_t)bundle.entries[i].size);
        ck_write_bytes(&writer, bundle.entries[i].data, bundle.entries[i].size);
        assert_int_equal(ck_merkle_leaf(bundle.entries[i].data, bundle.entries[i].size, &hashes[i]),
                         0);
    }
    write_all(bundle.name, writer.data, writer.size);
    if (hashes_too) {
        write_all(bundle.tile, hashes, bundle.count * sizeof hashes[0]);
    }
}

/* ---- the tests ---- */

static void an_honest_copy_is_good(void **state)
{
    (void)state;
    expect(0, "GOOD", NULL);
    expect(0, "600 entries are, in this order, those that 2 checkpoints were signed for", NULL);
    expect(0, "nothing is missing about 2 check-ins, 2 incidents, 4 notices and 0 recordings",
           NULL);
    expect(0, "not proven: no known witness signed", NULL);
    independent(0);
}

static void a_key_found_beside_the_log_is_not_taken_for_proof(void **state)
{
    (void)state;
    char *printed = NULL;
    assert_int_equal(rig_run(PROGRAM, (const char *const[]){"log", copy, NULL}, &printed), 0);
    assert_non_null(strstr(printed, "not proven: whose key it is"));
    free(printed);
}

static void a_changed_entry_is_found(void **state)
{
    (void)state;
    take_apart(0, CK_TILE_WIDTH);
    uint8_t *at = (uint8_t *)(uintptr_t)bundle.entries[4].data;
    at = memmem(at, bundle.entries[4].size, "no_answer", 9);
    assert_non_null(at);
    memcpy(at, "completed", 9);
    put_together(false);
    expect(1, "changed: the entry at place 4 does not have the hash kept of it", NULL);
    put_together(true);
    expect(1, "root: the first 300 entries do not give the root that was signed", NULL);
    independent(1);
}

static void a_dropped_entry_is_found(void **state)
{
    (void)state;
    take_apart(1, CK_TILE_WIDTH);
    memmove(&bundle.entries[10], &bundle.entries[11], 245 * sizeof bundle.entries[0]);
    bundle.count--;
    put_together(true);
    expect(1, "removed: at place 266 entries 266 to 266 are missing", NULL);
    independent(1);
}

static void an_inserted_entry_is_found(void **state)
{
    (void)state;
    take_apart(1, CK_TILE_WIDTH);
    memmove(&bundle.entries[11], &bundle.entries[10], 246 * sizeof bundle.entries[0]);
    bundle.count++;
    put_together(true);
    expect(1, "inserted: the entry at place 267 claims the number 266, which is taken", NULL);
    independent(1);
}

static void a_changed_order_is_found(void **state)
{
    (void)state;
    take_apart(1, CK_TILE_WIDTH);
    struct ck_slice other = bundle.entries[3];
    bundle.entries[3] = bundle.entries[4];
    bundle.entries[4] = other;
    put_together(true);
    expect(1, "moved: the entry at place 260 is number 259", NULL);
    independent(1);
}

static void a_log_cut_short_is_found(void **state)
{
    (void)state;
    char path[256];
    ck_tile_path(CK_TILE_ENTRIES, 2, 88, bundle.name);
    snprintf(path, sizeof path, "%s/%s", copy, bundle.name);
    assert_int_equal(truncate(path, 100), 0);
    expect(1, "truncated: the bundle of entry 512 is cut off", NULL);
    assert_int_equal(unlink(path), 0);
    expect(1, "truncated: entries 512 to 599 are not there", NULL);
    independent(1);
}

/* The end is cut off together with the checkpoint that covers it: an older copy. */
static void an_older_copy_is_found_by_a_checkpoint_kept_elsewhere(void **state)
{
    (void)state;
    char kept[160], known[180];
    uint8_t newest[CK_NOTE_BYTES_MAX], all[2 * CK_NOTE_BYTES_MAX];
    size_t size = read_all("checkpoint", newest, sizeof newest);
    snprintf(kept, sizeof kept, "../kept");
    write_all(kept, newest, size);
    size_t all_size = read_all("checkpoints", all, sizeof all);
    size_t first = (size_t)((uint8_t *)memmem(all, all_size, "\n\nchec", 6) - all) + 1;
    write_all("checkpoint", all, first);
    write_all("checkpoints", all, first);
    take_apart(1, CK_TILE_WIDTH); /* 300 entries: the second tile is a part of one now */
    ck_tile_path(CK_TILE_ENTRIES, 1, 44, bundle.name);
    ck_tile_path(0, 1, 44, bundle.tile);
    char folder[256];
    snprintf(folder, sizeof folder, "%s/tile/entries/001.p", copy);
    assert_int_equal(mkdir(folder, 0755), 0);
    snprintf(folder, sizeof folder, "%s/tile/0/001.p", copy);
    assert_int_equal(mkdir(folder, 0755), 0);
    bundle.count = 44;
    put_together(true);
    expect(0, "300 entries are, in this order", NULL);
    snprintf(known, sizeof known, "--known=%s/kept", rig.folder);
    expect(1, "rollback: a log of 600 entries was signed, and 300 are here", known);
}

/* A second log, signed with the same key by a signer whose state was reset. */
static void a_forked_log_is_found_by_a_checkpoint_kept_elsewhere(void **state)
{
    (void)state;
    char known[180], path[192], kept[256];
    struct ck_audit_copy made;
    rig_signer_stop(&rig);
    snprintf(kept, sizeof kept, "%s/honest", rig.folder);
    rig_copy(rig.state, kept);
    snprintf(path, sizeof path, "%s/head", rig.state);
    assert_int_equal(unlink(path), 0);
    snprintf(known, sizeof known, "--known=%s/honest/checkpoint", rig.folder);

    ck_store_close(rig.store);
    rig_path(&rig, "other", rig.store_path, sizeof rig.store_path);
    assert_int_equal(ck_store_open(&rig.store, rig.store_path), 0);
    assert_int_equal(ck_store_begin(rig.store), 0);
    memset(&rig.audit, 0, sizeof rig.audit);
    assert_int_equal(ck_merkle_empty(&rig.audit.head.root), 0);
    assert_int_equal(ck_log_save_head(rig.store, &rig.audit.head), 0);
    assert_int_equal(ck_store_commit(rig.store), 0);
    rig_signer_start(&rig);
    rig_many(&rig, ENTRIES);
    assert_int_equal(rig_checkpoint(&rig)->size, ENTRIES);
    snprintf(copy, sizeof copy, "%s/forked", rig.folder);
    assert_int_equal(ck_audit_export(rig.store, copy, &made), 0);
    expect(0, "GOOD", NULL); /* alone it is as good as the other */
    expect(1, "fork: the first 600 entries are not those of the checkpoint that was kept elsewhere",
           known);
}

static void a_checkpoint_by_another_key_is_found(void **state)
{
    (void)state;
    uint8_t seed[CK_ED25519_SIZE] = {9}, public_key[CK_ED25519_SIZE];
    char note[CK_NOTE_BYTES_MAX + 1];
    uint8_t old[CK_NOTE_BYTES_MAX];
    struct ck_note_key forger, real;
    struct ck_checkpoint checkpoint;
    size_t size = read_all("checkpoint", old, sizeof old);
    assert_int_equal(ck_checkpoint_parse((const char *)old, size, &checkpoint), 0);
    assert_int_equal(ck_ed25519_public(seed, public_key), 0);
    assert_int_equal(ck_note_key_make(checkpoint.origin, CK_NOTE_LOG, public_key, &forger), 0);
    assert_int_equal(ck_checkpoint_sign(&checkpoint, &forger, seed, note, sizeof note, &size), 0);
    write_all("checkpoint", note, size);
    expect(1,
           "forged: the newest checkpoint (600 entries of checkin.example.org/log) was signed "
           "by none of the keys given",
           NULL);
    /* With the name and the id of the real one. */
    assert_int_equal(ck_note_key_parse(key + strlen("--key="), &real), 0);
    memcpy(forger.id, real.id, sizeof forger.id);
    assert_int_equal(ck_checkpoint_sign(&checkpoint, &forger, seed, note, sizeof note, &size), 0);
    write_all("checkpoint", note, size);
    expect(1, "forged: the newest checkpoint bears a false signature", NULL);
}

static void a_witness_is_counted(void **state)
{
    (void)state;
    uint8_t seed[CK_ED25519_SIZE] = {7}, public_key[CK_ED25519_SIZE];
    struct ck_note_key witness;
    char note[CK_NOTE_BYTES_MAX + 1], line[256], text[CK_NOTE_KEY_TEXT_SIZE], option[256];
    size_t size = read_all("checkpoint", (uint8_t *)note, sizeof note);
    assert_int_equal(ck_ed25519_public(seed, public_key), 0);
    assert_int_equal(ck_note_key_make("witness.example.org", CK_NOTE_WITNESS, public_key, &witness),
                     0);
    assert_int_equal(ck_note_cosign(note, size, &witness, seed, 1795233600, line, sizeof line), 0);
    assert_int_equal(ck_note_add(note, &size, line, strlen(line), &witness), 0);
    write_all("checkpoint", note, size);
    ck_note_key_text(&witness, text);
    snprintf(option, sizeof option, "--key=%s", text);
    expect(0, "proven: 1 known witnesses signed as well", option);
}

/* ---- many checkpoints ---- */

#define MANY 4000 /* more than are read ahead */

/* `count` checkpoints of the first `size` entries: the signer signed so often. */
static void sign_often(FILE *out, uint64_t size, unsigned count)
{
    uint8_t seed[CK_ED25519_SIZE];
    char hex[2 * CK_ED25519_SIZE + 1] = "", note[CK_NOTE_BYTES_MAX + 1], path[192];
    struct ck_note_key real;
    struct ck_checkpoint checkpoint = {.size = size};
    struct ck_frontier frontier = {.size = 0};
    size_t length = 0;
    snprintf(path, sizeof path, "%s/log.key", rig.state);
    FILE *file = fopen(path, "r");
    assert_int_equal(fread(hex, 1, sizeof hex - 1, file), sizeof hex - 1);
    fclose(file);
    assert_int_equal(ck_hex_decode(hex, seed, sizeof seed), 0);
    assert_int_equal(ck_note_key_parse(key + strlen("--key="), &real), 0);
    memcpy(checkpoint.origin, real.name, sizeof checkpoint.origin);
    for (uint64_t i = 0; i < size; i++) {
        struct ck_hash hash;
        if (i % CK_TILE_WIDTH == 0) {
            take_apart(i / CK_TILE_WIDTH, CK_TILE_WIDTH);
        }
        const struct ck_slice *entry = &bundle.entries[i % CK_TILE_WIDTH];
        assert_int_equal(ck_merkle_leaf(entry->data, entry->size, &hash), 0);
        assert_int_equal(ck_frontier_add(&frontier, &hash), 0);
    }
    assert_int_equal(ck_frontier_root(&frontier, &checkpoint.root), 0);
    assert_int_equal(ck_checkpoint_sign(&checkpoint, &real, seed, note, sizeof note, &length), 0);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(fwrite(note, 1, length, out), length);
        fputc('\n', out);
    }
}

static FILE *other_checkpoints(char option[static 200])
{
    char path[192];
    snprintf(path, sizeof path, "%s/many", rig.folder);
    snprintf(option, 200, "--known=%s", path);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    return out;
}

/* However many there are, each is compared; those that stand near each other in any order. */
static void more_checkpoints_than_are_held_are_all_compared(void **state)
{
    (void)state;
    char option[200];
    FILE *out = other_checkpoints(option);
    sign_often(out, 200, MANY);
    sign_often(out, 100, 1);
    sign_often(out, 400, 10);
    sign_often(out, 300, 10);
    fclose(out);
    expect(1, "moved: checkpoint 4001 of many (100 entries) stands behind many larger ones",
           option);
    out = other_checkpoints(option);
    sign_often(out, 100, MANY);
    sign_often(out, 400, 10);
    sign_often(out, 300, 10);
    fclose(out);
    expect(0, "those that 4 checkpoints were signed for", option);
    /* The last of all is of another log. */
    out = other_checkpoints(option);
    sign_often(out, 100, MANY);
    bundle.count = 0;
    take_apart(0, CK_TILE_WIDTH);
    uint8_t *at = (uint8_t *)(uintptr_t)bundle.entries[4].data;
    memcpy(memmem(at, bundle.entries[4].size, "no_answer", 9), "completed", 9);
    put_together(false);
    sign_often(out, 200, 1);
    fclose(out);
    memcpy(memmem(at, bundle.entries[4].size, "completed", 9), "no_answer", 9);
    put_together(false);
    expect(1, "fork: the first 200 entries are not those of the checkpoint that was kept elsewhere",
           option);
    out = other_checkpoints(option);
    sign_often(out, 100, 1);
    for (unsigned i = 0; i < 3 * CK_NOTE_BYTES_MAX; i++) {
        fputc('x', out);
    }
    fclose(out);
    expect(1, "unsigned: checkpoint 2 of many is no checkpoint", option);
}

/* ---- keys ---- */

static char first_key[CK_NOTE_KEY_TEXT_SIZE + 8];

static void export_anew(const char *name)
{
    struct ck_audit_copy made;
    rig_path(&rig, name, copy, sizeof copy);
    assert_int_equal(ck_audit_export(rig.store, copy, &made), 0);
}

/* A log that says which key signs it, and then with another one, which the first vouches for. */
static void change_the_key_once(void)
{
    rig_name_key(&rig, key + strlen("--key="));
    snprintf(first_key, sizeof first_key, "%s", key);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    rig_change_key(&rig);
    rig_many(&rig, 5);
    struct ck_signer_answer *answer = rig_checkpoint(&rig); /* by both */
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    snprintf(key, sizeof key, "--key=%s", answer->key);
    assert_string_not_equal(key, first_key);
}

static void change_the_key(void)
{
    change_the_key_once();
    rig_name_key(&rig, key + strlen("--key="));
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED); /* by both as well */
    rig_drop_old_key(&rig);
    rig_many(&rig, 5);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED); /* by the new one alone */
}

static void a_log_of_two_keys_is_good_for_whoever_knows_one_of_them(void **state)
{
    (void)state;
    change_the_key();
    export_anew("two-keys");
    expect(0, "2 keys signed it, and each is one that was given or that the log names", NULL);
    char *printed = NULL, newer[sizeof key];
    snprintf(newer, sizeof newer, "%s", key);
    snprintf(key, sizeof key, "%s", first_key);
    expect(0, "2 keys signed it", NULL);
    assert_int_equal(rig_run(PROGRAM, (const char *const[]){"log", copy, NULL}, &printed), 0);
    assert_non_null(strstr(printed, "2 keys signed it"));
    free(printed);
    independent(0);
    /* Without what claims them, what the other one signed is nobody's. */
    char claims[160];
    snprintf(claims, sizeof claims, "%s/log.vkeys", copy);
    assert_int_equal(unlink(claims), 0);
    expect(1, "was signed by none of the keys given", NULL);
}

/* Somebody who can write the store, but has not the key: a key of their own, an entry that names
 * it, and the log signed with it. */
static void a_key_that_nobody_vouches_for_is_named(void **state)
{
    (void)state;
    char wanted[400], path[192];
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    rig_signer_stop(&rig);
    static const char *const kept[] = {"head", "log.key"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", rig.state, kept[i]);
        assert_int_equal(unlink(path), 0);
    }
    rig_signer_start(&rig);
    rig_many(&rig, 5);
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    rig_name_key(&rig, answer->key);
    snprintf(wanted, sizeof wanted,
             "forged: 3 checkpoints are by the key %s, and no key that is trusted ever signed",
             answer->key);
    assert_int_equal(rig_checkpoint(&rig)->state, CK_SIGNER_SIGNED);
    export_anew("usurped");
    expect(1, wanted, NULL);
}

/* A key that was stolen after its time: whoever was given today's alone is not led back to it. The
 * log that it goes on with is the true one up to today's first signature. */
static void a_stolen_key_of_before_is_not_trusted_again(void **state)
{
    (void)state;
    char wanted[400], path[192], stolen[192];
    change_the_key_once();
    rig_signer_stop(&rig);
    snprintf(path, sizeof path, "%s/head", rig.state);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/log.key", rig.state);
    snprintf(stolen, sizeof stolen, "%s/log.key.old", rig.state);
    assert_int_equal(rename(stolen, path), 0);
    rig_signer_start(&rig);
    rig_many(&rig, 5);
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    assert_string_equal(answer->key, first_key + strlen("--key="));
    snprintf(wanted, sizeof wanted, "checkpoints are by the key %s, and no key that is trusted",
             answer->key);
    export_anew("stolen");
    expect(1, wanted, NULL);
}

/* ---- what was never written ---- */

/* A log of its own, honestly signed, two days later. */
static void tell(int code, const char *wanted, void (*story)(void))
{
    struct ck_audit_copy made;
    rig_end(&rig);
    rig_begin(&rig);
    rig_signer_start(&rig);
    story();
    rig.now_ms += INT64_C(48) * 3600 * 1000;
    rig_many(&rig, 1);
    struct ck_signer_answer *answer = rig_checkpoint(&rig);
    assert_int_equal(answer->state, CK_SIGNER_SIGNED);
    snprintf(key, sizeof key, "--key=%s", answer->key);
    rig_path(&rig, "with-omission", copy, sizeof copy);
    assert_int_equal(ck_audit_export(rig.store, copy, &made), 0);
    expect(code, wanted, NULL);
}

static void no_outcome(void)
{
    rig_append(&rig, "CHECKIN_ON_DEMAND", "checkin", 77, NULL, NULL);
    rig_append(&rig, "CHECKIN_RING", "checkin", 77, NULL, NULL);
}

static void no_incident(void)
{
    rig_append(&rig, "CHECKIN_ON_DEMAND", "checkin", 77, NULL, NULL);
    rig_append(&rig, "CHECKIN_OUTCOME", "checkin", 77,
               json_pack("{s:b, s:s}", "mandatory", 1, "outcome", "system_fault"), NULL);
}

static void two_outcomes(void)
{
    rig_missed(&rig, 77);
    rig_append(&rig, "CHECKIN_OUTCOME", "checkin", 77,
               json_pack("{s:b, s:s}", "mandatory", 1, "outcome", "completed"), NULL);
}

static void no_notice_of_a_step(void)
{
    rig_append(&rig, "INCIDENT_OPENED", "incident", 77, json_pack("{s:n}", "checkin"), NULL);
    rig_append(&rig, "INCIDENT_STEP_FIRED", "incident", 77, NULL, NULL);
}

/* Opened, and then nothing: no step, nobody who took it over. */
static void no_step_at_all(void)
{
    rig_append(&rig, "INCIDENT_OPENED", "incident", 77, json_pack("{s:n}", "checkin"), NULL);
}

/* A ladder that fell silent for days in the middle, and was closed when somebody asked. */
static void a_ladder_that_rested(void)
{
    rig_append(&rig, "INCIDENT_OPENED", "incident", 77, json_pack("{s:n}", "checkin"), NULL);
    rig_append(&rig, "INCIDENT_STEP_SKIPPED", "incident", 77, NULL, NULL);
    rig.now_ms += INT64_C(72) * 3600 * 1000;
    rig_append_by_staff(&rig, "INCIDENT_CLOSED", "incident", 77, NULL, NULL);
}

/* The same while the system was down, which is a fault that is stated. */
static void a_system_that_was_down(void)
{
    rig_append(&rig, "INCIDENT_OPENED", "incident", 77, json_pack("{s:n}", "checkin"), NULL);
    rig_append(&rig, "INCIDENT_STEP_SKIPPED", "incident", 77, NULL, NULL);
    rig.now_ms += INT64_C(72) * 3600 * 1000;
    rig_append(&rig, "SYSTEM_STARTED", "system", 0, NULL, NULL);
    rig_append_by_staff(&rig, "INCIDENT_CLOSED", "incident", 77, NULL, NULL);
}

static void a_silence_without_incident(void)
{
    rig_append(&rig, "PERSON_SILENCE", "setting", 78, NULL, NULL);
}

static void a_draw_key_never_told(void)
{
    rig_append(&rig, "DRAW_KEY_COMMITTED", "draw_key", 79,
               json_pack("{s:i, s:s}", "epoch", 2, "sha256",
                         "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"),
               NULL);
}

static void another_draw_key_told(void)
{
    a_draw_key_never_told();
    rig_append(&rig, "DRAW_KEY_REVEALED", "draw_key", 79,
               json_pack("{s:i, s:s}", "epoch", 2, "key",
                         "0100000000000000000000000000000000000000000000000000000000000000"),
               NULL);
}

/* What was committed begins as the SHA-256 of the key that is told, and ends otherwise. */
static void a_draw_key_alike_in_its_beginning(void)
{
    rig_append(&rig, "DRAW_KEY_COMMITTED", "draw_key", 79,
               json_pack("{s:i, s:s}", "epoch", 2, "sha256",
                         "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2926"),
               NULL);
    rig_append(&rig, "DRAW_KEY_REVEALED", "draw_key", 79,
               json_pack("{s:i, s:s}", "epoch", 2, "key",
                         "0000000000000000000000000000000000000000000000000000000000000000"),
               NULL);
}

/* An attacker's log: what is a number of milliseconds of one kind of object is a place in a table
 * of another. */
static void a_policy_that_is_a_draw_key(void)
{
    rig_append(&rig, "POLICY_KEPT", "policy", 79,
               json_pack("{s:s, s:s}", "kind", "checkin", "text",
                         "{\"arm_lead_ms\":1,\"make_up_hold_ms\":80000000}"),
               NULL);
    rig_append(&rig, "DRAW_KEY_REVEALED", "policy", 79,
               json_pack("{s:i, s:s}", "epoch", 2, "key",
                         "0000000000000000000000000000000000000000000000000000000000000000"),
               NULL);
}

/* Committed to by a digest, and then by what is none: the key of the first is not that of the
 * second. */
static void a_draw_key_committed_to_by_nothing(void)
{
    a_draw_key_never_told();
    rig_append(&rig, "DRAW_KEY_COMMITTED", "draw_key", 79,
               json_pack("{s:i, s:s}", "epoch", 2, "sha256", "none"), NULL);
    rig_append(&rig, "DRAW_KEY_REVEALED", "draw_key", 79,
               json_pack("{s:i, s:s}", "epoch", 2, "key",
                         "0000000000000000000000000000000000000000000000000000000000000000"),
               NULL);
}

/* The key whose SHA-256 was committed: 32 zeros. */
static void the_draw_key_told(void)
{
    a_draw_key_never_told();
    rig_append(&rig, "DRAW_KEY_REVEALED", "draw_key", 79,
               json_pack("{s:i, s:s}", "epoch", 2, "key",
                         "0000000000000000000000000000000000000000000000000000000000000000"),
               NULL);
}

static void no_end_of_a_notice(void)
{
    rig_append(&rig, "NOTICE_QUEUED", "notice", 77, NULL, NULL);
    rig_append(&rig, "NOTICE_STATE", "notice", 77, json_pack("{s:s}", "state", "sending"), NULL);
}

static void no_end_of_a_recording(void)
{
    rig_append(&rig, "RECORDING_BEGUN", "recording", 77, NULL, NULL);
}

static void a_file_that_stays(void)
{
    no_end_of_a_recording();
    rig_append(&rig, "RECORDING_CLOSED", "recording", 77, NULL, NULL);
    rig_append(&rig, "EXPIRY_ERASED", "recording", 77, json_pack("{s:s}", "class", "recording"),
               NULL);
}

static void no_beginning(void)
{
    rig_append(&rig, "CHECKIN_OUTCOME", "checkin", 77,
               json_pack("{s:b, s:s}", "mandatory", 0, "outcome", "completed"), NULL);
}

/* Every way in which a check-in comes to be is a beginning. */
static void ends_of_all_kinds(void)
{
    static const char *const begins[] = {"CHECKIN_PLANNED", "CHECKIN_ON_DEMAND", "CHECKIN_MAKE_UP",
                                         "CHECKIN_SECOND", "CHECKIN_INBOUND"};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        rig_append(&rig, begins[i], "checkin", 80 + (int64_t)i, NULL, NULL);
        rig_append(&rig, "CHECKIN_OUTCOME", "checkin", 80 + (int64_t)i,
                   json_pack("{s:b, s:s}", "mandatory", 1, "outcome", "completed"), NULL);
    }
    /* In a storm a step tells of several incidents in one message. */
    no_notice_of_a_step();
    rig_append(&rig, "INCIDENT_IN_DIGEST", "incident", 77, NULL, NULL);
    rig_append_by_staff(&rig, "INCIDENT_CLOSED", "incident", 77, NULL, NULL);
}

#define LADDER                                                                                     \
    "{\"ack_hold_ms\":1800000,\"step_count\":1,\"steps\":[{\"ack_timeout_ms\":300000,"             \
    "\"channels\":[1],"                                                                            \
    "\"target_count\":1}]}"

/* Kept, and quoted by an incident about a check-in that quotes another. */
static void an_incident_by_policy(const char *ladder_kind, int64_t quoted)
{
    rig_append(&rig, "POLICY_KEPT", "policy", 1,
               json_pack("{s:s, s:s}", "kind", "checkin", "text",
                         "{\"arm_lead_ms\":1,\"make_up_hold_ms\":600000}"),
               NULL);
    rig_append(&rig, "POLICY_KEPT", "policy", 2,
               json_pack("{s:s, s:s}", "kind", ladder_kind, "text", LADDER), NULL);
    rig_append(&rig, "CHECKIN_ON_DEMAND", "checkin", 76,
               json_pack("{s:o}", "policy", rig_name(&rig, "policy", 1)), NULL);
    rig_append(&rig, "CHECKIN_OUTCOME", "checkin", 76,
               json_pack("{s:b, s:s}", "mandatory", 1, "outcome", "system_fault"), NULL);
    rig_append(&rig, "INCIDENT_OPENED", "incident", 77,
               json_pack("{s:o, s:o}", "checkin", rig_name(&rig, "checkin", 76), "policy",
                         rig_name(&rig, "policy", quoted)),
               NULL);
}

/* The first step comes in its time, which a make-up may make longer. */
static void a_first_step_after(int64_t seconds)
{
    an_incident_by_policy("ladder", 2);
    rig.now_ms += seconds * 1000;
    rig_append(&rig, "INCIDENT_STEP_SKIPPED", "incident", 77, NULL, NULL);
    rig_append_by_staff(&rig, "INCIDENT_CLOSED", "incident", 77, NULL, NULL);
}

static void a_first_step_in_time(void)
{
    a_first_step_after(890);
}

static void a_first_step_too_late(void)
{
    a_first_step_after(910);
}

/* A note in between is no step. */
static void no_first_step(void)
{
    an_incident_by_policy("ladder", 2);
    rig_append_by_staff(&rig, "INCIDENT_NOTE", "incident", 77, NULL, NULL);
}

static void a_first_step_after_a_failure(void)
{
    an_incident_by_policy("ladder", 2);
    rig.now_ms += 3600000;
    rig_append(&rig, "SYSTEM_STARTED", "system", 0, NULL, NULL);
    rig_append(&rig, "INCIDENT_STEP_SKIPPED", "incident", 77, NULL, NULL);
    rig_append_by_staff(&rig, "INCIDENT_CLOSED", "incident", 77, NULL, NULL);
}

static void a_ladder_that_nobody_kept(void)
{
    an_incident_by_policy("ladder", 3);
}

static void a_ladder_that_is_another_policy(void)
{
    an_incident_by_policy("checkin", 2);
}

static void a_policy_that_nobody_kept(void)
{
    rig_append(&rig, "CHECKIN_ON_DEMAND", "checkin", 76,
               json_pack("{s:o}", "policy", rig_name(&rig, "policy", 1)), NULL);
    rig_append(&rig, "CHECKIN_OUTCOME", "checkin", 76,
               json_pack("{s:b, s:s}", "mandatory", 0, "outcome", "completed"), NULL);
}

static void closed_by_nobody(void)
{
    rig_append(&rig, "INCIDENT_OPENED", "incident", 77, json_pack("{s:n}", "checkin"), NULL);
    rig_append(&rig, "INCIDENT_CLOSED", "incident", 77, NULL, NULL);
}

static void acknowledged_by_nobody(void)
{
    rig_append(&rig, "INCIDENT_OPENED", "incident", 77, json_pack("{s:n}", "checkin"), NULL);
    rig_append(&rig, "INCIDENT_ACKNOWLEDGED", "incident", 77, NULL, NULL);
    rig_append_by_staff(&rig, "INCIDENT_CLOSED", "incident", 77, NULL, NULL);
}

static void a_safety_check(const char *conclusion, bool words)
{
    rig_append(&rig, "INCIDENT_OPENED", "incident", 77, json_pack("{s:s}", "kind", "safety"), NULL);
    /* By a key on a telephone: whose it is, is sealed. */
    rig_append(&rig, "INCIDENT_ACKNOWLEDGED", "incident", 77, NULL, json_pack("{s:i}", "staff", 1));
    rig_append_by_staff(&rig, "INCIDENT_CLOSED", "incident", 77,
                        json_pack("{s:s}", "conclusion", conclusion),
                        words ? json_pack("{s:s}", "text", "she was at home") : NULL);
}

static void a_safety_check_without_result(void)
{
    a_safety_check("no_action", true);
}

static void a_safety_check_without_words(void)
{
    a_safety_check("safe", false);
}

static void a_safety_check_with_result(void)
{
    a_safety_check("safe", true);
}

static void a_clock_set_back(void)
{
    rig_many(&rig, 1);
    rig.now_ms -= 3600000;
    rig_many(&rig, 1);
}

/* The log itself leaves an entry out of the chain of its object, as a bundle then would. */
static void a_chain_that_skips_one(void)
{
    char program[512], *printed = NULL;
    int64_t first = rig_append(&rig, "READ", "setting", 177, NULL, NULL);
    int64_t second = rig_append(&rig, "READ", "setting", 177, NULL, NULL);
    snprintf(program, sizeof program,
             "import sqlite3; c = sqlite3.connect('%s'); assert c.execute('UPDATE log_object SET "
             "newest = %lld WHERE newest = %lld').rowcount == 1; c.commit()",
             rig.store_path, (long long)first, (long long)second);
    if (rig_run("python3", (const char *const[]){"-c", program, NULL}, &printed) != 0) {
        fail_msg("%s", printed);
    }
    free(printed);
    rig_append(&rig, "READ", "setting", 177, NULL, NULL);
}

static void what_was_left_out_is_named(void **state)
{
    (void)state;
    const struct {
        const char *wanted;
        void (*story)(void);
    } cases[] = {
        {"has no outcome", no_outcome},
        {"and no incident was opened", no_incident},
        {"has 2 outcomes", two_outcomes},
        {"fired and told nobody", no_notice_of_a_step},
        {"omitted: notice ", no_end_of_a_notice},
        {"omitted: recording ", no_end_of_a_recording},
        {"and no entry says that its file is gone", a_file_that_stays},
        {"says how check-in", no_beginning},
        {"is older than the one before it", a_clock_set_back},
        {"omitted: for more than a day nothing was done about incident ", no_step_at_all},
        {"omitted: for more than a day nothing was done about incident ", a_ladder_that_rested},
        {"and no incident was opened", a_silence_without_incident},
        {"omitted: draw key ", a_draw_key_never_told},
        {"plain: the draw key of entry ", another_draw_key_told},
        {"plain: the draw key of entry ", a_draw_key_alike_in_its_beginning},
        {"which is another kind of object", a_policy_that_is_a_draw_key},
        {"plain: the draw key of entry ", a_draw_key_committed_to_by_nothing},
        {"chain: entry ", a_chain_that_skips_one},
        {"had no step of its ladder for 911 s, and by its policy the first comes within 900 s",
         a_first_step_too_late},
        {"had no step of its ladder for ", no_first_step},
        {"quotes the ladder ", a_ladder_that_nobody_kept},
        {"quotes the ladder ", a_ladder_that_is_another_policy},
        {"quotes the policy ", a_policy_that_nobody_kept},
        {"(INCIDENT_CLOSED) names nobody who did it", closed_by_nobody},
        {"(INCIDENT_ACKNOWLEDGED) names nobody who did it", acknowledged_by_nobody},
        {"without what came of it", a_safety_check_without_result},
        {"without what came of it", a_safety_check_without_words},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tell(1, cases[i].wanted, cases[i].story);
    }
}

static void nothing_is_missed_where_nothing_is_missing(void **state)
{
    (void)state;
    tell(0, "", ends_of_all_kinds);
    tell(0, "", a_system_that_was_down);
    tell(0, "", the_draw_key_told);
    tell(0, "", a_first_step_in_time);
    tell(0, "", a_first_step_after_a_failure);
    tell(0, "", a_safety_check_with_result);
}

/* A log of more objects than there is room for is not called good, and what is wrong behind that
 * point is found all the same. */
static void a_log_of_too_many_objects_is_not_called_good(void **state)
{
    (void)state;
    expect(0, "GOOD", "--objects=500000");
    expect(1, "limit: whether anything is missing was asked up to entry ", "--objects=3");
    take_apart(1, CK_TILE_WIDTH);
    uint8_t *at = (uint8_t *)(uintptr_t)bundle.entries[200].data;
    at[bundle.entries[200].size - 2] ^= 1;
    put_together(false);
    expect(1, "changed: the entry at place 456 does not have the hash kept of it", "--objects=3");
    expect(64, "", "--objects=none");
    expect(64, "", "--objects=12x");
    expect(64, "", "--objects=-1");
}

/* ---- one entry ---- */

static void one_entry_is_proven_alone(void **state)
{
    (void)state;
    char *printed = NULL;
    static char text[CK_PROOF_TEXT_MAX];
    size_t size = 0;
    take_apart(0, CK_TILE_WIDTH);
    assert_int_equal(ck_audit_entry_proof(rig.store, 4, text, &size), 0);
    write_all("../proof", text, size);
    write_all("../entry", bundle.entries[4].data, bundle.entries[4].size);
    write_all("../wrong", bundle.entries[5].data, bundle.entries[5].size);
    char proof[160], entry[160], wrong[160];
    rig_path(&rig, "proof", proof, sizeof proof);
    rig_path(&rig, "entry", entry, sizeof entry);
    rig_path(&rig, "wrong", wrong, sizeof wrong);
    assert_int_equal(
        rig_run(PROGRAM, (const char *const[]){key, "proof", proof, entry, NULL}, &printed), 0);
    assert_non_null(strstr(printed, "entry 4 is among the 300 entries of checkin.example.org/log"));
    free(printed);
    assert_int_equal(
        rig_run(PROGRAM, (const char *const[]){key, "proof", proof, wrong, NULL}, &printed), 1);
    assert_non_null(strstr(printed, "changed: "));
    free(printed);
    assert_int_equal(
        rig_run("python3",
                (const char *const[]){CK_SOURCE_DIR "/tests/unit/evidence/independent.py", copy,
                                      proof, entry, NULL},
                &printed),
        0);
    assert_non_null(strstr(printed, "entry 4"));
    free(printed);
    assert_int_equal(ck_audit_entry_proof(rig.store, ENTRIES, text, &size), 5); /* not found */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_honest_copy_is_good, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_found_beside_the_log_is_not_taken_for_proof, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_changed_entry_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dropped_entry_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(an_inserted_entry_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_changed_order_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_cut_short_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(an_older_copy_is_found_by_a_checkpoint_kept_elsewhere,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_forked_log_is_found_by_a_checkpoint_kept_elsewhere, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_checkpoint_by_another_key_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_witness_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(more_checkpoints_than_are_held_are_all_compared, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_log_of_two_keys_is_good_for_whoever_knows_one_of_them,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_nobody_vouches_for_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stolen_key_of_before_is_not_trusted_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_left_out_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_of_too_many_objects_is_not_called_good, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_is_missed_where_nothing_is_missing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_entry_is_proven_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
