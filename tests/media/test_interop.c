/* Other people's WebRTC: aiortc and GStreamer's webrtcbin talk with the test client through
 * checkin-media. Each side decodes what the other sends. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/media/film.h"

#define PYTHON "/usr/bin/python3" /* Debian's, which sees Debian's modules */
#define TALK_MS 4000

/* A program that speaks lines of JSON. */
struct peer {
    struct ck_crowd *crowd;
    pid_t pid;
    int in;
    int out;
    char text[65536];
    size_t size;
    bool ended;
};

static void peer_ready(void *arg, uint32_t events)
{
    struct peer *peer = arg;
    (void)events;
    ssize_t size = read(peer->out, peer->text + peer->size, sizeof peer->text - 1 - peer->size);
    if (size <= 0) {
        peer->ended = true;
        ck_crowd_unwatch(peer->crowd, peer->out);
        return;
    }
    peer->size += (size_t)size;
    peer->text[peer->size] = '\0';
}

static void start_peer(struct peer *peer, struct ck_crowd *crowd, const char *script)
{
    int in[2];
    int out[2];
    char path[512];
    memset(peer, 0, sizeof *peer);
    snprintf(path, sizeof path, "%s/tests/media/%s", CK_SOURCE_DIR, script);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    peer->pid = fork();
    if (peer->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl(PYTHON, PYTHON, path, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    peer->crowd = crowd;
    peer->in = in[1];
    peer->out = out[0];
    assert_int_equal(ck_crowd_watch(crowd, peer->out, EPOLLIN, peer_ready, peer), 0);
}

static bool has_line(void *arg)
{
    const struct peer *peer = arg;
    return peer->ended || strchr(peer->text, '\n') != NULL;
}

/* The next line as JSON, or NULL. */
static json_t *next_line(struct peer *peer, int timeout_ms)
{
    json_error_t fault;
    ck_crowd_until(peer->crowd, has_line, peer, timeout_ms);
    char *end = strchr(peer->text, '\n');
    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    json_t *value = json_loads(peer->text, 0, &fault);
    peer->size -= (size_t)(end + 1 - peer->text);
    memmove(peer->text, end + 1, peer->size + 1);
    return value;
}

static void give_answer(const struct peer *peer, const struct ck_worker_text *answer)
{
    json_t *line = json_pack("{s:s%}", "answer", answer->data, answer->size);
    char *text = json_dumps(line, JSON_COMPACT);
    assert_non_null(text);
    assert_true(dprintf(peer->in, "%s\n", text) > 0);
    free(text);
    json_decref(line);
}

static void end_peer(struct peer *peer)
{
    int status;
    if (!peer->ended) {
        ck_crowd_unwatch(peer->crowd, peer->out);
    }
    close(peer->out);
    kill(peer->pid, SIGKILL);
    waitpid(peer->pid, &status, 0);
}

static int64_t number_of(const json_t *stats, const char *name)
{
    return json_integer_value(json_object_get(stats, name));
}

static void talk(const char *script)
{
    struct ck_rig *rig = NULL;
    struct peer peer;
    struct ck_film film;
    int status;
    assert_int_equal(ck_rig_start(NULL, &rig), 0);
    start_peer(&peer, ck_rig_crowd(rig), script);
    json_t *line = next_line(&peer, 20000);
    const char *offer = json_string_value(json_object_get(line, "offer"));
    assert_non_null(offer);
    uint64_t foreign = ck_rig_open_foreign(rig, 1, CK_WORKER_ROLE_PERSON, offer);
    json_decref(line);
    const struct ck_worker_message *answer =
        ck_rig_await(rig, CK_WORKER_LEG_ANSWER, foreign, 0, 1, 3000);
    assert_non_null(answer);
    give_answer(&peer, &answer->leg_answer.answer);
    uint64_t ours =
        ck_rig_open(rig, 1, CK_WORKER_ROLE_STAFF, &(struct ck_tclient_config){.unmarked = true});
    ck_rig_relay(rig, 1, true);
    if (ck_rig_await(rig, CK_WORKER_LEG_EVENT, foreign, CK_WORKER_EVENT_FIRST_KEY_FRAME, 1,
                     10000) == NULL) {
        ck_rig_describe(rig);
        fail_msg("%s: no picture", script);
    }
    assert_int_equal(ck_film_create(&film, foreign, 5, NULL), 0);
    ck_film_start(rig, &film);
    ck_rig_run(rig, TALK_MS);
    const struct ck_tclient_stats *stats = ck_rig_stats(rig, ours);
    assert_true(stats->account[0].packets > 100);
    assert_true(stats->account[1].packets > 50);
    assert_int_equal(stats->wrong_header, 0);
    assert_int_equal(stats->bad_tags, 0);
    close(peer.in);
    line = next_line(&peer, 10000);
    const json_t *theirs = json_object_get(line, "stats");
    char *text = json_dumps(theirs, JSON_COMPACT | JSON_ENCODE_ANY);
    print_message("%s: %s\n", script, text);
    free(text);
    assert_true(number_of(theirs, "sounds") > 100);
    assert_true(number_of(theirs, "frames") > 60);
    assert_int_equal(number_of(theirs, "width"), CK_CLIP_WIDTH);
    assert_int_equal(number_of(theirs, "height"), CK_CLIP_HEIGHT);
    json_decref(line);
    ck_film_stop(rig, &film);
    assert_non_null(ck_rig_await(rig, CK_WORKER_RECORD_CLOSED, foreign, 0, 1, 5000));
    struct ck_film_streams streams;
    assert_int_equal(ck_film_probe(&film, &streams), 0);
    print_message("%s: film of %.2f s, %u sounds, %u pictures\n", script, streams.duration_s,
                  streams.audio_packets, streams.video_packets);
    assert_true(streams.duration_s > 3);
    assert_true(streams.video_frames > 50 && streams.audio_packets > 100);
    assert_int_equal(streams.complaints, 0);
    ck_film_destroy(&film);
    end_peer(&peer);
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_int_equal(status, 0);
}

static void test_aiortc(void **state)
{
    (void)state;
    talk("peer_aiortc.py");
}

static void test_webrtcbin(void **state)
{
    (void)state;
    talk("peer_webrtcbin.py");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aiortc),
        cmocka_unit_test(test_webrtcbin),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
