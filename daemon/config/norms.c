#include "daemon/config/norms.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define LINE_SIZE 400
#define NUMBERS_MAX (CK_ODARA_ITEMS + 2)
#define BANDS 7

struct reading {
    struct ck_norms norms;
    struct ck_norms_fault *fault;
    size_t line;
    bool has_version, has_source, has_missing, has_bands;
    bool has_prorated[CK_ODARA_MISSING_MAX + 1];
};

static int fail(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(struct reading *reading, const char *format, ...)
{
    va_list arguments;
    reading->fault->line = reading->line;
    va_start(arguments, format);
    vsnprintf(reading->fault->text, sizeof reading->fault->text, format, arguments);
    va_end(arguments);
    return CK_E_INVALID;
}

struct ck_norms ck_norms_proportional(void)
{
    return (struct ck_norms){.version = "proportional",
                             .source = "in proportion, rounded half up; to be confirmed",
                             .odara = ck_odara_norms_proportional()};
}

/* Whole numbers from 0 to 13 with blanks between; how many, or -1. */
static int read_numbers(const char *text, uint8_t numbers[static NUMBERS_MAX])
{
    int count = 0;
    while (*text != '\0') {
        char *end;
        long value = strtol(text, &end, 10);
        if (end == text || value < 0 || value > CK_ODARA_ITEMS || count == NUMBERS_MAX ||
            (*end != '\0' && *end != ' ')) {
            return -1;
        }
        numbers[count++] = (uint8_t)value;
        text = end + strspn(end, " ");
    }
    return count;
}

static int read_prorated(struct reading *reading, const char *rest)
{
    uint8_t numbers[NUMBERS_MAX];
    int count = read_numbers(rest, numbers);
    if (count < 1 || numbers[0] > CK_ODARA_MISSING_MAX) {
        return fail(reading, "prorated needs how many are missing, then scores from 0 to %d",
                    CK_ODARA_ITEMS);
    }
    unsigned missing = numbers[0];
    int wanted = CK_ODARA_ITEMS - (int)missing + 1;
    if (count - 1 != wanted) {
        return fail(reading, "prorated %u needs %d scores, one for each raw sum from 0 to %d",
                    missing, wanted, wanted - 1);
    }
    if (reading->has_prorated[missing]) {
        return fail(reading, "prorated %u stands twice", missing);
    }
    reading->has_prorated[missing] = true;
    memcpy(reading->norms.odara.prorated[missing], numbers + 1, (size_t)wanted);
    return 0;
}

static int read_text(struct reading *reading, const char *name, const char *rest, char *to,
                     size_t size, bool *has)
{
    if (*has) {
        return fail(reading, "%s stands twice", name);
    }
    if (rest[0] == '\0' || strlen(rest) >= size) {
        return fail(reading, "%s needs 1 to %zu characters", name, size - 1);
    }
    snprintf(to, size, "%s", rest);
    *has = true;
    return 0;
}

static int read_line(struct reading *reading, const char *word, const char *rest)
{
    uint8_t numbers[NUMBERS_MAX];
    struct ck_norms *norms = &reading->norms;
    if (strcmp(word, "version") == 0) {
        return strchr(rest, ' ') != NULL ? fail(reading, "version is one word")
                                         : read_text(reading, word, rest, norms->version,
                                                     sizeof norms->version, &reading->has_version);
    }
    if (strcmp(word, "source") == 0) {
        return read_text(reading, word, rest, norms->source, sizeof norms->source,
                         &reading->has_source);
    }
    if (strcmp(word, "missing_max") == 0) {
        if (reading->has_missing || read_numbers(rest, numbers) != 1 ||
            numbers[0] > CK_ODARA_MISSING_MAX) {
            return fail(reading, "missing_max is one number from 0 to %d, once",
                        CK_ODARA_MISSING_MAX);
        }
        norms->odara.missing_max = numbers[0];
        reading->has_missing = true;
        return 0;
    }
    if (strcmp(word, "band_from") == 0) {
        if (reading->has_bands || read_numbers(rest, numbers) != BANDS) {
            return fail(reading, "band_from is %d scores, once", BANDS);
        }
        memcpy(&norms->odara.band_from[CK_BAND_0], numbers, BANDS);
        reading->has_bands = true;
        return 0;
    }
    return strcmp(word, "prorated") == 0
               ? read_prorated(reading, rest)
               : fail(reading, "'%.30s' is not a word of this file", word);
}

/* Cuts the comment and the blanks at both ends; false where nothing is left. */
static bool strip(char *line, char **word, char **rest)
{
    line[strcspn(line, "#")] = '\0';
    for (char *at = line; *at != '\0'; at++) {
        if (*at == '\t' || *at == '\r') {
            *at = ' ';
        }
    }
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == ' ') {
        line[--length] = '\0';
    }
    *word = line + strspn(line, " ");
    char *blank = strchr(*word, ' ');
    *rest = *word + strlen(*word);
    if (blank != NULL) {
        *blank = '\0';
        *rest = blank + 1 + strspn(blank + 1, " ");
    }
    return **word != '\0';
}

static int check_whole(struct reading *reading)
{
    reading->line = 0;
    if (!reading->has_version || !reading->has_source || !reading->has_missing ||
        !reading->has_bands) {
        return fail(reading, "version, source, missing_max and band_from are needed");
    }
    for (unsigned missing = 0; missing <= CK_ODARA_MISSING_MAX; missing++) {
        if (reading->has_prorated[missing] != (missing <= reading->norms.odara.missing_max)) {
            return fail(reading, "prorated is needed for 0 to missing_max missing, and no more: %u",
                        missing);
        }
    }
    const char *fault = ck_odara_norms_fault(&reading->norms.odara);
    return fault == NULL ? 0
                         : fail(reading,
                                "%s is not sound: scores must not fall, must stay between raw and "
                                "raw + missing, and bands must rise from 0",
                                fault);
}

int ck_norms_parse(const char *text, size_t size, struct ck_norms *norms,
                   struct ck_norms_fault *fault)
{
    struct reading reading = {.fault = fault};
    size_t at = 0;
    while (at < size) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end == NULL ? size - at : (size_t)(end - text) - at;
        char line[LINE_SIZE], *word, *rest;
        reading.line++;
        if (length >= sizeof line || memchr(text + at, '\0', length) != NULL) {
            return fail(&reading, "the line is too long or no text");
        }
        memcpy(line, text + at, length);
        line[length] = '\0';
        int r = strip(line, &word, &rest) ? read_line(&reading, word, rest) : 0;
        if (r != 0) {
            return r;
        }
        at += length + 1;
    }
    int r = check_whole(&reading);
    if (r == 0) {
        *norms = reading.norms;
    }
    return r;
}

static void close_file(FILE **file)
{
    if (*file != NULL) {
        fclose(*file);
    }
}

int ck_norms_load(const char *path, struct ck_norms *norms, struct ck_norms_fault *fault)
{
    ck_cleanup(close_file) FILE *file = fopen(path, "re");
    ck_cleanup(ck_freep) char *text = malloc(CK_NORMS_FILE_MAX);
    if (file == NULL || text == NULL) {
        return file == NULL ? -errno : -ENOMEM;
    }
    size_t size = fread(text, 1, CK_NORMS_FILE_MAX, file);
    if (ferror(file)) {
        return -EIO;
    }
    if (size == CK_NORMS_FILE_MAX) {
        *fault = (struct ck_norms_fault){0, "the file is above 16 KiB"};
        return CK_E_INVALID;
    }
    return ck_norms_parse(text, size, norms, fault);
}
