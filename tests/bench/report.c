#include "tests/bench/report.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include <jansson.h>

static json_t *machine, *figures;
static const char *section;
static size_t column_count;
static const char *const *column_names;

void report_fact(const char *name, const char *value)
{
    if (!machine)
        machine = json_object();
    json_object_set_new(machine, name, json_string(value));
    printf("%s: %s\n", name, value);
}

void report_table(const char *name, const char *title, size_t count, const char *const *columns)
{
    section = name;
    column_count = count;
    column_names = columns;
    printf("\n%s\n%-32s", title, "");
    for (size_t i = 0; i < count; i++)
        printf(" %13s", columns[i]);
    putchar('\n');
    fflush(stdout);
}

void report_row(const char *label, const double *values)
{
    if (!figures)
        figures = json_array();
    printf("%-32s", label);
    for (size_t i = 0; i < column_count; i++) {
        if (!isfinite(values[i]) || values[i] <= 0) {
            printf(" %13s", "-");
            continue;
        }
        printf(" %13.*f", values[i] >= 100 ? 0 : values[i] >= 10 ? 1 : 2, values[i]);
        json_array_append_new(figures,
                              json_pack("{s:s, s:s, s:s, s:f}", "section", section, "case", label,
                                        "column", column_names[i], "value", values[i]));
    }
    putchar('\n');
    fflush(stdout);
}

void report_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

int report_write(const char *path)
{
    json_t *all = json_pack("{s:o, s:o}", "machine", machine ? machine : json_object(), "figures",
                            figures ? figures : json_array());
    int status = 0;
    if (path && json_dump_file(all, path, JSON_INDENT(1)) < 0)
        status = -1;
    json_decref(all);
    machine = figures = NULL;
    return status;
}
