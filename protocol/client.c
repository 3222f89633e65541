#include "protocol/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define PERSON_ONLY 1u
#define CONSOLE_ONLY 2u
#define BOTH (PERSON_ONLY | CONSOLE_ONLY)

static const struct {
    const char *name;
    unsigned sides;
} kinds[CK_CLIENT_KINDS] = {
    [CK_CLIENT_JOIN] = {"join", PERSON_ONLY},
    [CK_CLIENT_OFFER] = {"offer", BOTH},
    [CK_CLIENT_RESTART] = {"restart", BOTH},
    [CK_CLIENT_FACT] = {"fact", PERSON_ONLY},
    [CK_CLIENT_CHALLENGE_DONE] = {"challenge_done", PERSON_ONLY},
    [CK_CLIENT_PAUSE] = {"pause", PERSON_ONLY},
    [CK_CLIENT_RESUME] = {"resume", PERSON_ONLY},
    [CK_CLIENT_DECLINE] = {"decline", PERSON_ONLY},
    [CK_CLIENT_LEAVE] = {"leave", PERSON_ONLY},
    [CK_CLIENT_MESSAGE] = {"message", BOTH},
    [CK_CLIENT_READ] = {"read", BOTH},
    [CK_CLIENT_TAKE] = {"take", CONSOLE_ONLY},
    [CK_CLIENT_END] = {"end", CONSOLE_ONLY},
    [CK_CLIENT_ACTIVE] = {"active", CONSOLE_ONLY},
};

static const char *const facts[CK_CLIENT_FACTS] = {
    "permission_asked", "permission_granted", "permission_denied",
    "no_camera",        "no_microphone",      "camera_in_use",
    "no_webrtc",        "page_hidden",        "page_shown",
    "closing",          "ice_failed",         "ice_connected",
    "network_changed",  "camera_test_passed", "picture_reduced",
    "picture_off",      "picture_whole",
};

static const char *const pauses[] = {"undress", "child", "other"};

const char *ck_client_kind_name(enum ck_client_kind kind)
{
    return kinds[kind].name;
}

const char *ck_client_fact_name(enum ck_client_fact fact)
{
    return facts[fact];
}

int ck_client_fact_parse(const char *name, enum ck_client_fact *fact)
{
    for (int i = 0; i < CK_CLIENT_FACTS; i++) {
        if (strcmp(facts[i], name) == 0) {
            *fact = (enum ck_client_fact)i;
            return 0;
        }
    }
    return CK_E_NOT_FOUND;
}

const char *ck_client_pause_name(enum ck_client_pause reason)
{
    return pauses[reason];
}

/* ---- decoding ---- */

static int refuse(struct ck_client_fault *fault, const char *field, const char *text)
{
    snprintf(fault->field, sizeof fault->field, "%s", field);
    snprintf(fault->text, sizeof fault->text, "%s", text);
    return CK_E_INVALID;
}

/* Characters of UTF-8 text that jansson has checked. */
static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

enum need { OPTIONAL, NEEDED };

static int read_text(const json_t *root, const char *name, enum need need, size_t most,
                     const char **text, struct ck_client_fault *fault)
{
    const json_t *value = json_object_get(root, name);
    if (need == OPTIONAL && (value == NULL || json_is_null(value))) {
        return 0;
    }
    if (!json_is_string(value)) {
        return refuse(fault, name, "must be a text");
    }
    if (json_string_length(value) != strlen(json_string_value(value))) {
        return refuse(fault, name, "must not contain U+0000");
    }
    if (need == NEEDED && json_string_length(value) == 0) {
        return refuse(fault, name, "must not be empty");
    }
    if (characters(json_string_value(value)) > most) {
        return refuse(fault, name, "is too long");
    }
    *text = json_string_value(value);
    return 0;
}

static int read_id(const json_t *root, const char *name, int64_t *id, struct ck_client_fault *fault)
{
    const json_t *value = json_object_get(root, name);
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > CK_CLIENT_ID_MAX) {
        return refuse(fault, name, "must be an id");
    }
    *id = json_integer_value(value);
    return 0;
}

