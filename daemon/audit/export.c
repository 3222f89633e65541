#include "daemon/audit/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/checkpoint.h"
#include "daemon/store/log.h"
#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/leaf.h"
#include "protocol/note.h"

#define LEVELS 8 /* of 256 hashes each */

struct copying {
    int folder;
    struct ck_audit_copy *copy;
    uint64_t until;
    uint64_t next;
    uint8_t *bundle; /* of the entries of one tile */
    size_t bundle_size;
    struct {
        struct ck_hash hashes[CK_TILE_WIDTH];
        size_t count;
        uint64_t number;
    } levels[LEVELS];
};

/* ---- files ---- */

/* Makes the folders above the file. */
static int make_folders(int folder, const char *path)
{
    char part[CK_TILE_PATH_SIZE];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        if (mkdirat(folder, part, 0755) != 0 && errno != EEXIST) {
            return -errno;
        }
    }
    return 0;
}

static int write_file(int folder, const char *path, const void *bytes, size_t size)
{
    int r = make_folders(folder, path);
    ck_cleanup(ck_closep) int fd =
        r != 0 ? -1 : openat(folder, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        return r != 0 ? r : -errno;
    }
    for (const uint8_t *at = bytes; size > 0;) {
        ssize_t written = write(fd, at, size);
        if (written < 0) {
            return -errno;
        }
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

/* ---- tiles ---- */

static int write_tile(struct copying *copying, int level)
{
    char path[CK_TILE_PATH_SIZE];
    size_t count = copying->levels[level].count;
    ck_tile_path(level, copying->levels[level].number, (unsigned)count, path);
    return write_file(copying->folder, path, copying->levels[level].hashes,
                      count * sizeof(struct ck_hash));
}

static int write_bundle(struct copying *copying)
{
    char path[CK_TILE_PATH_SIZE];
    ck_tile_path(CK_TILE_ENTRIES, copying->levels[0].number, (unsigned)copying->levels[0].count,
                 path);
    int r = write_file(copying->folder, path, copying->bundle, copying->bundle_size);
    copying->bundle_size = 0;
    return r;
}

/* Adds a hash to a level; what is full is written, and its root goes one level up. */
static int add_hash(struct copying *copying, int level, const struct ck_hash *hash)
{
    int r = 0;
    struct ck_hash next = *hash;
    for (; r == 0 && level < LEVELS; level++) {
        copying->levels[level].hashes[copying->levels[level].count++] = next;
        if (copying->levels[level].count < CK_TILE_WIDTH) {
            return 0;
        }
        r = level == 0 ? write_bundle(copying) : 0;
        r = r == 0 ? write_tile(copying, level) : r;
        r = r == 0 ? ck_merkle_fold(copying->levels[level].hashes, CK_TILE_WIDTH, &next) : r;
        copying->levels[level].count = 0;
        copying->levels[level].number++;
    }
    return r;
}

static int append(int folder, const char *name, const void *bytes, size_t size)
{
    ck_cleanup(ck_closep) int fd =
        openat(folder, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        return -errno;
    }
    errno = EIO; /* of a write that was short */
    return write(fd, bytes, size) == (ssize_t)size ? 0 : -errno;
}

/* The key that an entry SIGNER_KEY names, as a line of log.vkeys. */
static int copy_key(const struct copying *copying, const struct ck_log_row *row)
{
    char line[CK_NOTE_KEY_TEXT_SIZE + 1];
    struct ck_leaf leaf;
    struct ck_leaf_tail tail;
    if (!ck_leaf_read(row->leaf, row->leaf_size, &leaf) || !ck_leaf_is(leaf.action, "SIGNER_KEY") ||
        !ck_leaf_read_tail(&leaf, &tail)) {
        return 0;
    }
    struct ck_leaf_text key = ck_leaf_string(tail.open, "key");
    int size = snprintf(line, sizeof line, "%.*s\n", (int)key.size, key.at);
    return size < (int)sizeof line ? append(copying->folder, "log.vkeys", line, (size_t)size)
                                   : -EUCLEAN;
}

static int copy_leaf(void *user, const struct ck_log_row *row, bool has_plain)
{
    struct copying *copying = user;
    struct ck_hash hash;
    (void)has_plain;
    if (copying->next == copying->until) {
        copying->copy->left_out++;
        return 0;
    }
    if ((uint64_t)row->index != copying->next || row->leaf_size > CK_LOG_LEAF_MAX) {
        return -EUCLEAN;
    }
    ck_put_u16(copying->bundle + copying->bundle_size, (uint16_t)row->leaf_size);
    memcpy(copying->bundle + copying->bundle_size + 2, row->leaf, row->leaf_size);
    copying->bundle_size += 2 + row->leaf_size;
    copying->next++;
    copying->copy->entries++;
    int r = copy_key(copying, row);
    r = r == 0 ? ck_merkle_leaf(row->leaf, row->leaf_size, &hash) : r;
    return r == 0 ? add_hash(copying, 0, &hash) : r;
}

static int write_rest(struct copying *copying)
{
    int r = copying->next == copying->until ? 0 : -EUCLEAN;
    if (r == 0 && copying->levels[0].count > 0) {
        r = write_bundle(copying);
    }
    for (int level = 0; r == 0 && level < LEVELS; level++) {
        r = copying->levels[level].count > 0 ? write_tile(copying, level) : 0;
    }
    return r;
}

/* ---- checkpoints ---- */

static int append_checkpoint(void *user, const struct ck_log_checkpoint *checkpoint)
{
    struct copying *copying = user;
    bool first = copying->copy->checkpoints++ == 0;
    int r = first ? 0 : append(copying->folder, "checkpoints", "\n", 1);
    return r == 0
               ? append(copying->folder, "checkpoints", checkpoint->note, strlen(checkpoint->note))
               : r;
}

static int write_checkpoints(struct copying *copying, struct ck_store *store, const char *note)
{
    ck_cleanup(ck_freep) char *key = NULL;
    int r = write_file(copying->folder, "checkpoint", note, strlen(note));
    r = r == 0 ? ck_log_checkpoint_walk(store, append_checkpoint, copying) : r;
    r = r == 0 ? ck_store_setting(store, "signer.key", &key) : r;
    r = r == 0 ? write_file(copying->folder, "log.vkey", key, strlen(key)) : r;
    return r == CK_E_NOT_FOUND ? -EUCLEAN : r;
}

int ck_audit_export(struct ck_store *store, const char *folder, struct ck_audit_copy *copy)
{
    ck_cleanup(ck_freep) char *note = NULL;
    ck_cleanup(ck_freep) struct copying *copying = calloc(1, sizeof *copying);
    ck_cleanup(ck_freep) uint8_t *bundle = malloc((size_t)CK_TILE_WIDTH * (2 + CK_LOG_LEAF_MAX));
    int64_t covers = 0;
    *copy = (struct ck_audit_copy){0};
    if (copying == NULL || bundle == NULL) {
        return -ENOMEM;
    }
    int r = ck_log_checkpoint_covering(store, 0, &covers, &note);
    if (r == 0 && mkdir(folder, 0755) != 0) {
        r = -errno;
    }
    ck_cleanup(ck_closep) int dir = r != 0 ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return r != 0 ? r : -errno;
    }
    copying->folder = dir;
    copying->copy = copy;
    copying->until = (uint64_t)covers;
    copying->bundle = bundle;
    r = ck_log_walk(store, 0, copy_leaf, copying);
    r = r == 0 ? write_rest(copying) : r;
    return r == 0 ? write_checkpoints(copying, store, note) : r;
}
