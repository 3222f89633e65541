#include "protocol/note.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define DASH_SIZE (sizeof DASH - 1)
#define SIGNATURE_MAX (4 + 8 + CK_ED25519_SIGNATURE_SIZE)
#define BODY_MAX 1024 /* bytes of the text of a checkpoint */
#define COSIGNED_MAX (BODY_MAX + 64)

/* ---- keys ---- */

static bool is_space(const unsigned char *at)
{
    static const char *const wide[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                       "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
                                       "\xe2\x81\x9f", "\xe3\x80\x80"};
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        if (strncmp((const char *)at, wide[i], strlen(wide[i])) == 0) {
            return true;
        }
    }
    return at[0] <= ' ' || at[0] == 0x7f ||
           (at[0] == 0xe2 && at[1] == 0x80 && at[2] >= 0x80 && at[2] <= 0x8a);
}

bool ck_note_name_good(const char *name)
{
    size_t size = strnlen(name, CK_NOTE_NAME_MAX + 1);
    if (size == 0 || size > CK_NOTE_NAME_MAX || !ck_utf8_valid(name, size)) {
        return false;
    }
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '+' || is_space((const unsigned char *)at)) {
            return false;
        }
    }
    return true;
}

static int key_id(const char *name, uint8_t type, const uint8_t *public_key, uint8_t id[4])
{
    uint8_t digest[CK_SHA256_SIZE];
    const struct ck_slice slices[] = {
        {name, strlen(name)}, {"\n", 1}, {&type, 1}, {public_key, CK_ED25519_SIZE}};
    int r = ck_sha256(slices, 4, digest);
    if (r == 0) {
        memcpy(id, digest, 4);
    }
    return r;
}

int ck_note_key_make(const char *name, enum ck_note_key_type type,
                     const uint8_t public_key[static CK_ED25519_SIZE], struct ck_note_key *key)
{
    struct ck_note_key made = {.type = (uint8_t)type};
    if (!ck_note_name_good(name) || (type != CK_NOTE_LOG && type != CK_NOTE_WITNESS)) {
        return CK_E_INVALID;
    }
    memcpy(made.name, name, strlen(name));
    memcpy(made.key, public_key, sizeof made.key);
    int r = key_id(name, made.type, public_key, made.id);
    if (r == 0) {
        *key = made;
    }
    return r;
}

void ck_note_key_text(const struct ck_note_key *key, char text[static CK_NOTE_KEY_TEXT_SIZE])
{
    uint8_t material[1 + CK_ED25519_SIZE];
    char id[CK_HEX_SIZE(sizeof key->id)], encoded[CK_BASE64_SIZE(sizeof material)];
    material[0] = key->type;
    memcpy(material + 1, key->key, sizeof key->key);
    ck_hex_encode(key->id, sizeof key->id, id);
    ck_base64_encode(material, sizeof material, encoded);
    snprintf(text, CK_NOTE_KEY_TEXT_SIZE, "%s+%s+%s", key->name, id, encoded);
}

int ck_note_key_parse(const char *text, struct ck_note_key *key)
{
    char name[CK_NOTE_NAME_MAX + 1], id_text[9], encoded[64];
    uint8_t material[1 + CK_ED25519_SIZE], id[4];
    const char *first = strchr(text, '+');
    const char *second = first == NULL ? NULL : strchr(first + 1, '+');
    size_t rest = second == NULL ? 0 : strcspn(second + 1, " \r\n"), size = 0;
    if (second == NULL || first - text > CK_NOTE_NAME_MAX || second - first != 9 ||
        rest >= sizeof encoded) {
        return CK_E_SYNTAX;
    }
    snprintf(name, sizeof name, "%.*s", (int)(first - text), text);
    snprintf(id_text, sizeof id_text, "%.8s", first + 1);
    snprintf(encoded, sizeof encoded, "%.*s", (int)rest, second + 1);
    if (ck_hex_decode(id_text, id, sizeof id) != 0 ||
        ck_base64_decode(encoded, material, sizeof material, &size) != 0 ||
        size != sizeof material || second[1 + rest + strspn(second + 1 + rest, " \r\n")] != '\0') {
        return CK_E_SYNTAX;
    }
    struct ck_note_key read;
    int r = ck_note_key_make(name, (enum ck_note_key_type)material[0], material + 1, &read);
    if (r != 0) {
        return r == CK_E_INVALID ? CK_E_SYNTAX : r;
    }
    if (memcmp(read.id, id, sizeof id) != 0) {
        return CK_E_AUTH;
    }
    *key = read;
    return 0;
}

