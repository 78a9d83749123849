/*
 * Our own program as a child of an event loop: what a command line can do, without waiting for it.
 *
 * The child is this very program with other arguments, its input empty, its output given piece by
 * piece. It owns its handles and frees itself behind `ended`, or when it was stopped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "transport/error.h"

#define CHILD_SAID_MAX 1024

struct child;

struct child_events {
    /* What it prints. May be NULL. */
    void (*output)(struct child *child, const char *bytes, size_t size);
    /* It ended and all its output was given: its exit code, 128 + signal; the beginning of its
     * standard error, without line feeds at the end. The child is gone behind this call. */
    void (*ended)(struct child *child, int code, const char *said);
};

struct child {
    uv_process_t process;
    uv_pipe_t out, err;
    const struct child_events *events;
    void *owner;
    int code;
    int going;   /* of process, out and err, those that have not come to their end */
    int handles; /* not closed yet */
    bool muted;
    char said[CHILD_SAID_MAX];
    size_t said_size;
};

/* `argv` ends with NULL; its first word is the command, not the program. NULL with an error. */
struct child *child_start(uv_loop_t *loop, const char *const argv[],
                          const struct child_events *events, void *owner, struct bj_error *error);

/* Ends it with SIGTERM; nothing more is told about it. */
void child_stop(struct child *child);
/* It runs on, but without us: the loop can end. Nothing more is told about it. */
void child_leave(struct child *child);

/* The first line of what a command said, clean and without the program's name in front; with what
 * follows when that is a heading. */
void child_line(const char *said, char *out, size_t size);
