/* Two kinds of failure.
 *
 * A positive code is an expected outcome of the function that returns it, named below or in its own
 * header; its direct caller handles it. A negative value is a negated errno: something nobody at
 * this level can do anything about; it goes up unchanged. Zero is success. Outputs are untouched on
 * failure. */
#ifndef PROTOCOL_BASE_ERROR_H
#define PROTOCOL_BASE_ERROR_H

enum ck_error {
    CK_OK = 0,
    CK_E_SYNTAX = 1,    /* the bytes do not have the form they must have */
    CK_E_TRUNCATED = 2, /* the bytes end before the form does */
    CK_E_LIMIT = 3,     /* a named limit is reached */
    CK_E_AUTH = 4,      /* a tag, signature, password or token does not verify */
    CK_E_NOT_FOUND = 5,
    CK_E_CONFLICT = 6, /* the present state does not allow it */
    CK_E_INVALID = 7,  /* well-formed but not allowed: a value out of its range, a rule broken */
    CK_E_DENIED = 8,   /* the actor has no right to it */
    CK_E_BUSY = 9,     /* try again later */
    CK_E_FENCED = 10,  /* the lease under which this was done is no longer held */
};

/* A short English name for a code of either kind ("syntax", "No space left on device"), for logs.
 */
const char *ck_error_text(int code);

#endif
