#include "media/rtp/uplink.h"

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void ck_uplink_init(struct ck_uplink *uplink, uint32_t cap)
{
    *uplink = (struct ck_uplink){.cap = cap, .allowed = cap, .since_cut = CK_UPLINK_TWICE};
}

/* What really arrives, where that is less than was allowed. */
static uint64_t base_of(const struct ck_uplink *uplink, uint32_t bitrate)
{
    return bitrate > 0 && bitrate < uplink->allowed ? bitrate : uplink->allowed;
}

/* Less traffic than at the last step down has changed nothing: what is seen is not of our making.
 */
static bool was_in_vain(const struct ck_uplink *uplink, const struct ck_uplink_interval *interval,
                        int64_t before, int64_t now)
{
    return before > 0 && now * 5 > before * 4 &&
           (uint64_t)interval->bitrate * 5 < (uint64_t)uplink->cut_bitrate * 4;
}

/* Half the loss comes off. Loss that goes with no queue may be the radio's. */
static uint64_t cut_for_loss(struct ck_uplink *uplink, const struct ck_uplink_interval *interval,
                             unsigned percent)
{
    bool radio = interval->queue_us >= 0 && interval->queue_us < CK_UPLINK_QUEUE_LOW_US &&
                 percent <= CK_UPLINK_RADIO_PERCENT;
    if (radio && uplink->hold > 0) {
        return uplink->allowed;
    }
    if (radio && was_in_vain(uplink, interval, uplink->cut_percent, percent)) {
        uplink->hold = CK_UPLINK_RADIO_HOLD;
        uplink->cut_percent = 0;
        return uplink->allowed;
    }
    uint64_t base = base_of(uplink, interval->bitrate);
    uint64_t rate = base - base * percent / 200;
    uplink->cut_percent = percent;
    uplink->cut_bitrate = interval->bitrate;
    if (radio && rate < CK_UPLINK_RADIO_FLOOR) {
        rate = (uint64_t)smaller(CK_UPLINK_RADIO_FLOOR, uplink->allowed);
    }
    return rate;
}

/* A full queue loses, and one that is not full grows or shrinks. Where as little is sent as can be,
 * loss says nothing any more. */
static bool is_steady(struct ck_uplink *uplink, const struct ck_uplink_interval *interval,
                      unsigned percent)
{
    int64_t change_us = interval->queue_us - uplink->cut_queue_us;
    bool least = uplink->allowed <= CK_UPLINK_FLOOR &&
                 interval->bitrate <= CK_UPLINK_FLOOR * 5 / 4 && percent <= CK_UPLINK_RADIO_PERCENT;
    bool steady = (percent < CK_UPLINK_LOSS_LOW || least) && uplink->cut_queue_us > 0 &&
                  (change_us < 0 ? -change_us : change_us) * 10 < uplink->cut_queue_us;
    uplink->steady = steady ? uplink->steady + 1 : 0;
    return uplink->steady >= CK_UPLINK_STEADY;
}

/* What comes out of a full queue is what the way carries, whatever was allowed: a browser that has
 * not heard of less yet gives no reason to allow even less. */
static uint64_t below_what_came(const struct ck_uplink *uplink, uint32_t bitrate)
{
    uint64_t rate = (uint64_t)(bitrate > 0 ? bitrate : uplink->allowed) * 85 / 100;
    return rate < uplink->allowed ? rate : uplink->allowed;
}

/* Whether to give a step down the time to be felt, but not where most of what is sent is lost. */
static bool is_settling(const struct ck_uplink *uplink, const struct ck_uplink_interval *interval,
                        unsigned percent)
{
    bool chokes = percent > CK_UPLINK_LOSS_HIGH && interval->bitrate < uplink->allowed / 2;
    return uplink->settle > 0 && interval->bitrate <= uplink->allowed && !chokes;
}

/* A full queue loses less where less is sent, a radio loses as much as before. */
static bool is_radio_loss(const struct ck_uplink *uplink, unsigned percent)
{
    return percent < CK_UPLINK_LOSS_LOW ||
           (percent <= CK_UPLINK_RADIO_PERCENT && percent * 5 > uplink->cut_queue_percent * 4 &&
            percent * 4 < uplink->cut_queue_percent * 5);
}

