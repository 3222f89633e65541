#ifndef DAEMON_BUNDLE_BUNDLE_IMPL_H
#define DAEMON_BUNDLE_BUNDLE_IMPL_H

#include <jansson.h>

#include "daemon/bundle/bundle.h"
#include "daemon/bundle/words_impl.h"
#include "protocol/render.h"
#include "protocol/zip.h"
#include "scheduler/zone.h"

struct ck_bundle_work {
    struct ck_store *store;
    const struct ck_bundle_order *order;
    struct ck_bundle_made *made;
    struct ck_zip_writer *zip;
    int fd;          /* which that writes */
    json_t *facts;   /* {bundle, person, incident, checkin, messages, recordings, entries} */
    json_t *objects; /* of the manifest: pseudonym → what it is and its newest entry here */
    char *note;      /* the newest checkpoint, under which all entries are proven; NULL: none yet */
    int64_t covers;  /* entries that it covers */
};

/* facts.c: what is said, by a list of what may be. */
int ck_bundle_facts(struct ck_bundle_work *work);
/* entries.c: entries, proofs and opened values into the archive; their list into the facts. */
int ck_bundle_entries(struct ck_bundle_work *work);
/* manifest.c: the list of all that is in it, as the last file of it */
#define CK_BUNDLE_MANIFEST "manifest.json"
int ck_bundle_manifest(struct ck_bundle_work *work);
/* messages.c */
int ck_bundle_messages(struct ck_bundle_work *work);
/* recordings.c */
int ck_bundle_recordings(struct ck_bundle_work *work);
/* A recording as it plays, in a memory file that is the caller's to close. CK_E_LIMIT: longer than
 * `most` bytes. */
struct ck_bundle_plain {
    int fd;
    uint64_t size;
    struct ck_wall start;
    bool has_audio, has_video;
};
int ck_bundle_open_plain(struct ck_bundle_work *work, int64_t id, uint64_t most,
                         struct ck_bundle_plain *plain);
/* video.c: both sides in one picture; "side_by_side" of the facts says what came of it. */
#define CK_BUNDLE_SIDE_BY_SIDE "side-by-side.webm"
int ck_bundle_video(struct ck_bundle_work *work);
/* report.c: what the report says, as a document of blocks (protocol/paper.h), with times of this
 * zone (NULL: UTC alone); the caller frees. */
int ck_bundle_report(const json_t *facts, const struct ck_zone *zone,
                     enum ck_bundle_language language, char **paper, size_t *size);
/* html.c: such a document as one page of HTML; the caller frees. CK_E_SYNTAX. */
int ck_bundle_html(const void *paper, size_t paper_size, char **html, size_t *size);
/* reports.c: all reports; "report_pdf" of the facts says what came of the PDFs. */
int ck_bundle_reports(struct ck_bundle_work *work);
/* render.c: jobs for checkin-render, done one after the other by one process that ends then. */
struct ck_bundle_job {
    struct ck_render_message message;
    int fds[CK_RENDER_FDS_MAX];
    uint64_t bytes; /* written, on success */
};
/* One without descriptors. */
static inline void ck_bundle_job_init(struct ck_bundle_job *job)
{
    for (size_t i = 0; i < CK_RENDER_FDS_MAX; i++) {
        job->fds[i] = -1;
    }
}
/* All of them, within `most_ms`. CK_E_INVALID: one cannot be made of what was given; CK_E_BUSY: not
 * in this time; -ECANCELED: stopped; -errno. */
int ck_bundle_render(const struct ck_bundle_order *order, int64_t most_ms,
                     struct ck_bundle_job *jobs, size_t count);
/* Puts `size` bytes of a memory file into the archive. */
int ck_bundle_add_file(struct ck_bundle_work *work, const char *name, int fd, uint64_t size);

#endif
