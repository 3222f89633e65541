/* The full ICE agent: checks on every candidate of the answer, regular nomination, consent. It
 * controls, but for a peer that is a full agent too and made the offer. */
#include <netinet/in.h>
#include <string.h>

#include "tests/client/client_impl.h"

#define FIRST_RTO_US 50000
#define LAST_RTO_US 800000
#define DEFAULT_CHECK_US 2000000
#define DEFAULT_CONSENT_US 30000000
#define PRIORITY (110U << 24 | 65535U << 8 | 255U) /* peer-reflexive, RFC 8445 section 5.1.2 */

static void ice_word(char *out, size_t size, uint64_t *random)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i + 1 < size; i++) {
        out[i] = letters[ck_tclient_random(random) % 64];
    }
    out[size - 1] = '\0';
}

void agent_credentials(struct credentials *credentials, uint64_t *random)
{
    ice_word(credentials->ufrag, 5, random);
    ice_word(credentials->pwd, 25, random);
}

static void arm(struct ck_tclient *client, int64_t us)
{
    ck_crowd_arm(client->config.crowd, &client->check_timer, client_after(client, us));
}

static void send_check(struct ck_tclient *client, size_t path, bool use_candidate)
{
    struct agent *agent = &client->agent;
    struct check *check = &agent->check[agent->next_check++ % PENDING_CHECKS];
    struct ck_tstun_check message = {
        .type = CK_TSTUN_REQUEST,
        .username = agent->username,
        .password = agent->remote_pwd,
        .priority = PRIORITY,
        .tie_breaker = agent->tie_breaker,
        .controlled = agent->controlled,
        .use_candidate = use_candidate,
    };
    uint8_t out[CK_TSTUN_MAX];
    for (size_t i = 0; i < CK_TSTUN_ID_SIZE; i++) {
        message.id[i] = (uint8_t)ck_tclient_random(&client->random);
    }
    *check = (struct check){.path = path, .use_candidate = use_candidate, .live = true};
    memcpy(check->id, message.id, sizeof check->id);
    size_t size = ck_tstun_write(&message, out);
    int socket = client->next_socket >= 0 ? client->next_socket : client->socket;
    client_emit(client, socket, &agent->path[path].remote, out, size);
    client->stats.checks_sent++;
}

void agent_start(struct ck_tclient *client)
{
    struct agent *agent = &client->agent;
    memset(agent->check, 0, sizeof agent->check);
    agent->nominated = false;
    agent->rto_us = FIRST_RTO_US;
    agent->last_answer_us = ck_crowd_now(client->config.crowd).us;
    for (size_t i = 0; i < agent->paths; i++) {
        agent->path[i].valid = false;
    }
    arm(client, 0);
}

static void check_consent(struct ck_tclient *client)
{
    struct agent *agent = &client->agent;
    int64_t limit = client->config.consent_timeout_us;
    limit = limit != 0 ? limit : DEFAULT_CONSENT_US;
    int64_t silent = ck_crowd_now(client->config.crowd).us - agent->last_answer_us;
    if (silent > limit && !agent->consent_lost) {
        agent->consent_lost = true;
        client_event(client, CK_TCLIENT_CONSENT_LOST);
    }
}

/* The time to the next consent check: RFC 7675 wants it random by a fifth either way. */
static int64_t consent_interval(struct ck_tclient *client)
{
    int64_t base = client->config.check_interval_us;
    base = base != 0 ? base : DEFAULT_CHECK_US;
    return base * (80 + (int64_t)(ck_tclient_random(&client->random) % 41)) / 100;
}

void agent_due(void *arg)
{
    struct ck_tclient *client = arg;
    struct agent *agent = &client->agent;
    if (client->phase != PHASE_RUNNING || client->plain ||
        client_stalls(client, &client->check_timer)) {
        return;
    }
    if (client->silent) {
        arm(client, consent_interval(client));
        return;
    }
    bool any = false;
    for (size_t i = 0; i < agent->paths; i++) {
        any = any || agent->path[i].valid;
    }
    check_consent(client);
    if (!any) {
        for (size_t i = 0; i < agent->paths; i++) {
            send_check(client, i, false);
        }
    } else {
        send_check(client, agent->selected, !agent->nominated && !agent->controlled);
    }
    if (agent->nominated) {
        arm(client, consent_interval(client));
        return;
    }
    arm(client, agent->rto_us);
    agent->rto_us = agent->rto_us * 2 > LAST_RTO_US ? LAST_RTO_US : agent->rto_us * 2;
}

