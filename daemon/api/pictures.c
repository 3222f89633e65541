/* Reference photos and thumbnails. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "daemon/audit/destroyed.h"
#include "daemon/cases/cases.h"
#include "daemon/core/body.h"
#include "daemon/store/checkin.h"
#include "daemon/store/person.h"
#include "daemon/store/plan.h"
#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define SIDE_MAX 4096 /* pixels of a photo's longer side */

/* Whether a marker begins a frame header (SOF0 to SOF15 without the three that are none). */
static bool is_frame_header(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* Walks the segments of a JPEG (ISO 10918-1 annex B) up to its frame header; what follows is the
 * browser's business. NULL, or what is wrong. */
static const char *jpeg_fault(const uint8_t *bytes, size_t size)
{
    struct ck_reader reader = ck_reader_of(bytes, size);
    if (ck_read_u16(&reader) != 0xffd8) {
        return "is not a JPEG";
    }
    while (!reader.failed) {
        if (ck_read_u8(&reader) != 0xff) {
            return "is a broken JPEG";
        }
        uint8_t marker = ck_read_u8(&reader);
        while (marker == 0xff) {
            marker = ck_read_u8(&reader);
        }
        uint16_t length = ck_read_u16(&reader);
        if (length < 2) {
            return "is a broken JPEG";
        }
        const uint8_t *segment = ck_read_bytes(&reader, length - 2u);
        if (is_frame_header(marker) && segment != NULL && length >= 8) {
            unsigned height = ck_get_u16(segment + 1), width = ck_get_u16(segment + 3);
            return height == 0 || width == 0 || height > SIDE_MAX || width > SIDE_MAX
                       ? "must be at most 4096 pixels wide and high"
                       : NULL;
        }
        if (marker == 0xda) {
            return "is a broken JPEG";
        }
    }
    return "is a cut JPEG";
}

static void on_stored(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
    } else {
        ck_api_answer_json(call, 200, json_object(), NULL);
    }
}

void ck_api_photo_store(struct ck_api_call *call)
{
    const char *type = ck_http_request_field(call->request, CK_HTTP_CONTENT_TYPE);
    if (type == NULL || strcmp(type, "image/jpeg") != 0) {
        ck_api_refuse(call, CK_E_INVALID, "", "Content-Type must be image/jpeg");
        return;
    }
    size_t size = 0;
    const char *bytes = ck_http_request_body(call->request, &size);
    const char *fault = jpeg_fault((const uint8_t *)bytes, size);
    if (fault != NULL) {
        ck_api_refuse(call, CK_E_INVALID, "body", fault);
        return;
    }
    ck_cleanup(ck_freep) char *base64 = malloc(CK_BASE64_SIZE(size));
    if (base64 == NULL) {
        ck_api_answer_error(call, -ENOMEM, NULL);
        return;
    }
    ck_base64_encode(bytes, size, base64);
    ck_api_submit(call, "photo.store",
                  json_pack("{s:I, s:s}", "person", (json_int_t)call->id, "jpeg", base64),
                  on_stored);
}

static int picture(struct ck_store *store, struct ck_api_call *call, int64_t person,
                   int64_t checkin)
{
    struct ck_photo photo;
    bool put_back = false;
    int r = checkin == 0 ? ck_audit_put_back(store, CK_KEEP_PHOTO, person, &put_back)
                         : ck_audit_thumbnail_put_back(store, checkin, &put_back);
    if (r == 0 && put_back) {
        return ck_api_refuse_put_back(call, checkin == 0 ? "photo" : "thumbnail");
    }
    r = r == 0 ? ck_photo_load(store, person, checkin, &photo) : r;
    if (r != 0) {
        return r;
    }
    call->blob_size = photo.size < CK_GCM_TAG_SIZE ? 0 : photo.size - CK_GCM_TAG_SIZE;
    call->blob = malloc(photo.size);
    r = call->blob == NULL ? -ENOMEM
                           : ck_photo_open(call->api->options.master_key, &photo, call->blob);
    ck_photo_clear(&photo);
    return r == CK_E_AUTH ? -EUCLEAN : r;
}

int ck_api_photo_query(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    (void)out;
    struct ck_subject subject;
    bool reserved = false;
    int r = ck_subject_load(store, call->id, &subject);
    r = r == 0 ? ck_checkin_reserved_now(store, call->id, call->actor.staff_id, &reserved) : r;
    if (r == 0 && !reserved &&
        !ck_may_read(&call->actor, subject.unit, subject.inspector, call->id)) {
        return CK_E_DENIED;
    }
    return r == 0 ? picture(store, call, call->id, 0) : r;
}

int ck_api_thumbnail_query(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    (void)out;
    json_t *row = NULL;
    struct ck_scope scope;
    int r = ck_api_read_scope(store, call, "checkin", call->id, &scope);
    r = r == 0 ? ck_query_checkin_row(store, &scope, call->id, &row) : r;
    json_decref(row);
    return r == 0 ? picture(store, call, 0, call->id) : r;
}
