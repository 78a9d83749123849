#include "tui/cli/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/cli/diff_folder.h"
#include "tui/cli/git.h"
#include "tui/cli/plain.h"
#include "tui/cli/report.h"
#include "tui/cli/script.h"
#include "tui/cli/work.h"

#define LINE_MAX_BYTES (64U * 1024) /* a longer line is painted in parts */
#define DIFF_SIZE_MAX  (UINT64_C(256) << 20)

struct painter {
    FILE *out;
    bool colour, header; /* header: before the first @@ of a file */
    bool middle;         /* the line goes on from the last part */
    const char *style;
    char line[LINE_MAX_BYTES];
    size_t size;
};

/* The look of a line, by how it begins. What an agent writes can look like anything; it cannot
 * bring colours of its own. */
static const char *style_of(struct painter *painter)
{
    const char *line = painter->line;
    if (painter->size >= 5 && memcmp(line, "diff ", 5) == 0) {
        painter->header = true;
        return "1";
    }
    if (painter->size >= 2 && memcmp(line, "@@", 2) == 0) {
        painter->header = false;
        return "36";
    }
    if (painter->header)
        return "1";
    return painter->size == 0 ? NULL : line[0] == '+' ? "32" : line[0] == '-' ? "31" : NULL;
}

static void paint(struct painter *painter, bool ends)
{
    if (!painter->middle)
        painter->style = painter->colour ? style_of(painter) : NULL;
    if (painter->style)
        fprintf(painter->out, "\033[%sm", painter->style);
    /* Tabs pass, and there is no line feed in it. */
    plain_write(painter->out, painter->line, painter->size, PLAIN_LINES);
    if (painter->style)
        fputs("\033[m", painter->out);
    if (ends)
        fputc('\n', painter->out);
    painter->middle = !ends;
    painter->size = 0;
}

static int on_output(void *owner, const void *bytes, size_t size, struct bj_error *error)
{
    struct painter *painter = owner;
    const char *at = bytes;
    for (size_t i = 0; i < size; i++) {
        bool ends = at[i] == '\n';
        if (!ends)
            painter->line[painter->size++] = at[i];
        if (ends || painter->size == sizeof(painter->line))
            paint(painter, ends);
    }
    return ferror(painter->out) ? bj_fail(error, -EPIPE, "the output is closed") : 0;
}

/* The user's pager when there is one to be used, else stdout. */
static FILE *open_output(bool *paged)
{
    const char *pager = getenv("PAGER");
    *paged = false;
    if (!isatty(STDOUT_FILENO) || !pager || !*pager || strcmp(pager, "cat") == 0)
        return stdout;
    setenv("LESS", "FRX", 0); /* as git does: colours, and no pager for what fits */
    signal(SIGPIPE, SIG_DFL); /* for the pager */
    FILE *out = popen(pager, "we");
    signal(SIGPIPE, SIG_IGN);
    *paged = out != NULL;
    return out ? out : stdout;
}

static void paint_open(struct painter *painter, const struct args *args, bool *paged)
{
    *painter = (struct painter){.out = open_output(paged)};
    painter->colour = report_colour(stdout) && !args_set(args, "stat");
}

/* Returns the status, but 0 for a human who has left his pager: he has seen enough. */
static int paint_close(struct painter *painter, bool paged, int status)
{
    if (painter->size > 0)
        paint(painter, true);
    return paged && pclose(painter->out) >= 0 && status == -EPIPE ? 0 : status;
}

static int show_folder(struct work *work, const struct args *args, struct bj_error *error)
{
    static struct painter painter;
    struct diff_folder folder = {.stat = args_set(args, "stat"),
                                 .size_max = args_number(args, "max-size", WORK_SIZE_MAX)};
    struct git_output output;
    bool paged;
    int status = diff_folder(work, &folder, &output, error);
    if (status < 0)
        return status;
    paint_open(&painter, args, &paged);
    status = paint_close(&painter, paged, on_output(&painter, output.text, output.size, error));
    work->bytes = output.size;
    free(output.text);
    if (folder.left_out > 0)
        fprintf(stderr,
                "belljar: %" PRIu64 " of its entries are not compared: belljar pull says which\n",
                folder.left_out);
    return status;
}

static int show(struct work *work, const struct args *args, struct bj_error *error)
{
    static struct painter painter;
    bool paged;
    struct inside_end end;
    char head[GIT_ID_MAX];
    struct git git = {.repository = work->project, .safe = work->project, .stop = &work_stop};
    const char *const argv[] = {
        "sh", "-c", script_diff, "git", head, args_set(args, "stat") ? "--stat" : "-p", NULL};
    struct inside_program program = {.argv = argv,
                                     .directory = WORK_INSIDE,
                                     .input = -1,
                                     .limit = args_number(args, "max-size", DIFF_SIZE_MAX),
                                     .output = on_output,
                                     .owner = &painter};
    int status = git_line(&git, GIT("rev-parse", "-q", "--verify", "HEAD^{commit}"), head,
                          sizeof(head), error);
    if (status < 0 && status != -ENOENT)
        return status;
    paint_open(&painter, args, &paged);
    status = work_run(work, &program, &end, error);
    if (status == -EIO && end.status > 0)
        bj_fail(error, status, "git failed inside the sandbox: %.300s", end.text);
    status = paint_close(&painter, paged, status);
    work->bytes = end.received;
    return status;
}

int diff_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct work work;
    int status = work_open(&work, paths, args->words[0], "diff", &error);
    if (status == 0)
        status = work_close(
            &work, work.repository ? show(&work, args, &error) : show_folder(&work, args, &error),
            &error);
    return status < 0 ? report_error(&error) : report_end();
}
