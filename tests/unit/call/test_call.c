/* The call manager with a fake worker and a fake engine: what pages and engine are told, in which
 * order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <uv.h>

#include "daemon/call/call.h"
#include "protocol/base/error.h"

#define HISTORY_MAX 256

/* What a page was sent, or the engine was asked, one JSON text an entry. */
struct history {
    char *items[HISTORY_MAX];
    size_t count;
};

struct world {
    uv_loop_t loop;
    struct ck_calls *calls;
    char dir[64];
    struct history person, staff, commands;
    int64_t next_recording;
    int join_code;  /* what the engine answers to joins … */
    int begin_code; /* … and to recordings that are to begin */
    bool stopped;
};

static const struct ck_call_proof no_proof;

static int person_page, staff_page;

static void remember(struct history *history, json_t *value)
{
    assert_true(history->count < HISTORY_MAX);
    history->items[history->count++] = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(value);
}

static void forget(struct history *history)
{
    while (history->count > 0) {
        free(history->items[--history->count]);
    }
}

static bool has(const struct history *history, const char *part)
{
    for (size_t i = 0; i < history->count; i++) {
        if (strstr(history->items[i], part) != NULL) {
            return true;
        }
    }
    return false;
}

static size_t times(const struct history *history, const char *part)
{
    size_t n = 0;
    for (size_t i = 0; i < history->count; i++) {
        n += strstr(history->items[i], part) != NULL;
    }
    return n;
}

static json_t *answer(struct world *world, const char *name)
{
    if (strcmp(name, "recording.begin") == 0) {
        char file[32];
        snprintf(file, sizeof file, "r%lld", (long long)++world->next_recording);
        return json_pack("{s:I, s:s, s:s, s:s}", "recording", (json_int_t)world->next_recording,
                         "key", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                         "file", file, "context", "c");
    }
    if (strcmp(name, "checkin.joined") == 0) {
        return json_pack("{s:s}", "waiting_since", "2026-11-21T14:02:05.000Z");
    }
    return json_pack("{s:s}", "with", "Inspector");
}

static void submit(void *context, const char *name, const struct ck_actor *actor, json_t *body,
                   ck_call_done *done, void *cookie)
{
    struct world *world = context;
    (void)actor;
    json_t *entry = json_pack("{s:s, s:o}", "name", name, "body", body);
    remember(&world->commands, entry);
    if (done != NULL) {
        bool entering = strcmp(name, "recording.begin") != 0;
        struct ck_result result = {.code = entering ? world->join_code : world->begin_code};
        result.body = result.code == 0 ? answer(world, name) : NULL;
        done(cookie, &result);
        json_decref(result.body);
    }
}

static void send_page(void *context, ck_call_page *page, json_t *message)
{
    struct world *world = context;
    remember(page == &staff_page ? &world->staff : &world->person, message);
}

static struct ck_wall now(void *context)
{
    (void)context;
    return (struct ck_wall){INT64_C(5000)};
}

/* Turns the loop until `part` is in the history; the ctest time-out is the bound. */
static void until(struct world *world, const struct history *history, const char *part)
{
    while (!has(history, part)) {
        assert_true(uv_run(&world->loop, UV_RUN_ONCE));
    }
}

static const uint8_t master[CK_KEY_SIZE] = {7};

static struct ck_actor person_actor(void)
{
    return (struct ck_actor){
        .kind = CK_ACTOR_PERSON, .person_id = 1, .checkin_id = 42, .session_id = 66};
}

static struct ck_actor staff_actor(void)
{
    return (struct ck_actor){.kind = CK_ACTOR_STAFF, .staff_id = 9, .session_id = 77};
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    uv_loop_init(&world->loop);
    strcpy(world->dir, "/tmp/test_call_XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    struct ck_calls_options options = {
        .loop = &world->loop,
        .pool = {.program = CK_FAKE_MEDIA,
                 .workers = 1,
                 .config = {.legs_max = 100,
                            .handshakes_max = 10,
                            .recordings_max = 100,
                            .ring_bytes_max = 1 << 20,
                            .listen_v4 = {.family = 4, .bytes = {127, 0, 0, 1}}}},
        .render_program = "/usr/bin/true", /* no thumbnails here */
        .recording_dir = world->dir,
        .video_bitrate_max = 1000000,
        .master_key = master,
    };
    struct ck_call_ports ports = {
        .context = world, .submit = submit, .send = send_page, .now = now};
    assert_int_equal(ck_calls_create(&options, &ports, &world->calls), 0);
    while (!ck_calls_status(world->calls).room) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    *state = world;
    return 0;
}

