#include "media/render/paper.h"

#include <cairo-pdf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/render/letters.h"
#include "media/render/spoken.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

/* A4 in points, and what is kept free. */
#define PAGE_WIDTH 595.28
#define PAGE_HEIGHT 841.89
#define MARGIN 48.0
#define BOTTOM (PAGE_HEIGHT - 58.0)
#define WIDTH (PAGE_WIDTH - 2 * MARGIN)
#define FOOT (PAGE_HEIGHT - 30.0)
#define GAP 8.0         /* between columns */
#define PAD 4.0         /* above and below the lines of a row, together */
#define SPACING 1.32    /* lines to the size of their letters */
#define TOP_LINES_MAX 8 /* of a row that is repeated on each page */
#define LANE 24.0
#define LANE_NAME 110.0

static const struct ck_letters title = {CK_FACE_BOLD, 16, 0}, heading = {CK_FACE_BOLD, 11.5, 0},
                               plain = {CK_FACE_PLAIN, 8.5, 0}, bold = {CK_FACE_BOLD, 8.5, 0},
                               quiet = {CK_FACE_PLAIN, 8.5, 0.35},
                               small = {CK_FACE_PLAIN, 7.5, 0.35};

/* One row, broken into lines. */
struct cell {
    struct ck_lines text, below;
    bool bold;
    char link[200];
};
struct row {
    struct cell cells[CK_PAPER_COLUMNS_MAX];
    unsigned columns;
};

/* A walk through the document: first without `cairo`, to count the pages, then drawing. */
struct sheet {
    struct ck_reader reader;
    cairo_t *cairo;
    unsigned page, pages;
    double y;
    struct ck_paper_block table; /* columns 0: none is open */
    struct row top;              /* of that table; columns 0: none */
    struct ck_paper_text foot;
    struct ck_spoken *spoken; /* filled by the walk that draws */
};

static double line_height(const struct ck_letters *letters)
{
    return letters->size * SPACING;
}

/* ---- structure ---- */

/* Elements that hold others may go on over pages, those with letters in them end with the page. */
static void open_tag(const struct sheet *sheet, const char *tag)
{
    if (sheet->cairo != NULL) {
        cairo_tag_begin(sheet->cairo, tag, NULL);
    }
}

static void close_tag(const struct sheet *sheet, const char *tag)
{
    if (sheet->cairo != NULL) {
        cairo_tag_end(sheet->cairo, tag);
    }
}

/* ---- links ---- */

/* Where a link of the archive leads to: a path of plain letters, or "". */
static void take_link(const struct ck_paper_text *link, char path[static 200])
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
    snprintf(path, 200, "%.*s", link->size < 200 ? (int)link->size : 0, link->data);
    if (path[strspn(path, letters)] != '\0') {
        path[0] = '\0';
    }
}

static void draw_line(struct sheet *sheet, const struct ck_lines *lines, size_t line,
                      const struct ck_letters *letters, double x, double y, const char *link)
{
    char attributes[240];
    if (sheet->cairo == NULL) {
        return;
    }
    if (*link != '\0') {
        snprintf(attributes, sizeof attributes, "uri='%s'", link);
        cairo_tag_begin(sheet->cairo, CAIRO_TAG_LINK, attributes);
    }
    ck_lines_draw(lines, line, sheet->cairo, letters, x, y);
    if (*link != '\0') {
        cairo_tag_end(sheet->cairo, CAIRO_TAG_LINK);
    }
}

/* One line at a place, cut where it is too wide: names and ends of pictures, the foot. `right`: it
 * ends there. */
static int draw_label(struct sheet *sheet, const struct ck_paper_text *text, double x, double y,
                      double width, bool right)
{
    struct ck_lines lines;
    int r = ck_lines_break(&lines, &small, text, width);
    if (r == 0 && lines.count > 0 && sheet->cairo != NULL) {
        double shift = right ? width - ck_lines_width(&lines, 0, &small) : 0;
        ck_lines_draw(&lines, 0, sheet->cairo, &small, x + shift, y);
    }
    ck_lines_clear(&lines);
    return r;
}

