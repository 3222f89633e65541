/* A bundle: all about one incident or check-in in one archive that others can read and verify.
 *
 *   report.en.html, report.kk.html, report.ru.html   for people, with a picture of the time line;
 *                           times are the unit's, with the offset, and UTC beside them
 *   report.en.pdf, …        the same, to be printed and filed; by checkin-render, and "report_pdf"
 *                           of facts.json says "failed" or "too_long" where it could not be made
 *   facts.json              the same for programs
 *   checkpoint, log.vkey    the newest checkpoint and the log's key as the signer names it
 *   entries/N.json          an entry of the audit log as it was hashed
 *   entries/N.tlog-proof    the proof that it is in the signed log (C2SP tlog-proof)
 *   opened/N.json           what the entry commits to: member → [salt, value]
 *   messages/N.jpg, …       photos and documents of the messages around the check-in, which are in
 *                           facts.json
 *   recordings/N.ckr, N.webm, N.key   a recording as it was sealed, as it plays, and its key
 *   side-by-side.webm       both sides in one picture with the server's time (UTC) burnt in, by
 *                           checkin-render; not what is proven, but what is easy to watch
 *
 * For whom decides what is in it. Nobody gets concerns, safety steps, free texts about others or
 * the addresses of staff. A person gets what is theirs: their check-in, its notices and their own
 * recording; nothing of the ladder. */
#ifndef DAEMON_BUNDLE_BUNDLE_H
#define DAEMON_BUNDLE_BUNDLE_H

#include <stdatomic.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"

#define CK_BUNDLE_ENTRIES_MAX 1000       /* of one bundle; CK_E_LIMIT beyond */
#define CK_BUNDLE_MESSAGES_MAX 500       /* of the person's thread; later ones are left out */
#define CK_BUNDLE_FILES_MAX (64u << 20)  /* bytes of their files; what is beyond is left out */
#define CK_BUNDLE_SIDE_MAX (256u << 20)  /* bytes of recordings for the film of both sides */
#define CK_BUNDLE_VIDEO_MAX (768u << 20) /* bytes of recordings; what is beyond is left out */

enum ck_bundle_audience { CK_BUNDLE_COURT, CK_BUNDLE_PERSON, CK_BUNDLE_AGENCY };

struct ck_bundle_order {
    int64_t approval;
    int64_t person;
    int64_t incident; /* 0: a check-in alone */
    int64_t checkin;  /* 0: that of the incident, if it has one */
    enum ck_bundle_audience audience;
    const char *recipient, *reason;
    struct ck_wall now;
    const char *zone_dir;      /* time zones, for the unit's local time; permanent text */
    const uint8_t *master_key; /* of the recordings' keys */
    const char *recording_dir;
    const char *render_program;   /* checkin-render; NULL: no film side by side */
    struct ck_mono (*mono)(void); /* elapsed time, for the film alone */
    int64_t video_ms; /* how long that film may take to be made; longer, and it is left out */
    atomic_int *part; /* enum ck_bundle_part: what is being made now; may be NULL */
    const atomic_bool *stop; /* set by another thread: the film is given up; may be NULL */
};

enum ck_bundle_part { CK_BUNDLE_PART_ENTRIES, CK_BUNDLE_PART_RECORDINGS, CK_BUNDLE_PART_FILM };

struct ck_bundle_made {
    uint64_t bytes;
    unsigned files, entries, unsigned_entries, recordings, left_out; /* recordings */
    uint8_t sha256[CK_SHA256_SIZE];
};

/* Fills what "bundle.open" answers (daemon/cases/bundle.c): approval, person, what it is about, for
 * whom and why; texts are those of the object. CK_E_INVALID. */
int ck_bundle_order_read(const json_t *opened, struct ck_bundle_order *order);

/* Builds it into `fd`, an empty file in memory: nothing of it may touch a disk. Blocks; for a
 * thread of the pool, on a reader connection, whose view of the store it ends before the film is
 * made: that takes minutes, and meanwhile the store could not be tidied up. CK_E_NOT_FOUND: there
 * is no such incident or check-in; CK_E_LIMIT; -ECANCELED: stopped; -errno. */
int ck_bundle_build(struct ck_store *store, const struct ck_bundle_order *order, int fd,
                    struct ck_bundle_made *made);

#endif
