/* Paths: connectivity checks, the handshake over the path they prove, and which path media takes.
 */
#include <string.h>

#include "media/worker/clock.h"
#include "media/worker/log.h"
#include "media/worker/worker_impl.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/stun.h"

/* The 64 characters of ICE (RFC 8839 section 5.4). */
static const char ice_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int ice_digit(char c)
{
    const char *at = c == '\0' ? NULL : strchr(ice_chars, c);
    return at == NULL ? -1 : (int)(at - ice_chars);
}

static void random_text(char *text, size_t count)
{
    uint8_t bytes[64];
    ck_random(bytes, count);
    for (size_t i = 0; i < count; i++) {
        text[i] = ice_chars[bytes[i] & 63];
    }
    text[count] = '\0';
}

/* --- credentials
 * ------------------------------------------------------------------------------------ */

/* The ufrag leads to the leg without a search: worker, slot (two digits), generation; then 36
 * random bits. */
void credentials_make(struct leg *leg, struct credentials *credentials)
{
    char *ufrag = credentials->ufrag;
    ufrag[0] = ice_chars[leg->worker->config.index & 63];
    ufrag[1] = ice_chars[leg->slot >> 6 & 63];
    ufrag[2] = ice_chars[leg->slot & 63];
    ufrag[3] = ice_chars[leg->generation & 63];
    random_text(ufrag + 4, UFRAG_SIZE - 5);
    random_text(credentials->password, PASSWORD_SIZE - 1); /* 144 bits */
}

static bool named(const struct credentials *credentials, const char *username, size_t size)
{
    size_t ours = strlen(credentials->ufrag);
    size_t theirs = strlen(credentials->remote_ufrag);
    return ours > 0 && size == ours + 1 + theirs &&
           memcmp(username, credentials->ufrag, ours) == 0 && username[ours] == ':' &&
           memcmp(username + ours + 1, credentials->remote_ufrag, theirs) == 0;
}

/* The leg that a check's USERNAME names, and which of its credentials. */
static struct leg *leg_named(struct worker *worker, const struct ck_stun *message,
                             const struct credentials **credentials)
{
    const char *username = message->username;
    if (username == NULL || message->username_size < UFRAG_SIZE ||
        ice_digit(username[0]) != worker->config.index) {
        return NULL;
    }
    int high = ice_digit(username[1]);
    int low = ice_digit(username[2]);
    if (high < 0 || low < 0) {
        return NULL;
    }
    uint32_t slot = (uint32_t)(high << 6 | low);
    struct leg *leg = slot < worker->slots_used ? worker->legs[slot] : NULL;
    if (leg == NULL || leg->state == LEG_ENDING) {
        return NULL;
    }
    if (named(&leg->now, username, message->username_size)) {
        *credentials = &leg->now;
    } else if (named(&leg->before, username, message->username_size)) {
        *credentials = &leg->before;
    } else {
        return NULL;
    }
    return leg;
}

/* --- the paths of a leg
 * ------------------------------------------------------------------------------ */

static void drop_tuple(struct leg *leg, unsigned index)
{
    struct ck_path path = ck_tuples_at(&leg->worker->tuples, leg->tuples[index])->path;
    if (path.connection != 0) {
        ck_tcp_release(leg->worker->tcp, &path);
    }
    ck_tuples_remove(&leg->worker->tuples, leg->tuples[index]);
    if (leg->tuples[index] == leg->selected) {
        leg->selected = CK_TUPLE_NONE;
    }
    leg->tuple_count--;
    leg->tuples[index] = leg->tuples[leg->tuple_count];
    leg->nominated[index] = leg->nominated[leg->tuple_count];
}

void path_forget(struct leg *leg)
{
    while (leg->tuple_count > 0) {
        drop_tuple(leg, leg->tuple_count - 1);
    }
}

static unsigned index_of(const struct leg *leg, uint32_t tuple)
{
    unsigned index = 0;
    while (leg->tuples[index] != tuple) {
        index++;
    }
    return index;
}

