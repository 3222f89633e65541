#include "protocol/receipt.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "protocol/base/error.h"

static const char *const state_names[CK_GATEWAY_STATE_COUNT] = {"sent", "delivered", "read",
                                                                "failed"};

const char *ck_gateway_state_name(enum ck_gateway_state state)
{
    return (unsigned)state < CK_GATEWAY_STATE_COUNT ? state_names[state] : NULL;
}

/* Where in the body the reader is: receipt `index` of the list, or -1 for a lone one. */
struct place {
    long index;
    struct ck_receipt_fault *fault;
};

static int refuse(const struct place *place, const char *member, int code, const char *message)
{
    struct ck_receipt_fault *fault = place->fault;
    if (place->index < 0) {
        snprintf(fault->field, sizeof fault->field, "%s", member);
    } else {
        snprintf(fault->field, sizeof fault->field, "receipts[%ld]%s%s", place->index,
                 *member == '\0' ? "" : ".", member);
    }
    snprintf(fault->message, sizeof fault->message, "%s", message);
    return code;
}

/* Copies a text member of printable characters; one that is absent is "". */
static int read_text(const struct place *place, const json_t *object, const char *member,
                     char *text, size_t size)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL || json_is_null(value)) {
        text[0] = '\0';
        return 0;
    }
    if (!json_is_string(value)) {
        return refuse(place, member, CK_E_INVALID, "must be a text");
    }
    if (json_string_length(value) >= size) {
        return refuse(place, member, CK_E_LIMIT, "is too long");
    }
    const char *from = json_string_value(value);
    for (size_t i = 0; i < json_string_length(value); i++) {
        if ((unsigned char)from[i] < ' ' || from[i] == 0x7f) {
            return refuse(place, member, CK_E_INVALID, "must not have control characters");
        }
    }
    memcpy(text, from, json_string_length(value) + 1);
    return 0;
}

static int read_state(const struct place *place, const json_t *object, enum ck_gateway_state *state)
{
    const char *name = json_string_value(json_object_get(object, "state"));
    for (unsigned i = 0; name != NULL && i < CK_GATEWAY_STATE_COUNT; i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *state = (enum ck_gateway_state)i;
            return 0;
        }
    }
    return refuse(place, "state", CK_E_INVALID, "must be sent, delivered, read or failed");
}

static int read_sequence(const struct place *place, const json_t *object, uint64_t *sequence)
{
    const json_t *value = json_object_get(object, "sequence");
    if (value != NULL && (!json_is_integer(value) || json_integer_value(value) < 0)) {
        return refuse(place, "sequence", CK_E_INVALID, "must be a whole number from 0");
    }
    *sequence = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_at(const struct place *place, const json_t *object, struct ck_wall *at)
{
    const json_t *value = json_object_get(object, "at");
    *at = (struct ck_wall){0};
    if (value == NULL) {
        return 0;
    }
    if (!json_is_string(value) || ck_wall_parse(json_string_value(value), at) != 0) {
        return refuse(place, "at", CK_E_INVALID, "must be a time such as 2026-11-21T19:02:05Z");
    }
    return 0;
}

static int read_receipt(const struct place *place, const json_t *object,
                        struct ck_gateway_receipt *receipt)
{
    if (!json_is_object(object)) {
        return refuse(place, "", CK_E_INVALID, "must be an object");
    }
    struct ck_gateway_receipt read;
    int error = read_text(place, object, "reference", read.reference, sizeof read.reference);
    if (error == 0) {
        error = read_text(place, object, "id", read.provider_id, sizeof read.provider_id);
    }
    if (error == 0) {
        error = read_text(place, object, "detail", read.detail, sizeof read.detail);
    }
    if (error == 0) {
        error = read_state(place, object, &read.state);
    }
    if (error == 0) {
        error = read_sequence(place, object, &read.sequence);
    }
    if (error == 0) {
        error = read_at(place, object, &read.at);
    }
    if (error == 0 && *read.reference == '\0' && *read.provider_id == '\0') {
        error = refuse(place, "reference", CK_E_INVALID, "or id is needed");
    }
    if (error == 0) {
        *receipt = read;
    }
    return error;
}

static int read_list(const json_t *list, struct ck_gateway_receipt *receipts, size_t *count,
                     struct ck_receipt_fault *fault)
{
    struct place place = {.index = -1, .fault = fault};
    size_t size = json_array_size(list);
    if (!json_is_array(list) || size == 0) {
        return refuse(&place, "receipts", CK_E_INVALID, "must be a list of receipts");
    }
    if (size > CK_RECEIPTS_MAX) {
        return refuse(&place, "receipts", CK_E_LIMIT, "has too many items");
    }
    for (size_t i = 0; i < size; i++) {
        place.index = (long)i;
        int error = read_receipt(&place, json_array_get(list, i), &receipts[i]);
        if (error != 0) {
            return error;
        }
    }
    *count = size;
    return 0;
}

int ck_receipt_decode(const char *body, size_t size,
                      struct ck_gateway_receipt receipts[static CK_RECEIPTS_MAX], size_t *count,
                      struct ck_receipt_fault *fault)
{
    struct place place = {.index = -1, .fault = fault};
    if (size > CK_RECEIPT_BODY_MAX) {
        return refuse(&place, "", CK_E_LIMIT, "the body is too big");
    }
    json_t *root = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return refuse(&place, "", CK_E_SYNTAX, "the body is not one JSON object");
    }
    const json_t *list = json_object_get(root, "receipts");
    int error;
    if (list != NULL) {
        error = read_list(list, receipts, count, fault);
    } else {
        error = read_receipt(&place, root, &receipts[0]);
        if (error == 0) {
            *count = 1;
        }
    }
    json_decref(root);
    return error;
}
