/*
 * Runs a program of the host and takes what it prints.
 */
#pragma once

#include <stddef.h>

#include "transport/error.h"

/*
 * Searches PATH, runs in `directory` with nothing on stdin and stderr, in a process group of its
 * own, which is killed after `timeout` milliseconds. Blocks. At most room - 1 bytes are kept (the
 * rest is read and dropped), NUL-terminated. -ENOENT when there is no such program, -ETIMEDOUT,
 * -EIO when it fails.
 */
int run_read(const char *const argv[], const char *directory, int timeout, char *out, size_t room,
             size_t *size, struct bj_error *error);

/* The process ends: every run_read(), in whatever thread, gives up at once, as if out of time. */
void run_stop(void);
