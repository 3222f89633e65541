/* checkinctl plan: what a plan will do, and that a draw was nobody's choice; without the daemon. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "daemon/audit/draw_proof.h"
#include "daemon/core/plan_preview.h"
#include "daemon/core/zones.h"
#include "daemon/ctl/checkinctl_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

static struct ck_wall now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (struct ck_wall){(int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000};
}

static void print_windows(const json_t *ahead)
{
    size_t index;
    json_t *window;
    printf("plan %" JSON_INTEGER_FORMAT ", %s, times in UTC (the unit is in %s)\n",
           json_integer_value(json_object_get(ahead, "plan")),
           json_string_value(json_object_get(ahead, "state")),
           json_string_value(json_object_get(ahead, "zone")));
    json_array_foreach(json_object_get(ahead, "windows"), index, window)
    {
        int draws = (int)json_integer_value(json_object_get(window, "draws"));
        printf("%s  %s to %s  ", json_string_value(json_object_get(window, "date")),
               json_string_value(json_object_get(window, "start")),
               json_string_value(json_object_get(window, "end")));
        printf(draws == 0 ? "at its start\n" : "%d drawn\n", draws);
    }
}

static int preview(struct ck_store *store, const struct ck_ctl *ctl, int64_t plan)
{
    json_t *ahead = NULL;
    int error = ck_plan_ahead(store, CK_ZONE_DIR, plan, now(), &ahead);
    if (error != 0) {
        fprintf(stderr, "checkinctl: plan %" PRId64 ": %s\n", plan,
                error == CK_E_NOT_FOUND ? "there is none" : ck_error_text(error));
        return EXIT_FAILURE;
    }
    if (ctl->json) {
        ck_ctl_print(ahead, true);
    } else {
        print_windows(ahead);
    }
    json_decref(ahead);
    return EXIT_SUCCESS;
}

static int prove(struct ck_store *store, const struct ck_ctl *ctl, int64_t checkin)
{
    struct ck_draw_proof proof;
    char due[CK_WALL_TEXT_SIZE] = "";
    int error = ck_draw_prove_checkin(store, checkin, &proof);
    if (error < 0) {
        fprintf(stderr, "checkinctl: the log cannot be read: %s\n", ck_error_text(error));
        return EX_IOERR;
    }
    if (proof.due.ms != 0) {
        ck_wall_text(proof.due, due);
        (void)ck_ctl_tell(ctl, "log.proved",
                          json_pack("{s:I}", "entry", (json_int_t)proof.planned));
    }
    if (ctl->json) {
        json_t *object =
            json_pack("{s:b, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "proven", error == 0,
                      "checkin", (json_int_t)checkin, "due", due, "seconds",
                      (json_int_t)proof.seconds, "epoch", (json_int_t)proof.epoch, "committed",
                      (json_int_t)proof.committed, "planned", (json_int_t)proof.planned, "revealed",
                      (json_int_t)proof.revealed, "fault", proof.fault);
        ck_ctl_print(object, true);
        json_decref(object);
    } else if (error == 0) {
        printf("proven: check-in %" PRId64 " was drawn for %s, out of %" PRId64 " seconds.\n"
               "The key of epoch %" PRId64 " was committed to in entry %" PRId64
               ", the draw is entry %" PRId64 ", the key was revealed in entry %" PRId64 ".\n",
               checkin, due, proof.seconds, proof.epoch, proof.committed, proof.planned,
               proof.revealed);
    } else {
        printf("%s: check-in %" PRId64 ": %s\n", error == CK_E_AUTH ? "NOT TRUE" : "not provable",
               checkin, proof.fault);
    }
    return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int ck_ctl_plan(const struct ck_ctl *ctl, int count, char **words)
{
    if (count != 2 || (strcmp(words[0], "preview") != 0 && strcmp(words[0], "prove") != 0)) {
        return EX_USAGE;
    }
    char *end;
    errno = 0;
    long long id = strtoll(words[1], &end, 10);
    if (errno != 0 || *end != '\0' || id < 1) {
        fprintf(stderr, "checkinctl: '%s' is not an id\n", words[1]);
        return EX_USAGE;
    }
    ck_cleanup(ck_store_closep) struct ck_store *store = NULL;
    int error = ck_store_open_reader(&store, ctl->store);
    if (error != 0) {
        fprintf(stderr, "checkinctl: %s: %s\n", ctl->store,
                error == CK_E_CONFLICT ? "was written by another version" : ck_error_text(error));
        return EX_NOINPUT;
    }
    return strcmp(words[0], "preview") == 0 ? preview(store, ctl, id) : prove(store, ctl, id);
}
