#include "daemon/verify/complete.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/array.h"
#include "protocol/base/bytes.h"
#include "protocol/base/digest.h"
#include "protocol/base/text.h"
#include "protocol/base/time.h"

#define ID_SIZE 32
#define AT_SIZE 24                              /* "2026-11-29T18:05:07.123Z" */
#define MINUTE_SIZE 16                          /* of it up to the minute */
#define PATIENCE_MS (INT64_C(24) * 3600 * 1000) /* what has not ended by then is missing */
#define BACK_MS 60000
#define MINUTE_MS 60000

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define EPOCH_DAYS 28 /* of a draw key */
#define REVEAL_DAYS 4 /* after its last date, in whatever zone, the key is told */

/* Of OTHER only the chain of its entries is looked at. */
enum kind { NONE, OTHER, CHECKIN, INCIDENT, NOTICE, RECORDING, PERSON, DRAW_KEY, POLICY, KINDS };

/* What is known of one object. */
struct object {
    char id[ID_SIZE];
    enum kind kind;
    int64_t newest;      /* entry about it; -1: only named by others */
    int64_t begun;       /* entry that made it; -1: only named by others */
    int64_t last_ms;     /* newest time at which it must have gone on */
    unsigned ends;       /* outcomes; terminal states */
    bool needs_incident; /* ended without accepted contact although it was mandatory */
    bool has_incident;
    int64_t outcome;   /* entry of its outcome; DRAW_KEY: its number in draws; POLICY: how long its
                          first step, or that of an incident, may wait, in ms */
    int64_t fired;     /* INCIDENT: entry of the last step that fired; -1: none waits for notices;
                          RECORDING: of its erasure; -1: no file waits to be removed; PERSON: of a
                          silence for which no incident is open; -1: there is none; CHECKIN: how long
                          the first step about it may wait, in ms */
    int64_t opened_ms; /* INCIDENT */
    int64_t first_ms;  /* INCIDENT: in which its first step must come; -1: it came */
    bool is_silence;   /* INCIDENT: about one */
    bool is_about_safety; /* INCIDENT */
    bool is_ladder;       /* POLICY */
};

/* What a draw key must be, as it was committed. */
struct draw {
    uint8_t sha256[CK_SHA256_SIZE];
};

struct ck_complete {
    struct object *objects; /* open addressing; a power of two */
    size_t capacity, count;
    uint64_t most;   /* objects that are kept */
    int64_t stopped; /* entry from which on nothing is looked at any more; -1: none */
    uint64_t seen[KINDS];
    int64_t now_ms;
    int64_t started_ms;       /* when the system was started last: it was not there before */
    char minute[MINUTE_SIZE]; /* of the last time read, and what it is */
    int64_t minute_ms;
    struct draw *draws;
    size_t draw_count, draw_capacity;
};

#define FIRST_CAPACITY 1024

int ck_complete_create(struct ck_complete **complete, uint64_t most)
{
    struct ck_complete *made = calloc(1, sizeof *made);
    struct object *objects = calloc(FIRST_CAPACITY, sizeof *objects);
    if (made == NULL || objects == NULL) {
        free(made);
        free(objects);
        return -ENOMEM;
    }
    made->objects = objects;
    made->capacity = FIRST_CAPACITY;
    made->most = most;
    made->stopped = -1;
    *complete = made;
    return 0;
}

void ck_complete_destroy(struct ck_complete *complete)
{
    if (complete != NULL) {
        free(complete->objects);
        free(complete->draws);
        free(complete);
    }
}

/* ---- the table ---- */

/* Pseudonyms are digests or random: half of their letters, mixed, scatter well. */
static inline size_t place_of(const char *id, size_t capacity)
{
    uint64_t first, second;
    memcpy(&first, id, sizeof first);
    memcpy(&second, id + sizeof first, sizeof second);
    uint64_t hash = (first ^ (second << 3 | second >> 61)) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 32 & (capacity - 1));
}

static struct object *slot_of(struct object *objects, size_t capacity, const char *id)
{
    size_t at = place_of(id, capacity);
    while (objects[at].kind != NONE && memcmp(objects[at].id, id, ID_SIZE) != 0) {
        at = (at + 1) & (capacity - 1);
    }
    return &objects[at];
}

