/*
 * Work on its way through the wall: what diff, pull and push share.
 *
 * Each begins with work.begin, which asks policy and audit log and names the sandbox's exec socket,
 * and ends with work.end, which puts the outcome into the audit log, also when it failed. While it
 * goes on, SIGINT, SIGTERM and SIGHUP end it in an orderly way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/paths.h"
#include "tui/cli/inside.h"
#include "tui/cli/scratch.h"
#include "tui/cli/visit.h"

#define WORK_INSIDE    "/work" /* where the project copy is inside */
#define WORK_SIZE_MAX  (UINT64_C(1) << 30)
#define WORK_FILES_MAX UINT64_C(200000)

struct work {
    const struct bj_paths *paths;
    const char *name, *action;
    bool begun;
    char exec[BJ_PATH_MAX];
    char project[BJ_PATH_MAX]; /* on the host; "" when it has none */
    bool repository;
    struct scratch scratch; /* none until work_scratch() */
    struct visit *visit;    /* into a sandbox that has ended; NULL when it runs */

    /* For the audit log. */
    char target[BJ_PATH_MAX];
    uint64_t files, bytes;
    char detail[1024];
};

/* Checks that something can run in the sandbox (the sentence says what to do when not) and begins.
 * For one that has ended a wall is built around its work, until work_close() (visit.h). On failure
 * nothing remains to be ended. */
int work_open(struct work *work, const struct bj_paths *paths, const char *name, const char *action,
              struct bj_error *error);

/* Runs a program inside (inside.h); -EIO with its last words when its exit status is not 0. */
int work_run(struct work *work, const struct inside_program *program, struct inside_end *end,
             struct bj_error *error);

/* A private directory in the state directory, one for each work, removed by work_close(). */
int work_scratch(struct work *work, struct bj_error *error);

/* Whether the policy lets each of these paths out; what is no UTF-8 is denied. `denied` has `count`
 * entries. */
int work_check(const struct work *work, const char *const *names, size_t count, bool *denied,
               struct bj_error *error);

/* Set by a signal. */
extern volatile sig_atomic_t work_stop;

/* Ends it; `status` is the work's own result (limits, broken forms and -EPERM
 * count as refused). Returns it, or
 * why the end could not be recorded. */
int work_close(struct work *work, int status, struct bj_error *error);
