#include "media/render/letters.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo-ft.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_ADVANCES_H

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define FONT_BYTES_MAX (8u << 20)
#define SHOWN_MAX 16 /* bytes of a character as it is shown: itself, or "[U+10FFFF]" */

static struct {
    FT_Library library;
    FT_Face faces[CK_FACES];
    cairo_font_face_t *fonts[CK_FACES];
    cairo_font_options_t *options;
} loaded;

/* ---- fonts ---- */

static void *read_font(const char *path, size_t *size)
{
    FILE *file = fopen(path, "re");
    uint8_t *bytes = file == NULL ? NULL : malloc(FONT_BYTES_MAX);
    *size = bytes == NULL ? 0 : fread(bytes, 1, FONT_BYTES_MAX, file);
    if (file != NULL) {
        fclose(file);
    }
    if (*size == 0 || *size == FONT_BYTES_MAX) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* In memory, because nothing can be opened once the cage is closed. */
static int load_face(enum ck_face face, const char *path)
{
    size_t size = 0;
    const void *bytes = read_font(path, &size); /* the face's for good */
    if (bytes == NULL ||
        FT_New_Memory_Face(loaded.library, bytes, (FT_Long)size, 0, &loaded.faces[face]) != 0) {
        return CK_E_NOT_FOUND;
    }
    loaded.fonts[face] = cairo_ft_font_face_create_for_ft_face(loaded.faces[face], 0);
    return cairo_font_face_status(loaded.fonts[face]) == CAIRO_STATUS_SUCCESS ? 0 : -ENOMEM;
}

int ck_letters_load(char *text, size_t size)
{
    static const char *const paths[CK_FACES] = {[CK_FACE_PLAIN] = CK_FONTS "/DejaVuSans.ttf",
                                                [CK_FACE_BOLD] = CK_FONTS "/DejaVuSans-Bold.ttf"};
    int r = FT_Init_FreeType(&loaded.library) == 0 ? 0 : -ENOMEM;
    for (int face = 0; r == 0 && face < CK_FACES; face++) {
        r = load_face((enum ck_face)face, paths[face]);
        if (r != 0) {
            snprintf(text, size, "the font %s", paths[face]);
        }
    }
    loaded.options = cairo_font_options_create();
    cairo_font_options_set_hint_style(loaded.options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(loaded.options, CAIRO_HINT_METRICS_OFF);
    return r;
}

static void choose(cairo_t *cairo, const struct ck_letters *letters)
{
    cairo_set_font_face(cairo, loaded.fonts[letters->face]);
    cairo_set_font_size(cairo, letters->size);
    cairo_set_font_options(cairo, loaded.options);
    cairo_set_source_rgb(cairo, letters->grey, letters->grey, letters->grey);
}

/* ---- characters ---- */

/* One character of well-formed UTF-8. */
static size_t character(const char *at, uint32_t *code)
{
    const unsigned char *b = (const unsigned char *)at;
    size_t size = b[0] < 0x80 ? 1 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    *code = size == 1 ? b[0] : b[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        *code = *code << 6 | (b[i] & 0x3f);
    }
    return size;
}

/* Characters as the font can show them: blanks as one kind, and what it lacks as its number. */
static char *shown(enum ck_face face, const struct ck_paper_text *text)
{
    char *made = malloc(text->size * SHOWN_MAX + 1);
    size_t size = 0;
    for (size_t at = 0; made != NULL && at < text->size;) {
        uint32_t code = 0;
        size_t count = character(text->data + at, &code);
        if (code == '\n' || code == 0x2028 || code == 0x2029) {
            made[size++] = '\n';
        } else if (code < 0x20 || code == 0x7f) {
            made[size++] = ' ';
        } else if (FT_Get_Char_Index(loaded.faces[face], code) == 0) {
            size += (size_t)snprintf(made + size, SHOWN_MAX, "[U+%04X]", (unsigned)code);
        } else {
            memcpy(made + size, text->data + at, count);
            size += count;
        }
        at += count;
    }
    if (made != NULL) {
        made[size] = '\0';
    }
    return made;
}

/* ---- lines ---- */

static int add_line(struct ck_lines *lines, size_t start, size_t size)
{
    if (lines->count == lines->capacity) {
        size_t capacity = lines->capacity == 0 ? 8 : 2 * lines->capacity;
        size_t *starts = realloc(lines->starts, capacity * sizeof *starts);
        lines->starts = starts == NULL ? lines->starts : starts;
        size_t *sizes = starts == NULL ? NULL : realloc(lines->sizes, capacity * sizeof *sizes);
        lines->sizes = sizes == NULL ? lines->sizes : sizes;
        if (sizes == NULL) {
            return -ENOMEM;
        }
        lines->capacity = capacity;
    }
    lines->starts[lines->count] = start;
    lines->sizes[lines->count++] = size;
    return 0;
}

/* How wide each byte's character is; 0 for the bytes behind its first. */
static double *measure(enum ck_face face, double size, const char *text, size_t count)
{
    FT_Face font = loaded.faces[face];
    double *widths = calloc(count + 1, sizeof *widths);
    for (size_t at = 0; widths != NULL && at < count;) {
        uint32_t code = 0;
        size_t bytes = character(text + at, &code);
        FT_Fixed advance = 0;
        if (FT_Get_Advance(font, FT_Get_Char_Index(font, code), FT_LOAD_NO_SCALE, &advance) == 0) {
            widths[at] = (double)advance * size / font->units_per_EM;
        }
        at += bytes;
    }
    return widths;
}

/* Where the line that begins at `from` ends, and where the next one begins. */
static size_t line_end(const char *text, const double *widths, size_t from, double width,
                       size_t *next)
{
    double used = 0;
    size_t blank = 0, at = from;
    while (text[at] != '\0' && text[at] != '\n' &&
           (at == from || used + widths[at] <= width || widths[at] == 0)) {
        blank = text[at] == ' ' ? at : blank;
        used += widths[at++];
    }
    if (text[at] == '\0' || text[at] == '\n' || text[at] == ' ') {
        *next = text[at] == '\0' ? at : at + 1;
        return at;
    }
    if (blank > from) {
        *next = blank + 1;
        return blank;
    }
    *next = at;
    return at;
}

int ck_lines_break(struct ck_lines *lines, const struct ck_letters *letters,
                   const struct ck_paper_text *text, double width)
{
    *lines = (struct ck_lines){.text = shown(letters->face, text)};
    size_t count = lines->text == NULL ? 0 : strlen(lines->text);
    ck_cleanup(ck_freep) double *widths =
        lines->text == NULL ? NULL : measure(letters->face, letters->size, lines->text, count);
    int r = widths == NULL ? -ENOMEM : 0;
    for (size_t at = 0; r == 0 && at < count;) {
        size_t next = at, end = line_end(lines->text, widths, at, width, &next);
        r = add_line(lines, at, end - at);
        at = next;
    }
    return r;
}

double ck_lines_width(const struct ck_lines *lines, size_t line, const struct ck_letters *letters)
{
    const char *text = lines->text + lines->starts[line];
    ck_cleanup(ck_freep) double *widths =
        measure(letters->face, letters->size, text, lines->sizes[line]);
    double width = 0;
    for (size_t i = 0; widths != NULL && i < lines->sizes[line]; i++) {
        width += widths[i];
    }
    return width;
}

void ck_lines_clear(struct ck_lines *lines)
{
    free(lines->text);
    free(lines->starts);
    free(lines->sizes);
    *lines = (struct ck_lines){0};
}

void ck_lines_draw(const struct ck_lines *lines, size_t line, cairo_t *cairo,
                   const struct ck_letters *letters, double x, double y)
{
    char *text = lines->text + lines->starts[line];
    /* The blank at which it was broken is not seen, but parts the words where they are read aloud.
     */
    size_t size = lines->sizes[line] + (text[lines->sizes[line]] == ' ');
    char behind = text[size];
    text[size] = '\0';
    choose(cairo, letters);
    cairo_move_to(cairo, x, y);
    cairo_show_text(cairo, text);
    text[size] = behind;
}
