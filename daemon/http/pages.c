#include "daemon/http/pages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/text.h"

#define PATH_BYTES 1024
#define ETAG_BYTES 12 /* of the digest */

struct page {
    char *name; /* "person.html", "assets/index-4f2a.js", with ".gz" for a compressed form */
    char *bytes;
    size_t size;
    char etag[CK_HEX_SIZE(ETAG_BYTES) + 2];
};

struct ck_pages {
    struct page files[CK_PAGES_FILES_MAX];
    size_t count;
    size_t bytes;
};

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".webp", "image/webp"},
    {".jpg", "image/jpeg"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".mp3", "audio/mpeg"},
    {".ogg", "audio/ogg"},
    {".wav", "audio/wav"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".txt", "text/plain; charset=utf-8"},
};

static bool ends_with(const char *text, const char *ending)
{
    size_t size = strlen(text), ending_size = strlen(ending);
    return size > ending_size && strcmp(text + size - ending_size, ending) == 0;
}

/* NULL: of no kind that is served. */
static const char *type_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (ends_with(name, types[i].ending)) {
            return types[i].type;
        }
    }
    return NULL;
}

static const struct page *find(const struct ck_pages *pages, const char *name)
{
    for (size_t i = 0; i < pages->count; i++) {
        if (strcmp(pages->files[i].name, name) == 0) {
            return &pages->files[i];
        }
    }
    return NULL;
}

static int make_etag(struct page *page)
{
    uint8_t digest[CK_SHA256_SIZE];
    struct ck_slice slice = {page->bytes, page->size};
    int result = ck_sha256(&slice, 1, digest);
    page->etag[0] = '"';
    ck_hex_encode(digest, ETAG_BYTES, page->etag + 1);
    memcpy(page->etag + 1 + 2 * ETAG_BYTES, "\"", 2);
    return result;
}

static int load_file(struct ck_pages *pages, const char *path, const char *name, size_t size)
{
    if (pages->count == CK_PAGES_FILES_MAX || size > CK_PAGES_BYTES_MAX - pages->bytes) {
        return -EFBIG;
    }
    ck_cleanup(ck_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    struct page *page = &pages->files[pages->count];
    *page = (struct page){.name = strdup(name), .bytes = malloc(size + 1)};
    pages->count++; /* from now on the pages own it, whatever happens */
    if (page->name == NULL || page->bytes == NULL) {
        return -ENOMEM;
    }
    for (ssize_t got; page->size < size; page->size += (size_t)got) {
        got = read(fd, page->bytes + page->size, size - page->size);
        if (got <= 0) {
            return got < 0 ? -errno : -EIO;
        }
    }
    pages->bytes += size;
    return make_etag(page);
}

static int load_folder(struct ck_pages *pages, const char *folder, const char *prefix)
{
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        return -errno;
    }
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(directory)) != NULL;) {
        char path[PATH_BYTES], name[PATH_BYTES];
        struct stat about;
        if (entry->d_name[0] == '.') {
            continue;
        }
        int path_size = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        int name_size = snprintf(name, sizeof name, "%s%s", prefix, entry->d_name);
        if (path_size >= (int)sizeof path || name_size >= (int)sizeof name) {
            result = -ENAMETOOLONG;
        } else if (stat(path, &about) != 0) {
            result = -errno;
        } else if (S_ISDIR(about.st_mode) && strcmp(name, "assets") == 0) {
            result = load_folder(pages, path, "assets/");
        } else if (S_ISREG(about.st_mode)) {
            result = load_file(pages, path, name, (size_t)about.st_size);
        }
    }
    closedir(directory);
    return result;
}

static void pages_freep(struct ck_pages **pages)
{
    ck_pages_destroy(*pages);
}

int ck_pages_load(const char *directory, struct ck_pages **pages)
{
    ck_cleanup(pages_freep) struct ck_pages *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return -ENOMEM;
    }
    int result = load_folder(p, directory, "");
    if (result == 0 && (find(p, "console.html") == NULL || find(p, "person.html") == NULL)) {
        result = -ENOENT;
    }
    if (result == 0) {
        *pages = ck_take(p);
    }
    return result;
}

void ck_pages_destroy(struct ck_pages *pages)
{
    if (pages == NULL) {
        return;
    }
    for (size_t i = 0; i < pages->count; i++) {
        free(pages->files[i].name);
        free(pages->files[i].bytes);
    }
    free(pages);
}

static const char *name_of(const char *path)
{
    if (strcmp(path, "/") == 0) {
        return "console.html";
    }
    if (strcmp(path, "/p") == 0 ||
        (strncmp(path, "/c/", 3) == 0 && path[3] != '\0' && strchr(path + 3, '/') == NULL)) {
        return "person.html";
    }
    return path + 1;
}

bool ck_pages_serve(const struct ck_pages *pages, struct ck_http_request *request)
{
    const char *name = name_of(ck_http_request_path(request));
    const char *type = type_of(name);
    const struct page *page = type == NULL ? NULL : find(pages, name);
    if (page == NULL || ck_http_request_method(request) != CK_HTTP_GET) {
        return false;
    }
    char packed_name[PATH_BYTES];
    snprintf(packed_name, sizeof packed_name, "%s.gz", name);
    const struct page *packed = find(pages, packed_name);
    struct ck_http_static content = {
        .type = type,
        .cache =
            strncmp(name, "assets/", 7) == 0 ? "public, max-age=31536000, immutable" : "no-cache",
        .etag = page->etag,
        .body = page->bytes,
        .size = page->size,
        .gzip = packed == NULL ? NULL : packed->bytes,
        .gzip_size = packed == NULL ? 0 : packed->size,
    };
    ck_http_answer_static(request, &content);
    return true;
}
