/* The document of a report as checkin-render draws it, inside its cage: what other programs read in
 * the PDF, and what becomes of a document that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "protocol/paper.h"
#include "tests/unit/render/rendering.h"

static struct rendering rendering;
static char *paper;
static size_t paper_size;
static FILE *out;

static int setup(void **state)
{
    (void)state;
    rendering_start(&rendering);
    return 0;
}

/* It is alive after all that was given to it. */
static int teardown(void **state)
{
    (void)state;
    free(paper);
    paper = NULL;
    return rendering_stop(&rendering) == 0 ? 0 : -1;
}

static void begin(void)
{
    free(paper);
    paper = NULL;
    out = open_memstream(&paper, &paper_size);
    ck_paper_head(out, &(struct ck_paper_about){
                           "kk", "Бейнебайланыс туралы есеп", "Қ-1", {INT64_C(1795233600000)}});
}

static struct ck_render_message draw(const void *bytes, size_t size, int *fd)
{
    const struct ck_render_message job = {.kind = CK_RENDER_PAPER, .job = 7};
    struct ck_render_message answer;
    int fds[2] = {rendering_file(bytes, size), rendering_file("", 0)};
    rendering_order(&rendering, &job, fds);
    assert_true(rendering_answer(&rendering, &answer));
    assert_int_equal(answer.job, 7);
    close(fds[0]);
    *fd = fds[1];
    return answer;
}

/* What pdftotext reads; the caller frees. */
static char *text_of(int fd)
{
    char command[120], *text = NULL;
    size_t size = 0;
    snprintf(command, sizeof command, "pdftotext -raw /proc/%d/fd/%d -", (int)getpid(), fd);
    FILE *from = popen(command, "r"), *to = open_memstream(&text, &size);
    for (int c; (c = fgetc(from)) != EOF;) {
        fputc(c, to);
    }
    fclose(to);
    assert_int_equal(pclose(from), 0);
    return text;
}

static unsigned times(const char *text, const char *part)
{
    unsigned count = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        count++;
    }
    return count;
}

static void a_table_goes_on_over_pages_under_its_top(void **state)
{
    (void)state;
    static const uint8_t widths[] = {40, 60};
    char words[8000] = "", number[32];
    begin();
    ck_paper_table(out, widths, 2);
    ck_paper_row(out, CK_PAPER_TOP, 2);
    ck_paper_cell(out, CK_PAPER_BOLD, "ТОП", NULL, NULL);
    ck_paper_cell(out, CK_PAPER_BOLD, "Ә", NULL, NULL);
    for (int i = 0; i < 100; i++) {
        snprintf(number, sizeof number, "row%d.", i);
        ck_paper_row(out, 0, 2);
        ck_paper_cell(out, 0, number, "below", NULL);
        ck_paper_cell(out, 0, "x", NULL, "entries/1.json");
    }
    for (int i = 0; i < 900; i++) { /* longer than a page */
        strcat(words, "сөз ");
    }
    ck_paper_row(out, 0, 2);
    ck_paper_cell(out, 0, "long", NULL, NULL);
    ck_paper_cell(out, 0, words, NULL, NULL);
    ck_paper_end(out);
    fclose(out);

    int fd;
    struct ck_render_message answer = draw(paper, paper_size, &fd);
    assert_int_equal(answer.kind, CK_RENDER_DONE);
    assert_int_equal(lseek(fd, 0, SEEK_END), answer.done.bytes);
    assert_true(answer.done.width >= 4);
    char *text = text_of(fd);
    assert_int_equal(times(text, "ТОП"), answer.done.width);
    assert_int_equal(times(text, "Қ-1"), answer.done.width);
    assert_int_equal(times(text, "row"), 100);
    assert_int_equal(times(text, "below"), 100);
    assert_int_equal(times(text, "сөз"), 900);
    snprintf(number, sizeof number, "%u / %u", answer.done.width, answer.done.width);
    assert_int_equal(times(text, number), 1);
    free(text);
    close(fd);
}

