/*
 * A sandbox seen through /proc: which processes it has, what they use, and a signal to all.
 *
 * A sandbox is its pid namespace. Every process in it descends from its init, whatever it forks,
 * so the tree below init is the sandbox; the walk over the namespace's inode is what decides when
 * a signal must reach all, since a tree that changes during the walk may hide a process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct procfs_pids {
    pid_t *pid;
    size_t count, capacity;
};

void procfs_pids_free(struct procfs_pids *pids);
int procfs_pids_add(struct procfs_pids *pids, pid_t pid); /* 0 or -ENOMEM */

/* init and all that descend from it, in no order. 0, -ESRCH or -ENOMEM. */
int procfs_tree(pid_t init, struct procfs_pids *pids);

/* The process's direct children, zombies included. */
int procfs_children(pid_t pid, struct procfs_pids *pids);

/* Identifies init's pid namespace. 0 or a negative code. */
int procfs_namespace(pid_t init, uint64_t *inode);

/* Every process on this machine in that namespace (not in those below it). */
int procfs_members(uint64_t inode, struct procfs_pids *pids);

struct procfs_usage {
    uint64_t cpu_usec;  /* user and system time of the process and its reaped children */
    uint64_t memory;    /* bytes: resident, not shared with a file */
    uint64_t disk_read; /* bytes that reached the disk */
    uint64_t disk_write;
    bool has_disk; /* /proc/PID/io may be unreadable */
};

/* Adds one process's figures to `usage`. -ESRCH when it is gone. */
int procfs_usage_add(pid_t pid, struct procfs_usage *usage);

/* Bytes over all interfaces but lo since the namespace was made. */
int procfs_network(pid_t init, uint64_t *received, uint64_t *sent);

/*
 * Brings every process of init's namespace to a stop (or lets all go on) with one pass of signals.
 * Returns 1 when the pass found all of them so already, 0 when another pass is needed, -ESRCH when
 * init is gone.
 */
int procfs_stop_pass(pid_t init, bool stop);

/* Bytes on that device of files without a name that init's processes hold open, each file once.
 * What cannot be read (a process that is gone, no right) is not counted. */
uint64_t procfs_unlinked(pid_t init, dev_t device);
