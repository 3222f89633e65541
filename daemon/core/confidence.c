#include "daemon/core/confidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/confidence.h"
#include "protocol/base/cleanup.h"

bool ck_is_restricted(enum ck_incident_kind kind)
{
    return kind == CK_INCIDENT_SAFETY || kind == CK_INCIDENT_CONCERN;
}

int ck_confide(struct ck_turn *turn, int64_t person, const char *text, int64_t *id)
{
    struct ck_sealed sealed;
    int r = ck_confidence_next_id(ck_turn_store(turn), id);
    r = r == 0 ? ck_sealed_make(turn, CK_PURPOSE_CONFIDENCE, *id, text, &sealed) : r;
    if (r != 0) {
        return r;
    }
    const struct ck_confidence_row row = {.id = *id,
                                          .person = person,
                                          .key = sealed.wrapped,
                                          .key_size = sizeof sealed.wrapped,
                                          .nonce = sealed.nonce,
                                          .sealed = sealed.bytes,
                                          .size = sealed.size};
    r = ck_confidence_insert(ck_turn_store(turn), &row, ck_turn_now(turn));
    free(sealed.bytes);
    return r;
}

static int open_row(const uint8_t *master, json_t *row, const char *member, bool *opened)
{
    const json_t *confided = json_object_get(row, "confided");
    int64_t id = json_integer_value(confided);
    bool is = json_is_integer(confided);
    char *text = NULL;
    json_object_del(row, "confided");
    /* A row without a text of this kind has the members, too, as null. */
    int r = ck_sealed_open(master, CK_PURPOSE_CONFIDENCE, id, row, &text);
    if (r != 0 || !is) {
        return r;
    }
    if (text != NULL && opened != NULL) {
        *opened = true;
    }
    r = json_object_set_new(row, member, json_string(text == NULL ? "" : text));
    ck_wipe(text, text == NULL ? 0 : strlen(text));
    free(text);
    return r == 0 ? 0 : -ENOMEM;
}

int ck_confided_open(const uint8_t master[static CK_KEY_SIZE], json_t *list, const char *member,
                     bool *opened)
{
    size_t index;
    json_t *row;
    int r = 0;
    json_array_foreach(list, index, row)
    {
        r = r == 0 ? open_row(master, row, member, opened) : r;
    }
    return r;
}