static int grow(struct ck_complete *complete)
{
    size_t capacity = complete->capacity * 2;
    struct object *objects = calloc(capacity, sizeof *objects);
    if (objects == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < complete->capacity; i++) {
        if (complete->objects[i].kind != NONE) {
            *slot_of(objects, capacity, complete->objects[i].id) = complete->objects[i];
        }
    }
    free(complete->objects);
    complete->objects = objects;
    complete->capacity = capacity;
    return 0;
}

/* The object, made where it is new; NULL where memory or the room that was given ends. */
static struct object *object_of(struct ck_complete *complete, const char *id, enum kind kind)
{
    if (complete->count * 4 > complete->capacity * 3 && grow(complete) != 0) {
        return NULL;
    }
    struct object *object = slot_of(complete->objects, complete->capacity, id);
    if (object->kind == NONE && complete->count == complete->most) {
        return NULL;
    }
    if (object->kind == NONE) {
        *object = (struct object){
            .kind = kind, .newest = -1, .begun = -1, .outcome = -1, .fired = -1, .first_ms = -1};
        memcpy(object->id, id, ID_SIZE);
        complete->count++;
    }
    if (object->kind == OTHER) {
        object->kind = kind; /* until now only looked at */
    }
    return object;
}

/* ---- one entry ---- */

static int64_t time_of(struct ck_leaf_text text)
{
    char copy[AT_SIZE + 1] = {0};
    struct ck_wall at = {0};
    if (text.size == AT_SIZE) {
        memcpy(copy, text.at, AT_SIZE);
        (void)ck_wall_parse(copy, &at);
    }
    return at.ms;
}

static int digits(const char *at, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

/* The time of an entry: most are of the same minute as the one before. */
static int64_t time_of_entry(struct ck_complete *complete, struct ck_leaf_text text)
{
    if (memcmp(text.at, complete->minute, MINUTE_SIZE) != 0) {
        int64_t at = time_of(text);
        if (at == 0) {
            return 0;
        }
        memcpy(complete->minute, text.at, MINUTE_SIZE);
        complete->minute_ms = at - digits(text.at + 17, 2) * 1000 - digits(text.at + 20, 3);
    }
    return complete->minute_ms + digits(text.at + 17, 2) * 1000 + digits(text.at + 20, 3);
}

struct word {
    const char *text;
    size_t size;
};
#define WORD(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static inline bool is_among(struct ck_leaf_text text, const struct word *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text.size == words[i].size && memcmp(text.at, words[i].text, text.size) == 0) {
            return true;
        }
    }
    return false;
}
#define IS_ONE_OF(text, words) is_among(text, words, sizeof(words) / sizeof((words)[0]))

/* ---- policies ---- */

/* A number in the text of a policy, which is JSON within a JSON string. */
static int64_t number_in(struct ck_leaf_text text, const char *name)
{
    const char *at = memmem(text.at, text.size, name, strlen(name));
    int64_t number = 0;
    for (at = at == NULL ? NULL : at + strlen(name);
         at != NULL && at < text.at + text.size && *at >= '0' && *at <= '9' && number < DAY_MS;
         at++) {
        number = number * 10 + (*at - '0');
    }
    return number;
}

/* Kept with its text: that of a ladder says when its second step comes, before which the first must
 * have; that of check-ins, how long the first step may wait for a make-up. */
static void add_policy(struct object *object, const struct ck_leaf *leaf,
                       const struct ck_leaf_tail *tail)
{
    struct ck_leaf_text text = ck_leaf_string(tail->open, "text");
    object->begun = leaf->index;
    object->is_ladder = ck_leaf_is(ck_leaf_string(tail->open, "kind"), "ladder");
    object->outcome = number_in(text, object->is_ladder ? "\\\"steps\\\":[{\\\"ack_timeout_ms\\\":"
                                                        : "\\\"make_up_hold_ms\\\":");
}

