/*
 * The benchmark: Belljar against tmux, GNU screen and the raw pty, all in one run, as ratios.
 *
 *   bench BELLJAR PANE [--quick] [--json FILE] [SECTION]...
 *
 * Every figure is printed as measured, beside the others of the same minute on the same machine.
 * Nothing here gates: these machines are shared and noisy.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tests/bench/engine.h"
#include "tests/bench/report.h"
#include "tests/bench/sections.h"

bool bench_quick;

static const struct {
    const char *name;
    void (*run)(void);
} sections[] = {
    {"throughput", section_throughput}, {"long", section_long}, {"cost", section_cost},
    {"outer", section_outer},           {"echo", section_echo}, {"memory", section_memory},
    {"start", section_start},           {"idle", section_idle}, {"link", section_link},
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static int usage(void)
{
    fprintf(stderr, "usage: tests/bench/run [--quick] [--json FILE] [SECTION]...\nsections:");
    for (size_t i = 0; i < SECTIONS; i++)
        fprintf(stderr, " %s", sections[i].name);
    fputc('\n', stderr);
    return 2;
}

static int prepare(const char *pane)
{
    return bench_prepare() == 0 &&
                   bench_shell(NULL, 0, "cp %s %s/files/pane", pane, bench_directory) == 0
               ? 0
               : -1;
}

static void facts(void)
{
    struct utsname system;
    char text[256];
    snprintf(text, sizeof(text), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    report_fact("cores", text);
    uname(&system);
    snprintf(text, sizeof(text), "%s %s", system.sysname, system.release);
    report_fact("kernel", text);
    bench_shell(text, sizeof(text),
                "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1 |"
                " tr -d '\\n'");
    report_fact("processor", text);
    bench_shell(text, sizeof(text), "cut -d' ' -f1-3 /proc/loadavg | tr -d '\\n'");
    report_fact("load before", text);
    for (size_t e = 0; e < bench_engine_count; e++) {
        bench_shell(text, sizeof(text), "%s %s 2>/dev/null | head -n 1 | tr -d '\\n'",
                    bench_engines[e].program, bench_engines[e].version);
        report_fact(bench_engines[e].name, text);
    }
}

static bool chosen(const char *name, int count, char **names)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return count == 0;
}

static bool known(const char *name)
{
    for (size_t i = 0; i < SECTIONS; i++)
        if (strcmp(sections[i].name, name) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    static char belljar[4096];
    const char *json = NULL;
    if (argc < 3 || !realpath(argv[1], belljar))
        return usage();
    int at = 3;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--quick") == 0)
            bench_quick = true;
        else if (strcmp(argv[at], "--json") == 0 && at + 1 < argc)
            json = argv[++at];
        else
            return usage();
    }
    for (int i = at; i < argc; i++)
        if (!known(argv[i]))
            return usage();
    if (prepare(argv[2]) < 0) {
        fprintf(stderr, "bench: cannot prepare %s: %s\n", bench_directory, strerror(errno));
        return 1;
    }
    engines_find(belljar);
    bench_guard();
    facts();
    for (size_t i = 0; i < SECTIONS; i++) {
        int64_t start = bench_now_us();
        if (!chosen(sections[i].name, argc - at, argv + at))
            continue;
        sections[i].run();
        report_note("(%s took %lld s)", sections[i].name,
                    (long long)(bench_now_us() - start) / 1000000);
    }
    bench_shell(NULL, 0, "rm -rf %s", bench_directory);
    if (report_write(json) < 0) {
        fprintf(stderr, "bench: cannot write %s: %s\n", json, strerror(errno));
        return 1;
    }
    return 0;
}
