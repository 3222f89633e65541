#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/parse_impl.h"
#include "daemon/config/value_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"

#define ALLOWED_SIZE 240
#define CREDENTIAL "%d/"

static void refuse_value(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                         const char *value, const char *what)
{
    char allowed[ALLOWED_SIZE];
    char quoted[CK_QUOTE_SIZE];
    ck_setting_allowed(setting, allowed, sizeof allowed);
    ck_parse_quote(value, quoted);
    ck_parse_fault(parse, line, setting->section, setting->key, "\"%s\" %s; allowed: %s", quoted,
                   what, allowed);
}

static char *copy_text(struct ck_parse *parse, const char *text)
{
    char *copy = strdup(text);
    parse->short_of_memory |= copy == NULL;
    return copy;
}

bool ck_parse_left(const struct ck_parse *parse, const char *path)
{
    const struct ck_config_place *place = parse->place;
    return place != NULL && place->leave_credentials && place->credentials_dir == NULL &&
           strncmp(path, CREDENTIAL, strlen(CREDENTIAL)) == 0;
}

/* A copy with a leading "%d/" replaced; NULL with a fault noted where there is no such directory.
 */
static char *expand_path(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                         const char *value)
{
    if (strncmp(value, CREDENTIAL, strlen(CREDENTIAL)) != 0) {
        return copy_text(parse, value);
    }
    if (ck_parse_left(parse, value)) {
        return copy_text(parse, value);
    }
    if (parse->place == NULL || parse->place->credentials_dir == NULL) {
        ck_parse_fault(parse, line, setting->section, setting->key,
                       "%%d stands for the service manager's credentials directory, and there is "
                       "none ($CREDENTIALS_DIRECTORY is not set)");
        return NULL;
    }
    char *path = NULL;
    if (asprintf(&path, "%s/%s", parse->place->credentials_dir, value + strlen(CREDENTIAL)) < 0) {
        parse->short_of_memory = true;
        return NULL;
    }
    return path;
}

static void assign_text(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                        const char *value, char **at)
{
    char *text = setting->type == CK_SETTING_PATH ? expand_path(parse, setting, line, value)
                                                  : copy_text(parse, value);
    *at = text;
    if (setting->type == CK_SETTING_PATH && ck_parse_left(parse, value)) {
        return;
    }
    if (text != NULL && *text != '\0' && setting->refuse != NULL && setting->refuse(text) != NULL) {
        refuse_value(parse, setting, line, value, "is not allowed");
    }
}

static bool in_range(const struct ck_setting *setting, int64_t value)
{
    return value >= setting->min && value <= setting->max;
}

static void assign_number(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                          const char *value, int64_t *at)
{
    bool read = setting->type == CK_SETTING_COUNT      ? ck_value_count(value, at)
                : setting->type == CK_SETTING_DURATION ? ck_value_duration(value, at)
                                                       : ck_value_size(value, at);
    if (!read) {
        refuse_value(parse, setting, line, value, "is not understood");
    } else if (!in_range(setting, *at)) {
        refuse_value(parse, setting, line, value, "is out of range");
    }
}

static void assign_choice(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                          const char *value, int *at)
{
    for (int i = 0; setting->words[i] != NULL; i++) {
        if (strcmp(setting->words[i], value) == 0) {
            *at = i;
            return;
        }
    }
    refuse_value(parse, setting, line, value, "is not allowed");
}

/* Adds one item of `size` bytes; false where it is refused, with the fault noted. */
static bool add_item(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                     const char *item, size_t size, struct ck_config_list *list)
{
    ck_cleanup(ck_freep) char *copy = strndup(item, size);
    if (copy == NULL) {
        parse->short_of_memory = true;
        return false;
    }
    if (size == 0 || (setting->refuse != NULL && setting->refuse(copy) != NULL)) {
        refuse_value(parse, setting, line, copy, "is not allowed");
        return false;
    }
    if (list->count == CK_CONFIG_LIST_MAX) {
        refuse_value(parse, setting, line, copy, "is one too many");
        return false;
    }
    list->items[list->count++] = ck_take(copy);
    return true;
}

static void assign_list(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                        const char *value, struct ck_config_list *list)
{
    if (*value == '\0') {
        return;
    }
    list->items = calloc(CK_CONFIG_LIST_MAX, sizeof list->items[0]);
    if (list->items == NULL) {
        parse->short_of_memory = true;
        return;
    }
    for (const char *at = value;;) {
        at += strspn(at, " \t");
        size_t size = strcspn(at, ",");
        size_t bare = size;
        while (bare > 0 && (at[bare - 1] == ' ' || at[bare - 1] == '\t')) {
            bare--;
        }
        if (!add_item(parse, setting, line, at, bare, list) || at[size] == '\0') {
            return;
        }
        at += size + 1;
    }
}