/* The policy that an entry quotes was kept before it, and is of that kind. *wait_ms: its time. */
static int check_policy(struct ck_complete *complete, const struct ck_leaf *leaf,
                        const struct ck_leaf_tail *tail, bool ladder, int64_t *wait_ms,
                        struct ck_verdict *verdict)
{
    struct ck_leaf_text quoted = ck_leaf_string(tail->open, "policy");
    if (quoted.size != ID_SIZE) {
        return 0;
    }
    struct object *policy = object_of(complete, quoted.at, POLICY);
    if (policy == NULL) {
        return -ENOMEM;
    }
    if (policy->kind != POLICY || policy->begun < 0 || policy->is_ladder != ladder) {
        ck_verdict_find(verdict, "omitted",
                        "entry %" PRId64 " quotes the %s %.32s, and no entry before it says what "
                        "that is",
                        leaf->index, ladder ? "ladder" : "policy", quoted.at);
        return 0;
    }
    *wait_ms = policy->outcome;
    return 0;
}

/* ---- the objects ---- */

static void add_checkin(struct object *object, const struct ck_leaf *leaf,
                        const struct ck_leaf_tail *tail, int64_t at, int64_t wait_ms)
{
    static const struct word begins[] = {WORD("CHECKIN_PLANNED"), WORD("CHECKIN_ON_DEMAND"),
                                         WORD("CHECKIN_MAKE_UP"), WORD("CHECKIN_SECOND"),
                                         WORD("CHECKIN_INBOUND")};
    static const struct word contact[] = {WORD("completed"), WORD("late"), WORD("waived")};
    if (IS_ONE_OF(leaf->action, begins)) {
        object->begun = leaf->index;
        object->fired = wait_ms;
        object->last_ms = time_of(ck_leaf_string(tail->open, "window_end"));
    } else if (ck_leaf_is(leaf->action, "CHECKIN_OUTCOME")) {
        object->ends++;
        object->outcome = leaf->index;
        object->needs_incident = ck_leaf_is(ck_leaf_member(tail->open, "mandatory"), "true") &&
                                 !IS_ONE_OF(ck_leaf_string(tail->open, "outcome"), contact);
    }
    object->last_ms = object->last_ms > at ? object->last_ms : at;
}

/* The person that an entry concerns; *person is NULL where it concerns nobody. -ENOMEM. */
static int person_of(struct ck_complete *complete, const struct ck_leaf_tail *tail,
                     struct object **person)
{
    *person = NULL;
    if (tail->person.size != ID_SIZE + 2) {
        return 0;
    }
    *person = object_of(complete, tail->person.at + 1, PERSON);
    return *person == NULL ? -ENOMEM : 0;
}

/* An incident that is not closed rests for no day: its ladder goes on, or somebody has it in hand
 * for a while. Time in which the system was not there is another matter. */
static void judge_rest(const struct ck_complete *complete, const struct object *object, int64_t at,
                       struct ck_verdict *verdict)
{
    int64_t since = object->last_ms > complete->started_ms ? object->last_ms : complete->started_ms;
    if (object->begun >= 0 && object->ends == 0 && at - since > PATIENCE_MS) {
        ck_verdict_find(verdict, "omitted",
                        "for more than a day nothing was done about incident %.32s (entry %" PRId64
                        "), which was open",
                        object->id, object->begun);
    }
}

/* Its first step comes before its second would, unless nobody could be reached, which is an entry
 * as well, or somebody had taken it over. */
static void judge_first_step(const struct ck_complete *complete, struct object *object, int64_t at,
                             struct ck_verdict *verdict)
{
    int64_t since =
        object->opened_ms > complete->started_ms ? object->opened_ms : complete->started_ms;
    if (object->first_ms >= 0 && at - since > object->first_ms) {
        ck_verdict_find(verdict, "omitted",
                        "incident %.32s (entry %" PRId64 ") had no step of its ladder for %" PRId64
                        " s, and by its policy the first comes within %" PRId64 " s",
                        object->id, object->begun, (at - since) / 1000, object->first_ms / 1000);
    }
    object->first_ms = -1;
}

