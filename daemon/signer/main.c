/* checkin-signer(8): holds the key of the audit log and signs its checkpoints. It believes nobody:
 * it hashes every leaf itself, keeps the head that it signed last, and signs no log that is shorter
 * than it or has another past. It has no network, no database and no clock. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/signer/answer.h"
#include "daemon/signer/cage.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define FIRST_PASSED_FD 3 /* where systemd puts the listening socket */
#define BACKLOG 4

static const char usage_text[] =
    "checkin-signer --state=FOLDER --name=NAME [--key=FILE] [--old-key=FILE] [--socket=PATH]\n"
    "  --state=FOLDER  where the last head is kept, and the key unless --key names it\n"
    "  --name=NAME     name of the log, such as checkin.example.org/log\n"
    "  --key=FILE      private key: 64 hexadecimal digits\n"
    "  --old-key=FILE  the one of before, which signs beside it\n"
    "  --socket=PATH   where checkind connects; without it the socket is passed on (LISTEN_FDS)\n"
    "  --print-key     prints the public key and ends\n";

struct options {
    const char *state, *name, *socket;
    struct ck_signer_keys keys;
    bool print_key;
};

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("checkin-signer: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static void random_bytes(void *bytes, size_t size)
{
    if (getrandom(bytes, size, 0) != (ssize_t)size) {
        abort(); /* no key may come of it */
    }
}

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"state", required_argument, NULL, 's'},
        {"name", required_argument, NULL, 'n'},
        {"key", required_argument, NULL, 'k'},
        {"old-key", required_argument, NULL, 'o'},
        {"socket", required_argument, NULL, 'l'},
        {"print-key", no_argument, NULL, 'p'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 's':
            options->state = optarg;
            break;
        case 'n':
            options->name = optarg;
            break;
        case 'k':
            options->keys.key = optarg;
            break;
        case 'o':
            options->keys.old = optarg;
            break;
        case 'l':
            options->socket = optarg;
            break;
        case 'p':
            options->print_key = true;
            break;
        case 'v':
            puts("checkin-signer " CK_VERSION);
            exit(0);
        case 'h':
            fputs(usage_text, stdout);
            exit(0);
        default:
            return EX_USAGE;
        }
    }
    return optind == argc && options->state != NULL && options->name != NULL ? 0 : EX_USAGE;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return -ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, strlen(path));
    ck_cleanup(ck_closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    (void)unlink(path); /* left behind by an earlier life */
    mode_t before = umask(0117);
    int bound = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (bound != 0 || listen(fd, BACKLOG) != 0) {
        return -errno;
    }
    return ck_take_fd(&fd);
}

/* The socket that the service manager made. */
static int passed_socket(void)
{
    const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
    bool ours = count != NULL && strcmp(count, "1") == 0 && pid != NULL &&
                strtol(pid, NULL, 10) == getpid();
    return ours ? FIRST_PASSED_FD : -ENOTCONN;
}

/* One message and its answer; false where the connection is over. */
static bool serve(int fd, struct ck_conversation *conversation)
{
    static uint8_t message[CK_SIGNING_MESSAGE_MAX], answer[CK_SIGNING_MESSAGE_MAX];
    struct ck_writer writer = ck_writer_of(answer, sizeof answer);
    ssize_t size = recv(fd, message, sizeof message, MSG_TRUNC);
    if (size <= 0 || (size_t)size > sizeof message) {
        return false;
    }
    int r = ck_conversation_answer(conversation, message, (size_t)size, &writer);
    if (r != 0) {
        say("a message was not understood: %s", ck_error_text(r));
        return false;
    }
    return send(fd, answer, writer.size, MSG_NOSIGNAL) == (ssize_t)writer.size;
}

/* One connection at a time; a newer one takes the place of an older one, whose other end may be
 * gone without having said so. */
static void run(int listening, struct ck_signer_head *head)
{
    struct ck_conversation conversation;
    struct pollfd fds[2] = {{.fd = listening, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return;
        }
        if (fds[1].revents != 0 && !serve(fds[1].fd, &conversation)) {
            close(ck_take_fd(&fds[1].fd));
        }
        if (fds[0].revents != 0) {
            int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0) {
                ck_closep(&fds[1].fd);
                fds[1].fd = fd;
                ck_conversation_begin(&conversation, head);
            }
        }
    }
}

static int cannot_open(const struct options *options, int error)
{
    const char *why = error == CK_E_CONFLICT  ? "was signed under another name or key"
                      : error == CK_E_SYNTAX  ? "holds a damaged key or head"
                      : error == CK_E_INVALID ? "is no name for a log"
                                              : ck_error_text(error);
    say("%s: %s", error == CK_E_INVALID ? options->name : options->state, why);
    return error == CK_E_INVALID ? EX_USAGE : error > 0 ? EX_CONFIG : EX_OSERR;
}

int main(int argc, char **argv)
{
    struct options options = {.state = NULL};
    if (parse(argc, argv, &options) != 0) {
        fputs(usage_text, stderr);
        return EX_USAGE;
    }
    umask(077);
    struct ck_signer_head head;
    int error =
        ck_signer_head_open(&head, options.state, &options.keys, options.name, random_bytes);
    if (error != 0) {
        return cannot_open(&options, error);
    }
    if (options.print_key) {
        char text[CK_NOTE_KEY_TEXT_SIZE];
        ck_note_key_text(&head.key, text);
        puts(text);
        ck_signer_head_close(&head);
        return 0;
    }
    int listening = options.socket != NULL ? listen_at(options.socket) : passed_socket();
    if (listening < 0) {
        say("%s: %s", options.socket != NULL ? options.socket : "no socket was passed on",
            strerror(-listening));
        return EX_UNAVAILABLE;
    }
    error = ck_signer_cage(head.folder);
    if (error != 0) {
        say("the cage cannot be closed: %s", strerror(-error));
        return EX_OSERR;
    }
    say("signing %s from entry %llu on", head.key.name, (unsigned long long)head.last.size);
    run(listening, &head);
    ck_signer_head_close(&head);
    return EX_OSERR;
}
