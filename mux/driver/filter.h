/*
 * The seccomp filter around everything in a sandbox: a list of what is refused, on top of what the
 * namespaces already refuse, to keep the kernel's rarely used corners out of the agent's reach.
 * Refused calls fail with EPERM (a few with ENOSYS, where programs then take another way); calls of
 * a foreign architecture end the process.
 *
 * What it refuses is said in filter_make.c, which makes it when Belljar is built.
 */
#pragma once

#include "transport/error.h"

/* Returns a descriptor (close-on-exec, at its beginning) with the program as BPF. */
int filter_export(struct bj_error *error);

/* Applies the filter to the calling process, for good; for tests. */
int filter_load(struct bj_error *error);
