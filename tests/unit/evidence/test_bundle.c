/* The bundle of an incident, from an engine that lived through it, for each who may get one: what
 * is in it, what is not, and that whoever is at it is found. */
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/access/access.h"
#include "daemon/audit/checkpoint.h"
#include "daemon/audit/export.h"
#include "daemon/bundle/bundle.h"
#include "daemon/cases/cases.h"
#include "daemon/store/checkpoint.h"
#include "daemon/store/erase.h"
#include "daemon/store/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/note.h"
#include "protocol/render.h"
#include "protocol/zip.h"
#include "tests/unit/core/world.h"
#include "tests/unit/evidence/rig.h"
#include "tests/unit/seal/sealed_file.h"

#define MINUTE INT64_C(60000)
#define PROGRAM CK_BUILD_DIR "/bin/checkin-verify"

static struct world world;
static struct rig signer; /* its signer alone */
static char path[128], key[CK_NOTE_KEY_TEXT_SIZE + 8];
static int64_t recording, incident, approval;

/* What nobody may find in any bundle. */
#define CONCERN "SHE SIGNALLED FOR HELP"
#define SAFETY "FLAT 12 WAS VISITED"
#define OFFICERS "HER SISTER SAW HIM"
#define FORM_NOTE "THE WIFE STOOD BEHIND HIM"
static const char *const never[] = {OFFICERS,
                                    CONCERN,
                                    SAFETY,
                                    FORM_NOTE,
                                    "CHECKIN_CONCERN",
                                    "INCIDENT_SAFETY",
                                    "officer@example.kz",
                                    "+77010000001"};

static void must(const char *name, const struct ck_actor *actor, json_t *body)
{
    int code = world_command(&world, name, actor, body);
    if (code != 0) {
        fail_msg("%s: %d %s %s", name, code, world.result.refusal.field,
                 world.result.refusal.message);
    }
}

static int64_t result_id(const char *member)
{
    return json_integer_value(json_object_get(world.result.body, member));
}

static const uint8_t fresh_salt[CK_SEAL_SALT_SIZE] = "recovery's salt";

/* Of the one that was recovered. */
static int64_t staff_recording;
static uint8_t staff_key[CK_KEY_SIZE];
static char staff_file[256];

/* A sealed file of one leg, as the worker leaves it; or cut off, and recovered at the next start.
 */
static int64_t record(const char *leg, bool recovered)
{
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    uint8_t recording_key[CK_KEY_SIZE];
    char file[256], head[CK_HEX_SIZE(CK_SHA256_SIZE)];
    struct sealed_file sealed = {.bytes = NULL};
    must("recording.begin", &worker, json_pack("{s:i, s:s}", "checkin", 1, "leg", leg));
    int64_t id = result_id("recording");
    snprintf(file, sizeof file, "%s/%s", world.folder,
             json_string_value(json_object_get(world.result.body, "file")));
    assert_int_equal(ck_hex_decode(json_string_value(json_object_get(world.result.body, "key")),
                                   recording_key, sizeof recording_key),
                     0);
    sealed_file_make(&sealed, (uint64_t)id, recording_key, !recovered);
    struct ck_seal_report report;
    if (recovered) {
        struct ck_seal_recovery recovery;
        sealed.size = sealed.at[9] + 5;
        struct ck_seal_source source = sealed_file_source(&sealed);
        assert_int_equal(ck_seal_recover(&source, (uint64_t)id, recording_key, fresh_salt,
                                         sealed_file_on_append, &sealed, &recovery),
                         0);
        assert_int_equal(recovery.lost_bytes, 5);
    }
    const struct ck_seal_source whole = sealed_file_source(&sealed);
    assert_int_equal(ck_seal_verify(&whole, (uint64_t)id, recording_key, NULL, 0, &report), 0);
    const struct ck_seal_head end = report.head;
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_int_equal(write(fd, sealed.bytes, sealed.size), (ssize_t)sealed.size);
    close(fd);
    ck_hex_encode(end.hash, sizeof end.hash, head);
    json_t *body = json_pack("{s:I, s:I, s:I, s:s, s:i}", "recording", (json_int_t)id, "chunks",
                             (json_int_t)end.chunks, "bytes", (json_int_t)end.bytes, "head", head,
                             "duration_ms", 12000);
    if (recovered) {
        staff_recording = id;
        memcpy(staff_key, recording_key, sizeof staff_key);
        memcpy(staff_file, file, sizeof staff_file);
        json_object_set_new(body, "lost_bytes", json_integer(5));
        json_object_set_new(body, "was_whole", json_false());
    }
    must(recovered ? "recording.recovered" : "recording.closed", &worker, body);
    sealed_file_free(&sealed);
    return id;
}

static void sign(void)
{
    static struct ck_signer_answer answer;
    const struct ck_actor system = ck_actor_system();
    world.now.wall.ms += CK_CHECKPOINT_REST_MS;
    assert_int_equal(ck_audit_checkpoint(world.reader, signer.socket, world.now.wall, &answer), 0);
    assert_int_equal(answer.state, CK_SIGNER_SIGNED);
    must("log.checkpoint", &system,
         json_pack("{s:s, s:s}", "note", answer.note, "key", answer.key));
    snprintf(key, sizeof key, "--key=%s", answer.key);
}

static struct ck_wall bundle_now; /* of all of them, so that two are the same */

static int setup(void **state)
{
    (void)state;
    world_open(&world);
    ck_access_register(&world.registry);
    ck_cases_register(&world.registry);
    rig_begin(&signer);
    rig_signer_start(&signer);
    world.healthy = world.probe = world.channels_up = true;
    const struct ck_actor inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    const struct ck_actor officer = world_staff(&world, world.officer, CK_ROLE_OFFICER);
    const struct ck_actor person = world_person(&world, 1);
    world_plan(&world, "09:10", NULL);
    world_run_for(&world, 11 * MINUTE);
    must("notice.ack", &person, json_pack("{s:i}", "version", 1));
    recording = record("person", false);
    record("staff", true);
    must("checkin.concern", &inspector, json_pack("{s:i, s:s}", "checkin", 1, "text", CONCERN));
    must("message.send", &person,
         json_pack("{s:s, s:s, s:{s:s, s:s}}", "client_id", "m1", "text", "I am <late> today",
                   "file", "name", "ticket.pdf", "data", "JVBERi0xLjQKJSVFT0YK"));
    world_run_for(&world, 3 * 60 * MINUTE);
    incident = world_number(&world, "SELECT id FROM incident WHERE kind = 'no_contact'");
    must("incident.safety", &officer,
         json_pack("{s:I, s:s}", "incident", (json_int_t)incident, "note", SAFETY));
    must("incident.acknowledge", &officer, json_pack("{s:I}", "incident", (json_int_t)incident));
    must("message.send", &officer,
         json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)incident, "client_id", "o1", "text",
                   OFFICERS));
    must("incident.conclude", &officer,
         json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)incident, "conclusion", "breach",
                   "reason", "no contact, no reason given"));
    sign();
    snprintf(path, sizeof path, "%s/bundle.zip", signer.folder);
    bundle_now = world.now.wall;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    rig_end(&signer);
    return 0;
}

