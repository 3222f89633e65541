/* Retention: what has had its time is destroyed, key first, and recorded; a hold keeps it; nobody
 * does it by hand; the log stays whole without the text beside it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/access/access.h"
#include "daemon/audit/verify.h"
#include "daemon/cases/cases.h"
#include "daemon/store/erase.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)
#define DAY (INT64_C(86400000))
#define HEAD "0000000000000000000000000000000000000000000000000000000000000001"

static struct world world;

static int setup(void **state)
{
    (void)state;
    world_open(&world);
    ck_access_register(&world.registry);
    ck_cases_register(&world.registry);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static int64_t number(const char *sql)
{
    return world_number(&world, sql);
}

static int64_t count_of(const char *action)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM log_plain WHERE action = '%s'", action);
    return number(sql);
}

static struct ck_actor supervisor(void)
{
    return world_staff(&world, world.supervisor, CK_ROLE_SUPERVISOR);
}

/* Days without health reports: only what falls due happens. */
static void pass_days(int64_t days)
{
    world.healthy = false;
    world_run_for(&world, days * DAY);
    world.healthy = true;
    world_run_for(&world, MINUTE);
}

/* A check-in on demand; its number. */
static int64_t check_in_once(void)
{
    const struct ck_actor inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    world_execute(&world, "UPDATE person SET notice_version = 1");
    assert_int_equal(
        world_command(&world, "checkin.on_demand", &inspector,
                      json_pack("{s:I, s:s, s:s, s:b}", "person", (json_int_t)world.person,
                                "reason", "test", "kind", "live", "mandatory", 0)),
        0);
    return number("SELECT max(id) FROM checkin");
}

/* The same with a closed recording of the person, and the picture taken from it. */
static int64_t record_once(void)
{
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    int64_t checkin = check_in_once();
    assert_int_equal(
        world_command(&world, "recording.begin", &worker,
                      json_pack("{s:I, s:s}", "checkin", (json_int_t)checkin, "leg", "person")),
        0);
    int64_t recording = json_integer_value(json_object_get(world.result.body, "recording"));
    assert_int_equal(
        world_command(&world, "recording.closed", &worker,
                      json_pack("{s:I, s:i, s:i, s:s, s:i}", "recording", (json_int_t)recording,
                                "chunks", 3, "bytes", 999, "head", HEAD, "duration_ms", 4000)),
        0);
    char sql[256];
    snprintf(sql, sizeof sql,
             "INSERT INTO photo (person_id, checkin_id, key, nonce, bytes, created_at) VALUES "
             "(%lld, %lld, x'01', x'02', x'03', 1)",
             (long long)world.person, (long long)checkin);
    world_execute(&world, sql);
    return recording;
}

static void say_file_is_gone(int64_t recording)
{
    const struct ck_actor system = ck_actor_system();
    assert_int_equal(world_command(&world, "recording.file_gone", &system,
                                   json_pack("{s:I}", "recording", (json_int_t)recording)),
                     0);
}

static void expect_whole_log(uint64_t erased)
{
    struct ck_audit_report report = {0};
    assert_int_equal(ck_audit_verify(world.reader, &report), 0);
    assert_int_equal(report.findings, 0);
    assert_true(erased == 0 ? report.erased == 0 : report.erased >= erased);
}

/* ---- recordings ---- */

static void a_recording_is_destroyed_when_its_time_is_over(void **state)
{
    (void)state;
    int64_t recording = record_once();
    assert_int_equal(number("SELECT next_at - since_at FROM expiry WHERE class = 'recording'"),
                     90 * DAY);
    pass_days(89);
    assert_int_equal(number("SELECT key IS NOT NULL FROM recording"), 1);
    assert_int_equal(count_of("EXPIRY_ERASED"), 0);
    world_forget(&world);
    pass_days(2);
    assert_int_equal(number("SELECT key IS NULL AND state = 'erased' FROM recording"), 1);
    assert_int_equal(number("SELECT count(*) FROM photo WHERE checkin_id IS NOT NULL AND "
                            "key IS NULL AND bytes IS NULL"),
                     1);
    assert_int_equal(count_of("EXPIRY_ERASED"), 1);

    /* The file is asked for until somebody says that it is gone. */
    const struct ck_output *output = world_last(&world, CK_OUTPUT_ERASE_FILE);
    assert_non_null(output);
    assert_int_equal(output->id, recording);
    assert_string_equal(json_string_value(json_object_get(output->body, "file")),
                        world_text(&world, "SELECT file FROM recording"));
    world_forget(&world);
    world_run_for(&world, 2 * MINUTE);
    assert_true(world_count(&world, CK_OUTPUT_ERASE_FILE) > 0);
    say_file_is_gone(recording);
    world_forget(&world);
    world_run_for(&world, 10 * MINUTE);
    assert_int_equal(world_count(&world, CK_OUTPUT_ERASE_FILE), 0);
    assert_int_equal(count_of("RECORDING_FILE_GONE"), 1);
    assert_int_equal(number("SELECT count(*) FROM expiry WHERE state = 'erased' AND erased_at "
                            "IS NOT NULL AND class = 'recording'"),
                     1);
    say_file_is_gone(recording); /* told twice */
    assert_int_equal(count_of("RECORDING_FILE_GONE"), 1);
    expect_whole_log(0);
}

