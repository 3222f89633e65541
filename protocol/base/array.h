/* Arrays that grow. */
#ifndef PROTOCOL_BASE_ARRAY_H
#define PROTOCOL_BASE_ARRAY_H

#include <stddef.h>

/* Room for one more element of `element` bytes behind the `count` that an array from malloc(3) has;
 * NULL has none. What is returned takes the array's place and belongs to its owner; pointers into
 * the old one are void. NULL: memory ends, and the array and `capacity` stay as they are. */
void *ck_array_grow(void *array, size_t *capacity, size_t count, size_t element);

#endif