static int read_number(const json_t *root, const char *name, enum need need, uint32_t *number,
                       struct ck_client_fault *fault)
{
    const json_t *value = json_object_get(root, name);
    if (need == OPTIONAL && value == NULL) {
        return 0;
    }
    json_int_t least = need == NEEDED ? 1 : 0;
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > UINT32_MAX) {
        return refuse(fault, name, "must be a positive integer");
    }
    *number = (uint32_t)json_integer_value(value);
    return 0;
}

static int read_offer(struct ck_client_message *message, struct ck_client_fault *fault)
{
    int r = read_text(message->root, "sdp", NEEDED, CK_CLIENT_SDP_MAX, &message->sdp, fault);
    if (r == 0 && strlen(message->sdp) > CK_CLIENT_SDP_MAX) {
        r = refuse(fault, "sdp", "is too long");
    }
    return r == 0 ? read_number(message->root, "generation", NEEDED, &message->generation, fault)
                  : r;
}

static int read_fact(struct ck_client_message *message, struct ck_client_fault *fault)
{
    const char *name = NULL;
    int r = read_text(message->root, "fact", NEEDED, CK_CLIENT_DETAIL_MAX, &name, fault);
    if (r == 0 && ck_client_fact_parse(name, &message->fact) != 0) {
        r = refuse(fault, "fact", "is not a fact that a page reports");
    }
    return r == 0 ? read_text(message->root, "detail", OPTIONAL, CK_CLIENT_DETAIL_MAX,
                              &message->detail, fault)
                  : r;
}

static int read_pause(struct ck_client_message *message, struct ck_client_fault *fault)
{
    const char *reason = json_string_value(json_object_get(message->root, "reason"));
    for (size_t i = 0; reason != NULL && i < sizeof pauses / sizeof pauses[0]; i++) {
        if (strcmp(pauses[i], reason) == 0) {
            message->pause = (enum ck_client_pause)i;
            return 0;
        }
    }
    return refuse(fault, "reason", "must be undress, child or other");
}

static int read_chat(struct ck_client_message *message, struct ck_client_fault *fault)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    int r = read_text(message->root, "client_id", NEEDED, CK_CLIENT_CLIENT_ID_MAX,
                      &message->client_id, fault);
    if (r == 0 && strspn(message->client_id, allowed) != strlen(message->client_id)) {
        r = refuse(fault, "client_id", "letters, digits, '-' and '_' only");
    }
    return r == 0
               ? read_text(message->root, "text", NEEDED, CK_CLIENT_TEXT_MAX, &message->text, fault)
               : r;
}

/* With which phone: both members or none. */
static int read_join_proof(struct ck_client_message *message, struct ck_client_fault *fault)
{
    int r = read_number(message->root, "generation", OPTIONAL, &message->generation, fault);
    if (r != 0 || json_object_get(message->root, "key") == NULL) {
        return r;
    }
    r = read_id(message->root, "key", &message->key, fault);
    return r == 0 ? read_text(message->root, "signature", NEEDED, CK_CLIENT_SIGNATURE_MAX,
                              &message->signature, fault)
                  : r;
}

/* What a kind carries besides the console's subject. */
static int read_members(struct ck_client_message *message, struct ck_client_fault *fault)
{
    switch (message->kind) {
    case CK_CLIENT_JOIN:
        message->device = "";
        if (json_object_get(message->root, "device") != NULL) {
            int r = read_text(message->root, "device", OPTIONAL, CK_CLIENT_DEVICE_MAX,
                              &message->device, fault);
            if (r != 0) {
                return r;
            }
        }
        return read_join_proof(message, fault);
    case CK_CLIENT_TAKE:
        return read_number(message->root, "generation", OPTIONAL, &message->generation, fault);
    case CK_CLIENT_OFFER:
    case CK_CLIENT_RESTART:
        return read_offer(message, fault);
    case CK_CLIENT_FACT:
        return read_fact(message, fault);
    case CK_CLIENT_CHALLENGE_DONE:
        return read_number(message->root, "number", NEEDED, &message->number, fault);
    case CK_CLIENT_PAUSE:
        return read_pause(message, fault);
    case CK_CLIENT_DECLINE:
        return read_text(message->root, "reason", NEEDED, CK_CLIENT_REASON_MAX, &message->reason,
                         fault);
    case CK_CLIENT_MESSAGE:
        return read_chat(message, fault);
    case CK_CLIENT_READ:
        return read_id(message->root, "up_to", &message->up_to, fault);
    default: /* resume, leave, end: nothing more */
        return 0;
    }
}

