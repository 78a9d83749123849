/*
 * One program inside a sandbox, over a connection to RUNTIME/ID/exec.sock.
 *
 * The connection speaks the link's messages (transport/message.h) from the monitor's side: EXEC,
 * then DATA, EOF and CREDIT both ways, until the CLOSE that tells the exit status. What comes is
 * from inside, so every message is checked against the table, the state of the stream and the
 * caller's limit before a byte of it is used; nothing is kept beyond one message.
 *
 * Blocking; for command lines, not for event loops.
 */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/error.h"
#include "transport/message.h"

#define INSIDE_QUIET_MS                                                                            \
    (10 * 60 * 1000) /* a program that moves no byte for so long is given up                       \
                      */
#define INSIDE_TEXT_MAX (1024 + 1)

struct inside_program {
    const char *const *argv; /* ends with NULL; at most BJ_EXEC_ARGV_MAX bytes in all */
    const char *directory;   /* inside */
    int input;               /* descriptor read for its standard input, borrowed; -1: empty */
    uint64_t limit;          /* bytes of output that are taken */
    int quiet_ms;            /* 0: INSIDE_QUIET_MS */

    /* Gets the output, piece by piece. A negative code ends the run with it. */
    int (*output)(void *owner, const void *bytes, size_t size, struct bj_error *error);
    void *owner;

    const volatile sig_atomic_t *stop; /* set by a signal handler: ends the run; may be NULL */
};

struct inside_end {
    int status;                 /* exit status, 128 + signal */
    char text[INSIDE_TEXT_MAX]; /* last of its standard error, made printable */
    uint64_t sent, received;    /* bytes of input and output */
};

/*
 * Runs it to its end over `socket`, which is taken over and closed. 0 when it ended, whatever its
 * exit status; -EFBIG over the limit, -EPROTO when the other side breaks the protocol, -EPIPE when
 * the connection or the link ended, -ETIMEDOUT, -EINTR, or what `output` returned.
 */
int inside_run(int socket, const struct inside_program *program, struct inside_end *end,
               struct bj_error *error);
