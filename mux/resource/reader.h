/*
 * Whether a sandbox's program sleeps in a read of its terminal, as the kernel tells it; nothing
 * that a program says of itself goes in.
 *
 * The terminal is the shim's: its master is borrowed for a moment (pidfd_getfd(2)) to ask for its
 * modes and its foreground group. Which system call a process sleeps in stands in
 * /proc/PID/task/TID/syscall (proc(5)). Both take the right to trace, which root has, and a user
 * over the user namespaces that are his.
 */
#pragma once

#include "mux/resource/process.h"

#define READER_THREADS 256U /* of a terminal's foreground group that are looked at */

/*
 * 1: one of the terminal's foreground group sleeps in read(2) of its terminal, whose modes are
 * those for lines (ICANON); 0: none, or it is a shell at its prompt: one with job control, which
 * ignores what stops background jobs. A negative code when that cannot be seen here.
 */
int reader_looks(const struct process_id *init);
