/*
 * The host's own tar as a child, of the user's files: with a locale of ours, and without the
 * options that his environment has for it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "transport/error.h"

/* Starts it with these words, of which "tar" is the first; what it writes goes to `out`, at most
 * `size_max` bytes of a file (it ends by SIGXFSZ), 0: any. Its exit status is 127 when there is no
 * tar. Returns its pid or a negative code. */
pid_t host_tar_start(const char *const *words, int out, uint64_t size_max, struct bj_error *error);

/* Waits for its end; *how is as of waitpid(2). */
int host_tar_wait(pid_t pid, int *how, struct bj_error *error);
