/*
 * Control groups, version 2: one group per sandbox below one place where this user may make
 * groups. Source: Documentation/admin-guide/cgroup-v2.rst of the kernel.
 *
 * The place is found once, at the server's start: as root the top of the hierarchy, else the
 * highest group above our own that we may write to (what systemd delegates to a user). Everything
 * here is a plain file operation; groups outlive the server and are found again by their path.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mux/resource/procfs.h"
#include "transport/error.h"

#define CGROUP_PATH_MAX 512

struct cgroup_place {
    char path[CGROUP_PATH_MAX]; /* "" when there is none */
    bool memory, cpu, pids;     /* controllers that groups made here have */
    bool kill, freeze;          /* cgroup.kill (Linux 5.14), cgroup.freeze (5.2) */
    char why[128];              /* why there is none, for doctor */
};

struct cgroup_limits {
    uint64_t memory;    /* bytes, 0 none */
    uint64_t millicpus; /* 1/1000 of a core, 0 none */
    uint64_t pids;      /* processes and threads, 0 none */
};

/* Never fails: without a place `path` is empty and `why` says so. */
void cgroup_find(struct cgroup_place *place);

/* Makes the group of one sandbox, sets those limits that have a controller, and fills `path`. */
int cgroup_make(const struct cgroup_place *place, const char *id,
                const struct cgroup_limits *limits, char path[CGROUP_PATH_MAX],
                struct bj_error *error);

/* A descriptor of the group's directory, for clone3() and openat(). */
int cgroup_open(const char *path, struct bj_error *error);

int cgroup_kill(const char *path);
int cgroup_freeze(const char *path, bool freeze);

/* 1 when the group is (not) frozen as asked, 0 not yet, negative when it cannot be read. */
int cgroup_is_frozen(const char *path, bool freeze);

/* 1 when a process is left in the group, 0 none (or no such group). */
int cgroup_populated(const char *path);

int cgroup_cpu(const char *path, uint64_t *usec);
int cgroup_memory(const char *path, uint64_t *bytes); /* -ENOENT without the controller */
/* Processes that the kernel ended in it for want of memory; -ENOENT without the controller. */
int64_t cgroup_ooms(const char *path);
int cgroup_members(const char *path, struct procfs_pids *pids);

/* Removes the group, and the place too when it was the last. -EBUSY while processes are in it. */
int cgroup_remove(const char *path);
