#include "tests/bench/siblings.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/base/bytes.h"

#define HEADER 12
#define LARGE 1100
#define SMALL 80
#define ROOM (HEADER + LARGE + CK_SRTP_OVERHEAD)

struct session {
    struct ck_srtp *peer; /* protects what `in` takes */
    struct ck_srtp *in;
    struct ck_srtp *out;
    uint16_t sequence;
};

static double cpu_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static int open_session(const struct ck_srtp_engine *engine, struct session *session, unsigned n)
{
    struct ck_srtp_keys keys = {.key = {(uint8_t)n, (uint8_t)(n >> 8)}, .salt = {1}};
    const enum ck_srtp_profile profile = CK_SRTP_AEAD_AES_128_GCM;
    int error = engine->create(&session->peer, profile, CK_SRTP_OUT, &keys);
    if (error == 0) {
        error = engine->create(&session->in, profile, CK_SRTP_IN, &keys);
    }
    return error != 0 ? error : engine->create(&session->out, profile, CK_SRTP_OUT, &keys);
}

/* One packet through one session; its share of the time is added. */
static int pass(const struct ck_srtp_engine *engine, struct session *session, double *us)
{
    static uint8_t in[ROOM];
    static uint8_t out[ROOM];
    size_t size = 0;
    size_t payload = session->sequence % 118 < 68 ? LARGE : SMALL;
    memset(in, 0, HEADER);
    in[0] = 0x80;
    in[1] = 96;
    ck_put_u16(in + 2, session->sequence++);
    ck_put_u32(in + 8, 1);
    memcpy(out, in, HEADER);
    int error = engine->protect(session->peer, in, HEADER, in + HEADER, payload, &size);
    double from = cpu_us();
    if (error == 0) {
        error = engine->unprotect(session->in, in, &size);
    }
    if (error == 0) {
        error = engine->protect(session->out, out, HEADER, in + HEADER, payload, &size);
    }
    *us += cpu_us() - from;
    return error;
}

double ck_siblings_us(const struct ck_srtp_engine *engine, unsigned sessions, unsigned packets)
{
    struct session *all = calloc(sessions, sizeof *all);
    double us = 0;
    int error = all == NULL ? -1 : engine->start();
    for (unsigned i = 0; error == 0 && i < sessions; i++) {
        error = open_session(engine, &all[i], i);
    }
    for (unsigned i = 0; error == 0 && i < packets; i++) {
        error = pass(engine, &all[i % sessions], &us);
    }
    for (unsigned i = 0; all != NULL && i < sessions; i++) {
        engine->destroy(all[i].peer);
        engine->destroy(all[i].in);
        engine->destroy(all[i].out);
    }
    engine->stop();
    free(all);
    return error != 0 ? -1 : us / packets;
}
