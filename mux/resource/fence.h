/*
 * Kill and pause of a sandbox as a whole: by its cgroup where there is one, else by the init of
 * its pid namespace and by signals to all. Each call does one step and says whether what was asked
 * is true now, so that the caller can repeat it from a timer and never blocks.
 */
#pragma once

#include <stdbool.h>

#include "mux/resource/process.h"

struct fence {
    const char *cgroup;      /* path, or "" */
    struct process_id init;  /* pid 1 of the sandbox */
    struct process_id outer; /* the wall's process outside */
    bool cgroup_kill, cgroup_freeze;
};

/* 1: not one process is left. 0: call again. The kernel ends a pid namespace with its init and
 * reports init's death only when all others are gone. */
int fence_kill(const struct fence *fence);

/* 1: every process is stopped (or goes on). 0: call again. -ESRCH: the sandbox is gone. */
int fence_stop(const struct fence *fence, bool stop);
