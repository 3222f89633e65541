/* Certificates of the server: one made by ourselves for trying out, and what a given one says. */
#ifndef DAEMON_HTTP_CERTIFICATE_H
#define DAEMON_HTTP_CERTIFICATE_H

#include <stddef.h>

#include "protocol/base/time.h"

#define CK_CERTIFICATE_DAYS 397 /* what a self-signed one is good for */
#define CK_CERTIFICATE_PEM_MAX (64 * 1024)

/* Makes a P-256 key and a certificate for it, signed by itself, for the names (DNS names or
 * addresses; at least one), good from an hour before `now`. The texts are the caller's. -EINVAL for
 * a name that is neither; -ENOMEM. */
int ck_certificate_make(const char *const *names, size_t count, struct ck_wall now,
                        char **certificate_pem, char **key_pem);

/* When the first certificate of a chain ends. CK_E_SYNTAX where there is none. */
int ck_certificate_expiry(const char *pem, size_t size, struct ck_wall *expiry);

/* Reads the certificate and key at these paths; where both files are missing and `names` is given,
 * makes them (ck_certificate_make) and writes them there, the key readable by its owner alone. The
 * texts are the caller's. -errno. */
int ck_certificate_load(const char *certificate_path, const char *key_path,
                        const char *const *names, size_t count, struct ck_wall now,
                        char **certificate_pem, char **key_pem);

#endif
