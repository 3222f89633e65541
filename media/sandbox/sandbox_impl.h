/* What differs between a build for use and one under sanitizers: a sibling file each. */
#ifndef MEDIA_SANDBOX_SANDBOX_IMPL_H
#define MEDIA_SANDBOX_SANDBOX_IMPL_H

#include <stdbool.h>
#include <stddef.h>

/* System calls that this build needs besides those of sandbox.c. */
extern const int ck_sandbox_more_calls[];
extern const size_t ck_sandbox_more_call_count;

/* Whether the address space may be limited. */
extern const bool ck_sandbox_limits_memory;

/* Whether memory may become executable; false: mprotect and mmap with PROT_EXEC kill. */
extern const bool ck_sandbox_allows_exec_memory;

#endif