/* ---- pages ---- */

static void draw_rule(struct sheet *sheet, double y)
{
    if (sheet->cairo != NULL) {
        cairo_set_source_rgb(sheet->cairo, 0.8, 0.8, 0.8);
        cairo_set_line_width(sheet->cairo, 0.5);
        cairo_move_to(sheet->cairo, MARGIN, y);
        cairo_line_to(sheet->cairo, MARGIN + WIDTH, y);
        cairo_stroke(sheet->cairo);
    }
}

static int end_page(struct sheet *sheet)
{
    char number[32];
    int length = snprintf(number, sizeof number, "%u / %u", sheet->page, sheet->pages);
    const struct ck_paper_text text = {number, (size_t)length};
    int r = draw_label(sheet, &sheet->foot, MARGIN, FOOT, WIDTH - 80, false);
    r = r == 0 ? draw_label(sheet, &text, MARGIN + WIDTH - 80, FOOT, 80, true) : r;
    if (sheet->cairo != NULL) {
        cairo_show_page(sheet->cairo);
    }
    return r;
}

static void draw_part(struct sheet *sheet, const struct row *row, size_t from, size_t until,
                      bool again);
static size_t longest(const struct row *row);

static int new_page(struct sheet *sheet)
{
    int r = end_page(sheet);
    if (r == 0 && ++sheet->page > CK_PAPER_PAGES_MAX) {
        r = CK_E_LIMIT;
    }
    sheet->y = MARGIN;
    if (r == 0 && sheet->table.columns > 0 && sheet->top.columns > 0) {
        draw_part(sheet, &sheet->top, 0, longest(&sheet->top), true);
    }
    return r;
}

/* Begins a page where less than this is left. */
static int make_room(struct sheet *sheet, double height)
{
    return sheet->y + height > BOTTOM && sheet->y > MARGIN ? new_page(sheet) : 0;
}

/* ---- texts ---- */

/* A line of a text that is tagged: of another page where there is no room on this one. */
static int next_line(struct sheet *sheet, double height, const char *tag)
{
    int r = 0;
    if (sheet->y + height > BOTTOM) {
        close_tag(sheet, tag);
        r = make_room(sheet, height);
        open_tag(sheet, tag);
    }
    sheet->y += height;
    return r;
}

static int draw_text(struct sheet *sheet, const char *tag, const struct ck_letters *letters,
                     const struct ck_paper_text *text, const struct ck_paper_text *link)
{
    struct ck_lines lines;
    char path[200];
    take_link(link, path);
    int r = ck_lines_break(&lines, letters, text, WIDTH);
    r = r == 0 && lines.count > 0 ? make_room(sheet, line_height(letters)) : r;
    open_tag(sheet, tag);
    for (size_t i = 0; r == 0 && i < lines.count; i++) {
        r = next_line(sheet, line_height(letters), tag);
        draw_line(sheet, &lines, i, letters, MARGIN, sheet->y - 0.3 * letters->size, path);
    }
    close_tag(sheet, tag);
    sheet->y += letters->size * 0.5;
    ck_lines_clear(&lines);
    return r;
}

/* ---- tables ---- */

static void clear_row(struct row *row)
{
    for (unsigned i = 0; i < row->columns; i++) {
        ck_lines_clear(&row->cells[i].text);
        ck_lines_clear(&row->cells[i].below);
    }
    row->columns = 0;
}

static size_t lines_of(const struct cell *cell)
{
    return cell->text.count + cell->below.count;
}

/* Lines of its longest cell; one at least. */
static size_t longest(const struct row *row)
{
    size_t most = 1;
    for (unsigned i = 0; i < row->columns; i++) {
        most = lines_of(&row->cells[i]) > most ? lines_of(&row->cells[i]) : most;
    }
    return most;
}

static double column_width(const struct sheet *sheet, unsigned column)
{
    return WIDTH * sheet->table.widths[column] / 100 - GAP;
}

