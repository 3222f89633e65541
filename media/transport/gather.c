#include "media/transport/gather.h"

struct ck_mono ck_gather_until(struct ck_gather *gather, struct ck_mono turn, uint64_t packets)
{
    int64_t passed_us = turn.us - gather->from.us;
    if (passed_us >= CK_GATHER_WINDOW_MS * 1000) {
        /* what came since the last turn of long ago says nothing about now */
        bool fresh = passed_us < 2 * CK_GATHER_WINDOW_MS * 1000;
        gather->thick = fresh && packets - gather->before >= CK_GATHER_PACKETS_MIN;
        gather->before = packets;
        gather->from = turn;
    }
    return gather->thick ? ck_mono_add_us(turn, CK_GATHER_US) : turn;
}
