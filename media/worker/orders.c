/* The orders of checkind. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "media/worker/clock.h"
#include "media/worker/log.h"
#include "media/worker/memory.h"
#include "media/worker/worker_impl.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

static void refuse(struct worker *worker, uint64_t leg, uint16_t code, uint32_t line,
                   const char *text)
{
    struct ck_worker_message message = {
        .kind = CK_WORKER_LEG_REFUSED,
        .leg_refused = {.leg = leg,
                        .code = code,
                        .line = line,
                        .retry_after_ms = code == CK_WORKER_REFUSED_BUSY ? RETRY_AFTER_MS : 0,
                        .message = ck_worker_text_of(text)},
    };
    ck_media_log(CK_WORKER_LOG_INFO, "leg %llu refused: line %u: %s", (unsigned long long)leg, line,
                 text);
    worker_send(worker, &message, false);
}

static bool read_offer(struct worker *worker, uint64_t leg, struct ck_worker_text text,
                       struct ck_sdp_offer *offer)
{
    static const uint16_t codes[] = {
        [CK_SDP_SYNTAX] = CK_WORKER_REFUSED_SYNTAX,
        [CK_SDP_UNSUPPORTED] = CK_WORKER_REFUSED_UNSUPPORTED,
        [CK_SDP_LIMIT] = CK_WORKER_REFUSED_LIMIT,
    };
    struct ck_sdp_fault fault = {0};
    int error = ck_sdp_read_offer(text.data, text.size, offer, &fault);
    if (error != CK_SDP_OK) {
        refuse(worker, leg, codes[error], fault.line, fault.message);
    }
    return error == CK_SDP_OK;
}

/* --- answers
 * ---------------------------------------------------------------------------------------- */

static void send_answer(struct leg *leg, const struct ck_sdp_offer *offer)
{
    struct worker *worker = leg->worker;
    char text[CK_SDP_ANSWER_MAX];
    size_t size = 0;
    struct ck_sdp_answer answer = {
        .session = leg->sdp_session,
        .version = leg->sdp_version++,
        .ufrag = leg->now.ufrag,
        .password = leg->now.password,
        .fingerprint = ck_dtls_context_fingerprint(worker->dtls),
        .candidate_count = worker->candidate_count,
        .candidates = worker->candidates,
        .cname = leg->cname,
        .ssrc = {leg->tracks[AUDIO].out.ssrc, leg->tracks[VIDEO].out.ssrc},
        .rtx_ssrc = leg->tracks[VIDEO].out.rtx_ssrc,
        .video_bitrate = leg->video_bitrate_max,
    };
    if (ck_sdp_write_answer(offer, &answer, text, sizeof text, &size) != CK_OK) {
        refuse(worker, leg->id, CK_WORKER_REFUSED_LIMIT, 0, "the answer would be too long");
        return;
    }
    struct ck_worker_message message = {
        .kind = CK_WORKER_LEG_ANSWER,
        .leg_answer = {.leg = leg->id, .answer = {text, size}},
    };
    worker_send(worker, &message, false);
}

static void take_credentials(struct leg *leg, const struct ck_sdp_offer *offer)
{
    memcpy(leg->now.remote_ufrag, offer->ufrag.data, offer->ufrag.size);
    leg->now.remote_ufrag[offer->ufrag.size] = '\0';
    credentials_make(leg, &leg->now);
}

static uint32_t random_ssrc(void)
{
    uint32_t ssrc;
    do {
        ck_random(&ssrc, sizeof ssrc);
    } while (ssrc == 0);
    return ssrc;
}

static int take_section(struct leg *leg, enum kind kind, const struct ck_sdp_section *section)
{
    struct track *track = &leg->tracks[kind];
    uint16_t sequence;
    uint32_t timestamp;
    ck_random(&sequence, sizeof sequence);
    ck_random(&timestamp, sizeof timestamp);
    int error = ck_sender_init(&track->out, leg->worker->pool, kind == VIDEO, section->type,
                               random_ssrc(), sequence, timestamp);
    if (error != 0) {
        return error;
    }
    track->negotiated = true;
    track->rtx_type = section->rtx_type;
    if (track->rtx_type != CK_SDP_NO_TYPE) {
        uint16_t rtx_sequence;
        ck_random(&rtx_sequence, sizeof rtx_sequence);
        ck_sender_use_rtx(&track->out, track->rtx_type, random_ssrc(), rtx_sequence);
    }
    track->sends = (section->direction & CK_SDP_SENDS) != 0;
    track->receives = (section->direction & CK_SDP_RECEIVES) != 0;
    track->type = section->type;
    track->nack = section->nack || kind == AUDIO;
    track->pli = section->nack_pli;
    track->fir = section->ccm_fir;
    track->remb = section->remb;
    leg->reduced_size = section->reduced_size;
    leg->ssrc = leg->ssrc == 0 ? track->out.ssrc : leg->ssrc;
    return 0;
}

