/* Recordings that an earlier life left unfinished, found at the start: each gets its trailer and
 * plays, or the engine is told that it cannot be had, and none keeps the others from theirs. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <uv.h>

#include "daemon/call/call.h"
#include "daemon/recording/sealed_file.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "tests/unit/seal/sealed_file.h"

#define ROWS_MAX 8

struct told {
    char name[32];
    json_t *body;
};

struct world {
    uv_loop_t loop;
    struct ck_calls *calls;
    char dir[64];
    struct told told[ROWS_MAX];
    size_t count;
    json_t *list;
    bool stopped;
};

static const uint8_t master[CK_KEY_SIZE] = {7};
static const uint8_t other_master[CK_KEY_SIZE] = {8};
static const uint8_t nonce[CK_GCM_NONCE_SIZE] = {9};

static void submit(void *context, const char *name, const struct ck_actor *actor, json_t *body,
                   ck_call_done *done, void *cookie)
{
    struct world *world = context;
    assert_int_equal(actor->kind, CK_ACTOR_WORKER);
    assert_true(world->count < ROWS_MAX);
    struct told *told = &world->told[world->count++];
    snprintf(told->name, sizeof told->name, "%s", name);
    told->body = body;
    if (done != NULL) {
        done(cookie, &(struct ck_result){.code = 0});
    }
}

static void send_page(void *context, ck_call_page *page, json_t *message)
{
    (void)context;
    (void)page;
    json_decref(message);
}

static struct ck_wall now(void *context)
{
    (void)context;
    return (struct ck_wall){INT64_C(5000)};
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    uv_loop_init(&world->loop);
    strcpy(world->dir, "/tmp/test_recover_XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    world->list = json_array();
    struct ck_calls_options options = {
        .loop = &world->loop,
        .pool = {.program = CK_FAKE_MEDIA,
                 .workers = 1,
                 .config = {.legs_max = 4,
                            .handshakes_max = 4,
                            .recordings_max = 4,
                            .ring_bytes_max = 1 << 20,
                            .listen_v4 = {.family = 4, .bytes = {127, 0, 0, 1}}}},
        .render_program = "/usr/bin/true",
        .recording_dir = world->dir,
        .video_bitrate_max = 1000000,
        .master_key = master,
    };
    struct ck_call_ports ports = {
        .context = world, .submit = submit, .send = send_page, .now = now};
    assert_int_equal(ck_calls_create(&options, &ports, &world->calls), 0);
    *state = world;
    return 0;
}

static void on_stopped(void *context)
{
    ((struct world *)context)->stopped = true;
}

/* Stopping waits for what the thread pool still does, so all has been told afterwards. */
static void stop(struct world *world)
{
    ck_calls_stop(world->calls, on_stopped, world);
    while (!world->stopped) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

static int teardown(void **state)
{
    struct world *world = *state;
    char command[128];
    if (!world->stopped) {
        stop(world);
    }
    for (size_t i = 0; i < world->count; i++) {
        json_decref(world->told[i].body);
    }
    snprintf(command, sizeof command, "rm -r %s", world->dir);
    int status = system(command);
    free(world);
    return status;
}

static void add_row(struct world *world, uint64_t recording, const char *file, const uint8_t *under)
{
    uint8_t wrapped[CK_SEAL_WRAPPED_SIZE];
    char hex[CK_HEX_SIZE(sizeof wrapped)];
    assert_int_equal(ck_seal_wrap(under, recording, nonce, test_key, wrapped), 0);
    ck_hex_encode(wrapped, sizeof wrapped, hex);
    json_array_append_new(world->list, json_pack("{s:I, s:s, s:s}", "id", (json_int_t)recording,
                                                 "file", file, "wrapped", hex));
}

/* The recording as it would have become, without its last `cut` bytes. */
static void leave_file(struct world *world, uint64_t recording, bool trailer, size_t cut)
{
    struct sealed_file file;
    char name[32];
    char path[128];
    sealed_file_make(&file, recording, test_key, trailer);
    snprintf(name, sizeof name, "r%llu", (unsigned long long)recording);
    snprintf(path, sizeof path, "%s/%s", world->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.bytes, file.size - cut), file.size - cut);
    close(fd);
    sealed_file_free(&file);
    add_row(world, recording, name, master);
}

static const json_t *told_of(const struct world *world, const char *name, uint64_t recording)
{
    for (size_t i = 0; i < world->count; i++) {
        const json_t *body = world->told[i].body;
        if (strcmp(world->told[i].name, name) == 0 &&
            json_integer_value(json_object_get(body, "recording")) == (json_int_t)recording) {
            return body;
        }
    }
    return NULL;
}

static void recover_all(struct world *world)
{
    ck_calls_recover(world->calls, world->list);
    world->list = NULL;
    stop(world);
}

