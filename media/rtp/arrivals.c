#include "media/rtp/arrivals.h"

#include "protocol/rtp.h"

static int64_t *place_of(struct ck_arrivals *arrivals, uint64_t number)
{
    return &arrivals->at_us[number % CK_ARRIVALS_WINDOW];
}

/* The numbers up to `to` are expected from now on. */
static void advance(struct ck_arrivals *arrivals, uint64_t to)
{
    uint64_t from = arrivals->highest + 1;
    if (to - from >= CK_ARRIVALS_WINDOW) {
        from = to - CK_ARRIVALS_WINDOW + 1;
    }
    for (uint64_t number = from; number <= to; number++) {
        *place_of(arrivals, number) = CK_RTCP_NOT_COME;
    }
    arrivals->highest = to;
    if (arrivals->highest - arrivals->next >= CK_ARRIVALS_WINDOW) {
        arrivals->next = arrivals->highest - CK_ARRIVALS_WINDOW + 1;
    }
}

void ck_arrivals_packet(struct ck_arrivals *arrivals, uint16_t number, struct ck_mono arrival)
{
    if (!arrivals->begun) { /* a roll-over in front, so that late ones have a place below */
        arrivals->begun = true;
        arrivals->next = UINT64_C(0x10000) + number;
        arrivals->highest = arrivals->next - 1;
    }
    int ahead = ck_rtp_ahead(number, (uint16_t)arrivals->highest);
    uint64_t extended = arrivals->highest + (uint64_t)(int64_t)ahead;
    if (ahead > 0) {
        advance(arrivals, extended);
    } else if (arrivals->highest - extended >= CK_ARRIVALS_WINDOW / 2) {
        return;
    }
    if (*place_of(arrivals, extended) != CK_RTCP_NOT_COME) {
        return; /* from before the first, or twice */
    }
    arrivals->next = extended < arrivals->next ? extended : arrivals->next;
    *place_of(arrivals, extended) = arrival.us;
    arrivals->news = true;
}

unsigned ck_arrivals_report(struct ck_arrivals *arrivals, uint16_t *base,
                            int64_t at_us[static CK_RTCP_ARRIVALS_MAX], uint8_t *report)
{
    if (!arrivals->news) {
        return 0;
    }
    uint64_t left = arrivals->highest - arrivals->next + 1;
    unsigned count = left > CK_RTCP_ARRIVALS_MAX ? CK_RTCP_ARRIVALS_MAX : (unsigned)left;
    bool came = false;
    for (unsigned i = 0; i < count; i++) {
        at_us[i] = *place_of(arrivals, arrivals->next + i);
        came = came || at_us[i] != CK_RTCP_NOT_COME;
    }
    *base = (uint16_t)arrivals->next;
    arrivals->next += count;
    arrivals->news = arrivals->next <= arrivals->highest;
    if (!came) { /* so wide a hole that one message holds nothing else: it is passed over */
        return 0;
    }
    *report = arrivals->reports++;
    return count;
}
