/* Reads the tables of scheduler/DESIGN.md, so that the document and the code cannot part. */
#ifndef TESTS_UNIT_SCHEDULER_TABLE_H
#define TESTS_UNIT_SCHEDULER_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS_MAX 8
#define TABLE_ROWS_MAX 400
#define TABLE_TOKENS_MAX 16

struct table_row {
    int line; /* in the document, from 1 */
    int count;
    char *cells[TABLE_COLUMNS_MAX];
};

struct table {
    char *text; /* owns the cells */
    int count;
    struct table_row rows[TABLE_ROWS_MAX];
};

/* The table that follows the line "<!-- table: NAME -->", without its two head lines. Fails the
 * test where there is none. */
void table_load(const char *document, const char *name, struct table *table);
void table_free(struct table *table);

/* Cuts a cell at commas, in place; back quotes and spaces around go. "-" alone and an empty cell
 * give none. */
int table_tokens(char *cell, char *tokens[TABLE_TOKENS_MAX]);

#endif
