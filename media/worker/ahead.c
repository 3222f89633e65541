/* What the next packets of a batch will touch is fetched while the present one is worked on.
 *
 * With hundreds of legs nothing of a leg is in a near cache when its packet's turn comes, and one
 * thing leads to the next: path, leg, keys, the other leg, what it sent last. Waiting for memory at
 * each of them was a sixth of what a packet cost. Each step reads only what the step before it
 * fetched. It is only a guess: whatever happens in between, nothing here is relied upon. */
#include "media/worker/worker_impl.h"

#define LINE 64 /* bytes that memory gives at once */

static void fetch(const void *from, size_t size)
{
    const char *at = from;
    for (size_t i = 0; i < size; i += LINE) {
        __builtin_prefetch(at + i, 1);
    }
}

static const struct leg *guess(const struct worker *worker, const struct ck_packet *packet)
{
    if (packet->hint == 0) {
        return NULL;
    }
    uint32_t slot = worker->tuples.tuples[packet->hint - 1].owner;
    return slot == CK_TUPLE_NONE ? NULL : worker->legs[slot];
}

static enum kind kind_of(const struct leg *leg, const struct ck_packet *packet)
{
    return (packet->data[1] & 0x7f) == leg->tracks[VIDEO].type ? VIDEO : AUDIO;
}

static void fetch_leg(struct worker *worker, struct ck_packet *packet, const struct ck_path *path)
{
    packet->hint = ck_tuples_find(&worker->tuples, path) + 1; /* CK_TUPLE_NONE: 0 */
    const struct leg *leg = guess(worker, packet);
    if (leg != NULL) {
        fetch(leg, LINE);
        fetch(&leg->selected, LINE);
        fetch(&leg->in, LINE);
        fetch(&leg->tracks[AUDIO], LINE);
        fetch(&leg->tracks[VIDEO], LINE);
        fetch(&leg->transport_id, LINE);
        fetch(&leg->keys.newest, LINE);
        fetch(&leg->source_count, LINE);
    }
}

static void fetch_streams(const struct leg *leg, const struct ck_packet *packet)
{
    const struct track *track = &leg->tracks[kind_of(leg, packet)];
    fetch(leg->call, sizeof *leg->call);
    fetch(leg->in, 2 * LINE);
    fetch(&track->transit, sizeof track->transit);
    fetch(&leg->record, LINE);
    fetch(&leg->arrivals.at_us[(leg->arrivals.highest + 1) % CK_ARRIVALS_WINDOW], LINE);
    if (track->source >= 0) {
        fetch(&leg->sources[track->source], sizeof leg->sources[0]);
    }
    if (track->kind == VIDEO) {
        fetch(&leg->keys.pictures[leg->keys.newest % CK_KEY_FRAME_PICTURES], LINE);
    }
}

static void fetch_peer(const struct leg *leg, const struct ck_packet *packet)
{
    const struct leg *peer = leg_peer(leg);
    if (peer != NULL) {
        fetch(peer, LINE + 1);
        fetch(&peer->selected, LINE);
        fetch(&peer->in, LINE);
        fetch(&peer->tracks[kind_of(leg, packet)], LINE);
        fetch(&peer->tracks[kind_of(leg, packet)].out, sizeof(struct ck_sender));
    }
}

static void fetch_sender(const struct leg *leg, const struct ck_packet *packet)
{
    const struct leg *peer = leg_peer(leg);
    if (peer != NULL && peer->out != NULL) {
        fetch(peer->out, 2 * LINE);
        ck_sender_ahead(&peer->tracks[kind_of(leg, packet)].out);
    }
}

void ahead_look(void *user, struct ck_packet *packet, const struct ck_path *path, unsigned steps)
{
    struct worker *worker = user;
    if (steps == CK_UDP_AHEAD) {
        fetch_leg(worker, packet, path);
        return;
    }
    const struct leg *leg = guess(worker, packet);
    if (leg == NULL || leg->state != LEG_CONNECTED) {
        return;
    }
    switch (steps) {
    case 3:
        fetch_streams(leg, packet);
        break;
    case 2:
        fetch_peer(leg, packet);
        break;
    default:
        fetch_sender(leg, packet);
    }
}
