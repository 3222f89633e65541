/* Witnesses: at a fixed beat, so that it tells nothing about how much happens, the newest
 * checkpoint goes by mail to whoever keeps it, and to the witnesses that sign; their signatures are
 * kept under the checkpoint. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/tree.h"
#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "daemon/notify/witness.h"
#include "daemon/store/checkpoint.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/note.h"

#define FIRST_MS 10000 /* after the start */

struct ck_witness_beat {
    struct ck_product *product;
    uv_timer_t timer;
    struct ck_witnesses *witnesses;
    uint64_t seen[CK_CONFIG_LIST_MAX]; /* how long a log each of them knows */
    uint64_t mailed;                   /* how long a log was mailed last */
    bool ask_again;                    /* one of them knows another size than we thought */
    bool asking;
    bool closed;
};

static void free_if_over(struct ck_witness_beat *beat)
{
    if (beat->closed && !beat->asking) {
        ck_witnesses_destroy(beat->witnesses);
        free(beat);
    }
}

/* ---- what they are told ---- */

/* In the pool: {note, size, bodies}: for each witness the proof from what it knows. */
static int query(struct ck_store *store, void *argument, json_t **out)
{
    const struct ck_witness_beat *beat = argument;
    const struct ck_merkle_source source = ck_audit_tree_source(store);
    ck_cleanup(ck_freep) char *note = NULL, *text = malloc(CK_PROOF_TEXT_MAX);
    int64_t covers = 0;
    int r = text == NULL ? -ENOMEM : ck_log_checkpoint_covering(store, 0, &covers, &note);
    json_t *bodies = json_array();
    for (size_t i = 0; r == 0 && i < beat->product->config->signer.witness_urls.count; i++) {
        struct ck_merkle_proof proof;
        uint64_t old = beat->seen[i] > (uint64_t)covers ? 0 : beat->seen[i];
        r = ck_merkle_prove_consistency(&source, old, (uint64_t)covers, &proof);
        r = r == 0 ? ck_add_checkpoint_write(old, &proof, note, text, CK_PROOF_TEXT_MAX) : r;
        r = r == 0 && json_array_append_new(bodies, json_string(text)) != 0 ? -ENOMEM : r;
    }
    if (r == 0) {
        *out = json_pack("{s:s, s:I, s:O}", "note", note, "size", (json_int_t)covers, "bodies",
                         bodies);
        r = *out == NULL ? -ENOMEM : 0;
    }
    json_decref(bodies);
    return r;
}

static void tell(struct ck_witness_beat *beat, const json_t *told)
{
    const char *note = json_string_value(json_object_get(told, "note"));
    uint64_t size = (uint64_t)json_integer_value(json_object_get(told, "size"));
    const json_t *body;
    size_t i;
    json_array_foreach(json_object_get(told, "bodies"), i, body)
    {
        if (beat->seen[i] != size &&
            ck_witnesses_ask(beat->witnesses, i, json_string_value(body)) != 0) {
            ck_log_error("a witness is not asked: out of memory");
        }
    }
    if (beat->mailed != size) {
        beat->mailed = size;
        if (ck_witnesses_mail(beat->witnesses, note, size) != 0) {
            ck_log_error("a checkpoint is not mailed: out of memory");
        }
    }
}

static void on_told(void *cookie, int code, json_t *told)
{
    struct ck_witness_beat *beat = cookie;
    beat->asking = false;
    if (code == 0 && !beat->product->stopping) {
        tell(beat, told);
    } else if (code != 0 && code != CK_E_NOT_FOUND && code != -ESHUTDOWN) {
        ck_log_error("witnesses are not told: %s", ck_error_text(code));
    }
    json_decref(told);
    free_if_over(beat);
}