/* Who took it over or closed it is a named member of staff. */
static void judge_officer(const struct ck_leaf *leaf, const struct ck_leaf_tail *tail,
                          struct ck_verdict *verdict)
{
    if (!ck_complete_names_officer(leaf, tail)) {
        ck_verdict_find(verdict, "omitted", "entry %" PRId64 " (%.*s) names nobody who did it",
                        leaf->index, (int)leaf->action.size, leaf->action.at);
    }
}

bool ck_complete_names_officer(const struct ck_leaf *leaf, const struct ck_leaf_tail *tail)
{
    bool by_staff = ck_leaf_is(leaf->actor_kind, "staff") && leaf->actor_id.size == ID_SIZE;
    if (ck_leaf_is(leaf->action, "INCIDENT_CLOSED") || ck_leaf_is(leaf->action, "INCIDENT_TAKEN")) {
        return by_staff;
    }
    /* A key that was pressed on a telephone comes by a gateway: whose it is, is sealed. */
    return !ck_leaf_is(leaf->action, "INCIDENT_ACKNOWLEDGED") || by_staff ||
           ck_leaf_member(tail->sealed, "staff").size > 0;
}

/* A check on somebody's safety ends with what came of it. */
static void judge_safety(const struct object *object, const struct ck_leaf *leaf,
                         const struct ck_leaf_tail *tail, struct ck_verdict *verdict)
{
    static const struct word results[] = {WORD("safe"), WORD("help_sent"), WORD("not_found")};
    if (object->is_about_safety && (!IS_ONE_OF(ck_leaf_string(tail->open, "conclusion"), results) ||
                                    ck_leaf_member(tail->sealed, "text").size == 0)) {
        ck_verdict_find(verdict, "omitted",
                        "incident %.32s, a check on somebody's safety, was closed by entry %" PRId64
                        " without what came of it",
                        object->id, leaf->index);
    }
}

/* An incident about a silence begins or ends. */
static int add_silence(struct ck_complete *complete, const struct ck_leaf_tail *tail, bool open)
{
    struct object *person;
    int r = person_of(complete, tail, &person);
    if (r == 0 && person != NULL) {
        person->has_incident = open;
        person->fired = open ? -1 : person->fired;
    }
    return r;
}

static int open_incident(struct ck_complete *complete, struct object *object,
                         const struct ck_leaf *leaf, const struct ck_leaf_tail *tail, int64_t at,
                         int64_t wait_ms)
{
    struct ck_leaf_text checkin = ck_leaf_string(tail->open, "checkin");
    struct ck_leaf_text kind = ck_leaf_string(tail->open, "kind");
    object->begun = leaf->index;
    object->opened_ms = at;
    object->first_ms = wait_ms < 0 ? -1 : wait_ms > MINUTE_MS ? wait_ms : MINUTE_MS;
    object->is_silence = ck_leaf_is(kind, "silence");
    object->is_about_safety = ck_leaf_is(kind, "safety") || ck_leaf_is(kind, "concern");
    if (object->is_silence) {
        return add_silence(complete, tail, true); /* has no check-in */
    }
    if (checkin.size == ID_SIZE) {
        char id[ID_SIZE]; /* the table may grow */
        memcpy(id, object->id, ID_SIZE);
        struct object *missed = object_of(complete, checkin.at, CHECKIN);
        if (missed == NULL) {
            return -ENOMEM;
        }
        missed->has_incident = true;
        int64_t hold_ms = missed->fired > 0 ? missed->fired : 0;
        object = object_of(complete, id, INCIDENT);
        object->first_ms += object->first_ms < 0 ? 0 : hold_ms;
    }
    return 0;
}

