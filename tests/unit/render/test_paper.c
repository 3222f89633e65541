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

/* What a program of poppler reads; the caller frees. */
static char *read_by(const char *program, int fd, const char *behind)
{
    char command[120], *text = NULL;
    size_t size = 0;
    snprintf(command, sizeof command, "%s /proc/%d/fd/%d %s", program, (int)getpid(), fd, behind);
    FILE *from = popen(command, "r"), *to = open_memstream(&text, &size);
    for (int c; (c = fgetc(from)) != EOF;) {
        fputc(c, to);
    }
    fclose(to);
    assert_int_equal(pclose(from), 0);
    return text;
}

static char *text_of(int fd)
{
    return read_by("pdftotext -raw", fd, "-");
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

/* One of the objects that the last table of places names; NULL: none of this kind. */
static const char *object_of(const char *bytes, size_t size, const char *kind)
{
    const char *end = memmem(bytes + size - 40, 40, "startxref\n", 10);
    assert_non_null(end);
    const char *table = bytes + strtoul(end + 10, NULL, 10);
    assert_int_equal(strncmp(table, "xref\n", 5), 0);
    for (const char *line = table + 5; *line != 't';) {
        unsigned long number = 0, at = 0, count = 0, named = 0;
        int used = 0;
        assert_int_equal(sscanf(line, "%lu %lu %lu 00000 n%n", &number, &count, &at, &used), 3);
        assert_int_equal(sscanf(bytes + at, "%lu 0 obj", &named), 1);
        assert_int_equal(named, number);
        assert_int_equal(count, 1);
        const char *until = strstr(bytes + at, "endobj");
        if (memmem(bytes + at, (size_t)(until - bytes) - at, kind, strlen(kind)) != NULL) {
            return bytes + at;
        }
        line += used + 2;
    }
    return NULL;
}

/* Whoever has it read aloud hears the same, in its order, and in its language. */
static void a_report_can_be_read_aloud(void **state)
{
    (void)state;
    static const uint8_t widths[] = {40, 60};
    static const char *const names[] = {"Қоңырау", "b"}, *const ends[] = {"09:10", "12:11"};
    begin();
    ck_paper_heading(out, "Болған жағдайлар");
    ck_paper_picture(out, names, 2, ends, 3);
    ck_paper_mark(out, 0, 0, "one");
    ck_paper_mark(out, 0, 9, "two");
    ck_paper_mark(out, 1, UINT16_MAX, "three");
    ck_paper_table(out, widths, 2);
    ck_paper_row(out, CK_PAPER_TOP, 2);
    ck_paper_cell(out, CK_PAPER_BOLD, "TOP", NULL, NULL);
    ck_paper_cell(out, CK_PAPER_BOLD, "OTHER", NULL, NULL);
    for (int i = 0; i < 100; i++) {
        ck_paper_row(out, 0, 2);
        ck_paper_cell(out, 0, "cell", "below", NULL);
        ck_paper_cell(out, 0, "x", NULL, "entries/1.json");
    }
    ck_paper_text(out, 0, "last words", NULL);
    ck_paper_end(out);
    fclose(out);

    int fd;
    struct ck_render_message answer = draw(paper, paper_size, &fd);
    assert_int_equal(answer.kind, CK_RENDER_DONE);
    assert_true(answer.done.width > 2);
    char *tree = read_by("pdfinfo -struct-text", fd, "");
    const char *const order[] = {"Document",   "\n  H1 ",       "\n  H2 ",    "\n  Figure",
                                 "\n  Table ", "\n    TR\n",    "\n      TH", "\"TOP\"",
                                 "\n      TD", "\"cell\"",      "\"below\"",  "        Link",
                                 "\n  P ",     "\"last words\""};
    const char *at = tree;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const char *found = strstr(at, order[i]);
        if (found == NULL) {
            fail_msg("no %s behind\n%.200s", order[i], at);
        }
        at = found + strlen(order[i]) - 1;
    }
    assert_int_equal(times(tree, "\n    TR\n"), 101);
    assert_int_equal(times(tree, "\"TOP\""), 1); /* on the other pages it is no part of the table */
    assert_int_equal(times(tree, "Қ-1"), 0);     /* nor is the foot */
    free(tree);
    char *about = read_by("pdfinfo", fd, "");
    assert_non_null(strstr(about, "Tagged:          yes"));
    free(about);

    size_t size = (size_t)lseek(fd, 0, SEEK_END);
    char *bytes = calloc(1, size + 1);
    assert_int_equal(pread(fd, bytes, size, 0), size);
    const char *catalogue = object_of(bytes, size, "/Type /Catalog");
    assert_non_null(catalogue);
    const char *until = strstr(catalogue, "endobj");
    const char *const members[] = {"/Lang (kk)", "/MarkInfo << /Marked true >>", "/StructTreeRoot ",
                                   "/DisplayDocTitle true"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *found = strstr(catalogue, members[i]);
        assert_true(found != NULL && found < until);
    }
    const char *figure = object_of(bytes, size, "/S /Figure");
    assert_non_null(figure);
    /* "Қоңырау: 2; b: 1; 09:10 – 12:11" */
    const char *alt = strstr(figure, "/Alt <FEFF049A043E04A3044B044004300443003A00200032003B0020"
                                     "0062003A00200031003B0020");
    assert_true(alt != NULL && alt < strstr(figure, "endobj"));
    free(bytes);
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
        cmocka_unit_test(a_report_can_be_read_aloud),
        cmocka_unit_test(what_is_no_document_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
