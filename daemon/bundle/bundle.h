/* A bundle: all about one incident or check-in in one archive that others can read and verify.
 *
 *   report.en.html, report.kk.html, report.ru.html   for people, with a picture of the time line;
 *                           times are the unit's, with the offset, and UTC beside them
 *   report.en.pdf, …        the same, to be printed and filed; by checkin-render, and "report_pdf"
 *                           of facts.json says "failed" or "too_long" where it could not be made
 *   facts.json              the same for programs
 *   checkpoint, log.vkey    the newest checkpoint and the log's key as the signer names it
 *   keys/N.json, N.tlog-proof   an entry SIGNER_KEY, with its proof under the
 *                           first checkpoint that covers it, and that the newest goes on from
 *                           that one: how the log came to that key
 *   manifest.json           {"audience":…,"covers":…,"files":{NAME:SHA-256,…},"objects":{PSEUDONYM:
 *                           {"kind":…,"last":…},…}}: every file above and below but built.*, and of
 *                           every object the number of its newest entry here (and of a recording
 * its number as "file") built.json              the entry BUNDLE_BUILT, which holds the manifest's
 * SHA-256: with it the log says what was given out, and for whom built.tlog-proof        the proof
 * that it is in the signed log; not there where no checkpoint came in time built.consistency that
 * its checkpoint goes on from the other (the body of add-checkpoint, C2SP tlog-witness)
 *   entries/N.json          an entry of the audit log as it was hashed
 *   entries/N.tlog-proof    the proof that it is in the signed log (C2SP tlog-proof), all under the
 *                           one checkpoint
 *   opened/N.json           what the entry commits to: member → [salt, value]; the texts of the
 *                           messages below are among it
 *   messages/N.jpg, …       photos and documents of the messages around the check-in, which are in
 *                           facts.json
 *   recordings/N.ckr, N.webm, N.key   a recording as it was sealed, as it plays, and its key
 *   side-by-side.webm       both sides in one picture with the server's time (UTC) burnt in, by
 *                           checkin-render: all parts of each in their true time, and where there
 *                           is none it says so; not what is proven, but what is easy to watch.
 *                           "side_by_side_left_out" of facts.json counts recordings that are not
 *                           in it: without room, or that cannot be opened
 *
 * For whom decides what is in it. Nobody gets concerns, safety steps, free texts about others or
 * the addresses of staff. A person gets what is theirs: their check-in, its notices and their own
 * recording; nothing of the ladder. */
#ifndef DAEMON_BUNDLE_BUNDLE_H
#define DAEMON_BUNDLE_BUNDLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"
#include "protocol/base/text.h"

/* Of one bundle; CK_E_LIMIT beyond. A ladder that nobody answers for a quarter of a year, every
 * five minutes, writes less. */
#define CK_BUNDLE_ENTRIES_MAX 300000
/* Of the person's thread, and bytes of their texts; later ones are left out, and "messages_beyond"
 * of the facts says how many. Ten a minute for a week are less. */
#define CK_BUNDLE_MESSAGES_MAX 100000
#define CK_BUNDLE_TEXTS_MAX (64u << 20)
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

#define CK_BUNDLE_PROOF_MS                                                                         \
    15000 /* for a checkpoint that covers BUNDLE_BUILT; three times its due */

enum ck_bundle_part {
    CK_BUNDLE_PART_ENTRIES,
    CK_BUNDLE_PART_RECORDINGS,
    CK_BUNDLE_PART_FILM,
    CK_BUNDLE_PART_PROOF,
};

struct ck_zip_writer;

struct ck_bundle_made {
    struct ck_zip_writer *zip; /* from build to end or drop */
    char manifest[CK_HEX_SIZE(CK_SHA256_SIZE)];
    int64_t covers; /* entries under the checkpoint in it; 0: none */
    bool proven;    /* the proof of BUNDLE_BUILT is in it */
    uint64_t bytes;
    unsigned files, entries, unsigned_entries, recordings, left_out; /* recordings */
    uint8_t sha256[CK_SHA256_SIZE];
};

/* Fills what "bundle.open" answers (daemon/cases/bundle.c): approval, person, what it is about, for
 * whom and why; texts are those of the object. The other members are left alone. CK_E_INVALID. */
int ck_bundle_order_read(const json_t *opened, struct ck_bundle_order *order);

/* "court", "person", "agency". */
const char *ck_bundle_audience_name(enum ck_bundle_audience audience);

/* Builds all of it but built.* into `fd`, an empty file in memory: nothing of it may touch a disk.
 * Then made->manifest goes into the log (command "bundle.built"). Blocks; for a
 * thread of the pool, on a reader connection, whose view of the store it ends before the film is
 * made: that takes minutes, and meanwhile the store could not be tidied up. CK_E_NOT_FOUND: there
 * is no such incident or check-in; CK_E_LIMIT; -ECANCELED: stopped; -errno. */
int ck_bundle_build(struct ck_store *store, const struct ck_bundle_order *order, int fd,
                    struct ck_bundle_made *made);

/* The body of "bundle.built" for one that was ordered so (as "bundle.open" answers). */
json_t *ck_bundle_built_body(const json_t *opened, const struct ck_bundle_made *made);

/* Ends it with the entry BUNDLE_BUILT, which is number `index`, and its proof; waits for that at
 * most CK_BUNDLE_PROOF_MS by order->mono, and not at all where nothing was ever signed. Blocks; for
 * a thread of the pool. Fills bytes, files, proven and sha256. -EUCLEAN: that entry is another;
 * -ECANCELED; -errno. */
int ck_bundle_end(struct ck_store *store, const struct ck_bundle_order *order, int64_t index,
                  int fd, struct ck_bundle_made *made);

/* Lets go of one that is not ended. */
void ck_bundle_drop(struct ck_bundle_made *made);

#endif
