#include "daemon/notify/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/digest.h"
#include "protocol/base/error.h"

static bool printable(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            return false;
        }
    }
    return true;
}

int ck_request_header(struct ck_request *request, const char *name, const char *value)
{
    if (!printable(name) || !printable(value)) {
        return CK_E_INVALID;
    }
    if (request->header_count == CK_REQUEST_HEADERS_MAX) {
        return CK_E_LIMIT;
    }
    char *header = NULL;
    if (asprintf(&header, "%s: %s", name, value) < 0) {
        return -ENOMEM;
    }
    request->headers[request->header_count++] = header;
    return 0;
}

/* Frees a text that may hold a secret. */
static void wipe_text(char *text)
{
    if (text != NULL) {
        ck_wipe(text, strlen(text));
    }
    free(text);
}

void ck_request_deinit(struct ck_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        wipe_text(request->headers[i]);
    }
    if (request->body != NULL) {
        ck_wipe(request->body, request->body_size);
    }
    free(request->body);
    free(request->url);
    free(request->ca_file);
    free(request->ca_pem);
    free(request->connect_to);
    free(request->mail_from);
    free(request->mail_to);
    free(request->user);
    wipe_text(request->password);
    *request = (struct ck_request){0};
}
