#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/recording/sealed_file.h"
#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/seal.h"
#include "protocol/seal_writer.h"
#include "protocol/webm.h"
#include "tests/unit/seal/sealed_file.h"

static const uint8_t fresh_salt[CK_SEAL_SALT_SIZE] = "recovery's salt";

static struct ck_seal *open_file(struct sealed_file *file)
{
    struct ck_seal_source source = sealed_file_source(file);
    struct ck_seal *seal = NULL;
    assert_int_equal(ck_seal_open(&seal, &source, test_key, TEST_RECORDING), 0);
    return seal;
}

static struct ck_seal_report verify(struct sealed_file *file, const uint8_t *key,
                                    const struct ck_seal_head *anchors, size_t count)
{
    struct ck_seal_source source = sealed_file_source(file);
    struct ck_seal_report report;
    assert_int_equal(ck_seal_verify(&source, TEST_RECORDING, key, anchors, count, &report), 0);
    return report;
}

static int recover(struct sealed_file *file, struct ck_seal_recovery *recovery)
{
    struct ck_seal_source source = sealed_file_source(file);
    return ck_seal_recover(&source, TEST_RECORDING, test_key, fresh_salt, sealed_file_on_append,
                           file, recovery);
}

static void a_wrapped_key_opens_for_its_recording_alone(void **state)
{
    (void)state;
    static const uint8_t master[CK_KEY_SIZE] = "the master key, 32 bytes long..";
    static const uint8_t other[CK_KEY_SIZE] = "another master key, of 32 bytes";
    static const uint8_t nonce[CK_GCM_NONCE_SIZE] = "nonce 12 by";
    uint8_t wrapped[CK_SEAL_WRAPPED_SIZE];
    uint8_t key[CK_KEY_SIZE] = {0};
    assert_int_equal(ck_seal_wrap(master, 5, nonce, test_key, wrapped), 0);
    assert_int_equal(ck_seal_unwrap(master, 5, wrapped, sizeof wrapped, key), 0);
    assert_memory_equal(key, test_key, sizeof key);
    assert_int_equal(ck_seal_unwrap(master, 6, wrapped, sizeof wrapped, key), CK_E_AUTH);
    assert_int_equal(ck_seal_unwrap(other, 5, wrapped, sizeof wrapped, key), CK_E_NOT_FOUND);
    assert_int_equal(ck_seal_unwrap(master, 5, wrapped, sizeof wrapped - 1, key), CK_E_SYNTAX);
    uint8_t id[CK_SEAL_KEY_ID_SIZE];
    uint8_t expected[CK_SEAL_KEY_ID_SIZE];
    assert_int_equal(ck_seal_wrapped_key_id(wrapped, sizeof wrapped, id), 0);
    assert_int_equal(ck_seal_key_id(master, expected), 0);
    assert_memory_equal(id, expected, sizeof id);
    for (size_t i = 0; i < sizeof wrapped; i++) {
        wrapped[i] ^= 1;
        assert_int_not_equal(ck_seal_unwrap(master, 5, wrapped, sizeof wrapped, key), 0);
        wrapped[i] ^= 1;
    }
}

