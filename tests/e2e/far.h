/*
 * Other hosts for a test: real sshd processes on loopback, each with keys, configuration and
 * Belljar directories of its own below the world's, and a client configuration that names them. The
 * far user is the one who runs the test. All functions fail the test (Check) instead of returning
 * errors.
 */
#pragma once

#include "world.h"

struct far {
    const char *name; /* what `belljar attach --host` takes */
    int port;
    pid_t sshd;
};

/* Whether there is an sshd here (Debian: openssh-server). */
bool far_possible(void);

/* Before the first one: keys, and $BELLJAR_SSH for all that the test starts. */
void far_prepare(struct world *world);
void far_open(struct world *world, struct far *far, const char *name);
/* Kills its sandboxes and its server the official way, and then sshd. */
void far_close(struct world *world, struct far *far);

/* From here on the world's commands are about that host's server; NULL: this one's again. */
void far_visit(struct world *world, const struct far *far);

/* Ends the ssh processes that carry bridges to it. Returns how many. */
size_t far_cut(const struct far *far);
/* No new connection is accepted, or they are again. */
void far_shut(struct far *far);
void far_start(struct world *world, struct far *far);
