#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/corpus.h"
#include "tests/bench/engine.h"
#include "tests/bench/report.h"
#include "tests/bench/sections.h"

#define PATIENCE_US (120 * 1000000LL)

/* What `pane` said at its end. */
struct result {
    long long us, cpu_us;
    int rows, cols;
};

#define SHORT (bench_quick ? 6U * 1000 * 1000 : 12U * 1000 * 1000)
#define LONG  (bench_quick ? 24U * 1000 * 1000 : 64U * 1000 * 1000)

static size_t corpus_size; /* bytes of each file */

/* Makes the files that are written, or removes those of 0 bytes. */
static void corpora(size_t size)
{
    corpus_size = size;
    for (size_t i = 0; i < corpus_kinds_count; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/files/%s", bench_directory, corpus_kinds[i]);
        if (size > 0)
            corpus_write(corpus_kinds[i], path, size);
        else
            unlink(path);
    }
}

static bool result_read(const char *text, struct result *result)
{
    const char *at = strstr(text, "RESULT ");
    return at && sscanf(at, "RESULT %lld %lld %dx%d .", &result->us, &result->cpu_us, &result->rows,
                        &result->cols) == 4;
}

static double speed_of(const struct result *result)
{
    return result->us > 0 ? (double)corpus_size / (double)result->us : 0; /* MB/s */
}

/* The program under a pty that is only read, by this process or through another. */
static double plain_pty(terminal_start_fn *start, const char *kind)
{
    char pane[512], corpus[512];
    struct result result = {0};
    snprintf(pane, sizeof(pane), "%s/files/pane", bench_directory);
    snprintf(corpus, sizeof(corpus), "%s/files/%s", bench_directory, kind);
    char *const argv[] = {pane, "write", corpus, NULL};
    struct terminal terminal;
    if (start(&terminal, (unsigned)bench_rows, (unsigned)bench_cols, argv) < 0)
        return 0;
    terminal.answers = true;
    if (terminal_wait(&terminal, " .\r\n", 60))
        result_read(terminal.tail, &result);
    terminal_stop(&terminal);
    return speed_of(&result);
}

/* A pane with a client on it that is at the point of writing: `pane hold` waits for a byte. */
static int hold(const struct engine *engine, const char *kind, char name[64],
                struct terminal *client)
{
    static int serial;
    char arguments[64];
    snprintf(name, 64, "w%d", serial++);
    snprintf(arguments, sizeof(arguments), "hold %s", kind);
    if (engine->start_pane(engine, name, arguments) != 0 || !await_text(engine, name, "HOLD") ||
        engine->attach(engine, client, name) < 0)
        return -1;
    if (terminal_settle(client, 500))
        return 0;
    terminal_stop(client);
    return -1;
}

/* Waits until the pane has written all; `client` may be NULL. */
static bool await(const struct engine *engine, const char *name, struct terminal *client,
                  struct result *result)
{
    static char text[262144];
    int64_t end = bench_now_us() + PATIENCE_US, next_look = 0;
    while (bench_now_us() < end) {
        if (client && terminal_drain(client, 20) < 0)
            return false;
        if (!client)
            usleep(250000);
        if (bench_now_us() < next_look || (client && !strstr(client->tail, "RESULT")))
            continue;
        if (engine->capture(engine, name, text, sizeof(text)) && result_read(text, result)) {
            if (result->rows != bench_rows || result->cols != bench_cols)
                report_note("%s has given %dx%d instead of %dx%d", engine->name, result->rows,
                            result->cols, bench_rows, bench_cols);
            return true;
        }
        next_look = bench_now_us() + 250000;
    }
    return false;
}

static double throughput(const struct engine *engine, const char *kind, bool attached)
{
    char name[64];
    struct terminal client;
    struct result result = {0};
    if (hold(engine, kind, name, &client) < 0)
        return 0;
    if (attached) {
        terminal_type(&client, "g", 1);
        await(engine, name, &client, &result);
        terminal_stop(&client);
    } else {
        terminal_stop(&client);
        engine->type(engine, name, 'g');
        await(engine, name, NULL, &result);
    }
    return speed_of(&result);
}

