#include "tests/bench/sealing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/digest.h"
#include "protocol/seal.h"
#include "protocol/seal_writer.h"
#include "tests/bench/figure.h"

#define CHUNK (150u * 1024) /* two seconds at 600 kbit/s */
#define CHUNKS 800u
#define ROUNDS 5
#define TARGET 0.8 /* of the floor */

struct tape {
    uint8_t *bytes;
    size_t size;
};

static const uint8_t key[CK_KEY_SIZE] = "bench";

static void must(int result)
{
    if (result != 0) {
        fprintf(stderr, "sealing: result %d\n", result);
        exit(2);
    }
}

/* The least that has to be done: each byte through the cipher and through the hash. */
static double floor_s(uint8_t *chunk)
{
    uint8_t nonce[CK_GCM_NONCE_SIZE] = {0};
    uint8_t hash[CK_SHA256_SIZE];
    double before = ck_figure_own_cpu_s();
    for (unsigned i = 0; i < CHUNKS; i++) {
        memcpy(nonce, &i, sizeof i);
        must(ck_gcm_seal(key, nonce, NULL, 0, chunk, CHUNK, chunk));
        struct ck_slice slice = {chunk, CHUNK + CK_GCM_TAG_SIZE};
        must(ck_sha256(&slice, 1, hash));
    }
    return ck_figure_own_cpu_s() - before;
}

static void keep(struct tape *tape, const uint8_t *bytes, size_t size)
{
    memcpy(tape->bytes + tape->size, bytes, size);
    tape->size += size;
}

/* The same bytes as chunks of a recording. Copies to the tape are not counted. */
static double seal_s(uint8_t *chunk, struct tape *tape)
{
    struct ck_seal_start start = {.recording = 1};
    struct ck_seal_span span = {.key_ms = -1};
    struct ck_seal_writer *writer;
    uint8_t begin[CK_SEAL_BEGIN_MAX];
    size_t size;
    double sum = 0;
    memcpy(start.key, key, sizeof key);
    must(ck_seal_writer_create(&writer, &start));
    must(ck_seal_writer_begin(writer, begin, sizeof begin, &size));
    tape->size = 0;
    keep(tape, begin, size);
    for (unsigned i = 0; i < CHUNKS; i++) {
        double before = ck_figure_own_cpu_s();
        must(ck_seal_writer_chunk(writer, &span, chunk, CHUNK, &size));
        sum += ck_figure_own_cpu_s() - before;
        keep(tape, chunk, size);
    }
    uint8_t *trailer;
    must(ck_seal_writer_trailer(writer, &trailer, &size));
    keep(tape, trailer, size);
    free(trailer);
    ck_seal_writer_destroy(writer);
    return sum;
}

static int read_tape(void *user, uint64_t offset, void *to, size_t size)
{
    const struct tape *tape = user;
    memcpy(to, tape->bytes + offset, size);
    return 0;
}

static double verify_s(struct tape *tape, const uint8_t *with_key)
{
    struct ck_seal_source source = {read_tape, tape, tape->size};
    struct ck_seal_report report;
    double before = ck_figure_own_cpu_s();
    must(ck_seal_verify(&source, 1, with_key, NULL, 0, &report));
    must((int)report.fault);
    return ck_figure_own_cpu_s() - before;
}

bool ck_bench_sealing(void)
{
    double floor_sum = 0;
    double seal_sum = 0;
    double verify_sum = 0;
    double chain_sum = 0;
    struct tape tape = {.bytes = malloc((size_t)(CHUNKS + 4) * (CHUNK + 4096))};
    uint8_t *chunk = calloc(1, CK_SEAL_CHUNK_HEAD + CHUNK + CK_SEAL_CHUNK_TAIL);
    if (tape.bytes == NULL || chunk == NULL) {
        must(-1);
    }
    for (int round = 0; round < ROUNDS; round++) {
        floor_sum += floor_s(chunk);
        seal_sum += seal_s(chunk, &tape);
        verify_sum += verify_s(&tape, key);
        chain_sum += verify_s(&tape, NULL);
    }
    double mib = (double)ROUNDS * CHUNKS * CHUNK / (1024 * 1024);
    ck_figure("sealing_floor", mib / floor_sum, "MiB/s", CK_FIGURE_SHOWN, 0,
              "\"what\":\"AES-256-GCM and SHA-256\"");
    ck_figure("sealing", mib / seal_sum, "MiB/s", CK_FIGURE_SHOWN, 0, "");
    ck_figure("verify_recording", mib / verify_sum, "MiB/s", CK_FIGURE_SHOWN, 0, "");
    ck_figure("verify_recording_chain", mib / chain_sum, "MiB/s", CK_FIGURE_SHOWN, 0, "");
    bool good =
        ck_figure("sealing_share", floor_sum / seal_sum, "", CK_FIGURE_AT_LEAST, TARGET, "");
    free(tape.bytes);
    free(chunk);
    return good;
}