static void nobody_destroys_by_hand(void **state)
{
    (void)state;
    const struct ck_actor boss = supervisor(), system = ck_actor_system();
    int64_t recording = record_once();
    json_t *body = json_pack("{s:I}", "recording", (json_int_t)recording);
    assert_int_equal(world_command(&world, "recording.file_gone", &boss, json_incref(body)),
                     CK_E_DENIED);
    assert_int_equal(world_command(&world, "recording.file_gone", &system, body), CK_E_CONFLICT);
    assert_int_equal(number("SELECT key IS NOT NULL FROM recording"), 1);
}

/* The bytes of a key, anywhere in the files of the store. */
static bool store_holds(const void *bytes, size_t size)
{
    static const char *const endings[] = {"", "-wal"};
    bool found = false;
    for (size_t i = 0; i < 2; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s%s", world.path, endings[i]);
        FILE *file = fopen(path, "rb");
        if (file == NULL) {
            continue;
        }
        assert_int_equal(fseek(file, 0, SEEK_END), 0);
        size_t length = (size_t)ftell(file);
        rewind(file);
        char *whole = malloc(length + 1);
        assert_int_equal(fread(whole, 1, length, file), length);
        found = found || memmem(whole, length, bytes, size) != NULL;
        free(whole);
        fclose(file);
    }
    return found;
}

static void the_key_is_nowhere_in_the_store_afterwards(void **state)
{
    (void)state;
    uint8_t key[128];
    record_once();
    const char *hex = world_text(&world, "SELECT hex(key) FROM recording");
    size_t size = strlen(hex) / 2;
    assert_true(size > 32 && size < sizeof key);
    char small[256];
    for (size_t i = 0; i <= 2 * size; i++) {
        small[i] = (char)(hex[i] >= 'A' && hex[i] <= 'F' ? hex[i] + 32 : hex[i]);
    }
    assert_int_equal(ck_hex_decode(small, key, size), 0);
    assert_true(store_holds(key, size));
    pass_days(91);
    assert_false(store_holds(key, size));
}

/* ---- a crash at every point ---- */

#define EXPIRED_RECORDINGS                                                                         \
    "SELECT count(*) FROM log_plain WHERE action = 'EXPIRY_ERASED' AND object = 'recording'"

static const char *crash_at;
static int crash_after;

static void die(void *user, const char *name)
{
    (void)user;
    if (strcmp(name, crash_at) == 0 && crash_after-- == 0) {
        _exit(42);
    }
}

/* In a child: on from here for a while, dying at that point. */
static void run_and_die(const char *point, int after)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        crash_at = point;
        crash_after = after;
        ck_engine_set_crash_point(world.engine, die, NULL);
        world.healthy = false;
        world_run_for(&world, 2 * DAY);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void a_crash_leaves_no_readable_rest(void **state)
{
    (void)state;
    static const char *const points[] = {"claimed", "decided", "committed", "given"};
    for (size_t i = 0; i < 4; i++) {
        int64_t recording = record_once();
        char sql[128];
        pass_days(89);
        run_and_die(points[i], 0);
        world_restart(&world);
        world.now.wall.ms += 2 * DAY;
        world_forget(&world);
        snprintf(sql, sizeof sql, "SELECT key IS NULL FROM recording WHERE id = %lld",
                 (long long)recording);
        bool gone = number(sql) == 1;
        assert_int_equal(gone, i >= 2); /* both or nothing: before the commit nothing happened */
        assert_int_equal(number(EXPIRED_RECORDINGS), (int64_t)i + (i >= 2));
        world_run_for(&world, 2 * MINUTE);
        assert_int_equal(number(sql), 1);
        assert_int_equal(number(EXPIRED_RECORDINGS), (int64_t)i + 1);
        const struct ck_output *output = world_last(&world, CK_OUTPUT_ERASE_FILE);
        assert_non_null(output);
        assert_int_equal(output->id, recording);
        say_file_is_gone(recording);
    }
    expect_whole_log(0);
}