static void any_range_reads_as_the_whole_does(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    struct ck_seal *seal = open_file(&file);
    const struct ck_seal_info *info = ck_seal_info(seal);
    assert_int_equal(info->duration_ms, (TEST_CHUNKS - 1) * TEST_CHUNK_MS + 520);
    assert_int_equal(info->chunks, TEST_CHUNKS + 2);
    assert_true(info->has_audio && info->has_video && !info->recovered);
    assert_int_equal(info->width, 640);
    assert_int_equal(info->start.ms, INT64_C(1790000000000));
    assert_memory_equal(info->context, "leg 5", 5);
    size_t total = (size_t)info->plain_size;
    assert_true(total > CK_WEBM_HEADER_SIZE + file.plain_size);
    uint8_t *whole = malloc(total);
    uint8_t *part = malloc(total);
    size_t got;
    assert_int_equal(ck_seal_read(seal, 0, whole, total, &got, NULL), 0);
    assert_int_equal(got, total);
    assert_memory_equal(whole + CK_WEBM_HEADER_SIZE, file.plain, file.plain_size);
    for (size_t offset = 0; offset < total; offset += 97) {
        for (size_t size = 1; size < total; size = size * 3 + 1) {
            assert_int_equal(ck_seal_read(seal, offset, part, size, &got, NULL), 0);
            assert_int_equal(got, size < total - offset ? size : total - offset);
            assert_memory_equal(part, whole + offset, got);
        }
    }
    assert_int_equal(ck_seal_read(seal, total, part, 1, &got, NULL), 0);
    assert_int_equal(got, 0);
    assert_int_equal(ck_seal_read(seal, UINT64_MAX, part, 1, &got, NULL), 0);
    assert_int_equal(got, 0);
    size_t marks;
    const struct ck_seal_mark *mark = ck_seal_marks(seal, &marks);
    assert_int_equal(marks, 1);
    assert_int_equal(mark->kind, CK_SEAL_MARK_PAUSE);
    assert_int_equal(mark->code, 9);
    assert_int_equal(mark->until_ms, 4000);
    free(whole);
    free(part);
    ck_seal_close(seal);
    sealed_file_free(&file);
}

static void put_chunk(struct sealed_file *file, struct ck_seal_writer *writer)
{
    uint8_t chunk[CK_SEAL_CHUNK_HEAD + CK_SEAL_CHUNK_TAIL];
    const struct ck_seal_span nothing = {.key_ms = -1};
    size_t size = 0;
    assert_int_equal(ck_seal_writer_chunk(writer, &nothing, chunk, 0, &size), 0);
    sealed_file_append(file, chunk, size);
}

/* Sender reports and new streams, of which a peer may send any number, are in the chunks and not in
 * the list that is looked at: what counts of the time line finds its place behind them. */
static void reports_crowd_out_no_other_mark(void **state)
{
    (void)state;
    struct sealed_file file = {0};
    struct ck_seal_start start = {.recording = TEST_RECORDING};
    struct ck_seal_writer *writer = NULL;
    uint8_t begin[CK_SEAL_BEGIN_MAX];
    uint8_t *trailer = NULL;
    size_t size = 0;
    memcpy(start.key, test_key, CK_KEY_SIZE);
    assert_int_equal(ck_seal_writer_create(&writer, &start), 0);
    assert_int_equal(ck_seal_writer_begin(writer, begin, sizeof begin, &size), 0);
    sealed_file_append(&file, begin, size);
    for (unsigned n = 0; n < 2 * CK_SEAL_MARKS_MAX / CK_SEAL_CHUNK_MARKS_MAX; n++) {
        for (unsigned i = 0; i < CK_SEAL_CHUNK_MARKS_MAX; i++) {
            struct ck_seal_mark mark = {.kind =
                                            i % 2 == 0 ? CK_SEAL_MARK_REPORT : CK_SEAL_MARK_STREAM};
            ck_seal_writer_mark(writer, &mark);
        }
        put_chunk(&file, writer);
    }
    for (unsigned i = 0; i < CK_SEAL_CHUNK_MARKS_MAX; i++) {
        ck_seal_writer_mark(writer, &(struct ck_seal_mark){.kind = CK_SEAL_MARK_REPORT});
    }
    ck_seal_writer_mark(
        writer, &(struct ck_seal_mark){
                    .kind = CK_SEAL_MARK_GAP, .from_ms = 5, .until_ms = 9, .gap = {.packets = 3}});
    ck_seal_writer_mark(writer, &(struct ck_seal_mark){.kind = CK_SEAL_MARK_SIZE,
                                                       .size = {.width = 320, .height = 240}});
    put_chunk(&file, writer);
    assert_int_equal(ck_seal_writer_trailer(writer, &trailer, &size), 0);
    sealed_file_append(&file, trailer, size);
    free(trailer);
    ck_seal_writer_destroy(writer);
    struct ck_seal *seal = open_file(&file);
    size_t count = 0;
    const struct ck_seal_mark *marks = ck_seal_marks(seal, &count);
    assert_int_equal(count, 2);
    assert_int_equal(marks[0].kind, CK_SEAL_MARK_GAP);
    assert_int_equal(marks[0].gap.packets, 3);
    assert_int_equal(marks[1].kind, CK_SEAL_MARK_SIZE);
    assert_int_equal(marks[1].size.width, 320);
    assert_int_equal(marks[1].size.height, 240);
    ck_seal_close(seal);
    sealed_file_free(&file);
}