/* A queue that is there whatever is sent is no queue but a longer way. */
static uint64_t cut_for_queue(struct ck_uplink *uplink, const struct ck_uplink_interval *interval,
                              unsigned percent, bool *longer_way)
{
    bool steady = is_steady(uplink, interval, percent);
    if (steady || (is_radio_loss(uplink, percent) &&
                   was_in_vain(uplink, interval, uplink->cut_queue_us, interval->queue_us))) {
        uplink->cut_queue_us = 0;
        uplink->steady = 0;
        *longer_way = true;
        return uplink->allowed;
    }
    bool lowest = uplink->allowed <= CK_UPLINK_FLOOR && uplink->cut_queue_us > 0;
    if (lowest) { /* against the last interval, as there is no cut any more to compare with */
        uplink->cut_queue_us = interval->queue_us;
        return uplink->allowed;
    }
    if (is_settling(uplink, interval, percent)) {
        return uplink->allowed;
    }
    uplink->settle = CK_UPLINK_SETTLE + 1;
    uplink->cut_queue_us = interval->queue_us;
    uplink->cut_queue_percent = percent;
    uplink->cut_bitrate = interval->bitrate;
    return below_what_came(uplink, interval->bitrate);
}

/* Bursts did not fit: what came is about what fits. */
static uint64_t cut_for_bursts(struct ck_uplink *uplink, const struct ck_uplink_interval *interval,
                               unsigned percent)
{
    if (is_settling(uplink, interval, percent)) {
        return uplink->allowed;
    }
    uplink->settle = CK_UPLINK_SETTLE + 1;
    return below_what_came(uplink, interval->bitrate);
}

static void end_interval(struct ck_uplink_place *place)
{
    place->past_came += place->came * 16 - place->past_came / 4;
    place->past_missed += place->missed * 16 - place->past_missed / 4;
    place->came = place->missed = 0;
}

bool ck_uplink_did_not_fit(struct ck_uplink_places *places)
{
    struct ck_uplink_place *behind = &places->behind;
    struct ck_uplink_place *elsewhere = &places->elsewhere;
    bool most = behind->missed > elsewhere->missed;
    end_interval(behind);
    end_interval(elsewhere);
    uint64_t of_behind = behind->past_came + behind->past_missed;
    uint64_t of_elsewhere = elsewhere->past_came + elsewhere->past_missed;
    if (!most || behind->past_missed < CK_UPLINK_BEHIND_MIN * 16) {
        return false;
    }
    if (of_elsewhere * CK_UPLINK_BEHIND_TIMES < of_behind) { /* too few to compare with */
        return (uint64_t)behind->past_missed * 100 > of_behind * CK_UPLINK_LOSS_HIGH;
    }
    return behind->past_missed * of_elsewhere >
           CK_UPLINK_BEHIND_TIMES * elsewhere->past_missed * of_behind;
}

static uint64_t below_ceiling(const struct ck_uplink *uplink)
{
    return uplink->ceiling_left == 0 ? UINT32_MAX
                                     : (uint64_t)uplink->ceiling * CK_UPLINK_CEILING_PERCENT / 100;
}

/* What a radio loses all the time is no reason to stay below what it carries for ever. */
static bool is_calm(const struct ck_uplink *uplink, const struct ck_uplink_interval *interval)
{
    return interval->queue_us >= 0 && uplink->calm >= CK_UPLINK_CALM;
}

static bool is_near_ceiling(const struct ck_uplink *uplink)
{
    return uplink->allowed <= (uint64_t)uplink->ceiling * 5 / 4;
}

