#include <errno.h>
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

char *ck_fields_text(const struct ck_field *fields, size_t count, const void *from)
{
    ck_cleanup(ck_json_decrefp) json_t *object = ck_fields_write(fields, count, from);
    return object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
}

int ck_fields_parse(const struct ck_field *fields, size_t count, const char *text, void *to)
{
    ck_cleanup(ck_json_decrefp) json_t *object = text == NULL ? NULL : json_loads(text, 0, NULL);
    return ck_fields_read(fields, count, object, to);
}
