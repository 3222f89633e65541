#include "daemon/access/password.h"

#include <argon2.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "protocol/base/error.h"

#define HASH_SIZE 32

int ck_password_hash(struct ck_password_cost cost, const char *password,
                     const uint8_t salt[static CK_PASSWORD_SALT_SIZE],
                     char text[static CK_PASSWORD_TEXT_SIZE])
{
    int r =
        argon2id_hash_encoded(cost.passes, cost.kib, CK_PASSWORD_LANES, password, strlen(password),
                              salt, CK_PASSWORD_SALT_SIZE, HASH_SIZE, text, CK_PASSWORD_TEXT_SIZE);
    return r == ARGON2_OK ? 0 : -ENOMEM;
}

int ck_password_verify(struct ck_password_cost cost, const char *text, const char *password)
{
    if (text == NULL) {
        static const uint8_t salt[CK_PASSWORD_SALT_SIZE];
        char ignored[CK_PASSWORD_TEXT_SIZE];
        int error = ck_password_hash(cost, password, salt, ignored);
        return error != 0 ? error : CK_E_AUTH;
    }
    int r = argon2id_verify(text, password, strlen(password));
    return r == ARGON2_OK                        ? 0
           : r == ARGON2_VERIFY_MISMATCH         ? CK_E_AUTH
           : r == ARGON2_MEMORY_ALLOCATION_ERROR ? -ENOMEM
                                                 : CK_E_SYNTAX;
}

const char *ck_password_fault(const char *password, const char *login)
{
    size_t characters = 0;
    for (const char *c = password; *c != '\0'; c++) {
        characters += ((unsigned char)*c & 0xc0) != 0x80;
    }
    if (characters < CK_PASSWORD_MIN) {
        return "must have at least 12 characters";
    }
    if (strlen(password) > CK_PASSWORD_MAX) {
        return "is too long";
    }
    if (strspn(password, (const char[]){password[0], '\0'}) == strlen(password)) {
        return "must not be one character over and over";
    }
    if (strcasecmp(password, login) == 0) {
        return "must not be the log-in";
    }
    return NULL;
}