static void a_range_opens_only_the_chunks_it_needs(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    struct ck_seal *seal = open_file(&file);
    uint8_t part[64];
    size_t got;
    file.reads = 0;
    file.read_bytes = 0;
    /* In small pieces through one chunk: read once. */
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(ck_seal_read(seal, CK_WEBM_HEADER_SIZE + i * sizeof part, part,
                                      sizeof part, &got, NULL),
                         0);
    }
    assert_true(file.read_bytes <= file.at[2] - file.at[1] + CK_SEAL_CHUNK_HEAD);
    /* The final header and the cues cost nothing. */
    file.reads = 0;
    assert_int_equal(ck_seal_read(seal, 0, part, sizeof part, &got, NULL), 0);
    assert_int_equal(
        ck_seal_read(seal, ck_seal_info(seal)->plain_size - 5, part, sizeof part, &got, NULL), 0);
    assert_int_equal(got, 5);
    assert_int_equal(file.reads, 0);
    ck_seal_close(seal);
    sealed_file_free(&file);
}

static void the_nearest_key_frame_is_found(void **state)
{
    (void)state;
    static const struct {
        int64_t at_ms;
        int64_t frame_ms;
    } cases[] = {{INT64_MIN, 10}, {0, 10},      {1600, 3010},     {1400, 10},
                 {3010, 3010},    {8000, 9010}, {INT64_MAX, 9010}};
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    struct ck_seal *seal = open_file(&file);
    uint8_t frame[2000];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size;
        int64_t frame_ms;
        assert_int_equal(
            ck_seal_key_frame(seal, cases[i].at_ms, frame, sizeof frame, &size, &frame_ms), 0);
        assert_int_equal(frame_ms, cases[i].frame_ms);
        unsigned chunk = (unsigned)(frame_ms / TEST_CHUNK_MS);
        assert_int_equal(size, 700 + chunk);
        assert_int_equal(frame[3], (uint8_t)(21 + chunk));
    }
    size_t size = 99;
    int64_t frame_ms;
    assert_int_equal(ck_seal_key_frame(seal, 0, frame, 10, &size, &frame_ms), CK_E_LIMIT);
    assert_int_equal(size, 99);
    ck_seal_close(seal);
    sealed_file_free(&file);
}

static void what_is_no_file_of_ours_is_refused(void **state)
{
    (void)state;
    static const uint8_t other_key[CK_KEY_SIZE] = "not the key";
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    struct ck_seal_source source = sealed_file_source(&file);
    struct ck_seal *seal = NULL;
    assert_int_equal(ck_seal_open(&seal, &source, other_key, TEST_RECORDING), CK_E_AUTH);
    assert_int_equal(ck_seal_open(&seal, &source, test_key, 78), CK_E_NOT_FOUND);
    source.size = file.at[TEST_CHUNKS + 1];
    assert_int_equal(ck_seal_open(&seal, &source, test_key, TEST_RECORDING), CK_E_TRUNCATED);
    source.size = 10;
    assert_int_equal(ck_seal_open(&seal, &source, test_key, TEST_RECORDING), CK_E_TRUNCATED);
    file.bytes[0] ^= 1;
    source.size = file.size;
    assert_int_equal(ck_seal_open(&seal, &source, test_key, TEST_RECORDING), CK_E_SYNTAX);
    assert_null(seal);
    sealed_file_free(&file);
}

