/* checkinctl key: making, naming, splitting and joining master keys. Files alone; only that a key
 * was split is told to the daemon, so that it is in the log. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/core/rekey.h"
#include "daemon/ctl/checkinctl_impl.h"
#include "daemon/ctl/share.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

static int failed(const char *path, int error)
{
    fprintf(stderr, "checkinctl: %s: %s\n", path, ck_error_text(error));
    return EXIT_FAILURE;
}

static void random_bytes(void *user, void *bytes, size_t size)
{
    (void)user;
    for (size_t done = 0; done < size;) {
        ssize_t got = getrandom((char *)bytes + done, size - done, 0);
        if (got < 0 && errno != EINTR) {
            abort(); /* nothing that follows would be a secret */
        }
        done += got > 0 ? (size_t)got : 0;
    }
}

/* The beginning of a file as text; -EFBIG where it is longer. */
static int read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return -errno;
    }
    size_t got = fread(text, 1, size, file);
    int error = ferror(file) != 0 ? -EIO : got == size ? -EFBIG : 0;
    fclose(file);
    text[error == 0 ? got : 0] = '\0';
    return error;
}

/* A new file that its owner alone can read; what is there is never overwritten. */
static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t size = strlen(text);
    if (fd < 0) {
        return -errno;
    }
    int error = write(fd, text, size) == (ssize_t)size && fsync(fd) == 0 ? 0 : -EIO;
    close(fd);
    return error;
}

static int read_key(const char *path, uint8_t key[static CK_KEY_SIZE])
{
    char text[2 * CK_KEY_SIZE + 8];
    int error = read_text(path, text, sizeof text);
    text[strcspn(text, "\r\n")] = '\0';
    if (error == 0 && ck_hex_decode(text, key, CK_KEY_SIZE) != 0) {
        error = CK_E_SYNTAX;
    }
    ck_wipe(text, sizeof text);
    return error;
}

static int write_key(const char *path, const uint8_t key[static CK_KEY_SIZE])
{
    char text[CK_HEX_SIZE(CK_KEY_SIZE)];
    ck_hex_encode(key, CK_KEY_SIZE, text);
    int error = write_text(path, text);
    ck_wipe(text, sizeof text);
    return error;
}

static int print_name(const uint8_t key[static CK_KEY_SIZE])
{
    char name[CK_KEY_NAME_SIZE];
    int error = ck_key_name(key, name);
    if (error == 0) {
        puts(name);
    }
    return error == 0 ? EXIT_SUCCESS : failed("key", error);
}

/* key make FILE */
static int make(int count, char **words)
{
    uint8_t key[CK_KEY_SIZE];
    if (count != 1) {
        return EX_USAGE;
    }
    random_bytes(NULL, key, sizeof key);
    int error = write_key(words[0], key);
    int code = error == 0 ? print_name(key) : failed(words[0], error);
    ck_wipe(key, sizeof key);
    return code;
}

/* key name FILE */
static int name(int count, char **words)
{
    uint8_t key[CK_KEY_SIZE];
    if (count != 1) {
        return EX_USAGE;
    }
    int error = read_key(words[0], key);
    int code = error == 0 ? print_name(key) : failed(words[0], error);
    ck_wipe(key, sizeof key);
    return code;
}

static int write_shares(const char *folder, unsigned count, char texts[][CK_SHARE_TEXT_SIZE])
{
    for (unsigned i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/share-%u-of-%u.txt", folder, i + 1, count);
        int error = write_text(path, texts[i]);
        if (error != 0) {
            return failed(path, error);
        }
        puts(path);
    }
    return EXIT_SUCCESS;
}

/* key split FILE NEEDED OF FOLDER */
static int split(const struct ck_ctl *ctl, int count, char **words)
{
    uint8_t key[CK_KEY_SIZE];
    char texts[CK_SHARES_MAX][CK_SHARE_TEXT_SIZE], key_name[CK_KEY_NAME_SIZE] = "";
    if (count != 4) {
        return EX_USAGE;
    }
    unsigned needed = (unsigned)strtoul(words[1], NULL, 10);
    unsigned of = (unsigned)strtoul(words[2], NULL, 10);
    int error = read_key(words[0], key);
    if (error != 0) {
        return failed(words[0], error);
    }
    error = ck_share_split(key, needed, of, random_bytes, NULL, texts);
    error = error == 0 ? ck_key_name(key, key_name) : error;
    ck_wipe(key, sizeof key);
    if (error != 0) {
        fprintf(stderr, "checkinctl: %s of %s: 2 to %d shares, of which at least 2 are needed\n",
                words[1], words[2], CK_SHARES_MAX);
        return EX_USAGE;
    }
    int code = write_shares(words[3], of, texts);
    ck_wipe(texts, sizeof texts);
    if (code == EXIT_SUCCESS && !ck_ctl_tell(ctl, "key.split",
                                             json_pack("{s:s, s:i, s:i}", "key", key_name, "needed",
                                                       (int)needed, "of", (int)of))) {
        fputs("checkinctl: no daemon runs: that the key was split is not in the log\n", stderr);
    }
    return code;
}

/* key join FILE SHARE… */
static int join(int count, char **words)
{
    char texts[CK_SHARES_MAX][CK_SHARE_TEXT_SIZE];
    const char *list[CK_SHARES_MAX];
    struct ck_share_fault fault = {.text = ""};
    uint8_t key[CK_KEY_SIZE];
    unsigned shares = count > 1 ? (unsigned)count - 1 : 0;
    if (shares == 0 || shares > CK_SHARES_MAX) {
        return EX_USAGE;
    }
    for (unsigned i = 0; i < shares; i++) {
        int error = read_text(words[i + 1], texts[i], CK_SHARE_TEXT_SIZE);
        if (error != 0) {
            return failed(words[i + 1], error);
        }
        list[i] = texts[i];
    }
    int error = ck_share_join(list, shares, key, &fault);
    ck_wipe(texts, sizeof texts);
    if (error != 0) {
        fprintf(stderr, "checkinctl: %s %s\n", words[fault.share + 1], fault.text);
        return EXIT_FAILURE;
    }
    error = write_key(words[0], key);
    int code = error == 0 ? print_name(key) : failed(words[0], error);
    ck_wipe(key, sizeof key);
    return code;
}

int ck_ctl_key(const struct ck_ctl *ctl, int count, char **words)
{
    const char *verb = count > 0 ? words[0] : "";
    if (strcmp(verb, "split") == 0) {
        return split(ctl, count - 1, words + 1);
    }
    return strcmp(verb, "make") == 0   ? make(count - 1, words + 1)
           : strcmp(verb, "name") == 0 ? name(count - 1, words + 1)
           : strcmp(verb, "join") == 0 ? join(count - 1, words + 1)
                                       : EX_USAGE;
}
