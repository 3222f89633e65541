#include <assert.h>

#include "protocol/base/error.h"
#include "protocol/rtp_control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_part(const struct ck_rtcp *part)
{
    struct ck_rtcp_sender sender;
    struct ck_rtcp_report report;
    uint16_t first;
    uint16_t more;
    uint32_t ssrc;
    uint8_t number;
    uint64_t bitrate;
    (void)ck_rtcp_read_sender(part, &sender);
    for (unsigned i = 0; ck_rtcp_read_report(part, i, &report) == CK_OK; i++) {
        assert(i < CK_RTCP_BLOCKS_MAX);
        assert(report.lost >= -0x800000 && report.lost <= 0x7fffff);
    }
    (void)ck_rtcp_read_media(part, &ssrc);
    for (unsigned i = 0; ck_rtcp_read_nack(part, i, &first, &more) == CK_OK; i++) {
        assert((size_t)4 * i < part->size);
    }
    for (unsigned i = 0; ck_rtcp_read_fir(part, i, &ssrc, &number) == CK_OK; i++) {
        assert((size_t)8 * i < part->size);
    }
    (void)ck_rtcp_read_remb(part, &bitrate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_reader reader = ck_reader_of(data, size);
    struct ck_rtcp part;
    while (ck_rtcp_next(&reader, &part) == CK_OK) {
        assert(part.body >= data && part.body + part.size <= data + size);
        read_part(&part);
    }
    return 0;
}
