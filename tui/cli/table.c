#include "tui/cli/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tui/cli/plain.h"

#define GAP 2 /* columns between two columns */

void table_init(struct table *table, const struct table_column *columns)
{
    *table = (struct table){.columns = columns};
    while (columns[table->width].title)
        table->width++;
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    *table = (struct table){0};
}

void table_add(struct table *table, const char *style, const char *format, ...)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 64;
        struct table_cell *grown = realloc(table->cells, capacity * sizeof(*grown));
        if (!grown) {
            table->failed = true;
            return;
        }
        table->cells = grown;
        table->capacity = capacity;
    }
    char *raw = NULL;
    va_list values;
    va_start(values, format);
    int size = vasprintf(&raw, format, values);
    va_end(values);
    char *text = size >= 0 ? plain_copy(raw, (size_t)size, 0) : NULL;
    if (size >= 0)
        free(raw);
    if (!text) {
        table->failed = true;
        return;
    }
    table->cells[table->count++] = (struct table_cell){text, style};
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t widest = plain_width(table->columns[column].title);
    for (size_t i = column; i < table->count; i += table->width) {
        size_t width = plain_width(table->cells[i].text);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_spaces(FILE *out, size_t count)
{
    fprintf(out, "%*s", (int)count, "");
}

static void print_cell(FILE *out, const char *text, size_t bytes, const char *style)
{
    if (style)
        fprintf(out, "\x1b[%sm%.*s\x1b[0m", style, (int)bytes, text);
    else
        fprintf(out, "%.*s", (int)bytes, text);
}

/* `cells` is NULL for the header. */
static void print_row(const struct table *table, const struct table_cell *cells,
                      const size_t *widths, FILE *out, bool colour, size_t limit)
{
    size_t used = 0;
    for (size_t i = 0; i < table->width; i++) {
        bool last = i + 1 == table->width;
        const char *text = cells ? cells[i].text : table->columns[i].title;
        const char *style = !colour ? NULL : cells ? cells[i].style : "1";
        size_t bytes = strlen(text), width = plain_width(text);
        if (last && limit > 0) {
            bytes = plain_cut(text, limit > used ? limit - used : 0);
            print_cell(out, text, bytes, bytes > 0 ? style : NULL);
            break;
        }
        if (table->columns[i].right)
            print_spaces(out, widths[i] - width);
        print_cell(out, text, bytes, style);
        if (!last)
            print_spaces(out, (table->columns[i].right ? 0 : widths[i] - width) + GAP);
        used += widths[i] + GAP;
    }
    fputc('\n', out);
}

int table_print(const struct table *table, FILE *out, bool colour, size_t limit)
{
    size_t *widths = table->failed ? NULL : calloc(table->width, sizeof(*widths));
    if (!widths)
        return -ENOMEM;
    for (size_t i = 0; i < table->width; i++)
        widths[i] = column_width(table, i);
    print_row(table, NULL, widths, out, colour, limit);
    for (size_t i = 0; i + table->width <= table->count; i += table->width)
        print_row(table, &table->cells[i], widths, out, colour, limit);
    free(widths);
    return 0;
}