/* ---- a person's own data ---- */

static void end_the_order(void)
{
    const struct ck_actor boss = supervisor();
    assert_int_equal(world_command(&world, "order.end", &boss,
                                   json_pack("{s:I, s:s, s:s}", "order", (json_int_t)world.order,
                                             "date", "2026-11-21", "reason", "served")),
                     0);
}

static void a_persons_file_goes_class_by_class(void **state)
{
    (void)state;
    const struct ck_actor inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    world_run_for(&world, MINUTE);
    assert_int_equal(world_command(&world, "message.send", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world.person,
                                             "client_id", "m1", "text", "come tomorrow")),
                     0);
    assert_int_equal(world_command(&world, "message.send", &inspector,
                                   json_pack("{s:I, s:s, s:s, s:{s:s, s:s}}", "person",
                                             (json_int_t)world.person, "client_id", "m2", "text",
                                             "", "file", "name", "x.jpg", "data", "/9j/2Q==")),
                     0);
    assert_int_equal(number("SELECT count(*) FROM message_file"), 1);
    world_execute(&world, "INSERT INTO assessment (person_id, kind, key, nonce, sealed, by_staff, "
                          "created_at) VALUES (1, 'judgement', x'01', x'02', x'03', 1, 1);"
                          "INSERT INTO photo (person_id, key, nonce, bytes, created_at) VALUES "
                          "(1, x'01', x'02', x'03', 1)");
    assert_int_equal(number("SELECT count(*) FROM expiry WHERE person_id = 1"), 0); /* bound */
    end_the_order();
    assert_int_equal(number("SELECT count(*) FROM expiry WHERE person_id = 1"), 6);
    world_run_for(&world, MINUTE);
    assert_int_equal(number("SELECT key IS NULL AND length(sealed) = 0 FROM assessment"), 1);
    assert_int_equal(number("SELECT bytes IS NULL FROM photo"), 0);
    pass_days(31);
    assert_int_equal(number("SELECT bytes IS NULL AND key IS NULL FROM photo"), 1);
    assert_int_equal(number("SELECT phone IS NULL FROM person"), 0);
    pass_days(60);
    assert_int_equal(number("SELECT phone IS NULL AND email IS NULL FROM person"), 1);
    assert_int_equal(number("SELECT key IS NULL FROM thread"), 0);
    pass_days(275);
    assert_int_equal(number("SELECT key IS NULL FROM thread"), 1);
    assert_int_equal(number("SELECT sum(length(sealed)) FROM message"), 0);
    assert_int_equal(number("SELECT count(*) FROM message_file"), 0);
    /* Whoever writes after that has a key again; what was is gone. */
    assert_int_equal(world_command(&world, "message.send", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world.person,
                                             "client_id", "m3", "text", "once more")),
                     0);
    assert_int_equal(number("SELECT key IS NULL FROM thread"), 0);
    assert_int_equal(number("SELECT count(*) FROM message WHERE length(sealed) > 0"), 1);
    assert_string_equal(world_text(&world, "SELECT name FROM person"), "Serik A.");
    expect_whole_log(0);
    pass_days(730);
    assert_string_equal(world_text(&world, "SELECT name FROM person"), "P-1001");
    assert_int_equal(number("SELECT salt IS NULL AND birth_date = '' FROM person"), 1);
    assert_int_equal(number("SELECT count(*) FROM contact_order WHERE issuer <> ''"), 0);
    assert_int_equal(number("SELECT count(*) FROM log_plain WHERE person_id = 1"), 0);
    assert_int_equal(number("SELECT count(*) FROM expiry WHERE state <> 'erased' AND class <> "
                            "'access_log'"),
                     0);
    assert_int_equal(count_of("EXPIRY_ERASED"), 7); /* and the log of who came in, of two years */
    expect_whole_log(1);

    /* Nothing about them begins again. */
    const struct ck_actor boss = supervisor();
    assert_int_equal(world_command(&world, "order.create", &boss,
                                   json_pack("{s:I}", "person", (json_int_t)world.person)),
                     CK_E_CONFLICT);
    assert_int_equal(world_command(&world, "hold.place", &boss,
                                   json_pack("{s:s, s:I, s:s, s:s}", "kind", "person", "id",
                                             (json_int_t)world.person, "reason", "late", "review",
                                             "2030-01-01")),
                     CK_E_CONFLICT);
}

