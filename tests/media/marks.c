#include "tests/media/marks.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"

#define SEGMENT 0x18538067U
#define CLUSTER 0x1F43B675U
#define TIMECODE 0xE7U
#define SIMPLE_BLOCK 0xA3U
#define BLOCK_HEAD 4      /* track, time, flags */
#define PICTURE_PART 1096 /* bytes of a full video packet behind its descriptor */
#define SOUNDS_PER_SECOND 50
#define SOUNDS_PER_TONE 5
#define SOUNDS_TO_HEAR 3
#define SECONDS_MAX 4096

struct placed {
    double due_ms;
    double at_ms;
};

struct reading {
    const uint8_t *at;
    const uint8_t *end;
    double cluster_ms;
    struct placed *sound;
    size_t sounds;
    struct placed *picture;
    size_t pictures;
    uint8_t tone[SECONDS_MAX];
    uint32_t first;
    uint32_t last;
};

/* An EBML number of 1 to 8 bytes; with its marker bit where it is an identifier. */
static bool read_number(struct reading *reading, bool identifier, uint64_t *value)
{
    unsigned length = 1;
    if (reading->at == reading->end) {
        return false;
    }
    while (length <= 8 && (*reading->at & 0x80 >> (length - 1)) == 0) {
        length++;
    }
    if (length > 8 || reading->end - reading->at < (ptrdiff_t)length) {
        return false;
    }
    *value = identifier ? *reading->at : *reading->at & (0xff >> length);
    for (unsigned i = 1; i < length; i++) {
        *value = *value << 8 | reading->at[i];
    }
    reading->at += length;
    return true;
}

static void take_block(struct reading *reading, const uint8_t *block, size_t size)
{
    struct ck_mark mark;
    double at_ms = reading->cluster_ms + (int16_t)ck_get_u16(block + 1);
    const uint8_t *data = block + BLOCK_HEAD;
    size -= BLOCK_HEAD;
    size_t part = size > PICTURE_PART ? PICTURE_PART : size;
    if (ck_mark_read(data + size - part, part, &mark) != 0) {
        return;
    }
    struct placed placed = {.due_ms = (double)mark.sent_ns / 1e6 - mark.late_ms, .at_ms = at_ms};
    if (mark.kind == 1) {
        reading->picture[reading->pictures++] = placed;
        return;
    }
    reading->sound[reading->sounds++] = placed;
    reading->first = reading->sounds == 1 ? mark.frame : reading->first;
    reading->last = mark.frame;
    uint32_t second = mark.frame / SOUNDS_PER_SECOND;
    if (mark.frame % SOUNDS_PER_SECOND < SOUNDS_PER_TONE && second < SECONDS_MAX) {
        reading->tone[second]++;
    }
}

static void read_all(struct reading *reading)
{
    uint64_t id;
    uint64_t size;
    while (read_number(reading, true, &id) && read_number(reading, false, &size)) {
        if (id == SEGMENT || id == CLUSTER) {
            continue; /* what is in it comes next */
        }
        if (size > (uint64_t)(reading->end - reading->at)) {
            return;
        }
        if (id == TIMECODE) {
            uint64_t time = 0;
            for (uint64_t i = 0; i < size; i++) {
                time = time << 8 | reading->at[i];
            }
            reading->cluster_ms = (double)time;
        } else if (id == SIMPLE_BLOCK && size > BLOCK_HEAD) {
            take_block(reading, reading->at, (size_t)size);
        }
        reading->at += size;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Each picture beside the sound that was due nearest to it. */
static void measure_sync(const struct reading *reading, struct ck_film_marks *marks)
{
    double *apart = malloc((reading->pictures + 1) * sizeof *apart);
    size_t count = 0;
    size_t near = 0;
    for (size_t i = 0; apart != NULL && reading->sounds > 0 && i < reading->pictures; i++) {
        const struct placed *picture = &reading->picture[i];
        while (near + 1 < reading->sounds &&
               fabs(reading->sound[near + 1].due_ms - picture->due_ms) <=
                   fabs(reading->sound[near].due_ms - picture->due_ms)) {
            near++;
        }
        const struct placed *sound = &reading->sound[near];
        double after_ms = picture->due_ms - sound->due_ms;
        if (fabs(after_ms) < 500) { /* else there is no sound there to be apart from */
            /* What was due before the recording began can lie nowhere but at its begin. */
            apart[count++] = fabs(picture->at_ms - fmax(sound->at_ms + after_ms, 0));
        }
    }
    if (count > 0) {
        qsort(apart, count, sizeof *apart, by_value);
        marks->apart_ms = apart[count - 1];
        marks->apart_p95_ms = apart[count * 95 / 100];
    }
    free(apart);
}

static void count_tones(const struct reading *reading, struct ck_film_marks *marks)
{
    uint32_t from = (reading->first + SOUNDS_PER_SECOND - 1) / SOUNDS_PER_SECOND;
    uint32_t until = reading->last / SOUNDS_PER_SECOND;
    for (uint32_t second = from; second < until && second < SECONDS_MAX; second++) {
        marks->tones_due++;
        marks->tones += reading->tone[second] >= SOUNDS_TO_HEAR;
    }
}

static int read_marks(const uint8_t *bytes, size_t size, struct ck_film_marks *marks)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL) {
        return -ENOMEM;
    }
    reading->at = bytes;
    reading->end = bytes + size;
    /* No block is smaller than a mark. */
    reading->sound = calloc(size / CK_MARK_SIZE + 1, sizeof *reading->sound);
    reading->picture = calloc(size / CK_MARK_SIZE + 1, sizeof *reading->picture);
    int error = reading->sound == NULL || reading->picture == NULL ? -ENOMEM : 0;
    if (error == 0) {
        read_all(reading);
        marks->sounds = (unsigned)reading->sounds;
        marks->pictures = (unsigned)reading->pictures;
        marks->first_sound = reading->first;
        count_tones(reading, marks);
        measure_sync(reading, marks);
    }
    free(reading->sound);
    free(reading->picture);
    free(reading);
    return error;
}

int ck_film_marks(struct ck_film *film, struct ck_film_marks *marks)
{
    ck_cleanup(ck_closep) int fd = memfd_create("film", MFD_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    int error = ck_film_decrypt(film, fd);
    off_t size = error == 0 ? lseek(fd, 0, SEEK_END) : 0;
    if (error != 0 || size <= 0) {
        return error != 0 ? error : -EIO;
    }
    uint8_t *bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        return -errno;
    }
    memset(marks, 0, sizeof *marks);
    error = read_marks(bytes, (size_t)size, marks);
    munmap(bytes, (size_t)size);
    return error;
}
