/*
 * The agent's process: its start on the pty, and its end. Also reaps every other process whose
 * parent died, as pid 1 must.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "transport/error.h"

enum agent_state {
    AGENT_WAITS,  /* not yet started */
    AGENT_STARTS, /* forked; whether execve works is not known yet */
    AGENT_RUNS,
    AGENT_ENDED,
};

struct agent {
    enum agent_state state;
    const char *name; /* of the program, for messages */
    pid_t pid;
    int verdict_fd;        /* the child writes here when it fails before execve; -1 when closed */
    int code, signal;      /* once ended: one of them is 0 */
    struct bj_error error; /* why it could not be started; code is 0 when it was */
};

void agent_init(struct agent *agent);

/* Starts argv as the leader of a session with `tty` as its controlling terminal, at most `nproc`
 * processes (0: no limit of ours), and nothing of the shim's: no descriptor, no signal mask. A
 * failure is its end, with exit code 126 or 127 as a shell would give. */
void agent_start(struct agent *agent, char **argv, int tty, uint64_t nproc);

/* verdict_fd is readable: the agent runs, or failed to. */
void agent_on_verdict(struct agent *agent);

/* Another child than the agent ended. Its process id is still its own, until this returns. */
typedef void agent_other_fn(void *owner, const siginfo_t *info);

/* Takes the exit status of ended children. Returns true when there may be more. */
bool agent_reap(struct agent *agent, agent_other_fn *other, void *owner);

/* Kills the agent's whole session as far as a process that is not pid 1 can tell it. */
void agent_kill(const struct agent *agent);
