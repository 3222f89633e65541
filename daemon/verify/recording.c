#include "daemon/verify/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/verify/input.h"
#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define HEADS_MAX 256
#define NUMBER_AT 16 /* where the recording's number stands in a sealed file */

static int read_memory(void *user, uint64_t offset, void *to, size_t size)
{
    memcpy(to, (const uint8_t *)user + offset, size);
    return 0;
}

static const char *fault_name(enum ck_seal_fault fault)
{
    static const char *const names[] = {
        [CK_SEAL_SOUND] = "sound",         [CK_SEAL_NOT_SEALED] = "changed",
        [CK_SEAL_FOREIGN] = "foreign",     [CK_SEAL_CHANGED] = "changed",
        [CK_SEAL_MISSING] = "missing",     [CK_SEAL_REPLAYED] = "replayed",
        [CK_SEAL_TRUNCATED] = "truncated", [CK_SEAL_OTHER_CHAIN] = "chain",
    };
    return names[fault];
}

bool ck_verify_sealed(const uint8_t *bytes, size_t size, uint64_t recording, const uint8_t *key,
                      const struct ck_seal_head *heads, size_t head_count, const char *name,
                      struct ck_verdict *verdict, struct ck_seal_report *report)
{
    const struct ck_seal_source source = {
        .read = read_memory, .user = (void *)(uintptr_t)bytes, .size = size};
    int r = ck_seal_verify(&source, recording, key, heads, head_count, report);
    if (r != 0) {
        ck_verdict_find(verdict, "changed", "%s cannot be read: %s", name, ck_error_text(r));
        return false;
    }
    if (report->fault != CK_SEAL_SOUND) {
        ck_verdict_find(verdict, fault_name(report->fault),
                        "%s: chunk %" PRIu64 " at byte %" PRIu64 ": %s", name, report->chunk,
                        report->offset, ck_seal_fault_text(report->fault));
        return false;
    }
    return true;
}

static bool read_head(const char *text, struct ck_seal_head *head)
{
    char *end;
    errno = 0;
    head->chunks = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != ':') {
        return false;
    }
    const char *bytes = end + 1;
    head->bytes = strtoull(bytes, &end, 10);
    return errno == 0 && end != bytes && *end == ':' &&
           ck_hex_decode(end + 1, head->hash, sizeof head->hash) == 0;
}

static int by_chunks(const void *a, const void *b)
{
    const struct ck_seal_head *first = a, *second = b;
    return first->chunks < second->chunks ? -1 : first->chunks > second->chunks;
}

static int read_key(const char *path, uint8_t key[static CK_KEY_SIZE])
{
    char text[CK_HEX_SIZE(CK_KEY_SIZE) + 2];
    size_t size = 0;
    int r = ck_input_read(path, text, sizeof text - 1, &size);
    if (r == 0) {
        text[size] = '\0';
        text[strcspn(text, "\r\n")] = '\0';
        r = ck_hex_decode(text, key, CK_KEY_SIZE) == 0 ? 0 : CK_E_INVALID;
    }
    return r;
}

static void conclude(const struct ck_seal_report *report, bool opened, size_t heads,
                     struct ck_verdict *verdict)
{
    ck_verdict_proven(verdict, "%" PRIu64 " chunks follow each other unchanged%s", report->chunk,
                      opened ? ", and each was sealed with the recording's key" : "");
    if (heads > 0) {
        ck_verdict_proven(verdict, "they are those of %zu heads given", heads);
    } else {
        ck_verdict_not_proven(verdict, "that it is the chain of the log: no head was given");
    }
    if (!opened) {
        ck_verdict_not_proven(verdict, "what it shows: it was not opened (--unseal)");
    }
    if (report->recovered) {
        ck_verdict_not_proven(
            verdict, "that it is whole: it was cut off and recovered; %" PRIu64 " bytes were torn",
            report->lost_bytes);
    }
}

int ck_verify_recording(const char *path, const char *key_path, char *const *heads, size_t count,
                        struct ck_verdict *verdict)
{
    struct ck_seal_head anchors[HEADS_MAX];
    uint8_t key[CK_KEY_SIZE];
    struct ck_seal_report report;
    struct ck_input input;
    if (count > HEADS_MAX) {
        return CK_E_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_head(heads[i], &anchors[i])) {
            fprintf(stderr, "checkin-verify: '%s' is no head of the form CHUNKS:BYTES:HASH\n",
                    heads[i]);
            return CK_E_INVALID;
        }
    }
    qsort(anchors, count, sizeof anchors[0], by_chunks);
    int r = key_path == NULL ? 0 : read_key(key_path, key);
    r = r == 0 ? ck_input_map(path, &input) : r;
    if (r != 0) {
        return r;
    }
    uint64_t number = input.size < NUMBER_AT + 8 ? 0 : ck_get_u64(input.bytes + NUMBER_AT);
    if (ck_verify_sealed(input.bytes, input.size, number, key_path == NULL ? NULL : key, anchors,
                         count, path, verdict, &report)) {
        conclude(&report, key_path != NULL, count, verdict);
    }
    ck_input_unmap(&input);
    return 0;
}