static int add_incident(struct ck_complete *complete, struct object *object,
                        const struct ck_leaf *leaf, const struct ck_leaf_tail *tail, int64_t at,
                        int64_t wait_ms, struct ck_verdict *verdict)
{
    static const struct word moves[] = {
        WORD("INCIDENT_STEP_FIRED"),     WORD("INCIDENT_STEP_SKIPPED"), WORD("INCIDENT_HELD"),
        WORD("INCIDENT_LADDER_WRAPPED"), WORD("INCIDENT_ACKNOWLEDGED"), WORD("INCIDENT_CLOSED"),
        WORD("INCIDENT_NOBODY_REACHED")};
    judge_rest(complete, object, at, verdict);
    judge_officer(leaf, tail, verdict);
    if (IS_ONE_OF(leaf->action, moves)) {
        judge_first_step(complete, object, at, verdict);
    }
    object->last_ms = at;
    if (ck_leaf_is(leaf->action, "INCIDENT_OPENED")) {
        return open_incident(complete, object, leaf, tail, at, wait_ms);
    }
    if (ck_leaf_is(leaf->action, "INCIDENT_STEP_FIRED")) {
        object->fired = leaf->index;
    } else if (ck_leaf_is(leaf->action, "INCIDENT_STEP_SKIPPED") ||
               ck_leaf_is(leaf->action, "INCIDENT_IN_DIGEST") ||
               ck_leaf_is(leaf->action, "INCIDENT_UNANSWERED")) {
        object->fired = -1;
    } else if (ck_leaf_is(leaf->action, "INCIDENT_CLOSED")) {
        judge_safety(object, leaf, tail, verdict);
        object->ends++;
        return object->is_silence ? add_silence(complete, tail, false) : 0;
    }
    return 0;
}

static int add_notice(struct ck_complete *complete, struct object *object,
                      const struct ck_leaf *leaf, const struct ck_leaf_tail *tail, int64_t at)
{
    static const struct word ends[] = {WORD("accepted"),    WORD("delivered"), WORD("read"),
                                       WORD("failed_perm"), WORD("expired"),   WORD("cancelled")};
    object->last_ms = at;
    if (ck_leaf_is(leaf->action, "NOTICE_QUEUED")) {
        struct ck_leaf_text incident = ck_leaf_string(tail->open, "incident");
        object->begun = leaf->index;
        if (incident.size == ID_SIZE) {
            struct object *of = object_of(complete, incident.at, INCIDENT);
            if (of == NULL) {
                return -ENOMEM;
            }
            of->fired = -1; /* its step reached somebody */
        }
    } else if (IS_ONE_OF(ck_leaf_string(tail->open, "state"), ends)) {
        object->ends++;
    }
    return 0;
}

static void add_recording(struct object *object, const struct ck_leaf *leaf, int64_t at)
{
    static const struct word ends[] = {WORD("RECORDING_CLOSED"), WORD("RECORDING_RECOVERED"),
                                       WORD("RECORDING_FAILED")};
    object->last_ms = at;
    if (ck_leaf_is(leaf->action, "RECORDING_BEGUN")) {
        object->begun = leaf->index;
    } else if (ck_leaf_is(leaf->action, "EXPIRY_ERASED")) {
        object->fired = leaf->index;
    } else if (ck_leaf_is(leaf->action, "RECORDING_FILE_GONE")) {
        object->fired = -1;
    } else if (IS_ONE_OF(leaf->action, ends)) {
        object->ends++;
    }
}

/* What 64 hexadecimal digits are; false where they are none. */
static bool digest_of(struct ck_leaf_text hex, uint8_t digest[static CK_SHA256_SIZE])
{
    char text[CK_HEX_SIZE(CK_SHA256_SIZE)] = {0};
    if (hex.size != sizeof text - 1) {
        return false;
    }
    memcpy(text, hex.at, hex.size);
    return ck_hex_decode(text, digest, CK_SHA256_SIZE) == 0;
}

/* What was committed, kept whole: there is one in four weeks. */
static int keep_draw(struct ck_complete *complete, struct object *object,
                     struct ck_leaf_text committed)
{
    struct draw draw;
    if (!digest_of(committed, draw.sha256)) {
        return 0; /* no key can be the one: what is told is named then */
    }
    struct draw *draws = ck_array_grow(complete->draws, &complete->draw_capacity,
                                       complete->draw_count, sizeof *draws);
    if (draws == NULL) {
        return -ENOMEM;
    }
    complete->draws = draws;
    object->outcome = (int64_t)complete->draw_count;
    complete->draws[complete->draw_count++] = draw;
    return 0;
}

