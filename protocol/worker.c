#include "protocol/worker.h"

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* Every message is walked by one function that reads or writes, field by field, so that the two
 * directions cannot come apart. */
struct walk {
    bool writing;
    struct ck_reader in;
    struct ck_writer out;
    const char *field; /* the one being walked */
    int error;         /* the first one met */
};

static void fail(struct walk *walk, int error)
{
    if (walk->error == CK_OK) {
        walk->error = error;
    }
}

/* True where the walk is still good; sets the name of the field about to be walked. */
static bool enter(struct walk *walk, const char *field)
{
    if (walk->error != CK_OK) {
        return false;
    }
    walk->field = field;
    return true;
}

static void check_ends(struct walk *walk)
{
    if (walk->out.failed) {
        fail(walk, CK_E_LIMIT);
    } else if (walk->in.failed) {
        fail(walk, CK_E_TRUNCATED);
    }
}

static void walk_range(struct walk *walk, uint64_t value, uint64_t min, uint64_t max)
{
    if (walk->error == CK_OK && (value < min || value > max)) {
        fail(walk, CK_E_INVALID);
    }
}

static void walk_u8(struct walk *walk, const char *field, uint8_t *value, uint8_t min, uint8_t max)
{
    if (!enter(walk, field)) {
        return;
    }
    if (walk->writing) {
        ck_write_u8(&walk->out, *value);
    } else {
        *value = ck_read_u8(&walk->in);
    }
    check_ends(walk);
    walk_range(walk, *value, min, max);
}

static void walk_u16(struct walk *walk, const char *field, uint16_t *value, uint16_t min)
{
    if (!enter(walk, field)) {
        return;
    }
    if (walk->writing) {
        ck_write_u16(&walk->out, *value);
    } else {
        *value = ck_read_u16(&walk->in);
    }
    check_ends(walk);
    walk_range(walk, *value, min, UINT16_MAX);
}

static void walk_u32(struct walk *walk, const char *field, uint32_t *value, uint32_t min,
                     uint32_t max)
{
    if (!enter(walk, field)) {
        return;
    }
    if (walk->writing) {
        ck_write_u32(&walk->out, *value);
    } else {
        *value = ck_read_u32(&walk->in);
    }
    check_ends(walk);
    walk_range(walk, *value, min, max);
}

static void walk_u64(struct walk *walk, const char *field, uint64_t *value, uint64_t min)
{
    if (!enter(walk, field)) {
        return;
    }
    if (walk->writing) {
        ck_write_u64(&walk->out, *value);
    } else {
        *value = ck_read_u64(&walk->in);
    }
    check_ends(walk);
    walk_range(walk, *value, min, UINT64_MAX);
}

static void walk_fixed(struct walk *walk, const char *field, uint8_t *bytes, size_t size)
{
    if (!enter(walk, field)) {
        return;
    }
    if (walk->writing) {
        ck_write_bytes(&walk->out, bytes, size);
    } else {
        const uint8_t *read = ck_read_bytes(&walk->in, size);
        if (read != NULL) {
            memcpy(bytes, read, size);
        }
    }
    check_ends(walk);
}

static void walk_blob(struct walk *walk, const char *field, struct ck_worker_blob *blob, size_t max)
{
    if (!enter(walk, field)) {
        return;
    }
    size_t size = walk->writing ? blob->size : ck_read_u32(&walk->in);
    if (size > max) {
        fail(walk, CK_E_LIMIT);
        return;
    }
    if (walk->writing) {
        ck_write_u32(&walk->out, (uint32_t)size);
        ck_write_bytes(&walk->out, blob->data, size);
    } else {
        blob->data = ck_read_bytes(&walk->in, size);
        blob->size = walk->in.failed ? 0 : size;
    }
    check_ends(walk);
}

static void walk_text(struct walk *walk, const char *field, struct ck_worker_text *text, size_t max)
{
    struct ck_worker_blob blob = {(const uint8_t *)text->data, text->size};
    walk_blob(walk, field, &blob, max);
    if (!walk->writing && walk->error == CK_OK) {
        text->data = (const char *)blob.data;
        text->size = blob.size;
    }
}

static void walk_address(struct walk *walk, const char *field, struct ck_worker_address *address)
{
    walk_u8(walk, field, &address->family, 0, 6);
    if (walk->error == CK_OK && address->family != 0 && address->family != 4 &&
        address->family != 6) {
        fail(walk, CK_E_INVALID);
    }
    walk_fixed(walk, field, address->bytes, sizeof address->bytes);
    walk_u16(walk, field, &address->port, 0);
}