/* ---- building and looking ---- */

static uint8_t *bytes;
static size_t size;
static int64_t built; /* entry that it was made */

static const char *render_program; /* for the film of both sides; NULL: none is made */
static int64_t elapsed_us;
static bool patient; /* the clock is the machine's */

static struct ck_mono mono(void)
{
    if (patient) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        return (struct ck_mono){at.tv_sec * INT64_C(1000000) + at.tv_nsec / 1000};
    }
    elapsed_us += 1000000; /* a second at each look */
    /* Asked for the film alone: the store can be tidied up while it is made. */
    struct ck_store *writer;
    assert_int_equal(ck_store_open(&writer, world.path), 0);
    assert_int_equal(ck_store_scrub(writer), 0);
    ck_store_close(writer);
    return (struct ck_mono){elapsed_us};
}

static void (*before_build)(void); /* at the last moment; NULL: nothing */
static struct ck_bundle_made made_last;
static bool signer_is_silent; /* nothing is signed after a bundle was made */

/* One that two persons decided on. */
static int64_t approve(const char *audience)
{
    const struct ck_actor officer = world_staff(&world, world.officer, CK_ROLE_OFFICER);
    const struct ck_actor supervisor = world_staff(&world, world.supervisor, CK_ROLE_SUPERVISOR);
    must("approval.propose", &officer,
         json_pack("{s:s, s:{s:I, s:s, s:s}, s:s, s:I}", "kind", "bundle.export", "request",
                   "incident", (json_int_t)incident, "audience", audience, "recipient",
                   "Bostandyk district court", "reason", "case 12/2026", "person",
                   (json_int_t)world.person));
    int64_t id = result_id("id");
    must("approval.decide", &supervisor,
         json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)id, "approve", 1, "reason", "yes"));
    return id;
}

static struct ck_bundle_made build(enum ck_bundle_audience audience)
{
    const struct ck_actor system = ck_actor_system();
    uint8_t master[CK_KEY_SIZE];
    struct ck_bundle_made made;
    json_t *opened =
        json_pack("{s:I, s:s}", "approval", (json_int_t)approve(ck_bundle_audience_name(audience)),
                  "audience", ck_bundle_audience_name(audience));
    world_master_key(&world, master);
    const struct ck_bundle_order order = {.approval = 7,
                                          .person = world.person,
                                          .incident = incident,
                                          .audience = audience,
                                          .recipient = "Bostandyk district court",
                                          .reason = "case 12/2026",
                                          .now = bundle_now,
                                          .zone_dir = "/usr/share/zoneinfo",
                                          .master_key = master,
                                          .recording_dir = world.folder,
                                          .render_program = render_program,
                                          .mono = mono,
                                          .video_ms = patient ? 60000 : 5000};
    int fd = memfd_create("bundle", MFD_CLOEXEC);
    if (before_build != NULL) {
        before_build();
    }
    assert_int_equal(ck_store_view(world.reader), 0);
    assert_int_equal(ck_bundle_build(world.reader, &order, fd, &made), 0);
    ck_store_view_end(world.reader);
    must("bundle.built", &system, ck_bundle_built_body(opened, &made));
    json_decref(opened);
    built = result_id("index");
    if (!signer_is_silent) {
        sign();
    }
    assert_int_equal(ck_store_view(world.reader), 0);
    assert_int_equal(ck_bundle_end(world.reader, &order, built, fd, &made), 0);
    assert_true(made.proven != signer_is_silent);
    ck_store_view_end(world.reader);
    free(bytes);
    size = made.bytes;
    bytes = malloc(size);
    assert_int_equal(pread(fd, bytes, size, 0), (ssize_t)size);
    close(fd);
    made_last = made;
    return made;
}

/* A whole file, to be put back. */
static uint8_t *read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    uint8_t *text = malloc(4 << 20);
    *length = fread(text, 1, 4 << 20, file);
    fclose(file);
    return text;
}

static bool holds(const char *text)
{
    return memmem(bytes, size, text, strlen(text)) != NULL;
}

static void write_bundle(void)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

/* A program of another hand, which knows the documents alone, comes to the same. */
static void independent(bool good, const char *wanted)
{
    char *printed = NULL;
    write_bundle();
    int ended =
        rig_run("python3",
                (const char *const[]){CK_SOURCE_DIR "/tests/unit/evidence/independent_bundle.py",
                                      path, key + strlen("--key="), NULL},
                &printed);
    if ((ended == 0) != good || strstr(printed, wanted) == NULL) {
        fail_msg("ended with %d, wanted \"%s\":\n%s", ended, wanted, printed);
    }
    free(printed);
}

static void expect(int code, const char *wanted)
{
    char *printed = NULL;
    write_bundle();
    int ended = rig_run(PROGRAM, (const char *const[]){key, "bundle", path, NULL}, &printed);
    if (ended != code || strstr(printed, wanted) == NULL) {
        fail_msg("ended with %d, wanted %d and \"%s\":\n%s", ended, code, wanted, printed);
    }
    free(printed);
}

static void nothing_of_the_victim(void)
{
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        if (holds(never[i])) {
            fail_msg("the bundle holds \"%s\"", never[i]);
        }
    }
}

/* ---- tests ---- */

static void a_court_gets_all_that_is_proven(void **state)
{
    (void)state;
    struct ck_bundle_made made = build(CK_BUNDLE_COURT);
    assert_int_equal(made.recordings, 2);
    assert_int_equal(made.left_out, 0);
    assert_int_equal(made.unsigned_entries, 0);
    nothing_of_the_victim();
    assert_true(holds("INCIDENT_OPENED"));
    assert_true(holds("no contact, no reason given"));
    assert_true(holds("Bostandyk district court"));
    assert_true(holds("Did not answer"));
    assert_true(holds("<html lang=\"kk\">"));
    assert_true(holds("<html lang=\"ru\">"));
    assert_true(holds("<svg"));
    assert_true(holds(" +05:00 (2026-11-")); /* the unit's time, and UTC beside it */
    assert_true(holds(" UTC)"));
    assert_true(holds("<th>Time zone of the unit</th><td>Asia/Almaty</td>"));
    /* The messages, in the report as text and in the facts, and the document itself. */
    assert_true(holds("I am &lt;late&gt; today"));
    assert_true(holds("\"I am <late> today\""));
    assert_true(holds("%PDF-1.4"));
    assert_true(holds("messages/1.pdf"));
    assert_true(holds("\"action\":\"MESSAGE_SENT\""));
    expect(0, "2 recordings are those that the entries speak of, and play as they were sealed");
    expect(0, "entries are in the log of which");
    independent(true, "2 recordings, for the court");
}

/* As it was hashed, behind its salt. */
#define OPENED_MESSAGE "\",\"I am <late> today\"]"

