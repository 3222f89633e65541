/* The call manager with real media workers and native clients that behave as the pages do: what a
 * worker's end means for the calls on it. A crash costs two seconds, a hang the five of its silence
 * and two more; a leg that was there at two crashes is refused as our fault; a drained worker keeps
 * its calls and gets no more. */
#include <arpa/inet.h>
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
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
#include "tests/client/client.h"

#define WORKERS 2
#define PARTIES_MAX 8
#define BACK_MS 2000   /* from the end of a worker to media at both legs again */
#define START_MS 10000 /* patience for what should be there at once */

/* A page: a person's (even) or an inspector's (odd), with its connection. */
struct party {
    struct world *world;
    unsigned index;
    int64_t checkin;
    int64_t generation;
    struct ck_tclient *client;
    int reconnects;
    int64_t away_ms; /* when it was last told that the other side is away; 0: never */
    char error[32];  /* code of the last one */
};

struct world {
    uv_loop_t loop;
    struct ck_calls *calls;
    struct ck_crowd *crowd;
    struct ck_identity *identity;
    struct ck_clip *clip;
    char folder[64];
    struct party party[PARTIES_MAX];
    unsigned parties;
    unsigned past; /* of them, whose calls are no longer looked at */
    int64_t recordings;
    unsigned faults; /* "worker_lost", told to the engine */
    unsigned relay_faults, signalling_faults;
    bool stopped;
};

static int64_t ms_of(const struct world *world)
{
    return ck_crowd_now(world->crowd).us / 1000;
}

static bool is_staff(const struct party *party)
{
    return party->index % 2 == 1;
}

/* --- the ports of the call manager ------------------------------------------------------------
 */

static void submit(void *context, const char *name, const struct ck_actor *actor, json_t *body,
                   ck_call_done *done, void *cookie)
{
    struct world *world = context;
    struct ck_result result = {.code = 0};
    const char *fault = json_string_value(json_object_get(body, "fault"));
    (void)actor;
    if (strcmp(name, "checkin.fault") == 0) {
        world->faults += strcmp(fault, "worker_lost") == 0;
        world->relay_faults += strcmp(fault, "relay") == 0;
        world->signalling_faults += strcmp(fault, "signalling") == 0;
    }
    if (strcmp(name, "recording.begin") == 0) {
        char file[32];
        snprintf(file, sizeof file, "r%lld", (long long)++world->recordings);
        result.body =
            json_pack("{s:I, s:s, s:s, s:s}", "recording", (json_int_t)world->recordings, "key",
                      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "file",
                      file, "context", "c");
    } else {
        result.body = json_pack("{s:s, s:s}", "waiting_since", "2026-11-21T14:02:05.000Z", "with",
                                "Inspector");
    }
    if (done != NULL) {
        done(cookie, &result);
    }
    json_decref(result.body);
    json_decref(body);
}

static struct ck_wall now(void *context)
{
    (void)context;
    return (struct ck_wall){INT64_C(1795867200000)};
}

/* Makes a connection of the next generation and offers it, as a page does. */
static void offer(struct party *party)
{
    struct world *world = party->world;
    struct ck_tclient_config config = {.crowd = world->crowd,
                                       .identity = world->identity,
                                       .clip = world->clip,
                                       .call = (uint32_t)party->checkin,
                                       .leg = party->index % 2,
                                       .seed = (uint64_t)party->index << 8 ^
                                               (uint64_t)++party->generation};
    ck_tclient_destroy(party->client);
    assert_int_equal(ck_tclient_create(&config, &party->client), 0);
    ck_calls_offer(world->calls, party, is_staff(party) ? CK_CALL_STAFF : CK_CALL_PERSON,
                   party->checkin, party->generation, false, ck_tclient_offer(party->client), 0);
}

