#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/config/config.h"
#include "daemon/config/settings.h"
#include "protocol/base/error.h"

#define TEXT_MAX (CK_CONFIG_FILE_MAX + 4096)

static char dir[] = "/tmp/checkind-config-XXXXXX";
static struct ck_config_faults faults;

/* What a configuration must have, apart from `without` ("section.key"). */
static const struct {
    const char *section, *line;
    const char *name;
} required[] = {
    {"daemon", "public_url = https://checkin.example.org\n", "daemon.public_url"},
    {"daemon", "master_key_file = %d/master.key\n", "daemon.master_key_file"},
    {"http", "self_signed = yes\n", "http.self_signed"},
};

static int parse(struct ck_config *config, const char *text)
{
    const struct ck_config_place place = {.credentials_dir = dir};
    memset(config, 0x5a, sizeof *config); /* nothing may depend on what was there */
    return ck_config_parse(config, text, strlen(text), &place, &faults);
}

/* A whole file with `line` in [section NAME] and everything required but `except`. */
static char *file_with(const char *section, const char *line, const char *except)
{
    static char text[TEXT_MAX];
    static const char *const sections[] = {
        "daemon",   "http",      "media",  "smtp",   "sms",    "voice",  "web_push", "webhook",
        "webhooks", "heartbeat", "signer", "access", "limits", "policy", "retention"};
    size_t at = 0;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        bool wanted = strcmp(sections[i], section) == 0;
        bool named = strcmp(sections[i], "webhook") == 0;
        if (!wanted && named) {
            continue;
        }
        at += (size_t)snprintf(text + at, sizeof text - at, "[%s%s]\n", sections[i],
                               named ? " duty" : "");
        for (size_t k = 0; k < sizeof required / sizeof required[0]; k++) {
            if (strcmp(required[k].section, sections[i]) == 0 &&
                strcmp(required[k].name, except) != 0) {
                at += (size_t)snprintf(text + at, sizeof text - at, "%s", required[k].line);
            }
        }
        if (wanted) {
            at += (size_t)snprintf(text + at, sizeof text - at, "%s\n", line);
        }
    }
    return text;
}

static void show_faults(void)
{
    ck_config_faults_print(&faults, "test", stderr);
}

/* The faults name the key, and the line where it stands in `text`. */
static void expect_fault(const char *text, const char *section, const char *key, const char *part)
{
    char where[80], line[80];
    snprintf(where, sizeof where, "[%s] %s:", section, key);
    snprintf(line, sizeof line, "\n%s =", key);
    const char *at = strstr(text, line);
    unsigned number = 2;
    for (const char *c = text; at != NULL && c < at; c++) {
        number += *c == '\n';
    }
    for (size_t i = 0; i < faults.kept; i++) {
        const struct ck_config_fault *fault = &faults.items[i];
        if (strncmp(fault->text, where, strlen(where)) == 0 && strstr(fault->text, part) != NULL &&
            (at == NULL || fault->line == number)) {
            return;
        }
    }
    show_faults();
    fail_msg("no fault for [%s] %s in line %u with \"%s\"", section, key, number, part);
}

static void full_name(const struct ck_setting *setting, char name[static 80])
{
    snprintf(name, 80, "%s.%s", setting->section, setting->key);
}

/* Tries one value of a setting; everything else is in order as far as a single setting can tell. */
static int try_value(const struct ck_setting *setting, const char *value, char **text)
{
    char name[80], line[5000];
    struct ck_config config;
    full_name(setting, name);
    snprintf(line, sizeof line, "%s = %s", setting->key, value);
    *text = file_with(setting->section, line, name);
    int error = parse(&config, *text);
    if (error == 0) {
        ck_config_deinit(&config);
    }
    return error;
}

/* Refused because of this value, not because of something else. */
static void expect_refused(const struct ck_setting *setting, const char *value, const char *part)
{
    char *text;
    assert_int_equal(try_value(setting, value, &text), CK_E_INVALID);
    expect_fault(text, setting->section, setting->key, part);
}

