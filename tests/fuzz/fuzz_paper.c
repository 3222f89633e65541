/* Documents of reports, as checkin-render reads them. */
#include <stddef.h>
#include <stdint.h>

#include "protocol/paper.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ck_reader reader = ck_reader_of(bytes, size);
    struct ck_paper_block block = {.kind = CK_PAPER_HEAD};
    int r = 0;
    while (r == 0 && block.kind != CK_PAPER_END) {
        r = ck_paper_next(&reader, &block);
        for (unsigned i = 0; r == 0 && block.kind == CK_PAPER_ROW && i < block.columns; i++) {
            struct ck_paper_cell cell;
            r = ck_paper_next_cell(&reader, &cell);
        }
        for (unsigned i = 0; r == 0 && block.kind == CK_PAPER_PICTURE && i < block.marks; i++) {
            struct ck_paper_mark mark;
            r = ck_paper_next_mark(&reader, &block, &mark);
        }
    }
    return 0;
}