static void walk_duration(struct walk *walk, const char *field, uint32_t *value)
{
    walk_u32(walk, field, value, 0, CK_WORKER_DURATION_MAX_MS);
    if (walk->error == CK_OK && *value != 0 && *value < CK_WORKER_DURATION_MIN_MS) {
        fail(walk, CK_E_INVALID);
    }
}

static void walk_config(struct walk *walk, struct ck_worker_config *config)
{
    walk_u32(walk, "version", &config->version, CK_WORKER_VERSION, CK_WORKER_VERSION);
    walk_u8(walk, "index", &config->index, 0, CK_WORKER_INDEX_MAX);
    walk_u8(walk, "log_level", &config->log_level, CK_WORKER_LOG_ERROR, CK_WORKER_LOG_DEBUG);
    walk_u32(walk, "legs_max", &config->legs_max, 1, CK_WORKER_LEGS_MAX);
    walk_u32(walk, "handshakes_max", &config->handshakes_max, 1, config->legs_max);
    walk_u32(walk, "recordings_max", &config->recordings_max, 0, config->legs_max);
    walk_u32(walk, "ring_bytes_max", &config->ring_bytes_max, 0, UINT32_MAX);
    walk_u64(walk, "memory_bytes_max", &config->memory_bytes_max, 0);
    walk_duration(walk, "suspend_ms", &config->durations.suspend_ms);
    walk_duration(walk, "gone_ms", &config->durations.gone_ms);
    walk_duration(walk, "handshake_ms", &config->durations.handshake_ms);
    walk_duration(walk, "stats_ms", &config->durations.stats_ms);
    walk_duration(walk, "camera_stopped_ms", &config->durations.camera_stopped_ms);
    walk_duration(walk, "head_ms", &config->durations.head_ms);
    walk_address(walk, "listen_v4", &config->listen_v4);
    if (walk->error == CK_OK && config->listen_v4.family == 6) {
        fail(walk, CK_E_INVALID);
    }
    walk_address(walk, "listen_v6", &config->listen_v6);
    if (walk->error == CK_OK && (config->listen_v6.family == 4 ||
                                 config->listen_v4.family + config->listen_v6.family == 0)) {
        fail(walk, CK_E_INVALID);
    }
    walk_u8(walk, "tcp", &config->tcp, 0, 1);
    walk_u8(walk, "advertised", &config->advertised_count, 0, CK_WORKER_ADDRESSES_MAX);
    for (unsigned i = 0; walk->error == CK_OK && i < config->advertised_count; i++) {
        walk_address(walk, "advertised", &config->advertised[i]);
        walk_range(walk, config->advertised[i].family, 4, 6);
    }
}

static void walk_leg_open(struct walk *walk, struct ck_worker_leg_open *open)
{
    walk_u64(walk, "leg", &open->leg, 1);
    walk_u64(walk, "call", &open->call, 1);
    walk_u8(walk, "role", &open->role, CK_WORKER_ROLE_PERSON, CK_WORKER_ROLE_STAFF);
    walk_u32(walk, "video_bitrate_max", &open->video_bitrate_max, CK_WORKER_BITRATE_MIN,
             CK_WORKER_BITRATE_MAX);
    walk_text(walk, "offer", &open->offer, CK_WORKER_SDP_MAX);
}

static void walk_record_start(struct walk *walk, struct ck_worker_record_start *start)
{
    walk_u64(walk, "leg", &start->leg, 1);
    walk_u64(walk, "recording", &start->recording, 1);
    walk_fixed(walk, "key", start->key, sizeof start->key);
    walk_blob(walk, "context", &start->context, CK_WORKER_CONTEXT_MAX);
}

static void walk_ready(struct walk *walk, struct ck_worker_ready *ready)
{
    walk_u32(walk, "version", &ready->version, CK_WORKER_VERSION, CK_WORKER_VERSION);
    walk_u16(walk, "port_v4", &ready->port_v4, 0);
    walk_u16(walk, "port_v6", &ready->port_v6, 0);
    walk_u16(walk, "tcp_port_v4", &ready->tcp_port_v4, 0);
    walk_u16(walk, "tcp_port_v6", &ready->tcp_port_v6, 0);
    walk_u32(walk, "legs_max", &ready->legs_max, 1, CK_WORKER_LEGS_MAX);
    walk_u32(walk, "handshakes_max", &ready->handshakes_max, 1, CK_WORKER_LEGS_MAX);
    walk_u32(walk, "recordings_max", &ready->recordings_max, 0, CK_WORKER_LEGS_MAX);
    walk_text(walk, "library", &ready->library, CK_WORKER_TEXT_MAX);
}

