#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/engine.h"
#include "tests/bench/report.h"
#include "tests/bench/sections.h"

#define MEMORY_PANES 4
#define IDLE_PANES   100
#define IDLE_SECONDS 10

static const char *names[BENCH_ENGINES_MAX + 1];

static size_t engine_columns(void)
{
    for (size_t e = 0; e < bench_engine_count; e++)
        names[e] = bench_engines[e].name;
    return bench_engine_count;
}

/* KiB for each pane more: of the processes that keep text, and of all. */
static void memory_of(const struct engine *engine, long lines, double *text, double *all)
{
    static struct processes processes;
    const char *keeper = engine->ours ? "monitor" : "server";
    char name[32], arguments[32];
    long keeper_before = 0, all_before = 0;
    snprintf(arguments, sizeof(arguments), "lines %ld", lines);
    for (int i = 0; i < MEMORY_PANES + 1; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        if (engine->start_pane(engine, name, arguments) != 0)
            break;
        await_text(engine, name, "DONE");
        if (i > 0) /* the first pane carries the engine itself */
            continue;
        engine->processes(engine, &processes);
        keeper_before = processes_private_kib(&processes, keeper);
        all_before = processes_private_kib(&processes, NULL);
    }
    engine->processes(engine, &processes);
    *text = (double)(processes_private_kib(&processes, keeper) - keeper_before) / MEMORY_PANES;
    *all = (double)(processes_private_kib(&processes, NULL) - all_before) / MEMORY_PANES;
    engine->stop(engine);
}

void section_memory(void)
{
    static const long lines[] = {1, 10000, 100000};
    report_table("memory", "Private memory of a pane of 200 columns, KiB", engine_columns(), names);
    bench_scrollback = 100000;
    for (size_t i = 0; i < (bench_quick ? 2 : 3); i++) {
        double text[REPORT_COLUMNS_MAX] = {0}, all[REPORT_COLUMNS_MAX] = {0};
        for (size_t e = 0; e < bench_engine_count; e++)
            memory_of(&bench_engines[e], lines[i], &text[e], &all[e]);
        char label[64];
        snprintf(label, sizeof(label), "%ld coloured lines", lines[i]);
        report_row(label, text);
        snprintf(label, sizeof(label), "%ld lines, shim and bwrap too", lines[i]);
        report_row(label, all);
    }
    bench_scrollback = 10000;
}

static double best_of(int rounds, const char *command)
{
    double best = 1e9;
    for (int i = 0; i < rounds; i++) {
        int64_t start = bench_now_us();
        if (bench_shell(NULL, 0, "%s >/dev/null 2>&1", command) != 0)
            return 0;
        double ms = (double)(bench_now_us() - start) / 1e3;
        best = ms < best ? ms : best;
    }
    return best;
}

static void start_table(void)
{
    static const char *const columns[] = {"ms", "of bwrap's"};
    char command[8192];
    const int rounds = bench_quick ? 10 : 20;
    report_table("start", "Start of a sandbox, from a shell", 2, columns);
    double bare =
        best_of(rounds, "bwrap --unshare-user --unshare-all --ro-bind /usr /usr --symlink "
                        "usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev "
                        "--tmpfs /tmp /usr/bin/true");
    const char *belljar = engine_ours()->program;
    bench_shell(NULL, 0, "%s ls >/dev/null", belljar);
    snprintf(command, sizeof(command), "%s run -d -- true", belljar);
    double ours = best_of(rounds, command);
    report_row("bare bwrap", (double[]){bare, 1});
    report_row("belljar run -d -- true", (double[]){ours, ours / bare});
    engine_ours()->stop(engine_ours());
}

/* Milliseconds until the pane's text is on the human's screen. */
static double attach_time(const struct engine *engine)
{
    double best = 0;
    for (int round = 0; round < 5; round++) {
        struct terminal client;
        int64_t start = bench_now_us();
        if (engine->attach_plain(engine, &client, "p0") < 0)
            return 0;
        if (terminal_wait(&client, "READY", 10)) {
            double ms = (double)(bench_now_us() - start) / 1e3;
            best = best == 0 || ms < best ? ms : best;
        }
        terminal_stop(&client);
    }
    return best;
}

void section_start(void)
{
    static const int counts[] = {1, 10, 100};
    double times[3][REPORT_COLUMNS_MAX] = {{0}};
    start_table();
    for (size_t e = 0; e < bench_engine_count; e++) {
        const struct engine *engine = &bench_engines[e];
        bool fits = true;
        for (int i = 0, running = 0; i < 3 && fits; i++) {
            for (; running < counts[i] && fits; running++) {
                char name[32];
                snprintf(name, sizeof(name), "p%d", running);
                fits = engine->start_pane(engine, name, "echo") == 0;
            }
            times[i][e] = fits ? attach_time(engine) : 0;
        }
        engine->stop(engine);
    }
    report_table("attach", "Attach until the pane's text is on screen, ms (best of 5)",
                 engine_columns(), names);
    for (int i = 0; i < 3; i++) {
        char label[32];
        snprintf(label, sizeof(label), "%d pane%s", counts[i], i ? "s" : "");
        report_row(label, times[i]);
    }
}

/* Per mille of a core and wake-ups a second, of the engine and of a client that looks on. */
static void idle_of(const struct engine *engine, struct terminal *client, double *cpu,
                    double *switches)
{
    static struct processes processes;
    engine->processes(engine, &processes);
    if (client)
        processes_add(&processes, "client", client->pid);
    int64_t cpu_before = processes_cpu_us(&processes, NULL);
    long switches_before = processes_switches(&processes, NULL);
    if (client)
        terminal_settle(client, IDLE_SECONDS * 1000);
    else
        sleep(IDLE_SECONDS);
    *cpu = (double)(processes_cpu_us(&processes, NULL) - cpu_before) / IDLE_SECONDS / 10000;
    *switches = (double)(processes_switches(&processes, NULL) - switches_before) / IDLE_SECONDS;
}

void section_idle(void)
{
    double cpu[2][REPORT_COLUMNS_MAX] = {{0}}, switches[2][REPORT_COLUMNS_MAX] = {{0}};
    for (size_t e = 0; e < bench_engine_count; e++) {
        const struct engine *engine = &bench_engines[e];
        struct terminal client;
        bool fits = true;
        for (int i = 0; i < IDLE_PANES && fits; i++) {
            char name[32];
            snprintf(name, sizeof(name), "p%d", i);
            fits = engine->start_pane(engine, name, "echo") == 0;
        }
        if (fits) {
            sleep(2);
            idle_of(engine, NULL, &cpu[0][e], &switches[0][e]);
        }
        if (fits && engine->attach_plain(engine, &client, "p0") == 0) {
            terminal_settle(&client, 2000);
            idle_of(engine, &client, &cpu[1][e], &switches[1][e]);
            terminal_stop(&client);
        }
        engine->stop(engine);
    }
    report_table("idle", "100 idle panes: percent of one core, and wake-ups a second",
                 engine_columns(), names);
    report_row("CPU, nobody attached", cpu[0]);
    report_row("wake-ups, nobody attached", switches[0]);
    report_row("CPU, one client", cpu[1]);
    report_row("wake-ups, one client", switches[1]);
}
