#include "tui/cli/call.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tui/cli/plain.h"
#include "tui/cli/report.h"

int call_server(const struct bj_paths *paths, const char *method, json_t *params, json_t **result)
{
    struct bj_error error = {0};
    struct peer server;
    *result = NULL;
    if (sandbox_server(paths, false, &server, &error) < 0) {
        json_decref(params);
        return report_error(&error);
    }
    int status = peer_call(&server, method, params, PEER_TIMEOUT_MS, result, &error);
    peer_close(&server);
    return status < 0 ? report_error(&error) : COMMAND_DONE;
}

int call_print(struct table *table, const char *nothing)
{
    int status = 0;
    if (table->count == 0 && !table->failed)
        puts(nothing);
    else
        status = table_print(table, stdout, report_colour(stdout), report_columns(stdout));
    table_free(table);
    return status < 0 ? report_failure("out of memory") : report_end();
}

void call_age(const json_t *object, const char *key, char out[UNIT_TEXT_MAX])
{
    long long age = (long long)time(NULL) - report_number(object, key);
    unit_age_text(age > 0 ? (uint64_t)age : 0, out);
}

void call_line(FILE *out, const char *format, ...)
{
    va_list arguments;
    char *line = NULL;
    va_start(arguments, format);
    int size = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    plain_write(out, line, (size_t)size, 0);
    fputc('\n', out);
    free(line);
}