static void begin(struct ck_witness_beat *beat)
{
    if (!beat->asking) {
        beat->asking = ck_readers_run(beat->product->readers, query, beat, on_told, beat) == 0;
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_witness_beat *beat = timer->data;
    beat->ask_again = true;
    begin(beat);
}

/* ---- what they answer ---- */

/* Signature lines, until the checkpoint that they are of was read. */
struct signature {
    struct ck_witness_beat *beat;
    size_t witness;
    char *lines;
};

static void on_kept(void *cookie, const struct ck_result *result)
{
    (void)cookie;
    if (result->code != 0 && result->code != -ESHUTDOWN) {
        ck_log_error("a witness's signature was not kept: %s %s", ck_error_text(result->code),
                     result->refusal.message);
    }
}

/* Which of the checkpoints it is of, only the lines tell: the newest ones are tried. */
static void on_checkpoints(void *cookie, int code, json_t *notes)
{
    struct signature *signature = cookie;
    struct ck_witness_beat *beat = signature->beat;
    const struct ck_actor actor = ck_actor_system();
    const char *witness = NULL;
    char note[CK_NOTE_BYTES_MAX + 1], name[CK_NOTE_NAME_MAX + 1];
    struct ck_checkpoint checkpoint;
    const json_t *item;
    size_t i;
    beat->asking = false;
    json_array_foreach(notes, i, item)
    {
        size_t size = json_string_length(item);
        if (witness == NULL && code == 0 && !beat->product->stopping) {
            memcpy(note, json_string_value(item), size + 1);
            witness = ck_product_add_witness(beat->product->config, note, &size, signature->lines);
        }
    }
    if (witness != NULL && ck_checkpoint_parse(note, strlen(note), &checkpoint) == 0) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(witness, "+"), witness);
        beat->seen[signature->witness] = checkpoint.size;
        ck_bus_submit(beat->product->bus, "log.cosigned", &actor,
                      json_pack("{s:s, s:s}", "note", note, "witness", name), on_kept, NULL);
    } else if (code == 0) {
        ck_log_warning("a witness answered without a signature by a key of [signer] witnesses");
    }
    json_decref(notes);
    free(signature->lines);
    free(signature);
    free_if_over(beat);
}

static int query_notes(struct ck_store *store, void *argument, json_t **out)
{
    (void)argument;
    return ck_log_checkpoint_list(store, out);
}

static void on_answered(void *user, size_t witness, const char *lines, uint64_t size)
{
    struct ck_witness_beat *beat = user;
    if (beat->closed || beat->product->stopping) {
        return;
    }
    if (lines == NULL) {
        bool again = beat->ask_again;
        beat->seen[witness] = size;
        beat->ask_again = false; /* once a beat: a witness that answers nonsense is left alone */
        if (again) {
            begin(beat);
        }
        return;
    }
    struct signature *signature = calloc(1, sizeof *signature);
    char *copy = strdup(lines);
    if (signature == NULL || copy == NULL || beat->asking) {
        free(signature);
        free(copy);
        return; /* it signs again with the next beat */
    }
    *signature = (struct signature){.beat = beat, .witness = witness, .lines = copy};
    beat->asking =
        ck_readers_run(beat->product->readers, query_notes, NULL, on_checkpoints, signature) == 0;
    if (!beat->asking) {
        free(copy);
        free(signature);
    }
}

/* ---- life ---- */

int ck_product_witnesses_start(struct ck_product *product)
{
    const struct ck_config *config = product->config;
    if (*config->signer.socket == '\0' ||
        config->signer.witness_urls.count + config->signer.witness_mails.count == 0) {
        return 0;
    }
    struct ck_witness_beat *beat = calloc(1, sizeof *beat);
    if (beat == NULL) {
        return -ENOMEM;
    }
    const struct ck_witnesses_options options = {
        .config = config, .now = ck_clock_wall, .answered = on_answered, .user = beat};
    int error = ck_witnesses_create(&beat->witnesses, &product->loop, &options);
    if (error != 0) {
        free(beat);
        return error;
    }
    beat->product = product;
    uv_timer_init(&product->loop, &beat->timer);
    beat->timer.data = beat;
    product->witness_beat = beat;
    return uv_timer_start(&beat->timer, on_timer, FIRST_MS,
                          (uint64_t)config->signer.witness_every_ms);
}

static void on_closed(uv_handle_t *handle)
{
    struct ck_witness_beat *beat = handle->data;
    beat->closed = true;
    free_if_over(beat);
}

void ck_product_witnesses_stop(struct ck_product *product)
{
    struct ck_witness_beat *beat = product->witness_beat;
    product->witness_beat = NULL;
    if (beat != NULL) {
        uv_close((uv_handle_t *)&beat->timer, on_closed);
    }
}
