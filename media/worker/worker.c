#include "media/worker/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "media/sandbox/sandbox.h"
#include "media/worker/clock.h"
#include "media/worker/log.h"
#include "media/worker/memory.h"
#include "media/worker/slice.h"
#include "media/worker/worker_impl.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"

#define EVENTS_PER_TURN 8
#define BATCHES_PER_TURN 4
#define ORDERS_PER_TURN 32
#define HEARTBEAT_MS 1000
#define TCP_TICK_MS 1000
#define DRAIN_END_MS 10000 /* for the last recordings to be closed */

enum source_of_events {
    FROM_CONTROL,
    FROM_UDP_V4,
    FROM_UDP_V6,
    FROM_RECORDER,
    FROM_TCP,
};

/* --- small services
 * --------------------------------------------------------------------------------- */

int64_t duration_us(uint32_t configured_ms, uint32_t default_ms)
{
    return (int64_t)(configured_ms == 0 ? default_ms : configured_ms) * 1000;
}

void worker_stop(struct worker *worker, int status)
{
    if (!worker->stop) {
        worker->stop = true;
        worker->exit_status = status;
    }
}

void worker_queue(struct worker *worker, const struct ck_path *path, struct ck_packet *packet)
{
    if (path->connection != 0) {
        ck_tcp_queue(worker->tcp, path, packet);
    } else {
        ck_udp_queue(worker->udp[path->family == 4 ? 0 : 1], path, packet);
    }
}

static void watch_control(struct worker *worker)
{
    struct epoll_event event = {
        .events = (worker->orders_over ? 0 : EPOLLIN) |
                  (ck_control_waiting(worker->control) ? EPOLLOUT : 0),
        .data.u32 = FROM_CONTROL,
    };
    (void)epoll_ctl(worker->epoll, EPOLL_CTL_MOD, ck_control_fd(worker->control), &event);
}

void worker_send(struct worker *worker, const struct ck_worker_message *message, bool may_leave_out)
{
    bool waited = ck_control_waiting(worker->control);
    int error = ck_control_send(worker->control, message, may_leave_out);
    if (error == -EPIPE) {
        worker_stop(worker, CK_WORKER_EXIT_OK);
    } else if (error != 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "%s cannot be sent: %s",
                     ck_worker_kind_name(message->kind), ck_error_text(error));
        worker_stop(worker, CK_WORKER_EXIT_INTERNAL);
    } else if (!waited && ck_control_waiting(worker->control)) {
        watch_control(worker);
    }
}

static void read_clocks(struct worker *worker)
{
    worker->now = ck_clock_mono();
    worker->wall_us = ck_clock_wall_us();
}

/* --- datagrams
 * -------------------------------------------------------------------------------------- */

static void take_datagram(void *user, struct ck_packet *packet, const struct ck_path *path)
{
    struct worker *worker = user;
    worker->counts.packets_in++;
    worker->counts.bytes_in += packet->size;
    switch (ck_datagram_kind(packet->data, packet->size)) {
    case CK_DATAGRAM_RTP:
        media_rtp(worker, packet, path);
        break;
    case CK_DATAGRAM_RTCP:
        media_rtcp(worker, packet, path);
        break;
    case CK_DATAGRAM_STUN:
        path_stun(worker, packet, path);
        break;
    case CK_DATAGRAM_DTLS:
        path_dtls(worker, packet, path);
        break;
    case CK_DATAGRAM_OTHER:
        worker->counts.dropped++;
        break;
    }
}

static void receive(struct worker *worker, struct ck_udp *udp)
{
    int count = CK_UDP_BATCH;
    for (unsigned i = 0; i < BATCHES_PER_TURN && count == CK_UDP_BATCH; i++) {
        count = ck_udp_receive(udp, worker->now, ahead_look, take_datagram, worker);
    }
    if (count < 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "receiving failed: %s", strerror(-count));
        worker_stop(worker, CK_WORKER_EXIT_INTERNAL);
    }
}

