#include "daemon/audit/erasure.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64
#define DATE_SIZE 10 /* "2026-11-29" at the beginning of a time */

void ck_erasures_clear(struct ck_erasures *erasures)
{
    free(erasures->at);
    *erasures = (struct ck_erasures){0};
}

/* FNV-1a. */
static size_t hash_of(const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *key != '\0'; key++) {
        hash = (hash ^ (uint8_t)*key) * UINT64_C(1099511628211);
    }
    return (size_t)hash;
}

/* The place of a key, or the free one where it belongs. */
static struct ck_erasure_open *place_of(const struct ck_erasures *erasures, const char *key)
{
    size_t at = hash_of(key) & (erasures->capacity - 1);
    while (erasures->at[at].key[0] != '\0' && strcmp(erasures->at[at].key, key) != 0) {
        at = (at + 1) & (erasures->capacity - 1);
    }
    return &erasures->at[at];
}

static int grow(struct ck_erasures *erasures)
{
    struct ck_erasures bigger = {.capacity = erasures->capacity == 0 ? FIRST_CAPACITY
                                                                     : 2 * erasures->capacity,
                                 .used = erasures->used};
    bigger.at = calloc(bigger.capacity, sizeof *bigger.at);
    if (bigger.at == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < erasures->capacity; i++) {
        if (erasures->at[i].key[0] != '\0') {
            *place_of(&bigger, erasures->at[i].key) = erasures->at[i];
        }
    }
    free(erasures->at);
    *erasures = bigger;
    return 0;
}

/* A person's pseudonym as it is written, with quotes; a date where the entry is nobody's. */
static void key_of(const struct ck_leaf *leaf, const struct ck_leaf_tail *tail, char key[static 48])
{
    bool persons = tail->person.size > 2 && tail->person.at[0] == '"';
    struct ck_leaf_text text =
        persons ? tail->person : (struct ck_leaf_text){leaf->at.at, DATE_SIZE};
    snprintf(key, 48, "%.*s", text.size > 47 ? 47 : (int)text.size, text.at);
}

int ck_erasures_gone(struct ck_erasures *erasures, const struct ck_leaf *leaf,
                     const struct ck_leaf_tail *tail)
{
    char key[48];
    key_of(leaf, tail, key);
    if (2 * (erasures->used + 1) > erasures->capacity && grow(erasures) != 0) {
        return -ENOMEM;
    }
    struct ck_erasure_open *open = place_of(erasures, key);
    if (open->key[0] == '\0') {
        snprintf(open->key, sizeof open->key, "%s", key);
        erasures->used++;
    }
    open->first = open->count == 0 ? leaf->index : open->first;
    open->count++;
    return 0;
}

void ck_erasures_look(struct ck_erasures *erasures, const struct ck_leaf *leaf,
                      const struct ck_leaf_tail *tail)
{
    char key[48];
    if (erasures->used == 0 || !ck_leaf_is(leaf->action, "EXPIRY_ERASED")) {
        return;
    }
    if (ck_leaf_is(ck_leaf_string(tail->open, "class"), "case_file")) {
        key_of(leaf, tail, key);
        place_of(erasures, key)->count = 0;
        return;
    }
    struct ck_leaf_text since = ck_leaf_string(tail->open, "since");
    if (!ck_leaf_is(ck_leaf_string(tail->open, "class"), "access_log") || since.size < DATE_SIZE) {
        return;
    }
    for (size_t i = 0; i < erasures->capacity; i++) {
        struct ck_erasure_open *open = &erasures->at[i];
        bool date = open->key[0] >= '0' && open->key[0] <= '9';
        if (date && memcmp(open->key, since.at, DATE_SIZE) < 0) {
            open->count = 0;
        }
    }
}

const struct ck_erasure_open *ck_erasures_left(const struct ck_erasures *erasures, size_t *index)
{
    while (*index < erasures->capacity) {
        const struct ck_erasure_open *open = &erasures->at[(*index)++];
        if (open->count > 0) {
            return open;
        }
    }
    return NULL;
}
