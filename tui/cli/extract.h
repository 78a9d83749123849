/*
 * A checked archive becomes files below one directory.
 *
 * Every step down is openat(2) without following links, so that no name leads out, whatever is
 * there. Files and directories come first, links last. Of the mode only the owner's right to
 * execute is taken. What is left out is told by `refused`.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "tui/cli/tar.h"

struct extract {
    int root;                          /* directory, borrowed; empty at the beginning */
    uint64_t files_max;                /* entries of every kind */
    const volatile sig_atomic_t *stop; /* may be NULL */

    /* Whether to leave this path out (the policy says so). May be NULL. */
    bool (*denied)(void *owner, uint64_t index);
    void (*refused)(void *owner, const char *path, const char *why);
    void (*symlink)(void *owner, const char *path, const char *target);
    void *owner;

    uint64_t files, bytes, symlinks, left_out; /* results */
    bool git_said;                             /* private */
};

/* Walks the archive in fd. -E2BIG over the limit, -EBADMSG, -EINTR, -ENOSPC, ... */
int extract_archive(struct extract *extract, int fd, struct bj_error *error);
