/* What differs between a build for use and one under sanitizers: a sibling file each. */
#ifndef MEDIA_SANDBOX_SANDBOX_IMPL_H
#define MEDIA_SANDBOX_SANDBOX_IMPL_H

#include <stdbool.h>
#include <stddef.h>

struct ck_sandbox_build {
    const int *calls; /* system calls besides those of sandbox.c */
    size_t call_count;
    bool limits_memory;     /* the address space may be limited */
    bool executable_memory; /* mprotect and mmap with PROT_EXEC do not kill */
    bool traceable;         /* the process may be looked into (PR_SET_DUMPABLE) */
    const char *readable;   /* a folder that may be read; NULL: none */
};

extern const struct ck_sandbox_build ck_sandbox_build;

#endif
