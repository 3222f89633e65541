#include "tests/bench/floor.h"

#include <errno.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define BATCH 64
#define PACKET 2048
#define TAG 16
#define SOURCES 4 /* streams of a leg */

struct source {
    uint32_t ssrc;
    uint32_t roc;
    uint16_t highest;
};

struct direction {
    EVP_CIPHER_CTX *cipher;
    uint8_t salt[12];
    struct source source[SOURCES];
};

struct leg {
    struct direction in;
    struct direction out;
    struct sockaddr_in address;
    size_t peer;
};

struct floor {
    int fd;
    struct leg *legs;
    size_t count;
    uint32_t *table; /* leg index + 1 by a hash of the port */
    uint8_t data[BATCH][PACKET];
    struct sockaddr_in from[BATCH];
    struct iovec in_part[BATCH];
    struct iovec out_part[BATCH];
    struct mmsghdr in[BATCH];
    struct mmsghdr out[BATCH];
    bool gso;
    struct {
        alignas(struct cmsghdr) uint8_t room[CMSG_SPACE(sizeof(uint16_t))];
    } segment[BATCH];
};

/* Key derivation of RFC 3711 section 4.3 with AES-128 and the padded salt of RFC 7714 section 11.
 */
static int derive(const uint8_t *key, const uint8_t *salt, uint8_t label, uint8_t *out, int size)
{
    uint8_t iv[16] = {0};
    static const uint8_t zeros[16];
    int written = 0;
    memcpy(iv, salt, 12);
    iv[7] ^= label;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool good = cipher != NULL &&
                EVP_EncryptInit_ex(cipher, EVP_aes_128_ctr(), NULL, key, iv) == 1 &&
                EVP_EncryptUpdate(cipher, out, &written, zeros, size) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return good ? 0 : -ENOMEM;
}

static int direction_init(struct direction *direction, const uint8_t *key, const uint8_t *salt,
                          bool encrypt)
{
    uint8_t session[16];
    direction->cipher = EVP_CIPHER_CTX_new();
    if (direction->cipher == NULL || derive(key, salt, 0, session, 16) != 0 ||
        derive(key, salt, 2, direction->salt, 12) != 0 ||
        EVP_CipherInit_ex(direction->cipher, EVP_aes_128_gcm(), NULL, session, NULL, encrypt) !=
            1) {
        return -ENOMEM;
    }
    return 0;
}

static struct source *find_source(struct direction *direction, uint32_t ssrc)
{
    for (size_t i = 0; i < SOURCES; i++) {
        if (direction->source[i].ssrc == ssrc) {
            return &direction->source[i];
        }
        if (direction->source[i].ssrc == 0) {
            direction->source[i].ssrc = ssrc;
            return &direction->source[i];
        }
    }
    return NULL;
}

static uint32_t guess_roc(struct source *source, uint16_t sequence)
{
    uint32_t roc = source->roc;
    if (sequence < source->highest && source->highest - sequence > 0x8000) {
        roc++;
    } else if (sequence > source->highest && sequence - source->highest > 0x8000 && roc > 0) {
        return roc - 1;
    }
    source->roc = roc;
    source->highest = sequence;
    return roc;
}

static size_t header_size(const uint8_t *packet, size_t size)
{
    size_t at = 12 + 4 * (size_t)(packet[0] & 15);
    if (packet[0] & 0x10 && size >= at + 4) {
        at += 4 + 4 * (size_t)ck_get_u16(packet + at + 2);
    }
    return at;
}

/* Seals or opens in place. The packet's size without the tag goes in, and the tag lies or comes
 * behind. */
static bool apply(struct direction *direction, uint8_t *packet, size_t head, size_t size,
                  bool encrypt)
{
    uint8_t iv[12] = {0};
    int length = 0;
    struct source *source = find_source(direction, ck_get_u32(packet + 8));
    if (source == NULL) {
        return false;
    }
    memcpy(iv + 2, packet + 8, 4);
    ck_put_u32(iv + 6, guess_roc(source, ck_get_u16(packet + 2)));
    memcpy(iv + 10, packet + 2, 2);
    for (size_t i = 0; i < 12; i++) {
        iv[i] ^= direction->salt[i];
    }
    EVP_CIPHER_CTX *cipher = direction->cipher;
    if (EVP_CipherInit_ex(cipher, NULL, NULL, NULL, iv, encrypt) != 1 ||
        (!encrypt && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG, packet + size) != 1) ||
        EVP_CipherUpdate(cipher, NULL, &length, packet, (int)head) != 1 ||
        EVP_CipherUpdate(cipher, packet + head, &length, packet + head, (int)(size - head)) != 1 ||
        EVP_CipherFinal_ex(cipher, packet + size, &length) != 1) {
        return false;
    }
    return !encrypt || EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG, packet + size) == 1;
}

