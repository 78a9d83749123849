/*
 * Commands about sandboxes: finding them by name, and acting on several at once.
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "transport/paths.h"
#include "tui/cli/args.h"
#include "tui/cli/peer.h"

/* Connects to the server and says hello. */
int sandbox_server(const struct bj_paths *paths, bool start, struct peer *peer,
                   struct bj_error *error);

/* The record of the sandbox with this name (or id) in what sandbox.list answered, whose it stays.
 * -ENOENT with the nearest name. */
int sandbox_pick(const json_t *list, const char *name, json_t **record, struct bj_error *error);
/* The record of the sandbox with this name (or id), which the caller releases. -ENOENT with the
 * nearest name. */
int sandbox_find(struct peer *server, const char *name, json_t **record, struct bj_error *error);

/* Connects to the sandbox's monitor. */
int sandbox_view(const struct bj_paths *paths, const char *name, struct peer *view,
                 struct bj_error *error);

/* Waits until the sandbox with this name (or id) has ended, and gives its record, which the caller
 * releases. -ETIMEDOUT after `milliseconds` (0: never). */
int sandbox_await(const struct bj_paths *paths, const char *name, unsigned milliseconds,
                  json_t **record, struct bj_error *error);

/* One call of `method` with {names: [name]} for each; says what failed. Returns the exit code. */
int sandbox_act(struct peer *server, const char *method, const char *const *names, size_t count);

/* Commands. */
int sandbox_pause(const struct args *args, const struct bj_paths *paths);
int sandbox_resume(const struct args *args, const struct bj_paths *paths);
int sandbox_kill(const struct args *args, const struct bj_paths *paths);
int sandbox_remove(const struct args *args, const struct bj_paths *paths);
int sandbox_rename(const struct args *args, const struct bj_paths *paths);
int sandbox_wait(const struct args *args, const struct bj_paths *paths);
