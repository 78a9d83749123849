/*
 * Commands that look at a pane and type into it, over the monitor's view socket.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int screen_capture(const struct args *args, const struct bj_paths *paths);
int screen_send(const struct args *args, const struct bj_paths *paths);
