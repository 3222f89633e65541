#include "daemon/notify/push_service.h"

#include <string.h>
#include <strings.h>

bool ck_push_service_ok(const struct ck_config *config, const char *endpoint)
{
    static const char scheme[] = "https://";
    if (strncmp(endpoint, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    const char *host = endpoint + sizeof scheme - 1;
    size_t size = strcspn(host, "/?#:");
    if (memchr(host, '@', strcspn(host, "/?#")) != NULL) {
        return false; /* what stands before it only looks like the host */
    }
    for (size_t i = 0; i < config->web_push.services.count; i++) {
        const char *service = config->web_push.services.items[i];
        size_t tail = strlen(service);
        bool ends = size >= tail && strncasecmp(host + size - tail, service, tail) == 0;
        if (ends && (size == tail || host[size - tail - 1] == '.')) {
            return true;
        }
    }
    return false;
}