static void the_person_gets_what_is_theirs(void **state)
{
    (void)state;
    struct ck_bundle_made made = build(CK_BUNDLE_PERSON);
    static const char *const others[] = {"INCIDENT_", "\"by\": \"officer\"", "· officer ·",
                                         "RECORDING_VIEWED", "no contact, no reason given"};
    assert_int_equal(made.recordings, 1);
    nothing_of_the_victim();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (holds(others[i])) {
            fail_msg("the person's bundle holds \"%s\"", others[i]);
        }
    }
    independent(true, "1 recordings, for the person");
    assert_true(holds("CHECKIN_OUTCOME"));
    assert_true(holds("messages/1.pdf")); /* their own */
    assert_true(holds("\"action\":\"MESSAGE_SENT\""));
    assert_true(holds(OPENED_MESSAGE));
    expect(0, "GOOD");
}

/* The film is what is easy to watch, never what the bundle waits for or depends on. */
static void a_film_that_cannot_be_made_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *program, *said;
    } cases[] = {{"/nonexistent/checkin-render", "\"side_by_side\": \"failed\""},
                 {"/bin/true", "\"side_by_side\": \"failed\""}}; /* ends without a word */

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        render_program = cases[i].program;
        struct ck_bundle_made made = build(CK_BUNDLE_COURT);
        assert_int_equal(made.recordings, 2);
        assert_true(holds(cases[i].said));
        assert_false(holds("side-by-side.webm"));
        assert_true(holds("\"report_pdf\": \"failed\""));
        assert_false(holds("report.en.pdf"));
    }
    render_program = NULL;
}

/* ---- a part of the film that serves for nothing ---- */

#define RENDER_FD 3
#define FILM "a film of what was given"

static void say(struct ck_render_message *message)
{
    uint8_t said[CK_RENDER_MESSAGE_MAX];
    size_t length = 0;
    if (ck_render_encode(message, said, sizeof said, &length) != 0 ||
        send(RENDER_FD, said, length, MSG_NOSIGNAL) != (ssize_t)length) {
        _exit(1);
    }
}

/* This program in place of checkin-render: a film is made of one part, of no other number. */
static int pretend_to_render(void)
{
    static uint8_t heard[CK_RENDER_MESSAGE_MAX];
    static struct ck_render_message job;
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(CK_RENDER_FDS_MAX * sizeof(int))];
    } room;
    struct iovec part = {heard, sizeof heard};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = room.bytes,
                            .msg_controllen = sizeof room.bytes};
    say(&(struct ck_render_message){
        .kind = CK_RENDER_READY,
        .ready = {.version = CK_RENDER_VERSION, .library = ck_render_text_of("none")}});
    ssize_t got = recvmsg(RENDER_FD, &header, 0);
    if (got <= 0 || ck_render_decode(heard, (size_t)got, &job) != 0 ||
        job.kind != CK_RENDER_EXPORT || job.export.count != 1) {
        return 1;
    }
    const int *fds = (const int *)CMSG_DATA(&room.align);
    if (write(fds[1], FILM, strlen(FILM)) != (ssize_t)strlen(FILM)) {
        return 1;
    }
    say(&(struct ck_render_message){
        .kind = CK_RENDER_DONE, .job = job.job, .done = {.bytes = strlen(FILM)}});
    return 0;
}

/* The second recording, cut off before anything was in it, and recovered. */
static void make_stub(void)
{
    struct sealed_file sealed = {.bytes = NULL};
    struct ck_seal_recovery recovery;
    sealed_file_make(&sealed, (uint64_t)staff_recording, staff_key, false);
    sealed.size = sealed.at[1];
    struct ck_seal_source source = sealed_file_source(&sealed);
    assert_int_equal(ck_seal_recover(&source, (uint64_t)staff_recording, staff_key, fresh_salt,
                                     sealed_file_on_append, &sealed, &recovery),
                     0);
    int fd = open(staff_file, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, sealed.bytes, sealed.size), (ssize_t)sealed.size);
    close(fd);
    sealed_file_free(&sealed);
}

static void a_recording_of_nothing_takes_no_film_away(void **state)
{
    (void)state;
    size_t length = 0;
    ck_cleanup(ck_freep) uint8_t *whole = read_file(staff_file, &length);
    render_program = "/proc/self/exe";
    before_build = make_stub;
    struct ck_bundle_made made = build(CK_BUNDLE_COURT);
    before_build = NULL;
    render_program = NULL;
    int fd = open(staff_file, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, whole, length), (ssize_t)length);
    close(fd);
    assert_int_equal(made.recordings, 2);
    assert_true(holds("\"side_by_side\": \"made\""));
    assert_true(holds("\"side_by_side_left_out\": 0"));
    assert_true(holds(FILM));
}

/* ---- the report as a PDF ---- */

static char report_folder[64];

static int keep_report(void *user, const struct ck_zip_file *file)
{
    char name[300];
    (void)user;
    if (strncmp(file->name, "report.", strlen("report.")) == 0) {
        snprintf(name, sizeof name, "%s/%s", report_folder, file->name);
        FILE *out = fopen(name, "w");
        assert_non_null(out);
        assert_int_equal(fwrite(file->bytes, 1, file->size, out), file->size);
        fclose(out);
    }
    return 0;
}

static void build_with_reports(const char *folder)
{
    render_program = CK_BUILD_DIR "/bin/checkin-render";
    patient = true;
    build(CK_BUNDLE_COURT);
    patient = false;
    render_program = NULL;
    snprintf(report_folder, sizeof report_folder, "%s", folder);
    assert_int_equal(ck_zip_walk(bytes, size, keep_report, NULL, NULL), 0);
}

static void a_report_says_the_same_as_a_pdf(void **state)
{
    (void)state;
    static const char *const languages[] = {"en", "kk", "ru"};
    char first[] = "/tmp/ck-report-XXXXXX", second[] = "/tmp/ck-report-XXXXXX", command[400];
    assert_non_null(mkdtemp(first));
    assert_non_null(mkdtemp(second));
    build_with_reports(first);
    assert_true(holds("\"report_pdf\": \"made\""));
    expect(0, "GOOD");
    assert_true(holds("<td>Қызметкер қабылдап алды</td>")); /* words, no codes */
    assert_true(holds("<td>принято каналом</td>"));
    assert_false(holds("<td>acknowledged</td>"));
    assert_false(holds("<td>accepted</td>"));
    for (size_t i = 0; i < 3; i++) {
        snprintf(command, sizeof command,
                 "python3 " CK_SOURCE_DIR "/tests/unit/evidence/same_report.py "
                 "%s/report.%s.html %s/report.%s.pdf",
                 first, languages[i], first, languages[i]);
        assert_int_equal(system(command), 0);
    }
    build_with_reports(second); /* of the same facts the same bytes */
    snprintf(command, sizeof command, "diff -r %s %s && rm -r %s %s", first, second, first, second);
    assert_int_equal(system(command), 0);
}

