#include "daemon/config/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/parse_impl.h"
#include "daemon/config/settings.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define NAME_MAX_SIZE 32 /* of [webhook NAME] */
#define QUOTE_BYTES 60

/* Where the reader stands. */
struct reader {
    struct ck_parse *parse;
    const char *section; /* NULL before the first section and after a bad one */
    bool skip;           /* keys of a section that was refused */
    size_t instance;
    char section_text[NAME_MAX_SIZE + 16]; /* "smtp" or "webhook duty", for messages */
    const char *seen[CK_SETTINGS_MAX];     /* plain sections so far */
    size_t seen_count;
};

void ck_parse_fault(struct ck_parse *parse, unsigned line, const char *section, const char *key,
                    const char *format, ...)
{
    struct ck_config_faults *faults = parse->faults;
    faults->count++;
    if (faults->kept == CK_CONFIG_FAULTS_MAX) {
        return;
    }
    struct ck_config_fault *fault = &faults->items[faults->kept++];
    fault->line = line;
    size_t at = 0;
    if (section != NULL) {
        at += (size_t)snprintf(fault->text, sizeof fault->text, "[%s] ", section);
    }
    if (key != NULL && at < sizeof fault->text) {
        at += (size_t)snprintf(fault->text + at, sizeof fault->text - at, "%s: ", key);
    }
    if (at < sizeof fault->text) {
        va_list args;
        va_start(args, format);
        vsnprintf(fault->text + at, sizeof fault->text - at, format, args);
        va_end(args);
    }
}

void ck_parse_quote(const char *value, char quoted[CK_QUOTE_SIZE])
{
    size_t size = strlen(value);
    size_t take = size < QUOTE_BYTES ? size : QUOTE_BYTES;
    while (take < size && take > 0 && ((unsigned char)value[take] & 0xc0) == 0x80) {
        take--;
    }
    bool utf8 = ck_utf8_valid(value, take);
    for (size_t i = 0; i < take; i++) {
        unsigned char c = (unsigned char)value[i];
        bool shown = c >= ' ' && c != 0x7f && (utf8 || c < 0x80);
        quoted[i] = '?';
        if (shown) {
            quoted[i] = value[i];
        }
    }
    memcpy(quoted + take, take < size ? "…" : "", take < size ? sizeof "…" : 1);
}

static struct ck_setting const *find_setting(const struct reader *reader, const char *key)
{
    const struct ck_parse *parse = reader->parse;
    for (size_t i = 0; i < parse->count; i++) {
        const struct ck_setting *setting = &parse->settings[i];
        if (strcmp(setting->section, reader->section) == 0 && strcmp(setting->key, key) == 0) {
            return setting;
        }
    }
    return NULL;
}

/* Appends to a list of words in a message, as long as there is room. */
static void append_word(char *text, size_t size, const char *word)
{
    size_t at = strlen(text);
    if (at + strlen(word) + 3 < size) {
        snprintf(text + at, size - at, "%s%s", at == 0 ? "" : ", ", word);
    }
}

static void refuse_key(struct reader *reader, unsigned line, const char *key)
{
    char keys[300] = "";
    char quoted[CK_QUOTE_SIZE];
    const struct ck_parse *parse = reader->parse;
    for (size_t i = 0; i < parse->count; i++) {
        if (strcmp(parse->settings[i].section, reader->section) == 0) {
            append_word(keys, sizeof keys, parse->settings[i].key);
        }
    }
    ck_parse_quote(key, quoted);
    ck_parse_fault(reader->parse, line, reader->section_text, NULL,
                   "unknown key \"%s\"; known here: %s", quoted, keys);
}

static void refuse_section(struct reader *reader, unsigned line, const char *name)
{
    char names[200] = "";
    char quoted[CK_QUOTE_SIZE];
    const struct ck_parse *parse = reader->parse;
    for (size_t i = 0; i < parse->count; i++) {
        const struct ck_setting *setting = &parse->settings[i];
        if (i == 0 || strcmp(setting->section, parse->settings[i - 1].section) != 0) {
            char title[40];
            snprintf(title, sizeof title, "[%s%s]", setting->section,
                     setting->named ? " NAME" : "");
            append_word(names, sizeof names, title);
        }
    }
    ck_parse_quote(name, quoted);
    ck_parse_fault(reader->parse, line, NULL, NULL, "unknown section [%s]; known are: %s", quoted,
                   names);
}

static const struct ck_setting *first_of_section(const struct ck_parse *parse, const char *name)
{
    for (size_t i = 0; i < parse->count; i++) {
        if (strcmp(parse->settings[i].section, name) == 0) {
            return &parse->settings[i];
        }
    }
    return NULL;
}

static bool instance_name_ok(const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_') {
            return false;
        }
    }
    return size > 0 && size <= NAME_MAX_SIZE;
}

