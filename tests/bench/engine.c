#include "tests/bench/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

char bench_directory[256];
char bench_belljar[4096];

int bench_shell(char *out, size_t size, const char *format, ...)
{
    char command[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    FILE *pipe = popen(command, "r");
    if (!pipe)
        return -1;
    char rest[4096];
    size_t used = 0;
    if (out && size > 0)
        used = fread(out, 1, size - 1, pipe);
    while (fread(rest, 1, sizeof(rest), pipe) > 0)
        ;
    if (out && size > 0)
        out[used] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

long bench_private_kib(const char *pids)
{
    char out[64];
    bench_shell(out, sizeof(out),
                "for p in %s; do cat /proc/$p/smaps_rollup 2>/dev/null; done |"
                " awk '/^Private/ {sum += $2} END {print sum + 0}'",
                pids);
    return atol(out);
}

long bench_cpu_ms(const char *pids)
{
    char out[64];
    bench_shell(out, sizeof(out),
                "for p in %s; do cat /proc/$p/stat 2>/dev/null; done |"
                " sed 's/.*) //' | awk -v hz=$(getconf CLK_TCK) '{sum += $12 + $13} END "
                "{print int(sum * 1000 / hz)}'",
                pids);
    return atol(out);
}

/* --- tmux ------------------------------------------------------------------------------------ */

static bool tmux_available(void)
{
    return bench_shell(NULL, 0, "command -v tmux >/dev/null") == 0;
}

static int tmux_start_pane(const char *name, const char *arguments)
{
    bool first = bench_shell(NULL, 0, "tmux -L bj-bench has-session -t bench 2>/dev/null") != 0;
    if (first)
        return bench_shell(
            NULL, 0,
            "printf 'set -g history-limit 10000\\nset -s escape-time 0\\n' >%s/tmux.conf && "
            "tmux -L bj-bench -f %s/tmux.conf new-session -d -s bench -n %s -x %d -y %d "
            "'%s/files/pane %s'",
            bench_directory, bench_directory, name, BENCH_COLS, BENCH_ROWS + 1, bench_directory,
            arguments);
    return bench_shell(NULL, 0, "tmux -L bj-bench new-window -d -t bench -n %s '%s/files/pane %s'",
                       name, bench_directory, arguments);
}

static int tmux_attach(struct terminal *terminal, const char *name)
{
    char *const argv[] = {"tmux", "-L", "bj-bench", "attach", "-t", "bench", NULL};
    bench_shell(NULL, 0, "tmux -L bj-bench select-window -t bench:%s", name);
    return terminal_start(terminal, BENCH_ROWS + 1, BENCH_COLS, argv);
}

static bool tmux_capture(const char *name, char *out, size_t size)
{
    return bench_shell(out, size, "tmux -L bj-bench capture-pane -p -t bench:%s 2>/dev/null",
                       name) == 0;
}

static const char *tmux_pids(void)
{
    static char pids[64];
    bench_shell(pids, sizeof(pids), "tmux -L bj-bench display-message -p '#{pid}' | tr -d '\\n'");
    return pids;
}

static long tmux_memory_kib(void)
{
    return bench_private_kib(tmux_pids());
}

static long tmux_cpu_ms(void)
{
    return bench_cpu_ms(tmux_pids());
}

static void tmux_stop(void)
{
    bench_shell(NULL, 0, "tmux -L bj-bench kill-server 2>/dev/null");
}

const struct engine engine_tmux = {"tmux",       tmux_available,  tmux_start_pane, tmux_attach,
                                   tmux_capture, tmux_memory_kib, tmux_cpu_ms,     tmux_stop};

/* --- Belljar --------------------------------------------------------------------------------- */

static bool belljar_available(void)
{
    return access(bench_belljar, X_OK) == 0;
}

static int belljar_start_pane(const char *name, const char *arguments)
{
    return bench_shell(
        NULL, 0, "%s run -d -n %s --project %s/files --record-limit 32M -- ./pane %s >/dev/null",
        bench_belljar, name, bench_directory, arguments);
}

static int belljar_attach(struct terminal *terminal, const char *name)
{
    char *const argv[] = {bench_belljar, "attach", "--focus", (char *)name, NULL};
    /* Zoomed, borders and bars take four rows and two columns more than the pane has. */
    if (terminal_start(terminal, BENCH_ROWS + 4, BENCH_COLS + 2, argv) < 0)
        return -1;
    static const char *const zoom[] = {"\033[24~", "z", "\r"}; /* F12, zoom, Enter */
    terminal_wait(terminal, "FOCUS", 10);
    for (size_t i = 0; i < sizeof(zoom) / sizeof(zoom[0]); i++) {
        terminal_type(terminal, zoom[i], strlen(zoom[i]));
        for (int64_t end = bench_now_us() + 300000; bench_now_us() < end;)
            if (terminal_drain(terminal, 20) < 0)
                return -1;
    }
    return 0;
}

static bool belljar_capture(const char *name, char *out, size_t size)
{
    return bench_shell(out, size, "%s capture %s 2>/dev/null", bench_belljar, name) == 0;
}

/* Every process of this benchmark's Belljar that is outside the sandboxes, but for bwrap's. */
static const char *belljar_pids(const char *pattern)
{
    static char pids[8192];
    bench_shell(
        pids, sizeof(pids),
        "for p in $(pgrep '^belljar-(%s)'); do tr '\\0' '\\n' </proc/$p/environ 2>/dev/null |"
        " grep -qx \"BELLJAR_RUNTIME_DIR=$BELLJAR_RUNTIME_DIR\" && echo $p;"
        " tr '\\0' ' ' </proc/$p/cmdline 2>/dev/null | grep -q \"$BELLJAR_RUNTIME_DIR\" &&"
        " echo $p; done | sort -u | tr '\\n' ' '",
        pattern);
    return pids;
}

static long belljar_memory_kib(void)
{
    return bench_private_kib(belljar_pids("monitor"));
}

static long belljar_cpu_ms(void)
{
    return bench_cpu_ms(belljar_pids("monitor|server|shim"));
}

static void belljar_stop(void)
{
    bench_shell(NULL, 0,
                "%s kill --all >/dev/null 2>&1; %s rm --all-exited >/dev/null 2>&1; "
                "%s server stop >/dev/null 2>&1",
                bench_belljar, bench_belljar, bench_belljar);
}

const struct engine engine_belljar = {"belljar",      belljar_available, belljar_start_pane,
                                      belljar_attach, belljar_capture,   belljar_memory_kib,
                                      belljar_cpu_ms, belljar_stop};