static void a_sound_file_verifies_with_and_without_the_key(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    for (int with_key = 0; with_key < 2; with_key++) {
        struct ck_seal_report report =
            verify(&file, with_key ? test_key : NULL, &file.heads[1], TEST_CHUNKS + 1);
        assert_int_equal(report.fault, CK_SEAL_SOUND);
        assert_true(report.finished && !report.recovered);
        assert_int_equal(report.head.chunks, TEST_CHUNKS + 2);
        assert_int_equal(report.head.bytes, file.size);
        assert_int_equal(report.lost_bytes, 0);
    }
    sealed_file_free(&file);
}

/* Every byte of the file, one after the other: the change is seen, and the chunk it is in is named.
 */
static void any_changed_byte_is_named_by_its_chunk(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    for (size_t i = 0; i < file.size; i += i < file.at[2] || i > file.size - 300 ? 1 : 13) {
        file.bytes[i] ^= 0x10;
        struct ck_seal_report report = verify(&file, test_key, NULL, 0);
        assert_int_not_equal(report.fault, CK_SEAL_SOUND);
        unsigned chunk = 0;
        while (chunk < TEST_CHUNKS + 1 && i >= file.at[chunk + 1]) {
            chunk++;
        }
        if (i < file.size - 16) { /* the footer stands behind the last chunk */
            assert_int_equal(report.chunk, chunk);
        }
        file.bytes[i] ^= 0x10;
    }
    sealed_file_free(&file);
}

static void without_the_key_a_changed_chunk_is_named_too(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    for (unsigned chunk = 1; chunk <= TEST_CHUNKS; chunk++) {
        static const size_t places[] = {40, 60, 100, 300};
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            uint8_t *byte = &file.bytes[file.at[chunk] + places[i]];
            *byte ^= 1;
            struct ck_seal_report report = verify(&file, NULL, NULL, 0);
            assert_true(report.fault == CK_SEAL_CHANGED || report.fault == CK_SEAL_TRUNCATED);
            assert_int_equal(report.chunk, chunk);
            *byte ^= 1;
        }
    }
    sealed_file_free(&file);
}

static void move_chunk(struct sealed_file *to, unsigned place, const struct sealed_file *from,
                       unsigned chunk)
{
    size_t size = from->at[chunk + 1] - from->at[chunk];
    size_t old = to->at[place + 1] - to->at[place];
    uint8_t *rest = malloc(to->size);
    size_t rest_size = to->size - to->at[place + 1];
    memcpy(rest, to->bytes + to->at[place + 1], rest_size);
    to->size = to->at[place];
    sealed_file_append(to, from->bytes + from->at[chunk], size);
    sealed_file_append(to, rest, rest_size);
    free(rest);
    (void)old;
}

static void swapped_missing_and_replayed_chunks_are_named(void **state)
{
    (void)state;
    struct sealed_file file;
    struct sealed_file other;
    struct sealed_file same;
    for (int with_key = 0; with_key < 2; with_key++) {
        const uint8_t *key = with_key ? test_key : NULL;
        sealed_file_make(&same, TEST_RECORDING, test_key, true);
        sealed_file_make(&other, 99, test_key, true);

        sealed_file_make(&file, TEST_RECORDING, test_key, true);
        move_chunk(&file, 5, &other, 5);
        struct ck_seal_report report = verify(&file, key, NULL, 0);
        assert_int_equal(report.fault, CK_SEAL_FOREIGN);
        assert_int_equal(report.chunk, 5);
        assert_int_equal(report.head.chunks, 5);
        sealed_file_free(&file);

        sealed_file_make(&file, TEST_RECORDING, test_key, true);
        move_chunk(&file, 5, &same, 6);
        report = verify(&file, key, NULL, 0);
        assert_int_equal(report.fault, CK_SEAL_MISSING);
        assert_int_equal(report.chunk, 5);
        sealed_file_free(&file);

        sealed_file_make(&file, TEST_RECORDING, test_key, true);
        move_chunk(&file, 5, &same, 2);
        report = verify(&file, key, NULL, 0);
        assert_int_equal(report.fault, CK_SEAL_REPLAYED);
        assert_int_equal(report.chunk, 5);
        sealed_file_free(&file);
        sealed_file_free(&other);
        sealed_file_free(&same);
    }
}