/* Not refused for this value; rules between settings may still have something to say. */
static void expect_taken(const struct ck_setting *setting, const char *value)
{
    char *text, where[80];
    int error = try_value(setting, value, &text);
    snprintf(where, sizeof where, "[%s] %s: \"", setting->section, setting->key);
    for (size_t i = 0; error != 0 && i < faults.kept; i++) {
        if (strncmp(faults.items[i].text, where, strlen(where)) == 0) {
            show_faults();
            fail_msg("%s = %s is refused", setting->key, value);
        }
    }
}

static void numbers_keep_to_their_range(const struct ck_setting *setting)
{
    const char *unit = setting->type == CK_SETTING_DURATION ? " ms"
                       : setting->type == CK_SETTING_SIZE   ? " B"
                                                            : "";
    char value[64];
    snprintf(value, sizeof value, "%" PRId64 "%s", setting->min, unit);
    expect_taken(setting, value);
    snprintf(value, sizeof value, "%" PRId64 "%s", setting->max, unit);
    expect_taken(setting, value);
    snprintf(value, sizeof value, "%" PRId64 "%s", setting->max + 1, unit);
    expect_refused(setting, value, "is out of range; allowed: ");
    if (setting->min > 0) {
        snprintf(value, sizeof value, "%" PRId64 "%s", setting->min - 1, unit);
        expect_refused(setting, value, "is out of range; allowed: ");
    }
    static const char *const bad[] = {"",    "many", "-1", "1.5", "1 week", "99999999999999999999",
                                      "0x10"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_refused(setting, bad[i], "is not understood; allowed: ");
    }
    if (*unit != '\0') {
        expect_refused(setting, "10", "is not understood; allowed: ");
    }
}

static void secrets_are_files_of_their_own(const struct ck_setting *setting)
{
    expect_refused(setting, "secrets/key", "is not allowed; allowed: the absolute path");
    expect_refused(setting, "/nowhere/key", "cannot read /nowhere/key: No such file");
    expect_refused(setting, "%d/open.key", "can be used by everybody");
    expect_refused(setting, "%d/empty.key", "holds 0 bytes; allowed: ");
    expect_refused(setting, "%d/huge.key", "bytes; allowed: ");
    expect_refused(setting, "%d/binary.key", "is not allowed; allowed: ");
    expect_refused(setting, "/tmp", "cannot read /tmp: Invalid argument");
}

/* Two lines, each long enough, and no third. */
static void a_webhook_secret_may_have_a_second_line(void **state)
{
    (void)state;
    size_t count;
    const struct ck_setting *settings = ck_settings(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].section, "webhook") == 0 && settings[i].type == CK_SETTING_SECRET) {
            expect_taken(&settings[i], "%d/text.key");
            expect_taken(&settings[i], "%d/pair.key");
            expect_refused(&settings[i], "%d/three.key", "two while the secret is changed");
            expect_refused(&settings[i], "%d/short.key", "two while the secret is changed");
        } else if (settings[i].type == CK_SETTING_SECRET) {
            expect_refused(&settings[i], "%d/pair.key", "allowed: ");
        }
    }
}

static void texts_are_checked(const struct ck_setting *setting)
{
    static const char *const bad[] = {"\x01", "a b\tc <\"\\>"};
    for (size_t i = 0; setting->refuse != NULL && i < sizeof bad / sizeof bad[0]; i++) {
        expect_refused(setting, bad[i], "is not allowed; allowed: ");
    }
    if (setting->example != NULL && setting->type != CK_SETTING_SECRET) {
        expect_taken(setting, setting->example);
    }
    if (setting->required) {
        expect_refused(setting, "", "must not be empty; allowed: ");
    }
}

