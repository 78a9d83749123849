/*
 * The benchmark: Belljar against tmux and the raw pty, all in one run, as ratios.
 *
 *   bench BELLJAR PANE [throughput|echo|memory|start|idle]...
 *
 * Every figure is printed as measured, beside the others of the same minute on the same machine.
 * Nothing here gates: these machines are shared and noisy.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/corpus.h"
#include "tests/bench/engine.h"

#define CORPUS_SIZE (30U * 1000 * 1000)
#define ROUNDS      3

static const struct engine *const engines[] = {&engine_tmux, &engine_belljar};
#define ENGINES (sizeof(engines) / sizeof(engines[0]))

static double megabytes_per_second(const char *text)
{
    const char *result = strstr(text, "RESULT ");
    long long microseconds = result ? atoll(result + 7) : 0;
    return microseconds > 0 ? (double)CORPUS_SIZE / (double)microseconds : 0;
}

static double throughput_raw(const char *kind)
{
    char pane[512], corpus[512];
    snprintf(pane, sizeof(pane), "%s/files/pane", bench_directory);
    snprintf(corpus, sizeof(corpus), "%s/files/%s", bench_directory, kind);
    char *const argv[] = {pane, "write", corpus, NULL};
    struct terminal terminal;
    if (terminal_start(&terminal, BENCH_ROWS, BENCH_COLS, argv) < 0)
        return 0;
    terminal.answers = true;
    double speed = terminal_wait(&terminal, " .\r\n", 60) ? megabytes_per_second(terminal.tail) : 0;
    terminal_stop(&terminal);
    return speed;
}

/* One pane writes the corpus while a client is attached and drained. */
static double throughput_engine(const struct engine *engine, const char *kind)
{
    char name[64], arguments[256], text[65536];
    static int serial;
    snprintf(name, sizeof(name), "w%d", serial++);
    struct terminal client;
    double speed = 0;
    /* The client is attached to the very pane before the writing begins: `pane hold` waits for a
     * byte. */
    snprintf(arguments, sizeof(arguments), "hold %s", kind);
    if (engine->start_pane(name, arguments) != 0 || engine->attach(&client, name) < 0)
        return 0;
    int64_t end = bench_now_us() + 3 * 1000000;
    while (bench_now_us() < end && terminal_drain(&client, 50) >= 0)
        ;
    terminal_type(&client, "g", 1);
    end = bench_now_us() + 120 * 1000000LL;
    int64_t next_look = bench_now_us() + 200000;
    while (speed == 0 && bench_now_us() < end) {
        if (terminal_drain(&client, 20) < 0)
            break;
        if (bench_now_us() < next_look || !strstr(client.tail, "RESULT"))
            continue;
        if (engine->capture(name, text, sizeof(text)))
            speed = megabytes_per_second(text);
        next_look = bench_now_us() + 200000;
    }
    terminal_stop(&client);
    return speed;
}

