/* Text of a document in lines of a width: what characters there are, where a line ends, drawing. */
#ifndef MEDIA_RENDER_LETTERS_H
#define MEDIA_RENDER_LETTERS_H

#include <stdbool.h>
#include <stddef.h>

#include <cairo.h>

#include "protocol/paper.h"

enum ck_face { CK_FACE_PLAIN, CK_FACE_BOLD, CK_FACES };

/* Reads the fonts into memory, for good. CK_E_NOT_FOUND with a text that says which is missing. */
int ck_letters_load(char *text, size_t size);

struct ck_letters {
    enum ck_face face;
    double size; /* points */
    double grey; /* 0: black */
};

/* Lines of one text: `starts[i]` and `sizes[i]` are bytes of `text`. */
struct ck_lines {
    char *text;
    size_t *starts, *sizes;
    size_t count, capacity;
};

/* Breaks a text at blanks, or within a word that is longer than a line; new lines in it stay. An
 * empty text has no line. 0 or -ENOMEM; ck_lines_clear() in every case. */
int ck_lines_break(struct ck_lines *lines, const struct ck_letters *letters,
                   const struct ck_paper_text *text, double width);
void ck_lines_clear(struct ck_lines *lines);

/* How wide a line is, in points. */
double ck_lines_width(const struct ck_lines *lines, size_t line, const struct ck_letters *letters);

/* Draws one line with its base at (x, y). */
void ck_lines_draw(const struct ck_lines *lines, size_t line, cairo_t *cairo,
                   const struct ck_letters *letters, double x, double y);

#endif