/* Somebody new is bound by nothing yet, and scores are kept for no day after: nothing of theirs is
 * there, and the log does not say that it was erased. */
static void nothing_is_recorded_where_nothing_is_erased(void **state)
{
    (void)state;
    const struct ck_actor boss = supervisor();
    assert_int_equal(
        world_command(&world, "person.create", &boss,
                      json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "name", "Marat B.",
                                "birth_date", "1980-01-01", "phone", "+77010000009", "language",
                                "ru", "inspector_id", (json_int_t)world.inspector, "unit_id",
                                (json_int_t)world.unit, "band", "low")),
        0);
    world_run_for(&world, MINUTE);
    assert_int_equal(count_of("EXPIRY_ERASED"), 0);
    assert_int_equal(number("SELECT count(*) FROM expiry WHERE person_id = 2"), 5);
    pass_days(32); /* no photo either */
    assert_int_equal(count_of("EXPIRY_ERASED"), 0);
    pass_days(60); /* their number is there */
    assert_int_equal(count_of("EXPIRY_ERASED"), 1);
    assert_int_equal(number("SELECT phone IS NULL FROM person WHERE id = 2"), 1);
    /* What is entered after its own class had its time goes with the file. */
    world_execute(&world, "INSERT INTO assessment (person_id, kind, key, nonce, sealed, by_staff, "
                          "created_at) VALUES (2, 'judgement', x'01', x'02', x'03', 1, 1);"
                          "INSERT INTO photo (person_id, key, nonce, bytes, created_at) VALUES "
                          "(2, x'01', x'02', x'03', 1)");
    pass_days(1095);
    assert_int_equal(number("SELECT key IS NULL FROM assessment WHERE person_id = 2"), 1);
    assert_int_equal(number("SELECT bytes IS NULL FROM photo WHERE person_id = 2"), 1);
    assert_int_equal(number("SELECT salt IS NULL FROM person WHERE id = 2"), 1);
}

static int place_hold(const char *kind, int64_t id, const char *review)
{
    const struct ck_actor boss = supervisor();
    return world_command(&world, "hold.place", &boss,
                         json_pack("{s:s, s:I, s:s, s:s}", "kind", kind, "id", (json_int_t)id,
                                   "reason", "appeal", "review", review));
}

static void agreed_by_another(const struct ck_actor *boss, int64_t approval)
{
    int64_t other = world_colleague(&world, "second", CK_ROLE_SUPERVISOR, false);
    const struct ck_actor second = world_staff(&world, other, CK_ROLE_SUPERVISOR);
    json_t *decision = json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)approval, "approve", 1,
                                 "reason", "agreed");
    assert_int_equal(world_command(&world, "approval.decide", boss, json_incref(decision)),
                     CK_E_DENIED); /* not by oneself */
    assert_int_equal(world_command(&world, "approval.decide", &second, decision), 0);
}

static void release_hold(int64_t hold)
{
    const struct ck_actor boss = supervisor();
    assert_int_equal(
        world_command(&world, "approval.propose", &boss,
                      json_pack("{s:s, s:I, s:s, s:{s:I}}", "kind", "hold.release", "person",
                                (json_int_t)world.person, "reason", "the appeal is over", "request",
                                "hold", (json_int_t)hold)),
        0);
    agreed_by_another(&boss, json_integer_value(json_object_get(world.result.body, "id")));
}

/* ---- what a victim or somebody else reported ---- */

#define REPORTED "the neighbour heard the child scream"
#define WRITTEN "she opened the door and was unhurt"