static void to_page(void *context, ck_call_page *page, json_t *message)
{
    struct party *party = page;
    const char *kind = json_string_value(json_object_get(message, "t"));
    const char *sdp = json_string_value(json_object_get(message, "sdp"));
    char why[160];
    (void)context;
    if (strcmp(kind, "answer") == 0) {
        assert_int_equal(ck_tclient_answer(party->client, sdp, strlen(sdp), why), 0);
    } else if (strcmp(kind, "reconnect") == 0) {
        party->reconnects++;
    } else if (strcmp(kind, "peer") == 0) {
        const char *peer = json_string_value(json_object_get(message, "state"));
        party->away_ms = strcmp(peer, "away") == 0 ? ms_of(party->world) : party->away_ms;
    } else if (strcmp(kind, "error") == 0) {
        snprintf(party->error, sizeof party->error, "%s",
                 json_string_value(json_object_get(message, "code")));
    }
    json_decref(message);
}

/* --- the world --------------------------------------------------------------------------------
 */

/* Both loops for a moment. */
static void turn(struct world *world)
{
    uv_run(&world->loop, UV_RUN_NOWAIT);
    ck_crowd_until(world->crowd, NULL, NULL, 2);
}

/* Turns until `done`; the milliseconds it took. */
static int64_t until_at(struct world *world, bool (*done)(struct world *world), int64_t limit_ms,
                        const char *what, int line)
{
    int64_t from = ms_of(world);
    while (!done(world)) {
        turn(world);
        if (ms_of(world) - from >= limit_ms) {
            fail_msg("line %d: %s not within %lld ms", line, what, (long long)limit_ms);
        }
    }
    return ms_of(world) - from;
}
#define until(world, done, limit_ms) until_at(world, done, limit_ms, #done, __LINE__)

static bool is_ready(struct world *world)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        if (!ck_pool_status(ck_calls_pool(world->calls), i).ready) {
            return false;
        }
    }
    return true;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    static const uint8_t master[CK_KEY_SIZE] = {1};
    uv_loop_init(&world->loop);
    snprintf(world->folder, sizeof world->folder, "/tmp/test-pool-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    assert_int_equal(ck_crowd_create(&world->crowd), 0);
    assert_int_equal(ck_identity_create(&world->identity), 0);
    assert_int_equal(ck_clip_create(440, 90, &world->clip), 0);
    struct ck_calls_options options = {
        .loop = &world->loop,
        .pool = {.program = CK_MEDIA_PROGRAM,
                 .workers = WORKERS,
                 .config = {.log_level = CK_WORKER_LOG_WARNING,
                            .legs_max = 16,
                            .handshakes_max = 16,
                            .recordings_max = 16,
                            .ring_bytes_max = 1 << 20,
                            .listen_v4 = {.family = 4, .bytes = {127, 0, 0, 1}}}},
        .render_program = CK_RENDER_PROGRAM,
        .recording_dir = world->folder,
        .video_bitrate_max = 1000000,
        .master_key = master,
    };
    const struct ck_call_ports ports = {world, submit, to_page, now};
    assert_int_equal(ck_calls_create(&options, &ports, &world->calls), 0);
    until(world, is_ready, START_MS);
    *state = world;
    return 0;
}