static void a_long_line_of_events_loses_nothing_that_decides(void **state)
{
    (void)state;
    world_execute(&world, "CREATE TABLE kept AS SELECT max(id) AS id FROM fact");
    world_execute(&world,
                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3100) "
                  "INSERT INTO fact (checkin_id, attempt, at, source, fact) SELECT checkin_id, 1, "
                  "opened_at - 1, 'page', 'visible' FROM incident, n WHERE incident.id = 1");
    world_execute(&world, "UPDATE conclusion SET reason = replace(hex(zeroblob(2000)), '0', 'ә') "
                          "|| ' THE END' WHERE incident_id IS NOT NULL");
    build(CK_BUNDLE_COURT);
    assert_true(holds("<td>An officer concluded and closed it</td>"));
    assert_true(holds("<td>Жауап бермеді</td>")); /* the outcome among the events */
    assert_true(holds(" THE END</td>"));
    assert_true(holds("all of it is in facts.json: "));
    world_execute(&world, "DELETE FROM fact WHERE id > (SELECT id FROM kept); DROP TABLE kept; "
                          "UPDATE conclusion SET reason = 'no contact, no reason given' "
                          "WHERE incident_id IS NOT NULL");
}

static void an_agency_gets_no_more_than_a_court(void **state)
{
    (void)state;
    build(CK_BUNDLE_AGENCY);
    nothing_of_the_victim();
    assert_true(holds(OPENED_MESSAGE));
    expect(0, "GOOD");
}

/* ---- being at it ---- */

struct change {
    struct ck_zip_writer *writer;
    const char *drop[4];   /* beginnings of the names of files that are left out */
    const char *edit;      /* beginning of the name of a file in which … */
    const char *from, *to; /* … this is put for that, of equal length */
    const char *add;       /* a file more … */
    const char *text;      /* … and what is in it */
    bool done;
};

static bool is_dropped(const struct change *change, const char *name)
{
    for (size_t i = 0; i < sizeof change->drop / sizeof change->drop[0]; i++) {
        if (change->drop[i] != NULL &&
            strncmp(name, change->drop[i], strlen(change->drop[i])) == 0) {
            return true;
        }
    }
    return false;
}

static int copy_file(void *user, const struct ck_zip_file *file)
{
    struct change *change = user;
    if (is_dropped(change, file->name)) {
        change->done = true;
        return 0;
    }
    uint8_t *copy = malloc(file->size + 1);
    memcpy(copy, file->bytes, file->size);
    uint8_t *at =
        change->edit != NULL && strncmp(file->name, change->edit, strlen(change->edit)) == 0
            ? memmem(copy, file->size, change->from, strlen(change->from))
            : NULL;
    if (at != NULL) {
        memcpy(at, change->to, strlen(change->to));
        change->done = true;
    }
    int r = ck_zip_add(change->writer, file->name, copy, file->size);
    free(copy);
    return r;
}

/* What lies in `bytes` with one change, put together anew, so that the archive itself is whole. */
static void change_it(struct change change)
{
    uint64_t made = 0;
    int fd = memfd_create("changed", MFD_CLOEXEC);
    assert_int_equal(ck_zip_writer_create(&change.writer, fd, world.now.wall), 0);
    assert_int_equal(ck_zip_walk(bytes, size, copy_file, &change, NULL), 0);
    if (change.add != NULL) {
        assert_int_equal(ck_zip_add(change.writer, change.add, change.text, strlen(change.text)),
                         0);
        change.done = true;
    }
    assert_int_equal(ck_zip_end(change.writer, &made), 0);
    assert_true(change.done);
    ck_zip_writer_destroy(change.writer);
    free(bytes);
    size = made;
    bytes = malloc(size);
    assert_int_equal(pread(fd, bytes, size, 0), (ssize_t)size);
    close(fd);
}

static void tamper(struct change change)
{
    build(CK_BUNDLE_COURT);
    change_it(change);
}

static void whoever_is_at_it_is_found(void **state)
{
    (void)state;
    char webm[64], ckr[64];
    snprintf(webm, sizeof webm, "recordings/%lld.webm", (long long)recording);
    snprintf(ckr, sizeof ckr, "recordings/%lld.ckr", (long long)recording);
    tamper((struct change){.edit = "entries/", .from = "no_answer", .to = "completed"});
    expect(1, "is not in the log that was signed");
    independent(false, "was changed");
    tamper((struct change){.edit = "opened/", .from = "no contact", .to = "no content"});
    expect(1, "plain: \"text\" of entry");
    tamper((struct change){.edit = webm, .from = "webm", .to = "wemb"});
    expect(1, "is not what was sealed");
    independent(false, "was changed");
    tamper((struct change){.edit = ckr, .from = "CKch", .to = "CKcx"});
    expect(1, ckr);
    tamper((struct change){.drop = {webm}});
    expect(1, "missing: of recording");

    /* An entry left out with its proof. */
    char entry[64];
    snprintf(entry, sizeof entry, "entries/%lld.",
             (long long)world_number(&world, "SELECT idx FROM log_plain WHERE action = "
                                             "'CHECKIN_MISSED' AND object_id = 1"));
    tamper((struct change){.drop = {entry}});
    expect(1, "omitted: entry ");

    build(CK_BUNDLE_COURT);
    bytes[size / 2] ^= 1;
    expect(1, "changed: ");
}

/* "entries/N." of the newest entry with this action. */
static const char *entry_of(const char *action)
{
    static char names[4][64];
    static unsigned next;
    char sql[160], *name = names[next++ % 4];
    snprintf(sql, sizeof sql, "SELECT max(idx) FROM log_plain WHERE action = '%s'", action);
    snprintf(name, sizeof names[0], "entries/%lld.", (long long)world_number(&world, sql));
    return name;
}

/* What was written is what the log says: in the entry of the message lies a commitment to it. */
static void a_message_is_proven_by_the_log(void **state)
{
    (void)state;
    build(CK_BUNDLE_COURT);
    assert_true(holds(OPENED_MESSAGE));
    expect(0, "GOOD");
    change_it((struct change){.edit = "opened/", .from = "I am <late>", .to = "I am <liar>"});
    expect(1, "plain: \"text\" of entry");
    tamper((struct change){.drop = {entry_of("MESSAGE_SENT")}});
    expect(1, "missing: entries/");
}

static void an_end_that_is_dropped_is_found(void **state)
{
    (void)state;
    static const char *const ends[] = {"RECORDING_CLOSED", "RECORDING_RECOVERED", "CHECKIN_OUTCOME",
                                       "INCIDENT_CLOSED"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        tamper((struct change){.drop = {entry_of(ends[i])}});
        expect(1, "missing: entries/");
    }
    /* All about one notice, and a recording with all that the log says of it. */
    char notice[4][64];
    struct change change = {.drop = {NULL}};
    for (int i = 0; i < 4; i++) {
        char sql[200];
        snprintf(sql, sizeof sql,
                 "SELECT coalesce((SELECT idx FROM log_plain WHERE action LIKE 'NOTICE_%%' AND "
                 "object_id = 1 LIMIT 1 OFFSET %d), 0)",
                 i);
        long long index = (long long)world_number(&world, sql);
        snprintf(notice[i], sizeof notice[i], "entries/%lld.", index);
        change.drop[i] = index > 0 ? notice[i] : NULL;
    }
    tamper(change);
    expect(1, "missing: entries/");
    tamper((struct change){.drop = {"recordings/", entry_of("RECORDING_BEGUN"),
                                    entry_of("RECORDING_RECOVERED"), "report"}});
    expect(1, "missing: recordings/");
}

