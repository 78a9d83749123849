/*
 * `belljar watch`: what happens, one line of words for each event, for screen readers and logs.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int watch_command(const struct args *args, const struct bj_paths *paths);
