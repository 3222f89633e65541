#include "daemon/notify/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const char *fault_text(enum ck_transfer_fault fault)
{
    switch (fault) {
    case CK_TRANSFER_DONE:
        return "done";
    case CK_TRANSFER_NO_NAME:
        return "host not found";
    case CK_TRANSFER_NO_CONNECT:
        return "no connection";
    case CK_TRANSFER_NO_TLS:
        return "no trusted TLS";
    case CK_TRANSFER_LOGIN:
        return "log-in refused";
    case CK_TRANSFER_TIMEOUT:
        return "no answer in time";
    case CK_TRANSFER_LOST:
        return "connection lost";
    case CK_TRANSFER_REFUSED:
        return "refused";
    case CK_TRANSFER_PROTOCOL:
        return "unexpected answer";
    case CK_TRANSFER_MEMORY:
        return "out of memory";
    }
    return "failed";
}

bool ck_judge_fault(const struct ck_response *response, struct ck_sent *sent)
{
    if (response->fault == CK_TRANSFER_DONE) {
        return false;
    }
    enum ck_sent_kind kind = ck_response_unknown(response) ? CK_SENT_UNKNOWN : CK_SENT_REFUSED;
    ck_sent_fill(sent, kind, 0, "%s: %s", fault_text(response->fault), response->detail);
    return true;
}

void ck_judge_status(const struct ck_response *response, struct ck_sent *sent)
{
    int status = response->status;
    int64_t after_ms = response->retry_after_ms < 0 ? 0
                       : response->retry_after_ms > CK_JUDGE_AFTER_MAX_MS
                           ? CK_JUDGE_AFTER_MAX_MS
                           : response->retry_after_ms;
    if (status == 429) {
        ck_sent_fill(sent, CK_SENT_LIMITED, after_ms > 0 ? after_ms : CK_JUDGE_LIMITED_MS,
                     "HTTP 429: too many requests");
        return;
    }
    bool ours = status == 401 || status == 403 || status == 404 || status == 405;
    bool passing = status == 408 || status == 425 || status >= 500 || status < 400;
    ck_sent_fill(sent, ours || passing ? CK_SENT_REFUSED : CK_SENT_REJECTED, after_ms, "HTTP %d",
                 status);
}

/* One step of the path into `at`; NULL where it leads nowhere. */
static const json_t *follow(const json_t *at, const char *name)
{
    if (json_is_object(at)) {
        return json_object_get(at, name);
    }
    char *end;
    unsigned long index = strtoul(name, &end, 10);
    return json_is_array(at) && end != name && *end == '\0' ? json_array_get(at, index) : NULL;
}

static bool write_value(const json_t *value, char *text, size_t room)
{
    if (json_is_string(value)) {
        snprintf(text, room, "%s", json_string_value(value));
        return true;
    }
    if (json_is_boolean(value)) {
        snprintf(text, room, "%s", json_is_true(value) ? "true" : "false");
        return true;
    }
    if (json_is_integer(value)) {
        snprintf(text, room, "%" PRId64, (int64_t)json_integer_value(value));
        return true;
    }
    return false;
}

bool ck_judge_field(const char *json, size_t size, const char *path, char *value, size_t room)
{
    json_t *root = json_loadb(json, size, 0, NULL);
    const json_t *at = root;
    while (at != NULL && *path != '\0') {
        char name[64];
        size_t step = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)step, path);
        at = follow(at, name);
        path += step;
        path += *path == '.';
    }
    bool found = at != NULL && write_value(at, value, room);
    json_decref(root);
    return found;
}
