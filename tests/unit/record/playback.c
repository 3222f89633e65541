#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/record/playback.h"

const uint8_t playback_key[CK_KEY_SIZE] = "the key of a test recording 32b";
const uint8_t playback_salt[CK_SEAL_SALT_SIZE] = "salt of a test.";

#define COMMAND_MAX 1024
#define ONSETS_MAX 1000

char *playback_folder(void)
{
    char *folder = strdup("/tmp/ck-record-XXXXXX");
    assert_non_null(folder);
    assert_non_null(mkdtemp(folder));
    return folder;
}

void playback_remove(char *folder)
{
    char command[COMMAND_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    free(folder);
}

static int read_file(void *user, uint64_t offset, void *to, size_t size)
{
    int fd = *(int *)user;
    assert_int_equal(pread(fd, to, size, (off_t)offset), size);
    return 0;
}

static int append_file(void *user, const void *bytes, size_t size)
{
    int fd = *(int *)user;
    assert_true(lseek(fd, 0, SEEK_END) >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    return 0;
}

static struct ck_seal_source source_of(const char *sealed, int *fd)
{
    struct stat status;
    *fd = open(sealed, O_RDWR | O_CLOEXEC);
    assert_true(*fd >= 0);
    assert_int_equal(fstat(*fd, &status), 0);
    return (struct ck_seal_source){read_file, fd, (uint64_t)status.st_size};
}

struct ck_seal *playback_open(const char *sealed, int *fd)
{
    struct ck_seal_source source = source_of(sealed, fd);
    struct ck_seal *seal = NULL;
    assert_int_equal(ck_seal_open(&seal, &source, playback_key, PLAYBACK_RECORDING), 0);
    return seal;
}

struct ck_seal_report playback_verify(const char *sealed)
{
    int fd;
    struct ck_seal_source source = source_of(sealed, &fd);
    struct ck_seal_report report;
    assert_int_equal(ck_seal_verify(&source, PLAYBACK_RECORDING, playback_key, NULL, 0, &report),
                     0);
    close(fd);
    return report;
}

int playback_recover(const char *sealed, struct ck_seal_recovery *recovery)
{
    static const uint8_t salt[CK_SEAL_SALT_SIZE] = "of the recovery";
    int fd;
    struct ck_seal_source source = source_of(sealed, &fd);
    int r = ck_seal_recover(&source, PLAYBACK_RECORDING, playback_key, salt, append_file, &fd,
                            recovery);
    close(fd);
    return r;
}

void playback_unseal(const char *sealed, const char *path)
{
    static uint8_t piece[30000];
    int fd;
    struct ck_seal *seal = playback_open(sealed, &fd);
    FILE *plain = fopen(path, "wbe");
    assert_non_null(plain);
    uint64_t offset = 0;
    size_t got;
    do {
        assert_int_equal(ck_seal_read(seal, offset, piece, sizeof piece, &got, NULL), 0);
        assert_int_equal(fwrite(piece, 1, got, plain), got);
        offset += got;
    } while (got > 0);
    assert_int_equal(offset, ck_seal_info(seal)->plain_size);
    fclose(plain);
    ck_seal_close(seal);
    close(fd);
}

/* Runs a command and gives each line to `line`. Anything on its error output fails the test. */
static void run(const char *command, void (*line)(void *user, char *text), void *user)
{
    char text[COMMAND_MAX];
    char errors[] = "/tmp/ck-errors-XXXXXX";
    int fd = mkstemp(errors);
    assert_true(fd >= 0);
    char full[COMMAND_MAX];
    snprintf(full, sizeof full, "%s 2>%s </dev/null", command, errors);
    FILE *pipe = popen(full, "re");
    assert_non_null(pipe);
    while (fgets(text, sizeof text, pipe) != NULL) {
        text[strcspn(text, "\n")] = '\0';
        line(user, text);
    }
    int status = pclose(pipe);
    ssize_t complaint = read(fd, text, sizeof text - 1);
    close(fd);
    unlink(errors);
    if (status != 0 || complaint > 0) {
        text[complaint > 0 ? complaint : 0] = '\0';
        fail_msg("%s: status %d: %s", command, status, text);
    }
}

static void add(struct playback_packet **packets, size_t *count, struct playback_packet packet)
{
    *packets = realloc(*packets, (*count + 1) * sizeof packet);
    assert_non_null(*packets);
    (*packets)[(*count)++] = packet;
}

static void probe_line(void *user, char *text)
{
    struct playback *playback = user;
    char kind[16];
    char flags[16];
    struct playback_packet packet;
    if (sscanf(text, "packet,%15[a-z],%lf,%d,%15s", kind, &packet.time, &packet.size, flags) == 4) {
        packet.key = flags[0] == 'K';
        if (strcmp(kind, "video") == 0) {
            add(&playback->video, &playback->video_count, packet);
        } else {
            add(&playback->audio, &playback->audio_count, packet);
        }
    } else if (sscanf(text, "stream,%15[a-z],%d,%d", kind, &playback->width, &playback->height) >=
               1) {
        playback->streams++;
    } else {
        sscanf(text, "format,%lf,%lf", &playback->start, &playback->duration);
    }
}

struct playback playback_probe(const char *path)
{
    struct playback playback = {.duration = -1};
    char command[COMMAND_MAX];
    snprintf(command, sizeof command,
             "ffprobe -v warning -of csv -show_entries "
             "packet=codec_type,pts_time,size,flags:stream=codec_type,width,height:"
             "format=start_time,duration '%s'",
             path);
    run(command, probe_line, &playback);
    return playback;
}

void playback_free(struct playback *playback)
{
    free(playback->audio);
    free(playback->video);
}

static void count_line(void *user, char *text)
{
    unsigned *count = user;
    (void)text;
    (*count)++;
}

unsigned playback_decode(const char *path)
{
    unsigned pictures = 0;
    char command[COMMAND_MAX];
    snprintf(command, sizeof command,
             "ffprobe -v warning -of csv -select_streams v -show_entries frame=pkt_size '%s'",
             path);
    run(command, count_line, &pictures);
    unsigned ignored = 0;
    snprintf(command, sizeof command, "ffmpeg -v warning -i '%s' -vn -f null -", path);
    run(command, count_line, &ignored);
    return pictures;
}

static void time_line(void *user, char *text)
{
    double *time = user;
    if (*time < 0) {
        sscanf(text, "frame,%lf", time);
    }
}

double playback_seek(const char *path, double to)
{
    double time = -1;
    char command[COMMAND_MAX];
    snprintf(command, sizeof command,
             "ffprobe -v warning -of csv -select_streams v -read_intervals '%f%%+#1' "
             "-show_entries frame=pts_time '%s'",
             to, path);
    run(command, time_line, &time);
    return time;
}

struct onsets {
    double above;
    bool on;
    double times[ONSETS_MAX];
    size_t count;
};

static void onset_line(void *user, char *text)
{
    struct onsets *onsets = user;
    double time;
    double level;
    char number[64];
    if (sscanf(text, "frame,%lf,%63s", &time, number) != 2) {
        return;
    }
    level = strtod(number, NULL);
    bool on = isfinite(level) && level > onsets->above;
    if (on && !onsets->on && onsets->count < ONSETS_MAX) {
        onsets->times[onsets->count++] = time;
    }
    onsets->on = on;
}

double playback_sync(const char *path, double from, double until, unsigned *marks)
{
    static struct onsets flashes;
    static struct onsets tones;
    char command[COMMAND_MAX];
    flashes = (struct onsets){.above = 120};
    tones = (struct onsets){.above = -25};
    /* signalstats cannot stand another size. */
    snprintf(command, sizeof command,
             "ffprobe -v error -of csv -f lavfi -i \"movie='%s',scale=160:120,signalstats\" "
             "-show_entries frame=pts_time:frame_tags=lavfi.signalstats.YAVG",
             path);
    run(command, onset_line, &flashes);
    snprintf(command, sizeof command,
             "ffprobe -v error -of csv -f lavfi -i "
             "\"amovie='%s',astats=metadata=1:reset=1:measure_perchannel=none\" "
             "-show_entries frame=pts_time:frame_tags=lavfi.astats.Overall.RMS_level",
             path);
    run(command, onset_line, &tones);
    double worst = 0;
    *marks = 0;
    for (size_t i = 0; i < flashes.count; i++) {
        double best = 1e9;
        if (flashes.times[i] < from || flashes.times[i] >= until) {
            continue;
        }
        for (size_t j = 0; j < tones.count; j++) {
            double distance = fabs(tones.times[j] - flashes.times[i]);
            best = distance < best ? distance : best;
        }
        worst = best > worst ? best : worst;
        (*marks)++;
    }
    return worst;
}