static void an_entry_that_was_signed_has_its_proof(void **state)
{
    (void)state;
    char proof[80];
    snprintf(proof, sizeof proof, "%stlog-proof", entry_of("INCIDENT_CLOSED"));
    tamper((struct change){
        .drop = {proof}, .edit = entry_of("INCIDENT_CLOSED"), .from = "breach", .to = "excuse"});
    expect(1, "has no proof although");
    tamper((struct change){.drop = {proof}});
    expect(1, "has no proof although");
    /* An entry that nobody wrote, behind all that was signed. */
    build(CK_BUNDLE_COURT);
    change_it((struct change){.add = "entries/999999.json", .text = "{}"});
    expect(1, "inserted: entries/999999.json");
}

static void for_whom_it_is_cannot_be_forged(void **state)
{
    (void)state;
    tamper((struct change){.edit = "facts.json",
                           .from = "\"audience\": \"court\",",
                           .to = "\"audience\": \"person\""});
    change_it((struct change){.drop = {entry_of("CHECKIN_MISSED")}});
    expect(1, "omitted: entry ");
}

static void a_file_that_no_entry_covers_is_covered_all_the_same(void **state)
{
    (void)state;
    tamper((struct change){.edit = "facts.json", .from = "I am <late>", .to = "I am <liar>"});
    expect(1, "changed: facts.json");
    tamper((struct change){.edit = "messages/1.pdf", .from = "%PDF", .to = "%FDP"});
    expect(1, "changed: messages/1.pdf");
    tamper((struct change){.edit = "report.ru.html", .from = "html", .to = "HTML"});
    expect(1, "changed: report.ru.html");
    tamper((struct change){.drop = {"messages/1.pdf"}});
    expect(1, "missing: messages/1.pdf");
    tamper((struct change){.add = "side-by-side.webm", .text = "another film"});
    expect(1, "inserted: side-by-side.webm");
}

/* Whoever changes a file and the manifest with it cannot change the log. */
static void a_manifest_that_fits_a_changed_file_is_found(void **state)
{
    (void)state;
    char before[CK_HEX_SIZE(CK_SHA256_SIZE)], after[CK_HEX_SIZE(CK_SHA256_SIZE)];
    uint8_t digest[CK_SHA256_SIZE];
    char pdf[] = "%PDF-1.4\n%%EOF\n";
    const struct ck_slice slice = {pdf, sizeof pdf - 1};
    assert_int_equal(ck_sha256(&slice, 1, digest), 0);
    ck_hex_encode(digest, sizeof digest, before);
    memcpy(pdf, "%FDP", 4);
    assert_int_equal(ck_sha256(&slice, 1, digest), 0);
    ck_hex_encode(digest, sizeof digest, after);
    tamper((struct change){.edit = "messages/1.pdf", .from = "%PDF", .to = "%FDP"});
    change_it((struct change){.edit = "manifest.json", .from = before, .to = after});
    expect(1, "changed: manifest.json is not that of entry");
    independent(false, "another manifest was made");
    /* … nor for whom it was made. */
    tamper((struct change){.edit = "manifest.json", .from = "\"court\"", .to = "\"perso\""});
    expect(1, "changed: manifest.json is not that of entry");
    tamper((struct change){.edit = "built.json", .from = "\"court\"", .to = "\"perso\""});
    expect(1, "changed: manifest.json is not that of entry");
    tamper((struct change){.edit = "built.json", .from = "\"files\":", .to = "\"flies\":"});
    expect(1, "changed: built.json is not in the log that was signed");
    tamper((struct change){.drop = {"manifest.json"}});
    expect(1, "missing: manifest.json");
    tamper((struct change){.drop = {"built."}});
    expect(1, "unbound: no entry of the log says");
}

/* Made while the signer is silent: said, and mended with a proof that is got later. */
static void a_bundle_that_was_not_signed_yet_needs_its_proof(void **state)
{
    (void)state;
    static char text[CK_PROOF_TEXT_MAX];
    char file[160], option[180], *printed = NULL;
    size_t length = 0;
    signer_is_silent = true;
    build(CK_BUNDLE_COURT);
    signer_is_silent = false;
    expect(1, "unbound: that this bundle was made says entry ");
    sign();
    assert_int_equal(ck_audit_entry_proof(world.reader, built, text, &length), 0);
    snprintf(file, sizeof file, "%s/built", signer.folder);
    snprintf(option, sizeof option, "--built=%s", file);
    FILE *out = fopen(file, "w");
    assert_int_equal(fwrite(text, 1, length, out), length);
    fclose(out);
    assert_int_equal(
        rig_run(PROGRAM, (const char *const[]){key, option, "bundle", path, NULL}, &printed), 0);
    assert_non_null(strstr(printed, "says was made for the court"));
    assert_non_null(strstr(printed, "not proven: that the log of "));
    free(printed);
    /* The proof taken out of one that had it. */
    tamper((struct change){.drop = {"built.tlog-proof", "built.consistency"}});
    expect(1, "unbound: that this bundle was made says entry ");
}

static void checkpoints_of_two_logs_are_named(void **state)
{
    (void)state;
    char option[200], kept[160], *printed = NULL;
    tamper((struct change){.drop = {"built.consistency"}});
    expect(1, "fork: it is not proven that the log of ");
    independent(false, "built.consistency");
    /* A checkpoint that was kept elsewhere: the signer's own, of this log and of another. */
    build(CK_BUNDLE_COURT);
    write_bundle();
    snprintf(option, sizeof option, "--known=%s/checkpoint", signer.state);
    assert_int_equal(
        rig_run(PROGRAM, (const char *const[]){key, option, "bundle", path, NULL}, &printed), 0);
    assert_non_null(strstr(printed, " entries is the one that "));
    free(printed);
    /* The same key signs another log of as many entries: the signer's state was put back. */
    uint8_t seed[CK_ED25519_SIZE];
    char note[CK_NOTE_BYTES_MAX + 1], hex[2 * CK_ED25519_SIZE + 1] = "";
    struct ck_checkpoint checkpoint;
    struct ck_note_key real;
    size_t length;
    snprintf(kept, sizeof kept, "%s/checkpoint", signer.state);
    FILE *file = fopen(kept, "r");
    length = fread(note, 1, sizeof note - 1, file);
    fclose(file);
    assert_int_equal(ck_checkpoint_parse(note, length, &checkpoint), 0);
    snprintf(kept, sizeof kept, "%s/log.key", signer.state);
    file = fopen(kept, "r");
    assert_int_equal(fread(hex, 1, sizeof hex - 1, file), sizeof hex - 1);
    fclose(file);
    assert_int_equal(ck_hex_decode(hex, seed, sizeof seed), 0);
    assert_int_equal(ck_note_key_parse(key + strlen("--key="), &real), 0);
    checkpoint.root.bytes[0] ^= 1;
    assert_int_equal(ck_checkpoint_sign(&checkpoint, &real, seed, note, sizeof note, &length), 0);
    snprintf(kept, sizeof kept, "%s/other", signer.folder);
    file = fopen(kept, "w");
    assert_int_equal(fwrite(note, 1, length, file), length);
    fclose(file);
    snprintf(option, sizeof option, "--known=%s", kept);
    assert_int_equal(
        rig_run(PROGRAM, (const char *const[]){key, option, "bundle", path, NULL}, &printed), 1);
    assert_non_null(strstr(printed, "fork: two logs of "));
    free(printed);
}