static bool is_committed(const struct ck_complete *complete, const struct object *object,
                         struct ck_leaf_text told)
{
    uint8_t key[CK_SHA256_SIZE], digest[CK_SHA256_SIZE];
    const struct ck_slice slice = {key, sizeof key};
    return object->outcome >= 0 && (uint64_t)object->outcome < complete->draw_count &&
           digest_of(told, key) && ck_sha256(&slice, 1, digest) == 0 &&
           memcmp(digest, complete->draws[object->outcome].sha256, sizeof digest) == 0;
}

/* Committed before its epoch, told after it. */
static int add_draw_key(struct ck_complete *complete, struct object *object,
                        const struct ck_leaf *leaf, const struct ck_leaf_tail *tail,
                        struct ck_verdict *verdict)
{
    if (ck_leaf_is(leaf->action, "DRAW_KEY_COMMITTED")) {
        object->begun = leaf->index;
        object->outcome = -1; /* of a digest that cannot be read no key is told */
        object->last_ms =
            ((ck_leaf_number(tail->open, "epoch", 0) + 1) * EPOCH_DAYS + REVEAL_DAYS) * DAY_MS;
        return keep_draw(complete, object, ck_leaf_string(tail->open, "sha256"));
    }
    if (ck_leaf_is(leaf->action, "DRAW_KEY_REVEALED")) {
        object->ends++;
        if (object->begun >= 0 &&
            !is_committed(complete, object, ck_leaf_string(tail->open, "key"))) {
            ck_verdict_find(verdict, "plain",
                            "the draw key of entry %" PRId64 " is not the one that entry %" PRId64
                            " commits to",
                            leaf->index, object->begun);
        }
    }
    return 0;
}

static void add_person(struct object *object, const struct ck_leaf *leaf)
{
    if (!object->has_incident) {
        object->fired = leaf->index;
    }
}

static enum kind kind_of(const struct ck_leaf *leaf)
{
    switch (leaf->action.size == 0 ? 0 : leaf->action.at[0]) {
    case 'C':
        return ck_leaf_begins(leaf->action, "CHECKIN_") &&
                       !ck_leaf_is(leaf->action, "CHECKIN_CONCERN")
                   ? CHECKIN
                   : OTHER;
    case 'I':
        return ck_leaf_begins(leaf->action, "INCIDENT_") &&
                       !ck_leaf_is(leaf->action, "INCIDENT_SAFETY")
                   ? INCIDENT
                   : OTHER;
    case 'N':
        return ck_leaf_begins(leaf->action, "NOTICE_") &&
                       !ck_leaf_is(leaf->action, "NOTICE_ACKNOWLEDGED")
                   ? NOTICE
                   : OTHER;
    case 'E':
        return ck_leaf_is(leaf->action, "EXPIRY_ERASED") &&
                       ck_leaf_is(leaf->object_kind, "recording")
                   ? RECORDING
                   : OTHER;
    case 'R':
        return ck_leaf_begins(leaf->action, "RECORDING_") ? RECORDING : OTHER;
    case 'P':
        return ck_leaf_is(leaf->action, "PERSON_SILENCE") ? PERSON
               : ck_leaf_is(leaf->action, "POLICY_KEPT")  ? POLICY
                                                          : OTHER;
    case 'D':
        return ck_leaf_begins(leaf->action, "DRAW_KEY_") ? DRAW_KEY : OTHER;
    default:
        return OTHER;
    }
}

/* Each entry names the one before it about the same object: what leaves one out shows it. */
static void check_previous(struct object *object, const struct ck_leaf *leaf, int64_t previous,
                           struct ck_verdict *verdict)
{
    if (previous != object->newest) {
        ck_verdict_find(verdict, "chain",
                        "entry %" PRId64 " names %" PRId64
                        " as the one before it about the same, and it is %" PRId64 " (-1: none)",
                        leaf->index, previous, object->newest);
    }
    object->newest = leaf->index;
}

void ck_complete_expect(const struct ck_complete *complete, const struct ck_leaf *leaf)
{
    __builtin_prefetch(&complete->objects[place_of(leaf->object_id.at, complete->capacity)], 1);
}

