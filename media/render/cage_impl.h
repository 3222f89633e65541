/* What differs between a build for use and one under sanitizers: a sibling file each. */
#ifndef MEDIA_RENDER_CAGE_IMPL_H
#define MEDIA_RENDER_CAGE_IMPL_H

#include <stdbool.h>
#include <stddef.h>

/* System calls that this build needs besides those of cage.c. */
extern const int ck_cage_more_calls[];
extern const size_t ck_cage_more_call_count;

/* Whether address space is limited, memory is kept from becoming a program, and attacks kill. */
extern const bool ck_cage_is_tight;

#endif