static struct leg *find_leg(const struct floor *relay, const struct sockaddr_in *from)
{
    uint32_t index = relay->table[ntohs(from->sin_port)];
    return index == 0 ? NULL : &relay->legs[index - 1];
}

/* Turns one packet into the peer's; false where it is not one. */
static bool pass(struct floor *relay, size_t i, size_t size, struct mmsghdr *out,
                 struct iovec *part)
{
    uint8_t *packet = relay->data[i];
    struct leg *leg = find_leg(relay, &relay->from[i]);
    if (leg == NULL || size < 12 + TAG || (packet[1] >= 192 && packet[1] < 224)) {
        return false;
    }
    struct leg *peer = &relay->legs[leg->peer];
    size_t head = header_size(packet, size);
    if (head > size - TAG || !apply(&leg->in, packet, head, size - TAG, false) ||
        !apply(&peer->out, packet, head, size - TAG, true)) {
        return false;
    }
    *part = (struct iovec){packet, size};
    out->msg_hdr = (struct msghdr){.msg_name = &peer->address,
                                   .msg_namelen = sizeof peer->address,
                                   .msg_iov = part,
                                   .msg_iovlen = 1};
    return true;
}

/* Puts neighbours to one peer into one message each; how many messages are left. */
static unsigned join_runs(struct floor *relay, unsigned ready)
{
    unsigned made = 0;
    for (unsigned i = 0; i < ready; made++) {
        struct msghdr *header = &relay->out[made].msg_hdr;
        *header = relay->out[i].msg_hdr;
        size_t size = relay->out_part[i].iov_len;
        size_t last = size;
        unsigned count = 1;
        while (i + count < ready && last == size &&
               relay->out[i + count].msg_hdr.msg_name == header->msg_name &&
               relay->out_part[i + count].iov_len <= size) {
            last = relay->out_part[i + count].iov_len;
            count++;
        }
        header->msg_iov = &relay->out_part[i];
        header->msg_iovlen = count;
        if (count > 1) {
            uint16_t step = (uint16_t)size;
            header->msg_control = &relay->segment[made];
            header->msg_controllen = sizeof relay->segment[made].room;
            struct cmsghdr *c = CMSG_FIRSTHDR(header);
            *c = (struct cmsghdr){CMSG_LEN(sizeof step), SOL_UDP, UDP_SEGMENT};
            memcpy(CMSG_DATA(c), &step, sizeof step);
        }
        i += count;
    }
    return made;
}

static void turn(struct floor *relay)
{
    for (size_t i = 0; i < BATCH; i++) {
        relay->in_part[i] = (struct iovec){relay->data[i], PACKET - TAG};
        relay->in[i].msg_hdr = (struct msghdr){.msg_name = &relay->from[i],
                                               .msg_namelen = sizeof relay->from[i],
                                               .msg_iov = &relay->in_part[i],
                                               .msg_iovlen = 1};
    }
    int count = recvmmsg(relay->fd, relay->in, BATCH, MSG_DONTWAIT, NULL);
    unsigned ready = 0;
    for (int i = 0; i < count; i++) {
        if (pass(relay, (size_t)i, relay->in[i].msg_len, &relay->out[ready],
                 &relay->out_part[ready])) {
            ready++;
        }
    }
    ready = relay->gso ? join_runs(relay, ready) : ready;
    for (unsigned sent = 0; sent < ready;) {
        int done = sendmmsg(relay->fd, relay->out + sent, ready - sent, 0);
        sent += done > 0 ? (unsigned)done : 1;
    }
}

