/* What checkinctl tells about the audit log: that it was verified or copied, alone or with the
 * whole store, and what a witness signed (protocol/control.md). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "daemon/store/checkpoint.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/note.h"

/* One request that waits for the engine or the store. */
struct telling {
    struct ck_product *product;
    struct ck_control_call *call;
    int64_t size; /* cosign: of the checkpoint */
    char note[CK_NOTE_BYTES_MAX + 1];
};

static void on_done(void *cookie, const struct ck_result *result)
{
    struct telling *telling = cookie;
    if (result->code == 0) {
        ck_control_answer(telling->call, NULL);
    } else {
        ck_control_refuse(telling->call, result->code, "%s",
                          *result->refusal.message != '\0' ? result->refusal.message
                                                           : ck_error_text(result->code));
    }
    free(telling);
}

static struct telling *begin(struct ck_product *product, struct ck_control_call *call)
{
    struct telling *telling = calloc(1, sizeof *telling);
    if (telling == NULL) {
        ck_control_refuse(call, -ENOMEM, "out of memory");
        return NULL;
    }
    telling->product = product;
    telling->call = call;
    return telling;
}

/* Hands the arguments to the engine, with who asked. */
static void submit(struct ck_control_call *call, struct ck_product *product, const char *name,
                   const json_t *arguments)
{
    struct telling *telling = begin(product, call);
    json_t *body = json_deep_copy(arguments);
    const struct ck_actor actor = ck_actor_system();
    if (telling == NULL || !json_is_object(body)) {
        json_decref(body);
        if (telling != NULL) {
            free(telling);
            ck_control_refuse(call, CK_E_INVALID, "arguments are needed");
        }
        return;
    }
    json_object_set_new(body, "uid", json_integer((json_int_t)ck_control_uid(call)));
    ck_bus_submit(product->bus, name, &actor, body, on_done, telling);
}

void ck_product_run_log_verified(struct ck_control_call *call, const json_t *arguments, void *user)
{
    json_int_t findings = json_integer_value(json_object_get(arguments, "findings"));
    if (findings > 0) {
        ck_log_event(CK_LOG_EVENT_LOG_BROKEN, CK_LOG_ERROR,
                     "the audit log is not whole, says checkinctl log verify: findings=%lld",
                     (long long)findings);
    }
    submit(call, user, "log.verified", arguments);
}

void ck_product_run_log_exported(struct ck_control_call *call, const json_t *arguments, void *user)
{
    submit(call, user, "log.exported", arguments);
}

void ck_product_run_log_proved(struct ck_control_call *call, const json_t *arguments, void *user)
{
    submit(call, user, "log.proved", arguments);
}

void ck_product_run_key_split(struct ck_control_call *call, const json_t *arguments, void *user)
{
    submit(call, user, "key.split", arguments);
}

void ck_product_run_store_copied(struct ck_control_call *call, const json_t *arguments, void *user)
{
    submit(call, user, "store.copied", arguments);
}

/* ---- signatures of witnesses ---- */

static int query_checkpoint(struct ck_store *store, void *argument, json_t **out)
{
    struct telling *telling = argument;
    ck_cleanup(ck_freep) char *note = NULL;
    int64_t covers = 0;
    int r = ck_log_checkpoint_covering(store, telling->size, &covers, &note);
    r = r == 0 && covers != telling->size ? CK_E_NOT_FOUND : r;
    *out = r == 0 ? json_string(note) : NULL;
    return r;
}

const char *ck_product_add_witness(const struct ck_config *config, char *kept, size_t *size,
                                   const char *given)
{
    const char *name = NULL;
    for (size_t i = 0; i < config->signer.witnesses.count; i++) {
        struct ck_note_key key;
        if (ck_note_key_parse(config->signer.witnesses.items[i], &key) != 0) {
            continue; /* was checked when the configuration was read */
        }
        for (const char *line = given; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            length += line[length] == '\n';
            if (ck_note_add(kept, size, line, length, &key) == 0) {
                name = config->signer.witnesses.items[i];
            }
            line += length;
        }
    }
    return name;
}

static void on_checkpoint(void *cookie, int code, json_t *value)
{
    struct telling *telling = cookie;
    char kept[CK_NOTE_BYTES_MAX + 1], name[CK_NOTE_NAME_MAX + 1];
    const struct ck_actor actor = ck_actor_system();
    size_t size = 0;
    const char *witness = NULL;
    if (code == 0) {
        size = json_string_length(value);
        memcpy(kept, json_string_value(value), size + 1);
        witness = ck_product_add_witness(telling->product->config, kept, &size, telling->note);
    }
    json_decref(value);
    if (witness == NULL) {
        ck_control_refuse(telling->call, code != 0 ? code : CK_E_AUTH,
                          code != 0
                              ? "no checkpoint of this size is kept"
                              : "no signature of a witness of [signer] witnesses is new in it");
        free(telling);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(witness, "+"), witness);
    ck_bus_submit(telling->product->bus, "log.cosigned", &actor,
                  json_pack("{s:s, s:s}", "note", kept, "witness", name), on_done, telling);
}

void ck_product_run_log_cosign(struct ck_control_call *call, const json_t *arguments, void *user)
{
    struct ck_product *product = user;
    struct ck_checkpoint checkpoint;
    const char *note = json_string_value(json_object_get(arguments, "note"));
    size_t size = note == NULL ? 0 : strlen(note);
    if (size == 0 || ck_checkpoint_parse(note, size, &checkpoint) != 0) {
        ck_control_refuse(call, CK_E_INVALID, "note (a checkpoint with signatures) is needed");
        return;
    }
    struct telling *telling = begin(product, call);
    if (telling == NULL) {
        return;
    }
    telling->size = (int64_t)checkpoint.size;
    memcpy(telling->note, note, size + 1);
    int error = ck_readers_run(product->readers, query_checkpoint, telling, on_checkpoint, telling);
    if (error != 0) {
        ck_control_refuse(call, error, "the store cannot be asked: %s", ck_error_text(error));
        free(telling);
    }
}
