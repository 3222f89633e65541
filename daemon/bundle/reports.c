/* The reports of a bundle, each language as a page of HTML and as a PDF: of one document each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/bundle/bundle_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define PAPER_MS                                                                                   \
    60000 /* for all languages together: a report of 1,000 entries takes one second                \
           */

struct papers {
    char *bytes[CK_BUNDLE_LANGUAGES];
    size_t sizes[CK_BUNDLE_LANGUAGES];
};

static void papers_free(struct papers *papers)
{
    for (int language = 0; language < CK_BUNDLE_LANGUAGES; language++) {
        free(papers->bytes[language]);
    }
}

static int write_papers(const struct ck_bundle_work *work, struct papers *papers)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(work->facts, "bundle"), "zone"));
    const struct ck_zone *zone = NULL;
    struct ck_zones *zones = ck_zones_create(work->order->zone_dir);
    int r = zones == NULL ? -ENOMEM : ck_zones_find(zones, name, &zone);
    r = r > 0 ? 0 : r; /* a zone that is no more: times are UTC alone */
    for (int language = 0; r == 0 && language < CK_BUNDLE_LANGUAGES; language++) {
        r = ck_bundle_report(work->facts, zone, (enum ck_bundle_language)language,
                             &papers->bytes[language], &papers->sizes[language]);
    }
    ck_zones_destroy(zones);
    return r;
}

static int add_pages(struct ck_bundle_work *work, const struct papers *papers)
{
    int r = 0;
    for (int language = 0; r == 0 && language < CK_BUNDLE_LANGUAGES; language++) {
        ck_cleanup(ck_freep) char *html = NULL;
        char file[64];
        size_t size = 0;
        r = ck_bundle_html(papers->bytes[language], papers->sizes[language], &html, &size);
        snprintf(file, sizeof file, "report.%s.html", ck_bundle_language_names[language]);
        r = r == 0 ? ck_zip_add(work->zip, file, html, size) : r;
    }
    return r;
}

/* The document in a memory file, and an empty one for what is made of it. */
static int make_job(const char *paper, size_t size, struct ck_bundle_job *job)
{
    job->fds[0] = memfd_create("paper", MFD_CLOEXEC);
    job->fds[1] = memfd_create("report", MFD_CLOEXEC);
    if (job->fds[0] < 0 || job->fds[1] < 0) {
        return -errno;
    }
    for (size_t at = 0; at < size;) {
        ssize_t part = pwrite(job->fds[0], paper + at, size - at, (off_t)at);
        if (part < 0) {
            return -errno;
        }
        at += (size_t)part;
    }
    return 0;
}

static int make_files(struct ck_bundle_work *work, const struct papers *papers,
                      struct ck_bundle_job jobs[CK_BUNDLE_LANGUAGES])
{
    int r = 0;
    for (int i = 0; r == 0 && i < CK_BUNDLE_LANGUAGES; i++) {
        jobs[i].message =
            (struct ck_render_message){.kind = CK_RENDER_PAPER, .job = 1 + (unsigned)i};
        r = make_job(papers->bytes[i], papers->sizes[i], &jobs[i]);
    }
    return r == 0 ? ck_bundle_render(work->order, PAPER_MS, jobs, CK_BUNDLE_LANGUAGES) : r;
}

/* What cannot be made is said in the facts; the pages say the same as the files would. */
static int add_files(struct ck_bundle_work *work, const struct papers *papers)
{
    struct ck_bundle_job jobs[CK_BUNDLE_LANGUAGES] = {{.bytes = 0}};
    for (int i = 0; i < CK_BUNDLE_LANGUAGES; i++) {
        ck_bundle_job_init(&jobs[i]);
    }
    bool wanted = work->order->render_program != NULL;
    ck_store_view_end(work->store); /* nothing more is read */
    int r = wanted ? make_files(work, papers, jobs) : CK_E_NOT_FOUND;
    const char *said = r == 0 ? "made" : r == CK_E_BUSY ? "too_long" : "failed";
    json_t *fact = wanted ? json_string(said) : json_null();
    for (int i = 0; r == 0 && i < CK_BUNDLE_LANGUAGES; i++) {
        char file[64];
        snprintf(file, sizeof file, "report.%s.pdf", ck_bundle_language_names[i]);
        r = ck_bundle_add_file(work, file, jobs[i].fds[1], jobs[i].bytes);
    }
    for (int i = 0; i < CK_BUNDLE_LANGUAGES; i++) {
        for (size_t k = 0; k < CK_RENDER_FDS_MAX; k++) {
            ck_closep(&jobs[i].fds[k]);
        }
    }
    bool kept = json_object_set_new(work->facts, "report_pdf", fact) == 0;
    return r == -ENOMEM || !kept ? -ENOMEM : r == -ECANCELED ? r : 0;
}

int ck_bundle_reports(struct ck_bundle_work *work)
{
    ck_cleanup(papers_free) struct papers papers = {{NULL}, {0}};
    int r = write_papers(work, &papers);
    r = r == 0 ? add_pages(work, &papers) : r;
    return r == 0 ? add_files(work, &papers) : r;
}
