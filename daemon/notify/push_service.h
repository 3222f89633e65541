/* Which push services the daemon speaks to. */
#ifndef DAEMON_NOTIFY_PUSH_SERVICE_H
#define DAEMON_NOTIFY_PUSH_SERVICE_H

#include <stdbool.h>

#include "daemon/config/config.h"

/* Whether the host of `endpoint` is one of [web_push] services or below one. A browser names its
 * service: a subscription is refused where this says no, so that nobody can make the daemon speak
 * to a host of their choice. */
bool ck_push_service_ok(const struct ck_config *config, const char *endpoint);

#endif
