#include "protocol/leaf.h"

#include <string.h>

#define ID_SIZE 32 /* a pseudonym in hexadecimal */
#define AT_SIZE 24 /* "2026-11-29T18:00:00.000Z" */

/* Takes a text of known letters. */
static inline bool take(const char **at, const char *end, const char *text, size_t size)
{
    if ((size_t)(end - *at) < size || memcmp(*at, text, size) != 0) {
        return false;
    }
    *at += size;
    return true;
}
#define TAKE(at, end, text) take(at, end, text, sizeof(text) - 1)

/* Takes `size` letters whatever they are. */
static inline bool take_size(const char **at, const char *end, size_t size,
                             struct ck_leaf_text *text)
{
    if ((size_t)(end - *at) < size) {
        return false;
    }
    *text = (struct ck_leaf_text){*at, size};
    *at += size;
    return true;
}

/* Takes everything up to a letter. The names in question hold no escapes. */
static inline bool take_until(const char **at, const char *end, char stop,
                              struct ck_leaf_text *text)
{
    const char *found = *at;
    while (found < end && *found != stop) {
        found++;
    }
    if (found == end) {
        return false;
    }
    *text = (struct ck_leaf_text){*at, (size_t)(found - *at)};
    *at = found;
    return true;
}

static inline bool take_number(const char **at, const char *end, int64_t *number)
{
    int64_t value = 0;
    const char *from = *at;
    while (*at < end && **at >= '0' && **at <= '9' && *at - from < 18) {
        value = value * 10 + (*(*at)++ - '0');
    }
    *number = value;
    return *at > from;
}

static inline bool take_actor(const char **at, const char *end, struct ck_leaf *leaf)
{
    struct ck_leaf_text roles;
    leaf->actor_id = (struct ck_leaf_text){*at, 0};
    if (!TAKE(at, end, "null") &&
        (!TAKE(at, end, "\"") || !take_size(at, end, ID_SIZE, &leaf->actor_id) ||
         !TAKE(at, end, "\""))) {
        return false;
    }
    return TAKE(at, end, ",\"kind\":\"") && take_until(at, end, '"', &leaf->actor_kind) &&
           TAKE(at, end, "\",\"roles\":[") && take_until(at, end, ']', &roles) &&
           TAKE(at, end, "]},\"at\":\"");
}

bool ck_leaf_read(const void *bytes, size_t size, struct ck_leaf *leaf)
{
    const char *at = bytes, *end = at + size;
    leaf->end = end;
    if (!TAKE(&at, end, "{\"action\":\"") || !take_until(&at, end, '"', &leaf->action) ||
        !TAKE(&at, end, "\",\"actor\":{\"id\":") || !take_actor(&at, end, leaf) ||
        !take_size(&at, end, AT_SIZE, &leaf->at) || !TAKE(&at, end, "\",\"clock\":\"") ||
        !take_until(&at, end, '"', &leaf->clock) || !TAKE(&at, end, "\",\"index\":") ||
        !take_number(&at, end, &leaf->index) || !TAKE(&at, end, ",\"object\":{\"id\":\"") ||
        !take_size(&at, end, ID_SIZE, &leaf->object_id) || !TAKE(&at, end, "\",\"kind\":\"") ||
        !take_until(&at, end, '"', &leaf->object_kind) || !TAKE(&at, end, "\"},\"open\":{")) {
        return false;
    }
    leaf->open = at - 1;
    static const char last[] = "},\"v\":1}";
    return end - at >= (ptrdiff_t)sizeof last - 1 &&
           memcmp(end - (sizeof last - 1), last, sizeof last - 1) == 0;
}

/* Where `text` stands last in [from, end); NULL where it does not. A quote inside a string is
 * escaped, so that no value can look like a member. */
static const char *find_last(const char *from, const char *end, const char *text)
{
    size_t size = strlen(text);
    for (const char *at = end - size; at >= from; at--) {
        if (at[0] == text[0] && memcmp(at, text, size) == 0) {
            return at;
        }
    }
    return NULL;
}

