/*
 * Another host, as a client sees it: a process of its own (`belljar bridge --to`, see near.h) keeps
 * the link to it, so that nothing that comes over ssh is read here and a slow link stops nobody.
 * The client asks it for connections to the far server and monitors, and hears how the link is.
 *
 * Both talk over a socket pair in datagrams, which carry one descriptor for each connection. The
 * struct is the client's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "transport/error.h"
#include "tui/bridge/ssh.h"

#define HOSTS_MAX      16
#define HOST_LABEL_MAX 24

enum host_state {
    HOST_CONNECTING, /* ssh runs, the far end has not answered yet */
    HOST_UP,
    HOST_DOWN,    /* tried again after `wait` */
    HOST_REFUSED, /* not a state: one connection was not made, for the reason in `words` */
};

/* What the bridge's process tells. */
struct host_report {
    enum host_state state;
    uint32_t wait;             /* ms until the next try */
    char words[SSH_WORDS_MAX]; /* clean text: why it is down, or what is odd */
};

/* What it is asked for, with a descriptor. */
struct host_dial {
    char service[16];
    char id[40];
};

struct host {
    const char *destination, *remote; /* borrowed */
    char label[HOST_LABEL_MAX];       /* what its sandboxes' names begin with */
    int control;                      /* -1: the bridge's process is gone */
    pid_t pid;
    struct host_report report; /* the last one that is a state */
};

/*
 * Starts the bridge. With `ask` ssh may ask on the terminal (a password, an unknown host key),
 * which it does until host_wait() returns; without, what needs an answer fails. `remote` may be
 * NULL. -EINVAL when the destination cannot be one.
 */
int host_open(struct host *host, const char *destination, const char *remote, bool ask,
              struct bj_error *error);

/* Waits until the host is up or down: 0, or a negative code when it is down. */
int host_wait(struct host *host, struct bj_error *error);

/* A connected descriptor for a service of transport/message.h's DIAL (`id` "" for the server). Does
 * not wait: that the other side refuses is seen as its end of file. */
int host_dial(struct host *host, const char *service, const char *id, struct bj_error *error);

/* Takes a report that has come. 1, 0 when there is none, -EPIPE when the bridge's process has
 * ended; `report` may be one of a refused connection. */
int host_hear(struct host *host, struct host_report *report);

/* Ends the bridge. */
void host_close(struct host *host);

/* The part of a destination that people call the host by, made unique among those before it. */
void host_label(struct host *host, const struct host *others, size_t count);