void path_gone(struct worker *worker, const struct ck_path *path)
{
    uint32_t tuple = ck_tuples_find(&worker->tuples, path);
    if (tuple != CK_TUPLE_NONE) {
        struct leg *leg = worker->legs[ck_tuples_at(&worker->tuples, tuple)->owner];
        drop_tuple(leg, index_of(leg, tuple));
    }
}

/* The least recently heard path that is not the selected one makes room. */
static void make_room(struct leg *leg)
{
    struct ck_tuples *table = &leg->worker->tuples;
    unsigned oldest = leg->tuples[0] == leg->selected ? 1 : 0;
    for (unsigned i = oldest + 1; i < leg->tuple_count; i++) {
        if (leg->tuples[i] != leg->selected &&
            ck_tuples_at(table, leg->tuples[i])->checked.us <
                ck_tuples_at(table, leg->tuples[oldest])->checked.us) {
            oldest = i;
        }
    }
    drop_tuple(leg, oldest);
}

/* The number of a path that has just proved to be the leg's. Where another leg is heard from there,
 * somebody has written that address on what they sent: it goes to nobody else before it is silent.
 */
static uint32_t tuple_of(struct leg *leg, const struct ck_path *path)
{
    struct worker *worker = leg->worker;
    uint32_t tuple = ck_tuples_find(&worker->tuples, path);
    if (tuple != CK_TUPLE_NONE) {
        const struct ck_tuple *at = ck_tuples_at(&worker->tuples, tuple);
        struct leg *owner = worker->legs[at->owner];
        if (owner == leg) {
            return tuple;
        }
        if (worker->now.us - at->heard.us < OWNED_PATH_MS * 1000) {
            return CK_TUPLE_NONE;
        }
        drop_tuple(owner, index_of(owner, tuple)); /* an address that went to somebody else */
    }
    if (leg->tuple_count == TUPLES_PER_LEG) {
        make_room(leg);
    }
    tuple = ck_tuples_add(&worker->tuples, path, leg->slot);
    if (tuple != CK_TUPLE_NONE) {
        leg->tuples[leg->tuple_count] = tuple;
        leg->nominated[leg->tuple_count] = false;
        leg->tuple_count++;
    }
    return tuple;
}

static void select_path(struct leg *leg, uint32_t tuple)
{
    bool changed = leg->selected != CK_TUPLE_NONE || leg->state == LEG_CONNECTED;
    if (leg->selected == tuple) {
        return;
    }
    leg->selected = tuple;
    for (int kind = 0; kind < KINDS; kind++) { /* another way has another length */
        ck_transit_init(&leg->tracks[kind].transit,
                        kind == AUDIO ? CK_RTP_AUDIO_HZ : CK_RTP_VIDEO_HZ);
    }
    leg->round_trip = (struct ck_transit){0};
    if (changed) {
        leg_event(leg, CK_WORKER_EVENT_PATH_CHANGED, 0);
    }
}

static bool selected_is_silent(const struct leg *leg)
{
    return leg->selected == CK_TUPLE_NONE ||
           leg->worker->now.us - ck_tuples_at(&leg->worker->tuples, leg->selected)->heard.us >=
               SILENT_PATH_MS * 1000;
}

/* Some browsers nominate every pair, again and again: only a path's first nomination moves the leg,
 * or one while the selected path is silent. */
static void nominate(struct leg *leg, uint32_t tuple, const struct ck_stun *message)
{
    unsigned index = index_of(leg, tuple);
    bool newer = message->has_nomination && message->nomination > leg->nomination;
    if (leg->selected == CK_TUPLE_NONE || newer ||
        (message->use_candidate && (!leg->nominated[index] || selected_is_silent(leg)))) {
        select_path(leg, tuple);
    }
    if (message->use_candidate) {
        leg->nominated[index] = true;
    }
    if (newer) {
        leg->nomination = message->nomination;
    }
}

struct leg *path_leg(struct worker *worker, const struct ck_packet *packet,
                     const struct ck_path *path, uint32_t *tuple)
{
    bool hinted = packet->hint != 0 && ck_tuples_is(&worker->tuples, packet->hint - 1, path);
    *tuple = hinted ? packet->hint - 1 : ck_tuples_find(&worker->tuples, path);
    if (*tuple == CK_TUPLE_NONE) {
        return NULL;
    }
    return worker->legs[ck_tuples_at(&worker->tuples, *tuple)->owner];
}

