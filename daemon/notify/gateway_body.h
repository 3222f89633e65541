/* The JSON a gateway wants, made from its template. */
#ifndef DAEMON_NOTIFY_GATEWAY_BODY_H
#define DAEMON_NOTIFY_GATEWAY_BODY_H

#include <stddef.h>

struct ck_gateway_values {
    const char *to;
    const char *text;
    const char *reference;
    const char *language;
    const char *kind;
};

/* Replaces {to}, {text}, {reference}, {language} and {kind} inside the strings of the JSON `body`
 * (member names stay). A value is data only: it can neither end its string nor be replaced again.
 * Other braces stay as they are. The caller frees *json. 0; CK_E_SYNTAX where the template is no
 * JSON; CK_E_INVALID where a value is not UTF-8; -ENOMEM. */
int ck_gateway_body(const char *body, const struct ck_gateway_values *values, char **json,
                    size_t *size);

#endif
