/*
 * What was measured: printed as tables while it comes, and kept for one JSON file at the end.
 *
 * The file is {"machine": {...}, "figures": [{"section", "case", "column", "value"}]}; a value that
 * could not be had is missing there and a dash in the table.
 */
#pragma once

#include <stddef.h>

#define REPORT_COLUMNS_MAX 12

/* A fact about the machine or the run. */
void report_fact(const char *name, const char *value);

/* Begins a table. `columns` must last until the next one begins. */
void report_table(const char *section, const char *title, size_t count, const char *const *columns);

/* One value for each column; 0 and less means that there is none. */
void report_row(const char *label, const double *values);

/* A sentence below the table, for people only. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns 0, or -1 with errno. NULL writes nothing. */
int report_write(const char *path);
