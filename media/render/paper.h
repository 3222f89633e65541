/* The document of a report (protocol/paper.h) as a PDF: A4, headings, tables that go on over pages
 * under their top row, a time line as vectors, page numbers. The same document gives the same
 * bytes: the date in the file is the one that the document names.
 *
 * It is tagged for whoever has it read aloud: headings, paragraphs, tables with their heads, links,
 * and the time line as a picture with a text; its language is that of the document (spoken.h). The
 * foot and the top of a table where it is repeated are outside of the structure. cairo 1.16 has no
 * mark for artifacts, and fonts are embedded as it does: it is not claimed to conform to PDF/UA.
 *
 * Fonts are read before the cage closes and kept in memory. A character that they lack is written
 * as its number, [U+1F600]: nothing is lost silently. */
#ifndef MEDIA_RENDER_PAPER_H
#define MEDIA_RENDER_PAPER_H

#include <stddef.h>

#include "media/render/answer.h"

#define CK_PAPER_PAGES_MAX 2000

/* Loads the fonts; needs files. CK_E_NOT_FOUND with a text that says which is missing. */
int ck_paper_load(char *text, size_t size);

/* One PAPER job: `in` and `out` as protocol/render.md says. */
void ck_paper_run(int in, int out, struct ck_render_answer *answer);

#endif