static void bench_throughput(void)
{
    printf("\nThroughput of one attached pane, %dx%d, MB/s (best of %d)\n", BENCH_COLS, BENCH_ROWS,
           ROUNDS);
    printf("%-10s %10s %10s %10s %14s %14s\n", "corpus", "raw pty", "tmux", "belljar",
           "belljar/raw", "belljar/tmux");
    for (size_t i = 0; i < corpus_kinds_count; i++) {
        double best[ENGINES + 1] = {0};
        for (int round = 0; round < ROUNDS; round++) {
            double speed = throughput_raw(corpus_kinds[i]);
            best[ENGINES] = speed > best[ENGINES] ? speed : best[ENGINES];
            for (size_t e = 0; e < ENGINES; e++) {
                if (!engines[e]->available())
                    continue;
                speed = throughput_engine(engines[e], corpus_kinds[i]);
                best[e] = speed > best[e] ? speed : best[e];
                engines[e]->stop();
            }
        }
        printf("%-10s %10.1f %10.1f %10.1f %14.2f %14.2f\n", corpus_kinds[i], best[ENGINES],
               best[0], best[1], best[1] / best[ENGINES], best[1] / best[0]);
        fflush(stdout);
    }
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Types a rare character and waits until it is in what the outer terminal gets. */
static int measure_echo(struct terminal *client, int64_t *p50, int64_t *p99)
{
    enum { COUNT = 300 };
    static int64_t times[COUNT];
    static const char keys[] = "QXZJ";
    for (int i = 0; i < COUNT; i++) {
        while (terminal_drain(client, 15) > 0)
            ;
        client->tail_size = 0;
        char key[2] = {keys[i % 4], 0};
        int64_t start = bench_now_us();
        if (terminal_type(client, key, 1) < 0 || !terminal_wait(client, key, 5))
            return -1;
        times[i] = bench_now_us() - start;
    }
    qsort(times, COUNT, sizeof(times[0]), compare);
    *p50 = times[COUNT / 2];
    *p99 = times[COUNT * 99 / 100];
    return 0;
}

static void bench_echo(void)
{
    printf("\nEcho of a key through the attached client, ms\n");
    printf("%-28s %10s %10s\n", "", "p50", "p99");
    for (int floods = 0; floods <= 16; floods += 16) {
        for (size_t e = 0; e < ENGINES; e++) {
            if (!engines[e]->available())
                continue;
            struct terminal client;
            int64_t p50 = 0, p99 = 0;
            if (engines[e]->start_pane("echo", "echo") != 0)
                continue;
            for (int i = 0; i < floods; i++) {
                char name[32];
                snprintf(name, sizeof(name), "flood%d", i);
                engines[e]->start_pane(name, "flood");
            }
            if (engines[e]->attach(&client, "echo") == 0) {
                terminal_wait(&client, "READY", 10);
                int64_t end = bench_now_us() + 2000000;
                while (bench_now_us() < end && terminal_drain(&client, 50) >= 0)
                    ;
                char label[64];
                snprintf(label, sizeof(label), "%s, %d flooding", engines[e]->name, floods);
                if (measure_echo(&client, &p50, &p99) == 0)
                    printf("%-28s %10.2f %10.2f\n", label, (double)p50 / 1e3, (double)p99 / 1e3);
                else
                    printf("%-28s no echo within 5 s\n", label);
                terminal_stop(&client);
            }
            engines[e]->stop();
            fflush(stdout);
        }
    }
}

static void bench_memory(void)
{
    enum { PANES = 8 };
    printf("\nMemory per pane, KiB private (%d panes of %d columns)\n", PANES, BENCH_COLS);
    printf("%-12s %12s %22s\n", "", "empty", "10,000 coloured lines");
    for (size_t e = 0; e < ENGINES; e++) {
        if (!engines[e]->available())
            continue;
        long figures[2];
        for (int full = 0; full < 2; full++) {
            char name[32], text[65536];
            long before = 0;
            for (int i = 0; i < PANES + 1; i++) {
                snprintf(name, sizeof(name), "m%d", i);
                engines[e]->start_pane(name, full ? "lines 10000" : "lines 1");
                for (int tries = 0; tries < 300; tries++) {
                    if (engines[e]->capture(name, text, sizeof(text)) && strstr(text, "DONE"))
                        break;
                    usleep(50000);
                }
                if (i == 0) /* the first pane carries the engine itself */
                    before = engines[e]->memory_kib();
            }
            figures[full] = (engines[e]->memory_kib() - before) / PANES;
            engines[e]->stop();
        }
        printf("%-12s %12ld %22ld\n", engines[e]->name, figures[0], figures[1]);
        fflush(stdout);
    }
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

static void bench_start(void)
{
    char command[8192];
    printf("\nStart, ms (best of 20)\n");
    double bare = best_of(20, "bwrap --unshare-user --unshare-all --ro-bind /usr /usr --symlink "
                              "usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev "
                              "--tmpfs /tmp /usr/bin/true");
    bench_shell(NULL, 0, "%s ls >/dev/null", bench_belljar);
    snprintf(command, sizeof(command), "%s run -d -- true", bench_belljar);
    double ours = best_of(20, command);
    printf("bare bwrap %.1f, belljar run -d -- true %.1f, ratio %.2f\n", bare, ours, ours / bare);
    engine_belljar.stop();

    printf("Attach until the pane's text is on screen, ms (best of 5)\n");
    static const int counts[] = {1, 10, 100};
    int running = 0;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (; running < counts[i]; running++) {
            char name[32];
            snprintf(name, sizeof(name), "p%d", running);
            engine_belljar.start_pane(name, "echo");
        }
        double best = 1e9;
        for (int round = 0; round < 5; round++) {
            struct terminal client;
            char *const argv[] = {bench_belljar, "attach", "--focus", "p0", NULL};
            int64_t start = bench_now_us();
            if (terminal_start(&client, BENCH_ROWS, BENCH_COLS, argv) < 0)
                break;
            if (terminal_wait(&client, "READY", 10)) {
                double ms = (double)(bench_now_us() - start) / 1e3;
                best = ms < best ? ms : best;
            }
            terminal_stop(&client);
        }
        printf("%4d sandboxes %.0f\n", counts[i], best);
        fflush(stdout);
    }
    long cpu = engine_belljar.cpu_ms();
    sleep(10);
    printf("Idle: %d sandboxes use %.2f %% of one core\n", running,
           (double)(engine_belljar.cpu_ms() - cpu) / 100.0);
    engine_belljar.stop();
}

static int prepare(const char *pane)
{
    snprintf(bench_directory, sizeof(bench_directory), "/tmp/bj-bench-XXXXXX");
    if (!mkdtemp(bench_directory))
        return -1;
    char path[512];
    snprintf(path, sizeof(path), "%s/run", bench_directory);
    setenv("BELLJAR_RUNTIME_DIR", path, 1);
    snprintf(path, sizeof(path), "%s/state", bench_directory);
    setenv("BELLJAR_STATE_DIR", path, 1);
    if (bench_shell(NULL, 0, "mkdir %s/files && cp %s %s/files/pane", bench_directory, pane,
                    bench_directory) != 0)
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } benches[] = {{"throughput", bench_throughput},
                   {"echo", bench_echo},
                   {"memory", bench_memory},
                   {"start", bench_start}};
    if (argc < 3 || !realpath(argv[1], bench_belljar)) {
        fprintf(stderr, "usage: bench BELLJAR PANE [throughput|echo|memory|start]...\n");
        return 2;
    }
    if (prepare(argv[2]) < 0) {
        fprintf(stderr, "bench: cannot prepare %s: %s\n", bench_directory, strerror(errno));
        return 1;
    }
    for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++) {
        bool wanted = argc == 3;
        for (int arg = 3; arg < argc; arg++)
            wanted |= strcmp(argv[arg], benches[i].name) == 0;
        if (!wanted)
            continue;
        if (benches[i].run == bench_throughput)
            for (size_t k = 0; k < corpus_kinds_count; k++) {
                char path[512];
                snprintf(path, sizeof(path), "%s/files/%s", bench_directory, corpus_kinds[k]);
                corpus_write(corpus_kinds[k], path, CORPUS_SIZE);
            }
        benches[i].run();
        if (benches[i].run == bench_throughput)
            for (size_t k = 0; k < corpus_kinds_count; k++) {
                char path[512];
                snprintf(path, sizeof(path), "%s/files/%s", bench_directory, corpus_kinds[k]);
                unlink(path);
            }
    }
    bench_shell(NULL, 0, "rm -rf %s", bench_directory);
    return 0;
}
