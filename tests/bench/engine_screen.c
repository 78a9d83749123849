#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/engine.h"

#define SESSION "bj-bench"

static int start_pane(const struct engine *engine, const char *name, const char *arguments)
{
    if (bench_shell(NULL, 0, "%s -S " SESSION " -p 0 -Q echo '' >/dev/null 2>&1",
                    engine->program) == 0)
        return bench_shell(NULL, 0, "%s -S " SESSION " -X screen -t %s %s/files/pane %s",
                           engine->program, name, bench_directory, arguments);
    return bench_shell(NULL, 0,
                       "printf 'defscrollback %ld\\nstartup_message off\\ndefutf8 on\\n"
                       "vbell off\\nmsgwait 0\\nmsgminwait 0\\n' >%s/screenrc && "
                       "%s -U -c %s/screenrc -S " SESSION
                       " -d -m -t %s %s/files/pane %s && sleep 0.3",
                       bench_scrollback, bench_directory, engine->program, bench_directory, name,
                       bench_directory, arguments);
}

static int attach(const struct engine *engine, struct terminal *terminal, const char *name)
{
    char *const argv[] = {
        (char *)engine->program, "-U", "-S", SESSION, "-p", (char *)name, "-r", NULL};
    return terminal_start(terminal, (unsigned)bench_rows, (unsigned)bench_cols, argv);
}

static bool capture(const struct engine *engine, const char *name, char *out, size_t size)
{
    return bench_shell(out, size,
                       "rm -f %s/hardcopy; %s -S " SESSION " -p %s -X hardcopy %s/hardcopy && "
                       "for i in 1 2 3 4 5 6 7 8; do [ -s %s/hardcopy ] && break; sleep 0.02; "
                       "done; cat %s/hardcopy 2>/dev/null",
                       bench_directory, engine->program, name, bench_directory, bench_directory,
                       bench_directory) == 0;
}

static int type(const struct engine *engine, const char *name, char letter)
{
    return bench_shell(NULL, 0, "%s -S " SESSION " -p %s -X stuff %c", engine->program, name,
                       letter);
}

static void processes(const struct engine *engine, struct processes *out)
{
    char pid[64];
    bench_shell(pid, sizeof(pid), "%s -ls " SESSION " | sed -n 's/^\t\\([0-9]*\\)\\..*/\\1/p'",
                engine->program);
    out->count = 0;
    processes_add(out, "server", (pid_t)atol(pid));
}

static void stop(const struct engine *engine)
{
    bench_shell(NULL, 0, "%s -S " SESSION " -X quit >/dev/null 2>&1", engine->program);
    usleep(200000);
}

void engine_screen_make(struct engine *engine, const char *program)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/screens", bench_directory);
    bench_shell(NULL, 0, "mkdir -m 700 %s", path);
    setenv("SCREENDIR", path, 1);
    *engine = (struct engine){.name = "screen",
                              .program = program,
                              .version = "--version",
                              .start_pane = start_pane,
                              .attach = attach,
                              .attach_plain = attach,
                              .capture = capture,
                              .type = type,
                              .processes = processes,
                              .stop = stop};
}
