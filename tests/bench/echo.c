#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/engine.h"
#include "tests/bench/report.h"
#include "tests/bench/sections.h"

#define KEYS_MAX 300

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Types a rare character and waits until it is in what the outer terminal gets. */
static int measure(struct terminal *client, int count, double *p50, double *p99)
{
    static int64_t times[KEYS_MAX];
    static const char keys[] = "QXZJ";
    for (int i = 0; i < count; i++) {
        while (terminal_drain(client, 15) > 0)
            ;
        client->tail_size = 0;
        char key[2] = {keys[i % 4], 0};
        int64_t start = bench_now_us();
        if (terminal_type(client, key, 1) < 0 || !terminal_wait(client, key, 5))
            return -1;
        times[i] = bench_now_us() - start;
    }
    qsort(times, (size_t)count, sizeof(times[0]), compare);
    *p50 = (double)times[count / 2] / 1e3;
    *p99 = (double)times[count * 99 / 100] / 1e3;
    return 0;
}

static int plain(terminal_start_fn *start, int count, double *p50, double *p99)
{
    char pane[512];
    struct terminal client;
    snprintf(pane, sizeof(pane), "%s/files/pane", bench_directory);
    char *const argv[] = {pane, "echo", NULL};
    if (start(&client, (unsigned)bench_rows, (unsigned)bench_cols, argv) < 0)
        return -1;
    int status = terminal_wait(&client, "READY", 10) ? measure(&client, count, p50, p99) : -1;
    terminal_stop(&client);
    return status;
}

static int echo_of(const struct engine *engine, int floods, int count, double *p50, double *p99)
{
    struct terminal client;
    int status = -1;
    if (engine->start_pane(engine, "echo", "echo") != 0)
        return -1;
    for (int i = 0; i < floods; i++) {
        char name[32];
        snprintf(name, sizeof(name), "flood%d", i);
        engine->start_pane(engine, name, "flood");
    }
    if (engine->attach(engine, &client, "echo") == 0) {
        terminal_wait(&client, "READY", 20);
        if (terminal_settle(&client, 2000))
            status = measure(&client, count, p50, p99);
        terminal_stop(&client);
    }
    engine->stop(engine);
    return status;
}

static double less(double best, double value)
{
    return best == 0 || value < best ? value : best;
}

void section_echo(void)
{
    /* Idle it is cheap, and varies most: a processor that sleeps is woken by the host. The tail
     * with 16 is what is aimed at. */
    static const struct {
        int floods, rounds;
    } rows[] = {{0, 6}, {1, 2}, {16, 4}, {64, 2}};
    static const char *columns[REPORT_COLUMNS_MAX];
    const int count = bench_quick ? 100 : KEYS_MAX;
    size_t used = 0;
    columns[used++] = "raw pty";
    columns[used++] = "bare chain";
    for (size_t e = 0; e < bench_engine_count; e++)
        columns[used++] = bench_engines[e].name;
    if (engine_tmux())
        columns[used++] = "belljar/tmux";
    char title[128];
    snprintf(title, sizeof(title),
             "Echo of a key through the attached client, ms (best of so many rounds of %d keys)",
             count);
    report_table("echo", title, used, columns);
    for (size_t f = 0; f < (bench_quick ? 3 : 4); f++) {
        double half[REPORT_COLUMNS_MAX] = {0}, most[REPORT_COLUMNS_MAX] = {0}, p50, p99;
        const int rounds = bench_quick ? 1 : rows[f].rounds;
        for (int round = 0; round < rounds; round++) {
            static terminal_start_fn *const starts[] = {terminal_start, terminal_start_chained};
            for (int s = 0; f == 0 && s < 2; s++) {
                if (plain(starts[s], count, &p50, &p99) < 0)
                    continue;
                half[s] = less(half[s], p50);
                most[s] = less(most[s], p99);
            }
            for (size_t e = 0; e < bench_engine_count; e++) {
                if (echo_of(&bench_engines[e], rows[f].floods, count, &p50, &p99) < 0)
                    continue;
                half[2 + e] = less(half[2 + e], p50);
                most[2 + e] = less(most[2 + e], p99);
            }
        }
        if (engine_tmux()) {
            half[used - 1] = half[1 + bench_engine_count] / half[2];
            most[used - 1] = most[1 + bench_engine_count] / most[2];
        }
        char label[64];
        snprintf(label, sizeof(label), "%d flooding, p50 (%d)", rows[f].floods, rounds);
        report_row(label, half);
        snprintf(label, sizeof(label), "%d flooding, p99 (%d)", rows[f].floods, rounds);
        report_row(label, most);
    }
}