static int read_row(struct sheet *sheet, unsigned columns, struct row *row)
{
    int r = 0;
    for (unsigned i = 0; r == 0 && i < columns; i++) {
        struct ck_paper_cell cell;
        struct cell *made = &row->cells[i];
        *made = (struct cell){.bold = false};
        row->columns = i + 1;
        r = ck_paper_next_cell(&sheet->reader, &cell);
        if (r == 0) {
            made->bold = (cell.flags & CK_PAPER_BOLD) != 0;
            take_link(&cell.link, made->link);
            r = ck_lines_break(&made->text, made->bold ? &bold : &plain, &cell.text,
                               column_width(sheet, i));
        }
        r = r == 0 ? ck_lines_break(&made->below, &quiet, &cell.below, column_width(sheet, i)) : r;
    }
    return r;
}

/* Of lines [from, until) of a cell those of one of its texts; as a paragraph of its own where there
 * are both. */
static void draw_cell_text(struct sheet *sheet, const struct cell *cell, bool below, size_t from,
                           size_t until, double x)
{
    const struct ck_lines *lines = below ? &cell->below : &cell->text;
    const struct ck_letters *letters = below ? &quiet : cell->bold ? &bold : &plain;
    const char *link = below || cell->below.count == 0 ? cell->link : "";
    size_t first = below ? cell->text.count : 0;
    bool both = cell->text.count > 0 && cell->below.count > 0;
    double height = line_height(&plain), top = sheet->y + PAD / 2 + height - 0.3 * plain.size;
    size_t line = from > first ? from : first, end = first + lines->count;
    if (both && line < end && line < until) {
        open_tag(sheet, "P");
    }
    for (size_t k = line; k < end && k < until; k++) {
        draw_line(sheet, lines, k - first, letters, x, top + (double)(k - from) * height, link);
    }
    if (both && line < end && line < until) {
        close_tag(sheet, "P");
    }
}

/* Lines [from, until) of each cell, one cell after the other, as they are read. `again`: they were
 * there on an earlier page. */
static void draw_part(struct sheet *sheet, const struct row *row, size_t from, size_t until,
                      bool again)
{
    double x = MARGIN, height = line_height(&plain);
    if (!again) {
        open_tag(sheet, "TR");
    }
    for (unsigned i = 0; i < row->columns; i++) {
        const char *tag = row->cells[i].bold ? "TH" : "TD";
        if (!again) {
            open_tag(sheet, tag);
        }
        draw_cell_text(sheet, &row->cells[i], false, from, until, x);
        draw_cell_text(sheet, &row->cells[i], true, from, until, x);
        if (!again) {
            close_tag(sheet, tag);
        }
        x += column_width(sheet, i) + GAP;
    }
    if (!again) {
        close_tag(sheet, "TR");
    }
    sheet->y += PAD + (double)(until - from) * height;
    draw_rule(sheet, sheet->y);
}

/* A row stays whole unless it is longer than half a page. */
static int draw_row(struct sheet *sheet, const struct row *row)
{
    double height = line_height(&plain);
    size_t most = longest(row), from = 0;
    double whole = PAD + (double)most * height;
    int r = whole < (BOTTOM - MARGIN) / 2 ? make_room(sheet, whole) : 0;
    while (r == 0 && from < most) {
        double room = (BOTTOM - sheet->y - PAD) / height;
        size_t fit = room < 1 ? 0 : (size_t)room;
        if (fit > 0) {
            size_t until = most - from < fit ? most : from + fit;
            draw_part(sheet, row, from, until, false);
            from = until;
        }
        r = from < most ? new_page(sheet) : 0;
    }
    return r;
}

static int take_row(struct sheet *sheet, const struct ck_paper_block *block)
{
    struct row row = {.columns = 0};
    bool is_top = (block->flags & CK_PAPER_TOP) != 0;
    if (block->columns != sheet->table.columns || (is_top && sheet->top.columns > 0)) {
        return CK_E_SYNTAX;
    }
    int r = read_row(sheet, block->columns, &row);
    r = r == 0 && is_top && longest(&row) > TOP_LINES_MAX ? CK_E_LIMIT : r;
    r = r == 0 ? draw_row(sheet, &row) : r;
    if (r == 0 && is_top) {
        sheet->top = row;
    } else {
        clear_row(&row);
    }
    return r;
}

