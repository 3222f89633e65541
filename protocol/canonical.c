#include "protocol/canonical.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/error.h"

#define INTEGER_MAX ((INT64_C(1) << 53) - 1)

static void write_text(struct ck_writer *writer, const char *text)
{
    ck_write_bytes(writer, text, strlen(text));
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

void ck_canonical_string(struct ck_writer *writer, const char *text, size_t size)
{
    static const char shorts[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    ck_write_u8(writer, '"');
    for (size_t i = 0; i < size; i++) {
        size_t from = i;
        while (i < size && is_plain(text[i])) {
            i++;
        }
        ck_write_bytes(writer, text + from, i - from);
        if (i == size) {
            break;
        }
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            ck_write_u8(writer, '\\');
            ck_write_u8(writer, c);
        } else if (shorts[c] != 0) {
            ck_write_u8(writer, '\\');
            ck_write_u8(writer, (uint8_t)shorts[c]);
        } else {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", c);
            write_text(writer, escape);
        }
    }
    ck_write_u8(writer, '"');
}

void ck_canonical_integer(struct ck_writer *writer, int64_t number)
{
    char text[24], *at = text + sizeof text;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) {
        *--at = '-';
    }
    ck_write_bytes(writer, at, (size_t)(text + sizeof text - at));
}

static int write_integer(struct ck_writer *writer, json_int_t number)
{
    if (number > INTEGER_MAX || number < -INTEGER_MAX) {
        return CK_E_INVALID;
    }
    ck_canonical_integer(writer, number);
    return 0;
}

static int write_value(struct ck_writer *writer, const json_t *value, int depth);

static int write_list(struct ck_writer *writer, const json_t *list, int depth)
{
    ck_write_u8(writer, '[');
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i > 0) {
            ck_write_u8(writer, ',');
        }
        int r = write_value(writer, json_array_get(list, i), depth + 1);
        if (r != 0) {
            return r;
        }
    }
    ck_write_u8(writer, ']');
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool name_valid(const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name < 0x20 || *name > 0x7e) {
            return false;
        }
    }
    return true;
}

static int write_object(struct ck_writer *writer, const json_t *object, int depth)
{
    const char *names[CK_CANONICAL_MEMBERS];
    size_t count = 0;
    const char *name;
    json_t *member;
    if (json_object_size(object) > CK_CANONICAL_MEMBERS) {
        return CK_E_INVALID;
    }
    /* json_object_foreach() wants an object it could change; it does not. */
    json_object_foreach((json_t *)(uintptr_t)object, name, member)
    {
        if (!name_valid(name)) {
            return CK_E_INVALID;
        }
        names[count++] = name;
    }
    qsort(names, count, sizeof names[0], compare_names);
    ck_write_u8(writer, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            ck_write_u8(writer, ',');
        }
        ck_canonical_string(writer, names[i], strlen(names[i]));
        ck_write_u8(writer, ':');
        int r = write_value(writer, json_object_get(object, names[i]), depth + 1);
        if (r != 0) {
            return r;
        }
    }
    ck_write_u8(writer, '}');
    return 0;
}

static int write_value(struct ck_writer *writer, const json_t *value, int depth)
{
    if (depth > CK_CANONICAL_DEPTH) {
        return CK_E_INVALID;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return write_object(writer, value, depth);
    case JSON_ARRAY:
        return write_list(writer, value, depth);
    case JSON_STRING:
        ck_canonical_string(writer, json_string_value(value), json_string_length(value));
        return 0;
    case JSON_INTEGER:
        return write_integer(writer, json_integer_value(value));
    case JSON_TRUE:
        write_text(writer, "true");
        return 0;
    case JSON_FALSE:
        write_text(writer, "false");
        return 0;
    case JSON_NULL:
        write_text(writer, "null");
        return 0;
    case JSON_REAL:
    default:
        return CK_E_INVALID;
    }
}

int ck_canonical_write(struct ck_writer *writer, const json_t *value)
{
    int r = value == NULL ? CK_E_INVALID : write_value(writer, value, 0);
    if (r != 0) {
        return r;
    }
    return writer->failed ? CK_E_LIMIT : 0;
}
