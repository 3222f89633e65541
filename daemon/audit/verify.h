/* The audit log: verifying it, and proving one entry. On any connection; nothing is written.
 *
 * What a verification of the store alone shows is that its parts agree: leaves, hashes, tiles, head
 * and the plaintext beside them. Whoever can write the file can make all of them agree; that is
 * shown against a root kept elsewhere (ck_audit_known). */
#ifndef DAEMON_AUDIT_VERIFY_H
#define DAEMON_AUDIT_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/merkle.h"

enum ck_audit_fault {
    CK_AUDIT_CHANGED = 1, /* the leaf, its hash or what it says of itself was changed */
    CK_AUDIT_REMOVED,     /* entries [index, until) are missing */
    CK_AUDIT_INSERTED,    /* an entry stands where it does not belong: twice the same place */
    CK_AUDIT_MOVED,       /* entries stand in another order */
    CK_AUDIT_APPENDED,    /* entries behind the end of the log */
    CK_AUDIT_PLAIN,       /* the text beside an entry is not what the entry commits to */
    CK_AUDIT_TREE,        /* entries [index, until) do not give the hash that was kept of them */
    CK_AUDIT_ROOT,        /* the log does not give the root that is known from elsewhere */
};

struct ck_audit_finding {
    enum ck_audit_fault fault;
    int64_t index;
    int64_t until;
    char text[200]; /* one English sentence that names the entry */
};

/* A head of the log that was seen earlier, or elsewhere. */
struct ck_audit_known {
    uint64_t size;
    struct ck_hash root;
};

#define CK_AUDIT_KNOWN_MAX 64

struct ck_audit_report {
    /* Called for each finding, in the order of the log; may be NULL. */
    void (*finding)(void *user, const struct ck_audit_finding *finding);
    void *user;
    const struct ck_audit_known *known; /* ascending by size; each is compared; may be NULL */
    size_t known_count;                 /* at most CK_AUDIT_KNOWN_MAX */
    /* filled */
    uint64_t entries;
    uint64_t findings;
    uint64_t erased;     /* entries whose sealed text was erased */
    struct ck_hash root; /* over the leaves that are there */
};

/* Recomputes everything. 0, also with findings: look at report->findings; CK_E_NOT_FOUND: there is
 * no log; -errno. */
int ck_audit_verify(struct ck_store *store, struct ck_audit_report *report);

/* LogEntryDetail: the entry with its inclusion proof in the tree of the first checkpoint that
 * covers it, which it names; in the present tree where none does yet. CK_E_NOT_FOUND. unit as in
 * query_log.h. */
int ck_audit_detail(struct ck_store *store, int64_t unit, int64_t index, json_t **detail);

#endif
