/* checkind(8): the command line, and the configuration before anything else. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"

/* Blocking work of the loop (readers, passwords, recordings' files, name look-ups) shares libuv's
 * pool. A disk that stalls keeps some of its threads; the rest must still serve. */
#define POOL_THREADS "24"

enum action { RUN, CHECK_CONFIG, PRINT_CONFIG };

static void usage(FILE *out)
{
    fputs("checkind [--config=FILE] [--check-config | --print-config | --version]\n"
          "  --config=FILE    configuration (default " CK_CONFIG_DEFAULT_PATH ")\n"
          "  --check-config   checks the configuration, names every fault, and ends\n"
          "  --print-config   prints a configuration with every setting at its default\n",
          out);
}

static int parse(int argc, char **argv, const char **path, enum action *action)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'k'},
        {"print-config", no_argument, NULL, 'p'}, {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            *path = optarg;
            break;
        case 'k':
            *action = CHECK_CONFIG;
            break;
        case 'p':
            *action = PRINT_CONFIG;
            break;
        case 'v':
            puts("checkind " CK_VERSION);
            exit(0);
        case 'h':
            usage(stdout);
            exit(0);
        default:
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "checkind: unexpected argument '%s'\n", argv[optind]);
        return EX_USAGE;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *path = CK_CONFIG_DEFAULT_PATH;
    enum action action = RUN;
    if (parse(argc, argv, &path, &action) != 0) {
        usage(stderr);
        return EX_USAGE;
    }
    if (action == PRINT_CONFIG) {
        ck_config_print_default(stdout);
        return 0;
    }
    int error = ck_service_hide_memory();
    if (error != 0) {
        fprintf(stderr, "checkind: core dumps cannot be kept off: %s\n", strerror(-error));
        return EX_OSERR;
    }
    signal(SIGPIPE, SIG_IGN); /* libraries write to sockets that the other side has closed */
    setenv("UV_THREADPOOL_SIZE", POOL_THREADS, 0);
    struct ck_config config;
    ck_cleanup(ck_freep) struct ck_config_faults *faults = calloc(1, sizeof *faults);
    struct ck_config_place place = {.credentials_dir = getenv("CREDENTIALS_DIRECTORY")};
    error = faults == NULL ? -ENOMEM : ck_config_load(&config, path, &place, faults);
    if (error > 0) {
        ck_config_faults_print(faults, path, stderr);
        return EX_CONFIG;
    }
    if (error < 0) {
        fprintf(stderr, "checkind: %s: %s\n", path, strerror(-error));
        return EX_OSERR;
    }
    if (action == CHECK_CONFIG) {
        printf("%s: in order\n", path);
    } else {
        ck_log_setup((enum ck_log_level)config.daemon.log_level,
                     ck_log_is_journal(getenv("JOURNAL_STREAM")));
        error = ck_product_run(&config);
    }
    ck_config_deinit(&config);
    return error;
}
