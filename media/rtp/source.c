#include "media/rtp/source.h"

void ck_source_init(struct ck_source *source, uint32_t ssrc, uint32_t hz)
{
    *source = (struct ck_source){.ssrc = ssrc, .hz = hz};
}

/* RFC 3550 appendix A.8. */
static void note_jitter(struct ck_source *source, uint32_t timestamp, struct ck_mono arrival)
{
    uint32_t now = (uint32_t)((uint64_t)arrival.us * source->hz / 1000000);
    uint32_t transit = now - timestamp;
    if (source->started) {
        int32_t change = (int32_t)(transit - source->transit);
        uint32_t size = (uint32_t)(change < 0 ? -(int64_t)change : change);
        if (size < source->hz * 10) { /* a jump of the timestamp is no jitter */
            source->jitter16 += size - ((source->jitter16 + 8) >> 4);
        }
    }
    source->transit = transit;
}

int ck_source_packet(struct ck_source *source, const struct ck_rtp *rtp, struct ck_mono arrival,
                     uint64_t *extended)
{
    if (!source->started || ck_rtp_ahead(rtp->sequence, (uint16_t)source->highest) > 0) {
        note_jitter(source, rtp->timestamp, arrival); /* what is sent again is late by design */
    }
    source->received++;
    source->bytes += rtp->payload_size;
    source->heard = arrival;
    if (!source->started) {
        source->started = true;
        /* One roll-over in front, so that late packets have a place below the first. */
        source->first = source->highest = UINT64_C(0x10000) + rtp->sequence;
        *extended = source->highest;
        return 1;
    }
    int ahead = ck_rtp_ahead(rtp->sequence, (uint16_t)source->highest);
    *extended = source->highest + (uint64_t)(int64_t)ahead;
    if (ahead > 0) {
        source->highest = *extended;
    }
    return ahead;
}

bool ck_source_repaired(struct ck_source *source, const struct ck_rtp *rtp, uint64_t *extended)
{
    if (!source->started) {
        return false;
    }
    int ahead = ck_rtp_ahead(rtp->sequence, (uint16_t)source->highest);
    source->bytes += rtp->payload_size;
    *extended = source->highest + (uint64_t)(int64_t)ahead;
    return true;
}

static uint64_t *word_of(struct ck_source *source, uint64_t extended)
{
    return &source->seen[extended % CK_SOURCE_WINDOW / 64];
}

bool ck_source_is_new(struct ck_source *source, uint64_t extended)
{
    if (extended > source->seen_up_to) {
        uint64_t from = source->seen_up_to + 1;
        from = extended - from >= CK_SOURCE_WINDOW ? extended - CK_SOURCE_WINDOW + 1 : from;
        for (uint64_t number = from; number <= extended; number++) {
            *word_of(source, number) &= ~(UINT64_C(1) << (number % 64));
        }
        source->seen_up_to = extended;
    } else if (source->seen_up_to - extended >= CK_SOURCE_WINDOW) {
        return false;
    }
    uint64_t bit = UINT64_C(1) << (extended % 64);
    bool is_new = (*word_of(source, extended) & bit) == 0;
    *word_of(source, extended) |= bit;
    return is_new;
}

void ck_source_report_in(struct ck_source *source, const struct ck_rtcp_sender *report,
                         struct ck_mono arrival)
{
    source->has_report = true;
    source->report_ntp = report->ntp;
    source->report_timestamp = report->timestamp;
    source->report_arrival = arrival;
}

static uint64_t expected(const struct ck_source *source)
{
    return source->started ? source->highest - source->first + 1 : 0;
}

uint64_t ck_source_lost(const struct ck_source *source)
{
    return expected(source) > source->received ? expected(source) - source->received : 0;
}

struct ck_rtcp_report ck_source_report_out(struct ck_source *source, struct ck_mono now)
{
    uint64_t of = expected(source) - source->expected_before;
    uint64_t came = source->received - source->received_before;
    uint64_t lost = of > came ? of - came : 0;
    struct ck_rtcp_report report = {
        .ssrc = source->ssrc,
        .fraction_lost = of == 0 ? 0 : (uint8_t)(lost * 255 / of),
        .lost = (int32_t)(int64_t)(expected(source) - source->received),
        .highest = (uint32_t)(source->highest - UINT64_C(0x10000)),
        .jitter = source->jitter16 / 16,
    };
    if (source->has_report) {
        report.last_sr = (uint32_t)(source->report_ntp >> 16);
        report.delay = (uint32_t)((now.us - source->report_arrival.us) * 65536 / 1000000);
    }
    source->expected_before = expected(source);
    source->received_before = source->received;
    return report;
}