/* ---- the time line ---- */

/* A shape for each lane, so that it needs no colour. */
static void draw_mark(struct sheet *sheet, unsigned lane, double x, double y)
{
    cairo_t *cairo = sheet->cairo;
    if (cairo == NULL) {
        return;
    }
    cairo_set_source_rgb(cairo, 0, 0, 0);
    switch (lane % 4) {
    case 0:
        cairo_move_to(cairo, x, y - 4);
        cairo_line_to(cairo, x - 4, y + 3.5);
        cairo_line_to(cairo, x + 4, y + 3.5);
        break;
    case 1:
        cairo_new_sub_path(cairo);
        cairo_arc(cairo, x, y, 3.5, 0, 6.2831853);
        break;
    case 2:
        cairo_rectangle(cairo, x - 3.2, y - 3.2, 6.4, 6.4);
        break;
    default:
        cairo_move_to(cairo, x, y - 4.5);
        cairo_line_to(cairo, x + 4.5, y);
        cairo_line_to(cairo, x, y + 4.5);
        cairo_line_to(cairo, x - 4.5, y);
        break;
    }
    cairo_close_path(cairo);
    cairo_fill(cairo);
}

/* What the picture shows, in words of its own: its lanes with the number of their marks, and from
 * when until when. What each mark is says the table below it. */
static void describe_picture(struct sheet *sheet, const struct ck_paper_block *picture,
                             const unsigned counts[static CK_PAPER_LANES_MAX])
{
    struct ck_spoken *spoken = sheet->spoken;
    if (sheet->cairo == NULL || spoken->count == CK_SPOKEN_PICTURES_MAX) {
        return;
    }
    char *text = spoken->pictures[spoken->count++];
    size_t at = 0;
    for (unsigned lane = 0; lane < picture->lanes && at < CK_SPOKEN_TEXT_MAX / 2; lane++) {
        const struct ck_paper_text *name = &picture->names[lane];
        int most = name->size < 60 ? (int)name->size : 0; /* cut within a letter it were none */
        at += (size_t)snprintf(text + at, CK_SPOKEN_TEXT_MAX - at, "%.*s: %u; ", most, name->data,
                               counts[lane]);
    }
    const struct ck_paper_text *ends = picture->ends;
    if (ends[0].size < 60 && ends[1].size < 60) {
        snprintf(text + at, CK_SPOKEN_TEXT_MAX - at, "%.*s – %.*s", (int)ends[0].size, ends[0].data,
                 (int)ends[1].size, ends[1].data);
    }
}

static int draw_picture(struct sheet *sheet, const struct ck_paper_block *picture)
{
    double height = picture->lanes * LANE + 26, half = (WIDTH - LANE_NAME) / 2;
    unsigned counts[CK_PAPER_LANES_MAX] = {0};
    int r = make_room(sheet, height);
    open_tag(sheet, "Figure");
    for (unsigned lane = 0; r == 0 && lane < picture->lanes; lane++) {
        double y = sheet->y + LANE * lane + LANE / 2;
        r = draw_label(sheet, &picture->names[lane], MARGIN, y + 2.5, LANE_NAME - GAP, false);
        if (sheet->cairo != NULL) {
            cairo_set_source_rgb(sheet->cairo, 0.7, 0.7, 0.7);
            cairo_set_line_width(sheet->cairo, 0.7);
            cairo_move_to(sheet->cairo, MARGIN + LANE_NAME, y);
            cairo_line_to(sheet->cairo, MARGIN + WIDTH, y);
            cairo_stroke(sheet->cairo);
        }
    }
    for (unsigned i = 0; r == 0 && i < picture->marks; i++) {
        struct ck_paper_mark mark;
        r = ck_paper_next_mark(&sheet->reader, picture, &mark);
        if (r == 0) {
            counts[mark.lane]++;
            draw_mark(sheet, mark.lane,
                      MARGIN + LANE_NAME + 6 + mark.at / 65535.0 * (WIDTH - LANE_NAME - 12),
                      sheet->y + LANE * mark.lane + LANE / 2);
        }
    }
    double y = sheet->y + picture->lanes * LANE + 10;
    r = r == 0 ? draw_label(sheet, &picture->ends[0], MARGIN + LANE_NAME, y, half, false) : r;
    r = r == 0 ? draw_label(sheet, &picture->ends[1], MARGIN + LANE_NAME + half, y, half, true) : r;
    close_tag(sheet, "Figure");
    describe_picture(sheet, picture, counts);
    sheet->y += height;
    return r;
}

