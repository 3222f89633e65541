/* The table of settings: the one description from which configurations are read, refused, printed
 * and documented. */
#ifndef DAEMON_CONFIG_SETTINGS_H
#define DAEMON_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ck_setting_type {
    CK_SETTING_TEXT,
    CK_SETTING_PATH,     /* text; a leading "%d/" stands for the credentials directory */
    CK_SETTING_SECRET,   /* path of a file that holds a secret: absolute or "%d/NAME" */
    CK_SETTING_FLAG,     /* yes or no */
    CK_SETTING_COUNT,    /* whole number */
    CK_SETTING_DURATION, /* whole number and unit: ms, s, min, h or d */
    CK_SETTING_SIZE,     /* whole number and unit: B, KiB, MiB or GiB */
    CK_SETTING_CHOICE,   /* one of the words of `words` */
    CK_SETTING_LIST,     /* texts separated by commas */
};

struct ck_setting {
    const char *section;
    const char *key;
    enum ck_setting_type type;
    size_t offset; /* into struct ck_config, or into its named section where `named` is set */
    bool named;    /* belongs to sections "[section NAME]" */
    bool required;
    int64_t min, max;     /* COUNT; DURATION in ms; SIZE in bytes; SECRET: size of its content */
    const char *standard; /* the default as it is written in a file; "" is unset */
    const char *const *words; /* CHOICE: ends with NULL */
    /* TEXT, PATH and items of a LIST that are not empty: NULL where good, else what is allowed. */
    const char *(*refuse)(const char *text);
    /* SECRET: the same for its content. */
    const char *(*refuse_secret)(const char *bytes, size_t size);
    const char *example; /* a good value where the default is unset; NULL: none is needed */
    const char *help;    /* sentences; lines are broken where they are printed */
};

/* The table, in the order in which it is printed; settings of one section are neighbours. */
const struct ck_setting *ck_settings(size_t *count);

/* What a section is for, one sentence; NULL for an unknown one. */
const char *ck_settings_section_help(const char *section);

/* Writes what values the setting takes: "1 to 10", "a duration from 1 s to 5 min", "yes or no". */
void ck_setting_allowed(const struct ck_setting *setting, char *text, size_t size);

#endif
