/* That nothing is left out about the objects of a bundle: from each one's first entry to the newest
 * that there was when the bundle was made, each names the one before it. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/verify/bundle_impl.h"
#include "daemon/verify/complete.h"
#include "protocol/base/time.h"

#define PATIENCE_MS (INT64_C(24) * 3600 * 1000) /* what has not ended by then has no end */
#define AT_SIZE 24

/* What an object of a kind must come to. */
struct ending {
    const char *kind;
    const char *actions[4];
    bool by_state; /* notices: a state that is the last */
    bool stays;    /* may stay open for as long as it takes */
};

static const struct ending endings[] = {
    {.kind = "checkin", .actions = {"CHECKIN_OUTCOME"}},
    {.kind = "incident", .actions = {"INCIDENT_CLOSED"}, .stays = true},
    {.kind = "notice", .by_state = true},
    {.kind = "recording",
     .actions = {"RECORDING_CLOSED", "RECORDING_RECOVERED", "RECORDING_FAILED"}},
};

static bool is_end(const struct ending *ending, const struct bundle_entry *entry)
{
    static const char *const states[] = {"accepted",    "delivered", "read",
                                         "failed_perm", "expired",   "cancelled"};
    struct ck_leaf_text state = ck_leaf_string(entry->tail.open, "state");
    for (size_t i = 0; ending->by_state && i < sizeof states / sizeof states[0]; i++) {
        if (ck_leaf_is(state, states[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < 4 && ending->actions[i] != NULL; i++) {
        if (ck_leaf_is(entry->leaf.action, ending->actions[i])) {
            return true;
        }
    }
    return false;
}

static int64_t time_of(const struct bundle_entry *entry)
{
    char copy[AT_SIZE + 1] = {0};
    struct ck_wall at = {0};
    memcpy(copy, entry->leaf.at.at, AT_SIZE);
    (void)ck_wall_parse(copy, &at);
    return at.ms;
}

/* Each entry names the one before it about the same object. */
static unsigned check_chains(struct bundle_work *work)
{
    unsigned gaps = 0;
    for (size_t i = 0; i < work->entry_count; i++) {
        const struct bundle_entry *entry = work->by_object[i];
        bool follows = i > 0 && bundle_same_object(entry, work->by_object[i - 1]);
        int64_t before = follows ? work->by_object[i - 1]->leaf.index : -1;
        if (entry->tail.previous == before) {
            continue;
        }
        gaps++;
        if (!work->for_person) {
            ck_verdict_find(work->verdict, "omitted",
                            "entry %" PRId64 " about the same object as entry %" PRId64
                            " is left out",
                            entry->tail.previous, entry->leaf.index);
        }
    }
    return gaps;
}

/* An object of which no end is told: whether that can be. */
static void judge_open(struct bundle_work *work, const struct ending *ending,
                       const struct bundle_entry *last, unsigned *open)
{
    bool overdue =
        work->bound && !ending->stays && time_of(&work->built) - time_of(last) > PATIENCE_MS;
    if (overdue) {
        ck_verdict_find(work->verdict, "omitted",
                        "%s %.32s has no end, a day after its newest entry (%" PRId64 ")",
                        ending->kind, last->leaf.object_id.at, last->leaf.index);
    } else {
        ++*open;
    }
}

static void check_object(struct bundle_work *work, struct ck_leaf_text id,
                         struct ck_leaf_text about, unsigned *open)
{
    struct ck_leaf_text kind = ck_leaf_string(about, "kind");
    int64_t wanted = ck_leaf_number(about, "last", -1);
    const struct ending *ending = NULL;
    const struct bundle_entry *last = NULL;
    bool ended = false;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        ending = ck_leaf_is(kind, endings[i].kind) ? &endings[i] : ending;
    }
    size_t count = 0;
    struct bundle_entry *const *entries =
        id.size == BUNDLE_ID_SIZE ? bundle_entries_of(work, id.at, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        last = entries[i];
        entries[i]->named = true;
        ended = ended || (ending != NULL && is_end(ending, last));
    }
    if (last == NULL || last->leaf.index != wanted) {
        ck_verdict_find(work->verdict, "omitted",
                        "entry %" PRId64 ", the newest about %.*s %.*s, is left out", wanted,
                        (int)kind.size, kind.at, (int)id.size, id.at);
    } else if (ending != NULL && !ended) {
        judge_open(work, ending, last, open);
    }
}

/* Who took an incident over or closed it is named. */
static void check_officers(struct bundle_work *work)
{
    for (size_t i = 0; i < work->entry_count; i++) {
        const struct bundle_entry *entry = &work->entries[i];
        if (!ck_complete_names_officer(&entry->leaf, &entry->tail)) {
            ck_verdict_find(work->verdict, "omitted",
                            "entry %" PRId64 " (%.*s) names nobody who did it", entry->leaf.index,
                            (int)entry->leaf.action.size, entry->leaf.action.at);
        }
    }
}

/* Every entry is about an object that the manifest names. */
static void check_subjects(struct bundle_work *work)
{
    for (size_t i = 0; i < work->entry_count; i++) {
        if (!work->entries[i].named) {
            ck_verdict_find(work->verdict, "inserted",
                            "entry %" PRId64 " is about nothing that the manifest names",
                            work->entries[i].leaf.index);
        }
    }
}

void bundle_check_objects(struct bundle_work *work)
{
    struct ck_leaf_text id, about;
    unsigned gaps = check_chains(work), open = 0;
    for (size_t at = 0; ck_leaf_next(work->objects, &at, &id, &about);) {
        check_object(work, id, about, &open);
    }
    if (work->objects.size > 0) {
        check_subjects(work);
    }
    check_officers(work);
    if (gaps > 0 && work->for_person) {
        ck_verdict_not_proven(work->verdict,
                              "that it is all: entries are left out in %u places, as from "
                              "every bundle for the person",
                              gaps);
    }
    if (open > 0) {
        ck_verdict_not_proven(work->verdict,
                              "how %u check-ins, incidents, notices or recordings ended: they were "
                              "open when this was made",
                              open);
    }
}