/* Begins [section NAME]; false where it is refused. */
static bool begin_named(struct reader *reader, unsigned line, const char *section, const char *name)
{
    struct ck_parse *parse = reader->parse;
    struct ck_config *config = parse->config;
    if (!instance_name_ok(name)) {
        ck_parse_fault(parse, line, section, NULL,
                       "a name is needed: [%s NAME] with up to %d letters, digits, - or _", section,
                       NAME_MAX_SIZE);
        return false;
    }
    if (ck_config_webhook(config, name) != NULL) {
        ck_parse_fault(parse, line, NULL, NULL, "[%s %s] is there twice", section, name);
        return false;
    }
    if (config->webhook_count == CK_CONFIG_NAMED_MAX) {
        ck_parse_fault(parse, line, section, NULL, "no more than %d are allowed",
                       CK_CONFIG_NAMED_MAX);
        return false;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        parse->short_of_memory = true;
        return false;
    }
    parse->section_line[config->webhook_count] = line;
    config->webhooks[config->webhook_count++].name = copy;
    reader->instance = config->webhook_count;
    snprintf(reader->section_text, sizeof reader->section_text, "%s %s", section, name);
    return true;
}

static bool begin_plain(struct reader *reader, unsigned line, const char *section, const char *name)
{
    if (*name != '\0') {
        ck_parse_fault(reader->parse, line, section, NULL, "this section has no name");
        return false;
    }
    for (size_t i = 0; i < reader->seen_count; i++) {
        if (strcmp(reader->seen[i], section) == 0) {
            ck_parse_fault(reader->parse, line, section, NULL, "the section is there twice");
            return false;
        }
    }
    reader->seen[reader->seen_count++] = section;
    reader->instance = 0;
    snprintf(reader->section_text, sizeof reader->section_text, "%s", section);
    return true;
}

/* "[section]" or "[section NAME]", without surrounding space. */
static void read_section(struct reader *reader, unsigned line, char *text)
{
    reader->section = NULL;
    reader->skip = true;
    char *end = strchr(text, ']');
    if (end == NULL || end[1] != '\0') {
        ck_parse_fault(reader->parse, line, NULL, NULL, "a section is written [name]");
        return;
    }
    *end = '\0';
    char *section = text + 1;
    char *name = section + strcspn(section, " ");
    while (*name == ' ') {
        *name++ = '\0';
    }
    const struct ck_setting *known = first_of_section(reader->parse, section);
    if (known == NULL) {
        refuse_section(reader, line, section);
        return;
    }
    bool begun = known->named ? begin_named(reader, line, known->section, name)
                              : begin_plain(reader, line, known->section, name);
    if (begun) {
        reader->section = known->section;
        reader->skip = false;
    }
}

static char *trim(char *text)
{
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    size_t size = strlen(text);
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t')) {
        text[--size] = '\0';
    }
    return text;
}

/* "key = value". */
static void read_key(struct reader *reader, unsigned line, char *text)
{
    struct ck_parse *parse = reader->parse;
    char *equals = strchr(text, '=');
    if (equals == NULL) {
        char quoted[CK_QUOTE_SIZE];
        ck_parse_quote(text, quoted);
        ck_parse_fault(parse, line, NULL, NULL,
                       "\"%s\" is neither [section], key = value nor a comment (#)", quoted);
        return;
    }
    *equals = '\0';
    const char *key = trim(text);
    if (reader->section == NULL) {
        if (!reader->skip) {
            ck_parse_fault(parse, line, NULL, key, "stands before the first [section]");
        }
        return;
    }
    const struct ck_setting *setting = find_setting(reader, key);
    if (setting == NULL) {
        refuse_key(reader, line, key);
        return;
    }
    unsigned *seen = &parse->line_of[reader->instance][setting - parse->settings];
    if (*seen != 0) {
        ck_parse_fault(parse, line, reader->section_text, key, "is there twice, first in line %u",
                       *seen);
        return;
    }
    *seen = line;
    ck_parse_assign(parse, setting, reader->instance, line, trim(equals + 1));
}

static void read_line(struct reader *reader, unsigned line, char *text)
{
    text = trim(text);
    if (*text == '\0' || *text == '#' || *text == ';') {
        return;
    }
    if (*text == '[') {
        read_section(reader, line, text);
    } else {
        read_key(reader, line, text);
    }
}

/* Copies the line at `at` to `out` and returns where the next begins; NULL where the line is
 * refused. */
static size_t take_line(const char *text, size_t size, size_t at, char *out, const char **refused)
{
    const char *feed = memchr(text + at, '\n', size - at);
    size_t next = feed == NULL ? size : (size_t)(feed - text) + 1;
    size_t length = (feed == NULL ? size : (size_t)(feed - text)) - at;
    if (length > 0 && text[at + length - 1] == '\r') {
        length--;
    }
    *refused = NULL;
    if (length > CK_CONFIG_LINE_MAX) {
        *refused = "the line is too long";
    } else if (!ck_utf8_valid(text + at, length)) {
        *refused = "the line is not UTF-8 text";
    } else {
        memcpy(out, text + at, length);
        out[length] = '\0';
    }
    return next;
}