/* A concern, and what an officer did about it; the incident's number. */
static int64_t confide(void)
{
    const struct ck_actor inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    const struct ck_actor officer = world_staff(&world, world.officer, CK_ROLE_OFFICER);
    int64_t checkin = check_in_once();
    assert_int_equal(
        world_command(&world, "checkin.concern", &inspector,
                      json_pack("{s:I, s:s}", "checkin", (json_int_t)checkin, "text", REPORTED)),
        0);
    int64_t incident = number("SELECT max(id) FROM incident WHERE kind = 'concern'");
    assert_int_equal(world_command(&world, "message.send", &officer,
                                   json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)incident,
                                             "client_id", "o1", "text", WRITTEN)),
                     0);
    assert_int_equal(
        world_command(&world, "incident.safety", &officer,
                      json_pack("{s:I, s:s}", "incident", (json_int_t)incident, "note", WRITTEN)),
        0);
    assert_int_equal(world_command(&world, "incident.acknowledge", &officer,
                                   json_pack("{s:I}", "incident", (json_int_t)incident)),
                     0);
    assert_int_equal(world_command(&world, "incident.conclude", &officer,
                                   json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)incident,
                                             "conclusion", "safe", "reason", WRITTEN)),
                     0);
    return incident;
}

#define CONFIDED_KEYS "SELECT count(*) FROM confidence WHERE key IS NOT NULL"
#define CONFIDED_BYTES "SELECT sum(length(sealed)) + sum(length(nonce)) FROM confidence"

static void what_was_confided_has_a_key_and_a_time_of_its_own(void **state)
{
    (void)state;
    int64_t incident = confide();
    char thread[96];
    snprintf(thread, sizeof thread, "SELECT key IS NOT NULL FROM thread WHERE incident_id = %lld",
             (long long)incident);
    assert_false(store_holds(REPORTED, strlen(REPORTED)));
    assert_false(store_holds(WRITTEN, strlen(WRITTEN)));
    assert_int_equal(number(CONFIDED_KEYS), 3); /* the concern, the safety step, the conclusion */
    end_the_order();
    assert_int_equal(number("SELECT (next_at - since_at) / 86400000 FROM expiry WHERE class = "
                            "'concern'"),
                     365);
    pass_days(364);
    assert_int_equal(number(CONFIDED_KEYS), 3);
    assert_int_equal(number(thread), 1);
    pass_days(2);
    assert_int_equal(number(CONFIDED_KEYS), 0);
    assert_int_equal(number(CONFIDED_BYTES), 0);
    assert_int_equal(number(thread), 0);
    assert_int_equal(number("SELECT sum(length(sealed)) FROM message"), 0);
    assert_int_equal(number("SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                            "'%EXPIRY_ERASED%\"class\":\"concern\"%'"),
                     1);
    /* The case goes on: when, by whom and with which result stays. */
    assert_string_equal(world_text(&world, "SELECT conclusion FROM conclusion"), "safe");
    assert_string_equal(world_text(&world, "SELECT name FROM person"), "Serik A.");
    expect_whole_log(0);
}

static void what_is_still_looked_after_is_kept(void **state)
{
    (void)state;
    confide();
    world_execute(&world, "UPDATE incident SET state = 'acknowledged', closed_at = NULL, next_at = "
                          "9000000000000000 WHERE kind = 'concern'");
    end_the_order();
    pass_days(400);
    assert_int_equal(number(CONFIDED_KEYS), 3);
    world_execute(&world, "UPDATE incident SET state = 'closed', next_at = NULL WHERE kind = "
                          "'concern'");
    world_run_for(&world, 2 * MINUTE);
    assert_int_equal(number(CONFIDED_KEYS), 0);
}

static void a_hold_keeps_what_was_confided(void **state)
{
    (void)state;
    int64_t incident = confide();
    assert_int_equal(place_hold("incident", incident, "2027-06-01"), 0);
    int64_t hold = json_integer_value(json_object_get(world.result.body, "id"));
    end_the_order();
    pass_days(400);
    assert_int_equal(number(CONFIDED_KEYS), 3);
    assert_int_equal(number("SELECT count(*) FROM expiry WHERE class = 'concern' AND state = "
                            "'held'"),
                     1);
    release_hold(hold);
    world_run_for(&world, MINUTE);
    assert_int_equal(number(CONFIDED_KEYS), 0);
}

static void a_new_order_stops_the_time(void **state)
{
    (void)state;
    const struct ck_actor boss = supervisor();
    end_the_order();
    world_run_for(&world, MINUTE);
    pass_days(20);
    assert_int_equal(
        world_command(&world, "order.create", &boss,
                      json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[], s:s, s:s}",
                                "person", (json_int_t)world.person, "kind", "other", "article", "1",
                                "number", "2", "issuer", "court", "from", "2026-12-01", "until",
                                "2027-12-01", "conditions", "", "per_day_max", 3, "requirements",
                                "hours_start", "06:00", "hours_end", "23:00")),
        0);
    assert_int_equal(number("SELECT count(*) FROM expiry WHERE person_id = 1 AND state = 'kept'"),
                     0);
    pass_days(100);
    assert_int_equal(number("SELECT phone IS NOT NULL FROM person"), 1);
}