static void on_stopped(void *context)
{
    ((struct world *)context)->stopped = true;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    char command[96];
    ck_calls_stop(world->calls, on_stopped, world);
    while (!world->stopped) {
        turn(world);
    }
    for (int i = 0; i < 5; i++) {
        uv_run(&world->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(uv_loop_close(&world->loop), 0);
    for (unsigned i = 0; i < world->parties; i++) {
        ck_tclient_destroy(world->party[i].client);
    }
    ck_clip_destroy(world->clip);
    ck_identity_destroy(world->identity);
    ck_crowd_destroy(world->crowd);
    snprintf(command, sizeof command, "rm -r %s", world->folder);
    assert_int_equal(system(command), 0);
    free(world);
    return 0;
}

static struct party *new_party(struct world *world, int64_t checkin)
{
    struct party *party = &world->party[world->parties];
    *party = (struct party){.world = world, .index = world->parties++, .checkin = checkin};
    return party;
}

/* Both sides of a check-in join and offer. */
static void begin_call(struct world *world, int64_t checkin)
{
    struct party *person = new_party(world, checkin);
    struct party *staff = new_party(world, checkin);
    static const struct ck_call_proof no_proof;
    struct ck_actor person_actor = {.kind = CK_ACTOR_PERSON, .checkin_id = checkin};
    struct ck_actor staff_actor = {.kind = CK_ACTOR_STAFF, .staff_id = checkin};
    ck_calls_join(world->calls, person, &person_actor, "phone", &no_proof, 0, 1);
    offer(person);
    ck_calls_take(world->calls, staff, &staff_actor, checkin, 0, 1);
    offer(staff);
}

static bool media_flows(struct world *world)
{
    for (unsigned i = world->past; i < world->parties; i++) {
        const struct ck_tclient_stats *stats = ck_tclient_stats(world->party[i].client);
        if (!stats->account[0].any || stats->key_frames == 0) {
            return false;
        }
    }
    return true;
}

/* The worker that carries a call: the one with legs. */
static bool counts_are_in(struct world *world)
{
    unsigned legs = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        legs += ck_pool_status(ck_calls_pool(world->calls), i).heartbeat.legs;
    }
    return legs == world->parties;
}

static unsigned legs_of(struct world *world, unsigned worker)
{
    return ck_pool_status(ck_calls_pool(world->calls), worker).heartbeat.legs;
}

static unsigned worker_with_legs(struct world *world)
{
    until(world, counts_are_in, 5000);
    return legs_of(world, 0) > 0 ? 0 : 1;
}

static bool all_reconnect(struct world *world)
{
    for (unsigned i = 0; i < world->parties; i++) {
        if (world->party[i].reconnects == 0) {
            return false;
        }
    }
    return true;
}

/* Pages are asked to come again, and do; how long it takes until both hear and see again. */
static int64_t come_back(struct world *world, int64_t limit_ms)
{
    int64_t took = until(world, all_reconnect, limit_ms);
    for (unsigned i = 0; i < world->parties; i++) {
        world->party[i].reconnects = 0;
        offer(&world->party[i]);
    }
    return took + until(world, media_flows, START_MS);
}

/* --- what the kernel says of the processes ----------------------------------------------------
 */

/* The number behind `field` in the file below /proc; -1 where it is not there. */
static long long number_in(const char *file, const char *field)
{
    char path[300];
    char line[256];
    long long number = -1;
    snprintf(path, sizeof path, "/proc/%s", file);
    FILE *status = fopen(path, "re");
    while (status != NULL && number < 0 && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            number = strtoll(line + strlen(field), NULL, 10);
        }
    }
    if (status != NULL) {
        fclose(status);
    }
    return number;
}

/* How many threads of a process are behind a filter of system calls (mode 2) and may gain no
 * rights; -1 where one is not, or the process may leave its memory in a file. */
static int caged_threads(const char *pid)
{
    char path[300];
    int count = 0;
    snprintf(path, sizeof path, "%s/limits", pid);
    bool caged = number_in(path, "Max core file size") == 0;
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/task/%.16s/status", pid, entry->d_name);
            caged =
                caged && number_in(path, "Seccomp:") == 2 && number_in(path, "NoNewPrivs:") == 1;
            count++;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return caged ? count : -1;
}

/* All that we have started, the workers and the process of pictures, are in their cages. */
static bool all_are_caged(struct world *world)
{
    int caged = 0;
    int ours = 0;
    (void)world;
    DIR *folder = opendir("/proc");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[300];
        snprintf(path, sizeof path, "%.16s/status", entry->d_name);
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            number_in(path, "PPid:") == getpid()) {
            ours++;
            caged += caged_threads(entry->d_name) > 0;
        }
    }
    closedir(folder);
    return ours == WORKERS + 1 && caged == ours;
}

