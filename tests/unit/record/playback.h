/* A sealed file on disk, seen by others: opened with the product's reader, and judged by ffprobe
 * and ffmpeg. */
#ifndef TESTS_UNIT_RECORD_PLAYBACK_H
#define TESTS_UNIT_RECORD_PLAYBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/seal.h"

#define PLAYBACK_RECORDING UINT64_C(4711)

extern const uint8_t playback_key[CK_KEY_SIZE];
extern const uint8_t playback_salt[CK_SEAL_SALT_SIZE];

/* A fresh folder for a test, and its removal with what is in it. */
char *playback_folder(void);
void playback_remove(char *folder);

struct ck_seal *playback_open(const char *sealed, int *fd);
struct ck_seal_report playback_verify(const char *sealed);
int playback_recover(const char *sealed, struct ck_seal_recovery *recovery);

/* Writes the plain WebM beside it, as `path`, piece by piece. */
void playback_unseal(const char *sealed, const char *path);

struct playback_packet {
    double time;
    int size;
    bool key;
};

struct playback {
    double duration; /* of the container */
    double start;
    unsigned streams;
    int width;
    int height;
    struct playback_packet *audio;
    size_t audio_count;
    struct playback_packet *video;
    size_t video_count;
};

/* What ffprobe says; any complaint of it is a failure. */
struct playback playback_probe(const char *path);
void playback_free(struct playback *playback);

/* Decodes all of it; a complaint of the decoders is a failure. Returns the number of pictures. */
unsigned playback_decode(const char *path);

/* Time of the first picture that is shown after a seek. */
double playback_seek(const char *path, double to);

/* Largest distance of a tone from its flash in seconds within [from, until), and how many there
 * were. */
double playback_sync(const char *path, double from, double until, unsigned *marks);

#endif
