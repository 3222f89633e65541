#include "tests/media/film.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define CONTEXT "a test's recording"

int ck_film_create(struct ck_film *film, uint64_t leg, uint64_t recording, const char *folder)
{
    *film = (struct ck_film){.leg = leg, .recording = recording};
    for (size_t i = 0; i < CK_KEY_SIZE; i++) {
        film->key[i] = (uint8_t)(recording * 31 + i * 7);
    }
    film->fd = folder == NULL ? memfd_create("film", MFD_CLOEXEC)
                              : open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return film->fd < 0 ? -errno : 0;
}

void ck_film_destroy(struct ck_film *film)
{
    ck_closep(&film->fd);
    film->fd = -1;
}

void ck_film_start(struct ck_rig *rig, const struct ck_film *film)
{
    struct ck_worker_message message = {
        .kind = CK_WORKER_RECORD_START,
        .record_start = {.leg = film->leg,
                         .recording = film->recording,
                         .context = {(const uint8_t *)CONTEXT, sizeof CONTEXT - 1}},
    };
    memcpy(message.record_start.key, film->key, sizeof film->key);
    ck_rig_send(rig, &message, film->fd);
}

void ck_film_stop(struct ck_rig *rig, const struct ck_film *film)
{
    struct ck_worker_message message = {.kind = CK_WORKER_RECORD_STOP,
                                        .record_stop = {.leg = film->leg}};
    ck_rig_send(rig, &message, -1);
}

void ck_film_pause(struct ck_rig *rig, const struct ck_film *film, bool pause, uint16_t reason)
{
    struct ck_worker_message message = {.kind = pause ? CK_WORKER_RECORD_PAUSE
                                                      : CK_WORKER_RECORD_RESUME,
                                        .record_pause = {.leg = film->leg, .reason = reason}};
    ck_rig_send(rig, &message, -1);
}

uint64_t ck_film_size(const struct ck_film *film)
{
    struct stat state;
    return fstat(film->fd, &state) == 0 ? (uint64_t)state.st_size : 0;
}

static int read_film(void *user, uint64_t offset, void *to, size_t size)
{
    const struct ck_film *film = user;
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(film->fd, (uint8_t *)to + done, size - done, (off_t)(offset + done));
        if (count <= 0) {
            return count < 0 ? -errno : -EIO;
        }
        done += (size_t)count;
    }
    return 0;
}

struct ck_seal_source ck_film_source(struct ck_film *film)
{
    return (struct ck_seal_source){.read = read_film, .user = film, .size = ck_film_size(film)};
}

static int append_film(void *user, const void *bytes, size_t size)
{
    const struct ck_film *film = user;
    ssize_t count = pwrite(film->fd, bytes, size, (off_t)ck_film_size(film));
    return count == (ssize_t)size ? 0 : -EIO;
}

int ck_film_recover(struct ck_film *film, struct ck_seal_recovery *recovery)
{
    static const uint8_t salt[CK_SEAL_SALT_SIZE] = {42, 1, 2, 3};
    struct ck_seal_source source = ck_film_source(film);
    return ck_seal_recover(&source, film->recording, film->key, salt, append_film, film, recovery);
}

int ck_film_decrypt(struct ck_film *film, int out)
{
    struct ck_seal_source source = ck_film_source(film);
    ck_cleanup(ck_seal_closep) struct ck_seal *seal = NULL;
    static uint8_t data[65536];
    int error = ck_seal_open(&seal, &source, film->key, film->recording);
    if (error != 0) {
        return error;
    }
    uint64_t size = ck_seal_info(seal)->plain_size;
    for (uint64_t at = 0; at < size;) {
        size_t got = 0;
        error = ck_seal_read(seal, at, data, sizeof data, &got, NULL);
        if (error != 0 || got == 0 || write(out, data, got) != (ssize_t)got) {
            return error != 0 ? error : -EIO;
        }
        at += got;
    }
    return 0;
}

/* Runs a command and gives its output's first `size` - 1 bytes, and how many lines it had. */
static int run(const char *command, char *text, size_t size, unsigned *lines)
{
    FILE *pipe = popen(command, "re");
    if (pipe == NULL) {
        return -errno;
    }
    size_t at = 0;
    int c;
    *lines = 0;
    while ((c = fgetc(pipe)) != EOF) {
        if (at + 1 < size) {
            text[at++] = (char)c;
        }
        *lines += c == '\n';
    }
    text[at] = '\0';
    return pclose(pipe);
}

/* The number behind `name=` after the line `stream`, or 0. */
static double value_of(const char *text, const char *stream, const char *name)
{
    const char *from = strstr(text, stream);
    const char *at = from == NULL ? NULL : strstr(from, name);
    return at == NULL ? 0 : strtod(at + strlen(name), NULL);
}

static int probe_file(const char *path, struct ck_film_streams *streams)
{
    char command[512];
    static char text[65536];
    unsigned lines;
    snprintf(command, sizeof command,
             "ffprobe -v error -count_packets -show_entries "
             "stream=codec_name,width,height,nb_read_packets:format=duration -of flat %s 2>&1",
             path);
    if (run(command, text, sizeof text, &lines) != 0) {
        fprintf(stderr, "%s", text);
        return CK_E_NOT_FOUND;
    }
    bool video_first = strstr(text, "streams.stream.0.codec_name=\"vp8\"") != NULL;
    const char *audio = video_first ? "streams.stream.1" : "streams.stream.0";
    const char *video = video_first ? "streams.stream.0" : "streams.stream.1";
    char name[64];
    streams->is_vp8 = strstr(text, "codec_name=\"vp8\"") != NULL;
    streams->is_opus = strstr(text, "codec_name=\"opus\"") != NULL;
    snprintf(name, sizeof name, "%s.nb_read_packets=\"", audio);
    streams->audio_packets = (unsigned)value_of(text, name, "=\"");
    snprintf(name, sizeof name, "%s.nb_read_packets=\"", video);
    streams->video_packets = (unsigned)value_of(text, name, "=\"");
    streams->width = (unsigned)value_of(text, video, "width=");
    streams->height = (unsigned)value_of(text, video, "height=");
    streams->duration_s = value_of(text, "format.duration", "=\"");
    snprintf(command, sizeof command,
             "ffprobe -v warning -count_frames -show_entries stream=nb_read_frames -of flat "
             "%s 2>&1 >/dev/null",
             path);
    run(command, text, sizeof text, &streams->complaints);
    if (streams->complaints > 0) {
        fprintf(stderr, "%.2000s", text);
    }
    snprintf(command, sizeof command,
             "ffprobe -v quiet -count_frames -select_streams v -show_entries "
             "stream=nb_read_frames -of csv=p=0 %s",
             path);
    run(command, text, sizeof text, &lines);
    streams->video_frames = (unsigned)strtoul(text, NULL, 10);
    return 0;
}

int ck_film_probe(struct ck_film *film, struct ck_film_streams *streams)
{
    char path[] = "/tmp/ck-film-XXXXXX";
    struct ck_film_streams found = {.width = 0};
    ck_cleanup(ck_closep) int out = mkstemp(path);
    if (out < 0) {
        return -errno;
    }
    int error = ck_film_decrypt(film, out);
    if (error == 0) {
        error = probe_file(path, &found);
    }
    unlink(path);
    if (error == 0) {
        *streams = found;
    }
    return error;
}
