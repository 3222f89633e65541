/* Receipts: what a gateway tells later about messages it has taken (sms-gateway.md). They may come
 * late, twice and out of order. */
#ifndef PROTOCOL_RECEIPT_H
#define PROTOCOL_RECEIPT_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_RECEIPTS_MAX 100             /* in one request */
#define CK_RECEIPT_BODY_MAX (64 * 1024) /* bytes of one request */
#define CK_RECEIPT_REFERENCE_SIZE 65
#define CK_RECEIPT_ID_SIZE 129
#define CK_RECEIPT_DETAIL_SIZE 161

enum ck_gateway_state {
    CK_GATEWAY_SENT = 0, /* on its way; changes nothing */
    CK_GATEWAY_DELIVERED,
    CK_GATEWAY_READ,
    CK_GATEWAY_FAILED,
    CK_GATEWAY_STATE_COUNT,
};

/* "sent", "delivered", "read", "failed"; NULL outside the enumeration. */
const char *ck_gateway_state_name(enum ck_gateway_state state);

/* At least one of reference and provider_id is not "". */
struct ck_gateway_receipt {
    char reference[CK_RECEIPT_REFERENCE_SIZE];
    char provider_id[CK_RECEIPT_ID_SIZE];
    enum ck_gateway_state state;
    uint64_t sequence; /* the gateway's own order of receipts, 0: none */
    struct ck_wall at; /* when it happened, as the gateway says; 0: not said */
    char detail[CK_RECEIPT_DETAIL_SIZE];
};

/* Where and what the fault is: "receipts[3].state". */
struct ck_receipt_fault {
    char field[64];
    char message[120];
};

/* Reads the body of POST /hook/receipt/…: an object {"receipts": […]} or one receipt. `receipts`
 * has room for CK_RECEIPTS_MAX. 0; CK_E_SYNTAX, CK_E_INVALID or CK_E_LIMIT with *fault filled;
 * -ENOMEM. */
int ck_receipt_decode(const char *body, size_t size,
                      struct ck_gateway_receipt receipts[static CK_RECEIPTS_MAX], size_t *count,
                      struct ck_receipt_fault *fault);

#endif
