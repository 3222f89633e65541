/* A configuration file of a stranger: it is read or refused, and a fault is told where it is
 * refused. */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ck_config_faults faults;
    struct ck_config config;
    const struct ck_config_place place = {.leave_credentials = true};
    int error = ck_config_parse(&config, (const char *)data, size, &place, &faults);
    if (error == 0) {
        ck_config_deinit(&config);
    } else if (error > 0 && faults.count == 0) {
        abort();
    }
    return 0;
}
