/*
 * Who may dial Belljar's own sockets. The process that the server starts keeps its rights, does
 * nothing but connect to the two sockets it was told at its start, and passes the descriptors on;
 * the worker, which reads what comes from inside, has no right to make a unix socket at all, and as
 * root is another user. When either process ends, so does the other.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <uv.h>

#include "transport/error.h"

enum dialer_line { DIALER_STREAM, DIALER_SERVER, DIALER_LINES };

/* The parent: serves until the worker ends, SIGTERM comes, or the sandbox's runtime directory is
 * gone. Returns the exit status. */
int dialer_serve(int socket, pid_t worker, const char *const paths[DIALER_LINES]);

struct dialer;

/* A connected descriptor, now the callee's, or a negative errno value. */
typedef void dialer_done(struct dialer *dialer, enum dialer_line line, int descriptor);

/* The worker's end. Embedded in its owner; owns the descriptor. */
struct dialer {
    uv_poll_t poll;
    int socket;
    bool closing;
    dialer_done *done;
    void (*ended)(struct dialer *dialer); /* the parent is gone or wants an end */
    void *owner;
};

int dialer_open(struct dialer *dialer, uv_loop_t *loop, int socket, dialer_done *done,
                void (*ended)(struct dialer *dialer), void *owner, struct bj_error *error);
void dialer_ask(struct dialer *dialer, enum dialer_line line);
void dialer_close(struct dialer *dialer);