static void every_setting_takes_what_is_good_and_refuses_the_rest(void **state)
{
    (void)state;
    size_t count;
    const struct ck_setting *settings = ck_settings(&count);
    assert_in_range(count, 80, 160);
    for (size_t i = 0; i < count; i++) {
        const struct ck_setting *setting = &settings[i];
        assert_true(strlen(setting->help) > 10);
        assert_true(setting->help[strlen(setting->help) - 1] == '.');
        assert_non_null(ck_settings_section_help(setting->section));
        if (*setting->standard != '\0') {
            expect_taken(setting, setting->standard);
        }
        switch (setting->type) {
        case CK_SETTING_COUNT:
        case CK_SETTING_DURATION:
        case CK_SETTING_SIZE:
            numbers_keep_to_their_range(setting);
            break;
        case CK_SETTING_FLAG:
            expect_taken(setting, "yes");
            expect_taken(setting, "no");
            expect_refused(setting, "true", "is not allowed; allowed: yes or no");
            break;
        case CK_SETTING_CHOICE:
            for (size_t k = 0; setting->words[k] != NULL; k++) {
                expect_taken(setting, setting->words[k]);
            }
            expect_refused(setting, "other", "is not allowed; allowed: ");
            break;
        case CK_SETTING_SECRET:
            secrets_are_files_of_their_own(setting);
            break;
        case CK_SETTING_TEXT:
        case CK_SETTING_PATH:
        case CK_SETTING_LIST:
            texts_are_checked(setting);
            break;
        }
    }
}

static void defaults_are_what_the_table_says(void **state)
{
    (void)state;
    struct ck_config config;
    assert_int_equal(parse(&config, file_with("policy", "", "")), 0);
    assert_string_equal(config.daemon.state_dir, "/var/lib/checkind");
    assert_string_equal(config.daemon.unit_zone, "Asia/Almaty");
    assert_int_equal(config.daemon.log_level, CK_LOG_INFO);
    assert_int_equal(config.daemon.clock_sync, CK_CLOCK_REQUIRED);
    assert_int_equal(config.daemon.master_key.size, 64);
    assert_int_equal(config.http.listen.count, 1);
    assert_string_equal(config.http.listen.items[0], "8443");
    assert_true(config.http.self_signed);
    assert_string_equal(config.smtp.url, "");
    assert_true(config.smtp.starttls_required);
    assert_null(config.smtp.password.bytes);
    assert_int_equal(config.sms.method, CK_GATEWAY_POST);
    assert_int_equal(config.sms.accept.count, 3);
    assert_int_equal(config.limits.upload_bytes, 10 * 1024 * 1024);
    assert_int_equal(config.policy.grace_ms, 5 * 60 * 1000);
    assert_int_equal(config.retention.recording_ms, INT64_C(90) * 86400000);
    assert_int_equal(config.webhook_count, 0);
    assert_null(ck_config_webhook(&config, ""));
    char *path = ck_config_path(&config, config.daemon.store_path);
    assert_string_equal(path, "/var/lib/checkind/checkind.db");
    free(path);
    path = ck_config_path(&config, "/elsewhere/x");
    assert_string_equal(path, "/elsewhere/x");
    free(path);
    ck_config_deinit(&config);
}

static void values_are_read_as_written(void **state)
{
    (void)state;
    struct ck_config config;
    const char *text = "\n# comment\n ; another\r\n[daemon]\r\n  state_dir=/srv/x  \n"
                       "public_url = https://[2001:db8::1]:8443\nmaster_key_file =%d/master.key\n"
                       "log_level = debug\n[http]\nself_signed = yes\n"
                       "listen = 8443 , 127.0.0.1:9000,[::1]:9001\n"
                       "[policy]\ngrace = 90s\nlate_limit = 1 d\n"
                       "[smtp]\nurl = smtps://mail.example.org:465\nfrom = a@example.org\n"
                       "from_name = Қоңырау; қызметі # 1\nuser = u\npassword_file = %d/text.key\n"
                       "[webhook duty]\nurl = http://127.0.0.1:80/x\nsecret_file = %d/text.key\n"
                       "[webhook night_2]\nurl = https://h/\nsecret_file = %d/text.key";
    int error = parse(&config, text);
    if (error != 0) {
        show_faults();
    }
    assert_int_equal(error, 0);
    assert_string_equal(config.daemon.state_dir, "/srv/x");
    assert_int_equal(config.daemon.log_level, CK_LOG_DEBUG);
    assert_int_equal(config.http.listen.count, 3);
    assert_string_equal(config.http.listen.items[0], "8443");
    assert_string_equal(config.http.listen.items[1], "127.0.0.1:9000");
    assert_string_equal(config.http.listen.items[2], "[::1]:9001");
    assert_int_equal(config.policy.grace_ms, 90000);
    assert_int_equal(config.policy.late_limit_ms, 86400000);
    assert_string_equal(config.smtp.from_name, "Қоңырау; қызметі # 1");
    assert_string_equal(config.smtp.password.bytes, "a secret of some length");
    assert_int_equal(config.webhook_count, 2);
    assert_string_equal(ck_config_webhook(&config, "")->name, "duty");
    assert_string_equal(ck_config_webhook(&config, "night_2")->url, "https://h/");
    assert_null(ck_config_webhook(&config, "day"));
    ck_config_deinit(&config);
}

