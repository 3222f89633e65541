/* What cairo 1.16 cannot say of a PDF to those who have it read aloud: in which language it is,
 * that its title is its name, and what its pictures show. Appended to what cairo wrote as an
 * incremental update (ISO 32000-1, 7.5.6): new editions of the catalogue and of each structure
 * element Figure, and a table of their places. */
#ifndef MEDIA_RENDER_SPOKEN_H
#define MEDIA_RENDER_SPOKEN_H

#include <stddef.h>
#include <stdio.h>

#define CK_SPOKEN_PICTURES_MAX 8 /* later ones have no text */
#define CK_SPOKEN_TEXT_MAX 1000  /* bytes of one, cut there */

struct ck_spoken {
    char language[16];
    char pictures[CK_SPOKEN_PICTURES_MAX][CK_SPOKEN_TEXT_MAX]; /* UTF-8, in their order */
    unsigned count;
};

/* Appends to `out` behind the `size` bytes that it holds. CK_E_NOT_FOUND: they are not of the form
 * that cairo gives; nothing was appended, and the file is good without. */
int ck_spoken_append(const struct ck_spoken *spoken, const char *bytes, size_t size, FILE *out);

#endif