/* ---- notes ---- */

/* The text of a note, with its last line end, and the signatures behind the empty line. */
struct parts {
    const char *body, *signatures;
    size_t body_size, signatures_size;
};

static int split(const char *note, size_t size, struct parts *parts)
{
    if (size > CK_NOTE_BYTES_MAX) {
        return CK_E_LIMIT;
    }
    if (size < 4 || note[size - 1] != '\n' || !ck_utf8_valid(note, size)) {
        return CK_E_SYNTAX;
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)note[i] < ' ' && note[i] != '\n') {
            return CK_E_SYNTAX;
        }
    }
    size_t blank = size - 1; /* where the empty line begins: the last "\n\n" */
    while (blank > 1 && !(note[blank - 1] == '\n' && note[blank - 2] == '\n')) {
        blank--;
    }
    if (blank <= 1) {
        return CK_E_SYNTAX;
    }
    *parts = (struct parts){.body = note,
                            .body_size = blank - 1,
                            .signatures = note + blank,
                            .signatures_size = size - blank};
    return parts->signatures_size == 0 ? CK_E_SYNTAX : 0;
}

/* One signature line, without its line end. */
struct signature {
    const char *name;
    size_t name_size;
    uint8_t bytes[SIGNATURE_MAX];
    size_t size; /* 0: longer than any that is known here */
};

static int read_signature(const char *line, size_t size, struct signature *signature)
{
    if (size <= DASH_SIZE || memcmp(line, DASH, DASH_SIZE) != 0) {
        return CK_E_SYNTAX;
    }
    const char *name = line + DASH_SIZE, *end = line + size;
    const char *space = memchr(name, ' ', (size_t)(end - name));
    if (space == NULL || space == name || space + 1 == end) {
        return CK_E_SYNTAX;
    }
    signature->name = name;
    signature->name_size = (size_t)(space - name);
    signature->size = 0;
    char encoded[CK_BASE64_SIZE(SIGNATURE_MAX)];
    size_t encoded_size = (size_t)(end - space - 1);
    if (encoded_size >= sizeof encoded) {
        return 0; /* of a kind that is not known here */
    }
    memcpy(encoded, space + 1, encoded_size);
    encoded[encoded_size] = '\0';
    size_t got = 0;
    if (ck_base64_decode(encoded, signature->bytes, sizeof signature->bytes, &got) != 0 ||
        got < 5) {
        return CK_E_SYNTAX;
    }
    signature->size = got;
    return 0;
}

static bool is_of(const struct signature *signature, const struct ck_note_key *key)
{
    return signature->name_size == strlen(key->name) &&
           memcmp(signature->name, key->name, signature->name_size) == 0 && signature->size >= 4 &&
           memcmp(signature->bytes, key->id, sizeof key->id) == 0;
}

static uint64_t read_seconds(const uint8_t bytes[static 8])
{
    uint64_t seconds = 0;
    for (size_t i = 0; i < 8; i++) {
        seconds = seconds << 8 | bytes[i];
    }
    return seconds;
}

/* What a witness signs: when it saw the checkpoint, and its text. */
static int cosigned(const struct parts *parts, uint64_t seconds, char message[static COSIGNED_MAX],
                    size_t *size)
{
    int head = snprintf(message, COSIGNED_MAX, "cosignature/v1\ntime %" PRIu64 "\n", seconds);
    if (parts->body_size > COSIGNED_MAX - (size_t)head) {
        return CK_E_LIMIT;
    }
    memcpy(message + head, parts->body, parts->body_size);
    *size = (size_t)head + parts->body_size;
    return 0;
}

static int check_signature(const struct parts *parts, const struct signature *signature,
                           const struct ck_note_key *key, uint64_t *seconds)
{
    if (key->type == CK_NOTE_LOG) {
        if (signature->size != 4 + CK_ED25519_SIGNATURE_SIZE) {
            return CK_E_AUTH;
        }
        *seconds = 0;
        return ck_ed25519_verify(key->key, parts->body, parts->body_size, signature->bytes + 4);
    }
    char message[COSIGNED_MAX];
    size_t size = 0;
    if (signature->size != SIGNATURE_MAX) {
        return CK_E_AUTH;
    }
    *seconds = read_seconds(signature->bytes + 4);
    int r = cosigned(parts, *seconds, message, &size);
    return r != 0 ? r : ck_ed25519_verify(key->key, message, size, signature->bytes + 12);
}