/* ---- the whole ---- */

static int draw_block(struct sheet *sheet, const struct ck_paper_block *block)
{
    if (block->kind != CK_PAPER_ROW && sheet->table.columns > 0) {
        close_tag(sheet, "Table");
        clear_row(&sheet->top);
        sheet->y += GAP;
        sheet->table.columns = 0;
    }
    switch (block->kind) {
    case CK_PAPER_HEADING: {
        int r = make_room(sheet, 90); /* with something below it */
        sheet->y += GAP;
        return r == 0 ? draw_text(sheet, "H2", &heading, &block->text, &block->link) : r;
    }
    case CK_PAPER_TEXT:
        return draw_text(sheet, "P", (block->flags & CK_PAPER_QUIET) != 0 ? &quiet : &plain,
                         &block->text, &block->link);
    case CK_PAPER_TABLE:
        open_tag(sheet, "Table");
        sheet->table = *block;
        return 0;
    case CK_PAPER_ROW:
        return sheet->table.columns > 0 ? take_row(sheet, block) : CK_E_SYNTAX;
    case CK_PAPER_PICTURE:
        return draw_picture(sheet, block);
    case CK_PAPER_END:
        return end_page(sheet);
    case CK_PAPER_HEAD:
        break; /* only at the beginning */
    }
    return CK_E_SYNTAX;
}

/* The name of a language, which goes into the file as it is: letters alone. */
static void take_language(const struct ck_paper_text *text, char language[static 16])
{
    snprintf(language, 16, "%.*s", text->size < 16 ? (int)text->size : 0, text->data);
    if (language[strspn(language, "abcdefghijklmnopqrstuvwxyz-")] != '\0') {
        language[0] = '\0';
    }
}

static void describe(cairo_surface_t *surface, const struct ck_paper_block *head)
{
    char made[CK_WALL_TEXT_SIZE], date[24], name[200];
    ck_wall_text(head->made, made);
    snprintf(date, sizeof date, "%.19sZ", made);
    snprintf(name, sizeof name, "%.*s", head->text.size < sizeof name ? (int)head->text.size : 0,
             head->text.data);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, name);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, date);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, date);
}

/* Walks through all of it; with a surface it draws. *pages: how many there are, to be given to the
 * walk that draws. */
static int walk(const void *bytes, size_t size, cairo_surface_t *surface, unsigned *pages,
                struct ck_spoken *spoken)
{
    struct ck_paper_block block;
    struct sheet sheet = {.reader = ck_reader_of(bytes, size),
                          .page = 1,
                          .pages = *pages,
                          .y = MARGIN,
                          .spoken = spoken};
    int r = ck_paper_next(&sheet.reader, &block);
    r = r == 0 && block.kind != CK_PAPER_HEAD ? CK_E_SYNTAX : r;
    if (r == 0 && surface != NULL) {
        describe(surface, &block);
        take_language(&block.language, spoken->language);
        sheet.cairo = cairo_create(surface);
    }
    open_tag(&sheet, "Document");
    sheet.foot = block.link;
    static const struct ck_paper_text none = {"", 0};
    r = r == 0 ? draw_text(&sheet, "H1", &title, &block.text, &none) : r;
    while (r == 0 && block.kind != CK_PAPER_END) {
        r = ck_paper_next(&sheet.reader, &block);
        r = r == 0 ? draw_block(&sheet, &block) : r;
    }
    clear_row(&sheet.top);
    close_tag(&sheet, "Document");
    if (sheet.cairo != NULL) {
        r = r == 0 && cairo_status(sheet.cairo) != CAIRO_STATUS_SUCCESS ? -EIO : r;
        cairo_destroy(sheet.cairo);
    }
    *pages = sheet.page;
    return r;
}

