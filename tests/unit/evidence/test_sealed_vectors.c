/* The recording of tests/data/recording: what was sealed once is read the same ever after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/text.h"
#include "protocol/seal.h"
#include "tests/unit/evidence/rig.h"

#define PROGRAM CK_BUILD_DIR "/bin/checkin-verify"
#define VECTORS CK_SOURCE_DIR "/tests/data/recording"
#define RECORDING UINT64_C(0x0123456789abcdef)
#define CHUNKS 5
#define ROOM 16384
#define HEAD_AT_PAUSE "3:6221:9e1eb8a0e5baa47d53263c81c2e115cbc863247576ba55fac6815beae3cd0b5b"
#define HEAD_AT_END "5:12847:88c7b58b53e2d94552de47e52493c61cbd8a3de7ed2225048c7e44deaafdc9f7"
#define LAST_MEDIA_AT 6221 /* the last chunk of media begins here, */
#define TRAILER_AT 11770   /* and the trailer here */
#define HASH_RECOVERED "8c860e4b98a2e3c5496598d49caaa873cbaee43c2327bfb7b8fd7c7ce95c350a"

struct bytes {
    uint8_t bytes[2 * ROOM];
    size_t size;
};

static void load(const char *path, struct bytes *into)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    into->size = fread(into->bytes, 1, ROOM, file);
    fclose(file);
    assert_true(into->size > 0 && into->size < ROOM);
}

static void load_key(uint8_t key[static CK_KEY_SIZE])
{
    struct bytes text;
    load(VECTORS "/key", &text);
    text.bytes[2 * CK_KEY_SIZE] = 0;
    assert_int_equal(ck_hex_decode((const char *)text.bytes, key, CK_KEY_SIZE), 0);
}

static int read_bytes(void *user, uint64_t offset, void *to, size_t size)
{
    const struct bytes *from = user;
    memcpy(to, from->bytes + offset, size);
    return 0;
}

static struct ck_seal_source source_of(struct bytes *bytes)
{
    return (struct ck_seal_source){.read = read_bytes, .user = bytes, .size = bytes->size};
}

static void the_program_finds_it_good(void **state)
{
    (void)state;
    char *printed = NULL;
    int ended = rig_run(PROGRAM,
                        (const char *const[]){"--unseal=" VECTORS "/key", "recording",
                                              VECTORS "/sealed", HEAD_AT_PAUSE, HEAD_AT_END, NULL},
                        &printed);
    assert_int_equal(ended, 0);
    assert_non_null(strstr(printed, "5 chunks follow each other unchanged, and each was sealed"));
    assert_non_null(strstr(printed, "they are those of 2 heads given"));
    free(printed);
}

static void playback_gives_the_same_film(void **state)
{
    (void)state;
    static const struct ck_seal_mark wanted[] = {
        {.kind = CK_SEAL_MARK_SIZE, .source = CK_SEAL_VIDEO, .size = {96, 64}},
        {CK_SEAL_MARK_GAP, CK_SEAL_AUDIO, CK_SEAL_GAP_LOSS, 1400, 1700, .gap = {15}},
        {CK_SEAL_MARK_GAP, CK_SEAL_VIDEO, CK_SEAL_GAP_LOSS, 1360, 1800, .gap = {1}},
        {CK_SEAL_MARK_PAUSE, CK_SEAL_BOTH, 7, 2400, 3400, .gap = {0}},
        {CK_SEAL_MARK_SIZE, CK_SEAL_VIDEO, 0, 3400, 3400, .size = {64, 96}},
    };
    uint8_t key[CK_KEY_SIZE];
    struct bytes sealed, film, plain;
    struct ck_seal *seal = NULL;
    size_t count = 0;
    load_key(key);
    load(VECTORS "/sealed", &sealed);
    load(VECTORS "/film.webm", &film);
    struct ck_seal_source source = source_of(&sealed);
    assert_int_equal(ck_seal_open(&seal, &source, key, RECORDING), 0);
    assert_int_equal(ck_seal_read(seal, 0, plain.bytes, ROOM, &plain.size, NULL), 0);
    assert_int_equal(plain.size, film.size);
    assert_memory_equal(plain.bytes, film.bytes, film.size);
    const struct ck_seal_info *info = ck_seal_info(seal);
    assert_int_equal(info->duration_ms, 4600);
    assert_int_equal(info->start.ms, INT64_C(1790000000000));
    assert_int_equal(info->chunks, CHUNKS);
    const struct ck_seal_mark *marks = ck_seal_marks(seal, &count);
    assert_int_equal(count, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(marks[i].kind, wanted[i].kind);
        assert_int_equal(marks[i].source, wanted[i].source);
        assert_int_equal(marks[i].code, wanted[i].code);
        assert_int_equal(marks[i].from_ms, wanted[i].from_ms);
        assert_int_equal(marks[i].until_ms, wanted[i].until_ms);
        assert_memory_equal(&marks[i].gap, &wanted[i].gap, sizeof wanted[i].gap);
    }
    ck_seal_close(seal);
}

