/* Canonical JSON: one value, one sequence of bytes. The subset of RFC 8785 without real numbers:
 * members sorted by name, no white space, shortest escapes; integers between -(2^53 - 1) and 2^53 -
 * 1; names of ASCII alone, so that every order of sorting is the same. log.md says where it is
 * used. */
#ifndef PROTOCOL_CANONICAL_H
#define PROTOCOL_CANONICAL_H

#include <stddef.h>

#include <jansson.h>

#include "protocol/base/bytes.h"

#define CK_CANONICAL_DEPTH 8    /* objects and lists inside each other */
#define CK_CANONICAL_MEMBERS 64 /* of one object */

/* Appends the canonical form. CK_E_INVALID: a real number, an integer out of range, a name that is
 * not printable ASCII, or too deep or wide; CK_E_LIMIT: it does not fit, or an earlier write to
 * `writer` failed. What was written before a failure is to be ignored. */
int ck_canonical_write(struct ck_writer *writer, const json_t *value);

/* Appends a text as a JSON string. */
void ck_canonical_string(struct ck_writer *writer, const char *text, size_t size);

/* Appends an integer, of any size. */
void ck_canonical_integer(struct ck_writer *writer, int64_t number);

#endif