/* Another recording's chunk with its header made to fit opens nowhere. */
static void a_chunk_renamed_to_this_recording_does_not_open(void **state)
{
    (void)state;
    struct sealed_file file;
    struct sealed_file other;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    sealed_file_make(&other, 99, test_key, true);
    ck_put_u64(other.bytes + other.at[5] + 16, TEST_RECORDING);
    memcpy(other.bytes + other.at[5] + 48, file.bytes + file.at[5] + 48, CK_SHA256_SIZE);
    move_chunk(&file, 5, &other, 5);
    struct ck_seal_report report = verify(&file, test_key, NULL, 0);
    assert_int_equal(report.fault, CK_SEAL_CHANGED);
    assert_int_equal(report.chunk, 5);
    /* Playback up to there works, and names the chunk. */
    struct ck_seal *seal = open_file(&file);
    uint8_t *plain = malloc(file.size);
    size_t got;
    uint64_t bad = 0;
    assert_int_equal(ck_seal_read(seal, 0, plain, file.size, &got, &bad), CK_E_AUTH);
    assert_int_equal(bad, 5);
    assert_int_equal(ck_seal_read(seal, 0, plain, 1000, &got, &bad), 0);
    free(plain);
    ck_seal_close(seal);
    sealed_file_free(&file);
    sealed_file_free(&other);
}

static void a_cut_file_is_told_by_the_heads_of_the_log(void **state)
{
    (void)state;
    struct sealed_file file;
    struct sealed_file other;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    struct ck_seal_head anchors[] = {file.heads[5], file.heads[10]};
    /* Cut, and closed again by somebody who has the key. */
    file.size = file.at[7];
    struct ck_seal_recovery recovery;
    assert_int_equal(verify(&file, NULL, anchors, 2).fault, CK_SEAL_TRUNCATED);
    assert_int_equal(recover(&file, &recovery), 0);
    assert_int_equal(verify(&file, test_key, NULL, 0).fault, CK_SEAL_SOUND);
    struct ck_seal_report report = verify(&file, NULL, anchors, 2);
    assert_int_equal(report.fault, CK_SEAL_TRUNCATED);
    sealed_file_free(&file);
    /* A whole file made anew under the same key. */
    sealed_file_make(&other, TEST_RECORDING, test_key, true);
    anchors[1].hash[0] ^= 1;
    report = verify(&other, test_key, anchors, 2);
    assert_int_equal(report.fault, CK_SEAL_OTHER_CHAIN);
    assert_int_equal(report.chunk, 9);
    sealed_file_free(&other);
}

/* Cut in front of heads of the log by somebody with the key, who lets a recovered trailer claim a
 * place behind all of them. */
static void a_trailer_that_jumps_over_heads_is_no_recovery(void **state)
{
    (void)state;
    for (int torn = 0; torn < 2; torn++) {
        struct sealed_file file;
        struct ck_seal_recovery recovery;
        sealed_file_make(&file, TEST_RECORDING, test_key, true);
        const struct ck_seal_head anchors[] = {file.heads[5], file.heads[10]};
        file.size = file.at[7];
        sealed_file_append(&file, "torn", torn ? 4 : 0);
        assert_int_equal(recover(&file, &recovery), 0);
        assert_int_equal(verify(&file, test_key, NULL, 0).fault, CK_SEAL_SOUND);
        sealed_file_jump(&file, test_key, 60000);
        for (int with_key = 0; with_key < 2; with_key++) {
            const uint8_t *key = with_key ? test_key : NULL;
            assert_int_equal(verify(&file, key, anchors, 2).fault, CK_SEAL_TRUNCATED);
            assert_int_equal(verify(&file, key, NULL, 0).fault, CK_SEAL_MISSING);
        }
        sealed_file_free(&file);
    }
}

/* Whole chunks that somebody with the key hides in front of a recovered trailer, as if they were
 * what a crash tore. */
