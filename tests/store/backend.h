/* What a back end of the store needs to be tested: how to make an empty store, and how to run a
 * statement behind its back. */
#ifndef TESTS_STORE_BACKEND_H
#define TESTS_STORE_BACKEND_H

#include <stdbool.h>

void backend_create(void);
void backend_remove(void);
/* For ck_store_open(). */
const char *backend_path(void);
/* Whether the statement was taken. */
bool backend_run(const char *sql);

/* One unit, one member of staff (inspector and officer), one person with an order; all have id 1.
 */
void backend_people(void);

#endif