/* --- the tests --------------------------------------------------------------------------------
 */

static void every_process_is_in_its_cage(void **state)
{
    struct world *world = *state;
    begin_call(world, 7);
    until(world, media_flows, START_MS);
    until(world, all_are_caged, START_MS);
}

static void a_crash_costs_two_seconds(void **state)
{
    struct world *world = *state;
    begin_call(world, 7);
    until(world, media_flows, START_MS);
    unsigned worker = worker_with_legs(world);
    kill(ck_pool_status(ck_calls_pool(world->calls), worker).pid, SIGSEGV);
    int64_t took = come_back(world, BACK_MS);
    print_message("back after %lld ms\n", (long long)took);
    assert_true(took < BACK_MS);
    assert_int_equal(world->faults, 1);
}

static void a_hang_is_ended_after_its_silence(void **state)
{
    struct world *world = *state;
    begin_call(world, 7);
    until(world, media_flows, START_MS);
    unsigned worker = worker_with_legs(world);
    pid_t pid = ck_pool_status(ck_calls_pool(world->calls), worker).pid;
    kill(pid, SIGSTOP);
    int64_t took = come_back(world, CK_POOL_SILENCE_MS + BACK_MS);
    print_message("back after %lld ms\n", (long long)took);
    assert_true(took < CK_POOL_SILENCE_MS + BACK_MS);
    assert_int_not_equal(ck_pool_status(ck_calls_pool(world->calls), worker).pid, pid);
}

static void a_leg_present_at_two_crashes_is_refused_as_our_fault(void **state)
{
    struct world *world = *state;
    begin_call(world, 7);
    until(world, media_flows, START_MS);
    for (unsigned crash = 0; crash < CK_CALL_CRASHES_MAX; crash++) {
        kill(ck_pool_status(ck_calls_pool(world->calls), worker_with_legs(world)).pid, SIGSEGV);
        if (crash + 1 < CK_CALL_CRASHES_MAX) {
            come_back(world, BACK_MS);
        }
    }
    until(world, all_reconnect, BACK_MS);
    assert_int_equal(world->faults, CK_CALL_CRASHES_MAX);
    offer(&world->party[0]);
    offer(&world->party[1]);
    assert_string_equal(world->party[0].error, "unavailable");
    assert_string_equal(world->party[1].error, "unavailable");
    assert_int_equal(world->faults, CK_CALL_CRASHES_MAX + 1); /* media had cured the ones before */
    until(world, is_ready, START_MS);
    world->past = world->parties;
    begin_call(world, 8); /* and others are served */
    until(world, media_flows, START_MS);
}

static void calls_go_to_the_least_loaded_worker(void **state)
{
    struct world *world = *state;
    begin_call(world, 7);
    begin_call(world, 8);
    until(world, media_flows, START_MS);
    until(world, counts_are_in, 5000);
    assert_int_equal(legs_of(world, 0), 2);
    assert_int_equal(legs_of(world, 1), 2);
}

static bool drained_one_is_new(struct world *world)
{
    const struct ck_pool_status status = ck_pool_status(ck_calls_pool(world->calls), 0);
    return status.ready && status.restarts > 0;
}

static bool all_gone(struct world *world)
{
    return ck_calls_status(world->calls).calls == 0;
}

