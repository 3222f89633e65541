#include "tests/sinks/sink.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

extern char **environ;

static void fail(const char *what)
{
    perror(what);
    abort();
}

/* Starts a program with its standard input and output on pipes. */
static pid_t spawn(char *const *arguments, int *in, int *out)
{
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
        fail("pipe");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    pid_t pid;
    if (posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ) != 0) {
        fail(arguments[0]);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    *in = to[1];
    *out = from[0];
    return pid;
}

static void wait_ready(struct sink *sink, int out)
{
    FILE *file = fdopen(out, "r");
    if (file == NULL || fscanf(file, "READY %d", &sink->port) != 1) {
        fprintf(stderr, "a sink did not start\n");
        abort();
    }
    fclose(file);
}

void sink_start(struct sink *sink, const char *script, const char *const *arguments)
{
    const char *base = getenv("TMPDIR");
    char path[2 * SINK_PATH_SIZE];
    snprintf(sink->dir, sizeof sink->dir, "%s/checkind-sink-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(sink->dir) == NULL) {
        fail("mkdtemp");
    }
    snprintf(path, sizeof path, "%s/tests/sinks/%s", CK_SOURCE_DIR, script);
    char *words[ARGUMENTS_MAX] = {strdup("/usr/bin/python3"), strdup(path), strdup("--dir"),
                                  strdup(sink->dir)};
    size_t count = 4;
    for (; arguments != NULL && *arguments != NULL && count < ARGUMENTS_MAX - 1; arguments++) {
        words[count++] = strdup(*arguments);
    }
    int out;
    sink->pid = spawn(words, &sink->stdin_fd, &out);
    wait_ready(sink, out);
    for (size_t i = 0; i < count; i++) {
        free(words[i]);
    }
}

static void remove_dir(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(path);
}

void sink_stop(struct sink *sink)
{
    if (sink->pid > 0) {
        close(sink->stdin_fd);
        waitpid(sink->pid, NULL, 0);
        remove_dir(sink->dir);
        sink->pid = 0;
    }
}

char *sink_read(const struct sink *sink, unsigned number, const char *suffix)
{
    char path[SINK_PATH_SIZE + 32];
    snprintf(path, sizeof path, "%s/%04u%s", sink->dir, number, suffix);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char *text = NULL;
    size_t size = 0;
    ssize_t read = getdelim(&text, &size, '\0', file);
    fclose(file);
    if (read < 0) {
        free(text);
        return NULL;
    }
    return text;
}

size_t sink_count(const struct sink *sink, const char *suffix)
{
    size_t count = 0;
    DIR *dir = opendir(sink->dir);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        count += dot != NULL && strcmp(dot, suffix) == 0;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

void sink_make_certificate(const char *dir, const char *name, const char *subject)
{
    char key[SINK_PATH_SIZE], certificate[SINK_PATH_SIZE], alternative[SINK_PATH_SIZE];
    snprintf(key, sizeof key, "%s/%s.key", dir, name);
    snprintf(certificate, sizeof certificate, "%s/%s.crt", dir, name);
    snprintf(alternative, sizeof alternative, "subjectAltName=%s", subject);
    const char *const words[] = {"/usr/bin/openssl",
                                 "req",
                                 "-x509",
                                 "-newkey",
                                 "ec",
                                 "-pkeyopt",
                                 "ec_paramgen_curve:P-256",
                                 "-nodes",
                                 "-days",
                                 "1",
                                 "-subj",
                                 "/CN=sink.test",
                                 "-addext",
                                 alternative,
                                 "-keyout",
                                 key,
                                 "-out",
                                 certificate,
                                 NULL};
    char *copies[ARGUMENTS_MAX] = {NULL};
    for (size_t i = 0; words[i] != NULL; i++) {
        copies[i] = strdup(words[i]);
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    int status = 1;
    if (posix_spawn(&pid, copies[0], &actions, NULL, copies, environ) != 0 ||
        waitpid(pid, &status, 0) < 0 || status != 0) {
        fail("openssl req");
    }
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; copies[i] != NULL; i++) {
        free(copies[i]);
    }
}
