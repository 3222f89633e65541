#include "media/sandbox/sandbox_impl.h"

const struct ck_sandbox_build ck_sandbox_build = {.limits_memory = true};
