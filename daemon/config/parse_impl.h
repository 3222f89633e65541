/* Reading in progress: shared by the parts of the reader. */
#ifndef DAEMON_CONFIG_PARSE_IMPL_H
#define DAEMON_CONFIG_PARSE_IMPL_H

#include "daemon/config/config.h"
#include "daemon/config/settings.h"

#define CK_SETTINGS_MAX 160 /* entries of the table */

struct ck_parse {
    struct ck_config *config;
    const struct ck_config_place *place;
    struct ck_config_faults *faults;
    const struct ck_setting *settings;
    size_t count;
    /* The line each setting was given in, 0 for none: [0] for plain sections, [1 + n] for the n-th
     * [webhook NAME]. */
    unsigned line_of[1 + CK_CONFIG_NAMED_MAX][CK_SETTINGS_MAX];
    unsigned section_line[CK_CONFIG_NAMED_MAX]; /* where [webhook NAME] begins */
    bool short_of_memory;
};

/* Notes a fault; `section` and `key` may be NULL. */
__attribute__((format(printf, 5, 6))) void ck_parse_fault(struct ck_parse *parse, unsigned line,
                                                          const char *section, const char *key,
                                                          const char *format, ...);

/* Stores `value` of `setting` in instance `instance` (0 for plain sections), or notes why not. */
void ck_parse_assign(struct ck_parse *parse, const struct ck_setting *setting, size_t instance,
                     unsigned line, const char *value);

/* Whether the path is that of a credential that is left unread. */
bool ck_parse_left(const struct ck_parse *parse, const char *path);

/* Notes what is wrong between settings. */
void ck_parse_rules(struct ck_parse *parse);

/* Reads the secret whose path is set, or notes why not. */
void ck_parse_secret(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                     struct ck_config_secret *secret);

/* A value for a message: at most 60 bytes of it, control characters and broken UTF-8 replaced. */
#define CK_QUOTE_SIZE 68
void ck_parse_quote(const char *value, char quoted[CK_QUOTE_SIZE]);

#endif
