#include "protocol/paper.h"

#include <string.h>

#include "protocol/base/error.h"
#include "protocol/base/text.h"

/* ---- writing ---- */

static void put_u8(FILE *out, unsigned value)
{
    fputc((int)(value & 0xff), out);
}

static void put_u16(FILE *out, unsigned value)
{
    put_u8(out, value >> 8);
    put_u8(out, value);
}

static void put_text(FILE *out, const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    if (size > CK_PAPER_TEXT_MAX) {
        size = CK_PAPER_TEXT_MAX;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
            size--;
        }
    }
    /* Somebody's text that was cut within a character: the rest of it is as good as before. */
    for (unsigned cut = 0; cut < 3 && size > 0 && !ck_utf8_valid(text, size); cut++) {
        size--;
    }
    put_u16(out, (unsigned)size);
    if (size > 0) {
        fwrite(text, 1, size, out);
    }
}

void ck_paper_head(FILE *out, const struct ck_paper_about *about)
{
    uint8_t made[8];
    put_u8(out, CK_PAPER_HEAD);
    put_text(out, about->language);
    put_text(out, about->title);
    put_text(out, about->foot);
    ck_put_u64(made, (uint64_t)about->made.ms);
    fwrite(made, 1, sizeof made, out);
}

void ck_paper_heading(FILE *out, const char *text)
{
    put_u8(out, CK_PAPER_HEADING);
    put_text(out, text);
}

void ck_paper_text(FILE *out, unsigned flags, const char *text, const char *link)
{
    put_u8(out, CK_PAPER_TEXT);
    put_u8(out, flags);
    put_text(out, text);
    put_text(out, link);
}

void ck_paper_table(FILE *out, const uint8_t *widths, unsigned columns)
{
    put_u8(out, CK_PAPER_TABLE);
    put_u8(out, columns);
    fwrite(widths, 1, columns, out);
}

void ck_paper_row(FILE *out, unsigned flags, unsigned columns)
{
    put_u8(out, CK_PAPER_ROW);
    put_u8(out, flags);
    put_u8(out, columns);
}

void ck_paper_cell(FILE *out, unsigned flags, const char *text, const char *below, const char *link)
{
    put_u8(out, flags);
    put_text(out, text);
    put_text(out, below);
    put_text(out, link);
}

void ck_paper_picture(FILE *out, const char *const *names, unsigned lanes,
                      const char *const ends[2], unsigned marks)
{
    put_u8(out, CK_PAPER_PICTURE);
    put_u8(out, lanes);
    for (unsigned i = 0; i < lanes; i++) {
        put_text(out, names[i]);
    }
    put_text(out, ends[0]);
    put_text(out, ends[1]);
    put_u16(out, marks);
}

void ck_paper_mark(FILE *out, unsigned lane, uint16_t at, const char *text)
{
    put_u8(out, lane);
    put_u16(out, at);
    put_text(out, text);
}

void ck_paper_end(FILE *out)
{
    put_u8(out, CK_PAPER_END);
}

/* ---- reading ---- */

static struct ck_paper_text get_text(struct ck_reader *reader)
{
    struct ck_paper_text text = {.size = ck_read_u16(reader)};
    text.data = (const char *)ck_read_bytes(reader, text.size);
    if (text.data == NULL) {
        return (struct ck_paper_text){"", 0};
    }
    return text;
}

static bool is_text(const struct ck_paper_text *text)
{
    return ck_utf8_valid(text->data, text->size);
}

static int get_head(struct ck_reader *reader, struct ck_paper_block *block)
{
    block->language = get_text(reader);
    block->text = get_text(reader);
    block->link = get_text(reader);
    uint64_t made = ck_read_u64(reader);
    block->made = (struct ck_wall){(int64_t)made};
    return made <= (uint64_t)CK_WALL_NEVER.ms && is_text(&block->language) ? 0 : CK_E_SYNTAX;
}

static int get_table(struct ck_reader *reader, struct ck_paper_block *block)
{
    unsigned sum = 0;
    block->columns = ck_read_u8(reader);
    if (block->columns < 1 || block->columns > CK_PAPER_COLUMNS_MAX) {
        return CK_E_LIMIT;
    }
    for (unsigned i = 0; i < block->columns; i++) {
        block->widths[i] = ck_read_u8(reader);
        sum += block->widths[i];
    }
    return sum == 100 ? 0 : CK_E_SYNTAX;
}

static int get_picture(struct ck_reader *reader, struct ck_paper_block *block)
{
    block->lanes = ck_read_u8(reader);
    if (block->lanes < 1 || block->lanes > CK_PAPER_LANES_MAX) {
        return CK_E_LIMIT;
    }
    for (unsigned i = 0; i < block->lanes; i++) {
        block->names[i] = get_text(reader);
        if (!is_text(&block->names[i])) {
            return CK_E_SYNTAX;
        }
    }
    block->ends[0] = get_text(reader);
    block->ends[1] = get_text(reader);
    block->marks = ck_read_u16(reader);
    return is_text(&block->ends[0]) && is_text(&block->ends[1]) ? 0 : CK_E_SYNTAX;
}

static int get_body(struct ck_reader *reader, struct ck_paper_block *block)
{
    switch (block->kind) {
    case CK_PAPER_HEAD:
        return get_head(reader, block);
    case CK_PAPER_HEADING:
        block->text = get_text(reader);
        return 0;
    case CK_PAPER_TEXT:
        block->flags = ck_read_u8(reader);
        block->text = get_text(reader);
        block->link = get_text(reader);
        return 0;
    case CK_PAPER_TABLE:
        return get_table(reader, block);
    case CK_PAPER_ROW:
        block->flags = ck_read_u8(reader);
        block->columns = ck_read_u8(reader);
        return block->columns >= 1 && block->columns <= CK_PAPER_COLUMNS_MAX ? 0 : CK_E_LIMIT;
    case CK_PAPER_PICTURE:
        return get_picture(reader, block);
    case CK_PAPER_END:
        return ck_reader_left(reader) == 0 ? 0 : CK_E_SYNTAX;
    default:
        return CK_E_SYNTAX;
    }
}

int ck_paper_next(struct ck_reader *reader, struct ck_paper_block *block)
{
    static const struct ck_paper_text none = {"", 0};
    *block = (struct ck_paper_block){.kind = (enum ck_paper_kind)ck_read_u8(reader),
                                     .text = none,
                                     .link = none,
                                     .language = none};
    int r = reader->failed ? CK_E_TRUNCATED : get_body(reader, block);
    if (reader->failed) {
        return CK_E_TRUNCATED;
    }
    return r != 0 ? r : is_text(&block->text) && is_text(&block->link) ? 0 : CK_E_SYNTAX;
}

int ck_paper_next_cell(struct ck_reader *reader, struct ck_paper_cell *cell)
{
    cell->flags = ck_read_u8(reader);
    cell->text = get_text(reader);
    cell->below = get_text(reader);
    cell->link = get_text(reader);
    if (reader->failed) {
        return CK_E_TRUNCATED;
    }
    return is_text(&cell->text) && is_text(&cell->below) && is_text(&cell->link) ? 0 : CK_E_SYNTAX;
}

int ck_paper_next_mark(struct ck_reader *reader, const struct ck_paper_block *picture,
                       struct ck_paper_mark *mark)
{
    mark->lane = ck_read_u8(reader);
    mark->at = ck_read_u16(reader);
    mark->text = get_text(reader);
    if (reader->failed) {
        return CK_E_TRUNCATED;
    }
    return mark->lane < picture->lanes && is_text(&mark->text) ? 0 : CK_E_SYNTAX;
}
