/*
 * Commands of the host run one after the other without blocking the server (git, cp, chown, rm).
 * The first that fails ends the job. None of them gets text from a sandbox as a program or option.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "transport/error.h"

#define JOB_STEPS_MAX  12
#define JOB_ARGS_MAX   24
#define JOB_OUTPUT_MAX 2048

struct job;

/* `error` is NULL when all went well. The job frees itself afterwards. */
typedef void job_done(void *owner, const struct bj_error *error);

/* An empty job. NULL when out of memory. */
struct job *job_new(uv_loop_t *loop, const char *what, job_done *done, void *owner);

/* Adds a command; the words are copied. A word that is too much makes job_start fail. */
void job_step(struct job *job, const char *const words[]);

/* The step just added may fail; what it prints (first line) is appended, as one word, to the step
 * that the caller adds next, and that is skipped when nothing was printed. */
void job_feeds_next(struct job *job);

/* -EINVAL or -ENOMEM when it was put together badly; `done` is not called then, the job is freed.
 * Else `done` is called exactly once, later, unless the job is cancelled. */
int job_start(struct job *job, struct bj_error *error);

/* Ends the running command; `done` is not called. */
void job_cancel(struct job *job);
