#include "media/render/spoken.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/error.h"

#define TAIL                                                                                       \
    1024 /* bytes before the table in which the catalogue begins; behind it the trailer            \
          */
#define FIGURE "<< /Type /StructElem\n   /S /Figure\n"

/* The file as it is, and what is put in place of some objects. */
struct update {
    const char *bytes;
    size_t size, table; /* where the table of places begins */
    unsigned long objects, root, info;
    FILE *out;
    struct {
        unsigned long number;
        size_t at;
    } news[CK_SPOKEN_PICTURES_MAX + 1];
    unsigned count;
};

static const char *find(const struct update *update, size_t from, size_t until, const char *what)
{
    return until > update->size || from > until
               ? NULL
               : memmem(update->bytes + from, until - from, what, strlen(what));
}

static bool read_number(const struct update *update, size_t from, const char *name,
                        unsigned long *number)
{
    const char *found = find(update, from, update->size, name);
    *number = found == NULL ? 0 : strtoul(found + strlen(name), NULL, 10);
    return *number > 0;
}

static bool read_trailer(struct update *update)
{
    unsigned long table = 0;
    size_t tail = update->size > TAIL ? update->size - TAIL : 0;
    bool read = read_number(update, tail, "\nstartxref\n", &table) && table < update->size &&
                read_number(update, tail, "/Size ", &update->objects) &&
                read_number(update, tail, "/Root ", &update->root) &&
                read_number(update, tail, "/Info ", &update->info);
    update->table = table;
    return read;
}

/* Writes an object anew, whose dictionary begins at `from`: as it is, with `more` at its end. */
static bool renew(struct update *update, unsigned long number, const char *from,
                  void (*more)(const struct ck_spoken *, unsigned, FILE *),
                  const struct ck_spoken *spoken, unsigned which)
{
    const char *end = find(update, (size_t)(from - update->bytes), update->size, ">>\nendobj\n");
    if (end == NULL || number == 0) {
        return false;
    }
    update->news[update->count].number = number;
    update->news[update->count++].at = (size_t)ftell(update->out);
    fprintf(update->out, "%lu 0 obj\n", number);
    fwrite(from, 1, (size_t)(end - from), update->out);
    more(spoken, which, update->out);
    fputs(">>\nendobj\n", update->out);
    return true;
}

static void write_catalogue(const struct ck_spoken *spoken, unsigned which, FILE *out)
{
    (void)which;
    if (spoken->language[0] != '\0') {
        fprintf(out, "   /Lang (%s)\n", spoken->language);
    }
    fputs("   /ViewerPreferences << /DisplayDocTitle true >>\n", out);
}

/* A text string: UTF-16, most significant byte first. */
static void write_text(const struct ck_spoken *spoken, unsigned which, FILE *out)
{
    fputs("   /Alt <FEFF", out);
    for (const unsigned char *at = (const unsigned char *)spoken->pictures[which]; *at != 0;) {
        size_t size = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
        uint32_t code = size == 1 ? at[0] : at[0] & (0x7fu >> size);
        for (size_t i = 1; i < size; i++) {
            code = code << 6 | (at[i] & 0x3f);
        }
        if (code >= 0x10000) {
            fprintf(out, "%04X%04X", (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
                    (unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
        } else {
            fprintf(out, "%04X", (unsigned)code);
        }
        at += size;
    }
    fputs(">\n", out);
}

/* The number of the object whose dictionary begins here. */
static unsigned long number_before(const struct update *update, const char *from)
{
    static const char begins[] = " 0 obj\n";
    const char *at = from - strlen(begins);
    if (at <= update->bytes || memcmp(at, begins, strlen(begins)) != 0) {
        return 0;
    }
    while (at > update->bytes && at[-1] >= '0' && at[-1] <= '9') {
        at--;
    }
    return strtoul(at, NULL, 10);
}

static bool renew_catalogue(struct update *update, const struct ck_spoken *spoken)
{
    char begins[64];
    size_t from = update->table > TAIL ? update->table - TAIL : 0;
    snprintf(begins, sizeof begins, "\n%lu 0 obj\n<< /Type /Catalog\n", update->root);
    const char *found = find(update, from, update->table, begins);
    return found != NULL &&
           renew(update, update->root, strstr(found, "<<"), write_catalogue, spoken, 0);
}

static void renew_pictures(struct update *update, const struct ck_spoken *spoken)
{
    size_t from = 0;
    for (unsigned i = 0; i < spoken->count; i++) {
        const char *found = find(update, from, update->table, FIGURE);
        if (found == NULL ||
            !renew(update, number_before(update, found), found, write_text, spoken, i)) {
            return;
        }
        from = (size_t)(found - update->bytes) + strlen(FIGURE);
    }
}

static int by_number(const void *a, const void *b)
{
    const unsigned long first = *(const unsigned long *)a, second = *(const unsigned long *)b;
    return first < second ? -1 : first > second;
}

int ck_spoken_append(const struct ck_spoken *spoken, const char *bytes, size_t size, FILE *out)
{
    struct update update = {.bytes = bytes, .size = size, .out = out};
    if (!read_trailer(&update) || !renew_catalogue(&update, spoken)) {
        return CK_E_NOT_FOUND;
    }
    renew_pictures(&update, spoken);
    size_t table = (size_t)ftell(out);
    qsort(update.news, update.count, sizeof update.news[0], by_number);
    fputs("xref\n", out);
    for (unsigned i = 0; i < update.count; i++) {
        fprintf(out, "%lu 1\n%010zu 00000 n \n", update.news[i].number, update.news[i].at);
    }
    fprintf(out,
            "trailer\n<< /Size %lu\n   /Root %lu 0 R\n   /Info %lu 0 R\n   /Prev %zu\n>>\n"
            "startxref\n%zu\n%%%%EOF\n",
            update.objects, update.root, update.info, update.table, table);
    return 0;
}