void path_heard(struct leg *leg, uint32_t tuple)
{
    if (tuple != leg->selected && selected_is_silent(leg)) {
        select_path(leg, tuple);
    }
    ck_tuples_at(&leg->worker->tuples, tuple)->heard = leg->worker->now;
    leg->spoke = true;
}

void path_send(struct leg *leg, struct ck_packet *packet)
{
    if (leg->selected != CK_TUPLE_NONE) {
        const struct ck_path *path = &ck_tuples_at(&leg->worker->tuples, leg->selected)->path;
        worker_queue(leg->worker, path, packet);
    }
}

/* --- checks
 * ----------------------------------------------------------------------------------------- */

static void answer(struct worker *worker, const struct ck_path *path, const struct ck_stun *message,
                   const struct credentials *credentials, uint16_t error)
{
    struct ck_packet *packet = ck_packet_get(worker->pool);
    if (packet == NULL) {
        return;
    }
    struct ck_stun_write what = {
        .klass = error == 0 ? CK_STUN_SUCCESS : CK_STUN_ERROR,
        .transaction = message->transaction,
        .error_code = error,
        .reason = error == 420   ? "Unknown Attribute"
                  : error == 487 ? "Role Conflict"
                                 : NULL,
        .unknown = message->unknown,
        .unknown_count = error == 420 ? message->unknown_count : 0,
        .password = credentials->password,
        .password_size = strlen(credentials->password),
        .fingerprint = true,
    };
    if (error == 0) {
        what.mapped = (struct ck_stun_address){.family = path->family, .port = path->port};
        memcpy(what.mapped.bytes, path->remote, sizeof path->remote);
    }
    size_t size = 0;
    if (ck_stun_write(&what, packet->data, sizeof packet->data, &size) == CK_OK) {
        packet->size = (uint32_t)size;
        worker_queue(worker, path, packet);
    }
    ck_packet_drop(worker->pool, packet);
}

static void send_handshake(void *user, const uint8_t *bytes, size_t size)
{
    struct leg *leg = user;
    struct ck_packet *packet = size > CK_PACKET_ROOM ? NULL : ck_packet_get(leg->worker->pool);
    if (packet != NULL) {
        memcpy(packet->data, bytes, size);
        packet->size = (uint32_t)size;
        path_send(leg, packet);
        ck_packet_drop(leg->worker->pool, packet);
    }
}

/* One leg takes the turn of no other, whatever it sends. */
static bool may_shake(struct leg *leg)
{
    struct ck_mono now = leg->worker->now;
    if (leg->handshakes_waiting == HANDSHAKES_PER_LEG) {
        return false;
    }
    if (leg->state != LEG_CONNECTED) {
        return true;
    }
    if (now.us - leg->handshake_second.us >= 1000000) {
        leg->handshake_second = now;
        leg->handshakes_connected = 0;
    }
    return leg->handshakes_connected++ < HANDSHAKES_CONNECTED;
}

static void enqueue(struct worker *worker, struct leg *leg, struct ck_packet *packet)
{
    if (worker->queue_count == HANDSHAKE_QUEUE || !may_shake(leg)) {
        worker->counts.dropped++;
        return;
    }
    leg->handshakes_waiting++;
    unsigned at = (worker->queue_first + worker->queue_count++) % HANDSHAKE_QUEUE;
    worker->queue[at] = (struct handshake){ck_packet_keep(packet), leg->slot, leg->id};
}

/* A ClientHello that was faster than its check has waited here. */
static void take_early_hellos(struct leg *leg, const struct ck_path *path)
{
    struct worker *worker = leg->worker;
    for (unsigned i = 0; i < HELLOS_MAX; i++) { /* oldest first */
        struct hello *hello = &worker->hellos[(worker->hello_next + i) % HELLOS_MAX];
        if (hello->packet == NULL || memcmp(&hello->path, path, sizeof *path) != 0) {
            continue;
        }
        if (worker->now.us - hello->packet->arrival.us <= HELLO_AGE_MS * 1000) {
            enqueue(worker, leg, hello->packet);
        }
        ck_packet_drop(worker->pool, hello->packet);
        hello->packet = NULL;
    }
}

