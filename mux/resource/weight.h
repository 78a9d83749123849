/*
 * How much of the processor a sandbox gets while others want it too, and how soon.
 *
 * How much: with a cgroup v2 cpu controller cpu.weight; for root, who alone may raise it again, the
 * nice value of each process as well, and that of its session where the kernel groups tasks by
 * session (sched(7), "The autogroup feature"). How soon: the time slice of sched_setattr(2), which
 * Linux heeds since 6.12; who asks for a short one runs as soon as it wakes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mux/resource/cgroup.h"

enum weight {
    WEIGHT_FULL,  /* as the kernel has it */
    WEIGHT_FIRST, /* the full share, and at once */
    WEIGHT_SMALL, /* what nobody looks at gets */
};

/* For the processes of the sandbox, by its group (or, where that is "", by descent from init) and
 * `helper` (a process outside of it, 0 none). Processes started later inherit it. Best effort: a
 * process that is gone is no error. */
void weight_set(const struct cgroup_place *place, const char *group, pid_t init, pid_t helper,
                enum weight weight);

/* One process alone (0: this one): its slice, nothing else. */
void weight_slice(pid_t pid, bool first);