/* ---- holds ---- */

static void a_hold_keeps_what_it_is_about(void **state)
{
    (void)state;
    int64_t kept = record_once(), other = record_once();
    char sql[128];
    assert_int_equal(place_hold("recording", kept, "2027-06-01"), 0);
    int64_t hold = json_integer_value(json_object_get(world.result.body, "id"));
    pass_days(91);
    snprintf(sql, sizeof sql, "SELECT key IS NULL FROM recording WHERE id = %lld",
             (long long)other);
    assert_int_equal(number(sql), 1);
    snprintf(sql, sizeof sql, "SELECT key IS NULL FROM recording WHERE id = %lld", (long long)kept);
    assert_int_equal(number(sql), 0);
    assert_int_equal(count_of("EXPIRY_HELD"), 1);
    assert_int_equal(number("SELECT count(*) FROM expiry WHERE state = 'held'"), 1);
    release_hold(hold);
    world_run_for(&world, MINUTE);
    assert_int_equal(number(sql), 1);
    assert_int_equal(count_of("HOLD_RELEASED"), 1);
}

static void a_hold_on_an_incident_keeps_its_recordings_and_the_person(void **state)
{
    (void)state;
    int64_t recording = record_once();
    char sql[128];
    world_execute(
        &world, "INSERT INTO policy (id, kind, body) VALUES (900, 'ladder', '{}');"
                "INSERT INTO incident (person_id, unit_id, checkin_id, kind, severity, opened_at, "
                "state, policy_id, machine, steps) SELECT person_id, unit_id, id, 'system', "
                "'low', 1, 'closed', 900, '{}', 1 FROM checkin LIMIT 1");
    assert_int_equal(place_hold("incident", number("SELECT max(id) FROM incident"), "2027-06-01"),
                     0);
    end_the_order();
    pass_days(100);
    snprintf(sql, sizeof sql, "SELECT key IS NULL FROM recording WHERE id = %lld",
             (long long)recording);
    assert_int_equal(number(sql), 0);
    assert_int_equal(number("SELECT phone IS NOT NULL FROM person"), 1);
}

static void the_file_of_a_person_goes_after_their_recordings(void **state)
{
    (void)state;
    int64_t recording = record_once();
    assert_int_equal(place_hold("person", world.person, "2027-06-01"), 0);
    int64_t hold = json_integer_value(json_object_get(world.result.body, "id"));
    end_the_order();
    pass_days(1200);
    assert_int_equal(number("SELECT count(*) FROM expiry WHERE state = 'held'"), 3);
    release_hold(hold);
    world_run_for(&world, 3 * MINUTE);
    assert_int_equal(number("SELECT key IS NULL FROM recording"), 1);
    assert_int_equal(number("SELECT salt IS NULL FROM person"), 0); /* the file is there yet */
    say_file_is_gone(recording);
    world_run_for(&world, 3 * MINUTE);
    assert_int_equal(number("SELECT salt IS NULL FROM person"), 1);
    /* All that happened to the recording is under one pseudonym. */
    assert_int_equal(number("SELECT count(DISTINCT json_extract(CAST(e.leaf AS TEXT), "
                            "'$.object.id')) FROM log_entry e JOIN log_plain l ON "
                            "l.idx = e.idx WHERE l.object = 'recording'"),
                     1);
    expect_whole_log(1);
}

