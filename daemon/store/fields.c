#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/fields_impl.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/cleanup.h"

static int64_t get(const struct ck_field *field, const void *from, size_t index)
{
    const uint8_t *at = (const uint8_t *)from + field->offset + index * field->size;
    switch (field->size) {
    case 1: {
        int8_t value;
        memcpy(&value, at, sizeof value);
        return field->is_signed ? value : (uint8_t)value;
    }
    case 2: {
        int16_t value;
        memcpy(&value, at, sizeof value);
        return field->is_signed ? value : (uint16_t)value;
    }
    case 4: {
        int32_t value;
        memcpy(&value, at, sizeof value);
        return field->is_signed ? value : (int64_t)(uint32_t)value;
    }
    default: {
        int64_t value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    }
}

/* Whether the number fits; zero always does. */
static bool set(const struct ck_field *field, void *to, size_t index, int64_t number)
{
    uint8_t *at = (uint8_t *)to + field->offset + index * field->size;
    memcpy(at, &number, field->size); /* little-endian: the low bytes come first */
    return get(field, to, index) == number;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "set() copies low bytes first");

static json_t *write_list(const struct ck_field *field, const void *from)
{
    size_t used = field->count;
    while (used > 0 && get(field, from, used - 1) == 0) {
        used--;
    }
    if (used == 0) {
        return NULL;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < used; i++) {
        json_array_append_new(list, json_integer(get(field, from, i)));
    }
    return list;
}

json_t *ck_fields_write(const struct ck_field *fields, size_t count, const void *from)
{
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < count; i++) {
        const struct ck_field *field = &fields[i];
        json_t *value = NULL;
        if (field->count > 1) {
            value = write_list(field, from);
        } else if (get(field, from, 0) != 0) {
            value = json_integer(get(field, from, 0));
        }
        if (value != NULL && json_object_set_new(object, field->name, value) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

static int read_field(const struct ck_field *field, const json_t *value, void *to)
{
    for (size_t i = 0; i < field->count; i++) {
        const json_t *element = field->count > 1 ? json_array_get(value, i) : value;
        if (element != NULL && !json_is_integer(element)) {
            return -EUCLEAN;
        }
        if (!set(field, to, i, json_integer_value(element))) {
            return -EUCLEAN;
        }
    }
    return 0;
}

int ck_fields_read(const struct ck_field *fields, size_t count, const json_t *object, void *to)
{
    if (!json_is_object(object)) {
        return -EUCLEAN;
    }
    for (size_t i = 0; i < count; i++) {
        int r = read_field(&fields[i], json_object_get(object, fields[i].name), to);
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

/* ---- text ----
 *
 * Every row that is decided is read and written so: without a tree of values in between. */

#define NUMBER_SIZE 21 /* "-9223372036854775808" and what stands before or behind it */

static char *write_number(char *at, int64_t number)
{
    char digits[NUMBER_SIZE];
    size_t count = 0;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *at++ = '-';
    }
    while (count > 0) {
        *at++ = digits[--count];
    }
    return at;
}

static char *write_member(char *at, const struct ck_field *field, const void *from)
{
    size_t used = field->count, length = strlen(field->name);
    while (used > 0 && get(field, from, used - 1) == 0) {
        used--;
    }
    if (used == 0) {
        return at;
    }
    *at++ = '"';
    memcpy(at, field->name, length);
    at += length;
    *at++ = '"';
    *at++ = ':';
    for (size_t i = 0; i < used; i++) {
        if (field->count > 1) {
            *at++ = i == 0 ? '[' : ',';
        }
        at = write_number(at, get(field, from, i));
    }
    if (field->count > 1) {
        *at++ = ']';
    }
    *at++ = ',';
    return at;
}

char *ck_fields_text(const struct ck_field *fields, size_t count, const void *from)
{
    size_t size = sizeof "{}";
    for (size_t i = 0; i < count; i++) {
        size += strlen(fields[i].name) + sizeof "\"\":[]," + fields[i].count * NUMBER_SIZE;
    }
    char *text = malloc(size);
    if (text == NULL) {
        return NULL;
    }
    char *at = text;
    *at++ = '{';
    for (size_t i = 0; i < count; i++) {
        at = write_member(at, &fields[i], from);
    }
    at -= at[-1] == ',';
    *at++ = '}';
    *at = '\0';
    return text;
}

static bool take(const char **at, char wanted)
{
    bool there = **at == wanted;
    *at += there;
    return there;
}

static bool read_number(const char **at, int64_t *number)
{
    bool minus = take(at, '-');
    int64_t value = 0;
    if (**at < '0' || **at > '9') {
        return false;
    }
    for (; **at >= '0' && **at <= '9'; ++*at) {
        int64_t digit = **at - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, minus ? -digit : digit, &value)) {
            return false;
        }
    }
    *number = value;
    return true;
}

/* One number, or a list of at most as many as the member has. `field`: NULL for a member that is
 * not in the table, which is skipped. */
static bool read_value(const char **at, const struct ck_field *field, void *to)
{
    bool list = take(at, '[');
    size_t index = 0;
    int64_t number = 0;
    if (field != NULL && list != (field->count > 1)) {
        return false;
    }
    if (list && take(at, ']')) {
        return true;
    }
    do {
        if (!read_number(at, &number) ||
            (field != NULL && (index >= field->count || !set(field, to, index, number)))) {
            return false;
        }
        index++;
    } while (list && take(at, ','));
    return !list || take(at, ']');
}

/* The member of this name; the search begins behind the one before, where it is if we wrote it. */
static const struct ck_field *find_field(const struct ck_field *fields, size_t count,
                                         const char *name, size_t length, size_t *next)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = (*next + i) % count;
        if (strncmp(fields[at].name, name, length) == 0 && fields[at].name[length] == '\0') {
            *next = at + 1;
            return &fields[at];
        }
    }
    return NULL;
}

static bool read_member(const char **at, const struct ck_field *fields, size_t count, size_t *next,
                        void *to)
{
    if (!take(at, '"')) {
        return false;
    }
    const char *name = *at;
    size_t length = strcspn(name, "\"\\");
    *at += length;
    return take(at, '"') && take(at, ':') &&
           read_value(at, find_field(fields, count, name, length, next), to);
}

int ck_fields_parse(const struct ck_field *fields, size_t count, const char *text, void *to)
{
    const char *at = text;
    size_t next = 0;
    bool ok = at != NULL && take(&at, '{');
    for (size_t i = 0; i < count; i++) {
        for (size_t index = 0; index < fields[i].count; index++) {
            (void)set(&fields[i], to, index, 0);
        }
    }
    if (ok && !take(&at, '}')) {
        do {
            ok = read_member(&at, fields, count, &next, to);
        } while (ok && take(&at, ','));
        ok = ok && take(&at, '}');
    }
    return ok && *at == '\0' ? 0 : -EUCLEAN;
}