int ck_note_check(const char *note, size_t size, const struct ck_note_key *key, uint64_t *seconds)
{
    struct parts parts;
    int r = split(note, size, &parts), found = CK_E_NOT_FOUND;
    const char *line = parts.signatures;
    for (size_t i = 0; r == 0 && line < note + size; i++) {
        const char *end = memchr(line, '\n', (size_t)(note + size - line));
        struct signature signature;
        if (i == CK_NOTE_SIGNATURES_MAX) {
            return CK_E_LIMIT;
        }
        r = read_signature(line, (size_t)(end - line), &signature);
        if (r == 0 && is_of(&signature, key)) {
            uint64_t at;
            r = check_signature(&parts, &signature, key, &at);
            found = 0;
            if (r == 0 && seconds != NULL) {
                *seconds = at;
            }
        }
        line = end + 1;
    }
    return r != 0 ? r : found;
}

int ck_note_add(char *note, size_t *size, const char *line, size_t line_size,
                const struct ck_note_key *key)
{
    struct parts parts;
    struct signature signature;
    uint64_t seconds;
    int r = split(note, *size, &parts);
    if (r == 0) {
        r = line_size < 2 || line[line_size - 1] != '\n'
                ? CK_E_SYNTAX
                : read_signature(line, line_size - 1, &signature);
    }
    if (r == 0) {
        r = is_of(&signature, key) ? check_signature(&parts, &signature, key, &seconds)
                                   : CK_E_NOT_FOUND;
    }
    if (r == 0 && memmem(parts.signatures, parts.signatures_size, line, line_size) != NULL) {
        r = CK_E_CONFLICT;
    }
    if (r == 0 && *size + line_size > CK_NOTE_BYTES_MAX) {
        r = CK_E_LIMIT;
    }
    if (r != 0) {
        return r;
    }
    memcpy(note + *size, line, line_size);
    *size += line_size;
    note[*size] = '\0';
    return 0;
}

static int write_line(const struct ck_note_key *key, const uint8_t *signature, size_t size,
                      char *line, size_t capacity)
{
    uint8_t bytes[SIGNATURE_MAX];
    char encoded[CK_BASE64_SIZE(SIGNATURE_MAX)];
    memcpy(bytes, key->id, 4);
    memcpy(bytes + 4, signature, size);
    ck_base64_encode(bytes, 4 + size, encoded);
    int length = snprintf(line, capacity, DASH "%s %s\n", key->name, encoded);
    return length < 0 || (size_t)length >= capacity ? CK_E_LIMIT : 0;
}

int ck_note_cosign(const char *note, size_t size, const struct ck_note_key *key,
                   const uint8_t seed[static CK_ED25519_SIZE], uint64_t seconds, char *line,
                   size_t capacity)
{
    struct parts parts;
    char message[COSIGNED_MAX];
    uint8_t signature[8 + CK_ED25519_SIGNATURE_SIZE];
    size_t message_size = 0;
    int r = split(note, size, &parts);
    r = r == 0 ? cosigned(&parts, seconds, message, &message_size) : r;
    for (size_t i = 0; i < 8; i++) {
        signature[i] = (uint8_t)(seconds >> (56 - 8 * i));
    }
    r = r == 0 ? ck_ed25519_sign(seed, message, message_size, signature + 8) : r;
    return r == 0 ? write_line(key, signature, sizeof signature, line, capacity) : r;
}

/* ---- checkpoints ---- */

static int write_body(const struct ck_checkpoint *checkpoint, char *text, size_t capacity,
                      size_t *size)
{
    char root[CK_BASE64_SIZE(CK_SHA256_SIZE)];
    ck_base64_encode(checkpoint->root.bytes, sizeof checkpoint->root.bytes, root);
    int length = snprintf(text, capacity, "%s\n%" PRIu64 "\n%s\n", checkpoint->origin,
                          checkpoint->size, root);
    if (length < 0 || (size_t)length >= capacity) {
        return CK_E_LIMIT;
    }
    *size = (size_t)length;
    return 0;
}

int ck_checkpoint_sign(const struct ck_checkpoint *checkpoint, const struct ck_note_key *key,
                       const uint8_t seed[static CK_ED25519_SIZE], char *note, size_t capacity,
                       size_t *size)
{
    uint8_t signature[CK_ED25519_SIGNATURE_SIZE];
    size_t body = 0;
    if (!ck_note_name_good(checkpoint->origin)) {
        return CK_E_INVALID;
    }
    int r = write_body(checkpoint, note, capacity, &body);
    r = r == 0 ? ck_ed25519_sign(seed, note, body, signature) : r;
    if (r == 0 && body + 1 >= capacity) {
        r = CK_E_LIMIT;
    }
    if (r == 0) {
        note[body] = '\n';
        r = write_line(key, signature, sizeof signature, note + body + 1, capacity - body - 1);
    }
    if (r == 0) {
        *size = strlen(note);
    }
    return r;
}

