/* Passwords: Argon2id (RFC 9106). Slow and large on purpose: for the thread pool, never for the
 * loop. Pure; any thread. */
#ifndef DAEMON_ACCESS_PASSWORD_H
#define DAEMON_ACCESS_PASSWORD_H

#include <stdint.h>

/* RFC 9106 section 4, second recommendation: 64 MiB, three passes. */
#define CK_PASSWORD_PASSES 3
#define CK_PASSWORD_KIB 65536
#define CK_PASSWORD_LANES 1
#define CK_PASSWORD_SALT_SIZE 16
#define CK_PASSWORD_TEXT_SIZE 256 /* holds an encoded one and its zero */
#define CK_PASSWORD_MIN 12  /* characters; NIST SP 800-63B asks for 8 at least, a court for more */
#define CK_PASSWORD_MAX 256 /* bytes */

/* Encodes a password with a random salt. -ENOMEM. */
int ck_password_hash(const char *password, const uint8_t salt[static CK_PASSWORD_SALT_SIZE],
                     char text[static CK_PASSWORD_TEXT_SIZE]);

/* 0; CK_E_AUTH: another password; CK_E_SYNTAX: not an encoded one. -ENOMEM. Takes as long for
 * `text` NULL (an account that does not exist), and then gives CK_E_AUTH. */
int ck_password_verify(const char *text, const char *password);

/* Whether it may be set: long enough, not one character over and over, not the login itself. NULL,
 * or what is wrong. */
const char *ck_password_fault(const char *password, const char *login);

#endif