/* ---- form ---- */

static void expect_line(unsigned line, const char *part)
{
    for (size_t i = 0; i < faults.kept; i++) {
        if (faults.items[i].line == line && strstr(faults.items[i].text, part) != NULL) {
            return;
        }
    }
    show_faults();
    fail_msg("no fault in line %u with \"%s\"", line, part);
}

static void all_faults_are_told_by_line(void **state)
{
    (void)state;
    struct ck_config config;
    const char *text = "loose = 1\n"                                /* 1 */
                       "[daemon]\n"                                 /* 2 */
                       "pubic_url = https://h\n"                    /* 3 */
                       "log_level = info\n"                         /* 4 */
                       "log_level = debug\n"                        /* 5 */
                       "nonsense\n"                                 /* 6 */
                       "[nowhere]\n"                                /* 7 */
                       "anything = goes, for the section is told\n" /* 8 */
                       "[http]\n"                                   /* 9 */
                       "[http]\n"                                   /* 10 */
                       "[http\n"                                    /* 11 */
                       "[http x]\n"                                 /* 12 */
                       "[webhook]\n"                                /* 13 */
                       "[webhook a b]\n"                            /* 14 */
                       "[webhook a]\n"                              /* 15 */
                       "[webhook a]\n"                              /* 16 */
                       "[policy]\n"                                 /* 17 */
                       "attempts = 99\n"                            /* 18 */
                       "grace = soon\n"                             /* 19 */
                       "\xff = 1\n"                                 /* 20 */
                       "a\x1b[31mb = 1\n";                          /* 21 */
    assert_int_equal(parse(&config, text), CK_E_INVALID);
    expect_line(0, "[daemon] public_url: is missing");
    expect_line(0, "[daemon] master_key_file: is missing");
    expect_line(1, "loose: stands before the first [section]");
    expect_line(3, "unknown key \"pubic_url\"; known here: state_dir, ");
    expect_line(5, "[daemon] log_level: is there twice, first in line 4");
    expect_line(6, "\"nonsense\" is neither");
    expect_line(7, "unknown section [nowhere]; known are: [daemon], [http]");
    expect_line(10, "[http] the section is there twice");
    expect_line(11, "a section is written [name]");
    expect_line(12, "[http] this section has no name");
    expect_line(13, "[webhook] a name is needed");
    expect_line(14, "[webhook] a name is needed");
    expect_line(15, "[webhook] url: is missing");
    expect_line(16, "[webhook a] is there twice");
    expect_line(18,
                "[policy] attempts: \"99\" is out of range; allowed: a whole number from 1 to 10");
    expect_line(19,
                "[policy] grace: \"soon\" is not understood; allowed: a duration from 1 s to 1 d");
    expect_line(20, "not UTF-8");
    expect_line(21, "unknown key \"a?[31mb\"");
    for (size_t i = 1; i < faults.kept; i++) {
        assert_true(faults.items[i - 1].line <= faults.items[i].line);
    }
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    ck_config_faults_print(&faults, "x.conf", out);
    fclose(out);
    assert_non_null(strstr(printed, "x.conf:18: [policy] attempts: \"99\""));
    assert_non_null(strstr(printed, "x.conf: [daemon] public_url: is missing"));
    free(printed);
}