static int set_up(struct floor *relay, const struct ck_floor_leg *legs, size_t count)
{
    relay->legs = calloc(count, sizeof *relay->legs);
    relay->table = calloc(65536, sizeof *relay->table);
    if (relay->legs == NULL || relay->table == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct leg *leg = &relay->legs[i];
        const uint8_t *keys = legs[i].keys;
        leg->address = legs[i].address;
        leg->peer = legs[i].peer;
        relay->table[ntohs(leg->address.sin_port)] = (uint32_t)i + 1;
        relay->count++;
        int error = direction_init(&leg->in, keys, keys + 32, false);
        error = error != 0 ? error : direction_init(&leg->out, keys + 16, keys + 44, true);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static void tear_down(struct floor *relay)
{
    for (size_t i = 0; i < relay->count; i++) {
        EVP_CIPHER_CTX_free(relay->legs[i].in.cipher);
        EVP_CIPHER_CTX_free(relay->legs[i].out.cipher);
    }
    free(relay->legs);
    free(relay->table);
    free(relay);
}

int ck_floor_run(int fd, const struct ck_floor_leg *legs, size_t count, bool gso, int stop_fd)
{
    struct floor *relay = calloc(1, sizeof *relay);
    if (relay == NULL) {
        return -ENOMEM;
    }
    relay->fd = fd;
    relay->gso = gso;
    int error = set_up(relay, legs, count);
    struct pollfd wait[2] = {{.fd = fd, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
    while (error == 0 && wait[1].revents == 0) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR) {
            error = -errno;
        } else if (wait[0].revents != 0) {
            turn(relay);
        }
    }
    tear_down(relay);
    return error;
}

/* --- hot --------------------------------------------------------------------------------------
 */

#define HOT_BATCH 32
#define HOT_LARGE 1100
#define HOT_SMALL 80

static size_t hot_size(unsigned i)
{
    return 12 + (i * 68 % 118 < 68 ? HOT_LARGE : HOT_SMALL);
}

/* One client that talks to itself through the relay. */
struct hot {
    int client;
    int server;
    struct ck_floor_leg leg;
    struct direction out;
    uint16_t sequence;
    struct floor *relay;
};

static bool hot_open(struct hot *hot)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    hot->client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    hot->server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (hot->client < 0 || hot->server < 0 ||
        bind(hot->server, (struct sockaddr *)&at, size) != 0 ||
        getsockname(hot->server, (struct sockaddr *)&at, &size) != 0 ||
        connect(hot->client, (struct sockaddr *)&at, size) != 0 ||
        getsockname(hot->client, (struct sockaddr *)&hot->leg.address, &size) != 0) {
        return false;
    }
    hot->relay = calloc(1, sizeof *hot->relay);
    if (hot->relay == NULL || set_up(hot->relay, &hot->leg, 1) != 0) {
        return false;
    }
    hot->relay->fd = hot->server;
    return direction_init(&hot->out, hot->leg.keys, hot->leg.keys + 32, true) == 0;
}

static void hot_send(struct hot *hot)
{
    uint8_t packet[PACKET];
    for (unsigned i = 0; i < HOT_BATCH; i++) {
        size_t size = hot_size(hot->sequence);
        memset(packet, 0, size);
        packet[0] = 0x80;
        packet[1] = 96;
        ck_put_u16(packet + 2, hot->sequence++);
        ck_put_u32(packet + 8, 1);
        apply(&hot->out, packet, 12, size, true);
        (void)send(hot->client, packet, size + TAG, 0);
    }
}

static double cpu_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

double ck_floor_hot(unsigned packets)
{
    struct hot hot = {.client = -1, .server = -1};
    double us = hot_open(&hot) ? 0 : -1;
    unsigned relayed = 0;
    while (us >= 0 && relayed < packets) {
        uint8_t packet[PACKET];
        hot_send(&hot);
        double from = cpu_us();
        turn(hot.relay);
        us += cpu_us() - from;
        while (recv(hot.client, packet, sizeof packet, MSG_DONTWAIT) > 0) {
            relayed++;
        }
    }
    if (hot.relay != NULL) {
        tear_down(hot.relay);
    }
    EVP_CIPHER_CTX_free(hot.out.cipher);
    ck_closep(&hot.client);
    ck_closep(&hot.server);
    return us < 0 ? us : us / relayed;
}
