/* checkinctl(1): asks the running daemon, and looks after what needs none. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/config/config.h"
#include "daemon/config/norms.h"
#include "daemon/ctl/checkinctl_impl.h"
#include "daemon/ctl/control_client.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

static const char usage_text[] =
    "checkinctl [--socket=PATH] [--json] COMMAND\n"
    "  status                        what the daemon is doing\n"
    "  health                        whether a check-in could be answered now; 1 if not\n"
    "  setup-token                   the code with which the first administrator is made\n"
    "  metrics                       figures in the text format of Prometheus\n"
    "  quarantine list               rows set aside because deciding them failed\n"
    "  quarantine release KIND ID    lets the engine try such a row again\n"
    "  contact-test CHANNEL ADDRESS [LANGUAGE]\n"
    "                                sends a test notice by email, sms, voice or webhook\n"
    "  media list                    the media workers and how busy they are\n"
    "  media drain WORKER            no new calls for it; started anew after its last one\n"
    "  export APPROVAL FILE          the bundle that two persons approved, for a court or another\n"
    "                                agency; FILE must not be there yet\n"
    "  log verify [--store=PATH] [SIZE:ROOT ...]\n"
    "                                recomputes the audit log; needs no daemon\n"
    "  log export FOLDER --recipient=WHO --reason=WHY [--store=PATH]\n"
    "                                copies the log for checkin-verify; the daemon notes it first\n"
    "  log proof ENTRY FILE [--store=PATH]\n"
    "                                writes FILE.tlog-proof and the entry itself; noted first\n"
    "  log cosign FILE               adds a witness's signature to a checkpoint\n"
    "  store copy FILE [--store=PATH]\n"
    "                                copies the store for a backup while the daemon goes on, and\n"
    "                                verifies the log of the copy; FILE must not be there yet\n"
    "  plan preview [--store=PATH] PLAN\n"
    "                                the windows of the next 14 days; needs no daemon\n"
    "  plan prove [--store=PATH] CHECKIN\n"
    "                                recomputes a draw from the log; needs no daemon\n"
    "  key make FILE                 a new master key; prints its name\n"
    "  key name FILE                 the name of a master key, as the log and status have it\n"
    "  key split FILE K N FOLDER     N shares of it, of which any K make it again\n"
    "  key join FILE SHARE ...       makes the key again from shares; needs no daemon\n"
    "  check-config [FILE]           checks a configuration; needs no daemon\n";

/* ---- commands of the daemon ---- */

static int cannot_ask(const char *socket, int error)
{
    const char *hint = error == -ENOENT || error == -ECONNREFUSED ? " (is checkind running?)"
                       : error == -EACCES || error == -EPERM      ? " (are you root?)"
                                                                  : "";
    fprintf(stderr, "checkinctl: %s: %s%s\n", socket, ck_error_text(error), hint);
    return EX_UNAVAILABLE;
}

int ck_ctl_ask(const struct ck_ctl *ctl, const char *command, json_t *arguments, int wait_s,
               json_t **answer, json_t **result)
{
    int error = ck_control_ask_within(ctl->socket, command, arguments, wait_s, answer);
    if (error != 0) {
        return cannot_ask(ctl->socket, error);
    }
    *result = json_object_get(*answer, "result");
    if (json_is_true(json_object_get(*answer, "ok"))) {
        return 0;
    }
    const char *message = json_string_value(json_object_get(*answer, "message"));
    fprintf(stderr, "checkinctl: %s\n", message == NULL ? "the daemon refuses" : message);
    return EXIT_FAILURE;
}

/* Asks and prints the whole answer. */
static int ask(const struct ck_ctl *ctl, const char *command, json_t *arguments, json_t **answer,
               json_t **result)
{
    return ck_ctl_ask(ctl, command, arguments, CK_CONTROL_WAIT_S, answer, result);
}

int ck_ctl_show(const struct ck_ctl *ctl, const char *command, json_t *arguments)
{
    json_t *answer = NULL, *result;
    int code = ask(ctl, command, arguments, &answer, &result);
    if (code == 0) {
        ck_ctl_print(result, ctl->json);
    }
    json_decref(answer);
    return code;
}

