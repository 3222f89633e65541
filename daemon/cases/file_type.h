/* What a file is, by its own bytes: neither a name nor a header of the sender counts. Pure. */
#ifndef DAEMON_CASES_FILE_TYPE_H
#define DAEMON_CASES_FILE_TYPE_H

#include <stddef.h>

struct ck_file_type {
    const char *mime;       /* "image/jpeg"; permanent */
    const char *endings[3]; /* how a name may end, the first is the usual one; ends with NULL */
};

/* JPEG, PNG, WebP, or PDF, whole as far as the format tells its end; NULL: anything else. */
const struct ck_file_type *ck_file_type_of(const void *bytes, size_t size);
/* By its MIME type; NULL. */
const struct ck_file_type *ck_file_type_find(const char *mime);

/* The name under which it is saved: `name`, with the usual ending behind it where it has none of
 * the type's. What does not fit into `size` bytes is cut at the end of the stem, at a character's
 * boundary. `size` is at least 16. */
void ck_file_save_name(const struct ck_file_type *type, const char *name, char *to, size_t size);

#endif
