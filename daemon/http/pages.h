/* The built pages, held in memory: a slow disk never stalls them.
 *
 * Files under assets/ have a hash in their name and are cached for ever; everything else is asked
 * for again by its ETag. A file NAME.gz beside NAME is its compressed form.
 *
 *   /              console.html
 *   /p, /c/TOKEN   person.html (the token is for the page's script: serving it proves and changes
 * nothing) /NAME, /assets/NAME   the file */
#ifndef DAEMON_HTTP_PAGES_H
#define DAEMON_HTTP_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/http/server.h"

#define CK_PAGES_FILES_MAX 512
#define CK_PAGES_BYTES_MAX (32 << 20) /* of all files together */

struct ck_pages;

/* Reads the directory. -errno; -ENOENT too where console.html or person.html is missing; -EFBIG
 * beyond a limit. */
int ck_pages_load(const char *directory, struct ck_pages **pages);
void ck_pages_destroy(struct ck_pages *pages);

/* Answers a GET for one of the pages; false where the path is none of them (and nothing was
 * answered). */
bool ck_pages_serve(const struct ck_pages *pages, struct ck_http_request *request);

#endif
