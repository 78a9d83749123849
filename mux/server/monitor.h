/*
 * A sandbox's monitor as the server sees it: the process, and the connection to its control.sock.
 * Asynchronous; when the sandbox is freed or gives up on it, monitor_abandon() cuts the tie and
 * the object frees itself. The process is left alone by that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/server/sandbox.h"

/* Starts belljar-monitor, after `delay` milliseconds, and connects when it is ready. Later
 * supervise_monitor_up() or supervise_monitor_down() is called. */
int monitor_spawn(struct sandbox *sandbox, uint64_t delay, struct bj_error *error);

/* Connects to one that runs already. */
int monitor_dial(struct sandbox *sandbox, struct bj_error *error);

void monitor_abandon(struct monitor *monitor);
bool monitor_is_up(const struct monitor *monitor);

/* Tells which process is the sandbox's init. Nothing when not connected. */
void monitor_admit(struct sandbox *sandbox);

/* For so long it takes no more output than `rate` bytes a second; 0 ms: as fast as it comes. A
 * monitor of an older build that does not know this goes on as it is. */
void monitor_pace(struct sandbox *sandbox, uint64_t rate, uint64_t ms);

/* A request is held now: copy mode can jump to this place of its terminal. */
void monitor_mark(struct sandbox *sandbox);

/* Something that the agent is told behind its next tool; lost when no monitor is connected. */
void monitor_note(struct sandbox *sandbox, const char *text);

/* Delivers a verdict. After 0, `done` is called exactly once, with NULL when it was taken. */
typedef void monitor_delivered(void *argument, const struct bj_error *error);
int monitor_verdict(struct sandbox *sandbox, uint32_t channel, bool allow, const char *reason,
                    monitor_delivered *done, void *argument, struct bj_error *error);

/* Begins with a new one, which announces again what is held: something that this one told was lost
 * for want of memory. */
void monitor_again(struct sandbox *sandbox, const struct bj_error *why);

/* Ends the process at once: it is of no use any more. */
void monitor_end(struct sandbox *sandbox);

/* The server stops: closes what is open. The processes go on. */
void monitors_close(struct server *server);

/* Asks it to write what it has and exit. */
void monitor_stop(struct sandbox *sandbox);
