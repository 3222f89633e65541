#include "media/transport/tuples.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ck_tuples_init(struct ck_tuples *table, uint32_t capacity,
                   const uint8_t key[static CK_SIPHASH_KEY_SIZE])
{
    uint32_t slots = 16;
    while (slots < 2 * capacity) {
        slots *= 2;
    }
    struct ck_tuples made = {.slot_mask = slots - 1, .capacity = capacity};
    made.tuples = calloc(capacity, sizeof *made.tuples);
    made.free = calloc(capacity, sizeof *made.free);
    made.slots = calloc(slots, sizeof *made.slots);
    if (made.tuples == NULL || made.free == NULL || made.slots == NULL) {
        ck_tuples_deinit(&made);
        return -ENOMEM;
    }
    memcpy(made.key, key, sizeof made.key);
    for (uint32_t i = 0; i < capacity; i++) {
        made.tuples[i].owner = CK_TUPLE_NONE;
        made.free[i] = capacity - 1 - i;
    }
    made.free_count = capacity;
    *table = made;
    return 0;
}

void ck_tuples_deinit(struct ck_tuples *table)
{
    free(table->tuples);
    free(table->free);
    free(table->slots);
    *table = (struct ck_tuples){0};
}

static uint32_t home_of(const struct ck_tuples *table, const struct ck_path *path)
{
    return (uint32_t)ck_siphash(table->key, path, sizeof *path) & table->slot_mask;
}

/* The slot that holds the path, or the empty one where it would go. There is always an empty one.
 */
static uint32_t slot_of(const struct ck_tuples *table, const struct ck_path *path)
{
    uint32_t slot = home_of(table, path);
    while (table->slots[slot] != 0 &&
           memcmp(&table->tuples[table->slots[slot] - 1].path, path, sizeof *path) != 0) {
        slot = (slot + 1) & table->slot_mask;
    }
    return slot;
}

uint32_t ck_tuples_find(const struct ck_tuples *table, const struct ck_path *path)
{
    uint32_t held = table->slots[slot_of(table, path)];
    return held == 0 ? CK_TUPLE_NONE : held - 1;
}

bool ck_tuples_is(const struct ck_tuples *table, uint32_t number, const struct ck_path *path)
{
    const struct ck_tuple *tuple = &table->tuples[number];
    return tuple->owner != CK_TUPLE_NONE && memcmp(&tuple->path, path, sizeof *path) == 0;
}

uint32_t ck_tuples_add(struct ck_tuples *table, const struct ck_path *path, uint32_t owner)
{
    if (table->free_count == 0) {
        return CK_TUPLE_NONE;
    }
    uint32_t slot = slot_of(table, path);
    assert(table->slots[slot] == 0);
    uint32_t number = table->free[--table->free_count];
    table->tuples[number] = (struct ck_tuple){.path = *path, .owner = owner};
    table->slots[slot] = number + 1;
    return number;
}

void ck_tuples_remove(struct ck_tuples *table, uint32_t number)
{
    assert(table->tuples[number].owner != CK_TUPLE_NONE);
    uint32_t hole = slot_of(table, &table->tuples[number].path);
    assert(table->slots[hole] == number + 1);
    /* Close the hole: whoever sits behind it and has its home at or before it moves up. */
    for (uint32_t slot = (hole + 1) & table->slot_mask; table->slots[slot] != 0;
         slot = (slot + 1) & table->slot_mask) {
        uint32_t home = home_of(table, &table->tuples[table->slots[slot] - 1].path);
        if (((slot - home) & table->slot_mask) >= ((slot - hole) & table->slot_mask)) {
            table->slots[hole] = table->slots[slot];
            hole = slot;
        }
    }
    table->slots[hole] = 0;
    table->tuples[number].owner = CK_TUPLE_NONE;
    table->free[table->free_count++] = number;
}