static int take_offer(struct leg *leg, const struct ck_sdp_offer *offer)
{
    int error = 0;
    uint8_t name[(CNAME_SIZE - 1) / 2];
    ck_random(name, sizeof name);
    ck_hex_encode(name, sizeof name, leg->cname);
    ck_random(&leg->sdp_session, sizeof leg->sdp_session);
    leg->sdp_session >>= 2; /* RFC 8829 section 5.2.1: below 2^62 */
    leg->sdp_version = 1;
    leg->fingerprint = offer->fingerprint;
    leg->transport_id = offer->transport_id;
    if (offer->audio >= 0) {
        error = take_section(leg, AUDIO, &offer->sections[offer->audio]);
    }
    if (error == 0 && offer->video >= 0) {
        error = take_section(leg, VIDEO, &offer->sections[offer->video]);
    }
    take_credentials(leg, offer);
    return error;
}

/* --- LEG_OPEN
 * --------------------------------------------------------------------------------------- */

/* A call reserves room for both of its legs at once: nobody waits for a peer who cannot come in. */
uint32_t legs_free(const struct worker *worker)
{
    uint32_t reserved = worker->leg_count;
    for (uint32_t i = 0; i < worker->calls_used; i++) {
        const struct call *call = &worker->calls[i];
        if (call->id != 0 && (call->legs[0] == NULL) != (call->legs[1] == NULL)) {
            reserved++;
        }
    }
    return reserved >= worker->config.legs_max ? 0 : worker->config.legs_max - reserved;
}

/* Whether there is room; says no otherwise. */
static bool admit(struct worker *worker, const struct ck_worker_leg_open *order,
                  const struct call *call)
{
    uint32_t needed = call != NULL ? 0 : worker->config.legs_max == 1 ? 1 : LEGS_PER_CALL;
    if (worker->draining && call == NULL) {
        refuse(worker, order->leg, CK_WORKER_REFUSED_DRAINING, 0, "the worker is going away");
    } else if (leg_find(worker, order->leg) != NULL) {
        refuse(worker, order->leg, CK_WORKER_REFUSED_CONFLICT, 0, "the leg exists");
    } else if (call != NULL && call->legs[order->role - 1] != NULL) {
        refuse(worker, order->leg, CK_WORKER_REFUSED_CONFLICT, 0,
               "the call has a leg of this role");
    } else if (legs_free(worker) < needed) {
        refuse(worker, order->leg, CK_WORKER_REFUSED_BUSY, 0, "no room for another call");
    } else if (worker->handshake_count >= worker->config.handshakes_max) {
        refuse(worker, order->leg, CK_WORKER_REFUSED_BUSY, 0, "too many handshakes are waiting");
    } else if (needed > 0 && ck_memory_is_short(worker->memory, worker->memory_limit)) {
        refuse(worker, order->leg, CK_WORKER_REFUSED_BUSY, 0, "no memory for another call");
    } else if (needed > 0 && worker->busy_percent >= BUSY_PERCENT) {
        refuse(worker, order->leg, CK_WORKER_REFUSED_BUSY, 0, "the worker is busy");
    } else {
        return true;
    }
    return false;
}

static void discard(struct leg *leg)
{
    struct worker *worker = leg->worker;
    uint64_t id = leg->id;
    ck_media_log(CK_WORKER_LOG_ERROR, "no memory for a leg");
    leg_discard(leg);
    refuse(worker, id, CK_WORKER_REFUSED_INTERNAL, 0, "no memory");
}

static void leg_open(struct worker *worker, const struct ck_worker_leg_open *order)
{
    static struct ck_sdp_offer offer; /* large, and one at a time */
    struct call *call = call_find(worker, order->call);
    struct leg *leg = NULL;
    if (!admit(worker, order, call) || !read_offer(worker, order->leg, order->offer, &offer)) {
        return;
    }
    call = call_make(worker, order->call);
    int error = call == NULL ? -ENOMEM : leg_create(worker, order->leg, order->role, call, &leg);
    if (error != CK_OK) {
        if (call != NULL) {
            call_drop_empty(worker, call);
        }
        refuse(worker, order->leg, CK_WORKER_REFUSED_INTERNAL, 0, "no memory");
        return;
    }
    leg->video_bitrate_max = order->video_bitrate_max;
    ck_uplink_init(&leg->uplink, order->video_bitrate_max);
    ck_uplink_init(&leg->downlink, CK_WORKER_BITRATE_MAX);
    if (take_offer(leg, &offer) != 0) {
        discard(leg);
        return;
    }
    send_answer(leg, &offer);
}

/* --- LEG_RESTART
 * ------------------------------------------------------------------------------------ */