static void an_overdue_review_is_told_to_the_supervisors(void **state)
{
    (void)state;
    const struct ck_actor boss = supervisor();
    assert_int_equal(place_hold("person", world.person, "2026-12-01"), 0);
    int64_t hold = json_integer_value(json_object_get(world.result.body, "id"));
    pass_days(5);
    world_forget(&world);
    pass_days(6);
    assert_int_equal(count_of("HOLD_REVIEW_OVERDUE"), 1);
    assert_int_equal(number("SELECT count(*) FROM notice WHERE template = 'hold_review' AND "
                            "staff_id = 3 AND address = 'supervisor@example.kz'"),
                     1);
    bool sent = false;
    for (size_t i = 0; i < world.output_count; i++) {
        const json_t *body = world.outputs[i].body;
        const char *template = json_string_value(json_object_get(body, "template"));
        const char *to = json_string_value(json_object_get(body, "path"));
        sent = sent || (template != NULL && strcmp(template, "hold_review") == 0 &&
                        strcmp(to, "/#/retention") == 0);
    }
    assert_true(sent);
    pass_days(7); /* and again a week later */
    assert_int_equal(count_of("HOLD_REVIEW_OVERDUE"), 2);
    assert_int_equal(world_command(&world, "hold.review", &boss,
                                   json_pack("{s:I, s:s, s:s}", "hold", (json_int_t)hold, "review",
                                             "2027-05-01", "reason", "still before the court")),
                     0);
    pass_days(20);
    assert_int_equal(count_of("HOLD_REVIEW_OVERDUE"), 2);
    assert_int_equal(count_of("HOLD_REVIEWED"), 1);
}

static void holds_are_for_supervisors_of_the_unit(void **state)
{
    (void)state;
    const struct ck_actor officer = world_staff(&world, world.officer, CK_ROLE_OFFICER);
    struct ck_actor far = supervisor();
    far.unit_id = 99;
    const struct {
        const char *kind, *review;
        int64_t id;
        const struct ck_actor *actor;
        int code;
    } cases[] = {
        {"person", "2027-01-01", 1, &officer, CK_E_DENIED},
        {"person", "2027-01-01", 1, &far, CK_E_DENIED},
        {"person", "2026-11-20", 1, NULL, CK_E_INVALID}, /* over */
        {"person", "2027-12-01", 1, NULL, CK_E_INVALID}, /* too far */
        {"person", "soon", 1, NULL, CK_E_INVALID},
        {"person", "2027-01-01", 77, NULL, CK_E_NOT_FOUND},
        {"recording", "2027-01-01", 77, NULL, CK_E_NOT_FOUND},
        {"incident", "2027-01-01", 77, NULL, CK_E_NOT_FOUND},
        {"unit", "2027-01-01", 1, NULL, CK_E_INVALID},
    };
    const struct ck_actor boss = supervisor();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct ck_actor *actor = cases[i].actor == NULL ? &boss : cases[i].actor;
        assert_int_equal(world_command(&world, "hold.place", actor,
                                       json_pack("{s:s, s:I, s:s, s:s}", "kind", cases[i].kind,
                                                 "id", (json_int_t)cases[i].id, "reason", "x",
                                                 "review", cases[i].review)),
                         cases[i].code);
    }
    assert_int_equal(number("SELECT count(*) FROM hold"), 0);
}

/* ---- policy and access log ---- */

static void the_policy_in_force_is_in_the_log(void **state)
{
    (void)state;
    const struct ck_actor system = ck_actor_system();
    assert_int_equal(world_command(&world, "health.report", &system,
                                   json_pack("{s:b, s:b}", "probe", 1, "worker", 1)),
                     0);
    assert_int_equal(count_of("RETENTION_IN_FORCE"), 1);
    world_restart(&world);
    world_run_for(&world, 2 * 60 * MINUTE);
    assert_int_equal(count_of("RETENTION_IN_FORCE"), 1); /* nothing new */
    /* Another policy: recorded, and what is kept counts anew. */
    record_once();
    world_execute(&world, "UPDATE setting SET value = '{}' WHERE name = 'retention';"
                          "UPDATE expiry SET next_at = 5 WHERE class = 'recording'");
    world.healthy = false;
    int64_t before = count_of("EXPIRY_ERASED");
    world.healthy = true;
    world_run_for(&world, 2 * 60 * MINUTE);
    assert_int_equal(count_of("RETENTION_IN_FORCE"), 2);
    assert_int_equal(count_of("EXPIRY_ERASED"), before); /* too soon by the policy: it waits */
    assert_int_equal(number("SELECT next_at - since_at FROM expiry WHERE class = 'recording'"),
                     90 * DAY);
}

