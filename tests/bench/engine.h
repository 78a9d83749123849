/*
 * The multiplexers that are compared, behind one table: how each starts panes, attaches a client,
 * reads a pane's text, and which processes are its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tests/bench/terminal.h"

#define BENCH_ROWS 50
#define BENCH_COLS 200

struct engine {
    const char *name;
    bool (*available)(void);

    /* Starts a pane that runs `pane ARGUMENTS...` in the engine's session. */
    int (*start_pane)(const char *name, const char *arguments);

    /* A client on the pane `name`, zoomed to the whole screen and focused. */
    int (*attach)(struct terminal *terminal, const char *name);

    /* The pane's visible text; false when it can't be had. */
    bool (*capture)(const char *name, char *out, size_t size);

    /* Private memory of everything that the engine keeps for its panes, in KiB. */
    long (*memory_kib)(void);

    /* CPU time of all of the engine's processes in ms. */
    long (*cpu_ms)(void);

    /* Ends all of it. */
    void (*stop)(void);
};

extern const struct engine engine_tmux, engine_belljar;

/* Where the benchmark keeps its files: programs and corpora in `files`, everything else beside. */
extern char bench_directory[256];
extern char bench_belljar[4096]; /* the client program */

/* Runs a shell command, formatted; returns its exit status and its first output bytes. */
int bench_shell(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sums over a list of process ids: Private_Clean + Private_Dirty of smaps_rollup, and CPU time. */
long bench_private_kib(const char *pids);
long bench_cpu_ms(const char *pids);
