/*
 * What a sandbox uses, read from outside: CPU, memory, processes, disk and network. Nothing that
 * the sandbox says of itself goes in. Figures that cannot be read here are marked as missing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sample {
    uint64_t taken;    /* monotonic nanoseconds; 0: never */
    uint64_t cpu_usec; /* since start */
    double cpu;        /* percent of one core since the sample before */
    uint64_t memory;   /* bytes */
    uint64_t pids;     /* processes */
    uint64_t disk_read, disk_write, net_in, net_out; /* bytes since start */
    bool has_cpu, has_memory, has_disk, has_net;
};

/* What to look at; the cgroup's path may be "". */
struct sample_source {
    const char *cgroup;
    pid_t init;
};

/* Takes a new sample over the one before. 1 when a figure changed noticeably, 0 when not,
 * -ESRCH when the sandbox is gone. */
int sample_take(struct sample *sample, const struct sample_source *source, uint64_t now);

/* The CPU alone, by one file. */
struct glance {
    uint64_t taken; /* monotonic nanoseconds; 0: never */
    uint64_t cpu_usec;
    double cpu;   /* percent of one core since the glance before */
    bool has_cpu; /* there was one before */
};

/* -ENOENT when there is no such file. */
int sample_glance(struct glance *glance, const struct sample_source *source, uint64_t now);

/* CPU time used since the last sample, in microseconds, by the cheapest means (one file);
 * negative when there is none. Tells active sandboxes from quiet ones. */
int64_t sample_peek(const struct sample *sample, const struct sample_source *source);