/* Entries that quote the policy by which they came to be. */
static int check_quoted(struct ck_complete *complete, const struct ck_leaf *leaf,
                        const struct ck_leaf_tail *tail, int64_t *wait_ms,
                        struct ck_verdict *verdict)
{
    static const struct word of_checkins[] = {WORD("CHECKIN_PLANNED"), WORD("CHECKIN_ON_DEMAND"),
                                              WORD("CHECKIN_MAKE_UP"), WORD("CHECKIN_SECOND"),
                                              WORD("CHECKIN_INBOUND"), WORD("CHECKIN_RING"),
                                              WORD("CHECKIN_OUTCOME")};
    static const struct word of_ladders[] = {
        WORD("INCIDENT_OPENED"), WORD("INCIDENT_LADDER_CHANGED"), WORD("LADDER_IN_FORCE")};
    bool ladder = IS_ONE_OF(leaf->action, of_ladders);
    return ladder || IS_ONE_OF(leaf->action, of_checkins)
               ? check_policy(complete, leaf, tail, ladder, wait_ms, verdict)
               : 0;
}

static int add(struct ck_complete *complete, const struct ck_leaf *leaf,
               const struct ck_leaf_tail *tail, int64_t at, struct ck_verdict *verdict)
{
    int64_t wait_ms = -1;
    int r = check_quoted(complete, leaf, tail, &wait_ms, verdict);
    enum kind kind = kind_of(leaf);
    struct object *object = object_of(complete, leaf->object_id.at, kind); /* where it is now */
    if (r != 0 || object == NULL) {
        return r != 0 ? r : -ENOMEM;
    }
    if (kind != OTHER && object->kind != kind) {
        /* What is kept of an object means another thing for each kind. */
        ck_verdict_find(verdict, "changed",
                        "entry %" PRId64 " (%.*s) is about %.32s, which is another kind of object "
                        "in entries before it",
                        leaf->index, (int)leaf->action.size, leaf->action.at, object->id);
        return 0;
    }
    switch (kind) {
    case CHECKIN:
        add_checkin(object, leaf, tail, at, wait_ms);
        return 0;
    case INCIDENT: /* may grow the table: `object` is not used after */
        return add_incident(complete, object, leaf, tail, at, wait_ms, verdict);
    case NOTICE:
        return add_notice(complete, object, leaf, tail, at);
    case RECORDING:
        add_recording(object, leaf, at);
        return 0;
    case PERSON:
        add_person(object, leaf);
        return 0;
    case DRAW_KEY:
        return add_draw_key(complete, object, leaf, tail, verdict);
    case POLICY:
        add_policy(object, leaf, tail);
        return 0;
    case OTHER:
        if (ck_leaf_is(leaf->action, "SYSTEM_STARTED") ||
            ck_leaf_is(leaf->action, "STORE_FAILED")) {
            complete->started_ms = at;
        }
        return 0;
    case NONE:
    case KINDS:
        break;
    }
    return 0;
}

static int look_at(struct ck_complete *complete, const struct ck_leaf *leaf,
                   struct ck_verdict *verdict)
{
    int64_t at = time_of_entry(complete, leaf->at);
    if (at < complete->now_ms - BACK_MS && ck_leaf_is(leaf->clock, "synchronised")) {
        ck_verdict_find(verdict, "time",
                        "entry %" PRId64 " is older than the one before it, by a clock that was "
                        "synchronised",
                        leaf->index);
    }
    complete->now_ms = at;
    enum kind kind = kind_of(leaf);
    struct ck_leaf_tail tail = {.previous = -1};
    struct object *object = object_of(complete, leaf->object_id.at, kind);
    if (object == NULL) {
        return -ENOMEM;
    }
    if (!ck_leaf_read_tail(leaf, &tail)) {
        ck_verdict_find(verdict, "changed", "entry %" PRId64 " is no entry of this log",
                        leaf->index);
        return 0;
    }
    check_previous(object, leaf, tail.previous, verdict);
    return add(complete, leaf, &tail, at, verdict);
}

