#include "daemon/core/rekey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/wrap.h"
#include "daemon/store/wrapped.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define SETTING "master_key"
#define BATCH 256

/* Purposes in the order of enum ck_wrapped; NULL: in the form of recordings. */
static const char *const purposes[CK_WRAPPED_COUNT] = {
    [CK_WRAPPED_RECORDING] = NULL,
    [CK_WRAPPED_PHOTO] = CK_PURPOSE_PHOTO,
    [CK_WRAPPED_THREAD] = CK_PURPOSE_THREAD,
    [CK_WRAPPED_ASSESSMENT] = CK_PURPOSE_ASSESSMENT,
    [CK_WRAPPED_CONFIDENCE] = CK_PURPOSE_CONFIDENCE,
    [CK_WRAPPED_DRAW_KEY] = CK_PURPOSE_DRAW_KEY,
    [CK_WRAPPED_TOTP] = CK_PURPOSE_TOTP,
    [CK_WRAPPED_TOTP_PENDING] = CK_PURPOSE_TOTP,
};

struct change {
    struct ck_store *store;
    const uint8_t *from, *to;
    void (*random)(void *user, void *bytes, size_t size);
    void *user;
    int64_t keys;
};

int ck_key_name(const uint8_t master[static CK_KEY_SIZE], char name[static CK_KEY_NAME_SIZE])
{
    uint8_t id[CK_SEAL_KEY_ID_SIZE];
    int r = ck_seal_key_id(master, id);
    if (r == 0) {
        ck_hex_encode(id, sizeof id, name);
    }
    return r;
}

static int wrap_anew(const struct change *change, const char *purpose, struct ck_wrapped_row *row)
{
    uint8_t key[CK_KEY_SIZE], nonce[CK_GCM_NONCE_SIZE];
    int r = purpose == NULL
                ? ck_seal_unwrap(change->from, (uint64_t)row->id, row->bytes, row->size, key)
                : ck_key_unwrap(change->from, purpose, row->id, row->bytes, row->size, key);
    if (r == 0) {
        change->random(change->user, nonce, sizeof nonce);
        r = purpose == NULL ? ck_seal_wrap(change->to, (uint64_t)row->id, nonce, key, row->bytes)
                            : ck_key_wrap(change->to, purpose, row->id, nonce, key, row->bytes);
    }
    ck_wipe(key, sizeof key);
    return r > 0 ? -EUCLEAN : r;
}

static int change_column(struct change *change, enum ck_wrapped wrapped,
                         struct ck_wrapped_row *rows)
{
    int64_t after = INT64_MIN;
    size_t count = BATCH;
    int r = 0;
    while (r == 0 && count == BATCH) {
        r = ck_wrapped_list(change->store, wrapped, after, rows, BATCH, &count);
        for (size_t i = 0; r == 0 && i < count; i++) {
            r = wrap_anew(change, purposes[wrapped], &rows[i]);
            r = r == 0 ? ck_wrapped_save(change->store, wrapped, &rows[i]) : r;
            after = rows[i].id;
            change->keys++;
        }
    }
    return r;
}

static int change_all(struct change *change, struct ck_rekey *rekey)
{
    struct ck_wrapped_row *rows = calloc(BATCH, sizeof *rows);
    int r = rows == NULL ? -ENOMEM : 0;
    for (int wrapped = 0; r == 0 && wrapped < CK_WRAPPED_COUNT; wrapped++) {
        r = change_column(change, (enum ck_wrapped)wrapped, rows);
        if (r == -EUCLEAN) {
            snprintf(rekey->from, sizeof rekey->from, "%.*s", CK_KEY_NAME_SIZE - 1,
                     ck_wrapped_name((enum ck_wrapped)wrapped));
        }
    }
    free(rows);
    return r;
}

int ck_rekey(struct ck_store *store, const uint8_t master[static CK_KEY_SIZE], const uint8_t *old,
             void (*random)(void *user, void *bytes, size_t size), void *user,
             struct ck_rekey *rekey)
{
    ck_cleanup(ck_freep) char *noted = NULL;
    *rekey = (struct ck_rekey){.rotated = false};
    int r = ck_key_name(master, rekey->to);
    r = r == 0 && old != NULL ? ck_key_name(old, rekey->from) : r;
    r = r == 0 ? ck_store_setting(store, SETTING, &noted) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_store_set_setting(store, SETTING, rekey->to); /* a new store */
    }
    if (r != 0 || strcmp(noted, rekey->to) == 0) {
        return r;
    }
    if (old == NULL || strcmp(noted, rekey->from) != 0) {
        snprintf(rekey->from, sizeof rekey->from, "%s", noted);
        return CK_E_AUTH;
    }
    struct change change = {
        .store = store, .from = old, .to = master, .random = random, .user = user};
    r = change_all(&change, rekey);
    r = r == 0 ? ck_store_set_setting(store, SETTING, rekey->to) : r;
    if (r == 0) {
        rekey->rotated = true;
        rekey->keys = change.keys;
    }
    return r;
}
