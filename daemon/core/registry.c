#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/command.h"

ck_handler *ck_registry_find(const struct ck_registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (strcmp(registry->entries[i].name, name) == 0) {
            return registry->entries[i].handler;
        }
    }
    return NULL;
}

void ck_registry_add(struct ck_registry *registry, const struct ck_handler_entry *entries,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(registry->count < CK_HANDLERS_MAX);
        assert(ck_registry_find(registry, entries[i].name) == NULL);
        registry->entries[registry->count++] = entries[i];
    }
}

int ck_refuse(struct ck_refusal *refusal, int code, const char *field, const char *format, ...)
{
    snprintf(refusal->field, sizeof refusal->field, "%s", field);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(refusal->message, sizeof refusal->message, format, arguments);
    va_end(arguments);
    return code;
}