static void two_files_of_one_name_are_named(void **state)
{
    (void)state;
    char webm[64];
    snprintf(webm, sizeof webm, "recordings/%lld.webm", (long long)recording);
    tamper((struct change){.add = webm, .text = "what plays on disk"});
    expect(1, "twice: ");
}

static void what_was_lost_of_a_recording_is_said(void **state)
{
    (void)state;
    build(CK_BUNDLE_COURT);
    expect(0, "was cut off and recovered; 5 bytes were torn");
    assert_int_equal(
        world_number(&world, "SELECT count(*) FROM log_plain p JOIN log_entry e USING (idx) "
                             "WHERE action = 'RECORDING_RECOVERED' AND CAST(leaf AS TEXT) LIKE "
                             "'%\"lost_bytes\":5,%\"was_whole\":false%'"),
        1);
}

/* The engine's own log: its chains are whole, and nothing is missing that must follow. */
static void the_whole_log_is_good(void **state)
{
    (void)state;
    struct ck_audit_copy made;
    char folder[160], *printed = NULL;
    snprintf(folder, sizeof folder, "%s/copy", signer.folder);
    assert_int_equal(ck_audit_export(world.reader, folder, &made), 0);
    if (rig_run(PROGRAM, (const char *const[]){key, "log", folder, NULL}, &printed) != 0) {
        fail_msg("%s", printed);
    }
    assert_non_null(strstr(printed, "nothing is missing about "));
    free(printed);
}

/* Nobody answered for days, and somebody looked at it all the time: it is exported all the same. */
static void a_very_long_incident_is_exported_whole(void **state)
{
    (void)state;
    const struct ck_actor officer = world_staff(&world, world.officer, CK_ROLE_OFFICER);
    char folder[] = "/tmp/ck-report-XXXXXX", command[100];
    int64_t before = incident;
    for (int hour = 0; hour < 4 * 24; hour++) {
        world_run_for(&world, 60 * MINUTE);
        world_forget(&world);
    }
    incident = world_number(&world, "SELECT min(id) FROM incident WHERE kind = 'no_contact' AND "
                                    "state = 'open'");
    for (int i = 0; i < 1000; i++) {
        must("read", &officer,
             json_pack("{s:s, s:I}", "object", "incident", "id", (json_int_t)incident));
        world_forget(&world);
    }
    must("incident.acknowledge", &officer, json_pack("{s:I}", "incident", (json_int_t)incident));
    must("incident.conclude", &officer,
         json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)incident, "conclusion", "breach",
                   "reason", "nobody was there for days"));
    sign();
    assert_non_null(mkdtemp(folder));
    build_with_reports(folder);
    assert_true(made_last.entries > 5000);
    assert_int_equal(made_last.unsigned_entries, 0);
    assert_true(holds("\"report_pdf\": \"made\""));
    assert_true(holds("<td>INCIDENT_CLOSED</td>"));
    assert_true(holds("<td>An officer concluded and closed it</td>"));
    assert_true(holds("all of it is in facts.json: "));
    expect(0, "GOOD");
    change_it((struct change){.drop = {entry_of("INCIDENT_CLOSED")}});
    expect(1, "missing: entries/");
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    incident = before;
}

/* Many more messages than a page of the thread, or a report, holds. */
static void a_long_thread_is_exported_whole(void **state)
{
    (void)state;
    enum { SENT = 1203 };
    const struct ck_actor person = world_person(&world, 1);
    const struct ck_actor inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    char id[32], text[64];
    for (int i = 0; i < SENT; i++) { /* each side may send a thousand in a day */
        snprintf(id, sizeof id, "long-%d", i);
        snprintf(text, sizeof text, "number %d of many", i);
        json_t *body = json_pack("{s:s, s:s}", "client_id", id, "text", text);
        if (i % 2 != 0) {
            json_object_set_new(body, "person", json_integer(world.person));
        }
        must("message.send", i % 2 != 0 ? &inspector : &person, body);
        world_forget(&world);
    }
    sign();
    build(CK_BUNDLE_COURT);
    assert_int_equal(made_last.unsigned_entries, 0);
    for (int i = 0; i < SENT; i++) {
        snprintf(text, sizeof text, "\"text\": \"number %d of many\"", i);
        assert_true(holds(text)); /* facts.json */
        snprintf(text, sizeof text, ",\"number %d of many\"]", i);
        assert_true(holds(text)); /* opened/N.json, against the entry */
    }
    assert_true(holds("\"messages_beyond\": 0"));
    assert_true(holds("<td>number 998 of many</td>"));
    assert_false(holds("<td>number 999 of many</td>")); /* with the first, a thousand */
    assert_true(holds("all of it is in facts.json: 204"));
    expect(0, "GOOD");
    independent(true, "for the court");
    change_it((struct change){.edit = "opened/", .from = "number 1202 of", .to = "number 1203 of"});
    expect(1, "plain: \"text\" of entry");
}

static void read_old_seed(uint8_t seed[static CK_ED25519_SIZE])
{
    char file[160], hex[2 * CK_ED25519_SIZE + 1] = "";
    snprintf(file, sizeof file, "%s/log.key.old", signer.state);
    FILE *opened = fopen(file, "r");
    assert_non_null(opened);
    assert_int_equal(fread(hex, 1, 2 * CK_ED25519_SIZE, opened), 2 * CK_ED25519_SIZE);
    fclose(opened);
    assert_int_equal(ck_hex_decode(hex, seed, CK_ED25519_SIZE), 0);
}

struct found_file {
    const char *name;
    uint8_t bytes[CK_LOG_LEAF_MAX];
    size_t size;
};

static int find_file(void *user, const struct ck_zip_file *file)
{
    struct found_file *found = user;
    if (strcmp(file->name, found->name) == 0) {
        memcpy(found->bytes, file->bytes, file->size);
        found->size = file->size;
    }
    return 0;
}

/* The proof of an entry in a log of which nothing else is known, that ends with it, signed with
 * `seed` under the name of the key that is given. */