static void nothing_is_lost_of_a_text(void **state)
{
    (void)state;
    begin();
    ck_paper_text(out, 0, "Әә Ғғ Ққ Ңң Өө Ұұ Үү Һһ Іі — ёъ", NULL);
    ck_paper_text(out, 0, "smile \U0001FAE0 漢", NULL);
    char word[400] = "";
    for (int i = 0; i < 300; i++) {
        strcat(word, "W"); /* wider than a page, and without a blank */
    }
    ck_paper_text(out, CK_PAPER_QUIET, word, NULL);
    ck_paper_text(out, 0, "cut within a letter:\xd2", NULL);
    ck_paper_text(out, 0, "a' />) \\ link", "x' uri='http://example.org");
    ck_paper_end(out);
    fclose(out);

    int fd;
    assert_int_equal(draw(paper, paper_size, &fd).kind, CK_RENDER_DONE);
    char *text = text_of(fd);
    assert_non_null(strstr(text, "Әә Ғғ Ққ Ңң Өө Ұұ Үү Һһ Іі — ёъ"));
    assert_non_null(strstr(text, "smile [U+1FAE0] [U+6F22]"));
    assert_non_null(strstr(text, "cut within a letter:\n"));
    assert_non_null(strstr(text, "a' />) \\ link"));
    assert_int_equal(times(text, "W"), 300);
    free(text);
    size_t size = (size_t)lseek(fd, 0, SEEK_END);
    char *bytes = malloc(size);
    assert_int_equal(pread(fd, bytes, size, 0), size);
    assert_null(memmem(bytes, size, "example.org", strlen("example.org")));
    free(bytes);
    close(fd);
}

static void a_time_line_is_drawn(void **state)
{
    (void)state;
    static const char *const names[] = {"қоңырау", "адам"}, *const ends[] = {"09:10", "12:11"};
    begin();
    ck_paper_heading(out, "Болған жағдайлар");
    ck_paper_picture(out, names, 2, ends, 2);
    ck_paper_mark(out, 0, 0, "one");
    ck_paper_mark(out, 1, UINT16_MAX, "two");
    ck_paper_end(out);
    fclose(out);
    int fd;
    struct ck_render_message answer = draw(paper, paper_size, &fd);
    assert_int_equal(answer.kind, CK_RENDER_DONE);
    assert_int_equal(answer.done.width, 1);
    char *text = text_of(fd);
    assert_non_null(strstr(text, "қоңырау"));
    assert_non_null(strstr(text, "12:11"));
    free(text);
    close(fd);
}

static void expect_refused(const char *what, const void *bytes, size_t size)
{
    int fd;
    struct ck_render_message answer = draw(bytes, size, &fd);
    close(fd);
    if (answer.kind != CK_RENDER_FAILED || answer.failed.fault != CK_RENDER_FAULT_INPUT) {
        fail_msg("%s: answer %u", what, answer.kind);
    }
}

static void what_is_no_document_is_refused(void **state)
{
    (void)state;
    static const uint8_t widths[] = {50, 50}, wrong[] = {50, 51};
    static const char *const names[] = {"a"}, *const ends[] = {"", ""};
    begin();
    ck_paper_heading(out, "x");
    ck_paper_end(out);
    fclose(out);
    for (size_t size = 0; size < paper_size; size++) {
        expect_refused("cut off", paper, size);
    }
    expect_refused("without its head", paper + paper_size - 5, 5);

    enum { ROW, COLUMNS, WIDTHS, LANE, TWO_TOPS, LETTERS, BEHIND, TWO_HEADS, COUNT };
    for (int what = ROW; what < COUNT; what++) {
        char name[24];
        begin();
        if (what == ROW || what == COLUMNS || what == TWO_TOPS) {
            if (what != ROW) {
                ck_paper_table(out, widths, 2);
            }
            for (int i = 0; i < 2; i++) {
                unsigned cells = what == COLUMNS ? 1 : 2;
                ck_paper_row(out, what == TWO_TOPS ? CK_PAPER_TOP : 0, cells);
                for (unsigned k = 0; k < cells; k++) {
                    ck_paper_cell(out, 0, "x", NULL, NULL);
                }
            }
        } else if (what == WIDTHS) {
            ck_paper_table(out, wrong, 2);
        } else if (what == LANE) {
            ck_paper_picture(out, names, 1, ends, 1);
            ck_paper_mark(out, 1, 0, "x");
        } else if (what == LETTERS) {
            static const uint8_t heading[] = {CK_PAPER_HEADING, 0, 2, 0xff, 0xfe};
            fwrite(heading, 1, sizeof heading, out);
        } else if (what == TWO_HEADS) {
            ck_paper_head(out, &(struct ck_paper_about){"kk", "x", "x", {1}});
        }
        ck_paper_end(out);
        if (what == BEHIND) {
            ck_paper_end(out);
        }
        fclose(out);
        snprintf(name, sizeof name, "case %d", what);
        expect_refused(name, paper, paper_size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_goes_on_over_pages_under_its_top),
        cmocka_unit_test(nothing_is_lost_of_a_text),
        cmocka_unit_test(a_time_line_is_drawn),
        cmocka_unit_test(what_is_no_document_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