static void keep_early_hello(struct worker *worker, struct ck_packet *packet,
                             const struct ck_path *path)
{
    struct hello *hello = &worker->hellos[worker->hello_next];
    worker->hello_next = (worker->hello_next + 1) % HELLOS_MAX;
    ck_packet_drop(worker->pool, hello->packet);
    *hello = (struct hello){ck_packet_keep(packet), *path};
}

/* The first proof of a path: the handshake may begin. Browsers send their ClientHello before they
 * nominate. */
static bool begin_handshake(struct leg *leg)
{
    struct worker *worker = leg->worker;
    if (ck_dtls_create(&leg->dtls, worker->dtls, &leg->fingerprint, send_handshake, leg) != 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "no memory for a handshake");
        leg_end(leg, CK_WORKER_EVENT_DTLS_FAILED);
        return false;
    }
    leg->state = LEG_HANDSHAKING;
    leg->first_check = worker->now;
    leg_event(leg, CK_WORKER_EVENT_ICE_CONNECTED, 0);
    leg_soon(leg, TICK_MS * 1000);
    return true;
}

static void resume(struct leg *leg)
{
    int64_t silent_us = leg->worker->now.us - leg->last_check.us;
    leg->suspended = false;
    leg_event(leg, CK_WORKER_EVENT_RESUMED, (uint32_t)(silent_us / 1000));
    for (int kind = 0; kind < KINDS; kind++) {
        record_gap(leg, (enum kind)kind, CK_WORKER_EVENT_SUSPENDED, leg->last_check);
    }
    ck_key_frames_want(&leg->keys, true);
    if (leg->call->relay) {
        relay_begin(leg->call);
    }
    leg_soon(leg, 0);
}

/* An authenticated check of this leg came over this path. */
static void checked(struct leg *leg, const struct ck_path *path, const struct ck_stun *message,
                    const struct credentials *credentials)
{
    struct worker *worker = leg->worker;
    uint32_t tuple = tuple_of(leg, path);
    if (tuple == CK_TUPLE_NONE) {
        worker->counts.dropped++;
        return;
    }
    struct ck_tuple *at = ck_tuples_at(&worker->tuples, tuple);
    at->checked = at->heard = worker->now;
    if (path->connection != 0) {
        ck_tcp_prove(worker->tcp, path);
    }
    answer(worker, path, message, credentials, 0);
    if (credentials == &leg->now && leg->before.ufrag[0] != '\0') {
        leg->before.ufrag[0] =
            '\0'; /* the restart has arrived: what was nominated before is past */
        memset(leg->nominated, 0, sizeof leg->nominated);
        leg->nomination = 0;
        select_path(leg, tuple);
    }
    nominate(leg, tuple, message);
    if (leg->suspended) {
        resume(leg);
    }
    leg->last_check = worker->now;
    leg->checked = true;
    if (leg->state == LEG_WAITING && !begin_handshake(leg)) {
        return;
    }
    take_early_hellos(leg, path);
}

void path_stun(struct worker *worker, struct ck_packet *packet, const struct ck_path *path)
{
    struct ck_stun message;
    const struct credentials *credentials = NULL;
    struct leg *leg = NULL;
    if (ck_stun_read(packet->data, packet->size, &message) == CK_OK &&
        message.klass == CK_STUN_REQUEST && message.method == CK_STUN_BINDING &&
        message.has_fingerprint) { /* RFC 8445 section 7.2.2 wants it in every check */
        leg = leg_named(worker, &message, &credentials);
    }
    /* Whoever cannot prove anything hears nothing: no answer to be reflected. */
    if (leg == NULL || ck_stun_verify(packet->data, packet->size, &message, credentials->password,
                                      strlen(credentials->password)) != CK_OK) {
        worker->counts.dropped++;
        return;
    }
    if (message.unknown_count > 0) {
        answer(worker, path, &message, credentials, 420);
    } else if (message.controlled) {
        answer(worker, path, &message, credentials, 487);
    } else {
        checked(leg, path, &message, credentials);
    }
}

