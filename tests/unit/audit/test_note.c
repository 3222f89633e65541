#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/note.h"

/* Published with Go's implementation of signed notes (golang.org/x/mod/sumdb/note). */
static const char go_key[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char go_note[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    "\n";

/* Published with C2SP's description of witnesses' signatures: two kinds of signature by one log. */
static const char spec_note[] =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\xe2\x80\x94 example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "\xe2\x80\x94 example.com/behind-the-sofa "
    "opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/"
    "V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";

static const uint8_t seed[CK_ED25519_SIZE] = {1, 2, 3};
static const uint8_t other_seed[CK_ED25519_SIZE] = {4, 5, 6};

static struct ck_note_key key_of(const uint8_t *from, const char *name, enum ck_note_key_type type)
{
    uint8_t public_key[CK_ED25519_SIZE];
    struct ck_note_key key;
    assert_int_equal(ck_ed25519_public(from, public_key), 0);
    assert_int_equal(ck_note_key_make(name, type, public_key, &key), 0);
    return key;
}

static size_t sign(const struct ck_note_key *key, const uint8_t *from,
                   char note[CK_NOTE_BYTES_MAX + 1])
{
    struct ck_checkpoint checkpoint = {.origin = "example.org/log", .size = 42};
    size_t size = 0;
    memset(checkpoint.root.bytes, 7, sizeof checkpoint.root.bytes);
    assert_int_equal(ck_checkpoint_sign(&checkpoint, key, from, note, CK_NOTE_BYTES_MAX + 1, &size),
                     0);
    return size;
}

static void others_notes_are_read(void **state)
{
    (void)state;
    struct ck_note_key key;
    char text[CK_NOTE_KEY_TEXT_SIZE];
    assert_int_equal(ck_note_key_parse(go_key, &key), 0);
    assert_int_equal(key.type, CK_NOTE_LOG);
    ck_note_key_text(&key, text);
    assert_string_equal(text, go_key);
    assert_int_equal(ck_note_check(go_note, sizeof go_note - 1, &key, NULL), 0);

    struct ck_checkpoint checkpoint;
    assert_int_equal(ck_checkpoint_parse(spec_note, sizeof spec_note - 1, &checkpoint), 0);
    assert_string_equal(checkpoint.origin, "example.com/behind-the-sofa");
    assert_int_equal(checkpoint.size, 20852163);
    assert_int_equal(ck_note_check(spec_note, sizeof spec_note - 1, &key, NULL), CK_E_NOT_FOUND);
}

static void a_changed_note_is_refused(void **state)
{
    (void)state;
    struct ck_note_key key;
    char note[sizeof go_note];
    assert_int_equal(ck_note_key_parse(go_key, &key), 0);
    for (size_t i = 0; i < sizeof go_note - 1; i++) {
        memcpy(note, go_note, sizeof note);
        note[i] ^= 1;
        assert_int_not_equal(ck_note_check(note, sizeof note - 1, &key, NULL), 0);
    }
    for (size_t size = 0; size < sizeof go_note - 1; size++) {
        assert_int_not_equal(ck_note_check(go_note, size, &key, NULL), 0);
    }
}

static void a_key_is_refused_whose_id_is_wrong(void **state)
{
    (void)state;
    struct ck_note_key key;
    static const char wrong[] =
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    static const char *const malformed[] = {
        "",
        "a",
        "a+b",
        "a+00000000+",
        "a+0000000+AA==",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"};
    assert_int_equal(ck_note_key_parse(wrong, &key), CK_E_AUTH);
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        assert_int_equal(ck_note_key_parse(malformed[i], &key), CK_E_SYNTAX);
    }
    assert_false(ck_note_name_good("two words"));
    assert_false(ck_note_name_good("a+b"));
    assert_false(ck_note_name_good("no\xc2\xa0space"));
    assert_true(ck_note_name_good("\xd0\xb6\xd1\x83\xd1\x80\xd0\xbd\xd0\xb0\xd0\xbb.example"));
}

static void a_checkpoint_comes_back(void **state)
{
    (void)state;
    char note[CK_NOTE_BYTES_MAX + 1];
    struct ck_note_key key = key_of(seed, "example.org/log", CK_NOTE_LOG);
    struct ck_note_key forger = key_of(other_seed, "example.org/log", CK_NOTE_LOG);
    size_t size = sign(&key, seed, note);
    struct ck_checkpoint checkpoint;
    assert_int_equal(ck_checkpoint_parse(note, size, &checkpoint), 0);
    assert_string_equal(checkpoint.origin, "example.org/log");
    assert_int_equal(checkpoint.size, 42);
    assert_int_equal(checkpoint.root.bytes[31], 7);
    assert_int_equal(ck_note_check(note, size, &key, NULL), 0);
    assert_int_equal(ck_note_check(note, size, &forger, NULL), CK_E_NOT_FOUND);
    /* In the log's name and with its id, but by another key. */
    memcpy(forger.id, key.id, sizeof key.id);
    assert_int_equal(ck_note_check(note, size, &forger, NULL), CK_E_AUTH);
}

static void a_witness_signs_what_it_saw_and_when(void **state)
{
    (void)state;
    char note[CK_NOTE_BYTES_MAX + 1], line[256];
    struct ck_note_key log = key_of(seed, "example.org/log", CK_NOTE_LOG);
    struct ck_note_key witness = key_of(other_seed, "witness.example.org", CK_NOTE_WITNESS);
    size_t size = sign(&log, seed, note);
    uint64_t seconds = 0;
    assert_int_equal(
        ck_note_cosign(note, size, &witness, other_seed, 1795233600, line, sizeof line), 0);
    assert_int_equal(ck_note_add(note, &size, line, strlen(line), &log), CK_E_NOT_FOUND);
    assert_int_equal(ck_note_add(note, &size, line, strlen(line), &witness), 0);
    assert_int_equal(ck_note_add(note, &size, line, strlen(line), &witness), CK_E_CONFLICT);
    assert_int_equal(ck_note_check(note, size, &witness, &seconds), 0);
    assert_int_equal(seconds, 1795233600);
    assert_int_equal(ck_note_check(note, size, &log, &seconds), 0);
    /* The same signature under another checkpoint is none. */
    char other[CK_NOTE_BYTES_MAX + 1];
    memcpy(other, note, size + 1);
    other[strcspn(other, "\n") + 1] = '5';
    assert_int_equal(ck_note_check(other, size, &witness, &seconds), CK_E_AUTH);
}

static void a_proof_comes_back(void **state)
{
    (void)state;
    char note[CK_NOTE_BYTES_MAX + 1], text[CK_PROOF_TEXT_MAX];
    struct ck_note_key key = key_of(seed, "example.org/log", CK_NOTE_LOG);
    size_t note_size = sign(&key, seed, note), size = 0;
    struct ck_merkle_proof path = {.count = 3};
    memset(path.path, 9, sizeof path.path);
    assert_int_equal(
        ck_entry_proof_write(17, &path, note, note_size, NULL, text, sizeof text, &size), 0);
    struct ck_entry_proof proof;
    assert_int_equal(ck_entry_proof_read(text, size, &proof), 0);
    assert_int_equal(proof.index, 17);
    assert_int_equal(proof.path.count, 3);
    assert_int_equal(proof.checkpoint.size, 42);
    assert_int_equal(proof.note_size, note_size);
    assert_memory_equal(proof.note, note, note_size);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_not_equal(ck_entry_proof_read(text, cut, &proof), 0);
    }
    static const char extra[] = "c2sp.org/tlog-proof@v1\nextra AAAA\n";
    char with_extra[CK_PROOF_TEXT_MAX];
    int length = snprintf(with_extra, sizeof with_extra, "%s%s", extra, strchr(text, '\n') + 1);
    assert_int_equal(ck_entry_proof_read(with_extra, (size_t)length, &proof), 0);
}

static void what_lies_beside_a_proof_comes_back(void **state)
{
    (void)state;
    char note[CK_NOTE_BYTES_MAX + 1], text[CK_PROOF_TEXT_MAX];
    uint8_t beside[CK_PROOF_EXTRA_MAX + 1], read[CK_PROOF_EXTRA_MAX];
    struct ck_note_key key = key_of(seed, "example.org/log", CK_NOTE_LOG);
    size_t note_size = sign(&key, seed, note), size = 0, got = 0;
    struct ck_merkle_proof path = {.count = 3};
    struct ck_entry_proof proof;
    for (size_t i = 0; i < sizeof beside; i++) {
        beside[i] = (uint8_t)(i * 7);
    }
    static const size_t sizes[] = {0, 1, 2, 3, CK_PROOF_EXTRA_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct ck_slice extra = {beside, sizes[i]};
        assert_int_equal(
            ck_entry_proof_write(17, &path, note, note_size, &extra, text, sizeof text, &size), 0);
        assert_int_equal(strlen(text), size);
        assert_int_equal(ck_entry_proof_read(text, size, &proof), 0);
        assert_int_equal(proof.index, 17);
        assert_int_equal(ck_entry_proof_extra(&proof, read, &got), 0);
        assert_int_equal(got, sizes[i]);
        assert_memory_equal(read, beside, got);
    }
    const struct ck_slice long_one = {beside, sizeof beside};
    assert_int_equal(
        ck_entry_proof_write(17, &path, note, note_size, &long_one, text, sizeof text, &size),
        CK_E_LIMIT);
    assert_int_equal(
        ck_entry_proof_write(17, &path, note, note_size, NULL, text, sizeof text, &size), 0);
    assert_int_equal(ck_entry_proof_read(text, size, &proof), 0);
    assert_int_equal(ck_entry_proof_extra(&proof, read, &got), CK_E_NOT_FOUND);
}

static void a_witness_is_asked_in_its_form(void **state)
{
    (void)state;
    char note[CK_NOTE_BYTES_MAX + 1], text[CK_PROOF_TEXT_MAX], expected[CK_PROOF_TEXT_MAX];
    struct ck_note_key key = key_of(seed, "example.org/log", CK_NOTE_LOG);
    sign(&key, seed, note);
    struct ck_merkle_proof proof = {.count = 1};
    assert_int_equal(ck_add_checkpoint_write(17, &proof, note, text, sizeof text), 0);
    snprintf(expected, sizeof expected,
             "old 17\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n%s", note);
    assert_string_equal(text, expected);
}

static void tiles_have_their_paths(void **state)
{
    (void)state;
    char path[CK_TILE_PATH_SIZE];
    ck_tile_path(0, 0, CK_TILE_WIDTH, path);
    assert_string_equal(path, "tile/0/000");
    ck_tile_path(0, 1234067, CK_TILE_WIDTH, path);
    assert_string_equal(path, "tile/0/x001/x234/067");
    ck_tile_path(CK_TILE_ENTRIES, 273, 112, path);
    assert_string_equal(path, "tile/entries/273.p/112");
    ck_tile_path(2, UINT64_MAX, 1, path);
    assert_string_equal(path, "tile/2/x018/x446/x744/x073/x709/x551/615.p/1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_notes_are_read),
        cmocka_unit_test(a_changed_note_is_refused),
        cmocka_unit_test(a_key_is_refused_whose_id_is_wrong),
        cmocka_unit_test(a_checkpoint_comes_back),
        cmocka_unit_test(a_witness_signs_what_it_saw_and_when),
        cmocka_unit_test(a_proof_comes_back),
        cmocka_unit_test(what_lies_beside_a_proof_comes_back),
        cmocka_unit_test(a_witness_is_asked_in_its_form),
        cmocka_unit_test(tiles_have_their_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
