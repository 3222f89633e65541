/* Reading a leaf of the audit log (log.md section 1). Canonical JSON has one form, so that a leaf
 * is read by its letters, without taking it apart: any other sequence of bytes is no leaf. Every
 * text points into the leaf. Pure and thread-safe. */
#ifndef PROTOCOL_LEAF_H
#define PROTOCOL_LEAF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ck_leaf_text {
    const char *at;
    size_t size;
};

/* What stands in front. */
struct ck_leaf {
    struct ck_leaf_text action, actor_id, actor_kind, at, clock, object_id, object_kind;
    int64_t index;
    const char *open; /* where the value of "open" begins */
    const char *end;  /* of the leaf */
};

/* What stands behind: values as they are written, with braces and quotes. */
struct ck_leaf_tail {
    struct ck_leaf_text open, person, result, sealed;
    int64_t previous; /* -1: null */
};

/* False where it is no leaf. An actor without id has an empty one. */
bool ck_leaf_read(const void *bytes, size_t size, struct ck_leaf *leaf);
bool ck_leaf_read_tail(const struct ck_leaf *leaf, struct ck_leaf_tail *tail);

static inline bool ck_leaf_is(struct ck_leaf_text text, const char *other)
{
    size_t size = __builtin_strlen(other);
    return text.size == size && __builtin_memcmp(text.at, other, size) == 0;
}

/* Whether it begins so. */
static inline bool ck_leaf_begins(struct ck_leaf_text text, const char *other)
{
    size_t size = __builtin_strlen(other);
    return text.size >= size && __builtin_memcmp(text.at, other, size) == 0;
}

/* Takes the members of an object one after the other, as they are written; *at begins with 0. False
 * at the end, and where it is no object. */
bool ck_leaf_next(struct ck_leaf_text object, size_t *at, struct ck_leaf_text *name,
                  struct ck_leaf_text *value);

/* A member of an object, as it is written; an empty text where it is not there. */
struct ck_leaf_text ck_leaf_member(struct ck_leaf_text object, const char *name);

/* The same as a string without its quotes (nothing is unescaped), or as a number. */
struct ck_leaf_text ck_leaf_string(struct ck_leaf_text object, const char *name);
int64_t ck_leaf_number(struct ck_leaf_text object, const char *name, int64_t otherwise);

#endif
