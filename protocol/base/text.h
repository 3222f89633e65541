/* Text forms of bytes: hexadecimal (RFC 4648 section 8, lower case) and base64url without padding
 * (section 5); and the check that bytes are text. */
#ifndef PROTOCOL_BASE_TEXT_H
#define PROTOCOL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes with the closing zero, for `count` bytes. */
#define CK_HEX_SIZE(count) (2 * (count) + 1)
#define CK_BASE64URL_SIZE(count) (((count)*4 + 2) / 3 + 1)
#define CK_BASE64_SIZE(count) (((count) + 2) / 3 * 4 + 1)

/* Writes CK_HEX_SIZE(count) bytes. */
void ck_hex_encode(const void *bytes, size_t count, char *text);

/* Reads exactly 2 * count digits of either case followed by the end of the text. 0 or CK_E_SYNTAX.
 */
int ck_hex_decode(const char *text, void *bytes, size_t count);

/* Writes CK_BASE64URL_SIZE(count) bytes at the most. */
void ck_base64url_encode(const void *bytes, size_t count, char *text);

/* Reads all of `text` into at most `capacity` bytes and sets *count. CK_E_SYNTAX on a foreign
 * character, an impossible length or bits set behind the last byte; CK_E_LIMIT where it does not
 * fit. */
int ck_base64url_decode(const char *text, void *bytes, size_t capacity, size_t *count);

/* Standard base64 with padding (section 4), as signed notes and HTTP want it. */
void ck_base64_encode(const void *bytes, size_t count, char *text);

/* The reverse; results as ck_base64url_decode(), CK_E_SYNTAX also where the padding is wrong. */
int ck_base64_decode(const char *text, void *bytes, size_t capacity, size_t *count);

/* Whether it is a number to call for help: 3 to 15 digits, with or without a + before them. */
bool ck_text_is_help_phone(const char *text);

/* Whether the bytes are well-formed UTF-8 (RFC 3629) without U+0000. */
bool ck_utf8_valid(const char *text, size_t size);

#endif
