/* What a gateway posts: the signature's header and the body of receipts. The input is the header, a
 * line feed, the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/receipt.h"
#include "protocol/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ck_gateway_receipt receipts[CK_RECEIPTS_MAX];
    const uint8_t *feed = size == 0 ? NULL : memchr(data, '\n', size);
    size_t header_size = feed == NULL ? 0 : (size_t)(feed - data);
    const char *body = feed == NULL ? (const char *)data : (const char *)feed + 1;
    size_t body_size = feed == NULL ? size : size - header_size - 1;
    char *header = calloc(1, header_size + 1);
    if (header == NULL) {
        return 0;
    }
    memcpy(header, data, header_size);
    ck_signature_check("a secret of at least sixteen bytes", 34, header,
                       (struct ck_wall){INT64_C(1795000000000)}, body, body_size);
    free(header);
    size_t count = 0;
    struct ck_receipt_fault fault = {.field = ""};
    int error = ck_receipt_decode(body, body_size, receipts, &count, &fault);
    if ((error == 0 && (count == 0 || count > CK_RECEIPTS_MAX)) ||
        (error > 0 && *fault.message == '\0')) {
        abort();
    }
    return 0;
}
