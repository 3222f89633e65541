#include "tests/impair/impair.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define DATAGRAM_MAX 2048
#define SOCKET_BUFFER (1 << 20)
#define READS_PER_EVENT 64

/* What a draw is for; part of its hash. */
enum draw {
    DRAW_LOSS,
    DRAW_DUPLICATE,
    DRAW_REORDER,
    DRAW_JITTER,
    DRAW_SPIKE,
};

/* A datagram that waits for its time. */
struct waiting {
    struct ck_crowd_timer timer;
    struct flow *flow;
    struct waiting *next;
    struct waiting **place; /* what points here */
    enum ck_impair_direction direction;
    size_t size;
    uint8_t data[];
};

struct way {         /* one direction of a flow */
    uint64_t index;  /* datagrams so far */
    unsigned waits;  /* datagrams whose time or turn has not come */
    bool losing;     /* inside a burst */
    int64_t last_us; /* release of the last one in order */
    int64_t free_us; /* when the throttled line is free */
    enum ck_impair_verdict held_verdict;
    size_t held_size; /* 0 = none */
    uint8_t held[DATAGRAM_MAX];
};

struct flow {
    struct ck_impair *impair;
    unsigned number;
    int back;
    struct sockaddr_storage client;
    struct way way[2];
};

struct ck_impair {
    struct ck_impair_config config;
    struct sockaddr_storage server;
    struct sockaddr_storage front_address;
    socklen_t address_size;
    int front;
    struct flow *flow[CK_IMPAIR_FLOWS];
    unsigned flows;
    struct waiting *waiting;
    struct ck_impair_stats stats[2];
};

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

/* A number in [0, 1) that depends on seed, flow, direction, index and purpose alone. */
static double draw(const struct flow *flow, enum ck_impair_direction direction, enum draw purpose)
{
    uint64_t z = mix(flow->impair->config.seed + 0x9e3779b97f4a7c15U);
    z = mix(z ^ ((uint64_t)flow->number << 32 | (uint64_t)direction << 8 | purpose));
    z = mix(z ^ flow->way[direction].index);
    return (double)(z >> 11) * 0x1p-53;
}

static void emit(struct flow *flow, enum ck_impair_direction direction, const uint8_t *data,
                 size_t size)
{
    struct ck_impair *impair = flow->impair;
    impair->stats[direction].passed++;
    impair->stats[direction].bytes += size;
    if (direction == CK_IMPAIR_UP) {
        (void)!send(flow->back, data, size, MSG_DONTWAIT);
    } else {
        (void)!sendto(impair->front, data, size, MSG_DONTWAIT,
                      (const struct sockaddr *)&flow->client, impair->address_size);
    }
}

static void unlink_waiting(struct waiting *waiting)
{
    *waiting->place = waiting->next;
    if (waiting->next != NULL) {
        waiting->next->place = waiting->place;
    }
}

static void release(void *arg)
{
    struct waiting *waiting = arg;
    waiting->flow->way[waiting->direction].waits--;
    emit(waiting->flow, waiting->direction, waiting->data, waiting->size);
    unlink_waiting(waiting);
    free(waiting);
}

static void wait_until(struct flow *flow, enum ck_impair_direction direction, const uint8_t *data,
                       size_t size, int64_t at_us)
{
    struct ck_impair *impair = flow->impair;
    /* A burst is stamped a microsecond apart, ahead of the clock: who comes next must not pass it.
     */
    if (at_us <= ck_crowd_now(impair->config.crowd).us && flow->way[direction].waits == 0) {
        emit(flow, direction, data, size);
        return;
    }
    struct waiting *waiting = calloc(1, sizeof *waiting + size);
    if (waiting == NULL) {
        impair->stats[direction].lost++;
        return;
    }
    waiting->timer = (struct ck_crowd_timer){.due = release, .arg = waiting};
    waiting->flow = flow;
    waiting->direction = direction;
    waiting->size = size;
    memcpy(waiting->data, data, size);
    waiting->next = impair->waiting;
    waiting->place = &impair->waiting;
    if (waiting->next != NULL) {
        waiting->next->place = &waiting->next;
    }
    impair->waiting = waiting;
    flow->way[direction].waits++;
    ck_crowd_arm(impair->config.crowd, &waiting->timer, (struct ck_mono){at_us});
}

