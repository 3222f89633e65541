#include "protocol/base/array.h"

#include <stdlib.h>

void *ck_array_grow(void *array, size_t *capacity, size_t count, size_t element)
{
    if (count < *capacity) {
        return array;
    }
    size_t more = *capacity == 0 ? 16 : *capacity * 2;
    void *grown = reallocarray(array, more, element);
    *capacity = grown == NULL ? *capacity : more;
    return grown;
}
