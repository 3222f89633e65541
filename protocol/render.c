#include "protocol/render.h"

#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

#define QUALITY_MAX 100
#define OFFSET_MAX_MIN (14 * 60)
#define TRACKS_ALL (CK_RENDER_TRACK_AUDIO | CK_RENDER_TRACK_VIDEO)

size_t ck_render_fds(const struct ck_render_message *message)
{
    switch (message->kind) {
    case CK_RENDER_THUMBNAIL:
    case CK_RENDER_PAPER:
        return 2;
    case CK_RENDER_MEASURES:
        return 1;
    case CK_RENDER_EXPORT:
        return message->export.count + 1u;
    default:
        return 0;
    }
}

struct ck_render_text ck_render_text_of(const char *text)
{
    return (struct ck_render_text){text, strlen(text)};
}

static bool is_size(uint16_t size)
{
    return size >= CK_RENDER_WIDTH_MIN && size <= CK_RENDER_WIDTH_MAX;
}

static int check_spans(const struct ck_render_message *message)
{
    for (uint32_t i = 0; i < message->measured.count; i++) {
        const struct ck_render_span *span = &message->measured.spans[i];
        if (span->measure < CK_RENDER_BLACK || span->measure > CK_RENDER_SILENT ||
            span->until_ms < span->from_ms) {
            return CK_E_INVALID;
        }
    }
    return 0;
}

static int check_export(const struct ck_render_message *message)
{
    if (!is_size(message->export.height) || message->export.count < 1 ||
        message->export.count > CK_RENDER_INPUTS_MAX ||
        message->export.offset_min > OFFSET_MAX_MIN ||
        message->export.offset_min < -OFFSET_MAX_MIN) {
        return CK_E_INVALID;
    }
    unsigned places = 0; /* bit N: place N is taken */
    for (unsigned i = 0; i < message->export.count; i++) {
        const struct ck_render_input *input = &message->export.inputs[i];
        if (input->label.size > CK_RENDER_TEXT_MAX) {
            return CK_E_LIMIT;
        }
        if (input->tracks < 1 || input->tracks > TRACKS_ALL || input->start.ms < 0 ||
            input->start.ms > CK_WALL_NEVER.ms) {
            return CK_E_INVALID;
        }
        if (input->place >= CK_RENDER_PLACES) {
            return CK_E_INVALID;
        }
        places |= 1u << input->place;
    }
    return (places & 1) != 0 ? 0 : CK_E_INVALID;
}

/* The rules for values, the same for both directions. Counts are within their arrays before this.
 */
static int check(const struct ck_render_message *message)
{
    switch (message->kind) {
    case CK_RENDER_THUMBNAIL:
        return is_size(message->thumbnail.width_max) && message->thumbnail.quality >= 1 &&
                       message->thumbnail.quality <= QUALITY_MAX
                   ? 0
                   : CK_E_INVALID;
    case CK_RENDER_MEASURES:
    case CK_RENDER_PAPER:
    case CK_RENDER_DONE:
        return 0;
    case CK_RENDER_EXPORT:
        return check_export(message);
    case CK_RENDER_READY:
        if (message->ready.library.size > CK_RENDER_TEXT_MAX) {
            return CK_E_LIMIT;
        }
        return message->ready.version == CK_RENDER_VERSION ? 0 : CK_E_INVALID;
    case CK_RENDER_MEASURED:
        return check_spans(message);
    case CK_RENDER_FAILED:
        if (message->failed.message.size > CK_RENDER_TEXT_MAX) {
            return CK_E_LIMIT;
        }
        return message->failed.fault >= CK_RENDER_FAULT_INPUT &&
                       message->failed.fault <= CK_RENDER_FAULT_INTERNAL
                   ? 0
                   : CK_E_INVALID;
    default:
        return CK_E_SYNTAX;
    }
}

static void put_text(struct ck_writer *w, const struct ck_render_text *text)
{
    ck_write_u16(w, (uint16_t)text->size);
    ck_write_bytes(w, text->data, text->size);
}

