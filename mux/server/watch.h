/*
 * Waits for the end of one process, ours or not, through a pidfd (Linux 5.3): no polling, and no
 * later process of the same number is mistaken for it.
 */
#pragma once

#include <stdbool.h>

#include <uv.h>

#include "mux/resource/process.h"
#include "transport/error.h"

struct watch;

/* `wait_status` is as from waitpid(2) for a child of ours that we reap, else -1. */
typedef void watch_ended(void *owner, int wait_status);

/* NULL with an error: -ESRCH when this very process is gone. Calls `ended` at most once. */
struct watch *watch_process(uv_loop_t *loop, const struct process_id *id, bool reap,
                            watch_ended *ended, void *owner, struct bj_error *error);

/* The callback is not called any more. A child that is to be reaped still is. NULL is fine. */
void watch_cancel(struct watch *watch);

/* Closes those that still wait to reap; at the server's end. */
void watch_close_all(void);