static bool same_section(const struct track *track, const struct ck_sdp_offer *offer, int index)
{
    return track->negotiated == (index >= 0) &&
           (index < 0 || (offer->sections[index].type == track->type &&
                          offer->sections[index].rtx_type == track->rtx_type));
}

/* An ICE restart changes the way and nothing else. */
static void leg_restart(struct worker *worker, const struct ck_worker_leg_restart *order)
{
    static struct ck_sdp_offer offer;
    struct leg *leg = leg_find(worker, order->leg);
    if (leg == NULL || leg->state == LEG_ENDING) {
        refuse(worker, order->leg, CK_WORKER_REFUSED_NOT_FOUND, 0, "the leg is not here");
        return;
    }
    if (!read_offer(worker, order->leg, order->offer, &offer)) {
        return;
    }
    if (offer.fingerprint.hash != leg->fingerprint.hash ||
        memcmp(offer.fingerprint.digest, leg->fingerprint.digest,
               sizeof offer.fingerprint.digest) != 0 ||
        !same_section(&leg->tracks[AUDIO], &offer, offer.audio) ||
        !same_section(&leg->tracks[VIDEO], &offer, offer.video) ||
        offer.transport_id != leg->transport_id) {
        refuse(worker, order->leg, CK_WORKER_REFUSED_CONFLICT, 0,
               "the offer changes more than the ICE credentials");
        return;
    }
    if (leg->before.ufrag[0] == '\0') {
        leg->before = leg->now;
    }
    leg->generation++;
    take_credentials(leg, &offer);
    send_answer(leg, &offer);
}

/* --- the rest
 * --------------------------------------------------------------------------------------- */

static void relay(struct worker *worker, const struct ck_worker_relay *order)
{
    struct call *call = call_find(worker, order->call);
    if (call == NULL || call->relay == (order->on == 1)) {
        return;
    }
    call->relay = order->on == 1;
    if (call->relay) {
        relay_begin(call);
    }
}

static void record(struct worker *worker, const struct ck_worker_record_start *order, int fd)
{
    struct leg *leg = leg_find(worker, order->leg);
    if (leg == NULL) {
        close(fd);
        record_fail(worker, order->leg, order->recording, ESRCH);
    } else {
        record_start(leg, order, fd);
    }
}

static void shut_down(struct worker *worker, uint32_t drain_ms)
{
    worker->draining = true;
    worker->drain_until = ck_mono_add_us(worker->now, (int64_t)drain_ms * 1000);
    worker->tick_due = worker->now;
}

/* Orders about one leg that may have gone in the meantime: then they are past. */
static void order_leg(struct worker *worker, const struct ck_worker_message *message)
{
    uint64_t id = message->kind == CK_WORKER_LEG_CLOSE      ? message->leg_close.leg
                  : message->kind == CK_WORKER_RECORD_STOP  ? message->record_stop.leg
                  : message->kind == CK_WORKER_RECORD_PAUSE ? message->record_pause.leg
                                                            : message->record_resume.leg;
    struct leg *leg = leg_find(worker, id);
    if (leg == NULL || leg->state == LEG_ENDING) {
        return;
    }
    switch (message->kind) {
    case CK_WORKER_LEG_CLOSE:
        leg_end(leg, 0);
        break;
    case CK_WORKER_RECORD_PAUSE:
        record_pause(leg, message->record_pause.reason);
        break;
    case CK_WORKER_RECORD_RESUME:
        record_resume(leg);
        break;
    default:
        (void)record_stop(leg);
        break;
    }
}

void order_take(struct worker *worker, const struct ck_worker_message *message, int fd)
{
    ck_media_log(CK_WORKER_LOG_DEBUG, "%s", ck_worker_kind_name(message->kind));
    switch (message->kind) {
    case CK_WORKER_LEG_OPEN:
        leg_open(worker, &message->leg_open);
        break;
    case CK_WORKER_LEG_RESTART:
        leg_restart(worker, &message->leg_restart);
        break;
    case CK_WORKER_RELAY:
        relay(worker, &message->relay);
        break;
    case CK_WORKER_RECORD_START:
        record(worker, &message->record_start, fd);
        break;
    case CK_WORKER_LEG_CLOSE:
    case CK_WORKER_RECORD_PAUSE:
    case CK_WORKER_RECORD_RESUME:
    case CK_WORKER_RECORD_STOP:
        order_leg(worker, message);
        break;
    case CK_WORKER_SHUTDOWN:
        shut_down(worker, message->shutdown.drain_ms);
        break;
    default: /* CONFIG a second time, or one of our own */
        ck_media_log(CK_WORKER_LOG_ERROR, "%s is not for now", ck_worker_kind_name(message->kind));
        worker_stop(worker, CK_WORKER_EXIT_PROTOCOL);
    }
}
