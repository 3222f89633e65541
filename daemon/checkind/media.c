/* What the media workers are told, and what calls need of the product. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define WORKER_BASE_BYTES (UINT64_C(512) << 20)
#define WORKER_LEG_BYTES (UINT64_C(2) << 20) /* a full packet ring, DTLS, SRTP, a recording */

static struct ck_wall wall_now(void *context)
{
    (void)context;
    return ck_clock_wall();
}

static void submit_for_call(void *context, const char *name, const struct ck_actor *actor,
                            json_t *body, ck_call_done *done, void *cookie)
{
    struct ck_product *product = context;
    ck_bus_submit(product->bus, name, actor, body, done, cookie);
}

/* Reads "192.0.2.1" or "2001:db8::1". */
static int read_address(const char *text, uint16_t port, struct ck_worker_address *address)
{
    struct ck_worker_address read = {.port = port};
    if (uv_inet_pton(AF_INET, text, read.bytes) == 0) {
        read.family = 4;
    } else if (uv_inet_pton(AF_INET6, text, read.bytes) == 0) {
        read.family = 6;
    } else {
        return CK_E_SYNTAX;
    }
    *address = read;
    return 0;
}

/* Addresses for ICE candidates: configured, or those of the interfaces that can be reached from
 * outside. */
static int advertise(const struct ck_config *config, struct ck_worker_config *worker)
{
    uint16_t port = (uint16_t)config->media.udp_port_base;
    for (size_t i = 0; i < config->media.advertise.count; i++) {
        if (worker->advertised_count == CK_WORKER_ADDRESSES_MAX ||
            read_address(config->media.advertise.items[i], port,
                         &worker->advertised[worker->advertised_count++]) != 0) {
            return CK_E_INVALID;
        }
    }
    if (worker->advertised_count > 0) {
        return 0;
    }
    uv_interface_address_t *interfaces;
    int count;
    int error = uv_interface_addresses(&interfaces, &count);
    for (int i = 0; error == 0 && i < count; i++) {
        char text[INET6_ADDRSTRLEN];
        if (interfaces[i].is_internal || worker->advertised_count == CK_WORKER_ADDRESSES_MAX) {
            continue;
        }
        bool v6 = interfaces[i].address.address4.sin_family == AF_INET6;
        int named = v6 ? uv_ip6_name(&interfaces[i].address.address6, text, sizeof text)
                       : uv_ip4_name(&interfaces[i].address.address4, text, sizeof text);
        bool local = v6 && IN6_IS_ADDR_LINKLOCAL(&interfaces[i].address.address6.sin6_addr);
        if (named == 0 && !local) {
            read_address(text, port, &worker->advertised[worker->advertised_count++]);
        }
    }
    if (error == 0) {
        uv_free_interface_addresses(interfaces, count);
    }
    return worker->advertised_count > 0 ? 0 : error != 0 ? error : -EADDRNOTAVAIL;
}

/* One socket for each family that is advertised. */
static void listen_where_advertised(const struct ck_config *config, struct ck_worker_config *worker)
{
    for (unsigned i = 0; i < worker->advertised_count; i++) {
        struct ck_worker_address *listen =
            worker->advertised[i].family == 4 ? &worker->listen_v4 : &worker->listen_v6;
        *listen = (struct ck_worker_address){.family = worker->advertised[i].family,
                                             .port = (uint16_t)config->media.udp_port_base};
    }
}

/* Address space of a worker: its libraries, threads and arenas, the ring, and what its legs may
 * hold at the most. One that has more has gone wrong, or was made to. */
static uint64_t worker_memory(const struct ck_config *config)
{
    return WORKER_BASE_BYTES + (uint64_t)config->limits.recording_ring_bytes +
           WORKER_LEG_BYTES * (uint64_t)config->media.legs_max;
}

int ck_product_calls_start(struct ck_product *product)
{
    const struct ck_config *config = product->config;
    ck_cleanup(ck_freep) char *recordings = ck_config_path(config, config->media.recording_dir);
    if (recordings == NULL) {
        return -ENOMEM;
    }
    if (mkdir(recordings, 0700) < 0 && errno != EEXIST) {
        /* A disk that is not there stops no check-in; health and the auditor go on telling it. */
        ck_log_error("[media] recording_dir %s: %s: nothing can be recorded", recordings,
                     strerror(errno));
    }
    uint32_t legs = (uint32_t)config->media.legs_max;
    struct ck_calls_options options = {
        .loop = &product->loop,
        .pool = {.program = config->media.program,
                 .workers =
                     ck_pool_workers((unsigned)config->media.workers, uv_available_parallelism(),
                                     (uint16_t)config->media.udp_port_base),
                 .config = {.log_level = (uint8_t)config->daemon.log_level,
                            .legs_max = legs,
                            .handshakes_max = legs,
                            .recordings_max = legs,
                            .ring_bytes_max = (uint32_t)config->limits.recording_ring_bytes,
                            .memory_bytes_max = worker_memory(config),
                            .tcp = config->media.tcp}},
        .render_program = config->media.render_program,
        .recording_dir = recordings,
        .video_bitrate_max = (uint32_t)config->media.bitrate_max_kbps * 1000,
        .master_key = product->master_key,
    };
    int error = advertise(config, &options.pool.config);
    if (error != 0) {
        ck_log(CK_LOG_ERROR, "[media] advertise: no address for ICE candidates");
        return error;
    }
    listen_where_advertised(config, &options.pool.config);
    struct ck_call_ports ports = {.context = product,
                                  .submit = submit_for_call,
                                  .send = ck_product_page_send,
                                  .now = wall_now};
    return ck_calls_create(&options, &ports, &product->calls);
}