static cairo_status_t write_bytes(void *user, const unsigned char *bytes, unsigned int size)
{
    FILE *out = user;
    return fwrite(bytes, 1, size, out) == size ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* The pages, with cairo. */
static int draw(const void *bytes, size_t size, FILE *out, unsigned *pages,
                struct ck_spoken *spoken)
{
    int r = walk(bytes, size, NULL, pages, NULL);
    if (r != 0) {
        return r;
    }
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(write_bytes, out, PAGE_WIDTH, PAGE_HEIGHT);
    r = walk(bytes, size, surface, pages, spoken);
    cairo_surface_finish(surface);
    if (r == 0 && cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        r = -EIO;
    }
    cairo_surface_destroy(surface);
    return r;
}

/* The whole file in memory, as it is read again for what is appended to it. */
static int make(const void *bytes, size_t size, char **made, size_t *made_size, unsigned *pages)
{
    static struct ck_spoken spoken;
    spoken = (struct ck_spoken){.count = 0};
    FILE *out = open_memstream(made, made_size);
    if (out == NULL) {
        return -ENOMEM;
    }
    int r = draw(bytes, size, out, pages, &spoken);
    if (r == 0 && fflush(out) == 0) {
        r = ck_spoken_append(&spoken, *made, *made_size, out);
        r = r == CK_E_NOT_FOUND ? 0 : r; /* another cairo: it is good without */
    }
    bool failed = ferror(out) != 0;
    return fclose(out) != 0 || failed ? -ENOMEM : r;
}

static int write_all(int fd, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t part = write(fd, bytes + at, size - at);
        if (part < 0 && errno != EINTR) {
            return -errno;
        }
        at += part < 0 ? 0 : (size_t)part;
    }
    return 0;
}

static int read_paper(int fd, uint8_t **bytes, size_t *size)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    if (status.st_size > CK_PAPER_BYTES_MAX) {
        return CK_E_LIMIT;
    }
    *bytes = malloc((size_t)status.st_size + 1);
    if (*bytes == NULL || lseek(fd, 0, SEEK_SET) < 0) {
        return *bytes == NULL ? -ENOMEM : -errno;
    }
    for (*size = 0; *size < (size_t)status.st_size;) {
        ssize_t part = read(fd, *bytes + *size, (size_t)status.st_size - *size);
        if (part == 0 || (part < 0 && errno != EINTR)) {
            return part == 0 ? -EIO : -errno;
        }
        *size += part < 0 ? 0 : (size_t)part;
    }
    return 0;
}

int ck_paper_load(char *text, size_t size)
{
    return ck_letters_load(text, size);
}

void ck_paper_run(int in, int out, struct ck_render_answer *answer)
{
    ck_cleanup(ck_freep) uint8_t *bytes = NULL;
    ck_cleanup(ck_freep) char *made = NULL;
    size_t size = 0, made_size = 0;
    unsigned pages = 0;
    int r = read_paper(in, &bytes, &size);
    r = r == 0 ? make(bytes, size, &made, &made_size, &pages) : r;
    int written = r == 0 ? write_all(out, made, made_size) : 0;
    if (written != 0) {
        ck_render_fail(answer, CK_RENDER_FAULT_OUTPUT, "the report: %s", ck_error_text(written));
    } else if (r != 0) {
        ck_render_fail(answer,
                       r == CK_E_LIMIT ? CK_RENDER_FAULT_LIMIT
                       : r > 0         ? CK_RENDER_FAULT_INPUT
                                       : CK_RENDER_FAULT_INTERNAL,
                       "the document of a report: %s", ck_error_text(r));
    } else {
        answer->message.kind = CK_RENDER_DONE;
        answer->message.done.bytes = made_size;
        answer->message.done.width = (uint16_t)pages;
        answer->message.done.height = 0;
    }
}