static struct check *find_check(struct agent *agent, const uint8_t id[CK_TSTUN_ID_SIZE])
{
    for (size_t i = 0; i < PENDING_CHECKS; i++) {
        if (agent->check[i].live && memcmp(agent->check[i].id, id, CK_TSTUN_ID_SIZE) == 0) {
            return &agent->check[i];
        }
    }
    return NULL;
}

/* Whether the server saw us where we are: there is no translator between us but the test's own. */
static bool mapped_is_ours(const struct ck_tclient *client, int socket,
                           const struct ck_tstun_seen *seen)
{
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof own;
    if (client->config.via != NULL) {
        return true;
    }
    if (getsockname(socket, (struct sockaddr *)&own, &size) != 0) {
        return false;
    }
    if (own.ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)&own;
        const struct sockaddr_in6 *b = (const struct sockaddr_in6 *)&seen->mapped;
        return b->sin6_family == AF_INET6 && a->sin6_port == b->sin6_port;
    }
    const struct sockaddr_in *a = (const struct sockaddr_in *)&own;
    const struct sockaddr_in *b = (const struct sockaddr_in *)&seen->mapped;
    return b->sin_family == AF_INET && a->sin_port == b->sin_port;
}

static void take_success(struct ck_tclient *client, struct check *check)
{
    struct agent *agent = &client->agent;
    check->live = false;
    client->stats.checks_answered++;
    agent->last_answer_us = ck_crowd_now(client->config.crowd).us;
    agent->consent_lost = false;
    agent->path[check->path].valid = true;
    if (!agent->chosen) {
        agent->chosen = true;
        agent->selected = check->path;
    }
    if (client->stats.ice_us == 0) {
        client->stats.ice_us = agent->last_answer_us;
        client_event(client, CK_TCLIENT_ICE_CONNECTED);
    }
    if (check->use_candidate && !agent->nominated) {
        agent->nominated = true;
        agent->selected = check->path;
        client_event(client, CK_TCLIENT_NOMINATED);
        arm(client, consent_interval(client));
    } else if (!agent->nominated) {
        agent->selected = check->path;
        agent->rto_us = FIRST_RTO_US;
        arm(client, agent->controlled ? FIRST_RTO_US : 0); /* who controls nominates at once */
    }
    if (!client->config.late_dtls || agent->nominated) {
        client_begin_handshake(client);
    }
}

/* A check of a full peer. Its one candidate is our first path. */
static void answer_request(struct ck_tclient *client, const struct ck_tstun_seen *seen, int socket)
{
    struct agent *agent = &client->agent;
    uint8_t out[CK_TSTUN_MAX];
    struct ck_tstun_check answer = {
        .type = CK_TSTUN_SUCCESS,
        .password = agent->local.pwd,
        .mapped = (const struct sockaddr *)&agent->path[0].remote,
    };
    memcpy(answer.id, seen->id, sizeof answer.id);
    size_t size = ck_tstun_write(&answer, out);
    client_emit(client, socket, &agent->path[0].remote, out, size);
    if (agent->controlled && seen->use_candidate && !agent->nominated) {
        agent->nominated = true;
        client_event(client, CK_TCLIENT_NOMINATED);
    }
}

void agent_input(struct ck_tclient *client, const uint8_t *data, size_t size, int socket)
{
    struct ck_tstun_seen seen;
    bool request = size > 1 && data[0] == 0 && data[1] == CK_TSTUN_REQUEST;
    const char *password =
        request && client->config.full_peer ? client->agent.local.pwd : client->agent.remote_pwd;
    if (ck_tstun_read(data, size, password, &seen) != 0) {
        client->stats.bad_stun++;
        return;
    }
    if (seen.type == CK_TSTUN_REQUEST) {
        client->stats.requests_in++;
        if (client->config.full_peer) {
            answer_request(client, &seen, socket);
        }
        return;
    }
    struct check *check = find_check(&client->agent, seen.id);
    if (check == NULL) {
        return; /* an answer that comes late or twice */
    }
    if (seen.type != CK_TSTUN_SUCCESS || !seen.has_integrity || !seen.has_fingerprint ||
        !seen.has_mapped || !mapped_is_ours(client, socket, &seen)) {
        client->stats.bad_stun++;
        return;
    }
    if (socket == client->next_socket) {
        client_adopt_socket(client);
    }
    take_success(client, check);
}
