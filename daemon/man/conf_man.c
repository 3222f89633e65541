/* Writes checkind.conf(5) from the table of settings. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/config/settings.h"

static const char head[] =
    ".Dd November 30, 2026\n"
    ".Dt CHECKIND.CONF 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm checkind.conf\n"
    ".Nd configuration of checkind\n"
    ".Sh DESCRIPTION\n"
    "The file\n"
    ".Pa /etc/checkind/checkind.conf\n"
    "configures\n"
    ".Xr checkind 8 .\n"
    "It is read once, at start; what\n"
    ".Cm certificate\n"
    "and\n"
    ".Cm key\n"
    "name is read again at\n"
    ".Dv SIGHUP .\n"
    "A file with a fault is refused as a whole; every fault is named with its\n"
    "line and with what is allowed.\n"
    ".Ic checkind --print-config\n"
    "prints a file to begin with,\n"
    ".Ic checkinctl check-config\n"
    "checks one.\n"
    ".Pp\n"
    "Each line is a section\n"
    ".Pq Li [smtp] ,\n"
    "a setting\n"
    ".Pq Li key = value ,\n"
    "a comment that begins with\n"
    ".Ql #\n"
    "or\n"
    ".Ql \\&; ,\n"
    "or empty.\n"
    "A value goes to the end of its line; it needs no quotes and cannot be\n"
    "followed by a comment.\n"
    "A setting that is not there has its default; unknown sections and keys are\n"
    "refused.\n"
    ".Pp\n"
    "Durations are written with a unit: ms, s, min, h or d.\n"
    "Sizes are written with a unit: B, KiB, MiB or GiB.\n"
    "Lists are separated by commas.\n"
    ".Pp\n"
    "Secrets stand in files of their own, which must not be readable by everybody.\n"
    "A leading\n"
    ".Pa %d/\n"
    "stands for the credentials directory that the service manager gives the\n"
    "daemon\n"
    ".Pq Ev CREDENTIALS_DIRECTORY .\n";

static const char tail[] = ".Sh FILES\n"
                           ".Bl -tag -width Ds\n"
                           ".It Pa /etc/checkind/checkind.conf\n"
                           "The configuration.\n"
                           ".El\n"
                           ".Sh EXAMPLES\n"
                           "The least that a service needs:\n"
                           ".Bd -literal -offset indent\n"
                           "[daemon]\n"
                           "public_url = https://checkin.example.org\n"
                           "master_key_file = %d/master.key\n"
                           "[http]\n"
                           "certificate = /etc/checkind/tls.crt\n"
                           "key = /etc/checkind/tls.key\n"
                           "[smtp]\n"
                           "url = smtps://mail.example.org:465\n"
                           "from = checkind@example.org\n"
                           "[sms]\n"
                           "url = https://sms.example.org/v1/messages\n"
                           "token_file = %d/sms.token\n"
                           ".Ed\n"
                           ".Sh SEE ALSO\n"
                           ".Xr checkinctl 1 ,\n"
                           ".Xr checkind-operation 7 ,\n"
                           ".Xr checkind 8\n";

#define LINE_WIDTH 78

/* Writes one word so that nothing in it is taken for a macro or an escape. */
static void put_word(const char *word, size_t size, bool first)
{
    if (first && (*word == '.' || *word == '\'')) {
        fputs("\\&", stdout);
    }
    for (size_t i = 0; i < size; i++) {
        fputs(word[i] == '\\' ? "\\e" : (char[]){word[i], '\0'}, stdout);
    }
}

/* Writes sentences, each beginning on a line of its own, and broken between words. */
static void put_text(const char *text)
{
    size_t column = 0;
    bool ended = true;
    for (const char *at = text; *at != '\0';) {
        size_t size = strcspn(at, " ");
        bool first = ended || column + 1 + size > LINE_WIDTH;
        if (column > 0) {
            putchar(first ? '\n' : ' ');
        }
        put_word(at, size, first);
        column = first ? size : column + 1 + size;
        ended = at[size - 1] == '.';
        at += size;
        at += strspn(at, " ");
    }
    putchar('\n');
}

static void put_setting(const struct ck_setting *setting)
{
    char allowed[300];
    char sentence[400];
    ck_setting_allowed(setting, allowed, sizeof allowed);
    snprintf(sentence, sizeof sentence, "%s: %s.", setting->required ? "Required" : "Allowed",
             allowed);
    printf(".It Cm %s\n", setting->key);
    put_text(setting->help);
    put_text(sentence);
    if (*setting->standard != '\0') {
        puts("Default:");
        fputs(".Li \"", stdout);
        for (const char *c = setting->standard; *c != '\0'; c++) {
            fputs(*c == '"' ? "\\(dq" : (char[]){*c, '\0'}, stdout);
        }
        puts("\" .");
    } else if (setting->example != NULL) {
        printf("For example:\n.Li %s .\n", setting->example);
    }
}

int main(void)
{
    size_t count;
    const struct ck_setting *settings = ck_settings(&count);
    fputs(head, stdout);
    for (size_t i = 0; i < count; i++) {
        const char *section = settings[i].section;
        if (i == 0 || strcmp(section, settings[i - 1].section) != 0) {
            printf("%s.Sh SECTION %s\n", i == 0 ? "" : ".El\n", section);
            put_text(ck_settings_section_help(section));
            puts(".Bl -tag -width Ds");
        }
        put_setting(&settings[i]);
    }
    puts(".El");
    fputs(tail, stdout);
    return ferror(stdout) != 0;
}
