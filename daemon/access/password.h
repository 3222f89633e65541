/* Passwords: Argon2id (RFC 9106). Slow and large on purpose: for the thread pool, never for the
 * loop. Pure; any thread. */
#ifndef DAEMON_ACCESS_PASSWORD_H
#define DAEMON_ACCESS_PASSWORD_H

#include <stdint.h>

/* What one guess costs. */
struct ck_password_cost {
    uint32_t passes, kib;
};
/* RFC 9106 section 4, second recommendation: 64 MiB, three passes. */
#define CK_PASSWORD_COST ((struct ck_password_cost){.passes = 3, .kib = 65536})
#define CK_PASSWORD_LANES 1
#define CK_PASSWORD_SALT_SIZE 16
#define CK_PASSWORD_TEXT_SIZE 256 /* holds an encoded one and its zero */
#define CK_PASSWORD_MIN 12  /* characters; NIST SP 800-63B asks for 8 at least, a court for more */
#define CK_PASSWORD_MAX 256 /* bytes */

/* Encodes a password with a random salt. -ENOMEM, also for a cost that Argon2 does not know. */
int ck_password_hash(struct ck_password_cost cost, const char *password,
                     const uint8_t salt[static CK_PASSWORD_SALT_SIZE],
                     char text[static CK_PASSWORD_TEXT_SIZE]);

/* 0; CK_E_AUTH: another password; CK_E_SYNTAX: not an encoded one. -ENOMEM. The cost is the encoded
 * one's. For `text` NULL (an account that does not exist) it is `cost`, so that it takes as long,
 * and gives CK_E_AUTH. */
int ck_password_verify(struct ck_password_cost cost, const char *text, const char *password);

/* Whether it may be set: long enough, not one character over and over, not the login itself. NULL,
 * or what is wrong. */
const char *ck_password_fault(const char *password, const char *login);

#endif