/* By the document alone. */
static void a_reader_written_apart_gives_the_same_film(void **state)
{
    (void)state;
    char path[] = "/tmp/ck-film-XXXXXX";
    struct bytes film, plain;
    char *printed = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    int ended =
        rig_run("python3",
                (const char *const[]){CK_SOURCE_DIR "/tests/unit/evidence/independent_recording.py",
                                      VECTORS "/sealed", VECTORS "/key", path, NULL},
                &printed);
    load(path, &plain);
    unlink(path);
    if (ended != 0 || strstr(printed, "head " HEAD_AT_PAUSE "\n") == NULL ||
        strstr(printed, "pause source 2 code 0x7 2400-3400 0 packets\n"
                        "size source 1 code 0x0 3400-3400 64x96\n") == NULL) {
        fail_msg("ended with %d:\n%s", ended, printed);
    }
    free(printed);
    load(VECTORS "/film.webm", &film);
    assert_int_equal(plain.size, film.size);
    assert_memory_equal(plain.bytes, film.bytes, film.size);
}

static void any_changed_byte_is_found(void **state)
{
    (void)state;
    uint8_t key[CK_KEY_SIZE];
    struct bytes sealed;
    load_key(key);
    load(VECTORS "/sealed", &sealed);
    for (size_t at = 0; at < sealed.size; at += 37) {
        struct ck_seal_report report;
        struct ck_seal_source source = source_of(&sealed);
        sealed.bytes[at] ^= 1;
        assert_int_equal(ck_seal_verify(&source, RECORDING, key, NULL, 0, &report), 0);
        assert_int_not_equal(report.fault, CK_SEAL_SOUND);
        sealed.bytes[at] ^= 1;
    }
}

static int append(void *user, const void *bytes, size_t size)
{
    struct bytes *file = user;
    assert_true(file->size + size <= sizeof file->bytes);
    memcpy(file->bytes + file->size, bytes, size);
    file->size += size;
    return 0;
}

/* Cut off in the middle of the last chunk of media: the same bytes complete it as ever. */
static void a_torn_one_is_recovered_the_same(void **state)
{
    (void)state;
    uint8_t key[CK_KEY_SIZE];
    uint8_t salt[CK_SEAL_SALT_SIZE] = "a salt, 16 bytes";
    char hash[CK_HEX_SIZE(CK_SHA256_SIZE)];
    struct bytes sealed;
    struct ck_seal_recovery recovery;
    load_key(key);
    load(VECTORS "/sealed", &sealed);
    sealed.size = (LAST_MEDIA_AT + TRAILER_AT) / 2;
    struct ck_seal_source source = source_of(&sealed);
    assert_int_equal(ck_seal_recover(&source, RECORDING, key, salt, append, &sealed, &recovery), 0);
    assert_int_equal(recovery.lost_bytes, (LAST_MEDIA_AT + TRAILER_AT) / 2 - LAST_MEDIA_AT);
    assert_int_equal(recovery.duration_ms, 2400);
    ck_hex_encode(recovery.head.hash, sizeof recovery.head.hash, hash);
    assert_string_equal(hash, HASH_RECOVERED);
    source.size = sealed.size;
    struct ck_seal_report report;
    assert_int_equal(ck_seal_verify(&source, RECORDING, key, &recovery.head, 1, &report), 0);
    assert_int_equal(report.fault, CK_SEAL_SOUND);
    assert_true(report.recovered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_program_finds_it_good),
        cmocka_unit_test(playback_gives_the_same_film),
        cmocka_unit_test(a_reader_written_apart_gives_the_same_film),
        cmocka_unit_test(any_changed_byte_is_found),
        cmocka_unit_test(a_torn_one_is_recovered_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