static void whole_chunks_are_not_what_a_crash_tore(void **state)
{
    (void)state;
    struct sealed_file file, cut;
    struct ck_seal_recovery recovery;
    sealed_file_make(&file, TEST_RECORDING, test_key, false);
    sealed_file_make(&cut, TEST_RECORDING, test_key, false);
    cut.size = cut.at[7];
    assert_int_equal(recover(&cut, &recovery), 0);
    /* The trailer that follows chunk 6, behind chunk 12. */
    size_t at = file.size;
    sealed_file_append(&file, cut.bytes + cut.at[7], cut.size - cut.at[7]);
    ck_put_u64(file.bytes + file.size - 16, at);
    struct ck_seal_report report = verify(&file, test_key, NULL, 0);
    assert_int_equal(report.fault, CK_SEAL_CHANGED);
    assert_int_equal(report.chunk, 7);
    sealed_file_free(&file);
    sealed_file_free(&cut);
}

/* The file cut at every length: recovery gives a whole, playable file of all chunks that were
 * whole. */
static void a_file_cut_anywhere_is_recovered_up_to_the_last_whole_chunk(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    size_t full = file.size;
    uint8_t *original = malloc(full);
    memcpy(original, file.bytes, full);
    for (size_t cut = 0; cut < full; cut += cut < 800 || cut > full - 200 ? 1 : 37) {
        file.size = cut;
        struct ck_seal_recovery recovery;
        struct ck_seal_source cut_source = sealed_file_source(&file);
        struct ck_seal_report report;
        assert_int_equal(ck_seal_verify(&cut_source, TEST_RECORDING, test_key, NULL, 0, &report),
                         0);
        assert_int_equal(report.fault, CK_SEAL_TRUNCATED);
        int r = recover(&file, &recovery);
        unsigned whole = 0;
        while (whole < TEST_CHUNKS + 1 && file.at[whole + 1] <= cut) {
            whole++;
        }
        if (whole == 0) {
            assert_int_equal(r, CK_E_NOT_FOUND);
            assert_int_equal(file.size, cut);
            continue;
        }
        assert_int_equal(r, 0);
        assert_false(recovery.was_whole);
        assert_int_equal(recovery.damaged, 0);
        assert_int_equal(recovery.lost_bytes, cut - file.at[whole]);
        assert_int_equal(recovery.head.chunks, whole + 1);
        assert_memory_equal(file.bytes, original, cut); /* nothing that was there is touched */
        report = verify(&file, test_key, &file.heads[1], whole);
        assert_int_equal(report.fault, CK_SEAL_SOUND);
        assert_true(report.recovered);
        assert_int_equal(report.lost_bytes, cut - file.at[whole]);
        assert_memory_equal(report.head.hash, recovery.head.hash, CK_SHA256_SIZE);
        struct ck_seal *seal = open_file(&file);
        uint8_t *plain = malloc(file.size);
        size_t got;
        assert_int_equal(ck_seal_read(seal, 0, plain, file.size, &got, NULL), 0);
        size_t media = 0;
        for (unsigned n = 1; n < whole; n++) {
            media += file.at[n + 1] - file.at[n] - CK_SEAL_CHUNK_HEAD - 36 - CK_GCM_TAG_SIZE -
                     (n == 5 ? CK_SEAL_MARK_BYTES : 0);
        }
        assert_true(got >= CK_WEBM_HEADER_SIZE + media);
        assert_memory_equal(plain + CK_WEBM_HEADER_SIZE, file.plain, media);
        free(plain);
        ck_seal_close(seal);
        memcpy(file.bytes, original, full);
    }
    free(original);
    sealed_file_free(&file);
}