static void send_all(struct worker *worker)
{
    for (unsigned i = 0; i < 2; i++) {
        if (worker->udp[i] != NULL) {
            ck_udp_flush(worker->udp[i]);
        }
    }
    if (worker->tcp != NULL) {
        ck_tcp_flush(worker->tcp);
    }
}

/* --- time
 * ------------------------------------------------------------------------------------------- */

static void heartbeat(struct worker *worker)
{
    struct ck_udp_counts sent = {0};
    uint64_t lost = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (worker->udp[i] != NULL) {
            struct ck_udp_counts one = ck_udp_sent(worker->udp[i]);
            sent.packets += one.packets;
            sent.bytes += one.bytes;
            lost += ck_udp_lost(worker->udp[i]);
        }
    }
    if (worker->tcp != NULL) {
        struct ck_udp_counts streamed = ck_tcp_sent(worker->tcp);
        sent.packets += streamed.packets;
        sent.bytes += streamed.bytes;
    }
    int64_t passed_us = worker->now.us - worker->heartbeat_last.us;
    worker->busy_percent = passed_us <= 0 ? 0 : (unsigned)(worker->busy_us * 100 / passed_us);
    struct ck_worker_message message = {
        .kind = CK_WORKER_HEARTBEAT,
        .heartbeat = {.legs = worker->leg_count,
                      .handshakes = worker->handshake_count,
                      .recordings = worker->record_count,
                      .legs_free = worker->draining ? 0 : legs_free(worker),
                      .cpu_us = ck_clock_cpu_us(),
                      .lag_us = (uint64_t)worker->lag_us,
                      .packets_in = worker->counts.packets_in,
                      .packets_out = sent.packets,
                      .bytes_in = worker->counts.bytes_in,
                      .bytes_out = sent.bytes,
                      .dropped = worker->counts.dropped,
                      .socket_lost = lost,
                      .ring_bytes = ck_recorder_ring_used(worker->recorder)},
    };
    worker_send(worker, &message, true);
    worker->lag_us = 0;
    worker->busy_us = 0;
    worker->heartbeat_last = worker->now;
    worker->heartbeat_due = ck_mono_add_us(worker->now, HEARTBEAT_MS * 1000);
}

/* Ends what is left once the time to drain is over; the process goes when everything has been said.
 */
static void drain(struct worker *worker)
{
    if (worker->now.us >= worker->drain_until.us) {
        for (uint32_t slot = 0; slot < worker->slots_used; slot++) {
            if (worker->legs[slot] != NULL) {
                leg_end(worker->legs[slot], 0);
            }
        }
    }
    bool told = worker->leg_count == 0 && !ck_control_waiting(worker->control);
    if (told || worker->now.us - worker->drain_until.us >= DRAIN_END_MS * 1000) {
        worker_stop(worker, CK_WORKER_EXIT_OK);
    }
}

static void serve_legs(struct worker *worker)
{
    int64_t soonest_us = INT64_MAX;
    worker->soonest_us = INT64_MAX; /* services lower it */
    for (uint32_t slot = 0; slot < worker->slots_used; slot++) {
        if (worker->due_us[slot] <= worker->now.us && worker->legs[slot] != NULL) {
            leg_service(worker->legs[slot]);
        }
        if (worker->due_us[slot] < soonest_us) {
            soonest_us = worker->due_us[slot];
        }
    }
    if (soonest_us < worker->soonest_us) {
        worker->soonest_us = soonest_us;
    }
}

static void tick(struct worker *worker)
{
    if (worker->now.us >= worker->soonest_us) {
        serve_legs(worker);
    }
    if (worker->now.us >= worker->recorder_due.us) {
        ck_recorder_tick(worker->recorder, worker->now);
        worker->recorder_due = ck_mono_add_us(worker->now, CK_RECORDER_TICK_MS * 1000);
    }
    if (worker->draining) {
        drain(worker);
    }
    worker->tick_due = ck_mono_add_us(worker->now, TICK_MS * 1000);
}

