/* Figures "per core" count CPU seconds, so that a busy machine does not spoil them.
 * The audit log: appending one by one and grouped, proving, verifying; beside the same machine's
 * plain SHA-256; sealing of recordings (sealing.h). The store is SQLite on the disk of the present
 * folder with synchronous=FULL. bench_audit [entries] */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/audit/audit.h"
#include "daemon/audit/export.h"
#include "daemon/audit/tree.h"
#include "daemon/audit/verify.h"
#include "daemon/store/checkpoint.h"
#include "daemon/verify/complete.h"
#include "daemon/verify/log.h"
#include "protocol/note.h"
#include "tests/bench/figure.h"
#include "tests/bench/sealing.h"

/* Entries in one commit: what a turn of the engine makes when more is due than it takes at once
 * (bench_scheduler --persons 20000 --due 5000 --seconds 1: log_entries_per_turn 393). */
#define GROUP 384

static double now_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void fill_random(void *user, void *bytes, size_t size)
{
    static uint64_t seed = 1;
    (void)user;
    for (size_t i = 0; i < size; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)bytes)[i] = (uint8_t)(seed >> 56);
    }
}

static const struct ck_audit_random generator = {.fill = fill_random};

static void seed(const char *path)
{
    sqlite3 *db = NULL;
    ck_bench_check(sqlite3_open(path, &db), "open");
    ck_bench_check(
        sqlite3_exec(db,
                     "INSERT INTO unit VALUES (1, 'u', 'Asia/Almaty', 1, NULL);"
                     "INSERT INTO staff (id, login, name, password, roles, unit_id, language, "
                     "pseudonym, created_at) VALUES (1, 'a', 'a', 'x', 1, 1, 'ru', "
                     "randomblob(16), 1);"
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                     "WHERE i < 500) INSERT INTO person (id, reference, name, birth_date, "
                     "language, unit_id, inspector_id, band, pseudonym, salt, created_at) "
                     "SELECT i, 'P-' || i, 'p', '1990-01-01', 'kk', 1, 1, 'low', "
                     "randomblob(16), randomblob(32), 1 FROM n",
                     NULL, NULL, NULL),
        "seed");
    sqlite3_close(db);
}

static void append(struct ck_audit *audit, struct ck_store *store, int64_t i)
{
    json_t *open = json_pack("{s:s, s:I}", "state", "accepted", "try", (json_int_t)(i % 3));
    json_t *sealed = i % 4 == 0 ? json_pack("{s:s}", "to", "+77010000000") : NULL;
    const struct ck_audit_entry entry = {
        .at = {INT64_C(1795233600000) + i},
        .clock_synchronised = true,
        .actor_kind = "staff",
        .actor_roles = 1,
        .actor_staff = 1,
        .action = i % 25 == 0    ? "CHECKIN_ON_DEMAND"
                  : i % 25 == 24 ? "CHECKIN_OUTCOME"
                                 : "CHECKIN_EVIDENCE",
        .object = "checkin",
        .object_id = i / 25 + 1, /* 25 entries a check-in */
        .person_id = i / 25 % 500 + 1,
        .result = "ok",
        .open = open,
        .sealed = sealed,
    };
    ck_bench_check(ck_audit_append(audit, store, &entry, &generator, NULL), "append");
    json_decref(open);
    json_decref(sealed);
}

