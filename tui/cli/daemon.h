/*
 * `belljar server`: starting, stopping and looking at belljar-server.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int daemon_command(const struct args *args, const struct bj_paths *paths);