static void files_have_limits(void **state)
{
    (void)state;
    struct ck_config config;
    char *text = calloc(1, TEXT_MAX);
    memset(text, '#', CK_CONFIG_LINE_MAX + 1);
    assert_int_equal(parse(&config, text), CK_E_INVALID);
    expect_line(1, "too long");
    memset(text, '\n', CK_CONFIG_FILE_MAX + 1);
    assert_int_equal(parse(&config, text), CK_E_INVALID);
    expect_line(0, "bigger than");
    size_t at = 0;
    for (int i = 0; i < 300; i++) {
        at += (size_t)sprintf(text + at, "bad\n");
    }
    text[at] = '\0';
    assert_int_equal(parse(&config, text), CK_E_INVALID);
    assert_int_equal(faults.kept, CK_CONFIG_FAULTS_MAX);
    assert_in_range(faults.count, 300, 310);
    at = (size_t)sprintf(text, "[http]\nlisten = 1");
    for (int i = 0; i < CK_CONFIG_LIST_MAX; i++) {
        at += (size_t)sprintf(text + at, ",%d", 1000 + i);
    }
    assert_int_equal(parse(&config, text), CK_E_INVALID);
    expect_line(2, "\"1031\" is one too many");
    at = 0;
    for (int i = 0; i <= CK_CONFIG_NAMED_MAX; i++) {
        at += (size_t)sprintf(text + at,
                              "[webhook w%d]\nurl = https://h\nsecret_file=%%d/text.key\n", i);
    }
    assert_int_equal(parse(&config, text), CK_E_INVALID);
    expect_line(3 * CK_CONFIG_NAMED_MAX + 1, "no more than 8 are allowed");
    free(text);
    assert_int_equal(ck_config_load(&config, "/nowhere/x.conf", NULL, &faults), CK_E_INVALID);
    expect_line(0, "cannot read it: No such file or directory");
}

static void credentials_need_their_directory(void **state)
{
    (void)state;
    struct ck_config config;
    struct ck_config_place place = {.credentials_dir = NULL};
    const char *text = file_with("http", "certificate = %d/a\nkey = %d/b", "http.self_signed");
    assert_int_equal(ck_config_parse(&config, text, strlen(text), &place, &faults), CK_E_INVALID);
    expect_fault(text, "daemon", "master_key_file", "$CREDENTIALS_DIRECTORY is not set");
    expect_fault(text, "http", "key", "$CREDENTIALS_DIRECTORY is not set");
    place.leave_credentials = true;
    assert_int_equal(ck_config_parse(&config, text, strlen(text), &place, &faults), 0);
    assert_null(config.daemon.master_key.bytes);
    ck_config_deinit(&config);
}

/* ---- rules between settings ---- */

