#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/engine.h"

void processes_add(struct processes *processes, const char *kind, pid_t pid)
{
    if (pid <= 0 || processes->count == BENCH_PROCESSES_MAX)
        return;
    processes->list[processes->count].kind = kind;
    processes->list[processes->count++].pid = pid;
}

/* Calls `add` for each line of /proc/PID/FILE. */
static void lines_of(pid_t pid, const char *file, void (*add)(const char *line, void *sum),
                     void *sum)
{
    char path[1024], line[512];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof(line), in))
        add(line, sum);
    if (in)
        fclose(in);
}

static bool wanted(const struct processes *processes, size_t i, const char *kind)
{
    return !kind || strcmp(processes->list[i].kind, kind) == 0;
}

static long sum_of(const struct processes *processes, const char *kind, const char *file,
                   void (*add)(const char *line, void *sum))
{
    long sum = 0;
    for (size_t i = 0; i < processes->count; i++)
        if (wanted(processes, i, kind))
            lines_of(processes->list[i].pid, file, add, &sum);
    return sum;
}

static void add_field(const char *line, const char *name, void *sum)
{
    if (strncmp(line, name, strlen(name)) == 0)
        *(long *)sum += strtol(strchr(line, ':') + 1, NULL, 10);
}

static void add_private(const char *line, void *sum)
{
    add_field(line, "Private_", sum);
}

static void add_proportional(const char *line, void *sum)
{
    add_field(line, "Pss:", sum);
}

static void add_switches(const char *line, void *sum)
{
    add_field(line, "voluntary_ctxt_switches", sum);
    add_field(line, "nonvoluntary_ctxt_switches", sum);
}

/* Nanoseconds on a processor are the first word. */
static void add_runtime(const char *line, void *sum)
{
    *(long *)sum += strtol(line, NULL, 10) / 1000;
}

long processes_private_kib(const struct processes *processes, const char *kind)
{
    return sum_of(processes, kind, "smaps_rollup", add_private);
}

long processes_proportional_kib(const struct processes *processes, const char *kind)
{
    return sum_of(processes, kind, "smaps_rollup", add_proportional);
}

/* /proc/PID has the figures of the first thread only. */
static long sum_of_threads(const struct processes *processes, const char *kind, const char *file,
                           void (*add)(const char *line, void *sum))
{
    long sum = 0;
    for (size_t i = 0; i < processes->count; i++) {
        char path[64], name[512];
        if (!wanted(processes, i, kind))
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task", processes->list[i].pid);
        DIR *directory = opendir(path);
        struct dirent *entry;
        while (directory && (entry = readdir(directory))) {
            if (entry->d_name[0] == '.')
                continue;
            snprintf(name, sizeof(name), "task/%s/%s", entry->d_name, file);
            lines_of(processes->list[i].pid, name, add, &sum);
        }
        if (directory)
            closedir(directory);
    }
    return sum;
}

int64_t processes_cpu_us(const struct processes *processes, const char *kind)
{
    return sum_of_threads(processes, kind, "schedstat", add_runtime);
}

long processes_switches(const struct processes *processes, const char *kind)
{
    return sum_of_threads(processes, kind, "status", add_switches);
}

long processes_descriptors(const struct processes *processes, const char *kind)
{
    long count = 0;
    for (size_t i = 0; i < processes->count; i++) {
        char path[64];
        if (!wanted(processes, i, kind))
            continue;
        snprintf(path, sizeof(path), "/proc/%d/fd", processes->list[i].pid);
        DIR *directory = opendir(path);
        struct dirent *entry;
        while (directory && (entry = readdir(directory)))
            count += entry->d_name[0] != '.';
        if (directory)
            closedir(directory);
    }
    return count;
}

size_t processes_number(const struct processes *processes, const char *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < processes->count; i++)
        count += wanted(processes, i, kind);
    return count;
}
