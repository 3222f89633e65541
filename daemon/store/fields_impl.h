/* A struct of plain members as a JSON object and back, by a table. Members that are zero are left
 * out: a row that was never touched is "{}", and a member that a later version adds reads as zero.
 */
#ifndef DAEMON_STORE_FIELDS_IMPL_H
#define DAEMON_STORE_FIELDS_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "protocol/base/time.h"

struct ck_field {
    const char *name;
    size_t offset;
    size_t size; /* of one element: 1, 2, 4 or 8 */
    size_t count;
    bool is_signed;
};

/* Members that are integers, enumerations, bool or struct ck_wall, or arrays of them. */
#define CK_FIELD(type, member)                                                                     \
    {                                                                                              \
#member, offsetof(type, member), sizeof(((type *)0)->member), 1, true                      \
    }
#define CK_FIELD_UNSIGNED(type, member)                                                            \
    {                                                                                              \
#member, offsetof(type, member), sizeof(((type *)0)->member), 1, false                     \
    }
#define CK_FIELD_LIST(type, member, element)                                                       \
    {                                                                                              \
#member, offsetof(type, member), sizeof(element),                                          \
            sizeof(((type *)0)->member) / sizeof(element), true                                    \
    }

/* A new object; NULL where memory ends. */
json_t *ck_fields_write(const struct ck_field *fields, size_t count, const void *from);

/* Sets every member of the table; those that are not in the object become zero. -EUCLEAN where the
 * object holds something else than numbers, or one out of the member's range. */
int ck_fields_read(const struct ck_field *fields, size_t count, const json_t *object, void *to);

/* The same with text: what ck_fields_text() writes, without blanks, in the order of the table; read
 * in any order. The text is the caller's to free. */
char *ck_fields_text(const struct ck_field *fields, size_t count, const void *from);
int ck_fields_parse(const struct ck_field *fields, size_t count, const char *text, void *to);

#endif
