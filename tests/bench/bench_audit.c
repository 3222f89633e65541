/* Figures "per core" count CPU seconds, so that a busy machine does not spoil them.
 * The audit log: appending one by one and grouped, proving, verifying; beside the same machine's
 * plain SHA-256. The store is SQLite on the disk of the present folder with synchronous=FULL.
 * bench_audit [entries] */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/audit/audit.h"
#include "daemon/audit/tree.h"
#include "daemon/audit/verify.h"
#include "tests/bench/figure.h"

#define GROUP 256

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

static void check(int code, const char *what)
{
    if (code != 0) {
        fprintf(stderr, "bench_audit: %s: %d\n", what, code);
        exit(1);
    }
}

static void seed(const char *path)
{
    sqlite3 *db = NULL;
    check(sqlite3_open(path, &db), "open");
    check(sqlite3_exec(db,
                       "INSERT INTO unit VALUES (1, 'u', 'Asia/Almaty', 1);"
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
        .action = "NOTICE_STATE",
        .object = "checkin",
        .object_id = i / 25 + 1, /* 25 entries a check-in */
        .person_id = i / 25 % 500 + 1,
        .result = "ok",
        .open = open,
        .sealed = sealed,
    };
    check(ck_audit_append(audit, store, &entry, &generator, NULL), "append");
    json_decref(open);
    json_decref(sealed);
}

static double append_groups(struct ck_audit *audit, struct ck_store *store, int64_t from,
                            int64_t count, int64_t group, double *per_core)
{
    double start = now_s(), cpu = ck_figure_own_cpu_s();
    for (int64_t i = 0; i < count; i += group) {
        check(ck_store_begin(store), "begin");
        for (int64_t k = 0; k < group && i + k < count; k++) {
            append(audit, store, from + i + k);
        }
        check(ck_audit_flush(audit, store), "flush");
        check(ck_store_commit(store), "commit");
    }
    *per_core = (double)count / (ck_figure_own_cpu_s() - cpu);
    return (double)count / (now_s() - start);
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
        check(ck_merkle_leaf(leaf, sizeof leaf, &hash), "leaf");
        check(ck_merkle_node(&node, &hash, &node), "node");
    }
    return (double)count / (ck_figure_own_cpu_s() - start);
}

static double prove(struct ck_store *store, uint64_t size, int rounds)
{
    const struct ck_merkle_source source = ck_audit_tree_source(store);
    double start = ck_figure_own_cpu_s();
    for (int i = 0; i < rounds; i++) {
        struct ck_merkle_proof proof;
        uint64_t index = (uint64_t)i * UINT64_C(2654435761) % size;
        check(ck_merkle_prove_inclusion(&source, index, size, &proof), "prove");
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
    check(ck_store_open(&store, path), "store");
    seed(path);
    check(ck_store_begin(store), "begin");
    check(ck_audit_load(&audit, store, &generator), "load");
    check(ck_store_commit(store), "commit");

    double per_core = 0;
    bool good = ck_figure("append_single", append_groups(&audit, store, 0, 2000, 1, &per_core),
                          "records/s", CK_FIGURE_SHOWN, 0, "");
    double grouped = append_groups(&audit, store, 2000, entries - 2000, GROUP, &per_core);
    good &= ck_figure("append_grouped", grouped, "records/s", CK_FIGURE_AT_LEAST, 50000,
                      "\"group\":256");
    good &= ck_figure("append_grouped_per_core", per_core, "records/s", CK_FIGURE_SHOWN, 0, "");
    struct ck_audit_report report = {0};
    double start = ck_figure_own_cpu_s();
    check(ck_audit_verify(store, &report), "verify");
    double verified = (double)report.entries / (ck_figure_own_cpu_s() - start);
    if (report.findings != 0 || report.entries != (uint64_t)entries) {
        fprintf(stderr, "bench_audit: the log does not verify\n");
        return 1;
    }
    good &= ck_figure("verify", verified, "records/s", CK_FIGURE_AT_LEAST, 2000000, "");
    good &= ck_figure("plain_hashes", plain_hashes(1000000), "records/s", CK_FIGURE_SHOWN, 0, "");
    good &= ck_figure("inclusion_proof", prove(store, (uint64_t)entries, 1000), "us",
                      CK_FIGURE_SHOWN, 0, "");
    ck_store_close(store);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 && good ? 0 : 1;
}
