/*
 * A program that the monitor starts inside (EXEC), e.g. to pack the agent's work: its process, and
 * the end of its standard error. Standard input and output belong to its stream.
 *
 * The program runs as the agent does: the same user, environment and limits, in a session of its
 * own. When it ends, what it left behind in its process group ends with it.
 */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "transport/error.h"
#include "transport/message.h"

#define EXECS_MAX       16U /* programs at once */
#define EXEC_ERR_MAX    512U
#define EXEC_REASON_MAX (EXEC_ERR_MAX + 8U)

struct exec {
    pid_t pid;  /* 0 once it ended */
    int status; /* then: its exit status, 128 + signal when one ended it */
    int err_fd; /* -1 once it closed its standard error */
    size_t err_size;
    char err[EXEC_ERR_MAX]; /* the last of it */
};

/*
 * Starts the program of an EXEC message. *in takes its input, *out gives its output (non-blocking;
 * the caller owns them and the exec). -EPROTO for a message that no monitor of ours sends, another
 * code when the program cannot be started; a program that does not exist is started and ends.
 */
int exec_start(struct exec **exec, const struct bj_message *message, uint64_t nproc, int *in,
               int *out, struct bj_error *error);

/* Kills the program and its group, and forgets them. NULL is fine. */
void exec_free(struct exec *exec);

/* Reads what is there of its standard error. */
void exec_read_err(struct exec *exec);

/* It ended, and is not yet reaped. */
void exec_on_end(struct exec *exec, const siginfo_t *info);

/* After its end: the reason for CLOSE, printable ASCII. Returns its length. */
size_t exec_reason(struct exec *exec, char reason[EXEC_REASON_MAX]);
