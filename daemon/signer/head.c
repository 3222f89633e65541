#include "daemon/signer/head.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define HEAD_MAX 8192 /* bytes of the file: 63 roots of 65 characters, and the name */
#define HEAD_FORM "checkin-signer head 1"

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0) {
            return -errno;
        }
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Puts a file in place as a whole, durable when it returns. */
static int replace(int folder, const char *name, const char *bytes, size_t size, mode_t mode)
{
    char fresh[64];
    snprintf(fresh, sizeof fresh, "%s.new", name);
    ck_cleanup(ck_closep) int fd =
        openat(folder, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return -errno;
    }
    int r = write_all(fd, bytes, size);
    if (r == 0 &&
        (fsync(fd) != 0 || renameat(folder, fresh, folder, name) != 0 || fsync(folder) != 0)) {
        r = -errno;
    }
    return r;
}

/* Reads a whole small file as text. */
static int read_file(int folder, const char *name, char *text, size_t capacity)
{
    ck_cleanup(ck_closep) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < capacity) {
        got = read(fd, text + size, capacity - size);
        size += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        return -errno;
    }
    if (size == capacity) {
        return CK_E_SYNTAX;
    }
    text[size] = '\0';
    return strlen(text) == size ? 0 : CK_E_SYNTAX;
}

/* ---- the key ---- */

static int make_key(struct ck_signer_head *head, void (*random)(void *bytes, size_t size))
{
    char text[CK_HEX_SIZE(CK_ED25519_SIZE) + 1];
    random(head->seed, sizeof head->seed);
    ck_hex_encode(head->seed, sizeof head->seed, text);
    strncat(text, "\n", 1);
    int r = replace(head->folder, "log.key", text, strlen(text), 0400);
    ck_wipe(text, sizeof text);
    return r;
}

static int read_seed(int folder, const char *path, uint8_t seed[static CK_ED25519_SIZE])
{
    char text[256];
    int r = read_file(folder, path, text, sizeof text);
    if (r == 0) {
        text[strcspn(text, "\r\n")] = '\0';
        r = ck_hex_decode(text, seed, CK_ED25519_SIZE);
    }
    ck_wipe(text, sizeof text);
    return r;
}

static int public_of(const uint8_t seed[static CK_ED25519_SIZE], const char *name,
                     struct ck_note_key *key)
{
    uint8_t public_key[CK_ED25519_SIZE];
    int r = ck_ed25519_public(seed, public_key);
    return r == 0 ? ck_note_key_make(name, CK_NOTE_LOG, public_key, key) : r;
}

static int load_key(struct ck_signer_head *head, const char *path, const char *name,
                    void (*random)(void *bytes, size_t size))
{
    char public_text[CK_NOTE_KEY_TEXT_SIZE + 1];
    int r = read_seed(head->folder, path == NULL ? "log.key" : path, head->seed);
    r = r == -ENOENT && path == NULL ? make_key(head, random) : r;
    r = r == 0 ? public_of(head->seed, name, &head->key) : r;
    if (r == 0) {
        ck_note_key_text(&head->key, public_text);
        size_t size = strlen(public_text);
        public_text[size] = '\n';
        r = replace(head->folder, "log.vkey", public_text, size + 1, 0444);
    }
    return r;
}

static int load_old_key(struct ck_signer_head *head, const char *path, const char *name)
{
    int r = read_seed(head->folder, path == NULL ? "log.key.old" : path, head->old_seed);
    if (r == -ENOENT && path == NULL) {
        return 0;
    }
    r = r == 0 ? public_of(head->old_seed, name, &head->old_key) : r;
    /* One that was copied, not moved, is no second key: a note bears each signature once. */
    head->has_old = r == 0 && memcmp(head->old_key.key, head->key.key, sizeof head->key.key) != 0;
    return r;
}

/* ---- the head ---- */

/* The file: form, name, id of the key, size, then one root a line. */
static int print_head(const struct ck_signer_head *head, const struct ck_frontier *frontier,
                      char text[static HEAD_MAX], size_t *size)
{
    char hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
    ck_hex_encode(head->key.id, sizeof head->key.id, hex);
    int at = snprintf(text, HEAD_MAX, HEAD_FORM "\n%s\n%s\n%" PRIu64 "\n", head->key.name, hex,
                      frontier->size);
    for (size_t i = 0; i < ck_frontier_count(frontier); i++) {
        ck_hex_encode(frontier->roots[i].bytes, CK_SHA256_SIZE, hex);
        at += snprintf(text + at, (size_t)(HEAD_MAX - at), "%s\n", hex);
    }
    *size = (size_t)at;
    return at < HEAD_MAX ? 0 : CK_E_LIMIT;
}