static void walk_heartbeat(struct walk *walk, struct ck_worker_heartbeat *beat)
{
    walk_u32(walk, "legs", &beat->legs, 0, UINT32_MAX);
    walk_u32(walk, "handshakes", &beat->handshakes, 0, UINT32_MAX);
    walk_u32(walk, "recordings", &beat->recordings, 0, UINT32_MAX);
    walk_u32(walk, "legs_free", &beat->legs_free, 0, UINT32_MAX);
    walk_u64(walk, "cpu_us", &beat->cpu_us, 0);
    walk_u64(walk, "lag_us", &beat->lag_us, 0);
    walk_u64(walk, "packets_in", &beat->packets_in, 0);
    walk_u64(walk, "packets_out", &beat->packets_out, 0);
    walk_u64(walk, "bytes_in", &beat->bytes_in, 0);
    walk_u64(walk, "bytes_out", &beat->bytes_out, 0);
    walk_u64(walk, "dropped", &beat->dropped, 0);
    walk_u64(walk, "socket_lost", &beat->socket_lost, 0);
    walk_u64(walk, "ring_bytes", &beat->ring_bytes, 0);
}

static void walk_leg_refused(struct walk *walk, struct ck_worker_leg_refused *refused)
{
    walk_u64(walk, "leg", &refused->leg, 1);
    walk_u16(walk, "code", &refused->code, 1);
    walk_u32(walk, "line", &refused->line, 0, UINT32_MAX);
    walk_u32(walk, "retry_after_ms", &refused->retry_after_ms, 0, UINT32_MAX);
    walk_text(walk, "message", &refused->message, CK_WORKER_TEXT_MAX);
}

static void walk_leg_event(struct walk *walk, struct ck_worker_leg_event *event)
{
    walk_u64(walk, "leg", &event->leg, 1);
    walk_u16(walk, "event", &event->event, 1);
    walk_u32(walk, "detail", &event->detail, 0, UINT32_MAX);
    walk_u32(walk, "elapsed_ms", &event->elapsed_ms, 0, UINT32_MAX);
}

static void walk_flow(struct walk *walk, const char *field, struct ck_worker_flow *flow)
{
    walk_u64(walk, field, &flow->packets, 0);
    walk_u64(walk, field, &flow->bytes, 0);
    walk_u32(walk, field, &flow->lost, 0, UINT32_MAX);
    walk_u32(walk, field, &flow->nacked, 0, UINT32_MAX);
    walk_u32(walk, field, &flow->recovered, 0, UINT32_MAX);
    walk_u32(walk, field, &flow->bitrate, 0, UINT32_MAX);
    walk_u32(walk, field, &flow->jitter_us, 0, UINT32_MAX);
    walk_u32(walk, field, &flow->rtt_us, 0, UINT32_MAX);
}

static void walk_leg_stats(struct walk *walk, struct ck_worker_leg_stats *stats)
{
    walk_u64(walk, "leg", &stats->leg, 1);
    walk_u32(walk, "key_frames", &stats->key_frames, 0, UINT32_MAX);
    walk_u32(walk, "plis_sent", &stats->plis_sent, 0, UINT32_MAX);
    walk_u16(walk, "width", &stats->width, 0);
    walk_u16(walk, "height", &stats->height, 0);
    walk_u32(walk, "bitrate_allowed", &stats->bitrate_allowed, 0, UINT32_MAX);
    walk_flow(walk, "audio_in", &stats->audio_in);
    walk_flow(walk, "video_in", &stats->video_in);
    walk_flow(walk, "audio_out", &stats->audio_out);
    walk_flow(walk, "video_out", &stats->video_out);
}

static void walk_record_head(struct walk *walk, struct ck_worker_record_head *head)
{
    walk_u64(walk, "leg", &head->leg, 1);
    walk_u64(walk, "recording", &head->recording, 1);
    walk_u8(walk, "reason", &head->reason, CK_WORKER_HEAD_PERIODIC, CK_WORKER_HEAD_CLOSED);
    walk_u64(walk, "chunks", &head->chunks, 0);
    walk_u64(walk, "bytes", &head->bytes, 0);
    walk_fixed(walk, "head", head->head, sizeof head->head);
}

static void walk_record_closed(struct walk *walk, struct ck_worker_record_closed *closed)
{
    walk_u64(walk, "leg", &closed->leg, 1);
    walk_u64(walk, "recording", &closed->recording, 1);
    walk_u64(walk, "chunks", &closed->chunks, 0);
    walk_u64(walk, "bytes", &closed->bytes, 0);
    walk_fixed(walk, "head", closed->head, sizeof closed->head);
    walk_u64(walk, "duration_ms", &closed->duration_ms, 0);
    walk_u32(walk, "gaps", &closed->gaps, 0, UINT32_MAX);
    walk_u64(walk, "gap_ms", &closed->gap_ms, 0);
    walk_u32(walk, "error", &closed->error, 0, UINT32_MAX);
}