/* The console names whose check-in or thread it means. */
static int read_subject(struct ck_client_message *message, struct ck_client_fault *fault)
{
    switch (message->kind) {
    case CK_CLIENT_OFFER:
    case CK_CLIENT_RESTART:
    case CK_CLIENT_TAKE:
    case CK_CLIENT_END:
        return read_id(message->root, "checkin", &message->checkin, fault);
    case CK_CLIENT_MESSAGE:
    case CK_CLIENT_READ:
        return read_id(message->root, "person", &message->person, fault);
    default:
        return 0;
    }
}

static int read_kind(enum ck_client_side side, struct ck_client_message *message,
                     struct ck_client_fault *fault)
{
    const char *name = json_string_value(json_object_get(message->root, "t"));
    unsigned bit = side == CK_CLIENT_PERSON ? PERSON_ONLY : CONSOLE_ONLY;
    for (int i = 0; name != NULL && i < CK_CLIENT_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0 && (kinds[i].sides & bit) != 0) {
            message->kind = (enum ck_client_kind)i;
            return 0;
        }
    }
    return refuse(fault, "t", "is no message of this side");
}

static int read_ref(struct ck_client_message *message, struct ck_client_fault *fault)
{
    const json_t *id = json_object_get(message->root, "id");
    if (id == NULL) {
        return 0;
    }
    if (!json_is_integer(id) || json_integer_value(id) < 0 ||
        json_integer_value(id) > CK_CLIENT_ID_MAX) {
        return refuse(fault, "id", "must be an integer from 0 to 2^53");
    }
    message->ref = (struct ck_client_ref){.given = true, .id = json_integer_value(id)};
    fault->ref = message->ref;
    return 0;
}

/* Deep nesting costs stack in any JSON reader; no message needs it. */
static bool nested_too_deep(const char *text, size_t size)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (quoted && text[i] == '\\') {
            i++; /* whatever is escaped does not end the text */
        } else if (quoted) {
            quoted = text[i] != '"';
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > CK_CLIENT_NEST_MAX) {
                return true;
            }
        } else if (text[i] == '}' || text[i] == ']') {
            depth--;
        }
    }
    return false;
}

static int no_object(struct ck_client_fault *fault, const char *text)
{
    fault->no_object = true;
    refuse(fault, "", text);
    return CK_E_SYNTAX;
}

int ck_client_decode(enum ck_client_side side, const char *text, size_t size,
                     struct ck_client_message *message, struct ck_client_fault *fault)
{
    struct ck_client_message read = {.ref = {false, 0}};
    *fault = (struct ck_client_fault){.no_object = false};
    if (size > CK_CLIENT_MESSAGE_MAX) {
        return no_object(fault, "is too long");
    }
    if (nested_too_deep(text, size)) {
        return no_object(fault, "is nested too deep");
    }
    json_error_t where;
    read.root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(read.root)) {
        json_decref(read.root);
        return no_object(fault, "must be a JSON object");
    }
    int r = read_ref(&read, fault);
    r = r == 0 ? read_kind(side, &read, fault) : r;
    if (r == 0 && side == CK_CLIENT_CONSOLE) {
        r = read_subject(&read, fault);
    }
    r = r == 0 ? read_members(&read, fault) : r;
    if (r != 0) {
        json_decref(read.root);
        return r;
    }
    *message = read;
    return 0;
}

void ck_client_message_deinit(struct ck_client_message *message)
{
    json_decref(message->root);
    message->root = NULL;
}

/* ---- encoding ---- */

static const char *const error_words[] = {
    [CK_CLIENT_INVALID] = "invalid",
    [CK_CLIENT_DENIED] = "denied",
    [CK_CLIENT_NOT_FOUND] = "not_found",
    [CK_CLIENT_CONFLICT] = "conflict",
    [CK_CLIENT_LIMIT] = "limit",
    [CK_CLIENT_BUSY] = "busy",
    [CK_CLIENT_UNAVAILABLE] = "unavailable",
};