bool ck_leaf_read_tail(const struct ck_leaf *leaf, struct ck_leaf_tail *tail)
{
    const char *close = leaf->end - strlen(",\"v\":1}");
    const char *sealed = find_last(leaf->open, close, ",\"sealed\":{");
    const char *result = sealed == NULL ? NULL : find_last(leaf->open, sealed, ",\"result\":\"");
    const char *prev = result == NULL ? NULL : find_last(leaf->open, result, ",\"prev\":");
    const char *person = prev == NULL ? NULL : find_last(leaf->open, prev, ",\"person\":");
    if (person == NULL) {
        return false;
    }
    const char *at = prev + strlen(",\"prev\":");
    const char *value = sealed + strlen(",\"sealed\":");
    const char *word = result + strlen(",\"result\":\"");
    const char *whose = person + strlen(",\"person\":");
    tail->open = (struct ck_leaf_text){leaf->open, (size_t)(person - leaf->open)};
    tail->person = (struct ck_leaf_text){whose, (size_t)(prev - whose)};
    tail->result = (struct ck_leaf_text){word, (size_t)(sealed - 1 - word)};
    tail->sealed = (struct ck_leaf_text){value, (size_t)(close - value)};
    tail->previous = -1;
    return TAKE(&at, result, "null") ? at == result
                                     : take_number(&at, result, &tail->previous) && at == result;
}

/* Where the value that begins at `at` ends: at a comma or a bracket of the object around it. */
static const char *value_end(const char *at, const char *end)
{
    bool quoted = false;
    int depth = 0;
    for (; at < end; at++) {
        if (quoted) {
            at += *at == '\\';
            quoted = at < end && *at != '"';
        } else if (*at == '"') {
            quoted = true;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (depth > 0 && (*at == '}' || *at == ']')) {
            depth--;
        } else if (depth == 0 && (*at == ',' || *at == '}' || *at == ']')) {
            return at;
        }
    }
    return NULL;
}

bool ck_leaf_next(struct ck_leaf_text object, size_t *at, struct ck_leaf_text *name,
                  struct ck_leaf_text *value)
{
    if (object.size < 2 || *at + 1 >= object.size) {
        return false;
    }
    const char *end = object.at + object.size, *now = object.at + *at;
    if ((*now != '{' && *now != ',') || now[1] != '"') {
        return false;
    }
    now += 2;
    if (!take_until(&now, end, '"', name) || !TAKE(&now, end, "\":")) {
        return false;
    }
    const char *until = value_end(now, end);
    if (until == NULL) {
        return false;
    }
    *value = (struct ck_leaf_text){now, (size_t)(until - now)};
    *at = (size_t)(until - object.at);
    return true;
}

struct ck_leaf_text ck_leaf_member(struct ck_leaf_text object, const char *name)
{
    struct ck_leaf_text found, value;
    for (size_t at = 0; ck_leaf_next(object, &at, &found, &value);) {
        if (ck_leaf_is(found, name)) {
            return value;
        }
    }
    return (struct ck_leaf_text){"", 0};
}

struct ck_leaf_text ck_leaf_string(struct ck_leaf_text object, const char *name)
{
    struct ck_leaf_text value = ck_leaf_member(object, name);
    if (value.size < 2 || value.at[0] != '"') {
        return (struct ck_leaf_text){"", 0};
    }
    return (struct ck_leaf_text){value.at + 1, value.size - 2};
}

int64_t ck_leaf_number(struct ck_leaf_text object, const char *name, int64_t otherwise)
{
    struct ck_leaf_text value = ck_leaf_member(object, name);
    const char *at = value.at;
    int64_t number;
    return value.size > 0 && take_number(&at, value.at + value.size, &number) &&
                   at == value.at + value.size
               ? number
               : otherwise;
}