static void on_stopped(void *context)
{
    ((struct world *)context)->stopped = true;
}

static int teardown(void **state)
{
    struct world *world = *state;
    ck_calls_stop(world->calls, on_stopped, world);
    while (!world->stopped) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", world->dir);
    assert_int_equal(system(command), 0);
    forget(&world->person);
    forget(&world->staff);
    forget(&world->commands);
    free(world);
    return 0;
}

static void person_joins(struct world *world, const char *sdp)
{
    struct ck_actor actor = person_actor();
    ck_calls_join(world->calls, &person_page, &actor, "phone", &no_proof, 0, 1);
    ck_calls_offer(world->calls, &person_page, CK_CALL_PERSON, 42, 1, false, sdp, 2);
}

static void live_call_from_ring_to_end(void **state)
{
    struct world *world = *state;
    person_joins(world, "v=0 person");
    assert_true(has(&world->person, "\"t\":\"waiting\""));
    until(world, &world->commands, "first_frame");
    assert_true(has(&world->person, "v=0 answer"));
    assert_false(has(&world->commands, "recording.begin")); /* waiting is not recorded */

    struct ck_actor staff = staff_actor();
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 5);
    assert_true(has(&world->staff, "\"t\":\"taken\""));
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 1, false, "v=0 staff", 6);
    until(world, &world->person, "\"t\":\"recording\"");
    assert_true(has(&world->person, "\"with\":\"Inspector\""));
    assert_true(has(&world->staff, "\"t\":\"peer\""));
    until(world, &world->staff, "\"on\":true");
    while (times(&world->commands, "recording.started") < 2) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }

    ck_calls_pause(world->calls, &person_page, 42, true, "child", 7);
    assert_int_equal(times(&world->commands, "recording.paused"), 2);
    assert_true(has(&world->staff, "\"reason\":\"child\""));
    ck_calls_pause(world->calls, &person_page, 42, false, "", 8);
    assert_int_equal(times(&world->commands, "recording.paused"), 4);

    ck_calls_end(world->calls, &staff_page, 42, 9);
    assert_true(has(&world->commands, "checkin.call_ended"));
    while (ck_calls_status(world->calls).calls > 0) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_int_equal(times(&world->commands, "recording.closed"), 2);
    assert_false(has(&world->commands, "checkin.call_lost")); /* ended, not lost */
    assert_true(has(&world->staff, "\"t\":\"ended\""));
}

static void recordings_end_where_the_disk_is_full_and_the_call_goes_on(void **state)
{
    struct world *world = *state;
    struct ck_actor staff = staff_actor();
    person_joins(world, "v=0 person");
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 5);
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 1, false, "v=0 staff", 6);
    while (times(&world->commands, "recording.started") < 2) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    world->begin_code = CK_E_BUSY; /* the engine lets none begin below the reserve */
    size_t begun = times(&world->commands, "recording.begin");
    ck_calls_stop_recordings(world->calls);
    ck_calls_stop_recordings(world->calls); /* told twice */
    while (times(&world->commands, "recording.closed") < 2) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_true(has(&world->person, "\"on\":false"));
    assert_true(has(&world->staff, "\"on\":false"));
    assert_int_equal(ck_calls_status(world->calls).calls, 1);
    assert_false(has(&world->commands, "checkin.call_lost"));
    assert_false(has(&world->commands, "checkin.call_ended"));
    assert_int_equal(times(&world->commands, "recording.closed"), 2);
    assert_true(times(&world->commands, "recording.begin") <=
                begun + 3); /* as each ended, not in a loop */
    ck_calls_end(world->calls, &staff_page, 42, 9);
    while (ck_calls_status(world->calls).calls > 0) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_true(has(&world->commands, "checkin.call_ended"));
}

static void unattended_shows_each_challenge_and_records(void **state)
{
    struct world *world = *state;
    json_t *body = json_pack("{s:[{s:i,s:s,s:s,s:i},{s:i,s:s,s:i}]}", "challenges", "number", 1,
                             "kind", "read_digits", "digits", "4 7 1", "seconds", 8, "number", 2,
                             "kind", "turn_left", "seconds", 5);
    person_joins(world, "v=0 person");
    ck_calls_start_unattended(world->calls, 42, body);
    json_decref(body);
    until(world, &world->person, "\"kind\":\"read_digits\"");
    assert_true(has(&world->person, "\"digits\":\"4 7 1\""));
    assert_true(has(&world->commands, "recording.started"));
    assert_true(has(&world->commands, "\"at_ms\":4000")); /* now minus the recording's zero */

    ck_calls_challenge_done(world->calls, &person_page, 42, 2, 10);
    assert_true(has(&world->person, "not shown now"));
    ck_calls_challenge_done(world->calls, &person_page, 42, 1, 11);
    assert_true(has(&world->person, "\"kind\":\"turn_left\""));
    ck_calls_challenge_done(world->calls, &person_page, 42, 2, 12);
    assert_true(has(&world->commands, "checkin.challenge_finished"));
    until(world, &world->commands, "recording.closed");
}

