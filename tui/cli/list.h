/*
 * `belljar ls`: every sandbox with its state and what it uses.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int list_sandboxes(const struct args *args, const struct bj_paths *paths);