static void throughput_table(const char *table, bool attached, int rounds)
{
    static const char *columns[REPORT_COLUMNS_MAX];
    char title[128];
    size_t count = 0;
    columns[count++] = "raw pty";
    columns[count++] = "bare relay";
    for (size_t e = 0; e < bench_engine_count; e++)
        columns[count++] = bench_engines[e].name;
    columns[count++] = "belljar/raw";
    columns[count++] = "belljar/relay";
    columns[count++] = "belljar/tmux";
    snprintf(title, sizeof(title), "Throughput of one %s pane, %dx%d, %zu MB, MB/s (best of %d)",
             attached ? "attached" : "detached", bench_cols, bench_rows, corpus_size / 1000000,
             rounds);
    report_table(table, title, count, columns);
    for (size_t i = 0; i < corpus_kinds_count; i++) {
        double best[REPORT_COLUMNS_MAX] = {0};
        for (int round = 0; round < rounds; round++) {
            best[0] = fmax(best[0], plain_pty(terminal_start, corpus_kinds[i]));
            best[1] = fmax(best[1], plain_pty(terminal_start_relayed, corpus_kinds[i]));
            for (size_t e = 0; e < bench_engine_count; e++) {
                double speed = throughput(&bench_engines[e], corpus_kinds[i], attached);
                best[2 + e] = fmax(best[2 + e], speed);
                bench_engines[e].stop(&bench_engines[e]);
            }
        }
        double ours = best[1 + bench_engine_count];
        best[2 + bench_engine_count] = ours / best[0];
        best[3 + bench_engine_count] = ours / best[1];
        best[4 + bench_engine_count] = engine_tmux() ? ours / best[2] : 0;
        char label[64];
        snprintf(label, sizeof(label), "%s, %dx%d, %s", corpus_kinds[i], bench_cols, bench_rows,
                 attached ? "attached" : "detached");
        report_row(label, best);
    }
}

void section_throughput(void)
{
    static const int sizes[][2] = {{50, 200}, {24, 80}, {120, 400}};
    corpora(SHORT);
    for (size_t i = 0; i < (bench_quick ? 1 : 3); i++) {
        bench_rows = sizes[i][0];
        bench_cols = sizes[i][1];
        throughput_table("throughput", true, bench_quick ? 2 : 3);
        throughput_table("throughput", false, bench_quick ? 1 : 2);
    }
    bench_rows = sizes[0][0];
    bench_cols = sizes[0][1];
    corpora(0);
}

/* What is touched for the first time, and where the scheduler puts whom, counts for little here. */
void section_long(void)
{
    corpora(LONG);
    throughput_table("long", true, bench_quick ? 1 : 2);
    corpora(0);
}

/* CPU nanoseconds for each byte of a corpus: what the wall clock hides on several cores. */
static void cost_of(const struct engine *engine, const char *kind)
{
    char name[64], label[64];
    struct terminal client;
    static struct processes processes, client_process;
    struct result result = {0};
    if (hold(engine, kind, name, &client) < 0)
        return;
    engine->processes(engine, &processes);
    client_process.count = 0;
    processes_add(&client_process, "client", client.pid);
    static const char *const kinds[] = {"shim", "monitor", "server"};
    int64_t before[3], client_before = processes_cpu_us(&client_process, NULL);
    for (int i = 0; i < 3; i++)
        before[i] = processes_cpu_us(&processes, kinds[i]);
    terminal_type(&client, "g", 1);
    if (await(engine, name, &client, &result)) {
        double values[5], bytes = (double)corpus_size / 1000; /* microseconds to ns */
        values[0] = (double)result.cpu_us / bytes;
        for (int i = 0; i < 3; i++)
            values[1 + i] = (double)(processes_cpu_us(&processes, kinds[i]) - before[i]) / bytes;
        values[4] = (double)(processes_cpu_us(&client_process, NULL) - client_before) / bytes;
        snprintf(label, sizeof(label), "%s, %s", kind, engine->name);
        report_row(label, values);
    }
    terminal_stop(&client);
    engine->stop(engine);
}

void section_cost(void)
{
    static const char *const columns[] = {"program", "shim", "monitor", "server", "client"};
    report_table("cost", "CPU time of one attached pane, 200x50, nanoseconds a byte", 5, columns);
    corpora(SHORT);
    for (size_t i = 0; i < corpus_kinds_count; i++)
        for (size_t e = 0; e < bench_engine_count; e++)
            cost_of(&bench_engines[e], corpus_kinds[i]);
    corpora(0);
}

void section_outer(void)
{
    static const char *columns[REPORT_COLUMNS_MAX];
    double values[REPORT_COLUMNS_MAX] = {0};
    for (size_t e = 0; e < bench_engine_count; e++)
        columns[e] = bench_engines[e].name;
    report_table("outer", "Sent to the human's terminal while a pane floods, 200x50, KB/s",
                 bench_engine_count, columns);
    for (size_t e = 0; e < bench_engine_count; e++) {
        const struct engine *engine = &bench_engines[e];
        struct terminal client;
        if (engine->start_pane(engine, "flood", "flood") == 0 &&
            engine->attach(engine, &client, "flood") == 0) {
            terminal_settle(&client, 1000);
            uint64_t before = client.received;
            int64_t start = bench_now_us();
            terminal_settle(&client, 3000);
            values[e] = (double)(client.received - before) * 1e3 / (double)(bench_now_us() - start);
            terminal_stop(&client);
        }
        engine->stop(engine);
    }
    report_row("coloured lines", values);
}
