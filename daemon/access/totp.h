/* One-time passwords from a clock (RFC 6238 over RFC 4226): HMAC-SHA-1, 30 s, six digits, the form
 * that every authenticator application knows. Pure; any thread. */
#ifndef DAEMON_ACCESS_TOTP_H
#define DAEMON_ACCESS_TOTP_H

#include <stdint.h>

#include "protocol/base/digest.h"
#include "protocol/base/time.h"

#define CK_TOTP_STEP_MS 30000
#define CK_TOTP_DIGITS 6
#define CK_TOTP_DRIFT 1 /* steps that a telephone's clock may be off, either way */
#define CK_TOTP_CODE_SIZE (CK_TOTP_DIGITS + 1)
#define CK_TOTP_TEXT_SIZE 53 /* CK_KEY_SIZE bytes in base32, and a zero */

/* The code of one step of 30 s since 1970. 0 or -ENOMEM. */
int ck_totp_code(const uint8_t key[static CK_KEY_SIZE], int64_t step,
                 char code[static CK_TOTP_CODE_SIZE]);

/* Checks what somebody typed; spaces in it do not count. Only a step later than `after` is taken,
 * so that no code is good twice (RFC 6238 section 5.2): 0 and *step is the one to remember;
 * CK_E_AUTH: none fits; CK_E_SYNTAX: not six digits; -ENOMEM. */
int ck_totp_check(const uint8_t key[static CK_KEY_SIZE], const char *typed, struct ck_wall now,
                  int64_t after, int64_t *step);

/* The key as applications take it: base32 without padding (RFC 4648 section 6). */
void ck_totp_key_text(const uint8_t key[static CK_KEY_SIZE], char text[static CK_TOTP_TEXT_SIZE]);

#endif
