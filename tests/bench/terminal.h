/*
 * A program under a pty, as the benchmark drives it: started at a size, drained, typed into.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct terminal {
    int fd;
    pid_t pid;
    uint64_t received; /* bytes since the start */
    char tail[4096];   /* the newest of them, NUL-terminated */
    size_t tail_size;
    bool answers; /* answers cursor position queries itself, as the raw pty's reader must */
};

int64_t bench_now_us(void);

typedef int terminal_start_fn(struct terminal *terminal, unsigned rows, unsigned cols,
                              char *const argv[]);

/* Starts argv[0] with `env` added. Returns 0 or -1. */
terminal_start_fn terminal_start;

/* The same with a process between that does nothing but carry the bytes through a socket, as a wall
 * needs it: what is left to reach of the raw pty's speed. */
terminal_start_fn terminal_start_relayed;

/* The same with three of them in a row, where the client, the monitor and the shim are, and another
 * pty in front: what is left to reach of the raw pty's echo. */
terminal_start_fn terminal_start_chained;

/* Reads what is there, waiting at most `wait_ms`. Returns bytes read, 0 on time-out, -1 at the end.
 */
ssize_t terminal_drain(struct terminal *terminal, int wait_ms);

/* Drains until `text` is in the tail or `seconds` have passed. */
bool terminal_wait(struct terminal *terminal, const char *text, double seconds);

/* Drains for so long; false when the program has ended. */
bool terminal_settle(struct terminal *terminal, int milliseconds);

int terminal_type(struct terminal *terminal, const char *bytes, size_t size);

/* Hangs up and reaps. */
void terminal_stop(struct terminal *terminal);