/* Sets a member; a value that could not be made ends the whole message. */
static json_t *with(json_t *message, const char *name, json_t *value)
{
    if (message != NULL && json_object_set_new(message, name, value) != 0) {
        json_decref(message);
        return NULL;
    }
    if (message == NULL) {
        json_decref(value);
    }
    return message;
}

static json_t *of_kind(const char *kind)
{
    return with(json_object(), "t", json_string(kind));
}

static json_t *about(const char *kind, const char *subject, int64_t id)
{
    json_t *message = of_kind(kind);
    return id == 0 ? message : with(message, subject, json_integer(id));
}

enum ck_client_error ck_client_error_of(int code)
{
    switch (code) {
    case CK_E_INVALID:
    case CK_E_SYNTAX:
        return CK_CLIENT_INVALID;
    case CK_E_DENIED:
        return CK_CLIENT_DENIED;
    case CK_E_NOT_FOUND:
        return CK_CLIENT_NOT_FOUND;
    case CK_E_CONFLICT:
        return CK_CLIENT_CONFLICT;
    case CK_E_LIMIT:
        return CK_CLIENT_LIMIT;
    case CK_E_BUSY:
        return CK_CLIENT_BUSY;
    default:
        return CK_CLIENT_UNAVAILABLE;
    }
}

json_t *ck_client_error(struct ck_client_ref ref, enum ck_client_error code, const char *field,
                        unsigned line, const char *text, uint64_t retry_after_ms)
{
    json_t *message = of_kind("error");
    if (ref.given) {
        message = with(message, "id", json_integer(ref.id));
    }
    message = with(message, "code", json_string(error_words[code]));
    message = with(message, "field", field == NULL ? json_null() : json_string(field));
    if (line != 0) {
        message = with(message, "line", json_integer(line));
    }
    if (retry_after_ms != 0) {
        message = with(message, "retry_after_ms", json_integer((json_int_t)retry_after_ms));
    }
    return with(message, "message", json_string(text));
}

json_t *ck_client_ok(struct ck_client_ref ref)
{
    json_t *message = of_kind("ok");
    return ref.given ? with(message, "id", json_integer(ref.id)) : message;
}

json_t *ck_client_answer(int64_t checkin, const char *sdp, uint32_t generation)
{
    json_t *message = with(about("answer", "checkin", checkin), "sdp", json_string(sdp));
    return with(message, "generation", json_integer(generation));
}

json_t *ck_client_reconnect(int64_t checkin, const char *reason)
{
    return with(about("reconnect", "checkin", checkin), "reason", json_string(reason));
}

json_t *ck_client_recording(int64_t checkin, bool on, const char *reason)
{
    json_t *message = with(about("recording", "checkin", checkin), "on", json_boolean(on));
    return reason == NULL ? message : with(message, "reason", json_string(reason));
}

json_t *ck_client_chat(int64_t person, json_t *object)
{
    json_t *message = about("message", "person", person);
    if (message != NULL && json_object_update_missing(message, object) != 0) {
        json_decref(message);
        message = NULL;
    }
    json_decref(object);
    return message;
}

json_t *ck_client_delivered(int64_t person, int64_t up_to)
{
    return with(about("delivered", "person", person), "up_to", json_integer(up_to));
}

json_t *ck_client_read(int64_t person, int64_t up_to)
{
    return with(about("read", "person", person), "up_to", json_integer(up_to));
}

/* Adds how media may go to a message. */
static json_t *with_ice(json_t *message, json_t *ice_servers, bool relay_only)
{
    return with(with(message, "ice_servers", ice_servers), "relay_only", json_boolean(relay_only));
}

json_t *ck_client_ice(json_t *ice_servers, bool relay_only)
{
    return with_ice(of_kind("ice"), ice_servers, relay_only);
}

json_t *ck_client_person_hello(json_t *state, json_t *ice_servers, bool relay_only)
{
    return with_ice(with(of_kind("hello"), "state", state), ice_servers, relay_only);
}

