#include "protocol/base/sha256_many.h"

int ck_sha256_many(const struct ck_sha256_job *jobs, size_t count)
{
    if (ck_sha256_lanes(jobs, count)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const struct ck_slice slices[] = {{&jobs[i].prefix, 1}, {jobs[i].data, jobs[i].size}};
        int r = ck_sha256(slices, 2, jobs[i].digest);
        if (r != 0) {
            return r;
        }
    }
    return 0;
}
