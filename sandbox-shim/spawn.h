/*
 * What a child of the shim does between fork(2) and the program that it becomes: nothing of the
 * shim's is left to it, no descriptor, no signal mask, and it dumps no core.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct spawn {
    char **argv;
    int in, out, err;      /* its standard descriptors */
    bool terminal;         /* `in` becomes its controlling terminal */
    const char *directory; /* its working directory; NULL or empty: the shim's */
    uint64_t nproc;        /* RLIMIT_NPROC; 0: as it is */
};

/* What is done, in this order. */
enum spawn_step {
    SPAWN_SESSION,
    SPAWN_TERMINAL,
    SPAWN_DESCRIPTORS,
    SPAWN_DIRECTORY,
    SPAWN_LIMIT,
    SPAWN_EXEC,
};

/* Becomes the program as the leader of a session of its own. Returns only when that failed: at
 * which step, with errno saying why. */
enum spawn_step spawn_become(const struct spawn *spawn);

/* For messages: "cannot ...". */
const char *spawn_step_text(enum spawn_step step);

/* The exit code for an errno, as a shell would give it. */
int spawn_exit_code(int number);
