#include "tests/client/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "tests/client/client_impl.h"

#define SOCKET_BUFFER (1 << 20)
#define BATCH 16 /* datagrams of one recvmmsg() */

uint64_t ck_tclient_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

struct ck_mono client_after(const struct ck_tclient *client, int64_t us)
{
    return ck_mono_add_us(ck_crowd_now(client->config.crowd), us);
}

void client_emit(struct ck_tclient *client, int socket, const struct sockaddr_storage *to,
                 const void *data, size_t size)
{
    socklen_t length =
        to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (client->silent) {
        return;
    }
    if (client->config.tcp) {
        client->stats.send_fails += stream_send(socket, data, size) ? 0 : 1;
        return;
    }
    if (sendto(socket, data, size, MSG_DONTWAIT, (const struct sockaddr *)to, length) < 0) {
        client->stats.send_fails++;
    }
}

void client_emit_selected(struct ck_tclient *client, const void *data, size_t size)
{
    const struct agent *agent = &client->agent;
    if (agent->chosen) {
        client_emit(client, client->socket, &agent->path[agent->selected].remote, data, size);
    }
}

static void deliver_events(void *arg)
{
    struct ck_tclient *client = arg;
    enum ck_tclient_event events[16];
    size_t count = client->events_waiting;
    memcpy(events, client->events, count * sizeof *events);
    client->events_waiting = 0;
    for (size_t i = 0; i < count; i++) {
        client->config.on_event(client->config.arg, events[i]);
    }
}

void client_event(struct ck_tclient *client, enum ck_tclient_event event)
{
    if (client->config.on_event == NULL || client->events_waiting == 16) {
        return;
    }
    client->events[client->events_waiting++] = event;
    ck_crowd_arm(client->config.crowd, &client->event_timer, client_after(client, 0));
}

/* The handshake's state moved, perhaps: keys, certificate, end. */

static int take_keys(struct ck_tclient *client)
{
    uint8_t keys[CK_TCLIENT_KEYS_SIZE];
    if (!handshake_certificate_is(&client->handshake, client->answer.fingerprint)) {
        return CK_E_AUTH;
    }
    int error = handshake_keys(&client->handshake, &client->stats.profile, keys);
    return error != 0 ? error : guard_init(&client->guard, client->stats.profile, keys);
}

static void follow_handshake(struct ck_tclient *client)
{
    if (client->handshake.state == HANDSHAKE_DONE && !client->guarded) {
        if (take_keys(client) == 0) {
            client->guarded = true;
            client->stats.dtls_us = ck_crowd_now(client->config.crowd).us;
            client_event(client, CK_TCLIENT_DTLS_CONNECTED);
            sender_start(client);
        } else {
            client->handshake.state = HANDSHAKE_FAILED;
        }
    }
    if (client->handshake.state == HANDSHAKE_FAILED && client->phase == PHASE_RUNNING) {
        client->phase = PHASE_OVER;
        client_event(client, CK_TCLIENT_DTLS_FAILED);
    }
    if (client->handshake.state == HANDSHAKE_CLOSED && client->phase == PHASE_RUNNING) {
        client->phase = PHASE_OVER;
        client_event(client, CK_TCLIENT_CLOSED);
    }
    int64_t wait = handshake_wait_us(&client->handshake);
    if (wait >= 0) {
        ck_crowd_arm(client->config.crowd, &client->handshake_timer, client_after(client, wait));
    } else {
        ck_crowd_disarm(client->config.crowd, &client->handshake_timer);
    }
}

void client_begin_handshake(struct ck_tclient *client)
{
    if (client->handshake.state == HANDSHAKE_IDLE) {
        handshake_start(&client->handshake);
        follow_handshake(client);
    }
}

static void handshake_due(void *arg)
{
    struct ck_tclient *client = arg;
    handshake_timeout(&client->handshake);
    follow_handshake(client);
}

static void handshake_emit(void *arg, const uint8_t *data, size_t size)
{
    client_emit_selected(arg, data, size);
}

