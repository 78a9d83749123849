/*
 * The multiplexers that are compared, behind one table: how each starts panes, attaches a client,
 * types into and reads a pane, and which processes are its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/terminal.h"

#define BENCH_ENGINES_MAX   4
#define BENCH_PROCESSES_MAX 8192

/* The processes that an engine keeps on the host, without its clients and what runs in its panes.
 */
struct processes {
    size_t count;
    struct {
        const char *kind;
        pid_t pid;
    } list[BENCH_PROCESSES_MAX];
};

struct engine {
    const char *name;
    const char *program; /* a path */
    const char *version; /* the option that prints it */
    bool ours;

    /* Starts a pane that runs `pane ARGUMENTS...` in the engine's session. */
    int (*start_pane)(const struct engine *engine, const char *name, const char *arguments);

    /* A client on the pane `name`, which fills the screen and has bench_rows and bench_cols. */
    int (*attach)(const struct engine *engine, struct terminal *terminal, const char *name);

    /* The same without preparation, for measuring the time until the pane's text is there. */
    int (*attach_plain)(const struct engine *engine, struct terminal *terminal, const char *name);

    /* The pane's visible text; false when it can't be had. */
    bool (*capture)(const struct engine *engine, const char *name, char *out, size_t size);

    /* One letter into the pane, without a client. */
    int (*type)(const struct engine *engine, const char *name, char letter);

    void (*processes)(const struct engine *engine, struct processes *out);

    /* Ends all of it. */
    void (*stop)(const struct engine *engine);
};

/* Set up by engines_find(): Belljar is the last. */
extern struct engine bench_engines[BENCH_ENGINES_MAX];
extern size_t bench_engine_count;

/* Those of `tmux` (Debian's), $BELLJAR_BENCH_TMUX (a newer one), $BELLJAR_BENCH_SCREEN and Belljar
 * that can be run. */
void engines_find(const char *belljar);
const struct engine *engine_ours(void);
const struct engine *engine_tmux(void); /* the first tmux, or NULL */

/* One file each fills these in. */
void engine_tmux_make(struct engine *engine, const char *name, const char *program);
void engine_screen_make(struct engine *engine, const char *program);
void engine_belljar_make(struct engine *engine, const char *program);

/* Where the benchmark keeps its files: programs and corpora in `files`, everything else beside. */
extern char bench_directory[256];

/* Makes it, and points Belljar there and away from the human's settings. 0, or -1 with errno. */
int bench_prepare(void);

extern int bench_rows, bench_cols; /* of a pane */
extern long bench_scrollback;      /* lines */

/* Goes on in a child; when a signal or a fault ends that, its parent stops the engines and removes
 * the directory. To be called once both are known. */
void bench_guard(void);

/* Waits until the pane shows the text, 30 s at most. */
bool await_text(const struct engine *engine, const char *name, const char *text);

/* Runs a shell command, formatted; returns its exit status and its first output bytes. */
int bench_shell(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds one process; what exceeds the list is left out. */
void processes_add(struct processes *processes, const char *kind, pid_t pid);

/* Sums over those of one kind, or of all when it is NULL. */
long processes_private_kib(const struct processes *processes, const char *kind);
long processes_proportional_kib(const struct processes *processes, const char *kind);
int64_t processes_cpu_us(const struct processes *processes, const char *kind);
long processes_switches(const struct processes *processes, const char *kind);
long processes_descriptors(const struct processes *processes, const char *kind);
size_t processes_number(const struct processes *processes, const char *kind);