/* What is not on the file proves nothing: a task waits for the end of a privacy pause. */
static void a_task_waits_while_the_person_wants_privacy(void **state)
{
    struct world *world = *state;
    json_t *body =
        json_pack("{s:[{s:i,s:s,s:i},{s:i,s:s,s:i}]}", "challenges", "number", 1, "kind", "look_up",
                  "seconds", 8, "number", 2, "kind", "turn_left", "seconds", 5);
    person_joins(world, "v=0 person");
    ck_calls_start_unattended(world->calls, 42, body);
    json_decref(body);
    until(world, &world->person, "\"kind\":\"look_up\"");
    ck_calls_pause(world->calls, &person_page, 42, true, "undress", 9);
    assert_int_equal(times(&world->commands, "recording.paused"), 1);
    assert_true(has(&world->commands, "\"reason\":\"undress\""));
    assert_true(has(&world->person, "\"on\":false"));
    ck_calls_pause(world->calls, &person_page, 42, true, "undress", 10); /* said again */
    assert_int_equal(times(&world->commands, "recording.paused"), 1);
    ck_calls_challenge_done(world->calls, &person_page, 42, 1, 11);
    assert_true(has(&world->person, "not shown now"));
    assert_false(has(&world->person, "turn_left"));

    ck_calls_pause(world->calls, &person_page, 42, false, "", 12);
    assert_int_equal(times(&world->commands, "recording.paused"), 2);
    assert_int_equal(times(&world->person, "\"kind\":\"look_up\""), 2); /* from its beginning */
    ck_calls_challenge_done(world->calls, &person_page, 42, 1, 13);
    assert_true(has(&world->person, "turn_left"));

    /* A page that was loaded again knows of no pause. */
    ck_calls_pause(world->calls, &person_page, 42, true, "child", 14);
    struct ck_actor actor = person_actor();
    ck_calls_join(world->calls, &person_page, &actor, "phone", &no_proof, 0, 15);
    assert_int_equal(times(&world->commands, "recording.paused"), 4);
    assert_int_equal(times(&world->person, "turn_left"), 2);
    ck_calls_challenge_done(world->calls, &person_page, 42, 2, 16);
    assert_true(has(&world->commands, "checkin.challenge_finished"));
    until(world, &world->commands, "recording.closed");
}

static void worker_crash_asks_the_page_to_come_again(void **state)
{
    struct world *world = *state;
    person_joins(world, "v=0 person");
    until(world, &world->commands, "first_frame");
    struct ck_actor staff = staff_actor();
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 5);
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 1, false, "crash", 6);
    until(world, &world->person, "\"t\":\"reconnect\"");
    assert_true(has(&world->commands, "\"fault\":\"worker_lost\""));
    assert_false(has(&world->commands, "checkin.call_lost"));
    while (!ck_calls_status(world->calls).room) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    forget(&world->commands);
    ck_calls_offer(world->calls, &person_page, CK_CALL_PERSON, 42, 2, false, "v=0 again", 3);
    until(world, &world->commands, "first_frame");
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 2, false, "v=0 staff", 7);
    until(world, &world->commands, "recording.started"); /* and the call goes on */

    /* A second crash with the same legs: they are refused. */
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 3, false, "crash", 8);
    while (times(&world->person, "\"t\":\"reconnect\"") < 2) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    ck_calls_offer(world->calls, &person_page, CK_CALL_PERSON, 42, 3, false, "v=0", 9);
    assert_true(has(&world->person, "fell over"));
}

static void bad_offer_is_answered_with_its_line(void **state)
{
    struct world *world = *state;
    person_joins(world, "refuse");
    until(world, &world->person, "\"t\":\"error\"");
    assert_true(has(&world->person, "\"line\":3"));
    assert_true(has(&world->person, "no such thing"));
    ck_calls_offer(world->calls, &person_page, CK_CALL_PERSON, 42, 2, false, "v=0", 3);
    until(world, &world->person, "v=0 answer");
}

