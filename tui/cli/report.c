#include "tui/cli/report.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tui/cli/command.h"
#include "tui/cli/plain.h"

static void say(const char *format, va_list values)
{
    char text[BJ_ERROR_TEXT_MAX + 64];
    vsnprintf(text, sizeof(text), format, values);
    fputs("belljar: ", stderr);
    plain_write(stderr, text, strlen(text), 0);
    fputc('\n', stderr);
}

int report_failure(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(format, values);
    va_end(values);
    return COMMAND_FAILED;
}

int report_usage(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(format, values);
    va_end(values);
    return COMMAND_USAGE;
}

int report_error(const struct bj_error *error)
{
    return report_failure("%s", error->text[0] ? error->text : strerror(-error->code));
}

int report_json(json_t *value)
{
    int status = value ? json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) : -1;
    json_decref(value);
    if (status < 0)
        return report_failure("cannot write JSON: out of memory, or the output is closed");
    putchar('\n');
    return report_end();
}

int report_end(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return COMMAND_DONE;
    if (errno == EPIPE) /* the reader has seen enough, as with `belljar ls | head` */
        return COMMAND_FAILED;
    return report_failure("cannot write the output: %s", strerror(errno));
}

bool report_colour(FILE *out)
{
    const char *refused = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(fileno(out)) && !(refused && *refused) && term && strcmp(term, "dumb") != 0;
}

size_t report_columns(FILE *out)
{
    struct winsize size;
    if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col;
}

bool report_unicode(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *report_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

long long report_number(const json_t *object, const char *key)
{
    return (long long)json_number_value(json_object_get(object, key));
}