/* Legs that something has just happened to are served at once, not at the next tick. */
static void serve(struct worker *worker)
{
    if (worker->tcp != NULL && worker->now.us >= worker->tcp_due.us) {
        ck_tcp_tick(worker->tcp, worker->now);
        worker->tcp_due = ck_mono_add_us(worker->now, TCP_TICK_MS * 1000);
    }
    if (worker->now.us >= worker->tick_due.us) {
        tick(worker);
    }
    if (worker->now.us >= worker->heartbeat_due.us) {
        heartbeat(worker);
    }
}

/* Until something is due: legs and recordings are looked at in ticks, and where nothing of them
 * is, the loop sleeps on. */
static int wait_ms(const struct worker *worker)
{
    if (worker->queue_count > 0) {
        return 0;
    }
    int64_t until_us = worker->soonest_us;
    if (worker->record_count > 0 && worker->recorder_due.us < until_us) {
        until_us = worker->recorder_due.us;
    }
    if (worker->draining || until_us < worker->tick_due.us) {
        until_us = worker->tick_due.us;
    }
    if (worker->heartbeat_due.us < until_us) {
        until_us = worker->heartbeat_due.us;
    }
    int64_t us = until_us - ck_clock_mono().us;
    return us <= 0 ? 0 : (int)((us + 999) / 1000);
}

/* --- the loop
 * --------------------------------------------------------------------------------------- */

static void take_orders(struct worker *worker)
{
    for (unsigned i = 0; i < ORDERS_PER_TURN && !worker->stop; i++) {
        struct ck_worker_message message;
        const char *field = NULL;
        int fd = -1;
        int error = ck_control_receive(worker->control, &message, &fd, &field);
        if (error == CK_E_NOT_FOUND) {
            return;
        }
        if (error == CK_OK) {
            order_take(worker, &message, fd);
            if (message.kind == CK_WORKER_RECORD_START) {
                ck_control_wipe(worker->control);
                ck_wipe(&message, sizeof message);
            }
        } else if (error == -EPIPE && worker->draining) {
            worker->orders_over = true; /* it still listens to what we have to say */
            watch_control(worker);
            return;
        } else if (error == -EPIPE) {
            ck_media_log(CK_WORKER_LOG_INFO, "checkind is gone: ending");
            worker_stop(worker, CK_WORKER_EXIT_OK);
        } else {
            ck_media_log(CK_WORKER_LOG_ERROR, "a control message is wrong at %s", field);
            worker_stop(worker, CK_WORKER_EXIT_PROTOCOL);
        }
    }
}

static void take_control(struct worker *worker, uint32_t events)
{
    if ((events & EPOLLOUT) != 0) {
        if (ck_control_flush(worker->control) != 0) {
            worker_stop(worker, CK_WORKER_EXIT_OK);
        }
        watch_control(worker);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        take_orders(worker);
    }
}

static void take_event(struct worker *worker, const struct epoll_event *event)
{
    switch (event->data.u32) {
    case FROM_CONTROL:
        take_control(worker, event->events);
        break;
    case FROM_UDP_V4:
        receive(worker, worker->udp[0]);
        break;
    case FROM_UDP_V6:
        receive(worker, worker->udp[1]);
        break;
    case FROM_TCP:
        ck_tcp_serve(worker->tcp, worker->now);
        break;
    default:
        record_events(worker);
        break;
    }
}

static void turn(struct worker *worker, const struct epoll_event *events, int count)
{
    read_clocks(worker);
    for (int i = 0; i < count; i++) {
        take_event(worker, &events[i]);
    }
    send_all(worker); /* what came waits for no handshake and no report */
    path_handshakes(worker);
    serve(worker);
    send_all(worker);
    int64_t took_us = ck_clock_mono().us - worker->now.us;
    worker->busy_us += took_us;
    worker->lag_us = took_us > worker->lag_us ? took_us : worker->lag_us;
}

/* Lets more packets come where they come thick; handshakes and an end are not kept waiting. */
static void gather(struct worker *worker)
{
    struct ck_mono until = ck_gather_until(&worker->gather, worker->now, worker->counts.packets_in);
    if (until.us > worker->now.us && worker->queue_count == 0 && !worker->stop) {
        ck_clock_wait_until(until); /* passed already after a long turn */
    }
}