/* Two states, losing and not: the mean run of losses is `burst`, their share `loss`. */
static bool is_lost(struct flow *flow, enum ck_impair_direction direction)
{
    const struct ck_impair_rules *rules = &flow->impair->config.rules[direction];
    struct way *way = &flow->way[direction];
    double burst = rules->burst > 1 ? rules->burst : 1;
    double drawn = draw(flow, direction, DRAW_LOSS);
    if (burst <= 1 || rules->loss >= 1) {
        return drawn < rules->loss;
    }
    double leave = 1 / burst;
    double enter = leave * rules->loss / (1 - rules->loss);
    way->losing = way->losing ? drawn >= leave : drawn < enter;
    return way->losing;
}

/* When the throttled line has carried the datagram; -1 where its queue is full. */
static int64_t through_line(struct way *way, const struct ck_impair_rules *rules, size_t size,
                            int64_t now)
{
    if (rules->rate_bps == 0) {
        return now;
    }
    size_t queue = rules->queue_bytes != 0 ? rules->queue_bytes : (size_t)(rules->rate_bps / 32);
    int64_t start = way->free_us > now ? way->free_us : now;
    if ((uint64_t)(start - now) * rules->rate_bps / 8000000 > queue) {
        return -1;
    }
    way->free_us = start + (int64_t)(size * 8000000 / rules->rate_bps);
    return way->free_us;
}

static void apply_rules(struct flow *flow, enum ck_impair_direction direction, const uint8_t *data,
                        size_t size)
{
    struct ck_impair *impair = flow->impair;
    const struct ck_impair_rules *rules = &impair->config.rules[direction];
    struct ck_impair_stats *stats = &impair->stats[direction];
    struct way *way = &flow->way[direction];
    bool lost = is_lost(flow, direction);
    double late = draw(flow, direction, DRAW_REORDER);
    double jitter = draw(flow, direction, DRAW_JITTER);
    bool spikes = draw(flow, direction, DRAW_SPIKE) < rules->spike;
    bool twice = draw(flow, direction, DRAW_DUPLICATE) < rules->duplicate;
    way->index++;
    if (lost || rules->blackout) {
        stats->lost++;
        return;
    }
    int64_t at = through_line(way, rules, size, ck_crowd_now(impair->config.crowd).us);
    if (at < 0) {
        stats->throttled++;
        return;
    }
    at += rules->delay_us + (int64_t)(jitter * (double)rules->jitter_us);
    at += spikes ? rules->spike_us : 0;
    if (late < rules->reorder) {
        stats->reordered++;
        at += rules->reorder_us;
    } else {
        at = at > way->last_us ? at : way->last_us + 1;
        way->last_us = at;
    }
    wait_until(flow, direction, data, size, at);
    if (twice) {
        stats->doubled++;
        wait_until(flow, direction, data, size, at + 1);
    }
}

/* Puts what a script held back together with the datagram that came after it. */
static void pass_with_held(struct flow *flow, enum ck_impair_direction direction,
                           const uint8_t *data, size_t size)
{
    struct way *way = &flow->way[direction];
    uint8_t both[2 * DATAGRAM_MAX];
    size_t held = way->held_size;
    way->held_size = 0;
    if (held == 0) {
        apply_rules(flow, direction, data, size);
    } else if (way->held_verdict == CK_IMPAIR_HOLD) {
        apply_rules(flow, direction, data, size);
        apply_rules(flow, direction, way->held, held);
    } else {
        memcpy(both, way->held, held);
        memcpy(both + held, data, size);
        apply_rules(flow, direction, both, held + size);
    }
}

static void take(struct flow *flow, enum ck_impair_direction direction, const uint8_t *data,
                 size_t size)
{
    const struct ck_impair_config *config = &flow->impair->config;
    struct way *way = &flow->way[direction];
    enum ck_impair_verdict verdict = CK_IMPAIR_PASS;
    if (config->script != NULL) {
        verdict = config->script(config->arg, direction, flow->number, data, size);
    }
    switch (verdict) {
    case CK_IMPAIR_DROP:
        flow->impair->stats[direction].lost++;
        return;
    case CK_IMPAIR_HOLD:
    case CK_IMPAIR_MERGE:
        way->held_verdict = verdict;
        way->held_size = size;
        memcpy(way->held, data, size);
        return;
    case CK_IMPAIR_TWICE:
        flow->impair->stats[direction].doubled++;
        apply_rules(flow, direction, data, size);
        pass_with_held(flow, direction, data, size);
        return;
    case CK_IMPAIR_PASS:
        pass_with_held(flow, direction, data, size);
        return;
    }
}

