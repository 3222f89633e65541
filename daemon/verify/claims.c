#include "daemon/verify/claims.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define TEXT_SIZE ((size_t)4 * CK_NOTE_BYTES_MAX)

struct ck_claims_file {
    int fd;
    bool from_elsewhere;
    bool ended;       /* nothing more is to be read */
    const char *what; /* each note is; NULL: by its number and the file */
    char name[48];
    uint64_t offset; /* of the text in the file */
    size_t at, have; /* read, there */
    uint64_t number; /* of notes read */
    size_t first, count;
    struct ck_claim window[CK_CLAIMS_WINDOW]; /* a ring, smallest first */
    char text[TEXT_SIZE];
};

int ck_claims_add(struct ck_claims *claims, const char *path, const char *what, bool from_elsewhere)
{
    const char *name = strrchr(path, '/');
    if (claims->count == CK_CLAIMS_FILES_MAX) {
        return CK_E_LIMIT;
    }
    ck_cleanup(ck_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    struct ck_claims_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return -ENOMEM;
    }
    file->fd = ck_take_fd(&fd);
    file->from_elsewhere = from_elsewhere;
    file->what = what;
    snprintf(file->name, sizeof file->name, "%s", name == NULL ? path : name + 1);
    claims->files[claims->count++] = file;
    return 0;
}

void ck_claims_deinit(struct ck_claims *claims)
{
    for (size_t i = 0; i < claims->count; i++) {
        close(claims->files[i]->fd);
        free(claims->files[i]);
    }
    claims->count = 0;
}

static void name_note(const struct ck_claims_file *file, uint64_t number,
                      char name[static CK_CLAIM_NAME_SIZE])
{
    if (file->what != NULL) {
        snprintf(name, CK_CLAIM_NAME_SIZE, "%s", file->what);
    } else {
        snprintf(name, CK_CLAIM_NAME_SIZE, "checkpoint %" PRIu64 " of %s", number, file->name);
    }
}

/* ---- reading ahead ---- */

/* Where a note ends: behind its last signature line. */
static size_t note_end(const char *text, size_t size)
{
    const char *blank = memmem(text, size, "\n\n", 2);
    const char *end =
        blank == NULL ? NULL : memmem(blank + 2, (size_t)(text + size - blank - 2), "\n\n", 2);
    return end == NULL ? size : (size_t)(end - text) + 1;
}

/* Has a whole note in the text, unless the file ends. */
static int read_on(struct ck_claims_file *file)
{
    ssize_t got = 1;
    if (file->have - file->at > CK_NOTE_BYTES_MAX + 1) {
        return 0;
    }
    memmove(file->text, file->text + file->at, file->have - file->at);
    file->offset += file->at;
    file->have -= file->at;
    file->at = 0;
    while (got > 0 && file->have < TEXT_SIZE) {
        got = pread(file->fd, file->text + file->have, TEXT_SIZE - file->have,
                    (off_t)(file->offset + file->have));
        file->have += got > 0 ? (size_t)got : 0;
    }
    return got < 0 ? -errno : 0;
}

static struct ck_claim *place(struct ck_claims_file *file, size_t number)
{
    return &file->window[(file->first + number) % CK_CLAIMS_WINDOW];
}

static void insert(struct ck_claims_file *file, struct ck_claim claim)
{
    size_t at = file->count++;
    for (; at > 0 && place(file, at - 1)->size > claim.size; at--) {
        *place(file, at) = *place(file, at - 1);
    }
    *place(file, at) = claim;
}

static void read_note(struct ck_claims *claims, struct ck_claims_file *file)
{
    struct ck_checkpoint checkpoint;
    const char *text = file->text + file->at;
    size_t size = note_end(text, file->have - file->at);
    file->number++;
    if (size <= CK_NOTE_BYTES_MAX && ck_checkpoint_parse(text, size, &checkpoint) == 0) {
        insert(file, (struct ck_claim){.size = checkpoint.size,
                                       .root = checkpoint.root,
                                       .at = file->offset + file->at,
                                       .bytes = size,
                                       .number = file->number});
    } else {
        char name[CK_CLAIM_NAME_SIZE];
        name_note(file, file->number, name);
        ck_verdict_find(claims->verdict, "unsigned", "%s is no checkpoint", name);
    }
    file->at += size;
    file->at += file->at < file->have && file->text[file->at] == '\n';
}

static int fill(struct ck_claims *claims, struct ck_claims_file *file)
{
    int r = 0;
    while (r == 0 && !file->ended && file->count < CK_CLAIMS_WINDOW) {
        r = read_on(file);
        file->ended = r == 0 && file->at == file->have;
        if (r == 0 && !file->ended) {
            read_note(claims, file);
        }
    }
    return r;
}

/* ---- taking ---- */

/* The file that has the smallest; NULL: none has any. */
static int smallest(struct ck_claims *claims, struct ck_claims_file **which)
{
    int r = 0;
    *which = NULL;
    for (size_t i = 0; r == 0 && i < claims->count; i++) {
        struct ck_claims_file *file = claims->files[i];
        r = fill(claims, file);
        if (r == 0 && file->count > 0 &&
            (*which == NULL || place(file, 0)->size < place(*which, 0)->size)) {
            *which = file;
        }
    }
    return r;
}

int ck_claims_peek(struct ck_claims *claims, const struct ck_claim **next)
{
    struct ck_claims_file *file;
    int r = smallest(claims, &file);
    *next = r != 0 || file == NULL ? NULL : place(file, 0);
    return r;
}

int ck_claims_take(struct ck_claims *claims, struct ck_claim_note *taken)
{
    struct ck_claims_file *file;
    int r = smallest(claims, &file);
    if (r != 0 || file == NULL) {
        return r != 0 ? r : CK_E_NOT_FOUND;
    }
    taken->claim = *place(file, 0);
    taken->from_elsewhere = file->from_elsewhere;
    name_note(file, taken->claim.number, taken->name);
    file->first = (file->first + 1) % CK_CLAIMS_WINDOW;
    file->count--;
    errno = EIO; /* where the file was cut off meanwhile */
    return pread(file->fd, taken->text, taken->claim.bytes, (off_t)taken->claim.at) ==
                   (ssize_t)taken->claim.bytes
               ? 0
               : -errno;
}
