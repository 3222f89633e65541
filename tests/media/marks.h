/* What of the marks that test clients send (tests/client/mark.h) lies in a film, and where: how
 * much of the sound is there, and how far lips are from it. */
#ifndef TESTS_MEDIA_MARKS_H
#define TESTS_MEDIA_MARKS_H

#include "tests/media/film.h"

struct ck_film_marks {
    unsigned sounds; /* packets */
    unsigned pictures;
    uint32_t first_sound; /* its number with the sender */
    unsigned tones_due;   /* whole seconds of sound between the first and the last packet, */
    unsigned tones;  /* and those whose tone can be heard: three of its five packets are there */
    double apart_ms; /* largest distance of a picture from the sound that was due with it */
    double apart_p95_ms;
};

/* 0, or a code of ck_seal_open(). */
int ck_film_marks(struct ck_film *film, struct ck_film_marks *marks);

#endif
