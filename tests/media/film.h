/* A recording of one leg: the order, the file, and what can be read out of it afterwards. */
#ifndef TESTS_MEDIA_FILM_H
#define TESTS_MEDIA_FILM_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/seal.h"
#include "tests/media/rig.h"

struct ck_film {
    int fd; /* of the file; the worker has another of the same */
    uint64_t leg;
    uint64_t recording;
    uint8_t key[CK_KEY_SIZE];
};

/* An empty file in memory, or in `folder` (not NULL), which is unlinked at once. */
int ck_film_create(struct ck_film *film, uint64_t leg, uint64_t recording, const char *folder);
void ck_film_destroy(struct ck_film *film);

void ck_film_start(struct ck_rig *rig, const struct ck_film *film);
void ck_film_stop(struct ck_rig *rig, const struct ck_film *film);
void ck_film_pause(struct ck_rig *rig, const struct ck_film *film, bool pause, uint16_t reason);

uint64_t ck_film_size(const struct ck_film *film);
struct ck_seal_source ck_film_source(struct ck_film *film);
/* Writes the trailer that a killed worker could not; as ck_seal_recover(). */
int ck_film_recover(struct ck_film *film, struct ck_seal_recovery *recovery);

/* Writes the opened film to a descriptor. 0, or a code of ck_seal_open(). */
int ck_film_decrypt(struct ck_film *film, int out);

/* What ffprobe makes of the opened film. */
struct ck_film_streams {
    unsigned audio_packets;
    unsigned video_packets;
    unsigned video_frames; /* that could be decoded */
    unsigned width;
    unsigned height;
    double duration_s;
    unsigned complaints; /* warnings and errors while reading and decoding all of it */
    bool is_vp8;
    bool is_opus;
};

/* Decrypts the film into a file, and has it read. 0, a code of ck_seal_open(), or CK_E_NOT_FOUND
 * where there is no ffprobe. */
int ck_film_probe(struct ck_film *film, struct ck_film_streams *streams);

#endif
