/*
 * The dashboard as a command opens and leaves it: attach, detach.
 */
#pragma once

#include <stdbool.h>

#include "transport/paths.h"
#include "tui/cli/args.h"
#include "tui/dashboard.h"

/* Whether there is a terminal to show a dashboard on. */
bool attach_possible(void);

/* Shows the dashboard until it is left; starts the server when none runs. Returns the exit code. */
int attach_open(const struct bj_paths *paths, const struct dashboard_options *options);

/* Commands. */
int attach_command(const struct args *args, const struct bj_paths *paths);
int attach_end(const struct args *args, const struct bj_paths *paths);