bool ck_ctl_tell(const struct ck_ctl *ctl, const char *command, json_t *arguments)
{
    json_t *answer = NULL;
    bool told = ck_control_ask(ctl->socket, command, arguments, &answer) == 0 &&
                json_is_true(json_object_get(answer, "ok"));
    json_decref(answer);
    return told;
}

int ck_ctl_open_store(const struct ck_ctl *ctl, struct ck_store **store)
{
    int error = ck_store_open_reader(store, ctl->store);
    if (error == 0) {
        return 0;
    }
    fprintf(stderr, "checkinctl: %s: %s\n", ctl->store,
            error == CK_E_CONFLICT ? "was written by another version" : ck_error_text(error));
    return EX_NOINPUT;
}

/* Asks and prints one text member alone. */
static int show_text(const struct ck_ctl *ctl, const char *command, const char *member)
{
    json_t *answer = NULL, *result;
    int code = ask(ctl, command, NULL, &answer, &result);
    if (code == 0 && ctl->json) {
        ck_ctl_print(result, true);
    } else if (code == 0) {
        const char *text = json_string_value(json_object_get(result, member));
        size_t size = text == NULL ? 0 : strlen(text);
        printf("%s%s", text == NULL ? "" : text, size > 0 && text[size - 1] == '\n' ? "" : "\n");
    }
    json_decref(answer);
    return code;
}

static int run_status(const struct ck_ctl *ctl, int count, char **words)
{
    (void)words;
    return count == 0 ? ck_ctl_show(ctl, "status", NULL) : EX_USAGE;
}