static void loop(struct worker *worker)
{
    while (!worker->stop) {
        struct epoll_event events[EVENTS_PER_TURN];
        int count = epoll_wait(worker->epoll, events, EVENTS_PER_TURN, wait_ms(worker));
        if (count < 0 && errno != EINTR) {
            ck_media_log(CK_WORKER_LOG_ERROR, "epoll_wait: %s", strerror(errno));
            worker_stop(worker, CK_WORKER_EXIT_INTERNAL);
        }
        turn(worker, events, count < 0 ? 0 : count);
        gather(worker);
    }
}

/* --- start
 * ------------------------------------------------------------------------------------------ */

static int watch(struct worker *worker, int fd, uint32_t from)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = from};
    return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? CK_WORKER_EXIT_OK
                                                                    : CK_WORKER_EXIT_INTERNAL;
}

static int bind_one(struct worker *worker, unsigned index, const struct ck_worker_address *address)
{
    if (address->family == 0) {
        return CK_WORKER_EXIT_OK;
    }
    struct ck_udp_address at = {.family = address->family, .port = address->port};
    memcpy(at.bytes, address->bytes, sizeof at.bytes);
    int error = ck_udp_create(&worker->udp[index], &at, worker->pool);
    if (error != 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "UDP over IPv%u, port %u: %s", address->family,
                     address->port, strerror(-error));
        return error == -ENOMEM ? CK_WORKER_EXIT_MEMORY : CK_WORKER_EXIT_BIND;
    }
    return watch(worker, ck_udp_fd(worker->udp[index]), index == 0 ? FROM_UDP_V4 : FROM_UDP_V6);
}

static void tcp_gone(void *user, const struct ck_path *path)
{
    path_gone(user, path);
}

/* The same number as UDP has; another one where nobody asked for that. */
static int listen_on(struct worker *worker, unsigned index, const struct ck_worker_address *address)
{
    if (worker->udp[index] == NULL) {
        return 0;
    }
    struct ck_udp_address at = {.family = address->family, .port = ck_udp_port(worker->udp[index])};
    memcpy(at.bytes, address->bytes, sizeof at.bytes);
    int error = ck_tcp_listen(worker->tcp, &at, &worker->tcp_ports[index]);
    if (error == -EADDRINUSE && address->port == 0) {
        at.port = 0;
        error = ck_tcp_listen(worker->tcp, &at, &worker->tcp_ports[index]);
    }
    return error;
}

static int start_tcp(struct worker *worker)
{
    struct ck_tcp_use use = {
        .pool = worker->pool, .take = take_datagram, .gone = tcp_gone, .user = worker};
    if (worker->config.tcp == 0) {
        return CK_WORKER_EXIT_OK;
    }
    int error = ck_tcp_create(&worker->tcp, &use);
    if (error == 0) {
        error = listen_on(worker, 0, &worker->config.listen_v4);
    }
    if (error == 0) {
        error = listen_on(worker, 1, &worker->config.listen_v6);
    }
    if (error != 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "ICE over TCP: %s", strerror(-error));
        return error == -ENOMEM ? CK_WORKER_EXIT_MEMORY : CK_WORKER_EXIT_BIND;
    }
    return watch(worker, ck_tcp_fd(worker->tcp), FROM_TCP);
}

static bool advertise(struct worker *worker, const struct ck_worker_address *address, bool tcp)
{
    static const uint8_t any[16];
    unsigned index = address->family == 4 ? 0 : 1;
    const struct ck_udp *udp = worker->udp[index];
    if (udp == NULL || memcmp(address->bytes, any, address->family == 4 ? 4 : 16) == 0) {
        return false;
    }
    struct ck_sdp_candidate *candidate = &worker->candidates[worker->candidate_count++];
    candidate->v6 = address->family == 6;
    candidate->tcp = tcp;
    candidate->port = address->port != 0 ? address->port
                      : tcp              ? worker->tcp_ports[index]
                                         : ck_udp_port(udp);
    return inet_ntop(candidate->v6 ? AF_INET6 : AF_INET, address->bytes, candidate->address,
                     sizeof candidate->address) != NULL;
}