/* --- handshake
 * -------------------------------------------------------------------------------------- */

static bool take_keys(struct leg *leg)
{
    struct ck_srtp_keys in;
    struct ck_srtp_keys out;
    const struct ck_srtp_engine *srtp = leg->worker->srtp;
    leg->profile = ck_dtls_keys(leg->dtls, &in, &out);
    int error = srtp->create(&leg->in, leg->profile, CK_SRTP_IN, &in);
    if (error == CK_OK) {
        error = srtp->create(&leg->out, leg->profile, CK_SRTP_OUT, &out);
    }
    ck_wipe(&in, sizeof in);
    ck_wipe(&out, sizeof out);
    return error == CK_OK;
}

static void connected(struct leg *leg)
{
    struct worker *worker = leg->worker;
    if (!take_keys(leg)) {
        ck_media_log(CK_WORKER_LOG_ERROR, "no SRTP session for a leg");
        leg_end(leg, CK_WORKER_EVENT_DTLS_FAILED);
        return;
    }
    leg->state = LEG_CONNECTED;
    leg->rtt_us = (uint32_t)(worker->now.us - leg->first_check.us);
    worker->handshake_count--;
    leg->report_due = leg->interval_began = leg->stats_began = worker->now;
    leg->stats_due = ck_mono_add_us(
        worker->now, duration_us(worker->config.durations.stats_ms, CK_WORKER_STATS_MS));
    leg_event(leg, CK_WORKER_EVENT_DTLS_CONNECTED, leg->profile);
    ck_key_frames_want(&leg->keys, true);
    if (leg->call->relay) {
        relay_begin(leg->call);
    }
    leg_soon(leg, 0);
}

void path_handshake_state(struct leg *leg, enum ck_dtls_state state)
{
    unsigned rebuilds = ck_dtls_rebuilds(leg->dtls);
    if (rebuilds != leg->rebuilds_told) {
        leg->rebuilds_told = rebuilds;
        leg_event(leg, CK_WORKER_EVENT_DTLS_RETRIED, rebuilds);
    }
    switch (state) {
    case CK_DTLS_HANDSHAKING:
        break;
    case CK_DTLS_CONNECTED:
        if (leg->state == LEG_HANDSHAKING) {
            connected(leg);
        }
        break;
    case CK_DTLS_CLOSED:
        leg_end(leg, CK_WORKER_EVENT_CLOSED_BY_PEER);
        break;
    case CK_DTLS_MISMATCH:
        leg_end(leg, CK_WORKER_EVENT_FINGERPRINT_MISMATCH);
        break;
    case CK_DTLS_FAILED:
        leg_end(leg, CK_WORKER_EVENT_DTLS_FAILED);
        break;
    }
}

void path_dtls(struct worker *worker, struct ck_packet *packet, const struct ck_path *path)
{
    uint32_t tuple;
    struct leg *leg = path_leg(worker, packet, path, &tuple);
    if (leg != NULL) {
        enqueue(worker, leg, packet);
    } else if (ck_dtls_is_client_hello(packet->data, packet->size)) {
        keep_early_hello(worker, packet, path);
    } else {
        worker->counts.dropped++;
    }
}

void path_handshakes(struct worker *worker)
{
    for (unsigned i = 0; i < HANDSHAKES_PER_TURN && worker->queue_count > 0; i++) {
        struct handshake next = worker->queue[worker->queue_first];
        worker->queue_first = (worker->queue_first + 1) % HANDSHAKE_QUEUE;
        worker->queue_count--;
        struct leg *leg = worker->legs[next.slot];
        if (leg != NULL && leg->id == next.leg) {
            leg->handshakes_waiting--;
            if (leg->dtls != NULL) {
                path_handshake_state(
                    leg, ck_dtls_input(leg->dtls, next.packet->data, next.packet->size));
            }
        }
        ck_packet_drop(worker->pool, next.packet);
    }
}
