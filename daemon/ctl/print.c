#include <inttypes.h>
#include <stdio.h>

#include "daemon/ctl/checkinctl_impl.h"

#define INDENT 2

static void print_text(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        putchar(c < ' ' || c == 0x7f ? ' ' : c);
    }
}

static void print_scalar(const json_t *value)
{
    if (json_is_string(value)) {
        print_text(json_string_value(value));
    } else if (json_is_boolean(value)) {
        fputs(json_is_true(value) ? "yes" : "no", stdout);
    } else if (json_is_integer(value)) {
        printf("%" PRId64, (int64_t)json_integer_value(value));
    } else if (json_is_real(value)) {
        printf("%g", json_real_value(value));
    } else {
        fputs("-", stdout);
    }
}

static bool is_scalar(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

static void print_value(json_t *value, int depth);

/* "name: value", or the name and what is in it below. */
static void print_member(const char *name, json_t *value, int depth)
{
    printf("%*s", depth * INDENT, "");
    print_text(name);
    fputs(is_scalar(value) ? ": " : ":\n", stdout);
    print_value(value, depth + 1);
}

static bool is_empty(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) == 0;
}

/* The members of an object in a list stand in one line; empty texts are left out. */
static void print_row(json_t *object, int depth)
{
    const char *name;
    json_t *member;
    const char *joint = "- ";
    printf("%*s", depth * INDENT, "");
    json_object_foreach(object, name, member)
    {
        if (is_empty(member)) {
            continue;
        }
        fputs(joint, stdout);
        print_text(name);
        fputs(": ", stdout);
        print_scalar(member);
        joint = ", ";
    }
    putchar('\n');
}

static void print_value(json_t *value, int depth)
{
    const char *name;
    json_t *member;
    size_t index;
    if (is_scalar(value)) {
        print_scalar(value);
        putchar('\n');
    } else if (json_is_array(value)) {
        if (json_array_size(value) == 0) {
            printf("%*snone\n", depth * INDENT, "");
        }
        json_array_foreach(value, index, member)
        {
            if (json_is_object(member)) {
                print_row(member, depth);
            } else {
                printf("%*s- ", depth * INDENT, "");
                print_value(member, depth + 1);
            }
        }
    } else {
        json_object_foreach(value, name, member)
        {
            if (!is_empty(member)) {
                print_member(name, member, depth);
            }
        }
    }
}

void ck_ctl_print(json_t *value, bool json)
{
    if (json) {
        json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        putchar('\n');
    } else {
        print_value(value, 0);
    }
}