static int64_t number(const json_t *body, const char *name)
{
    return json_integer_value(json_object_get(body, name));
}

static void assert_plays(const struct world *world, uint64_t recording, int64_t duration_ms)
{
    struct ck_sealed_file file;
    struct ck_seal_source source;
    struct ck_seal *seal = NULL;
    char path[128];
    snprintf(path, sizeof path, "%s/r%llu", world->dir, (unsigned long long)recording);
    assert_int_equal(ck_sealed_file_open(&file, path, O_RDONLY, &source), 0);
    assert_int_equal(ck_seal_open(&seal, &source, test_key, recording), 0);
    assert_true(ck_seal_info(seal)->recovered);
    assert_int_equal(ck_seal_info(seal)->duration_ms, duration_ms);
    ck_seal_close(seal);
    ck_sealed_file_close(&file);
}

/* Milliseconds that the file itself says are missing. */
static int64_t gaps_in(const struct world *world, uint64_t recording)
{
    struct ck_sealed_file file;
    struct ck_seal_source source;
    struct ck_seal *seal = NULL;
    char path[128];
    size_t count = 0;
    int64_t sum_ms = 0;
    snprintf(path, sizeof path, "%s/r%llu", world->dir, (unsigned long long)recording);
    assert_int_equal(ck_sealed_file_open(&file, path, O_RDONLY, &source), 0);
    assert_int_equal(ck_seal_open(&seal, &source, test_key, recording), 0);
    const struct ck_seal_mark *marks = ck_seal_marks(seal, &count);
    for (size_t i = 0; i < count; i++) {
        if (marks[i].kind == CK_SEAL_MARK_GAP || marks[i].kind == CK_SEAL_MARK_PAUSE) {
            sum_ms += marks[i].until_ms - marks[i].from_ms;
        }
    }
    assert_true(sum_ms > 0);
    ck_seal_close(seal);
    ck_sealed_file_close(&file);
    return sum_ms;
}

static void unfinished_files_are_recovered_at_start(void **state)
{
    struct world *world = *state;
    leave_file(world, 1, false, 0);  /* killed between two chunks */
    leave_file(world, 2, false, 40); /* the last chunk is torn */
    leave_file(world, 3, true, 0);   /* whole: only the daemon had not heard of it any more */
    leave_file(world, 4, true, 5);   /* the trailer is torn */
    recover_all(world);
    assert_int_equal(world->count, 4);

    const json_t *body = told_of(world, "recording.recovered", 1);
    assert_non_null(body);
    assert_int_equal(number(body, "lost_bytes"), 0);
    assert_false(json_is_true(json_object_get(body, "was_whole")));
    assert_int_equal(strlen(json_string_value(json_object_get(body, "head"))), 64);
    int64_t whole_ms = number(body, "duration_ms");
    assert_true(json_is_integer(json_object_get(body, "gaps")));
    assert_int_equal(number(body, "gap_ms"), gaps_in(world, 1));
    assert_true(whole_ms > 0);
    assert_plays(world, 1, whole_ms);

    body = told_of(world, "recording.recovered", 2);
    assert_non_null(body);
    assert_true(number(body, "lost_bytes") > 0);
    assert_int_equal(number(body, "duration_ms"), whole_ms - TEST_CHUNK_MS);
    assert_plays(world, 2, whole_ms - TEST_CHUNK_MS);

    body = told_of(world, "recording.recovered", 3);
    assert_non_null(body);
    assert_true(json_is_true(json_object_get(body, "was_whole")));

    body = told_of(world, "recording.recovered", 4);
    assert_non_null(body);
    assert_false(json_is_true(json_object_get(body, "was_whole")));
    assert_int_equal(number(body, "duration_ms"), whole_ms);
    assert_plays(world, 4, whole_ms);
}

static void a_file_that_cannot_be_had_stops_no_other(void **state)
{
    struct world *world = *state;
    char path[128];
    add_row(world, 1, "r1", master); /* the file is gone */
    snprintf(path, sizeof path, "%s/r2", world->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* nothing was written yet */
    assert_true(fd >= 0);
    close(fd);
    add_row(world, 2, "r2", master);
    add_row(world, 3, "../../etc/passwd", master);
    add_row(world, 4, "r4", other_master);
    json_array_append_new(world->list, json_pack("{s:i}", "id", 5));
    leave_file(world, 6, false, 0);
    recover_all(world);

    assert_non_null(told_of(world, "recording.failed", 1));
    assert_int_equal(number(told_of(world, "recording.failed", 1), "error"), ENOENT);
    assert_non_null(told_of(world, "recording.failed", 2));
    assert_non_null(told_of(world, "recording.recovered", 6));
    /* What has no key or no file name of ours is left as it is: the store may be of a backup. */
    assert_int_equal(world->count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unfinished_files_are_recovered_at_start, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_had_stops_no_other, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
