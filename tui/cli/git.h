/*
 * git on the host, for checking and taking in a pack that was made inside.
 *
 * Each call gets an environment of its own, without the user's and the system's configuration,
 * without hooks, monitors, filters, signatures, prompts, pagers or network, so that git executes
 * nothing that a repository names. Output is bounded; a call that is over the limit is ended.
 */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "transport/error.h"

#define GIT_ID_MAX     65 /* hexadecimal, with the NUL */
#define GIT_OUTPUT_MAX ((size_t)128 << 20)

struct git {
    const char *repository;            /* path: --git-dir of a bare one, or -C of the user's */
    const char *safe;                  /* directory that may belong to somebody else; or NULL */
    const volatile sig_atomic_t *stop; /* may be NULL */
};

struct git_output {
    char *text; /* NUL-terminated behind `size` bytes; free it */
    size_t size;
    int status;      /* exit status */
    char error[300]; /* first of standard error, made printable */
};

/* Runs `git ARGUMENTS` with `input` (a descriptor, or -1) as standard input. 0 whatever the exit
 * status; -EFBIG over GIT_OUTPUT_MAX, -EINTR, -ENOENT without git, ... */
int git_run(const struct git *git, int input, const char *const *arguments,
            struct git_output *output, struct bj_error *error);

/* The same, but -EIO with "WHAT: git's words" unless the exit status is 0. */
int git_do(const struct git *git, int input, const char *what, const char *const *arguments,
           struct git_output *output, struct bj_error *error);

/* One line of output without its end; -ENOENT when git fails (a missing name, for instance). */
int git_line(const struct git *git, const char *const *arguments, char *out, size_t size,
             struct bj_error *error);

#define GIT(...) ((const char *const[]){__VA_ARGS__, NULL})

/* fork(2), and in the child, before exec: signals that come in between end the child. For other
 * programs too. */
pid_t git_fork(void);
void git_child_signals(void);

/* Whether text is a whole object id (SHA-1 or SHA-256). */
int git_is_id(const char *text);
