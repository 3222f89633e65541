/* checkinctl export: the bundle of an incident or check-in that two persons approved. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/ctl/checkinctl_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define WAIT_S 1800 /* the film of both sides of a long call takes its time */
#define PIECE_MAX (1024u * 1024)

/* Asks for the piece at `at` and appends it; *got is its size, 0 at the end. An exit code. */
static int fetch(const struct ck_ctl *ctl, int fd, uint64_t at, size_t *got)
{
    json_t *answer = NULL, *result;
    ck_cleanup(ck_freep) uint8_t *bytes = malloc(PIECE_MAX);
    int code = ck_ctl_ask(ctl, "bundle.read", json_pack("{s:I}", "at", (json_int_t)at), 60, &answer,
                          &result);
    if (code != 0) {
        return code;
    }
    const char *text = json_string_value(json_object_get(result, "data"));
    int error = bytes == NULL  ? -ENOMEM
                : text == NULL ? CK_E_SYNTAX
                               : ck_base64_decode(text, bytes, PIECE_MAX, got);
    json_decref(answer);
    if (error == 0 && write(fd, bytes, *got) != (ssize_t)*got) {
        error = errno == 0 ? -EIO : -errno;
    }
    if (error != 0) {
        fprintf(stderr, "checkinctl: the bundle: %s\n", ck_error_text(error));
        return error == CK_E_SYNTAX ? EX_PROTOCOL : EX_IOERR;
    }
    return EXIT_SUCCESS;
}

static int copy(const struct ck_ctl *ctl, const json_t *made, int fd)
{
    uint64_t size = (uint64_t)json_integer_value(json_object_get(made, "bytes")), at = 0;
    size_t got = 1;
    int code = EXIT_SUCCESS;
    while (code == EXIT_SUCCESS && got > 0) {
        code = fetch(ctl, fd, at, &got);
        at += got;
    }
    if (code == EXIT_SUCCESS && (at != size || fsync(fd) != 0)) {
        fputs("checkinctl: the bundle is not whole\n", stderr);
        return EX_IOERR;
    }
    return code;
}

int ck_ctl_export(const struct ck_ctl *ctl, int count, char **words)
{
    char *end = NULL;
    errno = 0;
    long long approval = count == 2 ? strtoll(words[0], &end, 10) : 0;
    if (count != 2 || errno != 0 || *end != '\0' || approval <= 0) {
        return EX_USAGE;
    }
    ck_cleanup(ck_closep) int fd = open(words[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        fprintf(stderr, "checkinctl: %s: %s\n", words[1], strerror(errno));
        return EX_CANTCREAT;
    }
    json_t *answer = NULL, *made;
    int code = ck_ctl_ask(ctl, "bundle.make", json_pack("{s:I}", "approval", (json_int_t)approval),
                          WAIT_S, &answer, &made);
    code = code == EXIT_SUCCESS ? copy(ctl, made, fd) : code;
    if (code == EXIT_SUCCESS) {
        ck_ctl_print(made, ctl->json);
    } else {
        unlink(words[1]);
    }
    json_decref(answer);
    return code;
}
