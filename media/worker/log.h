/* Lines on standard error for the journal, with its priority in front. Not evidence. */
#ifndef MEDIA_WORKER_LOG_H
#define MEDIA_WORKER_LOG_H

#include "protocol/worker.h"

void ck_media_log_level(enum ck_worker_log_level level);

__attribute__((format(printf, 2, 3))) void ck_media_log(enum ck_worker_log_level level,
                                                        const char *format, ...);

#endif