/* The next line, ended by a zero; NULL where there is none. */
static char *next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *at = end + 1;
    return line;
}

/* Whether a head was signed by this key. */
static bool is_by(const struct ck_note_key *key, const char *quoted)
{
    char id[CK_HEX_SIZE(4)];
    ck_hex_encode(key->id, sizeof key->id, id);
    return strcmp(quoted, id) == 0;
}

static int parse_head(struct ck_signer_head *head, char *text)
{
    char *at = text, *form = next_line(&at);
    char *name = form == NULL ? NULL : next_line(&at);
    char *key = name == NULL ? NULL : next_line(&at);
    char *size = key == NULL ? NULL : next_line(&at);
    struct ck_frontier frontier = {.size = 0};
    if (size == NULL || strcmp(form, HEAD_FORM) != 0) {
        return CK_E_SYNTAX;
    }
    if (strcmp(name, head->key.name) != 0 ||
        !(is_by(&head->key, key) || (head->has_old && is_by(&head->old_key, key)))) {
        return CK_E_CONFLICT;
    }
    char *end;
    errno = 0;
    frontier.size = strtoull(size, &end, 10);
    if (errno != 0 || end == size || *end != '\0' || frontier.size > INT64_MAX) {
        return CK_E_SYNTAX;
    }
    for (size_t i = 0; i < ck_frontier_count(&frontier); i++) {
        char *line = next_line(&at);
        if (line == NULL ||
            ck_hex_decode(line, frontier.roots[i].bytes, sizeof frontier.roots[i].bytes) != 0) {
            return CK_E_SYNTAX;
        }
    }
    if (*at != '\0') {
        return CK_E_SYNTAX;
    }
    head->last = frontier;
    return ck_frontier_root(&frontier, &head->last_root);
}

int ck_signer_head_open(struct ck_signer_head *head, const char *folder,
                        const struct ck_signer_keys *keys, const char *name,
                        void (*random)(void *bytes, size_t size))
{
    char text[HEAD_MAX];
    *head = (struct ck_signer_head){.folder = -1};
    if (!ck_note_name_good(name)) {
        return CK_E_INVALID;
    }
    head->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (head->folder < 0) {
        return -errno;
    }
    int r = load_key(head, keys == NULL ? NULL : keys->key, name, random);
    r = r == 0 ? load_old_key(head, keys == NULL ? NULL : keys->old, name) : r;
    if (r == 0) {
        r = read_file(head->folder, "head", text, sizeof text);
        r = r == -ENOENT ? ck_merkle_empty(&head->last_root) : r == 0 ? parse_head(head, text) : r;
    }
    if (r != 0) {
        ck_signer_head_close(head);
    }
    return r;
}

/* Adds the signature of the key of before. */
static int sign_with_old(const struct ck_signer_head *head, const struct ck_checkpoint *checkpoint,
                         char *note, size_t *size)
{
    char old[CK_NOTE_BYTES_MAX + 1];
    size_t old_size = 0;
    int r =
        ck_checkpoint_sign(checkpoint, &head->old_key, head->old_seed, old, sizeof old, &old_size);
    const char *line = r == 0 ? strstr(old, "\n\n") + 2 : NULL; /* its one signature */
    return r == 0 ? ck_note_add(note, size, line, (size_t)(old + old_size - line), &head->old_key)
                  : r;
}

int ck_signer_head_sign(struct ck_signer_head *head, const struct ck_frontier *grown,
                        char note[static CK_NOTE_BYTES_MAX + 1], size_t *size)
{
    struct ck_checkpoint checkpoint = {.size = grown->size};
    char text[HEAD_MAX];
    size_t text_size = 0;
    memcpy(checkpoint.origin, head->key.name, sizeof checkpoint.origin);
    int r = ck_frontier_root(grown, &checkpoint.root);
    r = r == 0 ? ck_checkpoint_sign(&checkpoint, &head->key, head->seed, note,
                                    CK_NOTE_BYTES_MAX + 1, size)
               : r;
    r = r == 0 && head->has_old ? sign_with_old(head, &checkpoint, note, size) : r;
    r = r == 0 ? print_head(head, grown, text, &text_size) : r;
    r = r == 0 ? replace(head->folder, "head", text, text_size, 0600) : r;
    if (r != 0) {
        return r;
    }
    head->last = *grown;
    head->last_root = checkpoint.root;
    /* For whoever looks into the folder; the head is what counts. */
    return replace(head->folder, "checkpoint", note, *size, 0444);
}

void ck_signer_head_close(struct ck_signer_head *head)
{
    if (head->folder >= 0) {
        close(head->folder);
    }
    ck_wipe(head, sizeof *head);
    head->folder = -1;
}