static void swap_key_proof(const char *proof, const uint8_t seed[static CK_ED25519_SIZE])
{
    static struct found_file leaf;
    static char note[CK_NOTE_BYTES_MAX], text[CK_PROOF_TEXT_MAX];
    struct ck_merkle_proof before = {.count = 0};
    struct ck_note_key signs;
    struct ck_checkpoint fake = {.size = 0};
    size_t note_size = 0, text_size = 0;
    char name[64];
    uint64_t index = strtoull(proof + strlen("keys/"), NULL, 10);
    snprintf(name, sizeof name, "keys/%" PRIu64 ".json", index);
    leaf = (struct found_file){.name = name};
    assert_int_equal(ck_zip_walk(bytes, size, find_file, &leaf, NULL), 0);
    assert_true(leaf.size > 0);
    assert_int_equal(ck_merkle_leaf(leaf.bytes, leaf.size, &fake.root), 0);
    for (uint64_t left = index; left != 0; left &= left - 1) { /* whole trees before it */
        const struct ck_hash whole = {.bytes = {(uint8_t)left, 7}};
        before.path[before.count++] = whole;
        assert_int_equal(ck_merkle_node(&whole, &fake.root, &fake.root), 0);
    }
    assert_int_equal(ck_note_key_parse(key + strlen("--key="), &signs), 0);
    snprintf(fake.origin, sizeof fake.origin, "%s", signs.name);
    fake.size = index + 1;
    assert_int_equal(ck_checkpoint_sign(&fake, &signs, seed, note, sizeof note, &note_size), 0);
    assert_int_equal(
        ck_entry_proof_write(index, &before, note, note_size, NULL, text, sizeof text, &text_size),
        0);
    change_it((struct change){.drop = {proof}});
    change_it((struct change){.add = proof, .text = text});
}

/* The signer's key is changed: whoever was given the old one alone is led to the new one by the log
 * itself, and by nobody else. */
static void a_bundle_leads_from_an_earlier_key_to_todays(void **state)
{
    (void)state;
    char old[sizeof key];
    snprintf(old, sizeof old, "%s", key);
    rig_change_key(&signer);
    world_run_for(&world, 10 * MINUTE);
    sign(); /* the engine names the new key in the log */
    sign(); /* which the old one signs, too */
    uint8_t stolen[CK_ED25519_SIZE];
    read_old_seed(stolen);
    rig_drop_old_key(&signer);
    approve("court"); /* so that there is something to sign */
    sign();
    build(CK_BUNDLE_COURT);
    assert_string_not_equal(old, key);
    expect(0, "GOOD");
    snprintf(key, sizeof key, "%s", old);
    expect(0, "as that entry says under a key that is known");
    independent(true, "for the court");
    const char *named = entry_of("SIGNER_KEY") + strlen("entries/");
    char entry[64], proof[80];
    snprintf(entry, sizeof entry, "keys/%s", named);
    snprintf(proof, sizeof proof, "keys/%stlog-proof", named);
    change_it((struct change){.edit = entry, .from = "\"key\":\"", .to = "\"kez\":\""});
    expect(1, "forged: the bundle's checkpoint ");
    /* The old key signs another log, in which the entry stands as well. */
    build(CK_BUNDLE_COURT);
    snprintf(key, sizeof key, "%s", old);
    swap_key_proof(proof, stolen);
    expect(1, "fork: it is not proven that the log of which keys/");
    expect(1, "forged: keys/");
    independent(false, "two logs were signed");
    tamper((struct change){.drop = {proof}}); /* which signs: the key is today's again */
    snprintf(key, sizeof key, "%s", old);
    expect(1, "forged: keys/");
    build(CK_BUNDLE_COURT); /* the key is today's again */
}

/* The signer goes on with the key of before alone, as a thief would. */
static void go_back_to_the_old_key(void)
{
    char now[160], old[160], other[160];
    snprintf(now, sizeof now, "%s/log.key", signer.state);
    snprintf(old, sizeof old, "%s/log.key.old", signer.state);
    snprintf(other, sizeof other, "%s/other", signer.state);
    rig_signer_stop(&signer);
    assert_int_equal(rename(now, other), 0);
    assert_int_equal(rename(old, now), 0);
    assert_int_equal(rename(other, old), 0);
    rig_signer_start(&signer);
    sign(); /* with both, which the head needs; the engine names the old one once more */
    rig_drop_old_key(&signer);
    approve("court");
    sign();
}

/* A key that was stolen after its time, for whoever was given today's alone: all that was signed
 * before lies under today's key as well, the entry that names the stolen one too. */
static void a_stolen_key_of_before_is_not_trusted_again(void **state)
{
    (void)state;
    ck_cleanup(ck_freep) char *note = NULL;
    static char text[CK_PROOF_TEXT_MAX];
    char today[sizeof key], stolen[sizeof key], proof[80], goes_on[80];
    int64_t indices[CK_NOTE_LOG_KEYS_MAX], covers = 0, found_covers = 0;
    size_t count = 0, length = 0;
    snprintf(stolen, sizeof stolen, "%s", key);
    assert_int_equal(ck_log_signer_keys(world.reader, indices, CK_NOTE_LOG_KEYS_MAX, &count), 0);
    rig_change_key(&signer);
    world_run_for(&world, 10 * MINUTE);
    sign();
    snprintf(today, sizeof today, "%s", key);
    assert_string_not_equal(today, stolen);
    assert_int_equal(ck_log_checkpoint_covering(world.reader, 0, &covers, &note), 0);
    assert_int_equal(
        ck_audit_entry_proof_under(world.reader, indices[count - 1], note, covers, text, &length),
        0);
    sign();
    go_back_to_the_old_key();
    assert_string_equal(key, stolen);
    snprintf(proof, sizeof proof, "keys/%lld.tlog-proof", (long long)indices[count - 1]);
    snprintf(goes_on, sizeof goes_on, "keys/%lld.consistency", (long long)indices[count - 1]);
    tamper((struct change){.drop = {proof, goes_on}});
    text[length] = '\0';
    change_it((struct change){.add = proof, .text = text});
    free(ck_take(note));
    assert_int_equal(
        ck_log_checkpoint_covering(world.reader, made_last.covers, &found_covers, &note), 0);
    assert_int_equal(found_covers, made_last.covers);
    assert_int_equal(ck_audit_consistency(world.reader, covers, note, made_last.covers, text), 0);
    change_it((struct change){.add = goes_on, .text = text});
    snprintf(key, sizeof key, "%s", today);
    expect(1, "forged: the bundle's checkpoint ");
    independent(false, "the checkpoint is by a key that is not trusted");
    snprintf(key, sizeof key, "%s", stolen);
    build(CK_BUNDLE_COURT);
}

/* ---- four eyes ---- */