static void a_drained_worker_keeps_its_calls_and_gets_no_more(void **state)
{
    struct world *world = *state;
    begin_call(world, 7);
    until(world, media_flows, START_MS);
    unsigned worker = worker_with_legs(world);
    assert_int_equal(worker, 0);
    assert_int_equal(ck_calls_drain(world->calls, WORKERS), CK_E_NOT_FOUND);
    assert_int_equal(ck_calls_drain(world->calls, worker), 0);
    assert_int_equal(ck_calls_drain(world->calls, worker), CK_E_CONFLICT);
    begin_call(world, 8);
    begin_call(world, 9);
    until(world, media_flows, START_MS);
    until(world, counts_are_in, 5000);
    assert_int_equal(legs_of(world, 0), 2);
    assert_int_equal(legs_of(world, 1), 4);
    offer(&world->party[1]); /* the inspector reloads the page: the call is still welcome there */
    until(world, media_flows, START_MS);
    assert_int_equal(world->party[0].reconnects, 0);
    ck_calls_end(world->calls, &world->party[1], 7, 3);
    until(world, drained_one_is_new, START_MS);
    assert_true(ck_calls_status(world->calls).room);
    ck_calls_end(world->calls, &world->party[3], 8, 3);
    ck_calls_end(world->calls, &world->party[5], 9, 3);
    until(world, all_gone, START_MS);
}

static bool person_reconnects(struct world *world)
{
    return world->party[0].reconnects > 0;
}

static void who_comes_while_the_relay_is_dead_is_touched_by_our_fault(void **state)
{
    struct world *world = *state;
    ck_calls_trouble(world->calls, false, true);
    begin_call(world, 7);
    assert_int_equal(world->relay_faults, 1); /* once: the inspector is no person */
    until(world, media_flows, START_MS);
    ck_calls_trouble(world->calls, false, false);
    begin_call(world, 8);
    assert_int_equal(world->relay_faults, 1);
    assert_int_equal(world->signalling_faults, 0);
}

static bool inspector_is_told(struct world *world)
{
    return world->party[1].away_ms > 0;
}

/* Whoever is not heard of is away after 15 s, which the inspector is told, and gone after 30 s; the
 * last check was up to two seconds before. */
static void who_loses_media_while_the_relay_is_dead_is_touched_by_our_fault(void **state)
{
    struct world *world = *state;
    begin_call(world, 7);
    until(world, media_flows, START_MS);
    assert_int_equal(world->relay_faults, 0);
    ck_calls_trouble(world->calls, false, true);
    ck_tclient_destroy(world->party[0].client); /* without a good-bye */
    world->party[0].client = NULL;
    int64_t away_ms = until(world, inspector_is_told, 20000);
    int64_t gone_ms = away_ms + until(world, person_reconnects, 20000);
    print_message("away after %lld ms, gone after %lld ms\n", (long long)away_ms,
                  (long long)gone_ms);
    assert_in_range(away_ms, 12800, 16000);
    assert_in_range(gone_ms, 27800, 31000);
    assert_int_equal(world->relay_faults, 1);
}

static void a_page_that_goes_while_ours_do_not_answer_is_our_fault(void **state)
{
    struct world *world = *state;
    begin_call(world, 7);
    begin_call(world, 8);
    until(world, media_flows, START_MS);
    ck_calls_page_closed(world->calls, &world->party[0]);
    assert_int_equal(world->signalling_faults, 0); /* its own doing, as far as we know */
    ck_calls_trouble(world->calls, true, false);
    ck_calls_page_closed(world->calls, &world->party[3]);
    assert_int_equal(world->signalling_faults, 0); /* an inspector's */
    ck_calls_page_closed(world->calls, &world->party[2]);
    assert_int_equal(world->signalling_faults, 1);
    assert_int_equal(world->relay_faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_process_is_in_its_cage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_crash_costs_two_seconds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hang_is_ended_after_its_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_leg_present_at_two_crashes_is_refused_as_our_fault,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_comes_while_the_relay_is_dead_is_touched_by_our_fault,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            who_loses_media_while_the_relay_is_dead_is_touched_by_our_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_that_goes_while_ours_do_not_answer_is_our_fault,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(calls_go_to_the_least_loaded_worker, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_drained_worker_keeps_its_calls_and_gets_no_more, set_up,
                                        tear_down),
    };
    cmocka_set_test_filter(getenv("CK_TEST")); /* a pattern of names; unset: all */
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
