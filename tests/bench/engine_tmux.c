#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/engine.h"

/* A server of its own for each version. */
static const char *server_of(const struct engine *engine)
{
    return strcmp(engine->name, "tmux") == 0 ? "bj-bench" : "bj-bench-newer";
}

static int start_pane(const struct engine *engine, const char *name, const char *arguments)
{
    const char *tmux = engine->program, *server = server_of(engine);
    if (bench_shell(NULL, 0, "%s -L %s has-session -t bench 2>/dev/null", tmux, server) == 0)
        return bench_shell(NULL, 0, "%s -L %s new-window -d -t bench: -n %s '%s/files/pane %s'",
                           tmux, server, name, bench_directory, arguments);
    return bench_shell(NULL, 0,
                       "printf 'set -g history-limit %ld\\nset -s escape-time 0\\n"
                       "set -g default-size %dx%d\\n' >%s/tmux.conf && "
                       "%s -L %s -f %s/tmux.conf new-session -d -s bench -n %s -x %d -y %d "
                       "'%s/files/pane %s'",
                       bench_scrollback, bench_cols, bench_rows + 1, bench_directory, tmux, server,
                       bench_directory, name, bench_cols, bench_rows + 1, bench_directory,
                       arguments);
}

static int attach(const struct engine *engine, struct terminal *terminal, const char *name)
{
    char *const argv[] = {
        (char *)engine->program, "-L", (char *)server_of(engine), "attach", "-t", "bench", NULL};
    bench_shell(NULL, 0, "%s -L %s select-window -t bench:%s", engine->program, server_of(engine),
                name);
    return terminal_start(terminal, (unsigned)bench_rows + 1, (unsigned)bench_cols, argv);
}

static bool capture(const struct engine *engine, const char *name, char *out, size_t size)
{
    return bench_shell(out, size, "%s -L %s capture-pane -p -t bench:%s 2>/dev/null",
                       engine->program, server_of(engine), name) == 0;
}

static int type(const struct engine *engine, const char *name, char letter)
{
    return bench_shell(NULL, 0, "%s -L %s send-keys -t bench:%s %c", engine->program,
                       server_of(engine), name, letter);
}

static void processes(const struct engine *engine, struct processes *out)
{
    char pid[64];
    bench_shell(pid, sizeof(pid), "%s -L %s display-message -p '#{pid}' 2>/dev/null",
                engine->program, server_of(engine));
    out->count = 0;
    processes_add(out, "server", (pid_t)atol(pid));
}

static void stop(const struct engine *engine)
{
    bench_shell(NULL, 0, "%s -L %s kill-server 2>/dev/null", engine->program, server_of(engine));
}

void engine_tmux_make(struct engine *engine, const char *name, const char *program)
{
    *engine = (struct engine){.name = name,
                              .program = program,
                              .version = "-V",
                              .start_pane = start_pane,
                              .attach = attach,
                              .attach_plain = attach,
                              .capture = capture,
                              .type = type,
                              .processes = processes,
                              .stop = stop};
}