static void put_body(struct ck_writer *w, const struct ck_render_message *message)
{
    switch (message->kind) {
    case CK_RENDER_THUMBNAIL:
        ck_write_u16(w, message->thumbnail.width_max);
        ck_write_u8(w, message->thumbnail.quality);
        break;
    case CK_RENDER_EXPORT:
        ck_write_u16(w, message->export.height);
        ck_write_u16(w, (uint16_t)message->export.offset_min);
        ck_write_u8(w, message->export.count);
        for (unsigned i = 0; i < message->export.count; i++) {
            ck_write_u64(w, (uint64_t)message->export.inputs[i].start.ms);
            ck_write_u8(w, message->export.inputs[i].place);
            ck_write_u8(w, message->export.inputs[i].tracks);
            put_text(w, &message->export.inputs[i].label);
        }
        break;
    case CK_RENDER_READY:
        ck_write_u32(w, message->ready.version);
        put_text(w, &message->ready.library);
        break;
    case CK_RENDER_DONE:
        ck_write_u64(w, message->done.bytes);
        ck_write_u16(w, message->done.width);
        ck_write_u16(w, message->done.height);
        break;
    case CK_RENDER_MEASURED:
        ck_write_u32(w, message->measured.duration_ms);
        ck_write_u32(w, message->measured.count);
        for (uint32_t i = 0; i < message->measured.count; i++) {
            ck_write_u8(w, message->measured.spans[i].measure);
            ck_write_u32(w, message->measured.spans[i].from_ms);
            ck_write_u32(w, message->measured.spans[i].until_ms);
        }
        break;
    case CK_RENDER_FAILED:
        ck_write_u16(w, message->failed.fault);
        put_text(w, &message->failed.message);
        break;
    default:
        break;
    }
}

int ck_render_encode(const struct ck_render_message *message, void *bytes, size_t capacity,
                     size_t *size)
{
    if (message->kind == CK_RENDER_MEASURED && message->measured.count > CK_RENDER_SPANS_MAX) {
        return CK_E_LIMIT;
    }
    int r = check(message);
    if (r != 0) {
        return r == CK_E_SYNTAX ? CK_E_INVALID : r;
    }
    struct ck_writer w = ck_writer_of(bytes, capacity);
    ck_write_u16(&w, message->kind);
    ck_write_u64(&w, message->job);
    put_body(&w, message);
    if (w.failed) {
        return CK_E_LIMIT;
    }
    *size = w.size;
    return 0;
}

static struct ck_render_text get_text(struct ck_reader *r)
{
    struct ck_render_text text = {.size = ck_read_u16(r)};
    text.data = (const char *)ck_read_bytes(r, text.size);
    return text;
}

static void get_export(struct ck_reader *r, struct ck_render_message *message)
{
    message->export.height = ck_read_u16(r);
    message->export.offset_min = (int16_t)ck_read_u16(r);
    message->export.count = ck_read_u8(r);
    for (unsigned i = 0; i < message->export.count && i < CK_RENDER_INPUTS_MAX; i++) {
        message->export.inputs[i].start.ms = (int64_t)ck_read_u64(r);
        message->export.inputs[i].place = ck_read_u8(r);
        message->export.inputs[i].tracks = ck_read_u8(r);
        message->export.inputs[i].label = get_text(r);
    }
}

static void get_measured(struct ck_reader *r, struct ck_render_message *message)
{
    message->measured.duration_ms = ck_read_u32(r);
    message->measured.count = ck_read_u32(r);
    for (uint32_t i = 0; i < message->measured.count && i < CK_RENDER_SPANS_MAX; i++) {
        message->measured.spans[i].measure = ck_read_u8(r);
        message->measured.spans[i].from_ms = ck_read_u32(r);
        message->measured.spans[i].until_ms = ck_read_u32(r);
    }
}

static void get_body(struct ck_reader *r, struct ck_render_message *message)
{
    switch (message->kind) {
    case CK_RENDER_THUMBNAIL:
        message->thumbnail.width_max = ck_read_u16(r);
        message->thumbnail.quality = ck_read_u8(r);
        break;
    case CK_RENDER_EXPORT:
        get_export(r, message);
        break;
    case CK_RENDER_READY:
        message->ready.version = ck_read_u32(r);
        message->ready.library = get_text(r);
        break;
    case CK_RENDER_DONE:
        message->done.bytes = ck_read_u64(r);
        message->done.width = ck_read_u16(r);
        message->done.height = ck_read_u16(r);
        break;
    case CK_RENDER_MEASURED:
        get_measured(r, message);
        break;
    case CK_RENDER_FAILED:
        message->failed.fault = ck_read_u16(r);
        message->failed.message = get_text(r);
        break;
    default:
        break;
    }
}

int ck_render_decode(const void *bytes, size_t size, struct ck_render_message *message)
{
    struct ck_render_message read;
    struct ck_reader r = ck_reader_of(bytes, size);
    memset(&read, 0, sizeof read);
    read.kind = ck_read_u16(&r);
    read.job = ck_read_u64(&r);
    get_body(&r, &read);
    if (r.failed) {
        return CK_E_TRUNCATED;
    }
    if (read.kind == CK_RENDER_MEASURED && read.measured.count > CK_RENDER_SPANS_MAX) {
        return CK_E_LIMIT;
    }
    int result = check(&read);
    if (result == 0 && ck_reader_left(&r) > 0) {
        result = CK_E_SYNTAX;
    }
    if (result == 0) {
        *message = read;
    }
    return result;
}