json_t *ck_client_waiting(struct ck_wall since)
{
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text(since, text);
    return with(of_kind("waiting"), "since", json_string(text));
}

json_t *ck_client_connected(const char *name, bool recording)
{
    return with(with(of_kind("connected"), "with", json_string(name)), "recording",
                json_boolean(recording));
}

json_t *ck_client_challenge(unsigned number, unsigned of, const char *kind, const char *digits,
                            unsigned seconds)
{
    json_t *message = with(of_kind("challenge"), "number", json_integer(number));
    message = with(message, "of", json_integer(of));
    message = with(message, "kind", json_string(kind));
    if (digits != NULL) {
        message = with(message, "digits", json_string(digits));
    }
    return with(message, "seconds", json_integer(seconds));
}

json_t *ck_client_person_peer(bool here)
{
    return with(of_kind("peer"), "state", json_string(here ? "here" : "away"));
}

json_t *ck_client_replaced(void)
{
    return of_kind("replaced");
}

json_t *ck_client_console_hello(json_t *me, json_t *ice_servers, bool relay_only)
{
    return with_ice(with(of_kind("hello"), "me", me), ice_servers, relay_only);
}

json_t *ck_client_today(void)
{
    return of_kind("today");
}

json_t *ck_client_ring(json_t *row)
{
    return with(of_kind("ring"), "checkin", row);
}

json_t *ck_client_ring_stop(int64_t checkin, enum ck_client_ring_stop reason)
{
    static const char *const words[] = {"taken", "gone", "unattended"};
    return with(about("ring_stop", "checkin", checkin), "reason", json_string(words[reason]));
}

json_t *ck_client_alert(json_t *incident, const char *notice)
{
    return with(with(of_kind("alert"), "incident", incident), "notice", json_string(notice));
}

json_t *ck_client_alert_everybody(json_t *incident, const char *notice)
{
    return with(ck_client_alert(incident, notice), "nobody_reached", json_true());
}

json_t *ck_client_incident(int64_t incident)
{
    return about("incident", "incident", incident);
}

json_t *ck_client_store(struct ck_wall from, int64_t lasted_ms)
{
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text(from, text);
    json_t *message = with(of_kind("store"), "from", json_string(text));
    return lasted_ms == 0 ? message : with(message, "lasted_ms", json_integer(lasted_ms));
}

json_t *ck_client_taken(int64_t checkin, const char *by)
{
    json_t *message = about("taken", "checkin", checkin);
    return by == NULL ? message : with(message, "by", json_string(by));
}

json_t *ck_client_console_peer(int64_t checkin, enum ck_client_peer state, bool camera)
{
    static const char *const words[] = {"waiting", "connecting", "here", "away", "left"};
    json_t *message = with(about("peer", "checkin", checkin), "state", json_string(words[state]));
    return with(message, "camera", json_boolean(camera));
}

json_t *ck_client_link(int64_t checkin, enum ck_client_quality quality, unsigned rtt_ms,
                       double loss, unsigned kbps)
{
    static const char *const words[] = {"good", "fair", "poor", "lost"};
    json_t *message =
        with(about("link", "checkin", checkin), "quality", json_string(words[quality]));
    message = with(message, "rtt_ms", json_integer(rtt_ms));
    message = with(message, "loss", json_real(loss));
    return with(message, "kbps", json_integer(kbps));
}

json_t *ck_client_console_ended(int64_t checkin, const char *reason)
{
    return with(about("ended", "checkin", checkin), "reason", json_string(reason));
}

json_t *ck_client_ice_servers(const char *const *urls, size_t count, const char *user,
                              const char *credential)
{
    json_t *list = json_array();
    if (count == 0 || list == NULL) {
        return list;
    }
    json_t *texts = json_array();
    for (size_t i = 0; texts != NULL && i < count; i++) {
        json_array_append_new(texts, json_string(urls[i]));
    }
    json_t *server = with(json_object(), "urls", texts);
    if (user != NULL && credential != NULL) {
        server = with(server, "username", json_string(user));
        server = with(server, "credential", json_string(credential));
    }
    if (json_array_append_new(list, server) != 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}