/* Nothing is amiss: higher, fast as far as it was good before. */
static uint64_t grow(struct ck_uplink *uplink, const struct ck_uplink_interval *interval)
{
    uint32_t bitrate = interval->bitrate;
    uint64_t rate = uplink->allowed;
    uint64_t most = below_ceiling(uplink);
    uplink->cut_percent = 0;
    uplink->cut_queue_us = 0;
    uplink->good = bitrate > uplink->good ? bitrate : uplink->good;
    uplink->proved -= uplink->proved / 5;
    uplink->proved = bitrate > uplink->proved ? bitrate : uplink->proved;
    if (interval->full && rate > uplink->proved) {
        uplink->proved = (uint32_t)rate;
    }
    uint64_t next;
    if (rate < CK_UPLINK_TRIAL) {
        next = CK_UPLINK_TRIAL;
    } else if (rate < uplink->good) {
        next = (uint64_t)smaller(2 * (int64_t)rate, uplink->good);
    } else if (rate < uplink->before) { /* the cut was a mistake */
        next = uplink->before;
        uplink->before = 0;
    } else { /* traffic that there was not has proved nothing */
        bool bold = uplink->calm >= CK_UPLINK_CALM && !is_near_ceiling(uplink);
        next = rate + rate * (bold ? 20 : 8) / 100 + 1000;
        next = (uint64_t)smaller((int64_t)next,
                                 (int64_t)uplink->proved * CK_UPLINK_PROVED_PERCENT / 100);
    }
    if (next > most) {
        next = most < CK_UPLINK_TRIAL ? rate : most;
    }
    return next > rate ? next : rate;
}

static void note_ceiling(struct ck_uplink *uplink)
{
    bool low = uplink->allowed <= CK_UPLINK_TRIAL * 5 / 4;
    unsigned first = low ? CK_UPLINK_CEILING_FIRST_LOW : CK_UPLINK_CEILING_FIRST;
    unsigned last = low ? CK_UPLINK_CEILING_LAST_LOW : CK_UPLINK_CEILING_LAST;
    unsigned pause = 2 * uplink->ceiling_pause;
    pause = pause < first ? first : pause;
    uplink->before = 0;
    uplink->ceiling = uplink->allowed;
    uplink->ceiling_pause = pause > last ? last : pause;
    uplink->ceiling_left = uplink->ceiling_pause;
    uplink->good = (uint32_t)smaller(uplink->good, (int64_t)below_ceiling(uplink));
}

/* A queue may be a mistake and loss the radio's; a queue that loses is neither, and where no report
 * on the queue came through, so much loss is one: what was allowed before is not gone back to. */
static void note_loss(struct ck_uplink *uplink, const struct ck_uplink_interval *interval,
                      unsigned percent)
{
    if (percent > CK_UPLINK_LOSS_HIGH) {
        uplink->good = (uint32_t)smaller(uplink->good, interval->bitrate);
    }
    bool unseen = interval->queue_us < 0 && percent > CK_UPLINK_RADIO_PERCENT;
    bool seen = (interval->queue_us >= CK_UPLINK_QUEUE_HIGH_US || interval->bursts) &&
                percent >= CK_UPLINK_LOSS_LOW;
    if (!seen && !unseen) {
        return;
    }
    uplink->before = 0;
    uplink->good = (uint32_t)smaller(uplink->good, uplink->allowed);
    if (seen && percent > CK_UPLINK_LOSS_HIGH && uplink->ceiling_left == 0) {
        /* What comes out of a full queue is all there is: it is passed slowly. */
        uplink->ceiling = (uint32_t)larger(interval->bitrate, CK_UPLINK_TRIAL * 5 / 4);
    }
}

static void set_rate(struct ck_uplink *uplink, uint64_t rate)
{
    rate = rate < CK_UPLINK_FLOOR ? CK_UPLINK_FLOOR : rate;
    rate = rate > uplink->cap ? uplink->cap : rate;
    if (rate >= uplink->allowed) {
        uplink->calm++;
        uplink->grown |= rate > uplink->allowed;
    } else {
        bool near = is_near_ceiling(uplink);
        if (uplink->grown && (uplink->since_cut < CK_UPLINK_TWICE || near)) {
            note_ceiling(uplink);
        } else if (!near) {
            uplink->before = uplink->allowed > uplink->before ? uplink->allowed : uplink->before;
            uplink->ceiling = 0;
            uplink->ceiling_pause = 0;
        }
        uplink->grown = false;
        uplink->proved = 0;
        uplink->since_cut = 0;
        uplink->calm = 0;
    }
    uplink->allowed = (uint32_t)rate;
}

