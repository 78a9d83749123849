/*
 * How much of the processor a sandbox gets while others want it too.
 *
 * With a cgroup v2 cpu controller: cpu.weight. Else, and only for root, who alone may raise it
 * again: the nice value of each process, and that of its session where the kernel groups tasks by
 * session (sched(7), "The autogroup feature").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mux/resource/cgroup.h"

/* Whether one of the two ways works here. */
bool weight_works(const struct cgroup_place *place);

/* Gives the group's processes and `helper` (a process outside of it, 0 none) their full share, or
 * the small one of what nobody looks at. Processes started later inherit it. Best effort: a process
 * that is gone is no error. */
void weight_set(const struct cgroup_place *place, const char *group, pid_t helper, bool full);
