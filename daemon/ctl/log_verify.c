/* checkinctl log verify: recomputes the audit log from the store, without the daemon. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/audit/verify.h"
#include "daemon/ctl/checkinctl_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

/* What the verification found, as it comes. */
struct findings {
    bool json;
    json_t *list;
};

static const char *fault_name(enum ck_audit_fault fault)
{
    switch (fault) {
    case CK_AUDIT_CHANGED:
        return "changed";
    case CK_AUDIT_REMOVED:
        return "removed";
    case CK_AUDIT_INSERTED:
        return "inserted";
    case CK_AUDIT_MOVED:
        return "moved";
    case CK_AUDIT_APPENDED:
        return "appended";
    case CK_AUDIT_PLAIN:
        return "plaintext";
    case CK_AUDIT_TREE:
        return "tree";
    case CK_AUDIT_ROOT:
        return "root";
    }
    return "unknown";
}

static void on_finding(void *user, const struct ck_audit_finding *finding)
{
    struct findings *findings = user;
    if (findings->json) {
        json_array_append_new(findings->list,
                              json_pack("{s:s, s:I, s:I, s:s}", "fault", fault_name(finding->fault),
                                        "index", (json_int_t)finding->index, "until",
                                        (json_int_t)finding->until, "text", finding->text));
    } else {
        printf("%s: %s\n", fault_name(finding->fault), finding->text);
    }
}

/* "SIZE:HEX". */
static bool read_known(const char *text, struct ck_audit_known *known)
{
    char *colon;
    errno = 0;
    unsigned long long size = strtoull(text, &colon, 10);
    if (errno != 0 || colon == text || *colon != ':' || *text == '-') {
        return false;
    }
    known->size = size;
    return ck_hex_decode(colon + 1, known->root.bytes, sizeof known->root.bytes) == 0;
}

static void print_report(const struct ck_audit_report *report, struct findings *findings)
{
    char root[CK_HEX_SIZE(sizeof report->root.bytes)];
    ck_hex_encode(report->root.bytes, sizeof report->root.bytes, root);
    if (findings->json) {
        json_t *object =
            json_pack("{s:b, s:I, s:I, s:I, s:s, s:O}", "whole", report->findings == 0, "entries",
                      (json_int_t)report->entries, "findings", (json_int_t)report->findings,
                      "erased", (json_int_t)report->erased, "root", root, "list", findings->list);
        ck_ctl_print(object, true);
        json_decref(object);
        return;
    }
    printf("%s: %" PRIu64 " entries, %" PRIu64 " with erased text, root %s\n",
           report->findings == 0 ? "whole" : "NOT WHOLE", report->entries, report->erased, root);
}

/* Tells the daemon, if it runs, so that the verification is itself in the log. */
static void tell_daemon(const struct ck_ctl *ctl, const struct ck_audit_report *report)
{
    (void)ck_ctl_tell(ctl, "log.verified",
                      json_pack("{s:I, s:I}", "entries", (json_int_t)report->entries, "findings",
                                (json_int_t)report->findings));
}

/* Verifies the log of an open store. */
static int verify(struct ck_store *store, const struct ck_ctl *ctl,
                  const struct ck_audit_known *known, size_t known_count)
{
    struct findings findings = {.json = ctl->json, .list = json_array()};
    struct ck_audit_report report = {
        .finding = on_finding, .user = &findings, .known = known, .known_count = known_count};
    int error = ck_audit_verify(store, &report);
    if (error == 0) {
        print_report(&report, &findings);
        tell_daemon(ctl, &report);
    } else {
        fprintf(stderr, "checkinctl: the log cannot be read: %s\n", ck_error_text(error));
    }
    json_decref(findings.list);
    return error == 0 && report.findings == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int by_size(const void *a, const void *b)
{
    const struct ck_audit_known *first = a;
    const struct ck_audit_known *second = b;
    return first->size < second->size ? -1 : first->size > second->size;
}

int ck_ctl_log_verify(const struct ck_ctl *ctl, int count, char **words)
{
    struct ck_audit_known known[CK_AUDIT_KNOWN_MAX];
    size_t known_count = 0;
    for (int i = 0; i < count; i++) {
        if (known_count == CK_AUDIT_KNOWN_MAX || !read_known(words[i], &known[known_count])) {
            fprintf(stderr, "checkinctl: '%s' is not a root of the form SIZE:HEX\n", words[i]);
            return EX_USAGE;
        }
        known_count++;
    }
    qsort(known, known_count, sizeof known[0], by_size);
    ck_cleanup(ck_store_closep) struct ck_store *store = NULL;
    int code = ck_ctl_open_store(ctl, &store);
    return code != 0 ? code : verify(store, ctl, known, known_count);
}