/* One datagram, by its first byte (RFC 7983). */
static void take_datagram(struct ck_tclient *client, int socket, uint8_t *data, size_t size,
                          uint64_t arrived_ns)
{
    client->stats.datagrams_in++;
    if (size == 0) {
        client->stats.unreadable++;
    } else if (data[0] < 4) {
        agent_input(client, data, size, socket);
    } else if (data[0] >= 20 && data[0] < 64) {
        handshake_input(&client->handshake, data, size);
        follow_handshake(client);
    } else if (data[0] >= 128 && data[0] < 192 && size >= 12) {
        if (!client->guarded) {
            return; /* keys are not there yet: the server was faster */
        }
        if (data[1] >= 192 && data[1] < 224) {
            receiver_rtcp(client, data, size, arrived_ns);
        } else {
            receiver_rtp(client, data, size, arrived_ns);
        }
    } else {
        client->stats.unreadable++;
    }
}

static bool is_server(const struct ck_tclient *client, const struct sockaddr_storage *from)
{
    for (size_t i = 0; i < client->agent.paths; i++) {
        const struct sockaddr_storage *to = &client->agent.path[i].remote;
        if (to->ss_family != from->ss_family) {
            continue;
        }
        const struct sockaddr_in *a = (const struct sockaddr_in *)to;
        const struct sockaddr_in *b = (const struct sockaddr_in *)from;
        const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)to;
        const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)from;
        if (to->ss_family == AF_INET
                ? a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr
                : a6->sin6_port == b6->sin6_port &&
                      memcmp(&a6->sin6_addr, &b6->sin6_addr, 16) == 0) {
            return true;
        }
    }
    return false;
}

/* The kernel's receive time and its count of datagrams that found our buffer full. */
static uint64_t read_control(struct ck_tclient *client, struct msghdr *header)
{
    uint64_t arrived_ns = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET) {
            continue;
        }
        if (c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            arrived_ns = (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
        } else if (c->cmsg_type == SO_RXQ_OVFL) {
            uint32_t drops;
            memcpy(&drops, CMSG_DATA(c), sizeof drops);
            client->stats.kernel_drops += drops - client->drops_seen;
            client->drops_seen = drops;
        }
    }
    return arrived_ns;
}

static void drop_socket(struct ck_tclient *client, int *fd)
{
    if (*fd >= 0) {
        ck_crowd_unwatch(client->config.crowd, *fd);
        close(*fd);
        *fd = -1;
    }
}

static void take_streamed(void *arg, uint8_t *data, size_t size, uint64_t arrived_ns)
{
    struct ck_tclient *client = arg;
    if (!client->silent) {
        take_datagram(client, client->reading, data, size, arrived_ns);
    }
}

static void read_stream(struct ck_tclient *client, int *socket, struct stream *stream)
{
    client->reading = *socket;
    if (!stream_read(stream, *socket, take_streamed, client)) {
        drop_socket(client, socket);
    }
}

static void read_socket(struct ck_tclient *client, int socket)
{
    static uint8_t data[BATCH][DATAGRAM_MAX];
    static uint8_t control[BATCH][128];
    struct sockaddr_storage from[BATCH];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    for (size_t i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){data[i], DATAGRAM_MAX};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                              .msg_namelen = sizeof from[i],
                                              .msg_iov = &parts[i],
                                              .msg_iovlen = 1,
                                              .msg_control = control[i],
                                              .msg_controllen = sizeof control[i]};
    }
    int count = recvmmsg(socket, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        uint64_t arrived_ns = read_control(client, &messages[i].msg_hdr);
        if (client->silent) {
            continue;
        }
        if (!is_server(client, &from[i])) {
            client->stats.strangers++;
        } else {
            take_datagram(client, socket, data[i], messages[i].msg_len, arrived_ns);
        }
    }
}

static void socket_ready(void *arg, uint32_t events)
{
    struct ck_tclient *client = arg;
    (void)events;
    if (client->config.tcp) {
        read_stream(client, &client->socket, &client->stream);
        return;
    }
    read_socket(client, client->socket);
}

static void wake_due(void *arg)
{
    struct ck_tclient *client = arg;
    if (ck_crowd_watch(client->config.crowd, client->socket, EPOLLIN, socket_ready, client) != 0) {
        abort();
    }
}

static void next_socket_ready(void *arg, uint32_t events)
{
    struct ck_tclient *client = arg;
    (void)events;
    if (client->config.tcp) {
        read_stream(client, &client->next_socket, &client->next_stream);
        if (client->next_socket < 0) { /* it was adopted, and what is left of it goes along */
            client->stream = client->next_stream;
        }
        return;
    }
    read_socket(client, client->next_socket);
}