static void assign_secret(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                          const char *value, struct ck_config_secret *secret)
{
    if (*value == '\0') {
        return;
    }
    secret->path = expand_path(parse, setting, line, value);
    if (secret->path == NULL || ck_parse_left(parse, value)) {
        return;
    }
    if (*secret->path != '/') {
        refuse_value(parse, setting, line, value, "is not allowed");
        return;
    }
    ck_parse_secret(parse, setting, line, secret);
}

static void *place_of(struct ck_parse *parse, const struct ck_setting *setting, size_t instance)
{
    char *base =
        setting->named ? (char *)&parse->config->webhooks[instance - 1] : (char *)parse->config;
    return base + setting->offset;
}

void ck_parse_assign(struct ck_parse *parse, const struct ck_setting *setting, size_t instance,
                     unsigned line, const char *value)
{
    void *at = place_of(parse, setting, instance);
    if (line != 0 && setting->required && *value == '\0') {
        char allowed[ALLOWED_SIZE];
        ck_setting_allowed(setting, allowed, sizeof allowed);
        ck_parse_fault(parse, line, setting->section, setting->key,
                       "must not be empty; allowed: %s", allowed);
    }
    switch (setting->type) {
    case CK_SETTING_TEXT:
    case CK_SETTING_PATH:
        assign_text(parse, setting, line, value, at);
        break;
    case CK_SETTING_SECRET:
        assign_secret(parse, setting, line, value, at);
        break;
    case CK_SETTING_FLAG:
        if (!ck_value_flag(value, at)) {
            refuse_value(parse, setting, line, value, "is not allowed");
        }
        break;
    case CK_SETTING_COUNT:
    case CK_SETTING_DURATION:
    case CK_SETTING_SIZE:
        assign_number(parse, setting, line, value, at);
        break;
    case CK_SETTING_CHOICE:
        assign_choice(parse, setting, line, value, at);
        break;
    case CK_SETTING_LIST:
        assign_list(parse, setting, line, value, at);
        break;
    }
}

/* Reads a whole file of at most `capacity` bytes. 0, CK_E_LIMIT, CK_E_DENIED where everybody may
 * read it, or a negative errno. */
static int read_secret(const char *path, char *bytes, size_t capacity, size_t *size)
{
    ck_cleanup(ck_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0) {
        return -errno;
    }
    if (!S_ISREG(about.st_mode)) {
        return -EINVAL;
    }
    if ((about.st_mode & S_IRWXO) != 0) {
        return CK_E_DENIED;
    }
    size_t have = 0;
    for (;;) {
        ssize_t n = read(fd, bytes + have, capacity - have);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            *size = have;
            return 0;
        }
        have += (size_t)n;
        if (have == capacity) {
            return CK_E_LIMIT;
        }
    }
}

static void check_secret(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                         const char *path, const char *bytes, size_t size)
{
    if (size < (size_t)setting->min || size > (size_t)setting->max) {
        ck_parse_fault(parse, line, setting->section, setting->key,
                       "%s holds %zu bytes; allowed: %d to %d", path, size, (int)setting->min,
                       (int)setting->max);
        return;
    }
    const char *allowed = setting->refuse_secret(bytes, size);
    if (allowed != NULL) {
        ck_parse_fault(parse, line, setting->section, setting->key,
                       "what %s holds is not allowed; allowed: %s", path, allowed);
    }
}

void ck_parse_secret(struct ck_parse *parse, const struct ck_setting *setting, unsigned line,
                     struct ck_config_secret *secret)
{
    char bytes[CK_CONFIG_SECRET_MAX] = "";
    size_t size = 0;
    int error = read_secret(secret->path, bytes, sizeof bytes, &size);
    if (error == CK_E_LIMIT) {
        size = sizeof bytes;
    } else if (error == CK_E_DENIED) {
        ck_parse_fault(parse, line, setting->section, setting->key,
                       "%s can be used by everybody on this machine; take that away (chmod o=)",
                       secret->path);
        return;
    } else if (error != 0) {
        ck_parse_fault(parse, line, setting->section, setting->key, "cannot read %s: %s",
                       secret->path, ck_error_text(error));
        return;
    }
    if (size > 0 && bytes[size - 1] == '\n') {
        size--;
    }
    check_secret(parse, setting, line, secret->path, bytes, size);
    secret->bytes = malloc(size + 1);
    if (secret->bytes == NULL) {
        parse->short_of_memory = true;
    } else {
        memcpy(secret->bytes, bytes, size);
        secret->bytes[size] = '\0';
        secret->size = size;
    }
    ck_wipe(bytes, sizeof bytes);
}
