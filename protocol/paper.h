/* A document as a list of blocks: what a report says, without how it looks. checkind makes it once;
 * the page of HTML and the PDF are both made from it, so that they cannot differ. The bytes are
 * specified in render.md. Pure.
 *
 * Writing goes to a stream of the caller, who looks for its error at the end. Reading never trusts
 * the bytes: whoever draws them does not know who wrote them. */
#ifndef PROTOCOL_PAPER_H
#define PROTOCOL_PAPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"

#define CK_PAPER_BYTES_MAX (16u << 20) /* of one document */
#define CK_PAPER_TEXT_MAX 65535        /* bytes of one text; longer ones are cut at a character */
#define CK_PAPER_COLUMNS_MAX 6
#define CK_PAPER_LANES_MAX 6

/* Not terminated; UTF-8, and nothing else after reading. */
struct ck_paper_text {
    const char *data;
    size_t size;
};

enum ck_paper_kind {
    CK_PAPER_HEAD = 1,    /* first, exactly once: language, title, when it was made, what stands at
                             the foot of each page */
    CK_PAPER_HEADING = 2, /* text */
    CK_PAPER_TEXT = 3,    /* text, quiet, link */
    CK_PAPER_TABLE = 4,   /* columns; rows follow, each of as many cells */
    CK_PAPER_ROW = 5,
    CK_PAPER_PICTURE = 6, /* lanes, ends; marks follow: a time line with a row of marks a lane */
    CK_PAPER_END = 7,     /* last, exactly once */
};

/* How a cell looks. */
#define CK_PAPER_BOLD 1u  /* it names what stands beside it or below */
#define CK_PAPER_TIGHT 2u /* never broken into lines */
#define CK_PAPER_TOP 4u   /* of a row: repeated where its table goes on on another page */
#define CK_PAPER_QUIET 8u /* of a text: less important */

struct ck_paper_block {
    enum ck_paper_kind kind;
    unsigned flags;
    struct ck_paper_text text, link;      /* HEAD: title, and foot */
    struct ck_paper_text language;        /* HEAD alone */
    struct ck_wall made;                  /* HEAD alone */
    unsigned columns;                     /* TABLE, and of a ROW */
    uint8_t widths[CK_PAPER_COLUMNS_MAX]; /* of a TABLE, in hundredths: together 100 */
    unsigned lanes;                       /* of a PICTURE */
    struct ck_paper_text names[CK_PAPER_LANES_MAX], ends[2];
    unsigned marks;
};

struct ck_paper_cell {
    unsigned flags;
    struct ck_paper_text text, below, link; /* `below`: a quieter second line */
};

struct ck_paper_mark {
    unsigned lane;
    uint16_t at; /* 0: at the beginning of the line; UINT16_MAX: at its end */
    struct ck_paper_text text;
};

/* Texts may be NULL: empty. */
struct ck_paper_about {
    const char *language, *title, *foot;
    struct ck_wall made;
};
void ck_paper_head(FILE *out, const struct ck_paper_about *about);
void ck_paper_heading(FILE *out, const char *text);
void ck_paper_text(FILE *out, unsigned flags, const char *text, const char *link);
void ck_paper_table(FILE *out, const uint8_t *widths, unsigned columns);
void ck_paper_row(FILE *out, unsigned flags, unsigned columns);
void ck_paper_cell(FILE *out, unsigned flags, const char *text, const char *below,
                   const char *link);
void ck_paper_picture(FILE *out, const char *const *names, unsigned lanes,
                      const char *const ends[2], unsigned marks);
void ck_paper_mark(FILE *out, unsigned lane, uint16_t at, const char *text);
void ck_paper_end(FILE *out);

/* The next block; texts point into what is read. The cells of a ROW and the marks of a PICTURE are
 * read before the next block. CK_E_TRUNCATED; CK_E_SYNTAX: an unknown kind, a text that is not
 * UTF-8, bytes behind the end; CK_E_LIMIT. */
int ck_paper_next(struct ck_reader *reader, struct ck_paper_block *block);
int ck_paper_next_cell(struct ck_reader *reader, struct ck_paper_cell *cell);
int ck_paper_next_mark(struct ck_reader *reader, const struct ck_paper_block *picture,
                       struct ck_paper_mark *mark);

#endif