/* The answer's passive candidate of our family. */
static int open_stream(const struct ck_tclient *client, int *out)
{
    int family = client->config.family == AF_INET6 ? AF_INET6 : AF_INET;
    for (unsigned i = 0; i < client->answer.passives; i++) {
        if (client->answer.passive[i].ss_family == family) {
            return stream_open(&client->answer.passive[i], out);
        }
    }
    return CK_E_NOT_FOUND;
}

static int open_socket(const struct ck_tclient *client, int *out)
{
    if (client->config.tcp) {
        return open_stream(client, out);
    }
    int on = 1;
    int buffer = SOCKET_BUFFER;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = client->config.local};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool v6 = client->config.family == AF_INET6;
    if (in.sin_addr.s_addr == 0) {
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    ck_cleanup(ck_closep) int fd =
        socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        bind(fd, v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in,
             v6 ? sizeof in6 : sizeof in) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on) != 0) {
        return -errno;
    }
    *out = ck_take_fd(&fd);
    return 0;
}

/* Watches `fd` as the socket in use in place of the present one. */
static int use_socket(struct ck_tclient *client, int fd)
{
    drop_socket(client, &client->socket);
    client->socket = fd;
    client->stream.size = 0;
    client->drops_seen = 0;
    return ck_crowd_watch(client->config.crowd, fd, EPOLLIN, socket_ready, client);
}

void client_adopt_socket(struct ck_tclient *client)
{
    int fd = client->next_socket;
    ck_crowd_unwatch(client->config.crowd, fd);
    client->next_socket = -1;
    use_socket(client, fd);
}

static int make_offer(struct ck_tclient *client)
{
    client->offer.version++;
    client->offer.ufrag = client->next.ufrag;
    client->offer.pwd = client->next.pwd;
    char *text = ck_tsdp_write(&client->offer);
    if (text == NULL) {
        return -ENOMEM;
    }
    free(client->offer_text);
    client->offer_text = text;
    client->stats.offered_us = client->stats.offered_us != 0
                                   ? client->stats.offered_us
                                   : ck_crowd_now(client->config.crowd).us;
    return 0;
}

static uint32_t make_ssrc(struct ck_tclient *client)
{
    uint32_t ssrc = 0;
    while (ssrc == 0) {
        ssrc = (uint32_t)ck_tclient_random(&client->random);
    }
    return ssrc;
}

static void fill_offer(struct ck_tclient *client)
{
    static const char wrong[] = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
                                "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
    const struct ck_tclient_config *config = &client->config;
    snprintf(client->cname, sizeof client->cname, "%u-%u", config->call, config->leg);
    client->offer = (struct ck_tsdp_offer){
        .session = ck_tclient_random(&client->random) >> 2,
        .version = 1,
        .fingerprint = config->wrong_fingerprint ? wrong : config->identity->fingerprint,
        .cname = client->cname,
        .rtx = config->rtx,
        .twcc = config->twcc,
    };
    client->offer.ssrc[0] = make_ssrc(client);
    client->offer.ssrc[1] = make_ssrc(client);
    client->offer.rtx_ssrc = make_ssrc(client);
}

static void set_timer(struct ck_tclient *client, struct ck_crowd_timer *timer, ck_crowd_due *due)
{
    *timer = (struct ck_crowd_timer){.due = due, .arg = client};
}

static void set_timers(struct ck_tclient *client)
{
    set_timer(client, &client->check_timer, agent_due);
    set_timer(client, &client->handshake_timer, handshake_due);
    set_timer(client, &client->media_timer, sender_due);
    set_timer(client, &client->report_timer, receiver_report_due);
    set_timer(client, &client->nack_timer, receiver_nack_due);
    set_timer(client, &client->event_timer, deliver_events);
    set_timer(client, &client->wake_timer, wake_due);
}

