#include "daemon/notify/gateway_body.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "protocol/base/error.h"

/* The value that stands at `at`, and how many bytes the placeholder has; NULL where there is none.
 */
static const char *placeholder(const char *at, const struct ck_gateway_values *values, size_t *size)
{
    const struct {
        const char *name;
        const char *value;
    } known[] = {{"{to}", values->to},
                 {"{text}", values->text},
                 {"{reference}", values->reference},
                 {"{language}", values->language},
                 {"{kind}", values->kind}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        *size = strlen(known[i].name);
        if (strncmp(at, known[i].name, *size) == 0) {
            return known[i].value;
        }
    }
    return NULL;
}

/* Replaces what is in one string. 0 or -ENOMEM. */
static int fill_string(json_t *string, const struct ck_gateway_values *values)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return -ENOMEM;
    }
    for (const char *from = json_string_value(string); *from != '\0';) {
        size_t skip;
        const char *value = placeholder(from, values, &skip);
        if (value != NULL) {
            fputs(value, out);
            from += skip;
        } else {
            fputc(*from++, out);
        }
    }
    bool failed = ferror(out) != 0;
    failed |= fclose(out) != 0;
    /* Fails for what is not UTF-8 as well: such a value cannot be in JSON. */
    int error = failed ? -ENOMEM : json_string_set(string, text) < 0 ? CK_E_INVALID : 0;
    free(text);
    return error;
}

/* Replaces what is in all strings of a value. */
static int fill(json_t *value, const struct ck_gateway_values *values)
{
    int error = 0;
    size_t index;
    const char *name;
    json_t *member;
    if (json_is_string(value)) {
        error = fill_string(value, values);
    } else if (json_is_array(value)) {
        json_array_foreach(value, index, member)
        {
            error = error != 0 ? error : fill(member, values);
        }
    } else if (json_is_object(value)) {
        json_object_foreach(value, name, member)
        {
            error = error != 0 ? error : fill(member, values);
        }
    }
    return error;
}

int ck_gateway_body(const char *body, const struct ck_gateway_values *values, char **json,
                    size_t *size)
{
    json_t *root = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL) {
        return CK_E_SYNTAX;
    }
    int error = fill(root, values);
    char *text = error != 0 ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text == NULL) {
        return error != 0 ? error : -ENOMEM;
    }
    *json = text;
    *size = strlen(text);
    return 0;
}
