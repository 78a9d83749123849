/*
 * How many sandboxes one host carries, and what each costs: starts idle ones in steps and measures
 * after each step. Ends at the first that does not start and prints what Belljar says of it.
 *
 *   tests/bench/run --many [NUMBER]      default 1000
 *
 * Proportional memory (PSS) is counted, so that code which all share counts once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/engine.h"
#include "tests/bench/report.h"

#define IDLE_SECONDS 10

static const char *const kinds[] = {"server", "monitor", "shim", "bwrap"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const char *const columns[] = {"10", "100", "250", "500", "1000"};
static const int steps[] = {10, 100, 250, 500, 1000};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

enum row {
    START_MS,
    LS_MS,
    ATTACH_MS,
    LIST_KEY_MS,
    IDLE_CPU,
    WAKE_UPS,
    TOTAL_KIB,
    PER_KIND, /* KINDS rows of KiB, then KINDS of descriptors */
    ROWS = PER_KIND + 2 * KINDS,
};
static double rows[ROWS][REPORT_COLUMNS_MAX];

static double ms_since(int64_t start)
{
    return (double)(bench_now_us() - start) / 1e3;
}

/* Starts the sandboxes from `from` up to `to`, four at a time. Returns 0, or -1 when one fails. */
static int start(const struct engine *engine, int from, int to, double *each)
{
    char why[2048];
    int64_t begin = bench_now_us();
    if (bench_shell(
            why, sizeof(why),
            "seq %d %d | xargs -P 4 -I{} sh -c '%s run -d -n m{} --no-record -- "
            "sleep infinity >/dev/null 2>%s/why{} || { cat %s/why{}; exit 255; }' 2>/dev/null",
            from, to, engine->program, bench_directory, bench_directory) != 0) {
        report_note("one of %d to %d did not start: %s", from, to, why);
        return -1;
    }
    *each = ms_since(begin) / (to - from + 1);
    return 0;
}

/* Until the first frame stands, and until a key in the list has moved the bar. */
static void look(const struct engine *engine, size_t step)
{
    struct terminal client;
    char *const argv[] = {(char *)engine->program, "attach", NULL};
    int64_t start = bench_now_us();
    if (terminal_start(&client, 50, 200, argv) < 0)
        return;
    if (terminal_wait(&client, "SUPERVISE", 60)) {
        rows[ATTACH_MS][step] = ms_since(start);
        terminal_settle(&client, 3000);
        terminal_type(&client, "l", 1);
        terminal_settle(&client, 2000);
        double best = 0;
        for (int i = 0; i < 20; i++) {
            while (terminal_drain(&client, 30) > 0)
                ;
            start = bench_now_us();
            terminal_type(&client, i % 2 ? "\033[A" : "\033[B", 3); /* up and down */
            if (terminal_drain(&client, 5000) <= 0)
                break;
            double ms = ms_since(start);
            best = best == 0 || ms < best ? ms : best;
        }
        rows[LIST_KEY_MS][step] = best;
    }
    terminal_stop(&client);
}

static void measure(const struct engine *engine, size_t step)
{
    static struct processes processes;
    double best = 0;
    for (int i = 0; i < 3; i++) {
        int64_t begin = bench_now_us();
        bench_shell(NULL, 0, "%s ls >/dev/null", engine->program);
        best = best == 0 || ms_since(begin) < best ? ms_since(begin) : best;
    }
    rows[LS_MS][step] = best;
    look(engine, step);
    engine->processes(engine, &processes);
    for (size_t i = 0; i < KINDS; i++) {
        long kib = processes_proportional_kib(&processes, kinds[i]);
        rows[TOTAL_KIB][step] += (double)kib;
        rows[PER_KIND + i][step] = (double)kib;
        rows[PER_KIND + KINDS + i][step] = (double)processes_descriptors(&processes, kinds[i]);
    }
    sleep(2);
    int64_t cpu = processes_cpu_us(&processes, NULL);
    long switches = processes_switches(&processes, NULL);
    sleep(IDLE_SECONDS);
    rows[IDLE_CPU][step] = (double)(processes_cpu_us(&processes, NULL) - cpu) / IDLE_SECONDS / 1e4;
    rows[WAKE_UPS][step] = (double)(processes_switches(&processes, NULL) - switches) / IDLE_SECONDS;
}

static void print(size_t count)
{
    static const char *const names[] = {"start of one, four at a time, ms",
                                        "ls, ms",
                                        "attach, ms",
                                        "key in the list, ms",
                                        "idle CPU, % of one core",
                                        "wake-ups a second",
                                        "all memory, KiB"};
    report_table("many", "Idle sandboxes on one host", count, columns);
    for (size_t i = 0; i < PER_KIND; i++)
        report_row(names[i], rows[i]);
    for (size_t i = 0; i < 2 * KINDS; i++) {
        char label[64];
        snprintf(label, sizeof(label), "%s, %s", kinds[i % KINDS],
                 i < KINDS ? "KiB" : "descriptors");
        report_row(label, rows[PER_KIND + i]);
    }
}

int main(int argc, char **argv)
{
    static char belljar[4096];
    int most = argc > 2 ? atoi(argv[2]) : 1000;
    if (argc < 2 || most < 1 || !realpath(argv[1], belljar)) {
        fprintf(stderr, "usage: many BELLJAR [NUMBER]\n");
        return 2;
    }
    if (bench_prepare() < 0) {
        fprintf(stderr, "many: cannot make %s: %s\n", bench_directory, strerror(errno));
        return 1;
    }
    engines_find(belljar);
    bench_guard();
    const struct engine *engine = engine_ours();
    size_t step = 0;
    for (int running = 0; step < STEPS && steps[step] <= most; step++) {
        if (start(engine, running + 1, steps[step], &rows[START_MS][step]) < 0)
            break;
        running = steps[step];
        measure(engine, step);
        report_note("%d run", running);
    }
    print(step);
    engine->stop(engine);
    bench_shell(NULL, 0, "rm -rf %s", bench_directory);
    return 0;
}