static void rules_between_settings_hold(void **state)
{
    (void)state;
    static const struct {
        const char *section, *lines, *key, *part, *except;
    } cases[] = {
        {"http", "", "certificate", "self_signed = yes", "http.self_signed"},
        {"http", "certificate = /etc/hostname", "certificate", "together", "http.self_signed"},
        {"http", "key = /etc/hostname", "key", "together", "http.self_signed"},
        {"http", "certificate = /etc/hostname\nkey = /etc/hostname", "self_signed", "one of", ""},
        {"http", "certificate = /no/a\nkey = /no/b", "certificate", "cannot read /no/a",
         "http.self_signed"},
        {"media", "udp_port_base = 65530\nworkers = 10", "udp_port_base", "10 workers", ""},
        {"media", "turn_urls = turn:h", "turn_urls", "together", ""},
        {"media", "relay_only = yes", "relay_only", "needs turn_urls", ""},
        {"media", "turn_secret_file = %d/text.key", "turn_secret_file", "together", ""},
        {"smtp", "url = smtps://h:1", "from", "is missing although", ""},
        {"smtp", "user = u", "user", "together", ""},
        {"smtp", "password_file = %d/text.key", "password_file", "together", ""},
        {"smtp", "url = smtp://h:1\nfrom = a@b.c\nstarttls_required = no", "starttls_required",
         "only for a server on this machine", ""},
        {"sms", "accept_field = status", "accept_field", "together", ""},
        {"sms", "accept_values = ok", "accept_values", "together", ""},
        {"voice", "accept_field = status", "accept_field", "together", ""},
        {"web_push", "subject = mailto:a@b.c", "subject", "together", ""},
        {"web_push", "key_file = %d/master.key", "key_file", "together", ""},
        {"limits", "connections = 100\nconnections_per_address = 101", "connections_per_address",
         "must not exceed connections", ""},
        {"limits", "connections = 100", "connections_per_address", "must not exceed", ""},
        {"limits", "staff_session = 13 h", "staff_session", "must not exceed", ""},
        {"limits", "body = 2 MiB\nupload = 1 MiB", "body", "must not exceed upload", ""},
        {"retention", "recording = 2000 d", "recording", "must not exceed case_file", ""},
        {"retention", "risk = 2000 d", "risk", "must not exceed case_file", ""},
        {"retention", "photo = 2000 d", "photo", "must not exceed case_file", ""},
        {"retention", "contact = 2000 d", "contact", "must not exceed case_file", ""},
        {"retention", "case_file = 365 d\nmessages = 366 d", "messages", "must not exceed", ""},
        {"retention", "case_file = 365 d\nconcern = 366 d", "concern", "must not exceed", ""},
        {"policy", "notice_retry_first = 6 min", "notice_retry_first", "must not exceed", ""},
        {"policy", "response_window = 2 h", "response_window", "together with grace", ""},
        {"policy", "attempts = 4", "attempts", "the last attempt must ring", ""},
        {"policy", "attempt_spacing = 8 min", "attempts", "the last attempt must ring", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ck_config config;
        const char *text = file_with(cases[i].section, cases[i].lines, cases[i].except);
        assert_int_equal(parse(&config, text), CK_E_INVALID);
        char where[80];
        snprintf(where, sizeof where, "[%s] %s:", cases[i].section, cases[i].key);
        if (strncmp(faults.items[0].text, where, strlen(where)) != 0 ||
            strstr(faults.items[0].text, cases[i].part) == NULL) {
            show_faults();
            fail_msg("case %zu", i);
        }
    }
}

static void only_this_machine_is_spoken_to_in_the_open(void **state)
{
    (void)state;
    static const struct {
        const char *section, *key, *value;
        bool good;
    } cases[] = {
        {"sms", "url", "http://127.0.0.1:8080/x", true},
        {"sms", "url", "http://localhost/x", true},
        {"sms", "url", "http://[::1]:1", true},
        {"sms", "url", "http://127.0.0.1.example.org/", false},
        {"sms", "url", "http://sms.example.org/", false},
        {"sms", "url", "http://[::2]/", false},
        {"sms", "url", "https://user:password@h/", false},
        {"sms", "url", "https://", false},
        {"sms", "url", "https://h:65536/", false},
        {"sms", "url", "ftp://h/", false},
        {"smtp", "url", "smtp://h", false},
        {"smtp", "url", "smtp://h:25/path", false},
        {"daemon", "public_url", "https://h/", false},
        {"daemon", "public_url", "http://localhost", false},
        {"daemon", "help_phone", "102", true},
        {"daemon", "help_phone", "+77172000000", true},
        {"daemon", "help_phone", "12", false},
        {"daemon", "help_phone", "+7 717 200", false},
        {"daemon", "unit_zone", "Asia/Nowhere", false},
        {"daemon", "unit_zone", "../../etc/passwd", false},
        {"daemon", "unit_zone", "Europe/Berlin", true},
        {"http", "listen", "0.0.0.0:443, [::]:443", true},
        {"http", "listen", "localhost:443", false},
        {"http", "listen", "443,", false},
        {"http", "listen", "443, ,444", false},
        {"smtp", "from", "a@b@c", false},
        {"smtp", "from", "Name <a@b.c>", false},
        {"sms", "body", "{\"a\":\"{to}\"}", false},
        {"sms", "body", "{to} {text}", false},
        {"sms", "body", "{\"a\":{\"b\":[\"{to}\",\"{text}\"]}}", true},
        {"sms", "accept", "200, 404", false},
        {"media", "turn_urls", "turn:h:3478?transport=udp, turns:[::1]", true},
        {"media", "turn_urls", "stun:h", false},
        {"media", "advertise", "192.0.2.1, 2001:db8::1", true},
        {"media", "advertise", "host", false},
        {"web_push", "subject", "mailto:a@b.c", true},
        {"web_push", "subject", "https://h/contact", true},
        {"web_push", "subject", "mailto:", false},
        {"web_push", "subject", "http://localhost/", false},
    };
    size_t count;
    const struct ck_setting *settings = ck_settings(&count);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < count; k++) {
            if (strcmp(settings[k].section, cases[i].section) != 0 ||
                strcmp(settings[k].key, cases[i].key) != 0) {
                continue;
            }
            if (cases[i].good) {
                expect_taken(&settings[k], cases[i].value);
            } else {
                expect_refused(&settings[k], cases[i].value, "is not allowed; allowed: ");
            }
        }
    }
}

