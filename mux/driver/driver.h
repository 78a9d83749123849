/*
 * How a wall is built: one table of functions per kind of wall.
 *
 * A start is asynchronous and never blocks the server. start() forks a child that waits for
 * wall_go(); from then on the wall is built. The caller watches three descriptors:
 *
 *   info     the wall writes here who its init is; read to the end, then read_init()
 *   gate     opened by wall_release(); polls as writable or with an error when wall_passed() is to
 *            be asked: then everything is built and the shim is executed next, or it failed
 *   trouble  what went wrong, in words, before the gate; nothing from inside the sandbox is ever
 *            read from it, since the caller closes it when the gate is passed
 *
 * When the process that calls wall_go() dies first, the child ends and there is no sandbox.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "transport/error.h"

#define WALL_TROUBLE_MAX 2048

/* Something of the host that is seen inside, and a file that is made there, read-only. Targets are
 * absolute; sources have no link on their way that somebody inside could have made. */
struct wall_mount {
    const char *source, *target;
    bool directory;
};

struct wall_file {
    const char *target;
    const char *text;
    size_t size;
};

#define WALL_MOUNTS_MAX 9
#define WALL_FILES_MAX  8
#define WALL_KEPT_MAX   4
#define WALL_HOME       "/home/agent" /* the home directory, inside */

/* What a wall is made for. Strings and lists belong to the caller and are needed during start(). */
struct wall_plan {
    const char *name; /* becomes the host name inside */
    const char *shim; /* paths on the host */
    const char *link;
    const char *project;
    const char *home;
    const struct wall_mount *mounts; /* read-only, below /etc or /opt; at most WALL_MOUNTS_MAX */
    const struct wall_mount *kept;   /* read-write, below WALL_HOME; at most WALL_KEPT_MAX */
    const struct wall_file *made;    /* below any of these; at most WALL_FILES_MAX */
    size_t mounts_count, kept_count, made_count;
    const char *const *argv; /* the agent, NULL-terminated */
    const char *const *env;  /* NAME=VALUE beside the allowlist, NULL-terminated; may be NULL */
    uint16_t proxy_port;     /* where the shim takes connections inside, 0 none */
    uint32_t nproc;          /* the shim's --nproc, 0 none */
    bool drop;               /* become uid:gid first (we are root) */
    uid_t uid;
    gid_t gid;
    int cgroup;                 /* descriptor from cgroup_open(), or -1 */
    const struct rlimit *files; /* limit of open files inside; NULL: as here */
    bool mortal;                /* it ends with the thread that called wall_go() */
};

struct wall {
    pid_t outer;                 /* our child; the caller reaps it */
    int go, info, gate, trouble; /* -1 when closed */
};

struct driver {
    const char *name;
    const char *summary;
    /* 0 when walls can be built here, else a negative code and the reason with what to do. */
    int (*check)(struct bj_error *error);
    int (*start)(const struct wall_plan *plan, struct wall *wall, struct bj_error *error);
    /* Host pid of init from what came on `info`; 0 when it does not say. */
    pid_t (*read_init)(const char *info, size_t size);
    /* Makes one sentence of the outer process's words. Returns error->code, negative. */
    int (*explain)(const char *trouble, int wait_status, struct bj_error *error);
};

extern const struct driver *const drivers[]; /* ends with NULL; the first is the default */
const struct driver *driver_find(const char *name);

int wall_go(struct wall *wall, struct bj_error *error);
int wall_release(struct wall *wall, struct bj_error *error);

/* After the release: whether the gate was passed. */
bool wall_passed(const struct wall *wall);

/* Closes what is open. Kills nothing. */
void wall_close(struct wall *wall);