static void recovery_that_is_cut_off_itself_is_repeated(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, false);
    file.size -= 100; /* a torn chunk */
    struct ck_seal_recovery recovery;
    for (int i = 0; i < 3; i++) {
        file.fail_append = -5;
        assert_int_equal(recover(&file, &recovery), -5);
    }
    file.fail_append = 0;
    assert_int_equal(recover(&file, &recovery), 0);
    struct ck_seal_report report = verify(&file, test_key, NULL, 0);
    assert_int_equal(report.fault, CK_SEAL_SOUND);
    assert_int_equal(report.head.chunks, TEST_CHUNKS + 1);
    size_t size = file.size;
    assert_int_equal(recover(&file, &recovery), 0);
    assert_true(recovery.was_whole);
    assert_memory_equal(recovery.head.hash, report.head.hash, CK_SHA256_SIZE);
    assert_int_equal(file.size, size);
    sealed_file_free(&file);
}

/* The trailer torn exactly between its chunk and its footer. */
static void a_trailer_without_its_footer_is_written_again(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    file.size -= 16;
    struct ck_seal_recovery recovery;
    assert_int_equal(recover(&file, &recovery), 0);
    assert_false(recovery.was_whole);
    assert_int_equal(verify(&file, test_key, NULL, 0).fault, CK_SEAL_SOUND);
    assert_int_equal(verify(&file, NULL, NULL, 0).fault, CK_SEAL_SOUND);
    sealed_file_free(&file);
}

static void bytes_behind_the_end_are_seen(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    sealed_file_append(&file, "more", 4);
    for (int with_key = 0; with_key < 2; with_key++) {
        struct ck_seal_report report = verify(&file, with_key ? test_key : NULL, NULL, 0);
        assert_int_equal(report.fault, CK_SEAL_CHANGED);
        assert_int_equal(report.chunk, TEST_CHUNKS + 2);
    }
    sealed_file_free(&file);
}

/* A damaged chunk in the middle of an unfinished file costs that chunk; verification keeps naming
 * it. */
static void damage_in_the_middle_costs_one_chunk(void **state)
{
    (void)state;
    for (int header = 0; header < 2; header++) {
        struct sealed_file file;
        sealed_file_make(&file, TEST_RECORDING, test_key, false);
        file.bytes[file.at[6] + (header ? 1 : 200)] ^= 1;
        struct ck_seal_recovery recovery;
        assert_int_equal(recover(&file, &recovery), 0);
        assert_int_equal(recovery.damaged, 1);
        assert_int_equal(recovery.lost_bytes, file.at[7] - file.at[6]);
        assert_int_equal(recovery.duration_ms, (TEST_CHUNKS - 1) * TEST_CHUNK_MS + 520);
        struct ck_seal_report report = verify(&file, test_key, NULL, 0);
        assert_int_equal(report.fault, CK_SEAL_CHANGED);
        assert_int_equal(report.chunk, 6);
        struct ck_seal *seal = open_file(&file);
        uint8_t *plain = malloc(file.size);
        size_t got;
        assert_int_equal(ck_seal_read(seal, 0, plain, file.size, &got, NULL), 0);
        free(plain);
        ck_seal_close(seal);
        sealed_file_free(&file);
    }
}

static void recovery_needs_the_right_key(void **state)
{
    (void)state;
    static const uint8_t other_key[CK_KEY_SIZE] = "not the key";
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, false);
    struct ck_seal_source source = sealed_file_source(&file);
    struct ck_seal_recovery recovery;
    size_t size = file.size;
    assert_int_equal(ck_seal_recover(&source, TEST_RECORDING, other_key, fresh_salt,
                                     sealed_file_on_append, &file, &recovery),
                     CK_E_AUTH);
    assert_int_equal(
        ck_seal_recover(&source, 78, test_key, fresh_salt, sealed_file_on_append, &file, &recovery),
        CK_E_NOT_FOUND);
    assert_int_equal(file.size, size);
    sealed_file_free(&file);
}

