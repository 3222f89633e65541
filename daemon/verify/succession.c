#include "daemon/verify/succession.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/verify/input.h"
#include "protocol/base/error.h"
#include "protocol/log_key.h"

static int claim(struct ck_succession *succession, const char *line)
{
    struct ck_keys *keys = succession->keys;
    struct ck_note_key key;
    int r = ck_note_key_parse(line, &key);
    if (r != 0 || key.type != CK_NOTE_LOG) {
        return CK_E_SYNTAX;
    }
    if (ck_keys_find(keys, &key) < keys->count) {
        return 0;
    }
    if (keys->count == CK_KEYS_MAX) {
        return CK_E_LIMIT;
    }
    succession->of[keys->count].trusted = false;
    keys->keys[keys->count++] = key;
    return 0;
}

int ck_succession_begin(struct ck_succession *succession, struct ck_keys *keys, const char *path)
{
    char text[CK_KEYS_MAX * CK_NOTE_KEY_TEXT_SIZE + 1], *at = text;
    size_t size = 0;
    *succession = (struct ck_succession){.keys = keys};
    for (size_t i = 0; i < CK_KEYS_MAX; i++) {
        succession->of[i].trusted = true;
        succession->of[i].named = -1;
    }
    int r = ck_input_read(path, text, sizeof text - 1, &size);
    text[size] = '\0';
    for (char *line; r == 0 && (line = strsep(&at, "\n")) != NULL;) {
        r = *line == '\0' ? 0 : claim(succession, line);
    }
    return r == -ENOENT ? 0 : r;
}

void ck_succession_entry(struct ck_succession *succession, const struct ck_leaf *leaf)
{
    struct ck_note_key key;
    size_t at = ck_log_key_named(leaf, &key) ? ck_keys_find(succession->keys, &key)
                                             : succession->keys->count;
    if (at < succession->keys->count && succession->of[at].named < 0) {
        succession->of[at].named = leaf->index;
    }
}

void ck_succession_signed(struct ck_succession *succession, uint64_t logs, uint64_t size)
{
    for (size_t i = 0; i < succession->keys->count; i++) {
        if ((logs >> i & 1) != 0) {
            succession->of[i].count++;
            succession->of[i].covers =
                size > succession->of[i].covers ? size : succession->of[i].covers;
        }
    }
}

/* Whether a trusted key signed the entry that names this one, after its own was named. An earlier
 * key is not trusted again: whoever stole it since could go on with the log. */
static bool is_vouched_for(const struct ck_succession *succession, size_t which)
{
    int64_t named = succession->of[which].named;
    const struct ck_note_key *keys = succession->keys->keys;
    for (size_t i = 0; i < succession->keys->count; i++) {
        if (succession->of[i].trusted && succession->of[i].named >= 0 &&
            succession->of[i].named < named && succession->of[i].covers > (uint64_t)named &&
            strcmp(keys[i].name, keys[which].name) == 0) {
            return true;
        }
    }
    return false;
}

/* Entries that trusted keys signed: among them it is the same who else did. */
static uint64_t covered(const struct ck_succession *succession)
{
    uint64_t covers = 0;
    for (size_t i = 0; i < succession->keys->count; i++) {
        if (succession->of[i].trusted && succession->of[i].covers > covers) {
            covers = succession->of[i].covers;
        }
    }
    return covers;
}

/* An earlier key: named below what is covered, and nothing beyond that is by it. */
static bool is_past(const struct ck_succession *succession, size_t which, uint64_t covers)
{
    int64_t named = succession->of[which].named;
    return named >= 0 && (uint64_t)named < covers && succession->of[which].covers <= covers;
}

/* Until no key is added any more: one vouches for the next. */
static void spread(struct ck_succession *succession)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < succession->keys->count; i++) {
            if (!succession->of[i].trusted && is_vouched_for(succession, i)) {
                succession->of[i].trusted = again = true;
            }
        }
    }
}

void ck_succession_end(struct ck_succession *succession, struct ck_verdict *verdict)
{
    uint64_t before = verdict->findings;
    unsigned count = 0;
    spread(succession);
    uint64_t covers = covered(succession);
    for (size_t i = 0; i < succession->keys->count; i++) {
        count += succession->of[i].count > 0;
        if (!succession->of[i].trusted && succession->of[i].count > 0 &&
            !is_past(succession, i, covers)) {
            char key[CK_NOTE_KEY_TEXT_SIZE];
            ck_note_key_text(&succession->keys->keys[i], key);
            ck_verdict_find(verdict, "forged",
                            "%" PRIu64 " checkpoints are by the key %s, and no key that is trusted "
                            "ever signed that it is the log's from there on",
                            succession->of[i].count, key);
        }
    }
    if (count > 1 && verdict->findings == before) {
        ck_verdict_proven(verdict,
                          "%u keys signed it, and each is one that was given or that the log names "
                          "under a key that is trusted",
                          count);
    }
}
