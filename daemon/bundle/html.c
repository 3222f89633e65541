/* A document as one page of HTML that needs nothing else, to be read on a screen. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/bundle/bundle_impl.h"
#include "protocol/base/error.h"
#include "protocol/paper.h"

/* The picture's measures, in its own units. */
#define WIDTH 900
#define LEFT 150
#define LANE 34
#define TOP 12

struct page {
    FILE *out;
    struct ck_reader reader;
    bool in_table;
};

static void put(struct page *page, const struct ck_paper_text *text)
{
    for (size_t i = 0; i < text->size; i++) {
        switch (text->data[i]) {
        case '<':
            fputs("&lt;", page->out);
            break;
        case '>':
            fputs("&gt;", page->out);
            break;
        case '&':
            fputs("&amp;", page->out);
            break;
        case '"':
            fputs("&quot;", page->out);
            break;
        default:
            fputc(text->data[i], page->out);
        }
    }
}

static void put_link(struct page *page, const struct ck_paper_text *text,
                     const struct ck_paper_text *link)
{
    if (link->size > 0) {
        fputs("<a href=\"", page->out);
        put(page, link);
        fputs("\">", page->out);
    }
    put(page, text);
    fputs(link->size > 0 ? "</a>" : "", page->out);
}

static void write_head(struct page *page, const struct ck_paper_block *head)
{
    fputs("<!doctype html>\n<html lang=\"", page->out);
    put(page, &head->language);
    fputs("\"><head><meta charset=\"utf-8\">\n<title>", page->out);
    put(page, &head->text);
    fputs("</title>\n<style>\nbody{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em "
          "auto;padding:0 1em;color:#111}\nh1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.8em}"
          "\ntable{border-collapse:collapse;width:100%}\nth,td{text-align:left;vertical-align:top;"
          "padding:.25em .6em;border-bottom:1px solid #ddd}\nth{font-weight:600;width:16em}\n"
          "thead th{width:auto}\nsvg{width:100%;height:auto}\n.quiet{color:#555}\n.time{white-"
          "space:nowrap}\n@media print{h2{break-after:avoid}tr{break-inside:avoid}}\n</style>"
          "</head><body>\n<h1>",
          page->out);
    put(page, &head->text);
    fputs("</h1>\n", page->out);
}

static int write_row(struct page *page, const struct ck_paper_block *row)
{
    bool top = (row->flags & CK_PAPER_TOP) != 0;
    fputs(top ? "<thead><tr>" : "<tr>", page->out);
    for (unsigned i = 0; i < row->columns; i++) {
        static const struct ck_paper_text none = {"", 0};
        struct ck_paper_cell cell;
        int r = ck_paper_next_cell(&page->reader, &cell);
        if (r != 0) {
            return r;
        }
        bool bold = (cell.flags & CK_PAPER_BOLD) != 0, two = cell.below.size > 0;
        fputs(bold                                 ? "<th>"
              : (cell.flags & CK_PAPER_TIGHT) != 0 ? "<td class=\"time\">"
                                                   : "<td>",
              page->out);
        put_link(page, &cell.text, two ? &none : &cell.link);
        if (two) {
            fputs(cell.text.size > 0 ? "<br><span class=\"quiet\">" : "<span>", page->out);
            put_link(page, &cell.below, &cell.link);
            fputs("</span>", page->out);
        }
        fputs(bold ? "</th>" : "</td>", page->out);
    }
    fputs(top ? "</tr></thead>\n" : "</tr>\n", page->out);
    return 0;
}

/* A shape for each lane, so that it needs no colour. */
static void write_mark(struct page *page, const struct ck_paper_mark *mark)
{
    double x = LEFT + mark->at / (double)UINT16_MAX * (WIDTH - LEFT - 20);
    double y = TOP + mark->lane * LANE + LANE / 2.0;
    switch (mark->lane % 4) {
    case 0:
        fprintf(page->out, "<path d=\"M%.1f %.1fl-6 11h12z\">", x, y - 6);
        break;
    case 1:
        fprintf(page->out, "<path d=\"M%.1f %.1fa5 5 0 1 0 0 10a5 5 0 1 0 0-10z\">", x, y - 5);
        break;
    case 2:
        fprintf(page->out, "<path d=\"M%.1f %.1fh10v10h-10z\">", x - 5, y - 5);
        break;
    default:
        fprintf(page->out, "<path d=\"M%.1f %.1fl7 7-7 7-7-7z\">", x, y - 7);
        break;
    }
    fputs("<title>", page->out);
    put(page, &mark->text);
    fputs("</title></path>\n", page->out);
}

static int write_picture(struct page *page, const struct ck_paper_block *picture)
{
    int bottom = TOP + (int)picture->lanes * LANE;
    fprintf(page->out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" font-size=\"12\">\n", WIDTH,
            bottom + 30);
    for (unsigned lane = 0; lane < picture->lanes; lane++) {
        int y = TOP + (int)lane * LANE + LANE / 2;
        fprintf(page->out, "<text x=\"0\" y=\"%d\">", y + 4);
        put(page, &picture->names[lane]);
        fprintf(page->out, "</text><path d=\"M%d %dH%d\" stroke=\"#bbb\"/>\n", LEFT, y, WIDTH - 10);
    }
    for (unsigned i = 0; i < picture->marks; i++) {
        struct ck_paper_mark mark;
        int r = ck_paper_next_mark(&page->reader, picture, &mark);
        if (r != 0) {
            return r;
        }
        write_mark(page, &mark);
    }
    fprintf(page->out, "<text x=\"%d\" y=\"%d\">", LEFT, bottom + 18);
    put(page, &picture->ends[0]);
    fprintf(page->out, "</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH - 10,
            bottom + 18);
    put(page, &picture->ends[1]);
    fputs("</text>\n</svg>\n", page->out);
    return 0;
}

static int write_block(struct page *page, const struct ck_paper_block *block)
{
    if (page->in_table && block->kind != CK_PAPER_ROW) {
        fputs("</table>\n", page->out);
        page->in_table = false;
    }
    switch (block->kind) {
    case CK_PAPER_HEAD:
        write_head(page, block);
        return 0;
    case CK_PAPER_HEADING:
        fputs("<h2>", page->out);
        put(page, &block->text);
        fputs("</h2>\n", page->out);
        return 0;
    case CK_PAPER_TEXT:
        fputs((block->flags & CK_PAPER_QUIET) != 0 ? "<p class=\"quiet\">" : "<p>", page->out);
        put_link(page, &block->text, &block->link);
        fputs("</p>\n", page->out);
        return 0;
    case CK_PAPER_TABLE:
        fputs("<table>\n", page->out);
        page->in_table = true;
        return 0;
    case CK_PAPER_ROW:
        return page->in_table ? write_row(page, block) : CK_E_SYNTAX;
    case CK_PAPER_PICTURE:
        return write_picture(page, block);
    case CK_PAPER_END:
        fputs("</body></html>\n", page->out);
        return 0;
    }
    return CK_E_SYNTAX;
}

int ck_bundle_html(const void *paper, size_t paper_size, char **html, size_t *size)
{
    struct page page = {.reader = ck_reader_of(paper, paper_size)};
    struct ck_paper_block block = {.kind = CK_PAPER_HEAD};
    int r = 0;
    page.out = open_memstream(html, size);
    if (page.out == NULL) {
        return -ENOMEM;
    }
    while (r == 0 && block.kind != CK_PAPER_END) {
        r = ck_paper_next(&page.reader, &block);
        r = r == 0 ? write_block(&page, &block) : r;
    }
    return fclose(page.out) != 0 ? -ENOMEM : r;
}