static bool advertise_all(struct worker *worker, bool tcp)
{
    const struct ck_worker_config *config = &worker->config;
    bool good = true;
    for (unsigned i = 0; i < config->advertised_count; i++) {
        good = good && advertise(worker, &config->advertised[i], tcp);
    }
    if (config->advertised_count == 0) {
        struct ck_worker_address v4 = config->listen_v4;
        struct ck_worker_address v6 = config->listen_v6;
        v4.port = v6.port = 0;
        good = (v4.family == 0 || advertise(worker, &v4, tcp)) &&
               (v6.family == 0 || advertise(worker, &v6, tcp));
    }
    return good;
}

static int make_candidates(struct worker *worker)
{
    bool good =
        advertise_all(worker, false) && (worker->tcp == NULL || advertise_all(worker, true));
    if (!good) {
        ck_media_log(CK_WORKER_LOG_ERROR,
                     "an advertised address is the wildcard, or of a family that "
                     "is not listened on");
    }
    return good ? CK_WORKER_EXIT_OK : CK_WORKER_EXIT_CONFIG;
}

static int make_tables(struct worker *worker)
{
    uint32_t legs_max = worker->config.legs_max;
    uint8_t key[CK_SIPHASH_KEY_SIZE];
    ck_random(key, sizeof key);
    worker->legs = calloc(legs_max, sizeof *worker->legs);
    worker->due_us = calloc(legs_max, sizeof *worker->due_us);
    worker->generations = calloc(legs_max, sizeof *worker->generations);
    worker->calls = calloc(legs_max, sizeof *worker->calls);
    if (worker->legs == NULL || worker->due_us == NULL || worker->generations == NULL ||
        worker->calls == NULL || ck_packet_pool_create(&worker->pool, POOL_PACKETS_MIN) != 0 ||
        ck_tuples_init(&worker->tuples, legs_max * TUPLES_PER_LEG, key) != 0) {
        return CK_WORKER_EXIT_MEMORY;
    }
    for (uint32_t slot = 0; slot < legs_max; slot++) {
        worker->due_us[slot] = INT64_MAX;
    }
    return CK_WORKER_EXIT_OK;
}

/* The recorder's thread starts behind Landlock and before the filter, which then holds for it as
 * well. */
static int enter_sandbox(struct worker *worker)
{
    int error = ck_sandbox_restrict(worker->config.memory_bytes_max);
    if (error != 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "the sandbox: %s", strerror(-error));
        return CK_WORKER_EXIT_SANDBOX;
    }
    worker->memory_limit = ck_memory_limit();
    struct ck_recorder_config recorder = {
        .ring_size = worker->config.ring_bytes_max,
        .recordings_max = worker->config.recordings_max == 0 ? 1 : worker->config.recordings_max,
    };
    error = ck_recorder_create(&worker->recorder, &recorder);
    if (error != 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "the recorder: %s", ck_error_text(error));
        return error == -ENOMEM   ? CK_WORKER_EXIT_MEMORY
               : error == -EINVAL ? CK_WORKER_EXIT_CONFIG
                                  : CK_WORKER_EXIT_INTERNAL;
    }
    error = ck_slice_shorten(); /* after the recorder's thread is made, which would have it too */
    if (error != 0) {
        ck_media_log(CK_WORKER_LOG_WARNING, "the loop's slice: %s", strerror(-error));
    }
    int status = watch(worker, ck_recorder_event_fd(worker->recorder), FROM_RECORDER);
    error = status == CK_WORKER_EXIT_OK ? ck_sandbox_close() : 0;
    if (error != 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "the system-call filter: %s", strerror(-error));
        return CK_WORKER_EXIT_SANDBOX;
    }
    return status;
}

