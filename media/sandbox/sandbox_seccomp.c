#include "media/sandbox/sandbox_impl.h"

const int ck_sandbox_more_calls[] = {-1};
const size_t ck_sandbox_more_call_count = 0;
const bool ck_sandbox_limits_memory = true;
const bool ck_sandbox_allows_exec_memory = false;