/* Whether there is enough to judge by: `whole` is this interval, or those that have to be taken
 * together. The queue is the worst that was seen in any. */
static bool gather(struct ck_uplink *uplink, const struct ck_uplink_interval *interval,
                   struct ck_uplink_interval *whole)
{
    struct ck_uplink_interval *sum = &uplink->gathered;
    if (interval->came + interval->missed >= CK_UPLINK_PACKETS_MIN) {
        *whole = *interval;
        uplink->gathered_count = 0;
        return true;
    }
    if (uplink->gathered_count == 0 || uplink->gathered_count == CK_UPLINK_GATHER_MAX) {
        uplink->gathered_count = 0;
        *sum = (struct ck_uplink_interval){.queue_us = -1};
    }
    uplink->gathered_count++;
    sum->came += interval->came;
    sum->missed += interval->missed;
    sum->bitrate += interval->bitrate;
    sum->queue_us = larger(sum->queue_us, interval->queue_us);
    sum->bursts |= interval->bursts;
    sum->full |= interval->full;
    if (sum->came + sum->missed < CK_UPLINK_PACKETS_MIN) {
        return false;
    }
    *whole = *sum;
    whole->bitrate /= uplink->gathered_count;
    uplink->gathered_count = 0;
    return true;
}

bool ck_uplink_interval(struct ck_uplink *uplink, const struct ck_uplink_interval *one)
{
    struct ck_uplink_interval whole;
    const struct ck_uplink_interval *interval = &whole;
    bool longer_way = false;
    uplink->since_cut += uplink->since_cut < CK_UPLINK_TWICE ? 1 : 0;
    uplink->ceiling_left -= uplink->ceiling_left > 0 ? 1 : 0;
    uplink->settle -= uplink->settle > 0 ? 1 : 0;
    if (!gather(uplink, one, &whole)) {
        return false;
    }
    unsigned percent = (unsigned)(interval->missed * 100 / (interval->came + interval->missed));
    uint64_t rate = uplink->allowed;
    if (interval->queue_us >= CK_UPLINK_QUEUE_HIGH_US) {
        rate = cut_for_queue(uplink, interval, percent, &longer_way);
    } else if (interval->bursts && percent >= CK_UPLINK_LOSS_LOW) {
        rate = cut_for_bursts(uplink, interval, percent);
    } else if (percent > CK_UPLINK_LOSS_HIGH) {
        rate = cut_for_loss(uplink, interval, percent);
    } else if (interval->queue_us < CK_UPLINK_QUEUE_LOW_US &&
               (percent < CK_UPLINK_LOSS_LOW || is_calm(uplink, interval))) {
        rate = grow(uplink, interval);
    }
    uplink->hold -= uplink->hold > 0 ? 1 : 0;
    set_rate(uplink, rate);
    note_loss(uplink, interval, percent);
    return longer_way;
}

void ck_uplink_told(struct ck_uplink *uplink, uint32_t told, uint32_t sent)
{
    uint32_t rate = told > sent / 2 ? told : sent / 2;
    if (rate < uplink->allowed) {
        set_rate(uplink, rate);
    }
}

void ck_uplink_unheard(struct ck_uplink *uplink, uint32_t bitrate)
{
    uint64_t rate = base_of(uplink, bitrate) / 2;
    set_rate(uplink, rate);
    uplink->good = (uint32_t)smaller(uplink->good, (int64_t)rate);
    uplink->before = 0;
}

void ck_allowed_said(struct ck_allowed *said, uint32_t allowed, struct ck_mono now)
{
    said->again = said->told == allowed ? said->again + 1 : 0;
    said->told = allowed;
    said->due = ck_mono_add_us(now, CK_ALLOWED_AGAIN_MS * 1000);
}

bool ck_allowed_due(const struct ck_allowed *said, uint32_t allowed, struct ck_mono now)
{
    bool new = said->told != allowed;
    return allowed > CK_UPLINK_FLOOR && now.us >= said->due.us &&
           (new || said->again < CK_ALLOWED_AGAIN_MAX);
}
