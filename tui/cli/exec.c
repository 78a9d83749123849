#include "tui/cli/exec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tui/cli/plain.h"
#include "tui/cli/report.h"
#include "tui/cli/work.h"

#define LINE_MAX_BYTES (64U * 1024) /* a longer line is cleaned in parts */

struct printer {
    bool raw;
    char line[LINE_MAX_BYTES];
    size_t size;
};

static void print_line(struct printer *printer)
{
    plain_write(stdout, printer->line, printer->size, PLAIN_LINES | PLAIN_SGR);
    printer->size = 0;
}

static int on_output(void *owner, const void *bytes, size_t size, struct bj_error *error)
{
    struct printer *printer = owner;
    const char *at = bytes;
    if (printer->raw)
        fwrite(bytes, 1, size, stdout);
    for (size_t i = 0; !printer->raw && i < size; i++) {
        printer->line[printer->size++] = at[i];
        if (at[i] == '\n' || printer->size == sizeof(printer->line))
            print_line(printer);
    }
    fflush(stdout);
    return ferror(stdout) ? bj_fail(error, -EPIPE, "the output is closed") : 0;
}

/* The command as the audit log keeps it. */
static void note(struct work *work, const struct args *args)
{
    size_t size = 0;
    for (size_t i = 0; i < args->trailing_count && size < sizeof(work->target); i++)
        size += (size_t)snprintf(work->target + size, sizeof(work->target) - size, "%s%s",
                                 i ? " " : "", args->trailing[i]);
}

static int run(struct work *work, const struct args *args, struct inside_end *end,
               struct bj_error *error)
{
    static struct printer printer;
    struct inside_program program = {.argv = (const char *const *)args->trailing,
                                     .directory = WORK_INSIDE,
                                     .input = args_set(args, "stdin") ? STDIN_FILENO : -1,
                                     .limit = UINT64_MAX,
                                     .quiet_ms = 24 * 60 * 60 * 1000,
                                     .output = on_output,
                                     .owner = &printer};
    printer.raw = args_set(args, "raw");
    note(work, args);
    int status = work_run(work, &program, end, error);
    if (printer.size > 0)
        print_line(&printer);
    work->bytes = end->received;
    return status;
}

int exec_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct inside_end end = {0};
    struct work work;
    if (args->trailing_count == 0)
        return report_usage("exec: give a command behind --");
    if (args_set(args, "raw") && isatty(STDOUT_FILENO))
        return report_usage("exec: --raw prints what comes from inside as it is, which would reach "
                            "your terminal: send it to a file or a program");
    int status = work_open(&work, paths, args->words[0], "exec", &error);
    if (status < 0)
        return report_error(&error);
    status = work_close(&work, run(&work, args, &end, &error), &error);
    if (end.status == 0)
        return status < 0 ? report_error(&error) : report_end();
    if (end.text[0])
        fprintf(stderr, "%s\n", end.text);
    return end.status; /* the command's own */
}
