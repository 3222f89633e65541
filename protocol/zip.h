/* ZIP archives whose files lie in them as they are (APPNOTE 6.3.3, method 0): every computer opens
 * one, and what is inside can be verified where it lies. No compression, no encryption, no ZIP64:
 * below 4 GiB.
 *
 * There is one form of an archive, so that no two programs see different files in one: the files
 * one behind the other from the first byte on, the directory behind them and nothing else; each
 * name once, of small letters, digits, '-', '_', '.' and '/', no part of it empty, beginning or
 * ending with a dot; both headers of a file the same; no extra fields, no comments.
 *
 * Writing is into a descriptor that can seek, reading from memory. One thread per object. */
#ifndef PROTOCOL_ZIP_H
#define PROTOCOL_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_ZIP_FILES_MAX 1000000
#define CK_ZIP_NAME_MAX 200
#define CK_ZIP_SIZE_MAX UINT64_C(0xfffffffe)

/* ---- writing ---- */

struct ck_zip_writer;

/* `fd` stays the caller's and is written from where it stands. `at` is the time of every file.
 * -ENOMEM. */
int ck_zip_writer_create(struct ck_zip_writer **writer, int fd, struct ck_wall at);
void ck_zip_writer_destroy(struct ck_zip_writer *writer); /* NULL is taken */

/* A file: begun, given its bytes, and ended by the next one or by the end. CK_E_LIMIT, -ENOMEM;
 * CK_E_INVALID: the name is not of the form above; that it is new is for the caller to know. -errno
 * of writing. */
int ck_zip_begin(struct ck_zip_writer *writer, const char *name);
int ck_zip_put(struct ck_zip_writer *writer, const void *bytes, size_t size);

/* A whole file. */
int ck_zip_add(struct ck_zip_writer *writer, const char *name, const void *bytes, size_t size);

/* Files so far; and where the bytes of one of them lie in what was written. */
struct ck_zip_place {
    const char *name; /* lives as long as the writer */
    uint64_t at, size;
};
unsigned ck_zip_files(const struct ck_zip_writer *writer);
struct ck_zip_place ck_zip_place(const struct ck_zip_writer *writer, unsigned number);

/* Writes the directory; *size is that of the archive. */
int ck_zip_end(struct ck_zip_writer *writer, uint64_t *size);

/* ---- reading ---- */

struct ck_zip_file {
    char name[CK_ZIP_NAME_MAX + 1];
    const uint8_t *bytes;
    size_t size;
};

/* Reads the directory, checks every file's checksum, and calls `visit` for each in its order; a
 * result that is not 0 ends the walk and goes up. CK_E_SYNTAX: no archive; CK_E_INVALID: not of the
 * form above; CK_E_CONFLICT: two files have one name; CK_E_AUTH: a checksum is wrong; the name is
 * in *bad if it is not NULL ("" where it is not about one file); CK_E_LIMIT. Names are looked at
 * before the first is visited. */
typedef int ck_zip_visit(void *user, const struct ck_zip_file *file);
int ck_zip_walk(const void *bytes, size_t size, ck_zip_visit *visit, void *user,
                struct ck_zip_file *bad);

#endif
