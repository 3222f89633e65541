#include "daemon/bundle/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bundle/bundle_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

static int add_facts(struct ck_bundle_work *work)
{
    ck_cleanup(ck_freep) char *text = json_dumps(work->facts, JSON_INDENT(1) | JSON_SORT_KEYS);
    return text == NULL ? -ENOMEM : ck_zip_add(work->zip, "facts.json", text, strlen(text));
}

const char *ck_bundle_audience_name(enum ck_bundle_audience audience)
{
    static const char *const names[] = {
        [CK_BUNDLE_COURT] = "court", [CK_BUNDLE_PERSON] = "person", [CK_BUNDLE_AGENCY] = "agency"};
    return names[audience];
}

int ck_bundle_order_read(const json_t *opened, struct ck_bundle_order *order)
{
    const char *kind = NULL, *audience = NULL;
    json_int_t approval = 0, person = 0, id = 0;
    if (json_unpack((json_t *)(uintptr_t)opened, "{s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "approval",
                    &approval, "person", &person, "id", &id, "kind", &kind, "audience", &audience,
                    "recipient", &order->recipient, "reason", &order->reason) != 0) {
        return CK_E_INVALID;
    }
    bool incident = strcmp(kind, "incident") == 0;
    order->zone_dir = CK_ZONE_DIR;
    order->approval = approval;
    order->person = person;
    order->incident = incident ? id : 0;
    order->checkin = incident ? 0 : id;
    order->audience = strcmp(audience, "person") == 0   ? CK_BUNDLE_PERSON
                      : strcmp(audience, "agency") == 0 ? CK_BUNDLE_AGENCY
                                                        : CK_BUNDLE_COURT;
    return 0;
}

static void tell(const struct ck_bundle_order *order, enum ck_bundle_part part)
{
    if (order->part != NULL) {
        atomic_store(order->part, (int)part);
    }
}

int ck_bundle_build(struct ck_store *store, const struct ck_bundle_order *order, int fd,
                    struct ck_bundle_made *made)
{
    struct ck_bundle_work work = {.store = store,
                                  .order = order,
                                  .made = made,
                                  .fd = fd,
                                  .facts = json_object(),
                                  .objects = json_object()};
    *made = (struct ck_bundle_made){0};
    int r = work.facts == NULL || work.objects == NULL
                ? -ENOMEM
                : ck_zip_writer_create(&work.zip, fd, order->now);
    r = r == 0 ? ck_bundle_facts(&work) : r;
    r = r == 0 ? ck_bundle_messages(&work) : r; /* whose entries are among the others */
    r = r == 0 ? ck_bundle_entries(&work) : r;
    tell(order, CK_BUNDLE_PART_RECORDINGS);
    r = r == 0 ? ck_bundle_recordings(&work) : r;
    tell(order, CK_BUNDLE_PART_FILM);
    r = r == 0 ? ck_bundle_video(&work) : r;
    r = r == 0 ? ck_bundle_reports(&work) : r;
    r = r == 0 ? add_facts(&work) : r;
    r = r == 0 ? ck_bundle_manifest(&work) : r;
    if (r == 0) {
        made->zip = work.zip;
        made->covers = work.covers;
        made->files = ck_zip_files(work.zip);
    } else {
        ck_zip_writer_destroy(work.zip);
    }
    json_decref(work.facts);
    json_decref(work.objects);
    free(work.note);
    return r;
}
