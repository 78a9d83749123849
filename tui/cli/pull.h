/*
 * `belljar pull`: an agent's work comes out, as a branch (pull_git.h) or as a directory
 * (pull_tree.h).
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int pull_command(const struct args *args, const struct bj_paths *paths);
