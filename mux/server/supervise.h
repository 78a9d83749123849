/*
 * What happens to a sandbox, and what follows from it: the state machine between monitor, wall and
 * record. starting -> running <-> paused -> exited; lost when nobody saw the end.
 */
#pragma once

#include <msgpack.h>

#include "mux/server/sandbox.h"

/* The monitor's connection stands; `info` is the result of monitor.info. */
void supervise_monitor_up(struct sandbox *sandbox, const msgpack_object *info);

/* The monitor could not be started, or its connection ended. Starts another while init lives. */
void supervise_monitor_down(struct sandbox *sandbox, const struct bj_error *why);

/* A notification of the monitor (bj_events_control). */
void supervise_notification(struct sandbox *sandbox, const char *name,
                            const msgpack_object *params);

/* Begins to watch init (its pid is in the record); -ESRCH when it is gone already. */
int supervise_init(struct sandbox *sandbox, struct bj_error *error);

/* Likewise the wall's process outside; `ours` when it is to be reaped. */
int supervise_outer(struct sandbox *sandbox, bool ours, struct bj_error *error);

/* Every process is gone: state, requests, cgroup. Idempotent. `wait_status` of the wall or -1. */
void supervise_ended(struct sandbox *sandbox, int wait_status);

/* After the server's start: finds out what became of a sandbox and takes it over. */
int supervise_recover(struct sandbox *sandbox, struct bj_error *error);