static int set_up(struct ck_tclient *client)
{
    struct ck_tclient_config *config = &client->config;
    if (config->via != NULL) {
        memcpy(&client->via, config->via,
               config->via->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                  : sizeof(struct sockaddr_in));
        config->via = (const struct sockaddr *)&client->via;
    }
    if (!config->peer_leg_set) {
        config->peer_leg = (uint8_t)(1 - config->leg);
    }
    client->random = config->seed ^ (uint64_t)config->call << 8 ^ config->leg;
    client->send[0] = !config->no_audio;
    client->send[1] = !config->no_video;
    client->agent.tie_breaker = ck_tclient_random(&client->random);
    agent_credentials(&client->next, &client->random);
    fill_offer(client);
    client->handshake.emit = handshake_emit;
    client->handshake.arg = client;
    int fd = -1;
    int error = sender_init(client);
    error = error != 0 ? error
                       : handshake_init(&client->handshake, config->identity, config->profiles,
                                        config->big_hello);
    if (!config->tcp) { /* else: once the answer says where to */
        error = error != 0 ? error : open_socket(client, &fd);
        error = error != 0 ? error : use_socket(client, fd);
    }
    if (error == 0 && config->full_peer) {
        socklen_t size = sizeof client->candidate;
        error = getsockname(fd, (struct sockaddr *)&client->candidate, &size) == 0 ? 0 : -errno;
        client->offer.candidate = &client->candidate;
    }
    return error != 0 ? error : make_offer(client);
}

int ck_tclient_create(const struct ck_tclient_config *config, struct ck_tclient **client)
{
    struct ck_tclient *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->config = *config;
    made->socket = made->next_socket = -1;
    set_timers(made);
    int error = set_up(made);
    if (error != 0) {
        ck_tclient_destroy(made);
        return error;
    }
    *client = made;
    return 0;
}

void ck_tclient_destroy(struct ck_tclient *client)
{
    if (client == NULL) {
        return;
    }
    ck_crowd_disarm(client->config.crowd, &client->check_timer);
    ck_crowd_disarm(client->config.crowd, &client->handshake_timer);
    ck_crowd_disarm(client->config.crowd, &client->media_timer);
    ck_crowd_disarm(client->config.crowd, &client->report_timer);
    ck_crowd_disarm(client->config.crowd, &client->nack_timer);
    ck_crowd_disarm(client->config.crowd, &client->event_timer);
    ck_crowd_disarm(client->config.crowd, &client->wake_timer);
    drop_socket(client, &client->socket);
    drop_socket(client, &client->next_socket);
    handshake_deinit(&client->handshake);
    guard_deinit(&client->guard);
    sender_deinit(client);
    free(client->offer_text);
    free(client);
}

const char *ck_tclient_offer(const struct ck_tclient *client)
{
    return client->offer_text;
}

static void take_paths(struct ck_tclient *client)
{
    struct agent *agent = &client->agent;
    int family = client->config.family == AF_INET6 ? AF_INET6 : AF_INET;
    agent->paths = 0;
    if (client->config.via != NULL) {
        agent->path[agent->paths++] = (struct path){.remote = client->via};
        return;
    }
    bool tcp = client->config.tcp;
    unsigned count = tcp ? client->answer.passives : client->answer.candidates;
    const struct sockaddr_storage *list = tcp ? client->answer.passive : client->answer.candidate;
    for (unsigned i = 0; i < count; i++) {
        if (list[i].ss_family == family) {
            agent->path[agent->paths++] = (struct path){.remote = list[i]};
        }
    }
}

/* What an answer may not change: DTLS and what is sent go on over an ICE restart (RFC 8842). */
static bool goes_on(const struct ck_tsdp_answer *was, const struct ck_tsdp_answer *is)
{
    return memcmp(was->fingerprint, is->fingerprint, 32) == 0 &&
           memcmp(was->section, is->section, sizeof is->section) == 0;
}

static int take_remote(struct ck_tclient *client, const struct ck_tsdp_answer *answer,
                       char why[static 160])
{
    client->answer = *answer;
    client->agent.local = client->next;
    snprintf(client->agent.username, sizeof client->agent.username, "%s:%s", answer->ufrag,
             client->next.ufrag);
    memcpy(client->agent.remote_pwd, answer->pwd, sizeof answer->pwd);
    take_paths(client);
    if (client->agent.paths == 0) {
        snprintf(why, 160, "no candidate of the client's address family");
        return CK_E_INVALID;
    }
    if (client->config.tcp && client->socket < 0) {
        int fd = -1;
        int error = open_socket(client, &fd);
        error = error != 0 ? error : use_socket(client, fd);
        if (error != 0) {
            snprintf(why, 160, "no connection to the passive candidate: %s", ck_error_text(error));
            return error;
        }
    }
    client->stats.answered_us = ck_crowd_now(client->config.crowd).us;
    client->phase = client->phase == PHASE_NEW ? PHASE_RUNNING : client->phase;
    client->restarting = false;
    agent_start(client);
    return 0;
}

