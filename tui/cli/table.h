/*
 * A listing for people: a header and rows of cells in aligned columns.
 *
 * Cells are made safe (plain.h), widths count terminal columns, a style is an SGR parameter
 * string that is used only when the output is coloured. The struct owns copies of everything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table_column {
    const char *title; /* NULL ends the list */
    bool right;        /* numbers: aligned to the right */
};

struct table_cell {
    char *text;
    const char *style; /* a constant, or NULL */
};

struct table {
    const struct table_column *columns;
    size_t width; /* number of columns */
    struct table_cell *cells;
    size_t count, capacity;
    bool failed; /* out of memory: table_print says so */
};

void table_init(struct table *table, const struct table_column *columns);
void table_free(struct table *table);

/* The next cell, row by row. */
void table_add(struct table *table, const char *style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* With `limit` columns (0: no limit) the last column is cut. Returns 0 or -ENOMEM. */
int table_print(const struct table *table, FILE *out, bool colour, size_t limit);
