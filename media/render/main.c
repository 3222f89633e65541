/* checkin-render --control-fd=N: started by checkind only. See protocol/render.md. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/render/answer.h"
#include "media/render/cage.h"
#include "media/render/control.h"
#include "media/render/export.h"
#include "media/render/library.h"
#include "media/render/measures.h"
#include "media/render/paper.h"
#include "media/render/thumbnail.h"
#include "protocol/base/error.h"

#define OPTION "--control-fd="
#define LOG_ERROR "<3>" /* the journal's priorities, as sd-daemon(3) writes them */

static int complain(int status, const char *what, const char *why)
{
    fprintf(stderr, LOG_ERROR "checkin-render: %s: %s\n", what, why);
    return status;
}

/* The descriptor of the command line; -1 where it is not exactly one number. */
static int control_fd(int count, char **arguments)
{
    if (count != 2 || strncmp(arguments[1], OPTION, strlen(OPTION)) != 0) {
        return -1;
    }
    const char *number = arguments[1] + strlen(OPTION);
    char *end = NULL;
    errno = 0;
    long fd = strtol(number, &end, 10);
    return errno != 0 || end == number || *end != '\0' || fd < 0 || fd > INT_MAX ? -1 : (int)fd;
}

/* Everything that needs files, then the cage. The trials in between start the threads and load what
 * loads late. */
static int prepare(char *library, size_t size)
{
    struct ck_render_answer answer = {0};
    int r = ck_render_load(library, size);
    r = r == 0 ? ck_paper_load(library, size) : r;
    if (r != 0) {
        return complain(CK_RENDER_EXIT_LIBRARY, "library", library);
    }
    r = ck_cage_restrict();
    if (r != 0) {
        return complain(CK_RENDER_EXIT_SANDBOX, "sandbox", ck_error_text(r));
    }
    r = ck_cage_close();
    if (r != 0) {
        return complain(CK_RENDER_EXIT_SANDBOX, "system-call filter", ck_error_text(r));
    }
    if (ck_thumbnail_try(&answer) != 0) {
        return complain(CK_RENDER_EXIT_LIBRARY, "trial", answer.text);
    }
    return CK_RENDER_EXIT_OK;
}

static void do_job(const struct ck_render_message *job, const int fds[static CK_RENDER_FDS_MAX],
                   struct ck_render_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    switch (job->kind) {
    case CK_RENDER_THUMBNAIL:
        ck_thumbnail_run(job, fds[0], fds[1], answer);
        break;
    case CK_RENDER_MEASURES:
        ck_measures_run(fds[0], answer);
        break;
    case CK_RENDER_EXPORT:
        ck_export_run(job, fds, fds[job->export.count], answer);
        break;
    case CK_RENDER_PAPER:
        ck_paper_run(fds[0], fds[1], answer);
        break;
    default:
        ck_render_fail(answer, CK_RENDER_FAULT_INTERNAL, "job %u is not known here", job->kind);
        break;
    }
    answer->message.job = job->job;
}

static int serve(int control)
{
    static uint8_t bytes[CK_RENDER_MESSAGE_MAX];
    static struct ck_render_message job;
    static struct ck_render_answer answer;
    for (;;) {
        int fds[CK_RENDER_FDS_MAX];
        int r = ck_control_receive(control, bytes, &job, fds);
        if (r == CK_E_NOT_FOUND) {
            return CK_RENDER_EXIT_OK;
        }
        if (r != 0) {
            return complain(r < 0 ? CK_RENDER_EXIT_INTERNAL : CK_RENDER_EXIT_PROTOCOL,
                            "control message", ck_error_text(r));
        }
        do_job(&job, fds, &answer);
        for (size_t i = 0; i < ck_render_fds(&job); i++) {
            close(fds[i]);
        }
        r = ck_control_send(control, &answer.message);
        if (answer.message.kind == CK_RENDER_FAILED &&
            answer.message.failed.fault == CK_RENDER_FAULT_TIMEOUT) {
            return complain(CK_RENDER_EXIT_STUCK, "job", answer.text);
        }
        if (r != 0) {
            return r == -EPIPE ? CK_RENDER_EXIT_OK
                               : complain(CK_RENDER_EXIT_INTERNAL, "answer", ck_error_text(r));
        }
    }
}

int main(int count, char **arguments)
{
    char library[CK_RENDER_TEXT_MAX];
    int control = control_fd(count, arguments);
    int r = control < 0 ? -EINVAL : ck_control_check(control);
    if (r != 0) {
        return complain(CK_RENDER_EXIT_USAGE, OPTION "N wants a SOCK_SEQPACKET socket",
                        ck_error_text(r));
    }
    int status = prepare(library, sizeof library);
    if (status != CK_RENDER_EXIT_OK) {
        return status;
    }
    struct ck_render_message ready = {
        .kind = CK_RENDER_READY,
        .ready = {.version = CK_RENDER_VERSION, .library = ck_render_text_of(library)},
    };
    r = ck_control_send(control, &ready);
    if (r != 0) {
        return complain(CK_RENDER_EXIT_INTERNAL, "ready", ck_error_text(r));
    }
    /* Without waiting for threads of a job that is stuck. */
    _exit(serve(control));
}