static void a_file_without_frames_is_whole_too(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, false);
    file.size = file.at[1];
    struct ck_seal_recovery recovery;
    assert_int_equal(recover(&file, &recovery), 0);
    assert_int_equal(recovery.duration_ms, 0);
    struct ck_seal *seal = open_file(&file);
    assert_false(ck_seal_info(seal)->has_video);
    assert_int_equal(ck_seal_info(seal)->plain_size, CK_WEBM_HEADER_SIZE);
    uint8_t frame[10];
    size_t size;
    int64_t frame_ms;
    assert_int_equal(ck_seal_key_frame(seal, 0, frame, sizeof frame, &size, &frame_ms),
                     CK_E_NOT_FOUND);
    ck_seal_close(seal);
    sealed_file_free(&file);
}

/* Recovery seals under another key than the chunks, so that no index is ever sealed twice under
 * one. */
static void recovery_never_seals_under_the_key_of_the_chunks(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, false);
    struct ck_seal_recovery recovery;
    assert_int_equal(recover(&file, &recovery), 0);
    const uint8_t *chunk = file.bytes + file.at[TEST_CHUNKS + 1];
    assert_memory_not_equal(chunk + 32, file.bytes + file.at[1] + 32, CK_SEAL_SALT_SIZE);
    assert_memory_equal(chunk + 32, fresh_salt, CK_SEAL_SALT_SIZE);
    sealed_file_free(&file);
}

/* Into memory as it plays, and no more than was said. */
static void the_whole_goes_into_memory_within_its_limit(void **state)
{
    (void)state;
    struct sealed_file file;
    sealed_file_make(&file, TEST_RECORDING, test_key, true);
    struct ck_seal *seal = open_file(&file);
    uint64_t size = ck_seal_info(seal)->plain_size;
    int fd = -1;
    assert_int_equal(ck_sealed_plain(seal, size - 1, &fd), CK_E_LIMIT);
    assert_int_equal(fd, -1);
    assert_int_equal(ck_sealed_plain(seal, size, &fd), 0);
    uint8_t *got = malloc(size + 1), *wanted = malloc(size);
    size_t read = 0;
    assert_true(got != NULL && wanted != NULL);
    assert_int_equal(ck_seal_read(seal, 0, wanted, size, &read, NULL), 0);
    assert_int_equal(read, size);
    assert_int_equal(pread(fd, got, size + 1, 0), (ssize_t)size);
    assert_memory_equal(got, wanted, size);
    free(got);
    free(wanted);
    close(fd);
    ck_seal_close(seal);
    sealed_file_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrapped_key_opens_for_its_recording_alone),
        cmocka_unit_test(any_range_reads_as_the_whole_does),
        cmocka_unit_test(reports_crowd_out_no_other_mark),
        cmocka_unit_test(the_whole_goes_into_memory_within_its_limit),
        cmocka_unit_test(a_range_opens_only_the_chunks_it_needs),
        cmocka_unit_test(the_nearest_key_frame_is_found),
        cmocka_unit_test(what_is_no_file_of_ours_is_refused),
        cmocka_unit_test(a_sound_file_verifies_with_and_without_the_key),
        cmocka_unit_test(any_changed_byte_is_named_by_its_chunk),
        cmocka_unit_test(without_the_key_a_changed_chunk_is_named_too),
        cmocka_unit_test(swapped_missing_and_replayed_chunks_are_named),
        cmocka_unit_test(a_chunk_renamed_to_this_recording_does_not_open),
        cmocka_unit_test(a_cut_file_is_told_by_the_heads_of_the_log),
        cmocka_unit_test(a_trailer_that_jumps_over_heads_is_no_recovery),
        cmocka_unit_test(whole_chunks_are_not_what_a_crash_tore),
        cmocka_unit_test(a_file_cut_anywhere_is_recovered_up_to_the_last_whole_chunk),
        cmocka_unit_test(recovery_that_is_cut_off_itself_is_repeated),
        cmocka_unit_test(a_trailer_without_its_footer_is_written_again),
        cmocka_unit_test(bytes_behind_the_end_are_seen),
        cmocka_unit_test(damage_in_the_middle_costs_one_chunk),
        cmocka_unit_test(recovery_needs_the_right_key),
        cmocka_unit_test(a_file_without_frames_is_whole_too),
        cmocka_unit_test(recovery_never_seals_under_the_key_of_the_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