static void read_lines(struct reader *reader, const char *text, size_t size)
{
    char copy[CK_CONFIG_LINE_MAX + 1];
    unsigned line = 0;
    for (size_t at = 0; at < size;) {
        const char *refused;
        at = take_line(text, size, at, copy, &refused);
        line++;
        if (refused != NULL) {
            ck_parse_fault(reader->parse, line, NULL, NULL, "%s", refused);
        } else {
            read_line(reader, line, copy);
        }
    }
}

/* Gives every setting of one instance that was in no line its default, or notes that it is missing.
 */
static void fill_instance(struct ck_parse *parse, size_t instance)
{
    for (size_t i = 0; i < parse->count; i++) {
        const struct ck_setting *setting = &parse->settings[i];
        if (setting->named != (instance > 0) || parse->line_of[instance][i] != 0) {
            continue;
        }
        if (setting->required && *setting->standard == '\0') {
            unsigned line = instance > 0 ? parse->section_line[instance - 1] : 0;
            ck_parse_fault(parse, line, setting->section, setting->key,
                           "is missing and has no default; for example: %s", setting->example);
        }
        ck_parse_assign(parse, setting, instance, 0, setting->standard);
    }
}

static int by_line(const void *a, const void *b)
{
    const struct ck_config_fault *first = a;
    const struct ck_config_fault *second = b;
    return first->line < second->line ? -1 : first->line > second->line;
}

int ck_config_parse(struct ck_config *config, const char *text, size_t size,
                    const struct ck_config_place *place, struct ck_config_faults *faults)
{
    struct ck_config made = {0};
    struct ck_parse parse = {.config = &made, .place = place, .faults = faults};
    struct reader reader = {.parse = &parse};
    faults->kept = 0;
    faults->count = 0;
    parse.settings = ck_settings(&parse.count);
    if (size > CK_CONFIG_FILE_MAX) {
        ck_parse_fault(&parse, 0, NULL, NULL, "is bigger than %d bytes", CK_CONFIG_FILE_MAX);
        return CK_E_INVALID;
    }
    read_lines(&reader, text, size);
    for (size_t instance = 0; instance <= made.webhook_count; instance++) {
        fill_instance(&parse, instance);
    }
    if (faults->count == 0 && !parse.short_of_memory) {
        ck_parse_rules(&parse);
    }
    if (faults->count == 0 && !parse.short_of_memory) {
        *config = made;
        return 0;
    }
    ck_config_deinit(&made);
    qsort(faults->items, faults->kept, sizeof faults->items[0], by_line);
    return faults->count == 0 ? -ENOMEM : CK_E_INVALID;
}

static void release(const struct ck_setting *setting, void *at)
{
    switch (setting->type) {
    case CK_SETTING_TEXT:
    case CK_SETTING_PATH:
        free(*(char **)at);
        break;
    case CK_SETTING_LIST: {
        struct ck_config_list *list = at;
        for (size_t i = 0; i < list->count; i++) {
            free(list->items[i]);
        }
        free(list->items);
        break;
    }
    case CK_SETTING_SECRET: {
        struct ck_config_secret *secret = at;
        if (secret->bytes != NULL) {
            ck_wipe(secret->bytes, secret->size);
        }
        free(secret->bytes);
        free(secret->path);
        break;
    }
    case CK_SETTING_FLAG:
    case CK_SETTING_COUNT:
    case CK_SETTING_DURATION:
    case CK_SETTING_SIZE:
    case CK_SETTING_CHOICE:
        break;
    }
}

void ck_config_deinit(struct ck_config *config)
{
    size_t count;
    const struct ck_setting *settings = ck_settings(&count);
    for (size_t i = 0; i < count; i++) {
        if (!settings[i].named) {
            release(&settings[i], (char *)config + settings[i].offset);
            continue;
        }
        for (size_t k = 0; k < config->webhook_count; k++) {
            release(&settings[i], (char *)&config->webhooks[k] + settings[i].offset);
        }
    }
    for (size_t k = 0; k < config->webhook_count; k++) {
        free(config->webhooks[k].name);
    }
    *config = (struct ck_config){0};
}

char *ck_config_path(const struct ck_config *config, const char *path)
{
    if (*path == '/') {
        return strdup(path);
    }
    char *joined = NULL;
    return asprintf(&joined, "%s/%s", config->daemon.state_dir, path) < 0 ? NULL : joined;
}

const struct ck_config_webhook *ck_config_webhook(const struct ck_config *config, const char *name)
{
    for (size_t i = 0; i < config->webhook_count; i++) {
        if (*name == '\0' || strcmp(config->webhooks[i].name, name) == 0) {
            return &config->webhooks[i];
        }
    }
    return NULL;
}

void ck_config_faults_print(const struct ck_config_faults *faults, const char *file, FILE *out)
{
    for (size_t i = 0; i < faults->kept; i++) {
        const struct ck_config_fault *fault = &faults->items[i];
        if (fault->line == 0) {
            fprintf(out, "%s: %s\n", file, fault->text);
        } else {
            fprintf(out, "%s:%u: %s\n", file, fault->line, fault->text);
        }
    }
    if (faults->count > faults->kept) {
        fprintf(out, "%s: and %zu more\n", file, faults->count - faults->kept);
    }
}
