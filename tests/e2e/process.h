/*
 * What /proc says about the processes of a test, and the removal of what a test leaves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The program's name from its /proc/PID/cmdline (the comm of the kernel is cut); false when gone.
 */
bool process_name(pid_t pid, char *out, size_t size);

/* Whether it lives in another pid namespace than this process. */
bool process_in_namespace_below(pid_t pid);

/* "NAME(PID) ..." of all descendants. */
void process_names(char *out, size_t size);

/* Kills every descendant until none is left. */
void process_end_all(void);

/* rm -rf, through directories without permissions as well. */
void process_remove_tree(const char *path);
