/*
 * `belljar diff`: what an agent changed in its copy of a repository, as the sandbox says. Every
 * byte of it is made safe for the terminal; the colours are ours.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int diff_command(const struct args *args, const struct bj_paths *paths);