int ck_tclient_accept(struct ck_tclient *client, const char *sdp, char why[static 160])
{
    struct ck_tsdp_answer remote;
    int error = ck_tsdp_read_any(sdp, &remote, why);
    if (error == 0) {
        client->offer.answer = true;
        client->agent.controlled = true;
        error = make_offer(client);
    }
    return error != 0 ? error : take_remote(client, &remote, why);
}

int ck_tclient_answer(struct ck_tclient *client, const char *sdp, size_t size, char why[static 160])
{
    struct ck_tsdp_answer answer;
    ck_cleanup(ck_freep) char *text = malloc(size + 1);
    if (text == NULL) {
        return -ENOMEM;
    }
    memcpy(text, sdp, size);
    text[size] = '\0';
    int error = client->config.full_peer ? ck_tsdp_read_any(text, &answer, why)
                                         : ck_tsdp_read(text, &client->offer, &answer, why);
    if (error != 0) {
        return error;
    }
    if (client->restarting && !goes_on(&client->answer, &answer)) {
        snprintf(why, 160, "the answer to an ICE restart changes certificate or sections");
        return CK_E_INVALID;
    }
    if (client->restarting && strcmp(client->answer.ufrag, answer.ufrag) == 0) {
        snprintf(why, 160, "the answer to an ICE restart keeps the old user name");
        return CK_E_INVALID;
    }
    return take_remote(client, &answer, why);
}

int ck_tclient_restart(struct ck_tclient *client, bool new_port)
{
    if (client->phase != PHASE_RUNNING) {
        return CK_E_CONFLICT;
    }
    if (new_port && client->next_socket < 0) {
        int error = open_socket(client, &client->next_socket);
        error = error != 0 ? error
                           : ck_crowd_watch(client->config.crowd, client->next_socket, EPOLLIN,
                                            next_socket_ready, client);
        if (error != 0) {
            return error;
        }
    }
    client->next_stream.size = 0;
    client->restarting = true;
    agent_credentials(&client->next, &client->random);
    return make_offer(client);
}

int ck_tclient_roam(struct ck_tclient *client)
{
    int fd = -1;
    int error = open_socket(client, &fd);
    return error != 0 ? error : use_socket(client, fd);
}

void ck_tclient_vanish(struct ck_tclient *client, bool gone)
{
    client->silent = gone;
    if (!gone && client->phase == PHASE_RUNNING) {
        ck_crowd_arm(client->config.crowd, &client->check_timer, client_after(client, 0));
    }
}

bool client_stalls(struct ck_tclient *client, struct ck_crowd_timer *timer)
{
    if (ck_crowd_now(client->config.crowd).us >= client->stalled_until.us) {
        return false;
    }
    ck_crowd_arm(client->config.crowd, timer, client->stalled_until);
    return true;
}

void ck_tclient_stall(struct ck_tclient *client, int ms)
{
    client->stalled_until = client_after(client, (int64_t)ms * 1000);
    ck_crowd_unwatch(client->config.crowd, client->socket);
    ck_crowd_arm(client->config.crowd, &client->wake_timer, client->stalled_until);
}

void ck_tclient_send(struct ck_tclient *client, bool audio, bool video)
{
    client->want_key = client->want_key || (video && !client->send[1]);
    client->send[0] = audio;
    client->send[1] = video;
}

void ck_tclient_hang_up(struct ck_tclient *client)
{
    if (client->phase == PHASE_RUNNING) {
        handshake_close(&client->handshake);
        client->phase = PHASE_OVER;
    }
}

int ck_tclient_send_raw(struct ck_tclient *client, const void *data, size_t size)
{
    if (client->agent.paths == 0) {
        return CK_E_CONFLICT;
    }
    client_emit(client, client->socket, &client->agent.path[client->agent.selected].remote, data,
                size);
    return 0;
}