static void back_ready(void *arg, uint32_t events)
{
    struct flow *flow = arg;
    uint8_t data[DATAGRAM_MAX];
    (void)events;
    for (int i = 0; i < READS_PER_EVENT; i++) {
        ssize_t size = recv(flow->back, data, sizeof data, MSG_DONTWAIT);
        if (size < 0) {
            return;
        }
        take(flow, CK_IMPAIR_DOWN, data, (size_t)size);
    }
}

static int open_socket(struct ck_impair *impair, int *out)
{
    int buffer = SOCKET_BUFFER;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool v6 = impair->server.ss_family == AF_INET6;
    ck_cleanup(ck_closep) int fd =
        socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        bind(fd, v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in, impair->address_size) !=
            0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) != 0) {
        return -errno;
    }
    *out = ck_take_fd(&fd);
    return 0;
}

static void destroy_flow(struct flow *flow)
{
    if (flow->back >= 0) {
        ck_crowd_unwatch(flow->impair->config.crowd, flow->back);
        close(flow->back);
    }
    free(flow);
}

static struct flow *add_flow(struct ck_impair *impair, const struct sockaddr_storage *client)
{
    if (impair->flows == CK_IMPAIR_FLOWS) {
        return NULL;
    }
    struct flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL) {
        return NULL;
    }
    flow->impair = impair;
    flow->number = impair->flows;
    flow->client = *client;
    flow->back = -1;
    if (open_socket(impair, &flow->back) != 0 ||
        connect(flow->back, (struct sockaddr *)&impair->server, impair->address_size) != 0 ||
        ck_crowd_watch(impair->config.crowd, flow->back, EPOLLIN, back_ready, flow) != 0) {
        destroy_flow(flow);
        return NULL;
    }
    impair->flow[impair->flows++] = flow;
    return flow;
}

static struct flow *find_flow(struct ck_impair *impair, const struct sockaddr_storage *client)
{
    for (unsigned i = 0; i < impair->flows; i++) {
        if (memcmp(&impair->flow[i]->client, client, impair->address_size) == 0) {
            return impair->flow[i];
        }
    }
    return add_flow(impair, client);
}

static void front_ready(void *arg, uint32_t events)
{
    struct ck_impair *impair = arg;
    uint8_t data[DATAGRAM_MAX];
    (void)events;
    for (int i = 0; i < READS_PER_EVENT; i++) {
        struct sockaddr_storage from = {0};
        socklen_t from_size = sizeof from;
        ssize_t size = recvfrom(impair->front, data, sizeof data, MSG_DONTWAIT,
                                (struct sockaddr *)&from, &from_size);
        if (size < 0) {
            return;
        }
        struct flow *flow = find_flow(impair, &from);
        if (flow != NULL) {
            take(flow, CK_IMPAIR_UP, data, (size_t)size);
        }
    }
}

int ck_impair_create(const struct ck_impair_config *config, struct ck_impair **impair)
{
    struct ck_impair *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->config = *config;
    made->front = -1;
    made->address_size = config->server->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                               : sizeof(struct sockaddr_in);
    memcpy(&made->server, config->server, made->address_size);
    socklen_t size = sizeof made->front_address;
    int error = open_socket(made, &made->front);
    if (error == 0 &&
        getsockname(made->front, (struct sockaddr *)&made->front_address, &size) != 0) {
        error = -errno;
    }
    if (error == 0) {
        error = ck_crowd_watch(config->crowd, made->front, EPOLLIN, front_ready, made);
    }
    if (error != 0) {
        ck_impair_destroy(made);
        return error;
    }
    *impair = made;
    return 0;
}

void ck_impair_destroy(struct ck_impair *impair)
{
    if (impair == NULL) {
        return;
    }
    while (impair->waiting != NULL) {
        struct waiting *waiting = impair->waiting;
        ck_crowd_disarm(impair->config.crowd, &waiting->timer);
        unlink_waiting(waiting);
        free(waiting);
    }
    for (unsigned i = 0; i < impair->flows; i++) {
        destroy_flow(impair->flow[i]);
    }
    if (impair->front >= 0) {
        ck_crowd_unwatch(impair->config.crowd, impair->front);
        close(impair->front);
    }
    free(impair);
}

const struct sockaddr *ck_impair_address(const struct ck_impair *impair)
{
    return (const struct sockaddr *)&impair->front_address;
}

void ck_impair_set(struct ck_impair *impair, enum ck_impair_direction direction,
                   const struct ck_impair_rules *rules)
{
    impair->config.rules[direction] = *rules;
}

struct ck_impair_stats ck_impair_stats(const struct ck_impair *impair,
                                       enum ck_impair_direction direction)
{
    return impair->stats[direction];
}
