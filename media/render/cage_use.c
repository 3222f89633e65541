#include "media/render/cage_impl.h"

const int ck_cage_more_calls[] = {-1};
const size_t ck_cage_more_call_count = 0;
const bool ck_cage_is_tight = true;
