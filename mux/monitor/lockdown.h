/*
 * What the monitor gives up once everything is open: it parses hostile bytes, so whoever takes it
 * over finds a process without files, network, programs to execute or other users' processes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "transport/error.h"

/* Closes every descriptor from 3 on, but `keep`. Call it first. */
void lockdown_close_inherited(int keep);

/*
 * In this order: working directory, limits, no core dumps, the user `nobody` when root,
 * no_new_privs, the system call filter. `memory` bounds the process's data in bytes. `parent` is
 * the process with which the kernel ends this one, 0 none.
 */
int lockdown(uint64_t memory, pid_t parent, struct bj_error *error);