static int start(struct worker *worker)
{
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->memory = ck_memory_open();
    if (worker->epoll < 0 || worker->memory < 0) {
        return CK_WORKER_EXIT_INTERNAL;
    }
    int error = worker->srtp->start();
    error = error == 0 ? ck_dtls_context_create(&worker->dtls) : error;
    if (error != 0) {
        ck_media_log(CK_WORKER_LOG_ERROR, "DTLS or SRTP: %s", ck_error_text(error));
        return CK_WORKER_EXIT_INTERNAL;
    }
    int status = make_tables(worker);
    if (status == CK_WORKER_EXIT_OK) {
        status = bind_one(worker, 0, &worker->config.listen_v4);
    }
    if (status == CK_WORKER_EXIT_OK) {
        status = bind_one(worker, 1, &worker->config.listen_v6);
    }
    if (status == CK_WORKER_EXIT_OK) {
        status = start_tcp(worker);
    }
    if (status == CK_WORKER_EXIT_OK) {
        status = make_candidates(worker);
    }
    if (status == CK_WORKER_EXIT_OK) {
        status = watch(worker, ck_control_fd(worker->control), FROM_CONTROL);
    }
    return status == CK_WORKER_EXIT_OK ? enter_sandbox(worker) : status;
}

static void say_ready(struct worker *worker)
{
    char library[CK_WORKER_TEXT_MAX];
    (void)snprintf(library, sizeof library, "%s; SRTP: %s", OpenSSL_version(OPENSSL_VERSION),
                   worker->srtp->name);
    struct ck_worker_message message = {
        .kind = CK_WORKER_READY,
        .ready = {.version = CK_WORKER_VERSION,
                  .port_v4 = worker->udp[0] == NULL ? 0 : ck_udp_port(worker->udp[0]),
                  .port_v6 = worker->udp[1] == NULL ? 0 : ck_udp_port(worker->udp[1]),
                  .tcp_port_v4 = worker->tcp_ports[0],
                  .tcp_port_v6 = worker->tcp_ports[1],
                  .legs_max = worker->config.legs_max,
                  .handshakes_max = worker->config.handshakes_max,
                  .recordings_max = worker->config.recordings_max,
                  .library = ck_worker_text_of(library)},
    };
    worker_send(worker, &message, false);
}

/* --- end
 * -------------------------------------------------------------------------------------------- */

/* Recordings are closed and written out; then everything is given back. */
static void finish(struct worker *worker)
{
    if (worker->legs != NULL) {
        legs_abandon(worker);
    }
    ck_recorder_destroy(worker->recorder);
    for (unsigned i = 0; i < HELLOS_MAX && worker->pool != NULL; i++) {
        ck_packet_drop(worker->pool, worker->hellos[i].packet);
    }
    for (; worker->queue_count > 0; worker->queue_count--) {
        ck_packet_drop(worker->pool, worker->queue[worker->queue_first].packet);
        worker->queue_first = (worker->queue_first + 1) % HANDSHAKE_QUEUE;
    }
    ck_udp_destroy(worker->udp[0]);
    ck_udp_destroy(worker->udp[1]);
    ck_tcp_destroy(worker->tcp);
    ck_packet_pool_destroy(worker->pool);
    ck_tuples_deinit(&worker->tuples);
    ck_dtls_context_destroy(worker->dtls);
    worker->srtp->stop();
    ck_control_destroy(worker->control);
    if (worker->epoll >= 0) {
        close(worker->epoll);
    }
    if (worker->memory >= 0) {
        close(worker->memory);
    }
    free(worker->legs);
    free(worker->due_us);
    free(worker->generations);
    free(worker->calls);
    free(worker);
}

int ck_media_worker_run(struct ck_control *control, const struct ck_worker_config *config)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        ck_control_destroy(control);
        return CK_WORKER_EXIT_MEMORY;
    }
    worker->config = *config;
    worker->srtp = &ck_srtp_evp;
    worker->control = control;
    worker->epoll = worker->memory = -1;
    int status = start(worker);
    if (status == CK_WORKER_EXIT_OK) {
        read_clocks(worker);
        worker->tick_due = worker->recorder_due = worker->heartbeat_due = worker->heartbeat_last =
            worker->tcp_due = worker->now;
        say_ready(worker);
        loop(worker);
        status = worker->exit_status;
    }
    finish(worker);
    return status;
}
