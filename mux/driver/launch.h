/*
 * Forks the process that becomes a wall: in a session of its own, without the server's
 * descriptors, and, when we are root, as another user behind a mount namespace of its own in which
 * what the wall needs lies where that user can walk to. Only async-signal-safe calls between fork
 * and exec.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "transport/error.h"

#define LAUNCH_MOUNTS_MAX 20
#define LAUNCH_KEEP_MAX   48
#define LAUNCH_REPORT     '\001' /* first byte of the child's own report on `trouble` */

/* Something of the host, bound below `base` for the dropped user. */
struct launch_mount {
    const char *source;
    const char *target;
    bool directory;
};

struct launch {
    const char *program;
    char *const *argv;
    char *const *envp;
    int go;       /* the child waits for a byte here, and ends at the end of file */
    int go_other; /* our end of it, closed in the child: else there would be no end of file */
    int trouble;  /* becomes its stderr */
    int null;     /* becomes its stdin and stdout */
    int keep[LAUNCH_KEEP_MAX]; /* descriptors left open in the program, ends with -1 */
    int cgroup;                /* the directory's descriptor, -1: ours */
    const struct rlimit *files;
    bool drop;
    uid_t uid;
    gid_t gid;
    const char *base; /* an empty directory that a file system is mounted over; with drop only */
    struct launch_mount mounts[LAUNCH_MOUNTS_MAX];
};

/* Returns the child's pid or a negative code. */
pid_t launch_fork(const struct launch *launch, struct bj_error *error);

/* The child's report (not the program's words): one sentence. Returns error->code. */
int launch_explain(const char *trouble, struct bj_error *error);
