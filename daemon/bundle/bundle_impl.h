#ifndef DAEMON_BUNDLE_BUNDLE_IMPL_H
#define DAEMON_BUNDLE_BUNDLE_IMPL_H

#include <jansson.h>

#include "daemon/bundle/bundle.h"
#include "daemon/bundle/words_impl.h"
#include "protocol/zip.h"

struct ck_bundle_work {
    struct ck_store *store;
    const struct ck_bundle_order *order;
    struct ck_bundle_made *made;
    struct ck_zip_writer *zip;
    json_t *facts; /* {bundle, person, incident, checkin, messages, recordings, entries} */
};

/* facts.c: what is said, by a list of what may be. */
int ck_bundle_facts(struct ck_bundle_work *work);
/* entries.c: entries, proofs and opened values into the archive; their list into the facts. */
int ck_bundle_entries(struct ck_bundle_work *work);
/* messages.c */
int ck_bundle_messages(struct ck_bundle_work *work);
/* recordings.c */
int ck_bundle_recordings(struct ck_bundle_work *work);
/* report.c: the report as HTML; the caller frees. */
int ck_bundle_report(const json_t *facts, enum ck_bundle_language language, char **html,
                     size_t *size);

#endif
