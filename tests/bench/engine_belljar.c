#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/bench/engine.h"

static int start_pane(const struct engine *engine, const char *name, const char *arguments)
{
    return bench_shell(NULL, 0,
                       "%s run -d -n %s --project %s/files --scrollback %ld --record-limit 32M"
                       " --rows %d --cols %d -- ./pane %s >/dev/null",
                       engine->program, name, bench_directory, bench_scrollback, bench_rows,
                       bench_cols, arguments);
}

/* Zoomed, borders and bars take three rows and two columns more than the pane has. */
static int attach_plain(const struct engine *engine, struct terminal *terminal, const char *name)
{
    char *const argv[] = {(char *)engine->program, "attach", "--focus", (char *)name, NULL};
    return terminal_start(terminal, (unsigned)bench_rows + 3, (unsigned)bench_cols + 2, argv);
}

static int attach(const struct engine *engine, struct terminal *terminal, const char *name)
{
    static const char *const zoom[] = {"\033[24~", "z", "\r"}; /* F12, zoom, Enter */
    if (attach_plain(engine, terminal, name) < 0)
        return -1;
    terminal_wait(terminal, "FOCUS", 10);
    for (size_t i = 0; i < sizeof(zoom) / sizeof(zoom[0]); i++) {
        terminal_type(terminal, zoom[i], strlen(zoom[i]));
        if (!terminal_settle(terminal, 250))
            return -1;
    }
    return 0;
}

static bool capture(const struct engine *engine, const char *name, char *out, size_t size)
{
    return bench_shell(out, size, "%s capture %s 2>/dev/null", engine->program, name) == 0;
}

static int type(const struct engine *engine, const char *name, char letter)
{
    return bench_shell(NULL, 0, "%s send %s %c >/dev/null", engine->program, name, letter);
}

static pid_t parent_of(pid_t pid)
{
    char path[64], line[512] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    const char *end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    fclose(file);
    return end && end[1] && end[2] ? (pid_t)atol(end + 3) : 0;
}

/* The server started both the monitors and bwrap, which waits for the shim. */
static void processes(const struct engine *engine, struct processes *out)
{
    char command[8192];
    snprintf(command, sizeof(command), "%s ls --json", engine->program);
    out->count = 0;
    FILE *pipe = popen(command, "r");
    json_t *list = pipe ? json_loadf(pipe, JSON_DISABLE_EOF_CHECK, NULL) : NULL, *item;
    if (pipe)
        pclose(pipe);
    size_t i;
    json_array_foreach(list, i, item)
    {
        pid_t shim = (pid_t)json_integer_value(json_object_get(item, "init_pid"));
        pid_t monitor = (pid_t)json_integer_value(json_object_get(item, "monitor_pid"));
        if (i == 0)
            processes_add(out, "server", parent_of(monitor));
        processes_add(out, "monitor", monitor);
        processes_add(out, "shim", shim);
        processes_add(out, "bwrap", parent_of(shim));
    }
    json_decref(list);
}

static void stop(const struct engine *engine)
{
    bench_shell(NULL, 0,
                "%s kill --all >/dev/null 2>&1; %s rm --all-exited >/dev/null 2>&1; "
                "%s server stop >/dev/null 2>&1",
                engine->program, engine->program, engine->program);
}

void engine_belljar_make(struct engine *engine, const char *program)
{
    *engine = (struct engine){.name = "belljar",
                              .program = program,
                              .version = "--version",
                              .ours = true,
                              .start_pane = start_pane,
                              .attach = attach,
                              .attach_plain = attach_plain,
                              .capture = capture,
                              .type = type,
                              .processes = processes,
                              .stop = stop};
}
