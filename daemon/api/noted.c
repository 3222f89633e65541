#include "daemon/api/noted.h"

#include <stddef.h>

#define PLACES 16 /* where one read may be */

static bool same(const struct ck_noted_read *a, const struct ck_noted_read *b)
{
    return a->session == b->session && a->id == b->id && a->object == b->object;
}

/* The first of its places. Sessions and ids are small and in a row, addresses lie close together:
 * mixed well, or they share places (the finaliser of SplitMix64). */
static size_t first_place(const struct ck_noted_read *read)
{
    uint64_t mixed = (uint64_t)read->session * UINT64_C(0x9e3779b97f4a7c15) +
                     (uint64_t)read->id * UINT64_C(0xd1b54a32d192ed03) +
                     (uint64_t)(uintptr_t)read->object;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)(mixed ^ (mixed >> 31)) % (CK_NOTED_MAX / PLACES) * PLACES;
}

bool ck_noted_has(const struct ck_noted *noted, const struct ck_noted_read *read,
                  struct ck_wall now)
{
    size_t first = first_place(read);
    for (size_t i = first; i < first + PLACES; i++) {
        if (same(&noted->at[i].read, read)) {
            return ck_wall_before(now, noted->at[i].until);
        }
    }
    return false;
}

void ck_noted_add(struct ck_noted *noted, const struct ck_noted_read *read, struct ck_wall until)
{
    size_t first = first_place(read);
    size_t best = first;
    for (size_t i = first; i < first + PLACES; i++) {
        if (same(&noted->at[i].read, read)) {
            best = i;
            break;
        }
        if (ck_wall_before(noted->at[i].until, noted->at[best].until)) {
            best = i;
        }
    }
    noted->at[best].read = *read;
    noted->at[best].until = until;
}