static void second_tab_replaces_the_first(void **state)
{
    struct world *world = *state;
    int other_tab = 0;
    struct ck_actor actor = person_actor();
    ck_calls_join(world->calls, &other_tab, &actor, "old tab", &no_proof, 0, 1);
    ck_calls_join(world->calls, &person_page, &actor, "new tab", &no_proof, 0, 1);
    assert_true(has(&world->person, "\"t\":\"replaced\""));
    ck_calls_offer(world->calls, &other_tab, CK_CALL_PERSON, 42, 1, false, "v=0", 2);
    assert_true(has(&world->person, "join first"));
}

static void refused_join_leaves_nothing(void **state)
{
    struct world *world = *state;
    world->join_code = CK_E_CONFLICT;
    struct ck_actor actor = person_actor();
    ck_calls_join(world->calls, &person_page, &actor, "phone", &no_proof, 0, 1);
    assert_true(has(&world->person, "\"code\":\"conflict\""));
    while (ck_calls_status(world->calls).calls > 0) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
}

static void page_that_returns_keeps_its_media(void **state)
{
    struct world *world = *state;
    person_joins(world, "v=0 person");
    until(world, &world->commands, "first_frame");
    ck_calls_page_closed(world->calls, &person_page);
    forget(&world->person);
    struct ck_actor actor = person_actor();
    ck_calls_join(world->calls, &person_page, &actor, "phone", &no_proof, 1, 1);
    assert_false(has(&world->person, "reconnect"));
    ck_calls_offer(world->calls, &person_page, CK_CALL_PERSON, 42, 1, true, "v=0", 2);
    until(world, &world->person, "v=0 restarted");
    /* One whose connection is unknown is told so. */
    ck_calls_join(world->calls, &person_page, &actor, "phone", &no_proof, 7, 3);
    assert_true(has(&world->person, "\"t\":\"reconnect\""));
}

static void reloaded_page_finds_its_call_again(void **state)
{
    struct world *world = *state;
    person_joins(world, "v=0 person");
    until(world, &world->commands, "first_frame");
    struct ck_actor staff = staff_actor(), actor = person_actor();
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 5);
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 1, false, "v=0 staff", 6);
    while (times(&world->commands, "recording.started") < 2) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    ck_calls_offer(world->calls, &person_page, CK_CALL_PERSON, 42, 1, true, "gone", 7);
    ck_calls_page_closed(world->calls, &person_page);
    until(world, &world->staff, "\"state\":\"away\"");
    assert_int_equal(times(&world->commands, "recording.begin"), 2); /* none for what is ending */
    forget(&world->commands);
    ck_calls_join(world->calls, &person_page, &actor, "phone", &no_proof, 0, 8);
    ck_calls_offer(world->calls, &person_page, CK_CALL_PERSON, 42, 1, false, "v=0 reloaded", 9);
    until(world, &world->commands, "recording.started");
    assert_false(has(&world->commands, "recording.failed"));
    assert_false(has(&world->commands, "checkin.call_lost"));
    while (times(&world->staff, "\"state\":\"here\"") <
           2) { /* comes before or after the recording */
        uv_run(&world->loop, UV_RUN_ONCE);
    }
}

static void begin_call(struct world *world)
{
    struct ck_actor staff = staff_actor();
    person_joins(world, "v=0 person");
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 5);
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 1, false, "v=0 staff", 6);
    while (times(&world->commands, "recording.started") < 2) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
}

/* While the inspector's page is gone for a moment the call stays theirs: nobody else gets its sound
 * and picture, whatever they ask for. */
static void a_call_is_not_taken_from_who_has_it(void **state)
{
    struct world *world = *state;
    begin_call(world);
    ck_calls_page_closed(world->calls, &staff_page);
    forget(&world->staff);
    struct ck_actor other = {.kind = CK_ACTOR_STAFF, .staff_id = 10};
    world->join_code = CK_E_DENIED;
    ck_calls_take(world->calls, &staff_page, &other, 42, 0, 7);
    assert_true(has(&world->staff, "\"code\":\"conflict\""));
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 1, false, "v=0 other", 8);
    assert_true(has(&world->staff, "take first"));
    /* Nor do they themselves, once the engine says no. */
    struct ck_actor staff = staff_actor();
    forget(&world->staff);
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 9);
    assert_true(has(&world->staff, "\"code\":\"denied\""));
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 1, false, "v=0 other", 10);
    assert_true(has(&world->staff, "take first"));
}

