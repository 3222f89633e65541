/* checkin-verify(1): verifies what the product wrote down, without the product: no daemon, no
 * database, no network, one static program. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/verify/bundle.h"
#include "daemon/verify/complete.h"
#include "daemon/verify/log.h"
#include "daemon/verify/proof.h"
#include "daemon/verify/recording.h"
#include "protocol/base/error.h"

static const char usage_text[] =
    "checkin-verify [--json] [--key=KEY]... COMMAND\n"
    "  log FOLDER [--known=FILE]...    a copy of the whole log (checkinctl log export)\n"
    "  proof FILE [ENTRY]              a .tlog-proof and the entry that it is of\n"
    "  bundle FILE                     the bundle of one incident or check-in\n"
    "  recording FILE [CHUNKS:BYTES:HASH]...  a sealed recording against heads from the log\n"
    "  --key=KEY     public key of the log or of a witness, as text or as a file of it\n"
    "  --objects=N   objects of the log that are kept in memory, 16777216 where it is not given\n"
    "  --known=FILE  checkpoints that were kept elsewhere\n"
    "  --unseal=FILE key of a recording, 64 hexadecimal digits: its contents are opened as well\n"
    "  --built=FILE  proof that a bundle was made, where it was not signed yet and is not in it\n"
    "Ends with 0 where everything is as it must be, 1 where something is not (each is named), 65 "
    "where\nthere is nothing to verify, 66 where it cannot be read.\n";

struct arguments {
    struct ck_verdict verdict;
    struct ck_keys keys;
    const char *known[CK_VERIFY_KNOWN_MAX];
    size_t known_count;
    const char *unseal;
    const char *built;
    uint64_t objects;
    int count; /* words behind the command */
    char **words;
};

static int cannot(const char *what, int error)
{
    fprintf(stderr, "checkin-verify: %s: %s\n", what,
            error == CK_E_NOT_FOUND ? "there is nothing of this kind to verify"
                                    : ck_error_text(error));
    return error == CK_E_NOT_FOUND || error == CK_E_SYNTAX ? EX_DATAERR : EX_NOINPUT;
}

static int conclude(const struct arguments *arguments)
{
    bool good = arguments->verdict.findings == 0;
    if (arguments->verdict.json) {
        printf("{\"good\":%s,\"findings\":%llu}\n", good ? "true" : "false",
               (unsigned long long)arguments->verdict.findings);
    } else {
        printf("%s\n", good ? "GOOD" : "NOT GOOD");
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_log(struct arguments *arguments)
{
    struct ck_verify_log log = {.keys = arguments->keys,
                                .known_count = arguments->known_count,
                                .objects = arguments->objects};
    if (arguments->count != 1) {
        return EX_USAGE;
    }
    log.folder = arguments->words[0];
    memcpy(log.known, arguments->known, sizeof log.known);
    int r = ck_verify_log(&log, &arguments->verdict);
    return r != 0 ? cannot(log.folder, r) : conclude(arguments);
}

static int run_proof(struct arguments *arguments)
{
    if (arguments->count != 1 && arguments->count != 2) {
        return EX_USAGE;
    }
    if (!ck_keys_have_log(&arguments->keys)) {
        fputs("checkin-verify: a proof needs the log's public key: --key\n", stderr);
        return EX_USAGE;
    }
    int r = ck_verify_proof(arguments->words[0], arguments->count == 2 ? arguments->words[1] : NULL,
                            &arguments->keys, &arguments->verdict);
    return r != 0 ? cannot(arguments->words[0], r) : conclude(arguments);
}

static int run_recording(struct arguments *arguments)
{
    if (arguments->count < 1) {
        return EX_USAGE;
    }
    int r = ck_verify_recording(arguments->words[0], arguments->unseal, arguments->words + 1,
                                (size_t)arguments->count - 1, &arguments->verdict);
    return r == CK_E_INVALID ? EX_USAGE
           : r != 0          ? cannot(arguments->words[0], r)
                             : conclude(arguments);
}

static int run_bundle(struct arguments *arguments)
{
    if (arguments->count != 1) {
        return EX_USAGE;
    }
    const struct ck_verify_bundle bundle = {.path = arguments->words[0],
                                            .built = arguments->built,
                                            .known = arguments->known,
                                            .known_count = arguments->known_count};
    int r = ck_verify_bundle(&bundle, &arguments->keys, &arguments->verdict);
    return r != 0 ? cannot(arguments->words[0], r) : conclude(arguments);
}

static int run(struct arguments *arguments, const char *command)
{
    static const struct {
        const char *name;
        int (*run)(struct arguments *arguments);
    } commands[] = {{"log", run_log},
                    {"proof", run_proof},
                    {"bundle", run_bundle},
                    {"recording", run_recording}};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, command) == 0) {
            int code = commands[i].run(arguments);
            if (code == EX_USAGE) {
                fputs(usage_text, stderr);
            }
            return code;
        }
    }
    fprintf(stderr, "checkin-verify: there is no command '%s'\n%s", command, usage_text);
    return EX_USAGE;
}

static bool read_objects(const char *text, uint64_t *objects)
{
    char *end;
    errno = 0;
    *objects = strtoull(text, &end, 10);
    return errno == 0 && *objects > 0 && text[0] != '-' && *end == '\0';
}

static int take_option(struct arguments *arguments, int option)
{
    switch (option) {
    case 'k':
        if (ck_keys_add(&arguments->keys, optarg) != 0) {
            fprintf(stderr, "checkin-verify: '%s' is no public key\n", optarg);
            return EX_DATAERR;
        }
        return 0;
    case 'n':
        if (arguments->known_count == CK_VERIFY_KNOWN_MAX) {
            fprintf(stderr, "checkin-verify: at most %d files of --known\n", CK_VERIFY_KNOWN_MAX);
            return EX_USAGE;
        }
        arguments->known[arguments->known_count++] = optarg;
        return 0;
    case 'u':
        arguments->unseal = optarg;
        return 0;
    case 'b':
        arguments->built = optarg;
        return 0;
    case 'o':
        if (!read_objects(optarg, &arguments->objects)) {
            fprintf(stderr, "checkin-verify: '%s' is no number of objects\n", optarg);
            return EX_USAGE;
        }
        return 0;
    case 'j':
        arguments->verdict.json = true;
        return 0;
    case 'v':
        puts("checkin-verify " CK_VERSION);
        exit(0);
    case 'h':
        fputs(usage_text, stdout);
        exit(0);
    default:
        fputs(usage_text, stderr);
        return EX_USAGE;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},
        {"known", required_argument, NULL, 'n'},
        {"unseal", required_argument, NULL, 'u'},
        {"built", required_argument, NULL, 'b'},
        {"json", no_argument, NULL, 'j'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"objects", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    static struct arguments arguments = {.objects = CK_COMPLETE_OBJECTS_MAX};
    int option, code = 0;
    while (code == 0 && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        code = take_option(&arguments, option);
    }
    if (code != 0) {
        return code;
    }
    if (optind == argc) {
        fputs(usage_text, stderr);
        return EX_USAGE;
    }
    arguments.count = argc - optind - 1;
    arguments.words = argv + optind + 1;
    return run(&arguments, argv[optind]);
}
