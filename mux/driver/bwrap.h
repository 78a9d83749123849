/*
 * The wall made by bubblewrap: user, pid, net, ipc, uts, cgroup and mount namespaces, a system
 * that is read-only, no capabilities, and the seccomp filter of filter.h. See docs/ARCHITECTURE.md
 * for what the inside looks like.
 */
#pragma once

#include "mux/driver/driver.h"

#define BWRAP_COPIES_MAX 24 /* files of /etc that are copied */

extern const struct driver driver_bwrap;

/* bwrap's options as one list, ready for its --args. */
struct bwrap_options {
    char *text; /* NUL-separated */
    size_t size, capacity, count;
    bool failed;                  /* out of memory */
    int copies[BWRAP_COPIES_MAX]; /* files that the options refer to by these descriptors */
    size_t copies_count;
};

struct bwrap_version {
    bool disable_userns; /* 0.8 and later */
    bool size;           /* 0.7 and later: --size */
};

/* Descriptors that the options refer to, by the number they have in bwrap. */
struct bwrap_descriptors {
    int seccomp, info, gate, passwd, group, hosts, nsswitch, hostname, resolv;
    int made[WALL_FILES_MAX]; /* of the plan's files */
};

/* Appends all options for the plan. -ENOMEM, or -EINVAL for an environment that is none. */
int bwrap_options_make(struct bwrap_options *options, const struct wall_plan *plan,
                       const struct bwrap_version *version,
                       const struct bwrap_descriptors *descriptors, struct bj_error *error);
void bwrap_options_free(struct bwrap_options *options);

/* The switch of the kernel that forbids user namespaces, and how to allow them; NULL: none does. */
const char *bwrap_remedy(void);

/* Where bwrap is, from $PATH. -ENOENT with the package to install. */
int bwrap_find(char *out, size_t size, struct bj_error *error);