/* A session that ends takes its sound and picture with it, of either side. */
static void a_session_that_ends_is_cut_off(void **state)
{
    struct world *world = *state;
    begin_call(world);
    assert_int_equal(ck_calls_status(world->calls).connected_legs, 2);
    ck_calls_end_session(world->calls, 0); /* of nobody */
    ck_calls_end_session(world->calls, 78);
    assert_int_equal(ck_calls_status(world->calls).connected_legs, 2);
    ck_calls_end_session(world->calls, 77);
    assert_int_equal(ck_calls_status(world->calls).connected_legs, 1);
    assert_true(has(&world->person, "\"state\":\"away\""));
    /* Another session of the same inspector goes on with the call. */
    struct ck_actor staff = staff_actor();
    staff.session_id = 79;
    forget(&world->person);
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 7);
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 2, false, "v=0 staff", 8);
    until(world, &world->person, "\"t\":\"connected\"");
    ck_calls_end_session(world->calls, 66);
    assert_int_equal(ck_calls_status(world->calls).connected_legs, 1);
    assert_true(has(&world->staff, "\"state\":\"away\""));
}

static void look_at_timer(uv_handle_t *handle, void *found)
{
    if (handle->type == UV_TIMER && uv_is_active(handle)) {
        uint64_t due = uv_timer_get_due_in((uv_timer_t *)handle);
        *(bool *)found =
            *(bool *)found || (due > CK_CALL_STAFF_AWAY_MS - 10000 && due <= CK_CALL_STAFF_AWAY_MS);
    }
}

static bool waits_for_staff(struct world *world)
{
    bool found = false;
    uv_walk(&world->loop, look_at_timer, &found);
    return found;
}

/* An inspector who took it and went before there was a picture does not leave the person alone
 * until the longest call is over. */
static void who_takes_and_goes_is_given_up(void **state)
{
    struct world *world = *state;
    struct ck_actor staff = staff_actor();
    person_joins(world, "v=0 person");
    until(world, &world->commands, "first_frame");
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 5);
    assert_false(waits_for_staff(world));
    ck_calls_page_closed(world->calls, &staff_page);
    assert_true(waits_for_staff(world));
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 6);
    assert_false(waits_for_staff(world));
}

/* A leg that goes before anything of it could be recorded: its recording has failed for good, the
 * next connection of that side is recorded, and nothing of the call stays behind. */
static void recording_that_never_began_is_over(void **state)
{
    struct world *world = *state;
    person_joins(world, "silent");
    until(world, &world->commands, "first_frame");
    struct ck_actor staff = staff_actor();
    ck_calls_take(world->calls, &staff_page, &staff, 42, 0, 5);
    ck_calls_offer(world->calls, &staff_page, CK_CALL_STAFF, 42, 1, false, "v=0 staff", 6);
    while (times(&world->commands, "first_audio") < 2 ||
           times(&world->commands, "recording.started") < 1) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    ck_calls_offer(world->calls, &person_page, CK_CALL_PERSON, 42, 2, false, "v=0 again", 7);
    until(world, &world->commands, "recording.failed");
    while (times(&world->commands, "recording.started") < 2) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    ck_calls_end(world->calls, &staff_page, 42, 9);
    while (ck_calls_status(world->calls).calls > 0) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
}

static void one_worker_a_core_as_far_as_they_go(void **state)
{
    (void)state;
    assert_int_equal(ck_pool_workers(0, 8, 40000), 8);
    assert_int_equal(ck_pool_workers(0, 8, 0), 8);
    assert_int_equal(ck_pool_workers(3, 8, 40000), 3);
    assert_int_equal(ck_pool_workers(0, 256, 40000), CK_POOL_WORKERS_MAX);
    assert_int_equal(ck_pool_workers(0, 256, 0), CK_POOL_WORKERS_MAX);
    assert_int_equal(ck_pool_workers(0, 8, 65533), 3);
    assert_int_equal(ck_pool_workers(0, 8, 65535), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_a_core_as_far_as_they_go),
        cmocka_unit_test_setup_teardown(live_call_from_ring_to_end, setup, teardown),
        cmocka_unit_test_setup_teardown(recordings_end_where_the_disk_is_full_and_the_call_goes_on,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_task_waits_while_the_person_wants_privacy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(unattended_shows_each_challenge_and_records, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(worker_crash_asks_the_page_to_come_again, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_offer_is_answered_with_its_line, setup, teardown),
        cmocka_unit_test_setup_teardown(second_tab_replaces_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_join_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(page_that_returns_keeps_its_media, setup, teardown),
        cmocka_unit_test_setup_teardown(reloaded_page_finds_its_call_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_is_not_taken_from_who_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_that_ends_is_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(who_takes_and_goes_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(recording_that_never_began_is_over, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