static void walk_pause(struct walk *walk, struct ck_worker_record_pause *pause)
{
    walk_u64(walk, "leg", &pause->leg, 1);
    walk_u16(walk, "reason", &pause->reason, 0);
}

static void walk_order(struct walk *walk, struct ck_worker_message *message)
{
    switch (message->kind) {
    case CK_WORKER_CONFIG:
        walk_config(walk, &message->config);
        break;
    case CK_WORKER_LEG_OPEN:
        walk_leg_open(walk, &message->leg_open);
        break;
    case CK_WORKER_LEG_RESTART:
        walk_u64(walk, "leg", &message->leg_restart.leg, 1);
        walk_text(walk, "offer", &message->leg_restart.offer, CK_WORKER_SDP_MAX);
        break;
    case CK_WORKER_LEG_CLOSE:
        walk_u64(walk, "leg", &message->leg_close.leg, 1);
        break;
    case CK_WORKER_RELAY:
        walk_u64(walk, "call", &message->relay.call, 1);
        walk_u8(walk, "on", &message->relay.on, 0, 1);
        break;
    case CK_WORKER_RECORD_START:
        walk_record_start(walk, &message->record_start);
        break;
    case CK_WORKER_RECORD_PAUSE:
        walk_pause(walk, &message->record_pause);
        break;
    case CK_WORKER_RECORD_RESUME:
        walk_pause(walk, &message->record_resume);
        break;
    case CK_WORKER_RECORD_STOP:
        walk_u64(walk, "leg", &message->record_stop.leg, 1);
        break;
    case CK_WORKER_SHUTDOWN:
        walk_u32(walk, "drain_ms", &message->shutdown.drain_ms, 0, UINT32_MAX);
        break;
    default:
        fail(walk, walk->writing ? CK_E_INVALID : CK_E_SYNTAX);
    }
}

static void walk_report(struct walk *walk, struct ck_worker_message *message)
{
    switch (message->kind) {
    case CK_WORKER_READY:
        walk_ready(walk, &message->ready);
        break;
    case CK_WORKER_HEARTBEAT:
        walk_heartbeat(walk, &message->heartbeat);
        break;
    case CK_WORKER_LEG_ANSWER:
        walk_u64(walk, "leg", &message->leg_answer.leg, 1);
        walk_text(walk, "answer", &message->leg_answer.answer, CK_WORKER_SDP_MAX);
        break;
    case CK_WORKER_LEG_REFUSED:
        walk_leg_refused(walk, &message->leg_refused);
        break;
    case CK_WORKER_LEG_EVENT:
        walk_leg_event(walk, &message->leg_event);
        break;
    case CK_WORKER_LEG_STATS:
        walk_leg_stats(walk, &message->leg_stats);
        break;
    case CK_WORKER_RECORD_STARTED:
        walk_u64(walk, "leg", &message->record_started.leg, 1);
        walk_u64(walk, "recording", &message->record_started.recording, 1);
        walk_u64(walk, "wall_ms", &message->record_started.wall_ms, 0);
        break;
    case CK_WORKER_RECORD_HEAD:
        walk_record_head(walk, &message->record_head);
        break;
    case CK_WORKER_RECORD_CLOSED:
        walk_record_closed(walk, &message->record_closed);
        break;
    case CK_WORKER_RECORD_FAILED:
        walk_u64(walk, "leg", &message->record_failed.leg, 1);
        walk_u64(walk, "recording", &message->record_failed.recording, 1);
        walk_u32(walk, "error", &message->record_failed.error, 0, UINT32_MAX);
        break;
    default:
        fail(walk, walk->writing ? CK_E_INVALID : CK_E_SYNTAX);
    }
}

static void walk_message(struct walk *walk, struct ck_worker_message *message)
{
    uint16_t reserved = 0;
    walk_u16(walk, "kind", &message->kind, 0);
    walk_u16(walk, "reserved", &reserved, 0);
    if (walk->error == CK_OK && reserved != 0) {
        fail(walk, CK_E_INVALID);
    }
    if (walk->error != CK_OK) {
        return;
    }
    walk->field = "kind";
    if (message->kind < CK_WORKER_READY) {
        walk_order(walk, message);
    } else {
        walk_report(walk, message);
    }
}

