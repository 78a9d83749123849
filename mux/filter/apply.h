/* A system call filter (print.h) for the calling process. */
#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "transport/error.h"

/* For all of its threads, for good; no_new_privs is set, too. */
int filter_apply(const struct sock_filter *program, size_t count, struct bj_error *error);
