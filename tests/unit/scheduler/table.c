#include "table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fail_msg("%s cannot be opened", path);
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    text[size] = '\0';
    fclose(file);
    return text;
}

static char *trim(char *text)
{
    while (*text == ' ' || *text == '`') {
        text++;
    }
    size_t size = strlen(text);
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '`')) {
        text[--size] = '\0';
    }
    return text;
}

static void cut_row(char *line, struct table_row *row)
{
    row->count = 0;
    char *at = line + 1;
    char *end;
    while ((end = strchr(at, '|')) != NULL) {
        assert_true(row->count < TABLE_COLUMNS_MAX);
        *end = '\0';
        row->cells[row->count++] = trim(at);
        at = end + 1;
    }
}

void table_load(const char *document, const char *name, struct table *table)
{
    char marker[100];
    snprintf(marker, sizeof(marker), "<!-- table: %s -->", name);
    *table = (struct table){.text = read_all(document)};
    int number = 0;
    int head = -1; /* lines of the table seen so far; -1: not there yet */
    char *rest = table->text;
    char *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        number++;
        if (head < 0) {
            head = strcmp(line, marker) == 0 ? 0 : -1;
            continue;
        }
        if (line[0] != '|') {
            if (head > 0) {
                break;
            }
            continue;
        }
        if (++head > 2) {
            assert_true(table->count < TABLE_ROWS_MAX);
            struct table_row *row = &table->rows[table->count++];
            row->line = number;
            cut_row(line, row);
        }
    }
    if (table->count == 0) {
        fail_msg("%s has no table %s", document, name);
    }
}

void table_free(struct table *table)
{
    free(table->text);
    table->text = NULL;
}

int table_tokens(char *cell, char *tokens[TABLE_TOKENS_MAX])
{
    int count = 0;
    char *token;
    while ((token = strsep(&cell, ",")) != NULL) {
        token = trim(token);
        if (*token == '\0' || strcmp(token, "-") == 0) {
            continue;
        }
        assert_true(count < TABLE_TOKENS_MAX);
        tokens[count++] = token;
    }
    return count;
}