/* A decimal number without leading zeros up to the end of its line. */
static bool take_number(const char **at, const char *end, uint64_t *number)
{
    uint64_t value = 0;
    const char *from = *at;
    while (*at < end && **at >= '0' && **at <= '9') {
        uint64_t digit = (uint64_t)(**at - '0');
        if (value > (INT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
        (*at)++;
    }
    if (*at == from || (*from == '0' && *at - from > 1) || *at == end || **at != '\n') {
        return false;
    }
    (*at)++;
    *number = value;
    return true;
}

/* A line that is the base64 of a hash. */
static bool take_hash(const char **at, const char *end, struct ck_hash *hash)
{
    char encoded[CK_BASE64_SIZE(CK_SHA256_SIZE)];
    const size_t length = sizeof encoded - 1;
    size_t got = 0;
    if ((size_t)(end - *at) <= length || (*at)[length] != '\n') {
        return false;
    }
    memcpy(encoded, *at, length);
    encoded[length] = '\0';
    *at += length + 1;
    return ck_base64_decode(encoded, hash->bytes, sizeof hash->bytes, &got) == 0 &&
           got == sizeof hash->bytes;
}

int ck_checkpoint_parse(const char *note, size_t size, struct ck_checkpoint *checkpoint)
{
    struct parts parts;
    struct ck_checkpoint read = {.size = 0};
    int r = split(note, size, &parts);
    if (r != 0) {
        return r;
    }
    const char *end = note + parts.body_size, *at = note;
    const char *line = memchr(note, '\n', parts.body_size);
    if (line == NULL || line == note || line - note > CK_NOTE_NAME_MAX) {
        return CK_E_SYNTAX;
    }
    memcpy(read.origin, note, (size_t)(line - note));
    at = line + 1;
    if (!take_number(&at, end, &read.size) || !take_hash(&at, end, &read.root)) {
        return CK_E_SYNTAX;
    }
    *checkpoint = read;
    return 0;
}

/* ---- proofs of one entry ---- */

#define PROOF_HEAD "c2sp.org/tlog-proof@v1\n"

/* A head, the hashes one a line, an empty line, and the note. */
static int write_proof(const char *word, uint64_t number, const struct ck_merkle_proof *proof,
                       const char *note, size_t note_size, char *text, size_t capacity,
                       size_t *size)
{
    int length = snprintf(text, capacity, "%s %" PRIu64 "\n", word, number);
    size_t at = length < 0 ? capacity : (size_t)length;
    for (size_t i = 0; i < proof->count && at < capacity; i++) {
        char encoded[CK_BASE64_SIZE(CK_SHA256_SIZE)];
        ck_base64_encode(proof->path[i].bytes, sizeof proof->path[i].bytes, encoded);
        at += (size_t)snprintf(text + at, capacity - at, "%s\n", encoded);
    }
    if (at < capacity) {
        at += (size_t)snprintf(text + at, capacity - at, "\n%.*s", (int)note_size, note);
    }
    if (at >= capacity) {
        return CK_E_LIMIT;
    }
    *size = at;
    return 0;
}

int ck_entry_proof_write(uint64_t index, const struct ck_merkle_proof *path, const char *note,
                         size_t note_size, const struct ck_slice *extra, char *text,
                         size_t capacity, size_t *size)
{
    char encoded[CK_BASE64_SIZE(CK_PROOF_EXTRA_MAX)];
    if (extra == NULL) {
        return write_proof(PROOF_HEAD "index", index, path, note, note_size, text, capacity, size);
    }
    if (extra->size > CK_PROOF_EXTRA_MAX) {
        return CK_E_LIMIT;
    }
    ck_base64_encode(extra->data, extra->size, encoded);
    int length = snprintf(text, capacity, PROOF_HEAD "extra %s\n", encoded);
    if (length < 0 || (size_t)length >= capacity) {
        return CK_E_LIMIT;
    }
    int r = write_proof("index", index, path, note, note_size, text + length,
                        capacity - (size_t)length, size);
    *size += r == 0 ? (size_t)length : 0;
    return r;
}

int ck_add_checkpoint_write(uint64_t old, const struct ck_merkle_proof *proof, const char *note,
                            char *text, size_t capacity)
{
    size_t size;
    return write_proof("old", old, proof, note, strlen(note), text, capacity, &size);
}

/* Hashes one a line and the empty line behind them. */
static int take_path(const char **at, const char *end, struct ck_merkle_proof *path)
{
    path->count = 0;
    while (*at < end && **at != '\n') {
        if (path->count == CK_MERKLE_PROOF_MAX) {
            return CK_E_LIMIT;
        }
        if (!take_hash(at, end, &path->path[path->count])) {
            return CK_E_SYNTAX;
        }
        path->count++;
    }
    if (*at == end) {
        return CK_E_TRUNCATED;
    }
    ++*at;
    return 0;
}

int ck_add_checkpoint_read(const char *text, size_t size, struct ck_add_checkpoint *add)
{
    struct ck_add_checkpoint read = {.old = 0};
    const char *at = text, *end = text + size;
    if (size > CK_PROOF_TEXT_MAX) {
        return CK_E_LIMIT;
    }
    if (size < 5 || memcmp(at, "old ", 4) != 0) {
        return CK_E_SYNTAX;
    }
    at += 4;
    if (!take_number(&at, end, &read.old)) {
        return CK_E_SYNTAX;
    }
    int r = take_path(&at, end, &read.proof);
    r = r == 0 ? ck_checkpoint_parse(at, (size_t)(end - at), &read.checkpoint) : r;
    if (r == 0) {
        *add = read;
    }
    return r;
}

int ck_entry_proof_read(const char *text, size_t size, struct ck_entry_proof *proof)
{
    struct ck_entry_proof read = {.index = 0};
    const char *at = text, *end = text + size;
    if (size > CK_PROOF_TEXT_MAX) {
        return CK_E_LIMIT;
    }
    if (size < sizeof PROOF_HEAD || memcmp(text, PROOF_HEAD, sizeof PROOF_HEAD - 1) != 0) {
        return CK_E_SYNTAX;
    }
    at += sizeof PROOF_HEAD - 1;
    if (end - at > 6 && memcmp(at, "extra ", 6) == 0) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        read.extra = at + 6;
        read.extra_size = (size_t)((line == NULL ? end : line) - read.extra);
        at = line == NULL ? end : line + 1;
    }
    if (end - at < 7 || memcmp(at, "index ", 6) != 0) {
        return CK_E_SYNTAX;
    }
    at += 6;
    if (!take_number(&at, end, &read.index)) {
        return CK_E_SYNTAX;
    }
    int r = take_path(&at, end, &read.path);
    if (r != 0) {
        return r;
    }
    read.note = at;
    read.note_size = (size_t)(end - read.note);
    r = ck_checkpoint_parse(read.note, read.note_size, &read.checkpoint);
    if (r == 0) {
        *proof = read;
    }
    return r;
}

int ck_entry_proof_extra(const struct ck_entry_proof *proof,
                         uint8_t bytes[static CK_PROOF_EXTRA_MAX], size_t *size)
{
    char encoded[CK_BASE64_SIZE(CK_PROOF_EXTRA_MAX)];
    if (proof->extra == NULL) {
        return CK_E_NOT_FOUND;
    }
    if (proof->extra_size >= sizeof encoded) {
        return CK_E_LIMIT;
    }
    memcpy(encoded, proof->extra, proof->extra_size);
    encoded[proof->extra_size] = '\0';
    return ck_base64_decode(encoded, bytes, CK_PROOF_EXTRA_MAX, size);
}

/* ---- files ---- */

void ck_tile_path(int level, uint64_t number, unsigned width, char path[static CK_TILE_PATH_SIZE])
{
    char groups[48], *at = groups + sizeof groups;
    *--at = '\0';
    const char *mark = "";
    do { /* three digits a folder, from the right; all but the last have an x in front */
        char group[8];
        int length = snprintf(group, sizeof group, "%s%03u%s", *mark == '\0' ? "" : "x",
                              (unsigned)(number % 1000), mark);
        at -= length;
        memcpy(at, group, (size_t)length);
        mark = "/";
        number /= 1000;
    } while (number > 0);
    char kind[16] = "entries";
    if (level >= 0) {
        snprintf(kind, sizeof kind, "%d", level);
    }
    if (width == CK_TILE_WIDTH) {
        snprintf(path, CK_TILE_PATH_SIZE, "tile/%s/%s", kind, at);
    } else {
        snprintf(path, CK_TILE_PATH_SIZE, "tile/%s/%s.p/%u", kind, at, width);
    }
}