/* What is printed is a configuration in which only the choice of a certificate is missing. */
static void the_printed_configuration_can_be_read(void **state)
{
    (void)state;
    struct ck_config config;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_config_print_default(out);
    fclose(out);
    assert_int_equal(parse(&config, text), CK_E_INVALID); /* a certificate is missing */
    assert_int_equal(faults.count, 1);
    assert_non_null(strstr(faults.items[0].text, "[http] certificate:"));
    size_t count;
    const struct ck_setting *settings = ck_settings(&count);
    for (size_t i = 0; i < count; i++) {
        char line[200];
        snprintf(line, sizeof line, "\n#%s = %s\n", settings[i].key, settings[i].standard);
        bool shown = strstr(text, line) != NULL;
        if (settings[i].example != NULL) {
            snprintf(line, sizeof line, "%s = %s\n", settings[i].key, settings[i].example);
            shown |= strstr(text, line) != NULL;
        }
        assert_true(shown || strlen(settings[i].standard) > 150);
    }
    free(text);
}

static void write_file(const char *name, const char *bytes, size_t size, mode_t mode)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    fwrite(bytes, 1, size, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static int make_files(void **state)
{
    (void)state;
    static char huge[9000];
    static const char key[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    static const char binary[] =
        "\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06"
        "\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04"
        "\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08";
    assert_non_null(mkdtemp(dir));
    memset(huge, 'a', sizeof huge);
    write_file("master.key", key, sizeof key - 1, 0600);
    write_file("open.key", key, sizeof key - 1, 0604);
    write_file("empty.key", "", 0, 0600);
    write_file("huge.key", huge, sizeof huge, 0600);
    write_file("binary.key", binary, 64, 0600);
    write_file("text.key", "a secret of some length\n", 24, 0640);
    write_file("pair.key", "a secret of some length\nanother of some length\n", 47, 0640);
    write_file("short.key", "a secret of some length\nshort\n", 30, 0640);
    write_file("three.key",
               "a secret of some length\nanother of some length\na third one, too long\n", 69,
               0640);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    static const char *const names[] = {"master.key", "open.key",   "empty.key",
                                        "huge.key",   "binary.key", "text.key",
                                        "pair.key",   "short.key",  "three.key"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_takes_what_is_good_and_refuses_the_rest),
        cmocka_unit_test(a_webhook_secret_may_have_a_second_line),
        cmocka_unit_test(defaults_are_what_the_table_says),
        cmocka_unit_test(values_are_read_as_written),
        cmocka_unit_test(all_faults_are_told_by_line),
        cmocka_unit_test(files_have_limits),
        cmocka_unit_test(credentials_need_their_directory),
        cmocka_unit_test(rules_between_settings_hold),
        cmocka_unit_test(only_this_machine_is_spoken_to_in_the_open),
        cmocka_unit_test(the_printed_configuration_can_be_read),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
