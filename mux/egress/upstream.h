/*
 * One TCP connection out: tries the checked addresses in order, then carries bytes both ways with
 * back pressure. Embedded in its owner, which may free it after `closed` was called.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "mux/egress/resolve.h"
#include "transport/error.h"

#define UPSTREAM_READ_MAX (64U * 1024)

struct upstream;

struct upstream_events {
    void (*connected)(struct upstream *upstream);
    void (*failed)(struct upstream *upstream, const struct bj_error *error); /* close it then */
    size_t (*room)(struct upstream *upstream); /* bytes that may be read now; 0 pauses reading */
    void (*data)(struct upstream *upstream, const char *bytes, size_t size);
    void (*eof)(struct upstream *upstream);
    void (*written)(struct upstream *upstream, size_t size); /* what was kept is gone */
    void (*closed)(struct upstream *upstream);
};

struct upstream {
    uv_loop_t *loop;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    const struct upstream_events *events;
    const struct addresses *addresses; /* the owner's */
    size_t next;                       /* address to try next */
    size_t current;                    /* address that was connected to */
    int handles;                       /* that are not closed yet */
    bool opened, connected, closing, retrying, reading, writing, ended, shut;
    char *kept; /* bytes that are being written */
    size_t kept_size;
};

void upstream_open(struct upstream *upstream, uv_loop_t *loop, const struct addresses *addresses,
                   const struct upstream_events *events);

/* Writes now or keeps a copy; not to be called again while it returns true, until `written`. */
bool upstream_write(struct upstream *upstream, const char *bytes, size_t size);

/* Looks at `room` again. */
void upstream_resume(struct upstream *upstream);

/* No more is written. */
void upstream_shutdown(struct upstream *upstream);

/* Asynchronous, idempotent; false when there is nothing to close and so no `closed` follows. */
bool upstream_close(struct upstream *upstream);