int ck_tclient_send_protected(struct ck_tclient *client, const void *packet, size_t size, bool rtcp)
{
    uint8_t copy[DATAGRAM_MAX];
    if (!client->guarded) {
        return CK_E_CONFLICT;
    }
    if (size > PACKET_MAX) {
        return CK_E_LIMIT;
    }
    memcpy(copy, packet, size);
    int error = guard_protect(&client->guard, copy, &size, rtcp);
    if (error == 0) {
        client_emit_selected(client, copy, size);
    }
    return error;
}

uint32_t ck_tclient_ssrc(const struct ck_tclient *client, unsigned kind)
{
    return client->out[kind].ssrc;
}

int ck_tclient_address(const struct ck_tclient *client, struct sockaddr_storage *address)
{
    socklen_t size = sizeof *address;
    return getsockname(client->socket, (struct sockaddr *)address, &size) == 0 ? 0 : -errno;
}

int ck_tclient_server(const struct ck_tclient *client, struct sockaddr_storage *address)
{
    if (client->agent.paths == 0) {
        return CK_E_NOT_FOUND;
    }
    *address = client->agent.path[client->agent.selected].remote;
    return 0;
}

const char *ck_tclient_ice_username(const struct ck_tclient *client)
{
    return client->agent.username;
}

const char *ck_tclient_ice_password(const struct ck_tclient *client)
{
    return client->agent.remote_pwd;
}

const struct ck_tclient_stats *ck_tclient_stats(const struct ck_tclient *client)
{
    return &client->stats;
}

int ck_tclient_plain(struct ck_tclient *client, const struct sockaddr *server,
                     const uint8_t keys[static 56])
{
    int error = guard_init(&client->guard, CK_TCLIENT_GCM_128, keys);
    if (error != 0) {
        return error;
    }
    memset(&client->agent.path[0], 0, sizeof client->agent.path[0]);
    memcpy(&client->agent.path[0].remote, server,
           server->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                         : sizeof(struct sockaddr_in));
    client->agent.paths = 1;
    client->agent.chosen = true;
    client->plain = true;
    client->guarded = true;
    client->phase = PHASE_RUNNING;
    client->stats.profile = CK_TCLIENT_GCM_128;
    sender_start(client);
    return 0;
}

uint64_t ck_tclient_lost(const struct ck_tclient *to, const struct ck_tclient *from, unsigned kind,
                         uint64_t *before)
{
    const struct ck_account *account = &to->stats.account[kind];
    if (before != NULL) {
        *before = account->any ? account->first : from->stats.sent[kind];
    }
    return ck_account_lost(account, from->stats.sent[kind]);
}

const char *ck_tclient_faults(const struct ck_tclient *client, char text[static 512])
{
    const struct ck_tclient_stats *s = &client->stats;
    const struct ck_account *a = s->account;
    const struct {
        const char *name;
        uint64_t value;
    } faults[] = {
        {"send_fails", s->send_fails},
        {"kernel_drops", s->kernel_drops},
        {"strangers", s->strangers},
        {"unreadable", s->unreadable},
        {"bad_tags", s->bad_tags},
        {"wrong_header", s->wrong_header},
        {"bad_rtcp", s->bad_rtcp},
        {"bad_stun", s->bad_stun},
        {"requests_in", client->config.full_peer ? 0 : s->requests_in},
        {"audio.corrupt", a[0].corrupt},
        {"audio.foreign", a[0].foreign},
        {"audio.duplicates", a[0].duplicates},
        {"audio.late", a[0].late},
        {"audio.time_shifts", a[0].time_shifts},
        {"audio.order_shifts", a[0].order_shifts},
        {"video.corrupt", a[1].corrupt},
        {"video.foreign", a[1].foreign},
        {"video.duplicates", a[1].duplicates},
        {"video.late", a[1].late},
        {"video.time_shifts", a[1].time_shifts},
        {"video.order_shifts", a[1].order_shifts},
    };
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (faults[i].value != 0 && at < 480) {
            int count = snprintf(text + at, 512 - at, "%s=%llu ", faults[i].name,
                                 (unsigned long long)faults[i].value);
            at += (size_t)count;
        }
    }
    return text;
}