static void two_persons_and_a_recipient(void **state)
{
    (void)state;
    const struct ck_actor officer = world_staff(&world, world.officer, CK_ROLE_OFFICER);
    const struct ck_actor supervisor = world_staff(&world, world.supervisor, CK_ROLE_SUPERVISOR);
    const struct ck_actor inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    json_t *request = json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)incident, "audience",
                                "court", "recipient", "Bostandyk district court");
    must("approval.propose", &officer,
         json_pack("{s:s, s:O, s:s, s:I}", "kind", "bundle.export", "request", request, "reason",
                   "case 12/2026", "person", (json_int_t)world.person));
    approval = result_id("id");
    assert_int_equal(world_command(&world, "bundle.open", &officer,
                                   json_pack("{s:I}", "approval", (json_int_t)approval)),
                     CK_E_NOT_FOUND);
    assert_int_equal(world_command(&world, "approval.decide", &officer,
                                   json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)approval,
                                             "approve", 1, "reason", "yes")),
                     CK_E_DENIED);
    must("approval.decide", &supervisor,
         json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)approval, "approve", 1, "reason",
                   "asked for by the court"));
    assert_int_equal(world_command(&world, "bundle.open", &inspector,
                                   json_pack("{s:I}", "approval", (json_int_t)approval)),
                     CK_E_DENIED);
    must("bundle.open", &officer, json_pack("{s:I}", "approval", (json_int_t)approval));
    assert_string_equal(json_string_value(json_object_get(world.result.body, "recipient")),
                        "Bostandyk district court");
    assert_int_equal(world_number(&world, "SELECT count(*) FROM log_plain WHERE action = "
                                          "'BUNDLE_EXPORTED' AND salted LIKE '%district court%' "
                                          "AND salted LIKE '%case 12/2026%'"),
                     1);
    must("plan.end", &inspector, json_pack("{s:i, s:s}", "plan", 1, "reason", "the order ended"));
    for (int hour = 0; hour < 8 * 24; hour++) {
        world_run_for(&world, 60 * MINUTE);
        world_forget(&world);
    }
    assert_int_equal(world_command(&world, "bundle.open", &officer,
                                   json_pack("{s:I}", "approval", (json_int_t)approval)),
                     CK_E_NOT_FOUND);

    /* Of another's incident, or to nobody, it is not even proposed. */
    json_object_set_new(request, "incident", json_integer(999));
    assert_int_equal(
        world_command(&world, "approval.propose", &officer,
                      json_pack("{s:s, s:O, s:s, s:I}", "kind", "bundle.export", "request", request,
                                "reason", "x", "person", (json_int_t)world.person)),
        CK_E_NOT_FOUND);
    json_object_set_new(request, "incident", json_integer((json_int_t)incident));
    json_object_set_new(request, "recipient", json_string(""));
    assert_int_equal(
        world_command(&world, "approval.propose", &officer,
                      json_pack("{s:s, s:o, s:s, s:I}", "kind", "bundle.export", "request", request,
                                "reason", "x", "person", (json_int_t)world.person)),
        CK_E_INVALID);
}

/* ---- when its time is over ---- */

static uint8_t *backup;
static size_t backup_size;
static char backup_name[200];

/* Keys and the first recording's file, from the backup. */
static void put_back(void)
{
    world_execute(&world, "UPDATE recording SET (key, state) = (SELECT b.key, b.state FROM backup "
                          "b WHERE b.id = recording.id)");
    FILE *file = fopen(backup_name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(backup, 1, backup_size, file), backup_size);
    fclose(file);
}

static void a_recording_that_is_held_is_there_and_one_that_is_erased_is_named(void **state)
{
    (void)state;
    const struct ck_actor supervisor = world_staff(&world, world.supervisor, CK_ROLE_SUPERVISOR);
    must("hold.place", &supervisor,
         json_pack("{s:s, s:I, s:s, s:s}", "kind", "incident", "id", (json_int_t)incident, "reason",
                   "appeal", "review", "2027-03-01"));
    world_execute(&world, "UPDATE expiry SET since_at = since_at - 100 * 86400000, next_at = "
                          "since_at - 10 * 86400000 WHERE class = 'recording'");
    world_restart(&world);
    world_run_for(&world, MINUTE);
    assert_int_equal(build(CK_BUNDLE_COURT).recordings, 2); /* the hold keeps both */

    /* A backup of now: the wrapped key and the file. */
    char name[200];
    size_t length = 0;
    world_execute(&world, "CREATE TABLE backup AS SELECT id, key, state FROM recording");
    snprintf(name, sizeof name, "%s/%s", world.folder,
             world_text(&world, "SELECT file FROM recording"));
    backup = read_file(name, &length);
    backup_size = length;
    snprintf(backup_name, sizeof backup_name, "%s", name);

    world_execute(&world, "UPDATE hold SET released_at = 1, released_by = 1, approved_by = 2, "
                          "next_at = NULL; UPDATE expiry SET state = 'kept', next_at = since_at "
                          "WHERE class = 'recording'");
    world_restart(&world); /* which looks at what falls due */
    world_run_for(&world, MINUTE);
    assert_int_equal(world_number(&world, "SELECT key IS NULL FROM recording"), 1);
    sign();
    struct ck_bundle_made made = build(CK_BUNDLE_COURT);
    assert_int_equal(made.recordings, 0);
    assert_int_equal(made.left_out, 2);
    assert_true(holds("EXPIRY_ERASED"));
    expect(0, "2 recordings: their keys were destroyed when their time was over, as entries say");

    /* Put back under the same master key, it is known for what it is and left out. */
    before_build = put_back;
    made = build(CK_BUNDLE_COURT);
    assert_int_equal(made.recordings, 0);
    assert_int_equal(made.left_out, 2);

    /* Who also changes what lies beside the log gets it out, and whoever verifies sees it. */
    world_execute(&world, "UPDATE log_plain SET action = 'X' WHERE action = 'EXPIRY_ERASED'");
    assert_int_equal(build(CK_BUNDLE_COURT).recordings, 2);
    before_build = NULL;
    free(backup);
    expect(1, "erased: ");
}

int main(int count, char **arguments)
{
    if (count > 0 && strcmp(arguments[0], "checkin-render") == 0) {
        return pretend_to_render();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_court_gets_all_that_is_proven),
        cmocka_unit_test(a_message_is_proven_by_the_log),
        cmocka_unit_test(the_person_gets_what_is_theirs),
        cmocka_unit_test(a_film_that_cannot_be_made_is_said),
        cmocka_unit_test(a_recording_of_nothing_takes_no_film_away),
        cmocka_unit_test(a_report_says_the_same_as_a_pdf),
        cmocka_unit_test(a_long_line_of_events_loses_nothing_that_decides),
        cmocka_unit_test(an_agency_gets_no_more_than_a_court),
        cmocka_unit_test(whoever_is_at_it_is_found),
        cmocka_unit_test(an_end_that_is_dropped_is_found),
        cmocka_unit_test(an_entry_that_was_signed_has_its_proof),
        cmocka_unit_test(for_whom_it_is_cannot_be_forged),
        cmocka_unit_test(a_file_that_no_entry_covers_is_covered_all_the_same),
        cmocka_unit_test(a_manifest_that_fits_a_changed_file_is_found),
        cmocka_unit_test(a_bundle_that_was_not_signed_yet_needs_its_proof),
        cmocka_unit_test(checkpoints_of_two_logs_are_named),
        cmocka_unit_test(two_files_of_one_name_are_named),
        cmocka_unit_test(what_was_lost_of_a_recording_is_said),
        cmocka_unit_test(the_whole_log_is_good),
        cmocka_unit_test(a_long_thread_is_exported_whole), /* before time goes on */
        cmocka_unit_test(a_very_long_incident_is_exported_whole),
        cmocka_unit_test(a_bundle_leads_from_an_earlier_key_to_todays),
        cmocka_unit_test(a_stolen_key_of_before_is_not_trusted_again),
        cmocka_unit_test(two_persons_and_a_recipient),
        cmocka_unit_test(
            a_recording_that_is_held_is_there_and_one_that_is_erased_is_named), /* last: time goes
                                                                                   on */
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