/* How long this thread was ready to run and others ran (proc(5), schedstat). */
static double kept_waiting_s(void)
{
    unsigned long long ran = 0, waited = 0;
    FILE *file = fopen("/proc/thread-self/schedstat", "re");
    if (file == NULL || fscanf(file, "%llu %llu", &ran, &waited) != 2) {
        waited = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return (double)waited / 1e9;
}

struct speed {
    double wall;     /* a second */
    double own_core; /* the same without the time in which other programs had the processor */
    double per_core; /* a second of processor */
};

static struct speed append_groups(struct ck_audit *audit, struct ck_store *store, int64_t from,
                                  int64_t count, int64_t group)
{
    double start = now_s(), cpu = ck_figure_own_cpu_s(), kept = kept_waiting_s();
    for (int64_t i = 0; i < count; i += group) {
        ck_bench_check(ck_store_begin(store), "begin");
        for (int64_t k = 0; k < group && i + k < count; k++) {
            append(audit, store, from + i + k);
        }
        ck_bench_check(ck_audit_flush(audit, store), "flush");
        ck_bench_check(ck_store_commit(store), "commit");
    }
    double took = now_s() - start;
    return (struct speed){(double)count / took, (double)count / (took - (kept_waiting_s() - kept)),
                          (double)count / (ck_figure_own_cpu_s() - cpu)};
}

/* Leaf hashes and nodes alone, over memory: what the machine can do. */
static double plain_hashes(int64_t count)
{
    char leaf[450];
    struct ck_hash hash, node = {{0}};
    memset(leaf, 'x', sizeof leaf);
    double start = ck_figure_own_cpu_s();
    for (int64_t i = 0; i < count; i++) {
        memcpy(leaf, &i, sizeof i);
        ck_bench_check(ck_merkle_leaf(leaf, sizeof leaf, &hash), "leaf");
        ck_bench_check(ck_merkle_node(&node, &hash, &node), "node");
    }
    return (double)count / (ck_figure_own_cpu_s() - start);
}

/* Signs the head, as checkin-signer does. */
static void sign(struct ck_audit *audit, struct ck_store *store)
{
    static const uint8_t seed_bytes[CK_ED25519_SIZE] = "bench";
    struct ck_checkpoint checkpoint = {.origin = "bench.example.org/log",
                                       .size = audit->head.frontier.size,
                                       .root = audit->head.root};
    uint8_t public_key[CK_ED25519_SIZE];
    char note[CK_NOTE_BYTES_MAX + 1], key_text[CK_NOTE_KEY_TEXT_SIZE];
    struct ck_note_key key;
    size_t size;
    ck_bench_check(ck_ed25519_public(seed_bytes, public_key), "key");
    ck_bench_check(ck_note_key_make(checkpoint.origin, CK_NOTE_LOG, public_key, &key), "key");
    ck_bench_check(ck_checkpoint_sign(&checkpoint, &key, seed_bytes, note, sizeof note, &size),
                   "sign");
    ck_note_key_text(&key, key_text);
    ck_bench_check(ck_store_begin(store), "begin");
    ck_bench_check(ck_store_set_setting(store, "signer.key", key_text), "key");
    ck_bench_check(ck_log_checkpoint_insert(
                       store, &(struct ck_log_checkpoint){(int64_t)checkpoint.size, {1}, note}),
                   "checkpoint");
    ck_bench_check(ck_store_commit(store), "commit");
}

/* A copy of the log, verified as checkin-verify does it: signature, hashes, order, completeness. */
static double verify_copy(struct ck_store *store, const char *folder, int64_t entries)
{
    char copy_path[96];
    struct ck_audit_copy copy;
    struct ck_verify_log log = {.folder = copy_path, .objects = CK_COMPLETE_OBJECTS_MAX};
    struct ck_verdict verdict = {.quiet = true};
    snprintf(copy_path, sizeof copy_path, "%s/copy", folder);
    ck_bench_check(ck_audit_export(store, copy_path, &copy), "export");
    double best = 0;
    for (int round = 0; round < 3; round++) {
        struct ck_verify_log again = log;
        double start = ck_figure_own_cpu_s();
        ck_bench_check(ck_verify_log(&again, &verdict), "verify a copy");
        double rate = (double)again.entries / (ck_figure_own_cpu_s() - start);
        best = rate > best ? rate : best;
        if (verdict.findings != 0 || again.entries != (uint64_t)entries) {
            fprintf(stderr, "bench_audit: the copy does not verify\n");
            exit(1);
        }
    }
    return best;
}

/* A log of ten million entries as far as proofs look at it: all tiles, and of the leaf hashes the
 * blocks of those entries that are asked for. */
#define MANY INT64_C(10000000)
#define BLOCKS 1000

static double prove_among_many(const char *folder)
{
    char path[96], sql[900];
    sqlite3 *db = NULL;
    struct ck_store *store = NULL;
    snprintf(path, sizeof path, "%s/many", folder);
    ck_bench_check(ck_store_open(&store, path), "store");
    ck_bench_check(sqlite3_open(path, &db), "open");
    snprintf(
        sql, sizeof sql,
        "BEGIN; WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "INSERT OR IGNORE INTO log_entry SELECT (n.i * 2654435761 %% %lld) / 256 * 256 + o.i, "
        "1, NULL, x'00', randomblob(32) FROM n, (WITH RECURSIVE m(i) AS (SELECT 0 UNION ALL "
        "SELECT i + 1 FROM m WHERE i < 255) SELECT i FROM m) o;"
        "INSERT OR IGNORE INTO log_entry SELECT %lld + i, 1, NULL, x'00', randomblob(32) FROM "
        "(WITH RECURSIVE m(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM m WHERE i < 255) SELECT "
        "i FROM m);"
        "WITH RECURSIVE t(l, i) AS (SELECT 1, 0 UNION ALL SELECT CASE WHEN i < 153 >> (8 * (l "
        "- 1)) THEN l ELSE l + 1 END, CASE WHEN i < 153 >> (8 * (l - 1)) THEN i + 1 ELSE 0 END "
        "FROM t WHERE l < 4) INSERT INTO log_tile SELECT l, i, randomblob(8192) FROM t WHERE "
        "l < 4; COMMIT",
        BLOCKS - 1, (long long)MANY, (long long)(MANY / 256 * 256));
    ck_bench_check(sqlite3_exec(db, sql, NULL, NULL, NULL), "many");
    sqlite3_close(db);
    const struct ck_merkle_source source = ck_audit_tree_source(store);
    double start = ck_figure_own_cpu_s();
    for (int64_t i = 0; i < BLOCKS; i++) {
        struct ck_merkle_proof proof;
        uint64_t index = (uint64_t)(i * INT64_C(2654435761) % MANY);
        ck_bench_check(ck_merkle_prove_inclusion(&source, index, (uint64_t)MANY, &proof), "prove");
    }
    double each = (ck_figure_own_cpu_s() - start) / BLOCKS * 1e6;
    ck_store_close(store);
    return each;
}

static double prove(struct ck_store *store, uint64_t size, int rounds)
{
    const struct ck_merkle_source source = ck_audit_tree_source(store);
    double start = ck_figure_own_cpu_s();
    for (int i = 0; i < rounds; i++) {
        struct ck_merkle_proof proof;
        uint64_t index = (uint64_t)i * UINT64_C(2654435761) % size;
        ck_bench_check(ck_merkle_prove_inclusion(&source, index, size, &proof), "prove");
    }
    return (ck_figure_own_cpu_s() - start) / rounds * 1e6;
}

int main(int count, char **arguments)
{
    int64_t entries = count > 1 && arguments[1][0] != '-' ? atoll(arguments[1]) : 200000;
    char folder[] = "bench-audit-XXXXXX", path[64], command[96];
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    snprintf(path, sizeof path, "%s/store", folder);
    struct ck_store *store = NULL;
    struct ck_audit audit;
    ck_bench_check(ck_store_open(&store, path), "store");
    seed(path);
    ck_bench_check(ck_store_begin(store), "begin");
    ck_bench_check(ck_audit_load(&audit, store, &generator), "load");
    ck_bench_check(ck_store_commit(store), "commit");

    bool good = ck_figure("append_single", append_groups(&audit, store, 0, 2000, 1).wall,
                          "records/s", CK_FIGURE_SHOWN, 0, "");
    struct speed grouped = append_groups(&audit, store, 2000, entries - 2000, GROUP);
    good &= ck_figure("append_grouped", grouped.wall, "records/s", CK_FIGURE_AT_LEAST, 50000,
                      "\"group\":384");
    good &= ck_figure("append_grouped_own_core", grouped.own_core, "records/s", CK_FIGURE_SHOWN, 0,
                      "\"what\":\"without the time in which other programs had the processor\"");
    good &=
        ck_figure("append_grouped_per_core", grouped.per_core, "records/s", CK_FIGURE_SHOWN, 0, "");
    struct ck_audit_report report = {0};
    double start = ck_figure_own_cpu_s();
    ck_bench_check(ck_audit_verify(store, &report), "verify");
    double verified = (double)report.entries / (ck_figure_own_cpu_s() - start);
    if (report.findings != 0 || report.entries != (uint64_t)entries) {
        fprintf(stderr, "bench_audit: the log does not verify\n");
        return 1;
    }
    ck_figure("verify_store", verified, "records/s", CK_FIGURE_SHOWN, 0,
              "\"what\":\"hashes, columns, plaintext\"");
    sign(&audit, store);
    good &= ck_figure("verify", verify_copy(store, folder, entries), "records/s",
                      CK_FIGURE_AT_LEAST, 2000000, "\"what\":\"a copy, by checkin-verify\"");
    good &= ck_figure("plain_hashes", plain_hashes(1000000), "records/s", CK_FIGURE_SHOWN, 0, "");
    good &= ck_figure("inclusion_proof", prove(store, (uint64_t)entries, 1000), "us",
                      CK_FIGURE_SHOWN, 0, "");
    ck_figure("inclusion_proof_10m", prove_among_many(folder), "us", CK_FIGURE_SHOWN, 0, "");
    ck_store_close(store);
    good &= ck_bench_sealing();
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 && good ? 0 : 1;
}