/* The file alone shortens nothing: 90 days are what it says, 200 what was in force. */
static void shorter_needs_two_persons(void **state)
{
    (void)state;
    static const char days[] = "SELECT (next_at - since_at) / 86400000 FROM expiry WHERE class = "
                               "'recording'";
    record_once();
    world_run_for(&world, 2 * 60 * MINUTE);
    world_execute(&world, "UPDATE setting SET value = json_set(value, '$.recording', 200) WHERE "
                          "name = 'retention'; UPDATE expiry SET next_at = since_at + 200 * "
                          "86400000 WHERE class = 'recording'");
    world_restart(&world);
    world_run_for(&world, 2 * 60 * MINUTE);
    assert_int_equal(number(days), 200);
    assert_int_equal(count_of("RETENTION_WISHED"), 1);
    pass_days(100);
    assert_int_equal(count_of("EXPIRY_ERASED"), 0);
    int64_t in_force = count_of("RETENTION_IN_FORCE");

    const struct ck_actor boss = supervisor();
    assert_int_equal(
        world_command(&world, "approval.propose", &boss,
                      json_pack("{s:s, s:s, s:{s:{s:i}}}", "kind", "retention.shorten", "reason",
                                "the law", "request", "days", "recording", 30)),
        CK_E_CONFLICT); /* nobody said so */
    assert_int_equal(
        world_command(&world, "approval.propose", &boss,
                      json_pack("{s:s, s:s, s:{s:{s:i}}}", "kind", "retention.shorten", "reason",
                                "the law", "request", "days", "recording", 90)),
        0);
    agreed_by_another(&boss, json_integer_value(json_object_get(world.result.body, "id")));
    assert_int_equal(count_of("RETENTION_IN_FORCE"), in_force + 1);
    assert_int_equal(count_of("EXPIRY_ERASED"), 1); /* at once: it is a hundred days old */
}

static void the_text_of_who_came_in_goes_after_a_year(void **state)
{
    (void)state;
    const struct ck_actor system = ck_actor_system();
    world_run_for(&world, MINUTE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            world_command(&world, "session.refused", &system,
                          json_pack("{s:s, s:s}", "login", "somebody", "why", "wrong")),
            0);
    }
    assert_int_equal(number("SELECT count(*) FROM log_plain WHERE object = 'session' AND salted "
                            "IS NOT NULL"),
                     3);
    pass_days(400); /* the end of 2027 is not over */
    assert_int_equal(number("SELECT count(*) FROM log_plain WHERE object = 'session' AND salted "
                            "IS NOT NULL"),
                     3);
    pass_days(10);
    assert_int_equal(number("SELECT count(*) FROM log_plain WHERE object = 'session' AND salted "
                            "IS NOT NULL"),
                     0);
    expect_whole_log(3);
    /* The same without an entry that says so. */
    assert_int_equal(world_command(&world, "session.refused", &system,
                                   json_pack("{s:s, s:s}", "login", "somebody", "why", "wrong")),
                     0);
    world_execute(&world, "UPDATE log_plain SET salted = NULL WHERE object = 'session'");
    struct ck_audit_report report = {0};
    assert_int_equal(ck_audit_verify(world.reader, &report), 0);
    assert_int_equal(report.findings, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_recording_is_destroyed_when_its_time_is_over),
        TEST(nobody_destroys_by_hand),
        TEST(the_key_is_nowhere_in_the_store_afterwards),
        TEST(a_crash_leaves_no_readable_rest),
        TEST(a_persons_file_goes_class_by_class),
        TEST(nothing_is_recorded_where_nothing_is_erased),
        TEST(what_was_confided_has_a_key_and_a_time_of_its_own),
        TEST(what_is_still_looked_after_is_kept),
        TEST(a_hold_keeps_what_was_confided),
        TEST(a_new_order_stops_the_time),
        TEST(a_hold_keeps_what_it_is_about),
        TEST(a_hold_on_an_incident_keeps_its_recordings_and_the_person),
        TEST(the_file_of_a_person_goes_after_their_recordings),
        TEST(an_overdue_review_is_told_to_the_supervisors),
        TEST(holds_are_for_supervisors_of_the_unit),
        TEST(the_policy_in_force_is_in_the_log),
        TEST(shorter_needs_two_persons),
        TEST(the_text_of_who_came_in_goes_after_a_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