void ck_complete_add(struct ck_complete *complete, const struct ck_leaf *leaf,
                     struct ck_verdict *verdict)
{
    if (complete->stopped < 0 && look_at(complete, leaf, verdict) != 0) {
        complete->stopped = leaf->index;
    }
}

/* ---- the end ---- */

static void judge_checkin(const struct object *object, bool overdue, struct ck_verdict *verdict)
{
    if (object->begun < 0) {
        ck_verdict_find(verdict, "omitted", "no entry says how check-in %.32s came to be",
                        object->id);
    }
    if (object->ends > 1) {
        ck_verdict_find(verdict, "omitted", "check-in %.32s (entry %" PRId64 ") has %u outcomes",
                        object->id, object->begun, object->ends);
    }
    if (object->ends == 0 && overdue) {
        ck_verdict_find(verdict, "omitted", "check-in %.32s (entry %" PRId64 ") has no outcome",
                        object->id, object->begun);
    }
    if (object->needs_incident && !object->has_incident) {
        ck_verdict_find(verdict, "omitted",
                        "check-in %.32s ended without contact (entry %" PRId64
                        ") and no incident was opened",
                        object->id, object->outcome);
    }
}

static void judge(const struct ck_complete *complete, struct object *object,
                  struct ck_verdict *verdict)
{
    static const char *const names[KINDS] = {[NOTICE] = "notice",
                                             [RECORDING] = "recording",
                                             [INCIDENT] = "incident",
                                             [DRAW_KEY] = "draw key"};
    bool overdue = complete->now_ms - object->last_ms > PATIENCE_MS;
    if (object->kind == OTHER || object->kind == POLICY) {
        return;
    }
    if (object->kind == PERSON) {
        if (object->fired >= 0) {
            ck_verdict_find(verdict, "omitted",
                            "person %.32s was silent too long (entry %" PRId64
                            ") and no incident was opened",
                            object->id, object->fired);
        }
        return;
    }
    if (object->kind == CHECKIN) {
        judge_checkin(object, overdue, verdict);
        return;
    }
    if (object->kind == RECORDING && object->fired >= 0 && overdue) {
        ck_verdict_find(verdict, "omitted",
                        "recording %.32s was destroyed (entry %" PRId64
                        ") and no entry says that its file is gone",
                        object->id, object->fired);
    }
    if (object->kind == INCIDENT) {
        judge_first_step(complete, object, complete->now_ms, verdict);
        judge_rest(complete, object, complete->now_ms, verdict);
    }
    if (object->begun < 0) {
        ck_verdict_find(verdict, "omitted", "no entry says how %s %.32s came to be",
                        names[object->kind], object->id);
    } else if (object->kind == INCIDENT ? object->fired >= 0 && overdue
                                        : object->ends == 0 && overdue) {
        ck_verdict_find(verdict, "omitted",
                        object->kind == INCIDENT ? "a step of %s %.32s (entry %" PRId64
                                                   ") fired and told nobody"
                                                 : "%s %.32s (entry %" PRId64 ") has no end",
                        names[object->kind], object->id,
                        object->kind == INCIDENT ? object->fired : object->begun);
    }
}

void ck_complete_end(struct ck_complete *complete, struct ck_verdict *verdict)
{
    uint64_t before = verdict->findings;
    if (complete->stopped >= 0) { /* what was open then may have ended in what was not looked at */
        ck_verdict_find(verdict, "limit",
                        "whether anything is missing was asked up to entry %" PRId64
                        " alone: there is no room for more than %zu objects (--objects gives more)",
                        complete->stopped, complete->count);
        return;
    }
    for (size_t i = 0; i < complete->capacity; i++) {
        if (complete->objects[i].kind != NONE) {
            complete->seen[complete->objects[i].kind]++;
            judge(complete, &complete->objects[i], verdict);
        }
    }
    if (verdict->findings == before) {
        ck_verdict_proven(verdict,
                          "nothing is missing about %" PRIu64 " check-ins, %" PRIu64
                          " incidents, %" PRIu64 " notices and %" PRIu64 " recordings",
                          complete->seen[CHECKIN], complete->seen[INCIDENT], complete->seen[NOTICE],
                          complete->seen[RECORDING]);
    }
}
