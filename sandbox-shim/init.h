/*
 * `belljar-shim init`: pid 1 of a sandbox. Owns the pty, the agent, the link, the ask server and
 * the streams, and runs the one poll(2) loop that serves them.
 *
 * It ends when the agent has ended and all of its output was acknowledged, with the agent's exit
 * code (128 + signal when a signal ended it); or at once when the monitor or the host asks for it.
 * Programs that the monitor has started put the end off, for 60 seconds at most.
 * Since it is pid 1, its end is the end of every process in the sandbox. Run as an ordinary process
 * (in tests, or below another init) it kills only the agent's session.
 */
#pragma once

#include <stdint.h>

#include "transport/error.h"

struct init_options {
    const char *link_path; /* the monitor's socket */
    const char *ask_path;  /* where `belljar-shim ask` finds us */
    uint64_t nproc;        /* RLIMIT_NPROC of the agent; 0: as it is */
    uint16_t proxy_port;   /* on 127.0.0.1; 0: none */
    uint16_t rows, cols;   /* the pty's size until the monitor says another */
    char **argv;           /* the agent, ends with NULL */
};

/* Returns the exit code of the process, or a negative errno with `error` filled. */
int init_run(const struct init_options *options, struct bj_error *error);