int ck_worker_encode(const struct ck_worker_message *message, void *bytes, size_t capacity,
                     size_t *size, const char **field)
{
    struct walk walk = {.writing = true, .out = ck_writer_of(bytes, capacity)};
    struct ck_worker_message copy = *message;
    walk_message(&walk, &copy);
    if (walk.error != CK_OK) {
        *field = walk.field;
        return walk.error;
    }
    *size = walk.out.size;
    return CK_OK;
}

int ck_worker_decode(const void *bytes, size_t size, struct ck_worker_message *message,
                     const char **field)
{
    struct walk walk = {.in = ck_reader_of(bytes, size)};
    struct ck_worker_message read = {0};
    if (size > CK_WORKER_MESSAGE_MAX) {
        *field = "message";
        return CK_E_LIMIT;
    }
    walk_message(&walk, &read);
    if (walk.error == CK_OK && ck_reader_left(&walk.in) > 0) {
        walk.field = "end";
        walk.error = CK_E_SYNTAX;
    }
    if (walk.error != CK_OK) {
        *field = walk.field;
        return walk.error;
    }
    *message = read;
    return CK_OK;
}

struct ck_worker_text ck_worker_text_of(const char *text)
{
    return (struct ck_worker_text){text, strlen(text)};
}

const char *ck_worker_kind_name(uint16_t kind)
{
    static const char *const names[] = {
        [CK_WORKER_CONFIG] = "CONFIG",
        [CK_WORKER_LEG_OPEN] = "LEG_OPEN",
        [CK_WORKER_LEG_RESTART] = "LEG_RESTART",
        [CK_WORKER_LEG_CLOSE] = "LEG_CLOSE",
        [CK_WORKER_RELAY] = "RELAY",
        [CK_WORKER_RECORD_START] = "RECORD_START",
        [CK_WORKER_RECORD_PAUSE] = "RECORD_PAUSE",
        [CK_WORKER_RECORD_RESUME] = "RECORD_RESUME",
        [CK_WORKER_RECORD_STOP] = "RECORD_STOP",
        [CK_WORKER_SHUTDOWN] = "SHUTDOWN",
        [CK_WORKER_READY] = "READY",
        [CK_WORKER_HEARTBEAT] = "HEARTBEAT",
        [CK_WORKER_LEG_ANSWER] = "LEG_ANSWER",
        [CK_WORKER_LEG_REFUSED] = "LEG_REFUSED",
        [CK_WORKER_LEG_EVENT] = "LEG_EVENT",
        [CK_WORKER_LEG_STATS] = "LEG_STATS",
        [CK_WORKER_RECORD_STARTED] = "RECORD_STARTED",
        [CK_WORKER_RECORD_HEAD] = "RECORD_HEAD",
        [CK_WORKER_RECORD_CLOSED] = "RECORD_CLOSED",
        [CK_WORKER_RECORD_FAILED] = "RECORD_FAILED",
    };
    if (kind >= sizeof names / sizeof names[0] || names[kind] == NULL) {
        return "unknown";
    }
    return names[kind];
}

const char *ck_worker_event_name(uint16_t event)
{
    static const char *const names[] = {
        [CK_WORKER_EVENT_ICE_CONNECTED] = "connected by ICE",
        [CK_WORKER_EVENT_DTLS_CONNECTED] = "connected by DTLS",
        [CK_WORKER_EVENT_FIRST_AUDIO] = "first sound",
        [CK_WORKER_EVENT_FIRST_KEY_FRAME] = "first whole key frame",
        [CK_WORKER_EVENT_CAMERA_STOPPED] = "camera stopped",
        [CK_WORKER_EVENT_CAMERA_BACK] = "camera back",
        [CK_WORKER_EVENT_SUSPENDED] = "suspended",
        [CK_WORKER_EVENT_RESUMED] = "resumed",
        [CK_WORKER_EVENT_PATH_CHANGED] = "path changed",
        [CK_WORKER_EVENT_DTLS_RETRIED] = "handshake begun again",
        [CK_WORKER_EVENT_SSRC_REFUSED] = "too many sources",
        [CK_WORKER_EVENT_GONE] = "gone",
        [CK_WORKER_EVENT_DTLS_FAILED] = "handshake failed",
        [CK_WORKER_EVENT_FINGERPRINT_MISMATCH] = "wrong certificate",
        [CK_WORKER_EVENT_CLOSED_BY_PEER] = "closed by peer",
        [CK_WORKER_EVENT_CLOSED] = "closed",
    };
    if (event >= sizeof names / sizeof names[0] || names[event] == NULL) {
        return "unknown";
    }
    return names[event];
}