static int run_health(const struct ck_ctl *ctl, int count, char **words)
{
    (void)words;
    if (count != 0) {
        return EX_USAGE;
    }
    json_t *answer = NULL, *result;
    int code = ask(ctl, "health", NULL, &answer, &result);
    if (code == 0) {
        ck_ctl_print(result, ctl->json);
        code = json_is_true(json_object_get(result, "healthy")) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    json_decref(answer);
    return code;
}

static int run_setup_token(const struct ck_ctl *ctl, int count, char **words)
{
    (void)words;
    return count == 0 ? ck_ctl_show(ctl, "setup-token", NULL) : EX_USAGE;
}

static int run_metrics(const struct ck_ctl *ctl, int count, char **words)
{
    (void)words;
    return count == 0 ? show_text(ctl, "metrics", "text") : EX_USAGE;
}

static int run_quarantine(const struct ck_ctl *ctl, int count, char **words)
{
    if (count == 1 && strcmp(words[0], "list") == 0) {
        return ck_ctl_show(ctl, "quarantine.list", NULL);
    }
    if (count != 3 || strcmp(words[0], "release") != 0) {
        return EX_USAGE;
    }
    char *end;
    errno = 0;
    long long id = strtoll(words[2], &end, 10);
    if (errno != 0 || *end != '\0' || id < 1) {
        fprintf(stderr, "checkinctl: '%s' is not an id\n", words[2]);
        return EX_USAGE;
    }
    return ck_ctl_show(ctl, "quarantine.release",
                       json_pack("{s:s, s:I}", "kind", words[1], "id", (json_int_t)id));
}

static int run_media(const struct ck_ctl *ctl, int count, char **words)
{
    if (count == 1 && strcmp(words[0], "list") == 0) {
        return ck_ctl_show(ctl, "media.list", NULL);
    }
    if (count != 2 || strcmp(words[0], "drain") != 0) {
        return EX_USAGE;
    }
    char *end;
    errno = 0;
    long worker = strtol(words[1], &end, 10);
    if (errno != 0 || *end != '\0' || end == words[1] || worker < 0) {
        fprintf(stderr, "checkinctl: '%s' is not the number of a worker\n", words[1]);
        return EX_USAGE;
    }
    return ck_ctl_show(ctl, "media.drain", json_pack("{s:I}", "worker", (json_int_t)worker));
}

static int run_contact_test(const struct ck_ctl *ctl, int count, char **words)
{
    if (count != 2 && count != 3) {
        return EX_USAGE;
    }
    json_t *answer = NULL, *result;
    int code = ask(ctl, "contact-test",
                   json_pack("{s:s, s:s, s:s}", "channel", words[0], "to", words[1], "language",
                             count == 3 ? words[2] : "en"),
                   &answer, &result);
    if (code == 0) {
        ck_ctl_print(result, ctl->json);
        const char *came = json_string_value(json_object_get(result, "result"));
        code = came != NULL && strcmp(came, "accepted") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    json_decref(answer);
    return code;
}

/* ---- commands that need no daemon ---- */

static int run_check_config(const struct ck_ctl *ctl, int count, char **words)
{
    (void)ctl;
    if (count > 1) {
        return EX_USAGE;
    }
    const char *path = count == 1 ? words[0] : CK_CONFIG_DEFAULT_PATH;
    ck_cleanup(ck_freep) struct ck_config_faults *faults = calloc(1, sizeof *faults);
    struct ck_config config;
    struct ck_config_place place = {.credentials_dir = getenv("CREDENTIALS_DIRECTORY"),
                                    .leave_credentials = true};
    int error = faults == NULL ? -ENOMEM : ck_config_load(&config, path, &place, faults);
    if (error == CK_E_INVALID) {
        ck_config_faults_print(faults, path, stderr);
        return EX_CONFIG;
    }
    if (error != 0) {
        fprintf(stderr, "checkinctl: %s\n", ck_error_text(error));
        return EX_OSERR;
    }
    struct ck_norms norms;
    struct ck_norms_fault fault = {.text = ""};
    const char *norms_path = config.policy.odara_norms;
    error = norms_path[0] == '\0' ? 0 : ck_norms_load(norms_path, &norms, &fault);
    if (error != 0) {
        fprintf(stderr, "%s:%zu: %s\n", norms_path, fault.line,
                error == CK_E_INVALID ? fault.text : ck_error_text(error));
        ck_config_deinit(&config);
        return EX_CONFIG;
    }
    printf("%s: in order%s\n", path,
           place.credentials_dir == NULL ? " (credentials under %d/ were not looked at)" : "");
    ck_config_deinit(&config);
    return EXIT_SUCCESS;
}

/* ---- choosing ---- */

static const struct {
    const char *name;
    int (*run)(const struct ck_ctl *ctl, int count, char **words);
} commands[] = {
    {"status", run_status},
    {"health", run_health},
    {"setup-token", run_setup_token},
    {"metrics", run_metrics},
    {"quarantine", run_quarantine},
    {"contact-test", run_contact_test},
    {"media", run_media},
    {"check-config", run_check_config},
    {"export", ck_ctl_export},
    {"log", ck_ctl_log},
    {"store", ck_ctl_store},
    {"plan", ck_ctl_plan},
    {"key", ck_ctl_key},
};

static int usage(FILE *out, int code)
{
    fputs(usage_text, out);
    return code;
}

static int run(const struct ck_ctl *ctl, int count, char **words)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(words[0], commands[i].name) == 0) {
            int code = commands[i].run(ctl, count - 1, words + 1);
            return code == EX_USAGE ? usage(stderr, code) : code;
        }
    }
    fprintf(stderr, "checkinctl: there is no command '%s'\n", words[0]);
    return usage(stderr, EX_USAGE);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"store", required_argument, NULL, 'd'},
        {"recipient", required_argument, NULL, 'r'},
        {"reason", required_argument, NULL, 'w'},
        {"json", no_argument, NULL, 'j'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct ck_ctl ctl = {.socket = CK_CONTROL_DEFAULT_PATH, .store = CK_CTL_DEFAULT_STORE};
    int option;
    while ((option = getopt_long(argc, argv, "s:jh", options, NULL)) != -1) {
        switch (option) {
        case 's':
            ctl.socket = optarg;
            break;
        case 'd':
            ctl.store = optarg;
            break;
        case 'r':
            ctl.recipient = optarg;
            break;
        case 'w':
            ctl.reason = optarg;
            break;
        case 'j':
            ctl.json = true;
            break;
        case 'v':
            puts("checkinctl " CK_VERSION);
            return 0;
        case 'h':
            return usage(stdout, 0);
        default:
            return usage(stderr, EX_USAGE);
        }
    }
    return optind == argc ? usage(stderr, EX_USAGE) : run(&ctl, argc - optind, argv + optind);
}
